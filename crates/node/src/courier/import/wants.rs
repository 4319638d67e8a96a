//! What the maker of a courier file says of streams and files: numbers that will not come, and what it
//! lacks.

use super::{Import, contradicted};
use crate::{
    courier::tally::What,
    shared::{Shared, lock},
};
use abeng_queue::Input;
use abeng_seal::verify_void;
use abeng_wire::{EnvelopeId, Incarnation, PartyCode, StreamSeq, limits, v1};

impl Import<'_> {
    /// An originator's word that numbers will not come. It proves itself.
    pub(super) async fn void(&mut self, signed: v1::Signed) {
        let (shared, what) = (self.shared, What::Void);
        let void = match verify_void(&shared.trust().roster, &signed) {
            Ok(void) => void.message().clone(),
            Err(why) => return self.tally.fault(what, None, why),
        };
        let originator = PartyCode::new(&void.originator);
        let originator = match originator {
            Ok(party) if party != shared.me && void.recipient == shared.me.as_str() => party,
            _ => {
                return self
                    .tally
                    .fault(what, None, "it is about no stream to this node");
            }
        };
        if shared.quarantined(originator) {
            return self.tally.fault(what, None, contradicted(originator));
        }
        let before = shared.closed_up_to(&void, originator).await;
        if before {
            return self.tally.known(what);
        }
        let input = Input::Voided {
            from: originator,
            signed: Box::new(signed),
            void: Box::new(void.clone()),
        };
        shared.core.give(input).await;
        match shared.core.reached().await {
            Some(()) if shared.closed_up_to(&void, originator).await => self.tally.taken(what),
            // Beyond what is taken of one party at once; the numbers stay open.
            _ => self
                .tally
                .fault(what, None, "it was put off; import the file again"),
        }
    }

    /// What the maker lacks of a file goes along from there on.
    pub(super) async fn attachment_want(&mut self, want: &v1::AttachmentWant) {
        let known = match self.from {
            Some(from) => self.shared.courier_wants(from, want).await,
            None => false,
        };
        match known {
            true => self.tally.taken(What::Want),
            false => {
                let id = EnvelopeId::from_slice(&want.envelope_id);
                let why = "it is about no attachment that was sent from this node";
                self.tally.fault(What::Want, id, why);
            }
        }
    }

    /// What the maker misses goes along first in the next file. A claim; it changes nothing else.
    pub(super) fn want(&mut self, want: &v1::Want) {
        let shared = self.shared;
        let range = StreamSeq::new(want.first).zip(StreamSeq::new(want.last));
        match (self.from, range) {
            (Some(from), Some((first, last)))
                if want.originator == shared.me.as_str()
                    && want.incarnation <= shared.incarnation.0
                    && first <= last =>
            {
                // Of an earlier life what is queued goes along anyway.
                let life = Incarnation(want.incarnation);
                if life == shared.incarnation {
                    let mut carried = lock(&shared.courier.carried);
                    carried.entry(from).or_default().missing(first, last);
                }
                let mut wanted = lock(&shared.courier.wanted);
                let wanted = wanted.entry(from).or_default();
                if wanted.len() < limits::COURIER_WANTS {
                    wanted.push((life, (first, last)));
                }
                self.tally.taken(What::Want);
            }
            _ => self
                .tally
                .fault(What::Want, None, "it is about no stream of this node"),
        }
    }
}

impl Shared {
    /// Whether every number of a void is closed here already.
    async fn closed_up_to(&self, void: &v1::Void, originator: PartyCode) -> bool {
        let (incarnation, first, last) = (void.incarnation, void.first, void.last);
        let look = move |engine: &abeng_queue::Engine| {
            let is_here = |(of, first, last): &(Incarnation, u64, u64)| (of.0, *first, *last);
            let gaps = engine.gaps(originator);
            let mut gaps = gaps.iter().map(is_here).filter(|gap| gap.0 == incarnation);
            let marks = engine.marks(originator);
            let mark = marks.iter().find(|mark| mark.incarnation == incarnation);
            let contiguous = mark.map_or(0, |mark| mark.contiguous);
            // Above the highest number that is closed there is no gap, and nothing is closed.
            let highest = gaps.clone().map(|gap| gap.2 + 1).max().unwrap_or(0);
            last <= contiguous
                || (last <= highest && !gaps.any(|gap| gap.1 <= last && first <= gap.2))
        };
        self.core.inspect(look).await.unwrap_or(false)
    }
}
