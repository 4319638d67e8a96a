//! QUIC as links use it, over a slow path in virtual time: the real state machine of quinn and the
//! real transport settings, without a socket or a clock. A run takes as long as the processor
//! needs and gives the same figures every time.

use crate::{
    Profile, socket,
    tls::{self, Identity},
};
use bytes::{Bytes, BytesMut};
use quinn_proto::{
    Connection, ConnectionHandle, DatagramEvent, Dir, Endpoint, EndpointConfig, Event, Incoming,
    ReadError, ReadableError, ServerConfig, StreamEvent, StreamId, Transmit, WriteError,
};
use std::{
    collections::{BTreeMap, BinaryHeap},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

/// What lies between two nodes, the same in both directions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    /// Bits that pass in a second.
    pub(super) rate: u64,
    /// From the far end of the bottleneck to the peer.
    pub(super) one_way: Duration,
    /// Bytes that wait before the bottleneck; what comes on top is lost.
    pub(super) buffer: u64,
}

/// Headers of IP and UDP, in bytes.
const HEADERS: u64 = 28;

/// One direction of a path.
struct Direction {
    path: Path,
    free_at: Instant,
}

impl Direction {
    /// When a datagram that is sent now arrives; `None` where it is lost.
    fn carry(&mut self, now: Instant, length: usize) -> Option<Instant> {
        let length = length as u64 + HEADERS;
        let waits = self.free_at.saturating_duration_since(now);
        let queued = (waits.as_nanos() as u64).saturating_mul(self.path.rate) / 8 / 1_000_000_000;
        if queued + length > self.path.buffer {
            return None;
        }
        let passes = Duration::from_nanos(length * 8 * 1_000_000_000 / self.path.rate);
        self.free_at = self.free_at.max(now) + passes;
        Some(self.free_at + self.path.one_way)
    }
}

/// A datagram on its way: the earliest first, and of two the one sent first.
#[derive(PartialEq, Eq)]
struct OnTheWay {
    at: Instant,
    nth: u64,
    to: usize,
    data: Vec<u8>,
}

impl Ord for OnTheWay {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.at, other.nth).cmp(&(self.at, self.nth))
    }
}

impl PartialOrd for OnTheWay {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// One end.
struct End {
    addr: SocketAddr,
    endpoint: Endpoint,
    connection: Option<(ConnectionHandle, Connection)>,
    out: Direction,
    /// Bytes that are still to be handed to QUIC, by stream: chunks made on demand.
    waiting: BTreeMap<StreamId, u64>,
    /// Bytes read, by stream.
    read: BTreeMap<StreamId, u64>,
    lost: u64,
}

/// A dialler (0) and an acceptor (1) with one connection.
pub(super) struct Pair {
    ends: [End; 2],
    pub(super) now: Instant,
    on_the_way: BinaryHeap<OnTheWay>,
    sent: u64,
}

impl Pair {
    pub(super) fn new(
        path: Path,
        profile: Profile,
        dialler: &Identity,
        acceptor: &Identity,
    ) -> Self {
        let now = Instant::now();
        let settings = profile.settings();
        let mut server = ServerConfig::with_crypto(Arc::new(acceptor.acceptor().unwrap()));
        server.transport_config(Arc::new(socket::transport(
            &settings,
            socket::Side::Acceptor,
        )));
        let end = |port: u16, server: Option<ServerConfig>| {
            let mut config = EndpointConfig::default();
            config.rng_seed(Some([port as u8; 32]));
            End {
                addr: ([127, 0, 0, 1], port).into(),
                endpoint: Endpoint::new(Arc::new(config), server.map(Arc::new), true, None),
                connection: None,
                out: Direction { path, free_at: now },
                waiting: BTreeMap::new(),
                read: BTreeMap::new(),
                lost: 0,
            }
        };
        let mut pair = Self {
            ends: [end(1, None), end(2, Some(server))],
            now,
            on_the_way: BinaryHeap::new(),
            sent: 0,
        };
        let to = pair.ends[1].addr;
        let config = socket::dialling(dialler.trust_dialler().unwrap(), &settings);
        let made = pair.ends[0]
            .endpoint
            .connect(now, config, to, tls::SERVER_NAME);
        pair.ends[0].connection = Some(made.unwrap());
        pair.settle();
        pair
    }

    pub(super) fn connection(&self, end: usize) -> &Connection {
        &self.ends[end].connection.as_ref().unwrap().1
    }

    pub(super) fn lost(&self) -> u64 {
        self.ends.iter().map(|end| end.lost).sum()
    }

    /// Opens a stream one way from the dialler.
    pub(super) fn open(&mut self, priority: i32) -> StreamId {
        let connection = &mut self.ends[0].connection.as_mut().unwrap().1;
        let id = connection.streams().open(Dir::Uni).unwrap();
        connection.send_stream(id).set_priority(priority).unwrap();
        id
    }

    /// Gives the dialler bytes to send on a stream.
    pub(super) fn send(&mut self, stream: StreamId, length: u64) {
        *self.ends[0].waiting.entry(stream).or_default() += length;
        self.settle();
    }

    /// Bytes of a stream that the acceptor has read.
    pub(super) fn arrived(&self, stream: StreamId) -> u64 {
        self.ends[1].read.get(&stream).copied().unwrap_or(0)
    }

    /// Lets time pass until `done`, or until `limit`. False: the limit came first.
    pub(super) fn run(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let limit = self.now + limit;
        while !done(self) {
            let datagram = self.on_the_way.peek().map(|next| next.at);
            let timers = self.ends.iter_mut().filter_map(|end| {
                let (_, connection) = end.connection.as_mut()?;
                connection.poll_timeout()
            });
            let next = timers.chain(datagram).min().unwrap_or(limit);
            if next > limit {
                self.now = limit;
                return false;
            }
            self.now = self.now.max(next);
            self.settle();
        }
        true
    }

    /// Everything that can be done at this moment.
    fn settle(&mut self) {
        loop {
            let mut busy = false;
            while self
                .on_the_way
                .peek()
                .is_some_and(|next| next.at <= self.now)
            {
                let Some(arrived) = self.on_the_way.pop() else {
                    break;
                };
                busy = true;
                self.take(arrived);
            }
            for nth in 0..2 {
                busy |= self.ends[nth].work(self.now);
                while let Some(data) = self.ends[nth].transmit(self.now) {
                    busy = true;
                    self.put(nth, data);
                }
            }
            if !busy {
                return;
            }
        }
    }

    fn put(&mut self, from: usize, data: Vec<u8>) {
        let end = &mut self.ends[from];
        let Some(at) = end.out.carry(self.now, data.len()) else {
            end.lost += 1;
            return;
        };
        self.sent += 1;
        self.on_the_way.push(OnTheWay {
            at,
            nth: self.sent,
            to: 1 - from,
            data,
        });
    }

    fn take(&mut self, arrived: OnTheWay) {
        let from = self.ends[1 - arrived.to].addr;
        let now = self.now;
        let end = &mut self.ends[arrived.to];
        let mut out = Vec::new();
        let data = BytesMut::from(&arrived.data[..]);
        match end.endpoint.handle(now, from, None, None, data, &mut out) {
            Some(DatagramEvent::ConnectionEvent(_, event)) => {
                if let Some((_, connection)) = &mut end.connection {
                    connection.handle_event(event);
                }
            }
            Some(DatagramEvent::NewConnection(incoming)) => end.accept(incoming, now),
            Some(DatagramEvent::Response(_)) | None => {}
        }
    }
}

impl End {
    fn accept(&mut self, incoming: Incoming, now: Instant) {
        let mut out = Vec::new();
        let accepted = self.endpoint.accept(incoming, now, &mut out, None);
        self.connection = Some(accepted.unwrap_or_else(|e| panic!("{}", e.cause)));
    }

    /// Timers, events, reading, writing. Whether anything happened.
    fn work(&mut self, now: Instant) -> bool {
        let Some((handle, connection)) = &mut self.connection else {
            return false;
        };
        let mut busy = false;
        if connection.poll_timeout().is_some_and(|at| at <= now) {
            connection.handle_timeout(now);
            busy = true;
        }
        while let Some(event) = connection.poll_endpoint_events() {
            if let Some(answer) = self.endpoint.handle_event(*handle, event) {
                connection.handle_event(answer);
            }
            busy = true;
        }
        while let Some(event) = connection.poll() {
            busy = true;
            match event {
                Event::ConnectionLost { reason } => panic!("the connection is lost: {reason}"),
                Event::Stream(StreamEvent::Opened { dir }) => {
                    while let Some(id) = connection.streams().accept(dir) {
                        self.read.insert(id, 0);
                    }
                }
                _ => {}
            }
        }
        for (&id, read) in &mut self.read {
            *read += drain(connection, id);
        }
        for (&id, left) in &mut self.waiting {
            busy |= fill(connection, id, left);
        }
        busy
    }

    fn transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        let (_, connection) = self.connection.as_mut()?;
        let mut data = Vec::new();
        let sent: Transmit = connection.poll_transmit(now, 1, &mut data)?;
        data.truncate(sent.size);
        Some(data)
    }
}

/// Reads all that has come on a stream.
fn drain(connection: &mut Connection, id: StreamId) -> u64 {
    let mut stream = connection.recv_stream(id);
    let mut chunks = match stream.read(true) {
        Ok(chunks) => chunks,
        Err(ReadableError::ClosedStream) => return 0,
        Err(e) => panic!("{e}"),
    };
    let mut read = 0;
    loop {
        match chunks.next(usize::MAX) {
            Ok(Some(chunk)) => read += chunk.bytes.len() as u64,
            Ok(None) | Err(ReadError::Blocked) => break,
            Err(e) => panic!("{e}"),
        }
    }
    let _ = chunks.finalize();
    read
}

/// Hands QUIC what it takes of a stream.
fn fill(connection: &mut Connection, id: StreamId, left: &mut u64) -> bool {
    static ZEROS: [u8; 16 << 10] = [0; 16 << 10];
    let mut busy = false;
    while *left > 0 {
        let length = (*left).min(ZEROS.len() as u64) as usize;
        let mut chunk = [Bytes::from_static(&ZEROS[..length])];
        match connection.send_stream(id).write_chunks(&mut chunk) {
            Ok(written) => {
                *left -= written.bytes as u64;
                busy = true;
            }
            Err(WriteError::Blocked) => break,
            Err(e) => panic!("{e}"),
        }
    }
    busy
}
