//! The part of a run in which anything may happen.

use crate::{
    Random,
    net::Frame,
    node::End,
    run::Sim,
    work::Draft,
    world::{N, party},
};
use abeng_wire::v1;

/// What kind of run it is: each seed has its own mixture, some without any fault of a kind.
#[derive(Debug)]
pub(crate) struct Weather {
    steps: u64,
    notices: u64,
    /// The longest delay of a frame, in milliseconds.
    slowest_ms: u64,
    weights: Vec<(Act, u64)>,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Submit,
    Work,
    Commit,
    WriteView,
    Prepare,
    Deliver,
    Wait,
    Link,
    Start,
    // From here on: faults.
    Cut,
    Crash,
    Stall,
    Repeat,
    Damage,
    Skew,
}

impl Weather {
    pub(crate) fn new(random: &mut Random) -> Self {
        let mut rate = |most| match random.below(4) {
            0 => 0,
            _ => 1 + random.below(most),
        };
        let faults = [
            (Act::Cut, rate(30)),
            (Act::Crash, rate(25)),
            (Act::Stall, rate(15)),
            (Act::Repeat, rate(90)),
            (Act::Damage, rate(15)),
            (Act::Skew, rate(10)),
        ];
        let mut weights = vec![
            (Act::Submit, 40 + random.below(60)),
            (Act::Work, 60 + random.below(200)),
            (Act::Commit, 150 + random.below(150)),
            (Act::WriteView, 20),
            (Act::Prepare, 5),
            (Act::Deliver, 250),
            (Act::Wait, 50 + random.below(100)),
            (Act::Link, 60),
            (Act::Start, 40),
        ];
        weights.extend(faults);
        Self {
            steps: 300 + random.below(900),
            notices: 10 + random.below(60),
            slowest_ms: [5, 100, 2_000, 40_000][random.index(4)],
            weights,
        }
    }

    /// The faults stop.
    pub(crate) fn clear(&mut self) {
        self.slowest_ms = 5;
    }

    pub(crate) fn delay_ms(&self, random: &mut Random) -> u64 {
        1 + random.below(self.slowest_ms)
    }

    fn pick(&self, random: &mut Random) -> Act {
        let all: u64 = self.weights.iter().map(|(_, weight)| weight).sum();
        let mut at = random.below(all);
        for &(act, weight) in &self.weights {
            match at.checked_sub(weight) {
                None => return act,
                Some(rest) => at = rest,
            }
        }
        Act::Work
    }
}

impl Sim {
    /// Runs until the weather clears.
    pub(crate) fn storm(&mut self) {
        for _ in 0..self.weather.steps {
            let act = self.weather.pick(&mut self.random);
            let n = self.random.index(N);
            let other = (n + 1 + self.random.index(N - 1)) % N;
            match act {
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
                Act::Prepare => self.nodes[n].prepare(),
                Act::Deliver => self.deliver_one(),
                Act::Wait => self.wait(),
                Act::Link => self.link(n, other),
                Act::Start => {
                    if self.nodes[n].life.is_none() {
                        self.start(n);
                    }
                }
                Act::Cut => {
                    if self.net.session(n, other).is_some() {
                        self.book.fault("cut");
                        self.cut(n, other);
                    }
                }
                Act::Crash => self.crash_somehow(n),
                Act::Stall => {
                    self.book.fault("stall");
                    let until = self.mono.plus_ms(self.random.below(90_000));
                    self.net.stall(n, other, until);
                }
                Act::Repeat => self.repeat(),
                Act::Damage => self.damage(),
                Act::Skew => {
                    self.book.fault("skew");
                    self.skew[n] = self.random.below(1_200_000) as i64 - 600_000;
                }
            }
        }
    }

    fn submit(&mut self, n: usize) {
        if self.weather.notices == 0 {
            return;
        }
        self.weather.notices -= 1;
        let mut to: Vec<_> = (0..N).filter(|&p| p != n).map(party).collect();
        if self.random.per_mille(600) {
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

    /// An envelope comes twice.
    fn repeat(&mut self) {
        if let Some((from, to, session, frame)) = self.some_envelope() {
            let frame = frame.clone();
            self.book.fault("repeat");
            self.deliver(from, to, session, frame);
        }
    }

    /// Whoever carries it changes one bit of an envelope.
    fn damage(&mut self) {
        let at = self.random.word();
        if let Some((.., Frame::Envelope(bytes))) = self.some_envelope() {
            let mut damaged = bytes.to_vec();
            let bit = at % (damaged.len() as u64 * 8);
            damaged[(bit / 8) as usize] ^= 1 << (bit % 8);
            *bytes = damaged.into();
            self.book.fault("damage");
        }
    }

    /// An envelope that has arrived and was not taken yet.
    fn some_envelope(&mut self) -> Option<(usize, usize, u64, &mut Frame)> {
        let mut arrived = self.net.arrived(self.mono);
        arrived.retain(|&(.., stream)| stream > 0);
        if arrived.is_empty() {
            return None;
        }
        let way = arrived[self.random.index(arrived.len())];
        let (session, frame) = self.net.head(way)?;
        Some((way.0, way.1, session, frame))
    }

    fn wait(&mut self) {
        let long = match self.random.below(20) {
            0 => Some(self.random.below(120_000)),
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

    fn crash_somehow(&mut self, n: usize) {
        if self.nodes[n].life.is_none() {
            return;
        }
        let idle = self.nodes[n]
            .life
            .as_ref()
            .is_some_and(|l| l.steps.is_empty());
        let end = match self.random.below(5) {
            _ if idle => End::Idle,
            0 => End::Idle,
            1 => End::Telling(self.random.index(6)),
            // A write and a sync; a third only where a segment ends.
            _ => End::Writing(self.random.below(3)),
        };
        self.crash(n, end);
    }
}
