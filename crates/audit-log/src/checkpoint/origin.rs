use super::NoteError;
use abeng_wire::{Incarnation, NetworkCode, PartyCode};
use std::fmt;

/// The name of a log: `abeng/<network>/<party>/<incarnation, 16 lowercase hex digits>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogOrigin {
    /// The network.
    pub network: NetworkCode,
    /// The party whose log it is.
    pub party: PartyCode,
    /// The life of its journal.
    pub incarnation: Incarnation,
}

impl LogOrigin {
    /// Reads an origin line.
    pub fn parse(origin: &str) -> Result<Self, NoteError> {
        let read = || {
            let mut parts = origin.strip_prefix("abeng/")?.split('/');
            let network = NetworkCode::new(parts.next()?).ok()?;
            let party = PartyCode::new(parts.next()?).ok()?;
            let incarnation = Incarnation(u64::from_str_radix(parts.next()?, 16).ok()?);
            let read = Self {
                network,
                party,
                incarnation,
            };
            // Also refuses a fourth part, capitals and signs.
            (read.to_string() == origin).then_some(read)
        };
        read().ok_or(NoteError::Form {
            rule: "its origin is abeng/<network>/<party>/<16 hex digits>",
        })
    }
}

impl fmt::Display for LogOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "abeng/{}/{}/{}",
            self.network, self.party, self.incarnation
        )
    }
}
