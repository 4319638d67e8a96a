//! Free effects of the engine: what needs no disk.

use crate::{core::Outlet, shared::Shared};
use abeng_queue::{Free, Input, Place, Proven};
use std::{sync::Arc, time::Duration};
use tokio::runtime::Handle;

/// Carries them out on the node's runtime.
pub struct Effects {
    /// The node.
    pub shared: Arc<Shared>,
    /// Where tasks run.
    pub runtime: Handle,
}

impl Outlet for Effects {
    fn free(&self, effect: Free) {
        let shared = self.shared.clone();
        match effect {
            Free::SealNow { ticket, positions } => shared.desk.reserved(ticket, positions),
            Free::ClearAgain {
                ticket,
                sealed,
                private,
                terms,
            } => {
                self.runtime
                    .spawn(shared.clear_again(ticket, sealed, private, terms));
            }
            Free::CheckAgain { from, opened } => {
                self.runtime.spawn(shared.check_again(from, opened));
            }
            Free::RefuseAgain { from, envelope, .. } => {
                self.runtime.spawn(shared.refuse_again(from, envelope));
            }
            Free::CarryAgain {
                from,
                recipient,
                verified,
            } => {
                self.runtime
                    .spawn(shared.carry_again(from, recipient, verified));
            }
            Free::ProveAgain(proven) => {
                self.runtime.spawn(shared.prove_again(proven));
            }
            Free::LookExpired { place } => {
                self.runtime.spawn(shared.look_expired(place));
            }
            Free::Want { peer, via, want } => match via {
                Some(relay) => shared.send_want_over(relay, &want),
                None => shared.send_want(peer, want),
            },
            Free::LookEnded {
                peer,
                via,
                first,
                last,
            } => {
                let range = (first, last);
                self.runtime.spawn(shared.answer_ended(peer, via, range));
            }
            Free::NeverGiven { peer, last, next } => {
                tracing::warn!(%peer, last, next, "the peer asks for numbers of its stream that this log never gave out; ignored without proof. Was an older copy of the data directory started?");
            }
            Free::TellFault {
                peer,
                envelope_id,
                recipient,
                kind,
            } => {
                let why = match recipient {
                    Some(_) => "as much is carried for its originator as is allowed",
                    None => "too far ahead of what came before",
                };
                shared.tell_fault_about(peer, (envelope_id, recipient), kind, &why);
            }
        }
    }
}

impl Shared {
    async fn look_expired(self: Arc<Self>, place: Place) {
        // What expires at once may not be durable yet; its batch is on the way.
        while self.reader.size() <= place.queued.0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let reader = self.reader.clone();
        let read = tokio::task::spawn_blocking(move || reader.read(place.queued)).await;
        match read {
            Ok(Ok(stored)) => {
                let leaf = Box::new(stored.record.leaf().message().clone());
                self.core.give(Input::Expire { place, leaf }).await;
            }
            Ok(Err(e)) => {
                tracing::error!(error = %e, leaf = %place.queued, "cannot read what has expired");
                self.fatal.stop(&e.to_string());
            }
            // The runtime is going down.
            Err(_) => {}
        }
    }

    async fn prove_again(self: Arc<Self>, mut proven: Box<Proven>) {
        proven.looked = self.view.position();
        proven.settled = self.settled_leaf(&proven).await;
        self.core.give(Input::ReceiptProven(proven)).await;
    }
}
