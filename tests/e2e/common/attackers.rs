//! Whoever means harm to a node: strangers at its port, and a member of the network that does
//! within a link what no honest node does. All on this machine, and only so many at once.
//!
//! They are a process of their own with the lowest priority: on machines of their own they would
//! take the node's time, but not its processor. It is the test's own program, started once more.

use abeng_keys::{Keyring, SoftSigner};
use abeng_link::raw::{Dial, Failed, RawLink, framed};
use abeng_node::Layout;
use abeng_roster::Trust;
use abeng_wire::{
    PartyCode,
    v1::{self, control::Frame},
};
use bytes::Bytes;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::task::JoinSet;

/// How long anything on a link is waited for before the attack begins anew.
const ENOUGH: Duration = Duration::from_secs(2);
/// What a silent client does for a while: nothing.
const SILENCE: Duration = Duration::from_millis(700);
/// Between two attempts of one stranger.
const BREATH: Duration = Duration::from_millis(5);
/// How often the attackers say what they have done.
const TELL_EVERY: Duration = Duration::from_millis(50);
/// What marks such a line among others.
const MARK: &str = "attacks: ";
/// Where the attackers' process finds its orders: the node's address, its party, the data
/// directory and party of the member that floods, the number of strangers.
const ORDERS: &str = "ABENG_TEST_ATTACK";

/// A kind of attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    HandshakesLeft,
    StrangersRefused,
    LinksMade,
    StreamsOpened,
    GiantLengths,
    FramesBrokenOff,
    Questions,
    RubbishFrames,
}

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::HandshakesLeft,
        Self::StrangersRefused,
        Self::LinksMade,
        Self::StreamsOpened,
        Self::GiantLengths,
        Self::FramesBrokenOff,
        Self::Questions,
        Self::RubbishFrames,
    ];
}

/// How often each was made.
pub type Counts = [u64; Kind::ALL.len()];

/// The attackers' process.
pub struct Attack {
    child: Child,
    orders: Option<ChildStdin>,
    told: Arc<Mutex<Counts>>,
    reader: Option<JoinHandle<()>>,
}

/// Whom to attack, and as whom.
pub struct Orders<'a> {
    /// The node's address and party.
    pub at: (SocketAddr, &'a str),
    /// The data directory of the member that floods, and its party.
    pub member: (&'a Path, &'a str),
    /// Strangers, with a key in no roster: so many at once.
    pub strangers: usize,
}

impl Attack {
    /// Starts the attackers. `test` is the name of the test that calls [`attacks`] first.
    pub fn begin(test: &str, orders: &Orders<'_>) -> Self {
        let Orders {
            at: (to, peer),
            member: (home, me),
            strangers,
        } = orders;
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(
                ORDERS,
                format!("{to} {peer} {me} {strangers} {}", home.display()),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = Arc::new(Mutex::default());
        let (out, telling) = (child.stdout.take().unwrap(), Arc::clone(&told));
        let reader = thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                // The harness may have begun the line.
                if let Some((_, counts)) = line.split_once(MARK) {
                    let counts = counts.split(' ').map(|n| n.parse::<u64>().unwrap());
                    let counts: Vec<u64> = counts.collect();
                    *telling.lock().unwrap() = counts.try_into().unwrap();
                }
            }
        });
        Self {
            orders: child.stdin.take(),
            child,
            told,
            reader: Some(reader),
        }
    }

    /// The attackers' process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What has been done so far.
    pub fn done(&self) -> Counts {
        *self.told.lock().unwrap()
    }

    /// Whether this has been done at all.
    pub fn began(&self, kind: Kind) -> bool {
        self.done()[kind as usize] > 0
    }

    /// Stops them all and waits until the last is gone.
    pub fn end(mut self) -> Counts {
        drop(self.orders.take());
        assert!(self.child.wait().unwrap().success());
        self.reader.take().unwrap().join().unwrap();
        self.done()
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// True where this process was started to attack, and has done so.
pub fn attacked() -> bool {
    let Ok(orders) = std::env::var(ORDERS) else {
        return false;
    };
    // Of this thread, and so of all that it starts.
    rustix::process::nice(19).unwrap();
    let mut words = orders.splitn(5, ' ');
    let mut word = || words.next().unwrap().to_owned();
    let (to, peer, me) = (word().parse().unwrap(), word(), word());
    let strangers = word().parse().unwrap();
    let member = member(&PathBuf::from(word()), to, &peer, &me);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(attack(member, strangers));
    true
}

fn member(home: &Path, to: SocketAddr, peer: &str, me: &str) -> Dial {
    let layout = Layout::new(home.to_owned());
    let keys = Keyring::load(&layout.keys(), || Err("it has no passphrase")).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = now.as_millis() as u64;
    let trust = Trust::from_bundle(&layout.read_trust().unwrap(), None, now).unwrap();
    Dial {
        me: PartyCode::new(me).unwrap(),
        key: Arc::clone(keys.node_tls()),
        peer: PartyCode::new(peer).unwrap(),
        from: IpAddr::from([127, 0, 0, 1]),
        to,
        trust: Arc::new(trust),
        now,
    }
}

#[derive(Default)]
struct Done([AtomicU64; Kind::ALL.len()]);

impl Done {
    fn did(&self, kind: Kind) {
        self.0[kind as usize].fetch_add(1, Relaxed);
    }

    fn tell(&self) {
        let counts = self.0.each_ref().map(|n| n.load(Relaxed).to_string());
        println!("{MARK}{}", counts.join(" "));
        let _ = io::stdout().flush();
    }
}

/// Attacks until standard input ends.
async fn attack(member: Dial, strangers: usize) {
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(Done::default()));
    let stopping = Arc::clone(&stop);
    thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        stopping.store(true, Relaxed);
    });
    let mut tasks = JoinSet::new();
    let key = Arc::new(SoftSigner::from_seed(&[1; 32]).unwrap());
    for nth in 0..strangers {
        // Of each kind one half shares the address of honest nodes, the other has many.
        let shared = nth % 4 % 3 == 0;
        let from = if shared {
            [127, 0, 0, 1]
        } else {
            [127, nth as u8, 1, 1]
        };
        let dial = Dial {
            key: Arc::clone(&key),
            from: IpAddr::from(from),
            ..member.clone()
        };
        tasks.spawn(stranger(nth, dial, Arc::clone(&stop), Arc::clone(&done)));
    }
    tasks.spawn(hostile_member(member, Arc::clone(&stop), Arc::clone(&done)));
    while !stop.load(Relaxed) {
        done.tell();
        tokio::time::sleep(TELL_EVERY).await;
    }
    while tasks.join_next().await.is_some() {}
    done.tell();
}

async fn stranger(nth: usize, dial: Dial, stop: Arc<AtomicBool>, done: Arc<Done>) {
    while !stop.load(Relaxed) {
        match nth % 4 / 2 {
            0 => half_a_handshake(&dial, &done).await,
            _ => a_whole_one(&dial, &done).await,
        }
        tokio::time::sleep(BREATH).await;
    }
}

async fn hostile_member(dial: Dial, stop: Arc<AtomicBool>, done: Arc<Done>) {
    let mut nth = 0;
    while !stop.load(Relaxed) {
        // A link that the node ends, or does not want yet, is the node's good right.
        let link = tokio::time::timeout(ENOUGH, dial.link()).await;
        if let Ok(Ok(raw)) = link {
            done.did(Kind::LinksMade);
            let _ = tokio::time::timeout(ENOUGH, abuse(raw, nth, &done)).await;
            nth += 1;
        }
    }
}

/// Up to where the node has computed, and nothing more.
async fn half_a_handshake(dial: &Dial, done: &Done) {
    let _ = tokio::time::timeout(ENOUGH, dial.forsake()).await;
    done.did(Kind::HandshakesLeft);
}

/// TLS to its end with a key that is nobody's; held open as long as the node suffers it.
async fn a_whole_one(dial: &Dial, done: &Done) {
    if let Ok(Ok(raw)) = tokio::time::timeout(ENOUGH, dial.connect()).await {
        let _ = tokio::time::timeout(SILENCE, raw.connection.closed()).await;
        done.did(Kind::StrangersRefused);
    }
}

/// One kind of abuse after the other, each on a link of its own.
async fn abuse(mut raw: RawLink, nth: u64, done: &Done) -> Result<(), Failed> {
    match nth % 5 {
        0 => streams(&raw, done).await,
        1 => giant(&raw, nth, done).await,
        2 => broken_off(&raw, done).await,
        3 => questions(&mut raw, done).await,
        _ => rubbish(&raw, done).await,
    }
}

/// As many streams as the node lets be opened, each with one byte: who reads on waits for ever.
async fn streams(raw: &RawLink, done: &Done) -> Result<(), Failed> {
    let mut open = Vec::new();
    for nth in 0..64_u8 {
        let opened = tokio::time::timeout(Duration::from_millis(50), raw.connection.open_uni());
        let Ok(stream) = opened.await else { break };
        let mut stream = stream?;
        stream.write_all(&[nth % 6]).await?;
        done.did(Kind::StreamsOpened);
        open.push(stream);
    }
    tokio::time::sleep(SILENCE).await;
    Ok(())
}

/// A frame that says it is longer than any.
async fn giant(raw: &RawLink, nth: u64, done: &Done) -> Result<(), Failed> {
    let mut stream = raw.connection.open_uni().await?;
    stream.write_all(&[4]).await?;
    let length = if nth.is_multiple_of(2) {
        u32::MAX
    } else {
        1 << 30
    };
    stream.write_all(&length.to_be_bytes()).await?;
    done.did(Kind::GiantLengths);
    // And goes on as if it were taken.
    while stream.write_all(&[0; 4096]).await.is_ok() {}
    Ok(())
}

/// A frame that comes byte by byte and stops in the middle.
async fn broken_off(raw: &RawLink, done: &Done) -> Result<(), Failed> {
    let mut stream = raw.connection.open_uni().await?;
    stream.write_all(&[4]).await?;
    stream.write_all(&100_000_u32.to_be_bytes()).await?;
    done.did(Kind::FramesBrokenOff);
    loop {
        stream.write_all(&[7]).await?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Questions faster than anybody answers.
async fn questions(raw: &mut RawLink, done: &Done) -> Result<(), Failed> {
    let control = raw.control.as_mut().ok_or("no control stream")?;
    for nonce in 0.. {
        let frame = match nonce % 3 {
            0 => Frame::Ping(v1::Ping { nonce, time: 0 }),
            1 => Frame::Fault(v1::Fault {
                envelope_id: Bytes::from(vec![nonce as u8; 32]),
                kind: v1::FaultKind::FaultQuota.into(),
                ..v1::Fault::default()
            }),
            _ => Frame::ProofWanted(v1::ProofWanted::default()),
        };
        control.write_all(&framed(frame)).await?;
        done.did(Kind::Questions);
    }
    Ok(())
}

/// Frames of the right length that hold nothing.
async fn rubbish(raw: &RawLink, done: &Done) -> Result<(), Failed> {
    let mut stream = raw.connection.open_uni().await?;
    stream.write_all(&[4]).await?;
    loop {
        let mut frame = 20_000_u32.to_be_bytes().to_vec();
        frame.resize(20_004, 0x5a);
        stream.write_all(&frame).await?;
        done.did(Kind::RubbishFrames);
    }
}
