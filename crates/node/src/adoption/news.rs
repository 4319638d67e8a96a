//! What newer rosters changed, told until somebody here has said that it was seen.

use crate::shared::{Shared, lock};
use abeng_api::{Warned, Warning};
use abeng_roster::Trust;

/// Changes that one status line names; the rest is counted.
const NAMED: usize = 12;

/// What nobody here has seen yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// The roster whose changes were seen, and all before it.
    pub seen: u64,
    /// What the roster in force changed since, in words.
    pub changes: Vec<String>,
}

impl News {
    /// Of a roster in force, where changes up to version `seen` were seen.
    pub fn of(trust: &Trust, seen: u64) -> Self {
        let now = trust.roster.version();
        let seen = seen.min(now);
        let changes = match seen == now {
            true => Vec::new(),
            false => match trust.changes_since(seen) {
                Ok(changes) if changes.is_empty() => vec!["nothing but dates".to_owned()],
                Ok(changes) => changes.iter().map(ToString::to_string).collect(),
                Err(why) => vec![format!("what changed cannot be told: {why}")],
            },
        };
        Self { seen, changes }
    }

    /// What `status` says, while there is something.
    pub fn told(&self, version: u64) -> Option<Warning> {
        if self.changes.is_empty() {
            return None;
        }
        let named: Vec<&str> = self
            .changes
            .iter()
            .take(NAMED)
            .map(String::as_str)
            .collect();
        let more = match self.changes.len() - named.len() {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let text = format!(
            "roster {version} is in force and changes: {}{more}. Check it with whoever announced it, see `abeng roster pending`, then say so: `abeng roster accept`",
            named.join("; ")
        );
        let values = [
            ("version", version.to_string()),
            ("count", self.changes.len().to_string()),
        ];
        Some(Warning::from(text).because(Warned::RosterNews, values))
    }
}

impl Shared {
    /// Tells what a roster that was just adopted changes, since the last version that was seen and
    /// that it shares with the one before.
    pub(super) fn tell_news(&self, trust: &Trust, shared: u64) {
        let version = trust.roster.version();
        let mut news = lock(&self.news);
        *news = News::of(trust, news.seen.min(shared));
        let changes = news.changes.join("; ");
        tracing::warn!(version, changes, "a newer roster is in force");
        self.metrics.roster_unseen.set(1);
    }
}
