//! The custody hand-off, small enough that a machine walks through every state it can reach.
//!
//! In scope: one originator, one recipient, at most one relay; a network that loses and repeats;
//! crashes at any moment, after which any prefix of what was written without being synced may be
//! on the disk. What the engine, the journal and the node do about custody is here as rules of a
//! few lines each, and [`Handoff::properties`](stateright::Model::properties) says what must hold
//! in every state. [`Plant`] breaks one rule at a time: each must be found.
//!
//! Not in scope: bytes, cryptography, credit, expiry, recalls, the loss of a disk. The rules are
//! written from `docs/protocol.md`, not taken from the code: that the code follows them is what
//! the simulator (`tests/sim`) is for.

mod properties;
mod state;
mod step;

pub use state::{Leaf, Message, Node, State, Station};
pub use step::Action;

/// How much may happen in a run: the model is explored whole within these bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Notices that officers submit.
    pub notices: u8,
    /// Messages that the network loses.
    pub losses: u8,
    /// Messages that the network repeats.
    pub repeats: u8,
    /// Crashes, of any station.
    pub crashes: u8,
}

/// By which way notices travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Originator and recipient have a link.
    Direct,
    /// They have none; both have one with a relay.
    Relayed,
    /// Both ways, in any order.
    Both,
}

/// A rule that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// None is.
    Nothing,
    /// The officer is told before the submission is durable.
    AnswerEarly,
    /// An envelope leaves before its submission is durable.
    ForwardEarly,
    /// The recipient receipts before the delivery is durable.
    ReceiptEarly,
    /// The recipient does not look whether it has the notice already.
    NoDedupe,
    /// The originator forgets a notice once it has sent it.
    ForgetOnSend,
    /// The relay's taking custody settles the notice for the originator.
    SettleOnRelay,
    /// What got no receipt is not sent again.
    NoResend,
    /// Known envelopes get no receipt a second time.
    NoSecondReceipt,
}

/// The model.
#[derive(Debug, Clone, Copy)]
pub struct Handoff {
    /// By which way.
    pub route: Route,
    /// How much may happen.
    pub bounds: Bounds,
    /// What is broken.
    pub plant: Plant,
}

impl Handoff {
    /// The rules as they are.
    pub fn new(route: Route, bounds: Bounds) -> Self {
        Self {
            route,
            bounds,
            plant: Plant::Nothing,
        }
    }

    /// The same with one rule broken.
    pub fn with(self, plant: Plant) -> Self {
        Self { plant, ..self }
    }
}
