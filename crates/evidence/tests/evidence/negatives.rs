//! Files whose digest holds and that are refused all the same, each for its reason.

mod checkpoints;
mod envelope;
mod leaves;
mod message;
mod trust;

use crate::fixture::{
    LIFE, Log, Net, Story, about, cosign, file, filler, framed, leaf_subject, net, opening,
    subproof, to,
};
use abeng_audit_log::merkle::leaf_hash;
use abeng_evidence::{Part, verify};
use abeng_keys::{SignatureType, Signer};
use abeng_roster::ceremony;
use abeng_wire::{Digest, Incarnation, decode, encode, limits, v1};
use bytes::Bytes;
use v1::LeafKind as Kind;

/// The file of a changed story is refused at that part for that reason.
#[track_caller]
fn told(change: impl FnOnce(&mut Story<'_>), part: Part, why: &str) {
    let mut story = net().story();
    change(&mut story);
    refused(&story.evidence(), part, why);
}

/// A changed file is refused at that part for that reason.
#[track_caller]
fn made(change: impl FnOnce(&mut v1::Evidence), part: Part, why: &str) {
    let mut evidence = net().story().evidence();
    change(&mut evidence);
    refused(&evidence, part, why);
}

#[track_caller]
fn refused(evidence: &v1::Evidence, part: Part, why: &str) {
    let file = file(evidence);
    let fault = verify(&file, None).unwrap_err();
    let text = fault.to_string();
    assert!(
        fault.part == part && text.contains(why),
        "{part:?}, {why}: {text}"
    );
    assert!(fault.offset < file.len(), "{text}");
}

const JM: usize = 1;
const TT: usize = 2;

fn leaf(log: usize, leaf: usize) -> Part {
    Part::Leaf { log, leaf }
}
