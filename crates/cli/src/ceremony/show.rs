//! `abeng roster show`: what is in a trust bundle or in a ceremony file. Nothing is proved by it.

use super::{begin, diff, draft::entry, file, policy::PolicyFile, publish, words};
use crate::{CliError, Exit, Ui, args::RosterShowArgs};
use abeng_keys::{Alg, kid};
use abeng_notice::printable;
use abeng_roster::{SignerKey, Trust, armour, digest};
use abeng_wire::{Kid, v1, v1::ceremony_file::What};
use std::process::ExitCode;

pub(super) fn show(args: &RosterShowArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    let paper = file::is_paper(&args.file)?;
    if args.policy {
        let roster = match paper {
            true => match file::paper(&args.file)?.what {
                What::Roster(signed) => file::decode(&signed.bytes)?,
                _ => return Err(CliError::usage("it holds no roster")),
            },
            false => last_roster(&file::bundle(&args.file)?)?,
        };
        let policy = PolicyFile::of(&roster);
        ui.show(&policy, || policy.to_text())?;
        return Ok(Exit::Ok.into());
    }
    let (name, text, digest) = match paper {
        true => of_paper(file::paper(&args.file)?.what)?,
        false => of_bundle(&file::bundle(&args.file)?)?,
    };
    let value = serde_json::json!({"what": name, "digest": digest, "text": text});
    ui.show(&value, || {
        format!(
            "{text}By the file's own word; `abeng roster verify` and `abeng roster diff` check it.\n"
        )
    })?;
    Ok(Exit::Ok.into())
}

fn of_paper(what: What) -> Result<(&'static str, String, String), CliError> {
    let (name, text, bytes) = match what {
        What::Root(signed) => (
            "root",
            format!(
                "{}{}",
                begin::tell(&file::decode(&signed.bytes)?),
                signatures(&signed)
            ),
            signed.bytes,
        ),
        What::Roster(signed) => (
            "roster",
            format!(
                "{}{}",
                roster(&file::decode(&signed.bytes)?)?,
                signatures(&signed)
            ),
            signed.bytes,
        ),
        What::Freshness(signed) => {
            let m: v1::Freshness = file::decode(&signed.bytes)?;
            let of = m.roster.unwrap_or_default();
            let text = format!(
                "Roster {} was the newest on {}; the next word is due on {}.\n",
                of.version,
                words::day(m.at),
                words::day(m.expires)
            );
            ("freshness", text, signed.bytes)
        }
        What::Signer(signed) => {
            let signer = SignerKey::verify(&signed)
                .map_err(|e| CliError::new(Exit::Unverified, e.to_string()))?;
            let text = format!(
                "To sign {} in {}: {}\n",
                words::signer_role(signer.role),
                signer.network,
                begin::signer(&signer.key)
            );
            ("signer", text, signed.bytes)
        }
        What::Party(request) => {
            let signed = request.entry.unwrap_or_default();
            ("party", party(&entry(&signed)?), signed.bytes)
        }
        What::Override(m) => {
            let word = m.word.unwrap_or_default();
            let o: v1::Override = file::decode(&word.bytes)?;
            let signed = m.request.and_then(|r| r.entry).unwrap_or_default();
            let text = format!(
                "Override for {}: \"{}\".\n{}{}",
                printable(&o.party),
                printable(&o.reason),
                party(&entry(&signed)?),
                signatures(&word)
            );
            ("override", text, word.bytes)
        }
    };
    let text = format!("{text}Fingerprint:\n{}\n", words::fingerprint(&bytes));
    Ok((name, text, abeng_roster::digest(&bytes).to_string()))
}

fn of_bundle(bundle: &v1::TrustBundle) -> Result<(&'static str, String, String), CliError> {
    let root: v1::Root = match bundle.roots.last() {
        Some(signed) => file::decode(&signed.bytes)?,
        None => return Err(CliError::new(Exit::Unverified, "it holds no root")),
    };
    let last = last_roster(bundle)?;
    let mut text = format!(
        "Root to be pinned: sha256:{}\n{}\n{}",
        publish::first_root(bundle),
        begin::tell(&root),
        roster(&last)?
    );
    if let Some(signed) = &bundle.freshness {
        let m: v1::Freshness = file::decode(&signed.bytes)?;
        text.push_str(&format!("Said to be the newest on {}.\n", words::day(m.at)));
    }
    for signed in &bundle.other_rosters {
        let m: v1::Roster = file::decode(&signed.bytes)?;
        text.push_str(&other(signed, "roster", m.version));
    }
    for signed in &bundle.other_roots {
        let m: v1::Root = file::decode(&signed.bytes)?;
        text.push_str(&other(signed, "root", m.version));
    }
    Ok(("bundle", text, publish::first_root(bundle)))
}

/// Evidence that somebody signed two of one version.
fn other(signed: &v1::Signed, what: &str, version: u64) -> String {
    format!(
        "! DISPUTED, unless a root has ended it: it holds another {what} {version} beside the one above, with the fingerprint {}. \
         `abeng roster verify` says whether it is open still.\n",
        armour::fingerprint(digest(&signed.bytes))
    )
}

fn last_roster(bundle: &v1::TrustBundle) -> Result<v1::Roster, CliError> {
    match bundle.rosters.last() {
        Some(signed) => file::decode(&signed.bytes),
        None => Err(CliError::new(Exit::Unverified, "it holds no roster")),
    }
}

fn roster(m: &v1::Roster) -> Result<String, CliError> {
    let mut out = format!(
        "Roster {} of {}, from {} until {}, under root {}.\n",
        m.version,
        printable(&m.network),
        words::day(m.issued),
        words::day(m.expires),
        m.root_version
    );
    for signed in &m.parties {
        out.push_str(&party(&entry(signed)?));
    }
    for group in &m.groups {
        out.push_str(&format!(
            "Group {}: {}\n",
            printable(&group.code),
            printable(&group.members.join(", "))
        ));
    }
    for grant in &m.grants {
        let types = match grant.notice_types.is_empty() {
            true => "every type".to_owned(),
            false => grant.notice_types.join(", "),
        };
        out.push_str(&format!(
            "{} may send to {}: {} up to {}\n",
            printable(&grant.from),
            printable(&grant.to),
            printable(&types),
            words::tlp(grant.highest_tlp)
        ));
    }
    for s in &m.suspensions {
        out.push_str(&format!(
            "{} since {}: \"{}\"\n",
            printable(&s.party),
            words::day(s.effective_at),
            printable(&s.reason)
        ));
    }
    for r in &m.revocations {
        out.push_str(&format!(
            "Revoked {:.16} from {}: \"{}\"\n",
            Kid::from_slice(&r.kid).unwrap_or_default(),
            words::day(r.effective_at),
            printable(&r.reason)
        ));
    }
    Ok(out)
}

fn party(m: &v1::Party) -> String {
    let mut out = format!(
        "{}, {}, {}, {}{}; version {} of its entry\n",
        words::party(m),
        printable(&m.country),
        words::kind(m.kind()),
        words::status(m.status()),
        if m.relay { ", relay" } else { "" },
        m.version
    );
    out.push_str(&format!(
        "  at {}; co-signed by {}\n",
        printable(&m.addresses.join(", ")),
        words::codes(&m.witnesses)
    ));
    for key in &m.keys {
        out.push_str(&format!(
            "  {:<9} {:.16} from {} until {}\n",
            words::key_role(key.role()).map_or("?", |r| r.name()),
            kid(Alg::Ed25519, &key.key),
            words::day(key.not_before),
            words::day(key.not_after)
        ));
    }
    out
}

fn signatures(signed: &v1::Signed) -> String {
    format!("Signatures on it: {}\n", signed.signatures.len())
}

/// Keys that an override brought and that wait.
pub(super) fn waiting(trust: &Trust) -> String {
    let mut changes = Vec::new();
    for party in trust.roster.parties() {
        let until = party.all_keys().iter().filter_map(|k| k.waits_until).max();
        if let Some(until) = until {
            changes.push(diff::danger(format!(
                "The root's override brought keys of {}: a node that takes this now uses them 7 days later (counted from the issue here: {}).",
                party.code,
                words::day(until)
            )));
        }
    }
    diff::render_some(&changes)
}
