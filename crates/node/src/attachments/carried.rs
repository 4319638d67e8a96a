//! A relay's part: files of envelopes that it carries, fetched from their originator when their
//! recipient asks, and kept in `carried/` for it. Ciphertext, in a place of its own and within a
//! budget of its own: what does not fit waits, and the notice has long been delivered.

mod ledger;

pub use ledger::{FileLimits, Ledger};

use super::Store;
use crate::{
    blobs::Blobs,
    clock,
    reading::internal,
    relaying::is_relay,
    shared::{Shared, lock},
};
use abeng_api::ApiError;
use abeng_audit_log::{ATTACHMENT, subject};
use abeng_queue::Proven;
use abeng_seal::AttachmentRef;
use abeng_wire::{
    EnvelopeId, Hash32, LeafIndex, Millis, PartyCode, SignedBytes, decode, encode, limits, v1,
};
use ledger::Wish;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// How long a recipient's want waits for its originator before it is told to ask again.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a relay keeps of others' files.
pub struct Carried {
    /// Their ciphertexts.
    pub blobs: Blobs,
    ledger: Mutex<Ledger>,
    news: Notify,
}

impl Carried {
    /// With what an earlier run has left, which goes first where room is needed.
    pub fn new(blobs: Blobs, limits: FileLimits) -> std::io::Result<Self> {
        let mut ledger = Ledger::new(limits);
        for root in blobs.untouched(Duration::ZERO)? {
            ledger.left_behind(root, blobs.bytes(&root));
        }
        Ok(Self {
            blobs,
            ledger: Mutex::new(ledger),
            news: Notify::new(),
        })
    }

    /// One has come whole.
    pub fn arrived(&self) {
        self.news.notify_waiters();
    }

    /// It is being brought to somebody.
    pub fn touch(&self, root: &Hash32) {
        lock(&self.ledger).touch(root, clock::mono());
    }
}

/// A file that belongs to an envelope which is or was carried here.
#[derive(Debug, Clone, Copy)]
pub struct CarriedFile {
    pub of: AttachmentRef,
    envelope: EnvelopeId,
    originator: PartyCode,
    recipient: PartyCode,
    expires_at: Millis,
}

impl Shared {
    /// Whether an envelope that is or was carried here for a party names a file, and has not
    /// expired.
    pub(super) async fn carries_file(
        self: &Arc<Self>,
        recipient: PartyCode,
        envelope: EnvelopeId,
        of: AttachmentRef,
    ) -> Result<Option<CarriedFile>, ApiError> {
        if !is_relay(&self.trust().roster, self.me) {
            return Ok(None);
        }
        let Some(row) = self.carried_row(&envelope, recipient).await else {
            return Ok(None);
        };
        let shared = self.clone();
        let read = move || shared.carried_header(row.relayed);
        let header = tokio::task::spawn_blocking(read).await;
        let (pre, trl) = header.map_err(internal)??;
        let named = trl.attachments.contains(&of.to_wire());
        Ok(
            (named && pre.expires_at > clock::wall()).then_some(CarriedFile {
                of,
                envelope,
                originator: row.originator,
                recipient,
                expires_at: pre.expires_at,
            }),
        )
    }

    /// What the originator of an envelope that is carried here has signed.
    fn carried_header(&self, relayed: LeafIndex) -> Result<(v1::Pre, v1::Trl), ApiError> {
        let record = self.reader.read(relayed).map_err(internal)?.record;
        let proof = record.proof().map_err(internal)?.and_then(|p| p.of);
        let Some(v1::proof_part::Of::Relayed(proof)) = proof else {
            return Err(internal(
                "a record of what is carried that holds no envelope",
            ));
        };
        let hdr: v1::Hdr = decode("HDR", &proof.hdr, limits::HDR).map_err(internal)?;
        let pre = decode("PRE", &hdr.pre, limits::PRE).map_err(internal)?;
        let trl = decode("TRL", &hdr.trl, limits::PRE).map_err(internal)?;
        Ok((pre, trl))
    }

    /// Whether a leaf's subject is a file of what is carried here.
    pub async fn carries_named(self: &Arc<Self>, relayed: LeafIndex, about: &[u8]) -> bool {
        let shared = self.clone();
        let read = move || shared.carried_header(relayed);
        let Ok(Ok((_, trl))) = tokio::task::spawn_blocking(read).await else {
            return false;
        };
        let is_it = |file: &v1::AttachmentRef| subject(ATTACHMENT, &encode(file)).0[..] == *about;
        trl.attachments.iter().any(is_it)
    }

    /// Waits for a file of what is carried, and fetches it where there is room and a link to its
    /// originator. Whether it is here.
    pub(super) async fn carried_comes(self: &Arc<Self>, file: &CarriedFile) -> bool {
        let carried = &self.attachments.carried;
        let wish = Wish {
            of: file.of,
            originator: file.originator,
            envelope: file.envelope,
            recipient: file.recipient,
            expires_at: file.expires_at,
        };
        let wanted = lock(&carried.ledger).want(wish, clock::mono());
        let Ok(going) = wanted else {
            tracing::warn!(originator = %file.originator, "a file of what is carried finds no room; its recipient asks again");
            return false;
        };
        self.drop_carried(going).await;
        let end = Instant::now() + PATIENCE;
        self.attachments.look();
        loop {
            let news = carried.news.notified();
            if carried.blobs.has(file.of) {
                return true;
            }
            if tokio::time::timeout_at(end, news).await.is_err() {
                return false;
            }
        }
    }

    /// Asks originators that are linked for what recipients wait for.
    pub(super) async fn look_for_carried(self: &Arc<Self>) -> Result<(), ApiError> {
        let carried = &self.attachments.carried;
        let going = lock(&carried.ledger).expire(clock::wall());
        self.drop_carried(going).await;
        let wishes = lock(&carried.ledger).wishes();
        for wish in wishes {
            let link = self.links.link(wish.originator);
            let link = link.filter(|_| !self.quarantined(wish.originator));
            if let Some(link) = link
                && !carried.blobs.has(wish.of)
            {
                let asked = (wish.of, wish.envelope);
                self.ask_over(&link, asked, Store::Carried).await?;
            }
        }
        Ok(())
    }

    /// A recipient has proved that a file is there: it need not be kept here for it.
    pub async fn carried_arrived(&self, proven: &Proven) {
        let leaf = proven.receipt.leaf.clone();
        let Ok(leaf) = SignedBytes::<v1::Leaf>::parse("leaf", leaf, limits::LEAF) else {
            return;
        };
        let about = &leaf.message().subject;
        let going = {
            let mut ledger = lock(&self.attachments.carried.ledger);
            ledger.done(proven.envelope_id, proven.place.recipient, about)
        };
        self.drop_carried(going).await;
    }

    async fn drop_carried(&self, roots: Vec<Hash32>) {
        if roots.is_empty() {
            return;
        }
        // What comes piece by piece must not go on behind what is no more.
        lock(&self.attachments.under_way).take_if(|(store, partial)| {
            *store == Store::Carried && roots.contains(&partial.of().root)
        });
        let blobs = self.attachments.carried.blobs.clone();
        let drop = move || roots.iter().try_for_each(|root| blobs.delete(root));
        if let Ok(Err(e)) = tokio::task::spawn_blocking(drop).await {
            tracing::error!(error = %e, "a file that was carried for others cannot be deleted");
        }
    }
}
