//! Attacks on rosters by their names, each on a node that holds roster 2. More of them stand in
//! the files beside; which is where, `docs/threat-model.md` says.

use crate::support::*;
use abeng_keys::SoftSigner;
use abeng_roster::{LIMIT_MS, Roster, Standing, Trust, TrustError, ceremony};
use abeng_wire::v1;

fn rosters(list: &[&v1::Signed]) -> v1::TrustBundle {
    v1::TrustBundle {
        rosters: list.iter().map(|&s| s.clone()).collect(),
        ..Default::default()
    }
}

/// What clocks may differ by.
const AHEAD: u64 = 5 * 60 * 1000;

/// The network, its second roster, and a node that holds it.
fn held() -> (World, v1::Signed, Trust) {
    let world = World::new();
    let second = world.second(|_| {});
    let trust = world.trust.merge(&rosters(&[&second]), T0 + DAY);
    (world, second, trust.unwrap().unwrap())
}

fn fresh(world: &World, roster: &Roster, at: u64) -> v1::Signed {
    let statement = v1::Freshness {
        roster: Some(roster.reference()),
        at,
        expires: at + 2 * DAY,
    };
    let signer = world.founding.freshness_signers[0].ed25519();
    ceremony::sign_freshness(&statement, signer).unwrap()
}

#[test]
fn roster_rollback_changes_nothing() {
    let (world, second, trust) = held();
    let founding = &world.founding.bundle;
    // All that was true once, freshness and seal keys among it.
    assert!(trust.merge(founding, T0 + DAY).unwrap().is_none());
    let older = rosters(&[&founding.rosters[0]]);
    assert!(trust.merge(&older, T0 + DAY).unwrap().is_none());
    assert_eq!(trust.roster.version(), 2);
    assert!(
        trust.freshness.is_none(),
        "the one of roster 1 speaks of another roster"
    );
    // Nor as the next one.
    for back in [&founding.rosters[0], &second] {
        let again = Roster::adopt(&trust.root, Some(&trust.roster), back, T0 + DAY);
        assert!(matches!(
            again.unwrap_err(),
            TrustError::NotNext { held: 2, .. }
        ));
    }
}

#[test]
fn roster_freeze_shows_by_its_age_whatever_is_shown_again() {
    let (world, second, trust) = held();
    let now = T0 + DAY + LIMIT_MS;
    let seen = trust.merge(
        &v1::TrustBundle {
            freshness: Some(fresh(&world, &trust.roster, T0 + DAY)),
            ..Default::default()
        },
        T0 + DAY,
    );
    let frozen = seen.unwrap().unwrap();
    // Whoever stands between shows the old roster and its old freshness for ever.
    let shown = v1::TrustBundle {
        freshness: frozen.freshness.as_ref().map(|f| f.signed().clone()),
        ..rosters(&[&second])
    };
    assert!(frozen.merge(&shown, now).unwrap().is_none());
    let past = Standing::PastLimit { days: 30 };
    assert_eq!(frozen.standing(now, 0, LIMIT_MS), past);
    // Also where the clock here is set back: the own log remembers.
    assert_eq!(frozen.standing(T0, now, LIMIT_MS), past);
    // What thaws it is a word of today.
    let word = v1::TrustBundle {
        freshness: Some(fresh(&world, &frozen.roster, now)),
        ..Default::default()
    };
    let thawed = frozen.merge(&word, now).unwrap().unwrap();
    assert_eq!(thawed.standing(now, 0, LIMIT_MS), Standing::Fresh);
}

/// Whoever has two of the three roster keys makes a version that no later one could follow.
#[test]
fn roster_fast_forward_is_refused_and_the_next_one_still_follows() {
    let (world, second, trust) = held();
    let next = world.sign(&World::after(&second));
    for version in [4, u64::MAX - 1, u64::MAX] {
        let mut far = World::after(&second);
        far.version = version;
        let far = world.sign(&far);
        assert!(matches!(
            trust.merge(&rosters(&[&far]), T0 + 2 * DAY),
            Err(TrustError::NotNext { held: 2, found, .. }) if found == version
        ));
    }
    let mut root = world.root();
    root.version = u64::MAX;
    let root = ceremony::sign_root(&root, &world.root_signers(&[0, 1, 2, 3])).unwrap();
    let far = v1::TrustBundle {
        roots: vec![root],
        ..Default::default()
    };
    assert!(matches!(
        trust.merge(&far, T0 + 2 * DAY),
        Err(TrustError::NotNext { what: "root", .. })
    ));
    // A word from the future would make this roster look young for ever.
    let word = v1::TrustBundle {
        freshness: Some(fresh(&world, &trust.roster, u64::MAX - 2 * DAY)),
        ..Default::default()
    };
    assert!(matches!(
        trust.merge(&word, T0 + 2 * DAY),
        Err(TrustError::FromTheFuture { .. })
    ));
    // A roster from the future would too, and end every wait and every time that counts from it.
    for issued in [T0 + 2 * DAY + AHEAD + 1, T0 + 36_500 * DAY, u64::MAX - 1] {
        let mut far = World::after(&second);
        (far.issued, far.expires) = (issued, u64::MAX);
        let far = world.sign(&far);
        assert!(matches!(
            trust.merge(&rosters(&[&far]), T0 + 2 * DAY),
            Err(TrustError::FromTheFuture { what: "a roster", at, .. }) if at == issued
        ));
        // What came before it is taken all the same, with what it revokes.
        let mut after = World::after(&next);
        (after.issued, after.expires) = (issued, u64::MAX);
        let both = rosters(&[&next, &world.sign(&after)]);
        let taken = trust.merge(&both, T0 + 2 * DAY).unwrap().unwrap();
        assert_eq!(taken.roster.version(), 3);
    }
    let mut now = World::after(&second);
    now.issued = T0 + 2 * DAY + AHEAD;
    let now = world.sign(&now);
    assert!(
        trust
            .merge(&rosters(&[&now]), T0 + 2 * DAY)
            .unwrap()
            .is_some()
    );
    let trust = trust.merge(&rosters(&[&next]), T0 + 2 * DAY);
    assert_eq!(trust.unwrap().unwrap().roster.version(), 3);
}

#[test]
fn a_skipped_roster_version_is_refused() {
    let (world, second, trust) = held();
    let third = world.sign(&World::after(&second));
    let fourth = world.sign(&World::after(&third));
    for list in [&[&fourth][..], &[&fourth, &third]] {
        assert!(matches!(
            trust.merge(&rosters(list), T0 + 4 * DAY),
            Err(TrustError::NotNext {
                held: 2,
                found: 4,
                ..
            })
        ));
    }
    let trust = trust.merge(&rosters(&[&third, &fourth]), T0 + 4 * DAY);
    assert_eq!(trust.unwrap().unwrap().roster.version(), 4);
}

#[test]
fn one_key_signing_twice_counts_once() {
    let (world, second, trust) = held();
    let m = World::after(&second);
    let sign = |which: &[usize]| ceremony::sign_roster(&m, &world.roster_signers(which)).unwrap();
    let mut spelt_anew = sign(&[0, 0]);
    spelt_anew.signatures[1].ml_dsa_kid.clear();
    for twice in [sign(&[0, 0]), sign(&[2, 2, 2]), spelt_anew] {
        assert!(matches!(
            trust.merge(&rosters(&[&twice]), T0 + 2 * DAY),
            Err(TrustError::TooFewSigners {
                needed: 2,
                found: 1,
                ..
            })
        ));
    }
    assert!(
        trust
            .merge(&rosters(&[&sign(&[0, 2])]), T0 + 2 * DAY)
            .is_ok()
    );
}

/// The Secretariat replaces each of JM's keys by one of its own, which has signed for itself.
#[test]
fn a_member_key_swapped_without_its_signature_is_refused() {
    let (world, second, trust) = held();
    let fresh = SoftSigner::from_seed(&[5; 32]).unwrap();
    let roles = [
        v1::KeyRole::OrgSign,
        v1::KeyRole::NodeTls,
        v1::KeyRole::Log,
        v1::KeyRole::Witness,
    ];
    for (at, role) in roles.into_iter().enumerate() {
        let mut m = World::after(&second);
        edit_party(&mut m, "JM", &[&fresh], |p| p.keys[at] = key(role, &fresh));
        let refused = trust.merge(&rosters(&[&world.sign(&m)]), T0 + 2 * DAY);
        assert!(
            matches!(refused, Err(TrustError::NoOldKey { party, .. }) if party == code("JM")),
            "{role:?}: {refused:?}"
        );
        // Nor beside the old one, which goes on.
        let mut m = World::after(&second);
        edit_party(&mut m, "JM", &[&fresh], |p| p.keys.push(key(role, &fresh)));
        let refused = trust.merge(&rosters(&[&world.sign(&m)]), T0 + 2 * DAY);
        assert!(
            matches!(refused, Err(TrustError::NoOldKey { .. })),
            "{role:?}"
        );
    }
}
