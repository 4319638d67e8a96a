use crate::{AttachmentReceiver, Closed, Link, PeerFault};
use abeng_wire::{Millis, PartyCode, v1};
use async_trait::async_trait;
use bytes::Bytes;
use std::time::SystemTime;

/// What a node says of itself in the hello to one peer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Greeting {
    /// Own incarnation.
    pub incarnation: u64,
    /// Newest roster here.
    pub roster: v1::RosterRef,
    /// Newest own checkpoint, a signed note of at most [`abeng_wire::limits::CHECKPOINT`] bytes.
    pub checkpoint: Bytes,
    /// How far the peer's streams are known here; at most [`crate::session::MARKS`].
    pub marks: Vec<v1::StreamMark>,
    /// Newest checkpoint of the peer held here.
    pub held: Option<v1::CheckpointRef>,
    /// Newest checkpoint of the peer known here, a signed note: what a peer with an older past is
    /// shown. At most [`abeng_wire::limits::CHECKPOINT`] bytes.
    pub held_note: Bytes,
}

/// The node, as a link sees it.
///
/// Order: for one session first `up`, then any number of `envelope` and `control`, then `down`
/// once. A peer's new session may be up before its old one is down, so `down` must be matched by
/// its session; a call that runs while `down` is told may still finish after it. Envelopes of
/// one precedence come one after the other, in the order sent; precedences and control overtake
/// each other.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// What the hello to `peer` shall say.
    fn greeting(&self, peer: PartyCode) -> Greeting;

    /// Whether a peer that has greeted so may have a link. One that may not takes no other's place:
    /// the link that is there stays, and what comes over the new connection is not read.
    fn admits(&self, _peer: PartyCode, _hello: &v1::Hello) -> bool {
        true
    }

    /// A connection that was not admitted. What the peer is to see may be sent on it; it closes in a
    /// few seconds, with the reason that this returns. `down` is told of it, as of a link.
    fn refused(&self, _link: &Link) -> &'static str {
        "not admitted"
    }

    /// A link exists: both sides have proved who they are and said so. `ready` is the peer's and
    /// holds the first totals of credit.
    fn up(&self, link: Link, hello: v1::Hello, ready: v1::Ready);

    /// An encoded [`v1::Envelope`], unchecked but for its length. Not returning stops that
    /// stream; credit goes back to the peer once this returns.
    async fn envelope(&self, link: &Link, precedence: v1::Precedence, frame: Bytes);

    /// A frame of the control stream. Hello, Ready, Ping, Pong and Trust stay inside the link;
    /// [`v1::Credit`] is passed on (totals since Ready, the Ready's own included).
    async fn control(&self, link: &Link, frame: v1::control::Frame);

    /// A stream that claims to bring an attachment. It is read as fast as this reads, so that no
    /// more than a piece of it is in memory. An error ends the link: nobody brings what was not
    /// asked for.
    async fn attachment(&self, link: &Link, stream: AttachmentReceiver) -> Result<(), PeerFault> {
        let _ = (link, stream);
        Err(PeerFault::Attachment {
            what: "not asked for",
        })
    }

    /// The session has ended.
    fn down(&self, peer: PartyCode, session: u64, why: &Closed);

    /// The time in Unix milliseconds, as far as this node believes its clock.
    fn wall(&self) -> Millis {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, |since| since.as_millis() as u64)
    }

    /// Whether `peer` may be dialled now: a node that pays by the byte waits until it has
    /// something to say. Asked again every few seconds and at every [`crate::Endpoint::wake`].
    fn may_dial(&self, _peer: PartyCode) -> bool {
        true
    }

    /// All trust data here, to be shown to a peer; at most
    /// [`abeng_wire::limits::TRUST_BUNDLE`] bytes encoded.
    fn trust_bundle(&self) -> v1::TrustBundle;

    /// Trust data from anyone at all: nothing in it is believed but what proves itself. Called
    /// on a thread that may block.
    fn take_trust(&self, bundle: v1::TrustBundle);
}
