//! Bugs that the tests must catch, and how each is planted.
//!
//! `bugs.toml` holds for each bug the place, what stands there and what is to stand there, and who
//! must catch it with which words. The binary plants one after the other in a copy of the tree. A
//! test here holds the list to the tree, so that it stays applicable.

use serde::Deserialize;
use std::{collections::BTreeSet, fs, io, path::Path};

/// One bug.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bug {
    /// Its name.
    pub name: String,
    /// The invariant that it breaks.
    pub invariant: String,
    /// What is wrong with it, in a line.
    pub what: String,
    /// Where it is planted.
    pub file: String,
    /// What stands there, exactly once.
    pub find: String,
    /// What is to stand there.
    pub replace: String,
    /// Who must catch it.
    pub caught_by: CaughtBy,
    /// Words of which one must be said.
    pub verdict: Vec<String>,
}

/// Who must catch a bug.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum CaughtBy {
    /// Seeds of the simulator.
    Sim {
        /// The scenario.
        scenario: String,
        /// At most so many seeds.
        seeds: u32,
    },
    /// Tests of one crate.
    Test {
        /// The package.
        package: String,
        /// Which tests.
        filter: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    bug: Vec<Bug>,
}

/// Why the list cannot be used.
#[derive(Debug)]
pub struct BadList(pub String);

/// All bugs, in the order of the list.
pub fn bugs() -> Result<Vec<Bug>, BadList> {
    let list: List =
        toml::from_str(include_str!("../bugs.toml")).map_err(|e| BadList(e.to_string()))?;
    let names: BTreeSet<&str> = list.bug.iter().map(|bug| bug.name.as_str()).collect();
    match names.len() == list.bug.len() {
        true => Ok(list.bug),
        false => Err(BadList("a name stands twice in the list".to_owned())),
    }
}

impl Bug {
    /// The file with the bug in it.
    pub fn plant(&self, root: &Path) -> io::Result<String> {
        let before = fs::read_to_string(root.join(&self.file))?;
        match before.matches(&self.find).count() {
            1 => Ok(before.replacen(&self.find, &self.replace, 1)),
            n => Err(io::Error::other(format!(
                "`{}`: what is to be replaced stands {n} times in {}",
                self.name, self.file
            ))),
        }
    }
}
