//! Receipts, checkpoints and trust data in a courier file: each proves itself, whoever brought it.

use super::{Import, contradicted};
use crate::{
    courier::{
        tally::What,
        window::{Known, shower},
    },
    receipts::verify_checkpoint,
    shared::lock,
};
use abeng_audit_log::{Checkpoint, LogOrigin, hashes, logs::Met, merkle::verify_consistency};
use abeng_wire::{PartyCode, limits, v1};

impl Import<'_> {
    pub(super) async fn receipts(&mut self, frame: v1::Receipts) {
        let checkpoint = match self.checkpoint_of(&frame).await {
            Ok(checkpoint) => checkpoint,
            Err(why) => {
                let count = frame.receipts.len().clamp(1, limits::RECEIPTS);
                for _ in 0..count {
                    self.tally.fault(What::Receipt, None, &why);
                }
                return;
            }
        };
        for receipt in frame.receipts {
            self.receipt(receipt, &checkpoint).await;
        }
    }

    /// The checkpoint that all receipts of a frame stand on, if it may be believed.
    async fn checkpoint_of(&self, frame: &v1::Receipts) -> Result<(PartyCode, Checkpoint), String> {
        if frame.receipts.len() > limits::RECEIPTS || frame.checkpoint.len() > limits::CHECKPOINT {
            return Err("more than a frame of receipts may hold".to_owned());
        }
        let trust = self.shared.trust();
        let (party, checkpoint) =
            verify_checkpoint(&trust.roster, &frame.checkpoint).map_err(|e| e.to_string())?;
        if frame.old_size != checkpoint.size() || !frame.nodes.is_empty() {
            return Err("in a courier file each receipt has its whole path".to_owned());
        }
        self.believe(party, &checkpoint).await?;
        Ok((party, checkpoint))
    }

    async fn receipt(&mut self, receipt: v1::Receipt, under: &(PartyCode, Checkpoint)) {
        let (shared, what) = (self.shared, What::Receipt);
        let (party, checkpoint) = under;
        let trust = shared.trust();
        let proven = shared.prove_receipt(*party, receipt, checkpoint, &trust.roster);
        let proven = match proven.await {
            Ok(proven) => proven,
            Err(why) => {
                shared.metrics.receipts_rejected.inc();
                return self.tally.fault(what, None, why);
            }
        };
        use v1::LeafKind::{Delivered, Expired, Read, Recalled, Received, Refused};
        // Received is about a file of the notice: what else it could be about is not believed above.
        if ![Delivered, Expired, Read, Recalled, Received, Refused].contains(&proven.kind) {
            let why = "it proves no outcome";
            return self.tally.fault(what, Some(proven.envelope_id), why);
        }
        if self.window.has_receipt(&proven) {
            return self.tally.known(what);
        }
        match shared.give_proven(&proven).await {
            Known::Already => self.tally.known(what),
            Known::New => self.window.receipt(*proven),
        }
    }

    /// The maker's checkpoint. With a proof it joins what is known; without it waits for its owner.
    pub(super) async fn checkpoint(&mut self, frame: &v1::CheckpointFrame) {
        let (shared, what) = (self.shared, What::Checkpoint);
        let trust = shared.trust();
        let (party, checkpoint) = match verify_checkpoint(&trust.roster, &frame.checkpoint) {
            Ok(verified) => verified,
            Err(why) => return self.tally.fault(what, None, why),
        };
        let origin = LogOrigin::parse(checkpoint.origin());
        let trunk = lock(&shared.logs)
            .trunks()
            .find(|(of, known)| *of == party && known.origin() == checkpoint.origin())
            .map(|(_, known)| (known.size(), known.root()));
        if let (Ok(origin), Some(old), Some(proof)) = (origin, trunk, hashes(&frame.consistency))
            && party != shared.me
            && old.0 == frame.old_size
            && old.0 < checkpoint.size()
            && verify_consistency(
                (old.0, &old.1),
                (checkpoint.size(), &checkpoint.root()),
                &proof,
            )
            .is_ok()
        {
            let met = lock(&shared.logs).follows(origin, Some(old), &checkpoint);
            if let Met::Contradiction(proof) = met {
                shared.keep_contradiction(*proof).await;
            }
        }
        match self.believe(party, &checkpoint).await {
            Ok(()) => self.tally.taken(what),
            Err(why) => self.tally.fault(what, None, why),
        }
    }

    /// Holds a checkpoint of another log against what is known of it.
    async fn believe(&self, party: PartyCode, checkpoint: &Checkpoint) -> Result<(), String> {
        let shared = self.shared;
        if party == shared.me {
            // Judged, and told where it is none of ours.
            shared.meet(shower(shared), checkpoint).await;
            return Err("it is of this node's own log".to_owned());
        }
        if shared.quarantined(party) {
            return Err(contradicted(party));
        }
        let origin = LogOrigin::parse(checkpoint.origin()).map_err(|e| e.to_string())?;
        let met = lock(&shared.logs).meet(origin, shower(shared), checkpoint);
        match met {
            Met::Good | Met::Open => Ok(()),
            Met::Closed => Err(format!("it is of an older life of the log of {party}")),
            Met::Contradiction(proof) => {
                shared.keep_contradiction(*proof).await;
                Err(format!("the log of {party} contradicts itself"))
            }
        }
    }

    pub(super) async fn trust(&mut self, bundle: v1::TrustBundle) {
        let shared = self.shared.clone();
        let merged = tokio::task::spawn_blocking(move || {
            let taken = shared.adopt(&bundle, None);
            taken.map(|taken| taken.is_some())
        });
        match merged.await {
            Ok(Ok(true)) => self.tally.taken(What::Trust),
            Ok(Ok(false)) => self.tally.known(What::Trust),
            Ok(Err(why)) => self.tally.fault(What::Trust, None, why),
            Err(e) => self.tally.fault(What::Trust, None, e),
        }
    }
}
