//! Many receipts under one checkpoint, for somebody who keeps the log's compact range: the path
//! of a leaf that is new to that range follows from few nodes that all leaves of the frame share.

use super::path_of;
use crate::{
    Checkpoint, Disk, Durable, Leaf, ReadError, Reader,
    checkpoint::hashes,
    merkle::{Frontier, Growth, ProofError, leaf_hash},
};
use abeng_wire::{LeafHash, limits, prost::Message, v1};
use bytes::Bytes;
use std::collections::BTreeMap;

/// An outcome, and the Received leaf right before it where one batch holds both.
pub type Outcome = (Durable<Leaf>, Option<Durable<Leaf>>);

/// What a control frame holds beside the receipts.
const AROUND: usize = 64;

/// Why a frame's receipts do not follow from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Too many receipts or nodes, or a leaf that is too long.
    #[error("more than a frame may hold")]
    TooMuch,
    /// The frame begins at another size than the range held.
    #[error("the frame begins at {old_size} leaves, but the range of {held} is held")]
    OutOfStep {
        /// Where it begins.
        old_size: u64,
        /// What is held.
        held: u64,
    },
    /// A rule of the frame's form is broken.
    #[error("not a frame of receipts: {rule}")]
    Form {
        /// The rule.
        rule: &'static str,
    },
    /// Range, leaves and nodes do not fit each other.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// They lead to another root than the checkpoint's. Either the peer errs, or its log is not
    /// the one that the range is of.
    #[error("the frame does not lead to the checkpoint's root")]
    Root,
}

/// Frames for outcomes under one checkpoint, to somebody who keeps the compact range of the first
/// `old_size` leaves, which are at most the checkpoint's. Few frames: one wherever the limit of a
/// control frame allows.
pub fn build_frames<D: Disk>(
    outcomes: &[Outcome],
    old_size: u64,
    reader: &Reader<D>,
    checkpoint: &Checkpoint,
) -> Result<Vec<v1::Receipts>, ReadError> {
    let (mut frames, mut rest, mut old_size) = (Vec::new(), outcomes, old_size);
    while !rest.is_empty() {
        let mut count = rest.len().min(limits::RECEIPTS);
        let frame = loop {
            let frame = build_frame(&rest[..count], old_size, reader, checkpoint)?;
            if count == 1 || frame.encoded_len() + AROUND <= limits::CONTROL {
                break frame;
            }
            count /= 2;
        };
        frames.push(frame);
        rest = &rest[count..];
        old_size = checkpoint.size();
    }
    Ok(frames)
}

fn build_frame<D: Disk>(
    outcomes: &[Outcome],
    old_size: u64,
    reader: &Reader<D>,
    checkpoint: &Checkpoint,
) -> Result<v1::Receipts, ReadError> {
    let size = checkpoint.size();
    let both = outcomes.iter().flat_map(|(leaf, c)| c.iter().chain([leaf]));
    let mut since: Vec<u64> = both.map(|leaf| leaf.index().0).collect();
    since.retain(|index| *index >= old_size);
    since.sort_unstable();
    since.dedup();
    let nodes = reader.growth(old_size, size, &since)?;
    let path = |leaf: &Durable<Leaf>| match leaf.index().0 >= old_size {
        true => Ok(Vec::new()),
        false => path_of(leaf.index(), reader, size),
    };
    let mut receipts = Vec::with_capacity(outcomes.len());
    for (leaf, companion) in outcomes {
        let mut receipt = v1::Receipt {
            leaf: leaf.fact().bytes().clone(),
            index: leaf.index().0,
            proof: path(leaf)?,
            ..Default::default()
        };
        if let Some(before) = companion {
            receipt.companion = before.fact().bytes().clone();
            receipt.companion_proof = path(before)?;
        }
        receipts.push(receipt);
    }
    Ok(v1::Receipts {
        checkpoint: checkpoint.note().clone(),
        old_size,
        receipts,
        nodes: nodes.iter().map(LeafHash::to_bytes).collect(),
    })
}

/// The receipts of a frame, each with its whole path, and the compact range of its checkpoint.
/// `held` is the range that the frame must begin at; `checkpoint` is the frame's, verified.
pub fn expand(
    frame: v1::Receipts,
    checkpoint: &Checkpoint,
    held: &Frontier,
) -> Result<(Frontier, Vec<v1::Receipt>), FrameError> {
    let old_size = frame.old_size;
    if old_size != held.size() {
        let held = held.size();
        return Err(FrameError::OutOfStep { old_size, held });
    }
    if frame.receipts.len() > limits::RECEIPTS || frame.nodes.len() > limits::RECEIPT_NODES {
        return Err(FrameError::TooMuch);
    }
    let mut leaves = BTreeMap::new();
    for receipt in &frame.receipts {
        note(&mut leaves, receipt.index, &receipt.leaf)?;
        if !receipt.companion.is_empty() {
            let before = receipt.index.checked_sub(1).ok_or(FrameError::Form {
                rule: "nothing comes before leaf 0",
            })?;
            note(&mut leaves, before, &receipt.companion)?;
        }
    }
    let since: Vec<(u64, LeafHash)> = leaves.range(old_size..).map(|(i, h)| (*i, *h)).collect();
    let nodes: Option<Vec<_>> = frame
        .nodes
        .iter()
        .map(|n| LeafHash::from_slice(n))
        .collect();
    let nodes = nodes.ok_or(FrameError::Form {
        rule: "a node has 32 bytes",
    })?;
    let growth = Growth::new(held, checkpoint.size(), &since, &nodes)?;
    if growth.frontier().root() != checkpoint.root() {
        return Err(FrameError::Root);
    }
    let mut receipts = frame.receipts;
    for receipt in &mut receipts {
        whole(receipt.index, old_size, &growth, &mut receipt.proof)?;
        if !receipt.companion.is_empty() {
            let before = receipt.index - 1;
            whole(before, old_size, &growth, &mut receipt.companion_proof)?;
        }
    }
    Ok((growth.into_frontier(), receipts))
}

/// Takes a leaf of the frame; the same leaf may stand in it twice.
fn note(leaves: &mut BTreeMap<u64, LeafHash>, index: u64, leaf: &Bytes) -> Result<(), FrameError> {
    if leaf.len() > limits::LEAF {
        return Err(FrameError::TooMuch);
    }
    let hash = leaf_hash(leaf);
    if *leaves.entry(index).or_insert(hash) != hash {
        return Err(FrameError::Form {
            rule: "a place in the log holds one leaf",
        });
    }
    Ok(())
}

/// Gives a leaf since `old_size` its path; one before must have brought it.
fn whole(
    index: u64,
    old_size: u64,
    growth: &Growth,
    path: &mut Vec<Bytes>,
) -> Result<(), FrameError> {
    if index < old_size {
        return match hashes(path) {
            Some(_) => Ok(()),
            None => Err(FrameError::Form {
                rule: "a path is of hashes of 32 bytes",
            }),
        };
    }
    if !path.is_empty() {
        return Err(FrameError::Form {
            rule: "a leaf since the old size has no path of its own",
        });
    }
    let found = growth.path(index).ok_or(FrameError::Form {
        rule: "a leaf is in the tree",
    })?;
    *path = found.iter().map(LeafHash::to_bytes).collect();
    Ok(())
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
