//! Counting what arrived, per recipient, against what was sent there.

use std::collections::{BTreeMap, BTreeSet};

/// What was found at the recipients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) delivered: usize,
    pub(super) duplicates: usize,
    pub(super) lost: usize,
}

/// Counts one recipient. `inbox` are the ids of its rows, `leaves` those of the Delivered leaves
/// in its log: two sources, and each must name every expected id exactly once.
pub(super) fn recipient(expected: &BTreeSet<String>, inbox: &[String], leaves: &[String]) -> Count {
    let (rows, leaves) = (times(inbox), times(leaves));
    let mut count = Count::default();
    for id in expected {
        let (rows, leaves) = (at(&rows, id), at(&leaves, id));
        match rows.min(leaves) {
            0 => count.lost += 1,
            _ => count.delivered += 1,
        }
        count.duplicates += rows.max(leaves).saturating_sub(1);
    }
    let known: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
    let strangers: BTreeSet<&str> = rows.keys().chain(leaves.keys()).copied().collect();
    count.duplicates += strangers.difference(&known).count();
    count
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.duplicates += other.duplicates;
        self.lost += other.lost;
    }
}

fn times(ids: &[String]) -> BTreeMap<&str, usize> {
    let mut times = BTreeMap::new();
    for id in ids {
        *times.entry(id.as_str()).or_default() += 1;
    }
    times
}

fn at(times: &BTreeMap<&str, usize>, id: &str) -> usize {
    times.get(id).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn count(expected: &str, inbox: &str, leaves: &str) -> (usize, usize, usize) {
        let expected = ids(expected).into_iter().collect();
        let c = recipient(&expected, &ids(inbox), &ids(leaves));
        (c.delivered, c.duplicates, c.lost)
    }

    #[test]
    fn lost_twice_and_strange_are_told_apart() {
        assert_eq!(count("a b c", "c b a", "a b c"), (3, 0, 0));
        assert_eq!(count("a b c", "a b", "a b"), (2, 0, 1));
        assert_eq!(count("a b", "a b b", "a b"), (2, 1, 0));
        assert_eq!(count("a b", "a b", "a a a b"), (2, 2, 0));
        assert_eq!(count("a", "a x", "a"), (1, 1, 0));
        // In the inbox and not in the log is not delivered, nor the other way round.
        assert_eq!(count("a b", "a", "b"), (0, 0, 2));
    }
}
