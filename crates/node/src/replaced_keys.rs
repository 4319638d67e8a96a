//! Keys that the root replaced without their party's own: an alarm for as long as they wait, and the
//! end of their wait.

use crate::{
    clock,
    shared::{Shared, lock},
};
use abeng_roster::{Party, Trust};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Between two looks. Waits last days; an alarm should not be older than this in the log.
const EVERY: Duration = Duration::from_secs(60);

/// Looks for as long as the node runs.
pub async fn work(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut known = BTreeSet::new();
    loop {
        every.tick().await;
        // Adopting may hold the lock for as long as a disk and many signatures take.
        let released = shared.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || released.release_keys()).await {
            tracing::error!(%error, "the look for keys whose wait is over broke off");
        }
        let told: BTreeSet<String> = told(&shared.trust()).into_iter().collect();
        for alarm in told.difference(&known) {
            tracing::error!("{alarm}");
        }
        known = told;
    }
}

impl Shared {
    /// Uses keys whose waiting time here is over by every clock.
    fn release_keys(&self) {
        let _one_at_a_time = lock(&self.adopting);
        let Some(next) = self.trust().release(clock::believed().earliest) else {
            return;
        };
        if let Err(e) = self.layout.write_trust(&next.to_bundle()) {
            tracing::error!(error = %e, "trust data cannot be kept; keys go on waiting");
            return;
        }
        tracing::warn!("keys that the root's override brought are used from now on");
        self.trust.store(Arc::new(next));
        self.reaching.changed();
        let endpoint = lock(&self.endpoint).clone();
        if let Some(endpoint) = endpoint {
            endpoint.trust_changed();
        }
    }
}

/// What people must be told.
pub fn told(trust: &Trust) -> Vec<String> {
    let replaced = trust.roster.parties().filter_map(|party| {
        let until = party.all_keys().iter().filter_map(|k| k.waits_until).max()?;
        Some(format!(
            "THE ROOT HAS REPLACED THE KEYS OF {}{}. This node uses the new ones from {} on. Telephone {} now: if nothing was lost there, somebody else is about to read what you send to it",
            party.code,
            reason(trust, party),
            clock::rfc3339(until),
            party.code
        ))
    });
    replaced.collect()
}

fn reason(trust: &Trust, party: &Party) -> String {
    let words = trust.roster.overrides().iter();
    let mut of_party = words.filter(|o| o.party == party.code);
    of_party.next().map_or_else(String::new, |o| {
        format!(" (\"{}\")", abeng_notice::printable(&o.reason))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use abeng_keys::{Keyring, Signer, SystemEntropy};
    use abeng_roster::{
        OVERRIDE_WAIT_MS, ceremony, digest,
        founding::{Founding, FoundingParty, FoundingRequest, found},
    };
    use abeng_wire::{NetworkCode, PartyCode, v1};
    use bytes::Bytes;

    const NOW: u64 = 1_790_000_000_000;

    fn founding() -> Founding {
        let party = |code: &str| FoundingParty {
            code: PartyCode::new(code).unwrap(),
            name: code.into(),
            country: code.into(),
            kind: v1::PartyKind::Member,
            addresses: Vec::new(),
            relay: false,
        };
        let network = NetworkCode::new("test").unwrap();
        let parties = vec![party("JM"), party("TT")];
        found(
            FoundingRequest::new(network, parties, NOW),
            &mut SystemEntropy,
        )
        .unwrap()
    }

    fn next(founding: &Founding, edit: impl FnOnce(&mut v1::Roster)) -> v1::TrustBundle {
        let first = &founding.bundle.rosters[0];
        let mut m = abeng_wire::decode::<v1::Roster>("roster", &first.bytes, 1 << 22).unwrap();
        m.version = 2;
        m.previous = digest(&first.bytes).to_bytes();
        edit(&mut m);
        let signers: Vec<_> = founding.roster_signers.iter().take(2).collect();
        v1::TrustBundle {
            rosters: vec![ceremony::sign_roster(&m, &signers).unwrap()],
            ..Default::default()
        }
    }

    #[test]
    fn replaced_keys_are_an_alarm_with_the_roots_reason_while_they_wait() {
        let founding = founding();
        let trust = Trust::from_bundle(&founding.bundle, None, NOW).unwrap();
        let keyring = Keyring::generate(PartyCode::new("JM").unwrap(), &mut SystemEntropy);
        let signer = keyring.log().as_ref();
        let bundle = next(&founding, |m| {
            let before = m.parties[0].clone();
            let mut entry =
                abeng_wire::decode::<v1::Party>("party", &before.bytes, 1 << 14).unwrap();
            entry.version += 1;
            let mut key = entry.keys[2].clone();
            key.key = Bytes::copy_from_slice(signer.verify_key().bytes());
            entry.keys.push(key);
            m.parties[0] = ceremony::sign_party(&entry, &[signer]).unwrap();
            let word = v1::Override {
                network: "test".into(),
                party: "JM".into(),
                before: digest(&before.bytes).to_bytes(),
                after: digest(&m.parties[0].bytes).to_bytes(),
                at: NOW,
                reason: "burnt".into(),
            };
            let signers: Vec<_> = founding.root_signers.iter().take(4).collect();
            m.overrides = vec![ceremony::sign_override(&word, &signers).unwrap()];
        });
        let trust = trust.merge(&bundle, NOW).unwrap().unwrap();
        let [alarm] = &told(&trust)[..] else {
            panic!("{:?}", told(&trust));
        };
        assert!(
            alarm.starts_with("THE ROOT HAS REPLACED THE KEYS OF JM (\"burnt\")"),
            "{alarm}"
        );
        assert!(told(&trust.release(NOW + OVERRIDE_WAIT_MS).unwrap()).is_empty());
    }
}
