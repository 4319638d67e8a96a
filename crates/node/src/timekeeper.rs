//! Which time to believe. Pure: readings and peers' offsets go in, an interval comes out.
//!
//! Nothing that loses a notice rests on the wall clock alone. While the node runs, the clock that
//! counts what passes (also through a suspension) says how far the wall clock should have come; at
//! a start, the newest moment that is past without doubt does. What leaves these behind is a doubt,
//! until peers settle it: one or two can say that the wall clock is right, three or more, by their
//! median, also that it is wrong and by how much.

use abeng_wire::{Millis, Mono, Now, limits};

/// How far the wall clock may be from what passed before it is doubted; the same for a median of
/// offsets that says that it is right.
const TOLERANCE_MS: u64 = limits::CLOCK_AHEAD_MS;
/// So often the wall clock may move by the tolerance without being doubted: a slow drift, or a
/// clock that is set now and then.
const ANCHOR_MS: u64 = 3_600_000;
/// A start so long after the newest moment that is past without doubt is no ordinary one.
const LONG_ALONE_MS: u64 = 45 * 86_400_000;
/// Peers whose median can say that the own clock is wrong.
const ENOUGH: usize = 3;

/// What the clock is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Nothing speaks against it.
    Plain,
    /// It has left what passed behind, forwards or backwards, and nobody has confirmed it.
    Doubted,
    /// Most of at least three peers say that it is wrong.
    Corrected,
}

/// What is believed of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Believed {
    /// The best guess.
    pub now: Millis,
    /// It is not before this: what ends something by time is measured by it.
    pub earliest: Millis,
    /// It is not after this.
    pub latest: Millis,
    /// What the wall clock is taken for.
    pub trust: Trust,
    /// How far the wall clock is from the best guess, in milliseconds; ahead where above 0.
    pub off_ms: i64,
}

impl Believed {
    /// Half of what may be, either way, in milliseconds.
    pub fn uncertainty_ms(&self) -> u64 {
        self.latest.saturating_sub(self.earliest).div_ceil(2)
    }
}

/// Keeps the time.
#[derive(Debug, Clone)]
pub struct Timekeeper {
    /// A reading of both clocks that was believed.
    anchor: Now,
    /// The newest moment that is past without doubt.
    past: Millis,
    doubt: Doubt,
    trust: Trust,
    /// The last reading, by which jumps are found.
    last: Now,
    /// The newest moment that was known to be past without the wall clock, and when that was known.
    known: Option<Now>,
    /// Peers have confirmed a time since the start.
    confirmed: bool,
}

/// What a doubt is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// The wall clock moved: what passed is known better.
    Moved,
    /// It was there at the start, long after anything known: it may well be right, so what is made
    /// here bears its time, and only what ends something waits.
    Found,
}

/// A wall clock that moved by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    /// By how many milliseconds; back where below 0.
    pub by_ms: i64,
}

/// How far `to` is after `from`, in milliseconds.
pub fn between(from: Millis, to: Millis) -> i64 {
    let wide = i128::from(to) - i128::from(from);
    wide.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

impl Timekeeper {
    /// Begins with a reading. `past` is the newest moment that is past without doubt: of the last
    /// own leaf, of the roster, of a freshness statement.
    pub fn new(read: Now, past: Millis) -> Self {
        let mut keeper = Self {
            anchor: read,
            past: 0,
            doubt: Doubt::Moved,
            trust: Trust::Plain,
            last: read,
            known: None,
            confirmed: false,
        };
        keeper.know(past);
        keeper
    }

    /// Something is past: no time before it is believed any more. At a start that is what the wall
    /// clock is held against.
    pub fn know(&mut self, past: Millis) {
        if past > self.past {
            self.known = Some(Now {
                wall: past,
                mono: self.last.mono,
            });
        }
        self.past = self.past.max(past);
        let ahead = between(self.past, self.anchor.wall);
        let early = ahead < -(TOLERANCE_MS as i64);
        if self.trust == Trust::Plain && self.past > 0 && (early || ahead > LONG_ALONE_MS as i64) {
            self.anchor.wall = self.past;
            self.trust = Trust::Doubted;
            self.doubt = Doubt::Found;
        }
    }

    /// What should be the time by what passed.
    fn expected(&self, mono: Mono) -> Millis {
        let passed = mono.0.saturating_sub(self.anchor.mono.0) / 1_000_000;
        self.anchor.wall.saturating_add(passed)
    }

    /// Takes a reading. A jump of the wall clock is told once.
    pub fn read(&mut self, read: Now) -> Option<Jump> {
        let passed = read.mono.0.saturating_sub(self.last.mono.0) / 1_000_000;
        let moved = between(self.last.wall.saturating_add(passed), read.wall);
        self.last = read;
        let off = between(self.expected(read.mono), read.wall);
        if self.trust == Trust::Plain {
            if off.unsigned_abs() > TOLERANCE_MS {
                self.trust = Trust::Doubted;
                self.doubt = Doubt::Moved;
            } else if self.expected(read.mono) >= self.anchor.wall.saturating_add(ANCHOR_MS) {
                self.anchor = read;
            }
        } else if self.trust == Trust::Doubted && off.unsigned_abs() <= TOLERANCE_MS {
            // It has come back by itself, or was set right by hand.
            self.trust = Trust::Plain;
        }
        (moved.unsigned_abs() > TOLERANCE_MS).then_some(Jump { by_ms: moved })
    }

    /// Takes how far the wall clocks of linked peers are ahead of the own.
    pub fn hear(&mut self, read: Now, offsets: &[i64]) {
        let Some(median) = median(offsets) else {
            return;
        };
        let right = median.unsigned_abs() <= TOLERANCE_MS;
        if right {
            // One or two, together with the own wall clock, may say that the own leaves were ahead,
            // but by no more than a clock is usually set wrong: two machines without a clock of
            // their own begin at one time long ago. For more it needs enough of them.
            if read.wall.saturating_add(LONG_ALONE_MS) >= self.past || offsets.len() >= ENOUGH {
                self.anchor = read;
                self.past = self.past.min(read.wall);
                self.trust = Trust::Plain;
                self.confirmed = true;
            }
        } else if offsets.len() >= ENOUGH {
            let wall = read.wall.saturating_add_signed(median);
            self.anchor = Now { wall, ..read };
            self.past = self.past.min(wall);
            self.trust = Trust::Corrected;
            self.confirmed = true;
        }
    }

    /// The time by which waits end that protect from others. A wall clock that was wrong by days at
    /// the start is like one of a machine that was off for days, and nothing here can tell them
    /// apart: until a peer has confirmed it, what counts is what was known to be past, with what
    /// passed since.
    pub fn waited(&self, read: Now) -> Millis {
        let earliest = self.believed(read).earliest;
        match self.known {
            Some(known) if !self.confirmed => {
                let passed = read.mono.0.saturating_sub(known.mono.0) / 1_000_000;
                earliest.min(known.wall.saturating_add(passed))
            }
            _ => earliest,
        }
    }

    /// What is believed at a reading.
    pub fn believed(&self, read: Now) -> Believed {
        let expected = self.expected(read.mono).max(self.past);
        let (now, earliest, latest) = match self.trust {
            Trust::Plain => {
                let now = read.wall.max(self.past);
                (now, now, now)
            }
            Trust::Doubted => {
                let latest = expected.max(read.wall);
                let now = match self.doubt {
                    Doubt::Moved => expected,
                    Doubt::Found => latest,
                };
                (now, expected, latest)
            }
            Trust::Corrected => (expected, expected, expected),
        };
        Believed {
            now,
            earliest,
            latest,
            trust: self.trust,
            off_ms: between(now, read.wall),
        }
    }
}

/// The middle one; of two in the middle the one nearer to 0.
fn median(offsets: &[i64]) -> Option<i64> {
    let mut sorted = offsets.to_vec();
    sorted.sort_unstable();
    let middle = sorted.len().checked_sub(1)? / 2;
    let (low, high) = (sorted[middle], sorted[sorted.len() / 2]);
    Some(if low.unsigned_abs() <= high.unsigned_abs() {
        low
    } else {
        high
    })
}

#[cfg(test)]
#[path = "timekeeper_tests.rs"]
mod tests;
