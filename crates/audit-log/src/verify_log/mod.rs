//! The check of a whole log: every byte, and what every leaf stands on.

mod leaf;
mod outside;
mod scrubs;

use crate::{
    Disk, Leaf, Record, Witnessed,
    journal::{
        OpenError,
        format::Keys,
        frame::Frame,
        open::{load_key, load_mark},
        segments,
        walk::{At, Visitor, walk},
    },
};
use abeng_roster::Trust;
use abeng_wire::{Incarnation, LeafHash, PartyCode, v1};
use scrubs::{Locate, Scrubs};
use std::collections::{BTreeMap, BTreeSet};

/// Damage near the end of a log that a running node appends to is looked at again so often: a
/// batch may have been seen while it was being written.
const ATTEMPTS: u32 = 3;
/// How often progress is told, in leaves.
const PROGRESS: u64 = 4096;

/// What the check of a whole log found to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogReport {
    /// The life of the log that leaf 0 opens.
    pub incarnation: Incarnation,
    /// Leaves, all of them under the root.
    pub leaves: u64,
    /// Batches, each whole and chained to the one before.
    pub batches: u64,
    /// The root; of an empty log that of the empty tree.
    pub root: LeafHash,
    /// Checkpoints, of this log and held of others, whose signature holds; own ones also lead to
    /// the root of their size.
    pub checkpoints: u64,
    /// Cosignatures under own checkpoints that hold.
    pub cosignatures: u64,
    /// Proofs that a log contradicts itself.
    pub contradictions: u64,
    /// Receipts of others, proved.
    pub receipts: u64,
    /// Envelopes and statements whose signature holds.
    pub signatures: u64,
    /// Commitments to stream numbers and to private parts, opened.
    pub commitments: u64,
    /// What the trust data at hand cannot judge: a party or key it does not know, or one revoked
    /// since.
    pub unjudged: u64,
    /// Records whose private and body parts are zeroed, all of them named by a SCRUB_BEGUN leaf.
    pub scrubbed: u64,
    /// Leaves by kind.
    pub by_kind: BTreeMap<String, u64>,
    /// Bytes of a batch that was not finished at the end: a torn tail, or one being written.
    pub unfinished: u64,
}

/// The first thing in a log that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{file}`, byte {offset}{}: {what}", .index.map(|i| format!(", leaf {i}")).unwrap_or_default())]
pub struct LogFault {
    /// The file, relative to the data directory.
    pub file: String,
    /// The byte.
    pub offset: u64,
    /// The leaf, where it is one.
    pub index: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// Checks a log whole: the chain of segments and batches, every checksum, the root in every
/// commit frame, every leaf and what it stands on, every checkpoint and receipt. Writes nothing,
/// so it may run beside the node; it then ends where the log durably ended at some moment during
/// the check. `progress` is called now and then with the leaves checked so far.
pub fn verify_log<D: Disk>(
    disk: &D,
    trust: &Trust,
    me: PartyCode,
    mut progress: impl FnMut(u64),
) -> Result<LogReport, LogFault> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        let fault = match attempt(disk, trust, me, &mut progress) {
            Ok(report) => return Ok(report),
            Err(fault) => fault,
        };
        if last.as_ref() == Some(&fault) {
            return Err(fault);
        }
        last = Some(fault);
    }
    last.map_or_else(|| Ok(LogReport::default()), Err)
}

fn attempt<D: Disk>(
    disk: &D,
    trust: &Trust,
    me: PartyCode,
    progress: &mut dyn FnMut(u64),
) -> Result<LogReport, LogFault> {
    let keys = load_key(disk)?;
    let mark = load_mark(disk, &keys)?;
    let segments = segments::load(disk, &keys)?;
    let mut check = Check {
        keys: &keys,
        trust,
        me,
        progress,
        report: LogReport::default(),
        incarnation: 0,
        roots: Vec::new(),
        witnessed: BTreeMap::new(),
        ended: BTreeSet::new(),
        scrubs: Scrubs::default(),
        failed_at: None,
    };
    if segments.is_empty() {
        check.report.root = crate::merkle::empty_root();
        return Ok(check.report);
    }
    let clean = mark.map_or(0, |m| m.batches);
    let walked = walk(disk, &keys, &segments, 0, clean, &mut check);
    let index = check.failed_at;
    let fault = |error, index| LogFault {
        index,
        ..LogFault::from(error)
    };
    // What is wrong with a leaf may show only at a later one.
    if let Some((index, what)) = check.scrubs.fault(walked.is_ok()) {
        let mut locate = Locate { index, what };
        walk(disk, &keys, &segments, 0, clean, &mut locate).map_err(|e| fault(e, Some(index)))?;
    }
    let end = walked.map_err(|e| fault(e, index))?;
    check.report.incarnation = Incarnation(check.incarnation);
    check.report.scrubbed = check.scrubs.count();
    check.report.batches = end.batches;
    check.report.root = end.frontier.root();
    check.report.unfinished = end.torn;
    Ok(check.report)
}

struct Check<'a> {
    keys: &'a Keys,
    trust: &'a Trust,
    me: PartyCode,
    progress: &'a mut dyn FnMut(u64),
    report: LogReport,
    incarnation: u64,
    // The root after each batch, by size, to hold own checkpoints against.
    roots: Vec<(u64, LeafHash)>,
    // The last checkpoint of each log of others that this party co-signed.
    witnessed: BTreeMap<PartyCode, Witnessed>,
    // The first half of each envelope that has its final outcome here.
    ended: BTreeSet<[u8; 16]>,
    scrubs: Scrubs,
    failed_at: Option<u64>,
}

impl Visitor for Check<'_> {
    fn record(&mut self, at: At<'_>, frame: &Frame, data: &[u8]) -> Result<(), OpenError> {
        let checked = if frame.in_tree {
            self.failed_at = Some(frame.index);
            frame
                .record(data, self.keys)
                .and_then(|record| self.leaf(frame.index, &record))
        } else {
            self.failed_at = None;
            frame
                .outside(data, self.keys)
                .ok_or_else(|| "a statement outside the tree is not one".to_owned())
                .and_then(|said| self.outside(&said))
        };
        checked.map_err(|what| OpenError::damage(at.path, at.offset, what))?;
        self.failed_at = None;
        Ok(())
    }

    fn batch(&mut self, size: u64, root: &LeafHash) {
        if self.roots.last().is_none_or(|last| last.0 != size) {
            self.roots.push((size, *root));
        }
    }
}

impl Check<'_> {
    /// Counts a leaf, after what every leaf must say.
    fn leaf(&mut self, index: u64, record: &Record) -> Result<(), String> {
        self.every_leaf(index, record.leaf())?;
        self.stands_on(index, record)?;
        let kind = record.leaf().message().kind();
        *self
            .report
            .by_kind
            .entry(kind.as_str_name().to_owned())
            .or_default() += 1;
        self.report.leaves += 1;
        if self.report.leaves.is_multiple_of(PROGRESS) {
            (self.progress)(self.report.leaves);
        }
        Ok(())
    }

    fn every_leaf(&mut self, index: u64, leaf: &Leaf) -> Result<(), String> {
        let says = leaf.message();
        if says.version != 1 {
            return Err(format!(
                "the leaf has version {} instead of 1",
                says.version
            ));
        }
        if says.kind() == v1::LeafKind::Unspecified {
            return Err(format!("the leaf has the unknown kind {}", says.kind));
        }
        if says.actor != self.me.as_str() {
            return Err(format!(
                "the leaf's actor is `{}` instead of `{}`",
                says.actor, self.me
            ));
        }
        if index == 0 {
            self.incarnation = says.incarnation;
        }
        if (index == 0) != (says.kind() == v1::LeafKind::Incarnation) {
            return Err("leaf 0, and no other, opens the incarnation".into());
        }
        if says.incarnation != self.incarnation {
            return Err("the leaf is of another incarnation than leaf 0".into());
        }
        Ok(())
    }
}

impl From<OpenError> for LogFault {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Damaged {
                file, offset, what, ..
            } => Self {
                file,
                offset,
                index: None,
                what,
            },
            OpenError::Io { ref file, .. } => Self {
                file: file.clone(),
                offset: 0,
                index: None,
                what: error.to_string(),
            },
            other => Self {
                file: segments::DIR.into(),
                offset: 0,
                index: None,
                what: other.to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
