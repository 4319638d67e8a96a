//! What can happen, and what each station does about it.

use crate::{
    Handoff, Plant, Route,
    state::{Gated, Leaf, Message, Notice, State, Station},
};
use Station::{Originator, Recipient, Relay};

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// An officer submits a notice.
    Submit,
    /// A station's disk has everything that was written.
    Sync(Station),
    /// A message arrives.
    Arrive(Message),
    /// The network loses a message.
    Lose(Message),
    /// The network repeats a message.
    Repeat(Message),
    /// Nothing has come back for so long that a notice is sent again, to this station.
    Resend(Station, Station, Notice),
    /// A station loses its memory and, of what was not synced, all but so many leaves.
    Crash(Station, u8),
}

impl Handoff {
    /// Everything that can happen now.
    pub(crate) fn possible(&self, state: &State, actions: &mut Vec<Action>) {
        if state.submitted < self.bounds.notices {
            actions.push(Action::Submit);
        }
        for &message in state.network.keys() {
            actions.push(Action::Arrive(message));
            if state.left.losses > 0 {
                actions.push(Action::Lose(message));
            }
            if state.left.repeats > 0 {
                actions.push(Action::Repeat(message));
            }
        }
        for station in Station::ALL {
            let node = state.node(station);
            if !node.written.is_empty() || !node.gated.is_empty() {
                actions.push(Action::Sync(station));
            }
            let alive = !node.durable.is_empty() || !node.written.is_empty();
            if state.left.crashes > 0 && alive {
                let kept = 0..=node.written.len() as u8;
                actions.extend(kept.map(|kept| Action::Crash(station, kept)));
            }
        }
        if self.plant != Plant::NoResend {
            self.resends(state, actions);
        }
    }

    /// A timer runs out long after everything else about its notice has come to rest. Copies that
    /// are on their way at the same time are the network's to make.
    fn resends(&self, state: &State, actions: &mut Vec<Action>) {
        let resting = |notice: &Notice| !state.busy_with(*notice);
        for notice in (1..=state.submitted).filter(resting) {
            if state.node(Originator).holds(notice) {
                if self.route != Route::Relayed {
                    actions.push(Action::Resend(Originator, Recipient, notice));
                }
                if self.route != Route::Direct && !state.node(Relay).carries(notice) {
                    actions.push(Action::Resend(Originator, Relay, notice));
                }
            }
            if state.node(Relay).carries(notice) {
                actions.push(Action::Resend(Relay, Recipient, notice));
            }
        }
    }

    /// The state after something has happened; `None` where it cannot.
    pub(crate) fn after(&self, state: &State, action: Action) -> Option<State> {
        let mut state = state.clone();
        match action {
            Action::Submit => self.submit(&mut state),
            Action::Sync(station) => {
                let node = state.node_mut(station);
                let written = std::mem::take(&mut node.written);
                node.durable.extend(written);
                for gated in std::mem::take(&mut node.gated) {
                    match gated {
                        Gated::Send(message) => state.send(message),
                        Gated::Answer(notice) => _ = state.answered.insert(notice),
                    }
                }
            }
            Action::Arrive(message) => {
                if !state.take(message) {
                    return None;
                }
                self.arrive(&mut state, message);
            }
            Action::Lose(message) => {
                state.left.losses -= 1;
                state.take(message);
            }
            Action::Repeat(message) => {
                state.left.repeats -= 1;
                state.send(message);
            }
            Action::Resend(from, to, notice) => {
                let kind = if from == Relay {
                    Leaf::Relayed
                } else {
                    Leaf::Submitted
                };
                let number = state.node(from).number(kind, notice)?;
                state.send(Message::Envelope {
                    from,
                    to,
                    notice,
                    number,
                });
            }
            Action::Crash(station, kept) => {
                state.left.crashes -= 1;
                let node = state.node_mut(station);
                node.written.truncate(kept.into());
                // What recovery finds it keeps, and syncs before anything is said of it.
                let found = std::mem::take(&mut node.written);
                node.durable.extend(found);
                node.gated.clear();
            }
        }
        Some(state)
    }

    fn submit(&self, state: &mut State) {
        state.submitted += 1;
        let notice = state.submitted;
        let node = state.node_mut(Originator);
        let used = node.log().filter_map(|leaf| match leaf {
            Leaf::Submitted(_, number) => Some(number),
            _ => None,
        });
        let number = used.max().unwrap_or(0) + 1;
        node.written.push(Leaf::Submitted(notice, number));
        if self.plant == Plant::AnswerEarly {
            state.answered.insert(notice);
        } else {
            node.gated.push(Gated::Answer(notice));
        }
        let to = match self.route {
            Route::Direct | Route::Both => Recipient,
            Route::Relayed => Relay,
        };
        let from = Originator;
        let envelope = Message::Envelope {
            from,
            to,
            notice,
            number,
        };
        if self.plant == Plant::ForgetOnSend {
            state.node_mut(from).written.push(Leaf::Settled(notice));
        }
        self.leave(state, from, envelope, self.plant == Plant::ForwardEarly);
    }

    fn arrive(&self, state: &mut State, message: Message) {
        match message {
            Message::Envelope {
                from,
                to: Recipient,
                notice,
                number,
            } => self.deliver(state, from, notice, number),
            Message::Envelope { notice, number, .. } => self.carry(state, notice, number),
            Message::Receipt {
                to: Relay, notice, ..
            } => self.carried(state, notice),
            Message::Receipt { notice, .. } => settle(state, notice),
            Message::Custody { notice } => {
                if self.plant == Plant::SettleOnRelay {
                    settle(state, notice);
                }
            }
        }
    }

    /// The recipient takes a notice, or knows it.
    fn deliver(&self, state: &mut State, from: Station, notice: Notice, number: u8) {
        let node = state.node_mut(Recipient);
        let known = node.number(Leaf::Delivered, notice).is_some();
        if known && self.plant == Plant::NoSecondReceipt {
            return;
        }
        if !known || self.plant == Plant::NoDedupe {
            node.written.push(Leaf::Delivered(notice, number));
        }
        let receipt = Message::Receipt {
            from: Recipient,
            to: from,
            notice,
        };
        self.leave(state, Recipient, receipt, self.plant == Plant::ReceiptEarly);
    }

    /// The relay takes a notice, or has it, or knows what became of it.
    fn carry(&self, state: &mut State, notice: Notice, number: u8) {
        let node = state.node_mut(Relay);
        if node.has(Leaf::Carried(notice)) {
            self.leave(state, Relay, carried_receipt(notice), false);
        } else if !node.has(Leaf::Relayed(notice, number)) {
            node.written.push(Leaf::Relayed(notice, number));
            let on = Message::Envelope {
                from: Relay,
                to: Recipient,
                notice,
                number,
            };
            self.leave(state, Relay, on, false);
            self.leave(state, Relay, Message::Custody { notice }, false);
        }
    }

    /// The relay has the recipient's receipt.
    fn carried(&self, state: &mut State, notice: Notice) {
        let node = state.node_mut(Relay);
        if node.number(Leaf::Relayed, notice).is_none() {
            return;
        }
        if !node.has(Leaf::Carried(notice)) {
            node.written.push(Leaf::Carried(notice));
        }
        self.leave(state, Relay, carried_receipt(notice), false);
    }

    /// Sends what rests on the log as it is now: at once where the disk has all of it.
    fn leave(&self, state: &mut State, station: Station, message: Message, early: bool) {
        let node = state.node_mut(station);
        if early || node.written.is_empty() {
            state.send(message);
        } else if !node.gated.contains(&Gated::Send(message)) {
            node.gated.push(Gated::Send(message));
        }
    }
}

fn carried_receipt(notice: Notice) -> Message {
    Message::Receipt {
        from: Relay,
        to: Originator,
        notice,
    }
}

/// The originator has a receipt.
fn settle(state: &mut State, notice: Notice) {
    let node = state.node_mut(Originator);
    if node.holds(notice) {
        node.written.push(Leaf::Settled(notice));
    }
}
