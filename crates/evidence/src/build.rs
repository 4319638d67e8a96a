use crate::{
    Fault,
    frame::{FileKind, frame},
    notes, verify,
};
use abeng_audit_log::{LogOrigin, NoteError, subject};
use abeng_roster::{BrokenChain, Chain};
use abeng_seal::ContentKey;
use abeng_wire::{Digest, EnvelopeId, encode, limits, pae_signature_type, v1};
use bytes::Bytes;
use zeroize::{Zeroize, Zeroizing};

/// What a leaf of the kind Exported has for its subject: the envelope, and whether its content
/// was disclosed.
pub fn export_subject(envelope_id: &EnvelopeId, content: bool) -> Digest {
    let export = v1::Export {
        envelope_id: envelope_id.to_bytes(),
        content,
    };
    subject(&pae_signature_type("export.v1"), &encode(&export))
}

/// What an evidence file is made of. Order and what comes twice are put right when it is built.
#[derive(Debug, Default)]
pub struct EvidenceFile {
    /// Every root that is held, the oldest first.
    pub roots: Vec<v1::Signed>,
    /// Every roster that is held, the oldest first.
    pub rosters: Vec<v1::Signed>,
    /// What the originator signed.
    pub hdr: Bytes,
    /// Its signature.
    pub sig: Bytes,
    /// The sealed body with the key that opens it, to disclose the content.
    pub disclosed: Option<(Bytes, ContentKey)>,
    /// Own leaves, the leaf of this export among them.
    pub own: Vec<v1::LogProof>,
    /// Receipts of others.
    pub receipts: Vec<v1::Receipt>,
}

/// Why no file can be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Roots or rosters do not hold.
    #[error(transparent)]
    Trust(#[from] BrokenChain),
    /// A checkpoint is none.
    #[error("a checkpoint cannot be used: {0}")]
    Note(#[from] NoteError),
    /// It would be longer than a reader takes.
    #[error("the file would have {length} bytes, more than {limit}")]
    TooLong {
        /// What it would have.
        length: usize,
        /// What a reader takes.
        limit: usize,
    },
    /// What was made does not verify, and so is not handed out.
    #[error("the file does not verify: {0}")]
    Fault(#[from] Fault),
}

impl EvidenceFile {
    /// Puts the file together and verifies it as its reader will.
    pub fn build(self) -> Result<Zeroizing<Vec<u8>>, BuildError> {
        let chain = Chain::walk(&self.roots, &self.rosters, None)?;
        let root = chain.founding();
        let taken = self.receipts.into_iter().map(as_log);
        let logs = arrange(self.own.into_iter().chain(taken), &chain)?;
        let (body, key) = self.disclosed.unzip();
        let mut evidence = v1::Evidence {
            version: 1,
            roots: self.roots,
            rosters: self.rosters,
            hdr: self.hdr,
            sig: self.sig,
            body: body.unwrap_or_default(),
            content_key: key
                .map(|key| Bytes::copy_from_slice(key.expose()))
                .unwrap_or_default(),
            logs,
        };
        let file = Zeroizing::new(frame(FileKind::Evidence, &evidence));
        if let Ok(mut key) = std::mem::take(&mut evidence.content_key).try_into_mut() {
            key.zeroize();
        }
        if file.len() > limits::EVIDENCE {
            return Err(BuildError::TooLong {
                length: file.len(),
                limit: limits::EVIDENCE,
            });
        }
        check(&file, root)?;
        Ok(file)
    }
}

/// Verifies a copy, and wipes it.
fn check(file: &[u8], root: Digest) -> Result<(), Fault> {
    let copy = Bytes::copy_from_slice(file);
    let verdict = verify(&copy, Some(root));
    // The verdict holds no slice of the copy: the content was decrypted into memory of its own.
    let fault = verdict.map(|_| ());
    if let Ok(mut copy) = copy.try_into_mut() {
        copy.zeroize();
    }
    fault
}

fn as_log(receipt: v1::Receipt) -> v1::LogProof {
    let leaf = v1::LeafProof {
        leaf: receipt.leaf,
        index: receipt.index,
        path: receipt.proof,
        statement: None,
    };
    let before = (!receipt.companion.is_empty()).then(|| v1::LeafProof {
        leaf: receipt.companion,
        index: receipt.index.saturating_sub(1),
        path: receipt.companion_proof,
        statement: None,
    });
    v1::LogProof {
        checkpoint: receipt.checkpoint,
        consistency: Vec::new(),
        leaves: before.into_iter().chain([leaf]).collect(),
    }
}

/// Tidies the notes, joins what stands under one checkpoint, sorts, and leaves out what is there.
fn arrange(
    logs: impl Iterator<Item = v1::LogProof>,
    chain: &Chain,
) -> Result<Vec<v1::LogProof>, BuildError> {
    let mut keyed: Vec<(LogOrigin, u64, v1::LogProof)> = Vec::new();
    for mut log in logs {
        let (checkpoint, roster) = notes::newest(&log.checkpoint, chain)?;
        log.checkpoint = notes::tidy(&log.checkpoint, roster)?;
        let origin = LogOrigin::parse(checkpoint.origin())?;
        let size = checkpoint.size();
        match keyed
            .iter_mut()
            .find(|(o, s, _)| *o == origin && *s == size)
        {
            Some((_, _, there)) => join(there, log),
            None => keyed.push((origin, size, log)),
        }
    }
    keyed.sort_by_key(|(origin, size, _)| (*origin, *size));
    let mut shown = Vec::new();
    for (origin, _, log) in &mut keyed {
        log.leaves.sort_by_key(|leaf| leaf.index);
        log.leaves.retain(|leaf| {
            let new = !shown.contains(&(*origin, leaf.index));
            shown.push((*origin, leaf.index));
            new
        });
    }
    let logs = keyed.into_iter().map(|(_, _, log)| log);
    Ok(logs.filter(|log| !log.leaves.is_empty()).collect())
}

/// The same checkpoint twice: the one with more witnesses under it stays.
fn join(there: &mut v1::LogProof, log: v1::LogProof) {
    if log.checkpoint.len() > there.checkpoint.len() {
        there.checkpoint = log.checkpoint;
    }
    if there.consistency.is_empty() {
        there.consistency = log.consistency;
    }
    there.leaves.extend(log.leaves);
}
