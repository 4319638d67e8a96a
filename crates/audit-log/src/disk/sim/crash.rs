//! What a power cut leaves.

use super::{Change, Content, SECTOR, SimDisk, State, parent};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::AddAssign,
    sync::{Arc, Mutex},
};

/// What a power cut did: a test that never met a kind of loss has not tested it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effects {
    /// Unsynced sectors that are new.
    pub sectors_kept: u64,
    /// Unsynced sectors that are old.
    pub sectors_lost: u64,
    /// Writes of which some sectors are new and some old.
    pub torn: u64,
    /// Writes of which something is there while something of an earlier one is not.
    pub reordered: u64,
    /// Unsynced lengths that were lost.
    pub lengths_lost: u64,
    /// Unsynced names, made or changed, that are there.
    pub names_kept: u64,
    /// Those that are not.
    pub names_lost: u64,
    /// Of these, renames: what had the new name has it again.
    pub renames_lost: u64,
    /// Old or new sectors that a sync had failed to write.
    pub stuck: u64,
    /// Sectors that read as an error.
    pub unreadable: u64,
}

impl AddAssign for Effects {
    fn add_assign(&mut self, other: Self) {
        let Self {
            sectors_kept,
            sectors_lost,
            torn,
            reordered,
            lengths_lost,
            names_kept,
            names_lost,
            renames_lost,
            stuck,
            unreadable,
        } = other;
        self.sectors_kept += sectors_kept;
        self.sectors_lost += sectors_lost;
        self.torn += torn;
        self.reordered += reordered;
        self.lengths_lost += lengths_lost;
        self.names_kept += names_kept;
        self.names_lost += names_lost;
        self.renames_lost += renames_lost;
        self.stuck += stuck;
        self.unreadable += unreadable;
    }
}

/// SplitMix64: the same seed, the same crash.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True in `part` of 8 cases.
    fn eighths(&mut self, part: u64) -> bool {
        self.next() % 8 < part
    }
}

impl SimDisk {
    /// The disk as it may be after a power cut now. This one goes on unchanged.
    pub fn crash(&self, seed: u64) -> Self {
        self.cut(seed, None)
    }

    /// The same where the cut may come within a sector, in files below this directory: of the sectors that
    /// were being changed some are neither old nor new, and read as an error. One that was written
    /// again with what it held is taken for whole.
    pub fn crash_within_sectors(&self, seed: u64, dir: &str) -> Self {
        self.cut(seed, Some(dir))
    }

    fn cut(&self, seed: u64, within: Option<&str>) -> Self {
        let state = self.state();
        let names = state.names.iter().chain(&state.durable_names);
        let below = |path: &str| within.is_some_and(|dir| parent(path) == dir);
        let mut cut = Cut {
            random: Random(seed),
            kept: 0,
            effects: Effects::default(),
            writes: BTreeMap::new(),
            within: names
                .filter(|(path, _)| below(path))
                .map(|(_, &file)| file)
                .collect(),
        };
        // Some crashes lose everything, some nothing, most of them some.
        cut.kept = cut.random.next() % 9;
        let files = state.files.iter().enumerate();
        let files: Vec<Content> = files
            .map(|(file, content)| cut.file(file, content))
            .collect();
        let names = cut.names(&state);
        cut.count_writes();
        let state = State {
            files,
            durable_names: names.clone(),
            names,
            full: state.full,
            effects: cut.effects,
            ..State::default()
        };
        let state = Arc::new(Mutex::new(state));
        Self { state }
    }

    /// What the power cut that this disk comes from did.
    pub fn effects(&self) -> Effects {
        self.state().effects
    }
}

struct Cut {
    random: Random,
    /// How much is kept, in eighths.
    kept: u64,
    effects: Effects,
    // Sectors kept and lost of each write.
    writes: BTreeMap<u64, (u64, u64)>,
    // Files in which sectors may be left that cannot be read.
    within: BTreeSet<usize>,
}

impl Cut {
    fn file(&mut self, file: usize, content: &Content) -> Content {
        let mut unreadable = content.unreadable.clone();
        let mut after = content.durable.clone();
        if self.random.eighths(self.kept) {
            after.resize(content.live.len(), 0);
        } else {
            self.effects.lengths_lost += u64::from(after.len() != content.live.len());
        }
        for (&sector, how) in &content.dirty {
            let at = sector * SECTOR;
            let end = (at + SECTOR).min(after.len()).min(content.live.len());
            let kept = at < end && self.random.eighths(self.kept);
            let changes = at < end && content.live[at..end] != after[at..end];
            if changes && self.within.contains(&file) && self.random.eighths(2) {
                unreadable.insert(sector);
                self.effects.unreadable += 1;
            }
            if kept {
                after[at..end].copy_from_slice(&content.live[at..end]);
            }
            let of = self.writes.entry(how.write).or_default();
            *(if kept { &mut of.0 } else { &mut of.1 }) += 1;
            self.effects.stuck += u64::from(how.stuck);
        }
        Content {
            live: after.clone(),
            durable: after,
            dirty: BTreeMap::new(),
            unreadable,
        }
    }

    fn names(&mut self, state: &State) -> BTreeMap<String, usize> {
        let mut names = state.durable_names.clone();
        let dirs: BTreeSet<&str> = state.changes.iter().map(Change::dir).collect();
        for dir in dirs {
            let mut lost = false;
            for change in state.changes.iter().filter(|c| c.dir() == dir) {
                lost |= !self.random.eighths(self.kept);
                if lost {
                    self.effects.names_lost += 1;
                    let rename = matches!(change, Change::Rename { .. });
                    self.effects.renames_lost += u64::from(rename);
                } else {
                    self.effects.names_kept += 1;
                    change.apply(&mut names);
                }
            }
        }
        names
    }

    fn count_writes(&mut self) {
        let mut lost_before = false;
        for &(kept, lost) in self.writes.values() {
            self.effects.sectors_kept += kept;
            self.effects.sectors_lost += lost;
            self.effects.torn += u64::from(kept > 0 && lost > 0);
            self.effects.reordered += u64::from(lost_before && kept > 0);
            lost_before |= lost > 0;
        }
    }
}
