//! What is proved about the own past: the judgement of what peers show of this party's own log. A
//! node that runs on an older copy of its data, twice at once, or in a life that a newer one has
//! closed is told so; nobody's word counts, only this party's own keys. Free of IO.

use crate::{Checkpoint, LogOrigin, Outside};
use abeng_roster::Roster;
use abeng_wire::{EnvelopeId, Incarnation, LeafHash, v1};
use bytes::Bytes;
use std::fmt;

/// What is proved about the own past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proved {
    /// Somebody holds more leaves of this log than there are here.
    Longer {
        /// How many.
        theirs: u64,
        /// Durable here.
        ours: u64,
    },
    /// Somebody holds another past of this log.
    OtherPast {
        /// The size at which it is another.
        size: u64,
    },
    /// A newer life of this party's log has begun.
    NewerLife {
        /// Which.
        life: Incarnation,
    },
    /// Somebody has an envelope of this life that this log does not know.
    UnknownEnvelope {
        /// Which.
        id: EnvelopeId,
    },
    /// It was proved before, and the roster cannot judge the proof any more.
    Before,
}

impl fmt::Display for Proved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Longer { theirs, ours } => write!(
                f,
                "{theirs} leaves of this log are known elsewhere, and {ours} are here: this is an older copy of the data"
            ),
            Self::OtherPast { size } => write!(
                f,
                "elsewhere the first {size} leaves of this log are others than here: it was started twice"
            ),
            Self::NewerLife { life } => {
                write!(f, "a newer life of this log has begun elsewhere: {life}")
            }
            Self::UnknownEnvelope { id } => write!(
                f,
                "the envelope {id} was sent in this life of the log, which does not know it"
            ),
            Self::Before => write!(
                f,
                "it was proved earlier that this log goes on from a past that is not its newest"
            ),
        }
    }
}

/// What this log is, for judging claims about it.
pub struct OwnLog<'a> {
    /// Whose and which.
    pub origin: LogOrigin,
    /// Durable leaves.
    pub size: u64,
    /// The root at a size that is durable.
    pub root_at: &'a dyn Fn(u64) -> Option<LeafHash>,
}

impl OwnLog<'_> {
    /// What a verified checkpoint of an origin proves; nothing where it goes together with this
    /// log, is another's or of an older life.
    pub fn judge(&self, origin: LogOrigin, size: u64, root: LeafHash) -> Option<Proved> {
        if (origin.party, origin.network) != (self.origin.party, self.origin.network) {
            return None;
        }
        if origin.incarnation > self.origin.incarnation {
            let life = origin.incarnation;
            return Some(Proved::NewerLife { life });
        }
        if origin.incarnation < self.origin.incarnation || size == 0 {
            return None;
        }
        if size > self.size {
            return Some(Proved::Longer {
                theirs: size,
                ours: self.size,
            });
        }
        // A root that cannot be read proves nothing.
        let ours = (self.root_at)(size)?;
        (ours != root).then_some(Proved::OtherPast { size })
    }

    /// What a signed note proves that somebody shows; nothing where it does not verify.
    pub fn judge_note(&self, note: &Bytes, roster: &Roster) -> Option<Proved> {
        let shown = Checkpoint::verify_by_roster(note, roster).ok()?;
        let origin = LogOrigin::parse(shown.origin()).ok()?;
        self.judge(origin, shown.size(), shown.root())
    }
}

/// What a claim that an earlier start has kept proves still. It was judged then: where it cannot be
/// judged any more, nothing is submitted either. `envelope` says which envelope of this life a claim
/// with HDR and SIG is about, if that holds.
pub fn recover(
    outside: &[Outside],
    own: &OwnLog<'_>,
    roster: &Roster,
    envelope: impl FnOnce(&v1::Claim) -> Option<EnvelopeId>,
) -> Option<Proved> {
    let mut claims = outside.iter().filter_map(|said| match said {
        Outside::Claim(claim) => Some(claim),
        _ => None,
    });
    let claim = claims.next()?;
    let proved = match claim.note.is_empty() {
        true => envelope(claim).map(|id| Proved::UnknownEnvelope { id }),
        // The log has grown since: what was longer may be another past now.
        false => own.judge_note(&claim.note, roster),
    };
    Some(proved.unwrap_or(Proved::Before))
}

#[cfg(test)]
mod tests;
