use std::fmt;

/// A moment on the wall clock: Unix milliseconds, UTC. A claim, never a proof.
pub type Millis = u64;

/// A moment on a clock that never goes back: nanoseconds since some start of this process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Mono(pub u64);

impl Mono {
    /// This moment and `ms` milliseconds.
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1_000_000)))
    }
}

/// Both clocks, as every state machine takes them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// For durations and retries.
    pub mono: Mono,
    /// For what people and statements say.
    pub wall: Millis,
}

/// The time here, in Unix milliseconds, as far as it is known: what ends something for good asks for
/// the earliest that it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The earliest time that it can be.
    pub earliest: Millis,
    /// The time that is believed.
    pub now: Millis,
}

/// A clock without doubt.
impl From<Millis> for Clock {
    fn from(now: Millis) -> Self {
        Self { earliest: now, now }
    }
}

/// One life of a node's journal: Unix milliseconds << 16 | 16 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Incarnation(pub u64);

impl Incarnation {
    /// A new one, from the time and 16 random bits, greater than `above`.
    pub fn new(now: Millis, random: u16, above: Self) -> Self {
        let value = (now << 16) | u64::from(random);
        Self(value.max(above.0.saturating_add(1)))
    }

    /// When it was begun, as the clock there said. Only as good as that clock: for people.
    pub fn begun(self) -> Millis {
        self.0 >> 16
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The place of a leaf in a log, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LeafIndex(pub u64);

impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A number in a stream of (originator, incarnation, recipient), from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamSeq(u64);

impl StreamSeq {
    /// The first number of every stream.
    pub const FIRST: Self = Self(1);

    /// Refuses 0.
    pub fn new(value: u64) -> Option<Self> {
        (value != 0).then_some(Self(value))
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The number after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
