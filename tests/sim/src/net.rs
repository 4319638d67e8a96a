//! Links: ordered streams, one per precedence and one for control, each way. They are delayed
//! and stalled; a cut loses what is on them.

use abeng_wire::Mono;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What travels.
#[derive(Debug, Clone)]
pub(crate) enum Frame {
    /// An encoded envelope.
    Envelope(Bytes),
    /// An encoded control frame.
    Control(Bytes),
}

/// A frame on its way out of a node.
#[derive(Debug)]
pub(crate) struct Out {
    pub(crate) to: usize,
    /// The link it was meant for; none where any will do.
    pub(crate) session: Option<u64>,
    /// 0 for control, else the precedence.
    pub(crate) stream: u8,
    pub(crate) frame: Frame,
}

/// From, to, stream.
pub(crate) type Way = (usize, usize, u8);

#[derive(Debug, Default)]
struct Link {
    session: u64,
    since: Mono,
    streams: BTreeMap<Way, VecDeque<(Mono, Frame)>>,
    // From, to: the receiver has believed the sender's hello, and reads its envelopes.
    open: BTreeSet<(usize, usize)>,
}

/// All links.
#[derive(Debug, Default)]
pub(crate) struct Net {
    // By pair, lower first.
    links: BTreeMap<(usize, usize), Link>,
    // Ways on which nothing arrives before a time, whatever link there is.
    stalled: BTreeMap<(usize, usize), Mono>,
    sessions: u64,
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

impl Net {
    /// The link of two nodes.
    pub(crate) fn session(&self, a: usize, b: usize) -> Option<u64> {
        self.links.get(&pair(a, b)).map(|link| link.session)
    }

    /// Links two nodes that are not linked.
    pub(crate) fn up(&mut self, a: usize, b: usize, since: Mono) -> u64 {
        self.sessions += 1;
        let link = Link {
            session: self.sessions,
            since,
            ..Link::default()
        };
        self.links.insert(pair(a, b), link);
        self.sessions
    }

    /// `to` reads envelopes of `from` from now on.
    pub(crate) fn open(&mut self, from: usize, to: usize) {
        if let Some(link) = self.links.get_mut(&pair(from, to)) {
            link.open.insert((from, to));
        }
    }

    /// Links older than `before` on which a hello has not come yet.
    pub(crate) fn unanswered(&self, before: Mono) -> Vec<(usize, usize)> {
        let slow = |link: &&Link| link.open.len() < 2 && link.since < before;
        let links = self.links.iter().filter(|(_, link)| slow(link));
        links.map(|(&pair, _)| pair).collect()
    }

    /// Ends a link: its name, and how many frames are lost with it.
    pub(crate) fn cut(&mut self, a: usize, b: usize) -> Option<(u64, usize)> {
        let link = self.links.remove(&pair(a, b))?;
        let lost = link.streams.values().map(VecDeque::len).sum();
        Some((link.session, lost))
    }

    /// Nothing that `from` sends arrives before `until`.
    pub(crate) fn stall(&mut self, from: usize, to: usize, until: Mono) {
        let stalled = self.stalled.entry((from, to)).or_insert(until);
        *stalled = until.max(*stalled);
    }

    /// Every stall ends.
    pub(crate) fn free(&mut self) {
        self.stalled.clear();
    }

    /// A stream is reset: what is on it is lost. How much that was.
    pub(crate) fn reset(&mut self, way: Way) -> usize {
        let link = self.links.get_mut(&pair(way.0, way.1));
        let stream = link.and_then(|link| link.streams.remove(&way));
        stream.map_or(0, |stream| stream.len())
    }

    /// Streams that hold something.
    pub(crate) fn busy(&self) -> Vec<Way> {
        self.heads().map(|(way, _)| way).collect()
    }

    /// Puts a frame on the link it is meant for; false where that is gone.
    pub(crate) fn send(&mut self, from: usize, out: Out, due: Mono) -> bool {
        let link = self.links.get_mut(&pair(from, out.to));
        let meant = |link: &&mut Link| out.session.is_none_or(|s| s == link.session);
        let Some(link) = link.filter(meant) else {
            return false;
        };
        let stream = link.streams.entry((from, out.to, out.stream)).or_default();
        let after = stream.back().map_or(due, |(before, _)| due.max(*before));
        stream.push_back((after, out.frame));
        true
    }

    /// The first frame of every stream, with the time at which it arrives.
    fn heads(&self) -> impl Iterator<Item = (Way, Mono)> {
        self.links.values().flat_map(|link| {
            link.streams.iter().filter_map(|(&way, stream)| {
                let (due, _) = stream.front()?;
                let reads = way.2 == 0 || link.open.contains(&(way.0, way.1));
                if !reads {
                    return None;
                }
                let stalled = self.stalled.get(&(way.0, way.1));
                Some((way, stalled.map_or(*due, |until| *due.max(until))))
            })
        })
    }

    /// Streams on which something has arrived.
    pub(crate) fn arrived(&self, now: Mono) -> Vec<Way> {
        let arrived = self.heads().filter(|&(_, due)| due <= now);
        arrived.map(|(way, _)| way).collect()
    }

    /// When the next frame arrives.
    pub(crate) fn next(&self) -> Option<Mono> {
        self.heads().map(|(_, due)| due).min()
    }

    /// Takes the first frame off a stream.
    pub(crate) fn take(&mut self, way: Way) -> Option<(u64, Frame)> {
        let link = self.links.get_mut(&pair(way.0, way.1))?;
        let (_, frame) = link.streams.get_mut(&way)?.pop_front()?;
        Some((link.session, frame))
    }

    /// The first frame of a stream.
    pub(crate) fn head(&mut self, way: Way) -> Option<(u64, &mut Frame)> {
        let link = self.links.get_mut(&pair(way.0, way.1))?;
        let (_, frame) = link.streams.get_mut(&way)?.front_mut()?;
        Some((link.session, frame))
    }
}
