//! The worker that scrubs: what its originator takes back, and what has been kept long enough.
//!
//! A round: what is to go is looked up; a ScrubBegun leaf; the segments are written anew in the
//! background; a Scrubbed leaf, and Recalled leaves with their receipts. Everything it needs is
//! in the view, so a round that was cut off is carried on by the next one.

mod pace;
mod trusted;

pub use trusted::{Doubt, Watch};

use crate::{
    clock,
    desk::Ended,
    reading::internal,
    shared::{Shared, lock},
};
use abeng_api::ApiError;
use abeng_audit_log::{ScrubError, ScrubJob};
use abeng_queue::{
    Input, ScrubItem, TakenBack,
    rows::{AskedRow, BegunRow, CareRow, DueRow, InboxRow, SentOutcome, SentRow},
};
use abeng_roster::Freshness;
use abeng_wire::{Digest, EnvelopeId, LeafIndex, Millis, PartyCode, v1};
use pace::{Pace, room_for_a_copy};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// Rows of one kind that a round takes in hand: more than a node has in an hour, and no more than
/// a step of the engine can name.
const ROUND: usize = 16_384;
/// How often the worker looks.
const LOOK: Duration = Duration::from_secs(5);
/// How long a round waits for the journal to go on in a new segment.
const SEALING: Duration = Duration::from_secs(10);

/// What the worker shares with the journal thread and with the end of the node.
#[derive(Default)]
pub struct Retention {
    /// The journal is to go on in a new segment; shared with the journal thread.
    pub seal: Arc<AtomicBool>,
    // Held while segments are written anew.
    job: Mutex<()>,
    stopping: AtomicBool,
    // One round at a time.
    turn: tokio::sync::Mutex<()>,
}

/// What a round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Records whose content is gone now.
    pub records: u64,
    /// Segments written anew.
    pub segments: u64,
    /// Recalls that are carried out now.
    pub recalled: u64,
}

/// Why a round came to no end. The next one carries on.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The view or the journal cannot be read.
    #[error(transparent)]
    Read(#[from] ApiError),
    /// The segments cannot be written anew.
    #[error(transparent)]
    Scrub(#[from] ScrubError),
    /// A copy of a segment would leave too little for everything else.
    #[error(
        "{free} bytes are free and a segment is written anew only with {needed}: free room on the disk"
    )]
    Room {
        /// Free bytes.
        free: u64,
        /// How many there should be.
        needed: u64,
    },
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}

/// Which content a round takes in hand, beside what was begun before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// Nothing more.
    Begun,
    /// What was recalled.
    Recalled,
    /// What was recalled, and what is due at this time (Unix milliseconds) and lies in a sealed
    /// segment.
    Due(Millis),
    /// Also what is due and lies in the current segment, which is sealed for it.
    DueSealing(Millis),
}

impl Retention {
    /// Waits until no segment is being written anew, and lets none begin.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        drop(lock(&self.job));
    }
}

/// The worker. Ends with the node.
pub async fn work(shared: Arc<Shared>, mut watch: Watch) {
    let mut every = tokio::time::interval(LOOK);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut pace = Pace::default();
    loop {
        every.tick().await;
        let now = clock::now();
        // Asked at every look: a jump of the clock shows between two of them.
        let clock = shared.clock_doubt(&mut watch).map_or(Ok(()), Err);
        let Some(take) = pace.next(now, clock) else {
            continue;
        };
        match shared.scrub_round(take).await {
            Ok(round) => {
                pace.ended(now.mono, take, &round);
                if round == Round::default() {
                    continue;
                }
                tracing::info!(
                    records = round.records,
                    segments = round.segments,
                    recalled = round.recalled,
                    "content was deleted"
                );
            }
            Err(RoundError::Stopping) => return,
            Err(RoundError::Scrub(ScrubError::Fatal(e))) => {
                tracing::error!(error = %e, "a failed sync stops this node");
                return shared.fatal.stop(&e.to_string());
            }
            Err(e) => {
                pace.failed(clock::mono());
                shared.metrics.deletions_failed.inc();
                tracing::error!(error = %e, "content that is to be deleted is still there; it is tried again in an hour");
            }
        }
    }
}

impl Shared {
    /// Why nothing is deleted by the clock now.
    fn clock_doubt(&self, watch: &mut Watch) -> Option<Doubt> {
        let trust = self.trust();
        let links = trust
            .roster
            .parties()
            .filter_map(|p| self.links.link(p.code));
        let mut offsets: Vec<i64> = links.filter_map(|l| l.clock_offset_ms()).collect();
        // Of a roster that was put in place by hand nobody has judged the time.
        let past = trust.freshness.as_ref().map_or(0, Freshness::at);
        watch.judge(clock::now(), past, &mut offsets).err()
    }

    /// One round. It may be called at any time, by the worker and by tests.
    pub async fn scrub_round(self: &Arc<Self>, take: Take) -> Result<Round, RoundError> {
        let _turn = self.retention.turn.lock().await;
        let mut round = Round::default();
        if take != Take::Begun {
            self.begin(take).await?;
        }
        let (begun, failed) = self.rewrite_begun(&mut round).await?;
        let records: Vec<LeafIndex> = begun.iter().flat_map(indexes).collect();
        for &record in &records {
            self.recent.forget(record);
        }
        let gone: BTreeSet<LeafIndex> = records.into_iter().collect();
        let looked = self.view.position();
        let taken_back = self.taken_back(&gone).await?;
        if !begun.is_empty() || !taken_back.is_empty() {
            round.recalled = taken_back.len() as u64;
            self.tell_core(|tell| Input::ScrubDone {
                scrubs: begun,
                taken_back,
                looked,
                tell,
            })
            .await?;
        }
        match failed {
            Some(why) => Err(why),
            None => Ok(round),
        }
    }

    /// Writes anew what the begun scrubs name, and gives back those that are done with. A segment
    /// that cannot be read holds up only those that name a record of it; that is given back too.
    async fn rewrite_begun(
        self: &Arc<Self>,
        round: &mut Round,
    ) -> Result<(Vec<v1::Scrub>, Option<RoundError>), RoundError> {
        let begun = self.begun_scrubs().await?;
        if begun.is_empty() {
            return Ok((begun, None));
        }
        let going: Vec<LeafIndex> = begun.iter().flat_map(indexes).collect();
        self.delete_files_of(&going).await?;
        let all = self.rewrite(going).await;
        let why = match all {
            Ok(done) => {
                self.count_scrubbed(round, done);
                return Ok((begun, None));
            }
            Err(why @ RoundError::Scrub(ScrubError::Read(_))) => why,
            Err(why) => return Err(why),
        };
        let mut done_with = Vec::new();
        for scrub in begun {
            match self.rewrite(indexes(&scrub).collect()).await {
                Ok(done) => {
                    self.count_scrubbed(round, done);
                    done_with.push(scrub);
                }
                Err(RoundError::Scrub(ScrubError::Read(_))) => {}
                Err(why) => return Err(why),
            }
        }
        Ok((done_with, Some(why)))
    }

    fn count_scrubbed(&self, round: &mut Round, done: abeng_audit_log::ScrubDone) {
        round.records += done.records;
        round.segments += done.segments;
        self.metrics.contents_deleted.inc_by(done.records);
    }

    /// Journals what is to go: nothing that there is no room to do.
    async fn begin(self: &Arc<Self>, take: Take) -> Result<(), RoundError> {
        let looked = self.view.position();
        let recalled = self.recalled_items().await?;
        if !recalled.is_empty() {
            room(self.free_disk())?;
            self.seal_for(&recalled);
            self.scrub_begin(recalled, v1::ScrubWhy::Recalled, looked)
                .await?;
        }
        let (at, seal) = match take {
            Take::Due(at) => (at, false),
            Take::DueSealing(at) => (at, true),
            Take::Begun | Take::Recalled => return Ok(()),
        };
        let looked = self.view.position();
        let mut due = self.due_items(at).await?;
        if !seal {
            let open: BTreeSet<LeafIndex> = self.unsealed(&due).into_iter().collect();
            due.retain(|item| !open.contains(&item.record));
        }
        if due.is_empty() {
            return Ok(());
        }
        room(self.free_disk())?;
        if seal {
            self.seal_for(&due);
        }
        self.scrub_begin(due, v1::ScrubWhy::KeepUntil, looked).await
    }

    /// Nothing left to begin is no fault: something was done about it meanwhile.
    async fn scrub_begin(
        self: &Arc<Self>,
        items: Vec<ScrubItem>,
        why: v1::ScrubWhy,
        looked: LeafIndex,
    ) -> Result<(), RoundError> {
        self.tell_core(|tell| Input::ScrubBegin {
            items,
            why,
            looked,
            tell,
        })
        .await
        .map(drop)
    }

    /// Gives the engine an input and waits for its answer.
    async fn tell_core(
        &self,
        input: impl FnOnce(abeng_queue::Ticket) -> Input,
    ) -> Result<Ended, RoundError> {
        let place = self.desk.open();
        self.core.give(input(place.ticket)).await;
        place.ended.await.map_err(|_| RoundError::Stopping)
    }

    /// Those that lie in the segment that is still being written.
    fn unsealed(&self, items: &[ScrubItem]) -> Vec<LeafIndex> {
        let records: Vec<LeafIndex> = items.iter().map(|item| item.record).collect();
        match self.reader.scrub_job(&records) {
            Err(ScrubError::NotSealed { indexes }) => indexes,
            _ => Vec::new(),
        }
    }

    fn seal_for(&self, items: &[ScrubItem]) {
        if !self.unsealed(items).is_empty() {
            self.retention.seal.store(true, Ordering::SeqCst);
        }
    }

    /// Writes the segments anew, in the background.
    async fn rewrite(
        self: &Arc<Self>,
        records: Vec<LeafIndex>,
    ) -> Result<abeng_audit_log::ScrubDone, RoundError> {
        let shared = self.clone();
        let run = move || {
            let _running = lock(&shared.retention.job);
            room(shared.free_disk())?;
            let job = shared.sealed_job(&records)?;
            // The pause lets the journal's own syncs pass between two pieces.
            Ok(job.run(|| thread::sleep(Duration::from_millis(2)))?)
        };
        tokio::task::spawn_blocking(run)
            .await
            .map_err(|_| RoundError::Stopping)?
    }

    /// The job, once the journal has left the segments that it writes anew.
    fn sealed_job(
        &self,
        records: &[LeafIndex],
    ) -> Result<ScrubJob<abeng_audit_log::RealDisk>, RoundError> {
        let begun = std::time::Instant::now();
        loop {
            if self.retention.stopping.load(Ordering::SeqCst) {
                return Err(RoundError::Stopping);
            }
            match self.reader.scrub_job(records) {
                Err(ScrubError::NotSealed { .. }) if begun.elapsed() < SEALING => {
                    self.retention.seal.store(true, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(20));
                }
                job => return Ok(job?),
            }
        }
    }

    /// The statements of scrubs without an end.
    async fn begun_scrubs(self: &Arc<Self>) -> Result<Vec<v1::Scrub>, RoundError> {
        let mut scrubs = Vec::new();
        for (key, _) in self.rows_of(BegunRow::PREFIX).await? {
            let leaf = BegunRow::parse_key(&key).map_err(internal)?;
            let record = self.reader.read(leaf).map_err(internal)?.record;
            let proof = record.proof().map_err(internal)?.and_then(|p| p.of);
            let Some(v1::proof_part::Of::Scrub(scrub)) = proof else {
                return Err(internal("a ScrubBegun leaf without its statement").into());
            };
            scrubs.push(scrub);
        }
        Ok(scrubs)
    }

    /// Content that its originator takes back and that nothing else is done about.
    async fn recalled_items(self: &Arc<Self>) -> Result<Vec<ScrubItem>, RoundError> {
        let mut items = Vec::new();
        for (record, envelope_id, care) in self.asked().await? {
            if care.begun.is_none() && care.hold.is_none() {
                items.push(ScrubItem {
                    record,
                    envelope_id,
                });
            }
        }
        Ok(items)
    }

    /// What may be said to be taken back, given what is `gone` beside what the view knows.
    async fn taken_back(
        self: &Arc<Self>,
        gone: &BTreeSet<LeafIndex>,
    ) -> Result<Vec<TakenBack>, RoundError> {
        let mut back = Vec::new();
        for (record, envelope_id, care) in self.asked().await? {
            if care.scrubbed.is_none() && !gone.contains(&record) {
                continue;
            }
            let delivered = care.delivered.unwrap_or(LeafIndex(record.0 + 1));
            let leaf = self.reader.read(delivered).map_err(internal)?.record;
            let leaf = leaf.leaf().message();
            back.push(TakenBack {
                envelope_id,
                originator: PartyCode::new(&leaf.originator).map_err(internal)?,
                seq_commit: Digest::from_slice(&leaf.seq_commit)
                    .ok_or_else(|| internal("a Delivered leaf without seq_commit"))?,
            });
        }
        Ok(back)
    }

    async fn asked(self: &Arc<Self>) -> Result<Vec<(LeafIndex, EnvelopeId, CareRow)>, RoundError> {
        let mut asked = Vec::new();
        for (key, value) in self.rows_of(AskedRow::PREFIX).await? {
            let record = AskedRow::parse_key(&key).map_err(internal)?;
            let id = AskedRow::decode(&value).map_err(internal)?.envelope_id;
            let care = self.care(record).await;
            let care = care.ok_or_else(|| internal("the view cannot be read"))?;
            asked.push((record, id, care));
        }
        Ok(asked)
    }

    async fn rows_of(&self, prefix: u8) -> Result<Vec<abeng_queue::RowPair>, RoundError> {
        let rows = self.view.scan(&[prefix], &[prefix + 1], false, ROUND).await;
        Ok(rows.map_err(internal)?)
    }

    /// What has been kept long enough at a time.
    async fn due_items(self: &Arc<Self>, at: Millis) -> Result<Vec<ScrubItem>, RoundError> {
        let rows = self
            .view
            .scan(&[DueRow::PREFIX], &DueRow::until(at), false, ROUND)
            .await
            .map_err(internal)?;
        let mut items = Vec::new();
        for (key, value) in rows {
            let (_, record) = DueRow::parse_key(&key).map_err(internal)?;
            let row = DueRow::decode(&value).map_err(internal)?;
            let envelope_id = match row {
                DueRow::Sent => self.settled_id(record).await?,
                DueRow::Received { delivered } => {
                    self.inbox_row(delivered).await?.map(|r| r.envelope_id)
                }
                DueRow::Carried => {
                    let record = self.reader.read(record).map_err(internal)?.record;
                    EnvelopeId::from_slice(&record.leaf().message().envelope_id)
                }
            };
            items.extend(envelope_id.map(|envelope_id| ScrubItem {
                record,
                envelope_id,
            }));
        }
        Ok(items)
    }

    /// The id of something sent, once no recipient waits for it any more.
    async fn settled_id(&self, submitted: LeafIndex) -> Result<Option<EnvelopeId>, ApiError> {
        let row = self.sent_row(submitted).await?;
        let settled = |row: &SentRow| {
            let waits = |to: &abeng_queue::rows::SentTo| to.outcome == SentOutcome::Queued;
            !row.recipients.iter().any(waits)
        };
        Ok(row.filter(settled).map(|row| row.envelope_id))
    }

    /// The row of something sent.
    pub async fn sent_row(&self, submitted: LeafIndex) -> Result<Option<SentRow>, ApiError> {
        let row = self.view.get(&SentRow::key(submitted)).await;
        let row = row.map_err(internal)?;
        row.map(|v| SentRow::decode(&v))
            .transpose()
            .map_err(internal)
    }

    /// The row of something delivered.
    pub async fn inbox_row(&self, delivered: LeafIndex) -> Result<Option<InboxRow>, ApiError> {
        let row = self.view.get(&InboxRow::key(delivered)).await;
        let row = row.map_err(internal)?;
        row.map(|v| InboxRow::decode(&v))
            .transpose()
            .map_err(internal)
    }
}

/// Whether a segment may be copied with so many bytes free.
fn room(free: u64) -> Result<(), RoundError> {
    match room_for_a_copy() {
        needed if free < needed => Err(RoundError::Room { free, needed }),
        _ => Ok(()),
    }
}

fn indexes(scrub: &v1::Scrub) -> impl Iterator<Item = LeafIndex> + '_ {
    scrub.indexes.iter().copied().map(LeafIndex)
}
