//! The part of a run in which anything may happen: what nodes, officers and time do.

use crate::{
    Scenario,
    run::Sim,
    weather::{Act, Phase},
    work::Draft,
    world::party,
};
use abeng_wire::v1;

impl Sim {
    /// Runs until the weather clears.
    pub(crate) fn storm(&mut self) {
        for phase in std::mem::take(&mut self.weather.phases) {
            self.enter(&phase);
            let end = self.mono.plus_ms(phase.lasts_ms);
            for _ in 0..phase.steps {
                let act = phase.pick(&mut self.random);
                self.act(act, phase.wait_ms);
            }
            if phase.lasts_ms > 0 {
                self.wait_until(end);
            }
            self.leave(&phase);
        }
    }

    fn enter(&mut self, phase: &Phase) {
        self.begin(phase.begin);
        self.barred.clone_from(&phase.barred);
        for (a, b) in phase.barred.clone() {
            self.cut(a, b);
        }
        self.book.delivery = match self.weather.scenario {
            Scenario::Islands if !phase.barred.is_empty() => {
                Some(("delivered inside an island", None))
            }
            Scenario::SlowPeer => Some(("delivered beside a slow peer", self.weather.slow)),
            _ => None,
        };
        if let Some(what) = phase.what {
            self.book.fault(what);
        }
        if phase.what == Some("staggered return") && self.depths().any(|depth| depth >= 20) {
            self.book.meet("backlog of 20 at a return");
        }
    }

    fn leave(&mut self, phase: &Phase) {
        let owed = self.depths().max().unwrap_or_default();
        match self.weather.scenario {
            Scenario::Islands if !phase.barred.is_empty() && owed > 0 => {
                self.book.meet("queued across islands");
            }
            Scenario::SlowPeer if owed >= 5 => self.book.meet("backlog for a slow peer"),
            _ => {}
        }
    }

    /// What each running node has queued.
    fn depths(&self) -> impl Iterator<Item = usize> {
        let lives = self.nodes.iter().filter_map(|node| node.life.as_ref());
        lives.map(|life| life.engine.depth())
    }

    fn act(&mut self, act: Act, wait_ms: u64) {
        let nodes = self.nodes.len();
        let n = self.random.index(nodes);
        let other = (n + 1 + self.random.index(nodes - 1)) % nodes;
        let asleep = self.weather.slow == Some(n) && self.random.per_mille(920);
        match act {
            Act::Work | Act::Commit if asleep => {}
            Act::Submit => self.submit(n),
            Act::Work => {
                let pick = self.random.word();
                self.work(n, pick);
            }
            Act::Commit => {
                // Often a part: the next batch is handled while one is written.
                let steps = match self.random.per_mille(400) {
                    true => 1 + self.random.index(3),
                    false => usize::MAX,
                };
                self.commit(n, steps);
            }
            Act::WriteView => self.nodes[n].write_view(),
            Act::Prepare => self.nodes[n].prepare(&mut self.book),
            Act::Deliver => self.deliver_one(),
            Act::Wait => self.wait(wait_ms),
            Act::Link => self.link(n, other),
            Act::Start => {
                if self.nodes[n].life.is_none() {
                    self.start(n);
                }
            }
            Act::Swap => self.swap(),
            Act::Operate => self.operate(n),
            fault => self.fault(fault, n, other),
        }
    }

    pub(crate) fn submit(&mut self, n: usize) {
        if self.weather.notices == 0 {
            return;
        }
        self.weather.notices -= 1;
        let others = (0..self.nodes.len()).filter(|&p| p != n);
        let mut to: Vec<_> = others.map(party).collect();
        while to.len() > 1 && self.random.per_mille(550) {
            to.remove(self.random.index(to.len()));
        }
        // No two notices are equal.
        let mut notice = format!("notice {} ", self.weather.notices).into_bytes();
        let length = [0, 100, 3_000][self.random.index(3)];
        notice.resize(notice.len() + length, b'.');
        let draft = Draft {
            to,
            notice: notice.into(),
            precedence: v1::Precedence::try_from(1 + self.random.below(4) as i32).unwrap(),
            life_ms: match self.random.per_mille(200) {
                true => 60_000,
                false => 30 * 86_400_000,
            },
            fails: self.random.per_mille(80),
        };
        let now = self.now(n);
        if let Some(life) = &mut self.nodes[n].life {
            life.submit(now, draft, &mut self.book);
        }
    }

    fn deliver_one(&mut self) {
        let arrived = self.net.arrived(self.mono);
        if arrived.is_empty() {
            return;
        }
        let way = arrived[self.random.index(arrived.len())];
        if let Some((session, frame)) = self.net.take(way) {
            self.deliver(way.0, way.1, session, frame);
        }
    }

    fn wait(&mut self, longest_ms: u64) {
        let long = match self.random.below(20) {
            0 => Some(self.random.below(longest_ms)),
            1..6 => Some(self.random.below(3_000)),
            _ => None,
        };
        let soon = self.mono.plus_ms(1);
        let until = match long {
            Some(ms) => self.mono.plus_ms(ms),
            None => self.next().map_or(soon, |next| next.max(soon)),
        };
        self.wait_until(until);
    }
}
