use super::*;
use crate::{
    Disk, Durable, Journal, Leaf, LogReport, OpenOptions, Record, Step,
    fixture::{code, leaf, network, sent},
    merkle::{leaf_hash, verify_inclusion},
    sim::{SimDisk, Traces},
    verify_log,
};
use std::collections::BTreeMap;

mod carry;
mod crash;
mod damage;

const SMALL: OpenOptions = OpenOptions {
    segment_bytes: 64 * 1024,
};
/// Stands in every private and body part of the notice with this number.
fn marker(seq: u64) -> Vec<u8> {
    format!("<<secret of notice {seq:04}>>").into_bytes()
}

/// Received, with private and body parts, and Delivered.
fn arrival(seq: u64, length: usize) -> Vec<Record> {
    let [received, delivered] = sent(seq).arrival().try_into().unwrap();
    let private = v1::PrivatePart {
        salt: vec![seq as u8; 32].into(),
        own_copy: marker(seq).into(),
        ..Default::default()
    };
    let mut body = marker(seq);
    // Every third one ends in zeros, so that its record lies under a mask.
    body.resize(length, if seq.is_multiple_of(3) { 0 } else { 7 });
    body.extend(marker(seq));
    let body = v1::BodyPart {
        stanzas: vec![],
        body: body.into(),
    };
    let received = received.with_private(&private).with_body(&body);
    vec![received, delivered]
}

struct Log {
    disk: SimDisk,
    journal: Journal<SimDisk>,
}

impl Log {
    /// TT's log with 16 deliveries over several segments.
    fn new() -> Self {
        let (disk, journal) = network().journal("TT");
        let mut log = Self { disk, journal };
        for seq in 1..=16 {
            log = log.add(arrival(seq, 1000 + 700 * seq as usize)).unwrap();
        }
        assert!(log.segments().len() >= 3);
        log
    }

    fn open(disk: SimDisk) -> Result<Self, crate::OpenError> {
        let (journal, _) = Journal::open(disk.clone(), SMALL)?;
        Ok(Self { disk, journal })
    }

    fn add(self, facts: Vec<Record>) -> Result<Self, Fatal> {
        let gated = vec![()];
        let (journal, _) = self.journal.append(vec![Step { facts, gated }])?;
        Ok(Self { journal, ..self })
    }

    fn seal(self) -> Result<Self, Fatal> {
        let journal = self.journal.seal_segment()?;
        Ok(Self { journal, ..self })
    }

    fn segments(&self) -> Vec<String> {
        let names = self.disk.list("journal").unwrap();
        names.into_iter().filter(|n| n.ends_with(".seg")).collect()
    }

    fn say(self, of: (v1::Leaf, v1::ProofPart)) -> Result<Self, Fatal> {
        let (about, proof) = of;
        let says = v1::Leaf {
            subject: about.subject.clone(),
            ..leaf("TT", about.kind())
        };
        self.add(vec![Record::new(says).with_proof(&proof)])
    }

    fn begin(self, indexes: &[LeafIndex]) -> Result<Self, Fatal> {
        self.say(begun(indexes, v1::ScrubWhy::KeepUntil, bytes::Bytes::new()))
    }

    fn run(&self, indexes: &[LeafIndex]) -> Result<ScrubDone, ScrubError> {
        self.journal.reader().scrub_job(indexes)?.run(|| ())
    }

    /// All three steps.
    fn scrub(self, indexes: &[LeafIndex]) -> Result<Self, ScrubError> {
        let log = self.seal()?.begin(indexes)?;
        log.finish()
    }

    /// What a start finds begun and not done is carried on.
    fn finish(self) -> Result<Self, ScrubError> {
        let mut open: BTreeMap<Vec<u8>, v1::Scrub> = BTreeMap::new();
        for stored in self.journal.reader().scan(LeafIndex(0)) {
            let record = stored.unwrap().record;
            let Some(v1::proof_part::Of::Scrub(scrub)) = record.proof().unwrap().and_then(|p| p.of)
            else {
                continue;
            };
            let subject = record.leaf().message().subject.to_vec();
            match record.leaf().message().kind() {
                v1::LeafKind::ScrubBegun => drop(open.insert(subject, scrub)),
                _ => drop(open.remove(&subject)),
            }
        }
        let mut log = self;
        for scrub in open.into_values() {
            let indexes: Vec<LeafIndex> = scrub.indexes.iter().map(|&i| LeafIndex(i)).collect();
            log.run(&indexes)?;
            log = log.say(done(&scrub))?;
        }
        Ok(log)
    }

    fn record(&self, index: u64) -> Record {
        let reader = self.journal.reader();
        reader.read(LeafIndex(index)).unwrap().record
    }

    fn all(&self) -> Vec<Record> {
        let scanned: Vec<Record> = self
            .journal
            .reader()
            .scan(LeafIndex(0))
            .map(|stored| stored.unwrap().record)
            .collect();
        for (index, record) in scanned.iter().enumerate() {
            assert_eq!(*record, self.record(index as u64));
        }
        scanned
    }

    fn verify(&self) -> LogReport {
        verify_log(&self.disk, &network().trust, code("TT"), |_| ()).unwrap()
    }
}

/// The Received leaf of a notice.
fn of(seq: u64) -> LeafIndex {
    LeafIndex(2 * seq - 1)
}

/// A leaf as receipts are built from it, its proof part, its audit path.
type Permanent = (Durable<Leaf>, Option<bytes::Bytes>, Vec<[u8; 32]>);

/// What must stay as it was: leaves, proofs, and the leaves as receipts are built from them.
fn permanent(log: &Log, size: u64) -> Vec<Permanent> {
    let reader = log.journal.reader();
    let root = reader.root_at(size).unwrap();
    let one = |index| {
        let mut durable = reader.durable(LeafIndex(index)).unwrap();
        durable.size = size;
        let path = reader.inclusion(LeafIndex(index), size).unwrap();
        let hash = leaf_hash(durable.fact().bytes());
        verify_inclusion(&hash, index, size, &path, &root).unwrap();
        let proof = log.record(index).proof_bytes().cloned();
        (durable, proof, path.iter().map(|h| h.0).collect())
    };
    (0..size).map(one).collect()
}

#[test]
fn private_and_body_are_gone_and_all_else_is_as_it_was() {
    let log = Log::new();
    let (size, before) = (log.journal.size(), log.all());
    let kept = permanent(&log, size);
    for seq in [2, 3, 9] {
        assert!(!log.disk.find(&marker(seq), Traces::InFiles).is_empty() || seq % 3 == 0);
    }
    let scrubbed = [of(2), of(3), of(9)];
    // A reader in the middle of a scan, and one that has the old files open.
    let mut scan = log.journal.reader().scan(LeafIndex(0));
    assert_eq!(scan.next().unwrap().unwrap().record, before[0]);
    let log = log.scrub(&scrubbed).unwrap();
    for (stored, before) in scan.zip(&before[1..]) {
        let stored = stored.unwrap();
        assert_eq!(stored.record.leaf(), before.leaf());
        assert!(stored.record.is_scrubbed() || stored.record == *before);
    }
    let after = log.all();
    for (index, (record, before)) in after.iter().zip(&before).enumerate() {
        let gone = scrubbed.contains(&LeafIndex(index as u64));
        assert_eq!(record.is_scrubbed(), gone);
        if gone {
            assert_eq!((record.private_bytes(), record.body_bytes()), (None, None));
            assert_eq!(record.leaf(), before.leaf());
        } else {
            assert_eq!(record, before);
        }
    }
    assert_eq!(permanent(&log, size), kept);
    for seq in [2, 3, 9] {
        assert_eq!(
            log.disk.find(&marker(seq), Traces::Anywhere),
            [""; 0],
            "{seq}"
        );
    }
    let report = log.verify();
    assert_eq!((report.scrubbed, report.leaves), (3, size + 2));
    // The same after a start.
    log.journal.close().unwrap();
    let log = Log::open(log.disk).unwrap();
    assert_eq!(log.all(), after);
    assert_eq!(log.verify().scrubbed, 3);
}

#[test]
fn it_is_done_once_and_other_notices_of_the_segment_can_follow() {
    let log = Log::new().scrub(&[of(2)]).unwrap();
    assert_eq!(log.run(&[of(2)]).unwrap(), ScrubDone::default());
    let log = log.scrub(&[of(1), of(2)]).unwrap();
    assert!(log.record(of(1).0).is_scrubbed() && !log.record(of(3).0).is_scrubbed());
    // Nor does a file that an earlier rewrite dropped keep what a later one scrubs.
    for seq in [1, 2] {
        let traces = log.disk.find(&marker(seq), Traces::Anywhere);
        assert_eq!(traces, [""; 0], "{seq}");
    }
    // A record without private and body has nothing to scrub.
    let log = log.scrub(&[LeafIndex(of(4).0 + 1)]).unwrap();
    assert_eq!(log.verify().scrubbed, 2);
}

#[test]
fn the_open_segment_is_not_touched_and_is_named() {
    let log = Log::new();
    let last = LeafIndex(log.journal.size() - 2);
    let before = log.disk.operations();
    let refused = log.run(&[of(1), last]);
    assert!(
        matches!(&refused, Err(ScrubError::NotSealed { indexes }) if *indexes == [last]),
        "{refused:?}"
    );
    let beyond = log.run(&[LeafIndex(log.journal.size())]);
    assert!(matches!(
        beyond,
        Err(ScrubError::Read(ReadError::Beyond { .. }))
    ));
    assert_eq!(log.disk.operations(), before);
    let log = log.seal().unwrap();
    let segments = log.segments().len();
    let log = log.seal().unwrap();
    assert_eq!(
        log.segments().len(),
        segments,
        "a segment without leaves is not sealed"
    );
    assert_eq!(log.run(&[of(1), last]).unwrap().records, 2);
}

#[test]
fn the_copy_holds_only_what_is_not_zero() {
    let log = Log::new();
    let size = log
        .disk
        .content("journal/00000000000000000000.seg")
        .unwrap();
    let job = log.journal.reader().scrub_job(&[of(2)]).unwrap();
    let mut pauses = 0;
    let done = job.run(|| pauses += 1).unwrap();
    assert!(pauses > 0);
    assert_eq!((done.records, done.segments), (1, 1));
    assert!(done.bytes > 2400);
    let after = log
        .disk
        .content("journal/00000000000000000000.seg")
        .unwrap();
    assert_eq!(after.len(), size.len());
    assert!(log.disk.content("journal/scrub.tmp").is_none());
}

#[test]
fn a_scan_goes_on_where_its_file_is_replaced_and_wiped() {
    let (disk, _) = network().journal("TT");
    // Segments much longer than what a scan reads ahead; the first one stays small.
    let options = OpenOptions {
        segment_bytes: 4 << 20,
    };
    let (journal, _) = Journal::open(disk.clone(), options).unwrap();
    let mut log = Log { disk, journal }.seal().unwrap();
    for seq in [1, 3, 5, 7] {
        let pair = [arrival(seq, 300_000), arrival(seq + 1, 300_000)];
        log = log.add(pair.concat()).unwrap();
    }
    let before = log.all();
    let log = log.seal().unwrap();
    let mut scan = log.journal.reader().scan(LeafIndex(0));
    let first: Vec<_> = scan.by_ref().take(2).map(|s| s.unwrap().record).collect();
    assert_eq!(first, before[..2]);
    log.run(&[of(8)]).unwrap();
    let rest: Vec<_> = scan.map(|stored| stored.unwrap()).collect();
    assert_eq!(rest.len(), before.len() - 2);
    for (stored, index) in rest.iter().zip(2..) {
        assert_eq!(stored.index, LeafIndex(index));
        assert_eq!(stored.record.leaf(), before[index as usize].leaf());
        assert_eq!(stored.record.is_scrubbed(), stored.index == of(8));
    }
}

/// Reads all the time while another thread scrubs.
#[test]
fn readers_never_see_damage_while_segments_are_written_anew() {
    let log = Log::new().seal().unwrap();
    let before = log.all();
    let reader = log.journal.reader();
    std::thread::scope(|scope| {
        let job = scope.spawn(|| {
            for seq in 1..=16 {
                log.run(&[of(seq)]).unwrap();
            }
        });
        while !job.is_finished() {
            let scanned = reader.scan(LeafIndex(0)).map(|stored| stored.unwrap());
            for (stored, before) in scanned.zip(&before) {
                assert_eq!(stored.record.leaf(), before.leaf());
                let again = reader.read(stored.index).unwrap().record;
                assert!(again == *before || again.is_scrubbed());
            }
        }
    });
    assert_eq!(log.all().iter().filter(|r| r.is_scrubbed()).count(), 16);
}
