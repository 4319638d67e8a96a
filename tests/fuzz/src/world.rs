//! What is right: a founded network of three, and one of everything that its parties make.

use crate::Chance;
use abeng_audit_log::{
    Batch, Checkpoint, Journal, JournalIdentity, LogOrigin, OpenOptions, Record, Step, receipt,
    sim::SimDisk,
};
use abeng_evidence::export_subject;
use abeng_notice::{CheckContext, Notice, samples};
use abeng_roster::{
    NoticeFacts, Policy, Tlp, Trust,
    founding::{Founding, FoundingParty, FoundingRequest, found},
};
use abeng_seal::{BoxCache, SealInput, Sealed, seal, sign_void, sign_want};
use abeng_wire::{
    Incarnation, LeafIndex, Millis, Mono, NetworkCode, Now, PartyCode, StreamSeq, limits, v1,
};
use bytes::Bytes;
use std::sync::OnceLock;

/// When everything happens.
pub const NOW: Millis = 1_790_000_000_000;
/// The smallest segment there is.
pub const SEGMENT: OpenOptions = OpenOptions {
    segment_bytes: 64 << 10,
};
const CODES: [&str; 3] = ["JM", "NL", "TT"];
/// The stream number of the fixture's envelope.
const SEQ: u64 = 1;

/// The fixture.
pub struct World {
    /// All keys and statements.
    pub founding: Founding,
    /// What they amount to.
    pub trust: Trust,
    /// A notice of Jamaica.
    pub notice: Notice,
    /// Sealed for the Netherlands and Trinidad.
    pub sealed: Sealed,
    /// The Netherlands' journal, stopped without a mark.
    pub disk: SimDisk,
    /// The leaves in it.
    pub leaves: Vec<Bytes>,
    /// The Netherlands' checkpoint over them.
    pub checkpoint: Checkpoint,
    /// The Netherlands' leaves about the envelope, proved.
    pub own: v1::LogProof,
    /// The Netherlands' receipt for the envelope.
    pub receipt: v1::Receipt,
    /// The Netherlands' question for numbers of Jamaica's stream, as a relay carries it.
    pub want: v1::Signed,
    /// Jamaica's word that they will not come.
    pub void: v1::Signed,
}

/// Made once per process from a seed of its own.
pub fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(World::make)
}

/// The originator.
pub fn sender() -> PartyCode {
    PartyCode::new(CODES[0]).unwrap()
}

/// The recipient whose log the fixture has.
pub fn recipient() -> PartyCode {
    PartyCode::new(CODES[1]).unwrap()
}

/// The origin of the recipient's checkpoints.
pub fn origin(trust: &Trust) -> LogOrigin {
    LogOrigin {
        network: trust.roster.network(),
        party: recipient(),
        incarnation: Incarnation(NOW << 16),
    }
}

/// A want and a void of one stream.
fn words(founding: &Founding) -> [v1::Signed; 2] {
    let (originator, recipient) = (sender().to_string(), recipient().to_string());
    let want = v1::Want {
        originator: originator.clone(),
        incarnation: NOW << 16,
        first: 1,
        last: 2,
        byte_budget: limits::WANT_BYTES,
        recipient: recipient.clone(),
    };
    let void = v1::Void {
        originator,
        incarnation: NOW << 16,
        recipient,
        first: 1,
        last: 2,
        reason: v1::VoidReason::VoidFailed.into(),
        envelope_id: Bytes::new(),
    };
    let [jm, nl] = [0, 1].map(|n: usize| founding.keyrings[n].org_sign());
    let want = sign_want(nl.as_ref(), &want).unwrap();
    [want, sign_void(jm.as_ref(), &void).unwrap()]
}

impl World {
    fn make() -> Self {
        let entropy = &mut Chance::new(0);
        let party = |code: &&str| FoundingParty {
            code: PartyCode::new(code).unwrap(),
            name: (*code).to_owned(),
            country: (*code).to_owned(),
            kind: v1::PartyKind::Member,
            addresses: vec!["127.0.0.1:4433".to_owned()],
            relay: true,
        };
        let network = NetworkCode::new("fuzz").unwrap();
        let request = FoundingRequest::new(network, CODES.iter().map(party).collect(), NOW);
        let founding = found(request, entropy).unwrap();
        let trust = Trust::from_bundle(&founding.bundle, Some(founding.root_digest), NOW).unwrap();
        let draft = samples().remove(0).draft;
        let context = CheckContext::new(NOW, sender());
        let notice = Notice::check(draft, &context).unwrap().notice;
        let sealed = seal_for_two(&founding, &trust, &notice, entropy);
        let (disk, journal) = journal_of(&trust, &sealed);
        let reader = journal.reader();
        let size = reader.size();
        let root = reader.root_at(size).unwrap();
        let log = founding.keyrings[1].log().as_ref();
        let checkpoint = Checkpoint::sign(&origin(&trust).to_string(), size, root, log).unwrap();
        let durable = |index| reader.durable(LeafIndex(index)).unwrap();
        let leaves = (0..size).map(|n| durable(n).fact().bytes().clone());
        let leaves: Vec<Bytes> = leaves.collect();
        let outcome = (durable(2), Some(durable(1)));
        let receipt = receipt::build(&outcome.0, outcome.1.as_ref(), &reader, &checkpoint).unwrap();
        let proof = |n: u64| v1::LeafProof {
            leaf: leaves[n as usize].clone(),
            index: n,
            path: reader
                .inclusion(LeafIndex(n), size)
                .unwrap()
                .iter()
                .map(|hash| hash.to_bytes())
                .collect(),
            statement: None,
        };
        let own = v1::LogProof {
            checkpoint: checkpoint.note().clone(),
            consistency: Vec::new(),
            leaves: (1..size).map(proof).collect(),
        };
        let [want, void] = words(&founding);
        Self {
            want,
            void,
            own,
            leaves,
            founding,
            trust,
            notice,
            sealed,
            disk,
            checkpoint,
            receipt,
        }
    }
}

fn seal_for_two(
    founding: &Founding,
    trust: &Trust,
    notice: &Notice,
    entropy: &mut Chance,
) -> Sealed {
    let to: Vec<PartyCode> = CODES[1..]
        .iter()
        .map(|c| PartyCode::new(c).unwrap())
        .collect();
    let facts = NoticeFacts {
        ty: notice.ty(),
        tlp: Tlp::RED,
    };
    let cleared = Policy::clear(trust, sender(), &to, &facts, NOW).unwrap();
    let seq = StreamSeq::new(SEQ).unwrap();
    let positions: Vec<_> = to.iter().map(|code| (*code, seq)).collect();
    let keyring = &founding.keyrings[0];
    let input = SealInput {
        trust,
        cleared: &cleared,
        org_sign: keyring.org_sign().as_ref(),
        store: &keyring.store,
        incarnation: Incarnation(NOW << 16),
        created_at: NOW,
        expires_at: NOW + 86_400_000,
        precedence: v1::Precedence::Routine,
        positions: &positions,
        notice: notice.bytes(),
        attachments: &[],
        boxes: &mut BoxCache::new(),
        now: Now {
            wall: NOW,
            mono: Mono::default(),
        },
    };
    seal(input, entropy).unwrap()
}

/// A journal in which the envelope was received and delivered, after a few leaves of other kinds.
fn journal_of(trust: &Trust, sealed: &Sealed) -> (SimDisk, Journal<SimDisk>) {
    let disk = SimDisk::new();
    let leaf = |kind: v1::LeafKind| v1::Leaf {
        version: 1,
        kind: kind.into(),
        actor: recipient().to_string(),
        incarnation: NOW << 16,
        time: NOW,
        roster: Some(trust.roster.reference()),
        ..v1::Leaf::default()
    };
    let about = |kind| v1::Leaf {
        envelope_id: sealed.id().to_bytes(),
        originator: sender().to_string(),
        recipient: recipient().to_string(),
        seq_commit: sealed.pre().message().recipients[0].seq_commit.clone(),
        ..leaf(kind)
    };
    let step = |leaves: Vec<v1::Leaf>| Step {
        facts: leaves.into_iter().map(Record::new).collect(),
        gated: Vec::<()>::new(),
    };
    let batch = |step| Batch {
        steps: vec![step],
        outside: Vec::new(),
    };
    let identity = JournalIdentity { key: [7; 32] };
    let first = batch(step(vec![leaf(v1::LeafKind::Started)]));
    let mut journal = Journal::create(disk.clone(), identity, SEGMENT, first).unwrap();
    let both = vec![
        about(v1::LeafKind::Received),
        about(v1::LeafKind::Delivered),
    ];
    let exported = v1::Leaf {
        seq_commit: Bytes::new(),
        subject: export_subject(&sealed.id(), false).to_bytes(),
        ..about(v1::LeafKind::Exported)
    };
    for next in [both, vec![exported]] {
        let (after, settled) = journal.append(batch(step(next))).unwrap();
        journal = after;
        drop(settled);
    }
    (disk, journal)
}
