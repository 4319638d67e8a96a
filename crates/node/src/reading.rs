//! Inbox and sent box: rows from the view, notices opened to be shown and never kept open.

use crate::{
    attachments::files_of, clock, operator::language, refused::unknown_party, shared::Shared,
    submit::flaw_view,
};
use abeng_api::{
    ApiError, Caller, Cause, DeliveryState, InboxItem, InboxQuery, LabelledValue, NoticeView,
    SentItem, SentQuery, SentTo,
};
use abeng_audit_log::{Reader, RealDisk};
use abeng_notice::{Lang, Notice};
use abeng_queue::rows::{CareRow, IdRow, InboxRow, SentOutcome, SentRow};
use abeng_seal::{reopen_own, reopen_received};
use abeng_wire::{EnvelopeId, LeafIndex, PartyCode, v1};
use bytes::Bytes;
use std::sync::{Arc, atomic::Ordering};

/// Rows in one answer at most.
const MOST: usize = 1000;
/// Rows looked at for one answer, where a filter passes many over.
const LOOKED_AT: usize = 20_000;

impl Shared {
    /// `GET /v1/inbox`.
    pub async fn inbox_items(
        self: &Arc<Self>,
        query: InboxQuery,
    ) -> Result<Vec<InboxItem>, ApiError> {
        let lang = language(query.lang.as_deref());
        if let Some(from) = &query.from {
            self.known_sender(from)?;
        }
        let limit = (query.limit.unwrap_or(50) as usize).min(MOST);
        let to = query.before.map_or(vec![InboxRow::PREFIX + 1], |leaf| {
            InboxRow::key(LeafIndex(leaf))
        });
        let filtered = query.unread || query.from.is_some();
        let scanned = if filtered { LOOKED_AT } else { limit };
        let rows = self
            .view
            .scan(&[InboxRow::PREFIX], &to, true, scanned)
            .await
            .map_err(internal)?;
        let mut wanted = Vec::new();
        for (key, value) in rows {
            let leaf = InboxRow::parse_key(&key).map_err(internal)?;
            let row = InboxRow::decode(&value).map_err(internal)?;
            let passes = !(query.unread && row.first_read.is_some())
                && query
                    .from
                    .as_ref()
                    .is_none_or(|from| row.originator.as_str() == from);
            if passes && wanted.len() < limit {
                wanted.push((leaf, row));
            }
        }
        let shared = self.clone();
        let items = move || {
            wanted
                .iter()
                .map(|(leaf, row)| shared.inbox_item(*leaf, row, lang))
                .collect()
        };
        tokio::task::spawn_blocking(items).await.map_err(internal)
    }

    fn inbox_item(&self, leaf: LeafIndex, row: &InboxRow, lang: Lang) -> InboxItem {
        let trust = self.trust();
        let notice = self.open_received(row);
        let name = trust
            .roster
            .party(row.originator)
            .map(|p| p.name.clone())
            .unwrap_or_default();
        InboxItem {
            id: row.envelope_id.to_string(),
            from: row.originator.to_string(),
            from_name: name,
            received_at: clock::rfc3339(row.delivered_at),
            created_at: clock::rfc3339(row.created_at),
            precedence: row.precedence.as_str_name().to_owned(),
            ty: notice
                .as_ref()
                .map(|n| n.ty())
                .unwrap_or_default()
                .to_owned(),
            tlp: notice
                .as_ref()
                .map(|n| n.tlp().name())
                .unwrap_or_default()
                .to_owned(),
            summary: notice
                .as_ref()
                .map_or_else(|e| e.message.clone(), |n| n.summary(lang)),
            read: row.first_read.is_some(),
            exercise: notice.as_ref().is_ok_and(Notice::is_exercise),
            files: notice.as_ref().map(files_of).unwrap_or_default(),
            leaf: leaf.0,
        }
    }

    /// Nothing can have come from a party that never was: a mistyped code must not look like silence.
    fn known_sender(&self, code: &str) -> Result<(), ApiError> {
        let trust = self.trust();
        let known = PartyCode::new(code).is_ok_and(|code| trust.roster.party(code).is_some());
        match known {
            true => Ok(()),
            false => Err(unknown_party(code, &trust.roster)),
        }
    }

    /// Opens what lies sealed in the journal.
    fn open_received(&self, row: &InboxRow) -> Result<Notice, ApiError> {
        self.open_at(row.received)
    }

    /// Opens what came, by its Received leaf.
    pub fn open_at(&self, received: LeafIndex) -> Result<Notice, ApiError> {
        self.still_there(received)?;
        let record = self.reader.read(received).map_err(internal)?.record;
        let proof = record.proof().map_err(internal)?.and_then(|p| p.of);
        let Some(v1::proof_part::Of::Received(proof)) = proof else {
            return Err(ApiError::internal(
                "the journal's record is not a received envelope",
            ));
        };
        let body = record.body().map_err(internal)?;
        let body = body.ok_or_else(|| gone("while this was asked"))?;
        let secrets = |kid: &abeng_wire::Kid| self.keyring.seal_secret(kid);
        let opened = reopen_received(&proof.hdr, &body.stanzas, &body.body, self.me, &secrets)
            .map_err(|e| ApiError::internal(format!("it can no longer be opened: {e}")))?;
        Notice::parse(opened.notice).map_err(internal)
    }

    /// `GET /v1/inbox/{id}`: leaves a Read leaf before it answers.
    pub async fn show(
        self: &Arc<Self>,
        who: &Caller,
        id: &str,
        lang: Lang,
    ) -> Result<NoticeView, ApiError> {
        let (id, row) = self.find_id(id).await?;
        let IdRow::Held {
            outcome,
            kind: v1::LeafKind::Delivered,
            ..
        } = row
        else {
            return Err(ApiError::not_found(format!("{id:.12} is not in the inbox"))
                .with_try(
                    "`abeng track` shows what was sent from here; `abeng inbox list` what came",
                )
                .because(Cause::NotInInbox, [("id", format!("{id:.12}"))]));
        };
        let value = self
            .view
            .get(&InboxRow::key(outcome))
            .await
            .map_err(internal)?;
        let value = value.ok_or_else(|| ApiError::internal("the view lacks the inbox row"))?;
        let row = InboxRow::decode(&value).map_err(internal)?;
        let shared = self.clone();
        let opened = row;
        let notice = tokio::task::spawn_blocking(move || shared.open_received(&opened))
            .await
            .map_err(internal)??;
        self.note_read(who, outcome, &row).await?;
        let mut item = self.inbox_item(outcome, &row, lang);
        item.read = true;
        let to = self.recipients_of(row.received)?;
        Ok(NoticeView {
            item,
            to,
            fields: notice
                .describe(lang)
                .into_iter()
                .map(|l| LabelledValue {
                    label: l.label,
                    value: l.value,
                })
                .collect(),
            notice: notice.to_json(),
            doubts: notice.doubts().iter().map(|f| flaw_view(f, lang)).collect(),
        })
    }

    async fn note_read(
        &self,
        who: &Caller,
        delivered: LeafIndex,
        row: &InboxRow,
    ) -> Result<(), ApiError> {
        // The originator learns once that it was opened, and never by whom.
        let first = row.first_read.is_none();
        let mine = self.recipients(row.received)?;
        let mine = mine.into_iter().find(|r| r.party == self.me.as_str());
        let leaf = v1::Leaf {
            kind: v1::LeafKind::Read.into(),
            envelope_id: row.envelope_id.to_bytes(),
            originator: row.originator.to_string(),
            recipient: self.me.to_string(),
            seq_commit: mine.map(|r| r.seq_commit).unwrap_or_default(),
            ..Default::default()
        };
        let receipt_to = first.then_some(row.originator);
        let noted = self.note_act(who, leaf, receipt_to).await?;
        let row = self.view.get(&InboxRow::key(delivered)).await;
        let row = row.map_err(internal)?.map(|v| InboxRow::decode(&v));
        let row = row.transpose().map_err(internal)?;
        // Of several that opened it at the same moment one is the first.
        if row.is_some_and(|row| row.first_read == Some(noted)) {
            self.inbox.read.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn recipients_of(&self, received: LeafIndex) -> Result<Vec<String>, ApiError> {
        let recipients = self.recipients(received)?.into_iter();
        Ok(recipients.map(|r| r.party).collect())
    }

    /// Whom PRE of a received envelope names.
    fn recipients(&self, received: LeafIndex) -> Result<Vec<v1::PreRecipient>, ApiError> {
        let record = self.reader.read(received).map_err(internal)?.record;
        let proof = record.proof().map_err(internal)?;
        let Some(v1::proof_part::Of::Received(proof)) = proof.and_then(|p| p.of) else {
            return Ok(Vec::new());
        };
        Ok(pre_of(&proof.hdr)?.recipients)
    }

    /// `GET /v1/sent`.
    pub async fn sent_items(self: &Arc<Self>, query: SentQuery) -> Result<Vec<SentItem>, ApiError> {
        let lang = language(query.lang.as_deref());
        let limit = (query.limit.unwrap_or(50) as usize).min(MOST);
        let to = query.before.map_or(vec![SentRow::PREFIX + 1], |leaf| {
            SentRow::key(LeafIndex(leaf))
        });
        let scanned = if query.open { LOOKED_AT } else { limit };
        let rows = self
            .view
            .scan(&[SentRow::PREFIX], &to, true, scanned)
            .await
            .map_err(internal)?;
        let mut wanted = Vec::new();
        for (key, value) in rows {
            let leaf = SentRow::parse_key(&key).map_err(internal)?;
            let row = SentRow::decode(&value).map_err(internal)?;
            let is_open = row
                .recipients
                .iter()
                .any(|to| to.outcome == SentOutcome::Queued);
            if (!query.open || is_open) && wanted.len() < limit {
                wanted.push((leaf, row));
            }
        }
        let shared = self.clone();
        let items = move || {
            wanted
                .iter()
                .map(|(leaf, row)| shared.sent_item(*leaf, row, lang))
                .collect()
        };
        tokio::task::spawn_blocking(items).await.map_err(internal)
    }

    fn sent_item(&self, leaf: LeafIndex, row: &SentRow, lang: Lang) -> SentItem {
        let notice = self.open_own(leaf);
        SentItem {
            id: row.envelope_id.to_string(),
            created_at: clock::rfc3339(row.created_at),
            expires_at: clock::rfc3339(row.expires_at),
            precedence: row.precedence.as_str_name().to_owned(),
            ty: notice
                .as_ref()
                .map(|n| n.ty())
                .unwrap_or_default()
                .to_owned(),
            files: notice.as_ref().map(files_of).unwrap_or_default(),
            summary: notice.map_or_else(|e| e.message, |n| n.summary(lang)),
            to: row
                .recipients
                .iter()
                .map(|to| self.sent_to(row, to))
                .collect(),
            leaf: leaf.0,
        }
    }

    fn sent_to(&self, row: &SentRow, to: &abeng_queue::rows::SentTo) -> SentTo {
        let state = self.delivery_state(row, to);
        let since = outcome_leaf(&to.outcome)
            .and_then(|leaf| self.leaf_time(leaf))
            .unwrap_or(row.created_at);
        SentTo {
            party: to.party.to_string(),
            state,
            since: clock::rfc3339(since),
        }
    }

    /// Where one recipient stands, as people are told.
    pub fn delivery_state(&self, row: &SentRow, to: &abeng_queue::rows::SentTo) -> DeliveryState {
        let relayed = || row.relayed_to(to.party).next().is_some();
        match to.outcome {
            SentOutcome::Queued if self.links.link(to.party).is_some() || relayed() => {
                DeliveryState::Forwarded
            }
            SentOutcome::Queued => DeliveryState::Queued,
            SentOutcome::Delivered { .. } => DeliveryState::Delivered,
            SentOutcome::Refused { .. } => DeliveryState::Refused,
            SentOutcome::Expired { .. } => DeliveryState::Expired,
            SentOutcome::Voided { .. } => DeliveryState::Voided,
            SentOutcome::Recalled { .. } => DeliveryState::Recalled,
        }
    }

    /// When a leaf says it was made.
    pub fn leaf_time(&self, leaf: LeafIndex) -> Option<u64> {
        leaf_time(&self.reader, leaf)
    }

    /// Opens one of our own from its own copy of the content key.
    pub fn open_own(&self, submitted: LeafIndex) -> Result<Notice, ApiError> {
        self.still_there(submitted)?;
        let record = self.reader.read(submitted).map_err(internal)?.record;
        let Some(v1::proof_part::Of::Submitted(proof)) =
            record.proof().map_err(internal)?.and_then(|p| p.of)
        else {
            return Err(ApiError::internal(
                "the journal's record is not a submission",
            ));
        };
        let scrubbed = || gone("while this was asked");
        let body = record.body().map_err(internal)?.ok_or_else(scrubbed)?;
        let private = record.private().map_err(internal)?.ok_or_else(scrubbed)?;
        let notice = reopen_own(
            &proof.hdr,
            &body.body,
            &private.own_copy,
            &self.keyring.store,
        )
        .map_err(|e| ApiError::internal(format!("it can no longer be opened: {e}")))?;
        Notice::parse(notice).map_err(internal)
    }

    /// Says plainly when content is deleted, or taken back and about to be.
    pub fn still_there(&self, record: LeafIndex) -> Result<(), ApiError> {
        let row = self.view.get_blocking(&CareRow::key(record));
        let row = row.map_err(internal)?;
        let care = row.map(|v| CareRow::decode(&v)).transpose();
        let care = care.map_err(internal)?.unwrap_or_default();
        if let Some(scrubbed) = care.scrubbed {
            let day = self.leaf_time(scrubbed).map(clock::rfc3339);
            let day = day.as_deref().and_then(|d| d.get(..10)).unwrap_or_default();
            let (why, cause) = match care.why {
                v1::ScrubWhy::Recalled => (
                    " because its originator took it back",
                    Cause::DeletedRecalled,
                ),
                v1::ScrubWhy::KeepUntil => {
                    (" because it was to be kept no longer", Cause::DeletedKept)
                }
                v1::ScrubWhy::Unspecified => ("", Cause::DeletedOn),
            };
            Err(gone(&format!("on {day}{why}")).because(cause, [("day", day.to_owned())]))
        } else if care.begun.is_some() {
            Err(gone("just now"))
        } else if care.asked.is_some() && care.hold.is_none() {
            Err(ApiError::not_found(
                "its originator has taken it back: the content is not shown any more and is deleted within the hour",
            )
            .because(Cause::TakenBack, []))
        } else {
            Ok(())
        }
    }

    /// An envelope by its id or a prefix of at least 8 digits that only one has.
    pub async fn find_id(&self, text: &str) -> Result<(EnvelopeId, IdRow), ApiError> {
        let digits = text.trim().to_ascii_lowercase();
        if !(8..=64).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            let given: String = text.chars().take(70).collect();
            return Err(ApiError::invalid(format!("`{given}` is not the id of a notice"))
                .with_try("give its 64 hex digits, or the first 8 or more; `abeng sent list` and `abeng inbox list` show them")
                .because(Cause::NotAnId, [("given", given)]));
        }
        let fill = |with: &str| format!("{digits}{}", with.repeat(64 - digits.len()));
        let (low, high) = match (
            EnvelopeId::from_hex(&fill("0")),
            EnvelopeId::from_hex(&fill("f")),
        ) {
            (Some(low), Some(high)) => (low, high),
            _ => return Err(ApiError::internal("hex digits that are none")),
        };
        let mut to = IdRow::key(&high);
        to.push(0);
        let rows = self
            .view
            .scan(&IdRow::key(&low), &to, false, 2)
            .await
            .map_err(internal)?;
        match &rows[..] {
            [] => Err(ApiError::not_found(format!(
                "no notice here has an id that begins with {digits}"
            ))
            .with_try("`abeng sent list` and `abeng inbox list` show the ids")
            .because(Cause::UnknownId, [("digits", digits)])),
            [(key, value)] => {
                let id = EnvelopeId::from_slice(&key[1..])
                    .ok_or_else(|| ApiError::internal("a row without id"))?;
                Ok((id, IdRow::decode(value).map_err(internal)?))
            }
            _ => Err(ApiError::invalid(format!(
                "more than one notice has an id that begins with {digits}"
            ))
            .with_try("give more digits")
            .because(Cause::AmbiguousId, [("digits", digits)])),
        }
    }
}

/// When a leaf of the own log says it was made.
pub fn leaf_time(reader: &Reader<RealDisk>, leaf: LeafIndex) -> Option<u64> {
    let stored = reader.read(leaf).ok()?;
    Some(stored.record.leaf().message().time)
}

fn gone(when: &str) -> ApiError {
    ApiError::not_found(format!(
        "the content was deleted {when}; who sent it, when, and all receipts remain"
    ))
    .with_try("`abeng audit show --notice ID` shows every leaf about it")
    .because(Cause::Deleted, [])
}

/// The leaf that ended a recipient's part.
pub fn outcome_leaf(outcome: &SentOutcome) -> Option<LeafIndex> {
    match *outcome {
        SentOutcome::Queued => None,
        SentOutcome::Delivered { taken, .. }
        | SentOutcome::Refused { taken, .. }
        | SentOutcome::Recalled { taken, .. } => Some(taken),
        SentOutcome::Expired { leaf } | SentOutcome::Voided { leaf } => Some(leaf),
    }
}

/// PRE out of an encoded HDR that was verified before it was journalled.
pub fn pre_of(hdr: &Bytes) -> Result<v1::Pre, ApiError> {
    let hdr: v1::Hdr =
        abeng_wire::decode_tolerant("HDR", hdr, abeng_wire::limits::HDR).map_err(internal)?;
    abeng_wire::decode_tolerant("PRE", &hdr.pre, abeng_wire::limits::PRE).map_err(internal)
}

/// Our own fault, in words that hold no secret.
pub fn internal(e: impl std::fmt::Display) -> ApiError {
    ApiError::internal(e.to_string())
}
