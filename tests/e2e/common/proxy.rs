//! A bad line between real nodes: a UDP proxy that loses, delays, reorders, repeats, throttles and
//! cuts. It stands at the addresses of the roster; the nodes themselves listen on ports of their
//! own, so that everything they send each other passes here.
//!
//! A node dials from the port it listens on: the proxy knows whose datagram it holds, and each
//! direction between two parties has a [`Line`] of its own. The fate of the nth datagram of a
//! direction depends on the seed alone; which datagram that is depends on the machine.

use super::{Network, free_ports};
use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};
use tokio::{
    net::UdpSocket,
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::Instant,
};

/// Larger than any datagram of QUIC on loopback.
const DATAGRAM: usize = 65_536;

/// One direction of a line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Line {
    /// Of 1,000 datagrams so many are lost.
    pub loss_permille: u32,
    /// Of 1,000 datagrams so many arrive twice.
    pub repeat_permille: u32,
    /// What each datagram needs.
    pub delay: Duration,
    /// What some need in addition, evenly spread: more than the gap between two reorders them.
    pub jitter: Duration,
    /// What the line carries; `None`: as much as the machine.
    pub bytes_per_second: Option<u32>,
    /// What waits before a throttled line; what does not fit is lost. 0: nothing is throttled away.
    pub queue_bytes: u32,
    /// Nothing passes.
    pub cut: bool,
}

/// What the proxy has done, over all lines.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Datagrams that were passed on.
    pub passed: u64,
    /// Lost by chance.
    pub lost: u64,
    /// Lost since the line was cut.
    pub cut: u64,
    /// Lost since the queue of a throttled line was full.
    pub overflowed: u64,
    /// Passed on twice.
    pub repeated: u64,
    /// Passed on after one that came later.
    pub overtaken: u64,
}

/// The proxy before all nodes of a network. Dropping it frees its ports and cuts all lines.
pub struct Proxy {
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// Who sends and who receives; a stranger has no name.
type Way = (String, String);

struct State {
    seed: u64,
    /// The port a node listens on and dials from, and its party.
    parties: BTreeMap<SocketAddr, String>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    usual: Line,
    lines: BTreeMap<Way, Line>,
    ways: BTreeMap<Way, Traffic>,
    counts: Counts,
}

/// What has happened on one way.
struct Traffic {
    chance: u64,
    /// When a throttled line has sent all that waits.
    free_at: Instant,
    /// The latest arrival so far.
    latest: Instant,
}

impl Proxy {
    /// Moves every node of the network to a port of its own and stands at its address. Before any
    /// of them is started.
    pub fn before(network: &Network, codes: &[&str], seed: u64) -> Self {
        let ports = free_ports(codes.len());
        let mut parties = BTreeMap::new();
        let mut fronts = Vec::new();
        for (code, port) in codes.iter().zip(ports..) {
            let node = network.node(code);
            let front = node.link();
            let own: SocketAddr = format!("127.0.0.1:{port}").parse().unwrap();
            node.configure(|toml| {
                let was = format!("listen = \"{front}\"");
                assert!(toml.contains(&was), "{toml}");
                toml.replacen(&was, &format!("listen = \"{own}\""), 1)
            });
            parties.insert(own, (*code).to_owned());
            let socket = std::net::UdpSocket::bind(front).unwrap();
            socket.set_nonblocking(true).unwrap();
            fronts.push((socket, own));
        }
        let state = Arc::new(State {
            seed,
            parties,
            inner: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&state);
        // A thread of its own: a test that waits for a command must not stop the network.
        let thread = thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build().unwrap();
            runtime.block_on(async {
                let mut tasks = JoinSet::new();
                for (socket, own) in fronts {
                    let socket = UdpSocket::from_std(socket).unwrap();
                    tasks.spawn(stand(Arc::clone(&shared), socket, own));
                }
                let _ = stopped.await;
            });
        });
        Self {
            state,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// All lines are like this one, in both directions, whatever was said of single ones.
    pub fn all(&self, line: Line) {
        let mut inner = self.state.lock();
        inner.usual = line;
        inner.lines.clear();
    }

    /// One direction.
    pub fn one_way(&self, from: &str, to: &str, line: Line) {
        let way = (from.to_owned(), to.to_owned());
        self.state.lock().lines.insert(way, line);
    }

    /// Both directions between two.
    pub fn between(&self, one: &str, other: &str, line: Line) {
        self.one_way(one, other, line);
        self.one_way(other, one, line);
    }

    /// Nothing passes between two until [`Proxy::restore`].
    pub fn cut(&self, one: &str, other: &str) {
        self.change(one, other, |line| line.cut = true);
    }

    /// The line is again what it was.
    pub fn restore(&self, one: &str, other: &str) {
        self.change(one, other, |line| line.cut = false);
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        self.state.lock().counts
    }

    fn change(&self, one: &str, other: &str, change: impl Fn(&mut Line)) {
        let mut inner = self.state.lock();
        let usual = inner.usual;
        for (from, to) in [(one, other), (other, one)] {
            let way = (from.to_owned(), to.to_owned());
            change(inner.lines.entry(way).or_insert(usual));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    fn party(&self, at: SocketAddr) -> String {
        self.parties.get(&at).cloned().unwrap_or_default()
    }

    /// When a datagram of this length that is on its way now arrives: never, once, or twice.
    fn arrivals(&self, way: &Way, length: usize) -> [Option<Instant>; 2] {
        let inner = &mut *self.lock();
        let line = *inner.lines.get(way).unwrap_or(&inner.usual);
        let now = Instant::now();
        let traffic = inner.ways.entry(way.clone()).or_insert_with(|| Traffic {
            chance: seed_of(self.seed, way),
            free_at: now,
            latest: now,
        });
        // Drawn in any case: a line that is cut for a while goes on as without the cut.
        let [lost, repeated, late] = [(); 3].map(|()| draw(&mut traffic.chance));
        if line.cut {
            inner.counts.cut += 1;
            return [None; 2];
        }
        if lost % 1000 < u64::from(line.loss_permille) {
            inner.counts.lost += 1;
            return [None; 2];
        }
        let mut leaves = now;
        if let Some(rate) = line.bytes_per_second {
            let needs = |bytes: f64| Duration::from_secs_f64(bytes / f64::from(rate));
            let waits = traffic.free_at.saturating_duration_since(now);
            if line.queue_bytes > 0 && waits > needs(line.queue_bytes.into()) {
                inner.counts.overflowed += 1;
                return [None; 2];
            }
            traffic.free_at = traffic.free_at.max(now) + needs(length as f64);
            leaves = traffic.free_at;
        }
        let jitter = line.jitter.as_micros() as u64;
        let arrives = leaves + line.delay + Duration::from_micros(late % (jitter + 1));
        if arrives < traffic.latest {
            inner.counts.overtaken += 1;
        }
        traffic.latest = traffic.latest.max(arrives);
        inner.counts.passed += 1;
        let twice = repeated % 1000 < u64::from(line.repeat_permille);
        inner.counts.repeated += u64::from(twice);
        [Some(arrives), twice.then_some(arrives + line.delay)]
    }
}

/// Stands at the address of the node that listens on `own`: whoever sends there gets a socket of
/// its own towards the node, which sees as many peers as there are.
async fn stand(state: Arc<State>, front: UdpSocket, own: SocketAddr) {
    let front = Arc::new(front);
    let mut callers: HashMap<SocketAddr, mpsc::UnboundedSender<Vec<u8>>> = HashMap::new();
    let mut tasks = JoinSet::new();
    let mut buffer = vec![0; DATAGRAM];
    loop {
        // An error tells of a datagram that did not arrive somewhere, which is the sender's matter.
        let Ok((length, caller)) = front.recv_from(&mut buffer).await else {
            continue;
        };
        let towards = callers.entry(caller).or_insert_with(|| {
            let (towards, queue) = mpsc::unbounded_channel();
            let (state, front) = (Arc::clone(&state), Arc::clone(&front));
            tasks.spawn(carry(state, front, caller, own, queue));
            towards
        });
        let _ = towards.send(buffer[..length].to_vec());
    }
}

/// Carries between one caller and one node, in both directions.
async fn carry(
    state: Arc<State>,
    front: Arc<UdpSocket>,
    caller: SocketAddr,
    own: SocketAddr,
    mut queue: mpsc::UnboundedReceiver<Vec<u8>>,
) {
    let back = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let there = (state.party(caller), state.party(own));
    let and_back = (there.1.clone(), there.0.clone());
    let mut buffer = vec![0; DATAGRAM];
    loop {
        tokio::select! {
            datagram = queue.recv() => {
                let Some(datagram) = datagram else { return };
                pass_on(state.arrivals(&there, datagram.len()), &back, own, &datagram);
            }
            received = back.recv_from(&mut buffer) => {
                let Ok((length, from)) = received else { continue };
                if from == own {
                    let datagram = &buffer[..length];
                    pass_on(state.arrivals(&and_back, length), &front, caller, datagram);
                }
            }
        }
    }
}

fn pass_on(
    arrivals: [Option<Instant>; 2],
    socket: &Arc<UdpSocket>,
    to: SocketAddr,
    datagram: &[u8],
) {
    for at in arrivals.into_iter().flatten() {
        let (socket, datagram) = (Arc::clone(socket), datagram.to_vec());
        tokio::spawn(async move {
            tokio::time::sleep_until(at).await;
            let _ = socket.send_to(&datagram, to).await;
        });
    }
}

/// A way has its own chances, whatever passes on others.
fn seed_of(seed: u64, way: &Way) -> u64 {
    let names = way.0.bytes().chain([b'>']).chain(way.1.bytes());
    names.fold(seed ^ 0xcbf2_9ce4_8422_2325, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// splitmix64.
fn draw(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) >> 11
}
