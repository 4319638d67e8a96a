//! Ceremonies where somebody signed two rosters of one version.

use crate::table::{EXIT_UNVERIFIED, EXIT_USAGE, PLAIN, Table, now};
use abeng_roster::armour;
use abeng_wire::v1;
use std::fs;

/// The bundle of a node that has seen two rosters of version 2, and the fingerprints of both.
fn disputed(table: &Table) -> [String; 2] {
    second(table, "a.txt", 100);
    second(table, "b.txt", 200);
    table.publish("a.txt", "1.pb", "a.pb");
    seen(table, &["b.txt"], "node.pb");
    ["a.txt", "b.txt"].map(|name| {
        let signed = table.roster_file(name);
        armour::fingerprint(abeng_roster::digest(&signed.bytes))
    })
}

/// A roster 2 that is good for so many days.
fn second(table: &Table, file: &str, days: u32) {
    table.ok(&format!(
        "roster draft --trust 1.pb --days {days} --out {file}"
    ));
    table.sign_roster(file, "1.pb", &["roster-1", "roster-2"]);
}

/// The bundle of a node that holds what is in `a.pb` and has seen these other rosters.
fn seen(table: &Table, others: &[&str], out: &str) {
    let mut trust = table.trust("a.pb");
    for other in others {
        let other = v1::TrustBundle {
            rosters: vec![table.roster_file(other)],
            ..Default::default()
        };
        trust = trust.merge(&other, now()).unwrap().unwrap();
    }
    let bundle = abeng_wire::encode(&trust.to_bundle());
    fs::write(table.path(out), bundle).unwrap();
}

#[test]
fn a_root_names_nine_rosters_of_one_version_and_every_pair_of_them() {
    let table = Table::founded();
    second(&table, "a.txt", 100);
    table.publish("a.txt", "1.pb", "a.pb");
    let others: Vec<_> = (1..=8).map(|n| format!("b-{n}.txt")).collect();
    for (file, days) in others.iter().zip(200..) {
        second(&table, file, days);
    }
    let others: Vec<_> = others.iter().map(String::as_str).collect();
    seen(&table, &others, "node.pb");
    let told = table.ok("root rotate --trust node.pb --settle --out r2.txt");
    let says = "It ends the equivocation of 9 rosters of version 2.";
    assert_eq!(told.matches(says).count(), 1, "{told}");
    for n in [1, 2, 3, 4] {
        let told = table.ok(&format!(
            "root sign r2.txt --key root-{n}/root --trust node.pb --root PIN --out r2.txt --yes"
        ));
        assert!(!told.contains("DISPUTED"), "{told}");
    }
    table.publish("r2.txt", "node.pb", "2.pb");
    let trust = table.trust("2.pb");
    let files = others.iter().chain([&"a.txt"]);
    let digests: Vec<_> = files
        .map(|file| abeng_roster::digest(&table.roster_file(file).bytes))
        .collect();
    for (i, one) in digests.iter().enumerate() {
        for other in &digests[i + 1..] {
            assert!(trust.root.settles_rosters(2, *one, *other), "{i}");
        }
    }
}

#[test]
fn a_root_that_names_one_pair_is_signed_where_another_is_known_if_it_replaces_the_signers() {
    let table = Table::founded();
    disputed(&table);
    second(&table, "c.txt", 300);
    seen(&table, &["c.txt"], "holder.pb");
    table.ok(&format!(
        "root keygen --role roster --network carib --holder New --country GY \
         --key new/roster --out new.key {PLAIN}"
    ));
    let rotate = "root rotate --trust node.pb --settle";
    table.ok(&format!("{rotate} --out same.txt"));
    table.ok(&format!(
        "{rotate} --remove Holder-roster-1 new.key --out other.txt"
    ));
    for (file, warned) in [("same.txt", true), ("other.txt", false)] {
        let told = table.ok(&format!(
            "root sign {file} --key root-1/root --trust holder.pb --root PIN --out x.txt --yes --force"
        ));
        assert_eq!(told.contains("DISPUTED"), warned, "{file}: {told}");
    }
}

#[test]
fn a_disputed_bundle_is_called_that_wherever_something_is_to_follow_it() {
    let table = Table::founded();
    let both = disputed(&table);
    let warned = |told: &str| {
        for part in [
            "DISPUTED: this trust bundle holds two different rosters of version 2",
            "First telephone the root's holders",
            &both[0],
            &both[1],
        ] {
            assert!(told.contains(part), "{part}\n{told}");
        }
    };
    warned(&table.ok("roster draft --trust node.pb --out 3.txt"));
    let sign = "roster sign 3.txt --key roster-1/roster --trust node.pb --out 3-a.txt";
    table.fails(sign, EXIT_USAGE, "although the trust bundle is disputed?");
    warned(&table.run(sign).err);
    warned(&table.ok(&format!("{sign} --yes")));
    warned(&table.ok(&format!("--json {sign} --yes --force")));
    warned(&table.ok("roster sign 3.txt --trust node.pb --out 3-b.txt"));
    warned(&table.ok("party suspend TT --trust node.pb --reason x --out s.txt"));
    warned(
        &table.ok("freshness renew --trust node.pb --key freshness-2/freshness --out f.txt --yes"),
    );
    for (old, new) in [("node.pb", "3.txt"), ("1.pb", "node.pb")] {
        let diff = table.run(&format!("roster diff {old} {new}"));
        assert_eq!(diff.code, Some(EXIT_UNVERIFIED), "{diff:#?}");
        warned(&diff.out);
        assert_eq!(diff.out.matches("DISPUTED").count(), 1, "{diff:#?}");
    }
    let shown = table.ok("roster show node.pb");
    assert!(shown.contains("holds another roster 2 beside") && shown.contains(&both[1]));

    // The root that ends it is signed without that warning; another one is not.
    table.ok("root rotate --trust node.pb --settle --out r2.txt");
    let told = table
        .ok("root sign r2.txt --key root-1/root --trust node.pb --root PIN --out r2.txt --yes");
    assert!(!told.contains("DISPUTED"), "{told}");
    table.ok("root rotate --trust node.pb --out other.txt");
    warned(
        &table.ok(
            "root sign other.txt --key root-1/root --trust node.pb --root PIN --out x.txt --yes",
        ),
    );
}
