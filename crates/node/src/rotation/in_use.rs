//! Which seal keys open something that is kept here.

use super::TurnError;
use crate::{reading::internal, shared::Shared};
use abeng_queue::rows::{CareRow, InboxRow};
use abeng_wire::{Kid, LeafIndex, Mono, decode, limits, v1};
use std::{collections::BTreeSet, sync::Arc};

/// Rows looked at in one go.
const PAGE: usize = 1000;
/// Between two looks through the whole inbox.
const EVERY_MS: u64 = 86_400_000;

/// When the inbox was last looked through.
#[derive(Debug, Default)]
pub struct Looked(Option<Mono>);

impl Looked {
    /// Whether it is time again; if so, it counts as done now.
    pub(super) fn due(&mut self, now: Mono) -> bool {
        let due = self
            .0
            .is_none_or(|last| now.0.saturating_sub(last.0) >= EVERY_MS);
        if due {
            self.0 = Some(now);
        }
        due
    }
}

impl Shared {
    /// Those of `asked` to which content in the inbox is sealed that has not been deleted.
    pub(super) async fn kept_under(
        self: &Arc<Self>,
        asked: Vec<Kid>,
    ) -> Result<BTreeSet<Kid>, TurnError> {
        let asked: BTreeSet<Kid> = asked.into_iter().collect();
        let (mut from, to) = (vec![InboxRow::PREFIX], vec![InboxRow::PREFIX + 1]);
        let mut found = BTreeSet::new();
        while found.len() < asked.len() {
            let rows = self
                .view
                .scan(&from, &to, false, PAGE)
                .await
                .map_err(internal)?;
            let last = rows.last().map(|(key, _)| key.clone());
            let rows = rows.iter().map(|(_, value)| InboxRow::decode(value));
            let received = rows.map(|row| row.map(|row| row.received));
            let received: Vec<LeafIndex> = received.collect::<Result<_, _>>().map_err(internal)?;
            let full = received.len() == PAGE;
            let shared = self.clone();
            let look = move || -> Result<BTreeSet<Kid>, TurnError> {
                let mut kids = BTreeSet::new();
                for leaf in received {
                    kids.extend(shared.sealed_to(leaf)?);
                }
                Ok(kids)
            };
            let kids = super::blocking(look).await?;
            found.extend(kids.intersection(&asked));
            match last {
                Some(last) if full => from = last.into_iter().chain([0]).collect(),
                _ => break,
            }
        }
        Ok(found)
    }

    /// The seal key under which a received notice is kept; `None` where its content is deleted.
    fn sealed_to(&self, received: LeafIndex) -> Result<Option<Kid>, TurnError> {
        let care = self
            .view
            .get_blocking(&CareRow::key(received))
            .map_err(internal)?;
        let care = care
            .map(|row| CareRow::decode(&row))
            .transpose()
            .map_err(internal)?;
        if care.is_some_and(|care| care.begun.is_some()) {
            return Ok(None);
        }
        let record = self.reader.read(received).map_err(internal)?.record;
        let proof = record.proof().map_err(internal)?.and_then(|p| p.of);
        let Some(v1::proof_part::Of::Received(proof)) = proof else {
            return Ok(None);
        };
        let hdr: v1::Hdr = decode("HDR", &proof.hdr, limits::HDR).map_err(internal)?;
        let pre: v1::Pre = decode("PRE", &hdr.pre, limits::PRE).map_err(internal)?;
        let mine = pre.recipients.iter().find(|r| r.party == self.me.as_str());
        Ok(mine.and_then(|r| Kid::from_slice(&r.seal_kid)))
    }
}
