//! Room on disk: where too little is left, nothing new is taken, so that what is under way can
//! still be finished.
//!
//! The reserve is for what must go on without new content: receipts given and taken, outcomes of
//! what is queued, recalls, the audit log. A copy from a peer is put off with `FAULT_QUOTA`, which
//! is never an outcome: it stays with the peer and comes again.

use crate::{
    shared::{Shared, lock},
    size::Size,
};
use abeng_api::{ApiError, Cause, CauseView, ErrorCode, Warning};
use abeng_wire::v1;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

/// The least reserve that is chosen without being asked for: one segment of the journal, beside
/// the two that are written ahead.
pub const LEAST_RESERVE: u64 = 64 << 20;
/// The largest reserve that is chosen without being asked for.
const MOST_RESERVE: u64 = 1 << 30;
/// The reserve is one part in so many of the file system.
const RESERVE_SHARE: u64 = 20;
/// And at most one part in so many of what the data directory may take: a large file system must not
/// leave a small quota without room.
const QUOTA_SHARE: u64 = 4;
/// One part in so many of the reserve must be free above it before new content is taken again.
const BACK_SHARE: u64 = 4;
/// What a bounded data directory takes before any content, and room to work: three segments of the
/// journal, and one.
const WORKING: u64 = 256 << 20;
/// How often the file system is asked.
const EVERY: Duration = Duration::from_secs(1);
/// How many of these rounds pass between two walks through the data directory.
const WALK_ROUNDS: u32 = 15;
/// What must stay free beyond a segment that is written ahead, for index and tiles.
pub const AHEAD_MARGIN: u64 = 16 << 20;

/// `[quota]` of node.toml.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QuotaConfig {
    /// Bytes that the data directory may take; `None`: all of its file system.
    pub disk: Option<u64>,
    /// Bytes kept for what is under way; `None`: a twentieth of the file system, from 64 MiB to
    /// 1 GiB, and no more than a quarter of `disk`.
    pub reserve: Option<u64>,
}

impl QuotaConfig {
    /// The least that `disk` may be: with less a node would never take anything, or never again.
    pub fn least_disk(&self) -> u64 {
        let reserve = self.reserve.unwrap_or(LEAST_RESERVE);
        WORKING
            .saturating_add(reserve)
            .saturating_add(reserve / BACK_SHARE)
    }

    fn reserve_of(&self, volume: &Volume) -> u64 {
        let most = self.disk.map_or(MOST_RESERVE, |disk| disk / QUOTA_SHARE);
        let usual = (volume.total / RESERVE_SHARE).min(MOST_RESERVE).min(most);
        self.reserve.unwrap_or(usual.max(LEAST_RESERVE))
    }
}

/// How room is measured.
pub trait Probe: Send + Sync + 'static {
    /// The file system of the data directory.
    fn volume(&self) -> io::Result<Volume>;
    /// Bytes that the data directory takes.
    fn used(&self) -> io::Result<u64>;
}

/// A file system, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Volume {
    /// Free for this process.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

/// The data directory itself.
pub struct DataDir(pub PathBuf);

impl Probe for DataDir {
    fn volume(&self) -> io::Result<Volume> {
        let stat = rustix::fs::statvfs(&self.0)?;
        Ok(Volume {
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
        })
    }

    fn used(&self) -> io::Result<u64> {
        walk(&self.0)
    }
}

/// Files that go while it looks are no error.
fn walk(dir: &Path) -> io::Result<u64> {
    let gone = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => Ok(0),
        _ => Err(e),
    };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) => return gone(e),
    };
    let mut bytes = 0;
    for entry in entries {
        let entry = entry?;
        bytes += match entry.metadata() {
            Ok(meta) if meta.is_dir() => walk(&entry.path())?,
            Ok(meta) => meta.len(),
            Err(e) => gone(e)?,
        };
    }
    Ok(bytes)
}

/// Whether new content is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Open,
    /// It is not: what is left is for what is under way.
    Reserve,
}

/// What is known of the room, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Whether new content is taken.
    pub standing: Standing,
    /// Taken by the data directory.
    pub used: u64,
    /// Free on its file system.
    pub free: u64,
    /// What the data directory may take, where that is set.
    pub disk: Option<u64>,
    /// Kept for what is under way, and for segments of the journal that are not yet written ahead.
    pub reserve: u64,
    /// What must be free, and left of `disk`, before new content is taken.
    pub needed: u64,
}

impl Room {
    /// Bytes of new content until nothing more is taken.
    pub fn left(&self) -> u64 {
        self.available().saturating_sub(self.reserve)
    }

    /// Free, and left of what the data directory may take.
    fn available(&self) -> u64 {
        let by_disk = self.disk.map_or(u64::MAX, |d| d.saturating_sub(self.used));
        self.free.min(by_disk)
    }

    /// The same, for so much content.
    fn wanted_for(self, bytes: u64) -> Self {
        let needed = self.needed.max(self.reserve.saturating_add(bytes));
        Self { needed, ..self }
    }
}

/// There is no room for new content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no room for new content: {} bytes are free and {} must be before any is taken", .0.available(), .0.needed)]
pub struct NoRoom(pub Room);

impl From<NoRoom> for ApiError {
    fn from(none: NoRoom) -> Self {
        let room = none.0;
        let Room {
            used,
            free,
            disk,
            reserve,
            needed,
            ..
        } = room;
        let left = room.available();
        let short = needed.saturating_sub(left);
        let kept = ("reserve_bytes", reserve.to_string());
        let (needs, lacks) = (
            ("needed_bytes", needed.to_string()),
            ("short_bytes", short.to_string()),
        );
        let (what, fix, cause) = match disk {
            Some(disk) if left < free => (
                format!(
                    "the data directory takes {} of the {} it may; {} of that must be left before anything new is taken, and {} are: {} or more are lacking",
                    Size(used),
                    Size(disk),
                    Size(needed),
                    Size(left),
                    Size(short)
                ),
                "raise `disk` or lower `reserve` under [quota] in node.toml, or delete what need not be kept (`abeng retention`)",
                CauseView::new(
                    Cause::NoRoomQuota,
                    [
                        ("used_bytes", used.to_string()),
                        ("disk_bytes", disk.to_string()),
                        ("left_bytes", left.to_string()),
                        needs,
                        lacks,
                        kept,
                    ],
                ),
            ),
            _ => (
                format!(
                    "{} must be free on the disk before anything new is taken, and {} are: free {} or more",
                    Size(needed),
                    Size(free),
                    Size(short)
                ),
                "free space on the disk of the data directory, or move it to a larger one; nothing was lost, and what is queued goes on",
                CauseView::new(
                    Cause::NoRoomDisk,
                    [("free_bytes", free.to_string()), needs, lacks, kept],
                ),
            ),
        };
        Self::new(ErrorCode::NoRoom, format!("not taken: {what}"))
            .with_try(fix)
            .by(cause)
    }
}

/// Decides whether there is room. Cheap to ask: it is measured beside, and what was let in since
/// then is counted.
pub struct Quota {
    disk: Option<u64>,
    reserve: u64,
    probe: Arc<dyn Probe>,
    state: Mutex<State>,
}

struct State {
    free: u64,
    used: u64,
    /// Let in since each was measured.
    since_free: u64,
    since_used: u64,
    /// Segments of the journal that are still to be written ahead.
    ahead: u64,
    standing: Standing,
}

impl Quota {
    /// Measures once.
    pub fn new(config: QuotaConfig, probe: Arc<dyn Probe>) -> io::Result<Self> {
        let volume = probe.volume()?;
        let used = probe.used()?;
        let quota = Self {
            disk: config.disk,
            reserve: config.reserve_of(&volume),
            probe,
            state: Mutex::new(State {
                free: volume.free,
                used,
                since_free: 0,
                since_used: 0,
                ahead: 0,
                standing: Standing::Open,
            }),
        };
        quota.judge(&mut lock(&quota.state));
        Ok(quota)
    }

    /// Asks the file system again; with `Walk::Whole` also what the data directory takes. The
    /// standing before and after.
    pub fn measure(&self, walk: Walk) -> io::Result<(Standing, Standing)> {
        let volume = self.probe.volume()?;
        let used = match walk {
            Walk::Volume => None,
            Walk::Whole => Some(self.probe.used()?),
        };
        let mut state = lock(&self.state);
        let before = state.standing;
        (state.free, state.since_free) = (volume.free, 0);
        if let Some(used) = used {
            (state.used, state.since_used) = (used, 0);
        }
        self.judge(&mut state);
        Ok((before, state.standing))
    }

    /// The journal says how many bytes it has still to write ahead. New content may not take them:
    /// a journal without a next segment stops the node.
    pub fn owe_ahead(&self, bytes: u64) {
        let mut state = lock(&self.state);
        if state.ahead != bytes {
            state.ahead = bytes;
            self.judge(&mut state);
        }
    }

    /// Lets new content in, where there is room for it.
    pub fn admit(&self, bytes: u64) -> Result<(), NoRoom> {
        let mut state = lock(&self.state);
        let before = (state.since_free, state.since_used);
        state.since_free = state.since_free.saturating_add(bytes);
        state.since_used = state.since_used.saturating_add(bytes);
        self.judge(&mut state);
        match state.standing {
            Standing::Open => Ok(()),
            Standing::Reserve => {
                // Not taken, so it takes nothing.
                (state.since_free, state.since_used) = before;
                Err(NoRoom(self.room_of(&state).wanted_for(bytes)))
            }
        }
    }

    /// Whether there is room for new content, without letting it in.
    pub fn has_room(&self, bytes: u64) -> Result<(), NoRoom> {
        let room = self.room();
        match room.standing == Standing::Open && room.left() >= bytes {
            true => Ok(()),
            false => Err(NoRoom(room.wanted_for(bytes))),
        }
    }

    /// What is known now.
    pub fn room(&self) -> Room {
        self.room_of(&lock(&self.state))
    }

    fn room_of(&self, state: &State) -> Room {
        let reserve = self.reserve.saturating_add(state.ahead);
        let back = match state.standing {
            Standing::Open => 0,
            Standing::Reserve => self.reserve / BACK_SHARE,
        };
        Room {
            standing: state.standing,
            used: state.used.saturating_add(state.since_used),
            free: state.free.saturating_sub(state.since_free),
            disk: self.disk,
            reserve,
            needed: reserve.saturating_add(back),
        }
    }

    /// Into the reserve at its edge, out of it only with some room to spare, so that it does not
    /// flicker.
    fn judge(&self, state: &mut State) {
        let room = self.room_of(state);
        state.standing = match room.available() >= room.needed {
            true => Standing::Open,
            false => Standing::Reserve,
        };
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// The file system's own numbers.
    Volume,
    /// Also every file of the data directory.
    Whole,
}

/// Measures for as long as the node runs.
pub async fn work(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut round = 0u32;
    loop {
        every.tick().await;
        let walk = match round % WALK_ROUNDS {
            0 => Walk::Whole,
            _ => Walk::Volume,
        };
        round = round.wrapping_add(1);
        let measuring = shared.clone();
        let measured = tokio::task::spawn_blocking(move || measuring.quota.measure(walk)).await;
        match measured {
            Ok(Ok((before, after))) => shared.tell_standing(before, after),
            Ok(Err(e)) => tracing::error!(error = %e, "the room on disk cannot be measured"),
            Err(_) => return,
        }
    }
}

impl Shared {
    fn tell_standing(&self, before: Standing, after: Standing) {
        let room = self.quota.room();
        self.metrics.quota_left.set(room.left() as i64);
        self.metrics
            .quota_reserve
            .set(i64::from(after == Standing::Reserve));
        if (before, after) == (Standing::Open, Standing::Reserve) {
            tracing::error!(
                free = room.free,
                used = room.used,
                reserve = room.reserve,
                "no new content is taken: the disk is nearly full. Receipts, recalls and the audit log go on in the reserve"
            );
        }
        if (before, after) == (Standing::Reserve, Standing::Open) {
            tracing::info!(
                free = room.free,
                used = room.used,
                "there is room again: new content is taken"
            );
        }
    }

    /// Lets new content of its own people in, where there is room.
    pub fn admit(&self, bytes: u64) -> Result<(), ApiError> {
        self.quota.admit(bytes).map_err(|none| {
            self.metrics.no_room.inc();
            none.into()
        })
    }

    /// The room as a Status carries it.
    pub fn quota_status(&self) -> v1::QuotaStatus {
        let room = self.quota.room();
        v1::QuotaStatus {
            used: room.used,
            disk: room.disk.unwrap_or(0),
            reserve: room.reserve,
            closed: room.standing == Standing::Reserve,
        }
    }

    /// The room as `abeng status` shows it.
    pub fn disk_view(&self) -> abeng_api::DiskView {
        let room = self.quota.room();
        abeng_api::DiskView {
            used_bytes: room.used,
            quota_bytes: room.disk,
            reserve_bytes: room.reserve,
            left_bytes: room.left(),
            closed: room.standing == Standing::Reserve,
            ..abeng_api::DiskView::default()
        }
    }

    /// What an operator should know of the room.
    pub fn room_warning(&self) -> Option<Warning> {
        let room = self.quota.room();
        (room.standing == Standing::Reserve).then(|| {
            let none = ApiError::from(NoRoom(room));
            let fix = none.try_this.unwrap_or_default();
            let text = format!(
                "nothing new is taken: {}. {fix}",
                none.message.trim_start_matches("not taken: ")
            );
            Warning::from(text).by(none.cause.map(|cause| *cause))
        })
    }
}

#[cfg(test)]
#[path = "quota_tests.rs"]
mod tests;
