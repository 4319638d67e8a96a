//! Lives of a log: the leaf that opens one, what is taken over from the one before, and what a start
//! reads back about logs. As `abeng restore` and `abeng node new-incarnation` do it.

use crate::{
    Random,
    book::Book,
    node::{Data, Node, OPTIONS},
    world::{World, first_life, origin, party, world},
};
use abeng_audit_log::{
    Batch, Checkpoint, Journal, JournalIdentity, LogOrigin, OpenError, Outside, Reader, Record,
    Step, carry_over,
    logs::{Held, LogBook},
    merkle::Frontier,
    past::{self, OwnLog, Proved},
    sim::SimDisk,
    subject,
};
use abeng_keys::{Entropy, SignatureType};
use abeng_roster::sign_incarnation;
use abeng_wire::{Incarnation, Millis, Now, v1};
use bytes::Bytes;

/// How often the power goes while a new life is made, and within how many operations of its disk.
const CUT_PER_MILLE: u64 = 300;
const CUT_WITHIN: u64 = 24;

/// From which leaf on a log was written in which life, oldest first.
pub(crate) type Written = Vec<(u64, Incarnation)>;

/// The statement that opens a life.
pub(crate) struct Opening {
    life: Incarnation,
    previous: Incarnation,
    previous_checkpoint: Bytes,
    reason: &'static str,
    at: Millis,
}

impl Opening {
    /// Of a log that begins.
    pub(crate) fn first(life: Incarnation, at: Millis) -> Self {
        Self {
            life,
            previous: Incarnation::default(),
            previous_checkpoint: Bytes::new(),
            reason: "founding",
            at,
        }
    }

    /// A new journal that holds leaf 0 alone, on a disk of its own.
    pub(crate) fn create(self, me: usize, random: &mut Random) -> (SimDisk, Journal<SimDisk>) {
        let disk = SimDisk::new();
        let journal = self.create_on(&disk, me, random);
        (disk, journal.expect("a new journal"))
    }

    /// The same on this disk, which may fail.
    fn create_on(
        self,
        disk: &SimDisk,
        me: usize,
        random: &mut Random,
    ) -> Result<Journal<SimDisk>, OpenError> {
        let mut key = [0; 32];
        random.fill(&mut key);
        let first = Batch {
            steps: vec![Step {
                facts: vec![self.leaf(me)],
                gated: Vec::new(),
            }],
            outside: Vec::new(),
        };
        let identity = JournalIdentity { key };
        Journal::create(disk.clone(), identity, OPTIONS, first)
    }

    fn leaf(self, me: usize) -> Record {
        let statement = v1::Incarnation {
            party: party(me).to_string(),
            incarnation: self.life.0,
            previous: self.previous.0,
            previous_checkpoint: self.previous_checkpoint,
            reason: self.reason.into(),
        };
        let World { trust, keyrings } = world();
        let signed = sign_incarnation(&**keyrings[me].org_sign(), statement).unwrap();
        let about = subject(SignatureType::INCARNATION.name(), &signed.bytes);
        let leaf = v1::Leaf {
            version: 1,
            kind: v1::LeafKind::Incarnation.into(),
            actor: party(me).to_string(),
            incarnation: self.life.0,
            time: self.at,
            roster: Some(trust.roster.reference()),
            subject: about.to_bytes(),
            ..v1::Leaf::default()
        };
        let of = Some(v1::proof_part::Of::Statement(signed));
        Record::new(leaf).with_proof(&v1::ProofPart { of })
    }
}

impl Data {
    pub(crate) fn new(disk: SimDisk, told: u64, written: Written) -> Self {
        Self {
            disk,
            views: Vec::new(),
            told,
            fragile: false,
            written,
        }
    }

    /// The life of its log.
    pub(crate) fn life(&self) -> Incarnation {
        self.written.last().expect("a log is in a life").1
    }

    /// Leaves that its life took over from the one before.
    pub(crate) fn carried(&self) -> u64 {
        self.written.last().map_or(0, |&(from, _)| from)
    }

    /// The life in which a leaf was written.
    pub(crate) fn life_at(&self, leaf: u64) -> Incarnation {
        let before = self.written.iter().take_while(|(from, _)| *from <= leaf);
        before.last().expect("the first life begins at 0").1
    }

    /// An independent copy, as a backup or a second machine has it.
    pub(crate) fn copy(&self) -> Self {
        Self {
            disk: self.disk.copy(),
            views: self.views.clone(),
            written: self.written.clone(),
            ..*self
        }
    }
}

impl Node {
    /// Opens a new life in the data that are here, from which every leaf is taken over; the process
    /// does not run. The power may go at any write, and right after the last: what was begun is
    /// cleared away, and the operator runs the same command again.
    pub(crate) fn new_life(&mut self, now: Now, random: &mut Random, book: &mut Book) {
        assert!(self.life.is_none(), "the node does not run meanwhile");
        // Whoever opens a life has seen to the disk before.
        self.data.disk.free();
        let settled = self.data.disk.image();
        Journal::open(settled.clone(), OPTIONS).expect("a good journal");
        self.data.disk = settled;
        while random.per_mille(CUT_PER_MILLE) {
            let (old, new) = (self.data.disk.copy(), SimDisk::new());
            let cut = random.below(CUT_WITHIN);
            match random.per_mille(200) {
                true => old.fail_from(old.operations() + cut % 4),
                false => new.fail_from(cut),
            }
            let opened = self.carry(&old, &new, now, random);
            // What the old journal is then is what everything goes on from.
            self.data.disk = old.crash(random.word());
            match opened {
                None => book.meet("crash while a new life is made"),
                Some(_) => break,
            }
        }
        let new = SimDisk::new();
        let old = self.data.disk.copy();
        let opened = self.carry(&old, &new, now, random);
        let (size, life) = opened.expect("a good journal is carried over");
        let disk = match random.per_mille(500) {
            true => {
                book.meet("power cut after a new life was made");
                new.crash(random.word())
            }
            false => new,
        };
        let mut written = self.data.written.clone();
        written.push((size, life));
        self.data = Data::new(disk, size, written);
    }

    /// Carries the log on one disk over to a new one on the other; nothing where a disk fails.
    fn carry(
        &self,
        old: &SimDisk,
        new: &SimDisk,
        now: Now,
        random: &mut Random,
    ) -> Option<(u64, Incarnation)> {
        let (old, found) = Journal::open(old.clone(), OPTIONS).ok()?;
        let previous = self.data.life();
        let reader = old.reader();
        let own = OwnLog {
            origin: origin(self.me, previous),
            size: old.size(),
            root_at: &|size| reader.root_at(size).ok(),
        };
        let proved = past::recover(&found.outside, &own, &world().trust.roster, |_| None);
        let floor = match proved {
            Some(Proved::NewerLife { life }) => life,
            _ => Incarnation::default(),
        };
        // Where it is proved that this log goes on elsewhere, signing its end here would be a
        // second past.
        let last = match proved {
            Some(_) => Bytes::new(),
            None => {
                let key = world().keyrings[self.me].log().as_ref();
                let origin = own.origin.to_string();
                let signed = Checkpoint::sign(&origin, old.size(), old.root(), key);
                signed.unwrap().note().clone()
            }
        };
        let life = Incarnation::new(now.wall, random.word() as u16, previous.max(floor));
        let opening = Opening {
            life,
            previous,
            previous_checkpoint: last,
            reason: "restored",
            at: now.wall,
        };
        let journal = opening.create_on(new, self.me, random).ok()?;
        let carried = carry_over(&reader, found.outside, journal, life, |_| ());
        Some((carried.ok()?.size(), life))
    }

    /// A new life from keys alone: nothing is taken over.
    pub(crate) fn life_from_keys(&mut self, now: Now, random: &mut Random) {
        let above = Incarnation::default();
        let life = Incarnation::new(now.wall, random.word() as u16, above);
        // A clock that is behind does not bring the first life back.
        let life = match life == first_life(self.me) {
            true => Incarnation(life.0 + 1),
            false => life,
        };
        let opening = Opening {
            reason: "from keys alone",
            ..Opening::first(life, now.wall)
        };
        let (disk, _) = opening.create(self.me, random);
        self.data = Data::new(disk, 1, vec![(0, life)]);
    }
}

/// What is known of the logs of others, as the journal kept it; verified again.
pub(crate) fn known_logs(outside: &[Outside]) -> LogBook {
    let mut logs = LogBook::default();
    for said in outside {
        let Outside::HeldCheckpoint { note, peaks, .. } = said else {
            continue;
        };
        let roster = &world().trust.roster;
        let checkpoint = Checkpoint::verify_by_roster(note, roster).unwrap();
        let origin = LogOrigin::parse(checkpoint.origin()).unwrap();
        let range = Frontier::from_peaks(checkpoint.size(), peaks);
        match range.filter(|range| range.root() == checkpoint.root()) {
            Some(range) => _ = logs.hold(origin, Held { checkpoint, range }),
            None => _ = logs.meet(origin, origin.party, &checkpoint),
        }
    }
    logs
}

/// The own checkpoint that was signed last, as far as this log has it.
pub(crate) fn last_signed(reader: &Reader<SimDisk>, outside: &[Outside]) -> Option<Checkpoint> {
    let mut notes = outside.iter().filter_map(|said| match said {
        Outside::OwnCheckpoint(note) => Some(note),
        _ => None,
    });
    let signed = Checkpoint::verify_by_roster(notes.next()?, &world().trust.roster).unwrap();
    let same =
        signed.size() <= reader.size() && reader.root_at(signed.size()).ok() == Some(signed.root());
    same.then_some(signed)
}
