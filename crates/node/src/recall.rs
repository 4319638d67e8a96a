//! Taking back what was sent.

use crate::{
    clock,
    operator::language,
    reading::internal,
    shared::{Shared, lock},
};
use abeng_api::{ApiError, Caller, ErrorCode, RecallRequest, SubmitReply, SubmitRequest};
use abeng_queue::{
    Input, Target, Terms,
    rows::{CareRow, IdRow, SentOutcome, SentRow, ToldRow},
};
use abeng_wire::{EnvelopeId, LeafIndex, Mono, PartyCode, limits, v1};
use std::sync::Arc;

/// Receipts that a peer gets again at a new link, the newest.
const TOLD_AGAIN: usize = 256;
/// On a link that lasts so long what was told on it has arrived, in milliseconds.
const ARRIVES_MS: u64 = 60_000;

/// What a peer was told again on its present link, and what has arrived on earlier ones. Lost at
/// a restart, which only means that some is told once more.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told {
    at: Mono,
    newest: Option<LeafIndex>,
    arrived: Option<LeafIndex>,
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
            .with_try("`abeng sent list` shows what was sent from here"));
        };
        let row = self.sent_row(submitted).await?;
        let row = row.ok_or_else(|| ApiError::internal("the view lacks the row of this notice"))?;
        let to = self.recallable_from(&row)?;
        let shared = self.clone();
        let own = tokio::task::spawn_blocking(move || shared.open_own(submitted).ok());
        let own = own.await.map_err(internal)?;
        // A recall says as much as the notice did of who may know, and of what is an exercise.
        let notice = serde_json::json!({
            "type": "RECALL",
            "recalls": id.to_string(),
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

    /// Everybody who has the notice or may still get it.
    fn recallable_from(&self, row: &SentRow) -> Result<Vec<String>, ApiError> {
        let conflict = |what: &str| ApiError::new(ErrorCode::Conflict, what);
        if row.recalls.is_some() {
            return Err(conflict("a recall cannot be taken back")
                .with_try("send the notice again if it was taken back by mistake"));
        }
        let trust = self.trust();
        let open = |to: &&abeng_queue::rows::SentTo| {
            let outcome = to.outcome;
            matches!(outcome, SentOutcome::Queued | SentOutcome::Delivered { .. })
                && trust.roster.party(to.party).is_some_and(|p| p.is_active())
        };
        let to = row.recipients.iter().filter(open);
        let to: Vec<String> = to.map(|to| to.party.to_string()).collect();
        if to.is_empty() {
            return Err(conflict(
                "nobody has it: every recipient has refused it, let it expire or deleted it already",
            )
            .with_try("`abeng track` shows what became of it"));
        }
        Ok(to)
    }

    /// Gives a peer again, at a new link, the receipts that no copy of an envelope asks for: of
    /// what was taken back here at its request, and of what was opened. They may have been lost
    /// with the last link. Told for as long as an envelope may live.
    pub async fn tell_again(&self, peer: PartyCode) {
        let keys = [LeafIndex(0), LeafIndex(u64::MAX)].map(|leaf| ToldRow::key(peer, leaf));
        let rows = self.view.scan(&keys[0], &keys[1], true, TOLD_AGAIN).await;
        let leaves = rows.unwrap_or_default().into_iter();
        let leaves = leaves.filter_map(|(key, _)| ToldRow::parse_key(&key).ok());
        let leaves: Vec<LeafIndex> = leaves.map(|(_, leaf)| leaf).collect();
        let arrived = {
            let mut told = lock(&self.told);
            let told = told.entry(peer).or_default();
            (told.at, told.newest) = (clock::mono(), leaves.first().copied());
            told.arrived
        };
        let oldest = clock::wall().saturating_sub(limits::LIFETIME_MS);
        for outcome in leaves {
            let is_over = self.leaf_time(outcome).is_none_or(|at| at < oldest);
            if is_over || arrived.is_some_and(|arrived| outcome <= arrived) {
                return;
            }
            let from = peer;
            self.core.give(Input::Duplicate { from, outcome }).await;
        }
    }

    /// The link on which a peer was told is gone.
    pub fn told_until_now(&self, peer: PartyCode) {
        if let Some(told) = lock(&self.told).get_mut(&peer)
            && clock::mono() >= told.at.plus_ms(ARRIVES_MS)
        {
            told.arrived = told.newest;
        }
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
