//! What a roster or root changes, in plain words, and what that means. Dangers come first.

mod alarms;
mod alike;
mod entries;
mod roots;

pub(super) use entries::of_entry;
pub(super) use roots::of_roots;

use super::{
    Held, dispute,
    draft::entry,
    file, grants, pinned, refused, seals, sign,
    words::{self, codes, day},
};
use crate::{CliError, Exit, Ui, args::RosterDiffArgs};
use abeng_keys::{Alg, kid};
use abeng_notice::printable;
use abeng_roster::{Root, Roster, Trust};
use abeng_wire::{Kid, v1, v1::ceremony_file::What};
use serde::Serialize;
use std::{collections::BTreeMap, process::ExitCode};

/// A roster that ends sooner cuts the network off soon.
const SHORT_MS: u64 = 30 * super::DAY_MS;

/// One thing that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    /// Whether somebody could be harmed by it without having agreed.
    pub(super) danger: bool,
    /// In words.
    pub(super) text: String,
}

pub(super) fn danger(text: String) -> Change {
    Change { danger: true, text }
}

pub(super) fn plain(text: String) -> Change {
    Change {
        danger: false,
        text,
    }
}

pub(super) fn run(args: &RosterDiffArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    let old = Held::load(&args.old, args.first.root.as_deref())?;
    let (old_root, old_roster) = (old.root()?, old.roster()?);
    let disputed = dispute::open(&old.trust);
    let mut changes = if file::is_paper(&args.new)? {
        match file::paper(&args.new)?.what {
            What::Roster(signed) => {
                let (root, previous) = sign::base(Some(&old), None, None)?;
                let draft = Roster::draft(&root, previous, &signed).map_err(|e| refused(&e))?;
                let mut changes = of_rosters(&old_roster, &file::decode(&signed.bytes)?)?;
                let (before, after) = (&old.trust.seal_keys, old.trust.seal_keys.under(&draft));
                changes.extend(seals::changes(before, &after, &draft));
                changes
            }
            What::Root(signed) => {
                Root::draft(&signed).map_err(|e| refused(&e))?;
                of_roots(&old_root, &file::decode(&signed.bytes)?)
            }
            _ => {
                return Err(CliError::usage(format!(
                    "{} is no roster and no root",
                    args.new.display()
                )));
            }
        }
    } else {
        let bundle = file::bundle(&args.new)?;
        let new = Trust::from_bundle(&bundle, pinned(args.first.root.as_deref())?, super::now());
        let new = new.map_err(|e| refused(&e))?;
        let root: v1::Root = file::decode(&new.root.signed().bytes)?;
        let mut changes = Vec::from_iter(of_versions(&old.trust.roster, &new.roster));
        changes.extend(of_roots(&old_root, &root));
        changes.extend(of_rosters(
            &old_roster,
            &file::decode(&new.roster.signed().bytes)?,
        )?);
        let (before, after) = (&old.trust.seal_keys, &new.seal_keys);
        changes.extend(seals::changes(before, after, &new.roster));
        let open = dispute::open(&new);
        changes.extend(open.into_iter().filter(|c| !disputed.contains(c)));
        changes
    };
    changes.splice(0..0, disputed);
    let dangers = changes.iter().any(|c| c.danger);
    let value = serde_json::json!({"danger": dangers, "changes": changes});
    ui.show(&value, || render(&changes))?;
    Ok(match dangers {
        true => Exit::Unverified.into(),
        false => Exit::Ok.into(),
    })
}

/// Dangers first, each with a mark that is not a colour.
pub(super) fn render(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "Nothing changes.\n".to_owned();
    }
    let mut out = String::new();
    for c in changes.iter().filter(|c| c.danger) {
        out.push_str(&format!("! {}\n", c.text));
    }
    for c in changes.iter().filter(|c| !c.danger) {
        out.push_str(&format!("  {}\n", c.text));
    }
    out
}

/// The same, and nothing where there is nothing to tell.
pub(super) fn render_some(changes: &[Change]) -> String {
    match changes.is_empty() {
        true => String::new(),
        false => render(changes),
    }
}

/// What the next roster changes; the old one is empty at a founding.
pub(super) fn of_rosters(old: &v1::Roster, new: &v1::Roster) -> Result<Vec<Change>, CliError> {
    let mut out = Vec::new();
    if old == new {
        return Ok(out);
    }
    let (before, after) = (entries(old)?, entries(new)?);
    out.push(plain(format!(
        "Roster {} of {}, good from {} until {}.",
        new.version,
        printable(&new.network),
        day(new.issued),
        day(new.expires)
    )));
    if new.expires.saturating_sub(new.issued) < SHORT_MS {
        out.push(danger(format!(
            "It ends within 30 days, on {}: nodes that get no other by then do not start.",
            day(new.expires)
        )));
    }
    let overrides = overrides(new)?;
    for (code, party) in &after {
        match before.get(code) {
            None => out.push(entries::joins(party, old.version == 0)),
            Some(then) => {
                let word = overrides.get(code).filter(|_| then != party);
                if let Some(reason) = word {
                    out.push(danger(format!(
                        "{}: its keys are replaced by the root's override, without any old key of its own: \"{}\". Nodes wait 7 days before they use the new ones.",
                        words::party(party),
                        printable(reason)
                    )));
                }
                out.extend(of_entry(then, party));
            }
        }
        // What its party reads out by telephone: the requests are not at every holder.
        if old.version > 0 && before.get(code) != Some(party) {
            out.push(plain(format!(
                "The entry of {} has the fingerprint{}",
                words::party(party),
                words::fingerprint(&abeng_wire::encode(party))
                    .replace("\n ", "")
                    .trim_end()
            )));
        }
    }
    out.extend(out_of(new, &after));
    out.extend(revoked(old, new, &after));
    out.extend(grants::widened(old, &before, new, &after));
    out.extend(groups(old, new));
    out.extend(alarms::dates(old, new, &after));
    out.extend(alarms::coordination(old, &before, new, &after));
    out.extend(alike::newly(&before, &after));
    Ok(out)
}

/// What is wrong with the order of two published rosters.
fn of_versions(old: &Roster, new: &Roster) -> Option<Change> {
    let (before, after) = (old.version(), new.version());
    if after < before {
        return Some(danger(format!(
            "Roster {after} is OLDER than roster {before}, which is held: what came since would be undone. Nodes refuse it."
        )));
    }
    (after == before && new.digest() != old.digest()).then(|| {
        danger(format!(
            "TWO DIFFERENT ROSTERS of version {after} are well signed: somebody signed both. Publish neither; speak with the root's holders."
        ))
    })
}

fn out_of(new: &v1::Roster, after: &BTreeMap<String, v1::Party>) -> Vec<Change> {
    let said = new.suspensions.iter().filter_map(|s| {
        let party = after.get(&s.party)?;
        Some(plain(format!(
            "{} {} since {}: \"{}\".",
            words::party(party),
            words::stands(party.status()),
            day(s.effective_at),
            printable(&s.reason)
        )))
    });
    said.collect()
}

fn revoked(old: &v1::Roster, new: &v1::Roster, after: &BTreeMap<String, v1::Party>) -> Vec<Change> {
    let fresh = new
        .revocations
        .iter()
        .filter(|r| !old.revocations.contains(r));
    let text = |r: &v1::Revocation| {
        plain(format!(
            "Revoked from {} on: {} ({:.16}): \"{}\". Nothing new is taken under it.",
            day(r.effective_at),
            whose(r, after),
            Kid::from_slice(&r.kid).unwrap_or_default(),
            printable(&r.reason)
        ))
    };
    fresh.map(text).collect()
}

/// Whose key is revoked, in words.
fn whose(r: &v1::Revocation, parties: &BTreeMap<String, v1::Party>) -> String {
    let of = |p: &v1::Party| {
        let key = p.keys.iter().find(|k| id(k).0[..] == r.kid[..])?;
        Some(format!("the {} key of {}", role(key), words::party(p)))
    };
    let listed = parties.values().find_map(of);
    listed.unwrap_or_else(|| "a key that opens envelopes, or one no longer listed".into())
}

fn groups(old: &v1::Roster, new: &v1::Roster) -> Vec<Change> {
    let members = |r: &v1::Roster, code: &str| {
        let group = r.groups.iter().find(|g| g.code == code);
        group.map(|g| g.members.clone()).unwrap_or_default()
    };
    let mut all: Vec<&str> = old
        .groups
        .iter()
        .chain(&new.groups)
        .map(|g| &*g.code)
        .collect();
    all.sort_unstable();
    all.dedup();
    let mut out = Vec::new();
    for code in all {
        let (then, now) = (members(old, code), members(new, code));
        let come: Vec<_> = now.iter().filter(|m| !then.contains(m)).cloned().collect();
        let gone: Vec<_> = then.iter().filter(|m| !now.contains(m)).cloned().collect();
        if !come.is_empty() {
            out.push(plain(format!(
                "Into the group {code}: {}. Nodes wait 7 days before that gives them anything, unless their administrator accepts it (`abeng roster accept`): until then what other grants give them is all they have.",
                codes(&come)
            )));
        }
        if !gone.is_empty() {
            out.push(plain(format!("Out of the group {code}: {}.", codes(&gone))));
        }
    }
    out
}

/// The reasons of overrides, by party.
fn overrides(roster: &v1::Roster) -> Result<BTreeMap<String, String>, CliError> {
    let words = roster.overrides.iter().map(|signed| {
        let word: v1::Override = file::decode(&signed.bytes)?;
        Ok((word.party, word.reason))
    });
    words.collect()
}

pub(super) fn entries(roster: &v1::Roster) -> Result<BTreeMap<String, v1::Party>, CliError> {
    let parties = roster.parties.iter().map(|signed| {
        let party = entry(signed)?;
        Ok((party.code.clone(), party))
    });
    parties.collect()
}

pub(super) fn role(key: &v1::PartyKey) -> &'static str {
    words::key_role(key.role()).map_or("unknown", |r| r.name())
}

pub(super) fn id(key: &v1::PartyKey) -> Kid {
    kid(Alg::Ed25519, &key.key)
}
