use crate::support::*;
use abeng_keys::{BadKey, Role, SealPublic, SealSecret, SignatureType, Signer};
use abeng_roster::{Roster, SealKeys, TrustError, ceremony};
use abeng_wire::{
    limits::{CLOCK_AHEAD_MS, SEAL_KEY_AHEAD_MS, SEAL_KEY_LIFE_MS, SEAL_KEYS},
    v1,
};
use bytes::Bytes;
use prost::Message;

fn secret(seed: u8) -> SealSecret {
    SealSecret::from_seed(&[seed; 32]).unwrap()
}

fn statement(world: &World, sequence: u64, key: &SealPublic, from: u64) -> v1::Signed {
    let signer = &**world.keyring("JM").org_sign();
    ceremony::sign_seal_key(code("JM"), sequence, key, (from, T0 + 90 * DAY), signer).unwrap()
}

fn of(
    party: &str,
    world: &World,
    sequence: u64,
    key: &SealPublic,
    interval: (u64, u64),
) -> v1::Signed {
    let signer = &**world.keyring(party).org_sign();
    ceremony::sign_seal_key(code(party), sequence, key, interval, signer).unwrap()
}

fn revoking(world: &World, kid: abeng_wire::Kid) -> v1::TrustBundle {
    let roster = world.second(|m| {
        m.revocations.push(v1::Revocation {
            kid: kid.to_bytes(),
            effective_at: T0,
            reason: "stolen".into(),
        });
    });
    v1::TrustBundle {
        rosters: vec![roster],
        ..Default::default()
    }
}

fn kid(keys: &SealKeys, now: u64) -> Option<abeng_wire::Kid> {
    keys.current(code("JM"), now).map(SealPublic::kid)
}

#[test]
fn the_highest_sequence_wins_in_whatever_order() {
    let world = World::new();
    let roster = &world.trust.roster;
    let (two, three) = (secret(2), secret(3));
    let second = statement(&world, 2, two.public(), T0);
    let third = statement(&world, 3, three.public(), T0);
    let mut keys = world.trust.seal_keys.clone();
    assert_eq!(keys.take(roster, &third, T0), Ok(true));
    assert_eq!(keys.take(roster, &third, T0), Ok(false));
    assert_eq!(kid(&keys, T0), Some(three.kid()));
    // A lower sequence changes nothing, however late it is signed.
    assert_eq!(keys.take(roster, &second, T0), Ok(false));
    assert_eq!(
        keys.take(roster, &world.founding.bundle.seal_keys[1], T0),
        Ok(false)
    );
    assert_eq!(kid(&keys, T0), Some(three.kid()));

    let mut again = SealKeys::default();
    for statement in keys.statements() {
        again.take(roster, statement, T0).unwrap();
    }
    assert_eq!(kid(&again, T0), Some(three.kid()));

    let other = statement(&world, 3, secret(4).public(), T0);
    assert!(matches!(
        keys.take(roster, &other, T0),
        Err(TrustError::Equivocation { version: 3, .. })
    ));
}

#[test]
fn a_key_serves_in_its_time_only() {
    let world = World::new();
    let mut keys = world.trust.seal_keys.clone();
    let first = kid(&keys, T0);
    let next = secret(2);
    let later = statement(&world, 2, next.public(), T0 + 10 * DAY);
    assert_eq!(keys.take(&world.trust.roster, &later, T0), Ok(true));
    assert_eq!(
        kid(&keys, T0),
        first,
        "the old one until the new one begins"
    );
    assert_eq!(
        kid(&keys, T0 + 10 * DAY - CLOCK_AHEAD_MS),
        Some(next.kid()),
        "a clock may be that much ahead"
    );
    assert_eq!(kid(&keys, T0 + 90 * DAY - 1), Some(next.kid()));
    assert_eq!(kid(&keys, T0 + 90 * DAY), None, "never back to the old one");
    let mut late = SealKeys::default();
    assert!(matches!(
        late.take(&world.trust.roster, &later, T0 + 90 * DAY),
        Err(TrustError::Expired { .. })
    ));
}

#[test]
fn a_wrong_kid_signer_or_key_is_refused() {
    let world = World::new();
    let good = statement(&world, 2, secret(2).public(), T0);
    let jm = &**world.keyring("JM").org_sign();
    let edited = |signer: &dyn Signer, edit: &dyn Fn(&mut v1::SealKey)| {
        let mut m = v1::SealKey::decode(good.bytes.clone()).unwrap();
        edit(&mut m);
        let bytes = abeng_wire::encode(&m);
        let ed25519 = signer.sign(SignatureType::SEAL_KEY, &bytes).unwrap();
        let signature = v1::Signature {
            kid: signer.verify_key().kid().to_bytes(),
            ed25519: Bytes::copy_from_slice(&ed25519),
            ..Default::default()
        };
        let signed = signed(&m, vec![signature]);
        world
            .trust
            .seal_keys
            .clone()
            .take(&world.trust.roster, &signed, T0)
    };
    assert_eq!(edited(jm, &|_| {}), Ok(true));
    let other = secret(3).kid().to_bytes();
    assert!(matches!(
        edited(jm, &|m| m.kid = other.clone()),
        Err(TrustError::WrongKid { .. })
    ));
    for wrong in [
        &**world.keyring("TT").org_sign(), // another party
        &**world.keyring("JM").log(),      // another role
    ] {
        assert!(matches!(
            edited(wrong, &|_| {}),
            Err(TrustError::WrongSigner {
                role: Role::OrgSign,
                ..
            })
        ));
    }
    assert!(matches!(
        edited(jm, &|m| m.party = "ZZ".into()),
        Err(TrustError::UnknownParty { .. })
    ));
    let rules: [&dyn Fn(&mut v1::SealKey); 2] =
        [&|m| m.sequence = 0, &|m| m.not_before = m.not_after];
    assert_eq!(edited(jm, rules[0]), Ok(false), "lower than any");
    assert!(matches!(edited(jm, rules[1]), Err(TrustError::Rule { .. })));
    let low_order = |m: &mut v1::SealKey| {
        let mut key = m.key.to_vec();
        key[1184..].fill(0);
        m.kid = abeng_keys::kid(abeng_keys::Alg::XWing, &key).to_bytes();
        m.key = key.into();
    };
    assert!(matches!(
        edited(jm, &low_order),
        Err(TrustError::BadKey {
            why: BadKey::LowOrder,
            ..
        })
    ));
    let mut altered = good.clone();
    altered.signatures[0].ed25519 = Bytes::from(vec![0; 64]);
    let mut keys = world.trust.seal_keys.clone();
    assert!(matches!(
        keys.take(&world.trust.roster, &altered, T0),
        Err(TrustError::BadSignature { .. })
    ));
    let mut twice = good.clone();
    twice.signatures.push(twice.signatures[0].clone());
    assert!(keys.take(&world.trust.roster, &twice, T0).is_err());
    let mut unsigned = good.clone();
    unsigned.signatures.clear();
    assert!(keys.take(&world.trust.roster, &unsigned, T0).is_err());
}

#[test]
fn a_revoked_seal_key_is_not_sealed_to() {
    let world = World::new();
    let seal = world.trust.seal_key(code("JM"), T0).unwrap().kid();
    let roster = world.second(|m| {
        m.revocations.push(v1::Revocation {
            kid: seal.to_bytes(),
            effective_at: T0,
            reason: "laptop lost".into(),
        });
    });
    let bundle = v1::TrustBundle {
        rosters: vec![roster],
        ..Default::default()
    };
    let trust = world.trust.merge(&bundle, T0 + DAY).unwrap().unwrap();
    assert!(trust.seal_key(code("JM"), T0 + DAY).is_none());
    assert!(trust.seal_key(code("TT"), T0 + DAY).is_some());
    // Nor after a restart, and the next one takes its place.
    let mut again = abeng_roster::Trust::from_bundle(&trust.to_bundle(), None, T0 + DAY).unwrap();
    assert!(again.seal_key(code("JM"), T0 + DAY).is_none());
    let next = statement(&world, 2, secret(2).public(), T0);
    assert_eq!(
        again.seal_keys.take(&again.roster, &next, T0 + DAY),
        Ok(true)
    );
    assert!(again.seal_key(code("JM"), T0 + DAY).is_some());
}

#[test]
fn a_revoked_signing_key_gives_out_no_seal_key() {
    let world = World::new();
    let org = world.keyring("JM").org_sign().verify_key().kid();
    let bundle = revoking(&world, org);
    let trust = &world.trust;
    let roster = Roster::adopt(&trust.root, Some(&trust.roster), &bundle.rosters[0], T0).unwrap();
    let thief = statement(&world, 2, secret(2).public(), T0);
    assert!(matches!(
        trust.seal_keys.clone().take(&roster, &thief, T0),
        Err(TrustError::WrongSigner { .. })
    ));
}

#[test]
fn what_a_signing_key_gave_out_before_it_was_revoked_is_not_sealed_to_any_more() {
    let world = World::new();
    let org = world.keyring("JM").org_sign().verify_key().kid();
    let thief = v1::TrustBundle {
        seal_keys: vec![statement(&world, 2, secret(2).public(), T0)],
        ..Default::default()
    };
    let trust = world.trust.merge(&thief, T0).unwrap().unwrap();
    assert_eq!(kid(&trust.seal_keys, T0), Some(secret(2).kid()));
    let mut after = trust.merge(&revoking(&world, org), T0).unwrap().unwrap();
    assert_eq!(kid(&after.seal_keys, T0), None);
    assert!(after.seal_key(code("TT"), T0).is_some());
    assert!(after.merge(&thief, T0).is_err(), "nor is it taken again");
    after.retake(&after.to_bundle(), T0);
    assert_eq!(kid(&after.seal_keys, T0), None, "as after a restart");
}

#[test]
fn what_a_revoked_key_signed_does_not_stand_in_the_way_of_a_lower_sequence() {
    let world = World::new();
    let jm = world.keyring("JM");
    let renewed = jm.renewed(&[Role::OrgSign], &mut abeng_keys::SystemEntropy);
    let (old, new) = (jm.org_sign(), renewed.org_sign());
    let high = (T0 + SEAL_KEY_AHEAD_MS) / 1000;
    let thief = v1::TrustBundle {
        seal_keys: vec![statement(&world, high, secret(2).public(), T0)],
        ..Default::default()
    };
    let trust = world.trust.merge(&thief, T0).unwrap().unwrap();
    let roster = world.second(|m| {
        edit_party(m, "JM", &[&**old, &**new], |entry| {
            let mut key = entry.keys[0].clone();
            assert_eq!(key.role(), v1::KeyRole::OrgSign);
            key.key = Bytes::copy_from_slice(new.verify_key().bytes());
            entry.keys.push(key);
        });
    });
    let mut third = World::after(&roster);
    third.revocations.push(v1::Revocation {
        kid: old.verify_key().kid().to_bytes(),
        effective_at: T0,
        reason: "stolen".into(),
    });
    let own = jm.seal.newest().unwrap();
    let again = ceremony::sign_seal_key(code("JM"), 5, own.public(), (T0, T0 + 90 * DAY), &**new);
    let bundle = v1::TrustBundle {
        rosters: vec![roster, world.sign(&third)],
        seal_keys: vec![again.unwrap()],
        ..Default::default()
    };
    let after = trust.merge(&bundle, T0).unwrap().unwrap();
    assert_eq!(kid(&after.seal_keys, T0), Some(own.kid()));

    // The same where the key that opens is revoked, and not the one that signed.
    let bundle = revoking(&world, secret(2).kid());
    let mut after = trust.merge(&bundle, T0).unwrap().unwrap();
    assert_eq!(kid(&after.seal_keys, T0), Some(own.kid()), "the one before");
    let next = statement(&world, 5, secret(3).public(), T0);
    let roster = after.roster.clone();
    assert_eq!(after.seal_keys.take(&roster, &next, T0), Ok(true));
    assert_eq!(kid(&after.seal_keys, T0), Some(secret(3).kid()));
    let thief = &thief.seal_keys[0];
    assert_eq!(after.seal_keys.take(&roster, thief, T0), Ok(false));
}

#[test]
fn no_statement_is_so_far_ahead_that_none_can_follow_it() {
    let world = World::new();
    let key = secret(2);
    let take = |sequence, interval, now| {
        let signed = of("JM", &world, sequence, key.public(), interval);
        let mut keys = world.trust.seal_keys.clone();
        keys.take(&world.trust.roster, &signed, now)
    };
    let most = (T0 + SEAL_KEY_AHEAD_MS) / 1000;
    let life = (T0, T0 + SEAL_KEY_LIFE_MS);
    assert_eq!(take(most, life, T0), Ok(true));
    for (sequence, interval) in [
        (most + 1, life),
        (u64::MAX, life),
        (2, (T0, T0 + SEAL_KEY_LIFE_MS + 1)),
        (2, (T0, u64::MAX)),
        (2, (0, u64::MAX)),
    ] {
        let result = take(sequence, interval, T0);
        assert!(matches!(result, Err(TrustError::Rule { .. })), "{result:?}");
    }
    let ahead = T0 + SEAL_KEY_AHEAD_MS;
    assert_eq!(take(2, (ahead, ahead + DAY), T0), Ok(true));
    for from in [ahead + 1, u64::MAX - DAY] {
        let result = take(2, (from, from + DAY), T0);
        assert!(
            matches!(result, Err(TrustError::FromTheFuture { .. })),
            "{result:?}"
        );
    }
    // A clock that has lost its time is not before the roster that it holds.
    assert_eq!(take(2, (T0, T0 + DAY), 0), Ok(true));
}

#[test]
fn who_publishes_anothers_key_first_keeps_nobody_from_reaching_its_owner() {
    let world = World::new();
    let (theirs, mine) = (secret(3), secret(2));
    let (theirs, mine) = (theirs.public(), mine.public());
    let (t, m) = (theirs.bytes(), mine.bytes());
    let lattice = [&t[..1184], &m[1184..]].concat();
    let curve = [&m[..1184], &t[1184..]].concat();
    let of_tt = of("TT", &world, 2, theirs, (T0, T0 + 90 * DAY));
    for bytes in [t.to_vec(), lattice, curve] {
        let copied = SealPublic::admit(&bytes).unwrap();
        let of_jm = statement(&world, 2, &copied, T0);
        for order in [[&of_jm, &of_tt], [&of_tt, &of_jm]] {
            let mut keys = world.trust.seal_keys.clone();
            for signed in order {
                assert_eq!(keys.take(&world.trust.roster, signed, T0), Ok(true));
            }
            let current = |party| keys.current(code(party), T0).map(SealPublic::kid);
            assert_eq!(current("TT"), Some(theirs.kid()));
            assert_eq!(current("JM"), Some(copied.kid()), "as it says itself");
            assert_eq!(keys.shared_halves(), [vec![code("JM"), code("TT")]]);
        }
    }
    assert!(world.trust.seal_keys.shared_halves().is_empty());
}

#[test]
fn a_forged_signature_ends_the_seal_keys_of_a_bundle() {
    let world = World::new();
    let good = statement(&world, 2, secret(2).public(), T0);
    let mut forged = statement(&world, 3, secret(3).public(), T0);
    forged.bytes = good.bytes.clone();
    let bundle = |seal_keys| v1::TrustBundle {
        seal_keys,
        ..Default::default()
    };
    let refused = world
        .trust
        .merge(&bundle(vec![forged.clone(), good.clone()]), T0);
    assert!(
        matches!(refused, Err(TrustError::BadSignature { .. })),
        "{refused:?}"
    );
    let taken = world.trust.merge(&bundle(vec![good, forged]), T0).unwrap();
    assert!(taken.is_some());
}

#[test]
fn more_seal_keys_than_any_node_holds_are_refused_unread() {
    let world = World::new();
    let good = statement(&world, 2, secret(2).public(), T0);
    let merge = |count| {
        let bundle = v1::TrustBundle {
            seal_keys: vec![good.clone(); count],
            ..Default::default()
        };
        world.trust.merge(&bundle, T0)
    };
    assert!(merge(SEAL_KEYS).unwrap().is_some());
    assert!(matches!(merge(SEAL_KEYS + 1), Err(TrustError::Rule { .. })));
}
