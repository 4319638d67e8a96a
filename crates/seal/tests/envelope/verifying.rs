//! Whose fault it is: a carrier's leaves no trace, the originator's becomes an outcome.

use crate::{
    fixture::{DAY, NOW, Net, code, frame, net},
    reference::{self, Faults, sealed_frame},
};
use abeng_keys::{Entropy, SignatureType, Signer};
use abeng_seal::{Arrived, Broken, CarrierWhy, Misframed, OriginatorWhy, VerifyFault, verify};
use abeng_wire::{
    Clock, limits,
    prost::Message,
    v1::{self, FaultKind, Reason},
};
use bytes::Bytes;
use proptest::prelude::*;

macro_rules! faults {
    ($knob:ident, $with:expr) => {
        Faults {
            $knob: Some(Box::new($with)),
            ..Faults::default()
        }
    };
}

fn carrier(result: Result<impl std::fmt::Debug, VerifyFault>) -> (FaultKind, CarrierWhy) {
    match result {
        Err(VerifyFault::Carrier(fault)) => (fault.kind, fault.why),
        other => panic!("not a carrier's fault: {other:?}"),
    }
}

fn broken(frame: &Bytes) -> Broken {
    match net().verify(frame, "TT") {
        Err(VerifyFault::Originator(rejected)) => {
            assert_eq!(rejected.reason(), Reason::NotCanonical);
            match rejected.why() {
                OriginatorWhy::Broken(broken) => broken,
                other => panic!("another fault: {other:?}"),
            }
        }
        other => panic!("not the originator's fault: {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// One bit anywhere in the frame: always a carrier's fault, never an outcome.
    #[test]
    fn any_flipped_bit_is_a_carriers_fault(at in any::<proptest::sample::Index>(), bit in 0u8..8) {
        static FRAME: std::sync::OnceLock<Bytes> = std::sync::OnceLock::new();
        let frame = FRAME.get_or_init(|| net().seal("JM", &["BB", "TT"], b"x").envelope().clone());
        let mut bytes = frame.to_vec();
        // Half of them in HDR and SIG, which are the first 600 bytes.
        let span = if bit % 2 == 0 { 600 } else { bytes.len() };
        let at = at.index(span);
        bytes[at] ^= 1 << bit;
        carrier(net().verify(&bytes.into(), "TT"));
    }

    #[test]
    fn any_cut_or_noise_is_a_carriers_fault(cut in any::<proptest::sample::Index>(), noise in any::<u64>()) {
        let frame = net().seal("JM", &["TT"], b"x").envelope().clone();
        carrier(net().verify(&frame.slice(..cut.index(frame.len())), "TT"));
        let mut junk = vec![0; cut.index(4096)];
        crate::fixture::Seeded(noise).fill(&mut junk);
        carrier(Arrived::parse(&junk.into()).map_err(VerifyFault::from));
    }
}

#[test]
fn every_part_exchanged_on_the_way_is_a_carriers_fault() {
    let net = net();
    let a = reference::seal(net, "JM", &["BB", "TT"], b"a", &Faults::default());
    let b = reference::seal(net, "JM", &["BB", "TT"], b"b", &Faults::default());
    let changed = |with: &dyn Fn(&mut v1::Envelope)| {
        let mut envelope = a.clone();
        with(&mut envelope);
        let (kind, why) = carrier(net.verify(&frame(&envelope), "TT"));
        assert_eq!(kind, FaultKind::FaultDamaged);
        why
    };
    assert_eq!(changed(&|e| e.sig = b.sig.clone()), CarrierWhy::Signature);
    assert_eq!(changed(&|e| e.hdr = b.hdr.clone()), CarrierWhy::Signature);
    assert_eq!(changed(&|e| e.body = b.body.clone()), CarrierWhy::BodyHash);
    assert_eq!(
        changed(&|e| e.body = e.body.slice(1..)),
        CarrierWhy::BodyHash
    );
    let stanza = |i: usize| changed(&|e| e.stanzas[i] = b.stanzas[i].clone());
    assert_eq!(stanza(1), CarrierWhy::StanzaHash(1));
    assert_eq!(stanza(0), CarrierWhy::StanzaHash(0), "also a neighbour's");
    assert_eq!(
        changed(&|e| e.stanzas.swap(0, 1)),
        CarrierWhy::StanzaHash(0)
    );
    let count = |found| CarrierWhy::StanzaCount { found, expected: 2 };
    assert_eq!(changed(&|e| e.stanzas.truncate(1)), count(1));
    assert_eq!(changed(&|e| e.stanzas.push(Bytes::new())), count(3));
}

#[test]
fn frames_of_impossible_sizes_are_refused_before_anything_is_believed() {
    let a = reference::seal(net(), "JM", &["TT"], b"a", &Faults::default());
    let size = |with: &dyn Fn(&mut v1::Envelope)| {
        let mut envelope = a.clone();
        with(&mut envelope);
        match Arrived::parse(&frame(&envelope)).unwrap_err().why {
            CarrierWhy::Frame(Misframed::Size { part, .. }) => part,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(size(&|e| e.hdr.clear()), "HDR");
    assert_eq!(size(&|e| e.hdr = vec![0; limits::HDR + 1].into()), "HDR");
    assert_eq!(size(&|e| e.sig = e.sig.slice(1..)), "SIG");
    assert_eq!(size(&|e| e.stanzas.clear()), "stanzas");
    assert_eq!(size(&|e| e.stanzas = vec![Bytes::new(); 65]), "stanzas");
    assert_eq!(size(&|e| e.stanzas[0] = e.stanzas[0].slice(1..)), "STANZA");
    assert_eq!(size(&|e| e.body.clear()), "BODY");
    let big = vec![0; limits::ENVELOPE + 1];
    let why = Arrived::parse(&big.into()).unwrap_err().why;
    assert!(matches!(why, CarrierWhy::Frame(Misframed::TooLong(_))));
    let unknown_field = [&frame(&a)[..], &[0x28, 1]].concat();
    let why = Arrived::parse(&unknown_field.into()).unwrap_err().why;
    assert_eq!(why, CarrierWhy::Frame(Misframed::NotCanonical));
}

#[test]
fn keys_that_the_roster_here_does_not_give_the_originator() {
    let net = net();
    let unknown = |faults: Faults| {
        let frame = sealed_frame(net, "JM", &["TT"], b"x", &faults);
        let (kind, why) = carrier(net.verify(&frame, "TT"));
        assert_eq!(kind, FaultKind::FaultUnknownKey);
        why
    };
    let why = unknown(faults!(pre, |p: &mut v1::Pre| p.originator = "GY".into()));
    assert_eq!(why, CarrierWhy::UnknownParty(code("GY")));
    let own = net.keys("JM").org_sign().verify_key().kid();
    let other = net.keys("DM").org_sign().verify_key().kid();
    let log = net.keys("JM").log().verify_key().kid();
    for kid in [other, log] {
        let with = move |p: &mut v1::Pre| p.org_sign_kid = kid.to_bytes();
        let party = code("JM");
        assert_eq!(
            unknown(faults!(pre, with)),
            CarrierWhy::UnknownKey { party, kid }
        );
    }
    let early = |p: &mut v1::Pre| {
        p.created_at = NOW - 400 * DAY;
        p.expires_at = NOW - 390 * DAY;
    };
    let party = code("JM");
    assert_eq!(
        unknown(faults!(pre, early)),
        CarrierWhy::UnknownKey { party, kid: own }
    );
    let late = |p: &mut v1::Pre| {
        p.created_at = NOW + 3000 * DAY;
        p.expires_at = NOW + 3001 * DAY;
    };
    assert_eq!(
        unknown(faults!(pre, late)),
        CarrierWhy::UnknownKey { party, kid: own }
    );
    // Under another network's roster nobody here is known by that key.
    let elsewhere = Net::found(7);
    let frame = sealed_frame(net, "JM", &["TT"], b"x", &Faults::default());
    let (kind, _) = carrier(elsewhere.verify(&frame, "TT"));
    assert_eq!(kind, FaultKind::FaultUnknownKey);
    // And what is not even a code is damage.
    let frame = sealed_frame(
        net,
        "JM",
        &["TT"],
        b"x",
        &faults!(pre, |p: &mut v1::Pre| p.originator = "jm".into()),
    );
    assert_eq!(
        carrier(net.verify(&frame, "TT")),
        (FaultKind::FaultDamaged, CarrierWhy::Originator)
    );
}

#[test]
fn a_signature_of_another_key_or_over_another_type() {
    let net = net();
    let mut envelope = reference::seal(net, "JM", &["TT"], b"x", &Faults::default());
    net.sign("DM", &mut envelope);
    let (_, why) = carrier(net.verify(&frame(&envelope), "TT"));
    assert_eq!(why, CarrierWhy::Signature);
    let void = net
        .keys("JM")
        .org_sign()
        .sign(SignatureType::VOID, &envelope.hdr);
    envelope.sig = void.unwrap().to_vec().into();
    let (_, why) = carrier(net.verify(&frame(&envelope), "TT"));
    assert_eq!(why, CarrierWhy::Signature);
}

/// Rules for PRE, each broken by an originator that signs it.
#[test]
fn a_pre_that_breaks_a_rule_is_refused_for_that_rule() {
    let pre = |with: fn(&mut v1::Pre)| {
        broken(&sealed_frame(
            net(),
            "JM",
            &["BB", "TT"],
            b"x",
            &faults!(pre, with),
        ))
    };
    let short = |field| Broken::Length { field, length: 31 };
    assert_eq!(pre(|p| p.version = 2), Broken::Version(2));
    assert_eq!(pre(|p| p.nonce = vec![1; 31].into()), short("nonce"));
    assert_eq!(pre(|p| p.incarnation = 0), Broken::Incarnation);
    assert_eq!(pre(|p| p.roster = None), Broken::Roster);
    assert_eq!(
        pre(|p| p.roster.as_mut().unwrap().version = 0),
        Broken::Roster
    );
    let digest = |p: &mut v1::Pre| p.roster.as_mut().unwrap().digest = vec![1; 31].into();
    assert_eq!(pre(digest), short("roster digest"));
    assert_eq!(pre(|p| p.precedence = 0), Broken::Precedence);
    assert_eq!(pre(|p| p.precedence = 5), Broken::Precedence);
    let life = |expires_at| Broken::Lifetime {
        created_at: NOW,
        expires_at,
    };
    assert_eq!(pre(|p| p.expires_at = NOW), life(NOW));
    assert_eq!(pre(|p| p.expires_at = NOW - 1), life(NOW - 1));
    let long = NOW + limits::LIFETIME_MS + 1;
    assert_eq!(
        pre(|p| p.expires_at = NOW + limits::LIFETIME_MS + 1),
        life(long)
    );
    assert_eq!(
        pre(|p| p.recipients[1].party = "AA".into()),
        Broken::RecipientOrder(1)
    );
    assert_eq!(
        pre(|p| p.recipients[0].party = "TT".into()),
        Broken::RecipientOrder(1)
    );
    assert_eq!(
        pre(|p| p.recipients[0].party = "JM".into()),
        Broken::OwnRecipient
    );
    assert_eq!(
        pre(|p| p.recipients[0].party = "bb".into()),
        Broken::RecipientCode(0)
    );
    let kid = |p: &mut v1::Pre| p.recipients[1].seal_kid = vec![1; 31].into();
    assert_eq!(pre(kid), short("seal kid"));
    let commit = |p: &mut v1::Pre| p.recipients[1].seq_commit = vec![1; 31].into();
    assert_eq!(pre(commit), short("seq_commit"));
}

#[test]
fn the_longest_life_and_every_precedence_are_good() {
    for precedence in 1..=4 {
        let with = move |p: &mut v1::Pre| {
            p.expires_at = NOW + limits::LIFETIME_MS;
            p.precedence = precedence;
        };
        let frame = sealed_frame(net(), "JM", &["TT"], b"x", &faults!(pre, with));
        net().verify(&frame, "TT").unwrap();
    }
}

#[test]
fn a_trl_that_breaks_a_rule_is_refused_for_that_rule() {
    let trl = |with: fn(&mut v1::Trl)| {
        broken(&sealed_frame(
            net(),
            "JM",
            &["BB", "TT"],
            b"x",
            &faults!(trl, with),
        ))
    };
    let hashes = |hashes| Broken::StanzaHashes {
        hashes,
        recipients: 2,
    };
    assert_eq!(trl(|t| t.stanza_hashes.truncate(1)), hashes(1));
    assert_eq!(trl(|t| t.stanza_hashes.push(vec![1; 32].into())), hashes(3));
    let short = Broken::Length {
        field: "commit",
        length: 31,
    };
    assert_eq!(trl(|t| t.commit = vec![1; 31].into()), short);
    let attachment = |length| v1::AttachmentRef {
        root: vec![1; 32].into(),
        length,
    };
    let many = vec![attachment(17); limits::ATTACHMENTS + 1];
    let with = move |t: &mut v1::Trl| t.attachments = many.clone();
    assert_eq!(
        broken(&sealed_frame(
            net(),
            "JM",
            &["TT"],
            b"x",
            &faults!(trl, with)
        )),
        Broken::Attachments
    );
    let with = move |t: &mut v1::Trl| t.attachments = vec![attachment(16)];
    assert_eq!(
        broken(&sealed_frame(
            net(),
            "JM",
            &["TT"],
            b"x",
            &faults!(trl, with)
        )),
        Broken::Attachments
    );
    let with = move |t: &mut v1::Trl| t.attachments = vec![attachment(17); limits::ATTACHMENTS];
    net()
        .verify(
            &sealed_frame(net(), "JM", &["TT"], b"x", &faults!(trl, with)),
            "TT",
        )
        .unwrap();
}

#[test]
fn signed_but_not_canonical_is_the_originators_fault() {
    let unknown = |bytes: &mut Vec<u8>| bytes.extend([0xf8, 0x07, 1]); // field 127
    let check = |faults| broken(&sealed_frame(net(), "JM", &["TT"], b"x", &faults));
    assert_eq!(check(faults!(pre_bytes, unknown)), Broken::Encoding("PRE"));
    assert_eq!(check(faults!(trl_bytes, unknown)), Broken::Encoding("TRL"));
    assert_eq!(check(faults!(hdr_bytes, unknown)), Broken::Encoding("HDR"));
    let junk = |bytes: &mut Vec<u8>| bytes.insert(0, 0xff);
    assert_eq!(check(faults!(trl_bytes, junk)), Broken::Encoding("TRL"));
    // A PRE that nobody can decode names no signer: damage.
    let frame = sealed_frame(net(), "JM", &["TT"], b"x", &faults!(pre_bytes, junk));
    let (kind, why) = carrier(net().verify(&frame, "TT"));
    assert_eq!(kind, FaultKind::FaultDamaged);
    assert!(matches!(why, CarrierWhy::Malformed(_)));
}

/// `Refused` needs the hashes of my stanza and the body: else a carrier could have caused it.
#[test]
fn a_broken_rule_is_no_outcome_while_a_hash_does_not_hold() {
    let net = net();
    let two = |p: &mut v1::Pre| p.version = 2;
    let envelope = reference::seal(net, "JM", &["TT"], b"x", &faults!(pre, two));
    assert_eq!(broken(&frame(&envelope)), Broken::Version(2));
    let mut damaged = envelope.clone();
    damaged.body = damaged.body.slice(1..);
    assert_eq!(
        carrier(net.verify(&frame(&damaged), "TT")).1,
        CarrierWhy::BodyHash
    );
    let mut damaged = envelope;
    damaged.stanzas[0] = vec![0; limits::STANZA].into();
    assert_eq!(
        carrier(net.verify(&frame(&damaged), "TT")).1,
        CarrierWhy::StanzaHash(0)
    );
}

#[test]
fn a_refusal_carries_what_its_leaf_needs() {
    let two = |p: &mut v1::Pre| p.version = 2;
    let envelope = reference::seal(net(), "JM", &["BB", "TT"], b"x", &faults!(pre, two));
    let pre = v1::Pre::decode(v1::Hdr::decode(envelope.hdr.clone()).unwrap().pre).unwrap();
    let Err(VerifyFault::Originator(rejected)) = net().verify(&frame(&envelope), "TT") else {
        panic!("must be refused");
    };
    assert_eq!(rejected.arrived().originator(), code("JM"));
    assert_eq!(rejected.arrived().sig(), &envelope.sig);
    assert_eq!(
        rejected.seq_commit().unwrap().0,
        pre.recipients[1].seq_commit[..]
    );
}

#[test]
fn time_is_doubted_before_the_beginning_and_over_after_the_end() {
    let net = net();
    let frame = net.seal("JM", &["TT"], b"x").envelope().clone();
    let early = NOW - limits::CLOCK_AHEAD_MS;
    net.verify_at(&frame, "TT", early).unwrap();
    let (kind, why) = carrier(net.verify_at(&frame, "TT", early - 1));
    assert_eq!(kind, FaultKind::FaultClock);
    assert_eq!(
        why,
        CarrierWhy::Clock {
            created_at: NOW,
            now: early - 1
        }
    );
    net.verify_at(&frame, "TT", NOW + DAY - 1).unwrap();
    let over = net.verify_at(&frame, "TT", NOW + DAY).unwrap_err();
    assert_eq!(over.reason(), Some(Reason::TimePassed));
}

#[test]
fn a_clock_in_doubt_ends_no_life() {
    let net = net();
    let frame = net.seal("JM", &["TT"], b"x").envelope().clone();
    let at = |earliest, now| {
        let clock = Clock { earliest, now };
        verify(
            Arrived::parse(&frame).unwrap(),
            &net.trust,
            code("TT"),
            clock,
        )
    };
    let (expires_at, now) = (NOW + DAY, NOW + 100 * DAY);
    let (kind, why) = carrier(at(expires_at - 1, now));
    assert_eq!(kind, FaultKind::FaultClock);
    assert_eq!(why, CarrierWhy::Doubt { expires_at, now });
    let over = at(expires_at, now).unwrap_err();
    assert_eq!(over.reason(), Some(Reason::TimePassed));
}

#[test]
fn what_was_verified_is_checked_again_under_a_newer_roster() {
    let net = net();
    let sealed = net.seal("JM", &["TT"], b"x");
    let verified = net.verify(sealed.envelope(), "TT").unwrap();
    assert_eq!(verified.roster_version(), 1);
    assert_eq!(verified.recheck(&net.trust).unwrap().roster_version(), 1);
    let longer = net.next_roster(|roster| roster.expires += DAY);
    let again = verified.recheck(&longer).unwrap();
    assert_eq!((again.roster_version(), again.id()), (2, verified.id()));

    let kid = net.keys("JM").org_sign().verify_key().kid();
    let revoked = net.next_roster(|roster| {
        roster.revocations.push(v1::Revocation {
            kid: kid.to_bytes(),
            effective_at: NOW + DAY,
            reason: "stolen".into(),
        });
    });
    let fault = verified.recheck(&revoked).unwrap_err();
    assert_eq!(fault.kind, FaultKind::FaultUnknownKey);
    let arrived = Arrived::parse(sealed.envelope()).unwrap();
    let (kind, why) = carrier(verify(arrived, &revoked, code("TT"), NOW));
    assert_eq!(
        kind,
        FaultKind::FaultUnknownKey,
        "what arrives new under a revoked key"
    );
    let party = code("JM");
    assert_eq!(why, CarrierWhy::UnknownKey { party, kid });
}

#[test]
fn a_suspended_party_is_not_heard() {
    let net = net();
    let sealed = net.seal("JM", &["TT"], b"x");
    let suspended = net.next_roster(|roster| {
        for signed in &mut roster.parties {
            let mut party = v1::Party::decode(signed.bytes.clone()).unwrap();
            if party.code == "JM" {
                party.status = v1::PartyStatus::Suspended.into();
                party.version += 1;
                signed.bytes = abeng_wire::encode(&party);
            }
        }
    });
    let arrived = Arrived::parse(sealed.envelope()).unwrap();
    let (kind, why) = carrier(verify(arrived, &suspended, code("TT"), NOW));
    assert_eq!(kind, FaultKind::FaultUnknownKey);
    assert_eq!(why, CarrierWhy::UnknownParty(code("JM")));
}
