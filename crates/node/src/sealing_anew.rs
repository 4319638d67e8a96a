//! What a recipient refused because it had lost the key that it was sealed to is sealed anew to its
//! newer key, by itself: to that recipient alone, as a notice that supersedes the first.
//!
//! Each refusal is a row that goes with the submission that replaces it, so that neither a crash
//! nor a change of roster in the middle makes two of it.

use crate::{clock, reading::internal, shared::Shared, submit::Ready};
use abeng_api::ApiError;
use abeng_keys::{Entropy, SystemEntropy};
use abeng_queue::{PrivateInput, rows::AnewRow};
use abeng_roster::Policy;
use abeng_wire::{EnvelopeId, LeafIndex, PartyCode, v1};
use std::{sync::Arc, time::Duration};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(5);
/// Refusals looked at in one go.
const PAGE: usize = 256;
/// How the log names the interface that such a submission came through.
const VIA: &str = "sealed anew";

/// Looks for as long as the node runs.
pub async fn work(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if let Err(why) = shared.seal_anew().await {
            tracing::debug!(%why, "what was refused for a lost key waits");
        }
    }
}

impl Shared {
    /// Seals anew what can be. An error ends the look: what is left waits for the next.
    async fn seal_anew(self: &Arc<Self>) -> Result<(), ApiError> {
        let mut from = AnewRow::from(clock::believed().latest);
        let to = [AnewRow::PREFIX + 1];
        loop {
            let rows = self.view.scan(&from, &to, false, PAGE).await;
            let rows = rows.map_err(internal)?;
            for (key, _) in &rows {
                let (submitted, party) = AnewRow::parse_key(key).map_err(internal)?;
                self.seal_one_anew(submitted, party).await?;
            }
            match rows.last() {
                Some((key, _)) if rows.len() == PAGE => {
                    from = [key.as_slice(), &[0]].concat();
                }
                _ => return Ok(()),
            }
        }
    }

    async fn seal_one_anew(
        self: &Arc<Self>,
        submitted: LeafIndex,
        party: PartyCode,
    ) -> Result<(), ApiError> {
        let trust = self.trust();
        let newest = trust.seal_key(party, clock::wall()).map(|key| key.kid());
        let record = self.reader.read(submitted).map_err(internal)?.record;
        let hdr = match record.proof().map_err(internal)?.and_then(|p| p.of) {
            Some(v1::proof_part::Of::Submitted(proof)) => proof.hdr,
            _ => return Err(ApiError::internal("the record is not a submission")),
        };
        if newest.is_none_or(|kid| is_sealed_to(&hdr, party, &kid.0)) {
            return Ok(());
        }
        let (shared, row) = (self.clone(), self.sent_row(submitted).await?);
        let row = row.ok_or_else(|| ApiError::internal("the view lacks the row of this notice"))?;
        let own = tokio::task::spawn_blocking(move || shared.open_own(submitted));
        let Ok(notice) = own.await.map_err(internal)? else {
            return Ok(());
        };
        let notice = notice.superseding(row.envelope_id).map_err(internal)?;
        let facts = Self::facts(&notice);
        let cleared = Policy::clear(&trust, self.me, &[party], &facts, clock::span());
        // What the rules no longer allow stays refused, as the officer was told.
        let Ok(cleared) = cleared else { return Ok(()) };
        self.admit(notice.bytes().len() as u64)?;
        let before = record.private().map_err(internal)?.unwrap_or_default();
        let mut salt = [0; 32];
        SystemEntropy.fill(&mut salt);
        let ready = Ready {
            notice,
            cleared,
            trust,
            precedence: row.precedence,
            created_at: clock::wall(),
            expires_at: row.expires_at,
            private: PrivateInput {
                officer: before.officer,
                via: VIA.to_owned(),
                salt,
            },
            anew_of: Some(row.envelope_id),
            handles: Vec::new(),
            groups: Vec::new(),
        };
        let (id, _) = self.clone().seal_and_queue(ready).await?;
        told(row.envelope_id, id, party);
        Ok(())
    }
}

fn told(before: EnvelopeId, now: EnvelopeId, party: PartyCode) {
    tracing::warn!(
        envelope = %before,
        anew = %now,
        %party,
        "they had lost the key that this was sealed to: it is sealed anew to their newer one"
    );
}

/// Whether an envelope is sealed to this key of a party.
fn is_sealed_to(hdr: &[u8], party: PartyCode, kid: &[u8]) -> bool {
    use abeng_wire::prost::Message;
    let pre = v1::Hdr::decode(hdr).and_then(|hdr| v1::Pre::decode(hdr.pre));
    let pre = pre.unwrap_or_default();
    let mut recipients = pre.recipients.iter();
    recipients.any(|r| r.party == party.as_str() && r.seal_kid == *kid)
}
