//! What must hold in every state, and what must happen in some.

use crate::{
    Action, Handoff,
    state::{Leaf, Message, Node, Notice, State, Station},
};
use Station::{Originator, Recipient, Relay};
use stateright::{Model, Property};
use std::collections::BTreeSet;

impl Node {
    /// Whether the originator still has it to hand over, on the disk or about to be.
    pub(crate) fn holds(&self, notice: Notice) -> bool {
        self.number(Leaf::Submitted, notice).is_some() && !self.has(Leaf::Settled(notice))
    }

    /// Whether the relay still has it to hand over.
    pub(crate) fn carries(&self, notice: Notice) -> bool {
        self.number(Leaf::Relayed, notice).is_some() && !self.has(Leaf::Carried(notice))
    }
}

impl Model for Handoff {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(self.bounds)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.possible(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.after(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("never lost", never_lost),
            Property::always("never twice", never_twice),
            Property::always("receipts are for what is durable", receipts_are_durable),
            Property::always("settled is what was delivered", settled_is_delivered),
            Property::always("a number names one notice", one_number_one_notice),
            Property::always("nothing leaves before it is durable", envelopes_are_durable),
            Property::always("drains", drains),
            Property::sometimes("a crash keeps what nobody was told of", kept_unanswered),
            Property::sometimes("two copies are on their way", two_copies),
            Property::sometimes("all is settled", |model, state: &State| {
                let all = 1..=model.bounds.notices;
                let settled = |n| state.node(Originator).has(Leaf::Settled(n));
                state.answered.len() == usize::from(model.bounds.notices)
                    && all.into_iter().all(settled)
            }),
        ]
    }
}

/// I1: what an officer was told is accepted is delivered, or on the originator's disk to be sent.
fn never_lost(_: &Handoff, state: &State) -> bool {
    let disk = Node {
        durable: state.node(Originator).durable.clone(),
        ..Node::default()
    };
    let safe = |&n: &Notice| state.node(Recipient).delivered_for_good(n) || disk.holds(n);
    state.answered.iter().all(safe)
}

/// I2: one row in the inbox for each notice, also before the disk has it.
fn never_twice(_: &Handoff, state: &State) -> bool {
    let mut seen = BTreeSet::new();
    state.node(Recipient).log().all(|leaf| match leaf {
        Leaf::Delivered(notice, _) => seen.insert(notice),
        _ => true,
    })
}

/// I6: a receipt exists only for what a crash cannot take back.
fn receipts_are_durable(_: &Handoff, state: &State) -> bool {
    state.network.keys().all(|message| match message {
        Message::Receipt { notice, .. } => state.node(Recipient).delivered_for_good(*notice),
        _ => true,
    })
}

/// I1: the originator lets go of what the recipient has, and of nothing else.
fn settled_is_delivered(_: &Handoff, state: &State) -> bool {
    state.node(Originator).log().all(|leaf| match leaf {
        Leaf::Settled(notice) => state.node(Recipient).delivered_for_good(notice),
        _ => true,
    })
}

/// I5: no number of the stream ever stood for two notices outside the originator.
fn one_number_one_notice(_: &Handoff, state: &State) -> bool {
    let numbers: BTreeSet<_> = state.named.iter().map(|(number, _)| number).collect();
    numbers.len() == state.named.len()
}

/// I6: an envelope is on its way only if whoever sent it has it on the disk.
fn envelopes_are_durable(_: &Handoff, state: &State) -> bool {
    state.network.keys().all(|message| match *message {
        Message::Envelope {
            from,
            notice,
            number,
            ..
        } => {
            let leaf = if from == Relay {
                Leaf::Relayed(notice, number)
            } else {
                Leaf::Submitted(notice, number)
            };
            state.node(from).durable.contains(&leaf)
        }
        _ => true,
    })
}

/// I9: where nothing can happen any more, everything is delivered and settled. Every run comes to
/// such a state, since no state is ever met twice in one (tested).
fn drains(model: &Handoff, state: &State) -> bool {
    let mut actions = Vec::new();
    model.possible(state, &mut actions);
    let certain = |action: &Action| {
        let chance = |a: &Action| {
            matches!(
                a,
                Action::Lose(_) | Action::Repeat(_) | Action::Crash(..) | Action::Submit
            )
        };
        !chance(action)
    };
    // Nobody is owed a fault: what remains possible only by one counts as the end.
    if actions.iter().any(certain) {
        return true;
    }
    let originator = state.node(Originator);
    let taken = |n: &Notice| originator.number(Leaf::Submitted, *n).is_some();
    let done =
        |n: Notice| originator.has(Leaf::Settled(n)) && state.node(Recipient).delivered_for_good(n);
    (1..=state.submitted).filter(taken).all(done)
}

/// A notice that was never answered was delivered: the officer may have sent it twice, and the
/// node may not take it for another.
fn kept_unanswered(_: &Handoff, state: &State) -> bool {
    (1..=state.submitted)
        .any(|n| !state.answered.contains(&n) && state.node(Recipient).delivered_for_good(n))
}

fn two_copies(_: &Handoff, state: &State) -> bool {
    let envelope = |(message, copies): (&Message, &u8)| {
        *copies > 1 && matches!(message, Message::Envelope { .. })
    };
    state.network.iter().any(envelope)
}
