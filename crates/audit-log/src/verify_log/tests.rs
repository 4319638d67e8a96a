use super::*;
use crate::{
    Batch, Checkpoint, Contradiction, Journal, Outside, Step,
    fixture::{code, leaf, network, sent},
    receipt,
    sim::SimDisk,
};
use v1::{LeafKind as Kind, proof_part::Of};

type Made = (SimDisk, Journal<SimDisk>);

fn add(made: Made, records: Vec<Record>) -> Made {
    let step = Step {
        facts: records,
        gated: vec![()],
    };
    (made.0, made.1.append(vec![step]).unwrap().0)
}

fn say(made: Made, outside: Vec<Outside>) -> Made {
    let batch: Batch<()> = Batch {
        steps: vec![],
        outside,
    };
    (made.0, made.1.append(batch).unwrap().0)
}

fn proof(of: Of) -> v1::ProofPart {
    v1::ProofPart { of: Some(of) }
}

fn checkpoint(party: &str, journal: &Journal<SimDisk>) -> Checkpoint {
    let key = network().keys(party).log();
    let origin = network().origin(party);
    Checkpoint::sign(&origin, journal.size(), journal.root(), &**key).unwrap()
}

fn verify(made: &Made, party: &str) -> Result<LogReport, LogFault> {
    verify_log(&made.0, &network().trust, code(party), |_| ())
}

/// TT's log of one delivery, and JM's log with its receipt.
fn both() -> (Made, Made) {
    let envelope = sent(1);
    let made = network().journal("TT");
    let (disk, journal) = add(made, envelope.arrival());
    let reader = journal.reader();
    let own = checkpoint("TT", &journal);
    let delivered = reader.durable(abeng_wire::LeafIndex(2)).unwrap();
    let received = reader.durable(abeng_wire::LeafIndex(1)).unwrap();
    let receipt = receipt::build(&delivered, Some(&received), &reader, &own).unwrap();
    let note = own.note().clone();
    let tt = say((disk, journal), vec![Outside::OwnCheckpoint(note.clone())]);

    let submitted = proof(Of::Submitted(v1::SubmittedProof {
        hdr: envelope.hdr.clone(),
        sig: envelope.sig.clone(),
        ..v1::SubmittedProof::default()
    }));
    let mut about = envelope.leaf("JM", Kind::Submitted);
    (about.recipient, about.seq_commit) = Default::default();
    let private = v1::PrivatePart {
        salt: vec![1; 32].into(),
        officer: "A. Officer".into(),
        ..Default::default()
    };
    let records = vec![
        Record::new(about)
            .with_proof(&submitted)
            .with_private(&private),
        Record::new(envelope.leaf("JM", Kind::Queued))
            .with_proof(&proof(Of::Queued(envelope.position.clone()))),
        Record::new(envelope.leaf("JM", Kind::ReceiptTaken))
            .with_proof(&proof(Of::Receipt(receipt))),
    ];
    let jm = add(network().journal("JM"), records);
    let origin = own.origin().to_owned();
    let jm = say(
        jm,
        vec![Outside::HeldCheckpoint {
            origin,
            note,
            peaks: vec![],
        }],
    );
    (jm, tt)
}

#[test]
fn good_logs_hold_and_are_counted() {
    let (jm, tt) = both();
    let report = verify(&jm, "JM").unwrap();
    let counts = (
        report.leaves,
        report.batches,
        report.receipts,
        report.checkpoints,
    );
    assert_eq!(counts, (4, 3, 1, 1));
    assert_eq!(
        (report.signatures, report.commitments, report.unjudged),
        (2, 2, 0)
    );
    assert_eq!(report.root, jm.1.root());
    assert_eq!(report.by_kind["RECEIPT_TAKEN"], 1);
    let report = verify(&tt, "TT").unwrap();
    assert_eq!(
        (report.leaves, report.checkpoints, report.signatures),
        (3, 1, 2)
    );
}

#[test]
fn checking_writes_nothing_and_a_torn_tail_is_told() {
    let (_, tt) = both();
    let path = "journal/00000000000000000000.seg";
    // The last batch, of one page, loses its second sector.
    tt.0.corrupt(path, |bytes| {
        let end = bytes.iter().rposition(|&b| b != 0).unwrap() + 1;
        bytes[end - 4096 + 512..end - 4096 + 1024].fill(0);
    });
    let before = tt.0.operations();
    let report = verify(&tt, "TT").unwrap();
    assert_eq!(tt.0.operations(), before);
    assert_eq!(
        (report.leaves, report.checkpoints, report.unfinished),
        (3, 0, 4096)
    );
}

#[test]
fn every_planted_fault_is_found_at_its_leaf() {
    let envelope = sent(1);
    let base = || network().journal("TT");
    let fault = |made: &Made, party: &str| verify(made, party).unwrap_err();
    let plant = |records: Vec<Record>| fault(&add(base(), records), "TT");
    let expect = |fault: LogFault, index: u64, what: &str| {
        assert_eq!(fault.index, Some(index), "{fault}");
        assert!(fault.what.contains(what), "{fault}");
        assert!(fault.file.ends_with(".seg") && fault.offset > 4096);
    };
    expect(fault(&base(), "JM"), 0, "actor");
    expect(
        plant(vec![Record::new(leaf("JM", Kind::Started))]),
        1,
        "actor",
    );
    let mut later = leaf("TT", Kind::Started);
    later.incarnation += 1;
    expect(plant(vec![Record::new(later)]), 1, "incarnation");
    expect(
        plant(vec![Record::new(leaf("TT", Kind::Incarnation))]),
        1,
        "leaf 0",
    );
    let mut unknown = leaf("TT", Kind::Started);
    unknown.kind = 99;
    expect(plant(vec![Record::new(unknown)]), 1, "kind");
    let bare = Record::new(envelope.leaf("TT", Kind::Received));
    expect(plant(vec![bare]), 1, "proof is missing");
    let arrival = envelope.arrival();
    let twice = vec![arrival[0].clone(), arrival[1].clone(), arrival[1].clone()];
    expect(plant(twice), 3, "second final outcome");
    let received = |change: fn(&mut v1::ReceivedProof)| {
        let mut part = v1::ReceivedProof {
            hdr: envelope.hdr.clone(),
            sig: envelope.sig.clone(),
            position: Some(envelope.position.clone()),
            ..v1::ReceivedProof::default()
        };
        change(&mut part);
        let record = Record::new(envelope.leaf("TT", Kind::Received));
        plant(vec![record.with_proof(&proof(Of::Received(part)))])
    };
    let wrong_sig = received(|p| p.sig = vec![0; 64].into());
    expect(wrong_sig, 1, "signature");
    expect(received(|p| p.hdr = sent(2).hdr), 1, "HDR");
    expect(
        received(|p| p.position = Some(sent(2).position)),
        1,
        "stream number",
    );
    let mut uncommitted = leaf("TT", Kind::Read);
    uncommitted.private_hash = vec![1; 32].into();
    let mut record = Record::new(uncommitted);
    let private = v1::PrivatePart {
        salt: vec![1; 32].into(),
        ..Default::default()
    };
    record.private = Some(abeng_wire::encode(&private));
    expect(plant(vec![record]), 1, "private part");
}

#[test]
fn a_wrong_receipt_or_checkpoint_is_found() {
    let (jm, tt) = both();
    let stored = jm.1.reader().read(abeng_wire::LeafIndex(3)).unwrap();
    let Some(Of::Receipt(receipt)) = stored.record.proof().unwrap().unwrap().of else {
        panic!("a receipt");
    };
    let wrong = v1::Receipt {
        index: receipt.index - 1,
        ..receipt
    };
    let record = Record::new(sent(1).leaf("JM", Kind::ReceiptTaken));
    let made = add(
        network().journal("JM"),
        vec![record.with_proof(&proof(Of::Receipt(wrong)))],
    );
    assert_eq!(verify(&made, "JM").unwrap_err().index, Some(1));
    // Own checkpoints that the log never had.
    let key = network().keys("TT").log();
    let origin = network().origin("TT");
    for (size, what) in [(3, "another root"), (2, "never had")] {
        let (_, made) = both();
        let forked = Checkpoint::sign(&origin, size, LeafHash([9; 32]), &**key).unwrap();
        let made = say(made, vec![Outside::OwnCheckpoint(forked.note().clone())]);
        let fault = verify(&made, "TT").unwrap_err();
        assert!(
            fault.what.contains(what) && fault.index.is_none(),
            "{fault}"
        );
    }
    drop(tt);
}

/// A checkpoint of TT's log that no log stands behind.
fn loose(size: u64, root: u8, life: u64) -> Checkpoint {
    let mut origin = crate::LogOrigin::parse(&network().origin("TT")).unwrap();
    origin.incarnation.0 += life;
    let key = network().keys("TT").log();
    Checkpoint::sign(&origin.to_string(), size, LeafHash([root; 32]), &**key).unwrap()
}

fn witnessed(checkpoint: &Checkpoint) -> Outside {
    Outside::Witnessed {
        origin: checkpoint.origin().to_owned(),
        note: checkpoint.note().clone(),
    }
}

#[test]
fn what_was_witnessed_never_gets_smaller_or_another() {
    let good = [
        loose(3, 1, 0),
        loose(3, 1, 0),
        loose(5, 2, 0),
        loose(1, 3, 1),
    ];
    let made = say(
        network().journal("JM"),
        good.iter().map(witnessed).collect(),
    );
    assert_eq!(verify(&made, "JM").unwrap().checkpoints, 4);
    for (bad, what) in [
        ([loose(5, 1, 0), loose(3, 1, 0)], "after 5"),
        ([loose(5, 1, 0), loose(5, 2, 0)], "two roots"),
        ([loose(5, 1, 1), loose(6, 2, 0)], "newer one"),
    ] {
        let made = say(network().journal("JM"), bad.iter().map(witnessed).collect());
        let fault = verify(&made, "JM").unwrap_err();
        assert!(fault.what.contains(what), "{fault}");
    }
    let other = Outside::Witnessed {
        origin: network().origin("LC"),
        note: loose(1, 1, 0).note().clone(),
    };
    let fault = verify(&say(network().journal("JM"), vec![other]), "JM").unwrap_err();
    assert!(fault.what.contains("another log"), "{fault}");
}

#[test]
fn a_held_range_leads_to_its_root_and_a_cosigned_checkpoint_to_the_log() {
    let (_, tt) = both();
    let own = checkpoint("TT", &tt.1);
    let mut range = crate::merkle::Frontier::new();
    (0..3).for_each(|i| {
        let leaf = tt.1.reader().read(abeng_wire::LeafIndex(i)).unwrap();
        range.push(crate::merkle::leaf_hash(leaf.record.leaf().bytes()));
    });
    let held = |peaks: &[LeafHash]| Outside::HeldCheckpoint {
        origin: own.origin().to_owned(),
        note: own.note().clone(),
        peaks: peaks.to_vec(),
    };
    let made = say(network().journal("JM"), vec![held(range.peaks())]);
    assert_eq!(verify(&made, "JM").unwrap().checkpoints, 1);
    let wrong = [range.peaks()[0], LeafHash([1; 32])];
    let fault = verify(&say(network().journal("JM"), vec![held(&wrong)]), "JM").unwrap_err();
    assert!(fault.what.contains("subtrees"), "{fault}");

    let network_code = network().trust.roster.network();
    let line = crate::Cosignature::sign(
        own.text(),
        (network_code, code("JM")),
        crate::fixture::NOW / 1000,
        &**network().keys("JM").witness(),
    );
    let note = [&own.note()[..], line.unwrap().line().as_bytes()].concat();
    let made = say(tt, vec![Outside::Cosigned(note.into())]);
    assert_eq!(verify(&made, "TT").unwrap().cosignatures, 1);
    let never = Outside::Cosigned(loose(3, 9, 0).note().clone());
    let fault = verify(&say(made, vec![never]), "TT").unwrap_err();
    assert!(fault.what.contains("another root"), "{fault}");
}

#[test]
fn a_contradiction_is_judged_again() {
    let proved = Contradiction::prove(&loose(3, 1, 0), &loose(3, 2, 0), &[]).unwrap();
    let about = |subject: abeng_wire::Digest, said: v1::Contradiction| {
        let leaf = v1::Leaf {
            subject: subject.to_bytes(),
            ..leaf("JM", Kind::Contradiction)
        };
        let record = Record::new(leaf).with_proof(&proof(Of::Contradiction(said)));
        verify(&add(network().journal("JM"), vec![record]), "JM")
    };
    assert_eq!(
        about(proved.subject(), proved.message())
            .unwrap()
            .contradictions,
        1
    );
    let another = loose(3, 1, 0).root();
    let fault = about(abeng_wire::Digest(another.0), proved.message()).unwrap_err();
    assert!(fault.what.contains("not the one"), "{fault}");
    let mut same = proved.message();
    same.second = same.first.clone();
    let of_it = crate::subject(crate::CONTRADICTION, &abeng_wire::encode(&same));
    let fault = about(of_it, same).unwrap_err();
    assert!(fault.what.contains("no contradiction"), "{fault}");
    let bare = Record::new(leaf("JM", Kind::Contradiction));
    let fault = verify(&add(network().journal("JM"), vec![bare]), "JM").unwrap_err();
    assert!(fault.what.contains("proof is missing"), "{fault}");
}

/// TT's log over several segments.
fn long() -> Made {
    let mut made = network().journal("TT");
    for seq in 1..=6 {
        let body = v1::BodyPart {
            stanzas: vec![],
            body: vec![seq as u8; 20_000].into(),
        };
        let [received, delivered] = sent(seq).arrival().try_into().unwrap();
        made = add(made, vec![received.with_body(&body), delivered]);
    }
    made
}

#[test]
fn a_segment_missing_swapped_doubled_cut_or_flipped_is_named_with_its_offset() {
    use crate::Disk;
    let (disk, journal) = long();
    drop(journal);
    let names = disk.list("journal").unwrap().into_iter();
    let names = names.filter(|name| name.ends_with(".seg"));
    let paths: Vec<String> = names.map(|name| format!("journal/{name}")).collect();
    assert!(paths.len() >= 3);
    let content = |i: usize| disk.content(&paths[i]).unwrap();
    let refused = |damaged: SimDisk, file: &str, offset: u64| {
        let before = damaged.operations();
        let fault = verify_log(&damaged, &network().trust, code("TT"), |_| ()).unwrap_err();
        assert_eq!(
            (fault.file.as_str(), fault.offset),
            (file, offset),
            "{fault}"
        );
        assert_eq!(damaged.operations(), before, "nothing is written");
    };
    let changed = |i: usize, change: &dyn Fn(&mut Vec<u8>)| {
        let copy = disk.copy();
        copy.corrupt(&paths[i], |bytes| change(bytes));
        copy
    };
    let gone = disk.copy();
    gone.remove(&paths[0]);
    refused(gone, &paths[1], 0);
    let swapped = changed(0, &|bytes| *bytes = content(1));
    swapped.corrupt(&paths[1], |bytes| *bytes = content(0));
    refused(swapped, &paths[0], 0);
    refused(changed(1, &|bytes| *bytes = content(0)), &paths[1], 0);
    refused(changed(0, &|bytes| bytes.truncate(9000)), &paths[0], 9000);
    // In the header of a batch, of a record, and in a body.
    for (at, found) in [(4096 + 20, 4096), (4096 + 130, 4096 + 128)] {
        refused(changed(0, &|bytes| bytes[at] ^= 1), &paths[0], found);
    }
    let bytes = content(0);
    let body = bytes.windows(64).position(|w| w == [1; 64]).unwrap();
    let fault = verify_log(
        &changed(0, &|bytes| bytes[body + 40] ^= 1),
        &network().trust,
        code("TT"),
        |_| (),
    );
    let fault = fault.unwrap_err();
    assert!(
        fault.file == paths[0] && fault.offset <= body as u64 && fault.offset + 64 > body as u64
    );
}
