use abeng_wire::{FrameError, Malformed, PartyCode};
use std::{io, net::SocketAddr};

/// Why an endpoint could not start: the operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Another program has the UDP port.
    #[error("UDP {addr} is in use by another program; stop it or choose another `listen` address")]
    PortTaken {
        /// The address wanted.
        addr: SocketAddr,
    },
    /// The operating system forbids the port.
    #[error(
        "the operating system does not let this user listen on UDP {addr}; choose a port above 1023"
    )]
    NotAllowed {
        /// The address wanted.
        addr: SocketAddr,
    },
    /// The machine does not have the address.
    #[error("this machine has no address {addr}; use 0.0.0.0 or [::] to listen on all")]
    NoAddress {
        /// The address wanted.
        addr: SocketAddr,
    },
    /// Something else about the socket.
    #[error("cannot listen on UDP {addr}: {source}")]
    Socket {
        /// The address wanted.
        addr: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// TLS refuses our own key or settings.
    #[error("cannot set up TLS with the node-tls key: {reason}")]
    Tls {
        /// The library's words.
        reason: String,
    },
}

/// What a peer did against the protocol. Ends the link, never the node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerFault {
    /// A frame of a length that is not allowed; nothing was allocated for it.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Bytes that are not the message due here.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// A frame that has no place here: before the hello, after it, or twice.
    #[error("a {found} frame while {expected} was due")]
    Unexpected {
        /// What came.
        found: &'static str,
        /// What was due.
        expected: &'static str,
    },
    /// A hello that contradicts what the connection has already proved, or itself.
    #[error("the hello's {field} is wrong")]
    Hello {
        /// Which field.
        field: &'static str,
    },
    /// No protocol version in common.
    #[error("no protocol version in common: the peer speaks {theirs:?}, this node {ours:?}")]
    Version {
        /// The peer's.
        theirs: Vec<u32>,
        /// Ours.
        ours: &'static [u32],
    },
    /// The hello is not signed by the connection's own key for this very connection.
    #[error("the hello's signature does not hold on this connection")]
    Signature,
    /// More envelopes than were asked for.
    #[error("envelopes beyond the credit of {envelopes} and {bytes} bytes")]
    Credit {
        /// Envelopes allowed since Ready.
        envelopes: u64,
        /// Bytes allowed since Ready.
        bytes: u64,
    },
    /// A stream of no known use, or a second of its kind.
    #[error("a stream of kind {kind} that is unknown or already open")]
    Stream {
        /// Its first byte.
        kind: u8,
    },
    /// An attachment that nobody asked for, or not the one that was asked for.
    #[error("an attachment's stream: {what}")]
    Attachment {
        /// What is wrong with it.
        what: &'static str,
    },
    /// A stream or the control stream ended in the middle of a frame, or was reset.
    #[error("a stream broke off in the middle of a frame")]
    Broken,
    /// No complete hello in time.
    #[error("no complete hello within the time limit")]
    Slow,
    /// More control frames than a peer may send.
    #[error("too many control frames, of which the last was: {found}")]
    Flood {
        /// The kind of the last.
        found: &'static str,
    },
    /// The peer takes nothing while more and more is owed to it.
    #[error("the peer does not read: {bytes} bytes wait for it")]
    NotReading {
        /// Bytes that wait.
        bytes: usize,
    },
}

/// Application error codes with which a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum CloseCode {
    /// Nothing more to say.
    Done = 0,
    /// The peer broke the protocol.
    Fault = 1,
    /// The peer's TLS key is not that of an active party here: fetch trust data.
    UnknownKey = 2,
    /// Another connection with the same peer took over.
    Replaced = 3,
    /// Too many connections.
    Busy = 4,
    /// The peer's key is no longer active.
    KeyGone = 5,
    /// The node stops.
    Shutdown = 6,
    /// The node chose to close this link.
    Chosen = 7,
}

impl CloseCode {
    /// Reads a code off the wire.
    pub fn from_wire(code: u64) -> Option<Self> {
        [
            Self::Done,
            Self::Fault,
            Self::UnknownKey,
            Self::Replaced,
            Self::Busy,
            Self::KeyGone,
            Self::Shutdown,
            Self::Chosen,
        ]
        .into_iter()
        .find(|known| *known as u64 == code)
    }
}

/// Why a session ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// The peer closed it.
    #[error("the peer closed the link ({code:?}): {reason}")]
    ByPeer {
        /// Its code, where known.
        code: Option<CloseCode>,
        /// Its words, cut to 200 characters.
        reason: String,
    },
    /// The path is gone, or the peer's process.
    #[error("the connection was lost: {reason}")]
    Lost {
        /// What QUIC says.
        reason: String,
    },
    /// The peer broke the protocol.
    #[error("{peer} broke the protocol: {fault}")]
    Fault {
        /// The peer.
        peer: PartyCode,
        /// How.
        fault: PeerFault,
    },
    /// A newer connection took over.
    #[error("another connection with the same peer took over")]
    Replaced,
    /// The peer's key is no longer that of an active party.
    #[error("the peer's node-tls key is no longer active in the roster")]
    KeyGone,
    /// [`crate::Link::close`] was called.
    #[error("closed here: {reason}")]
    Here {
        /// The caller's words.
        reason: String,
    },
    /// The endpoint stops.
    #[error("this node stops")]
    Shutdown,
}

impl Closed {
    /// What the peer is told.
    pub(crate) fn code(&self) -> CloseCode {
        match self {
            Self::ByPeer { .. } | Self::Lost { .. } => CloseCode::Done,
            Self::Fault { .. } => CloseCode::Fault,
            Self::Replaced => CloseCode::Replaced,
            Self::KeyGone => CloseCode::KeyGone,
            Self::Here { .. } => CloseCode::Chosen,
            Self::Shutdown => CloseCode::Shutdown,
        }
    }
}
