use crate::{
    fixture::{LIFE, NOW, code, frame, net},
    reference,
};
use abeng_keys::StoreKey;
use abeng_seal::{
    Arrived, BoxCache, CarrierWhy, MeasureInput, OpenStep, OpenedBoxes, VerifyFault, body_len,
    envelope_id, measure, open, reopen_own, reopen_received, seq_commit,
};
use abeng_wire::{StreamSeq, limits, prost::Message, v1};
use bytes::Bytes;
use proptest::prelude::*;

const OTHERS: [&str; 4] = ["BB", "DM", "LC", "TT"];

fn some_recipients() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(OTHERS.to_vec(), 1..=4)
}

fn some_notice() -> impl Strategy<Value = Vec<u8>> {
    let small = (0usize..4096).prop_map(|n| vec![0x5a; n]);
    let any = (0usize..200 * 1024, any::<u8>()).prop_map(|(n, b)| {
        let byte = |i: usize| (i as u8).wrapping_mul(31) ^ b;
        (0..n).map(byte).collect()
    });
    prop_oneof![small, any]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_sealed_is_what_each_recipient_opens(to in some_recipients(), notice in some_notice()) {
        let net = net();
        let sealed = net.seal("JM", &to, &notice);
        prop_assert_eq!(sealed.body().len(), body_len(notice.len()));
        for (i, me) in to.iter().enumerate() {
            let verified = net.verify(sealed.envelope(), me).unwrap();
            prop_assert_eq!(verified.id(), sealed.id());
            prop_assert_eq!(verified.id(), envelope_id(sealed.hdr().bytes()));
            prop_assert_eq!(verified.mine().unwrap().0, i);
            let opened = net.open(&verified, me).unwrap();
            prop_assert_eq!(&opened.notice()[..], &notice[..]);
            let (party, seq, blind) = sealed.blinds()[i];
            prop_assert_eq!((party, seq, &blind), (code(me), opened.stream_seq(), opened.blind()));
            let (_, entry) = verified.mine().unwrap();
            prop_assert_eq!(seq_commit(&blind, seq).0, &entry.seq_commit[..]);
            let again = reopen_received(
                sealed.hdr().bytes(), sealed.stanzas(), sealed.body(), code(me), &net.secrets(me),
            ).unwrap();
            prop_assert_eq!(&again.notice[..], &notice[..]);
        }
        let own = reopen_own(
            sealed.hdr().bytes(), sealed.body(), sealed.own_copy(), &net.keys("JM").store,
        ).unwrap();
        prop_assert_eq!(&own[..], &notice[..]);
    }

    #[test]
    fn two_writings_of_the_suite_agree(to in some_recipients(), notice in some_notice()) {
        let net = net();
        let envelope = v1::Envelope::decode(net.seal("JM", &to, &notice).envelope().clone()).unwrap();
        for me in &to {
            prop_assert_eq!(reference::open(net, me, &envelope), &notice[..]);
        }
        let theirs = reference::sealed_frame(net, "JM", &to, &notice, &Default::default());
        for me in &to {
            let verified = net.verify(&theirs, me).unwrap();
            let opened = net.open(&verified, me).unwrap();
            prop_assert_eq!(&opened.notice()[..], &notice[..]);
        }
    }
}

/// An estimate is of use only where it is what will be.
#[test]
fn an_envelope_is_as_long_as_it_was_measured_to_be() {
    let net = net();
    let own_to: [&[&str]; 3] = [&["TT"], &["BB", "TT"], &OTHERS];
    for to in own_to {
        for length in [0, 1, 700, 5_000, 70_000, limits::NOTICE] {
            let sealed = net.seal("JM", to, &vec![3; length]);
            let pre = sealed.pre().message();
            let measured = measure(&MeasureInput {
                trust: &net.trust,
                cleared: &net.cleared("JM", to),
                incarnation: LIFE,
                created_at: pre.created_at,
                expires_at: pre.expires_at,
                precedence: pre.precedence(),
                notice: length,
                attachments: &[],
            });
            assert_eq!(measured.whole, sealed.envelope().len());
            let envelope = v1::Envelope::decode(sealed.envelope().clone()).unwrap();
            for (mine, (party, bytes)) in measured.to.into_iter().enumerate() {
                assert_eq!(party, code(to[mine]));
                let mut pruned = envelope.clone();
                for (i, stanza) in pruned.stanzas.iter_mut().enumerate() {
                    if i != mine {
                        *stanza = Bytes::new();
                    }
                }
                assert_eq!(bytes, frame(&pruned).len());
            }
        }
    }
}

#[test]
fn the_largest_notice_fits_and_one_byte_more_does_not() {
    let net = net();
    let notice = vec![7; limits::NOTICE];
    let sealed = net.seal("JM", &["TT"], &notice);
    let verified = net.verify(sealed.envelope(), "TT").unwrap();
    assert_eq!(net.open(&verified, "TT").unwrap().notice(), &notice);
    let more = vec![7; limits::NOTICE + 1];
    let refused = net.seal_with(("JM", &["TT"]), &more, &mut BoxCache::new(), |_| {});
    assert!(matches!(
        refused,
        Err(abeng_seal::SealError::NoticeTooLong(_))
    ));
}

#[test]
fn parts_are_slices_of_the_frame() {
    let sealed = net().seal("JM", &["BB", "TT"], b"a notice");
    let within = |frame: &Bytes, part: &Bytes| frame.as_ptr_range().contains(&part.as_ptr());
    for part in [sealed.body(), sealed.sig(), &sealed.stanzas()[1]] {
        assert!(within(sealed.envelope(), part));
    }
    let frame = sealed.envelope();
    let arrived = Arrived::parse(frame).unwrap();
    for part in [
        arrived.hdr().bytes(),
        arrived.pre().bytes(),
        arrived.sig(),
        arrived.body(),
        &arrived.stanzas()[0],
    ] {
        assert!(within(frame, part));
    }
}

#[test]
fn arrived_says_what_was_sealed() {
    let sealed = net().seal("JM", &["BB", "TT"], b"a notice");
    let arrived = Arrived::parse(sealed.envelope()).unwrap();
    assert_eq!(arrived.originator(), code("JM"));
    assert_eq!(arrived.incarnation(), LIFE);
    assert_eq!(arrived.precedence(), v1::Precedence::Priority);
    assert_eq!(arrived.created_at(), NOW);
    assert_eq!(arrived.expires_at(), sealed.expires_at());
    assert_eq!(arrived.recipients(), [code("BB"), code("TT")]);
    assert_eq!(arrived.recipients(), sealed.recipients());
    assert_eq!(sealed.blinds()[0].1, StreamSeq::FIRST);
}

#[test]
fn nothing_repeats_between_two_envelopes_of_one_notice() {
    let net = net();
    let (a, b) = (
        net.seal("JM", &["TT"], b"same"),
        net.seal("JM", &["TT"], b"same"),
    );
    assert_ne!(a.id(), b.id());
    assert_ne!(a.body(), b.body());
    assert_ne!(a.stanzas(), b.stanzas());
    assert_ne!(a.trl().message().commit, b.trl().message().commit);
    assert_ne!(a.blinds()[0].2, b.blinds()[0].2);
}

#[test]
fn a_relay_carries_pruned_stanzas_and_a_recipient_misses_its_own() {
    let net = net();
    let sealed = net.seal("JM", &["BB", "TT"], b"a notice");
    let mut pruned = v1::Envelope::decode(sealed.envelope().clone()).unwrap();
    pruned.stanzas[0] = Bytes::new();
    let pruned = frame(&pruned);
    let at_relay = net.verify(&pruned, "LC").unwrap();
    assert!(at_relay.mine().is_none());
    assert!(at_relay.carries(code("TT")) && !at_relay.carries(code("BB")));
    assert!(!at_relay.carries(code("LC")));
    assert_eq!(
        net.open(&at_relay, "LC").unwrap_err().step,
        OpenStep::NotMine
    );
    let at_recipient = net.verify(&pruned, "TT").unwrap();
    assert_eq!(net.open(&at_recipient, "TT").unwrap().notice(), "a notice");
    let missing = net.verify(&pruned, "BB").unwrap_err();
    assert!(matches!(
        missing,
        VerifyFault::Carrier(f) if f.why == CarrierWhy::StanzaMissing
    ));
    let mut bare = v1::Envelope::decode(sealed.envelope().clone()).unwrap();
    bare.stanzas = vec![Bytes::new(); 2];
    let bare = net.verify(&frame(&bare), "LC").unwrap_err();
    assert!(matches!(
        bare,
        VerifyFault::Carrier(f) if f.why == CarrierWhy::StanzaMissing
    ));
}

#[test]
fn a_box_sent_again_opens_from_memory_and_is_another_ciphertext_each_time() {
    let net = net();
    let mut cache = BoxCache::new();
    let mut opened = OpenedBoxes::default();
    let mut send = |text: &[u8]| {
        net.seal_with(("JM", &["TT"]), text, &mut cache, |_| {})
            .unwrap()
    };
    let (first, second) = (send(b"one"), send(b"two"));
    assert_eq!(first.stanzas()[0][..1168], second.stanzas()[0][..1168]);
    assert_ne!(first.stanzas()[0][1168..], second.stanzas()[0][1168..]);
    for (sealed, text) in [(&first, "one"), (&second, "two")] {
        let verified = net.verify(sealed.envelope(), "TT").unwrap();
        let got = open(&verified, &net.secrets("TT"), code("TT"), &mut opened).unwrap();
        assert_eq!(got.notice(), text);
        assert_eq!(opened.len(), 1);
    }
}

#[test]
fn the_own_copy_needs_its_store_key_its_envelope_and_its_body() {
    let net = net();
    let (a, b) = (
        net.seal("JM", &["TT"], b"one"),
        net.seal("JM", &["TT"], b"two"),
    );
    let store = &net.keys("JM").store;
    let step = |hdr: &Bytes, body: &Bytes, copy: &Bytes, store: &StoreKey| {
        reopen_own(hdr, body, copy, store).unwrap_err().step
    };
    let (hdr, body, copy) = (a.hdr().bytes(), a.body(), a.own_copy());
    let other_store = StoreKey::new([1; 32]);
    assert_eq!(step(hdr, body, copy, &other_store), OpenStep::OwnCopy);
    assert_eq!(step(b.hdr().bytes(), body, copy, store), OpenStep::OwnCopy);
    assert_eq!(step(hdr, b.body(), copy, store), OpenStep::Chunk);
    assert_eq!(step(hdr, body, &copy.slice(1..), store), OpenStep::OwnCopy);
    assert_eq!(step(&hdr.slice(1..), body, copy, store), OpenStep::Header);
}

#[test]
fn debug_shows_no_content_and_no_key() {
    let net = net();
    let sealed = net.seal("JM", &["TT"], b"SECRETSECRET");
    let verified = net.verify(sealed.envelope(), "TT").unwrap();
    let opened = net.open(&verified, "TT").unwrap();
    let blind = format!("{:?}", sealed.blinds()[0].2);
    let shown = format!("{sealed:?} {verified:?} {opened:?}");
    assert!(!shown.contains("SECRET") && !shown.contains(&blind));
    assert!(shown.len() < 600, "{shown}");
}
