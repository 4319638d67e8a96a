//! The load: notices through two running nodes, each timed from the client's first byte.

use crate::CliError;
use abeng_api::{Client, ClientError, DeliveredEvent, ErrorCode, EventQuery, SettledEvent};
use bytes::Bytes;
use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::JoinSet};

/// Without any progress for this long the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at what was settled: how late a place is given to the next notice at most.
const SETTLED_EVERY: Duration = Duration::from_millis(2);
/// Between two looks at what was delivered: its times come from the node, so this costs nothing.
const DELIVERED_EVERY: Duration = Duration::from_millis(40);
/// After a 503.
const BUSY: Duration = Duration::from_millis(5);
/// Events in one answer.
const EVENTS: u32 = 10_000;

/// How long a mode goes on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Amount {
    /// So many notices.
    Notices(u64),
    /// For so long.
    Time(Duration),
}

/// The two ends, and what is sent.
#[derive(Debug, Clone)]
pub(super) struct Way {
    /// The originator's node.
    pub(super) from: Client,
    /// The recipient's node.
    pub(super) to: Client,
    /// The request, ready as JSON.
    pub(super) body: Bytes,
}

/// What one mode measured.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// Notices settled: delivered, with the receipt verified and durable at the originator.
    pub(super) notices: u64,
    /// From the first byte of the first to the last receipt.
    pub(super) seconds: f64,
    /// First byte to durable in the recipient's inbox, nanoseconds.
    pub(super) delivered: Histogram<u64>,
    /// First byte to the receipt durable at the originator, nanoseconds.
    pub(super) settled: Histogram<u64>,
    /// Requests that were answered 503 and repeated.
    pub(super) busy: u64,
}

/// As many notices under way as `in_flight`, each on a connection of its own; a place is taken
/// from the first byte until the receipt is settled.
pub(super) async fn pipelined(way: &Way, in_flight: u32, amount: Amount) -> Result<Run, CliError> {
    let after = (end(&way.from).await?, end(&way.to).await?);
    let load = Arc::new(Load {
        places: Semaphore::new(in_flight as usize),
        issued: AtomicU64::new(0),
        accepted: AtomicU64::new(0),
        busy: AtomicU64::new(0),
        closed: AtomicBool::new(false),
        until: match amount {
            Amount::Time(time) => Instant::now() + time,
            Amount::Notices(_) => Instant::now() + Duration::from_secs(86_400),
        },
        most: match amount {
            Amount::Notices(most) => most,
            Amount::Time(_) => u64::MAX,
        },
        started: Mutex::default(),
    });
    let mut tasks = JoinSet::new();
    for _ in 0..in_flight {
        tasks.spawn(submit(
            Arc::clone(&load),
            way.from.clone(),
            way.body.clone(),
        ));
    }
    let submitting = async {
        while let Some(done) = tasks.join_next().await {
            done.map_err(|e| CliError::internal(e.to_string()))??;
        }
        load.closed.store(true, Ordering::Release);
        Ok::<_, CliError>(())
    };
    let ((), settled, delivered) = tokio::try_join!(
        submitting,
        settled(&load, &way.from, after.0),
        delivered(&load, &way.to, after.1)
    )?;
    let started = std::mem::take(&mut *load.started());
    evaluate(
        &started,
        &settled,
        &delivered,
        load.busy.load(Ordering::Relaxed),
    )
}

/// One after the other: the next is submitted when the receipt of the last is settled.
pub(super) async fn single(way: &Way, amount: Amount) -> Result<Run, CliError> {
    let begun = Instant::now();
    let mut after = (end(&way.from).await?, end(&way.to).await?);
    let (mut started, mut settled, mut delivered) = (HashMap::new(), Vec::new(), Vec::new());
    loop {
        match amount {
            Amount::Notices(most) if started.len() as u64 >= most => break,
            Amount::Time(time) if begun.elapsed() >= time => break,
            _ => {}
        }
        let at = mono_ns();
        let id = accepted(way.from.submit_json(way.body.clone()).await?.id)?;
        started.insert(id.clone(), at);
        let here = |n: usize| n == started.len();
        while !here(delivered.len()) {
            let more = way.to.wait_delivered(&query(after.1, PATIENCE)).await?;
            after.1 = more.last().map(|e| e.leaf).ok_or_else(stuck)?;
            delivered.extend(more);
        }
        while !here(settled.len()) {
            let more = way.from.wait_settled(&query(after.0, PATIENCE)).await?;
            after.0 = more.last().map(|e| e.leaf).ok_or_else(stuck)?;
            settled.extend(more);
        }
    }
    evaluate(&started, &settled, &delivered, 0)
}

/// Submits only: the recipient is not there.
pub(super) async fn queue(
    from: &Client,
    body: &Bytes,
    in_flight: u32,
    notices: u64,
) -> Result<f64, CliError> {
    let load = Arc::new(Load {
        // Nothing gives a place back here; this many are never used up.
        places: Semaphore::new(Semaphore::MAX_PERMITS),
        issued: AtomicU64::new(0),
        accepted: AtomicU64::new(0),
        busy: AtomicU64::new(0),
        closed: AtomicBool::new(false),
        until: Instant::now() + Duration::from_secs(86_400),
        most: notices,
        started: Mutex::default(),
    });
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..in_flight {
        tasks.spawn(submit(Arc::clone(&load), from.clone(), body.clone()));
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(|e| CliError::internal(e.to_string()))??;
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// What the tasks of a load share.
struct Load {
    places: Semaphore,
    issued: AtomicU64,
    accepted: AtomicU64,
    busy: AtomicU64,
    closed: AtomicBool,
    until: Instant,
    most: u64,
    started: Mutex<HashMap<String, u64>>,
}

impl Load {
    fn started(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether everything that was accepted has come.
    fn complete(&self, come: usize) -> bool {
        self.closed.load(Ordering::Acquire) && come as u64 >= self.accepted.load(Ordering::Acquire)
    }
}

async fn submit(load: Arc<Load>, client: Client, body: Bytes) -> Result<(), CliError> {
    loop {
        let place = load
            .places
            .acquire()
            .await
            .map_err(|e| CliError::internal(e.to_string()))?;
        let nth = load.issued.fetch_add(1, Ordering::Relaxed);
        if nth >= load.most || Instant::now() >= load.until {
            return Ok(());
        }
        // Given back by whoever sees it settled.
        place.forget();
        let reply = loop {
            let at = mono_ns();
            match client.submit_json(body.clone()).await {
                Ok(reply) => break (reply, at),
                Err(ClientError::Api(e)) if e.code == ErrorCode::Busy => {
                    load.busy.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(BUSY).await;
                }
                Err(e) => return Err(e.into()),
            }
        };
        load.started().insert(accepted(reply.0.id)?, reply.1);
        load.accepted.fetch_add(1, Ordering::AcqRel);
    }
}

async fn settled(
    load: &Load,
    from: &Client,
    mut after: u64,
) -> Result<Vec<SettledEvent>, CliError> {
    let mut all: Vec<SettledEvent> = Vec::new();
    let mut progress = Instant::now();
    while !load.complete(all.len()) {
        let more = from
            .wait_settled(&query(after, Duration::from_millis(200)))
            .await?;
        match more.last() {
            Some(last) => (after, progress) = (last.leaf, Instant::now()),
            None if progress.elapsed() > PATIENCE => return Err(stuck()),
            None => {}
        }
        load.places.add_permits(more.len());
        all.extend(more);
        tokio::time::sleep(SETTLED_EVERY).await;
    }
    Ok(all)
}

async fn delivered(
    load: &Load,
    to: &Client,
    mut after: u64,
) -> Result<Vec<DeliveredEvent>, CliError> {
    let mut all: Vec<DeliveredEvent> = Vec::new();
    let mut progress = Instant::now();
    while !load.complete(all.len()) {
        let more = to
            .wait_delivered(&query(after, Duration::from_millis(200)))
            .await?;
        match more.last() {
            Some(last) => (after, progress) = (last.leaf, Instant::now()),
            None if progress.elapsed() > PATIENCE => return Err(stuck()),
            None => {}
        }
        all.extend(more);
        tokio::time::sleep(DELIVERED_EVERY).await;
    }
    Ok(all)
}

/// Every notice must have been delivered once and settled once, and nothing else.
fn evaluate(
    started: &HashMap<String, u64>,
    settled: &[SettledEvent],
    delivered: &[DeliveredEvent],
    busy: u64,
) -> Result<Run, CliError> {
    let unsettled = settled.iter().find(|e| e.kind != "DELIVERED");
    if let Some(event) = unsettled {
        return Err(CliError::internal(format!(
            "{} ended as {}",
            event.id, event.kind
        )));
    }
    if started.is_empty() {
        return Err(CliError::usage("no notice was sent in the time given")
            .with_try("give it more seconds"));
    }
    let settled_at = settled.iter().map(|e| (e.id.as_str(), e.mono_ns));
    let delivered_at = delivered.iter().map(|e| (e.id.as_str(), e.mono_ns));
    let last = settled.iter().map(|e| e.mono_ns).max().unwrap_or(0);
    let first = started.values().copied().min().unwrap_or(last);
    Ok(Run {
        notices: started.len() as u64,
        seconds: last.saturating_sub(first) as f64 / 1e9,
        delivered: latencies(started, delivered_at, "delivered")?,
        settled: latencies(started, settled_at, "settled")?,
        busy,
    })
}

fn latencies<'a>(
    started: &HashMap<String, u64>,
    events: impl Iterator<Item = (&'a str, u64)>,
    what: &str,
) -> Result<Histogram<u64>, CliError> {
    let wrong = |text: String| CliError::internal(text);
    let mut histogram = Histogram::new(3).map_err(|e| wrong(e.to_string()))?;
    let mut seen = HashMap::with_capacity(started.len());
    for (id, at) in events {
        let begun = started
            .get(id)
            .ok_or_else(|| wrong(format!("{id} was {what} and never sent")))?;
        if seen.insert(id, ()).is_some() {
            return Err(wrong(format!("{id} was {what} twice")));
        }
        histogram
            .record(at.saturating_sub(*begun))
            .map_err(|e| wrong(e.to_string()))?;
    }
    if seen.len() != started.len() {
        return Err(wrong(format!(
            "{} of {} notices were {what}",
            seen.len(),
            started.len()
        )));
    }
    Ok(histogram)
}

/// The newest leaf: what comes after it is ours.
async fn end(client: &Client) -> Result<u64, CliError> {
    Ok(client.status().await?.log.size.saturating_sub(1))
}

fn query(after: u64, wait: Duration) -> EventQuery {
    let timeout_ms = u32::try_from(wait.as_millis()).ok();
    EventQuery {
        after: Some(after),
        timeout_ms,
        limit: Some(EVENTS),
    }
}

fn accepted(id: Option<String>) -> Result<String, CliError> {
    id.ok_or_else(|| CliError::internal("a notice was accepted without an id"))
}

fn stuck() -> CliError {
    CliError::internal(format!("nothing arrived for {} s", PATIENCE.as_secs()))
}

/// The clock of the nodes' events.
fn mono_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(ids: &[&str]) -> (Vec<SettledEvent>, Vec<DeliveredEvent>) {
        let settled = ids.iter().map(|id| SettledEvent {
            id: (*id).to_owned(),
            kind: "DELIVERED".into(),
            mono_ns: 3000,
            ..SettledEvent::default()
        });
        let delivered = ids.iter().map(|id| DeliveredEvent {
            id: (*id).to_owned(),
            mono_ns: 2000,
            leaf: 1,
        });
        (settled.collect(), delivered.collect())
    }

    #[test]
    fn only_exactly_once_counts() {
        let started = HashMap::from([("a".to_owned(), 1000), ("b".to_owned(), 1500)]);
        let (settled, delivered) = events(&["a", "b"]);
        let run = evaluate(&started, &settled, &delivered, 0).unwrap();
        assert_eq!(
            (run.notices, run.delivered.max(), run.settled.max()),
            (2, 1000, 2000)
        );
        for wrong in [&["a"][..], &["a", "b", "b"], &["a", "c"]] {
            let (settled_wrong, delivered_wrong) = events(wrong);
            assert!(evaluate(&started, &settled_wrong, &delivered, 0).is_err());
            assert!(evaluate(&started, &settled, &delivered_wrong, 0).is_err());
        }
        let mut refused = settled;
        refused[0].kind = "REFUSED".into();
        assert!(evaluate(&started, &refused, &delivered, 0).is_err());
    }
}
