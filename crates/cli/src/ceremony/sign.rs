//! `abeng root sign` and `abeng roster sign`: one holder's signature, and copies put together.

use super::{Held, ask, begin, diff, dispute, file, now, pinned, place, refused, secrets, words};
use crate::{CliError, Exit, Ui, args::SignArgs};
use abeng_keys::{DualSigner, DualVerifyKey, SignatureType};
use abeng_notice::printable;
use abeng_roster::{Override, Root, Roster, ceremony, digest};
use abeng_wire::{NetworkCode, v1, v1::ceremony_file::What};
use std::{path::Path, process::ExitCode};

/// What is to be signed, checked.
struct Matter {
    network: NetworkCode,
    kind: SignatureType,
    signed: v1::Signed,
    /// In plain words.
    told: String,
    /// What the trust bundle held leaves open.
    disputed: Vec<diff::Change>,
    /// What it is, as `roster 2`.
    name: String,
    /// Those who may sign, each group with its threshold and its name.
    groups: Vec<(String, usize, Vec<DualVerifyKey>)>,
    /// The request that goes with an override.
    request: Option<v1::PartyRequest>,
}

pub(super) fn sign(args: &SignArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    // The first of several copies may be written over: it is what is signed.
    let again = args.files.contains(&args.out.out);
    if !again {
        place::check_out(&args.out)?;
    }
    let mut matter = matter(args)?;
    let told = format!(
        "{}{}\nFingerprint of {}, to be compared by telephone:\n{}",
        diff::render_some(&matter.disputed),
        matter.told,
        matter.name,
        words::fingerprint(&matter.signed.bytes)
    );
    match &args.key {
        Some(key) => add(&mut matter, key, &told, args, ui)?,
        None if !ui.json => ui.remark(&told),
        None => {}
    }
    let counts = counts(&matter);
    let value = serde_json::json!({
        "what": matter.name,
        "digest": digest(&matter.signed.bytes).to_string(),
        "signatures": matter.signed.signatures.len(),
        "enough": counts.iter().all(|(_, found, needed)| found >= needed),
        "disputed": matter.disputed,
        "file": args.out.out,
    });
    let out = crate::args::OutArgs {
        out: args.out.out.clone(),
        force: args.out.force || again,
    };
    let name = matter.name.clone();
    file::write_paper(matter.network, paper(matter), &out)?;
    ui.show(&value, || {
        let mut text = format!("{} is written: {name}.\n", out.out.display());
        for (group, found, needed) in &counts {
            text.push_str(&format!("  {found} of {needed} signatures of {group}\n"));
        }
        text
    })?;
    Ok(Exit::Ok.into())
}

/// Adds the holder's signature, after it was said what is signed.
fn add(
    matter: &mut Matter,
    key: &Path,
    told: &str,
    args: &SignArgs,
    ui: &Ui,
) -> Result<(), CliError> {
    let signer = secrets::load_signer(key, args.secret.passphrase_file.as_deref(), ui)?;
    may_sign(matter, &signer)?;
    let question = match matter.disputed.is_empty() {
        true => format!("Sign {} of {}?", matter.name, matter.network),
        false => format!(
            "Sign {} of {}, although the trust bundle is disputed?",
            matter.name, matter.network
        ),
    };
    ask(told, &question, args.sure.yes, ui)?;
    let signature = signer
        .sign(matter.kind, &matter.signed.bytes)
        .map_err(|e| CliError::internal(e.to_string()))?;
    matter.signed.signatures.push(signature);
    Ok(())
}

fn may_sign(matter: &Matter, signer: &DualSigner) -> Result<(), CliError> {
    let public = signer.public();
    if !matter
        .groups
        .iter()
        .any(|(_, _, keys)| keys.contains(public))
    {
        let who: Vec<_> = matter.groups.iter().map(|(name, ..)| &**name).collect();
        return Err(CliError::new(
            Exit::Refused,
            format!(
                "this key ({:.16}) is none of {}",
                public.kid(),
                who.join(" or ")
            ),
        )
        .with_try("`abeng roster show` lists who signs what"));
    }
    if signed_by(matter, public) {
        return Err(CliError::new(
            Exit::Refused,
            format!("this key ({:.16}) has signed it already", public.kid()),
        )
        .with_try("a threshold counts different signers: have another holder sign"));
    }
    Ok(())
}

fn signed_by(matter: &Matter, key: &DualVerifyKey) -> bool {
    let signatures = matter.signed.signatures.iter();
    let mut own = signatures.filter(|s| s.kid[..] == key.kid().0);
    own.any(|s| key.verify(matter.kind, &matter.signed.bytes, s).is_ok())
}

/// Group, signatures that hold, threshold.
fn counts(matter: &Matter) -> Vec<(String, usize, usize)> {
    let count = |(name, needed, keys): &(String, usize, Vec<DualVerifyKey>)| {
        let found = keys.iter().filter(|k| signed_by(matter, k)).count();
        (name.clone(), found, *needed)
    };
    matter.groups.iter().map(count).collect()
}

fn paper(matter: Matter) -> What {
    match (matter.kind, matter.request) {
        (SignatureType::ROOT, _) => What::Root(matter.signed),
        (SignatureType::OVERRIDE, request) => What::Override(v1::OverrideRequest {
            word: Some(matter.signed),
            request,
        }),
        _ => What::Roster(matter.signed),
    }
}

/// Reads the copies, puts their signatures together, and checks what is to be signed.
fn matter(args: &SignArgs) -> Result<Matter, CliError> {
    let held = match &args.held.trust {
        Some(path) => Some(Held::load(path, args.held.first.root.as_deref())?),
        None => None,
    };
    let mut papers = Vec::new();
    for path in &args.files {
        papers.push(file::paper(path)?);
    }
    let network = papers[0].network;
    let mut copies = Vec::new();
    let mut request = None;
    let mut kind = None;
    for (paper, path) in papers.into_iter().zip(&args.files) {
        let (of, signed) = match paper.what {
            What::Root(signed) => (SignatureType::ROOT, signed),
            What::Roster(signed) => (SignatureType::ROSTER, signed),
            What::Override(m) => {
                request = m.request.or(request);
                (SignatureType::OVERRIDE, m.word.unwrap_or_default())
            }
            _ => {
                return Err(CliError::usage(format!(
                    "{} is nothing that holders sign",
                    path.display()
                ))
                .with_try("name a root, a roster or an override"));
            }
        };
        if *kind.get_or_insert(of) != of || paper.network != network {
            return Err(different());
        }
        copies.push(signed);
    }
    let signed = ceremony::merge(&copies).ok_or_else(different)?;
    // A bundle that came with the file would let whoever made both choose what the holder is shown.
    let of_roots = matches!(kind, Some(SignatureType::ROOT | SignatureType::OVERRIDE));
    if of_roots && args.key.is_some() && held.is_some() && args.held.first.root.is_none() {
        return Err(CliError::usage(
            "a root holder signs only what follows a root that is known to be the network's",
        )
        .with_try(
            "add --root HEX with the digest of the first root, as you wrote it down at the founding, not as the bundle says it",
        ));
    }
    match kind {
        Some(SignatureType::ROOT) => root(network, signed, held.as_ref()),
        Some(SignatureType::OVERRIDE) => overriding(network, signed, request, held.as_ref()),
        _ => roster(network, signed, held.as_ref(), args),
    }
}

fn open(held: Option<&Held>) -> Vec<diff::Change> {
    held.map_or_else(Vec::new, |held| dispute::open(&held.trust))
}

fn different() -> CliError {
    CliError::new(Exit::Refused, "the copies do not say the same")
        .with_try("compare their fingerprints: `abeng roster show FILE`")
}

fn root(network: NetworkCode, signed: v1::Signed, held: Option<&Held>) -> Result<Matter, CliError> {
    let draft = Root::draft(&signed).map_err(|e| refused(&e))?;
    draft.check_time(now()).map_err(|e| refused(&e))?;
    let message: v1::Root = file::decode(&signed.bytes)?;
    let new = (
        format!("root {}", draft.version()),
        draft.threshold(),
        draft.signers().to_vec(),
    );
    let (told, groups) = match held {
        None if draft.version() == 1 => (begin::tell(&message), vec![new]),
        None => {
            return Err(CliError::usage("which root it follows is not said")
                .with_try("add --trust FILE with the trust bundle held"));
        }
        Some(held) => {
            let old = &held.trust.root;
            if draft.version() != old.version() + 1 || draft.network() != old.network() {
                return Err(CliError::new(
                    Exit::Refused,
                    format!(
                        "root {} of {} does not follow root {} of {}, which is held",
                        draft.version(),
                        draft.network(),
                        old.version(),
                        old.network()
                    ),
                ));
            }
            let told = format!(
                "{}\n{}",
                diff::render(&diff::of_roots(&held.root()?, &message)),
                begin::tell(&message)
            );
            let before = (
                format!("root {}", old.version()),
                old.threshold(),
                old.signers().to_vec(),
            );
            (told, vec![before, new])
        }
    };
    Ok(Matter {
        network,
        kind: SignatureType::ROOT,
        name: format!("root {}", draft.version()),
        disputed: held.map_or_else(Vec::new, |held| {
            dispute::beside(&held.trust, &draft, &message)
        }),
        signed,
        told,
        groups,
        request: None,
    })
}

fn overriding(
    network: NetworkCode,
    signed: v1::Signed,
    request: Option<v1::PartyRequest>,
    held: Option<&Held>,
) -> Result<Matter, CliError> {
    let held = held.ok_or_else(|| {
        CliError::usage("which entry it replaces is not said")
            .with_try("add --trust FILE with the trust bundle held")
    })?;
    let word = Override::draft(&signed).map_err(|e| refused(&e))?;
    let no = |why: &str| CliError::new(Exit::Refused, why.to_owned());
    let entry = request.as_ref().and_then(|r| r.entry.as_ref());
    let entry = entry.ok_or_else(|| no("the request with the new entry is missing"))?;
    let party = held.trust.roster.party(word.party);
    let party = party.ok_or_else(|| no("the roster held knows no such party"))?;
    if digest(&party.signed().bytes) != word.before {
        return Err(no(
            "it replaces another entry than the one held: the party's entry has changed since",
        )
        .with_try("have `abeng party recover` run again with the newest trust bundle"));
    }
    if digest(&entry.bytes) != word.after {
        return Err(no("the entry beside it is not the one that it names"));
    }
    let before: v1::Party = file::decode(&party.signed().bytes)?;
    let after: v1::Party = file::decode(&entry.bytes)?;
    let told = format!(
        "OVERRIDE. {} says that it lost its keys: \"{}\".\n\
         With the signatures of {} root holders these keys stand for it, although none of its old keys \
         agrees. Every node raises an alarm, and waits 7 days from its own adoption before it uses them.\n\
         Whoever asks for this without being {} would read what is sent to it from then on. Telephone \
         somebody there whom you know. The new entry's fingerprint, as {} must be able to read it out:\n{}\n{}",
        words::party(&before),
        printable(&word.reason),
        held.trust.root.threshold(),
        printable(&before.code),
        printable(&before.code),
        words::fingerprint(&entry.bytes),
        diff::render(&diff::of_entry(&before, &after)),
    );
    Ok(Matter {
        network,
        kind: SignatureType::OVERRIDE,
        name: format!("the override for {}", word.party),
        disputed: dispute::open(&held.trust),
        signed,
        told,
        groups: vec![(
            format!("root {}", held.trust.root.version()),
            held.trust.root.threshold(),
            held.trust.root.signers().to_vec(),
        )],
        request,
    })
}

fn roster(
    network: NetworkCode,
    signed: v1::Signed,
    held: Option<&Held>,
    args: &SignArgs,
) -> Result<Matter, CliError> {
    let (root, previous) = base(held, args.under.as_deref(), args.held.first.root.as_deref())?;
    let before = previous.map(|p| p.signed().bytes.clone());
    let draft = Roster::draft(&root, previous, &signed).map_err(|e| refused(&e))?;
    draft.check_time(now()).map_err(|e| refused(&e))?;
    let message: v1::Roster = file::decode(&signed.bytes)?;
    let old = match before {
        Some(bytes) => file::decode(&bytes)?,
        None => v1::Roster::default(),
    };
    Ok(Matter {
        network,
        kind: SignatureType::ROSTER,
        name: format!("roster {}", draft.version()),
        disputed: open(held),
        told: diff::render(&diff::of_rosters(&old, &message)?),
        groups: vec![(
            format!("the roster's signers of root {}", root.version()),
            root.roster_threshold(),
            root.roster_signers().to_vec(),
        )],
        signed,
        request: None,
    })
}

/// What a roster stands on: the root and the roster before it.
pub(super) fn base<'a>(
    held: Option<&'a Held>,
    under: Option<&Path>,
    pin: Option<&str>,
) -> Result<(Root, Option<&'a Roster>), CliError> {
    if let Some(held) = held {
        return Ok(((*held.trust.root).clone(), Some(&held.trust.roster)));
    }
    let Some(path) = under else {
        return Err(CliError::usage("what it follows is not said").with_try(
            "add --trust FILE with the trust bundle held; at a founding --under ROOT-FILE",
        ));
    };
    let What::Root(signed) = file::paper(path)?.what else {
        return Err(CliError::usage(format!("{} is no root", path.display())));
    };
    let root = Root::first(&signed, now()).map_err(|e| refused(&e))?;
    match pinned(pin)? {
        Some(pin) if pin != root.digest() => Err(CliError::new(
            Exit::Unverified,
            format!("{} is not the root that --root names", path.display()),
        )),
        _ => Ok((root, None)),
    }
}
