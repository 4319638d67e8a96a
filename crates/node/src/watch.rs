//! Witnessing over links, at its rhythm: the own log is shown to its witnesses, and the logs of
//! others are co-signed for them.

use crate::{
    clock,
    receipts::verify_checkpoint,
    shared::{Shared, lock},
    witnessing::{Ask, Taken},
};
use abeng_audit_log::{
    Checkpoint, Contradiction, Cosignature, CosignedCheckpoint, Durable, Leaf, LogOrigin, Outside,
    ReadError, Reader, RealDisk, Submission, WitnessRefusal, hashes, logs::Met,
};
use abeng_link::Link;
use abeng_wire::{LeafHash, LeafIndex, Millis, PartyCode, limits, v1};
use std::{sync::Arc, time::Duration};
use v1::{LeafKind, control::Frame};

/// How long something new may wait for a quorum before that is worth a warning, in milliseconds.
pub const UNWITNESSED_MS: Millis = 4 * 60 * 60 * 1000;

/// On a metered line nothing is sent at a beat; only what waits is counted.
const METERED_MS: u64 = 15 * 60 * 1000;

/// Whether a leaf is more than a node's own coming and going: only such leaves are worth a
/// checkpoint, so that idle neighbours let each other sleep.
fn is_worth(kind: LeafKind) -> bool {
    !matches!(kind, LeafKind::Started | LeafKind::Stopped)
}

/// Leaves up to the last one that is more than bookkeeping.
pub fn worth(reader: &Reader<RealDisk>) -> Result<u64, ReadError> {
    let mut size = reader.size();
    while let Some(last) = size.checked_sub(1) {
        let leaf = reader.durable(LeafIndex(last))?;
        if is_worth(leaf.fact().message().kind()) {
            break;
        }
        size = last;
    }
    Ok(size)
}

/// The task: a round at every beat. On a metered line only a contact is one.
pub async fn watch(shared: Arc<Shared>) {
    let every = shared.config.witness_every_ms;
    let mut beat = tokio::time::interval(Duration::from_millis(every.unwrap_or(METERED_MS)));
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if every.is_none() {
            shared.witness_gauges();
        } else if let Err(e) = shared.watch_round() {
            tracing::error!(error = %e, "the log cannot be shown to its witnesses");
        }
    }
}

impl Shared {
    /// The log has grown.
    pub fn watch_growth(&self, facts: &[Durable<Leaf>]) {
        let worth = |leaf: &&Durable<Leaf>| is_worth(leaf.fact().message().kind());
        if let Some(last) = facts.iter().rfind(worth) {
            lock(&self.witnessing).grew(last.index().0 + 1, clock::wall());
        }
    }

    /// One beat: a new target if the log has something new, then everything that linked peers
    /// have not been told.
    fn watch_round(self: &Arc<Self>) -> Result<(), ReadError> {
        self.aim()?;
        for link in self.links.linked() {
            self.show_to(&link)?;
        }
        self.witness_gauges();
        self.metrics.witness_rounds.inc();
        Ok(())
    }

    /// A link came up: what its peer should see is shown at once.
    pub async fn watch_up(self: &Arc<Self>, link: &Link) {
        lock(&self.logs).ask_again(link.peer());
        self.tell_contradictions(link);
        // Where there is no beat, a contact is one.
        let aimed = match self.config.witness_every_ms {
            None => self.aim(),
            Some(_) => Ok(()),
        };
        if let Err(e) = aimed.and_then(|()| self.show_to(link)) {
            tracing::error!(error = %e, "the log cannot be shown to its witnesses");
        }
    }

    fn aim(&self) -> Result<(), ReadError> {
        if !self.aims() {
            return Ok(());
        }
        let trust = self.trust();
        let own = trust.roster.party(self.me);
        if own.is_none_or(|own| own.witnesses.is_empty()) || !lock(&self.witnessing).wants_target()
        {
            return Ok(());
        }
        let checkpoint = self.checkpoint_at(self.reader.size())?;
        if let Err(why) = lock(&self.witnessing).aim(&checkpoint, &trust.roster) {
            tracing::warn!(%why, "the roster does not know this node's own log key");
        }
        Ok(())
    }

    fn show_to(&self, link: &Link) -> Result<(), ReadError> {
        let (trust, peer) = (self.trust(), link.peer());
        let own = trust.roster.party(self.me);
        if self.shows_its_log() && own.is_some_and(|own| own.witnesses.contains(&peer)) {
            let ask = lock(&self.witnessing).ask(peer, link.session());
            if let Some(ask) = ask {
                self.submit_to(link, &ask)?;
            }
        }
        self.gossip(link);
        self.ask_owner(link);
        Ok(())
    }

    fn submit_to(&self, link: &Link, ask: &Ask) -> Result<(), ReadError> {
        let proof = self
            .reader
            .consistency(ask.old_size, ask.checkpoint.size())?;
        link.control(Frame::Checkpoint(v1::CheckpointFrame {
            checkpoint: ask.checkpoint.note().clone(),
            old_size: ask.old_size,
            consistency: proof.iter().map(LeafHash::to_bytes).collect(),
            asked: 0,
        }));
        Ok(())
    }

    /// A checkpoint: of the peer's own log to be co-signed, of another's that the peer has seen,
    /// or an explanation.
    pub async fn take_checkpoint(self: &Arc<Self>, link: &Link, frame: v1::CheckpointFrame) {
        let (peer, trust) = (link.peer(), self.trust());
        if frame.checkpoint.len() > limits::CHECKPOINT {
            return;
        }
        let (party, checkpoint) = match verify_checkpoint(&trust.roster, &frame.checkpoint) {
            Ok(verified) => verified,
            Err(why) => return tracing::warn!(%peer, %why, "a checkpoint that does not hold"),
        };
        if frame.asked > 0 {
            return self.take_explanation(peer, &frame, &checkpoint).await;
        }
        let watched = trust.roster.party(peer);
        let watched = watched.is_some_and(|log| log.witnesses.contains(&self.me));
        if party == peer && watched {
            self.witness_for(link, &frame, &checkpoint).await;
        } else {
            self.meet(peer, &checkpoint).await;
        }
    }

    /// Check, persist, and sign behind that: see [`abeng_audit_log::witness`].
    async fn witness_for(
        self: &Arc<Self>,
        link: &Link,
        frame: &v1::CheckpointFrame,
        checkpoint: &Checkpoint,
    ) {
        let (peer, trust) = (link.peer(), self.trust());
        let origin = LogOrigin::parse(checkpoint.origin());
        let (Ok(origin), Some(proof)) = (origin, hashes(&frame.consistency)) else {
            return tracing::warn!(%peer, "a checkpoint with a proof that is none");
        };
        if origin.incarnation.0 != link.hello().incarnation {
            return tracing::warn!(%peer, "a checkpoint of another life of the log than the peer's hello names");
        }
        let roster = &trust.roster;
        let submission = Submission::new(checkpoint, frame.old_size, proof, self.me, roster);
        let submitted = match submission {
            Ok(submission) => self.core.witness(submission, peer, link.session()).await,
            Err(why) => Some(Err(why)),
        };
        match submitted {
            None => {}
            Some(Ok(before)) => {
                let before = before.filter(|b| b.origin() == origin);
                let before = before.map(|b| (b.size(), b.root()));
                let met = lock(&self.logs).follows(origin, before, checkpoint);
                if let Met::Contradiction(proof) = met {
                    self.keep_contradiction(*proof).await;
                }
            }
            Some(Err(why)) => self.refuse_to_witness(link, checkpoint, why).await,
        }
    }

    async fn refuse_to_witness(
        self: &Arc<Self>,
        link: &Link,
        checkpoint: &Checkpoint,
        why: WitnessRefusal,
    ) {
        let peer = link.peer();
        match &why {
            WitnessRefusal::Conflict { held_size, .. } => {
                link.control(Frame::Cosignature(v1::Cosignature {
                    origin: checkpoint.origin().to_owned(),
                    size: checkpoint.size(),
                    root: checkpoint.root().to_bytes(),
                    held_size: *held_size,
                    ..Default::default()
                }));
                tracing::debug!(%peer, %why, "asked to witness from another size");
                if *held_size > checkpoint.size() {
                    self.claim_to(link);
                }
            }
            WitnessRefusal::Contradiction { held, .. } => {
                tracing::warn!(%peer, %why, "a checkpoint is not co-signed");
                self.claim_to(link);
                let held = verify_checkpoint(&self.trust().roster, held);
                let proof = held
                    .ok()
                    .and_then(|(_, held)| Contradiction::prove(&held, checkpoint, &[]).ok());
                if let Some(proof) = proof {
                    self.keep_contradiction(proof).await;
                }
            }
            _ => tracing::warn!(%peer, %why, "a checkpoint is not co-signed"),
        }
        self.meet(peer, checkpoint).await;
        if matches!(why, WitnessRefusal::Proof(_)) {
            self.ask_owner(link);
        }
    }

    /// Signs what is durably witnessed of a peer's log. From the dispatch thread.
    pub fn cosign(&self, peer: PartyCode, session: u64) {
        let network = self.trust().roster.network();
        let Some(link) = self.links.session(peer, session) else {
            return;
        };
        let Some(durable) = self.reader.witnessed(network, peer) else {
            return;
        };
        let key = self.keyring.witness();
        let seconds = clock::wall() / 1000;
        match durable.cosign(self.me, seconds, key.as_ref()) {
            Ok(signed) => {
                self.metrics.cosignatures_given.inc();
                let witnessed = durable.fact();
                link.control(Frame::Cosignature(v1::Cosignature {
                    origin: witnessed.origin().to_string(),
                    size: witnessed.size(),
                    root: witnessed.root().to_bytes(),
                    line: bytes::Bytes::copy_from_slice(signed.line().as_bytes()),
                    held_size: witnessed.size(),
                }));
            }
            Err(e) => tracing::error!(error = %e, "the witness key does not sign"),
        }
    }

    /// A witness's answer to a checkpoint of the own log.
    pub async fn take_cosignature(self: &Arc<Self>, link: &Link, answer: v1::Cosignature) {
        let peer = link.peer();
        if answer.origin != self.origin {
            return;
        }
        if answer.line.is_empty() {
            let ask = lock(&self.witnessing).conflict(peer, link.session(), answer.held_size);
            if answer.held_size > self.reader.size() {
                tracing::error!(%peer, held = answer.held_size, size = self.reader.size(), "a witness holds more of this log than this node has: an older copy of the data may have been started");
            }
            let sent = ask.map_or(Ok(()), |ask| self.submit_to(link, &ask));
            if let Err(e) = sent {
                tracing::error!(error = %e, "the log cannot be shown to its witnesses");
            }
            return;
        }
        match self.cosigned(&answer, peer) {
            Ok(Some(cosigned)) => {
                let outside = Outside::Cosigned(cosigned.note().clone());
                // The one that makes the quorum is worth a write of its own.
                match cosigned.by().len() == cosigned.needed().unwrap_or(usize::MAX) {
                    true => self.core.keep_now(outside).await,
                    false => self.core.keep(outside),
                }
                self.witness_gauges();
            }
            Ok(None) => {}
            Err(why) => tracing::warn!(%peer, %why, "a cosignature that does not hold"),
        }
    }

    /// Takes a line; what is now witnessed, where it changed that.
    fn cosigned(
        &self,
        answer: &v1::Cosignature,
        peer: PartyCode,
    ) -> Result<Option<CosignedCheckpoint>, abeng_audit_log::NoteError> {
        let trust = self.trust();
        let form = abeng_audit_log::NoteError::Form {
            rule: "a cosignature has a root of 32 bytes and a line",
        };
        let root = LeafHash::from_slice(&answer.root).ok_or(form.clone())?;
        let line = std::str::from_utf8(&answer.line).map_err(|_| form)?;
        if line.len() > limits::CHECKPOINT {
            return Ok(None);
        }
        let mut witnessing = lock(&self.witnessing);
        let Some(target) = witnessing.target(answer.size, root) else {
            return Ok(None);
        };
        let signed = Cosignature::verify(line, target.checkpoint(), &trust.roster)?;
        if signed.witness() != peer {
            return Ok(None);
        }
        let target = (answer.size, root);
        match witnessing.take(target, &signed, &trust.roster, clock::wall())? {
            Taken::Quorum(cosigned) => Ok(Some(cosigned)),
            Taken::Line | Taken::Nothing => Ok(None),
        }
    }

    /// Brings the gauges of witnessing up to date, and warns once where a quorum stays away.
    fn witness_gauges(&self) {
        let witnessing = lock(&self.witnessing);
        self.metrics
            .witnessed_leaves
            .set(witnessing.witnessed_size() as i64);
        let waits = witnessing
            .waiting()
            .map_or(0, |since| clock::wall().saturating_sub(since));
        let before = self.metrics.witness_waiting.set((waits / 1000) as i64);
        let limit = (UNWITNESSED_MS / 1000) as i64;
        if before < limit && waits >= UNWITNESSED_MS {
            tracing::warn!(
                witnessed = witnessing.witnessed_size(),
                "for four hours no quorum of witnesses has seen what is new in this log; are their links up?"
            );
        }
    }

    /// How far the own log is witnessed, for the operator.
    pub fn witness_view(&self) -> abeng_api::WitnessView {
        let witnessing = lock(&self.witnessing);
        let trust = self.trust();
        let own = trust.roster.party(self.me);
        let of = own.map_or(0, |own| own.witnesses.len());
        let needed = own.and_then(abeng_audit_log::quorum).unwrap_or(0);
        let witnessed = witnessing.witnessed();
        let shown = witnessed.or(witnessing.newest_target());
        let by = shown.map_or(&[][..], |shown| shown.by());
        abeng_api::WitnessView {
            size: witnessing.newest_target().map_or(0, |t| t.size()),
            witnessed_size: witnessing.witnessed_size(),
            witnessed_at: witnessed
                .and_then(CosignedCheckpoint::witnessed_at)
                .map(clock::rfc3339),
            needed: needed as u32,
            of: of as u32,
            by: by
                .iter()
                .map(|by| abeng_api::WitnessedByView {
                    party: by.party.to_string(),
                    at: clock::rfc3339(by.at),
                })
                .collect(),
            waiting_since: witnessing.waiting().map(clock::rfc3339),
        }
    }
}
