//! The judge finds what is planted in a good history, and nothing in the good one.

use abeng_sim::{Fate, History, Kind, Scenario, check, run};
use abeng_wire::{EnvelopeId, PartyCode, v1};
use bytes::Bytes;
use std::sync::OnceLock;

/// A good history in which every kind of thing has happened.
fn good() -> &'static History {
    static GOOD: OnceLock<History> = OnceLock::new();
    GOOD.get_or_init(|| {
        let mut histories = (0..20).map(|seed| run(Scenario::Mixed, seed).history);
        let rich = |history: &History| {
            let delivered = history.sent.iter().filter(|s| s.fate == Fate::Delivered);
            delivered.count() > 10
        };
        histories.find(rich).expect("a seed with deliveries")
    })
}

/// What the judge says of the good history after a change.
fn verdicts(change: impl FnOnce(&mut History)) -> Vec<Kind> {
    let mut history = good().clone();
    change(&mut history);
    let mut kinds: Vec<Kind> = check(&history).into_iter().map(|v| v.kind).collect();
    kinds.dedup();
    kinds
}

/// The first inbox that is not empty.
fn inbox(history: &mut History) -> (PartyCode, &mut Vec<abeng_sim::Entry>) {
    let mut inboxes = history.inboxes.iter_mut();
    let (party, inbox) = inboxes.find(|(_, inbox)| !inbox.is_empty()).unwrap();
    (*party, inbox)
}

#[test]
fn a_good_history_is_good() {
    assert_eq!(verdicts(|_| ()), []);
}

#[test]
fn lost() {
    let gone = |history: &mut History| {
        let accepted = history.submissions.iter().find(|s| s.accepted).unwrap();
        let id = accepted.id;
        history.sent.retain(|sent| sent.id != id);
    };
    assert!(verdicts(gone).contains(&Kind::Lost));
    for fate in [Fate::Queued, Fate::Refused] {
        let open = |history: &mut History| {
            let mut sent = history.sent.iter_mut();
            sent.find(|s| s.fate == Fate::Delivered).unwrap().fate = fate;
        };
        assert_eq!(verdicts(open), [Kind::Lost]);
    }
    let early = |history: &mut History| {
        history.clocks.clear();
        let id = history.submissions.iter().find(|s| s.accepted).unwrap().id;
        let mut sent = history.sent.iter_mut();
        sent.find(|sent| sent.id == id).unwrap().fate = Fate::Expired;
    };
    assert!(verdicts(early).contains(&Kind::Lost));
}

#[test]
fn duplicate() {
    let twice = |history: &mut History| {
        let (_, inbox) = inbox(history);
        inbox.push(inbox[0].clone());
    };
    assert_eq!(verdicts(twice), [Kind::Duplicate]);
    assert_eq!(verdicts(|h| h.seen.push(h.seen[0])), [Kind::Duplicate]);
}

#[test]
fn phantom() {
    let phantom = |history: &mut History| {
        let (_, inbox) = inbox(history);
        let id = EnvelopeId([0; 32]);
        inbox.push(abeng_sim::Entry {
            id,
            ..inbox[0].clone()
        });
    };
    assert_eq!(verdicts(phantom), [Kind::Phantom]);
}

#[test]
fn altered() {
    let notice = |history: &mut History| {
        inbox(history).1[0].notice = Bytes::from_static(b"another notice");
    };
    assert_eq!(verdicts(notice), [Kind::Altered]);
    let from = |history: &mut History| {
        let (party, inbox) = inbox(history);
        inbox[0].from = party;
    };
    assert_eq!(verdicts(from), [Kind::Altered]);
}

#[test]
fn misrouted() {
    let elsewhere = |history: &mut History| {
        let only = |s: &&mut abeng_sim::Submission| s.accepted && s.to.len() == 1;
        let submission = history.submissions.iter_mut().find(only).unwrap();
        let entry = abeng_sim::Entry {
            id: submission.id,
            from: submission.from,
            notice: submission.notice.clone(),
        };
        let from = submission.from;
        history.inboxes.entry(from).or_default().push(entry);
    };
    assert_eq!(verdicts(elsewhere), [Kind::Misrouted]);
}

#[test]
fn gap() {
    // A number that the recipient holds: not given, given twice, or not held after all.
    assert!(verdicts(|h| _ = h.numbers.remove(0)).contains(&Kind::Gap));
    assert!(verdicts(|h| h.numbers.push(h.numbers[0])).contains(&Kind::Gap));
    let hole = |history: &mut History| {
        let (from, life, to, last) = *history.seen.iter().max_by_key(|(.., n)| *n).unwrap();
        assert!(last > 1);
        let delivered = |n: &u64| history.seen.contains(&(from, life, to, *n));
        let inside = (1..last).find(delivered).unwrap();
        history
            .seen
            .retain(|seen| *seen != (from, life, to, inside));
        // It stays delivered, so that no end of its life explains the hole.
    };
    assert!(verdicts(hole).contains(&Kind::Gap));
}

#[test]
fn a_mark_without_its_number() {
    let forgotten = |history: &mut History| _ = history.marked.pop_first();
    assert_eq!(verdicts(forgotten), [Kind::Gap]);
    let ahead = |history: &mut History| {
        let (from, life, to, last) = *history.marked.last().unwrap();
        history.marked.insert((from, life, to, last + 1000));
    };
    assert_eq!(verdicts(ahead), [Kind::Gap]);
}

#[test]
fn false_receipt() {
    let empty = |history: &mut History| inbox(history).1.clear();
    assert_eq!(verdicts(empty), [Kind::FalseReceipt]);
    let promised = |history: &mut History| {
        let promise = history.promises[0].clone();
        let log = history.logs.get_mut(&promise.by).unwrap();
        log[promise.index as usize] = Bytes::new();
    };
    assert_eq!(verdicts(promised), [Kind::FalseReceipt]);
    let cut = |history: &mut History| history.logs.clear();
    assert_eq!(verdicts(cut), [Kind::FalseReceipt]);
    let refused = |history: &mut History| {
        let delivered = |taken: &&mut abeng_sim::Taken| taken.kind == v1::LeafKind::Delivered;
        history.taken.iter_mut().find(delivered).unwrap().kind = v1::LeafKind::Refused;
    };
    assert_eq!(verdicts(refused), [Kind::FalseReceipt]);
}
