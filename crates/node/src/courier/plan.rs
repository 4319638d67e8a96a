//! What goes into a file, and in what order.

use super::{carried::Queued, files::Missing};
use crate::{
    clock,
    reading::internal,
    shared::{Shared, lock},
};
use abeng_api::{ApiError, CourierExportQuery};
use abeng_queue::{
    RowPair,
    ended::EndedNumber,
    rows::{CarriedRow, ClosedRow, EndedRow, IdRow, InboxRow, QueueRow, ToldRow},
};
use abeng_wire::{LeafIndex, PartyCode, StreamSeq, limits, v1};
use std::{cmp::Reverse, collections::BTreeSet, sync::Arc};

/// Rows read in one go.
const PAGE: usize = 1024;

/// One envelope that waits for the recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub precedence: v1::Precedence,
    pub queued: Queued,
    /// The Submitted leaf or, of what is carried for another, the Relayed one.
    pub record: LeafIndex,
    pub size: u32,
}

/// What a file is to hold.
#[derive(Debug)]
pub struct Plan {
    pub to: PartyCode,
    /// In the order in which they are written.
    pub envelopes: Vec<Waiting>,
    /// Leaves that receipts are made of, the newest first.
    pub receipts: Vec<LeafIndex>,
    pub wants: Vec<v1::Want>,
    pub voids: Vec<v1::Signed>,
    /// In the order in which they are written.
    pub files: Vec<Missing>,
    /// What is missing here of files.
    pub file_wants: Vec<v1::AttachmentWant>,
    /// Bytes that the file may have.
    pub limit: u64,
}

impl Shared {
    pub(super) async fn courier_plan(
        self: &Arc<Self>,
        to: PartyCode,
        query: &CourierExportQuery,
    ) -> Result<Plan, ApiError> {
        let mut envelopes = self.waiting_for(to).await?;
        envelopes.extend(self.carried_for(to).await?);
        {
            let mut carried = lock(&self.courier.carried);
            let carried = carried.entry(to).or_default();
            if query.again {
                carried.forget();
            }
            carried.keep(&envelopes.iter().map(|waiting| waiting.queued).collect());
            in_order(&mut envelopes, |queued| carried.has(queued));
        }
        envelopes.truncate(limits::COURIER_ENVELOPES);
        let gaps = self.core.inspect(move |engine| engine.gaps(to)).await;
        let gaps = gaps.ok_or_else(ApiError::stopping)?;
        let want = |(incarnation, first, last): (abeng_wire::Incarnation, u64, u64)| v1::Want {
            originator: to.to_string(),
            incarnation: incarnation.0,
            first,
            last,
            byte_budget: 0,
            recipient: String::new(),
        };
        Ok(Plan {
            to,
            envelopes,
            receipts: self.owed_to(to).await?,
            voids: self.voids_for(to).await?,
            files: match query.no_attachments {
                true => Vec::new(),
                false => self.files_for(to, query.again).await?,
            },
            file_wants: self.files_wanted(to).await?,
            wants: gaps
                .into_iter()
                .take(limits::COURIER_WANTS)
                .map(want)
                .collect(),
            limit: query.limit.unwrap_or(u64::MAX),
        })
    }

    async fn waiting_for(&self, to: PartyCode) -> Result<Vec<Waiting>, ApiError> {
        let mut from = QueueRow::key(to, v1::Precedence::Unspecified, LeafIndex(0));
        let end = after(QueueRow::key(
            to,
            v1::Precedence::Routine,
            LeafIndex(u64::MAX),
        ));
        let (mut waiting, now) = (Vec::new(), clock::wall());
        loop {
            let rows = self.view.scan(&from, &end, false, PAGE).await;
            let rows = rows.map_err(internal)?;
            for (key, value) in &rows {
                let (_, precedence, _) = QueueRow::parse_key(key).map_err(internal)?;
                let row = QueueRow::decode(value).map_err(internal)?;
                if row.expires_at > now {
                    waiting.push(Waiting {
                        precedence,
                        queued: Queued::Own(row.seq),
                        record: row.submitted,
                        size: row.size,
                    });
                }
            }
            match rows
                .into_iter()
                .last()
                .filter(|_| waiting.len() < MOST_ROWS)
            {
                Some((key, _)) => from = after(key),
                None => return Ok(waiting),
            }
        }
    }

    /// What this node carries as a relay for the recipient.
    async fn carried_for(&self, to: PartyCode) -> Result<Vec<Waiting>, ApiError> {
        let first = CarriedRow::key(to, v1::Precedence::Unspecified, LeafIndex(0));
        let last = CarriedRow::key(to, v1::Precedence::Routine, LeafIndex(u64::MAX));
        let rows = self.newest_rows([first, after(last)]).await?;
        let (mut waiting, now) = (Vec::new(), clock::wall());
        for (key, value) in rows {
            let (_, precedence, relayed) = CarriedRow::parse_key(&key).map_err(internal)?;
            let row = CarriedRow::decode(&value).map_err(internal)?;
            if row.expires_at > now {
                waiting.push(Waiting {
                    precedence,
                    queued: Queued::Relayed(relayed),
                    record: relayed,
                    size: row.size,
                });
            }
        }
        Ok(waiting)
    }

    /// What this node has to say of numbers that will not come: those that the recipient's newest
    /// file asked for, and the newest that ended, asked for or not.
    async fn voids_for(&self, to: PartyCode) -> Result<Vec<v1::Signed>, ApiError> {
        let wanted = lock(&self.courier.wanted).get(&to).cloned();
        let mut ended: Vec<EndedNumber> = Vec::new();
        let (mut lost, mut earlier) = (Vec::new(), 0);
        for (life, (first, last)) in wanted.unwrap_or_default() {
            if life != self.incarnation {
                // Each looks through all that was sent; the next file goes on.
                earlier += 1;
                if earlier <= limits::WANT_RANGES {
                    let end = first.get().saturating_add(limits::WANT_NUMBERS - 1);
                    let range = (first.get(), last.get().min(end));
                    lost.extend(self.lost_voids(life, to, range).await);
                }
                continue;
            }
            let found = self.ended(to, first.get(), last.get()).await;
            ended.extend(found.unwrap_or_default());
        }
        let first = StreamSeq::FIRST;
        let last = StreamSeq::new(u64::MAX).unwrap_or(first);
        let (from, end) = (EndedRow::key(to, first), after(EndedRow::key(to, last)));
        let rows = self.view.scan(&from, &end, true, PAGE).await;
        for (key, value) in rows.map_err(internal)? {
            let row = EndedRow::decode(&value).map_err(internal)?;
            ended.push(EndedNumber {
                seq: EndedRow::parse_key(&key).map_err(internal)?.1,
                reason: row.reason,
                envelope_id: row.envelope_id,
            });
        }
        let mut voids = lost;
        voids.extend(self.signed_voids(to, &ended));
        voids.truncate(limits::COURIER_VOIDS);
        Ok(voids)
    }

    /// Outcomes given here to envelopes of a party, for as long as an envelope may live, and what
    /// was opened or taken back. Which of them it has is not known here: a receipt may be lost on
    /// its way at any time, so each goes along again. To a relay also the outcomes of what its newest
    /// files brought.
    async fn owed_to(self: &Arc<Self>, party: PartyCode) -> Result<Vec<LeafIndex>, ApiError> {
        let shared = self.clone();
        let oldest = tokio::task::spawn_blocking(move || shared.oldest_owed()).await;
        let oldest = oldest.map_err(internal)?;
        let mut leaves = self.delivered_from(party, oldest).await?;
        let ends = |key: fn(PartyCode, LeafIndex) -> Vec<u8>| {
            [oldest, LeafIndex(u64::MAX)].map(|leaf| key(party, leaf))
        };
        for (key, _) in self.newest_rows(ends(ToldRow::key)).await? {
            leaves.insert(ToldRow::parse_key(&key).map_err(internal)?.1);
        }
        for (key, _) in self.newest_rows(ends(ClosedRow::key)).await? {
            leaves.insert(ClosedRow::parse_key(&key).map_err(internal)?.1);
        }
        for id in self.courier.brought_by(party) {
            let row = self.view.get(&IdRow::key(&id)).await.map_err(internal)?;
            let row = row.map(|row| IdRow::decode(&row)).transpose();
            if let Some(IdRow::Held { outcome, .. }) = row.map_err(internal)? {
                leaves.insert(outcome);
            }
        }
        let newest = leaves.into_iter().rev();
        Ok(newest.take(limits::COURIER_RECEIPTS).collect())
    }

    async fn delivered_from(
        &self,
        party: PartyCode,
        oldest: LeafIndex,
    ) -> Result<BTreeSet<LeafIndex>, ApiError> {
        let from = InboxRow::key(oldest);
        let (mut found, mut end) = (BTreeSet::new(), vec![InboxRow::PREFIX + 1]);
        loop {
            let rows = self.view.scan(&from, &end, true, PAGE).await;
            let rows = rows.map_err(internal)?;
            for (key, value) in &rows {
                if InboxRow::decode(value).map_err(internal)?.originator == party {
                    found.insert(InboxRow::parse_key(key).map_err(internal)?);
                }
            }
            let more = rows.len() == PAGE && found.len() < limits::COURIER_RECEIPTS;
            match rows.into_iter().last().filter(|_| more) {
                Some((key, _)) => end = key,
                None => return Ok(found),
            }
        }
    }

    /// Rows between two keys, the newest first, as far as a file could hold them.
    async fn newest_rows(&self, [from, end]: [Vec<u8>; 2]) -> Result<Vec<RowPair>, ApiError> {
        let (mut found, mut end) = (Vec::new(), end);
        loop {
            let rows = self.view.scan(&from, &end, true, PAGE).await;
            let rows = rows.map_err(internal)?;
            let full = rows.len() == PAGE;
            found.extend(rows);
            match found.last() {
                Some((last, _)) if full && found.len() < limits::COURIER_RECEIPTS => {
                    end.clone_from(last);
                }
                _ => return Ok(found),
            }
        }
    }
}

/// Rows of the queue that one plan looks at.
const MOST_ROWS: usize = 4 * limits::COURIER_ENVELOPES;

/// The first key after this one.
fn after(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

/// FLASH first, whatever was carried before, since a file may be lost; then what no file has
/// carried yet; and each in order of urgency.
fn in_order(envelopes: &mut [Waiting], is_carried: impl Fn(Queued) -> bool) {
    let flash = |waiting: &Waiting| waiting.precedence == v1::Precedence::Flash;
    envelopes.sort_by_key(|waiting| {
        (
            Reverse(flash(waiting)),
            is_carried(waiting.queued),
            waiting.precedence as i32,
            waiting.queued,
        )
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use v1::Precedence::{Flash, Priority, Routine};

    #[test]
    fn a_limited_file_goes_on_where_the_last_one_ended_and_flash_goes_always() {
        let own = |seq| Queued::Own(StreamSeq::new(seq).unwrap());
        let waiting = |precedence, n, queued| Waiting {
            precedence,
            queued,
            record: LeafIndex(n),
            size: 1,
        };
        let mut all = vec![
            waiting(Routine, 1, own(1)),
            waiting(Priority, 6, Queued::Relayed(LeafIndex(6))),
            waiting(Priority, 2, own(2)),
            waiting(Flash, 3, own(3)),
            waiting(Routine, 4, own(4)),
            waiting(Priority, 5, own(5)),
        ];
        let order = |all: &[Waiting]| all.iter().map(|w| w.record.0).collect::<Vec<_>>();
        in_order(&mut all, |_| false);
        assert_eq!(order(&all), [3, 2, 5, 6, 1, 4]);
        in_order(&mut all, |queued| [own(2), own(3)].contains(&queued));
        assert_eq!(order(&all), [3, 5, 6, 1, 4, 2]);
    }
}
