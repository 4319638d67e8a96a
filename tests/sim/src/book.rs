//! What is written down while a run goes on.

use crate::{History, Kind, Verdict};
use abeng_audit_log::subject;
use abeng_wire::{Digest, PartyCode};
use std::collections::{BTreeMap, BTreeSet};

/// How often interesting things happened.
pub type Met = BTreeMap<&'static str, u64>;

/// The run's records.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) history: History,
    /// Faults that were injected.
    pub(crate) faults: Met,
    /// What they led to.
    pub(crate) met: Met,
    /// What was seen to be wrong on the way.
    pub(crate) problems: Vec<Verdict>,
    /// Parties whose disk was put back, or runs twice: their logs may contradict themselves.
    pub(crate) copied: BTreeSet<PartyCode>,
    /// What a delivery is in the present phase, and the node of which that does not hold.
    pub(crate) delivery: Option<(&'static str, Option<usize>)>,
    trace: Digest,
}

impl Book {
    pub(crate) fn fault(&mut self, what: &'static str) {
        *self.faults.entry(what).or_default() += 1;
        self.trace(what.as_bytes());
    }

    pub(crate) fn meet(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
        self.trace(what.as_bytes());
    }

    pub(crate) fn delivered(&mut self, at: usize) {
        self.meet("delivered");
        if let Some((what, _)) = self.delivery.filter(|(_, except)| *except != Some(at)) {
            self.meet(what);
        }
    }

    pub(crate) fn problem(&mut self, kind: Kind, what: impl Into<String>) {
        let what = what.into();
        self.problems.push(Verdict { kind, what });
    }

    /// Adds to the trace: each hash covers all before it.
    pub(crate) fn trace(&mut self, bytes: &[u8]) {
        self.trace = subject("abeng-sim/trace", &[&self.trace.0, bytes].concat());
    }

    /// The hash over everything that happened, in order.
    pub(crate) fn traced(&self) -> Digest {
        self.trace
    }
}
