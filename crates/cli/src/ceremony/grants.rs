//! Who may read what: what a change of groups, grants and parties adds up to.

use super::{
    diff::{Change, danger, plain},
    words::{self, codes},
};
use abeng_wire::v1;
use std::collections::BTreeMap;

type Parties = BTreeMap<String, v1::Party>;

/// What one party may send to another: the highest label of every type, and of single types.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Allowed {
    every: u32,
    single: BTreeMap<String, u32>,
}

/// Who may read more, or less, than before, each reader with those it reads from.
pub(super) fn widened(
    old: &v1::Roster,
    before: &Parties,
    new: &v1::Roster,
    after: &Parties,
) -> Vec<Change> {
    let mut more: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut less: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for reader in after.keys() {
        for from in after.keys().filter(|from| *from != reader) {
            let then = allowed(old, before, from, reader);
            let now = allowed(new, after, from, reader);
            let gained = now.beyond(&then);
            if gained != Allowed::default() {
                let key = (reader.clone(), gained.in_words());
                more.entry(key).or_default().push(from.clone());
            }
            if then.beyond(&now) != Allowed::default() {
                less.entry(reader.clone()).or_default().push(from.clone());
            }
        }
    }
    let founding = old.version == 0;
    let silent = silence(old, before, new, after);
    let gains = more.into_iter().map(|((reader, what), from)| {
        let text = format!("{reader} may read from {}: {what}.", codes(&from));
        match founding {
            true => plain(text),
            false => danger(format!("From now on {text}")),
        }
    });
    let losses = less
        .into_iter()
        .map(|(reader, from)| plain(format!("{reader} may read less from {}.", codes(&from))));
    silent.into_iter().chain(gains).chain(losses).collect()
}

/// What is not granted is refused, at both ends: without a grant the network says nothing.
fn silence(
    old: &v1::Roster,
    before: &Parties,
    new: &v1::Roster,
    after: &Parties,
) -> Option<Change> {
    let speaks = |roster: &v1::Roster, parties: &Parties| {
        let mut pairs = parties
            .keys()
            .flat_map(|from| parties.keys().map(move |to| (from, to)));
        pairs.any(|(from, to)| {
            from != to && allowed(roster, parties, from, to) != Allowed::default()
        })
    };
    let had = old.version == 0 || speaks(old, before);
    let why = match (new.grants.is_empty(), old.version) {
        (true, 0) => "There is no grant",
        (true, _) => "ALL GRANTS ARE REMOVED",
        (false, _) => "No grant covers any two active parties",
    };
    (had && after.len() > 1 && !speaks(new, after)).then(|| {
        danger(format!(
            "{why}: nobody may send anything to anybody, and nodes refuse what is still under way, until a later roster grants it."
        ))
    })
}

impl Allowed {
    /// What this allows and the other does not.
    fn beyond(&self, other: &Self) -> Self {
        let every = if self.every > other.every {
            self.every
        } else {
            0
        };
        let further = |(ty, &label): (&String, &u32)| {
            let then = other.single.get(ty).copied().unwrap_or(0).max(other.every);
            (label > then && label > every).then(|| (ty.clone(), label))
        };
        Self {
            every,
            single: self.single.iter().filter_map(further).collect(),
        }
    }

    fn in_words(&self) -> String {
        let mut parts = Vec::new();
        if self.every > 0 {
            parts.push(format!(
                "notices of every type up to {}",
                words::tlp(self.every)
            ));
        }
        for (ty, &label) in &self.single {
            parts.push(format!("{ty} up to {}", words::tlp(label)));
        }
        parts.join("; ")
    }
}

fn allowed(roster: &v1::Roster, parties: &Parties, from: &str, to: &str) -> Allowed {
    let active = |code: &str| {
        let party = parties.get(code);
        party.is_some_and(|p| p.status() == v1::PartyStatus::Active)
    };
    let mut out = Allowed::default();
    if !active(from) || !active(to) {
        return out;
    }
    let holds = |side: &str, code: &str| {
        side == "*"
            || side == code
            || roster
                .groups
                .iter()
                .any(|g| g.code == side && g.members.iter().any(|m| m == code))
    };
    for grant in &roster.grants {
        if !holds(&grant.from, from) || !holds(&grant.to, to) {
            continue;
        }
        if grant.notice_types.is_empty() {
            out.every = out.every.max(grant.highest_tlp);
        }
        for ty in &grant.notice_types {
            let label = out.single.entry(ty.clone()).or_default();
            *label = (*label).max(grant.highest_tlp);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(
        version: u64,
        groups: &[(&str, &[&str])],
        grants: &[(&str, &str, &[&str], u32)],
    ) -> v1::Roster {
        v1::Roster {
            version,
            groups: groups
                .iter()
                .map(|(code, members)| v1::Group {
                    code: (*code).into(),
                    members: members.iter().map(|m| (*m).into()).collect(),
                })
                .collect(),
            grants: grants
                .iter()
                .map(|(from, to, types, highest_tlp)| v1::Grant {
                    from: (*from).into(),
                    to: (*to).into(),
                    notice_types: types.iter().map(|t| (*t).into()).collect(),
                    highest_tlp: *highest_tlp,
                })
                .collect(),
            ..Default::default()
        }
    }

    fn parties(codes: &[&str]) -> Parties {
        let party = |code: &&str| {
            let party = v1::Party {
                code: (*code).into(),
                status: v1::PartyStatus::Active as i32,
                ..Default::default()
            };
            ((*code).into(), party)
        };
        codes.iter().map(party).collect()
    }

    fn told(changes: &[Change]) -> Vec<(bool, &str)> {
        changes.iter().map(|c| (c.danger, &*c.text)).collect()
    }

    #[test]
    fn a_reader_that_a_group_slips_in_is_a_danger() {
        let all = parties(&["BB", "JM", "TT"]);
        let grants: &[(&str, &str, &[&str], u32)] = &[("*", "INNER", &[], 5), ("*", "*", &[], 2)];
        let old = roster(1, &[("INNER", &["BB"])], grants);
        let new = roster(2, &[("INNER", &["BB", "TT"])], grants);
        assert_eq!(
            told(&widened(&old, &all, &new, &all)),
            [(
                true,
                "From now on TT may read from BB, JM: notices of every type up to TLP:RED."
            )]
        );
        assert_eq!(
            told(&widened(&new, &all, &old, &all)),
            [(false, "TT may read less from BB, JM.")]
        );
    }

    #[test]
    fn a_grant_for_one_type_adds_nothing_to_one_for_all() {
        let all = parties(&["BB", "JM"]);
        let old = roster(1, &[], &[("JM", "BB", &[], 3)]);
        let same = roster(
            2,
            &[],
            &[("JM", "BB", &[], 3), ("JM", "BB", &["SEIZURE"], 3)],
        );
        assert!(widened(&old, &all, &same, &all).is_empty());
        let more = roster(
            2,
            &[],
            &[("JM", "BB", &[], 3), ("JM", "BB", &["SEIZURE"], 4)],
        );
        assert_eq!(
            told(&widened(&old, &all, &more, &all)),
            [(
                true,
                "From now on BB may read from JM: SEIZURE up to TLP:AMBER+STRICT."
            )]
        );
    }
}
