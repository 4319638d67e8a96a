//! What a start makes of what waits: what the log says of it counts, whatever its mark.

use super::{Draft, Entry, HeldId, Known, Mark, blocking};
use crate::{
    node_error::NodeError,
    releases::{self, of_held},
    shared::{Shared, lock},
};
use abeng_audit_log::Stored;
use abeng_queue::PrivateInput;
use abeng_wire::{EnvelopeId, LeafIndex, v1};
use std::{collections::BTreeMap, sync::Arc};
use v1::proof_part::Of;

/// What the log says of one.
#[derive(Default)]
struct Said {
    held: bool,
    denied: bool,
    granted: bool,
    submitted: Option<(EnvelopeId, v1::PrivatePart)>,
}

impl Shared {
    /// Reads what waits and brings to its end what a crash broke off. To be called before anything is
    /// served or swept, once leaves can be journalled.
    pub(crate) async fn recover_held(self: &Arc<Self>) -> Result<(), NodeError> {
        let shared = self.clone();
        let read = move || {
            let entries = shared.read_held()?;
            let from = entries.iter().filter_map(|(_, entry)| shared.from(entry));
            let said = match from.min() {
                Some(from) => shared.said_since(from)?,
                None => BTreeMap::new(),
            };
            Ok::<_, NodeError>((entries, said))
        };
        let broke_off = NodeError::Broken("held submissions could not be read");
        let read = tokio::task::spawn_blocking(read).await;
        let (entries, mut said) = read.map_err(|_| broke_off)??;
        lock(&self.held.index).extend(entries.iter().cloned());
        for (id, entry) in entries {
            let said = said.remove(&id).unwrap_or_default();
            let settled = self.settle(id, &entry, said).await;
            settled.map_err(|e| NodeError::Directory {
                dir: self.layout.root().join(super::DIR),
                source: std::io::Error::other(e.message),
            })?;
        }
        self.tell_held();
        Ok(())
    }

    fn read_held(&self) -> Result<Vec<(HeldId, Entry)>, NodeError> {
        let unusable = |source| NodeError::Directory {
            dir: self.layout.root().join(super::DIR),
            source,
        };
        let mut entries = Vec::new();
        for (id, mark) in self.held.files.list().map_err(unusable)? {
            let sealed = self.held.files.read(id, mark);
            let known = sealed.ok().and_then(|sealed| {
                let draft = Draft::open(id, &self.keyring.store, &sealed)?;
                Some(Known::of(&draft, sealed.len() as u64))
            });
            if known.is_none() {
                tracing::error!(
                    file = %self.held.files.path(id, mark).display(),
                    "a held submission cannot be opened: its file was altered or is damaged"
                );
            }
            let entry = Entry {
                mark,
                known,
                taken: false,
            };
            entries.push((id, entry));
        }
        Ok(entries)
    }

    /// The first leaf that can say something of one. Asked also of one that is marked as waiting:
    /// its mark may be that of a copy, from a backup or put back after it was decided.
    fn from(&self, entry: &Entry) -> Option<u64> {
        let known = entry.known.as_ref();
        match entry.mark {
            Mark::Granting(size) | Mark::Denying(size) => Some(size),
            Mark::Coming | Mark::Held => known.map(|known| known.size),
        }
    }

    fn said_since(&self, from: u64) -> Result<BTreeMap<HeldId, Said>, NodeError> {
        let mut all: BTreeMap<HeldId, Said> = BTreeMap::new();
        if from >= self.reader.size() {
            return Ok(all);
        }
        for stored in self.reader.scan(LeafIndex(from)) {
            note(&stored?, &mut all);
        }
        Ok(all)
    }

    async fn settle(
        self: &Arc<Self>,
        id: HeldId,
        entry: &Entry,
        said: Said,
    ) -> Result<(), abeng_api::ApiError> {
        if said.granted || said.submitted.is_some() {
            if let Some((envelope, private)) = said.submitted.filter(|_| !said.granted) {
                let by = PrivateInput {
                    officer: private.officer,
                    via: format!("a start; {}", private.via),
                    salt: releases::salt(),
                };
                self.say_granted(id, envelope, by).await?;
            }
            match entry.mark {
                Mark::Held => {
                    tracing::warn!(%id, "a file of a held submission that was sent already is taken away")
                }
                _ => tracing::info!(%id, "a held submission was sent before the last stop"),
            }
            return self.drop_held(id).await;
        }
        let earlier = entry.known.as_ref().is_some_and(|k| self.maybe_sent(k));
        let unanswered = entry.mark == Mark::Coming && !said.held && !earlier;
        if said.denied || (unanswered && entry.known.is_some()) {
            return self.drop_held(id).await;
        }
        if entry.mark != Mark::Held {
            let (files, mark) = (self.held.files.clone(), entry.mark);
            blocking(move || files.mark(id, mark, Mark::Held)).await?;
            self.held.set_mark(id, Mark::Held);
        }
        Ok(())
    }
}

/// What one leaf says.
fn note(stored: &Stored, all: &mut BTreeMap<HeldId, Said>) {
    let record = &stored.record;
    let leaf = record.leaf().message();
    match leaf.kind() {
        v1::LeafKind::Submitted => {
            let private = record.private().ok().flatten();
            let id = EnvelopeId::from_slice(&leaf.envelope_id);
            if let (Some(private), Some(envelope)) = (private, id)
                && let Some(held) = of_held(&private.via)
            {
                all.entry(held).or_default().submitted = Some((envelope, private));
            }
        }
        v1::LeafKind::Admin => {
            let proof = record.proof().ok().flatten().and_then(|proof| proof.of);
            let Some(Of::Release(said)) = proof else {
                return;
            };
            let Ok(id) = <[u8; 16]>::try_from(&said.held_id[..]) else {
                return;
            };
            let of = all.entry(HeldId(id)).or_default();
            match said.act() {
                v1::ReleaseAct::ReleaseHeld => of.held = true,
                v1::ReleaseAct::ReleaseGranted => of.granted = true,
                v1::ReleaseAct::ReleaseDenied => of.denied = true,
                v1::ReleaseAct::ReleaseShown | v1::ReleaseAct::Unspecified => {}
            }
        }
        _ => {}
    }
}
