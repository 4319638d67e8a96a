//! Gaps in streams, on links: wants and voids that come, and those that go.

use crate::{
    clock,
    metrics::Kind,
    shared::{Shared, lock},
};
use abeng_link::Link;
use abeng_queue::{
    Input,
    ended::{EndedNumber, voids},
    rows::EndedRow,
};
use abeng_seal::{sign_void, verify_void};
use abeng_wire::{Incarnation, PartyCode, StreamSeq, limits, v1};
use std::sync::Arc;
use v1::control::Frame;

impl Shared {
    /// A recipient asks for numbers of its stream. For earlier lives of this log this one answers; of
    /// a later one a peer's word proves nothing: it is written down and left.
    /// Where a relay brought it, `peer` has signed it, and `via` is that relay.
    pub async fn take_want(
        self: &Arc<Self>,
        peer: PartyCode,
        via: Option<PartyCode>,
        want: v1::Want,
    ) {
        self.count_stream_frame("want_taken");
        if want.originator == self.me.as_str() && want.incarnation < self.incarnation.0 {
            // Where it is linked it asks there.
            if via.is_some() && self.links.link(peer).is_some() {
                return;
            }
            return self.answer_lost(peer, via, want).await;
        }
        if want.originator != self.me.as_str() || want.incarnation != self.incarnation.0 {
            tracing::info!(%peer, originator = want.originator, incarnation = %Incarnation(want.incarnation), first = want.first, last = want.last, "the peer asks for numbers of a stream that is not this node's");
            return;
        }
        let wanted = Input::Wanted { peer, via, want };
        self.core.give_from(via.unwrap_or(peer), wanted).await;
    }

    /// A void, from its originator or from whoever carries it: it proves itself.
    pub async fn take_void(&self, from: PartyCode, signed: v1::Signed) {
        let void = match verify_void(&self.trust().roster, &signed) {
            Ok(void) => void.message().clone(),
            Err(why) => {
                self.count_stream_frame("void_rejected");
                return tracing::warn!(%from, %why, "a void is not believed; its numbers stay open");
            }
        };
        if void.recipient != self.me.as_str() || void.originator == self.me.as_str() {
            self.count_stream_frame("void_rejected");
            return tracing::warn!(%from, recipient = void.recipient, "a void that is not for this party");
        }
        self.count_stream_frame("void_taken");
        tracing::info!(%from, originator = void.originator, first = void.first, last = void.last, reason = void.reason().as_str_name(), "numbers of a stream will not come");
        let (signed, void) = (Box::new(signed), Box::new(void));
        self.core
            .give_from(from, Input::Voided { from, signed, void })
            .await;
    }

    /// Asks a peer for numbers of its stream, if it is linked; the engine asks again.
    pub fn send_want(&self, peer: PartyCode, want: v1::Want) {
        let Some(link) = self.links.link(peer) else {
            return;
        };
        tracing::info!(%peer, first = want.first, last = want.last, "asking for numbers that have not come");
        self.count_stream_frame("want_sent");
        link.control(Frame::Want(want));
    }

    /// Tells a recipient which of the numbers that it asked for have ended.
    pub async fn answer_ended(
        self: Arc<Self>,
        peer: PartyCode,
        via: Option<PartyCode>,
        (first, last): (u64, u64),
    ) {
        let Some(mut numbers) = self.ended(peer, first, last).await else {
            return;
        };
        if (numbers.len() as u64) <= last - first {
            numbers.extend(self.over(peer, via, (first, last)).await);
        }
        if self.link_towards(peer, via).is_some() {
            let voids = self.signed_voids(peer, &numbers);
            self.send_voids(peer, via, voids.into_iter().take(limits::WANT_VOIDS));
        }
    }

    /// Numbers of the stream to a recipient that ended without proof of delivery, as far as is
    /// durable. Nothing where the view cannot be read.
    pub async fn ended(
        &self,
        recipient: PartyCode,
        first: u64,
        last: u64,
    ) -> Option<Vec<EndedNumber>> {
        let (first, after) = (StreamSeq::new(first)?, StreamSeq::new(last)?.next());
        let (from, to) = (
            EndedRow::key(recipient, first),
            EndedRow::key(recipient, after),
        );
        let most = limits::WANT_NUMBERS as usize;
        let rows = self.view.scan(&from, &to, false, most).await.ok()?;
        let number = |(key, value): &(Vec<u8>, Vec<u8>)| {
            let (_, seq) = EndedRow::parse_key(key).ok()?;
            let row = EndedRow::decode(value).ok()?;
            Some(EndedNumber {
                seq,
                reason: row.reason,
                envelope_id: row.envelope_id,
            })
        };
        Some(rows.iter().filter_map(number).collect())
    }

    /// What ended is said with this node's signature, for whoever carries it.
    pub fn signed_voids(&self, recipient: PartyCode, numbers: &[EndedNumber]) -> Vec<v1::Signed> {
        let all = voids((self.me, self.incarnation), recipient, numbers);
        let sign = |void: &v1::Void| match sign_void(self.keyring.signer().as_ref(), void) {
            Ok(signed) => Some(signed),
            Err(e) => {
                tracing::error!(error = %e, "a void cannot be signed; the recipient asks again");
                None
            }
        };
        all.iter().filter_map(sign).collect()
    }

    /// Voids that nobody asked for yet, if the recipient is linked or a relay is to carry them.
    pub fn tell_ended(
        &self,
        recipient: PartyCode,
        via: Option<PartyCode>,
        numbers: &[EndedNumber],
    ) {
        if self.link_towards(recipient, via).is_some() {
            let voids = self.signed_voids(recipient, numbers);
            self.send_voids(recipient, via, voids.into_iter());
        }
    }

    /// The recipient's own link, or that of the relay.
    fn link_towards(&self, recipient: PartyCode, via: Option<PartyCode>) -> Option<Link> {
        let around = || self.links.link(via?);
        self.links.link(recipient).or_else(around)
    }

    /// Sends voids over the recipient's own link, or over the relay where there is none.
    pub fn send_voids(
        &self,
        recipient: PartyCode,
        via: Option<PartyCode>,
        voids: impl Iterator<Item = v1::Signed>,
    ) {
        let Some(link) = self.link_towards(recipient, via) else {
            return;
        };
        for void in voids {
            self.count_stream_frame("void_sent");
            link.control(match link.peer() == recipient {
                true => Frame::Void(void),
                false => Frame::CarriedVoid(void),
            });
        }
    }

    /// Counts a want or a void.
    pub fn count_stream_frame(&self, kind: &str) {
        let kind = kind.to_owned();
        self.metrics
            .stream_frames
            .get_or_create(&Kind { kind })
            .inc();
    }

    /// Every gap there is.
    pub async fn gap_reports(&self) -> Vec<abeng_queue::GapReport> {
        let gaps = self.core.inspect(abeng_queue::Engine::gap_reports).await;
        gaps.unwrap_or_default()
    }

    /// `GET /v1/gaps`.
    pub async fn gap_views(&self) -> Vec<abeng_api::GapView> {
        let view = |gap: &abeng_queue::GapReport| abeng_api::GapView {
            originator: gap.originator.to_string(),
            incarnation: gap.incarnation.to_string(),
            first: gap.first,
            last: gap.last,
            since: clock::rfc3339(gap.since),
            asked: gap.asked,
            asked_at: gap.asked_at.map(clock::rfc3339),
            asked_of: gap.asked_at.map(|_| gap.originator.to_string()),
            linked: self.links.link(gap.originator).is_some(),
        };
        self.gap_reports().await.iter().map(view).collect()
    }

    /// Brings the gauges up to date, and writes down old gaps once an hour.
    pub async fn watch_gaps(&self) {
        let (gaps, now) = (self.gap_reports().await, clock::now());
        let numbers: u64 = gaps.iter().map(|gap| gap.last - gap.first + 1).sum();
        self.metrics
            .gaps
            .set(i64::try_from(numbers).unwrap_or(i64::MAX));
        let oldest = gaps.iter().map(|gap| gap.since).min();
        let age = oldest.map_or(0, |since| now.wall.saturating_sub(since));
        self.metrics.gap_oldest.set((age / 1000) as i64);
        if age < OLD_MS {
            return;
        }
        {
            let mut warned = lock(&self.gaps_warned);
            if warned.is_some_and(|at| now.mono < at.plus_ms(WARN_MS)) {
                return;
            }
            *warned = Some(now.mono);
        }
        let old = |gap: &&abeng_queue::GapReport| now.wall.saturating_sub(gap.since) >= OLD_MS;
        for gap in gaps.iter().filter(old).take(WARN_GAPS) {
            tracing::warn!(originator = %gap.originator, first = gap.first, last = gap.last, since = %clock::rfc3339(gap.since), asked = gap.asked, "notices of this administration are missing here and it has not said what became of them: `abeng gaps`");
        }
    }
}

/// A gap of this age is warned of.
const OLD_MS: u64 = 10 * 60 * 1000;
/// How often.
const WARN_MS: u64 = 60 * 60 * 1000;
/// How many are named at once.
const WARN_GAPS: usize = 16;
