//! Everything that is, in one value.

use crate::Bounds;
use std::collections::{BTreeMap, BTreeSet};

/// The nth notice that was submitted.
pub type Notice = u8;
/// A number in the stream from originator to recipient.
pub type Number = u8;

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Station {
    /// Where officers submit.
    Originator,
    /// Between the two.
    Relay,
    /// Where officers read.
    Recipient,
}

impl Station {
    /// All, in the order of [`State::nodes`].
    pub const ALL: [Self; 3] = [Self::Originator, Self::Relay, Self::Recipient];
}

/// A leaf of a station's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leaf {
    /// The originator has taken a notice and given it a number.
    Submitted(Notice, Number),
    /// The originator has the recipient's receipt.
    Settled(Notice),
    /// The relay carries it.
    Relayed(Notice, Number),
    /// The relay has seen the recipient's receipt.
    Carried(Notice),
    /// The recipient has a row for it in the inbox.
    Delivered(Notice, Number),
}

/// What travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// A sealed notice with its number.
    Envelope {
        /// Who sends it.
        from: Station,
        /// To whom.
        to: Station,
        /// What it holds.
        notice: Notice,
        /// Its number.
        number: Number,
    },
    /// The recipient's receipt, from the recipient or carried by the relay.
    Receipt {
        /// Who sends it.
        from: Station,
        /// To whom.
        to: Station,
        /// For what.
        notice: Notice,
    },
    /// The relay says that it carries a notice. Settles nothing.
    Custody {
        /// What it carries.
        notice: Notice,
    },
}

impl Message {
    /// What it is about.
    pub fn notice(&self) -> Notice {
        match *self {
            Self::Envelope { notice, .. }
            | Self::Receipt { notice, .. }
            | Self::Custody { notice } => notice,
        }
    }
}

/// What waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gated {
    /// A message.
    Send(Message),
    /// The answer to the officer: accepted.
    Answer(Notice),
}

/// One station.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Node {
    /// What a crash leaves.
    pub durable: Vec<Leaf>,
    /// Written and not synced: a crash leaves any prefix of it.
    pub written: Vec<Leaf>,
    /// What leaves with the next sync. A crash forgets it.
    pub gated: Vec<Gated>,
}

impl Node {
    /// The log as the running process sees it.
    pub fn log(&self) -> impl Iterator<Item = Leaf> + '_ {
        self.durable.iter().chain(&self.written).copied()
    }

    /// Whether the log has a leaf, synced or not.
    pub fn has(&self, leaf: Leaf) -> bool {
        self.log().any(|l| l == leaf)
    }

    /// Under which number a notice has a leaf of this kind, synced or not.
    pub fn number(&self, kind: fn(Notice, Number) -> Leaf, notice: Notice) -> Option<Number> {
        (1..=self.log().count() as Number + 1).find(|number| self.has(kind(notice, *number)))
    }

    /// Whether the disk has a delivery of this notice.
    pub fn delivered_for_good(&self, notice: Notice) -> bool {
        let this = |leaf: &Leaf| matches!(leaf, Leaf::Delivered(n, _) if *n == notice);
        self.durable.iter().any(this)
    }
}

/// The state of the whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// In the order of [`Station::ALL`].
    pub nodes: [Node; 3],
    /// What is on its way, and how many times.
    pub network: BTreeMap<Message, u8>,
    /// What officers were told is accepted.
    pub answered: BTreeSet<Notice>,
    /// Every number that ever left the originator, with what it stood for.
    pub named: BTreeSet<(Number, Notice)>,
    /// Notices submitted so far; each attempt is another notice.
    pub submitted: u8,
    /// What may still go wrong.
    pub left: Left,
}

/// What of the bounds is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Left {
    /// Messages the network may lose.
    pub losses: u8,
    /// Messages it may repeat.
    pub repeats: u8,
    /// Crashes.
    pub crashes: u8,
}

impl State {
    /// Nothing has happened.
    pub fn first(bounds: Bounds) -> Self {
        Self {
            nodes: Default::default(),
            network: BTreeMap::new(),
            answered: BTreeSet::new(),
            named: BTreeSet::new(),
            submitted: 0,
            left: Left {
                losses: bounds.losses,
                repeats: bounds.repeats,
                crashes: bounds.crashes,
            },
        }
    }

    /// One station.
    pub fn node(&self, station: Station) -> &Node {
        &self.nodes[station as usize]
    }

    /// One station, to change.
    pub fn node_mut(&mut self, station: Station) -> &mut Node {
        &mut self.nodes[station as usize]
    }

    /// Puts a message on its way.
    pub fn send(&mut self, message: Message) {
        if let Message::Envelope { notice, number, .. } = message {
            self.named.insert((number, notice));
        }
        *self.network.entry(message).or_insert(0) += 1;
    }

    /// Takes one copy off the network; whether there was one.
    pub fn take(&mut self, message: Message) -> bool {
        let Some(copies) = self.network.get_mut(&message) else {
            return false;
        };
        *copies -= 1;
        if *copies == 0 {
            self.network.remove(&message);
        }
        true
    }

    /// Whether anything about a notice is on its way or waits for a disk.
    pub fn busy_with(&self, notice: Notice) -> bool {
        let gated = self.nodes.iter().flat_map(|node| &node.gated);
        self.network.keys().any(|m| m.notice() == notice)
            || gated
                .filter_map(|g| match g {
                    Gated::Send(message) => Some(message.notice()),
                    Gated::Answer(_) => None,
                })
                .any(|n| n == notice)
    }
}
