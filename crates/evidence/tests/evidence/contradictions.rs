//! Contradiction files: two checkpoints that cannot both be true.

use crate::fixture::{Net, bytes, file, filler, net, root, subproof};
use abeng_audit_log::{Checkpoint, Contradiction, merkle::leaf_hash};
use abeng_evidence::{ContradictionFile, FileKind, Part, judge, kind_of, verify};
use abeng_roster::digest;
use abeng_wire::{LeafHash, encode, v1};
use bytes::Bytes;

const FIRST_LINE: &[u8] = b"Abeng contradiction file 1: check it with `abeng audit judge FILE`\n";

/// TT's log with so many leaves, the last of them about another time.
fn tree(size: u64, last: u64) -> Vec<LeafHash> {
    let leaf = |nth| {
        let time = if nth + 1 == size { last } else { nth };
        leaf_hash(&encode(&v1::Leaf {
            time,
            ..filler("TT")
        }))
    };
    (0..size).map(leaf).collect()
}

fn note(party: &str, tree: &[LeafHash]) -> Bytes {
    let origin = format!("abeng/cclec/{party}/{}", crate::fixture::LIFE);
    let key = net().keys(party).log();
    let checkpoint = Checkpoint::sign(&origin, tree.len() as u64, root(tree), &**key);
    checkpoint.unwrap().note().clone()
}

/// Of one size: the lower root first.
fn same_size() -> v1::Contradiction {
    let mut trees = [tree(5, 1), tree(5, 2)];
    trees.sort_by_key(|tree| root(tree));
    v1::Contradiction {
        first: note("TT", &trees[0]),
        second: note("TT", &trees[1]),
        path: vec![],
    }
}

/// A leaf of the first five was changed before the log grew to eleven.
fn rewritten() -> v1::Contradiction {
    let (old, new) = (tree(5, 77), tree(11, 0));
    v1::Contradiction {
        first: note("TT", &old),
        second: note("TT", &new),
        path: bytes(subproof(5, &new, false)),
    }
}

fn message(contradiction: v1::Contradiction) -> v1::ContradictionFile {
    v1::ContradictionFile {
        version: 1,
        roots: net().bundle.roots.clone(),
        rosters: net().bundle.rosters.clone(),
        contradiction: Some(contradiction),
    }
}

fn framed(message: &v1::ContradictionFile) -> Bytes {
    let text = [FIRST_LINE, &encode(message)].concat();
    let end = digest(&text);
    [&text[..], &end.0].concat().into()
}

#[test]
fn both_kinds_are_proven_by_the_file_alone() {
    for contradiction in [same_size(), rewritten()] {
        let made = ContradictionFile {
            roots: net().bundle.roots.clone(),
            rosters: net().bundle.rosters.clone(),
            contradiction: contradiction.clone(),
        };
        let made = made.build().unwrap();
        assert_eq!(made, framed(&message(contradiction.clone())));
        assert_eq!(kind_of(&made), Some(FileKind::Contradiction));
        let judged = judge(&made, Some(net().root)).unwrap();
        assert_eq!(judged.origin.party.as_str(), "TT");
        assert_eq!(judged.name, "Customs of TT");
        assert!(judged.pinned && judged.judged_by == 1);
        let by_roster = Contradiction::verify(&encode(&contradiction), &net().trust.roster);
        assert_eq!(judged.contradiction, by_roster.unwrap());
    }
}

#[track_caller]
fn refused(change: impl FnOnce(&mut v1::ContradictionFile), part: Part, why: &str) {
    let mut bad = message(rewritten());
    change(&mut bad);
    let fault = judge(&framed(&bad), None).unwrap_err();
    let text = fault.to_string();
    assert!(fault.part == part && text.contains(why), "{why}: {text}");
}

#[track_caller]
fn accuses_nobody(change: impl FnOnce(&mut v1::Contradiction), why: &str) {
    let change = |file: &mut v1::ContradictionFile| change(file.contradiction.as_mut().unwrap());
    refused(change, Part::Contradiction, why);
}

#[test]
fn an_honest_log_cannot_be_accused() {
    let new = tree(11, 0);
    let honest = note("TT", &new[..5]);
    accuses_nobody(|c| c.first = honest, "leads to another root than");
    accuses_nobody(|c| c.path[0] = vec![1; 32].into(), "larger note's root");
    accuses_nobody(|c| c.path.clear(), "wrong length");
    accuses_nobody(|c| _ = c.path.pop(), "wrong length");
    accuses_nobody(|c| c.path.push(vec![0; 32].into()), "wrong length");
    accuses_nobody(|c| c.path[0] = c.path[0].slice(..31), "wrong length");
    accuses_nobody(
        |c| (c.first, c.second) = (c.second.clone(), c.first.clone()),
        "smaller note comes first",
    );
    accuses_nobody(|c| c.second = c.first.clone(), "lower one comes first");
    let other = note("JM", &tree(11, 0));
    accuses_nobody(|c| c.second = other, "of one log");
}

#[test]
fn only_the_logs_own_key_accuses_it() {
    let forged = |note: &Bytes| {
        let note = String::from_utf8(note.to_vec()).unwrap();
        let text: String = note.split_inclusive('\n').take(4).collect();
        let other = self::note("JM", &tree(11, 0));
        let other = String::from_utf8(other.to_vec()).unwrap();
        let line = other.lines().nth(4).unwrap().replace("/JM/", "/TT/");
        Bytes::from(format!("{text}{line}\n"))
    };
    accuses_nobody(
        |c| c.second = forged(&c.second),
        "not signed by the log's key",
    );
    // The size is under the signature.
    let resized = |note: &Bytes| {
        let note = String::from_utf8(note.to_vec()).unwrap();
        Bytes::from(note.replacen("\n11\n", "\n12\n", 1))
    };
    accuses_nobody(|c| c.second = resized(&c.second), "does not hold");
}

#[test]
fn what_is_around_it_must_hold_too() {
    refused(|f| f.version = 2, Part::Message, "version is 2");
    refused(|f| f.contradiction = None, Part::Message, "two checkpoints");
    refused(|f| f.roots.clear(), Part::Root(0), "no root given");
    refused(|f| f.rosters.clear(), Part::Roster(0), "no roster given");
    let other = Net::found("cclec", 99);
    let foreign = other.bundle.rosters.clone();
    refused(|f| f.rosters = foreign, Part::Roster(0), "distinct signers");
    let both = (other.bundle.roots, other.bundle.rosters);
    refused(
        |f| (f.roots, f.rosters) = both,
        Part::Contradiction,
        "not signed by the log's key",
    );
}

#[test]
fn each_byte_counts_and_the_kinds_are_not_confused() {
    let good = framed(&message(rewritten()));
    for at in 0..good.len() {
        let mut bad = good.to_vec();
        bad[at] ^= 1 << (at % 8);
        assert!(judge(&bad.into(), None).is_err(), "byte {at}");
    }
    for length in (0..good.len()).step_by(7) {
        assert!(judge(&good.slice(..length), None).is_err());
    }
    assert_eq!(verify(&good, None).unwrap_err().part, Part::File);
    let evidence = file(&net().story().evidence());
    assert_eq!(judge(&evidence, None).unwrap_err().part, Part::File);
}
