//! Whether a node is ready for weeks alone: `GET /v1/drill`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How one thing stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DrillMark {
    /// Ready.
    Ok,
    /// It would do, and should be better.
    Warn,
    /// It would not do.
    Fail,
    /// It could not be looked at here; counts no points.
    #[default]
    Unchecked,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DrillItem {
    /// `backup`, `keys`, `passphrase`, `stick`, `relays`, `autonomy`, `trust`, `clock`, `links`.
    pub name: String,
    /// How it stands.
    pub mark: DrillMark,
    /// Points given.
    pub points: u32,
    /// Of so many.
    pub of: u32,
    /// What was found.
    pub found: String,
    /// What to do, unless all is well.
    #[serde(rename = "try", default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// A drill.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DrillView {
    /// Whose node.
    pub party: String,
    /// When.
    pub at: String,
    /// Points of 100.
    pub score: u32,
    /// Things that would not do.
    pub failed: u32,
    /// All that was looked at, in the order in which to look at it.
    pub items: Vec<DrillItem>,
}

impl DrillView {
    /// Puts an item in the place of the one of its name, and counts again.
    pub fn put(&mut self, item: DrillItem) {
        match self.items.iter_mut().find(|i| i.name == item.name) {
            Some(old) => *old = item,
            None => self.items.push(item),
        }
        self.count();
    }

    /// Counts points and failures.
    pub fn count(&mut self) {
        self.score = self.items.iter().map(|i| i.points).sum();
        let failed = self.items.iter().filter(|i| i.mark == DrillMark::Fail);
        self.failed = failed.count() as u32;
    }
}
