//! `audit show` and `audit watch`: leaves of our own log, with filters, in parts.

mod act;
mod filter;
mod times;

use crate::{
    clock,
    reading::internal,
    shared::{Shared, lock},
};
use abeng_api::{ApiError, AuditQuery, LeafPage, LeafView};
use abeng_audit_log::{Stored, merkle::leaf_hash};
use abeng_queue::rows::IdRow;
use abeng_wire::{Digest, EnvelopeId, LeafIndex, Millis, PartyCode, v1};
use filter::Filter;
use std::{
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};
use times::Times;
use tokio::sync::Semaphore;

/// Leaves looked at for one answer; where that is not enough the answer says where to go on.
const LOOKED_AT: u64 = 100_000;
/// Bytes of records read for one answer: bodies lie between leaves.
const READ: usize = 128 << 20;
/// Leaves in one answer where the question does not say.
const LEAVES: u32 = 50;
/// Leaves in one answer at most.
const MOST: u32 = 1000;
/// The longest wait for a new leaf, in milliseconds.
const WAIT_MS: u32 = 60_000;
/// How often the end of the log is looked at while somebody waits for it.
const LOOK: Duration = Duration::from_millis(100);

/// Answers that read the log at the same moment.
const AT_ONCE: usize = 2;

/// What those who read the log share.
pub struct LogReading {
    times: Mutex<Times>,
    turns: Semaphore,
}

impl Default for LogReading {
    fn default() -> Self {
        Self {
            times: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
        }
    }
}

/// Which way the log is read.
#[derive(Clone, Copy)]
enum Way {
    Up(u64),
    Down(u64),
}

impl Shared {
    /// `GET /v1/audit`.
    pub async fn leaves(self: &Arc<Self>, query: AuditQuery) -> Result<LeafPage, ApiError> {
        let limit = query.limit.unwrap_or(LEAVES).clamp(1, MOST) as usize;
        let (notice, first) = match &query.notice {
            Some(id) => {
                let (id, row) = self.find_id(id).await?;
                (Some(id), first_leaf(&row).0)
            }
            None => (None, 0),
        };
        let filter = Filter::new(&query, notice)?;
        if let Some(party) = &query.party {
            self.known_party(party)?;
        }
        if let (Some(from), Some(wait)) = (query.from, query.wait_ms) {
            self.wait_for_leaf(from, wait.min(WAIT_MS)).await;
        }
        let way = match (query.from, query.before) {
            (Some(_), Some(_)) => {
                return Err(
                    ApiError::invalid("`from` and `before` contradict each other")
                        .with_try("give `from` to read upwards, `before` to read downwards"),
                );
            }
            // What is about a notice stands behind the leaf that brought it here.
            (Some(from), None) => Way::Up(from.max(first)),
            (None, before) => Way::Down(before.unwrap_or(u64::MAX)),
        };
        // Few at a time, so that auditors do not take the disk from officers.
        let turn = self.log_reading.turns.acquire().await.map_err(internal)?;
        let shared = self.clone();
        let page = tokio::task::spawn_blocking(move || shared.page(way, first, limit, &filter))
            .await
            .map_err(internal)?;
        drop(turn);
        page
    }

    /// A code that nobody has is a slip, not a question with an empty answer.
    fn known_party(&self, code: &str) -> Result<(), ApiError> {
        let trust = self.trust();
        let known = PartyCode::new(code).is_ok_and(|code| trust.roster.party(code).is_some());
        if known {
            return Ok(());
        }
        let codes = trust.roster.parties().map(|p| p.code.to_string());
        let codes: Vec<String> = codes.collect();
        let code: String = code.chars().take(40).collect();
        Err(
            ApiError::invalid(format!("`{code}` is no party of this network"))
                .with_try(format!("the parties are {}", codes.join(", "))),
        )
    }

    async fn wait_for_leaf(&self, from: u64, wait_ms: u32) {
        let end = tokio::time::Instant::now() + Duration::from_millis(wait_ms.into());
        while self.reader.size() <= from && tokio::time::Instant::now() < end {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn page(
        &self,
        way: Way,
        first: u64,
        limit: usize,
        filter: &Filter,
    ) -> Result<LeafPage, ApiError> {
        let size = self.reader.size();
        let blocks = self.blocks(filter, size)?;
        let page = match way {
            Way::Up(from) => self.upwards(from..size, limit, filter, &blocks),
            Way::Down(before) => self.downwards(first..before.min(size), limit, filter, &blocks),
        }?;
        Ok(LeafPage { size, ..page })
    }

    /// The parts of the log that can hold leaves of the filter's time.
    fn blocks(&self, filter: &Filter, size: u64) -> Result<Vec<Range<u64>>, ApiError> {
        let Some((since, until)) = filter.times() else {
            let whole = 0..size;
            return Ok(vec![whole]);
        };
        let time = |index| self.reader.read(LeafIndex(index)).map(|s| time_of(&s));
        loop {
            let missing = lock(&self.log_reading.times).missing(size);
            if missing.is_empty() {
                break;
            }
            // Read outside the lock; who was faster wins.
            let samples = missing.clone().map(Times::leaf).map(time);
            let samples: Vec<Millis> = samples.collect::<Result<_, _>>().map_err(internal)?;
            lock(&self.log_reading.times).extend(missing, &samples);
        }
        let times = lock(&self.log_reading.times);
        Ok(times.blocks(size, since, until))
    }

    fn upwards(
        &self,
        range: Range<u64>,
        limit: usize,
        filter: &Filter,
        blocks: &[Range<u64>],
    ) -> Result<LeafPage, ApiError> {
        let mut page = LeafPage::default();
        let mut budget = Budget::new();
        for block in blocks {
            let (from, to) = (block.start.max(range.start), block.end.min(range.end));
            if from >= to {
                continue;
            }
            for stored in self.reader.scan(LeafIndex(from)).take((to - from) as usize) {
                let stored = stored.map_err(internal)?;
                if budget.is_spent() || page.leaves.len() == limit {
                    page.next = Some(stored.index.0);
                    return Ok(page);
                }
                budget.spend(&stored);
                if filter.passes(&stored) {
                    page.leaves.push(leaf_view(&stored));
                }
            }
        }
        Ok(page)
    }

    /// The newest that fit, the lowest index first.
    fn downwards(
        &self,
        range: Range<u64>,
        limit: usize,
        filter: &Filter,
        blocks: &[Range<u64>],
    ) -> Result<LeafPage, ApiError> {
        let mut page = LeafPage::default();
        let mut budget = Budget::new();
        'all: for block in blocks.iter().rev() {
            let (from, to) = (block.start.max(range.start), block.end.min(range.end));
            for index in (from..to).rev() {
                if budget.is_spent() || page.leaves.len() == limit {
                    page.next = Some(index + 1);
                    break 'all;
                }
                let stored = self.reader.read(LeafIndex(index)).map_err(internal)?;
                budget.spend(&stored);
                if filter.passes(&stored) {
                    page.leaves.push(leaf_view(&stored));
                }
            }
        }
        page.leaves.reverse();
        Ok(page)
    }
}

/// Nothing about a notice stands before this leaf.
fn first_leaf(row: &IdRow) -> LeafIndex {
    match *row {
        IdRow::Sent { submitted } => submitted,
        IdRow::Received { received, .. } | IdRow::Held { received, .. } => received,
    }
}

/// What one answer may cost.
struct Budget {
    leaves: u64,
    bytes: usize,
}

impl Budget {
    fn new() -> Self {
        Self {
            leaves: LOOKED_AT,
            bytes: READ,
        }
    }

    fn is_spent(&self) -> bool {
        self.leaves == 0 || self.bytes == 0
    }

    fn spend(&mut self, stored: &Stored) {
        let length = |part: Option<&bytes::Bytes>| part.map_or(0, bytes::Bytes::len);
        let record = &stored.record;
        let parts = length(record.proof_bytes()) + length(record.body_bytes());
        self.leaves -= 1;
        self.bytes = self.bytes.saturating_sub(parts);
    }
}

fn time_of(stored: &Stored) -> Millis {
    stored.record.leaf().message().time
}

fn leaf_view(stored: &Stored) -> LeafView {
    let leaf = stored.record.leaf();
    let says = leaf.message();
    let text = |s: &String| (!s.is_empty()).then(|| s.clone());
    let private = stored.record.private().ok().flatten();
    LeafView {
        index: stored.index.0,
        at: clock::rfc3339(says.time),
        kind: says.kind().as_str_name().to_owned(),
        notice: EnvelopeId::from_slice(&says.envelope_id).map(|id| id.to_string()),
        originator: text(&says.originator),
        recipient: text(&says.recipient),
        reason: (says.reason() != v1::Reason::Unspecified)
            .then(|| says.reason().as_str_name().to_owned()),
        act: act::of(stored),
        officer: private.as_ref().and_then(|p| text(&p.officer)),
        via: private.as_ref().and_then(|p| text(&p.via)),
        subject: Digest::from_slice(&says.subject).map(|digest| digest.to_string()),
        hash: leaf_hash(leaf.bytes()).to_string(),
    }
}
