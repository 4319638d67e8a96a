//! Offering again what an older life of a recipient's log has delivered: that life took its inbox with
//! it. The duty towards it was fulfilled, so nothing here ends anything: the newer life's receipt of
//! delivery takes the place of the older one's, and whatever else comes of it changes nothing.

use super::Engine;
use crate::{
    Plan,
    lane::{self, Entry},
    rows::QueueRow,
};
use abeng_wire::{Now, PartyCode, v1};

impl Engine {
    pub(super) fn offer_again(
        &mut self,
        now: Now,
        recipient: PartyCode,
        rows: &[(v1::Precedence, QueueRow)],
        plan: &mut Plan,
    ) {
        let life = self.config.incarnation;
        let lane = self.lanes.entry(recipient).or_default();
        for (precedence, row) in rows {
            let key = lane::row_key(*precedence, row, life);
            if row.expires_at > now.wall && lane.get(key).is_none() {
                lane.push(key, Entry::again(row));
            }
        }
        self.forward(now, recipient, plan);
    }

    /// How much of what is queued for a recipient is offered again.
    pub fn offered_again(&self, recipient: PartyCode) -> usize {
        let lane = self.lanes.get(&recipient);
        lane.map_or(0, |lane| lane.iter().filter(|(_, e)| e.is_again()).count())
    }

    /// How far all streams to this party have come: see [`Engine::marks`].
    pub fn all_marks(&self) -> Vec<(PartyCode, v1::StreamMark)> {
        let mark = |(&(originator, incarnation), mark): (
            &(_, abeng_wire::Incarnation),
            &crate::mark::Mark,
        )| {
            let contiguous = mark.contiguous();
            let incarnation = incarnation.0;
            (
                originator,
                v1::StreamMark {
                    incarnation,
                    contiguous,
                },
            )
        };
        self.marks.iter().map(mark).collect()
    }
}
