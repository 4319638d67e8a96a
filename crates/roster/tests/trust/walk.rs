use crate::support::*;
use abeng_roster::{Trust, TrustError, ceremony};
use abeng_wire::v1;

fn rosters(list: Vec<v1::Signed>) -> v1::TrustBundle {
    v1::TrustBundle {
        rosters: list,
        ..Default::default()
    }
}

#[test]
fn a_node_that_was_away_walks_every_version() {
    let world = World::new();
    let second = world.second(|_| {});
    let third = world.sign(&World::after(&second));
    let all = rosters(vec![
        world.founding.bundle.rosters[0].clone(),
        second.clone(),
        third.clone(),
    ]);
    let trust = world.trust.merge(&all, T0 + 2 * DAY).unwrap().unwrap();
    assert_eq!(trust.roster.version(), 3);
    assert!(trust.freshness.is_none(), "it spoke of another roster");
    assert!(
        trust.merge(&all, T0 + 2 * DAY).unwrap().is_none(),
        "nothing newer"
    );
    assert!(
        trust
            .merge(&world.founding.bundle, T0 + 2 * DAY)
            .unwrap()
            .is_none()
    );
    let again = Trust::from_bundle(&trust.to_bundle(), None, T0 + 2 * DAY).unwrap();
    assert_eq!(again.roster.digest(), trust.roster.digest());
    // Only the last, or out of order: a version is left out.
    for gap in [vec![third.clone()], vec![third, second]] {
        assert!(matches!(
            world.trust.merge(&rosters(gap), T0 + 2 * DAY),
            Err(TrustError::NotNext {
                held: 1,
                found: 3,
                ..
            })
        ));
    }
}

/// Root 2, which replaces a roster signer.
fn second_root(world: &World) -> v1::Signed {
    let mut root = world.root();
    root.version = 2;
    root.roster_signers[2] =
        abeng_keys::DualSigner::generate(&mut Counting(5_000_000)).dual_key("new", "GY");
    ceremony::sign_root(&root, &world.root_signers(&[0, 1, 2, 3])).unwrap()
}

#[test]
fn after_a_new_root_nothing_new_is_taken_under_the_old_one() {
    let world = World::new();
    let root = second_root(&world);
    let second = world.second(|_| {});
    let mut third = World::after(&second);
    third.root_version = 2;
    let third = world.sign(&third);

    let mut bundle = rosters(vec![second.clone(), third]);
    bundle.roots = vec![world.founding.bundle.roots[0].clone(), root.clone()];
    let trust = world.trust.merge(&bundle, T0 + 2 * DAY).unwrap().unwrap();
    assert_eq!((trust.root.version(), trust.roster.version()), (2, 3));
    let again = Trust::from_bundle(&trust.to_bundle(), None, T0 + 2 * DAY).unwrap();
    assert_eq!(again.roster.version(), 3);

    // The root alone is taken; a roster under the old root no more.
    bundle.rosters = vec![second.clone()];
    let trust = world.trust.merge(&bundle, T0 + DAY).unwrap().unwrap();
    assert_eq!((trust.root.version(), trust.roster.version()), (2, 1));
    assert!(matches!(
        trust.merge(&rosters(vec![second]), T0 + DAY),
        Err(TrustError::OtherRootVersion { .. })
    ));
    assert!(Trust::from_bundle(&trust.to_bundle(), None, T0 + DAY).is_ok());
}

#[test]
fn a_bad_seal_key_does_not_keep_a_good_roster_out() {
    let world = World::new();
    let mut bad = world.founding.bundle.seal_keys[0].clone();
    bad.bytes = world.founding.bundle.rosters[0].bytes.clone();
    let mut bundle = rosters(vec![world.second(|_| {})]);
    bundle.seal_keys = vec![bad];
    let trust = world.trust.merge(&bundle, T0 + DAY).unwrap().unwrap();
    assert_eq!(trust.roster.version(), 2);
    // Nothing newer is left but the fault.
    assert!(trust.merge(&bundle, T0 + DAY).is_err());
}

#[test]
fn a_root_that_only_its_own_signers_signed_is_no_evidence() {
    let world = World::new();
    let with = |root| v1::TrustBundle {
        roots: vec![root],
        ..Default::default()
    };
    let trust = world.trust.merge(&with(second_root(&world)), T0);
    let trust = trust.unwrap().unwrap();
    let mut entropy = Counting(6_000_000);
    let strangers: Vec<_> = (0..7)
        .map(|_| abeng_keys::DualSigner::generate(&mut entropy))
        .collect();
    let mut forged = world.root();
    forged.version = 2;
    forged.signers = strangers.iter().map(|s| s.dual_key("x", "XX")).collect();
    let forged = ceremony::sign_root(&forged, &strangers.iter().collect::<Vec<_>>()).unwrap();
    assert!(matches!(
        trust.merge(&with(forged), T0),
        Err(TrustError::TooFewSigners { found: 0, .. })
    ));
}
