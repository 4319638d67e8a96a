//! Files that hold more than one roster: what was good when it was signed stays provable, and what
//! changed since is told.

use crate::fixture::{NOW, Story, code, file, net, seal_one};
use abeng_evidence::{Doubt, EvidenceFile, verify};
use abeng_keys::Signer;
use abeng_roster::ceremony;
use abeng_wire::{Kid, decode, limits, v1};

/// The next roster, in which that key is revoked.
fn revoking(kid: Kid, effective_at: u64) -> v1::Signed {
    let first = &net().bundle.rosters[0];
    let mut next: v1::Roster = decode("roster", &first.bytes, limits::ROSTER).unwrap();
    next.version = 2;
    next.previous = net().trust.roster.digest().to_bytes();
    next.revocations.push(v1::Revocation {
        kid: kid.to_bytes(),
        effective_at,
        reason: "stolen".into(),
    });
    let signers: Vec<_> = net().roster_signers.iter().take(2).collect();
    ceremony::sign_roster(&next, &signers).unwrap()
}

#[test]
fn a_key_that_is_revoked_later_is_told() {
    let kid = net().keys("JM").org_sign().verify_key().kid();
    let mut evidence = net().story().evidence();
    evidence.rosters.push(revoking(kid, 1234));
    // The statement in leaf 0 was good under the first roster.
    let verdict = verify(&file(&evidence), None).unwrap();
    let revoked = Doubt::KeyRevoked { effective_at: 1234 };
    assert!(verdict.doubts.contains(&revoked), "{:?}", verdict.doubts);
    assert_eq!(verdict.newest_roster.0, 2);
    assert_eq!(verdict.named_roster.0, 1);
}

/// JM regrets what it sent, and has its own key revoked, as of long before. What a quorum had seen by
/// then stays proved, all of it; the reader is told of the revocation, and that is all.
#[test]
fn a_member_that_revokes_its_own_key_disowns_no_notice() {
    let kid = net().keys("JM").org_sign().verify_key().kid();
    let mut evidence = net().story().evidence();
    let before = verify(&file(&evidence), None).unwrap();
    let seen = |verdict: &abeng_evidence::Verdict| {
        let facts = verdict.recipients[1].facts.iter();
        facts.filter_map(|fact| fact.seen_by).collect::<Vec<_>>()
    };
    assert!(!seen(&before).is_empty());
    for effective_at in [1, NOW - 1, NOW, NOW + 1] {
        evidence.rosters = vec![net().bundle.rosters[0].clone()];
        evidence.rosters.push(revoking(kid, effective_at));
        let after = verify(&file(&evidence), None).unwrap();
        assert_eq!(after.envelope_id, before.envelope_id);
        assert_eq!(after.originator.party, code("JM"));
        assert_eq!(after.originator.facts, before.originator.facts);
        assert_eq!(after.recipients, before.recipients);
        assert_eq!(seen(&after), seen(&before));
        assert_eq!(after.content, before.content);
        let told = Doubt::KeyRevoked { effective_at };
        let new: Vec<_> = after
            .doubts
            .iter()
            .filter(|d| !before.doubts.contains(d))
            .collect();
        assert_eq!(new, [&told]);
    }
}

#[test]
fn a_log_key_that_is_revoked_later_is_judged_by_the_older_roster() {
    let kid = net().keys("TT").log().verify_key().kid();
    let mut evidence = net().story().evidence();
    evidence.rosters.push(revoking(kid, 1234));
    let verdict = verify(&file(&evidence), None).unwrap();
    assert_eq!(verdict.checkpoints[2].judged_by, 1);
    assert_eq!(verdict.checkpoints[1].judged_by, 2);
    assert!(
        verdict
            .doubts
            .contains(&Doubt::OlderRoster { checkpoint: 2 })
    );
    assert!(
        !verdict
            .doubts
            .contains(&Doubt::OlderRoster { checkpoint: 1 })
    );

    // And the builder makes the same of it.
    let logs = evidence.logs.clone();
    let key = abeng_seal::ContentKey::from_slice(&evidence.content_key).unwrap();
    let built = EvidenceFile {
        roots: evidence.roots.clone(),
        rosters: evidence.rosters.clone(),
        hdr: evidence.hdr.clone(),
        sig: evidence.sig.clone(),
        disclosed: Some((evidence.body.clone(), key)),
        own: logs,
        receipts: vec![],
    };
    assert_eq!(built.build().unwrap()[..], file(&evidence)[..]);
}

#[test]
fn a_witness_key_that_is_revoked_later_makes_no_quorum_any_more() {
    let kid = net().keys("BB").witness().verify_key().kid();
    let mut evidence = net().story().evidence();
    evidence.rosters.push(revoking(kid, 1234));
    let verdict = verify(&file(&evidence), None).unwrap();
    // All lines count under the first roster only, and the reader is told.
    assert_eq!(verdict.checkpoints[1].judged_by, 1);
    assert!(
        verdict
            .doubts
            .contains(&Doubt::OlderRoster { checkpoint: 1 })
    );
    // The builder leaves the line out instead: two of four are no quorum.
    let built = EvidenceFile {
        roots: evidence.roots,
        rosters: evidence.rosters,
        hdr: evidence.hdr,
        sig: evidence.sig,
        disclosed: None,
        own: net().story().undisclosed().evidence().logs,
        receipts: vec![],
    };
    let verdict = verify(&built.build().unwrap().to_vec().into(), None).unwrap();
    assert_eq!(verdict.checkpoints[1].judged_by, 2);
    assert_eq!(verdict.checkpoints[1].by.len(), 2);
    assert_eq!(verdict.checkpoints[1].witnessed_at, None);
}

#[test]
fn an_envelope_under_a_roster_that_the_file_lacks_is_told() {
    let bundle = v1::TrustBundle {
        rosters: vec![revoking(Kid([7; 32]), NOW)],
        ..Default::default()
    };
    let later = net().trust.merge(&bundle, NOW).unwrap().unwrap();
    let sealed = seal_one(&later, &net().keyrings, 3);
    let story = Story::of(net(), &sealed);
    let verdict = verify(&file(&story.evidence()), None).unwrap();
    let doubt = Doubt::RosterNotHeld { version: 2 };
    assert!(verdict.doubts.contains(&doubt), "{:?}", verdict.doubts);
    assert_eq!(verdict.originator.party, code("JM"));
    assert_eq!((verdict.named_roster.0, verdict.judged_by), (2, 1));
}
