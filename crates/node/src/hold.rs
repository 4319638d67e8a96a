//! Legal holds, later dates, and the list of what falls due.

use crate::{clock, desk::Ended, operator::language, reading::internal, shared::Shared};
use abeng_api::{
    ApiError, Caller, Cause, ErrorCode, ExtendRequest, HeldView, HoldRequest, KeepReply, KeptItem,
    KeptSide, RetentionQuery, Warned, Warning,
};
use abeng_keys::{Entropy, SystemEntropy};
use abeng_notice::{Lang, retention};
use abeng_queue::{
    Input, PrivateInput, RowPair, Ticket,
    rows::{CareRow, DueRow, HoldRow, IdRow},
};
use abeng_wire::{EnvelopeId, LeafIndex, Millis, v1};
use std::sync::Arc;

/// Bytes of a reason.
const REASON: usize = 1000;
/// Items in one answer at most.
const MOST: usize = 1000;

/// The content of one notice, as the view knows it.
struct Content {
    id: EnvelopeId,
    side: KeptSide,
    due: Millis,
    care: CareRow,
}

impl Shared {
    /// `POST` and `DELETE /v1/notices/{id}/hold`.
    pub async fn hold(
        self: &Arc<Self>,
        who: &Caller,
        id: &str,
        act: v1::HoldAct,
        request: HoldRequest,
    ) -> Result<KeepReply, ApiError> {
        let reason = reason(&request.reason)?;
        let looked = self.view.position();
        let content = self.content(id).await?;
        let held = content.care.hold.is_some();
        let conflict = match act {
            v1::HoldAct::HoldPlaced if held => Some(("it is held already", Cause::HeldAlready)),
            v1::HoldAct::HoldLifted if !held => Some(("it is not held", Cause::NotHeld)),
            _ => None,
        };
        if let Some((conflict, cause)) = conflict {
            return Err(ApiError::new(
                ErrorCode::Conflict,
                format!("{:.12}: {conflict}", content.id),
            )
            .with_try("`abeng hold list` shows what is held, since when and why")
            .because(cause, [("id", format!("{:.12}", content.id))]));
        }
        let hold = Box::new(v1::Hold {
            envelope_id: content.id.to_bytes(),
            act: act.into(),
            reason,
        });
        let private = private(who, request.officer);
        let input = |tell| Input::Hold {
            hold,
            looked,
            private,
            tell,
        };
        let leaf = self.act(&content, input).await?;
        let due = content.due.max(content.care.extended);
        Ok(KeepReply {
            id: content.id.to_string(),
            leaf: leaf.0,
            due: (act == v1::HoldAct::HoldLifted && due != 0).then(|| clock::rfc3339(due)),
            recall_stands: content.care.asked.is_some(),
        })
    }

    /// `POST /v1/notices/{id}/retention`.
    pub async fn extend(
        self: &Arc<Self>,
        who: &Caller,
        id: &str,
        request: ExtendRequest,
    ) -> Result<KeepReply, ApiError> {
        let reason = reason(&request.reason)?;
        let now = clock::wall();
        let until = retention::parse_until(&request.until, now)
            .filter(|until| (now..=now.saturating_add(retention::KEEP_MOST_MS)).contains(until))
            .ok_or_else(|| {
                ApiError::invalid(
                    "the new date is none, lies in the past or more than ten years ahead",
                )
                .with_try("write a date such as 2031-12-31, or a length such as 365d")
                .because(Cause::BadKeepDate, [])
            })?;
        let looked = self.view.position();
        let content = self.content(id).await?;
        if content.side == KeptSide::Received {
            return Err(ApiError::forbidden(format!(
                "{:.12} came from another party, which says how long it is kept",
                content.id
            ))
            .with_try("a legal hold keeps it: `abeng hold place ID --reason TEXT`")
            .because(Cause::KeptByOther, [("id", format!("{:.12}", content.id))]));
        }
        if until <= content.due.max(content.care.extended) {
            return Err(
                ApiError::new(ErrorCode::Conflict, "it is kept at least as long already")
                    .with_try("`abeng retention list --all` shows the dates")
                    .because(Cause::KeptLonger, []),
            );
        }
        let retention = Box::new(v1::Retention {
            envelope_id: content.id.to_bytes(),
            keep_until: until,
            reason,
        });
        let private = private(who, request.officer);
        let input = |tell| Input::Extend {
            retention,
            looked,
            private,
            tell,
        };
        let leaf = self.act(&content, input).await?;
        Ok(KeepReply {
            id: content.id.to_string(),
            leaf: leaf.0,
            due: Some(clock::rfc3339(until)),
            recall_stands: content.care.asked.is_some(),
        })
    }

    /// Gives the engine an act about content that is still there.
    async fn act(
        &self,
        content: &Content,
        input: impl FnOnce(Ticket) -> Input,
    ) -> Result<LeafIndex, ApiError> {
        if content.care.begun.is_some() {
            return Err(ApiError::new(
                ErrorCode::Conflict,
                format!("{:.12}: its content is deleted", content.id),
            )
            .because(Cause::Deleted, []));
        }
        let place = self.desk.open();
        if self.core.try_give(input(place.ticket)).is_err() {
            self.desk.leave(place.ticket);
            self.metrics.busy.inc();
            return Err(ApiError::overloaded());
        }
        match place.ended.await {
            Ok(Ended::Noted { leaf }) => Ok(leaf),
            Ok(_) => Err(ApiError::new(
                ErrorCode::Conflict,
                "something else was done about it at the same moment",
            )
            .with_try("look at it again, then try again")
            .because(Cause::Crossed, [])),
            Err(_) => Err(ApiError::stopping()),
        }
    }

    async fn content(self: &Arc<Self>, id: &str) -> Result<Content, ApiError> {
        let (id, row) = self.find_id(id).await?;
        let (record, side, due) = match row {
            IdRow::Sent { submitted } => {
                let row = self.sent_row(submitted).await?;
                (submitted, KeptSide::Sent, row.map(|row| row.keep_until))
            }
            IdRow::Held {
                received,
                outcome,
                kind: v1::LeafKind::Delivered,
            } => {
                let row = self.inbox_row(outcome).await?;
                (received, KeptSide::Received, row.map(|row| row.keep_until))
            }
            _ => {
                return Err(ApiError::not_found(format!(
                    "{id:.12} was refused here: there is no content"
                ))
                .because(Cause::RefusedHere, [("id", format!("{id:.12}"))]));
            }
        };
        let care = self.care(record).await;
        Ok(Content {
            id,
            side,
            due: due.ok_or_else(|| internal("the view lacks the row of this notice"))?,
            care: care.ok_or_else(|| internal("the view cannot be read"))?,
        })
    }

    /// `GET /v1/retention`.
    pub async fn retention_list(
        self: &Arc<Self>,
        query: RetentionQuery,
    ) -> Result<Vec<KeptItem>, ApiError> {
        let lang = language(query.lang.as_deref());
        let limit = (query.limit.unwrap_or(50) as usize).min(MOST);
        if query.held {
            return self.held_list(limit, lang).await;
        }
        let until = match query.all {
            true => Millis::MAX,
            false => clock::wall().saturating_add(retention::ASK_BEFORE_MS),
        };
        let mut items = Vec::new();
        for (due, record, row) in self.due_rows(until, limit).await? {
            let id = match row {
                DueRow::Sent => self.sent_row(record).await?.map(|row| row.envelope_id),
                DueRow::Received { delivered } => {
                    self.inbox_row(delivered).await?.map(|row| row.envelope_id)
                }
                DueRow::Carried => None,
            };
            let Some(id) = id else { continue };
            items.push(KeptItem {
                due: Some(clock::rfc3339(due)),
                ..self.kept_item(id, record, lang).await?
            });
        }
        Ok(items)
    }

    async fn held_list(
        self: &Arc<Self>,
        limit: usize,
        lang: Lang,
    ) -> Result<Vec<KeptItem>, ApiError> {
        let (from, to) = ([HoldRow::PREFIX], [HoldRow::PREFIX + 1]);
        let rows = self.view.scan(&from, &to, false, limit).await;
        let mut items = Vec::new();
        for (key, value) in rows.map_err(internal)? {
            let record = HoldRow::parse_key(&key).map_err(internal)?;
            let id = HoldRow::decode(&value).map_err(internal)?.envelope_id;
            let care = self.care(record).await;
            let placed = care.and_then(|care| care.hold);
            items.push(KeptItem {
                held: placed.and_then(|leaf| self.held_view(leaf)),
                ..self.kept_item(id, record, lang).await?
            });
        }
        Ok(items)
    }

    fn held_view(&self, placed: LeafIndex) -> Option<HeldView> {
        let record = self.reader.read(placed).ok()?.record;
        let v1::proof_part::Of::Hold(hold) = record.proof().ok()??.of? else {
            return None;
        };
        let private = record.private().ok().flatten();
        Some(HeldView {
            since: clock::rfc3339(record.leaf().message().time),
            reason: hold.reason,
            officer: private.map(|p| p.officer).unwrap_or_default(),
        })
    }

    async fn kept_item(
        self: &Arc<Self>,
        id: EnvelopeId,
        record: LeafIndex,
        lang: Lang,
    ) -> Result<KeptItem, ApiError> {
        let shared = self.clone();
        let item = move || -> Result<KeptItem, ApiError> {
            let leaf = shared.reader.read(record).map_err(internal)?.record;
            let leaf = leaf.leaf().message();
            let sent = leaf.kind() == v1::LeafKind::Submitted;
            let notice = match sent {
                true => shared.open_own(record),
                false => shared.open_at(record),
            };
            Ok(KeptItem {
                id: id.to_string(),
                side: if sent {
                    KeptSide::Sent
                } else {
                    KeptSide::Received
                },
                from: leaf.originator.clone(),
                summary: notice.map_or_else(|e| e.message, |n| n.summary(lang)),
                ..KeptItem::default()
            })
        };
        tokio::task::spawn_blocking(item).await.map_err(internal)?
    }

    async fn due_rows(
        &self,
        until: Millis,
        limit: usize,
    ) -> Result<Vec<(Millis, LeafIndex, DueRow)>, ApiError> {
        let until = DueRow::until(until);
        let (mut from, mut due_rows) = (vec![DueRow::PREFIX], Vec::new());
        loop {
            let rows = self.view.scan(&from, &until, false, MOST).await;
            let rows = rows.map_err(internal)?;
            let last = rows.last().filter(|_| rows.len() == MOST);
            let next = last.map(|(key, _)| key.iter().copied().chain([0]).collect());
            for (key, value) in rows {
                let (due, record) = DueRow::parse_key(&key).map_err(internal)?;
                let row = DueRow::decode(&value).map_err(internal)?;
                // What was carried for others is no notice that anybody here can read.
                if row != DueRow::Carried && due_rows.len() < limit {
                    due_rows.push((due, record, row));
                }
            }
            match next {
                Some(next) if due_rows.len() < limit => from = next,
                _ => return Ok(due_rows),
            }
        }
    }

    /// What the owner is asked in `status`: own notices whose content is deleted within a month.
    pub async fn due_soon(&self) -> Option<Warning> {
        let until = DueRow::until(clock::wall().saturating_add(retention::ASK_BEFORE_MS));
        let mut own = OwnDue::default();
        while let Some(from) = &own.from {
            let rows = self.view.scan(from, &until, false, MOST).await.ok()?;
            own.take(&rows)?;
        }
        let count = own.count;
        let more = if count == MOST { " or more" } else { "" };
        let notices = if count == 1 { "notice" } else { "notices" };
        (count > 0).then(|| {
            let told = Warning::from(format!(
                "the content of {count}{more} {notices} sent from here is deleted within 30 days: `abeng retention list` names them, `abeng retention extend` keeps the own copy longer"
            ));
            let sign = if count == MOST { "≥ " } else { "" };
            told.because(Warned::DueSoon, [("count", format!("{sign}{count}"))])
        })
    }
}

/// How many notices sent from here fall due, up to `MOST`, however many received ones do before
/// them.
struct OwnDue {
    count: usize,
    // Where the next `MOST` rows begin, while more are needed.
    from: Option<Vec<u8>>,
}

impl Default for OwnDue {
    fn default() -> Self {
        Self {
            count: 0,
            from: Some(vec![DueRow::PREFIX]),
        }
    }
}

impl OwnDue {
    /// Counts in what a scan gave. `None` where that cannot be read.
    fn take(&mut self, rows: &[RowPair]) -> Option<()> {
        for (_, value) in rows {
            self.count += usize::from(DueRow::decode(value).ok()? == DueRow::Sent);
        }
        let last = rows
            .last()
            .filter(|_| rows.len() >= MOST && self.count < MOST);
        // The least key after it.
        self.from = last.map(|(key, _)| key.iter().copied().chain([0]).collect());
        self.count = self.count.min(MOST);
        Some(())
    }
}

fn private(who: &Caller, officer: Option<String>) -> PrivateInput {
    let mut salt = [0; 32];
    SystemEntropy.fill(&mut salt);
    PrivateInput {
        officer: officer.unwrap_or_else(|| who.name.clone()),
        via: who.through(),
        salt,
    }
}

fn reason(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() || text.len() > REASON {
        return Err(
            ApiError::invalid("a reason is needed, of at most 1000 bytes")
                .with_try("--reason \"case 2026/117, order of the High Court of 3 May\"")
                .because(Cause::ReasonNeeded, []),
        );
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn counted(rows: &BTreeMap<Vec<u8>, Vec<u8>>) -> usize {
        let mut own = OwnDue::default();
        while let Some(from) = own.from.clone() {
            let rows = rows.range(from..).take(MOST);
            let rows: Vec<RowPair> = rows.map(|(k, v)| (k.clone(), v.clone())).collect();
            own.take(&rows).unwrap();
        }
        own.count
    }

    #[test]
    fn own_notices_count_behind_any_number_of_received_ones() {
        for received in [0, 1, MOST - 1, MOST, MOST + 1, 3 * MOST] {
            let mut rows = BTreeMap::new();
            let mut add = |n: usize, row: DueRow| {
                rows.insert(DueRow::key(n as u64, LeafIndex(n as u64)), row.encode());
            };
            for n in 0..received {
                let delivered = LeafIndex(n as u64 + 1);
                add(n, DueRow::Received { delivered });
            }
            (received..received + 2).for_each(|n| add(n, DueRow::Sent));
            assert_eq!(counted(&rows), 2, "behind {received}");
        }
    }

    #[test]
    fn no_more_are_counted_than_are_said() {
        let row = |n: u64| (DueRow::key(n, LeafIndex(n)), DueRow::Sent.encode());
        let rows = (0..3 * MOST as u64).map(row).collect();
        assert_eq!(counted(&rows), MOST);
        assert_eq!(counted(&BTreeMap::new()), 0);
    }
}
