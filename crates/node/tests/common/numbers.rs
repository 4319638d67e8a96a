//! Numbers of a stream that nothing comes on.

use abeng_keys::SystemEntropy;
use abeng_node::Node;
use abeng_queue::{Input, PrivateInput, Terms, Ticket};
use abeng_roster::{NoticeFacts, Policy, Tlp};
use abeng_seal::{BoxCache, SealInput, seal};
use abeng_wire::{Mono, Now, PartyCode, StreamSeq, v1};
use bytes::Bytes;
use std::time::{SystemTime, UNIX_EPOCH};

async fn reserve(from: &Node, to: PartyCode, ticket: u64) -> Ticket {
    let (ticket, recipients) = (Ticket(ticket), vec![to]);
    let input = Input::Reserve { ticket, recipients };
    from.shared().core.give(input).await;
    ticket
}

/// A submission whose seal fails: its number holds nothing.
pub async fn fail(from: &Node, to: PartyCode, ticket: u64) {
    let ticket = reserve(from, to, ticket).await;
    from.shared().core.give(Input::SealFailed { ticket }).await;
}

/// A notice with number 1 that lives for a second only, which no officer could ask for.
pub async fn short_lived(from: &Node, to: PartyCode) {
    let ticket = reserve(from, to, 1).await;
    let shared = from.shared();
    let trust = shared.trust();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = Now {
        mono: Mono(0),
        wall: since.as_millis() as u64,
    };
    let facts = NoticeFacts {
        ty: "SEIZURE",
        tlp: Tlp::RED,
    };
    let cleared = Policy::clear(&trust, shared.me, &[to], &facts, now.wall).unwrap();
    let input = SealInput {
        trust: &trust,
        cleared: &cleared,
        org_sign: shared.keyring.org_sign().as_ref(),
        store: &shared.keyring.store,
        incarnation: shared.incarnation,
        created_at: now.wall,
        expires_at: now.wall + 1_000,
        precedence: v1::Precedence::Routine,
        positions: &[(to, StreamSeq::FIRST)],
        notice: &Bytes::from_static(b"{}"),
        attachments: &[],
        boxes: &mut BoxCache::new(),
        now,
    };
    let sealed = Box::new(seal(input, &mut SystemEntropy).unwrap());
    let private = PrivateInput {
        officer: "officer".into(),
        via: "test".into(),
        salt: [7; 32],
    };
    let input = Input::Sealed {
        ticket,
        sealed,
        private,
        cleared_under: trust.roster.version(),
        terms: Terms::default(),
    };
    shared.core.give(input).await;
}
