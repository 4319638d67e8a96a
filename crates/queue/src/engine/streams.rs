//! Gaps in streams to this party: asked for, shown, and closed by voids. And the other side:
//! numbers of streams from here that a peer asks for.

use super::{Engine, submissions::proof};
use crate::{
    Allowance, Free, GapReport, Gated, LostReport, Place, Plan,
    allowance::OF_PEER,
    gaps::{Gap, Gaps},
    lane::Lane,
    voided::Voided,
};
use abeng_audit_log::{Record, subject};
use abeng_wire::{
    EnvelopeId, Incarnation, Mono, Now, PartyCode, StreamSeq, limits, pae_signature_type, v1,
};
use std::collections::BTreeSet;

pub(super) type Stream = (PartyCode, Incarnation);

impl Engine {
    /// Closes a number for good; false where that was done before.
    pub(super) fn close_number(&mut self, now: Now, stream: Stream, seq: StreamSeq) -> bool {
        let mark = self.marks.entry(stream).or_default();
        let closed = mark.insert(seq.get());
        if closed {
            self.touch(now.mono, stream);
            return true;
        }
        let Some(voided) = self.voided.get_mut(&stream) else {
            return false;
        };
        let taken = voided.take(seq.get());
        if voided.is_empty() {
            self.voided.remove(&stream);
        }
        taken
    }

    /// Gaps are looked at when a mark has some, and once more when it has none any longer.
    fn touch(&mut self, now: Mono, stream: Stream) {
        if self.marks.get(&stream).is_some_and(|mark| mark.has_gaps()) {
            self.gaps.entry(stream).or_default().touch(now);
        } else {
            self.gaps.remove(&stream);
        }
    }

    /// Streams with gaps as the log left them are looked at at once.
    pub(super) fn recover_gaps(&mut self) {
        let with_gaps = self.marks.iter().filter(|(_, mark)| mark.has_gaps());
        for (&stream, _) in with_gaps {
            self.gaps.insert(stream, Gaps::unseen());
        }
    }

    pub(super) fn gaps_link_up(&mut self, now: Now, peer: PartyCode, plan: &mut Plan) {
        let streams = (peer, Incarnation(0))..=(peer, Incarnation(u64::MAX));
        for (_, gaps) in self.gaps.range_mut(streams) {
            gaps.link_up(now.mono);
        }
        self.look_at_gaps(now, plan);
    }

    /// A relay reaches these originators: what is due by now can be asked for over it.
    pub(super) fn gaps_reached(&mut self, now: Now, originators: &BTreeSet<PartyCode>) {
        for (stream, gaps) in &mut self.gaps {
            if originators.contains(&stream.0) {
                gaps.touch(now.mono);
            }
        }
    }

    /// Asks for what is due, of the originators that are linked or that a relay reaches.
    pub(super) fn look_at_gaps(&mut self, now: Now, plan: &mut Plan) {
        let resend = self.config.resend;
        for (stream, gaps) in &mut self.gaps {
            if gaps.look.is_none_or(|look| look > now.mono) {
                continue;
            }
            if let Some(mark) = self.marks.get(stream) {
                gaps.reconcile(mark, now, resend);
            }
            let peer = stream.0;
            let linked = self.lanes.get(&peer).is_some_and(Lane::is_linked);
            let relays = match linked {
                true => Vec::new(),
                false => self.routes.ways_to(peer, now.mono),
            };
            if !linked && relays.is_empty() {
                // The next link, a relay that reaches it, or the next change looks again.
                gaps.look = None;
                continue;
            }
            let due = gaps.ask(now, resend);
            let via = match due.is_empty() {
                true => None,
                false => gaps.turn(&relays),
            };
            for (first, last) in due {
                let want = v1::Want {
                    originator: peer.to_string(),
                    incarnation: stream.1.0,
                    first,
                    last,
                    byte_budget: limits::WANT_BYTES,
                    recipient: via.map(|_| self.config.me.to_string()).unwrap_or_default(),
                };
                plan.free.push(Free::Want { peer, via, want });
            }
        }
    }

    pub(super) fn next_gap_look(&self) -> Option<Mono> {
        self.gaps.values().filter_map(|gaps| gaps.look).min()
    }

    /// Every gap that was seen, streams in order; neighbours as one.
    pub fn gap_reports(&self) -> Vec<GapReport> {
        let mut all: Vec<GapReport> = Vec::new();
        for (&(originator, incarnation), gaps) in &self.gaps {
            for gap in gaps.known() {
                let report = GapReport::new(originator, incarnation, gap);
                match all.last_mut() {
                    Some(before) if before.adjoins(&report) => before.extend(&report),
                    _ => all.push(report),
                }
            }
        }
        all
    }

    /// Every stream of which numbers are lost at their originator, in order. What comes after all
    /// is not counted any more.
    pub fn lost_reports(&self) -> Vec<LostReport> {
        let report = |(stream, voided): (&Stream, &Voided)| LostReport {
            originator: stream.0,
            incarnation: stream.1,
            numbers: voided.lost(),
            said: self.lost.get(stream).copied(),
        };
        let all = self.voided.iter().map(report);
        all.filter(|report| report.numbers > 0).collect()
    }

    /// An originator's signed word that numbers of a stream to here will not come.
    pub(super) fn void_taken(
        &mut self,
        now: Now,
        from: PartyCode,
        (signed, void): (v1::Signed, &v1::Void),
        plan: &mut Plan,
    ) {
        let Ok(originator) = PartyCode::new(&void.originator) else {
            return;
        };
        let stream = (originator, Incarnation(void.incarnation));
        if void.recipient != self.config.me.as_str()
            || originator == self.config.me
            || !self.may_begin(stream)
            || !self.may_send_frame(now.mono, from)
        {
            return;
        }
        let contiguous = self.marks.get(&stream).map_or(0, |mark| mark.contiguous());
        if void.last > contiguous.saturating_add(limits::STREAM_AHEAD) {
            return;
        }
        let mark = self.marks.entry(stream).or_default();
        let opened = mark.insert_range(void.first, void.last);
        if opened.is_empty() {
            return;
        }
        let voided = self.voided.entry(stream).or_default();
        for (first, last) in opened {
            voided.insert(first, last, void.reason());
        }
        if void.reason() == v1::VoidReason::VoidLost {
            let said = self.lost.entry(stream).or_insert((now.wall, now.wall));
            said.1 = now.wall;
        }
        self.touch(now.mono, stream);
        let about = subject(&pae_signature_type("void.v1"), &signed.bytes);
        let leaf = v1::Leaf {
            envelope_id: void.envelope_id.clone(),
            originator: originator.to_string(),
            recipient: self.config.me.to_string(),
            reason: v1::Reason::NumberVoided.into(),
            subject: about.to_bytes(),
            ..self.leaf(now, v1::LeafKind::Voided)
        };
        let statement = v1::proof_part::Of::Statement(signed);
        self.fact(plan, Record::new(leaf).with_proof(&proof(statement)));
    }

    /// Voids may not fill the memory with streams that nothing came on.
    fn may_begin(&self, stream: Stream) -> bool {
        let all = (stream.0, Incarnation(0))..=(stream.0, Incarnation(u64::MAX));
        self.marks.contains_key(&stream) || self.marks.range(all).count() < limits::VOIDED_STREAMS
    }

    fn may_send_frame(&mut self, now: Mono, peer: PartyCode) -> bool {
        let fresh = || Allowance::new(OF_PEER, now);
        self.frames.entry(peer).or_insert_with(fresh).take(now)
    }

    /// A recipient asks for numbers of its stream: what is still queued goes again, what ended is
    /// looked up. Whoever brought the question pays for it. Over a relay nothing is sent anew that
    /// the routes to relays would not send; and a recipient that is linked asks there.
    pub(super) fn wanted(
        &mut self,
        now: Now,
        (peer, via): (PartyCode, Option<PartyCode>),
        want: &v1::Want,
        plan: &mut Plan,
    ) {
        let next = self.streams.get(&peer).map_or(1, |next| next.get());
        let of_here = want.originator == self.config.me.as_str()
            && want.incarnation == self.config.incarnation.0;
        let bounded = want.first > 0
            && want.first <= want.last
            && want.last - want.first < limits::WANT_NUMBERS;
        let linked = self.lanes.get(&peer).is_some_and(Lane::is_linked);
        let elsewhere = via.is_some() && linked;
        let payer = via.unwrap_or(peer);
        if !of_here || !bounded || elsewhere || !self.may_send_frame(now.mono, payer) {
            return;
        }
        if want.last >= next {
            plan.free.push(Free::NeverGiven {
                peer,
                last: want.last,
                next,
            });
        }
        let resend = self.config.resend;
        let (mut budget, mut ended) = (want.byte_budget, false);
        for seq in want.first..=want.last.min(next - 1) {
            let lane = self.lanes.get_mut(&peer);
            let is_queued = lane.is_some_and(|lane| lane.wanted(seq, now, resend, &mut budget));
            ended |= !is_queued;
        }
        if ended {
            plan.free.push(Free::LookEnded {
                peer,
                via,
                first: want.first,
                last: want.last.min(next - 1),
            });
        }
        self.forward(now, peer, plan);
    }

    /// Tells a recipient what will not come, unasked. Numbers of earlier lives are asked for.
    pub(super) fn tell_void(
        &self,
        now: Now,
        place: Place,
        (reason, envelope_id): (v1::VoidReason, Option<EnvelopeId>),
        plan: &mut Plan,
    ) {
        if let Some(seq) = place.own_seq(self.config.incarnation) {
            plan.step.gated.push(Gated::Void {
                recipient: place.recipient,
                via: self.way_around(now, place.recipient),
                seq,
                reason,
                envelope_id,
            });
        }
    }
}

impl Engine {
    /// The relay that carries a word to a party without a link; nothing where there is a link, or
    /// no relay either.
    pub(super) fn way_around(&self, now: Now, party: PartyCode) -> Option<PartyCode> {
        let linked = self.lanes.get(&party).is_some_and(Lane::is_linked);
        let relays = || self.routes.ways_to(party, now.mono);
        (!linked).then(relays)?.first().copied()
    }
}

impl GapReport {
    fn new(originator: PartyCode, incarnation: Incarnation, gap: &Gap) -> Self {
        Self {
            originator,
            incarnation,
            first: gap.first,
            last: gap.last,
            since: gap.since,
            asked: gap.asked,
            asked_at: gap.asked_at,
        }
    }

    fn adjoins(&self, next: &Self) -> bool {
        (self.originator, self.incarnation) == (next.originator, next.incarnation)
            && self.last + 1 == next.first
    }

    fn extend(&mut self, next: &Self) {
        self.last = next.last;
        self.since = self.since.min(next.since);
        self.asked = self.asked.max(next.asked);
        self.asked_at = self.asked_at.max(next.asked_at);
    }
}
