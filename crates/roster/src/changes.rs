//! What a newer roster changes, in words: for the people who must know.

use crate::{Party, Roster, Trust, TrustError, trust::walk_to};
use abeng_keys::Role;
use abeng_wire::{PartyCode, v1};
use std::{collections::BTreeSet, fmt};

/// One thing that is otherwise in a newer roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A party that was not in it.
    NewParty {
        /// The party.
        code: PartyCode,
        /// Its name.
        name: String,
    },
    /// A party takes part again, or does not any more.
    Status {
        /// The party.
        code: PartyCode,
        /// Its status now.
        status: v1::PartyStatus,
    },
    /// A party has keys that it had not, or some of its keys are gone or revoked.
    Keys {
        /// The party.
        code: PartyCode,
        /// Their role.
        role: Role,
        /// Keys that it had not.
        new: usize,
        /// Keys that are gone or revoked.
        ended: usize,
    },
    /// A party may carry what is for others, or may not any more.
    Relay {
        /// The party.
        code: PartyCode,
        /// Whether it may.
        relay: bool,
    },
    /// Others are to co-sign a party's log.
    Witnesses {
        /// The party.
        code: PartyCode,
    },
    /// A party is in a group.
    Joined {
        /// The party.
        code: PartyCode,
        /// The group.
        group: PartyCode,
    },
    /// A party is in a group no longer.
    LeftGroup {
        /// The party.
        code: PartyCode,
        /// The group.
        group: PartyCode,
    },
    /// A grant that was not there, in words.
    Granted(String),
    /// A grant that is gone, in words.
    Withdrawn(String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewParty { code, name } => write!(f, "new member {code} ({name})"),
            Self::Status { code, status } => write!(
                f,
                "{code} {}",
                match status {
                    v1::PartyStatus::Active => "takes part again",
                    v1::PartyStatus::Left => "has left",
                    _ => "is suspended",
                }
            ),
            Self::Keys {
                code,
                role,
                new,
                ended,
            } => {
                write!(f, "{} keys of {code}: ", role.name())?;
                match (new, ended) {
                    (new, 0) => write!(f, "{new} new"),
                    (0, ended) => write!(f, "{ended} revoked or gone"),
                    (new, ended) => write!(f, "{new} new, {ended} revoked or gone"),
                }
            }
            Self::Relay { code, relay: true } => write!(f, "{code} may relay"),
            Self::Relay { code, relay: false } => write!(f, "{code} may not relay any more"),
            Self::Witnesses { code } => write!(f, "other witnesses for the log of {code}"),
            Self::Joined { code, group } => write!(f, "{code} joins the group {group}"),
            Self::LeftGroup { code, group } => {
                write!(f, "{code} is no longer in the group {group}")
            }
            Self::Granted(grant) => write!(f, "new grant {grant}"),
            Self::Withdrawn(grant) => write!(f, "no longer granted {grant}"),
        }
    }
}

impl Roster {
    /// What is otherwise than in an earlier roster: parties first, then groups, then grants.
    pub fn changes(&self, before: &Roster) -> Vec<Change> {
        let mut changes = Vec::new();
        for party in self.parties() {
            match before.party(party.code) {
                None => changes.push(Change::NewParty {
                    code: party.code,
                    name: party.name.clone(),
                }),
                Some(then) => of_party(party, then, &mut changes),
            }
        }
        let (now, then) = (memberships(self), memberships(before));
        // Who comes with a new party is not told twice, but in which groups it is matters most.
        changes.extend(
            now.difference(&then)
                .map(|&(group, code)| Change::Joined { code, group }),
        );
        changes.extend(
            then.difference(&now)
                .map(|&(group, code)| Change::LeftGroup { code, group }),
        );
        let (now, then) = (granted(self), granted(before));
        changes.extend(now.difference(&then).cloned().map(Change::Granted));
        changes.extend(then.difference(&now).cloned().map(Change::Withdrawn));
        changes
    }
}

impl Trust {
    /// What the roster in force changed since an earlier one that is held.
    pub fn changes_since(&self, version: u64) -> Result<Vec<Change>, TrustError> {
        let before = walk_to(&self.to_bundle(), version)?;
        Ok(self.roster.changes(&before))
    }
}

fn of_party(now: &Party, then: &Party, changes: &mut Vec<Change>) {
    let code = now.code;
    if now.status != then.status {
        let status = now.status;
        changes.push(Change::Status { code, status });
    }
    for role in [Role::OrgSign, Role::NodeTls, Role::Log, Role::Witness] {
        let good = |party: &Party| {
            let keys = party.all_keys().iter().filter(|k| k.role == role);
            let good = keys.filter(|k| k.revoked_at.is_none());
            good.map(|k| k.key.kid()).collect::<BTreeSet<_>>()
        };
        let (now, then) = (good(now), good(then));
        let new = now.difference(&then).count();
        let ended = then.difference(&now).count();
        if new + ended > 0 {
            changes.push(Change::Keys {
                code,
                role,
                new,
                ended,
            });
        }
    }
    if now.relay != then.relay {
        let relay = now.relay;
        changes.push(Change::Relay { code, relay });
    }
    if now.witnesses != then.witnesses {
        changes.push(Change::Witnesses { code });
    }
}

fn memberships(roster: &Roster) -> BTreeSet<(PartyCode, PartyCode)> {
    let groups = roster.groups.iter();
    groups
        .flat_map(|(&group, members)| members.iter().map(move |&member| (group, member)))
        .collect()
}

fn granted(roster: &Roster) -> BTreeSet<String> {
    roster.grants.iter().map(ToString::to_string).collect()
}
