//! The judge where disks were lost: what may go with one, and nothing else.

use abeng_sim::{History, Kind, Scenario, check, run};
use abeng_wire::{EnvelopeId, PartyCode};
use bytes::Bytes;
use std::{collections::BTreeSet, sync::OnceLock};

fn held(history: &History) -> BTreeSet<(EnvelopeId, PartyCode)> {
    let inboxes = history.inboxes.iter();
    let held = inboxes.flat_map(|(&party, inbox)| inbox.iter().map(move |e| (e.id, party)));
    held.collect()
}

/// Accepted, submitted on a disk that was lost, and either in an inbox or nowhere.
fn gone(history: &History, in_an_inbox: bool) -> Option<(EnvelopeId, PartyCode)> {
    let (held, lost) = (held(history), &history.lost);
    let accepted = history.submissions.iter().filter(|s| s.accepted);
    let mut each = accepted.flat_map(|s| s.to.iter().map(move |&to| (s.id, to)));
    each.find(|of| {
        let of_lost = lost.iter().any(|lost| lost.submitted.contains(&of.0));
        let nowhere = lost.iter().any(|lost| lost.nowhere.contains(of));
        of_lost && held.contains(of) == in_an_inbox && nowhere != in_an_inbox
    })
}

/// What a lost disk had and its newer life has again, before its life was over.
fn back(history: &History) -> Option<(EnvelopeId, PartyCode)> {
    let clock = history.clocks.values().max().copied().unwrap_or_default();
    let lost = history.lost.iter();
    let mut received = lost.flat_map(|lost| lost.received.iter().map(|&id| (id, lost.party)));
    let held = held(history);
    received.find(|of| {
        let mut submissions = history.submissions.iter();
        let alive = submissions.any(|s| s.id == of.0 && s.expires_at > clock);
        let delivered = history
            .sent
            .iter()
            .any(|s| (s.id, s.recipient) == *of && s.fate == abeng_sim::Fate::Delivered);
        alive && delivered && held.contains(of)
    })
}

/// Good histories in which disks were lost, with everything that is to be changed.
fn good() -> &'static Vec<History> {
    static GOOD: OnceLock<Vec<History>> = OnceLock::new();
    GOOD.get_or_init(|| {
        let histories = (0..8).map(|seed| run(Scenario::Restored, seed).history);
        histories.filter(|h| !h.lost.is_empty()).collect()
    })
}

/// What the judge says of the first good history in which `find` finds something, after a change.
fn verdicts<T>(
    find: impl Fn(&History) -> Option<T>,
    change: impl Fn(&mut History, T),
) -> Vec<Kind> {
    let mut found = good().iter().filter_map(|h| Some((h, find(h)?)));
    let (history, what) = found.next().expect("a history in which that happened");
    assert_eq!(check(history), []);
    let mut history = history.clone();
    change(&mut history, what);
    let mut kinds: Vec<Kind> = check(&history).into_iter().map(|v| v.kind).collect();
    kinds.dedup();
    kinds
}

fn drop_entry(history: &mut History, (id, party): (EnvelopeId, PartyCode)) {
    history
        .inboxes
        .get_mut(&party)
        .unwrap()
        .retain(|entry| entry.id != id);
}

#[test]
fn only_what_was_nowhere_else_goes_with_a_disk() {
    let nowhere = |history: &mut History, of| {
        history
            .lost
            .iter_mut()
            .for_each(|lost| _ = lost.nowhere.remove(&of));
    };
    assert!(verdicts(|h| gone(h, false), nowhere).contains(&Kind::Lost));
    // An inbox held it when the disk was lost.
    assert!(verdicts(|h| gone(h, true), drop_entry).contains(&Kind::Lost));
    // Submitted before the backup.
    let before = |history: &mut History, (id, _): (EnvelopeId, _)| {
        history
            .lost
            .iter_mut()
            .for_each(|lost| _ = lost.submitted.remove(&id));
    };
    assert!(verdicts(|h| gone(h, false), before).contains(&Kind::Lost));
}

#[test]
fn what_a_lost_disk_had_acknowledged_comes_back() {
    assert!(verdicts(back, drop_entry).contains(&Kind::FalseReceipt));
    let twice = |history: &mut History, (id, party): (EnvelopeId, PartyCode)| {
        let inbox = history.inboxes.get_mut(&party).unwrap();
        let entry = inbox.iter().find(|entry| entry.id == id).unwrap().clone();
        inbox.push(entry);
    };
    assert_eq!(verdicts(back, twice), [Kind::Duplicate]);
}

#[test]
fn a_leaf_that_was_given_out_is_carried_over_as_it_was() {
    let promised = |history: &History| {
        let lost = |party| history.lost.iter().any(|lost| lost.party == party);
        let log = |party| history.logs[&party].len() as u64;
        let mut promises = history.promises.iter();
        let promise = promises.find(|p| lost(p.by) && p.index < log(p.by))?;
        Some((promise.by, promise.index as usize))
    };
    let change = |history: &mut History, (party, index): (PartyCode, usize)| {
        history.logs.get_mut(&party).unwrap()[index] = Bytes::new();
        let lost = history.lost.iter_mut().filter(|lost| lost.party == party);
        lost.for_each(|lost| lost.log.clear());
    };
    assert!(verdicts(promised, change).contains(&Kind::FalseReceipt));
}
