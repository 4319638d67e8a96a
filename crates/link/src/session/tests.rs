use super::*;
use crate::Greeting;
use abeng_keys::{SignatureType, SoftSigner};
use abeng_wire::{FrameError, Mono, encode, frame_header};
use bytes::Bytes;
use proptest::prelude::*;

const ROUTINE: v1::Precedence = v1::Precedence::Routine;
const SMALL: Window = Window {
    envelopes: 4,
    bytes: 4000,
};

fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}

fn signer(seed: u8) -> SoftSigner {
    SoftSigner::from_seed(&[seed; 32]).unwrap()
}

fn greeting() -> Greeting {
    Greeting {
        incarnation: 7,
        roster: v1::RosterRef {
            version: 1,
            digest: Bytes::from(vec![1; 32]),
        },
        ..Greeting::default()
    }
}

/// JM (key 1) dials TT (key 2).
fn opening(role: v1::Role) -> Opening {
    let (me, peer, peer_key) = match role {
        v1::Role::Dialler => ("JM", "TT", signer(2)),
        _ => ("TT", "JM", signer(1)),
    };
    Opening {
        me: code(me),
        peer: code(peer),
        role,
        boot_id: [9; 16],
        exporter: [3; 32],
        peer_key: peer_key.verify_key().clone(),
        greeting: greeting(),
        window: SMALL,
    }
}

fn open(role: v1::Role) -> (Session, Frame) {
    let own = if role == v1::Role::Dialler { 1 } else { 2 };
    Session::open(opening(role), &signer(own)).unwrap()
}

fn give(session: &mut Session, frame: Frame) -> Result<Vec<Output>, PeerFault> {
    session.handle(Now::default(), v1::Control { frame: Some(frame) })
}

/// TT, up, as seen from JM.
fn up() -> (Session, Session) {
    let (mut dialler, d_hello) = open(v1::Role::Dialler);
    let (mut acceptor, a_hello) = open(v1::Role::Acceptor);
    let [Output::Send(d_ready)] = &give(&mut dialler, a_hello).unwrap()[..] else {
        panic!("no ready");
    };
    let [Output::Send(a_ready)] = &give(&mut acceptor, d_hello).unwrap()[..] else {
        panic!("no ready");
    };
    for (session, ready, peer) in [
        (&mut dialler, a_ready, "TT"),
        (&mut acceptor, d_ready, "JM"),
    ] {
        let [Output::Up { hello, ready }] = &give(session, ready.clone()).unwrap()[..] else {
            panic!("not up");
        };
        assert_eq!(hello.own, peer);
        assert_eq!((ready.credit, ready.credit_bytes), (4, 4000));
    }
    (dialler, acceptor)
}

/// A hello of TT after `change`, signed by `key` for `exporter`.
fn forged(change: impl FnOnce(&mut v1::Hello), key: u8, exporter: [u8; 32]) -> Frame {
    let (_, Frame::Hello(good)) = open(v1::Role::Acceptor) else {
        panic!("no hello");
    };
    let mut hello: v1::Hello = abeng_wire::decode("hello", &good.hello, 9999).unwrap();
    change(&mut hello);
    let hello = encode(&hello);
    let sig = signer(key)
        .sign(SignatureType::HELLO, &[&hello[..], &exporter].concat())
        .unwrap();
    Frame::Hello(v1::SignedHello {
        hello,
        sig: Bytes::copy_from_slice(&sig),
    })
}

fn answer(frame: Frame) -> Result<Vec<Output>, PeerFault> {
    give(&mut open(v1::Role::Dialler).0, frame)
}

#[test]
fn both_sides_come_up_and_not_before_ready() {
    let (mut session, _) = open(v1::Role::Dialler);
    assert_eq!(session.frame_limit(), limits::HELLO);
    assert!(!session.may_send(ROUTINE, 1));
    let hello = forged(|_| {}, 2, [3; 32]);
    assert_eq!(give(&mut session, hello).unwrap().len(), 1);
    assert!(!session.may_send(ROUTINE, 1));
    let (session, _) = up();
    assert_eq!(session.frame_limit(), limits::CONTROL);
    assert!(session.may_send(ROUTINE, 4000));
}

#[test]
fn a_hello_for_another_connection_or_by_another_key_is_refused() {
    assert_eq!(
        answer(forged(|_| {}, 2, [4; 32])),
        Err(PeerFault::Signature)
    );
    assert_eq!(
        answer(forged(|_| {}, 1, [3; 32])),
        Err(PeerFault::Signature)
    );
    // Our own hello, sent back.
    let (mut session, own) = open(v1::Role::Dialler);
    assert_eq!(give(&mut session, own), Err(PeerFault::Signature));
    // Every hello is its own: nothing goes on after a refusal.
    assert!(give(&mut session, forged(|_| {}, 2, [3; 32])).is_err());
}

#[test]
fn a_hello_that_contradicts_the_connection_is_refused() {
    type Change = fn(&mut v1::Hello);
    let cases: [(&str, Change); 10] = [
        ("role", |h| h.role = v1::Role::Dialler.into()),
        ("role", |h| h.role = 0),
        ("own party", |h| h.own = "JM".into()),
        ("peer party", |h| h.peer = "TT".into()),
        ("boot id", |h| h.boot_id = Bytes::from_static(b"short")),
        ("roster", |h| h.roster = None),
        ("versions", |h| h.versions = vec![1; 17]),
        ("checkpoint", |h| {
            h.checkpoint = vec![0; limits::CHECKPOINT + 1].into()
        }),
        ("marks", |h| {
            h.marks = vec![v1::StreamMark::default(); MARKS + 1]
        }),
        ("held checkpoint", |h| {
            h.held = Some(v1::CheckpointRef::default())
        }),
    ];
    for (field, change) in cases {
        let result = answer(forged(change, 2, [3; 32]));
        assert_eq!(result, Err(PeerFault::Hello { field }));
    }
    assert!(matches!(
        answer(forged(|h| h.versions = vec![2, 3], 2, [3; 32])),
        Err(PeerFault::Version { .. })
    ));
    assert!(answer(forged(|h| h.versions = vec![2, 1], 2, [3; 32])).is_ok());
}

#[test]
fn frames_out_of_order_are_refused() {
    let ready = Frame::Ready(v1::Ready {
        version: 1,
        ..v1::Ready::default()
    });
    assert!(answer(ready.clone()).is_err());
    assert!(answer(Frame::Ping(v1::Ping::default())).is_err());
    let (mut session, _) = open(v1::Role::Dialler);
    give(&mut session, forged(|_| {}, 2, [3; 32])).unwrap();
    assert!(give(&mut session, forged(|_| {}, 2, [3; 32])).is_err());
    let (mut session, _) = open(v1::Role::Dialler);
    give(&mut session, forged(|_| {}, 2, [3; 32])).unwrap();
    let other = Frame::Ready(v1::Ready::default());
    assert!(matches!(
        give(&mut session, other),
        Err(PeerFault::Version { .. })
    ));
    let (mut session, _) = up();
    assert!(give(&mut session, ready).is_err());
    assert_eq!(
        up().0.handle(Now::default(), v1::Control { frame: None }),
        Ok(Vec::new()),
        "a frame of a later version is passed over"
    );
}

#[test]
fn clocks_are_compared_by_the_shortest_round_trip() {
    let (mut session, _) = up();
    let at = |ms: u64| Now {
        mono: Mono(ms * 1_000_000),
        wall: 1_000_000 + ms,
    };
    let pong = |nonce, time| v1::Control {
        frame: Some(Frame::Pong(v1::Pong { nonce, time })),
    };
    assert_eq!(session.clock_offset_ms(at(0)), None);
    session.ping(at(0));
    session.handle(at(1000), pong(7, 0)).unwrap();
    assert_eq!(
        session.clock_offset_ms(at(1000)),
        None,
        "an answer to no ping"
    );
    session.handle(at(1000), pong(1, 1_000_800)).unwrap();
    assert_eq!(session.clock_offset_ms(at(1000)), Some(300));
    session.ping(at(2000));
    session.handle(at(2010), pong(2, 999_005)).unwrap();
    assert_eq!(session.clock_offset_ms(at(2010)), Some(-3000));
    session.handle(at(2010), pong(2, u64::MAX)).unwrap();
    assert_eq!(
        session.clock_offset_ms(at(2010)),
        Some(-3000),
        "the same nonce twice"
    );
    // Set meanwhile, the own clock alone is off: the peer's went on.
    let set = Now {
        wall: 9_000_000,
        ..at(60_000)
    };
    assert_eq!(session.peer_time(set.mono), Some(1_057_000));
    assert_eq!(session.clock_offset_ms(set), Some(1_057_000 - 9_000_000));
}

#[test]
fn a_peer_cannot_make_us_hold_more_than_our_own_window() {
    let (mut session, _) = up();
    let giant = Frame::Credit(v1::Credit {
        envelopes: u64::MAX,
        bytes: u64::MAX,
    });
    let outputs = give(&mut session, giant).unwrap();
    let [Output::Deliver(Frame::Credit(credit))] = &outputs[..] else {
        panic!("no credit");
    };
    assert_eq!(credit.envelopes, limits::CREDIT_ENVELOPES);
    assert_eq!(credit.bytes, limits::CREDIT_BYTES);
}

#[test]
fn envelopes_beyond_the_credit_are_refused_by_count_and_by_bytes() {
    let (mut session, _) = up();
    for _ in 0..4 {
        session.arriving(1).unwrap();
    }
    assert!(matches!(session.arriving(1), Err(PeerFault::Credit { .. })));
    let (mut session, _) = up();
    session.arriving(4000).unwrap();
    assert!(matches!(session.arriving(1), Err(PeerFault::Credit { .. })));
}

#[test]
fn an_eighth_of_the_window_is_kept_for_flash() {
    let (mut session, _) = open(v1::Role::Dialler);
    give(&mut session, forged(|_| {}, 2, [3; 32])).unwrap();
    let ready = Frame::Ready(v1::Ready {
        version: 1,
        credit: 16,
        credit_bytes: limits::CREDIT_BYTES,
    });
    give(&mut session, ready).unwrap();
    let mut sent = 0;
    while session.may_send(ROUTINE, 10) {
        session.sent(10);
        sent += 1;
    }
    assert_eq!(sent, 14);
    while session.may_send(v1::Precedence::Flash, 10) {
        session.sent(10);
        sent += 1;
    }
    assert_eq!(sent, 16);
    let (mut session, _) = up();
    give(
        &mut session,
        Frame::Credit(v1::Credit {
            envelopes: 4,
            bytes: limits::ENVELOPE as u64,
        }),
    )
    .unwrap();
    assert!(
        session.may_send(ROUTINE, limits::ENVELOPE),
        "a small window has no reserve that would keep the largest out"
    );
}

#[test]
fn oversized_lengths_never_reach_a_session() {
    assert!(matches!(
        frame_header([0xff; 4], limits::ENVELOPE),
        Err(FrameError::TooLong { .. })
    ));
}

proptest! {
    /// Two honest sides never see each other overrun, never stall while the receiver consumes,
    /// and whatever is repeated or late among credit frames changes nothing.
    #[test]
    fn credit_flows(
        lengths in proptest::collection::vec(1usize..2000, 1..200),
        order in any::<u64>(),
        repeat in any::<bool>(),
    ) {
        let (mut sender, mut receiver) = up();
        let mut random = order;
        let mut on_the_way = std::collections::VecDeque::new();
        let mut frames: Vec<Frame> = Vec::new();
        let mut waiting: std::collections::VecDeque<usize> = lengths.into();
        let mut idle = 0;
        while !waiting.is_empty() || !on_the_way.is_empty() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let sends = (random >> 33).is_multiple_of(2);
            if sends && let Some(&length) = waiting.front() && sender.may_send(ROUTINE, length) {
                sender.sent(length);
                waiting.pop_front();
                receiver.arriving(length).unwrap();
                on_the_way.push_back(length);
                idle = 0;
            } else if let Some(length) = on_the_way.pop_front() {
                if let Some(credit) = receiver.consumed(length) {
                    frames.push(credit.clone());
                    give(&mut sender, credit).unwrap();
                    if repeat {
                        give(&mut sender, frames[0].clone()).unwrap();
                    }
                }
                idle = 0;
            }
            idle += 1;
            prop_assert!(idle < 100, "stalled with {} waiting", waiting.len());
        }
    }

    /// Both ends come to the same survivor, in whichever order each saw the two connections.
    #[test]
    fn the_rule_agrees_on_both_sides(same_boot in any::<bool>()) {
        let (low, high) = (code("JM"), code("TT"));
        let by = |dialler, boot| Connection { boot_id: [boot; 16], dialler };
        let boot = u8::from(!same_boot);
        let (a, b) = (by(low, 0), by(high, boot));
        if same_boot {
            prop_assert_eq!(which_stays(&a, &b), Verdict::DrainOld);
            prop_assert_eq!(which_stays(&b, &a), Verdict::CloseNew);
        } else {
            prop_assert_eq!(which_stays(&a, &b), Verdict::ReplaceOld);
            prop_assert_eq!(which_stays(&b, &a), Verdict::ReplaceOld);
        }
        prop_assert_eq!(which_stays(&a, &by(low, 0)), Verdict::ReplaceOld);
    }

    /// Whatever bytes come as control frames, a session answers or refuses; it never panics.
    #[test]
    fn random_frames_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200), before in any::<bool>()) {
        let mut session = if before { open(v1::Role::Dialler).0 } else { up().0 };
        if let Ok(control) = abeng_wire::decode_tolerant::<v1::Control>("x", &Bytes::from(bytes), 200) {
            let _ = session.handle(Now::default(), control);
        }
    }
}
