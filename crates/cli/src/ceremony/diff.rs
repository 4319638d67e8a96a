//! What a roster or root changes, in plain words, and what that means. Dangers come first.

use super::{
    Held, begin,
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

/// More witnesses than this of one log may not change at a time.
const WITNESSES_AT_A_TIME: usize = 2;
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
    let changes = if file::is_paper(&args.new)? {
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
        changes
    };
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

/// What the next root changes.
pub(super) fn of_roots(old: &v1::Root, new: &v1::Root) -> Vec<Change> {
    let mut out = Vec::new();
    if old == new {
        return out;
    }
    out.push(plain(format!(
        "Root {} follows root {}; it is good until {}.",
        new.version,
        old.version,
        day(new.expires)
    )));
    let lists = [
        ("root", &old.signers, &new.signers),
        ("roster", &old.roster_signers, &new.roster_signers),
        ("freshness", &old.freshness_signers, &new.freshness_signers),
    ];
    for (what, before, after) in lists {
        let gone = before.iter().filter(|k| !after.contains(k));
        let come = after.iter().filter(|k| !before.contains(k));
        let mark = if what == "root" { danger } else { plain };
        out.extend(
            come.map(|k| mark(format!("may sign {what} from now on: {}", begin::signer(k)))),
        );
        out.extend(gone.map(|k| plain(format!("no longer signs {what}: {}", begin::signer(k)))));
    }
    let thresholds = [
        ("a root or an override", old.threshold, new.threshold),
        ("a roster", old.roster_threshold, new.roster_threshold),
    ];
    for (what, before, after) in thresholds {
        if before != after {
            let text = format!("{after} signatures make {what}, in place of {before}.");
            out.push(if after < before {
                danger(text)
            } else {
                plain(text)
            });
        }
    }
    for (what, list) in [
        ("rosters", &new.settled_rosters),
        ("roots", &new.settled_roots),
    ] {
        out.extend(list.iter().map(|s| {
            danger(format!(
                "It ends the equivocation of two {what} of version {}: somebody signed both.",
                s.version
            ))
        }));
    }
    out
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
            None => out.push(joins(party, old.version == 0)),
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

/// What a party's entry changes.
pub(super) fn of_entry(then: &v1::Party, now: &v1::Party) -> Vec<Change> {
    let name = words::party(now);
    let mut out = Vec::new();
    if then.status() != now.status() {
        out.push(plain(format!(
            "{name} {}, it was {}.",
            match now.status() {
                v1::PartyStatus::Active => "takes part again",
                v1::PartyStatus::Left =>
                    "has left: every node closes its links and sends it nothing",
                _ => "is suspended: every node closes its links and sends it nothing",
            },
            words::status(then.status())
        )));
    }
    for key in now.keys.iter().filter(|k| !has(then, k)) {
        out.push(plain(format!(
            "{name} has a new {} key {:.16}, from {} until {}.",
            role(key),
            id(key),
            day(key.not_before),
            day(key.not_after)
        )));
    }
    for key in &then.keys {
        match now.keys.iter().find(|k| k.key == key.key) {
            None => out.push(plain(format!(
                "{name} no longer lists the {} key {:.16}: what it signed cannot be verified by this roster.",
                role(key),
                id(key)
            ))),
            Some(k) if k.not_after != key.not_after => out.push(plain(format!(
                "The {} key {:.16} of {name} is good until {}, it was {}.",
                role(key),
                id(key),
                day(k.not_after),
                day(key.not_after)
            ))),
            Some(_) => {}
        }
    }
    if then.addresses != now.addresses {
        let list: Vec<_> = now.addresses.iter().map(|a| printable(a)).collect();
        out.push(plain(format!("{name} is reached at {}.", codes(&list))));
    }
    let come = now.witnesses.iter().filter(|w| !then.witnesses.contains(w));
    let gone = then.witnesses.iter().filter(|w| !now.witnesses.contains(w));
    let (come, gone): (Vec<_>, Vec<_>) = (come.cloned().collect(), gone.cloned().collect());
    if !come.is_empty() || !gone.is_empty() {
        let text = format!(
            "The log of {name} is co-signed by {} from now on (new: {}; no longer: {}).",
            codes(&now.witnesses),
            codes(&come),
            codes(&gone)
        );
        let many = come.len().max(gone.len()) > WITNESSES_AT_A_TIME;
        out.push(match many {
            true => danger(format!(
                "{text} More than two at a time: its history could be rewritten."
            )),
            false => plain(text),
        });
    }
    match (then.relay, now.relay) {
        (false, true) => out.push(danger(format!(
            "{name} may carry the envelopes of others: it sees who sends to whom, and no content."
        ))),
        (true, false) => out.push(plain(format!("{name} no longer carries for others."))),
        _ => {}
    }
    if (&then.name, &then.country, then.kind) != (&now.name, &now.country, now.kind) {
        out.push(plain(format!(
            "{} is now {name}, {}, {}.",
            words::party(then),
            printable(&now.country),
            words::kind(now.kind())
        )));
    }
    out
}

fn joins(party: &v1::Party, founding: bool) -> Change {
    let text = format!(
        "{} joins as {}, reached at {}; its log is co-signed by {}.",
        words::party(party),
        words::kind(party.kind()),
        codes(
            &party
                .addresses
                .iter()
                .map(|a| printable(a))
                .collect::<Vec<_>>()
        ),
        codes(&party.witnesses)
    );
    let text = match party.relay {
        true => format!("{text} It may carry the envelopes of others: it sees who sends to whom."),
        false => text,
    };
    match founding {
        true => plain(text),
        false => danger(format!(
            "{text} Nodes wait 7 days before they send to it, unless their administrator accepts it."
        )),
    }
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
    let whose = |r: &v1::Revocation| {
        let listed = |p: &&v1::Party| p.keys.iter().any(|k| id(k).0[..] == r.kid[..]);
        let party = after.values().find(listed)?;
        let key = party.keys.iter().find(|k| id(k).0[..] == r.kid[..])?;
        Some(format!("the {} key of {}", role(key), words::party(party)))
    };
    let text = |r: &v1::Revocation| {
        plain(format!(
            "Revoked from {} on: {} ({:.16}): \"{}\". Nothing new is taken under it.",
            day(r.effective_at),
            whose(r)
                .unwrap_or_else(|| "a key that opens envelopes, or one no longer listed".into()),
            Kid::from_slice(&r.kid).unwrap_or_default(),
            printable(&r.reason)
        ))
    };
    fresh.map(text).collect()
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
            out.push(plain(format!("Into the group {code}: {}.", codes(&come))));
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

fn has(party: &v1::Party, key: &v1::PartyKey) -> bool {
    party.keys.iter().any(|k| k.key == key.key)
}

fn role(key: &v1::PartyKey) -> &'static str {
    words::key_role(key.role()).map_or("unknown", |r| r.name())
}

fn id(key: &v1::PartyKey) -> Kid {
    kid(Alg::Ed25519, &key.key)
}
