use crate::{
    Party, Refusal, Roster, Trust,
    grants::Side,
    refusal::{ask, nearest},
};
use abeng_wire::{Clock, Digest, Millis, PartyCode, limits, v1};
use std::fmt;

/// The type of notice that takes another one back.
pub(crate) const RECALL: &str = "RECALL";

/// A TLP 2.0 label, as the wire numbers it (`v1::Tlp`): higher is narrower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tlp(pub u32);

impl Tlp {
    /// TLP:CLEAR.
    pub const CLEAR: Self = Self(v1::Tlp::Clear as u32);
    /// TLP:RED.
    pub const RED: Self = Self(v1::Tlp::Red as u32);
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match i32::try_from(self.0)
            .ok()
            .and_then(|n| v1::Tlp::try_from(n).ok())
        {
            Some(v1::Tlp::Clear) => f.write_str("TLP:CLEAR"),
            Some(v1::Tlp::Green) => f.write_str("TLP:GREEN"),
            Some(v1::Tlp::Amber) => f.write_str("TLP:AMBER"),
            Some(v1::Tlp::AmberStrict) => f.write_str("TLP:AMBER+STRICT"),
            Some(v1::Tlp::Red) => f.write_str("TLP:RED"),
            Some(v1::Tlp::Unspecified) | None => f.write_str("no TLP label"),
        }
    }
}

/// What the policy must know of a notice.
#[derive(Debug, Clone, Copy)]
pub struct NoticeFacts<'a> {
    /// Its type, as `SEIZURE`.
    pub ty: &'a str,
    /// Its label.
    pub tlp: Tlp,
}

/// A notice's way, cleared under one roster version. Only [`Policy::clear`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared {
    from: PartyCode,
    to: Vec<PartyCode>,
    roster_version: u64,
    roster_digest: Digest,
}

impl Cleared {
    /// The originator.
    pub fn from(&self) -> PartyCode {
        self.from
    }

    /// The recipients: sorted, unique, never the originator, at least one.
    pub fn to(&self) -> &[PartyCode] {
        &self.to
    }

    /// The roster it was cleared under. Under another it is cleared again.
    pub fn roster_version(&self) -> u64 {
        self.roster_version
    }

    /// The digest of that roster.
    pub fn roster_digest(&self) -> Digest {
        self.roster_digest
    }
}

/// The rules of who may send what to whom. They bind honest nodes, at both ends, and are no
/// cryptographic barrier.
#[derive(Debug)]
pub struct Policy;

impl Policy {
    /// Clears a notice for its recipients, or says everything that stands against it.
    pub fn clear(
        trust: &Trust,
        from: PartyCode,
        to: &[PartyCode],
        notice: &NoticeFacts<'_>,
        clock: impl Into<Clock>,
    ) -> Result<Cleared, Vec<Refusal>> {
        let clock = clock.into();
        let roster = &trust.roster;
        let mut refusals = Vec::new();
        let mut sorted = to.to_vec();
        sorted.sort_unstable();
        for pair in sorted.windows(2) {
            let code = pair[0];
            if pair[1] == code && !refusals.contains(&Refusal::RepeatedRecipient { code }) {
                refusals.push(Refusal::RepeatedRecipient { code });
            }
        }
        sorted.dedup();
        if sorted.is_empty() {
            refusals.push(Refusal::Nobody);
        }
        if sorted.len() > limits::RECIPIENTS {
            refusals.push(Refusal::TooMany {
                found: sorted.len(),
                limit: limits::RECIPIENTS,
            });
        }
        if !roster.party(from).is_some_and(Party::is_active) {
            let ask = ask(roster);
            refusals.push(Refusal::Inactive { code: from, ask });
        } else {
            let one = |&code: &PartyCode| Self::clear_one(trust, from, code, notice, clock).err();
            refusals.extend(sorted.iter().filter_map(one));
        }
        if !refusals.is_empty() {
            return Err(refusals);
        }
        Ok(Cleared {
            from,
            to: sorted,
            roster_version: roster.version(),
            roster_digest: roster.digest(),
        })
    }

    /// Whether a grant covers a notice to this node's party `me`: what a recipient asks after
    /// opening.
    ///
    /// # Errors
    /// A refusal that [`Refusal::waits`] is no reason to refuse the notice for good.
    pub fn may_receive(
        trust: &Trust,
        from: PartyCode,
        me: PartyCode,
        notice: &NoticeFacts<'_>,
        clock: impl Into<Clock>,
    ) -> Result<(), Refusal> {
        let clock = clock.into();
        // What takes back can do no harm.
        if notice.ty != RECALL
            && let Some(until) = trust.waits_until(None, from, clock.earliest)
        {
            return Err(Refusal::Newcomer { code: from, until });
        }
        Self::granted(trust, (from, to_self(me)), notice, clock)
    }

    /// Whether a grant covers a notice. The far end gains nothing by a group in which it waits;
    /// this node's own party is never new to itself.
    pub(crate) fn granted(
        trust: &Trust,
        (from, Ends { to, me }): (PartyCode, Ends),
        notice: &NoticeFacts<'_>,
        clock: Clock,
    ) -> Result<(), Refusal> {
        let roster = &trust.roster;
        let (mut highest, mut waiting) = (None, None);
        for grant in roster.grants.iter().filter(|g| g.speaks_of(notice.ty)) {
            let held = |side: &Side, party: PartyCode| {
                let waits = |group| match party == me || notice.ty == RECALL {
                    true => None,
                    false => trust.waits_until(Some(group), party, clock.earliest),
                };
                side_holds(roster, side, party, waits)
            };
            let wait = match (held(&grant.from, from), held(&grant.to, to)) {
                (Held::No, _) | (_, Held::No) => continue,
                (Held::Yes, Held::Yes) => {
                    highest = highest.max(Some(grant.highest));
                    continue;
                }
                (Held::Waits(group, until), _) => (from, group, until),
                (_, Held::Waits(group, until)) => (to, group, until),
            };
            // The wait that is over first.
            let sooner = waiting.is_none_or(|(_, _, until)| wait.2 < until);
            if sooner && grant.covers(notice.tlp) {
                waiting = Some(wait);
            }
        }
        match (highest, waiting) {
            // A notice without a known label is covered by no grant.
            (Some(highest), _) if (Tlp::CLEAR..=highest).contains(&notice.tlp) => return Ok(()),
            (_, Some((code, group, until))) => {
                return Err(Refusal::NewInGroup { code, group, until });
            }
            (_, None) => {}
        }
        Err(Refusal::NotGranted {
            from,
            to,
            ty: notice.ty.chars().take(32).collect(),
            tlp: notice.tlp,
            highest,
            roster: roster.version(),
            ask: ask(roster),
        })
    }

    pub(crate) fn clear_one(
        trust: &Trust,
        from: PartyCode,
        to: PartyCode,
        notice: &NoticeFacts<'_>,
        clock: Clock,
    ) -> Result<(), Refusal> {
        let roster = &trust.roster;
        if to == from {
            return Err(Refusal::Yourself { code: to });
        }
        let Some(party) = roster.party(to) else {
            return Err(Refusal::UnknownRecipient {
                code: to.to_string(),
                did_you_mean: nearest(roster, to.as_str()),
            });
        };
        if !party.is_active() {
            let ask = ask(roster);
            return Err(Refusal::Inactive { code: to, ask });
        }
        if notice.ty != RECALL
            && let Some(until) = trust.waits_until(None, to, clock.earliest)
        {
            return Err(Refusal::Newcomer { code: to, until });
        }
        Self::granted(trust, (from, Ends { to, me: from }), notice, clock)?;
        if trust.seal_key(to, clock.now).is_none() {
            return Err(Refusal::NoSealKey { code: to });
        }
        Ok(())
    }
}

/// The recipient, and which of both is this node's party.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) to: PartyCode,
    pub(crate) me: PartyCode,
}

fn to_self(me: PartyCode) -> Ends {
    Ends { to: me, me }
}

/// Whether a side of a grant speaks of a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    No,
    Yes,
    /// By a group in which it waits until then.
    Waits(PartyCode, Millis),
}

pub(crate) fn side_holds(
    roster: &Roster,
    side: &Side,
    party: PartyCode,
    waits: impl Fn(PartyCode) -> Option<Millis>,
) -> Held {
    let held = match side {
        Side::Anyone => roster.party(party).is_some_and(Party::is_active),
        Side::Party(code) => *code == party,
        Side::Group(code) => roster
            .group(*code)
            .is_some_and(|members| members.binary_search(&party).is_ok()),
    };
    match (held, side) {
        (false, _) => Held::No,
        (true, Side::Group(group)) => {
            waits(*group).map_or(Held::Yes, |until| Held::Waits(*group, until))
        }
        (true, _) => Held::Yes,
    }
}
