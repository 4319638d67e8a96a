//! `abeng drill hurricane`: is this node ready for weeks without a cable? Facts go in, marks come
//! out; what nobody can look at counts nothing.

use crate::{
    clock,
    config::{Config, KeysConfig},
    count::count,
    layout::Layout,
    prepared::prepared,
    quota::{DataDir, Quota},
    shared::Shared,
    timekeeper,
};
use abeng_api::{DrillItem, DrillMark, DrillView};
use abeng_keys::BackupKey;
use abeng_roster::{LIMIT_MS, Trust, WARN_MS};
use abeng_wire::{LeafIndex, Millis, PartyCode, prost::Message, v1};
use std::{fs, path::Path, sync::Arc};

const DAY_MS: u64 = 86_400_000;
/// Days alone that a node should last: ten of a hurricane's cut, twice and a half.
const GOOD_DAYS: u64 = 25;
/// Fewer would not do.
const LEAST_DAYS: u64 = 10;
/// A node that grows less is reckoned to grow by so much a day: a day of a storm is a busy one.
const LEAST_GROWTH: u64 = 16 << 20;
/// So far back growth is measured.
const GROWTH_DAYS: u64 = 7;
/// A backup of so many days is good; of twice as many not any more.
const BACKUP_DAYS: u64 = 1;
const BACKUP_LEAST_DAYS: u64 = 7;
/// After so many days somebody should look whether the sheets are still there.
const SHARES_DAYS: u64 = 730;
/// Keys and trust data should last so many days more.
const LAST_DAYS: u64 = 30;

/// The newest backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupFact {
    /// How old it is.
    pub age_ms: u64,
    /// It lies on the file system of the data that it is of.
    pub same_disk: bool,
}

/// Room and growth, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// Until nothing new is taken.
    pub left: u64,
    /// A day.
    pub per_day: PerDay,
}

/// What a day takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PerDay {
    /// So many bytes were written, a day.
    Measured(u64),
    /// Its log is not a day old.
    TooYoung,
    /// The node does not run, so that it was not measured.
    NotMeasured,
}

/// What trust data lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustFact {
    /// Age of the newest freshness statement, or of the roster.
    pub age_ms: u64,
    /// Until the roster expires.
    pub roster_ms: u64,
    /// Until the own seal key ends; `None`: there is none.
    pub seal_ms: Option<u64>,
}

/// How the keys were split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharesFact {
    /// So many sheets are needed, of how many.
    pub of: Of,
    /// Age of the sheets.
    pub age_ms: u64,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Of {
    /// So many.
    pub some: usize,
    /// Of these.
    pub all: usize,
}

/// What is known of a node; `None` where it could not be looked at.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The newest backup; `Some(None)`: there was never one.
    pub backup: Option<Option<BackupFact>>,
    /// Whether the keys rest encrypted.
    pub keys_encrypted: Option<bool>,
    /// A seal key that waits for a backup.
    pub seal_key_waits: bool,
    /// Shares of the keys on paper; `Some(None)`: there are none.
    pub shares: Option<Option<SharesFact>>,
    /// Other relays of the roster that are linked.
    pub relays: Option<Of>,
    /// The node is the only relay that the roster has.
    pub only_relay: bool,
    /// Room and growth.
    pub growth: Option<Growth>,
    /// What trust data lasts.
    pub trust: Option<TrustFact>,
    /// What the clock is taken for, and how far it is off in milliseconds.
    pub clock: Option<(timekeeper::Trust, i64)>,
    /// Links that are up.
    pub links: Option<Of>,
}

fn item(name: &str, of: u32, mark: DrillMark, found: String, advice: &str) -> DrillItem {
    DrillItem {
        name: name.to_owned(),
        mark,
        points: match mark {
            DrillMark::Ok => of,
            DrillMark::Warn => of / 2,
            DrillMark::Fail | DrillMark::Unchecked => 0,
        },
        of,
        found,
        advice: (mark != DrillMark::Ok).then(|| advice.to_owned()),
    }
}

fn unchecked(name: &str, of: u32, advice: &str) -> DrillItem {
    let found = "not looked at: the node does not run".to_owned();
    item(name, of, DrillMark::Unchecked, found, advice)
}

/// `3 days`, `5 hours`.
fn span(ms: u64) -> String {
    match (ms / DAY_MS, ms / 3_600_000) {
        (0, 1) => "1 hour".to_owned(),
        (0, hours) => format!("{hours} hours"),
        (1, _) => "1 day".to_owned(),
        (days, _) => format!("{days} days"),
    }
}

/// All marks, in the order in which to mend them.
pub fn judge(facts: &Facts) -> Vec<DrillItem> {
    vec![
        backup(facts),
        keys(facts),
        shares(facts),
        stick(&Stick::NotTried),
        passphrase(Answer::NotAsked),
        autonomy(facts),
        relays(facts),
        trust(facts),
        clock_item(facts),
        links(facts),
    ]
}

fn backup(facts: &Facts) -> DrillItem {
    let advice = "make one now on a disk that leaves the building: `abeng backup` (docs/operations.md, Backup)";
    let Some(newest) = facts.backup else {
        return unchecked("backup", 20, advice);
    };
    let (mark, found) = match newest {
        None => (DrillMark::Fail, "no backup is known here".to_owned()),
        Some(BackupFact {
            age_ms,
            same_disk: true,
        }) => (
            DrillMark::Fail,
            format!(
                "the newest backup is {} old and lies on the data's own file system: it is lost with it",
                span(age_ms)
            ),
        ),
        Some(BackupFact { age_ms: age, .. }) => {
            let mark = match age / DAY_MS {
                0..BACKUP_DAYS => DrillMark::Ok,
                BACKUP_DAYS..BACKUP_LEAST_DAYS => DrillMark::Warn,
                _ => DrillMark::Fail,
            };
            (mark, format!("the newest backup is {} old", span(age)))
        }
    };
    if !facts.seal_key_waits {
        return item("backup", 20, mark, found, advice);
    }
    let mark = match mark {
        DrillMark::Ok => DrillMark::Warn,
        mark => mark,
    };
    let found = format!("{found}, and a new seal key waits for one before it is published");
    item("backup", 20, mark, found, advice)
}

fn keys(facts: &Facts) -> DrillItem {
    let advice = "found the network with a passphrase: keys in the clear are for trials";
    match facts.keys_encrypted {
        None => unchecked("keys", 10, "give --data DIR"),
        Some(true) => {
            let found = "the keys rest encrypted".to_owned();
            item("keys", 10, DrillMark::Ok, found, advice)
        }
        Some(false) => {
            let found = "the keys rest in the clear: who takes the machine has them".to_owned();
            item("keys", 10, DrillMark::Fail, found, advice)
        }
    }
}

fn shares(facts: &Facts) -> DrillItem {
    let advice = "print new ones and give them to people who would be found after a storm: `abeng keys split --shares 5 --threshold 3`";
    let Some(shares) = facts.shares else {
        return unchecked("shares", 5, "give --data DIR");
    };
    let (mark, found) = match shares {
        None => (
            DrillMark::Warn,
            "no shares of the keys were printed: a lost passphrase is the end of them".to_owned(),
        ),
        Some(SharesFact { of, age_ms }) => {
            let mark = match age_ms / DAY_MS {
                0..SHARES_DAYS => DrillMark::Ok,
                _ => DrillMark::Warn,
            };
            let Of { some, all } = of;
            let found = format!(
                "{some} of {all} printed shares give the keys back; they are {} old",
                span(age_ms)
            );
            (mark, found)
        }
    };
    item("shares", 5, mark, found, advice)
}

/// What came of a stick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stick {
    /// None was given.
    NotTried,
    /// It took a file at so many bytes a second, and gave it back.
    Good(u64),
    /// The same, and what was read back may have come from this machine's memory.
    FromMemory(u64),
    /// It did not.
    Bad(String),
    /// It lies on the file system of the node's data.
    SameDisk,
}

/// The mark of a stick for courier files.
pub fn stick(stick: &Stick) -> DrillItem {
    let (mark, found) = match stick {
        Stick::NotTried => (DrillMark::Unchecked, "no stick was tried".to_owned()),
        Stick::FromMemory(rate) => {
            let found = format!(
                "the stick takes {:.1} MB/s; what it gave back was right, and may have come from this machine's memory",
                *rate as f64 / 1e6
            );
            (DrillMark::Warn, found)
        }
        Stick::Good(rate) => {
            let found = format!(
                "the stick takes {:.1} MB/s and gives back what it took",
                *rate as f64 / 1e6
            );
            let slow = *rate < 200_000;
            (if slow { DrillMark::Warn } else { DrillMark::Ok }, found)
        }
        Stick::SameDisk => (
            DrillMark::Fail,
            "that is no stick: it lies on the file system of the node's data (is one mounted there?)"
                .to_owned(),
        ),
        Stick::Bad(why) => (DrillMark::Fail, format!("the stick is of no use: {why}")),
    };
    let advice = "put a stick in and run `abeng drill hurricane --stick PATH`; keep two, one of them elsewhere";
    item("stick", 15, mark, found, advice)
}

/// What came of asking for the passphrase of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nobody was asked.
    NotAsked,
    /// Nobody answered.
    NotGiven,
    /// It opens the keys.
    Right,
    /// It does not.
    Wrong,
    /// There is none: the keys are in the clear.
    None,
}

/// The mark of somebody here knowing the passphrase.
pub fn passphrase(answer: Answer) -> DrillItem {
    let (mark, found) = match answer {
        Answer::NotAsked => (DrillMark::Unchecked, "nobody was asked for the passphrase"),
        Answer::NotGiven => (
            DrillMark::Unchecked,
            "no passphrase was typed: the question needs a terminal, and somebody at it",
        ),
        Answer::Right => (
            DrillMark::Ok,
            "somebody here knows the passphrase of the keys",
        ),
        Answer::Wrong => (
            DrillMark::Fail,
            "the passphrase that was typed does not open the keys",
        ),
        Answer::None => (
            DrillMark::Warn,
            "the keys have no passphrase that anybody could know",
        ),
    };
    let advice = "a restored node asks for it: run `abeng drill hurricane --passphrase` with the person who would be called";
    item("passphrase", 5, mark, found.to_owned(), advice)
}

fn autonomy(facts: &Facts) -> DrillItem {
    let advice = "free space, raise [quota] disk, or move the data directory to a larger disk";
    let Some(growth) = facts.growth else {
        return unchecked("autonomy", 15, "give --data DIR, or start the node");
    };
    let per_day = match growth.per_day {
        PerDay::Measured(bytes) => bytes.max(LEAST_GROWTH),
        PerDay::TooYoung | PerDay::NotMeasured => LEAST_GROWTH,
    };
    let days = growth.left / per_day;
    let mark = match (days, growth.per_day) {
        (0..LEAST_DAYS, _) => DrillMark::Fail,
        (_, PerDay::TooYoung) | (LEAST_DAYS..GOOD_DAYS, _) => DrillMark::Warn,
        _ => DrillMark::Ok,
    };
    let lasts = format!(
        "the disk lasts {} at {} MiB a day",
        count(days, "day", "days"),
        per_day >> 20
    );
    let found = match growth.per_day {
        PerDay::Measured(_) => lasts,
        PerDay::TooYoung => {
            format!("too young to say what a day takes: the log is not a day old. {lasts}")
        }
        PerDay::NotMeasured => format!("{lasts}, which was not measured: the node does not run"),
    };
    let advice = match (mark, growth.per_day) {
        (DrillMark::Warn, PerDay::TooYoung) => "look again after a day of work",
        _ => advice,
    };
    item("autonomy", 15, mark, found, advice)
}

fn relays(facts: &Facts) -> DrillItem {
    let advice = "`abeng relays` shows them; ask the Secretariat that two parties in other places are relays";
    let Some(Of { some, all }) = facts.relays else {
        return unchecked("relays", 10, advice);
    };
    if facts.only_relay {
        let found = "not looked at: this node is the only relay of the roster".to_owned();
        let advice = "nothing to mend here; with a second relay its own notices would have a way around as well: ask the Secretariat";
        return item("relays", 10, DrillMark::Unchecked, found, advice);
    }
    let mark = match some {
        0 => DrillMark::Fail,
        1 => DrillMark::Warn,
        _ => DrillMark::Ok,
    };
    let found = format!("{some} of {all} relays of the roster are linked");
    item("relays", 10, mark, found, advice)
}

fn trust(facts: &Facts) -> DrillItem {
    let advice = "ask the Secretariat for a freshness statement, the next roster, or a new seal key, whichever is short";
    let Some(TrustFact {
        age_ms,
        roster_ms,
        seal_ms,
    }) = facts.trust
    else {
        return unchecked("trust", 10, "give --data DIR, or start the node");
    };
    let shortest = roster_ms.min(seal_ms.unwrap_or(0));
    let mark = match (shortest / DAY_MS, age_ms) {
        (0..LEAST_DAYS, _) | (_, LIMIT_MS..) => DrillMark::Fail,
        (LEAST_DAYS..LAST_DAYS, _) | (_, WARN_MS..) => DrillMark::Warn,
        _ => DrillMark::Ok,
    };
    let seal = seal_ms.map_or_else(
        || "is missing".to_owned(),
        |ms| format!("lasts {}", span(ms)),
    );
    let found = format!(
        "trust data is {} old, the roster lasts {}, the seal key {seal}",
        span(age_ms),
        span(roster_ms)
    );
    item("trust", 10, mark, found, advice)
}

fn clock_item(facts: &Facts) -> DrillItem {
    let advice =
        "set the clock and see that it keeps time without the network (a battery, a GPS receiver)";
    let Some((taken, off)) = facts.clock else {
        return unchecked("clock", 5, advice);
    };
    let (mark, found) = match taken {
        timekeeper::Trust::Plain => (DrillMark::Ok, "the clock is believed".to_owned()),
        timekeeper::Trust::Doubted => (DrillMark::Warn, "the clock is in doubt".to_owned()),
        timekeeper::Trust::Corrected => (
            DrillMark::Fail,
            format!("the clock is wrong by {}", span(off.unsigned_abs())),
        ),
    };
    item("clock", 5, mark, found, advice)
}

fn links(facts: &Facts) -> DrillItem {
    let advice = "`abeng status` names the links that are down; a drill on a quiet day finds the cable that is out already";
    let Some(Of { some, all }) = facts.links else {
        return unchecked("links", 5, advice);
    };
    let mark = match (some, all) {
        (0, 1..) => DrillMark::Fail,
        (some, all) if some < all => DrillMark::Warn,
        _ => DrillMark::Ok,
    };
    item(
        "links",
        5,
        mark,
        format!("{some} of {all} links are up"),
        advice,
    )
}

/// The view of these marks.
pub fn view(party: PartyCode, now: Millis, facts: &Facts) -> DrillView {
    let mut view = DrillView {
        party: party.to_string(),
        at: clock::rfc3339(now),
        items: judge(facts),
        ..DrillView::default()
    };
    view.count();
    view
}

/// What a data directory says while its node does not run.
pub fn offline(config: &Config) -> Facts {
    let layout = Layout::new(&config.data);
    let now = clock::wall();
    let quota = Quota::new(config.quota, Arc::new(DataDir(config.data.clone()))).ok();
    let bundle = layout.read_trust().ok();
    let trust = bundle.and_then(|b| Trust::from_bundle(&b, Some(config.root), now).ok());
    Facts {
        backup: Some(newest_backup(layout.root(), now)),
        keys_encrypted: Some(encrypted(config)),
        shares: shares_fact(&layout, now),
        growth: quota.map(|quota| Growth {
            left: quota.room().left(),
            per_day: PerDay::NotMeasured,
        }),
        trust: trust.map(|trust| trust_fact(&trust, config.party, now)),
        ..Facts::default()
    }
}

fn encrypted(config: &Config) -> bool {
    !matches!(config.keys, KeysConfig::InsecurePlain)
}

/// Nothing where the record cannot be read: `abeng keys list` says why.
fn shares_fact(layout: &Layout, now: Millis) -> Option<Option<SharesFact>> {
    let key = BackupKey::load(&layout.keys()).ok()?;
    Some(key.map(|key| SharesFact {
        of: Of {
            some: key.threshold.into(),
            all: key.shares.into(),
        },
        age_ms: now.saturating_sub(key.at),
    }))
}

/// The file that a backup leaves in the data directory that it is of.
const LAST_BACKUP: &str = "last-backup.json";

#[derive(serde::Deserialize)]
struct LastBackup {
    at_ms: u64,
    #[serde(default)]
    same_disk: bool,
}

fn newest_backup(data: &Path, now: Millis) -> Option<BackupFact> {
    let note = fs::read(data.join(LAST_BACKUP)).ok()?;
    let last: LastBackup = serde_json::from_slice(&note).ok()?;
    Some(BackupFact {
        age_ms: now.saturating_sub(last.at_ms),
        same_disk: last.same_disk,
    })
}

fn trust_fact(trust: &Trust, me: PartyCode, now: Millis) -> TrustFact {
    let own = trust
        .seal_keys
        .statements()
        .into_iter()
        .filter_map(|signed| {
            let key = v1::SealKey::decode(signed.bytes.clone()).ok()?;
            (key.party == me.as_str() && key.not_before <= now).then_some(key.not_after)
        });
    TrustFact {
        age_ms: trust.age(now, 0),
        roster_ms: trust.roster.expires().saturating_sub(now),
        seal_ms: own.max().map(|end| end.saturating_sub(now)),
    }
}

impl Shared {
    /// `GET /v1/drill`.
    pub fn drill(&self) -> DrillView {
        let now = clock::wall();
        let trust = self.trust();
        let others = || {
            let parties = trust.roster.parties();
            parties.filter(|p| p.code != self.me && p.is_active())
        };
        let linked = |code: PartyCode| self.links.link(code).is_some();
        let count = |relay: bool| {
            let wanted = || others().filter(move |p| !relay || p.relay);
            Of {
                some: wanted().filter(|p| linked(p.code)).count(),
                all: wanted().count(),
            }
        };
        let own = trust.roster.party(self.me);
        let relays = count(true);
        let believed = clock::believed();
        let facts = Facts {
            backup: Some(newest_backup(self.layout.root(), now)),
            keys_encrypted: Some(encrypted(&self.config)),
            seal_key_waits: self.seal_key_waits(),
            shares: shares_fact(&self.layout, now),
            only_relay: relays.all == 0 && own.is_some_and(|p| p.relay),
            relays: Some(relays),
            growth: Some(Growth {
                left: self.quota.room().left(),
                per_day: self.growth_per_day(now),
            }),
            trust: Some(trust_fact(&trust, self.me, now)),
            clock: Some((believed.trust, believed.off_ms)),
            links: Some(count(false)),
        };
        view(self.me, now, &facts)
    }

    /// Bytes a day, from the share of the log that the last week wrote.
    fn growth_per_day(&self, now: Millis) -> PerDay {
        let size = self.reader.size();
        let from = now.saturating_sub(GROWTH_DAYS * DAY_MS);
        let (mut low, mut high) = (0, size);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.leaf_time(LeafIndex(middle)) {
                Some(time) if time < from => low = middle + 1,
                _ => high = middle,
            }
        }
        // A new life has its own leaf 0, and the leaves of the one before behind it.
        let first = [0, 1].map(|index| self.leaf_time(LeafIndex(index)).unwrap_or(now));
        let begun = first[0].min(first[1]).max(from);
        let elapsed = now.saturating_sub(begun);
        if elapsed < DAY_MS {
            return PerDay::TooYoung;
        }
        let ahead = prepared(&self.layout.journal()).unwrap_or(0);
        let used = u128::from(self.quota.room().used.saturating_sub(ahead));
        let lately = u128::from(size - low) * used / u128::from(size.max(1));
        let bytes = lately * u128::from(DAY_MS) / u128::from(elapsed);
        PerDay::Measured(u64::try_from(bytes).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> Facts {
        Facts {
            backup: Some(Some(BackupFact {
                age_ms: 3_600_000,
                same_disk: false,
            })),
            keys_encrypted: Some(true),
            seal_key_waits: false,
            shares: Some(Some(SharesFact {
                of: Of { some: 3, all: 5 },
                age_ms: DAY_MS,
            })),
            relays: Some(Of { some: 2, all: 3 }),
            only_relay: false,
            growth: Some(Growth {
                left: 100 << 30,
                per_day: PerDay::Measured(1 << 30),
            }),
            trust: Some(TrustFact {
                age_ms: DAY_MS,
                roster_ms: 300 * DAY_MS,
                seal_ms: Some(90 * DAY_MS),
            }),
            clock: Some((timekeeper::Trust::Plain, 0)),
            links: Some(Of { some: 4, all: 4 }),
        }
    }

    fn marked(facts: &Facts, name: &str) -> DrillMark {
        let items = judge(facts);
        items.iter().find(|i| i.name == name).unwrap().mark
    }

    fn scored(facts: &Facts) -> DrillView {
        let mut view = view(PartyCode::new("JM").unwrap(), 0, facts);
        view.put(stick(&Stick::Good(9_000_000)));
        view.put(passphrase(Answer::Right));
        view
    }

    #[test]
    fn a_node_that_is_ready_has_all_points_and_nothing_to_do() {
        let view = scored(&ready());
        assert_eq!((view.score, view.failed), (100, 0));
        assert!(view.items.iter().all(|i| i.advice.is_none()), "{view:?}");
        assert_eq!(view.items.iter().map(|i| i.of).sum::<u32>(), 100);
    }

    #[test]
    fn each_thing_that_lacks_is_found_by_itself() {
        type Spoil = fn(&mut Facts);
        let spoils: [(&str, DrillMark, Spoil); 19] = [
            ("backup", DrillMark::Fail, |f| {
                f.backup.as_mut().unwrap().as_mut().unwrap().same_disk = true
            }),
            ("autonomy", DrillMark::Warn, |f| {
                f.growth.as_mut().unwrap().per_day = PerDay::TooYoung
            }),
            ("backup", DrillMark::Fail, |f| f.backup = Some(None)),
            ("backup", DrillMark::Warn, |f| {
                f.backup.as_mut().unwrap().as_mut().unwrap().age_ms = DAY_MS
            }),
            ("backup", DrillMark::Fail, |f| {
                f.backup.as_mut().unwrap().as_mut().unwrap().age_ms = 7 * DAY_MS
            }),
            ("keys", DrillMark::Fail, |f| f.keys_encrypted = Some(false)),
            ("backup", DrillMark::Warn, |f| f.seal_key_waits = true),
            ("shares", DrillMark::Warn, |f| f.shares = Some(None)),
            ("shares", DrillMark::Warn, |f| {
                f.shares.as_mut().unwrap().as_mut().unwrap().age_ms = 730 * DAY_MS;
            }),
            ("relays", DrillMark::Fail, |f| {
                f.relays = Some(Of { some: 0, all: 3 })
            }),
            ("relays", DrillMark::Warn, |f| {
                f.relays = Some(Of { some: 1, all: 1 })
            }),
            ("autonomy", DrillMark::Warn, |f| {
                f.growth = Some(Growth {
                    left: 10 << 30,
                    per_day: PerDay::Measured(1 << 30),
                });
            }),
            ("autonomy", DrillMark::Fail, |f| {
                // However little it grew: a storm is busy.
                f.growth = Some(Growth {
                    left: 159 << 20,
                    per_day: PerDay::Measured(1),
                });
            }),
            ("trust", DrillMark::Warn, |f| {
                f.trust.as_mut().unwrap().age_ms = WARN_MS
            }),
            ("trust", DrillMark::Fail, |f| {
                f.trust.as_mut().unwrap().age_ms = LIMIT_MS
            }),
            ("trust", DrillMark::Fail, |f| {
                f.trust.as_mut().unwrap().seal_ms = None
            }),
            ("trust", DrillMark::Warn, |f| {
                f.trust.as_mut().unwrap().roster_ms = 29 * DAY_MS
            }),
            ("clock", DrillMark::Fail, |f| {
                f.clock = Some((timekeeper::Trust::Corrected, 9))
            }),
            ("links", DrillMark::Warn, |f| {
                f.links = Some(Of { some: 3, all: 4 })
            }),
        ];
        for (name, mark, spoil) in spoils {
            let mut facts = ready();
            spoil(&mut facts);
            assert_eq!(marked(&facts, name), mark, "{name}");
            let view = scored(&facts);
            assert!(view.score < 100, "{name}");
            assert_eq!(view.failed, u32::from(mark == DrillMark::Fail), "{name}");
            let short: Vec<_> = view.items.iter().filter(|i| i.advice.is_some()).collect();
            assert_eq!(short.len(), 1, "{name}: {short:?}");
        }
    }

    #[test]
    fn what_nobody_looked_at_counts_nothing_and_fails_nothing() {
        let view = view(PartyCode::new("JM").unwrap(), 0, &Facts::default());
        assert_eq!((view.score, view.failed), (0, 0));
        assert!(view.items.iter().all(|i| i.mark == DrillMark::Unchecked));
        assert_eq!(stick(&Stick::Bad("full".into())).mark, DrillMark::Fail);
        assert_eq!(stick(&Stick::SameDisk).points, 0);
        assert_eq!(passphrase(Answer::Wrong).mark, DrillMark::Fail);
    }

    #[test]
    fn the_only_relay_is_not_blamed_for_lacking_another() {
        let mut facts = ready();
        facts.relays = Some(Of { some: 0, all: 0 });
        assert_eq!(marked(&facts, "relays"), DrillMark::Fail, "none at all");
        facts.only_relay = true;
        assert_eq!(marked(&facts, "relays"), DrillMark::Unchecked);
        let view = scored(&facts);
        assert_eq!((view.score, view.failed), (90, 0));
    }

    #[test]
    fn a_node_that_is_too_young_says_so_and_no_number_is_made_up() {
        let mut facts = ready();
        facts.growth.as_mut().unwrap().per_day = PerDay::TooYoung;
        let items = judge(&facts);
        let said = items.iter().find(|i| i.name == "autonomy").unwrap();
        assert!(said.found.starts_with("too young to say"), "{said:?}");
        assert_eq!(
            said.advice.as_deref(),
            Some("look again after a day of work")
        );
        // Young or not, a full disk does not last.
        facts.growth.as_mut().unwrap().left = 9 * LEAST_GROWTH;
        assert_eq!(marked(&facts, "autonomy"), DrillMark::Fail);
    }
}
