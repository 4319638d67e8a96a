use crate::{
    Root, TrustError,
    signed::{bound_signatures, check_reason},
};
use abeng_wire::{Digest, Millis, NetworkCode, PartyCode, decode, limits, v1};

/// How long a key that the root's override brought is not used by a node, counted from its own
/// adoption of the roster: 7 days, in which whoever really is that party can protest.
pub const OVERRIDE_WAIT_MS: Millis = 7 * 24 * 60 * 60 * 1000;

/// A verified word of the root's threshold: an entry takes the place of another although the
/// party's earlier keys have not signed it, because they are lost or in wrong hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Whose entry.
    pub party: PartyCode,
    /// The entry that is replaced.
    pub before: Digest,
    /// The entry that takes its place.
    pub after: Digest,
    /// When the root's signers decided it, by their word.
    pub at: Millis,
    /// Why, in words.
    pub reason: String,
}

impl Override {
    /// Verifies that the threshold of that root stands behind it.
    pub fn verify(root: &Root, signed: &v1::Signed) -> Result<Self, TrustError> {
        let (m, out) = Self::read(signed)?;
        let network = NetworkCode::new(&m.network)?;
        if network != root.network() {
            return Err(TrustError::OtherNetwork {
                what: format!("the override for {}", out.party),
                expected: root.network(),
                found: network,
            });
        }
        root.count_override(out.party, signed)?;
        Ok(out)
    }

    /// Reads one that may lack signatures still, to be shown and signed.
    pub fn draft(signed: &v1::Signed) -> Result<Self, TrustError> {
        Self::read(signed).map(|(_, out)| out)
    }

    fn read(signed: &v1::Signed) -> Result<(v1::Override, Self), TrustError> {
        bound_signatures("an override", signed)?;
        let m: v1::Override = decode("override", &signed.bytes, limits::STATEMENT)?;
        let party = PartyCode::new(&m.party)?;
        let rule = |rule| TrustError::rule(format!("the override for {party}"), rule);
        let digest = |bytes: &[u8]| {
            Digest::from_slice(bytes).ok_or_else(|| rule("it names both entries by 32 bytes"))
        };
        check_reason(&m.reason).map_err(rule)?;
        let out = Self {
            party,
            before: digest(&m.before)?,
            after: digest(&m.after)?,
            at: m.at,
            reason: m.reason.clone(),
        };
        Ok((m, out))
    }
}
