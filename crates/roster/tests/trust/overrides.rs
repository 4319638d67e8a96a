//! A lost key: the root's threshold stands in for it, and nobody is taken by surprise.

use crate::support::*;
use abeng_keys::{Keyring, Role, Signer};
use abeng_roster::{
    OVERRIDE_WAIT_MS, Override, Trust, TrustError, ceremony, digest, sign_incarnation,
    verify_incarnation,
};
use abeng_wire::v1;
use bytes::Bytes;

/// When the roster with the override is adopted.
const ADOPTED: u64 = T0 + 3 * DAY;

/// JM's entry with a new key in every role beside the old ones, signed by the new ones alone.
fn entry(world: &World, fresh: &Keyring) -> v1::Signed {
    let mut m = world.roster();
    let keys: [(v1::KeyRole, &dyn Signer); 4] = [
        (v1::KeyRole::OrgSign, &**fresh.org_sign()),
        (v1::KeyRole::NodeTls, &**fresh.node_tls()),
        (v1::KeyRole::Log, &**fresh.log()),
        (v1::KeyRole::Witness, &**fresh.witness()),
    ];
    edit_party(&mut m, "JM", &keys.map(|(_, s)| s), |p| {
        p.keys.extend(keys.iter().map(|(role, s)| key(*role, *s)));
    });
    let at = position(&m, "JM");
    m.parties.swap_remove(at)
}

fn fresh() -> Keyring {
    Keyring::generate(code("JM"), &mut Counting(80_000))
}

fn word(world: &World, after: &v1::Signed) -> v1::Override {
    let m = world.roster();
    v1::Override {
        network: "try-out".into(),
        party: "JM".into(),
        before: digest(&m.parties[position(&m, "JM")].bytes).to_bytes(),
        after: digest(&after.bytes).to_bytes(),
        at: T0 + DAY,
        reason: "the machine and its backup burnt".into(),
    }
}

/// Roster 2 with that entry, and overrides.
fn second(world: &World, entry: &v1::Signed, overrides: Vec<v1::Signed>) -> v1::Signed {
    world.second(|m| {
        let at = position(m, "JM");
        m.parties[at] = entry.clone();
        m.overrides = overrides;
    })
}

fn with(roster: v1::Signed) -> v1::TrustBundle {
    v1::TrustBundle {
        rosters: vec![roster],
        ..Default::default()
    }
}

fn merge(world: &World, roster: v1::Signed) -> Result<Trust, TrustError> {
    let trust = world.trust.merge(&with(roster), ADOPTED)?;
    Ok(trust.unwrap())
}

fn recovered(world: &World) -> Trust {
    let entry = entry(world, &fresh());
    let signed = ceremony::sign_override(&word(world, &entry), &world.root_signers(&[0, 2, 4, 6]));
    merge(world, second(world, &entry, vec![signed.unwrap()])).unwrap()
}

/// Whether any key of that keyring is used for JM; all are, or none.
fn uses(trust: &Trust, keyring: &Keyring) -> bool {
    let party = trust.roster.party(code("JM")).unwrap();
    let kid = |signer: &dyn Signer| signer.verify_key().kid();
    let tls = keyring.node_tls().verify_key().bytes();
    let found = [
        party
            .key(Role::OrgSign, &kid(&**keyring.org_sign()))
            .is_some(),
        party.key(Role::Log, &kid(&**keyring.log())).is_some(),
        party
            .key(Role::Witness, &kid(&**keyring.witness()))
            .is_some(),
        trust.roster.party_by_tls_key(tls, ADOPTED).is_some(),
    ];
    assert!(found.iter().all(|&f| f == found[0]), "{found:?}");
    found[0]
}

#[test]
fn a_stolen_secretariat_cannot_replace_a_members_keys_without_the_roots_threshold() {
    let world = World::new();
    let entry = entry(&world, &fresh());
    let word = word(&world, &entry);
    let no_override = merge(&world, second(&world, &entry, Vec::new()));
    assert!(matches!(no_override, Err(TrustError::NoOldKey { .. })));
    let signers: [&[usize]; 3] = [&[0, 1, 2], &[3, 3, 3, 3], &[]];
    for which in signers {
        let signed = ceremony::sign_override(&word, &world.root_signers(which)).unwrap();
        let result = merge(&world, second(&world, &entry, vec![signed]));
        assert!(
            matches!(result, Err(TrustError::TooFewSigners { needed: 4, .. })),
            "{result:?}"
        );
    }
    // The roster's own signers are not the root's.
    let signed = ceremony::sign_override(&word, &world.roster_signers(&[0, 1, 2])).unwrap();
    assert!(matches!(
        merge(&world, second(&world, &entry, vec![signed])),
        Err(TrustError::TooFewSigners { found: 0, .. })
    ));
    // Nor is a signature over a root one over an override.
    let mut other = ceremony::sign_override(&word, &[]).unwrap();
    for signer in world.root_signers(&[0, 1, 2, 3]) {
        let signature = signer.sign(abeng_keys::SignatureType::ROOT, &other.bytes);
        other.signatures.push(signature.unwrap());
    }
    assert!(matches!(
        merge(&world, second(&world, &entry, vec![other])),
        Err(TrustError::TooFewSigners { found: 0, .. })
    ));
}

#[test]
fn an_override_is_good_for_one_change_of_one_party_in_one_network() {
    let world = World::new();
    let entry = entry(&world, &fresh());
    let edits: [fn(&mut v1::Override); 6] = [
        |o| o.network = "other".into(),
        |o| o.party = "TT".into(),
        |o| o.before = Bytes::from(vec![7; 32]),
        |o| o.after = Bytes::from(vec![7; 32]),
        |o| o.reason.clear(),
        |o| o.reason = "two\nlines".into(),
    ];
    for (i, edit) in edits.into_iter().enumerate() {
        let mut word = word(&world, &entry);
        edit(&mut word);
        let signed = ceremony::sign_override(&word, &world.root_signers(&[0, 1, 2, 3])).unwrap();
        let result = merge(&world, second(&world, &entry, vec![signed]));
        assert!(result.is_err(), "{i}");
    }
    // Once more in the next version, where the entry stands already.
    let trust = recovered(&world);
    let signed = ceremony::sign_override(&word(&world, &entry), &world.root_signers(&[0, 1, 2, 3]));
    let mut m = World::after(trust.roster.signed());
    m.overrides = vec![signed.unwrap()];
    assert!(matches!(
        trust.merge(&with(world.sign(&m)), ADOPTED),
        Err(TrustError::Rule { .. })
    ));
    // One that brings no key at all: the root has no say in addresses.
    let mut moved = world.roster();
    edit_party(&mut moved, "JM", &[], |p| p.addresses.clear());
    let moved = moved.parties.swap_remove(position(&world.roster(), "JM"));
    let word = word(&world, &moved);
    let signed = ceremony::sign_override(&word, &world.root_signers(&[0, 1, 2, 3])).unwrap();
    assert!(matches!(
        merge(&world, second(&world, &moved, vec![signed])),
        Err(TrustError::Rule { .. })
    ));
}

#[test]
fn new_keys_still_prove_possession_under_an_override() {
    let world = World::new();
    let mut entry = entry(&world, &fresh());
    entry.signatures.pop();
    let signed = ceremony::sign_override(&word(&world, &entry), &world.root_signers(&[0, 1, 2, 3]));
    assert!(matches!(
        merge(&world, second(&world, &entry, vec![signed.unwrap()])),
        Err(TrustError::NoPossession { .. })
    ));
}

#[test]
fn an_overridden_key_waits_at_each_node_from_its_own_adoption_and_the_old_one_serves_on() {
    let world = World::new();
    let trust = recovered(&world);
    let (fresh, old) = (fresh(), world.keyring("JM"));
    let word = &trust.roster.overrides()[0];
    assert_eq!(
        (word.party, &*word.reason),
        (code("JM"), "the machine and its backup burnt")
    );
    assert!(!uses(&trust, &fresh));
    assert!(uses(&trust, old), "whoever really is JM can still protest");
    assert!(trust.release(ADOPTED + OVERRIDE_WAIT_MS - 1).is_none());
    let later = trust.release(ADOPTED + OVERRIDE_WAIT_MS).unwrap();
    assert!(uses(&later, &fresh));
    assert!(later.release(ADOPTED + OVERRIDE_WAIT_MS).is_none());

    // A node that starts again counts from what it recorded; without a record, from the issue.
    let bundle = trust.to_bundle();
    let issued = trust.roster.issued();
    let load = |now| Trust::from_bundle(&bundle, None, now).unwrap();
    assert!(!uses(&load(issued + OVERRIDE_WAIT_MS - 1), &fresh));
    let mut again = load(issued + OVERRIDE_WAIT_MS);
    assert!(uses(&again, &fresh));
    again.note_adoption(2, ADOPTED);
    assert!(!uses(&again, &fresh));
}

#[test]
fn a_waiting_key_signs_no_seal_key_and_no_new_life() {
    let world = World::new();
    let trust = recovered(&world);
    let fresh = fresh();
    let seal = fresh.seal.newest().unwrap();
    let seal = seal.public();
    let org = &**fresh.org_sign();
    let interval = (T0, T0 + 300 * DAY);
    let signed = ceremony::sign_seal_key(code("JM"), 2, seal, interval, org).unwrap();
    let old = world.keyring("JM").seal.newest().unwrap().kid();
    let bundle = v1::TrustBundle {
        seal_keys: vec![signed.clone()],
        ..Default::default()
    };
    let kept = trust.merge(&bundle, ADOPTED).unwrap().unwrap();
    assert_eq!(kept.seal_key(code("JM"), ADOPTED).unwrap().kid(), old);
    assert!(kept.merge(&bundle, ADOPTED).unwrap().is_none(), "known");
    // It rests with the bundle, and is taken when its signer is used.
    let end = ADOPTED + OVERRIDE_WAIT_MS;
    let mut again = Trust::from_bundle(&kept.to_bundle(), None, ADOPTED).unwrap();
    again.note_adoption(2, ADOPTED);
    // A restart when the wait is over by the roster's issue, and not by this node's adoption.
    let bundle = kept.to_bundle();
    let issued = kept.roster.issued() + OVERRIDE_WAIT_MS;
    assert!(issued < end);
    let mut restarted = Trust::from_bundle(&bundle, None, issued).unwrap();
    restarted.note_adoption(2, ADOPTED);
    restarted.wait_by(issued);
    restarted.retake(&bundle, issued);
    let used = restarted.seal_key(code("JM"), issued).unwrap().kid();
    assert_eq!(used, old, "a restart ends no wait");
    for kept in [kept, again, restarted] {
        let later = kept.release(end).unwrap();
        assert_eq!(later.seal_key(code("JM"), end).unwrap().kid(), seal.kid());
    }
    let life = v1::Incarnation {
        party: "JM".into(),
        incarnation: 1,
        ..Default::default()
    };
    let life = sign_incarnation(org, life).unwrap();
    assert!(matches!(
        verify_incarnation(&trust.roster, &life),
        Err(TrustError::Waits { .. })
    ));
    assert!(verify_incarnation(&trust.release(end).unwrap().roster, &life).is_ok());
}

#[test]
fn a_waiting_key_does_not_hand_over_to_one_that_need_not_wait() {
    let world = World::new();
    let trust = recovered(&world);
    let (first, next) = (
        fresh(),
        Keyring::generate(code("JM"), &mut Counting(85_000)),
    );
    let mut m = World::after(trust.roster.signed());
    let keys: [(v1::KeyRole, &dyn Signer); 2] = [
        (v1::KeyRole::OrgSign, &**next.org_sign()),
        (v1::KeyRole::NodeTls, &**next.node_tls()),
    ];
    let mut signers: Vec<&dyn Signer> = keys.iter().map(|(_, s)| *s).collect();
    signers.extend([&**first.org_sign() as &dyn Signer, &**first.node_tls()]);
    edit_party(&mut m, "JM", &signers, |p| {
        p.keys.extend(keys.iter().map(|(role, s)| key(*role, *s)));
    });
    let third = world.sign(&m);
    let trust = trust.merge(&with(third), ADOPTED + DAY).unwrap().unwrap();
    let tls = next.node_tls().verify_key();
    let linked = |trust: &Trust| {
        let found = trust.roster.party_by_tls_key(tls.bytes(), ADOPTED + DAY);
        found.is_some()
    };
    assert!(!linked(&trust));
    // It waits as long as the key that speaks for it.
    assert!(linked(&trust.release(ADOPTED + OVERRIDE_WAIT_MS).unwrap()));
}

#[test]
fn a_key_that_the_partys_own_old_key_vouches_for_does_not_wait() {
    let world = World::new();
    let next = Keyring::generate(code("JM"), &mut Counting(85_000));
    let jm = world.keyring("JM");
    let second = world.second(|m| {
        let signers: [&dyn Signer; 3] = [&**jm.org_sign(), &**jm.node_tls(), &**next.node_tls()];
        edit_party(m, "JM", &signers, |p| {
            p.keys.push(key(v1::KeyRole::NodeTls, &**next.node_tls()));
        });
    });
    let trust = merge(&world, second).unwrap();
    let tls = next.node_tls().verify_key();
    assert!(
        trust
            .roster
            .party_by_tls_key(tls.bytes(), ADOPTED)
            .is_some()
    );
}

#[test]
fn a_draft_of_an_override_is_shown_before_anybody_signs() {
    let world = World::new();
    let word = word(&world, &entry(&world, &fresh()));
    let draft = ceremony::sign_override(&word, &[]).unwrap();
    assert_eq!(Override::draft(&draft).unwrap().reason, word.reason);
    assert!(Override::verify(&world.trust.root, &draft).is_err());
}

#[test]
fn the_bytes_that_the_roots_holders_sign_are_pinned() {
    let word = v1::Override {
        network: "carib".into(),
        party: "TT".into(),
        before: Bytes::from(vec![1; 32]),
        after: Bytes::from(vec![2; 32]),
        at: T0,
        reason: "burnt".into(),
    };
    let bytes = abeng_wire::encode(&word);
    assert_eq!(
        digest(&bytes).to_string(),
        "299cd6d30fd5c75a376debe5e4344fc0d9cc1e80a6948abcebcaedddd47cdb1f"
    );
    assert_eq!(
        abeng_keys::SignatureType::OVERRIDE.name(),
        "application/vnd.abeng.override.v1"
    );
}
