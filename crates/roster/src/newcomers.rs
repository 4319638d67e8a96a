//! Who is new to a roster or group, and until when it waits here.

use crate::Trust;
use abeng_wire::{Millis, PartyCode};

/// How long a party that is new to a roster or group waits before it is expanded into and gains
/// grants at a node, unless a local administrator accepts it: 7 days from adoption at that node.
pub const NEWCOMER_WAIT_MS: Millis = 7 * 24 * 60 * 60 * 1000;

/// A party that is new somewhere and waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Newcomer {
    /// The group; `None`: the roster itself.
    pub group: Option<PartyCode>,
    /// The party.
    pub party: PartyCode,
    /// The roster version that brought it there.
    pub since: u64,
    /// When its waiting time ends.
    pub until: Millis,
}

impl Trust {
    /// Records when this node adopted a roster version, as its journal says: for what a restart
    /// loads, and in place of the time that was given to [`Self::merge`].
    pub fn note_adoption(&mut self, version: u64, at: Millis) {
        self.adopted.insert(version, at);
        self.set_waits();
    }

    /// Forgets when versions after `shared` were adopted, and who was accepted there: they are
    /// those of the other side of an equivocation, and one of this side waits from now on.
    pub fn forget_after(&mut self, shared: u64) {
        self.adopted.retain(|version, _| *version <= shared);
        self.accepted.retain(|(_, _, since)| *since <= shared);
    }

    /// A local administrator accepts a newcomer before its time, in the roster or in a group:
    /// what `since` brought there, and nothing that comes back later.
    pub fn accept_newcomer(&mut self, group: Option<PartyCode>, party: PartyCode, since: u64) {
        self.accepted.insert((group, party, since));
    }

    /// Until when a party that is new to the roster, or to `group`, waits; `None` if it need not
    /// or has. `now` is the earliest time that it can be: no doubtful clock ends a wait.
    pub fn waits_until(
        &self,
        group: Option<PartyCode>,
        party: PartyCode,
        now: Millis,
    ) -> Option<Millis> {
        let newcomer = self.newcomer(group, party)?;
        (now < newcomer.until).then_some(newcomer.until)
    }

    /// Everybody who waits, by group and party, the roster itself first.
    pub fn newcomers(&self, now: Millis) -> Vec<Newcomer> {
        let places = self.roster.places_since();
        let all = places.filter_map(|(group, party)| self.newcomer(group, party));
        all.filter(|newcomer| now < newcomer.until).collect()
    }

    fn newcomer(&self, group: Option<PartyCode>, party: PartyCode) -> Option<Newcomer> {
        let since = self.roster.since(group, party)?;
        if self.accepted.contains(&(group, party, since)) {
            return None;
        }
        let until = self.adopted.get(&since)?.saturating_add(NEWCOMER_WAIT_MS);
        Some(Newcomer {
            group,
            party,
            since,
            until,
        })
    }
}
