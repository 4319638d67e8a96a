use crate::support::*;
use abeng_keys::{BadKey, DualSigner};
use abeng_roster::{Root, Trust, TrustError, ceremony};
use abeng_wire::v1;
use bytes::Bytes;

fn too_few(result: Result<Root, TrustError>) -> (usize, usize) {
    match result {
        Err(TrustError::TooFewSigners { needed, found, .. }) => (needed, found),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_root_needs_four_of_seven_distinct_signers() {
    let world = World::new();
    let sign = |which: &[usize]| {
        let signed = ceremony::sign_root(&world.root(), &world.root_signers(which)).unwrap();
        Root::first(&signed, T0)
    };
    assert!(sign(&[0, 2, 4, 6]).is_ok());
    assert!(sign(&[6, 5, 4, 3, 2, 1, 0]).is_ok());
    assert_eq!(too_few(sign(&[0, 1, 2])), (4, 3));
    // One signer four times is one signer.
    assert_eq!(too_few(sign(&[0, 0, 0, 0])), (4, 1));
    assert_eq!(too_few(sign(&[0, 1, 2, 2])), (4, 3));
}

#[test]
fn half_of_a_dual_signature_counts_for_nothing() {
    let world = World::new();
    let good = ceremony::sign_root(&world.root(), &world.root_signers(&[0, 1, 2, 3])).unwrap();
    type Edit = fn(&mut v1::Signature);
    let edits: [Edit; 4] = [
        |s| s.ml_dsa = Bytes::new(),
        |s| s.ed25519 = Bytes::new(),
        |s| (s.ml_dsa, s.ml_dsa_kid) = (Bytes::new(), Bytes::new()),
        |s| s.ml_dsa = Bytes::from([&s.ml_dsa[1..], &[0]].concat()),
    ];
    for edit in edits {
        let mut bad = good.clone();
        edit(&mut bad.signatures[3]);
        assert_eq!(too_few(Root::first(&bad, T0)), (4, 3));
    }
    // A half that is well-formed and somebody else's, under the name of its own signer.
    let edits: [fn(&mut v1::Signature, &v1::Signature); 2] = [
        |s, other| s.ml_dsa = other.ml_dsa.clone(),
        |s, other| s.ed25519 = other.ed25519.clone(),
    ];
    for edit in edits {
        let mut bad = good.clone();
        let other = good.signatures[0].clone();
        edit(&mut bad.signatures[3], &other);
        assert_eq!(too_few(Root::first(&bad, T0)), (4, 3));
    }
    // Halves of two signers do not make one.
    let mut mixed = good.clone();
    let other = good.signatures[0].clone();
    (mixed.signatures[3].ml_dsa, mixed.signatures[3].ml_dsa_kid) = (other.ml_dsa, other.ml_dsa_kid);
    assert_eq!(too_few(Root::first(&mixed, T0)), (4, 3));
    let mut altered = good.clone();
    altered.bytes = abeng_wire::encode(&v1::Root {
        expires: T0 + 9 * DAY,
        ..world.root()
    });
    assert_eq!(too_few(Root::first(&altered, T0)), (4, 0));
}

/// Root 2 in which three of seven root signers are replaced.
fn second(world: &World, fresh: &[DualSigner]) -> v1::Root {
    let mut root = world.root();
    root.version = 2;
    for (i, signer) in fresh.iter().enumerate() {
        root.signers[i] = signer.dual_key("new", "GY");
    }
    root
}

#[test]
fn the_next_root_needs_the_thresholds_of_both() {
    let world = World::new();
    let root = Root::first(&world.founding.bundle.roots[0], T0).unwrap();
    let mut entropy = Counting(90_000);
    let fresh: Vec<_> = (0..4).map(|_| DualSigner::generate(&mut entropy)).collect();
    let message = second(&world, &fresh);
    let sign = |old: &[usize], new: &[usize]| {
        let mut signers = world.root_signers(old);
        signers.extend(new.iter().map(|&i| &fresh[i]));
        let signed = ceremony::sign_root(&message, &signers).unwrap();
        root.next(&signed, T0)
    };
    // 4, 5 and 6 stay; 0 to 3 are replaced.
    assert_eq!(sign(&[0, 4, 5, 6], &[0]).unwrap().version(), 2);
    assert_eq!(too_few(sign(&[4, 5, 6], &[0])), (4, 3));
    assert_eq!(too_few(sign(&[0, 4, 5, 6], &[])), (4, 3));
    assert_eq!(too_few(sign(&[], &[0, 1, 2, 3])), (4, 0));
}

#[test]
fn roots_are_walked_one_by_one_in_one_network() {
    let world = World::new();
    let root = Root::first(&world.founding.bundle.roots[0], T0).unwrap();
    let next = |edit: fn(&mut v1::Root)| {
        let mut message = world.root();
        message.version = 2;
        edit(&mut message);
        let signed = ceremony::sign_root(&message, &world.root_signers(&[0, 1, 2, 3])).unwrap();
        root.next(&signed, T0)
    };
    assert!(next(|_| {}).is_ok());
    for skipped in [
        |r: &mut v1::Root| r.version = 3,
        |r: &mut v1::Root| r.version = 1,
    ] {
        assert!(matches!(next(skipped), Err(TrustError::NotNext { .. })));
    }
    assert!(matches!(
        next(|r| r.network = "other".into()),
        Err(TrustError::OtherNetwork { .. })
    ));
    assert!(matches!(
        next(|r| r.expires = T0),
        Err(TrustError::Expired { .. })
    ));
}

#[test]
fn a_root_that_breaks_a_rule_is_refused_whoever_signs() {
    let world = World::new();
    let sign = |edit: &dyn Fn(&mut v1::Root)| {
        let mut message = world.root();
        edit(&mut message);
        let all: Vec<_> = world.founding.root_signers.iter().collect();
        Root::first(&ceremony::sign_root(&message, &all).unwrap(), T0)
    };
    assert!(sign(&|_| {}).is_ok());
    let rules: [&dyn Fn(&mut v1::Root); 8] = [
        &|r| r.version = 0,
        &|r| r.threshold = 3,
        &|r| r.threshold = 0,
        &|r| r.threshold = 8,
        &|r| r.roster_threshold = 1,
        &|r| r.roster_threshold = 4,
        &|r| r.freshness_signers.truncate(2),
        &|r| r.signers = vec![r.signers[0].clone(); 33],
    ];
    for (i, edit) in rules.iter().enumerate() {
        assert!(
            matches!(sign(edit), Err(TrustError::Rule { .. })),
            "rule {i}"
        );
    }
    let twice: [&dyn Fn(&mut v1::Root); 4] = [
        &|r| r.signers[1] = r.signers[0].clone(),
        &|r| r.signers[1].ml_dsa = r.signers[0].ml_dsa.clone(),
        &|r| r.roster_signers[0] = r.signers[0].clone(),
        &|r| r.freshness_signers[0] = r.roster_signers[0].clone(),
    ];
    for (i, edit) in twice.iter().enumerate() {
        assert!(
            matches!(sign(edit), Err(TrustError::KeyTwice { .. })),
            "twice {i}"
        );
    }
    let mut weak = [0; 32];
    weak[0] = 1;
    assert!(matches!(
        sign(&|r| r.freshness_signers[1].ed25519 = Bytes::copy_from_slice(&weak)),
        Err(TrustError::BadKey {
            why: BadKey::Weak,
            ..
        })
    ));
}

#[test]
fn bytes_that_are_not_canonical_are_refused_under_good_signatures() {
    let world = World::new();
    let mut bytes = world.founding.bundle.roots[0].bytes.to_vec();
    bytes.extend_from_slice(&[0x48, 1]); // field 9, which nobody knows
    let bytes = Bytes::from(bytes);
    let signatures = world
        .root_signers(&[0, 1, 2, 3])
        .iter()
        .map(|s| s.sign(abeng_keys::SignatureType::ROOT, &bytes).unwrap())
        .collect();
    let signed = v1::Signed { bytes, signatures };
    assert!(matches!(
        Root::first(&signed, T0),
        Err(TrustError::Malformed(_))
    ));
    let mut bundle = world.founding.bundle;
    bundle.roots = vec![signed];
    assert!(Trust::from_bundle(&bundle, None, T0).is_err());
}

#[test]
fn a_flood_of_signatures_is_refused_before_any_is_looked_at() {
    let world = World::new();
    let mut signed = world.founding.bundle.roots[0].clone();
    signed.signatures = vec![signed.signatures[0].clone(); 65];
    assert!(matches!(
        Root::first(&signed, T0),
        Err(TrustError::Rule { .. })
    ));
}

#[test]
fn a_signer_does_not_change_its_role_from_one_root_to_the_next() {
    let world = World::new();
    let root = Root::first(&world.founding.bundle.roots[0], T0).unwrap();
    let fresh = DualSigner::generate(&mut Counting(95_000)).dual_key("new", "GY");
    let next = |edit: &dyn Fn(&mut v1::Root)| {
        let mut message = world.root();
        message.version = 2;
        edit(&mut message);
        let signed = ceremony::sign_root(&message, &world.root_signers(&[3, 4, 5, 6])).unwrap();
        root.next(&signed, T0)
    };
    assert!(next(&|r| r.signers[0] = fresh.clone()).is_ok());
    // A roster signer becomes a root signer, a root signer's key signs freshness.
    let mixed: [&dyn Fn(&mut v1::Root); 2] = [
        &|r| {
            r.signers[0] = r.roster_signers[0].clone();
            r.roster_signers[0] = fresh.clone();
        },
        &|r| {
            r.freshness_signers[0] = r.signers[0].clone();
            r.signers[0] = fresh.clone();
        },
    ];
    for edit in mixed {
        assert!(matches!(next(edit), Err(TrustError::KeyTwice { .. })));
    }
}
