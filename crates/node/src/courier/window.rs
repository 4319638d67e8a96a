//! What was given to the engine and is not yet told: in the end the view says what became of it.

use super::tally::{Tally, What};
use crate::{inbound::Examined, shared::Shared};
use abeng_queue::{Proven, rows::IdRow};
use abeng_seal::Arrived;
use abeng_wire::{EnvelopeId, LeafIndex, PartyCode, v1};
use std::sync::Arc;

/// Envelopes that are given before it is asked what became of them.
const ENVELOPES: usize = 256;
/// Their bytes, which stay in memory until then.
const BYTES: usize = 8 << 20;
/// Receipts, likewise.
const RECEIPTS: usize = 1024;
/// How often one is given where the engine asks for another look.
const ROUNDS: usize = 5;

/// A bounded number of things that the engine has and nothing is known of yet.
#[derive(Default)]
pub struct Window {
    envelopes: Vec<Arrived>,
    bytes: usize,
    receipts: Vec<Proven>,
}

impl Window {
    pub fn has(&self, id: &EnvelopeId) -> bool {
        self.envelopes.iter().any(|given| given.id() == *id)
    }

    pub fn has_receipt(&self, proven: &Proven) -> bool {
        // By its leaf: each file of one notice has one.
        let same = |given: &Proven| given.receipt.leaf == proven.receipt.leaf;
        self.receipts.iter().any(same)
    }

    pub fn envelope(&mut self, arrived: Arrived) {
        self.bytes += arrived.body().len();
        self.envelopes.push(arrived);
    }

    pub fn receipt(&mut self, proven: Proven) {
        self.receipts.push(proven);
    }

    pub fn is_full(&self) -> bool {
        let many = self.envelopes.len() >= ENVELOPES || self.receipts.len() >= RECEIPTS;
        many || self.bytes >= BYTES
    }

    /// Waits until all of it is durable, and counts it. Where the engine wanted another look at
    /// something, it is given again: it decides on each once.
    pub async fn settle(&mut self, shared: &Arc<Shared>, tally: &mut Tally) {
        let mut envelopes = std::mem::take(&mut self.envelopes);
        let mut receipts = std::mem::take(&mut self.receipts);
        self.bytes = 0;
        for _ in 0..ROUNDS {
            if envelopes.is_empty() && receipts.is_empty() || shared.core.reached().await.is_none()
            {
                break;
            }
            envelopes = shared.count_envelopes(envelopes, tally).await;
            receipts = shared.count_receipts(receipts, tally).await;
        }
        let busy = "the node was too busy to judge it; import the file again";
        for left in envelopes {
            tally.fault(What::Envelope, Some(left.id()), busy);
        }
        for left in receipts {
            tally.fault(What::Receipt, Some(left.envelope_id), busy);
        }
    }
}

impl Shared {
    /// Counts envelopes that have their outcome; gives the others once more.
    async fn count_envelopes(
        self: &Arc<Self>,
        given: Vec<Arrived>,
        tally: &mut Tally,
    ) -> Vec<Arrived> {
        let mut open = Vec::new();
        for arrived in given {
            let id = arrived.id();
            match self.ended_here(&id).await {
                Some((v1::LeafKind::Delivered, _)) => tally.taken(What::Envelope),
                Some((_, outcome)) => {
                    let why = self.reason_at(outcome).await;
                    tally.refused(What::Envelope, Some(id), why);
                }
                None => {
                    let from = arrived.originator();
                    match self.examine(from, arrived.clone()).await {
                        Examined::Given | Examined::Known => open.push(arrived),
                        Examined::Dropped { why, .. } => tally.fault(What::Envelope, Some(id), why),
                    }
                }
            }
        }
        open
    }

    async fn ended_here(&self, id: &EnvelopeId) -> Option<(v1::LeafKind, LeafIndex)> {
        let row = self.view.get(&IdRow::key(id)).await.ok().flatten()?;
        match IdRow::decode(&row).ok()? {
            IdRow::Held { outcome, kind, .. } => Some((kind, outcome)),
            _ => None,
        }
    }

    async fn reason_at(self: &Arc<Self>, outcome: LeafIndex) -> String {
        let reader = self.reader.clone();
        let read = tokio::task::spawn_blocking(move || reader.durable(outcome)).await;
        match read {
            Ok(Ok(leaf)) => leaf.fact().message().reason().as_str_name().to_owned(),
            _ => v1::Reason::Unspecified.as_str_name().to_owned(),
        }
    }

    async fn count_receipts(
        self: &Arc<Self>,
        given: Vec<Proven>,
        tally: &mut Tally,
    ) -> Vec<Proven> {
        let mut open = Vec::new();
        for proven in given {
            if self.settled_leaf(&proven).await.is_some() {
                tally.taken(What::Receipt);
            } else {
                self.give_proven(&proven).await;
                open.push(proven);
            }
        }
        open
    }

    /// Gives the engine a receipt with what the view has of it now. Whether it was known.
    pub(super) async fn give_proven(self: &Arc<Self>, proven: &Proven) -> Known {
        let mut proven = Box::new(proven.clone());
        proven.looked = self.view.position();
        proven.settled = self.settled_leaf(&proven).await;
        if proven.settled.is_some() {
            return Known::Already;
        }
        let input = abeng_queue::Input::ReceiptProven(proven);
        self.core.give(input).await;
        Known::New
    }
}

/// Whether a receipt settles anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    Already,
    New,
}

/// Who shows what a file holds: the person with the stick, and not the log's owner, so that nothing
/// its owner shows later pushes it out.
pub fn shower(shared: &Shared) -> PartyCode {
    shared.me
}
