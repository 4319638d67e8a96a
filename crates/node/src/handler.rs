//! What a link tells this node.

use crate::{
    clock,
    metrics::Peer,
    past::CONTRADICTED,
    shared::{Shared, lock},
};
use abeng_link::{AttachmentReceiver, Closed, Greeting, Handler, Link, PeerFault, Profile};
use abeng_queue::Input;
use abeng_wire::{EnvelopeId, Incarnation, LeafHash, PartyCode, v1};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::mpsc;

/// The node, as its links see it.
pub struct NodeHandler {
    /// The node.
    pub shared: Arc<Shared>,
    /// Links that came and went, in that order: see [`NodeHandler::new`].
    turns: mpsc::UnboundedSender<Turn>,
}

/// A link came up or went down.
enum Turn {
    Up(Link, v1::Ready),
    Down(PartyCode, u64),
}

impl NodeHandler {
    /// The handler, and the task that tells the engine of links strictly in the order in which
    /// they came and went: a newer session must never be undone by the word of an older one.
    pub fn new(shared: Arc<Shared>) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (turns, mut queue) = mpsc::unbounded_channel();
        let told = shared.clone();
        let task = async move {
            while let Some(turn) = queue.recv().await {
                match turn {
                    Turn::Up(link, ready) => {
                        let (peer, session) = (link.peer(), link.session());
                        told.meet_note(peer, &link.hello().checkpoint).await;
                        told.remember_newest(peer);
                        if told.outlived(&link) {
                            told.refuse_outlived(link);
                            continue;
                        }
                        let (envelopes, bytes) = (ready.credit, ready.credit_bytes);
                        told.core
                            .give(Input::LinkUp {
                                peer,
                                session,
                                envelopes,
                                bytes,
                            })
                            .await;
                        told.reaching.changed();
                        told.tell_trust_marks(&link);
                        told.offer_again(&link);
                        told.report_to(peer).await;
                        told.tell_again(peer).await;
                        told.watch_up(&link).await;
                    }
                    Turn::Down(peer, session) => {
                        told.core.give(Input::LinkDown { peer, session }).await;
                        told.reaching.changed();
                    }
                }
            }
        };
        (Self { shared, turns }, task)
    }
}

#[async_trait]
impl Handler for NodeHandler {
    fn greeting(&self, peer: PartyCode) -> Greeting {
        let shared = &self.shared;
        let held = lock(&shared.logs)
            .newest_held(peer)
            .map(|(origin, held)| v1::CheckpointRef {
                incarnation: origin.incarnation.0,
                size: held.checkpoint.size(),
                root: held.checkpoint.root().to_bytes(),
            });
        // What was recovered or signed last; nothing newer is signed before the peer has
        // answered with what it holds.
        let signed = lock(&shared.signed).clone();
        let checkpoint = signed.or_else(|| {
            let shows = shared.shows_its_log();
            shows.then(|| shared.checkpoint_at(shared.reader.size()).ok())?
        });
        Greeting {
            incarnation: shared.incarnation.0,
            roster: shared.trust().roster.reference(),
            checkpoint: checkpoint.map(|c| c.note().clone()).unwrap_or_default(),
            marks: shared.marks_for(peer),
            held,
            held_note: lock(&shared.logs)
                .newest(peer)
                .map(|newest| newest.note().clone())
                .unwrap_or_default(),
        }
    }

    fn admits(&self, peer: PartyCode, hello: &v1::Hello) -> bool {
        let shared = &self.shared;
        !shared.quarantined(peer) && !shared.is_over(peer, Incarnation(hello.incarnation))
    }

    fn refused(&self, link: &Link) -> &'static str {
        let (shared, peer) = (&self.shared, link.peer());
        if shared.quarantined(peer) {
            tracing::warn!(%peer, "a link is refused: the peer's log contradicts itself, and nobody has decided to go on with it");
            return shared.show_contradictions(link);
        }
        shared.show_newer(link)
    }

    fn up(&self, link: Link, hello: v1::Hello, ready: v1::Ready) {
        let (shared, peer) = (&self.shared, link.peer());
        shared.greeted(peer, &hello.held_note);
        let holds = shared.what_peer_holds(peer, &hello);
        shared.links.up(link.clone(), holds, clock::wall());
        if shared.profile(peer) == Profile::Metered {
            shared.metered.up(&link, clock::mono());
        }
        shared
            .metrics
            .linked
            .get_or_create(&Peer {
                peer: peer.to_string(),
            })
            .set(1);
        tracing::debug!(%peer, session = link.session(), "told of the link");
        shared.attachments.look();
        // Fails only when the node has stopped.
        let _ = self.turns.send(Turn::Up(link, ready));
    }

    async fn envelope(&self, link: &Link, _precedence: v1::Precedence, frame: Bytes) {
        // A link that was refused is closing; its copies stay with the peer.
        if self.shared.quarantined(link.peer()) || self.shared.outlived(link) {
            return;
        }
        self.shared.arrive(link, frame).await;
    }

    async fn control(&self, link: &Link, frame: v1::control::Frame) {
        use v1::control::Frame;
        let (shared, peer) = (&self.shared, link.peer());
        // Of a life that is over only what it is to be told matters.
        if shared.quarantined(peer) || shared.outlived(link) {
            return;
        }
        match frame {
            Frame::Receipts(receipts) => shared.take_receipts(link, receipts).await,
            Frame::Credit(credit) => {
                let (envelopes, bytes) = (credit.envelopes, credit.bytes);
                let session = link.session();
                let credit = Input::Credit {
                    peer,
                    session,
                    envelopes,
                    bytes,
                };
                shared.core.give_from(peer, credit).await;
            }
            Frame::Fault(fault) => shared.take_fault(peer, fault).await,
            Frame::Status(status) => {
                shared.meet_note(peer, &status.checkpoint).await;
                shared.take_status(peer, status);
            }
            Frame::Checkpoint(frame) => shared.take_checkpoint(link, frame).await,
            Frame::Cosignature(answer) => shared.take_cosignature(link, answer).await,
            Frame::ProofWanted(wanted) => {
                if let Err(e) = shared.answer_proof(link, &wanted) {
                    tracing::error!(error = %e, "the log cannot be explained to a peer");
                }
            }
            Frame::Claim(claim) => shared.take_claim(peer, claim).await,
            Frame::Reach(reach) => shared.take_reach(link, reach).await,
            Frame::CarriedReceipts(carried) => shared.take_carried_receipts(link, carried).await,
            Frame::Want(want) => shared.take_want(peer, None, want).await,
            Frame::Void(signed) => shared.take_void(peer, signed).await,
            Frame::CarriedWant(signed) => shared.take_carried_want(link, signed).await,
            Frame::CarriedVoid(signed) => shared.take_carried_void(link, signed).await,
            Frame::AttachmentWant(want) => shared.take_attachment_want(link, want).await,
            Frame::AttachmentRefused(refused) => shared.take_attachment_refused(link, &refused),
            Frame::TrustMarks(marks) => shared.take_trust_marks(link, &marks),
            // Kept inside the link.
            Frame::Hello(_)
            | Frame::Ready(_)
            | Frame::Ping(_)
            | Frame::Pong(_)
            | Frame::Trust(_)
            | Frame::Roster(_) => {}
        }
    }

    async fn attachment(&self, link: &Link, stream: AttachmentReceiver) -> Result<(), PeerFault> {
        if self.shared.quarantined(link.peer()) {
            return Ok(());
        }
        self.shared.take_attachment(link, stream).await
    }

    fn down(&self, peer: PartyCode, session: u64, why: &Closed) {
        let shared = &self.shared;
        shared.attachments.link_down(session);
        if matches!(why, Closed::ByPeer { reason, .. } if reason.ends_with(CONTRADICTED)) {
            // Its word alone: it stops nothing here, and its operator should know of it.
            if lock(&shared.accused_by).insert(peer) {
                tracing::error!(%peer, "this peer closes its links: it says that it holds proof that the log of this node contradicts itself. Was an older copy of the data directory started somewhere?");
            }
        }
        if let Some(link) = shared.links.session(peer, session) {
            shared.rates.forget(&link);
            if shared.profile(peer) == Profile::Metered {
                shared.metered.forget(&link, clock::now());
            }
        }
        if shared.links.down(peer, session, clock::wall()) {
            shared
                .metrics
                .linked
                .get_or_create(&Peer {
                    peer: peer.to_string(),
                })
                .set(0);
            tracing::debug!(%peer, session, %why, "told that the link is down");
        }
        let _ = self.turns.send(Turn::Down(peer, session));
    }

    fn wall(&self) -> abeng_wire::Millis {
        clock::wall()
    }

    fn may_dial(&self, peer: PartyCode) -> bool {
        let shared = &self.shared;
        shared.profile(peer) != Profile::Metered || shared.metered.may_dial(peer, clock::now())
    }

    fn trust_bundle(&self) -> v1::TrustBundle {
        self.shared.trust().to_bundle()
    }

    fn take_trust(&self, bundle: v1::TrustBundle) {
        self.shared.merge_trust(&bundle);
    }
}

impl Shared {
    /// The size of our log that a peer says it holds. Its word alone changes nothing else: only
    /// a checkpoint signed by our own key would.
    fn what_peer_holds(&self, peer: PartyCode, hello: &v1::Hello) -> u64 {
        let Some(held) = hello
            .held
            .as_ref()
            .filter(|h| h.incarnation == self.incarnation.0)
        else {
            return 0;
        };
        let root = LeafHash::from_slice(&held.root);
        let same = held.size <= self.reader.size()
            && held.size > 0
            && self.reader.root_at(held.size).ok() == root;
        if !same {
            tracing::warn!(%peer, size = held.size, "the peer speaks of a checkpoint that this log does not have; ignored without proof");
            return 0;
        }
        held.size
    }

    async fn take_fault(self: &Arc<Self>, from: PartyCode, fault: v1::Fault) {
        let kind = fault.kind();
        let id = EnvelopeId::from_slice(&fault.envelope_id);
        let found = match id {
            Some(id) => self.find_sent(&id).await,
            None => None,
        };
        let recipient = PartyCode::new(&fault.recipient).unwrap_or(from);
        let envelope = match (found, id) {
            (Some((leaf, sent)), _) => sent.place(leaf, recipient).map(|(place, _)| place),
            // Of what is carried for others only its recipient has a copy.
            (None, Some(id)) if recipient == from => self.carried_place(&id, from).await,
            _ => None,
        };
        tracing::warn!(peer = %from, envelope = ?id, kind = kind.as_str_name(), "the peer dropped a copy; it will be sent again");
        let fault = Input::Fault {
            from,
            envelope,
            kind,
        };
        self.core.give_from(from, fault).await;
    }
}
