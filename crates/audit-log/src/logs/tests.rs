use super::*;
use crate::{
    branches::{LIFE, checkpoint, leaf, origin, range},
    fixture::code,
    merkle::{contradiction_path, node_hash},
};
use std::convert::Infallible;

fn node(level: u32, index: u64, branch: u8) -> LeafHash {
    match level {
        0 => leaf(index, branch),
        _ => node_hash(
            &node(level - 1, 2 * index, branch),
            &node(level - 1, 2 * index + 1, branch),
        ),
    }
}

fn path(old: u64, new: u64, branch: u8) -> Vec<LeafHash> {
    let mut node = |level, index| Ok::<_, Infallible>(node(level, index, branch));
    let Ok(path) = contradiction_path(old, new, &mut node);
    path
}

fn held(size: u64, branch: u8, life: u64) -> Held {
    Held {
        checkpoint: checkpoint(size, branch, life),
        range: range(size, branch),
    }
}

fn trunk(book: &LogBook) -> u64 {
    book.trunks().next().unwrap().1.size()
}

#[test]
fn the_same_size_with_another_root_is_proof_at_once() {
    let mut book = LogBook::default();
    let of = origin(LIFE);
    assert_eq!(
        book.meet(of, code("LC"), &checkpoint(5, 1, LIFE)),
        Met::Good
    );
    assert_eq!(
        book.meet(of, code("LC"), &checkpoint(5, 1, LIFE)),
        Met::Good
    );
    let met = book.meet(of, code("LC"), &checkpoint(5, 2, LIFE));
    assert!(matches!(met, Met::Contradiction(_)), "{met:?}");
    // Also with one that is only open.
    assert_eq!(
        book.meet(of, code("LC"), &checkpoint(8, 1, LIFE)),
        Met::Open
    );
    let met = book.meet(of, code("LC"), &checkpoint(8, 2, LIFE));
    assert!(matches!(met, Met::Contradiction(_)), "{met:?}");
}

#[test]
fn another_size_is_open_until_its_owner_explains() {
    let mut book = LogBook::default();
    let of = origin(LIFE);
    assert_eq!(
        book.meet(of, code("LC"), &checkpoint(5, 1, LIFE)),
        Met::Good
    );
    assert_eq!(
        book.meet(of, code("LC"), &checkpoint(9, 1, LIFE)),
        Met::Open
    );
    let question = Question {
        incarnation: Incarnation(LIFE),
        old: 5,
        new: 9,
    };
    assert_eq!(book.questions(code("TT")), [question]);
    assert_eq!(book.questions(code("JM")), []);
    assert_eq!(trunk(&book), 5);
    assert_eq!(book.explain(of, 5, 9, &path(5, 9, 1)), Explained::Good);
    assert_eq!((trunk(&book), book.questions(code("TT"))), (9, vec![]));
    // An older one on the same branch, later.
    assert_eq!(
        book.meet(of, code("LC"), &checkpoint(7, 1, LIFE)),
        Met::Open
    );
    assert_eq!(book.explain(of, 7, 9, &path(7, 9, 1)), Explained::Good);
    assert_eq!((trunk(&book), book.questions(code("TT"))), (9, vec![]));
}

#[test]
fn a_path_that_shows_another_past_is_proof_and_one_that_shows_nothing_is_told_once() {
    let mut book = LogBook::default();
    let of = origin(LIFE);
    book.meet(of, code("LC"), &checkpoint(5, 1, LIFE));
    book.meet(of, code("LC"), &checkpoint(9, 2, LIFE));
    assert_eq!(book.explain(of, 5, 8, &path(5, 8, 2)), Explained::Unasked);
    // The owner of the first branch cannot reach the second note.
    assert_eq!(book.explain(of, 5, 9, &path(5, 9, 1)), Explained::Nothing);
    assert_eq!(book.explain(of, 5, 9, &[]), Explained::NothingAgain);
    assert_eq!(trunk(&book), 5);
    let explained = book.explain(of, 5, 9, &path(5, 9, 2));
    assert!(
        matches!(explained, Explained::Contradiction(_)),
        "{explained:?}"
    );
}

#[test]
fn an_owner_is_asked_a_few_times_on_each_link() {
    let mut book = LogBook::default();
    book.meet(origin(LIFE), code("LC"), &checkpoint(5, 1, LIFE));
    book.meet(origin(LIFE), code("LC"), &checkpoint(9, 1, LIFE));
    for _ in 0..ASKED {
        assert_eq!(book.questions(code("TT")).len(), 1);
    }
    assert_eq!(book.questions(code("TT")), []);
    book.ask_again(code("TT"));
    assert_eq!(book.questions(code("TT")).len(), 1);
}

#[test]
fn what_waits_is_bounded_and_an_empty_tree_says_nothing() {
    let mut book = LogBook::default();
    let of = origin(LIFE);
    assert_eq!(
        book.meet(of, code("LC"), &checkpoint(0, 1, LIFE)),
        Met::Good
    );
    assert_eq!(book.trunks().count(), 0);
    for size in 1..40 {
        book.meet(of, code("LC"), &checkpoint(size, 1, LIFE));
    }
    assert_eq!(book.questions(code("TT")).len(), OPEN);
}

#[test]
fn receipts_carry_the_trunk_along_and_a_new_life_closes_the_old() {
    let mut book = LogBook::default();
    let of = origin(LIFE);
    assert_eq!(book.hold(of, held(5, 1, LIFE)), Met::Good);
    assert_eq!(book.hold(of, held(9, 1, LIFE)), Met::Good);
    assert_eq!((trunk(&book), book.questions(code("TT"))), (9, vec![]));
    assert_eq!(book.held(of).unwrap().range.size(), 9);
    // What is proved from the trunk on, as a witness's proof does.
    let from = Some((9, range(9, 1).root()));
    assert_eq!(book.follows(of, from, &checkpoint(12, 1, LIFE)), Met::Good);
    assert_eq!(trunk(&book), 12);
    // Proved from something else: to be compared.
    let from = Some((7, range(7, 1).root()));
    assert_eq!(book.follows(of, from, &checkpoint(13, 1, LIFE)), Met::Open);
    let newer = origin(LIFE + 1);
    assert_eq!(
        book.meet(newer, code("LC"), &checkpoint(2, 1, LIFE + 1)),
        Met::Good
    );
    assert!(book.held(of).is_none() && book.newest_held(code("TT")).is_none());
    assert_eq!(
        book.meet(of, code("LC"), &checkpoint(14, 1, LIFE)),
        Met::Closed
    );
    assert_eq!(book.hold(of, held(14, 1, LIFE)), Met::Closed);
    // Closed is not forgotten: two pasts of the old life are still two.
    let met = book.meet(of, code("LC"), &checkpoint(12, 2, LIFE));
    assert!(matches!(met, Met::Contradiction(_)), "{met:?}");
    let met = book.follows(of, None, &checkpoint(14, 2, LIFE));
    assert!(matches!(met, Met::Contradiction(_)), "{met:?}");
    // Nor do lives before it or after it push out what others were shown of it.
    assert_eq!(
        book.meet(of, code("BB"), &checkpoint(11, 2, LIFE)),
        Met::Closed
    );
    for life in LIFE - 20..LIFE {
        book.meet(origin(life), code("TT"), &checkpoint(1, 1, life));
    }
    for life in LIFE + 2..LIFE + 40 {
        book.meet(origin(life), code("TT"), &checkpoint(1, 1, life));
    }
    let met = book.meet(of, code("LC"), &checkpoint(12, 2, LIFE));
    assert!(matches!(met, Met::Contradiction(_)), "{met:?}");
}

#[test]
fn an_owner_cannot_push_out_what_others_were_shown() {
    let mut book = LogBook::default();
    let (of, owner, other) = (origin(LIFE), code("TT"), code("BB"));
    book.meet(of, owner, &checkpoint(20, 1, LIFE));
    assert_eq!(book.meet(of, other, &checkpoint(9, 2, LIFE)), Met::Open);
    for size in 21..60 {
        book.meet(of, owner, &checkpoint(size, 1, LIFE));
    }
    let asked = book.questions(owner);
    assert!(asked.iter().any(|q| q.old == 9), "{asked:?}");
    assert_eq!(asked.len(), 9, "eight of the owner's and that one");
    let path = path(9, 20, 1);
    let explained = book.explain(of, 9, 20, &path);
    assert!(
        matches!(explained, Explained::Contradiction(_)),
        "{explained:?}"
    );
}

#[test]
fn silence_is_told_once() {
    let mut book = LogBook::default();
    let (of, owner) = (origin(LIFE), code("TT"));
    book.meet(of, owner, &checkpoint(20, 1, LIFE));
    book.meet(of, code("BB"), &checkpoint(9, 1, LIFE));
    for _ in 0..ASKED {
        assert!(book.silent(owner).is_empty() && book.unexplained().next().is_none());
        assert_eq!(book.questions(owner).len(), 1);
    }
    assert_eq!(book.silent(owner), [9]);
    assert_eq!(book.unexplained().collect::<Vec<_>>(), [owner]);
    book.ask_again(owner);
    assert!(book.silent(owner).is_empty());
    // Nor does a new link after every question keep it from being told.
    let mut other = LogBook::default();
    other.meet(of, owner, &checkpoint(20, 1, LIFE));
    other.meet(of, code("BB"), &checkpoint(9, 1, LIFE));
    for _ in 0..ASKED {
        other.questions(owner);
        other.ask_again(owner);
    }
    assert_eq!(other.silent(owner), [9]);
    // An answer ends it.
    assert_eq!(book.explain(of, 9, 20, &path(9, 20, 1)), Explained::Good);
    assert!(book.unexplained().next().is_none());
}

#[test]
fn what_is_held_is_written_down_once_a_second() {
    let mut book = LogBook::default();
    assert!(!book.keep_due(code("TT"), Mono(0)));
    book.hold(origin(LIFE), held(5, 1, LIFE));
    assert!(book.keep_due(code("TT"), Mono(7)));
    assert!(!book.keep_due(code("TT"), Mono(6 + KEEP_NS)));
    assert!(book.keep_due(code("TT"), Mono(7 + KEEP_NS)));
}
