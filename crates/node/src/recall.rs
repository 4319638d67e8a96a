//! Taking back what was sent.

use crate::shared::Shared;
use abeng_queue::{
    Target, Terms,
    rows::{CareRow, IdRow},
};
use abeng_wire::{EnvelopeId, LeafIndex, PartyCode, v1};

impl Shared {
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
