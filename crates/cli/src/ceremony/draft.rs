//! `abeng roster draft`, and what every command does that makes the next roster.

use super::{
    DAY_MS, Held, diff, dispute, file, now, place, policy::PolicyFile, refused, seals, sign, words,
};
use crate::{
    CliError, Exit, Ui,
    args::{NextArgs, OutArgs, RosterDraftArgs},
};
use abeng_notice::printable;
use abeng_roster::{Party, Root, Roster, Trust, digest, founding::EVERYBODY};
use abeng_wire::{Millis, encode, limits, v1, v1::ceremony_file::What};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::ExitCode,
};

/// The next roster while it is made.
pub(super) struct Next<'a> {
    root: Root,
    previous: Option<&'a Roster>,
    /// What is held besides.
    held: Option<&'a Trust>,
    /// The roster before it as a message; empty at a founding.
    before: v1::Roster,
    /// The next one.
    pub(super) message: v1::Roster,
    /// Whose entry was changed already, here or in the draft that this goes on with.
    asked: BTreeSet<String>,
    /// What is told before the changes.
    first: Vec<diff::Change>,
}

pub(super) fn draft(args: &RosterDraftArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    place::check_out(&args.out)?;
    let held = match &args.trust {
        Some(path) => Some(Held::load(path, args.first.root.as_deref())?),
        None => None,
    };
    let (root, previous) = sign::base(
        held.as_ref(),
        args.under.as_deref(),
        args.first.root.as_deref(),
    )?;
    let mut next = Next::begin(root, previous, args.from.as_deref(), args.days)?;
    next.held = held.as_ref().map(|held| &held.trust);
    if let Some(held) = &held {
        next.first = dispute::open(&held.trust);
    }
    for path in &args.add {
        next.add(path)?;
    }
    match &args.policy {
        Some(path) => {
            let told = PolicyFile::read(path)?.apply(&mut next.message)?;
            next.first.extend(told);
        }
        None if previous.is_none() && args.from.is_none() => next.first_policy()?,
        None => {}
    }
    next.finish(&args.out, ui)
}

impl<'a> Next<'a> {
    /// What the roster after the one held begins as.
    pub(super) fn after(held: &'a Held, args: &NextArgs) -> Result<Self, CliError> {
        place::check_out(&args.out)?;
        let (root, previous) = sign::base(Some(held), None, None)?;
        let mut next = Self::begin(root, previous, args.from.as_deref(), args.days)?;
        next.first = dispute::open(&held.trust);
        next.held = Some(&held.trust);
        Ok(next)
    }

    fn begin(
        root: Root,
        previous: Option<&'a Roster>,
        from: Option<&Path>,
        days: u32,
    ) -> Result<Self, CliError> {
        let before: v1::Roster = match previous {
            Some(roster) => file::decode(&roster.signed().bytes)?,
            None => v1::Roster::default(),
        };
        let mut message = match from {
            Some(path) => from_draft(path)?,
            None => v1::Roster {
                overrides: Vec::new(),
                ..before.clone()
            },
        };
        let asked = match from {
            Some(_) => changed(&before, &message)?,
            None => BTreeSet::new(),
        };
        message.network = root.network().to_string();
        message.version = before.version + 1;
        message.previous = previous.map_or_else(Default::default, |r| r.digest().to_bytes());
        message.root_version = root.version();
        message.issued = now().max(before.issued);
        message.expires = message.issued + Millis::from(days) * DAY_MS;
        Ok(Self {
            root,
            previous,
            held: None,
            before,
            message,
            asked,
            first: Vec::new(),
        })
    }

    /// Enters a request, or an override with the request that goes with it.
    fn add(&mut self, path: &Path) -> Result<(), CliError> {
        let paper = file::paper(path)?;
        let other =
            |what: &str| CliError::new(Exit::Refused, format!("{}: {what}", path.display()));
        if paper.network != self.root.network() {
            return Err(other(&format!("it is for network {}", paper.network)));
        }
        let request = match paper.what {
            What::Party(request) => request,
            What::Override(m) => {
                let word = m.word.ok_or_else(|| other("it holds no override"))?;
                self.message.overrides.push(word);
                m.request.ok_or_else(|| other("it holds no request"))?
            }
            _ => {
                return Err(CliError::usage(format!(
                    "{} is no request of a party",
                    path.display()
                ))
                .with_try("name files that `abeng party enrol|change|rotate-keys|recover` wrote"));
            }
        };
        let signed = request.entry.ok_or_else(|| other("it holds no entry"))?;
        let party = entry(&signed)?;
        let again = self.message.parties.contains(&signed);
        if !self.asked.insert(party.code.clone()) && !again {
            return Err(other(&format!(
                "a second request of {} in one roster: the first would be lost",
                printable(&party.code)
            ))
            .with_try("enter the newest alone, in a draft that is begun anew where --from has the first, or one in this roster and one in the next"));
        }
        let listed = self.listed(&party.code).map_or(0, |then| then.version);
        if listed.checked_add(1) != Some(party.version) {
            return Err(other(&format!(
                "it was made from version {} of the entry of {}, and the roster before has version {listed}: it would undo what came since",
                party.version.saturating_sub(1),
                printable(&party.code)
            ))
            .with_try("have the party make its request anew, with the newest trust bundle"));
        }
        self.enter(signed)
    }

    /// A party's entry in the roster before.
    fn listed(&self, code: &str) -> Option<v1::Party> {
        let mut entries = self.before.parties.iter().filter_map(|s| entry(s).ok());
        entries.find(|then| then.code == code)
    }

    /// Puts an entry in its place; who is new joins the group of everybody.
    pub(super) fn enter(&mut self, signed: v1::Signed) -> Result<(), CliError> {
        let party = entry(&signed)?;
        let mut at = self.message.parties.len();
        for (i, listed) in self.message.parties.iter().enumerate() {
            let code = entry(listed)?.code;
            if code == party.code {
                self.message.parties[i] = signed;
                return Ok(());
            }
            if code > party.code {
                at = i;
                break;
            }
        }
        self.message.parties.insert(at, signed);
        let everybody = self.message.groups.iter_mut().find(|g| g.code == EVERYBODY);
        if let Some(group) = everybody {
            group.members.push(party.code);
            group.members.sort_unstable();
        }
        Ok(())
    }

    /// The entry of a party as the next roster has it so far.
    pub(super) fn entry(&self, code: &str) -> Result<v1::Party, CliError> {
        for signed in &self.message.parties {
            let party = entry(signed)?;
            if party.code == code {
                return Ok(party);
            }
        }
        Err(CliError::new(
            Exit::NotFound,
            format!("the roster knows no party {}", printable(code)),
        ))
    }

    /// As a network is founded: everybody may send everything to everybody.
    fn first_policy(&mut self) -> Result<(), CliError> {
        let mut members = Vec::new();
        for signed in &self.message.parties {
            members.push(entry(signed)?.code);
        }
        self.message.groups = vec![v1::Group {
            code: EVERYBODY.into(),
            members,
        }];
        self.message.grants = vec![v1::Grant {
            from: "*".into(),
            to: "*".into(),
            notice_types: Vec::new(),
            highest_tlp: v1::Tlp::Red as u32,
        }];
        Ok(())
    }

    /// Names those whom entries want as witnesses and who have none.
    fn check_witnesses(&self) -> Result<(), CliError> {
        let parties = diff::entries(&self.message)?;
        let mut missing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for party in parties.values() {
            let absent = party.witnesses.iter().filter(|w| !parties.contains_key(*w));
            for witness in absent {
                missing.entry(witness).or_default().push(party.code.clone());
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let missing: Vec<String> = missing
            .iter()
            .map(|(witness, by)| {
                let by = printable(&words::codes(by));
                format!("{} (named by {by})", printable(witness))
            })
            .collect();
        Err(CliError::new(
            Exit::Unverified,
            format!(
                "no request of these is in the roster, and logs are to be co-signed by them: {}",
                missing.join("; ")
            ),
        )
        .with_try("add the request of each with --add FILE; or have those who name it ask again with other witnesses"))
    }

    /// Verifies what nodes will verify but for the signatures to come, writes it, and tells what
    /// it changes.
    pub(super) fn finish(mut self, out: &OutArgs, ui: &Ui) -> Result<ExitCode, CliError> {
        let mut active = Vec::new();
        for signed in &self.message.parties {
            let party = entry(signed)?;
            if party.status() == v1::PartyStatus::Active {
                active.push(party.code);
            }
        }
        let m = &mut self.message;
        m.suspensions.retain(|s| !active.contains(&s.party));
        m.suspensions.sort_by(|a, b| a.party.cmp(&b.party));
        sort_overrides(m)?;
        let signed = v1::Signed {
            bytes: encode(&self.message),
            signatures: Vec::new(),
        };
        self.check_witnesses()?;
        let draft = Roster::draft(&self.root, self.previous, &signed).map_err(|e| refused(&e))?;
        let mut changes = self.first;
        changes.extend(diff::of_rosters(&self.before, &self.message)?);
        if let Some(held) = self.held {
            let after = held.seal_keys.under(&draft);
            changes.extend(seals::changes(&held.seal_keys, &after, &draft));
        }
        let told = format!(
            "{}Fingerprint of roster {}:\n{}\nSend {} to the roster's holders; each signs it with `abeng roster sign`.\n",
            diff::render(&changes),
            draft.version(),
            words::fingerprint(&signed.bytes),
            out.out.display()
        );
        let value = serde_json::json!({
            "roster": draft.version(),
            "digest": digest(&signed.bytes).to_string(),
            "danger": changes.iter().any(|c| c.danger),
            "changes": changes,
            "file": out.out,
        });
        file::write_paper(self.root.network(), What::Roster(signed), out)?;
        ui.show(&value, || told)?;
        Ok(Exit::Ok.into())
    }
}

/// Decodes an entry; whether it is believed shows when the roster is verified.
pub(super) fn entry(signed: &v1::Signed) -> Result<v1::Party, CliError> {
    abeng_wire::decode("party", &signed.bytes, limits::PARTY)
        .map_err(|e| CliError::new(Exit::Unverified, e.to_string()))
}

/// The entry that can follow that of a party, as yet with nothing changed and unsigned.
pub(super) fn following(party: &Party) -> Result<v1::Party, CliError> {
    let mut next = entry(party.signed())?;
    next.version += 1;
    Ok(next)
}

fn from_draft(path: &Path) -> Result<v1::Roster, CliError> {
    match file::paper(path)?.what {
        What::Roster(signed) => abeng_wire::decode("roster", &signed.bytes, limits::ROSTER)
            .map_err(|e| CliError::new(Exit::Unverified, e.to_string())),
        _ => Err(CliError::usage(format!("{} is no roster", path.display()))),
    }
}

/// Whose entry a draft changes, in place of the roster before. One that is older than there was
/// left behind, and loses nothing.
fn changed(before: &v1::Roster, draft: &v1::Roster) -> Result<BTreeSet<String>, CliError> {
    let listed = diff::entries(before)?;
    let mut changed = BTreeSet::new();
    for signed in &draft.parties {
        let party = entry(signed)?;
        let is_older = listed
            .get(&party.code)
            .is_some_and(|then| party.version < then.version);
        if !before.parties.contains(signed) && !is_older {
            changed.insert(party.code);
        }
    }
    Ok(changed)
}

fn sort_overrides(m: &mut v1::Roster) -> Result<(), CliError> {
    let mut by_party = BTreeMap::new();
    for signed in m.overrides.drain(..) {
        let word: v1::Override = abeng_wire::decode("override", &signed.bytes, limits::STATEMENT)
            .map_err(|e| CliError::new(Exit::Unverified, e.to_string()))?;
        by_party.insert(word.party, signed);
    }
    m.overrides.extend(by_party.into_values());
    Ok(())
}
