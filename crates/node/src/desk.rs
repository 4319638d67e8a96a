//! Submissions and notes between their request and their answer.

use crate::recent::SentEnvelope;
use abeng_queue::Ticket;
use abeng_wire::{EnvelopeId, LeafIndex, PartyCode, StreamSeq};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::oneshot;

/// How a submission or a note ended, durably.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The envelope is journalled.
    Submitted {
        /// Its id.
        id: EnvelopeId,
        /// Its Submitted leaf.
        leaf: LeafIndex,
    },
    /// Its numbers are voided.
    Failed,
    /// The note is journalled.
    Noted {
        /// Its leaf.
        leaf: LeafIndex,
    },
}

/// The numbers of a submission.
pub type Positions = Vec<(PartyCode, StreamSeq)>;

#[derive(Default)]
struct Waiting {
    positions: Option<oneshot::Sender<Positions>>,
    ended: Option<oneshot::Sender<Ended>>,
    sent: Option<Arc<SentEnvelope>>,
}

/// Everybody who waits.
#[derive(Default)]
pub struct Desk {
    last: AtomicU64,
    // Looked up by ticket only, never iterated.
    waiting: Mutex<HashMap<Ticket, Waiting>>,
}

/// One place at the desk.
pub struct Place {
    /// Names it to the engine.
    pub ticket: Ticket,
    /// Its numbers, once reserved.
    pub positions: oneshot::Receiver<Positions>,
    /// Its end.
    pub ended: oneshot::Receiver<Ended>,
}

impl Desk {
    /// A new ticket, above all before it. For submissions the tickets must reach the engine in
    /// their order, so take one only under the lock that also gives it.
    pub fn open(&self) -> Place {
        let ticket = Ticket(self.last.fetch_add(1, Ordering::Relaxed) + 1);
        let (positions_tx, positions) = oneshot::channel();
        let (ended_tx, ended) = oneshot::channel();
        let waiting = Waiting {
            positions: Some(positions_tx),
            ended: Some(ended_tx),
            sent: None,
        };
        self.lock().insert(ticket, waiting);
        Place {
            ticket,
            positions,
            ended,
        }
    }

    /// Nobody waits any more.
    pub fn leave(&self, ticket: Ticket) {
        self.lock().remove(&ticket);
    }

    /// The engine has reserved numbers.
    pub fn reserved(&self, ticket: Ticket, positions: Positions) {
        let sender = self
            .lock()
            .get_mut(&ticket)
            .and_then(|w| w.positions.take());
        if let Some(sender) = sender {
            // A receiver that is gone seals nothing; its guard voids the numbers.
            let _ = sender.send(positions);
        }
    }

    /// Keeps the envelope until it is durable.
    pub fn attach(&self, ticket: Ticket, sent: Arc<SentEnvelope>) {
        if let Some(waiting) = self.lock().get_mut(&ticket) {
            waiting.sent = Some(sent);
        }
    }

    /// The envelope of a submission that is durable now.
    pub fn take_sent(&self, ticket: Ticket) -> Option<Arc<SentEnvelope>> {
        self.lock().get_mut(&ticket).and_then(|w| w.sent.take())
    }

    /// Answers and forgets.
    pub fn end(&self, ticket: Ticket, how: Ended) {
        let waiting = self.lock().remove(&ticket);
        if let Some(sender) = waiting.and_then(|w| w.ended) {
            // Whoever asked may have gone; the log stands.
            let _ = sender.send(how);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Ticket, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_ticket_gets_its_own_answer_once() {
        let desk = Desk::default();
        let (a, b) = (desk.open(), desk.open());
        assert!(a.ticket < b.ticket);
        desk.end(b.ticket, Ended::Failed);
        desk.end(b.ticket, Ended::Noted { leaf: LeafIndex(1) });
        desk.reserved(a.ticket, Vec::new());
        assert_eq!(b.ended.await, Ok(Ended::Failed));
        assert_eq!(a.positions.await, Ok(Vec::new()));
        drop(a.ended);
        desk.end(a.ticket, Ended::Failed);
        assert!(desk.lock().is_empty());
    }
}
