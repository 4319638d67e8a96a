//! Offering again what older lives of a peer's log have delivered, once the peer shows a newer one: a
//! lost machine's inbox comes back from those who sent it. Only what is kept here still, has not
//! expired, and lies above the marks that the peer's hello names; a portion at a time.

use crate::{
    RowError, RowPair,
    rows::{QueueRow, SentOutcome, SentRow},
};
use abeng_wire::{Incarnation, LeafIndex, Millis, PartyCode, limits, v1};
use std::collections::BTreeMap;

/// Rows that one step of the search looks at.
pub const ROWS: usize = 512;

/// For whom what was delivered is looked for.
#[derive(Debug, Clone)]
pub struct NewerLife {
    /// The peer.
    pub party: PartyCode,
    /// The life that its hello names and a checkpoint proves.
    pub life: Incarnation,
    /// How far it has this party's streams, by their lives: what the hello says.
    pub marks: BTreeMap<u64, u64>,
}

/// What one step of the search found.
#[derive(Debug, Default)]
pub struct Found {
    /// What is to be offered again.
    pub rows: Vec<(v1::Precedence, QueueRow)>,
    /// Where the search goes on, backwards; nothing at its end.
    pub below: Option<LeafIndex>,
}

impl NewerLife {
    /// The peer as its hello shows it.
    pub fn new(party: PartyCode, hello: &v1::Hello) -> Self {
        let marks = hello.marks.iter().map(|m| (m.incarnation, m.contiguous));
        Self {
            party,
            life: Incarnation(hello.incarnation),
            marks: marks.collect(),
        }
    }

    /// Whether an envelope is to be offered again to it.
    pub fn is_due(&self, row: &SentRow) -> bool {
        let to = row.recipients.iter().find(|sent| sent.party == self.party);
        to.is_some_and(|to| {
            let known = self.marks.get(&row.incarnation.0).copied().unwrap_or(0);
            let by = |life: &Incarnation| *life < self.life;
            let older = matches!(&to.outcome, SentOutcome::Delivered { life, .. } if by(life));
            older && to.seq.get() > known
        })
    }

    /// Looks through [`ROWS`] sent rows, newest first; fewer are the last there are. Nothing is given
    /// up by a clock that is in doubt: `now` is the more cautious one.
    pub fn look(&self, rows: &[RowPair], now: Millis) -> Result<Found, RowError> {
        let oldest: Millis = now.saturating_sub(limits::LIFETIME_MS);
        let (mut due, mut last) = (Vec::new(), None);
        let mut too_old = true;
        for (key, value) in rows {
            let submitted = SentRow::parse_key(key)?;
            let row = SentRow::decode(value)?;
            last = Some(submitted);
            // One that a wrong clock dated hides none of those before it.
            too_old &= row.created_at < oldest;
            if row.expires_at <= now || !self.is_due(&row) {
                continue;
            }
            let to = row.recipients.iter().find(|to| to.party == self.party);
            due.extend(to.map(|to| {
                let queue = QueueRow {
                    submitted,
                    queued: to.queued,
                    seq: to.seq,
                    life: row.incarnation,
                    created_at: row.created_at,
                    expires_at: row.expires_at,
                    size: row.size,
                };
                (row.precedence, queue)
            }));
        }
        let below = last.filter(|_| rows.len() == ROWS && !too_old);
        Ok(Found { rows: due, below })
    }
}

#[cfg(test)]
mod tests;
