//! Negative vectors of Abeng's own formats: `negative/<subject>/<name>.json`, each with one thing
//! wrong and the reason for which it must be refused. How they read is in `negative/README.md`.
//!
//! `check` knows the files alone, and asks what a node asks. `make` writes them:
//! `ABENG_BLESS=1 cargo test --workspace --test negative`. Every key, nonce and time in them is
//! fixed, so that they come out the same each time.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod check;
mod file;
mod fixture;
mod make;
mod reason;
/// Suite 1 written a second time, with knobs for every fault of an originator.
#[allow(dead_code)]
#[path = "../../../../crates/seal/tests/envelope/reference.rs"]
mod reference;

use file::{Breaks, Given, SUBJECTS, Vectors, folder};
use std::{collections::BTreeMap, fs};

/// Each is refused, for its stated reason and no other: the vector that it was made from by the
/// one change passes, and where no signature is what is wrong all signatures in it hold.
#[test]
fn each_is_refused_for_its_reason_and_no_other() {
    let (given, vectors) = (Given::read(), Vectors::read());
    let keys = check::Keys::of(&given);
    let mut wrong = Vec::new();
    let mut say = |name: &str, what: String| wrong.push(format!("{name}: {what}"));
    for (name, vector) in &vectors.0 {
        let (subject, _) = name.split_once('/').unwrap();
        let outcome = check::outcome(subject, vector, &given);
        match (&vector.refused, outcome) {
            (None, Ok(())) => {}
            (None, Err(why)) => say(name, format!("must pass, but is refused: {why}")),
            (Some(why), Ok(())) => say(name, format!("passes, but must be refused: {why}")),
            (Some(stated), Err(found)) if *stated == found => {}
            (Some(stated), Err(found)) => {
                say(name, format!("is refused for\n  {found}, not\n  {stated}"))
            }
        }
        let Some(repair) = &vector.repair else {
            assert!(
                vector.refused.is_none() && vector.breaks.is_none(),
                "{name}"
            );
            continue;
        };
        let repaired = vectors.0.get(&format!("{subject}/{repair}"));
        match repaired {
            Some(good) if good.refused.is_none() => {
                if good.bytes(&given) == vector.bytes(&given) && good.against == vector.against {
                    say(name, "it is not changed at all".into());
                }
            }
            _ => say(name, format!("there is no good vector {repair}")),
        }
        let signed = check::signatures(subject, vector, &given, &keys);
        match vector.breaks {
            Some(Breaks::Signature) | None => {}
            Some(_) => {
                if let Err(why) = signed {
                    say(name, format!("a signature is wrong too: {why}"));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A node walks whole bundles. What must be refused does not come into force that way either, but
/// for what is past its time: it is told as such, and what it revokes is revoked.
#[test]
fn none_of_them_comes_into_force_at_a_node() {
    let (given, vectors) = (Given::read(), Vectors::read());
    let mut wrong = Vec::new();
    let mut asked = 0;
    for (name, vector) in &vectors.0 {
        let (subject, _) = name.split_once('/').unwrap();
        if !["root", "roster", "party"].contains(&subject) {
            continue;
        }
        asked += 1;
        let due = match &vector.refused {
            None => true,
            Some(why) => why.starts_with("expired"),
        };
        if check::comes_into_force(subject, vector, &given) != due {
            wrong.push(name.as_str());
        }
    }
    assert!(asked > 150, "{asked}");
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// The files are what `make` makes; with `ABENG_BLESS=1` they become it.
#[test]
fn the_files_are_as_they_are_made() {
    let (given, vectors) = make::all();
    if std::env::var_os("ABENG_BLESS").is_some() {
        let _ = fs::remove_dir_all(folder("root").parent().unwrap().join("given"));
        for subject in SUBJECTS {
            let _ = fs::remove_dir_all(folder(subject));
        }
        given.write();
        vectors.write();
        return;
    }
    assert!(
        Given::read() == given,
        "given: run with ABENG_BLESS=1 and look at the difference"
    );
    let held = Vectors::read();
    let names = |v: &Vectors| v.0.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&held), names(&vectors), "run with ABENG_BLESS=1");
    for (name, vector) in &vectors.0 {
        assert!(
            held.0[name] == *vector,
            "{name}: run with ABENG_BLESS=1 and look at the difference"
        );
    }
}

/// No subject is left to a few, no reason stands for all, and the table that people read is true.
#[test]
fn the_table_in_the_readme_counts_them() {
    let vectors = Vectors::read();
    let mut counts = BTreeMap::new();
    for (name, vector) in &vectors.0 {
        let (subject, _) = name.split_once('/').unwrap();
        let count: &mut (usize, Vec<&str>) = counts.entry(subject).or_default();
        if let Some(why) = &vector.refused {
            count.0 += 1;
            count.1.push(why);
        }
    }
    let readme = fs::read_to_string(folder("README.md")).unwrap();
    let mut all = 0;
    for subject in SUBJECTS {
        let (count, reasons) = counts.get_mut(subject).expect(subject);
        reasons.sort_unstable();
        reasons.dedup();
        let row = format!("| `{subject}` | {count} | {} |", reasons.len());
        assert!(
            readme.contains(&row),
            "negative/README.md lacks the row\n{row}"
        );
        all += *count;
    }
    assert!(all >= 150, "{all}");
    assert!(readme.contains(&format!("| all | {all} |")), "{all}");
    let page = folder("../../../docs/reliability.md");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains(&format!("holds {all} cases")), "{all}");
}
