//! Two well-signed statements of one version: both are kept, the log says so, people are told.

use crate::{
    layout::{Layout, replace},
    node_error::NodeError,
    shared::{Shared, lock},
    view::ReadyView,
};
use abeng_api::{Warned, Warning};
use abeng_audit_log::{EQUIVOCATION, Reader, RealDisk, subject};
use abeng_queue::{Input, rows::ContradictionRow};
use abeng_roster::{Conflict, ConflictOf, Ended, Trust, TrustError, digest};
use abeng_wire::{Digest, limits, v1};
use std::{io, path::PathBuf};
use v1::proof_part::Of;

/// Disputes of one party's seal keys that are kept. More of them prove nothing more, and a member
/// makes as many as it likes: they must not take the place of anybody else's.
const KEPT_OF_SEAL_KEYS: usize = 2;

/// What a dispute is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Nothing has ended it: an alarm.
    Open,
    /// That has.
    Ended(Ended),
    /// Nothing that is held is about it any more.
    Over,
}

/// The other of two well-signed statements of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// `root`, `roster`, or `seal key of` and the party.
    pub what: String,
    /// The version or sequence.
    pub version: u64,
    /// Digest of the one in force here.
    pub held: Digest,
    /// Digest of the other.
    pub other: Digest,
}

impl Dispute {
    /// Of a root or roster.
    pub(super) fn of(conflict: &Conflict) -> Self {
        Self {
            what: conflict.of.name().to_owned(),
            version: conflict.version,
            held: conflict.held,
            other: conflict.other,
        }
    }

    /// Whether it is the same equivocation, whichever side is in force.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let sides = (other.held, other.other);
        let same = sides == (self.held, self.other) || sides == (self.other, self.held);
        self.what == other.what && self.version == other.version && same
    }

    /// The kind of statement, if it is one that a conflict of trust data is about.
    fn kind(&self) -> Option<ConflictOf> {
        let kinds = [ConflictOf::Root, ConflictOf::Roster];
        kinds.into_iter().find(|of| of.name() == self.what)
    }

    /// What it is worth now. One that no conflict held is about is over: conflicts that are ended
    /// make room for others, and are paired anew where a node goes over to the other side. One that
    /// is open always stands among them.
    fn standing(&self, trust: &Trust) -> Standing {
        let Some(kind) = self.kind() else {
            return Standing::Open;
        };
        let about = |c: &&Conflict| {
            let sides = [self.held, self.other];
            let of_it = sides.contains(&c.held) || sides.contains(&c.other);
            c.of == kind && c.version == self.version && of_it
        };
        let mut conflicts = trust.conflicts().iter().filter(about);
        let pair = conflicts.clone().find(|c| self.is_same(&Self::of(c)));
        match pair.map(|c| trust.ended(c)) {
            Some(None) => Standing::Open,
            Some(Some(ended)) => Standing::Ended(ended),
            None if conflicts.any(|c| trust.ended(c).is_none()) => Standing::Open,
            None => Standing::Over,
        }
    }

    /// Whether nothing has ended it.
    pub fn is_open(&self, trust: &Trust) -> bool {
        self.standing(trust) == Standing::Open
    }

    /// Whether these say it already. Of one that is ended the other side is enough: who goes over
    /// to another side has other pairs of the same statements.
    pub(super) fn is_among(&self, all: &[Self], trust: &Trust) -> bool {
        let open = self.is_open(trust);
        let knows = |d: &Self| {
            let of_it = d.what == self.what && d.version == self.version;
            of_it && !open && [d.held, d.other].contains(&self.other)
        };
        all.iter().any(|d| d.is_same(self) || knows(d))
    }

    /// Whether one more is worth a leaf and a file. What is open always is, but for a party's seal
    /// keys: trust data brings only a few. What is ended takes the place of nothing.
    pub(super) fn has_room(&self, all: &[Self], trust: &Trust) -> bool {
        let same = all.iter().filter(|d| d.what == self.what);
        match self.kind() {
            None => same.count() < KEPT_OF_SEAL_KEYS,
            Some(_) if self.is_open(trust) => true,
            Some(_) => same.filter(|d| !d.is_open(trust)).count() < limits::CONFLICTS,
        }
    }

    /// What `status` says of it.
    pub fn told(&self) -> Warning {
        let text = format!(
            "TWO DIFFERENT VERSIONS {} of the {} are well signed: {:.16} is in force here, {:.16} is kept beside it. Somebody signs two things at once: speak with the Secretariat and the other administrations by telephone",
            self.version, self.what, self.held, self.other
        );
        let [version, held, other] = [
            ("version", self.version.to_string()),
            ("held", format!("{:.16}", self.held)),
            ("other", format!("{:.16}", self.other)),
        ];
        let told = Warning::from(text);
        match self.what.strip_prefix("seal key of ") {
            Some(party) => {
                let party = ("party", party.to_owned());
                told.because(Warned::TwoSealKeys, [party, version, held, other])
            }
            None if self.what == "root" => told.because(Warned::TwoRoots, [version, held, other]),
            None => told.because(Warned::TwoRosters, [version, held, other]),
        }
    }
}

impl Dispute {
    /// What `roster pending` says of it.
    pub fn told_in_full(&self, trust: &Trust) -> String {
        let (begins, ends) = match self.standing(trust) {
            Standing::Open => return self.told().into_text(),
            Standing::Ended(Ended::Named(_)) => ("settled by a root", ""),
            Standing::Ended(Ended::Retired) => (
                "of no weight, since signers of it were replaced",
                " No root names both, and nothing waits for one.",
            ),
            Standing::Over => ("over", " Nothing that is in force waits for it."),
        };
        format!(
            "{begins}: two versions {} of the {} were signed, {:.16} and {:.16}.{ends} The evidence stays in trust/disputed",
            self.version, self.what, self.held, self.other
        )
    }
}

impl Shared {
    /// Keeps the evidence of an equivocation, once: the other statement in a file, what it is in the
    /// log. Whatever is wrong with the disk, the alarm is told.
    pub(super) fn keep_dispute(&self, why: &TrustError, bundle: &v1::TrustBundle) {
        let TrustError::Equivocation {
            what,
            version,
            held,
            other,
        } = why
        else {
            return;
        };
        let dispute = Dispute {
            what: what.clone(),
            version: *version,
            held: *held,
            other: *other,
        };
        self.keep(dispute, find(bundle, *other), &self.trust());
    }

    /// The same for those that trust data brought with it, of roots and rosters.
    pub(super) fn keep_conflicts(&self, before: &Trust, next: &Trust) {
        for conflict in next.conflicts() {
            let dispute = Dispute::of(conflict);
            let mut known = before.conflicts().iter();
            let is_new = !known.any(|c| dispute.is_same(&Dispute::of(c)));
            // What is ended and was left out is left out once, not at every adoption.
            if is_new || dispute.is_open(next) {
                self.keep(dispute, Some(&conflict.signed), next);
            }
        }
    }

    fn keep(&self, dispute: Dispute, other: Option<&v1::Signed>, trust: &Trust) {
        {
            let mut all = lock(&self.disputes);
            if dispute.is_among(&all, trust) {
                return;
            }
            if !dispute.has_room(&all, trust) {
                tracing::error!(
                    "{} Enough of them is kept; this one is not.",
                    dispute.told()
                );
                return;
            }
            all.push(dispute.clone());
            self.metrics.trust_disputes.set(all.len() as i64);
        }
        tracing::error!("{}", dispute.told());
        let kept = other.map_or(Ok(()), |signed| keep(&self.layout, &dispute, signed));
        if let Err(e) = kept {
            tracing::error!(error = %e, "the other statement cannot be kept; the log names its digest");
        }
        self.core.give_blocking(leaf_about(&dispute));
    }
}

pub(super) fn leaf_about(dispute: &Dispute) -> Input {
    let said = v1::Equivocation {
        what: dispute.what.clone(),
        version: dispute.version,
        held: dispute.held.to_bytes(),
        other: dispute.other.to_bytes(),
    };
    let leaf = v1::Leaf {
        kind: v1::LeafKind::Contradiction.into(),
        subject: subject(EQUIVOCATION, &abeng_wire::encode(&said)).to_bytes(),
        ..Default::default()
    };
    Input::Note {
        leaf: Box::new(leaf),
        proof: Some(v1::ProofPart {
            of: Some(Of::Equivocation(said)),
        }),
        private: None,
        tell: None,
        receipt_to: None,
    }
}

fn find(bundle: &v1::TrustBundle, other: Digest) -> Option<&v1::Signed> {
    let all = bundle.rosters.iter().chain(&bundle.roots);
    let mut all = all.chain(&bundle.seal_keys);
    all.find(|signed| digest(&signed.bytes) == other)
}

/// Where the other statement lies, a `Signed` as it was received.
fn path(layout: &Layout, dispute: &Dispute) -> PathBuf {
    let what = dispute.what.replace(' ', "-");
    let name = format!("{what}-{}-{:.16}.pb", dispute.version, dispute.other);
    layout.root().join("trust").join("disputed").join(name)
}

fn keep(layout: &Layout, dispute: &Dispute, signed: &v1::Signed) -> io::Result<()> {
    let path = path(layout, dispute);
    let dir = path.parent().unwrap_or(layout.root());
    Layout::create_dir(dir)?;
    replace(&path, &abeng_wire::encode(signed), 0o600)
}

/// The disputes that the log knows of.
pub(super) fn kept(
    view: &ReadyView<RealDisk>,
    reader: &Reader<RealDisk>,
) -> Result<Vec<Dispute>, NodeError> {
    let mut kept = Vec::new();
    for (_, value) in view.rows(ContradictionRow::PREFIX)? {
        let row = ContradictionRow::decode(&value)?;
        let record = reader.read(row.leaf)?.record;
        let part = record.proof().ok().flatten().and_then(|part| part.of);
        let Some(Of::Equivocation(said)) = part else {
            continue;
        };
        kept.push(Dispute {
            what: said.what,
            version: said.version,
            held: Digest::from_slice(&said.held).unwrap_or_default(),
            other: Digest::from_slice(&said.other).unwrap_or_default(),
        });
    }
    Ok(kept)
}
