//! The node loop: the one place where the engine is asked, in a thread of its own.
//!
//! It drains its bounded input, collects plans into one batch and hands that to the journal
//! thread, and meanwhile prepares the next: one batch is in flight. It never waits on a send.

use crate::{clock, fatal::Fatal, shared::lock};
use abeng_audit_log::{
    Batch, Outside, Record, Step, Submission, Witness, WitnessRefusal, Witnessed,
};
use abeng_queue::{Engine, Free, Gated, Input};
use abeng_wire::{LeafIndex, PartyCode};
use std::{
    collections::BTreeMap,
    io, mem,
    sync::{Arc, Mutex, mpsc as std_mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Inputs that may wait; beyond that links stop reading and the API answers 503.
pub(crate) const WAITING: usize = 4096;
/// Leaves after which a batch is closed, so that one sync does not hold up its first steps.
const BATCH_LEAVES: usize = 1024;
/// Bytes of bodies after which a batch is closed.
const BATCH_BYTES: usize = 16 << 20;
/// A batch of so many leaves means load: the next one gathers.
const BUSY_LEAVES: usize = 4;
/// How long it gathers.
const GATHER: Duration = Duration::from_micros(1500);
/// Inputs handled in a row before the batch is handed on.
const BATCH_INPUTS: usize = 512;

/// Of these, what all peers together may take; the rest is for the node's own people and clock.
pub(crate) const OF_PEERS: usize = WAITING - WAITING / 4;
/// And what one of them may take, so that one that floods never stands before the others.
pub(crate) const OF_ONE: usize = 256;

enum Event {
    Input(Input),
    /// Of a peer, with its place among the waiting.
    From(Input, Places),
    Inspect(Box<dyn FnOnce(&Engine) + Send>),
    Outside(Outside),
    /// The same, in a batch of its own where there is no other.
    OutsideNow(Outside),
    Witness(Box<Asked>),
    Reach(oneshot::Sender<()>),
    Wake,
    Stop(oneshot::Sender<()>),
}

/// A checkpoint that a peer wants co-signed.
struct Asked {
    submission: Submission,
    peer: PartyCode,
    session: u64,
    answer: oneshot::Sender<Result<Option<Witnessed>, WitnessRefusal>>,
}

/// What waits for the disk.
#[derive(Debug)]
pub enum Effect {
    /// The engine's.
    Engine(Gated),
    /// Co-sign what is durably witnessed of the peer's log, and send it on that session.
    Cosign {
        /// Whose log, and whom to tell.
        peer: PartyCode,
        /// The session that asked.
        session: u64,
    },
    /// Nothing but that a statement be written.
    Written,
    /// Tell that everything given before is durable and carried out.
    Reached(oneshot::Sender<()>),
}

/// The core's input has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node's input is full")]
pub struct Full;

/// Its own share and that of all peers.
type Places = (OwnedSemaphorePermit, OwnedSemaphorePermit);

/// How much of the input peers take.
struct Shares {
    of_all: Arc<Semaphore>,
    of_one: Mutex<BTreeMap<PartyCode, Arc<Semaphore>>>,
}

impl Shares {
    fn new() -> Self {
        Self {
            of_all: Arc::new(Semaphore::new(OF_PEERS)),
            of_one: Mutex::default(),
        }
    }

    /// Waits for a place. Never fails: nothing closes these.
    async fn take(&self, peer: PartyCode) -> Option<Places> {
        let own = {
            let mut of_one = lock(&self.of_one);
            let own = of_one.entry(peer);
            own.or_insert_with(|| Arc::new(Semaphore::new(OF_ONE)))
                .clone()
        };
        let own = own.acquire_owned().await.ok()?;
        let of_all = self.of_all.clone().acquire_owned().await.ok()?;
        Some((own, of_all))
    }
}

/// A way to the core; cloning shares it.
#[derive(Clone)]
pub struct Core {
    events: mpsc::Sender<Event>,
    shares: Arc<Shares>,
    durable: mpsc::UnboundedSender<LeafIndex>,
}

/// What the core hands to the journal thread.
pub type CoreBatch = Batch<Effect>;

/// The core before its thread runs.
pub struct CoreSeat {
    events: mpsc::Receiver<Event>,
    durable: mpsc::UnboundedReceiver<LeafIndex>,
}

/// A core to talk to and the seat its thread takes.
pub fn core() -> (Core, CoreSeat) {
    let (events, waiting) = mpsc::channel(WAITING);
    let (durable, done) = mpsc::unbounded_channel();
    let core = Core {
        events,
        shares: Arc::new(Shares::new()),
        durable,
    };
    let seat = CoreSeat {
        events: waiting,
        durable: done,
    };
    (core, seat)
}

impl Core {
    /// Gives an input; waits for room. An input after the stop is dropped: nothing was promised.
    pub async fn give(&self, input: Input) {
        let _ = self.events.send(Event::Input(input)).await;
    }

    /// Gives an input that a peer caused; waits for room in that peer's share.
    pub async fn give_from(&self, peer: PartyCode, input: Input) {
        if let Some(places) = self.shares.take(peer).await {
            let _ = self.events.send(Event::From(input, places)).await;
        }
    }

    /// Gives an input if there is room.
    pub fn try_give(&self, input: Input) -> Result<(), Full> {
        match self.events.try_send(Event::Input(input)) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(Full),
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }

    /// Gives an input from a thread; waits for room.
    pub fn give_blocking(&self, input: Input) {
        let _ = self.events.blocking_send(Event::Input(input));
    }

    /// Looks at the engine between two inputs.
    pub async fn inspect<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Option<T> {
        let (tx, rx) = oneshot::channel();
        let look = Box::new(move |engine: &Engine| _ = tx.send(look(engine)));
        self.events.send(Event::Inspect(look)).await.ok()?;
        rx.await.ok()
    }

    /// Keeps a statement beside the next batch. Dropped when there is no room: the next replaces it.
    pub fn keep(&self, outside: Outside) {
        let _ = self.events.try_send(Event::Outside(outside));
    }

    /// Keeps a statement as soon as may be.
    pub async fn keep_now(&self, outside: Outside) {
        let _ = self.events.send(Event::OutsideNow(outside)).await;
    }

    /// Waits until everything given before is durable and in the view. `None` after the stop.
    pub async fn reached(&self) -> Option<()> {
        let (told, reached) = oneshot::channel();
        self.events.send(Event::Reach(told)).await.ok()?;
        reached.await.ok()
    }

    /// Asks the witness: check and persist are one step here, and the cosignature leaves behind
    /// them. What was witnessed of that log before; `None` after the stop.
    pub async fn witness(
        &self,
        submission: Submission,
        peer: PartyCode,
        session: u64,
    ) -> Option<Result<Option<Witnessed>, WitnessRefusal>> {
        let (answer, found) = oneshot::channel();
        let asked = Asked {
            submission,
            peer,
            session,
            answer,
        };
        self.events
            .send(Event::Witness(Box::new(asked)))
            .await
            .ok()?;
        found.await.ok()
    }

    /// Tells that everything below is durable and in the overlay. From the journal thread.
    pub fn durable(&self, position: LeafIndex) {
        let _ = self.durable.send(position);
        // Where there is no room the core is awake and looks by itself.
        let _ = self.events.try_send(Event::Wake);
    }

    /// Waits until everything given before is durable, then ends the core.
    pub async fn stop(&self) {
        let (tx, rx) = oneshot::channel();
        if self.events.send(Event::Stop(tx)).await.is_ok() {
            let _ = rx.await;
        }
    }
}

/// Carries out what needs no disk.
pub trait Outlet: Send + 'static {
    /// Does one free effect without waiting.
    fn free(&self, effect: Free);
}

impl CoreSeat {
    /// Starts the thread. `journal` takes at most one batch at a time.
    pub fn spawn(
        self,
        engine: Engine,
        witness: Witness,
        journal: std_mpsc::SyncSender<CoreBatch>,
        outlet: impl Outlet,
        fatal: Fatal,
    ) -> io::Result<JoinHandle<()>> {
        thread::Builder::new()
            .name("abeng-core".into())
            .spawn(move || {
                let state = State {
                    engine,
                    witness,
                    journal,
                    outlet,
                    steps: Vec::new(),
                    leaves: 0,
                    last_leaves: 0,
                    bytes: 0,
                    outside: Vec::new(),
                    in_flight: false,
                    stopping: None,
                };
                let _broken = fatal.guard("the node loop");
                state.run(self.events, self.durable);
            })
    }
}

struct State<O> {
    engine: Engine,
    witness: Witness,
    journal: std_mpsc::SyncSender<CoreBatch>,
    outlet: O,
    steps: Vec<Step<Effect>>,
    leaves: usize,
    // Of the batch before: a node with one notice at a time never waits.
    last_leaves: usize,
    bytes: usize,
    outside: Vec<Outside>,
    in_flight: bool,
    stopping: Option<oneshot::Sender<()>>,
}

impl<O: Outlet> State<O> {
    fn run(
        mut self,
        mut events: mpsc::Receiver<Event>,
        mut durable: mpsc::UnboundedReceiver<LeafIndex>,
    ) {
        loop {
            // With a whole batch in hand and one in flight nothing more is read: links and the
            // local interface feel it.
            let position = match self.in_flight && self.is_full() {
                true => durable.blocking_recv(),
                false => durable.try_recv().ok(),
            };
            if let Some(position) = position {
                self.in_flight = false;
                self.handle(Input::Durable { position });
            } else if self.in_flight && durable.is_closed() {
                return;
            } else {
                let Some(event) = events.blocking_recv() else {
                    return;
                };
                self.take(event);
                for _ in 0..BATCH_INPUTS {
                    if self.is_full() {
                        break;
                    }
                    let Ok(event) = events.try_recv() else { break };
                    self.take(event);
                }
            }
            if !self.in_flight && !self.steps.is_empty() {
                if self.last_leaves >= BUSY_LEAVES {
                    self.gather(&mut events);
                }
                if !self.hand_on() {
                    return;
                }
            }
            if !self.in_flight && self.stopping.is_some() {
                break;
            }
        }
        if let Some(stopped) = self.stopping.take() {
            let _ = stopped.send(());
        }
    }

    /// Under load a batch waits a moment for company: one sync and one checkpoint then serve many.
    fn gather(&mut self, events: &mut mpsc::Receiver<Event>) {
        thread::sleep(GATHER);
        for _ in 0..BATCH_INPUTS {
            if self.is_full() {
                return;
            }
            let Ok(event) = events.try_recv() else { return };
            self.take(event);
        }
    }

    fn is_full(&self) -> bool {
        self.leaves >= BATCH_LEAVES || self.bytes >= BATCH_BYTES
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Input(input) => self.handle(input),
            Event::From(input, places) => {
                // The peer's next may wait in its place.
                drop(places);
                self.handle(input);
            }
            Event::Inspect(look) => look(&self.engine),
            Event::Outside(outside) => self.outside.push(outside),
            Event::OutsideNow(outside) => {
                self.outside.push(outside);
                self.step(Effect::Written);
            }
            Event::Witness(asked) => self.witness(*asked),
            Event::Reach(told) => self.step(Effect::Reached(told)),
            Event::Wake => {}
            Event::Stop(stopped) => self.stopping = Some(stopped),
        }
    }

    fn handle(&mut self, input: Input) {
        self.handle_one(input);
        // What waited behind a slow seal comes in steps that fit.
        while self.engine.has_more() {
            self.handle_one(Input::Tick);
        }
    }

    fn handle_one(&mut self, input: Input) {
        let plan = self.engine.handle(clock::cautious(), input);
        if !plan.step.facts.is_empty() || !plan.step.gated.is_empty() {
            self.leaves += plan.step.facts.len();
            let body = |r: &Record| r.body_bytes().map_or(0, bytes::Bytes::len);
            self.bytes += plan.step.facts.iter().map(body).sum::<usize>();
            self.steps.push(Step {
                facts: plan.step.facts,
                gated: plan.step.gated.into_iter().map(Effect::Engine).collect(),
            });
        }
        for effect in plan.free {
            self.outlet.free(effect);
        }
    }

    /// Check, and hand on to be persisted, in the order of the questions; what is persisted is
    /// signed.
    fn witness(&mut self, asked: Asked) {
        let (peer, session) = (asked.peer, asked.session);
        let before = self.witness.held(asked.submission.origin().party).cloned();
        let answer = self.witness.submit(&asked.submission).map(|pending| {
            self.outside.extend(pending.outside());
            self.step(Effect::Cosign { peer, session });
            before
        });
        // Whoever asked may have gone.
        let _ = asked.answer.send(answer);
    }

    /// A step without facts: it makes the batch leave, and waits for it.
    fn step(&mut self, effect: Effect) {
        self.steps.push(Step {
            facts: Vec::new(),
            gated: vec![effect],
        });
    }

    /// False when the journal thread is gone, which ends the node.
    fn hand_on(&mut self) -> bool {
        let batch = Batch {
            steps: mem::take(&mut self.steps),
            outside: mem::take(&mut self.outside),
        };
        self.last_leaves = self.leaves;
        self.leaves = 0;
        self.bytes = 0;
        self.in_flight = true;
        self.journal.send(batch).is_ok()
    }
}

#[cfg(test)]
#[path = "core_tests.rs"]
mod tests;
