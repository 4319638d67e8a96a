//! Newer seal keys go from node to node: to whoever is linked at once, to the others at their next link, and
//! on from there. Each statement proves itself, so it does not matter who brings it.

use crate::shared::{Shared, lock};
use abeng_link::{Link, Profile};
use abeng_wire::{Digest, PartyCode, limits, prost::Message, v1};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of statements in one frame.
const FRAME: usize = limits::CONTROL / 2;

/// What each peer was told on its link: the session, and digests of statements.
#[derive(Debug, Default)]
pub struct SealKeysTold(BTreeMap<PartyCode, (u64, BTreeSet<Digest>)>);

impl SealKeysTold {
    /// Those of the statements that were not told on that session, as many as a frame takes; they
    /// count as told.
    fn take(&mut self, peer: PartyCode, session: u64, held: &[v1::Signed]) -> Vec<v1::Signed> {
        let entry = self.0.entry(peer).or_default();
        if entry.0 != session {
            *entry = (session, BTreeSet::new());
        }
        let mut bytes = 0;
        let mut fresh = Vec::new();
        for signed in held {
            bytes += signed.encoded_len() + 8;
            if bytes > FRAME {
                break;
            }
            match entry.1.insert(sha256(&signed.bytes)) {
                true => fresh.push(signed.clone()),
                false => bytes -= signed.encoded_len() + 8,
            }
        }
        fresh
    }
}

impl Shared {
    /// Tells every linked peer what it has not been told.
    pub(crate) fn spread_seal_keys(&self) {
        for link in self.links.linked() {
            self.tell_seal_keys(&link);
        }
    }

    /// Tells one peer. On a metered line the own key alone: the others reach it by lines that cost nothing.
    pub(crate) fn tell_seal_keys(&self, link: &Link) {
        let (peer, trust) = (link.peer(), self.trust());
        let own_alone = self.profile(peer) == Profile::Metered;
        let wanted = |signed: &&v1::Signed| {
            let Ok(said) = v1::SealKey::decode(signed.bytes.clone()) else {
                return false;
            };
            // The first came with the roster.
            said.sequence > 1
                && said.party != peer.as_str()
                && (!own_alone || said.party == self.me.as_str())
        };
        let held: Vec<v1::Signed> = { trust.seal_keys.statements().into_iter() }
            .filter(wanted)
            .cloned()
            .collect();
        let fresh = lock(&self.seal_keys_told).take(peer, link.session(), &held);
        if !fresh.is_empty() {
            link.control(v1::control::Frame::Trust(v1::TrustBundle {
                seal_keys: fresh,
                ..Default::default()
            }));
        }
    }
}

fn sha256(bytes: &[u8]) -> Digest {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    Digest::from_slice(hash.as_ref()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(n: u8, length: usize) -> v1::Signed {
        v1::Signed {
            bytes: vec![n; length].into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_peer_is_told_once_a_session_and_no_more_than_a_frame_takes() {
        let (jm, mut told) = (PartyCode::new("JM").unwrap(), SealKeysTold::default());
        let held = [signed(1, 1400), signed(2, 1400)];
        assert_eq!(told.take(jm, 1, &held), held);
        assert_eq!(told.take(jm, 1, &held), []);
        assert_eq!(told.take(jm, 2, &held), held);
        let many: Vec<_> = (3..=100).map(|n| signed(n, 8000)).collect();
        let first = told.take(jm, 2, &many);
        assert_eq!(first.len(), FRAME / 8011);
        assert_eq!(told.take(jm, 2, &many)[0], many[first.len()]);
    }
}
