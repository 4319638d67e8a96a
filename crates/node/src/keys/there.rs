//! What a copy of the keyring that lies somewhere already holds and this keyring does not. Such a copy is
//! never written over: it may be the last one.

use abeng_keys::{Keyring, KeyringError, Passphrase};
use abeng_wire::{Kid, PartyCode};
use std::{fmt, path::Path};

/// The copy of the keyring in a directory, seen from the keyring that is to be copied there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum There {
    /// None, or one that this keyring has gone on from.
    Replaceable,
    /// One with seal keys that this keyring lacks, newest last.
    Newer(Vec<Kid>),
    /// Another party's.
    Other(PartyCode),
    /// It cannot be opened, and why.
    Closed(String),
}

impl There {
    /// Looks at the copy in `dir`; `passphrase` is asked for one that is under a passphrase.
    pub(crate) fn look(
        dir: &Path,
        keyring: &Keyring,
        passphrase: impl FnOnce() -> Result<Passphrase, String>,
    ) -> Self {
        match Keyring::load(dir, passphrase) {
            Ok(copy) if copy.party != keyring.party => Self::Other(copy.party),
            Ok(copy) => match lacks(&kids(&copy), &kids(keyring)) {
                none if none.is_empty() => Self::Replaceable,
                newer => Self::Newer(newer),
            },
            Err(KeyringError::Missing { .. }) => Self::Replaceable,
            Err(why) => Self::Closed(why.to_string()),
        }
    }
}

/// What is said of a copy that stays.
impl fmt::Display for There {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replaceable => f.write_str("may be replaced"),
            Self::Newer(kids) => write!(
                f,
                "holds what the keyring of this node lacks: {}",
                named(kids)
            ),
            Self::Other(party) => write!(f, "is of {party}"),
            Self::Closed(why) => write!(f, "cannot be opened ({why})"),
        }
    }
}

/// Seal keys by the digits that `abeng keys list` shows.
pub fn named(kids: &[Kid]) -> String {
    let short: Vec<String> = kids
        .iter()
        .map(|k| format!("{:.12}", k.to_string()))
        .collect();
    match &short[..] {
        [one] => format!("the seal key {one}"),
        _ => format!("the seal keys {}", short.join(", ")),
    }
}

/// The identifiers of the seal keys, newest last.
pub(crate) fn kids(keyring: &Keyring) -> Vec<Kid> {
    keyring.seal.all().iter().map(|key| key.kid()).collect()
}

/// Keys of a copy that the keyring never had. New ones are added behind the others, so one that stands
/// before a key that is still held was held too, and was destroyed.
fn lacks(copy: &[Kid], held: &[Kid]) -> Vec<Kid> {
    let known = copy.iter().rposition(|kid| held.contains(kid));
    copy.get(known.map_or(0, |at| at + 1)..)
        .unwrap_or_default()
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_destroyed_is_not_lacking_and_what_was_never_had_is() {
        let kids = |all: &[u8]| all.iter().map(|n| Kid([*n; 32])).collect::<Vec<_>>();
        let lacks = |copy: &[u8], held: &[u8]| lacks(&kids(copy), &kids(held));
        assert!(lacks(&[1, 2], &[1, 2, 3]).is_empty(), "it has gone on");
        assert!(lacks(&[1, 2, 3], &[2, 3]).is_empty(), "1 was destroyed");
        assert!(lacks(&[1, 2], &[2, 3]).is_empty());
        assert!(lacks(&[], &[1]).is_empty());
        assert_eq!(lacks(&[1, 2, 3], &[1]), kids(&[2, 3]), "an older copy");
        assert_eq!(lacks(&[1, 2], &[1, 4]), kids(&[2]), "that went on");
        assert_eq!(lacks(&[7], &[1]), kids(&[7]), "nothing in common");
    }
}
