//! Whoever means harm to a node: strangers at its port, and a member of the network that does
//! within a link what no honest node does. All on this machine, and only so many at once.

use abeng_link::raw::{Dial, Failed, RawLink, framed};
use abeng_wire::v1::{self, control::Frame};
use bytes::Bytes;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::task::JoinSet;

/// How long anything on a link is waited for before the attack begins anew.
const ENOUGH: Duration = Duration::from_secs(2);
/// What a silent client does for a while: nothing.
const SILENCE: Duration = Duration::from_millis(700);

/// What has been done, by kind.
#[derive(Debug, Default)]
pub struct Done {
    pub handshakes_left: AtomicU64,
    pub strangers_refused: AtomicU64,
    pub links_made: AtomicU64,
    pub streams_opened: AtomicU64,
    pub giant_lengths: AtomicU64,
    pub frames_broken_off: AtomicU64,
    pub questions: AtomicU64,
    pub rubbish_frames: AtomicU64,
}

/// Attacks that go on until they are stopped.
pub struct Attack {
    tasks: JoinSet<()>,
    stop: Arc<AtomicBool>,
    pub done: Arc<Done>,
}

impl Attack {
    /// Strangers with a key in no roster, and a member with its own: so many of each at once.
    pub fn begin(stranger: &Dial, member: &Dial, strangers: usize) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(Done::default()));
        let mut tasks = JoinSet::new();
        for nth in 0..strangers {
            let (dial, stop, done) = (stranger.clone(), stop.clone(), done.clone());
            tasks.spawn(async move {
                while !stop.load(Relaxed) {
                    if nth % 2 == 0 {
                        half_a_handshake(&dial, &done).await;
                    } else {
                        a_whole_one(&dial, &done).await;
                    }
                }
            });
        }
        let (dial, stopped, did) = (member.clone(), stop.clone(), done.clone());
        tasks.spawn(async move {
            for nth in 0_u64.. {
                if stopped.load(Relaxed) {
                    return;
                }
                // A link that the node ends, or does not want yet, is the node's good right.
                let link = tokio::time::timeout(ENOUGH, dial.link()).await;
                if let Ok(Ok(raw)) = link {
                    did.links_made.fetch_add(1, Relaxed);
                    let _ = tokio::time::timeout(ENOUGH, abuse(raw, nth, &did)).await;
                }
            }
        });
        Self { tasks, stop, done }
    }

    /// Stops them all and waits until the last is gone.
    pub async fn end(mut self) -> Arc<Done> {
        self.stop.store(true, Relaxed);
        while self.tasks.join_next().await.is_some() {}
        self.done
    }
}

/// The first flight, and nothing more.
async fn half_a_handshake(dial: &Dial, done: &Done) {
    let _ = tokio::time::timeout(Duration::from_millis(3), dial.connect()).await;
    done.handshakes_left.fetch_add(1, Relaxed);
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// TLS to its end with a key that is nobody's; held open as long as the node suffers it.
async fn a_whole_one(dial: &Dial, done: &Done) {
    if let Ok(Ok(raw)) = tokio::time::timeout(ENOUGH, dial.connect()).await {
        let _ = tokio::time::timeout(SILENCE, raw.connection.closed()).await;
        done.strangers_refused.fetch_add(1, Relaxed);
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
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
        done.streams_opened.fetch_add(1, Relaxed);
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
    done.giant_lengths.fetch_add(1, Relaxed);
    // And goes on as if it were taken.
    while stream.write_all(&[0; 4096]).await.is_ok() {}
    Ok(())
}

/// A frame that comes byte by byte and stops in the middle.
async fn broken_off(raw: &RawLink, done: &Done) -> Result<(), Failed> {
    let mut stream = raw.connection.open_uni().await?;
    stream.write_all(&[4]).await?;
    stream.write_all(&100_000_u32.to_be_bytes()).await?;
    done.frames_broken_off.fetch_add(1, Relaxed);
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
        done.questions.fetch_add(1, Relaxed);
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
        done.rubbish_frames.fetch_add(1, Relaxed);
    }
}
