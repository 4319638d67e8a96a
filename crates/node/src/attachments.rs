//! Attachments: files beside notices, from an officer's disk here to an officer's disk there.
//!
//! What an officer gives is encrypted as it is read and becomes a blob before its envelope is
//! journalled (`give`). Its recipients ask for it once they have the notice (`fetch`), from a peer
//! that serves it below all envelopes (`serve`). Whoever takes it out leaves a leaf (`show`). What
//! no notice names any more is deleted (`sweep`).

mod arrive;
mod asks;
mod bring;
mod brought;
mod carried;
mod faults;
mod fetch;
mod give;
mod paid;
mod pending;
mod proved;
mod serve;
mod show;
mod sweep;
mod take;

pub use brought::{Brought, Took};
pub use carried::{Carried, FileLimits};
pub use fetch::{Held, work as fetch};
pub(crate) use give::{MOST as MOST_GIVEN, check_name, empty, too_long};
pub use serve::Sent;
pub use sweep::work as sweep;

use crate::{
    blobs::{Blobs, Partial},
    reading::internal,
    shared::{Shared, lock},
};
use abeng_api::{ApiError, FilesOf, PendingView};
use abeng_notice::{Attachment, Notice};
use abeng_queue::rows::{FileState, FilesRow};
use abeng_seal::{AttachmentRef, attached_len};
use abeng_wire::{Hash32, LeafIndex, PartyCode, v1};
use asks::Asks;
use faults::Faults;
use give::Given;
use pending::HeldBack;
use serve::Serving;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};
use tokio::sync::Notify;

/// Where a file lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Store {
    /// With those of this party.
    Own,
    /// With those that are carried for others.
    Carried,
}

/// What a node knows of attachments beside its view.
pub struct Attachments {
    /// The ciphertexts.
    pub blobs: Blobs,
    /// Others' ones, where this party is a relay.
    pub carried: Carried,
    /// Given and not yet submitted, by handle.
    given: Mutex<BTreeMap<String, Given>>,
    /// Asked for, by peer.
    asks: Mutex<Asks>,
    /// The one that came last where pieces come one by one, as far as it is verified.
    under_way: Mutex<Option<(Store, Partial)>>,
    /// Being served, by session.
    serving: Mutex<BTreeMap<u64, Serving>>,
    /// Asked for by people: fetched also where bytes are paid for, or again.
    requested: Mutex<BTreeSet<Hash32>>,
    /// Files of delivered notices that were not here at the last look.
    pending: Mutex<PendingView>,
    /// Files that wait here for the day's bytes.
    held_back: HeldBack,
    /// Sent ones that this disk has lost or damaged.
    faults: Faults,
    /// There may be something to fetch.
    look: Notify,
    /// One leaf about an arrival at a time.
    arriving: tokio::sync::Mutex<()>,
}

impl Attachments {
    /// With these blobs.
    pub fn new(blobs: Blobs, carried: Carried) -> Self {
        Self {
            blobs,
            carried,
            given: Mutex::default(),
            asks: Mutex::default(),
            under_way: Mutex::default(),
            serving: Mutex::default(),
            requested: Mutex::default(),
            pending: Mutex::default(),
            held_back: HeldBack::default(),
            faults: Faults::default(),
            look: Notify::new(),
            arriving: tokio::sync::Mutex::default(),
        }
    }

    fn store(&self, store: Store) -> &Blobs {
        match store {
            Store::Own => &self.blobs,
            Store::Carried => &self.carried.blobs,
        }
    }

    /// There may be something to fetch.
    pub fn look(&self) {
        self.look.notify_one();
    }

    /// A relay has brought a copy: it may have the files too.
    pub fn copy_from(&self, relay: PartyCode) {
        lock(&self.asks).wake_refused(relay);
        self.look();
    }

    /// Whether somebody wants it, also where it came before.
    pub fn is_requested(&self, root: &Hash32) -> bool {
        lock(&self.requested).contains(root)
    }

    /// A link is gone, and with it what was asked for and served on it.
    pub fn link_down(&self, session: u64) {
        lock(&self.asks).end_session(session);
        if let Some(serving) = lock(&self.serving).remove(&session) {
            serving.close();
        }
    }
}

impl Shared {
    /// The files of a record, where it has any and its content is not deleted.
    async fn files_row(&self, record: LeafIndex) -> Result<Option<FilesRow>, ApiError> {
        let row = self.view.get(&FilesRow::key(record)).await;
        let row = row.map_err(internal)?;
        let row = row.map(|v| FilesRow::decode(&v)).transpose();
        row.map_err(internal)
    }
}

/// How many files a notice has, and how large they are.
pub fn files_of(notice: &Notice) -> FilesOf {
    let files = notice.attachments();
    FilesOf {
        count: files.len() as u32,
        bytes: files.iter().map(|file| file.length).sum(),
    }
}

/// How a row's file is named.
pub fn named(file: &FileState) -> AttachmentRef {
    AttachmentRef {
        root: file.root,
        length: file.length,
    }
}

/// Whether a notice and its TRL name the same files, in the same order: whoever carries the
/// envelope knows what belongs to it, and whoever opens it gets the keys to exactly that.
pub fn agree(notice: &Notice, trl: &v1::Trl) -> bool {
    let files = notice.attachments();
    let same = |(file, named): (&Attachment, &v1::AttachmentRef)| {
        let fits = attached_len(file.cipher_length) == Some(file.length);
        fits && ref_of(file).to_wire() == *named
    };
    files.len() == trl.attachments.len() && files.iter().zip(&trl.attachments).all(same)
}

/// How TRL names a file of a notice.
pub fn ref_of(file: &Attachment) -> AttachmentRef {
    AttachmentRef {
        root: file.root,
        length: file.cipher_length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abeng_notice::{CheckContext, Draft};
    use abeng_seal::attachment_len;

    fn file(name: &str, length: u64) -> Attachment {
        Attachment {
            name: name.into(),
            media_type: "image/jpeg".into(),
            length,
            root: [length as u8; 32],
            cipher_length: attachment_len(length).unwrap(),
            key: [7; 32],
        }
    }

    fn notice(files: &[Attachment]) -> Notice {
        let sample = abeng_notice::samples().remove(0);
        let names: Vec<String> = files.iter().map(|f| f.name.clone()).collect();
        let me = PartyCode::new(sample.administration.as_str()).unwrap();
        let context = CheckContext {
            attachments: names.iter().cloned().zip(files.iter().cloned()).collect(),
            ..CheckContext::new(1_760_000_000_000, me)
        };
        let draft = Draft {
            attach: names,
            ..sample.draft
        };
        Notice::check(draft, &context).unwrap().notice
    }

    #[test]
    fn the_lists_must_be_the_same() {
        let files = [file("a.jpg", 1), file("b.jpg", 70_000)];
        let wire: Vec<v1::AttachmentRef> = files.iter().map(|f| ref_of(f).to_wire()).collect();
        let trl = |attachments: &[v1::AttachmentRef]| v1::Trl {
            attachments: attachments.to_vec(),
            ..Default::default()
        };
        let both = notice(&files);
        assert!(agree(&both, &trl(&wire)));
        assert!(agree(&notice(&[]), &trl(&[])));
        assert!(!agree(&both, &trl(&wire[..1])));
        assert!(!agree(&both, &trl(&[])));
        assert!(!agree(&notice(&[]), &trl(&wire)));
        assert!(!agree(&both, &trl(&[wire[1].clone(), wire[0].clone()])));
        let mut other = wire.clone();
        other[0].length += 1;
        assert!(!agree(&both, &trl(&other)));
        let mut other = wire;
        other[1].root = vec![9; 32].into();
        assert!(!agree(&both, &trl(&other)));
    }

    #[test]
    fn a_length_that_the_ciphertext_does_not_have_is_refused() {
        let odd = Attachment {
            length: 2,
            ..file("a.jpg", 1)
        };
        let trl = v1::Trl {
            attachments: vec![ref_of(&odd).to_wire()],
            ..Default::default()
        };
        assert!(!agree(&notice(&[odd]), &trl));
    }
}
