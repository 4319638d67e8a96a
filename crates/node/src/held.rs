//! Submissions that wait until a second person releases them: decision 25.
//!
//! In scope: what lies in `DATA/held/`, what is known of it in memory, and what a start makes of what a
//! crash has left. Who may do what about it is in `releases`.
//!
//! The order of each act: a mark on the disk, its leaf in the log, the mark taken away; and only then an
//! answer. What the log says counts.

mod draft;
mod files;
mod start;

pub(crate) use draft::Draft;
pub use files::{DIR, Gone, HeldId, Mark, copy};

use crate::{
    clock,
    layout::Layout,
    reading::internal,
    shared::{Shared, lock},
};
use abeng_api::{ApiError, Cause, ErrorCode, HeldCount, Warned, Warning};
use abeng_keys::StoreKey;
use abeng_wire::{Hash32, Incarnation, Millis};
use files::Files;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
};

/// Submissions that wait at most.
pub const MOST: usize = 1000;
/// Bytes of them on the disk at most, their files beside.
pub const MOST_BYTES: u64 = 64 << 20;
/// Of both one submitter has this part at most.
const SHARE: usize = 4;
/// Digits of an id that are enough to name it.
const PREFIX: usize = 8;

/// All that waits.
pub struct Held {
    files: Files,
    index: Mutex<BTreeMap<HeldId, Entry>>,
}

/// One submission.
#[derive(Debug, Clone)]
struct Entry {
    mark: Mark,
    /// What it says of itself; none where it cannot be opened.
    known: Option<Known>,
    /// Something is being done about it.
    taken: bool,
}

/// What is looked at without opening it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// Who made it.
    pub(crate) uid: u32,
    at: Millis,
    life: Incarnation,
    /// Leaves of the log before it.
    size: u64,
    bytes: u64,
    pub(crate) roots: Vec<Hash32>,
    /// Whoever else is at the socket may release it, where the configuration names nobody.
    pub(crate) any_second: bool,
}

impl Known {
    fn of(draft: &Draft, bytes: u64) -> Self {
        Self {
            uid: draft.uid,
            at: draft.at,
            life: Incarnation(draft.life),
            size: draft.size,
            bytes,
            roots: draft.roots(),
            any_second: draft.any_second,
        }
    }

    /// Leaves of the log before it came.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }
}

/// The right to do something about one: nobody else does meanwhile.
pub(crate) struct Turn {
    shared: Arc<Shared>,
    pub(crate) id: HeldId,
    keep: bool,
}

impl Turn {
    /// Nobody gets a turn any more before the next start: nobody knows what became of it.
    pub(crate) fn keep(mut self) {
        self.keep = true;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // After a panic too nobody knows what became of it.
        let known = !self.keep && !std::thread::panicking();
        if known && let Some(entry) = lock(&self.shared.held.index).get_mut(&self.id) {
            entry.taken = false;
        }
    }
}

impl Held {
    /// Of a data directory. What lies there is known once the node has looked at its start.
    pub fn open(layout: &Layout) -> io::Result<Self> {
        Ok(Self {
            files: Files::open(layout)?,
            index: Mutex::default(),
        })
    }

    /// The roots of files that submissions wait with: they are kept.
    pub fn roots(&self) -> BTreeSet<Hash32> {
        let index = lock(&self.index);
        let known = index.values().filter_map(|entry| entry.known.as_ref());
        known
            .flat_map(|known| known.roots.iter().copied())
            .collect()
    }

    /// How many there are, and since when.
    pub fn count(&self) -> HeldCount {
        let index = lock(&self.index);
        let oldest = index
            .values()
            .filter_map(|e| e.known.as_ref())
            .map(|k| k.at);
        HeldCount {
            count: index.len() as u32,
            oldest: oldest.min().map(clock::rfc3339),
        }
    }

    /// The one that an id, or its first digits, names.
    pub(crate) fn find(&self, text: &str) -> Result<HeldId, ApiError> {
        let text = text.to_ascii_lowercase();
        let digits = text.bytes().all(|b| b.is_ascii_hexdigit());
        if !digits || !(PREFIX..=32).contains(&text.len()) {
            return Err(ApiError::invalid(
                "a held submission is named by 8 to 32 hex digits of its id",
            )
            .with_try("`abeng release list` shows the ids")
            .because(Cause::ReleaseId, []));
        }
        let index = lock(&self.index);
        let mut fits = index.keys().filter(|id| id.to_string().starts_with(&text));
        match (fits.next(), fits.next()) {
            (Some(id), None) => Ok(*id),
            (Some(_), Some(_)) => Err(ApiError::invalid("more than one id begins so")
                .with_try("give more digits of it")
                .because(Cause::ReleaseAmbiguous, [])),
            (None, _) => Err(not_here()),
        }
    }

    /// What waits, the oldest first; what cannot be opened before all.
    pub(crate) fn list(&self) -> Vec<(HeldId, Option<Known>)> {
        let index = lock(&self.index);
        let entries = index.iter().map(|(id, entry)| (*id, entry.known.clone()));
        let mut list: Vec<(HeldId, Option<Known>)> = entries.collect();
        list.sort_by_key(|(_, known)| known.as_ref().map(|known| known.at));
        list
    }

    pub(crate) fn known(&self, id: HeldId) -> Result<Option<Known>, ApiError> {
        let index = lock(&self.index);
        index.get(&id).map(|e| e.known.clone()).ok_or_else(not_here)
    }

    fn mark_of(&self, id: HeldId) -> Result<Mark, ApiError> {
        let index = lock(&self.index);
        index.get(&id).map(|e| e.mark).ok_or_else(not_here)
    }

    /// Where one lies.
    pub(crate) fn path(&self, id: HeldId) -> PathBuf {
        let mark = self.mark_of(id).unwrap_or(Mark::Held);
        self.files.path(id, mark)
    }

    /// Opens one. Blocks.
    pub(crate) fn read(&self, id: HeldId, store: &StoreKey) -> Result<Draft, ApiError> {
        let sealed = self.files.read(id, self.mark_of(id)?).ok();
        sealed
            .and_then(|sealed| Draft::open(id, store, &sealed))
            .ok_or_else(|| unreadable(id))
    }

    /// Makes room for one that comes.
    fn reserve(&self, id: HeldId, known: Known) -> Result<(), ApiError> {
        let mut index = lock(&self.index);
        let sizes = index.values().filter_map(|e| e.known.as_ref());
        let bytes: u64 = sizes.map(|known| known.bytes).sum();
        // Nobody takes the room of all.
        let own = index.values().filter_map(|e| e.known.as_ref());
        let own: Vec<u64> = own
            .filter(|k| k.uid == known.uid)
            .map(|k| k.bytes)
            .collect();
        let own_bytes = own.iter().sum::<u64>().saturating_add(known.bytes);
        if own.len() >= MOST / SHARE || own_bytes > MOST_BYTES / SHARE as u64 {
            let what = format!(
                "{} submissions of yours wait for their release already, and no more of yours are taken",
                own.len()
            );
            return Err(ApiError::new(ErrorCode::NoRoom, what)
                .with_try("have those who may release decide about them, or withdraw some: `abeng release list`")
                .because(Cause::ReleaseFullOwn, [("count", own.len().to_string())]));
        }
        if index.len() >= MOST || bytes.saturating_add(known.bytes) > MOST_BYTES {
            let what = format!(
                "{} submissions wait for their release already, and no more are taken",
                index.len()
            );
            return Err(ApiError::new(ErrorCode::NoRoom, what)
                .with_try("ask those who may release to decide about them: `abeng release list`")
                .because(Cause::ReleaseFull, [("count", index.len().to_string())]));
        }
        let entry = Entry {
            mark: Mark::Coming,
            known: Some(known),
            taken: true,
        };
        index.insert(id, entry);
        Ok(())
    }

    fn set_mark(&self, id: HeldId, to: Mark) {
        if let Some(entry) = lock(&self.index).get_mut(&id) {
            entry.mark = to;
        }
    }
}

impl Shared {
    /// The right to do something about one.
    pub(crate) fn take_turn(self: &Arc<Self>, id: HeldId) -> Result<Turn, ApiError> {
        let mut index = lock(&self.held.index);
        let entry = index.get_mut(&id).ok_or_else(not_here)?;
        if entry.taken {
            return Err(ApiError::new(
                ErrorCode::Conflict,
                "somebody else is deciding about it at this moment",
            )
            .with_try(
                "look again in a moment: `abeng release list`; if that stays, start the node again",
            )
            .because(Cause::ReleaseTaken, []));
        }
        entry.taken = true;
        Ok(Turn {
            shared: self.clone(),
            id,
            keep: false,
        })
    }

    /// Takes a new one: on the disk, and not yet in the log.
    pub(crate) async fn hold_new(
        self: &Arc<Self>,
        draft: &Draft,
    ) -> Result<(Turn, Vec<u8>), ApiError> {
        let id = HeldId::fresh();
        let sealed = draft.seal(id, &self.keyring.store).map_err(internal)?;
        let known = Known::of(draft, sealed.len() as u64);
        self.held.reserve(id, known)?;
        let turn = Turn {
            shared: self.clone(),
            id,
            keep: false,
        };
        let (files, bytes) = (self.held.files.clone(), sealed.clone());
        let written = blocking(move || files.write(id, Mark::Coming, &bytes)).await;
        if let Err(e) = written {
            self.drop_held(id).await?;
            return Err(e);
        }
        self.tell_held();
        Ok((turn, sealed))
    }

    /// Says on the disk what is done about one.
    pub(crate) async fn mark_held(&self, id: HeldId, to: Mark) -> Result<(), ApiError> {
        let from = self.held.mark_of(id)?;
        let files = self.held.files.clone();
        let marked = blocking(move || files.mark(id, from, to)).await;
        // Where it lies now, whether or not the disk has said that it keeps it so.
        if marked.is_ok() || self.held.files.path(id, to).exists() {
            self.held.set_mark(id, to);
        }
        marked
    }

    /// Deletes one from the disk and forgets it.
    pub(crate) async fn drop_held(&self, id: HeldId) -> Result<(), ApiError> {
        let files = self.held.files.clone();
        blocking(move || files.remove(id)).await?;
        lock(&self.held.index).remove(&id);
        self.tell_held();
        Ok(())
    }

    fn tell_held(&self) {
        self.metrics.held.set(lock(&self.held.index).len() as i64);
    }

    /// Whether one comes from an earlier life of the log: a backup, for one.
    pub(crate) fn maybe_sent(&self, known: &Known) -> bool {
        known.life != self.incarnation
    }

    /// What an administrator should know of what waits.
    pub(crate) fn held_warnings(&self) -> Vec<Warning> {
        let list = self.held.list();
        let mut told: Vec<Warning> = list
            .iter()
            .filter(|(_, known)| known.is_none())
            .map(|(id, _)| {
                let file = self.held.path(*id).display().to_string();
                let told = Warning::from(format!(
                    "the held submission {id:.12} cannot be opened: {file} was altered or is damaged. It is not sent. Whoever submitted it may submit it again; `abeng release deny {id:.12} --reason TEXT` takes it away"
                ));
                told.because(Warned::HeldDamaged, [("id", format!("{id:.12}")), ("file", file)])
            })
            .collect();
        let earlier = list.iter().filter_map(|(_, known)| known.as_ref());
        match earlier.filter(|known| self.maybe_sent(known)).count() {
            0 => {}
            n => told.push(Warning::from(format!(
                "{} for release since before this life of the log: what was released after the backup may have been sent. Look at `abeng sent`, and ask the recipients, before you release: `abeng release list`",
                crate::count::count(n as u64, "submission waits", "submissions wait")
            )).because(Warned::HeldEarlier, [("count", n.to_string())])),
        }
        told
    }
}

fn not_here() -> ApiError {
    ApiError::not_found(
        "no submission with this id waits here: it was released or denied, or it never waited",
    )
    .with_try(
        "`abeng release list` shows what waits, `abeng audit show --kind ADMIN` what was decided",
    )
    .because(Cause::ReleaseNone, [])
}

pub(crate) fn unreadable(id: HeldId) -> ApiError {
    let what = format!(
        "the held submission {id:.12} cannot be opened: its file was altered or is damaged"
    );
    ApiError::new(ErrorCode::Damaged, what)
        .with_try("it is not sent; deny it, and have it submitted again")
        .because(Cause::ReleaseDamaged, [("id", format!("{id:.12}"))])
}

/// Does what may block, and tells a failure of the disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(internal)?
        .map_err(|e| {
            tracing::error!(error = %e, "held submissions cannot be read or written");
            ApiError::internal(format!("held submissions cannot be read or written: {e}"))
                .with_try("check the disk of the data directory")
                .because(Cause::ReleaseDisk, [])
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(bytes: u64) -> Known {
        Known {
            uid: 1000,
            at: 7,
            life: Incarnation(1),
            size: 0,
            bytes,
            roots: vec![[bytes as u8; 32]],
            any_second: false,
        }
    }

    fn of(uid: u32, bytes: u64) -> Known {
        Known {
            uid,
            ..known(bytes)
        }
    }

    #[test]
    fn no_more_wait_than_there_is_room_for_and_nobody_takes_it_all() {
        let dir = tempfile::tempdir().unwrap();
        let held = Held::open(&Layout::new(dir.path())).unwrap();
        let add = |uid, bytes| held.reserve(HeldId::fresh(), of(uid, bytes));
        for uid in 0..4 {
            for _ in 0..250 {
                add(uid, 2).unwrap();
            }
            let error = add(uid, 2).unwrap_err();
            assert_eq!(error.code, ErrorCode::NoRoom);
            assert!(
                error.message.contains("250 submissions of yours"),
                "{error}"
            );
            assert!(error.try_this.unwrap().contains("release list"));
        }
        let error = add(4, 1).unwrap_err();
        assert!(error.message.contains("1000 submissions wait"), "{error}");
        assert_eq!(held.count().count, 1000);
        assert_eq!(held.roots().len(), 1);
        let one = *lock(&held.index).keys().next().unwrap();
        lock(&held.index).remove(&one);
        add(4, 1).unwrap();
    }

    #[test]
    fn they_take_no_more_of_the_disk_than_they_may() {
        let dir = tempfile::tempdir().unwrap();
        let held = Held::open(&Layout::new(dir.path())).unwrap();
        let add = |uid, bytes| held.reserve(HeldId::fresh(), of(uid, bytes));
        for uid in 0..4 {
            assert!(add(uid, (MOST_BYTES >> 2) + 1).is_err());
            add(uid, MOST_BYTES >> 2).unwrap();
            assert!(add(uid, 1).is_err());
        }
        assert!(add(4, 1).is_err());
    }

    #[test]
    fn eight_digits_name_one() {
        let dir = tempfile::tempdir().unwrap();
        let held = Held::open(&Layout::new(dir.path())).unwrap();
        held.reserve(HeldId([1; 16]), known(1)).unwrap();
        let mut near = [1; 16];
        near[15] = 2;
        held.reserve(HeldId(near), known(1)).unwrap();
        let found = |text: &str| held.find(text).map_err(|e| e.code);
        assert_eq!(found("0101010"), Err(ErrorCode::Invalid));
        assert_eq!(found("01010101"), Err(ErrorCode::Invalid), "two of them");
        assert_eq!(
            found(&HeldId(near).to_string().to_uppercase()),
            Ok(HeldId(near))
        );
        assert_eq!(found("99999999"), Err(ErrorCode::NotFound));
        assert_eq!(found("../../..g"), Err(ErrorCode::Invalid));
    }
}
