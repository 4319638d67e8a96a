//! What comes over a link.

use crate::world::{NOW, recipient, sender, world};
use abeng_keys::Signer;
use abeng_link::{
    Greeting,
    session::{Opening, Output, Session, Window},
};
use abeng_seal::{verify_void, verify_want};
use abeng_wire::{Mono, Now, decode_tolerant, encode, limits, split_frame, v1};
use bytes::{Bytes, BytesMut};
use v1::control::Frame;

const NONE: Now = Now {
    wall: NOW,
    mono: Mono(0),
};

/// A control stream from its first byte: no hello but the peer's own is believed.
pub fn greeting(data: &[u8]) -> bool {
    let Some((mut session, _)) = session(v1::Role::Acceptor) else {
        return false;
    };
    feed(&mut session, data)
}

/// A control stream of a peer that has proved who it is.
pub fn control(data: &[u8]) -> bool {
    let Some((mut session, _)) = session(v1::Role::Acceptor) else {
        return false;
    };
    for control in theirs() {
        if session.handle(NONE, control).is_err() {
            return false;
        }
    }
    feed(&mut session, data)
}

/// Whether all of it was taken.
fn feed(session: &mut Session, data: &[u8]) -> bool {
    let mut buffer = BytesMut::from(data);
    while let Ok(Some(frame)) = split_frame(&mut buffer, session.frame_limit()) {
        // A session that is done believes nothing more: its link is closed at the first fault.
        let control = decode_tolerant::<v1::Control>("frame", &frame, limits::CONTROL);
        let Ok(outputs) = control.map(|c| session.handle(NONE, c)) else {
            return false;
        };
        match outputs {
            Ok(outputs) => outputs.iter().for_each(bounded),
            Err(_) => return false,
        }
    }
    buffer.is_empty() && !data.is_empty()
}

fn bounded(output: &Output) {
    if let Output::Up { hello, .. } = output {
        assert_eq!(hello.own, sender().to_string(), "I4: somebody else's hello");
    }
}

/// What the node after the link does with the frames it is given.
pub fn frames_of_peers(data: &[u8]) -> bool {
    let data = Bytes::copy_from_slice(data);
    let Ok(control) = decode_tolerant::<v1::Control>("frame", &data, limits::CONTROL) else {
        return false;
    };
    let receipts = match control.frame {
        Some(Frame::Receipts(receipts)) => receipts.receipts,
        Some(Frame::CarriedReceipts(carried)) => carried.receipts,
        Some(Frame::CarriedWant(signed)) => {
            let want = verify_want(&world().trust.roster, &signed);
            assert!(
                want.is_err() || signed == world().want,
                "I4: a want of nobody's"
            );
            return true;
        }
        Some(Frame::Void(signed) | Frame::CarriedVoid(signed)) => {
            let void = verify_void(&world().trust.roster, &signed);
            assert!(
                void.is_err() || signed == world().void,
                "I4: a void of nobody's"
            );
            return true;
        }
        _ => Vec::new(),
    };
    for receipt in receipts {
        crate::logs::receipt_of(&encode(&receipt));
    }
    true
}

fn session(role: v1::Role) -> Option<(Session, Frame)> {
    let (me, peer) = match role {
        v1::Role::Dialler => (0, 1),
        _ => (1, 0),
    };
    let keys = &world().founding.keyrings;
    let parties = [sender(), recipient()];
    let opening = Opening {
        me: parties[me],
        peer: parties[peer],
        role,
        boot_id: [me as u8; 16],
        exporter: [3; 32],
        peer_key: keys[peer].node_tls().verify_key().clone(),
        greeting: Greeting {
            incarnation: NOW << 16,
            roster: world().trust.roster.reference(),
            checkpoint: Bytes::new(),
            marks: Vec::new(),
            held: None,
            held_note: Bytes::new(),
        },
        window: Window::default(),
    };
    Session::open(opening, keys[me].node_tls().as_ref()).ok()
}

/// The peer's hello and Ready.
fn theirs() -> Vec<v1::Control> {
    let Some((_, hello)) = session(v1::Role::Dialler) else {
        return Vec::new();
    };
    let ready = Frame::Ready(v1::Ready {
        version: 1,
        credit: 16,
        credit_bytes: 1 << 22,
    });
    let control = |frame| v1::Control { frame: Some(frame) };
    vec![control(hello), control(ready)]
}

fn stream(frames: impl IntoIterator<Item = v1::Control>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for control in frames {
        let frame = encode(&control);
        bytes.extend((frame.len() as u32).to_be_bytes());
        bytes.extend(frame);
    }
    bytes
}

/// A greeting that is right.
pub fn greetings() -> Vec<Vec<u8>> {
    vec![stream(theirs())]
}

/// Frames of every kind that a peer may send.
pub fn streams() -> Vec<Vec<u8>> {
    vec![stream(controls())]
}

/// The same, one by one.
pub fn frames() -> Vec<Vec<u8>> {
    controls().iter().map(|c| encode(c).to_vec()).collect()
}

fn controls() -> Vec<v1::Control> {
    let frames = [
        Frame::Credit(v1::Credit {
            envelopes: 40,
            bytes: 1 << 23,
        }),
        Frame::Ping(v1::Ping::default()),
        Frame::Pong(v1::Pong::default()),
        Frame::Receipts(v1::Receipts {
            receipts: vec![world().receipt.clone()],
            ..v1::Receipts::default()
        }),
        Frame::Fault(v1::Fault {
            envelope_id: world().sealed.id().to_bytes(),
            kind: v1::FaultKind::FaultQuota.into(),
            ..v1::Fault::default()
        }),
        Frame::Reach(v1::Reach {
            parties: vec![recipient().to_string(), "TT".to_owned()],
        }),
        Frame::CarriedReceipts(v1::CarriedReceipts {
            receipts: vec![world().receipt.clone()],
        }),
        Frame::Void(world().void.clone()),
        Frame::CarriedVoid(world().void.clone()),
        Frame::CarriedWant(world().want.clone()),
        Frame::Status(v1::Status::default()),
    ];
    let control = |frame| v1::Control { frame: Some(frame) };
    frames.into_iter().map(control).collect()
}
