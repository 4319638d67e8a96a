//! What may happen in a run, and how often: phases with weights, some without any fault of a kind.

use crate::{
    Random, Scenario,
    linking::{WINDOWS, window},
    world::RELAY,
};
use abeng_link::session::Window;

/// One thing that may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
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
    Reset,
    OneWay,
    Crash,
    Stall,
    Repeat,
    Replay,
    Damage,
    Skew,
    Years,
    DiskError,
    Fill,
    Free,
    /// The other copy of a disk is started.
    Swap,
    /// An operator looks at a node.
    Operate,
}

/// What a phase begins with, at the node that it happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    Nothing,
    /// A backup is taken.
    BackUp,
    /// The disk is lost; the backup is put back, or there are keys alone.
    Restore,
    /// The backup is started as it is, and from then on both copies run in turns.
    Copies,
    /// Its operator opens a new life of the copy that runs.
    NewLife,
    /// The copy that is in an older life than the other is started.
    OldLife,
    /// A while in which everything gets done.
    Calm,
    /// The disk is copied between two processes, and the first of two copies that are alike is started.
    Twins,
    /// The second of them: neither has been shown the other.
    Twin,
    /// The two meet the same peers from now on.
    TwinsMeet,
}

/// A part of a run.
#[derive(Debug, Clone)]
pub(crate) struct Phase {
    pub(crate) begin: Begin,
    /// What it is, for the coverage; none for ordinary times.
    pub(crate) what: Option<&'static str>,
    pub(crate) steps: u64,
    /// Nodes between which there is no path.
    pub(crate) barred: Vec<(usize, usize)>,
    /// It takes at least this long, in simulated milliseconds.
    pub(crate) lasts_ms: u64,
    /// The longest single wait, in milliseconds.
    pub(crate) wait_ms: u64,
    weights: Vec<(Act, u64)>,
}

/// What kind of run it is.
#[derive(Debug)]
pub(crate) struct Weather {
    pub(crate) scenario: Scenario,
    /// Nodes in this run.
    pub(crate) nodes: usize,
    /// Notices still to be handed in.
    pub(crate) notices: u64,
    /// Whether the relay relays, and means ill.
    pub(crate) ways: Ways,
    /// A node that hardly gets anything done.
    pub(crate) slow: Option<usize>,
    /// The node whose disk is lost, or copied.
    pub(crate) victim: usize,
    /// The longest delay of a frame, in milliseconds.
    slowest_ms: u64,
    /// What nodes take on a link before they have looked at anything.
    pub(crate) window: Window,
    pub(crate) phases: Vec<Phase>,
}

/// What the relay does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ways {
    /// It relays.
    pub(crate) relays: bool,
    /// It drops, keeps back and shuffles what it carries.
    pub(crate) malicious: bool,
}

/// Where much is to have happened between two events.
const BUSY: &[(Act, u64)] = &[
    (Act::Deliver, 500),
    (Act::Work, 300),
    (Act::Commit, 150),
    (Act::Link, 120),
];

const DAY_MS: u64 = 86_400_000;

impl Weather {
    pub(crate) fn new(scenario: Scenario, random: &mut Random) -> Self {
        let mut weather = Self {
            scenario,
            nodes: 3,
            notices: 10 + random.below(60),
            ways: Ways::default(),
            slow: None,
            victim: 0,
            slowest_ms: [5, 100, 2_000, 40_000][random.index(4)],
            window: window(WINDOWS[random.index(WINDOWS.len())]),
            phases: Vec::new(),
        };
        match scenario {
            Scenario::Mixed => {
                let steps = 300 + random.below(900);
                let weights = mixture(random, &[]);
                weather.phases.push(Phase::of(steps, weights));
            }
            Scenario::Hurricane => weather.hurricane(random),
            Scenario::Islands => weather.islands(random),
            Scenario::Flapping => {
                let often = [(Act::Cut, 200), (Act::Reset, 40), (Act::Link, 250)];
                let weights = mixture(random, &often);
                weather.slowest_ms = [100, 2_000][random.index(2)];
                weather.phases.push(Phase::of(800, weights));
            }
            Scenario::FullDisk => {
                let often = [(Act::Fill, 15), (Act::Free, 8), (Act::Prepare, 20)];
                let weights = mixture(random, &often);
                weather.notices = 60 + random.below(60);
                weather.phases.push(Phase::of(900, weights));
            }
            Scenario::Clocks => {
                let weights = mixture(random, &[(Act::Years, 12), (Act::Skew, 12)]);
                weather.phases.push(Phase::of(700, weights));
            }
            Scenario::MaliciousRelay => weather.malicious_relay(random),
            Scenario::Restored => weather.restored(random),
            Scenario::Clone => weather.copies(random),
            Scenario::SlowPeer => {
                weather.slow = Some(random.index(weather.nodes));
                let weights = mixture(random, &[(Act::Stall, 30), (Act::Wait, 200)]);
                let phase = Phase::of(900, weights);
                weather.phases.push(phase);
            }
        }
        weather
    }

    /// Some days of quiet, ten days in which one or two nodes have no link, then one comes back
    /// after the other.
    fn hurricane(&mut self, random: &mut Random) {
        self.nodes = 4;
        self.notices = 80 + random.below(120);
        let weights = mixture(random, &[]);
        let first = random.index(self.nodes);
        let second = (first + 1 + random.index(self.nodes - 1)) % self.nodes;
        let mut cut: Vec<usize> = vec![first, second];
        cut.truncate(1 + random.index(2));
        self.phases.push(Phase::of(150, weights.clone()));
        self.phases.push(Phase {
            what: Some("ten days without a link"),
            barred: self.around(&cut),
            lasts_ms: 10 * DAY_MS,
            wait_ms: DAY_MS,
            ..Phase::of(500, weights.clone())
        });
        while cut.pop().is_some() {
            self.phases.push(Phase {
                what: Some("staggered return"),
                barred: self.around(&cut),
                ..Phase::of(150, weights.clone())
            });
        }
    }

    /// Every pair of which one is in `cut`.
    fn around(&self, cut: &[usize]) -> Vec<(usize, usize)> {
        let all = (0..self.nodes).flat_map(|a| (a + 1..self.nodes).map(move |b| (a, b)));
        all.filter(|(a, b)| cut.contains(a) || cut.contains(b))
            .collect()
    }

    /// Four nodes, two and two.
    fn islands(&mut self, random: &mut Random) {
        self.nodes = 4;
        self.notices = 40 + random.below(80);
        let weights = mixture(random, &[]);
        let friend = 1 + random.index(3);
        let same = |n: usize| n == 0 || n == friend;
        let all = self.around(&[0, 1, 2, 3]).into_iter();
        let barred = all.filter(|&(a, b)| same(a) != same(b)).collect();
        self.phases.push(Phase::of(100, weights.clone()));
        self.phases.push(Phase {
            what: Some("partition"),
            barred,
            lasts_ms: 2 * DAY_MS,
            wait_ms: 3_600_000,
            ..Phase::of(500, weights.clone())
        });
        self.phases.push(Phase::of(150, weights));
    }

    /// For hours nobody is linked with anybody but the relay.
    fn malicious_relay(&mut self, random: &mut Random) {
        self.nodes = 3 + random.index(2);
        self.notices = 80 + random.below(80);
        self.ways = Ways {
            relays: true,
            malicious: random.per_mille(750),
        };
        let weights = mixture(
            random,
            &[(Act::Replay, 60), (Act::Link, 200), (Act::Deliver, 400)],
        );
        let others: Vec<usize> = (0..self.nodes).filter(|&n| n != RELAY).collect();
        let mut barred = self.around(&others);
        barred.retain(|&(a, b)| a != RELAY && b != RELAY);
        self.phases.push(Phase {
            what: Some("only a relay between"),
            barred,
            lasts_ms: 6 * 3_600_000,
            wait_ms: 600_000,
            ..Phase::of(1500, weights.clone())
        });
        self.phases.push(Phase::of(100, weights));
    }

    /// A backup is taken, work goes on, the disk is lost; sometimes once more.
    fn restored(&mut self, random: &mut Random) {
        self.victim = random.index(self.nodes);
        self.notices = 50 + random.below(60);
        let weights = mixture(random, &[BUSY, &[(Act::Operate, 10)]].concat());
        let mut phases = vec![
            (Begin::Nothing, 200),
            (Begin::BackUp, 350),
            (Begin::Restore, 250),
        ];
        if random.per_mille(300) {
            phases.push((Begin::Restore, 150));
        }
        for (begin, steps) in phases {
            self.phases.push(Phase {
                begin,
                ..Phase::of(steps, weights.clone())
            });
        }
    }

    /// An older copy of a disk is started as it is, and then one of the two at a time.
    fn copies(&mut self, random: &mut Random) {
        self.victim = random.index(self.nodes);
        self.notices = 50 + random.below(60);
        let quiet = mixture(random, BUSY);
        let often = [(Act::Swap, 10), (Act::Operate, 40)];
        let weights = mixture(random, &[BUSY, &often].concat());
        if random.per_mille(400) {
            return self.twins(&quiet, &weights);
        }
        for (begin, steps, weights) in [
            (Begin::Nothing, 200, &quiet),
            (Begin::BackUp, 300, &quiet),
            (Begin::Copies, 300, &weights),
            (Begin::NewLife, 60, &quiet),
            (Begin::OldLife, 60, &quiet),
            (Begin::Calm, 1, &quiet),
        ] {
            self.phases.push(Phase {
                begin,
                ..Phase::of(steps, weights.clone())
            });
        }
    }

    /// Two copies of a disk are started at the same instant, each reaches another peer, and both work and
    /// sign before either is shown the other.
    fn twins(&mut self, quiet: &[(Act, u64)], weights: &[(Act, u64)]) {
        let others: Vec<usize> = (0..self.nodes).filter(|&n| n != self.victim).collect();
        let away = |n: usize| vec![(n.min(self.victim), n.max(self.victim))];
        let phases = [
            (Begin::Nothing, 150, quiet, Vec::new()),
            (Begin::Twins, 120, quiet, away(others[0])),
            (Begin::Twin, 120, quiet, away(others[1])),
            (Begin::TwinsMeet, 250, weights, Vec::new()),
            (Begin::Calm, 1, quiet, Vec::new()),
        ];
        let phases = phases.map(|(begin, steps, weights, barred)| Phase {
            begin,
            barred,
            ..Phase::of(steps, weights.to_vec())
        });
        self.phases.extend(phases);
    }

    /// Whether a power cut may come within a sector.
    pub(crate) fn tears(&self) -> bool {
        matches!(self.scenario, Scenario::Restored | Scenario::Clone)
    }

    /// Whether disks are lost and put back, rather than copied.
    pub(crate) fn restores(&self) -> bool {
        self.scenario == Scenario::Restored
    }

    /// The faults stop.
    pub(crate) fn clear(&mut self) {
        self.ways.malicious = false;
        self.slowest_ms = 5;
        self.slow = None;
    }

    pub(crate) fn delay_ms(&self, random: &mut Random) -> u64 {
        1 + random.below(self.slowest_ms)
    }
}

impl Phase {
    fn of(steps: u64, weights: Vec<(Act, u64)>) -> Self {
        Self {
            begin: Begin::Nothing,
            what: None,
            steps,
            barred: Vec::new(),
            lasts_ms: 0,
            wait_ms: 120_000,
            weights,
        }
    }

    pub(crate) fn pick(&self, random: &mut Random) -> Act {
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

/// Weights of everything, with some kinds of fault left out, and what a scenario is about on top.
fn mixture(random: &mut Random, often: &[(Act, u64)]) -> Vec<(Act, u64)> {
    let mut rate = |most| match random.below(4) {
        0 => 0,
        _ => 1 + random.below(most),
    };
    let faults = [
        (Act::Cut, rate(30)),
        (Act::Reset, rate(10)),
        (Act::OneWay, rate(6)),
        (Act::Crash, rate(25)),
        (Act::Stall, rate(15)),
        (Act::Repeat, rate(60)),
        (Act::Replay, rate(40)),
        (Act::Damage, rate(15)),
        (Act::Skew, rate(10)),
        (Act::DiskError, rate(6)),
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
    weights.extend_from_slice(often);
    weights
}
