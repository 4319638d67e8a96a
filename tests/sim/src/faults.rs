//! Faults, as they are injected.

use crate::{net::Frame, node::End, run::Sim, weather::Act, world::RELAY};

const YEAR_MS: i64 = 365 * 86_400_000;

impl Sim {
    /// Something goes wrong at a node, or between it and another.
    pub(crate) fn fault(&mut self, act: Act, n: usize, other: usize) {
        match act {
            Act::Cut => self.cut_off(n, other),
            Act::Reset => self.reset(),
            Act::OneWay => {
                self.book.fault("one-way");
                let until = self.mono.plus_ms(60_000 + self.random.below(3_600_000));
                self.net.stall(n, other, until);
            }
            Act::Crash => self.crash_somehow(n),
            Act::Stall => {
                self.book.fault("stall");
                let until = self.mono.plus_ms(self.random.below(90_000));
                self.net.stall(n, other, until);
            }
            Act::Repeat => self.repeat(),
            Act::Replay => self.replay(),
            Act::Damage => self.damage(),
            Act::Skew => {
                self.book.fault("skew");
                self.skew[n] = self.random.below(1_200_000) as i64 - 600_000;
            }
            Act::Years => {
                let years = 1 + self.random.below(5) as i64;
                let ahead = self.random.per_mille(500);
                self.book.fault(match ahead {
                    true => "clock years ahead",
                    false => "clock years behind",
                });
                self.skew[n] = years * YEAR_MS * if ahead { 1 } else { -1 };
            }
            Act::DiskError => {
                self.book.fault("disk error");
                self.nodes[n].break_disk(&mut self.random);
            }
            Act::Fill => {
                self.book.fault("disk full");
                self.nodes[n].fill_disk();
            }
            Act::Free => self.make_room(n),
            _ => {}
        }
    }

    fn cut_off(&mut self, n: usize, other: usize) {
        if self.net.session(n, other).is_some() {
            self.book.fault("cut");
            self.cut(n, other);
        }
    }

    fn make_room(&mut self, n: usize) {
        if self.nodes[n].free_disk() {
            self.book.fault("disk freed");
        }
    }

    /// A stream is reset: what is on it is lost, and the link ends. What has arrived on the other
    /// streams is taken before.
    fn reset(&mut self) {
        let busy = self.net.busy();
        if busy.is_empty() {
            return;
        }
        let way = busy[self.random.index(busy.len())];
        self.book.fault("stream reset");
        if self.net.reset(way) > 0 {
            self.book.meet("stream reset with frames in flight");
        }
        let (from, to, _) = way;
        let ours = |way: &(usize, usize, u8)| (way.0, way.1) == (from, to);
        for way in self.net.arrived(self.mono).into_iter().filter(ours) {
            if let Some((session, frame)) = self.net.take(way) {
                self.deliver(from, to, session, frame);
            }
        }
        self.cut(from, to);
    }

    /// Somebody shows an envelope again that was on its way long ago.
    fn replay(&mut self) {
        if self.sent.is_empty() {
            return;
        }
        let at = self.random.index(self.sent.len());
        let (from, mut to, life, bytes) = self.sent[at].clone();
        // Sometimes to somebody it is not for.
        if self.random.per_mille(200) {
            to = self.random.index(self.nodes.len());
        }
        if self.nodes[to].life.is_none() {
            return;
        }
        self.book.fault("replay");
        if self.nodes[to].lives > life {
            self.book.meet("replay of an older life");
        }
        let from = match self.weather.ways.malicious && to != RELAY && from != to {
            true => RELAY,
            false => from,
        };
        // On no link: nothing of it is counted.
        self.deliver(from, to, 0, Frame::Envelope(bytes));
    }

    /// An envelope comes twice.
    fn repeat(&mut self) {
        if let Some((from, to, _, frame)) = self.some_envelope() {
            let frame = frame.clone();
            self.book.fault("repeat");
            // As from elsewhere: it costs no credit.
            self.deliver(from, to, 0, frame);
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

    fn crash_somehow(&mut self, n: usize) {
        if self.nodes[n].life.is_none() {
            return;
        }
        let idle = self.nodes[n]
            .life
            .as_ref()
            .is_some_and(|l| l.steps.is_empty());
        let end = match self.random.below(6) {
            // A creation, a write and a sync, twice again, a rename, a directory.
            5 => End::Preparing(self.random.below(7)),
            _ if idle => End::Idle,
            0 => End::Idle,
            1 => End::Telling(self.random.index(6)),
            // A write and a sync; a third only where a segment ends.
            _ => End::Writing(self.random.below(3)),
        };
        self.crash(n, end);
    }
}
