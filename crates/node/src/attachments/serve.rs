//! Bringing attachments to those who were sent the notice: below all envelopes, two at a time, one
//! piece of each in memory.

use super::{Store, carried::CarriedFile, faults::OwnFault, named};
use crate::{
    metered::Way,
    reading::internal,
    relaying::is_relay,
    shared::{Shared, lock},
};
use abeng_api::ApiError;
use abeng_link::Link;
use abeng_queue::rows::{IdRow, SentRow};
use abeng_seal::AttachmentRef;
use abeng_wire::{EnvelopeId, Hash32, PartyCode, limits, v1};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// How long a relay's word that it carries an envelope may come behind its want of a file.
const PROVES_SOON: Duration = Duration::from_secs(10);
/// How often it is looked for.
const LOOKS_AGAIN: Duration = Duration::from_millis(100);
/// How often it is looked whether the day has bytes again.
const LOOK: Duration = Duration::from_secs(1);

/// What is brought on one link.
pub struct Serving {
    wanted: BTreeMap<Hash32, Wanted>,
    turns: Arc<Semaphore>,
}

/// A file that waits for its turn or is brought.
#[derive(Debug, Default)]
struct Wanted {
    /// From this piece on.
    first: u64,
    /// The peer has what its stream brought and asks on, before this side knows that it has it.
    next: Option<v1::AttachmentWant>,
}

impl Serving {
    /// So many at a time.
    fn new(at_a_time: usize) -> Self {
        Self {
            wanted: BTreeMap::new(),
            turns: Arc::new(Semaphore::new(at_a_time)),
        }
    }

    /// The link is gone: who waits for a turn need not.
    pub fn close(&self) {
        self.turns.close();
    }
}

impl Shared {
    /// A recipient asks for an attachment.
    pub async fn take_attachment_want(self: &Arc<Self>, link: &Link, want: v1::AttachmentWant) {
        let refuse = |why: v1::AttachmentRefusal| {
            let refused = v1::AttachmentRefused {
                root: want.root.clone(),
                why: why.into(),
            };
            link.control(v1::control::Frame::AttachmentRefused(refused));
        };
        let wire = v1::AttachmentRef {
            root: want.root.clone(),
            length: want.length,
        };
        let of = AttachmentRef::from_wire(&wire);
        let Some(of) = of.filter(|of| want.first_piece < of.pieces()) else {
            return refuse(v1::AttachmentRefusal::AttachmentUnknown);
        };
        let turns = match self.waits(link, &of.root, &want) {
            Waits::Turn(turns) => turns,
            Waits::Already => return,
            Waits::TooMany => return refuse(v1::AttachmentRefusal::AttachmentBusy),
        };
        let (shared, link) = (self.clone(), link.clone());
        tokio::spawn(async move {
            let served = shared.serve(&link, of, &want, turns).await;
            // What was wanted meanwhile gets an answer of its own: with a refusal of what was
            // wanted before, the peer would take it for refused.
            if let Some(next) = shared.waits_no_more(&link, &of.root) {
                return shared.go_on(link, next).await;
            }
            if let Err(why) = served {
                tracing::warn!(peer = %link.peer(), why = why.as_str_name(), "an attachment is not served");
                let root = want.root.clone();
                let why = why.into();
                let refused = v1::AttachmentRefused { root, why };
                link.control(v1::control::Frame::AttachmentRefused(refused));
            }
        });
    }

    /// Where a peer may have a file from.
    async fn source(
        self: &Arc<Self>,
        peer: PartyCode,
        envelope: &Bytes,
        of: AttachmentRef,
    ) -> Result<Source, NotServed> {
        let mut sent = self.was_sent(peer, envelope, of).await?;
        let end = Instant::now() + PROVES_SOON;
        while sent == Sent::NotYet && Instant::now() < end {
            tokio::time::sleep(LOOKS_AGAIN).await;
            sent = self.was_sent(peer, envelope, of).await?;
        }
        match sent {
            Sent::Yes => return self.own_source(of).await,
            Sent::NotYet => return Err(NotServed::Busy),
            Sent::No => {}
        }
        let id = EnvelopeId::from_slice(envelope).ok_or(NotServed::Unknown)?;
        let carried = self.carries_file(peer, id, of).await?;
        carried.map(Source::Carried).ok_or(NotServed::Unknown)
    }

    /// Of what was sent from here: whether it is there.
    async fn own_source(&self, of: AttachmentRef) -> Result<Source, NotServed> {
        match self.own_fault(of) {
            None => Ok(Source::Own),
            Some(OwnFault::Damaged) => Err(NotServed::Damaged),
            Some(OwnFault::Gone) => {
                self.look_for_gone_one(&of.root).await?;
                Err(NotServed::Gone)
            }
        }
    }

    /// Brings it in its turn and within the day's bytes, or says why not.
    async fn serve(
        self: &Arc<Self>,
        link: &Link,
        of: AttachmentRef,
        want: &v1::AttachmentWant,
        turns: Arc<Semaphore>,
    ) -> Result<(), v1::AttachmentRefusal> {
        let source = self.source(link.peer(), &want.envelope_id, of).await?;
        let store = match source {
            Source::Own => Store::Own,
            Source::Carried(file) => match self.carried_comes(&file).await {
                true => Store::Carried,
                false => return Err(v1::AttachmentRefusal::AttachmentBusy),
            },
        };
        let Some(_turn) = self.turn(link, of, turns).await else {
            return Ok(());
        };
        if !self.has_bytes(link, of, want.first_piece).await {
            return Ok(());
        }
        // Until its turn came, and the day's bytes, it may have made room for another.
        let here = store == Store::Own || self.attachments.carried.blobs.has(of);
        let brought = match here {
            true => self.bring(link, (of, store), want).await,
            false => Ok(()),
        };
        self.went(link, Way::Out);
        match brought {
            Ok(()) if here => Ok(()),
            Ok(()) => Err(v1::AttachmentRefusal::AttachmentBusy),
            Err(why) => {
                tracing::error!(peer = %link.peer(), %why, "an attachment cannot be served");
                Err(self.not_brought((of, store), &want.envelope_id, &why))
            }
        }
    }

    /// Waits for a turn, which may take as long as another file waits for the day's bytes. The peer
    /// is told that: an ask without an answer it would forget. `None` where the link has gone.
    async fn turn(
        &self,
        link: &Link,
        of: AttachmentRef,
        turns: Arc<Semaphore>,
    ) -> Option<OwnedSemaphorePermit> {
        // Closed where the link is gone.
        let mut turn = pin!(turns.acquire_owned());
        let mut told = false;
        loop {
            if let Ok(turn) = tokio::time::timeout(LOOK, &mut turn).await {
                return turn.ok();
            }
            if !told && self.has_budget(link.peer()) && self.attachments.held_back.any() {
                told = true;
                put_off(link, of);
            }
        }
    }

    /// Takes a want that came while its file was being brought.
    fn go_on(
        self: Arc<Self>,
        link: Link,
        want: v1::AttachmentWant,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { self.take_attachment_want(&link, want).await })
    }

    fn waits(&self, link: &Link, root: &Hash32, want: &v1::AttachmentWant) -> Waits {
        // A link that has gone meanwhile must not leave an entry behind.
        if self.links.session(link.peer(), link.session()).is_none() {
            return Waits::Already;
        }
        let mut serving = lock(&self.attachments.serving);
        let most = self.files_at_a_time(link.peer());
        let serving = serving.entry(link.session());
        let serving = serving.or_insert_with(|| Serving::new(most));
        if let Some(wanted) = serving.wanted.get_mut(root) {
            // The same once more is no news.
            if want.first_piece > wanted.first {
                wanted.next = Some(want.clone());
            }
            Waits::Already
        } else if serving.wanted.len() >= limits::ATTACHMENT_WANTS {
            Waits::TooMany
        } else {
            let wanted = Wanted {
                first: want.first_piece,
                next: None,
            };
            serving.wanted.insert(*root, wanted);
            Waits::Turn(serving.turns.clone())
        }
    }

    /// Gives what was wanted next.
    fn waits_no_more(&self, link: &Link, root: &Hash32) -> Option<v1::AttachmentWant> {
        let mut serving = lock(&self.attachments.serving);
        let wanted = serving.get_mut(&link.session())?.wanted.remove(root)?;
        wanted.next
    }

    /// Waits until the day has room for the first piece that is wanted, which the peer is told.
    /// False where the link has gone meanwhile.
    async fn has_bytes(&self, link: &Link, of: AttachmentRef, first: u64) -> bool {
        if self.may_go(link, Way::Out, of, first) {
            return true;
        }
        let root = abeng_wire::LeafHash(of.root);
        tracing::warn!(peer = %link.peer(), %root, "an attachment waits for the day's bytes on metered paths");
        let _held = self.attachments.held_back.one();
        put_off(link, of);
        loop {
            tokio::time::sleep(LOOK).await;
            if self.links.session(link.peer(), link.session()).is_none() {
                return false;
            }
            if self.may_go(link, Way::Out, of, first) {
                return true;
            }
        }
    }

    /// Whether an envelope that was sent from here to a party, or given to it as a relay, names it.
    pub async fn was_sent(
        self: &Arc<Self>,
        party: PartyCode,
        envelope: &Bytes,
        of: AttachmentRef,
    ) -> Result<Sent, ApiError> {
        let Some(id) = EnvelopeId::from_slice(envelope) else {
            return Ok(Sent::No);
        };
        let row = self.view.get(&IdRow::key(&id)).await.map_err(internal)?;
        let row = row.map(|v| IdRow::decode(&v)).transpose();
        let Some(IdRow::Sent { submitted }) = row.map_err(internal)? else {
            return Ok(Sent::No);
        };
        let sent = self.view.get(&SentRow::key(submitted)).await;
        let sent = sent.map_err(internal)?.map(|v| SentRow::decode(&v));
        let sent = sent.transpose().map_err(internal)?;
        let Some(sent) = sent else {
            return Ok(Sent::No);
        };
        let files = self.files_row(submitted).await?;
        if !files.is_some_and(|row| row.files.iter().any(|file| named(file) == of)) {
            return Ok(Sent::No);
        }
        let to_them = sent.recipients.iter().any(|to| to.party == party);
        let over_them = sent.relayed.iter().any(|said| said.relay == party);
        Ok(match to_them || over_them {
            true => Sent::Yes,
            false if is_relay(&self.trust().roster, party) => Sent::NotYet,
            false => Sent::No,
        })
    }
}

/// Tells a peer that what it wants waits for the day's bytes.
fn put_off(link: &Link, of: AttachmentRef) {
    let refused = v1::AttachmentRefused {
        root: of.to_wire().root,
        why: v1::AttachmentRefusal::AttachmentBudget.into(),
    };
    link.control(v1::control::Frame::AttachmentRefused(refused));
}

/// Where what is served comes from.
enum Source {
    /// It was sent from here.
    Own,
    /// It is carried here.
    Carried(CarriedFile),
}

/// Why a want is not served.
#[derive(Debug, Clone, Copy)]
enum NotServed {
    Busy,
    Damaged,
    Gone,
    Unknown,
}

impl From<NotServed> for v1::AttachmentRefusal {
    fn from(why: NotServed) -> Self {
        match why {
            NotServed::Busy => Self::AttachmentBusy,
            NotServed::Damaged => Self::AttachmentDamaged,
            NotServed::Gone => Self::AttachmentGone,
            NotServed::Unknown => Self::AttachmentUnknown,
        }
    }
}

impl From<ApiError> for NotServed {
    fn from(e: ApiError) -> Self {
        tracing::error!(error = %e.message, "cannot look up what a peer asks for");
        Self::Busy
    }
}

/// Whether a party may have a file that was sent from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The envelope went to it, or it has proved as a relay that it carries it.
    Yes,
    /// It is a relay, and nothing proves yet that it carries it.
    NotYet,
    /// No envelope to it names that file.
    No,
}

/// Whether a want may wait for its turn.
enum Waits {
    Turn(Arc<Semaphore>),
    Already,
    TooMany,
}
