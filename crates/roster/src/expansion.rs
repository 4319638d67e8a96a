use crate::{Party, Policy, Refusal, Trust, refusal::nearest};
use abeng_wire::{Clock, Millis, PartyCode};
use std::collections::BTreeSet;

/// What codes as people write them stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expansion {
    /// The parties: sorted, unique.
    pub to: Vec<PartyCode>,
    /// The groups among the codes, in the order given.
    pub groups: Vec<GroupExpansion>,
}

/// What a group stands for here and now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupExpansion {
    /// The group.
    pub group: PartyCode,
    /// Members that it is expanded into, sorted.
    pub members: Vec<PartyCode>,
    /// Members that it is not, sorted, with the reason.
    pub left_out: Vec<(PartyCode, LeftOut)>,
}

/// Why a group is not expanded into one of its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// The originator.
    Yourself,
    /// Suspended, or has left.
    Inactive,
    /// New to the network or the group, and waits here until then.
    Waits {
        /// New to the roster itself, not to the group alone.
        to_network: bool,
        /// When its waiting time ends.
        until: Millis,
    },
}

impl Policy {
    /// Turns codes as people write them into parties: sorted, unique. A group becomes its active
    /// members without the originator and without newcomers; a party named twice by its own
    /// code is refused.
    pub fn expand<S: AsRef<str>>(
        trust: &Trust,
        from: PartyCode,
        codes: &[S],
        clock: impl Into<Clock>,
    ) -> Result<Expansion, Refusal> {
        let clock = clock.into();
        let roster = &trust.roster;
        let (mut named, mut all, mut groups) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        for text in codes.iter().map(AsRef::as_ref) {
            let unknown = || Refusal::UnknownRecipient {
                code: text.chars().take(32).collect(),
                did_you_mean: nearest(roster, text),
            };
            let code = PartyCode::new(text).map_err(|_| unknown())?;
            if let Some(members) = roster.group(code) {
                let expanded = expand_group(trust, from, (code, members), clock);
                all.extend(expanded.members.iter().copied());
                groups.push(expanded);
                continue;
            }
            roster.party(code).ok_or_else(unknown)?;
            if !named.insert(code) {
                return Err(Refusal::RepeatedRecipient { code });
            }
            all.insert(code);
        }
        Ok(Expansion {
            to: all.into_iter().collect(),
            groups,
        })
    }
}

fn expand_group(
    trust: &Trust,
    from: PartyCode,
    (group, members): (PartyCode, &[PartyCode]),
    clock: Clock,
) -> GroupExpansion {
    let why = |member: PartyCode| {
        if member == from {
            return Some(LeftOut::Yourself);
        }
        if !trust.roster.party(member).is_some_and(Party::is_active) {
            return Some(LeftOut::Inactive);
        }
        let wait = |group| trust.waits_until(group, member, clock.earliest);
        let (network, group) = (wait(None), wait(Some(group)));
        network.max(group).map(|until| LeftOut::Waits {
            to_network: network.is_some(),
            until,
        })
    };
    let mut expanded = GroupExpansion {
        group,
        members: Vec::new(),
        left_out: Vec::new(),
    };
    for &member in members {
        match why(member) {
            None => expanded.members.push(member),
            Some(why) => expanded.left_out.push((member, why)),
        }
    }
    expanded
}
