//! What a submission that waits is: the request as it came, who made it, and the keys of its files. It
//! rests sealed under the node's `store` key, bound to its id.

use super::HeldId;
use abeng_api::{Caller, SubmitRequest};
use abeng_keys::{StoreKey, SystemEntropy};
use abeng_notice::{Attachment, NoticeType};
use abeng_wire::{Hash32, Incarnation, LeafHash, Millis, pae};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};
use zeroize::Zeroizing;

/// What the sealed bytes are bound to, with the id.
const LABEL: &str = "abeng/1/held";

/// A submission that waits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// As it came.
    pub request: SubmitRequest,
    /// Whom the socket proved to have made it.
    pub uid: u32,
    /// When, Unix milliseconds.
    pub at: Millis,
    /// The life of the log in which it came.
    pub life: u64,
    /// Leaves that the log had before.
    pub size: u64,
    files: BTreeMap<String, HeldFile>,
    /// The age of the trust data alone asked for a second person: whoever else is at the socket may be
    /// that one, where the configuration names nobody.
    #[serde(default)]
    pub any_second: bool,
}

/// A file of it, by the handle that the request names.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeldFile {
    name: String,
    media_type: String,
    length: u64,
    root: Hash32,
    cipher_length: u64,
    key: [u8; 32],
}

impl Draft {
    /// A submission as it comes.
    pub fn new(
        request: SubmitRequest,
        uid: u32,
        at: Millis,
        (life, size): (Incarnation, u64),
        files: BTreeMap<String, Attachment>,
    ) -> Self {
        let files = files.into_iter().map(|(handle, file)| {
            let held = HeldFile {
                name: file.name,
                media_type: file.media_type,
                length: file.length,
                root: file.root,
                cipher_length: file.cipher_length,
                key: file.key,
            };
            (handle, held)
        });
        Self {
            request,
            uid,
            at,
            life: life.0,
            size,
            files: files.collect(),
            any_second: false,
        }
    }

    /// Whether it takes a notice back.
    pub fn is_recall(&self) -> bool {
        let kind = self.request.notice.get("type").and_then(|ty| ty.as_str());
        kind.and_then(NoticeType::parse) == Some(NoticeType::Recall)
    }

    /// The same of one for which the age of the trust data alone asks.
    #[must_use]
    pub fn for_any_second(mut self, any_second: bool) -> Self {
        self.any_second = any_second;
        self
    }

    /// Who made it.
    pub fn caller(&self) -> Caller {
        Caller::unix(self.uid)
    }

    /// Its files, as a check of its notice takes them.
    pub fn files(&self) -> BTreeMap<String, Attachment> {
        let file = |(handle, held): (&String, &HeldFile)| {
            let file = Attachment {
                name: held.name.clone(),
                media_type: held.media_type.clone(),
                length: held.length,
                root: held.root,
                cipher_length: held.cipher_length,
                key: held.key,
            };
            (handle.clone(), file)
        };
        self.files.iter().map(file).collect()
    }

    /// The roots of its files.
    pub fn roots(&self) -> Vec<Hash32> {
        self.files.values().map(|file| file.root).collect()
    }

    /// Seals it for the disk.
    pub fn seal(&self, id: HeldId, store: &StoreKey) -> serde_json::Result<Vec<u8>> {
        let plain = Zeroizing::new(serde_json::to_vec(self)?);
        Ok(store.wrap(&pae(LABEL, &id.0), &plain, &mut SystemEntropy))
    }

    /// Opens what [`Self::seal`] made under the same id; `None` for anything else.
    pub fn open(id: HeldId, store: &StoreKey, sealed: &[u8]) -> Option<Self> {
        let plain = store.unwrap(&pae(LABEL, &id.0), sealed)?;
        serde_json::from_slice(&plain).ok()
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.files.values().map(|file| LeafHash(file.root));
        f.debug_struct("Draft")
            .field("uid", &self.uid)
            .field("files", &files.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_for_its_id_alone_and_shows_nothing() {
        let file = Attachment {
            name: "a.jpg".into(),
            media_type: "image/jpeg".into(),
            length: 3,
            root: [4; 32],
            cipher_length: 99,
            key: [5; 32],
        };
        let request = SubmitRequest {
            notice: serde_json::json!({"remarks": "Zq7"}),
            ..SubmitRequest::default()
        };
        let files = BTreeMap::from([("h".to_owned(), file.clone())]);
        let draft = Draft::new(request, 1000, 7, (Incarnation(9), 11), files);
        let store = StoreKey::new([7; 32]);
        let (a, b) = (HeldId([1; 16]), HeldId([2; 16]));
        let mut sealed = draft.seal(a, &store).unwrap();
        let opened = Draft::open(a, &store, &sealed).unwrap();
        assert_eq!(opened.files()["h"], file);
        assert_eq!(
            (opened.uid, opened.size, &opened.request),
            (1000, 11, &draft.request)
        );
        assert!(Draft::open(b, &store, &sealed).is_none());
        assert!(Draft::open(a, &StoreKey::new([8; 32]), &sealed).is_none());
        let last = sealed.len() - 1;
        sealed[last] ^= 1;
        assert!(Draft::open(a, &store, &sealed).is_none());
        let shown = format!("{draft:?}");
        assert!(!shown.contains("Zq7") && !shown.contains("5, 5"), "{shown}");
    }
}
