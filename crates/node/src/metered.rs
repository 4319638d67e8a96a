//! Paths that are paid by the byte: counts what goes over them, and holds back what the day's
//! budget does not cover.

use crate::{
    budget::{Budget, Leave, Spent, Today},
    clock, health,
    paths::Metering,
    shared::{Shared, lock},
};
use abeng_api::{AllowRequest, ApiError, BudgetView, Caller, Cause, Warned, Warning};
use abeng_link::{Link, Profile};
use abeng_queue::{Allowed, Input};
use abeng_wire::{Millis, Mono, PartyCode, v1};
use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

/// How often links are counted and queues are looked at.
const EVERY: Duration = Duration::from_secs(1);
/// How often the file is written.
const WRITE_ROUNDS: u32 = 30;
/// Headers of UDP and IPv6 on each datagram; IPv4's are 20 bytes less.
pub const DATAGRAM: u64 = 48;
/// What a dial costs that nobody answers; one that is answered is counted as it was.
const DIAL: u64 = 8 << 10;

/// What waits for a party.
#[derive(Debug, Clone, Copy, Default)]
struct Waiting {
    any: bool,
    flash: bool,
}

/// Which way the bytes of a file go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// To the peer.
    Out,
    /// To here.
    In,
}

/// The metered paths of this node.
pub struct Metered {
    metering: Metering,
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    budget: Budget,
    /// Bytes counted of each session.
    counted: BTreeMap<(PartyCode, u64), u64>,
    waiting: BTreeMap<PartyCode, Waiting>,
    /// When there was last a link, or a try.
    contact: BTreeMap<PartyCode, Mono>,
    /// Counted for dials that are not answered yet.
    dialled: BTreeMap<PartyCode, u64>,
    told: BTreeMap<PartyCode, Leave>,
    /// Bytes of the piece that goes each way over each session, until they are counted.
    promised: BTreeMap<(PartyCode, u64, Way), u64>,
}

impl State {
    /// Bytes left today for all but FLASH that no file has been promised; `None`: no bound. What a
    /// piece that is under way has spent counts twice until it has gone: rather too few than
    /// too many.
    fn unpromised(&mut self, now: Millis) -> Option<u64> {
        let left = self.budget.today(now).left?;
        Some(left.saturating_sub(self.promised.values().sum()))
    }

    /// Promises so many bytes to a piece on a session, if the day has them. What it was promised
    /// before is no more.
    fn promise(&mut self, to: (PartyCode, u64, Way), bytes: u64, now: Millis) -> bool {
        self.promised.remove(&to);
        let may = self.unpromised(now).is_none_or(|left| bytes <= left);
        if may {
            self.promised.insert(to, bytes);
        }
        may
    }
}

impl Metered {
    /// Goes on with what was spent today.
    pub fn open(metering: Metering, path: PathBuf) -> io::Result<Self> {
        let spent = Spent::read(&path)?;
        Ok(Self {
            metering,
            path,
            state: Mutex::new(State {
                budget: Budget::new(metering, spent),
                counted: BTreeMap::new(),
                waiting: BTreeMap::new(),
                contact: BTreeMap::new(),
                dialled: BTreeMap::new(),
                told: BTreeMap::new(),
                promised: BTreeMap::new(),
            }),
        })
    }

    /// Whether a party behind a metered path is worth a dial now.
    pub fn may_dial(&self, peer: PartyCode, now: abeng_wire::Now) -> bool {
        let mut state = lock(&self.state);
        let leave = state.budget.leave(now.wall);
        let waiting = state.waiting.get(&peer).copied().unwrap_or_default();
        let last = state.contact.get(&peer);
        let due = last.is_none_or(|last| now.mono >= last.plus_ms(self.metering.contact_every_ms));
        let may = match leave {
            Leave::All => waiting.any || due,
            Leave::Flash => waiting.flash,
        };
        if may {
            state.contact.insert(peer, now.mono);
            state.budget.spend(now.wall, DIAL);
            *state.dialled.entry(peer).or_default() += DIAL;
        }
        may
    }

    /// A link is up: its dial was answered, and all its bytes are counted.
    pub fn up(&self, link: &Link, now: Mono) {
        let mut state = lock(&self.state);
        state.contact.insert(link.peer(), now);
        state.counted.insert((link.peer(), link.session()), 0);
        let dialled = state.dialled.remove(&link.peer()).unwrap_or(0);
        // Only the last was answered.
        state.budget.give_back(dialled.min(DIAL));
    }

    /// Counts what a link has carried since it was counted last; of one that is over, nothing.
    pub fn count(&self, link: &Link, now: Millis) {
        let stats = link.stats();
        let whole = stats.sent + stats.received + DATAGRAM * stats.datagrams;
        let mut state = lock(&self.state);
        let Some(counted) = state.counted.get_mut(&(link.peer(), link.session())) else {
            return;
        };
        let bytes = whole.saturating_sub(*counted);
        *counted = whole;
        state.budget.spend(now, bytes);
    }

    /// Promises so many bytes to a piece that is to go over a link, if the day has them. False as
    /// well where the link is over.
    pub fn promise(&self, link: &Link, way: Way, bytes: u64, now: Millis) -> bool {
        self.count(link, now);
        let mut state = lock(&self.state);
        let (peer, session) = (link.peer(), link.session());
        state.counted.contains_key(&(peer, session))
            && state.promise((peer, session, way), bytes, now)
    }

    /// A piece goes no more: what it took is counted, the rest is free.
    pub fn keep(&self, link: &Link, way: Way, now: Millis) {
        self.count(link, now);
        let mut state = lock(&self.state);
        let piece = (link.peer(), link.session(), way);
        state.promised.remove(&piece);
    }

    /// The link is over: nothing more comes of it.
    pub fn forget(&self, link: &Link, now: abeng_wire::Now) {
        self.count(link, now.wall);
        let mut state = lock(&self.state);
        state.counted.remove(&(link.peer(), link.session()));
        for way in [Way::Out, Way::In] {
            state.promised.remove(&(link.peer(), link.session(), way));
        }
        state.contact.insert(link.peer(), now.mono);
    }

    /// The day in numbers.
    pub fn today(&self, now: Millis) -> Today {
        lock(&self.state).budget.today(now)
    }

    /// Writes down what was spent.
    pub fn write(&self) -> io::Result<()> {
        let spent = lock(&self.state).budget.spent();
        spent.write(&self.path)
    }

    fn wait_for(&self, queues: &[v1::QueueStatus]) {
        let mut waiting: BTreeMap<PartyCode, Waiting> = BTreeMap::new();
        for queue in queues.iter().filter(|q| q.depth > 0) {
            let Ok(party) = PartyCode::new(&queue.recipient) else {
                continue;
            };
            let entry = waiting.entry(party).or_default();
            entry.any = true;
            entry.flash |= queue.precedence() == v1::Precedence::Flash;
        }
        lock(&self.state).waiting = waiting;
    }

    /// What a party may be sent now, where that has changed.
    fn changed(&self, peer: PartyCode, now: Millis) -> Option<Leave> {
        let mut state = lock(&self.state);
        let leave = state.budget.leave(now);
        let before = state.told.insert(peer, leave).unwrap_or(Leave::All);
        (before != leave).then_some(leave)
    }
}

impl Shared {
    /// The kind of path to a party.
    pub fn profile(&self, peer: PartyCode) -> Profile {
        let own = self.config.link.profiles.get(&peer);
        own.copied().unwrap_or(self.config.link.profile)
    }

    /// Whether any path here is paid by the byte.
    pub fn has_metered(&self) -> bool {
        let mut own = self.config.link.profiles.values();
        self.config.link.profile == Profile::Metered || own.any(|p| *p == Profile::Metered)
    }

    fn metered_parties(&self) -> Vec<PartyCode> {
        let trust = self.trust();
        let parties = trust.roster.parties().map(|p| p.code);
        parties
            .filter(|p| *p != self.me && self.profile(*p) == Profile::Metered)
            .collect()
    }

    /// One look at all metered paths.
    async fn meter(&self) {
        let Some(queues) = self.core.inspect(health::queues).await else {
            return;
        };
        self.metered.wait_for(&queues);
        let now = clock::now();
        for peer in self.metered_parties() {
            if let Some(link) = self.links.link(peer) {
                self.metered.count(&link, now.wall);
            }
            if let Some(leave) = self.metered.changed(peer, now.wall) {
                let allowed = match leave {
                    Leave::All => Allowed::All,
                    Leave::Flash => Allowed::Flash,
                };
                tracing::warn!(%peer, ?allowed, "the day's bytes on metered paths decide what is sent");
                self.core.give(Input::Allow { peer, allowed }).await;
            }
        }
        let today = self.metered.today(now.wall);
        self.metrics.metered_spent.set(today.spent as i64);
        self.metrics
            .metered_left
            .set(today.left.map_or(-1, |left| left as i64));
    }

    /// Today's budget, where a path is metered.
    pub fn budget_view(&self) -> Option<BudgetView> {
        self.has_metered().then(|| {
            let today = self.metered.today(clock::wall());
            BudgetView {
                spent: today.spent,
                budget: today.budget,
                flash: today.flash,
                left: today.left,
                until: clock::rfc3339(today.until),
            }
        })
    }

    /// `POST /v1/link/allow`.
    pub fn allow_bytes(
        &self,
        who: &Caller,
        request: &AllowRequest,
    ) -> Result<BudgetView, ApiError> {
        let now = clock::wall();
        let budget = self.config.link.metered.budget;
        let (true, Some(budget)) = (self.has_metered(), budget) else {
            return Err(ApiError::not_found("no path here has a budget")
                .with_try("`budget` under [link.metered] in node.toml sets one")
                .because(Cause::NoBudget, []));
        };
        let bytes = request.bytes.unwrap_or(budget);
        {
            let mut state = lock(&self.metered.state);
            state.budget.allow(now, bytes);
            // What waits for it, here or at the other side, need not wait for the next contact.
            state.contact.clear();
        }
        self.attachments.look();
        let officer = request.officer.as_deref().unwrap_or(&who.name);
        tracing::warn!(bytes, officer, via = %who.through(), "more bytes are allowed on metered paths today");
        self.metered.write().map_err(|e| {
            ApiError::internal(format!("what was allowed cannot be written down: {e}"))
        })?;
        self.budget_view()
            .ok_or_else(|| ApiError::internal("the budget is gone"))
    }

    /// What an operator should know of the budget.
    pub fn budget_warning(&self) -> Option<Warning> {
        let today = self.budget_view().filter(|b| b.left == Some(0))?;
        let told = Warning::from(format!(
            "the day's bytes on metered paths are used up: nothing but FLASH is sent over them until {}. `abeng link allow` lets more be spent today",
            today.until
        ));
        Some(told.because(Warned::BudgetUsed, [("until", today.until)]))
    }
}

/// Counts for as long as the node runs.
pub async fn work(shared: Arc<Shared>) {
    if !shared.has_metered() {
        return;
    }
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut round = 0u32;
    loop {
        every.tick().await;
        shared.meter().await;
        round = round.wrapping_add(1);
        if round.is_multiple_of(WRITE_ROUNDS) {
            shared.keep_budget();
        }
    }
}

impl Shared {
    /// Writes the budget down; a failure costs at most a wrong count after a restart.
    pub fn keep_budget(&self) {
        if self.has_metered()
            && let Err(e) = self.metered.write()
        {
            tracing::error!(error = %e, "the day's bytes cannot be written down");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abeng_wire::Now;

    const NOON: Millis = 20_000 * 86_400_000 + 43_200_000;

    fn at(seconds: u64) -> Now {
        Now {
            mono: Mono(0).plus_ms(seconds * 1000),
            wall: NOON + seconds * 1000,
        }
    }

    fn queue(recipient: &str, precedence: v1::Precedence) -> v1::QueueStatus {
        v1::QueueStatus {
            recipient: recipient.into(),
            precedence: precedence.into(),
            depth: 1,
            oldest: 0,
        }
    }

    fn metered(dir: &tempfile::TempDir) -> Metered {
        let metering = Metering {
            budget: Some(100_000),
            flash: 25_000,
            contact_every_ms: 3_600_000,
        };
        Metered::open(metering, dir.path().join("budget.json")).unwrap()
    }

    #[test]
    fn a_metered_path_is_dialled_when_something_waits_or_a_contact_is_due() {
        let dir = tempfile::tempdir().unwrap();
        let metered = metered(&dir);
        let jm = PartyCode::new("JM").unwrap();
        assert!(metered.may_dial(jm, at(0)), "the first contact");
        assert!(!metered.may_dial(jm, at(3599)));
        assert!(metered.may_dial(jm, at(3600)));
        metered.wait_for(&[queue("JM", v1::Precedence::Routine)]);
        assert!(metered.may_dial(jm, at(3601)));
        metered.wait_for(&[]);
        assert!(!metered.may_dial(jm, at(3602)));
        // Dials that nobody answers are not free.
        assert_eq!(metered.today(NOON).spent, 3 * DIAL);
    }

    #[test]
    fn a_spent_day_is_broken_only_for_flash() {
        let dir = tempfile::tempdir().unwrap();
        let metered = metered(&dir);
        let [jm, tt] = ["JM", "TT"].map(|c| PartyCode::new(c).unwrap());
        lock(&metered.state).budget.spend(NOON, 75_000);
        metered.wait_for(&[
            queue("JM", v1::Precedence::Immediate),
            queue("TT", v1::Precedence::Flash),
        ]);
        assert!(!metered.may_dial(jm, at(0)));
        assert!(metered.may_dial(tt, at(0)));
        assert_eq!(metered.changed(jm, NOON), Some(Leave::Flash));
        assert_eq!(metered.changed(jm, NOON), None, "told once");
        let midnight = 20_001 * 86_400_000;
        assert_eq!(metered.changed(jm, midnight), Some(Leave::All));
    }

    #[test]
    fn what_is_promised_is_not_had_twice() {
        let dir = tempfile::tempdir().unwrap();
        let metered = metered(&dir);
        let jm = PartyCode::new("JM").unwrap();
        let mut state = lock(&metered.state);
        assert!(!state.promise((jm, 7, Way::Out), 75_001, NOON));
        assert_eq!(state.unpromised(NOON), Some(75_000), "no harm done");
        for _ in 0..2 {
            assert!(
                state.promise((jm, 7, Way::Out), 50_000, NOON),
                "it is one piece"
            );
        }
        assert!(!state.promise((jm, 7, Way::In), 25_001, NOON));
        assert!(state.promise((jm, 7, Way::In), 25_000, NOON));
        state.promised.remove(&(jm, 7, Way::Out));
        // More went than was promised.
        state.budget.spend(NOON, 60_000);
        assert_eq!(state.unpromised(NOON), Some(0));
        state.promised.remove(&(jm, 7, Way::In));
        assert_eq!(state.unpromised(NOON), Some(15_000));
    }
}
