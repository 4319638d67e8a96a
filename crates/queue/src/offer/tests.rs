use super::*;
use crate::rows::SentTo;
use abeng_wire::{EnvelopeId, StreamSeq};

const OLD: Incarnation = Incarnation(5);
const NEW: Incarnation = Incarnation(6);

fn row(outcome: SentOutcome, seq: u64, mine: u64) -> SentRow {
    SentRow {
        envelope_id: EnvelopeId([1; 32]),
        created_at: 1,
        expires_at: 2,
        precedence: v1::Precedence::Routine,
        size: 9,
        keep_until: 0,
        recalls: None,
        incarnation: Incarnation(mine),
        anew_before: 0,
        relayed: Default::default(),
        recipients: vec![SentTo {
            party: PartyCode::new("NL").unwrap(),
            seq: StreamSeq::new(seq).unwrap(),
            queued: LeafIndex(4),
            outcome,
            read: None,
            anew: None,
            replaced: None,
        }],
    }
}

fn delivered(life: Incarnation) -> SentOutcome {
    SentOutcome::Delivered {
        taken: LeafIndex(7),
        at_peer: 3,
        life,
    }
}

#[test]
fn only_what_an_older_life_delivered_above_the_mark_is_due() {
    let nl = PartyCode::new("NL").unwrap();
    // Of our life 1 the peer has everything up to 10.
    let marks = BTreeMap::from([(1, 10)]);
    let newer = |party| NewerLife {
        party,
        life: NEW,
        marks: marks.clone(),
    };
    let due = |outcome, seq, mine| newer(nl).is_due(&row(outcome, seq, mine));
    assert!(due(delivered(OLD), 11, 1));
    assert!(!due(delivered(OLD), 10, 1), "the peer has it");
    assert!(
        due(delivered(OLD), 10, 2),
        "of another life nothing is known"
    );
    assert!(!due(delivered(NEW), 11, 1), "this life has delivered it");
    let leaf = LeafIndex(7);
    let reason = v1::Reason::NotGranted;
    for other in [
        SentOutcome::Queued,
        SentOutcome::Refused {
            taken: leaf,
            reason,
        },
        SentOutcome::Expired { leaf },
        SentOutcome::Voided { leaf },
        SentOutcome::Recalled {
            taken: leaf,
            at_peer: 3,
            delivered: None,
        },
    ] {
        assert!(!due(other, 11, 1), "{other:?}");
    }
    let lc = PartyCode::new("LC").unwrap();
    assert!(!newer(lc).is_due(&row(delivered(OLD), 11, 1)));
}
