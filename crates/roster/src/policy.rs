use crate::{
    Party, Roster, Trust,
    grants::{Grant, Side},
};
use abeng_wire::{Digest, Millis, PartyCode, limits, v1};
use std::{collections::BTreeSet, fmt};

/// The type of notice that takes another one back.
const RECALL: &str = "RECALL";

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

/// Why a notice may not go where it should. Says which rule, and whom to ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No party or group has that code.
    #[error("nobody here is called `{code}`{}", did_you_mean.as_ref().map(|d| format!("; did you mean {d}?")).unwrap_or_default())]
    UnknownRecipient {
        /// As given, cut to 32 characters.
        code: String,
        /// The nearest party or group.
        did_you_mean: Option<String>,
    },
    /// Named twice.
    #[error("{code} is named twice as a recipient; name it once")]
    RepeatedRecipient {
        /// The party.
        code: PartyCode,
    },
    /// The originator itself.
    #[error("{code} is yourself; your own copy stays under `sent`")]
    Yourself {
        /// The originator.
        code: PartyCode,
    },
    /// Suspended, or has left.
    #[error("{code} does not take part at the moment (it is suspended or has left); ask {ask}")]
    Inactive {
        /// The party.
        code: PartyCode,
        /// Whom to ask.
        ask: String,
    },
    /// Too new here.
    #[error(
        "{code} is new to this network and gains its grants here only at {until} (Unix ms), unless an administrator of this node accepts it before"
    )]
    Newcomer {
        /// The party.
        code: PartyCode,
        /// When its waiting time ends.
        until: Millis,
    },
    /// No grant covers it.
    #[error("{from} may not send {ty} with {tlp} to {to}: {rule}; ask {ask}")]
    NotGranted {
        /// The originator.
        from: PartyCode,
        /// The recipient.
        to: PartyCode,
        /// The notice's type.
        ty: String,
        /// Its label.
        tlp: Tlp,
        /// What the roster allows.
        rule: String,
        /// Whom to ask.
        ask: String,
    },
    /// No key to seal to.
    #[error(
        "no seal key of {code} is held that is good now; it comes with the next contact, or ask {code}"
    )]
    NoSealKey {
        /// The recipient.
        code: PartyCode,
    },
    /// More recipients than an envelope has.
    #[error("{found} recipients are too many, at most {limit}; send it in parts")]
    TooMany {
        /// Found.
        found: usize,
        /// Allowed.
        limit: usize,
    },
    /// No recipient.
    #[error("no recipient is left; name at least one other party")]
    Nobody,
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
    /// Turns codes as people write them into parties: sorted, unique. A group becomes its active
    /// members without the originator and without newcomers; a party named twice by its own
    /// code is refused.
    pub fn expand<S: AsRef<str>>(
        trust: &Trust,
        from: PartyCode,
        codes: &[S],
        now: Millis,
    ) -> Result<Vec<PartyCode>, Refusal> {
        let roster = &trust.roster;
        let mut named = BTreeSet::new();
        let mut all = BTreeSet::new();
        for text in codes.iter().map(AsRef::as_ref) {
            let unknown = || Refusal::UnknownRecipient {
                code: text.chars().take(32).collect(),
                did_you_mean: nearest(roster, text),
            };
            let code = PartyCode::new(text).map_err(|_| unknown())?;
            if let Some(members) = roster.group(code) {
                all.extend(members.iter().copied().filter(|&m| {
                    m != from
                        && roster.party(m).is_some_and(Party::is_active)
                        // Nobody is in a group for longer than in the roster.
                        && trust.waits_until(Some(code), m, now).is_none()
                }));
                continue;
            }
            roster.party(code).ok_or_else(unknown)?;
            if !named.insert(code) {
                return Err(Refusal::RepeatedRecipient { code });
            }
            all.insert(code);
        }
        Ok(all.into_iter().collect())
    }

    /// Clears a notice for its recipients, or says everything that stands against it.
    pub fn clear(
        trust: &Trust,
        from: PartyCode,
        to: &[PartyCode],
        notice: &NoticeFacts<'_>,
        now: Millis,
    ) -> Result<Cleared, Vec<Refusal>> {
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
            let one = |&code: &PartyCode| Self::clear_one(trust, from, code, notice, now).err();
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

    /// Whether a grant of the roster covers a notice. What a recipient asks after opening.
    pub fn granted(
        roster: &Roster,
        from: PartyCode,
        to: PartyCode,
        ty: &str,
        tlp: Tlp,
    ) -> Result<(), Refusal> {
        // What may be sent may be taken back: a recall goes where any type may go.
        let is_recall = ty == RECALL;
        let between = |g: &&Grant| {
            side_holds(roster, &g.from, from)
                && side_holds(roster, &g.to, to)
                && (is_recall || g.types.is_empty() || g.types.iter().any(|t| t == ty))
        };
        let highest = roster
            .grants
            .iter()
            .filter(between)
            .map(|g| g.highest)
            .max();
        let rule = match highest {
            // A notice without a known label is covered by no grant.
            Some(highest) if (Tlp::CLEAR..=highest).contains(&tlp) => return Ok(()),
            Some(highest) => format!("grants reach up to {highest}"),
            None => format!("no grant of roster {} covers it", roster.version()),
        };
        Err(Refusal::NotGranted {
            from,
            to,
            ty: ty.chars().take(32).collect(),
            tlp,
            rule,
            ask: ask(roster),
        })
    }

    fn clear_one(
        trust: &Trust,
        from: PartyCode,
        to: PartyCode,
        notice: &NoticeFacts<'_>,
        now: Millis,
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
        if let Some(until) = trust.waits_until(None, to, now) {
            return Err(Refusal::Newcomer { code: to, until });
        }
        Self::granted(roster, from, to, notice.ty, notice.tlp)?;
        if trust.seal_key(to, now).is_none() {
            return Err(Refusal::NoSealKey { code: to });
        }
        Ok(())
    }
}

fn side_holds(roster: &Roster, side: &Side, party: PartyCode) -> bool {
    match side {
        Side::Anyone => roster.party(party).is_some_and(Party::is_active),
        Side::Party(code) => *code == party,
        Side::Group(code) => roster
            .group(*code)
            .is_some_and(|members| members.binary_search(&party).is_ok()),
    }
}

/// Whom to ask: the coordination parties, which keep the roster's secretariat.
fn ask(roster: &Roster) -> String {
    let names: Vec<_> = roster
        .coordination()
        .map(|p| format!("{} ({})", p.name, p.code))
        .collect();
    if names.is_empty() {
        "the Secretariat".to_owned()
    } else {
        names.join(" or ")
    }
}

/// The party or group that a mistyped code most likely means: the same in capitals, a name that
/// holds it, or the code with the fewest letters to change.
fn nearest(roster: &Roster, text: &str) -> Option<String> {
    let text: String = text.trim().chars().take(64).collect();
    let capital = text.to_uppercase();
    let codes = || roster.parties().map(|p| p.code).chain(roster.group_codes());
    if let Some(code) = codes().find(|c| c.as_str() == capital) {
        return Some(code.to_string());
    }
    let by_name =
        |p: &&Party| text.chars().count() >= 3 && p.name.to_uppercase().contains(&capital);
    if let Some(party) = roster.parties().find(by_name) {
        return Some(party.code.to_string());
    }
    codes()
        .map(|c| (strsim::damerau_levenshtein(c.as_str(), &capital), c))
        .filter(|(distance, c)| *distance <= (c.as_str().len() / 3).max(1))
        .min()
        .map(|(_, c)| c.to_string())
}
