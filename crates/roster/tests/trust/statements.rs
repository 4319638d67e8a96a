use crate::support::*;
use abeng_keys::{SignatureType, Signer};
use abeng_roster::{
    Freshness, LIMIT_MS, Roster, Standing, TrustError, WARN_MS, ceremony, sign_incarnation,
    verify_incarnation, verify_own_incarnation,
};
use abeng_wire::{limits::CLOCK_AHEAD_MS, v1};
use bytes::Bytes;

fn freshness(world: &World, signer: &dyn Signer, at: u64) -> v1::Signed {
    let statement = v1::Freshness {
        roster: Some(world.trust.roster.reference()),
        at,
        expires: at + 2 * DAY,
    };
    ceremony::sign_freshness(&statement, signer).unwrap()
}

#[test]
fn any_one_freshness_signer_suffices_and_nobody_else() {
    let world = World::new();
    for signer in &world.founding.freshness_signers {
        let signed = freshness(&world, signer.ed25519(), T0);
        let fresh = Freshness::verify(&world.trust.root, &signed, T0).unwrap();
        assert!(fresh.is_of(&world.trust.roster));
    }
    let wrong = freshness(&world, world.founding.roster_signers[0].ed25519(), T0);
    assert!(matches!(
        Freshness::verify(&world.trust.root, &wrong, T0),
        Err(TrustError::WrongSigner { .. })
    ));
    let signer = world.founding.freshness_signers[0].ed25519();
    let mut altered = freshness(&world, signer, T0);
    altered.bytes = freshness(&world, signer, T0 + 1).bytes;
    assert!(matches!(
        Freshness::verify(&world.trust.root, &altered, T0),
        Err(TrustError::BadSignature { .. })
    ));
}

#[test]
fn freshness_from_the_future_would_be_fresh_for_ever_and_is_refused() {
    let world = World::new();
    let signer = world.founding.freshness_signers[0].ed25519();
    let verify = |at| Freshness::verify(&world.trust.root, &freshness(&world, signer, at), T0);
    assert!(verify(T0 + CLOCK_AHEAD_MS).is_ok());
    assert!(matches!(
        verify(T0 + CLOCK_AHEAD_MS + 1),
        Err(TrustError::FromTheFuture { .. })
    ));
}

#[test]
fn age_warns_then_limits_and_a_clock_set_back_hides_nothing() {
    let trust = World::new().trust;
    let at = |now, leaf| trust.standing(now, leaf, LIMIT_MS);
    assert_eq!(at(T0 + WARN_MS - 1, 0), Standing::Fresh);
    assert_eq!(at(T0 + WARN_MS, 0), Standing::Ageing { days: 14 });
    assert_eq!(at(T0 + LIMIT_MS, 0), Standing::PastLimit { days: 30 });
    assert_eq!(at(0, T0 + LIMIT_MS), Standing::PastLimit { days: 30 });
    assert_eq!(at(0, 0), Standing::Fresh);
}

#[test]
fn newer_freshness_is_taken_and_older_is_not() {
    let world = World::new();
    let signer = world.founding.freshness_signers[2].ed25519();
    let merge = |at| {
        let bundle = v1::TrustBundle {
            freshness: Some(freshness(&world, signer, at)),
            ..Default::default()
        };
        world.trust.merge(&bundle, T0 + 20 * DAY)
    };
    let newer = merge(T0 + 20 * DAY).unwrap().unwrap();
    assert_eq!(newer.age(T0 + 21 * DAY, 0), DAY);
    assert!(merge(T0 - DAY).unwrap().is_none());
    assert!(merge(T0).unwrap().is_none());
}

#[test]
fn an_incarnation_is_its_partys_own() {
    let world = World::new();
    let roster = &world.trust.roster;
    let opened = v1::Incarnation {
        party: "JM".into(),
        incarnation: 7,
        previous: 5,
        reason: "new machine".into(),
        ..Default::default()
    };
    let jm = world.keyring("JM");
    let signed = sign_incarnation(&**jm.org_sign(), opened.clone()).unwrap();
    assert_eq!(verify_incarnation(roster, &signed).unwrap(), opened);
    // Revoked, the key opens no log any more; the one here stays open.
    let revoking = world.second(|m| {
        m.revocations.push(v1::Revocation {
            kid: jm.org_sign().verify_key().kid().to_bytes(),
            effective_at: T0,
            reason: "rotated".into(),
        });
    });
    let later = Roster::adopt(&world.trust.root, Some(roster), &revoking, T0).unwrap();
    assert!(matches!(
        verify_incarnation(&later, &signed),
        Err(TrustError::WrongSigner { .. })
    ));
    assert_eq!(verify_own_incarnation(&later, &signed).unwrap(), opened);
    for wrong in [&**world.keyring("TT").org_sign(), &**jm.node_tls()] {
        let signed = sign_incarnation(wrong, opened.clone()).unwrap();
        assert!(matches!(
            verify_incarnation(roster, &signed),
            Err(TrustError::WrongSigner { .. })
        ));
        assert!(verify_own_incarnation(&later, &signed).is_err());
    }
    let back = v1::Incarnation {
        previous: 7,
        ..opened.clone()
    };
    let back = sign_incarnation(&**jm.org_sign(), back).unwrap();
    assert!(matches!(
        verify_incarnation(roster, &back),
        Err(TrustError::Rule { .. })
    ));
    // Signed as something else.
    let mut other = signed.clone();
    let ed25519 = jm.org_sign().sign(SignatureType::VOID, &other.bytes);
    other.signatures[0].ed25519 = Bytes::copy_from_slice(&ed25519.unwrap());
    assert!(matches!(
        verify_incarnation(roster, &other),
        Err(TrustError::BadSignature { .. })
    ));
    assert!(verify_own_incarnation(roster, &other).is_err());
}
