//! The two ends of a link: the real session, and envelopes that wait for credit.

use crate::{
    Kind,
    book::Book,
    net::{Frame, Out},
    node::Life,
    world::{party, place_of, world},
};
use abeng_keys::{Entropy, Role};
use abeng_link::{
    Greeting, PeerFault,
    session::{Opening, Output, Session, Window},
};
use abeng_queue::Input;
use abeng_wire::{Incarnation, Now, PartyCode, decode_tolerant, encode, limits, v1};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use v1::control::Frame as Control;

/// What both ends of a new connection know once TLS is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Connection {
    pub(crate) number: u64,
    pub(crate) exporter: [u8; 32],
    pub(crate) window: Window,
}

/// One end of a link.
#[derive(Debug)]
pub(crate) struct End {
    number: u64,
    session: Session,
    /// Both sides have said Ready.
    up: bool,
    /// The life of its log that the peer's hello names.
    life: Incarnation,
    /// It stays until the peer has seen why; nothing from it counts.
    refused: bool,
    // Envelopes without credit yet, by precedence.
    lanes: BTreeMap<i32, VecDeque<Bytes>>,
}

/// What a link is closed for.
#[derive(Debug)]
pub(crate) struct Close;

impl Life {
    /// TLS is done: the first frame goes out. None where the peer's key is not good by this
    /// clock, so that TLS fails.
    pub(crate) fn open_link(
        &mut self,
        now: Now,
        peer: usize,
        role: v1::Role,
        connection: Connection,
    ) -> Option<()> {
        let code = party(peer);
        let keys = world().trust.roster.party(code)?;
        let peer_key = keys.active_key(Role::NodeTls, now.wall)?.clone();
        // What was signed last; nothing newer is signed before the peer has answered with what it
        // holds.
        let signed = self.signed.clone().or_else(|| {
            let shows = self.past.is_none();
            shows.then(|| self.checkpoint_at(self.reader.size()))
        });
        let held = self.logs.newest_held(code);
        let held = held.map(|(origin, held)| v1::CheckpointRef {
            incarnation: origin.incarnation.0,
            size: held.checkpoint.size(),
            root: held.checkpoint.root().to_bytes(),
        });
        let newest = self.logs.newest(code);
        let marks = self.engine.all_marks().into_iter();
        let opening = Opening {
            me: party(self.me),
            peer: code,
            role,
            boot_id: self.boot_id,
            exporter: connection.exporter,
            peer_key,
            greeting: Greeting {
                incarnation: self.incarnation.0,
                roster: world().trust.roster.reference(),
                checkpoint: signed.map(|c| c.note().clone()).unwrap_or_default(),
                marks: marks
                    .filter(|(of, _)| *of == code)
                    .map(|(_, m)| m)
                    .collect(),
                held,
                held_note: newest.map(|c| c.note().clone()).unwrap_or_default(),
            },
            window: connection.window,
        };
        let signer = world().keyrings[self.me].node_tls();
        let (session, hello) = Session::open(opening, &**signer).expect("a key signs");
        let end = End {
            number: connection.number,
            session,
            up: false,
            life: Incarnation::default(),
            refused: false,
            lanes: BTreeMap::new(),
        };
        self.links.insert(code, end);
        self.say(code, hello);
        Some(())
    }

    /// Sends a control frame on the present link, if there is one.
    pub(crate) fn say(&mut self, peer: PartyCode, frame: Control) {
        let Some(link) = self.links.get(&peer) else {
            return;
        };
        let control = v1::Control { frame: Some(frame) };
        self.words.push(Out {
            to: place_of(peer),
            session: Some(link.number),
            stream: 0,
            frame: Frame::Control(encode(&control)),
        });
    }

    /// Puts an envelope on a link, or in the lane where it waits for credit.
    pub(crate) fn push_envelope(
        &mut self,
        peer: PartyCode,
        precedence: v1::Precedence,
        envelope: Bytes,
        book: &mut Book,
    ) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        let lane = link.lanes.entry(precedence.into()).or_default();
        lane.push_back(envelope);
        self.flush(peer, book);
    }

    /// Sends what the peer's credit covers, the most urgent first.
    fn flush(&mut self, peer: PartyCode, book: &mut Book) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        for (&precedence, lane) in &mut link.lanes {
            let urgency = v1::Precedence::try_from(precedence).unwrap();
            while let Some(envelope) =
                lane.pop_front_if(|e| link.session.may_send(urgency, e.len()))
            {
                link.session.sent(envelope.len());
                self.words.push(Out {
                    to: place_of(peer),
                    session: Some(link.number),
                    stream: precedence as u8,
                    frame: Frame::Envelope(envelope),
                });
            }
            // The engine knows the credit too, and keeps to it.
            if !lane.is_empty() {
                let (me, n) = (party(self.me), lane.len());
                let what = format!("{me} sends {n} envelopes beyond the credit of {peer}");
                book.problem(Kind::Link, what);
            }
        }
    }

    /// An envelope frame's header has come. Every peer is honest: what the session does not like
    /// is a defect.
    pub(crate) fn arriving(
        &mut self,
        peer: PartyCode,
        length: usize,
        book: &mut Book,
    ) -> Result<(), Close> {
        let link = self.links.get_mut(&peer);
        let arrived = link.map_or(Ok(()), |link| link.session.arriving(length));
        arrived.map_err(|fault| self.broken(peer, &fault, book))
    }

    /// The node is done with an envelope that came over a link.
    pub(crate) fn consumed(&mut self, peer: PartyCode, number: u64, length: usize) {
        let link = self.links.get_mut(&peer).filter(|l| l.number == number);
        if let Some(credit) = link.and_then(|link| link.session.consumed(length)) {
            self.say(peer, credit);
        }
    }

    /// Takes one frame of the control stream.
    pub(crate) fn control(
        &mut self,
        now: Now,
        peer: PartyCode,
        frame: &Bytes,
        book: &mut Book,
    ) -> Result<(), Close> {
        let Some(link) = self.links.get_mut(&peer) else {
            return Ok(());
        };
        let control = decode_tolerant("control frame", frame, link.session.frame_limit());
        let outputs = control
            .map_err(PeerFault::from)
            .and_then(|control| link.session.handle(now, control));
        let outputs = outputs.map_err(|fault| self.broken(peer, &fault, book))?;
        for output in outputs {
            match output {
                Output::Send(frame) => self.say(peer, frame),
                Output::Up { hello, ready } => self.up(now, peer, &hello, &ready, book),
                Output::Deliver(_) if self.is_refused(peer) => {}
                Output::Deliver(frame) => self.take(now, peer, frame, book)?,
            }
        }
        Ok(())
    }

    fn up(
        &mut self,
        now: Now,
        peer: PartyCode,
        hello: &v1::Hello,
        ready: &v1::Ready,
        book: &mut Book,
    ) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        link.life = Incarnation(hello.incarnation);
        if self.refuses(peer, hello, book) {
            if let Some(link) = self.links.get_mut(&peer) {
                link.refused = true;
            }
            return;
        }
        let how = "stale copy found out at hello";
        self.shown(now, peer, (&hello.held_note, how), book);
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        link.up = true;
        let number = link.number;
        let ping = link.session.ping(now);
        self.say(peer, ping);
        book.meet("hello");
        self.link_up(now, (peer, number), hello.held.as_ref(), ready, book);
        self.offer_again(now, peer, hello, book);
    }

    fn take(
        &mut self,
        now: Now,
        peer: PartyCode,
        frame: Control,
        book: &mut Book,
    ) -> Result<(), Close> {
        match frame {
            Control::Receipts(receipts) => match self.take_receipts(peer, receipts, book) {
                true => Ok(()),
                false => Err(Close),
            },
            Control::Reach(reach) => {
                self.take_reach(now, peer, &reach, book);
                Ok(())
            }
            Control::CarriedReceipts(receipts) => {
                self.take_carried_receipts(peer, receipts, book);
                Ok(())
            }
            Control::Fault(fault) => {
                self.take_fault(now, peer, &fault, book);
                Ok(())
            }
            Control::Claim(claim) => {
                self.shown(
                    now,
                    peer,
                    (&claim.note, "stale copy found out by a claim"),
                    book,
                );
                Ok(())
            }
            Control::Want(want) => {
                self.take_want(now, (peer, None), want, book);
                Ok(())
            }
            Control::CarriedWant(signed) => {
                self.take_carried_want(now, peer, signed, book);
                Ok(())
            }
            Control::CarriedVoid(signed) => {
                self.take_carried_void(now, peer, signed, book);
                Ok(())
            }
            Control::Void(signed) => {
                self.take_void(now, peer, signed, book);
                Ok(())
            }
            Control::Credit(v1::Credit { envelopes, bytes }) => {
                let Some(link) = self.links.get(&peer) else {
                    return Ok(());
                };
                let session = link.number;
                self.flush(peer, book);
                let input = Input::Credit {
                    peer,
                    session,
                    envelopes,
                    bytes,
                };
                let before = self.steps.len();
                self.handle(now, input, book);
                if self.steps.len() > before {
                    book.meet("sent on new credit");
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn broken(&self, peer: PartyCode, fault: &PeerFault, book: &mut Book) -> Close {
        let me = party(self.me);
        book.problem(
            Kind::Link,
            format!("{me} finds that {peer} breaks a rule: {fault}"),
        );
        Close
    }

    fn is_refused(&self, peer: PartyCode) -> bool {
        self.links.get(&peer).is_some_and(|link| link.refused)
    }

    /// The life that the hello of the present link names.
    pub(crate) fn life_of(&self, peer: PartyCode) -> Option<Incarnation> {
        self.links.get(&peer).map(|link| link.life)
    }

    /// Whether frames other than the hello may come from a peer.
    pub(crate) fn is_up(&self, peer: PartyCode) -> bool {
        self.links.get(&peer).is_some_and(|link| link.up)
    }
}

/// Envelopes that nodes of a run take on a link.
pub(crate) const WINDOWS: [u64; 3] = [4, 8, 32];

/// What a node takes on a link before it has looked at anything.
pub(crate) fn window(envelopes: u64) -> Window {
    Window {
        envelopes,
        bytes: 8 * limits::ENVELOPE as u64,
    }
}

/// 16 random bytes that name a process.
pub(crate) fn boot_id(entropy: &mut dyn Entropy) -> [u8; 16] {
    let mut id = [0; 16];
    entropy.fill(&mut id);
    id
}
