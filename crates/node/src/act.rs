//! What a person does to a notice becomes a leaf before it is done.

use crate::{desk::Ended, shared::Shared};
use abeng_api::{ApiError, Caller};
use abeng_keys::{Entropy, SystemEntropy};
use abeng_queue::{Input, PrivateInput};
use abeng_wire::{LeafIndex, PartyCode, v1};

impl Shared {
    /// Journals a leaf about an act, with who did it in its private part, and gives its place once
    /// it is durable. `receipt_to` gets a receipt of it.
    pub async fn note_act(
        &self,
        who: &Caller,
        leaf: v1::Leaf,
        receipt_to: Option<PartyCode>,
    ) -> Result<LeafIndex, ApiError> {
        let mut salt = [0; 32];
        SystemEntropy.fill(&mut salt);
        let private = PrivateInput {
            officer: who.name.clone(),
            via: who.through(),
            salt,
        };
        let place = self.desk.open();
        let input = Input::Note {
            leaf: Box::new(leaf),
            proof: None,
            private: Some(private),
            tell: Some(place.ticket),
            receipt_to,
        };
        if self.core.try_give(input).is_err() {
            self.desk.leave(place.ticket);
            self.metrics.busy.inc();
            return Err(ApiError::overloaded());
        }
        match place.ended.await {
            Ok(Ended::Noted { leaf }) => Ok(leaf),
            _ => Err(ApiError::stopping()),
        }
    }
}
