//! Why a party may send something to another, or why not.

use crate::{
    NoticeFacts, Party, Policy, Refusal, Trust,
    grants::{Grant, Side},
    policy::{Held, side_holds},
    refusal::ask,
};
use abeng_wire::{Clock, PartyCode};

/// What stands for and against a notice from one party to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Grants that speak of both parties and the type, as `JM to EAST: SEIZURE up to TLP:AMBER`.
    pub grants: Vec<ExplainedGrant>,
    /// The rule that stands against it, and whom to ask; `None`: it may go.
    pub refusal: Option<Refusal>,
}

/// A grant that is about such a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedGrant {
    /// In words.
    pub grant: String,
    /// Whether it covers the label, and nobody that it speaks of waits here.
    pub allows: bool,
}

impl Policy {
    /// Explains what [`Policy::clear`] would say at the node of `from`.
    pub fn explain(
        trust: &Trust,
        (from, to): (PartyCode, PartyCode),
        notice: &NoticeFacts<'_>,
        clock: impl Into<Clock>,
    ) -> Explanation {
        let (roster, clock) = (&trust.roster, clock.into());
        let grants = roster.grants.iter().filter(|g| g.speaks_of(notice.ty));
        let explained = grants.filter_map(|grant| {
            let waits = |group| trust.waits_until(Some(group), to, clock.earliest);
            let here = side_holds(roster, &grant.from, from, |_| None);
            let there = side_holds(roster, &grant.to, to, waits);
            (here != Held::No && there != Held::No).then(|| ExplainedGrant {
                grant: grant.to_string(),
                allows: there == Held::Yes && grant.covers(notice.tlp),
            })
        });
        let refusal = match roster.party(from).is_some_and(Party::is_active) {
            true => Self::clear_one(trust, from, to, notice, clock).err(),
            false => Some(Refusal::Inactive {
                code: from,
                ask: ask(roster),
            }),
        };
        Explanation {
            grants: explained.collect(),
            refusal,
        }
    }

    /// The grants of the roster, in words and in its order.
    pub fn grants(trust: &Trust) -> Vec<String> {
        trust
            .roster
            .grants
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// What a party would gain by no longer waiting in a place: the grants that reach it only
    /// there, in words.
    pub fn gains(trust: &Trust, group: Option<PartyCode>, party: PartyCode) -> Vec<String> {
        let roster = &trust.roster;
        let reaches = |grant: &&Grant| {
            let by = |side: &Side| match (group, side) {
                (Some(group), Side::Group(code)) => group == *code,
                (Some(_), _) => false,
                (None, side) => side_holds(roster, side, party, |_| None) == Held::Yes,
            };
            by(&grant.to) || by(&grant.from)
        };
        let grants = roster.grants.iter().filter(reaches);
        grants.map(ToString::to_string).collect()
    }
}
