//! Receipts: a leaf, its audit path and a checkpoint.

mod frame;

pub use frame::{FrameError, Outcome, build_frames, expand};

use crate::{
    Checkpoint, Disk, Durable, Leaf, LogOrigin, NoteError, ReadError, Reader,
    checkpoint::hashes,
    merkle::{ProofError, leaf_hash, verify_inclusion},
};
use abeng_roster::Roster;
use abeng_wire::{Digest, EnvelopeId, LeafIndex, Malformed, PartyCode, SignedBytes, limits, v1};
use bytes::Bytes;

/// What a receipt must be about: as HDR says.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// Gives the log keys and the relays.
    pub roster: &'a Roster,
    /// The envelope.
    pub envelope_id: EnvelopeId,
    /// Who sealed it.
    pub originator: PartyCode,
    /// The recipient, as PRE names it.
    pub recipient: PartyCode,
    /// The recipient's `seq_commit` in PRE.
    pub seq_commit: Digest,
}

/// A receipt that proves what its leaf says.
#[derive(Debug, Clone, PartialEq)]
pub struct ProvenReceipt {
    /// The leaf.
    pub leaf: Leaf,
    /// What it says was done.
    pub kind: v1::LeafKind,
    /// Who did it: the party of the log.
    pub actor: PartyCode,
    /// The log.
    pub origin: LogOrigin,
    /// Its place there.
    pub index: LeafIndex,
    /// The Received leaf right before it, where the receipt covers that too.
    pub companion: Option<Leaf>,
    /// Leaves of the checkpoint that it stands on.
    pub tree_size: u64,
}

/// Why a receipt proves nothing. Always the peer's fault, or the carrier's.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// Not a leaf.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The checkpoint is not to be believed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The leaf is not in the log.
    #[error("the receipt's leaf is not in the log: {0}")]
    Proof(#[from] ProofError),
    /// Whoever says Relayed has no relay flag in this roster.
    #[error("`{actor}` says it relayed the envelope, but is no relay in this roster")]
    NotRelay {
        /// The party of the log.
        actor: PartyCode,
    },
    /// The leaf is in the log and does not say what it must.
    #[error("the receipt is not one for this envelope: {rule}")]
    Rule {
        /// The rule it breaks.
        rule: &'static str,
    },
}

fn rule(rule: &'static str) -> ReceiptError {
    ReceiptError::Rule { rule }
}

/// Builds a receipt with its checkpoint. `companion` is the Received leaf right before the leaf,
/// where one batch holds both.
pub fn build<D: Disk>(
    leaf: &Durable<Leaf>,
    companion: Option<&Durable<Leaf>>,
    reader: &Reader<D>,
    checkpoint: &Checkpoint,
) -> Result<v1::Receipt, ReadError> {
    let checkpoint_note = checkpoint.note().clone();
    let receipt = build_shared(leaf, companion, reader, checkpoint)?;
    Ok(v1::Receipt {
        checkpoint: checkpoint_note,
        ..receipt
    })
}

/// The path of a leaf as a message holds it.
fn path_of<D: Disk>(
    index: LeafIndex,
    reader: &Reader<D>,
    size: u64,
) -> Result<Vec<Bytes>, ReadError> {
    let proof = reader.inclusion(index, size)?;
    // One allocation for the whole path; the hashes are slices of it.
    let all: Vec<u8> = proof.iter().flat_map(|h| h.0).collect();
    let all = Bytes::from(all);
    Ok((0..proof.len())
        .map(|i| all.slice(32 * i..32 * i + 32))
        .collect())
}

/// Builds a receipt that travels beside others under one checkpoint, and so holds none itself.
pub fn build_shared<D: Disk>(
    leaf: &Durable<Leaf>,
    companion: Option<&Durable<Leaf>>,
    reader: &Reader<D>,
    checkpoint: &Checkpoint,
) -> Result<v1::Receipt, ReadError> {
    let mut receipt = v1::Receipt {
        leaf: leaf.fact().bytes().clone(),
        index: leaf.index().0,
        proof: path_of(leaf.index(), reader, checkpoint.size())?,
        ..Default::default()
    };
    if let Some(companion) = companion.filter(|c| c.index().0 + 1 == leaf.index().0) {
        receipt.companion = companion.fact().bytes().clone();
        receipt.companion_proof = path_of(companion.index(), reader, checkpoint.size())?;
    }
    Ok(receipt)
}

/// Verifies a receipt that holds its own checkpoint. Whether that checkpoint is consistent with
/// the newest one held is the caller's to check ([`Checkpoint::consistent_with`]).
pub fn verify_alone(
    receipt: &v1::Receipt,
    expect: &Expect<'_>,
) -> Result<ProvenReceipt, ReceiptError> {
    let checkpoint = Checkpoint::verify_by_roster(&receipt.checkpoint, expect.roster)?;
    verify(receipt, &checkpoint, expect)
}

/// Verifies a receipt under a checkpoint, by every rule of the protocol but the consistency with
/// the newest checkpoint held ([`Checkpoint::consistent_with`]): a frame of receipts needs that
/// once.
///
/// The checkpoint must come from [`Checkpoint::verify_by_roster`] under the same roster.
pub fn verify(
    receipt: &v1::Receipt,
    checkpoint: &Checkpoint,
    expect: &Expect<'_>,
) -> Result<ProvenReceipt, ReceiptError> {
    if !receipt.checkpoint.is_empty() && receipt.checkpoint != checkpoint.note() {
        return Err(rule("its own checkpoint is another one"));
    }
    let origin = LogOrigin::parse(checkpoint.origin())?;
    let leaf = included(&receipt.leaf, receipt.index, &receipt.proof, checkpoint)?;
    check(&leaf, &origin, expect)?;
    let kind = leaf.message().kind();
    check_actor(kind, origin.party, expect)?;
    let companion = match (receipt.companion.is_empty(), receipt.index) {
        (true, _) if receipt.companion_proof.is_empty() => None,
        (true, _) => return Err(rule("a companion's proof comes with the companion")),
        (false, 0) => return Err(rule("nothing comes before leaf 0")),
        (false, index) => {
            let proof = &receipt.companion_proof;
            let before = included(&receipt.companion, index - 1, proof, checkpoint)?;
            check(&before, &origin, expect)?;
            let received = before.message().kind() == v1::LeafKind::Received;
            if !received || kind == v1::LeafKind::Relayed {
                return Err(rule("a companion is a Received leaf of the recipient"));
            }
            Some(before)
        }
    };
    Ok(ProvenReceipt {
        leaf,
        kind,
        actor: origin.party,
        origin,
        index: LeafIndex(receipt.index),
        companion,
        tree_size: checkpoint.size(),
    })
}

fn included(
    leaf: &Bytes,
    index: u64,
    proof: &[Bytes],
    checkpoint: &Checkpoint,
) -> Result<Leaf, ReceiptError> {
    let leaf = SignedBytes::parse("leaf", leaf.clone(), limits::LEAF)?;
    let found = proof.len();
    let proof = hashes(proof).ok_or(ProofError::Length { found })?;
    let (hash, root) = (leaf_hash(leaf.bytes()), checkpoint.root());
    verify_inclusion(&hash, index, checkpoint.size(), &proof, &root)?;
    Ok(leaf)
}

fn check(leaf: &Leaf, origin: &LogOrigin, expect: &Expect<'_>) -> Result<(), ReceiptError> {
    let says = leaf.message();
    let rules = [
        (says.version == 1, "the leaf's version is 1"),
        (
            says.actor == origin.party.as_str() && says.incarnation == origin.incarnation.0,
            "the leaf's actor and incarnation are those of the log",
        ),
        (
            says.envelope_id == expect.envelope_id.0[..],
            "the leaf names the envelope",
        ),
        (
            says.originator == expect.originator.as_str(),
            "the leaf names the originator",
        ),
        (
            says.recipient == expect.recipient.as_str(),
            "the leaf names the recipient",
        ),
        (
            says.seq_commit == expect.seq_commit.0[..],
            "the leaf holds the recipient's seq_commit",
        ),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        Some((_, broken)) => Err(rule(broken)),
        None => Ok(()),
    }
}

fn check_actor(
    kind: v1::LeafKind,
    actor: PartyCode,
    expect: &Expect<'_>,
) -> Result<(), ReceiptError> {
    use v1::LeafKind as Kind;
    match kind {
        Kind::Received
        | Kind::Delivered
        | Kind::Refused
        | Kind::Read
        | Kind::Acted
        | Kind::Expired
        | Kind::Recalled
            if actor == expect.recipient =>
        {
            Ok(())
        }
        Kind::Relayed if expect.roster.party(actor).is_some_and(|p| p.relay) => Ok(()),
        Kind::Relayed => Err(ReceiptError::NotRelay { actor }),
        Kind::Received | Kind::Delivered | Kind::Refused | Kind::Read | Kind::Acted => {
            Err(rule("the actor is the recipient"))
        }
        _ => Err(rule("its leaf is of a kind that makes a receipt")),
    }
}

#[cfg(test)]
mod tests;
