//! What a recipient refused because it had lost the key that it was sealed to is sealed anew to its
//! newer key, by itself: to that recipient alone, as a notice that supersedes the first.
//!
//! Each refusal is a row that goes with the submission that replaces it, so that neither a crash
//! nor a change of roster in the middle makes two of it. What fails is tried again at growing
//! distances: each try that reserves a number and does not seal leaves a void in the log.

use crate::{clock, reading::internal, shared::Shared, submit::Ready};
use abeng_api::{ApiError, ErrorCode};
use abeng_keys::{Entropy, SystemEntropy};
use abeng_queue::{
    PrivateInput,
    rows::{AnewRow, SentRow},
};
use abeng_roster::Policy;
use abeng_wire::{EnvelopeId, Kid, LeafIndex, Mono, PartyCode, v1};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(5);
/// Refusals looked at in one go.
const PAGE: usize = 256;
/// The pause after a first failure; each further one doubles it.
const FIRST_PAUSE_MS: u64 = 60_000;
/// The longest pause.
const LONGEST_PAUSE_MS: u64 = 6 * 60 * 60 * 1000;
/// Refusals that are remembered with what they were sealed to, and until when they pause.
const REMEMBERED: usize = 8_192;
/// How the log names the interface that such a submission came through.
const VIA: &str = "sealed anew";

/// A notice and a recipient.
type Refused = (LeafIndex, PartyCode);

/// What is known between two looks.
#[derive(Debug, Default)]
struct Book {
    /// The key that each was sealed to.
    sealed_to: BTreeMap<Refused, Kid>,
    pauses: BTreeMap<Option<Refused>, Pause>,
}

/// Until when one, or everything (`None`), is left alone.
#[derive(Debug, Clone, Copy)]
struct Pause {
    until: Mono,
    length_ms: u64,
}

impl Book {
    fn pauses(&self, what: Option<Refused>, now: Mono) -> bool {
        let pause = self.pauses.get(&what);
        pause.is_some_and(|pause| now < pause.until)
    }

    fn failed(&mut self, what: Option<Refused>, now: Mono) {
        let before = self.pauses.get(&what).map(|pause| pause.length_ms);
        let length_ms = before.map_or(FIRST_PAUSE_MS, |ms| (ms * 2).min(LONGEST_PAUSE_MS));
        let until = now.plus_ms(length_ms);
        self.pauses.insert(what, Pause { until, length_ms });
    }

    /// Forgets everything where it is too much: all that is lost is that some is tried early.
    fn bound(&mut self) {
        if self.sealed_to.len() > REMEMBERED || self.pauses.len() > REMEMBERED {
            let all = self.pauses.remove(&None);
            *self = Self::default();
            self.pauses.extend(all.map(|pause| (None, pause)));
        }
    }
}

/// What became of one.
enum Tried {
    Done,
    /// There is nothing to seal it to, or no need to, as yet.
    NotYet,
    /// This one cannot be sealed anew as things are.
    Failed,
}

/// Looks for as long as the node runs.
pub async fn work(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut book = Book::default();
    loop {
        every.tick().await;
        book.bound();
        if book.pauses(None, clock::mono()) {
            continue;
        }
        match shared.seal_anew(&mut book).await {
            Ok(()) => _ = book.pauses.remove(&None),
            Err(why) => {
                tracing::warn!(%why, "what was refused for a lost key is not sealed anew now");
                book.failed(None, clock::mono());
            }
        }
    }
}

impl Shared {
    /// Seals anew what can be. An error is one that all have in common.
    async fn seal_anew(self: &Arc<Self>, book: &mut Book) -> Result<(), ApiError> {
        let mut from = AnewRow::from(clock::believed().latest);
        let to = [AnewRow::PREFIX + 1];
        loop {
            let rows = self.view.scan(&from, &to, false, PAGE).await;
            let rows = rows.map_err(internal)?;
            for (key, _) in &rows {
                let refused = AnewRow::parse_key(key).map_err(internal)?;
                if book.pauses(Some(refused), clock::mono()) {
                    continue;
                }
                match self.try_anew(refused, key, book).await? {
                    Tried::Done => _ = book.sealed_to.remove(&refused),
                    Tried::NotYet => {}
                    Tried::Failed => book.failed(Some(refused), clock::mono()),
                }
            }
            match rows.last() {
                Some((key, _)) if rows.len() == PAGE => {
                    from = [key.as_slice(), &[0]].concat();
                }
                _ => return Ok(()),
            }
        }
    }

    async fn try_anew(
        self: &Arc<Self>,
        refused: Refused,
        key: &[u8],
        book: &mut Book,
    ) -> Result<Tried, ApiError> {
        let (submitted, party) = refused;
        let before = match book.sealed_to.get(&refused) {
            Some(kid) => *kid,
            None => {
                let shared = self.clone();
                let read = tokio::task::spawn_blocking(move || shared.key_before(refused));
                let Some(kid) = read.await.map_err(internal)? else {
                    tracing::error!(leaf = submitted.0, %party, "a notice that was refused for a lost key cannot be read");
                    return Ok(Tried::Failed);
                };
                book.sealed_to.insert(refused, kid);
                kid
            }
        };
        let newer = |shared: &Self| {
            let trust = shared.trust();
            let newer = trust.seal_keys.newer_than(party, &before, clock::wall());
            newer.is_some()
        };
        if !newer(self) {
            return Ok(Tried::NotYet);
        }
        // No recall and no amendment comes between this look at the row and the log.
        let _alone = self.replacing.lock().await;
        let (row, sent) = (self.view.get(key).await, self.sent_row(submitted).await?);
        let (Some(_), Some(sent)) = (row.map_err(internal)?, sent) else {
            return Ok(Tried::Done);
        };
        match self.ready_anew(refused, &sent).await {
            Some(ready) => self.send_anew(ready, &sent, party).await,
            None => Ok(Tried::Failed),
        }
    }

    async fn send_anew(
        self: &Arc<Self>,
        ready: Ready,
        sent: &SentRow,
        party: PartyCode,
    ) -> Result<Tried, ApiError> {
        self.may_submit()?;
        self.admit(ready.notice.bytes().len() as u64)?;
        match self
            .clone()
            .seal_and_queue(ready)
            .await
            .map_err(ApiError::from)
        {
            Ok((id, _)) => {
                told(sent.envelope_id, id, party);
                Ok(Tried::Done)
            }
            // The roster changed meanwhile.
            Err(why) if why.code == ErrorCode::Conflict => Ok(Tried::Failed),
            Err(why) => Err(why),
        }
    }

    /// The notice as it may be sealed anew. What the rules no longer allow stays refused, as the
    /// officer was told.
    async fn ready_anew(
        self: &Arc<Self>,
        (submitted, party): Refused,
        sent: &SentRow,
    ) -> Option<Ready> {
        let shared = self.clone();
        let own = tokio::task::spawn_blocking(move || {
            let notice = shared.open_own(submitted).ok()?;
            let record = shared.reader.read(submitted).ok()?.record;
            Some((notice, record.private().ok()??.officer))
        });
        let (notice, officer) = own.await.ok()??;
        let notice = notice.superseding(sent.envelope_id).ok()?;
        let trust = self.trust();
        let facts = Self::facts(&notice);
        let cleared = Policy::clear(&trust, self.me, &[party], &facts, clock::waits()).ok()?;
        let mut salt = [0; 32];
        SystemEntropy.fill(&mut salt);
        Some(Ready {
            notice,
            cleared,
            trust,
            precedence: sent.precedence,
            created_at: clock::wall(),
            expires_at: sent.expires_at,
            private: PrivateInput {
                officer,
                via: VIA.to_owned(),
                salt,
            },
            anew_of: Some(sent.envelope_id),
            handles: Vec::new(),
            groups: Vec::new(),
        })
    }

    /// The key of a recipient that a notice is sealed to.
    fn key_before(&self, (submitted, party): Refused) -> Option<Kid> {
        use abeng_wire::prost::Message;
        let record = self.reader.read(submitted).ok()?.record;
        let Some(v1::proof_part::Of::Submitted(proof)) = record.proof().ok()??.of else {
            return None;
        };
        let pre = v1::Pre::decode(v1::Hdr::decode(proof.hdr).ok()?.pre).ok()?;
        let mut recipients = pre.recipients.iter();
        let entry = recipients.find(|r| r.party == party.as_str())?;
        Kid::from_slice(&entry.seal_kid)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_again_and_again_is_tried_less_and_less() {
        let mut book = Book::default();
        let one = Some((LeafIndex(3), PartyCode::new("JM").unwrap()));
        let mut now = Mono(0);
        let mut tries = 0;
        while now.0 < 7 * 24 * 3_600 * 1_000_000_000 {
            if !book.pauses(one, now) {
                tries += 1;
                book.failed(one, now);
            }
            assert!(!book.pauses(None, now), "the others go on");
            now = now.plus_ms(5_000);
        }
        assert!((30..45).contains(&tries), "{tries} tries in a week");
    }
}
