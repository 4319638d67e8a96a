//! Taking back what was sent.

mod again;

use crate::{
    clock,
    operator::language,
    reading::internal,
    shared::{Shared, lock},
};
use abeng_api::{ApiError, Caller, Cause, ErrorCode, RecallRequest, SubmitReply, SubmitRequest};
use abeng_queue::{
    Input, Target, Terms,
    rows::{CareRow, IdRow, SentOutcome, SentRow, ToldRow},
};
use abeng_wire::{EnvelopeId, LeafIndex, PartyCode, limits, v1};
use again::Round;
use std::{sync::Arc, time::Duration};

/// Receipts that a peer gets again in one go.
const PAGE: usize = 256;
/// From one page to the next on a link, which has more urgent things to carry.
const REST: Duration = Duration::from_secs(5);

/// Where telling a peer again goes on at its next link. Lost at a restart, which only means that
/// it begins at the oldest.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told {
    next: LeafIndex,
}

fn nobody_has_it() -> ApiError {
    let why = "nobody has it: every recipient has refused it, let it expire or deleted it already";
    ApiError::new(ErrorCode::Conflict, why)
        .with_try("`abeng track` shows what became of it")
        .because(Cause::RecallNobody, [])
}

/// The Submitted leaves of what was sealed anew of a notice.
fn anew(row: &SentRow) -> Vec<LeafIndex> {
    row.recipients.iter().filter_map(|to| to.anew).collect()
}

impl Shared {
    /// `POST /v1/notices/{id}/recall`.
    pub async fn recall(
        self: &Arc<Self>,
        who: &Caller,
        id: &str,
        request: RecallRequest,
    ) -> Result<SubmitReply, ApiError> {
        let (id, row) = self.find_id(id).await?;
        let IdRow::Sent { submitted } = row else {
            return Err(ApiError::forbidden(format!(
                "{id:.12} was not sent from here: only its originator can take it back"
            ))
            .with_try("`abeng sent list` shows what was sent from here")
            .because(Cause::RecallNotOwn, [("id", format!("{id:.12}"))]));
        };
        let row = self.known_row(submitted).await?;
        let first = match self.recallable_from(&row) {
            Ok(to) => Some(self.recall_one(who, submitted, &row, to, &request).await?),
            // Who could not open it may have it sealed anew.
            Err(why) if !row.recipients.iter().any(|to| to.anew.is_some()) => return Err(why),
            Err(_) => None,
        };
        // Read once the recall is in the log: from then on nothing of it is sealed anew.
        let mut reply = first;
        for (copy, row, to) in self.copies_to_recall(submitted).await? {
            let more = self.recall_one(who, copy, &row, to, &request).await?;
            match &mut reply {
                Some(reply) => reply.to.extend(more.to),
                None => reply = Some(more),
            }
        }
        reply.ok_or_else(nobody_has_it)
    }

    /// What was sealed anew of a notice and can be taken back, and from whom.
    pub(crate) async fn copies_to_recall(
        &self,
        submitted: LeafIndex,
    ) -> Result<Vec<(LeafIndex, SentRow, Vec<String>)>, ApiError> {
        let mut found = Vec::new();
        let mut copies = anew(&self.known_row(submitted).await?);
        while let Some(copy) = copies.pop() {
            let row = self.known_row(copy).await?;
            copies.extend(anew(&row));
            if let Ok(to) = self.recallable_from(&row) {
                found.push((copy, row, to));
            }
        }
        Ok(found)
    }

    /// Takes one envelope back.
    async fn recall_one(
        self: &Arc<Self>,
        who: &Caller,
        submitted: LeafIndex,
        row: &SentRow,
        to: Vec<String>,
        request: &RecallRequest,
    ) -> Result<SubmitReply, ApiError> {
        let request = request.clone();
        let shared = self.clone();
        let own = tokio::task::spawn_blocking(move || shared.open_own(submitted).ok());
        let own = own.await.map_err(internal)?;
        // A recall says as much as the notice did of who may know, and of what is an exercise.
        let notice = serde_json::json!({
            "type": "RECALL",
            "recalls": row.envelope_id.to_string(),
            "reason": request.reason,
            "text": request.text,
            "tlp": own.as_ref().map(|n| n.tlp().name()),
            "exercise": own.as_ref().is_some_and(|n| n.is_exercise()),
            "language": language(request.lang.as_deref()).tag(),
        });
        let precedence = match row.precedence {
            v1::Precedence::Flash => v1::Precedence::Flash,
            _ => v1::Precedence::Immediate,
        };
        let request = SubmitRequest {
            to,
            precedence: Some(precedence.as_str_name().to_owned()),
            expires_in_hours: Some((limits::LIFETIME_MS / 3_600_000) as u32),
            officer: request.officer,
            dry_run: request.dry_run,
            lang: request.lang,
            notice,
        };
        self.send(who, request).await
    }

    async fn known_row(&self, submitted: LeafIndex) -> Result<SentRow, ApiError> {
        let row = self.sent_row(submitted).await?;
        row.ok_or_else(|| ApiError::internal("the view lacks the row of this notice"))
    }

    /// Everybody who has the notice or may still get it.
    fn recallable_from(&self, row: &SentRow) -> Result<Vec<String>, ApiError> {
        let conflict = |what: &str| ApiError::new(ErrorCode::Conflict, what);
        if row.recalls.is_some() {
            return Err(conflict("a recall cannot be taken back")
                .with_try("send the notice again if it was taken back by mistake")
                .because(Cause::RecallOfRecall, []));
        }
        let trust = self.trust();
        let open = |to: &&abeng_queue::rows::SentTo| {
            let outcome = to.outcome;
            let has_it = match outcome {
                SentOutcome::Queued | SentOutcome::Delivered { .. } => true,
                // It would be sealed anew for them.
                SentOutcome::Refused { reason, .. } => {
                    reason == v1::Reason::KeyGone && to.anew.is_none() && to.replaced.is_none()
                }
                _ => false,
            };
            has_it && trust.roster.party(to.party).is_some_and(|p| p.is_active())
        };
        let to = row.recipients.iter().filter(open);
        let to: Vec<String> = to.map(|to| to.party.to_string()).collect();
        if to.is_empty() {
            return Err(nobody_has_it());
        }
        Ok(to)
    }

    /// Gives a peer again, at a new link, the receipts that no copy of an envelope asks for: of
    /// what was taken back here at its request, and of what was opened. They may have been lost
    /// with the last link. Told for as long as an envelope may live; nothing says that one has
    /// arrived, so each is told on every link that lasts. The first page at once, the others
    /// beside everything else, until the link is gone.
    pub async fn tell_again(self: &Arc<Self>, peer: PartyCode) {
        let session = move |shared: &Self| shared.links.link(peer).map(|link| link.session());
        let Some(own) = session(self) else { return };
        let next = lock(&self.told).entry(peer).or_default().next;
        let mut round = Round::from(next);
        if !self.tell_page(peer, &mut round).await {
            return;
        }
        let shared = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(REST).await;
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                if session(&shared) != Some(own) || !shared.tell_page(peer, &mut round).await {
                    return;
                }
            }
        });
    }

    /// The same for a party that a relay has begun to reach: the first page.
    pub async fn tell_over_relays(&self, party: PartyCode) {
        if party == self.me || self.links.link(party).is_some() {
            return;
        }
        let next = lock(&self.told).entry(party).or_default().next;
        self.tell_page(party, &mut Round::from(next)).await;
    }

    /// Tells one page. Says whether there is another.
    async fn tell_page(&self, peer: PartyCode, round: &mut Round) -> bool {
        let oldest = self.oldest_owed();
        let [from, to] = round.page();
        let from = from.max(oldest);
        let [from, to] = [from, to.max(from)].map(|leaf| ToldRow::key(peer, leaf));
        // Where the view cannot be read, the next link begins at the same place.
        let Ok(rows) = self.view.scan(&from, &to, false, PAGE).await else {
            return false;
        };
        let leaves = rows
            .iter()
            .filter_map(|(key, _)| ToldRow::parse_key(key).ok());
        let leaves: Vec<LeafIndex> = leaves.map(|(_, leaf)| leaf).collect();
        for &outcome in &leaves {
            // A leaf that cannot be read cannot be proved.
            if self.leaf_time(outcome).is_some() {
                let from = peer;
                self.core.give(Input::Duplicate { from, outcome }).await;
            }
        }
        let goes_on = round.told(leaves.last().copied(), rows.len() == PAGE);
        lock(&self.told).entry(peer).or_default().next = round.next();
        goes_on
    }

    /// The first leaf that is young enough for its receipt to matter: for as long as an envelope
    /// may live.
    pub fn oldest_owed(&self) -> LeafIndex {
        let since = clock::wall().saturating_sub(limits::LIFETIME_MS);
        again::first_since(self.reader.size(), since, |leaf| self.leaf_time(leaf))
    }

    /// What the view has of the notice that an arriving recall names. Whatever is newer than the
    /// view the engine knows itself.
    /// `None` where it cannot be read.
    pub async fn target_of(&self, terms: &Terms) -> Option<Target> {
        match &terms.recalls {
            None => Some(Target::Unknown),
            Some(id) => self.target(id).await,
        }
    }

    async fn target(&self, id: &EnvelopeId) -> Option<Target> {
        let Some(row) = self.view.get(&IdRow::key(id)).await.ok()? else {
            return Some(Target::Unknown);
        };
        let (received, kind) = match IdRow::decode(&row).ok()? {
            IdRow::Held { received, kind, .. } => (received, kind),
            IdRow::Sent { .. } => return Some(Target::NotRecallable),
            // Its Delivered leaf is newer than the look-up counts, so the engine knows of it.
            IdRow::Received { .. } => return Some(Target::Unknown),
        };
        let record = self.reader.read(received).ok()?.record;
        let originator = PartyCode::new(&record.leaf().message().originator).ok()?;
        let proof = record.proof().ok().flatten().and_then(|p| p.of);
        if let Some(v1::proof_part::Of::Received(proof)) = proof
            && !proof.recalls.is_empty()
        {
            return Some(Target::NotRecallable);
        }
        Some(match kind {
            v1::LeafKind::Delivered => Target::Delivered {
                originator,
                recalled: self.care(received).await?.recalled,
            },
            _ => Target::Closed { originator },
        })
    }

    /// What is out of the ordinary about the content of one record.
    pub async fn care(&self, record: LeafIndex) -> Option<CareRow> {
        let row = self.view.get(&CareRow::key(record)).await.ok()?;
        match row {
            Some(row) => CareRow::decode(&row).ok(),
            None => Some(CareRow::default()),
        }
    }
}
