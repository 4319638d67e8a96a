//! Split views: checkpoints of one log that meet here, from wherever, are compared; those that
//! cannot both be true are kept as proof, told, and the log's owner is put into quarantine.

use crate::{
    clock,
    past::claim,
    receipts::verify_checkpoint,
    shared::{Shared, lock},
};
use abeng_audit_log::{
    Checkpoint, Contradiction, LogOrigin, ReadError, hashes,
    logs::{Explained, Met},
    past::Proved,
};
use abeng_link::Link;
use abeng_queue::Input;
use abeng_wire::{Incarnation, LeafHash, Millis, PartyCode, limits, v1};
use bytes::Bytes;
use data_encoding::BASE64;
use std::{collections::BTreeMap, sync::Arc};
use v1::{control::Frame, proof_part::Of};

/// Which checkpoints of others a peer was told on its link of a session.
#[derive(Debug, Default)]
pub struct Gossip {
    told: BTreeMap<PartyCode, ToldPeer>,
}

#[derive(Debug, Default)]
struct ToldPeer {
    session: u64,
    /// Size and root by the log's party.
    newest: BTreeMap<PartyCode, (u64, LeafHash)>,
}

impl Gossip {
    /// Whether this is news to the peer; it is told then.
    fn is_news(&mut self, link: &Link, party: PartyCode, checkpoint: &Checkpoint) -> bool {
        let told = self.told.entry(link.peer()).or_default();
        if told.session != link.session() {
            told.session = link.session();
            told.newest.clear();
        }
        let now = (checkpoint.size(), checkpoint.root());
        told.newest.insert(party, now) != Some(now)
    }
}

/// A proof kept here that a log contradicts itself.
#[derive(Debug, Clone)]
pub struct KeptProof {
    /// Whose log.
    pub party: PartyCode,
    /// Which life of it.
    pub incarnation: Incarnation,
    /// When it was kept, as far as this process knows.
    pub at: Millis,
    /// The encoded contradiction.
    pub bytes: Bytes,
    /// The smaller and the larger size.
    pub sizes: (u64, u64),
}

impl KeptProof {
    /// What is to be known of a contradiction.
    pub fn new(proof: &Contradiction, at: Millis) -> Option<Self> {
        let origin = LogOrigin::parse(proof.first().origin()).ok()?;
        Some(Self {
            party: origin.party,
            incarnation: origin.incarnation,
            at,
            bytes: proof.bytes(),
            sizes: (proof.first().size(), proof.second().size()),
        })
    }
}

impl Shared {
    /// A note from anywhere. Not one that the roster cannot judge.
    pub async fn meet_note(self: &Arc<Self>, from: PartyCode, note: &Bytes) {
        if note.is_empty() || note.len() > limits::CHECKPOINT {
            return;
        }
        match verify_checkpoint(&self.trust().roster, note) {
            Ok((_, checkpoint)) => self.meet(from, &checkpoint).await,
            Err(why) => tracing::debug!(%from, %why, "a checkpoint that says nothing here"),
        }
    }

    /// A verified checkpoint from anywhere.
    pub async fn meet(self: &Arc<Self>, from: PartyCode, checkpoint: &Checkpoint) {
        let Ok(origin) = LogOrigin::parse(checkpoint.origin()) else {
            return;
        };
        if origin.party == self.me {
            return self.meet_own(from, origin, checkpoint);
        }
        let before = lock(&self.logs).life(origin.party);
        let met = lock(&self.logs).meet(origin, from, checkpoint);
        if before.is_some_and(|before| before < origin.incarnation) {
            self.met_new_life(origin);
        }
        if let Met::Contradiction(proof) = met {
            self.keep_contradiction(*proof).await;
        }
    }

    /// A contradiction that was just proved: kept once for each life of a log, told to the
    /// coordination parties, and the owner's link is closed.
    pub async fn keep_contradiction(self: &Arc<Self>, proof: Contradiction) {
        let Some(kept) = KeptProof::new(&proof, clock::wall()) else {
            return;
        };
        let party = kept.party;
        {
            let mut all = lock(&self.contradictions);
            let again = |k: &KeptProof| k.party == party && k.incarnation == kept.incarnation;
            if all.iter().any(again) {
                return;
            }
            all.push(kept);
        }
        self.metrics.checkpoint_contradictions.inc();
        self.metrics.logs_contradicted.inc();
        let (old, new) = (proof.first().size(), proof.second().size());
        tracing::error!(%party, old, new, "CONTRADICTION: the log of this party shows two pasts that cannot both be true. The proof is kept (`abeng status`); its link is closed until the operator decides");
        let leaf = v1::Leaf {
            kind: v1::LeafKind::Contradiction.into(),
            subject: proof.subject().to_bytes(),
            ..Default::default()
        };
        let part = v1::ProofPart {
            of: Some(Of::Contradiction(proof.message())),
        };
        let input = Input::Note {
            leaf: Box::new(leaf),
            proof: Some(part),
            private: None,
            tell: None,
            receipt_to: None,
        };
        self.core.give(input).await;
        for link in self.links.linked() {
            self.tell_contradictions(&link);
        }
        if let Some(link) = self.links.link(party).filter(|_| self.quarantined(party)) {
            self.refuse_contradicted(link);
        }
    }

    /// Whether links to a party are refused: its log contradicts itself, and the operator has not
    /// decided otherwise.
    pub fn quarantined(&self, party: PartyCode) -> bool {
        lock(&self.contradictions).iter().any(|k| k.party == party)
            && !self.config.link.accept_contradicted.contains(&party)
    }

    /// `GET /v1/contradictions`: every proof with what it is judged by.
    pub fn contradiction_views(&self) -> Vec<abeng_api::ContradictionView> {
        let trust = abeng_wire::encode(&self.trust().to_bundle());
        let kept = lock(&self.contradictions).clone();
        let view = |k: &KeptProof| abeng_api::ContradictionView {
            party: k.party.to_string(),
            incarnation: k.incarnation.to_string(),
            kept_at: clock::rfc3339(k.at),
            first_size: k.sizes.0,
            second_size: k.sizes.1,
            quarantined: self.quarantined(k.party),
            proof: BASE64.encode(&k.bytes),
            trust: BASE64.encode(&trust),
        };
        kept.iter().map(view).collect()
    }

    /// Shows a coordination party every proof kept here: both notes, and the path between them.
    pub fn tell_contradictions(&self, link: &Link) {
        let (trust, peer) = (self.trust(), link.peer());
        let coordination = |p: &abeng_roster::Party| p.is_coordination();
        if !trust.roster.party(peer).is_some_and(coordination) {
            return;
        }
        let kept = lock(&self.contradictions).clone();
        for proof in kept.iter().filter(|k| k.party != peer) {
            let Ok(proof) = Contradiction::verify(&proof.bytes, &trust.roster) else {
                continue;
            };
            link.control(Frame::Checkpoint(v1::CheckpointFrame {
                checkpoint: proof.first().note().clone(),
                ..Default::default()
            }));
            link.control(Frame::Checkpoint(v1::CheckpointFrame {
                checkpoint: proof.second().note().clone(),
                old_size: proof.first().size(),
                consistency: proof.path().iter().map(LeafHash::to_bytes).collect(),
                asked: proof.second().size(),
            }));
        }
    }

    /// Tells a peer the newest checkpoints of third parties that it was not told on this link.
    pub fn gossip(&self, link: &Link) {
        let logs = lock(&self.logs);
        let mut gossip = lock(&self.gossip);
        for (party, checkpoint) in logs.trunks().filter(|(party, _)| *party != link.peer()) {
            if gossip.is_news(link, party, checkpoint) {
                link.control(Frame::Checkpoint(v1::CheckpointFrame {
                    checkpoint: checkpoint.note().clone(),
                    ..Default::default()
                }));
            }
        }
    }

    /// Asks the owner of a log at the other end of this link how its checkpoints go together.
    pub fn ask_owner(&self, link: &Link) {
        let peer = link.peer();
        let (silent, questions) = {
            let mut logs = lock(&self.logs);
            (logs.silent(peer), logs.questions(peer))
        };
        for size in silent {
            self.metrics.checkpoints_unexplained.inc();
            tracing::warn!(%peer, size, "the peer does not answer how this checkpoint of its log, which others were shown, goes together with the rest. That proves nothing yet; ask its operator");
        }
        if !questions.is_empty() {
            // An owner that cannot explain them may be an older copy, and is shown so.
            let open: Vec<_> = lock(&self.logs).open(peer).cloned().collect();
            for checkpoint in open {
                claim(link, checkpoint.note());
            }
        }
        for question in questions {
            link.control(Frame::ProofWanted(v1::ProofWanted {
                incarnation: question.incarnation.0,
                old_size: question.old,
                new_size: question.new,
            }));
        }
    }

    /// A peer asks how two checkpoints of this log go together: the path, under a checkpoint of
    /// the larger size. What this log does not have it cannot explain, and says so by showing how
    /// far it goes.
    pub fn answer_proof(&self, link: &Link, wanted: &v1::ProofWanted) -> Result<(), ReadError> {
        let (old, new, size) = (wanted.old_size, wanted.new_size, self.reader.size());
        if wanted.incarnation != self.incarnation.0 || old == 0 || old >= new {
            return Ok(());
        }
        // An older copy has nothing to explain; whoever has another past may show it.
        if !matches!(
            self.stopped_submitting(),
            None | Some(Proved::OtherPast { .. })
        ) {
            return Ok(());
        }
        let (shown, path) = match new <= size {
            true => (new, self.reader.contradiction_path(old, new)?),
            false => (size, Vec::new()),
        };
        let root = self.reader.root_at(shown)?;
        let signer = self.keyring.log();
        let Ok(checkpoint) = Checkpoint::sign(&self.origin, shown, root, signer.as_ref()) else {
            return Ok(());
        };
        link.control(Frame::Checkpoint(v1::CheckpointFrame {
            checkpoint: checkpoint.note().clone(),
            old_size: old,
            consistency: path.iter().map(LeafHash::to_bytes).collect(),
            asked: new,
        }));
        Ok(())
    }

    /// Somebody shows how two checkpoints go together. Proves itself, so it matters not who.
    pub async fn take_explanation(
        self: &Arc<Self>,
        from: PartyCode,
        frame: &v1::CheckpointFrame,
        checkpoint: &Checkpoint,
    ) {
        let origin = LogOrigin::parse(checkpoint.origin());
        let (Ok(origin), Some(path)) = (origin, hashes(&frame.consistency)) else {
            return;
        };
        self.meet(from, checkpoint).await;
        let explained = lock(&self.logs).explain(origin, frame.old_size, frame.asked, &path);
        match explained {
            Explained::Contradiction(proof) => self.keep_contradiction(*proof).await,
            Explained::Nothing if from == origin.party => {
                self.metrics.checkpoints_unexplained.inc();
                tracing::warn!(%from, old = frame.old_size, new = frame.asked, "the peer does not explain how two checkpoints of its log go together. That proves nothing yet; ask its operator");
            }
            Explained::Good | Explained::Unasked | Explained::Nothing | Explained::NothingAgain => {
            }
        }
    }
}
