//! What is zero without having been scrubbed is damage.

use super::*;
use crate::{
    LogFault,
    journal::{
        format::Keys,
        frame::{FRAME, Frame},
    },
};

const FIRST: &str = "journal/00000000000000000000.seg";

/// Where the record of a notice lies in the first segment, and its header.
fn place(log: &Log, seq: u64) -> (usize, Frame) {
    let bytes = log.disk.content(FIRST).unwrap();
    let found = (4096..bytes.len() - FRAME).find_map(|at| {
        let frame = Frame::decode(&bytes[at..])?;
        (frame.index == of(seq).0).then_some((at, frame))
    });
    found.unwrap()
}

fn fault(log: &Log) -> LogFault {
    verify_log(&log.disk, &network().trust, code("TT"), |_| ()).unwrap_err()
}

#[test]
fn a_part_that_reads_as_zeros_without_the_flag_is_damage() {
    let log = Log::new();
    let (at, frame) = place(&log, 2);
    let (_, zeros) = frame.scrubbed().unwrap();
    assert!(log.disk.corrupt(FIRST, |bytes| {
        bytes[at + FRAME..][zeros].fill(0);
    }));
    assert!(matches!(
        log.journal.reader().read(of(2)),
        Err(ReadError::Damaged { .. })
    ));
    assert_eq!(fault(&log).file, FIRST);
    // Such a segment is not written anew either: the damage would be hidden.
    let before = log.disk.content(FIRST);
    let refused = log.run(&[of(1)]);
    assert!(
        matches!(&refused, Err(ScrubError::Read(ReadError::Damaged { file, .. })) if file == FIRST),
        "{refused:?}"
    );
    assert_eq!(log.disk.content(FIRST), before);
}

#[test]
fn a_flag_that_no_leaf_names_is_refused_at_its_record() {
    // Zeroed with everything as it should be, but behind the log's back.
    let log = Log::new().seal().unwrap();
    log.run(&[of(2), of(4)]).unwrap();
    let (at, _) = place(&log, 2);
    let found = fault(&log);
    assert_eq!(
        (found.file.as_str(), found.offset, found.index),
        (FIRST, at as u64, Some(of(2).0))
    );
    assert!(found.what.contains("no SCRUB_BEGUN"), "{found}");
    // One named, the other still not.
    let log = log.begin(&[of(2)]).unwrap();
    let (at, _) = place(&log, 4);
    assert_eq!(
        (fault(&log).offset, fault(&log).index),
        (at as u64, Some(of(4).0))
    );
    assert_eq!(log.begin(&[of(4)]).unwrap().verify().scrubbed, 2);
}

#[test]
fn a_scrub_that_is_said_to_be_done_and_is_not_is_refused_at_the_record() {
    let log = Log::new();
    let (at, _) = place(&log, 3);
    let (says, proof) = begun(&[of(2), of(3)], v1::ScrubWhy::Recalled, bytes::Bytes::new());
    let scrub = match proof.of.clone().unwrap() {
        v1::proof_part::Of::Scrub(scrub) => scrub,
        other => panic!("{other:?}"),
    };
    let log = log.seal().unwrap();
    log.run(&[of(2)]).unwrap();
    let log = log.say((says, proof)).unwrap();
    assert_eq!(log.verify().scrubbed, 1, "begun and not done is no fault");
    let log = log.say(done(&scrub)).unwrap();
    let found = fault(&log);
    assert_eq!(
        (found.file.as_str(), found.offset, found.index),
        (FIRST, at as u64, Some(of(3).0))
    );
    assert!(found.what.contains("still there"), "{found}");
}

#[test]
fn statements_about_scrubbing_must_make_sense() {
    let statement = |indexes: &[u64]| v1::Scrub {
        indexes: indexes.to_vec(),
        why: v1::ScrubWhy::KeepUntil.into(),
        ..Default::default()
    };
    let refused = |of: (v1::Leaf, v1::ProofPart), what: &str| {
        let log = Log::new();
        let index = log.journal.size();
        let found = fault(&log.say(of).unwrap());
        assert_eq!(found.index, Some(index), "{found}");
        assert!(found.what.contains(what), "{found}");
    };
    let begin = v1::LeafKind::ScrubBegun;
    for indexes in [&[][..], &[3, 2], &[3, 3]] {
        refused(leaf_of(begin, statement(indexes)), "in order");
    }
    refused(leaf_of(begin, statement(&[3, 900])), "older");
    refused(done(&statement(&[3])), "not begun");
    let mut other = leaf_of(begin, statement(&[3]));
    other.0.subject = vec![1; 32].into();
    refused(other, "not the one");
    let bare = (leaf_of(begin, statement(&[3])).0, v1::ProofPart::default());
    refused(bare, "proof is missing");
}

fn leaf_of(kind: v1::LeafKind, scrub: v1::Scrub) -> (v1::Leaf, v1::ProofPart) {
    super::super::leaf(kind, scrub)
}

#[test]
fn a_flipped_byte_of_a_scrubbed_segment_is_damage_wherever_it_is() {
    let log = Log::new().scrub(&[of(2), of(3)]).unwrap();
    let bytes = log.disk.content(FIRST).unwrap();
    let end = bytes.iter().rposition(|&b| b != 0).unwrap();
    let (masked, _) = place(&log, 3);
    let (clear, _) = place(&log, 2);
    let near = |at: usize| [masked, clear].iter().any(|r| (*r..r + 60).contains(&at));
    for at in (4096..end + 600).filter(|&at| at % 701 == 0 || near(at)) {
        let copy = log.disk.copy();
        copy.corrupt(FIRST, |bytes| bytes[at] ^= 0x40);
        let found = verify_log(&copy, &network().trust, code("TT"), |_| ()).unwrap_err();
        assert_eq!(found.file, FIRST);
        assert!(found.offset <= at as u64, "byte {at}: {found}");
    }
}

#[test]
fn a_segment_that_was_scrubbed_is_never_taken_for_the_last_one() {
    let log = Log::new().scrub(&[of(2)]).unwrap();
    for segment in &log.segments()[1..] {
        log.disk.remove(&format!("journal/{segment}"));
    }
    for name in log.disk.list("tiles").unwrap() {
        log.disk.remove(&format!("tiles/{name}"));
    }
    let refused = Journal::open(log.disk, SMALL).map(|_| ());
    let Err(crate::OpenError::Damaged { file, what, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert!(file == FIRST && what.contains("next segment"), "{what}");
}

/// Zeros that scrubbing left look like sectors that were never written.
#[test]
fn a_damaged_batch_that_was_scrubbed_is_never_taken_for_a_torn_tail() {
    let log = Log::new();
    let next: u64 = log.segments()[1].trim_end_matches(".seg").parse().unwrap();
    // The last notice whose two leaves lie in the first segment.
    let log = log.scrub(&[of(next / 2)]).unwrap();
    for segment in &log.segments()[1..] {
        log.disk.remove(&format!("journal/{segment}"));
    }
    for name in log.disk.list("tiles").unwrap() {
        log.disk.remove(&format!("tiles/{name}"));
    }
    let bytes = log.disk.content(FIRST).unwrap();
    let end = bytes.iter().rposition(|&b| b != 0).unwrap();
    log.disk.corrupt(FIRST, |bytes| bytes[end] ^= 1);
    let before = log.disk.content(FIRST);
    let refused = Journal::open(log.disk.clone(), SMALL).map(|(_, found)| found);
    assert!(
        matches!(refused, Err(crate::OpenError::Damaged { .. })),
        "{refused:?}"
    );
    assert!(log.disk.content(FIRST) == before, "nothing was changed");
}

#[test]
fn flags_are_believed_only_where_they_can_be() {
    let keys = Keys::new(&[3; 32]);
    let mut bytes = Vec::new();
    crate::journal::frame::put_record(&mut bytes, &keys, 5, &sent(1).arrival()[0]);
    let frame = Frame::decode(&bytes).unwrap();
    assert!(frame.scrubbed().is_none());
    // Leaf, proof; private and body where there are none.
    for flag in [0x10, 0x20, 0x40, 0x80] {
        let mut header = frame.encode();
        header[41] |= flag;
        let crc = crc32c::crc32c(&header[..44]);
        header[44..].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(Frame::decode(&header), None, "{flag:x}");
    }
}

/// Whoever asks for several at once can ask for each alone.
#[test]
fn a_damaged_segment_holds_up_no_other() {
    let log = Log::new();
    let end = log.journal.size();
    let next: u64 = log.segments()[1].trim_end_matches(".seg").parse().unwrap();
    let third: u64 = log.segments()[2].trim_end_matches(".seg").parse().unwrap();
    let (here, there) = (of(2), of(third / 2));
    assert!(here.0 < next && there.0 > next && there.0 < third && third < end);
    let (at, _) = place(&log, 3);
    log.disk.corrupt(FIRST, |bytes| bytes[at + 60] ^= 1);
    let refused = log.run(&[here, there]);
    assert!(matches!(refused, Err(ScrubError::Read(_))), "{refused:?}");
    assert!(matches!(log.run(&[here]), Err(ScrubError::Read(_))));
    assert_eq!(log.run(&[there]).unwrap().records, 1);
    assert!(log.record(there.0).is_scrubbed());
}
