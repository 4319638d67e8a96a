use super::*;
use crate::fixture::{INCARNATION, code, network};
use crate::merkle::{Frontier, leaf_hash};
use data_encoding::BASE64;
use proptest::prelude::*;

fn signed(size: u64) -> Checkpoint {
    let root = leaf_hash(&size.to_be_bytes());
    let (network, origin) = (network(), network().origin("TT"));
    Checkpoint::sign(&origin, size, root, &**network.keys("TT").log()).unwrap()
}

#[test]
fn a_checkpoint_comes_back_by_key_and_by_roster() {
    use abeng_keys::Signer;
    let ours = signed(300);
    let key = network().keys("TT").log().verify_key();
    let roster = &network().trust.roster;
    assert_eq!(
        Checkpoint::verify(ours.note(), ours.origin(), key),
        Ok(ours.clone())
    );
    assert_eq!(
        Checkpoint::verify_by_roster(ours.note(), roster),
        Ok(ours.clone())
    );
    let origin = LogOrigin::of_note(ours.note()).unwrap();
    assert_eq!(
        (origin.party, origin.incarnation),
        (code("TT"), INCARNATION)
    );
    let text = String::from_utf8(ours.note().to_vec()).unwrap();
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!(
        lines[0],
        "abeng/test/TT/".to_owned() + &INCARNATION.to_string()
    );
    assert_eq!((lines[1], lines[3], lines[5]), ("300", "", ""));
    // C2SP signed-note: key ID, then the signature, under the em dash.
    let (name, bytes) = lines[4]
        .strip_prefix("— ")
        .unwrap()
        .split_once(' ')
        .unwrap();
    assert_eq!(
        (name, BASE64.decode(bytes.as_bytes()).unwrap().len()),
        (lines[0], 68)
    );
}

#[test]
fn each_rule_of_a_note_is_held() {
    let ours = signed(300);
    let roster = &network().trust.roster;
    let text = String::from_utf8(ours.note().to_vec()).unwrap();
    let other = Checkpoint::sign(
        ours.origin(),
        300,
        ours.root(),
        &**network().keys("JM").log(),
    );
    let unknown = ours.origin().replace("/TT/", "/ZZ/");
    let unknown = Checkpoint::sign(&unknown, 300, ours.root(), &**network().keys("TT").log());
    let form = |note: String| {
        let refused = Checkpoint::verify_by_roster(&note.clone().into(), roster);
        assert!(
            matches!(refused, Err(NoteError::Form { .. })),
            "{note}: {refused:?}"
        );
    };
    form(text.replace("\n300\n", "\n0300\n"));
    form(text.replace("\n300\n", "\n+300\n"));
    form(text.replace("\n300\n", "\n\n"));
    form(text.replace("\n\n", "\nextension\n\n"));
    form(text.replace("\n\n", "\n"));
    form(text.trim_end().to_owned());
    form(text.replace("— ", "- "));
    form(format!("{text}\n"));
    form(text.replace("=\n\n", "\n\n"));
    form(text.replace("abeng/test/TT/", "abeng/test/TT//"));
    form(text.replace(
        &INCARNATION.to_string(),
        &INCARNATION.to_string().to_uppercase(),
    ));
    form(text.replace("\n300\n", "\n300\r\n"));
    form("x".repeat(limits::CHECKPOINT + 1));
    let refused = |note: &Bytes| Checkpoint::verify_by_roster(note, roster).unwrap_err();
    let changed = text.replace("\n300\n", "\n301\n").into();
    assert_eq!(refused(&changed), NoteError::BadSignature);
    assert_eq!(refused(other.unwrap().note()), NoteError::Unsigned);
    assert!(matches!(
        refused(unknown.unwrap().note()),
        NoteError::UnknownLog { .. }
    ));
    // A stranger's line is not looked at; a second line of the key that does not hold refuses.
    let stranger = "— stranger AAAAAAAA\n";
    let with = Bytes::from(text.clone() + stranger);
    assert!(Checkpoint::verify_by_roster(&with, roster).is_ok());
    let line = text.lines().nth(4).unwrap();
    let at = line.len() - 10;
    let letter = if &line[at..=at] == "A" { "B" } else { "A" };
    let wrong = format!("{text}{}{letter}{}\n", &line[..at], &line[at + 1..]);
    assert_eq!(refused(&wrong.into()), NoteError::BadSignature);
}

#[test]
fn checkpoints_that_cannot_both_be_true_are_told_from_bad_proofs() {
    let mut frontier = Frontier::new();
    let mut at = |count: u64| {
        while frontier.size() < count {
            frontier.push(leaf_hash(b"leaf"));
        }
        let key = network().keys("TT").log();
        Checkpoint::sign(&network().origin("TT"), count, frontier.root(), &**key).unwrap()
    };
    let (one, two) = (at(1), at(2));
    let proof = [leaf_hash(b"leaf")];
    assert_eq!(two.consistent_with(&one, &proof), Ok(()));
    assert_eq!(one.consistent_with(&two, &proof), Ok(()));
    assert_eq!(two.consistent_with(&two.clone(), &[]), Ok(()));
    let forked = signed(2);
    let contradiction = ConsistencyError::Contradiction { size: 2 };
    assert_eq!(forked.consistent_with(&two, &[]), Err(contradiction));
    let bad = forked.consistent_with(&one, &proof);
    assert_eq!(bad, Err(ConsistencyError::Proof(ProofError::Root)));
}

proptest! {
    #[test]
    fn junk_never_panics(junk in prop::collection::vec(any::<u8>(), 0..300), at in 0usize..200, byte in any::<u8>()) {
        let roster = &network().trust.roster;
        prop_assert!(Checkpoint::verify_by_roster(&junk.into(), roster).is_err());
        let ours = signed(77);
        let mut changed = ours.note().to_vec();
        let at = at % changed.len();
        let same = changed[at] == byte;
        changed[at] = byte;
        prop_assert_eq!(Checkpoint::verify_by_roster(&changed.into(), roster).is_ok(), same);
    }
}

mod contradiction;
mod cosigned;
