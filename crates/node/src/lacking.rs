//! Seal keys that the network uses for this party and that its keyring does not have: after a restore
//! from an older keyring. What is sealed to them is refused (KEY_GONE), and nobody here would notice.

use crate::clock;
use abeng_api::{Warned, Warning};
use abeng_keys::Keyring;
use abeng_roster::Trust;
use abeng_wire::{Kid, Millis, PartyCode, prost::Message, v1};

/// A published seal key whose secret half is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LackingKey {
    /// Which.
    pub kid: Kid,
    /// From when others seal to it, Unix milliseconds.
    pub from: Millis,
    /// Until when.
    pub until: Millis,
}

impl std::fmt::Display for LackingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (from, until) = (clock::rfc3339(self.from), clock::rfc3339(self.until));
        write!(f, "{}, published from {from} until {until}", self.kid)
    }
}

/// Those to which others may still seal. None where the newest is here: others seal to that one as soon as
/// they hear of it, and what is still sealed to one before it is counted when it is refused.
pub(crate) fn lacking(trust: &Trust, keyring: &Keyring, now: Millis) -> Vec<LackingKey> {
    let own = keyring.party;
    let said = trust.seal_keys.statements().into_iter();
    let said = said.filter_map(|signed| v1::SealKey::decode(signed.bytes.clone()).ok());
    let said: Vec<_> = said.filter(|said| said.party == own.as_str()).collect();
    let here = |kid: &Kid| keyring.seal_secret(kid).is_some();
    lacking_of(&said, here, now)
}

fn lacking_of(said: &[v1::SealKey], here: impl Fn(&Kid) -> bool, now: Millis) -> Vec<LackingKey> {
    let lacks = |said: &v1::SealKey| {
        let kid = Kid::from_slice(&said.kid).filter(|kid| !here(kid))?;
        (now < said.not_after).then_some(LackingKey {
            kid,
            from: said.not_before,
            until: said.not_after,
        })
    };
    let newest = said.iter().max_by_key(|said| said.sequence);
    match newest.and_then(|said| Kid::from_slice(&said.kid)) {
        Some(kid) if here(&kid) => Vec::new(),
        _ => said.iter().filter_map(lacks).collect(),
    }
}

/// What `status` says of one.
pub(crate) fn told(key: &LackingKey) -> Warning {
    let text = format!(
        "the keyring here lacks a seal key that others use for this party ({key}): what is sealed to it is refused with KEY_GONE, and its senders' nodes seal it anew once this node has published a newer key. Put a newer copy of the keyring in place if there is one; else publish a new key at once with `abeng keys rotate --seal`"
    );
    let values = [
        ("kid", key.kid.to_string()),
        ("since", clock::rfc3339(key.from)),
        ("until", clock::rfc3339(key.until)),
    ];
    Warning::from(text).because(Warned::LacksKey, values)
}

/// Notices that were refused here since the start because their key is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyGone {
    times: u64,
    last: Option<(PartyCode, Millis)>,
}

impl KeyGone {
    /// One more, from there.
    pub fn count(&mut self, from: PartyCode, now: Millis) {
        self.times += 1;
        self.last = Some((from, now));
    }

    /// What `status` says of them; nothing where there are none.
    pub fn told(&self) -> Option<Warning> {
        let (from, at) = self.last?;
        let refused = match self.times {
            1 => "1 envelope was refused".to_owned(),
            n => format!("{n} envelopes were refused"),
        };
        let at = clock::rfc3339(at);
        let text = format!(
            "{refused} since the start for want of the seal key (KEY_GONE), the last from {from} at {at}. Their senders' nodes seal them anew once they have this node's newer key"
        );
        let values = [
            ("count", self.times.to_string()),
            ("party", from.to_string()),
            ("at", at),
        ];
        Some(Warning::from(text).because(Warned::KeyGone, values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_lacks_once_the_newest_published_key_is_here() {
        let said = |n: u8| v1::SealKey {
            kid: Kid([n; 32]).to_bytes(),
            sequence: n.into(),
            not_after: 10,
            ..Default::default()
        };
        let lacks = |said: &[v1::SealKey], held: &[u8], now| {
            let here = |kid: &Kid| held.contains(&kid.0[0]);
            let lacking = lacking_of(said, here, now);
            lacking.iter().map(|key| key.kid.0[0]).collect::<Vec<_>>()
        };
        assert_eq!(lacks(&[said(1), said(2)], &[1], 5), [2]);
        assert_eq!(lacks(&[said(3), said(2)], &[1], 5), [3, 2]);
        assert!(lacks(&[said(3), said(2)], &[1, 3], 5).is_empty());
        assert!(lacks(&[said(2)], &[1], 10).is_empty(), "it has ended");
        assert!(lacks(&[], &[1], 5).is_empty());
    }
}
