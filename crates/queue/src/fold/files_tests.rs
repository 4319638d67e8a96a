use crate::{
    Applied, MemView, View,
    fold::fold,
    rows::{ArrivedRow, CareRow, FilesRow, NamedRow, ToldRow, WantedRow},
    view::RowSource,
};
use abeng_audit_log::{ATTACHMENT, Record, subject};
use abeng_wire::{Digest, EnvelopeId, Incarnation, LeafIndex, PartyCode, encode, v1};
use bytes::Bytes;
use v1::{LeafKind as Kind, proof_part::Of};

const ID: EnvelopeId = EnvelopeId([5; 32]);

/// A log of JM's whose rows are folded as it grows.
struct Log {
    view: MemView,
    next: u64,
}

fn file(byte: u8) -> v1::AttachmentRef {
    v1::AttachmentRef {
        root: vec![byte; 32].into(),
        length: 17 + u64::from(byte),
    }
}

fn about(file: &v1::AttachmentRef) -> Bytes {
    subject(ATTACHMENT, &encode(file)).to_bytes()
}

fn party(code: &str) -> PartyCode {
    PartyCode::new(code).unwrap()
}

/// HDR of an envelope with two files, and one of them named twice.
fn hdr(from: &str, to: &str) -> Bytes {
    let pre = v1::Pre {
        originator: from.into(),
        incarnation: 1,
        created_at: 1,
        expires_at: 2,
        precedence: 1,
        recipients: vec![v1::PreRecipient {
            party: to.into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let trl = v1::Trl {
        attachments: vec![file(1), file(2), file(1)],
        ..Default::default()
    };
    encode(&v1::Hdr {
        pre: encode(&pre),
        trl: encode(&trl),
    })
}

impl Log {
    fn new() -> Self {
        Self {
            view: MemView::new(),
            next: 0,
        }
    }

    fn leaf(
        &mut self,
        kind: Kind,
        (from, to): (&str, &str),
        subject: Bytes,
        proof: Option<Of>,
    ) -> LeafIndex {
        let leaf = v1::Leaf {
            version: 1,
            kind: kind.into(),
            actor: "JM".into(),
            envelope_id: ID.to_bytes(),
            originator: from.into(),
            recipient: to.into(),
            seq_commit: Digest([9; 32]).to_bytes(),
            subject,
            ..Default::default()
        };
        let mut record = Record::new(leaf);
        if proof.is_some() {
            record = record.with_proof(&v1::ProofPart { of: proof });
        }
        let index = LeafIndex(self.next);
        self.next += 1;
        let changes = fold(index, &record, &self.view).unwrap();
        let mut keys: Vec<&Vec<u8>> = changes.iter().map(|c| &c.key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(
            keys.len(),
            changes.len(),
            "a row is changed twice by {kind:?}"
        );
        let applied = Applied {
            position: LeafIndex(self.next),
            incarnation: Incarnation(1),
        };
        self.view.apply(&changes, applied).unwrap();
        index
    }

    fn has(&self, key: &[u8]) -> bool {
        self.view.row(key).unwrap().is_some()
    }

    fn received(&mut self) -> LeafIndex {
        let proof = v1::ReceivedProof {
            hdr: hdr("TT", "JM"),
            position: Some(v1::StreamPosition {
                stream_seq: 1,
                blind: vec![1; 16].into(),
            }),
            ..Default::default()
        };
        self.leaf(
            Kind::Received,
            ("TT", "JM"),
            Bytes::new(),
            Some(Of::Received(proof)),
        )
    }

    fn arrived(&mut self, file: v1::AttachmentRef) -> LeafIndex {
        let subject = about(&file);
        let proof = Some(Of::Attachment(file));
        self.leaf(Kind::Received, ("TT", "JM"), subject, proof)
    }

    fn files(&self, record: LeafIndex) -> Option<FilesRow> {
        let row = self.view.row(&FilesRow::key(record)).unwrap();
        row.map(|v| FilesRow::decode(&v).unwrap())
    }

    /// Nothing of a record's files is left.
    fn forgotten(&self, record: LeafIndex) {
        assert_eq!(self.files(record), None);
        assert!(!self.has(&WantedRow::key(record)));
        for byte in [1, 2] {
            assert!(!self.has(&NamedRow::key(&[byte; 32], record)));
        }
    }
}

#[test]
fn what_is_delivered_wants_its_files_until_all_have_come() {
    let mut log = Log::new();
    let received = log.received();
    assert!(!log.has(&WantedRow::key(received)), "not yet delivered");
    log.leaf(Kind::Delivered, ("TT", "JM"), Bytes::new(), None);
    assert!(log.has(&WantedRow::key(received)));
    assert!(log.has(&NamedRow::key(&[2; 32], received)));
    let first = log.arrived(file(1));
    let row = log.files(received).unwrap();
    let arrived: Vec<_> = row.files.iter().map(|f| f.arrived).collect();
    assert_eq!(arrived, [Some(first), None, Some(first)]);
    assert!(log.has(&WantedRow::key(received)));
    assert!(
        log.has(&ToldRow::key(party("TT"), first)),
        "TT is told again at each link"
    );
    log.arrived(file(2));
    assert!(log.files(received).unwrap().is_complete());
    assert!(!log.has(&WantedRow::key(received)));

    // Its content goes: from here on nothing is wanted, and then nothing is named.
    let scrub = v1::Scrub {
        indexes: vec![received.0],
        ..Default::default()
    };
    log.leaf(
        Kind::ScrubBegun,
        ("", ""),
        Bytes::new(),
        Some(Of::Scrub(scrub.clone())),
    );
    assert!(log.files(received).is_some(), "until it is scrubbed");
    log.leaf(
        Kind::Scrubbed,
        ("", ""),
        Bytes::new(),
        Some(Of::Scrub(scrub)),
    );
    log.forgotten(received);
    assert!(log.has(&CareRow::key(received)));
    // A file that was on its way all the same changes nothing.
    log.arrived(file(2));
    log.forgotten(received);
}

#[test]
fn what_is_refused_wants_nothing() {
    let mut log = Log::new();
    let received = log.received();
    let proof = v1::ReceivedProof {
        hdr: hdr("TT", "JM"),
        ..Default::default()
    };
    log.leaf(
        Kind::Refused,
        ("TT", "JM"),
        Bytes::new(),
        Some(Of::Received(proof)),
    );
    log.forgotten(received);
}

#[test]
fn the_originator_counts_what_recipients_have_proved() {
    let mut log = Log::new();
    let proof = v1::SubmittedProof {
        hdr: hdr("JM", "TT"),
        ..Default::default()
    };
    let submitted = log.leaf(
        Kind::Submitted,
        ("JM", ""),
        Bytes::new(),
        Some(Of::Submitted(proof)),
    );
    let position = v1::StreamPosition {
        stream_seq: 1,
        blind: vec![1; 16].into(),
    };
    log.leaf(
        Kind::Queued,
        ("JM", "TT"),
        Bytes::new(),
        Some(Of::Queued(position)),
    );
    assert!(
        !log.has(&WantedRow::key(submitted)),
        "what was sent is here"
    );
    let key = ArrivedRow::key(submitted, party("TT"));
    let mut proved = |file: v1::AttachmentRef| {
        let theirs = v1::Leaf {
            version: 1,
            kind: Kind::Received.into(),
            actor: "TT".into(),
            envelope_id: ID.to_bytes(),
            subject: about(&file),
            ..Default::default()
        };
        let receipt = v1::Receipt {
            leaf: encode(&theirs),
            ..Default::default()
        };
        log.leaf(
            Kind::ReceiptTaken,
            ("JM", "TT"),
            Bytes::new(),
            Some(Of::Receipt(receipt)),
        );
        let row = log.view.row(&key).unwrap().unwrap();
        ArrivedRow::decode(&row).unwrap().files
    };
    assert_eq!(proved(file(2)), 0b010);
    assert_eq!(proved(file(7)), 0b010, "one that was never sent");
    assert_eq!(proved(file(1)), 0b111);
}
