//! What tired people do at a ceremony, and what they are told before it does harm.

use crate::table::{EXIT_REFUSED, EXIT_UNVERIFIED, EXIT_USAGE, PLAIN, Table};
use abeng_keys::{DualSigner, Passphrase, Protection, SystemEntropy};
use abeng_wire::PartyCode;
use std::{fs, os::unix::fs::PermissionsExt};

#[test]
fn a_draft_that_goes_on_with_another_loses_no_request_of_it() {
    let table = Table::founded();
    for (name, file) in [("Customs-A", "a.txt"), ("Customs-B", "b.txt")] {
        table.ok(&format!(
            "party change --trust 1.pb --keys tt/keys --name {name} --out {file}"
        ));
    }
    table.ok("roster draft --trust 1.pb --add a.txt --out d.txt");
    let on = "roster draft --trust 1.pb --from d.txt";
    let lost = "a second request of TT in one roster: the first would be lost";
    table.fails(&format!("{on} --add b.txt --out x.txt"), EXIT_REFUSED, lost);
    // Neither is a suspension lost.
    table.ok("party suspend TT --trust 1.pb --reason x --out s.txt");
    table.fails(
        "roster draft --trust 1.pb --from s.txt --add b.txt --out x.txt",
        EXIT_REFUSED,
        lost,
    );
    // The same once more loses nothing.
    let told = table.ok(&format!("{on} --add a.txt --out e.txt"));
    assert!(told.contains("Customs-A"), "{told}");
}

#[test]
fn a_policy_file_that_lacks_a_part_removes_nothing_and_who_removes_all_grants_is_told() {
    let table = Table::founded();
    let write = |text: &str| fs::write(table.path("policy.toml"), text).unwrap();
    let draft = "roster draft --policy policy.toml --out p.txt --force";
    let later = format!("{draft} --trust 1.pb");
    write("[groups]\nALL = [\"JM\", \"LC\", \"TT\"]\nEAST = [\"TT\"]\n");
    let told = table.ok(&later);
    assert!(told.contains("has no [[grant]]: the grants stay"), "{told}");
    assert!(!told.contains("read less"), "{told}");
    table.ok("roster diff 1.pb p.txt");
    write("grant = []\n");
    let told = table.ok(&later);
    assert!(
        told.contains("has no [groups]: the groups stay") && !told.contains("Out of the group"),
        "{told}"
    );
    table.fails(
        "roster diff 1.pb p.txt",
        EXIT_UNVERIFIED,
        "! ALL GRANTS ARE REMOVED: nobody may send anything",
    );
    // What is shown of that is taken as that.
    write(&table.ok("roster show p.txt --policy"));
    assert!(table.ok(&later).contains("! ALL GRANTS ARE REMOVED"));

    let first = format!("{draft} --under root.txt --add jm.txt --add lc.txt --add tt.txt");
    write("[groups]\nALL = [\"JM\"]\n");
    table.fails(&first, EXIT_USAGE, "nobody could send anything");
    write("grant = []\n");
    assert!(table.ok(&first).contains("! There is no grant: nobody may"));
}

#[test]
fn a_date_to_come_and_the_loss_of_the_last_that_coordinates_are_dangers() {
    let table = Table::founded();
    let change = "--trust 1.pb --out n.txt --force --reason x";
    let diff = |says: &str| table.fails("roster diff 1.pb n.txt", EXIT_UNVERIFIED, says);
    table.ok(&format!("party suspend TT --at 2062-01-02 {change}"));
    diff("! TT (Customs-TT) is suspended from 2062-01-02 on");
    let tt = table.trust("1.pb").roster;
    // Not the one that signs: with that its seal key would end, which is a danger of its own.
    let tt = tt.party(PartyCode::new("TT").unwrap()).unwrap().all_keys()[1].clone();
    let revoke = format!("party revoke TT --kid {} {change}", tt.key.kid());
    table.ok(&format!("{revoke} --at 2062-01-02"));
    diff("key of TT (Customs-TT) begins on 2062-01-02, and that is still to come");
    for fine in [
        format!("{revoke} --at 2026-01-02"),
        format!("party suspend TT --at 2026-01-02 {change}"),
        format!("party suspend TT {change}"),
    ] {
        table.ok(&fine);
        table.ok("roster diff 1.pb n.txt");
    }
    table.ok(&format!("party suspend LC {change}"));
    diff("! NO COORDINATION PARTY IS LEFT");
}

#[test]
fn a_newcomer_under_the_name_or_at_the_address_of_another_is_a_danger() {
    let table = Table::founded();
    let enrol = |more: &str, name: &str| {
        let args = format!(
            "party enrol XX --network carib --keys x{more} --out xx.txt --force {PLAIN} \
             --country GY --address {more}:7464 --name"
        );
        let mut args: Vec<&str> = args.split_whitespace().collect();
        args.push(name);
        assert_eq!(table.with(&args).code, Some(0));
        table.ok("roster draft --trust 1.pb --add xx.txt --out n.txt --force")
    };
    let told = enrol("xx.example.org", "customs tt");
    assert!(
        told.contains("! XX (customs tt) has the name of TT (Customs-TT)"),
        "{told}"
    );
    assert!(!told.contains("is to be reached"), "{told}");
    let told = enrol("TT.example.org", "Guyana");
    assert!(
        told.contains("is to be reached at TT.example.org:7464, where TT (Customs-TT) is"),
        "{told}"
    );
    assert!(!told.contains("has the name of"), "{told}");
}

#[test]
fn a_root_of_too_few_or_of_one_holder_twice_says_which() {
    let table = Table::founded();
    let others =
        "roster-1.key roster-2.key roster-3.key freshness-1.key freshness-2.key freshness-3.key";
    let roots = "root-1.key root-2.key root-3.key root-4.key";
    let new = "root new --network carib --out n.txt";
    let fails = |args: &str, says: &str| {
        table.fails(&format!("{new} {args}"), EXIT_USAGE, says);
        assert!(!table.has("n.txt"));
    };
    fails(
        &format!("{others} root-1.key {roots}"),
        "root-1.key holds a key that is there already, from the same file: it is to sign roots for Holder-root-1",
    );
    fs::copy(table.path("root-2.key"), table.path("copy.key")).unwrap();
    fails(
        &format!("{others} {roots} copy.key"),
        "copy.key holds a key that is there already, from root-2.key",
    );
    fails(
        &format!("{others} root-1.key root-2.key root-3.key"),
        "4 root signers must sign (--threshold), and there are only 3\n  try: name the files of at least 1 more \
         holders of a root key; or lower the threshold, `--threshold 2` to 3",
    );
    fails(
        &format!("{others} {roots} --roster-threshold 4"),
        "4 roster signers must sign (--roster-threshold), and there are only 3",
    );
    fails(
        &format!("{others} {roots} --threshold 2"),
        "2 of 4 root signers (--threshold) is not more than half",
    );
    table.ok(&format!("{new} {others} {roots}"));
    // One that signs already does not come in again.
    let rotate = "root rotate --trust 1.pb --out r.txt";
    let told = "root-3.key holds a key that is there already, from the root held";
    table.fails(&format!("{rotate} root-3.key"), EXIT_USAGE, told);
    let told = "8 root signers must sign (--threshold), and there are only 7";
    table.fails(&format!("{rotate} --threshold 8"), EXIT_USAGE, told);
}

#[test]
fn a_founding_without_somebodys_request_names_who_is_missing() {
    let table = Table::founded();
    table.fails(
        "roster draft --under root.txt --add jm.txt --out n.txt",
        EXIT_UNVERIFIED,
        "co-signed by them: LC (named by JM); TT (named by JM)",
    );
    table.fails(
        "roster draft --under root.txt --add jm.txt --add lc.txt --out n.txt",
        EXIT_UNVERIFIED,
        "co-signed by them: TT (named by JM, LC)\n  try: add the request of each with --add FILE",
    );
    assert!(!table.has("n.txt"));
}

#[test]
fn what_was_quoted_in_a_mail_is_read() {
    let table = Table::founded();
    for name in ["jm.txt", "root.txt", "root-1.key"] {
        let text = fs::read_to_string(table.path(name)).unwrap();
        let lines = text.lines().map(|l| format!(" > {l}\r\n"));
        let quoted = format!("On Monday JM wrote:\r\n{}", lines.collect::<String>());
        fs::write(table.path(name), quoted).unwrap();
    }
    table.ok("roster draft --under root.txt --add jm.txt --add lc.txt --add tt.txt --out n.txt");
    table.ok("roster show root-1.key");
}

#[test]
fn no_key_is_made_where_something_could_not_be_written() {
    let table = Table::founded();
    let enrol = format!(
        "party enrol GY --network carib --name Guyana --address gy.example.org:7464 {PLAIN}"
    );
    let recover = format!("party recover TT --trust 1.pb --reason burnt {PLAIN}");
    let rotate = format!("party rotate-keys --trust 1.pb --keys jm/keys {PLAIN}");
    let keygen = format!("root keygen --role root --network carib --holder X --country JM {PLAIN}");
    for (command, keys) in [
        (&enrol, "--keys new/keys"),
        (&recover, "--keys new/keys"),
        (&rotate, "--new-keys new/keys"),
        (&keygen, "--key new/root"),
    ] {
        for (out, exit, says) in [
            ("nowhere/x.txt", EXIT_USAGE, "nowhere is no directory"),
            ("jm.txt/x.txt", EXIT_USAGE, "jm.txt is no directory"),
            ("jm", EXIT_REFUSED, "exists"),
            ("jm --force", EXIT_USAGE, "it is a directory"),
            ("/proc/x.txt", 1, "cannot write /proc/x.txt"),
        ] {
            table.fails(&format!("{command} {keys} --out {out}"), exit, says);
            assert!(!table.has("new"), "{command} {out}");
        }
        let nowhere = keys.replace(" new/", " jm.txt/");
        let says = "jm.txt is no directory";
        table.fails(
            &format!("{command} {nowhere} --out x.txt"),
            EXIT_USAGE,
            says,
        );
        let nowhere = keys.replace(" new/", " /proc/new/");
        let says = "cannot write /proc/new";
        table.fails(&format!("{command} {nowhere} --out x.txt"), 1, says);
        assert!(!table.has("x.txt"), "{command}");
    }
    // The file may lie in the directory that is made with the keys.
    table.ok(&format!("{enrol} --keys new/keys --out new/gy.txt"));
    table.ok(&format!("{keygen} --key safe/root --out safe/root.key"));
    // Nor is anything asked, or signed, for a file that cannot be written.
    for command in [
        "roster draft --trust 1.pb",
        "root rotate --trust 1.pb",
        "root new --network carib root-1.key",
        "roster sign roster-1.txt --under root.txt",
        "roster publish f.txt --trust 1.pb",
        "party suspend TT --reason x --trust 1.pb",
        "freshness renew --trust 1.pb --key freshness-1/freshness",
    ] {
        let command = format!("{command} --out nowhere/x.txt");
        table.fails(&command, EXIT_USAGE, "nowhere is no directory");
    }
}

#[test]
fn a_short_passphrase_is_none_for_new_keys_and_opens_old_ones() {
    let table = Table::founded();
    let passphrase = |text: &str| {
        fs::write(table.path("pass"), text).unwrap();
        fs::set_permissions(table.path("pass"), PermissionsExt::from_mode(0o600)).unwrap();
    };
    let says = "a passphrase for new keys has at least 12 characters, and this one is shorter\n  try: take five or more words";
    passphrase("elevenchars\n");
    for command in [
        "root keygen --role roster --network carib --holder X --country JM --key x/roster --out x.key",
        "party enrol GY --network carib --name Guyana --address gy.example.org:7464 --keys x --out x.txt",
        "party recover TT --trust 1.pb --reason burnt --keys x --out x.txt",
        "party rotate-keys --trust 1.pb --keys jm/keys --new-keys x --out x.txt",
        "network init x --party JM:coordination --party TT",
    ] {
        let run = table.run(&format!("{command} --passphrase-file pass"));
        assert_eq!(run.code, Some(EXIT_USAGE), "{run:#?}");
        assert!(run.err.contains(says), "{run:#?}");
        assert!(!run.err.contains("eleven") && !table.has("x"), "{run:#?}");
    }
    // A key that was made under such a one, before there was this rule.
    let old = Passphrase::new("elevenchars".into()).with_work_factor(4);
    let key = DualSigner::generate(&mut SystemEntropy);
    key.save(&table.path("old"), "roster", &Protection::Passphrase(old))
        .unwrap();
    table.ok("roster draft --trust 1.pb --out 2.txt");
    table.fails(
        "roster sign 2.txt --key old/roster --trust 1.pb --out x.txt --yes --passphrase-file pass",
        EXIT_REFUSED,
        "is none of the roster's signers",
    );
}
