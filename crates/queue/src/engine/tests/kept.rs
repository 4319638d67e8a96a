//! The rules about kept content one by one, with one engine and no network.

use super::{
    net::{Draft, Node, RECALL, party, private, recover, terms, world},
    rules::{at, folded, open_at_nl, place, proven, queued, seq},
};
use crate::{
    Checked, Engine, Free, Gated, Input, Plan, ScrubItem, TakenBack, Target, Ticket, View,
    rows::DueRow,
};
use abeng_audit_log::Record;
use abeng_seal::{Arrived, Opened};
use abeng_wire::{Digest, EnvelopeId, LeafIndex, v1};
use bytes::Bytes;

const TELL: Ticket = Ticket(9);

/// NL, and what it has written.
struct Nl {
    engine: Engine,
    jm: Node,
    log: Vec<Record>,
}

impl Nl {
    fn new() -> Self {
        Self {
            engine: recover(1, LeafIndex(0), &[]),
            jm: Node::new(0),
            log: Vec::new(),
        }
    }

    /// An envelope from JM, opened here.
    fn opened(&mut self, n: u64, notice: &[u8]) -> Opened {
        let draft = Draft {
            notice: Bytes::copy_from_slice(notice),
            precedence: v1::Precedence::Routine,
            life_ms: 86_400_000,
            fails: false,
        };
        let sealed = self.jm.seal(at(0), &[(party(1), seq(n))], &draft);
        open_at_nl(Arrived::parse(sealed.envelope()).unwrap())
    }

    fn recall(&mut self, n: u64, id: EnvelopeId) -> Opened {
        self.opened(n, &[RECALL, &id.0].concat())
    }

    fn arrive(&mut self, opened: Opened, target: Target, looked: u64) -> Plan {
        self.handle(Input::Opened {
            from: party(0),
            terms: terms(opened.notice()),
            opened: Box::new(opened),
            target,
            checked: Checked {
                looked: LeafIndex(looked),
                roster_version: world().trust.roster.version(),
            },
        })
    }

    fn handle(&mut self, input: Input) -> Plan {
        let plan = self.engine.handle(at(0), input);
        self.log.extend(plan.step.facts.iter().cloned());
        plan
    }

    /// Everything is durable and in the view.
    fn commit(&mut self) -> u64 {
        let position = LeafIndex(self.log.len() as u64);
        self.handle(Input::Durable { position });
        position.0
    }

    fn restart(&mut self) {
        let rows = folded(&self.log).scan(&[0], &[255], false, 999).unwrap();
        self.engine = recover(1, LeafIndex(self.log.len() as u64), &rows);
    }

    fn hold(&mut self, id: EnvelopeId, act: v1::HoldAct, looked: u64) -> Plan {
        let hold = v1::Hold {
            envelope_id: id.to_bytes(),
            act: act.into(),
            reason: "case 7".to_owned(),
        };
        self.handle(Input::Hold {
            hold: Box::new(hold),
            looked: LeafIndex(looked),
            private: private(),
            tell: TELL,
        })
    }

    fn begin(&mut self, id: EnvelopeId, record: u64, looked: u64) -> Plan {
        self.handle(Input::ScrubBegin {
            items: vec![ScrubItem {
                record: LeafIndex(record),
                envelope_id: id,
            }],
            why: v1::ScrubWhy::Recalled,
            looked: LeafIndex(looked),
            tell: TELL,
        })
    }
}

fn here() -> Target {
    Target::Delivered {
        originator: party(0),
        recalled: None,
    }
}

/// Kind and reason of every leaf of a plan.
fn leaves(plan: &Plan) -> Vec<(v1::LeafKind, v1::Reason)> {
    let of = |record: &Record| {
        let leaf = record.leaf().message();
        (leaf.kind(), leaf.reason())
    };
    plan.step.facts.iter().map(of).collect()
}

fn is_delivered(plan: &Plan) -> bool {
    leaves(plan)
        .iter()
        .any(|(k, _)| *k == v1::LeafKind::Delivered)
}

fn refused(plan: &Plan) -> v1::Reason {
    let [(v1::LeafKind::Refused, reason)] = leaves(plan)[..] else {
        panic!("{:?}", leaves(plan));
    };
    assert!(plan.step.facts[0].body_bytes().is_none(), "no body is kept");
    reason
}

fn failed(plan: &Plan) -> bool {
    plan.step.facts.is_empty() && plan.step.gated == [Gated::Failed { ticket: TELL }]
}

#[test]
fn a_recall_is_proved_after_the_scrub_and_once() {
    let mut nl = Nl::new();
    let notice = nl.opened(1, b"a notice");
    let id = notice.id();
    assert!(is_delivered(&nl.arrive(notice, Target::Unknown, 0)));
    let looked = nl.commit();
    let recall = nl.recall(2, id);
    let plan = nl.arrive(recall, here(), looked);
    assert!(is_delivered(&plan));
    let receipts = plan
        .step
        .gated
        .iter()
        .filter(|g| matches!(g, Gated::Receipt { .. }));
    assert_eq!(receipts.count(), 1, "nothing is proved before it is done");
    let looked = nl.commit();

    let plan = nl.begin(id, 0, looked);
    assert_eq!(
        leaves(&plan),
        [(v1::LeafKind::ScrubBegun, v1::Reason::Unspecified)]
    );
    assert!(failed(&nl.begin(id, 0, looked)), "once");
    let looked = nl.commit();
    let back = TakenBack {
        envelope_id: id,
        originator: party(0),
        seq_commit: Digest([3; 32]),
    };
    let scrub = match nl.log[looked as usize - 1].proof().unwrap().unwrap().of {
        Some(v1::proof_part::Of::Scrub(scrub)) => scrub,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (&scrub.indexes[..], &scrub.envelope_id[..]),
        (&[0][..], &id.0[..])
    );
    let done = |scrubs| Input::ScrubDone {
        scrubs,
        taken_back: vec![back],
        looked: LeafIndex(looked),
        tell: TELL,
    };
    let plan = nl.handle(done(vec![scrub]));
    let recalled = v1::Reason::RecalledByOriginator;
    assert_eq!(
        leaves(&plan),
        [
            (v1::LeafKind::Scrubbed, v1::Reason::Unspecified),
            (v1::LeafKind::Recalled, recalled)
        ]
    );
    let (peer, outcome) = (party(0), LeafIndex(looked + 1));
    assert!(plan.step.gated.contains(&Gated::Receipt { peer, outcome }));
    assert!(failed(&nl.handle(done(Vec::new()))), "taken back once");

    // Asked once more: the receipt of the recall, and again that of what it had done.
    let looked = nl.commit();
    nl.restart();
    let again = nl.recall(3, id);
    let target = Target::Delivered {
        originator: party(0),
        recalled: Some(outcome),
    };
    let plan = nl.arrive(again, target, looked);
    assert!(plan.step.gated.contains(&Gated::Receipt { peer, outcome }));
}

#[test]
fn what_is_recalled_before_it_comes_is_refused_also_after_a_restart() {
    for restart in [false, true] {
        let mut nl = Nl::new();
        let notice = nl.opened(1, b"a notice");
        let id = notice.id();
        let recall = nl.recall(2, id);
        let arrived: &Arrived = notice.verified();
        let copy = open_at_nl(arrived.clone());
        assert!(is_delivered(&nl.arrive(recall, Target::Unknown, 0)));
        let looked = nl.commit();
        if restart {
            nl.restart();
        }
        let plan = nl.arrive(notice, Target::Unknown, looked);
        assert_eq!(refused(&plan), v1::Reason::RecalledByOriginator);
        // The same copy again has the same answer, and another notice is none of it.
        let plan = nl.arrive(copy, Target::Unknown, looked);
        assert!(plan.step.facts.is_empty() && plan.step.gated.len() == 1);
        let other = nl.opened(3, b"another");
        assert!(is_delivered(&nl.arrive(other, Target::Unknown, looked)));
        assert!(
            folded(&nl.log)
                .scan(b"W", b"X", false, 9)
                .unwrap()
                .is_empty()
        );
    }
}

#[test]
fn a_recall_that_overtakes_the_disk_is_judged_by_what_was_just_delivered() {
    let mut nl = Nl::new();
    let notice = nl.opened(1, b"a notice");
    let id = notice.id();
    nl.arrive(notice, Target::Unknown, 0);
    // Nothing is durable yet, so the look-up finds nothing.
    let first = nl.recall(2, id);
    let recall = first.id();
    assert!(is_delivered(&nl.arrive(first, Target::Unknown, 0)));
    let asked = folded(&nl.log).scan(b"P", b"Q", false, 9).unwrap();
    assert_eq!(asked.len(), 1, "and it is to be scrubbed");
    // A recall of that recall.
    let second = nl.recall(3, recall);
    let plan = nl.arrive(second, Target::Unknown, 0);
    assert_eq!(refused(&plan), v1::Reason::BadNotice);
}

#[test]
fn an_old_look_up_is_asked_again() {
    let mut nl = Nl::new();
    for n in 1..9 {
        let notice = nl.opened(n, &[n as u8]);
        let looked = nl.log.len() as u64;
        nl.arrive(notice, Target::Unknown, looked);
        nl.commit();
    }
    let recall = nl.recall(9, EnvelopeId([7; 32]));
    let plan = nl.arrive(recall, Target::Unknown, 1);
    assert!(
        matches!(plan.free[..], [Free::CheckAgain { .. }]),
        "{plan:?}"
    );
    assert!(plan.step.facts.is_empty());
}

#[test]
fn only_the_originator_takes_back_and_only_what_was_sent_to_others() {
    let foreign = party(2);
    for target in [
        Target::NotRecallable,
        Target::Closed {
            originator: foreign,
        },
        Target::Delivered {
            originator: foreign,
            recalled: None,
        },
    ] {
        let mut nl = Nl::new();
        let recall = nl.recall(1, EnvelopeId([7; 32]));
        let plan = nl.arrive(recall, target, 0);
        assert_eq!(refused(&plan), v1::Reason::BadNotice, "{target:?}");
        assert!(
            folded(&nl.log)
                .scan(b"P", b"Q", false, 9)
                .unwrap()
                .is_empty()
        );
    }
    let mut nl = Nl::new();
    let recall = nl.recall(1, EnvelopeId([7; 32]));
    let closed = Target::Closed {
        originator: party(0),
    };
    assert!(is_delivered(&nl.arrive(recall, closed, 0)));
}

#[test]
fn what_is_held_is_neither_recalled_nor_scrubbed() {
    let mut nl = Nl::new();
    let notice = nl.opened(1, b"a notice");
    let id = notice.id();
    nl.arrive(notice, Target::Unknown, 0);
    let looked = nl.commit();
    let placed = nl.hold(id, v1::HoldAct::HoldPlaced, looked);
    assert_eq!(
        leaves(&placed),
        [(v1::LeafKind::Admin, v1::Reason::Unspecified)]
    );
    assert!(
        failed(&nl.hold(id, v1::HoldAct::HoldPlaced, looked + 1)),
        "once"
    );
    // In flight, durable, and after a restart.
    for n in 2..5 {
        let recall = nl.recall(n, id);
        let at = nl.log.len() as u64;
        let plan = nl.arrive(recall, here(), at);
        assert_eq!(refused(&plan), v1::Reason::Hold);
        assert!(failed(&nl.begin(id, 0, at)));
        nl.commit();
        if n == 3 {
            nl.restart();
        }
    }
    let looked = nl.commit();
    nl.hold(id, v1::HoldAct::HoldLifted, looked);
    assert!(
        failed(&nl.hold(id, v1::HoldAct::HoldLifted, looked + 1)),
        "once"
    );
    let looked = nl.commit();
    let recall = nl.recall(5, id);
    assert!(is_delivered(&nl.arrive(recall, here(), looked)));
    let looked = nl.commit();
    assert!(!failed(&nl.begin(id, 0, looked)));
}

#[test]
fn what_was_done_since_the_look_up_stops_a_scrub() {
    let mut nl = Nl::new();
    let notice = nl.opened(1, b"a notice");
    let id = notice.id();
    nl.arrive(notice, Target::Unknown, 0);
    let looked = nl.commit();
    let retention = v1::Retention {
        envelope_id: id.to_bytes(),
        keep_until: u64::MAX,
        reason: "trial".to_owned(),
    };
    let plan = nl.handle(Input::Extend {
        retention: Box::new(retention),
        looked: LeafIndex(looked),
        private: private(),
        tell: TELL,
    });
    assert_eq!(
        leaves(&plan),
        [(v1::LeafKind::Admin, v1::Reason::Unspecified)]
    );
    assert!(
        failed(&nl.begin(id, 0, looked)),
        "looked before it was kept longer"
    );
    // And the other way round: a hold that comes too late says so.
    let looked = nl.commit();
    assert!(!failed(&nl.begin(id, 0, looked)));
    assert!(failed(&nl.hold(id, v1::HoldAct::HoldPlaced, looked)));
}

#[test]
fn many_records_are_named_in_portions_that_fit_the_view() {
    let mut nl = Nl::new();
    let items = (0..100u64).map(|n| ScrubItem {
        record: LeafIndex(99 - n),
        envelope_id: EnvelopeId([n as u8 + 1; 32]),
    });
    let plan = nl.handle(Input::ScrubBegin {
        items: items.collect(),
        why: v1::ScrubWhy::KeepUntil,
        looked: LeafIndex(0),
        tell: TELL,
    });
    let mut named = Vec::new();
    for record in &plan.step.facts {
        let Some(v1::proof_part::Of::Scrub(scrub)) = record.proof().unwrap().unwrap().of else {
            panic!("a scrub");
        };
        assert!(scrub.indexes.len() <= super::super::kept::SCRUB_AT_ONCE);
        assert!(scrub.envelope_id.is_empty());
        named.extend(scrub.indexes);
    }
    assert_eq!(named, (0..100).collect::<Vec<u64>>());
}

/// When what is kept falls due, by the rows.
fn due(nl: &Nl) -> Vec<(u64, u64)> {
    let rows = folded(&nl.log).scan(b"K", b"L", false, 9).unwrap();
    let one = |(key, _): (Vec<u8>, Vec<u8>)| {
        let (due, record) = DueRow::parse_key(&key).unwrap();
        (due, record.0)
    };
    rows.into_iter().map(one).collect()
}

#[test]
fn what_falls_due_is_one_row_that_holds_later_dates_and_scrubs_move() {
    let mut nl = Nl::new();
    let notice = nl.opened(1, b"a notice");
    let (id, kept) = (notice.id(), terms(b"").keep_until);
    nl.arrive(notice, Target::Unknown, 0);
    assert_eq!(due(&nl), [(kept, 0)]);
    let looked = nl.commit();
    nl.hold(id, v1::HoldAct::HoldPlaced, looked);
    assert_eq!(due(&nl), [], "held");
    let extend = |nl: &mut Nl, keep_until| {
        let retention = Box::new(v1::Retention {
            envelope_id: id.to_bytes(),
            keep_until,
            reason: "trial".to_owned(),
        });
        let looked = LeafIndex(nl.commit());
        nl.handle(Input::Extend {
            retention,
            looked,
            private: private(),
            tell: TELL,
        });
    };
    extend(&mut nl, kept + 5);
    assert_eq!(due(&nl), [], "held, whatever the date");
    let looked = nl.commit();
    nl.hold(id, v1::HoldAct::HoldLifted, looked);
    assert_eq!(due(&nl), [(kept + 5, 0)]);
    extend(&mut nl, kept + 9);
    assert_eq!(due(&nl), [(kept + 9, 0)]);
    let looked = nl.commit();
    nl.begin(id, 0, looked);
    assert_eq!(due(&nl), [], "begun");
    let begun = folded(&nl.log).scan(b"Z", b"[", false, 9).unwrap();
    assert_eq!(begun.len(), 1);
}

#[test]
fn a_proof_of_deletion_is_taken_once_and_covers_the_delivery() {
    let recalled = |looked, settled| {
        let Input::ReceiptProven(mut proven) = proven(place(1, v1::Precedence::Routine), looked)
        else {
            unreachable!("a receipt");
        };
        proven.kind = v1::LeafKind::Recalled;
        proven.settled = settled;
        Input::ReceiptProven(proven)
    };
    let took = |plan: &Plan| plan.step.facts.len();
    let mut engine = queued(&[v1::Precedence::Routine]);
    let plan = engine.handle(at(0), recalled(0, None));
    assert!(matches!(plan.free[..], [Free::ProveAgain(_)]), "look first");
    // The proof of the delivery was lost, and is not needed any more.
    assert_eq!(took(&engine.handle(at(0), recalled(2, None))), 1);
    assert_eq!(engine.depth(), 0);
    assert_eq!(
        took(&engine.handle(at(0), recalled(2, None))),
        0,
        "in flight"
    );
    assert_eq!(
        took(&engine.handle(at(0), recalled(9, Some(LeafIndex(2))))),
        0
    );
    let delivered = proven(place(1, v1::Precedence::Routine), 2);
    assert_eq!(took(&engine.handle(at(0), delivered)), 0);
}
