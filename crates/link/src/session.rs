//! One session of a link, free of IO: hello, credit, clocks, and the rule for two connections.
//!
//! Order of a session, the same on both sides:
//!
//! 1. [`Session::open`] gives the first frame to send, the signed hello.
//! 2. Every frame of the control stream goes to [`Session::handle`]. The peer's hello is checked
//!    against what TLS has proved; our Ready goes out; the peer's Ready comes in:
//!    [`Output::Up`]. Nothing is believed before.
//! 3. From then on: [`Session::arriving`] at the header of every envelope frame,
//!    [`Session::consumed`] when the node is done with it; [`Session::may_send`] and
//!    [`Session::sent`] for envelopes of our own.
//!
//! An error is the peer's fault and ends the session.

mod clock;
mod credit;
mod hello;
mod rule;

pub use credit::Window;
pub use hello::{MARKS, Opening, VERSIONS};
pub use rule::{Connection, Verdict, which_stays};

use crate::PeerFault;
use abeng_keys::{SignError, Signer, VerifyKey};
use abeng_wire::{Millis, Mono, Now, PartyCode, limits, v1};
use clock::Clock;
use credit::{Given, Granted};
use v1::control::Frame;

/// What a session asks of its surroundings.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this on the control stream.
    Send(Frame),
    /// The link exists.
    Up {
        /// The peer's hello, checked.
        hello: Box<v1::Hello>,
        /// The peer's Ready: its first credit.
        ready: v1::Ready,
    },
    /// For the node.
    Deliver(Frame),
}

/// The state of one session. See the [module](self) for the order of calls.
#[derive(Debug)]
pub struct Session {
    me: PartyCode,
    peer: PartyCode,
    given: Given,
    clock: Clock,
    state: State,
}

#[derive(Debug)]
enum State {
    AwaitHello {
        role: v1::Role,
        key: Box<VerifyKey>,
        exporter: [u8; 32],
    },
    AwaitReady {
        hello: Box<v1::Hello>,
    },
    Up {
        granted: Granted,
    },
    Failed,
}

impl Session {
    /// Starts a session on a connection whose TLS handshake is done. The frame is the first to
    /// send.
    pub fn open(opening: Opening, signer: &dyn Signer) -> Result<(Self, Frame), SignError> {
        let hello = hello::sign(&opening, signer)?;
        let session = Self {
            me: opening.me,
            peer: opening.peer,
            given: Given::new(opening.window),
            clock: Clock::default(),
            state: State::AwaitHello {
                role: opening.role,
                key: Box::new(opening.peer_key),
                exporter: opening.exporter,
            },
        };
        Ok((session, Frame::Hello(hello)))
    }

    /// The longest control frame that may come next, in bytes.
    pub fn frame_limit(&self) -> usize {
        match self.state {
            State::Up { .. } => limits::CONTROL,
            _ => limits::HELLO,
        }
    }

    /// Takes one frame of the control stream. Frames of a kind unknown here are passed over once
    /// the session is up.
    pub fn handle(&mut self, now: Now, control: v1::Control) -> Result<Vec<Output>, PeerFault> {
        let state = std::mem::replace(&mut self.state, State::Failed);
        match (state, control.frame) {
            (
                State::AwaitHello {
                    role,
                    key,
                    exporter,
                },
                Some(Frame::Hello(signed)),
            ) => {
                let hello = hello::check(&signed, self.me, self.peer, role, &key, &exporter)?;
                self.state = State::AwaitReady {
                    hello: Box::new(hello),
                };
                let window = self.given.window();
                Ok(vec![Output::Send(Frame::Ready(v1::Ready {
                    version: hello::VERSIONS[0],
                    credit: window.envelopes,
                    credit_bytes: window.bytes,
                }))])
            }
            (State::AwaitReady { hello }, Some(Frame::Ready(mut ready))) => {
                if !hello::VERSIONS.contains(&ready.version) {
                    return Err(PeerFault::Version {
                        theirs: vec![ready.version],
                        ours: hello::VERSIONS,
                    });
                }
                self.state = State::Up {
                    granted: Granted::new(&mut ready),
                };
                Ok(vec![Output::Up { hello, ready }])
            }
            (State::Up { granted }, frame) => {
                self.state = State::Up { granted };
                self.handle_up(now, frame)
            }
            (state, frame) => Err(PeerFault::Unexpected {
                found: frame.as_ref().map_or("unknown", kind),
                expected: match state {
                    State::AwaitHello { .. } => "hello",
                    State::AwaitReady { .. } => "ready",
                    State::Up { .. } | State::Failed => "no further frame",
                },
            }),
        }
    }

    fn handle_up(&mut self, now: Now, frame: Option<Frame>) -> Result<Vec<Output>, PeerFault> {
        match frame {
            // A kind that a later version added; it cannot be essential in version 1.
            None => Ok(Vec::new()),
            Some(frame @ (Frame::Hello(_) | Frame::Ready(_))) => Err(PeerFault::Unexpected {
                found: kind(&frame),
                expected: "a frame of an open link",
            }),
            Some(Frame::Ping(ping)) => Ok(vec![Output::Send(Frame::Pong(v1::Pong {
                nonce: ping.nonce,
                time: now.wall,
            }))]),
            Some(Frame::Pong(pong)) => {
                self.clock.pong(now, &pong);
                Ok(Vec::new())
            }
            Some(Frame::Credit(credit)) => {
                let State::Up { granted } = &mut self.state else {
                    return Ok(Vec::new());
                };
                Ok(vec![Output::Deliver(Frame::Credit(granted.raise(&credit)))])
            }
            Some(Frame::Receipts(receipts)) if receipts.receipts.len() > limits::RECEIPTS => {
                Err(PeerFault::Unexpected {
                    found: "receipts frame of too many receipts",
                    expected: "at most `limits::RECEIPTS`",
                })
            }
            Some(frame) => Ok(vec![Output::Deliver(frame)]),
        }
    }

    /// Counts an envelope frame of `length` bytes whose header has come, before any of its bytes
    /// is stored.
    pub fn arriving(&mut self, length: usize) -> Result<(), PeerFault> {
        self.given.arriving(length)
    }

    /// The node is done with an envelope of `length` bytes. Now and then the answer is credit to
    /// send.
    pub fn consumed(&mut self, length: usize) -> Option<Frame> {
        self.given.consumed(length).map(Frame::Credit)
    }

    /// Whether the peer's credit covers an envelope of `length` bytes. An eighth of a window is
    /// kept for FLASH.
    pub fn may_send(&self, precedence: v1::Precedence, length: usize) -> bool {
        match &self.state {
            State::Up { granted } => granted.covers(precedence, length),
            _ => false,
        }
    }

    /// Counts an envelope of ours that goes out.
    pub fn sent(&mut self, length: usize) {
        if let State::Up { granted } = &mut self.state {
            granted.sent(length);
        }
    }

    /// A ping to send now.
    pub fn ping(&mut self, now: Now) -> Frame {
        Frame::Ping(self.clock.ping(now))
    }

    /// How far the peer's wall clock is ahead of ours, in milliseconds; `None` before a pong.
    pub fn clock_offset_ms(&self, now: Now) -> Option<i64> {
        let wide = i128::from(self.peer_time(now.mono)?) - i128::from(now.wall);
        Some(wide.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }

    /// The peer's wall clock now, as it says; `None` before a pong.
    pub fn peer_time(&self, now: Mono) -> Option<Millis> {
        self.clock.peer_time(now)
    }
}

/// A frame's kind, for messages.
pub(crate) fn kind(frame: &Frame) -> &'static str {
    match frame {
        Frame::Hello(_) => "hello",
        Frame::Ready(_) => "ready",
        Frame::Credit(_) => "credit",
        Frame::Receipts(_) => "receipts",
        Frame::Fault(_) => "fault",
        Frame::Want(_) => "want",
        Frame::Void(_) => "void",
        Frame::Trust(_) => "trust",
        Frame::Checkpoint(_) => "checkpoint",
        Frame::Status(_) => "status",
        Frame::Ping(_) => "ping",
        Frame::Pong(_) => "pong",
        Frame::Roster(_) => "roster",
        Frame::Cosignature(_) => "cosignature",
        Frame::ProofWanted(_) => "proof wanted",
        Frame::AttachmentWant(_) => "attachment want",
        Frame::AttachmentRefused(_) => "attachment refused",
        Frame::Claim(_) => "claim",
        Frame::Reach(_) => "reach",
        Frame::CarriedReceipts(_) => "carried receipts",
        Frame::CarriedWant(_) => "carried want",
        Frame::CarriedVoid(_) => "carried void",
        Frame::TrustMarks(_) => "trust marks",
    }
}

#[cfg(test)]
mod tests;
