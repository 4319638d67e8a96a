use abeng_wire::Malformed;

/// Why a courier file cannot be read on. What came before stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CourierFault {
    /// Something else.
    #[error("this is no courier file")]
    NotCourier,
    /// Of a version that this program does not know.
    #[error("the courier file is of version {0}, which is not known here")]
    Version(u32),
    /// It does not begin with a header that can be read.
    #[error("the courier file's header cannot be read")]
    Header,
    /// It ends before its close.
    #[error("the courier file is cut off: it is whole up to byte {at} of {length}")]
    Cut {
        /// The end of what is whole.
        at: u64,
        /// Bytes that are there.
        length: u64,
    },
    /// A frame announces more than its kind may hold.
    #[error(
        "the courier file is damaged at byte {at}: a frame of {length} bytes is announced, and {limit} are allowed"
    )]
    Length {
        /// Where the frame begins.
        at: u64,
        /// Announced.
        length: u64,
        /// Allowed.
        limit: usize,
    },
    /// Every frame could be read, and still something was changed, left out or put in.
    #[error("the courier file is not as it was made: its digest does not match")]
    Digest,
    /// Something follows its close.
    #[error("something follows the end of the courier file, at byte {at}")]
    Trailing {
        /// Where.
        at: u64,
    },
}

/// Why one frame is passed over. The next one can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Not a message of its kind.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// A frame of a kind that this program does not know.
    #[error("a frame of kind {0}, which is not known here")]
    UnknownKind(u8),
    /// A second header.
    #[error("a second header")]
    Header,
}
