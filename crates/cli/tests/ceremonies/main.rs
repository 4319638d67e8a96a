//! The life of a network whose holders never meet: each with a directory of its own, files handed
//! on, through the real command; and what must be refused on the way.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod disputes;
mod mistakes;
mod table;

use abeng_keys::{DualSigner, SystemEntropy};
use abeng_roster::{armour, ceremony, founding};
use abeng_wire::{NetworkCode, PartyCode, v1, v1::ceremony_file::What};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};
use table::{EXIT_NOT_FOUND, EXIT_REFUSED, EXIT_UNVERIFIED, EXIT_USAGE, PLAIN, Table, now};

#[test]
fn a_network_is_founded_by_holders_who_never_meet_and_below_its_thresholds_it_is_not() {
    let table = Table::founded();
    let told = table.ok("roster verify 1.pb");
    assert!(
        told.contains("roster 1") && told.contains("3 parties"),
        "{told}"
    );
    let trust = table.trust("1.pb");
    assert_eq!((trust.root.signers().len(), trust.root.threshold()), (7, 4));
    assert_eq!(trust.root.roster_threshold(), 2);
    let root = trust.root.digest().to_string();
    table.ok(&format!("roster verify 1.pb --root sha256:{root}"));
    let other = format!("roster verify 1.pb --root {}", "0".repeat(64));
    table.fails(&other, EXIT_UNVERIFIED, "pinned is");

    // Three holders of seven; and copies that do not say the same.
    let files = "root new --network carib --out few.txt --days 30 \
                 root-1.key root-2.key root-3.key root-4.key root-5.key root-6.key root-7.key \
                 roster-1.key roster-2.key roster-3.key \
                 freshness-1.key freshness-2.key freshness-3.key";
    table.ok(files);
    for n in [1, 2, 3] {
        table.ok(&format!(
            "root sign few.txt --key root-{n}/root --out few.txt --yes"
        ));
    }
    table.fails(
        "roster sign roster-1.txt --under few.txt --key roster-2/roster --out x.txt --yes",
        EXIT_UNVERIFIED,
        "3 distinct signers of root 1, which asks for 4",
    );
    table.fails(
        "root sign few.txt root.txt --out x.txt",
        EXIT_REFUSED,
        "not say the same",
    );
    // The same holder once more, somebody who holds another office, and nobody who means it.
    table.fails(
        "root sign few.txt --key root-2/root --out few.txt --yes",
        EXIT_REFUSED,
        "has signed it already",
    );
    table.fails(
        "root sign few.txt --key roster-1/roster --out few.txt --yes",
        EXIT_REFUSED,
        "is none of root 1",
    );
    table.fails(
        "root sign few.txt --key root-4/root --out x.txt",
        EXIT_USAGE,
        "Sign root 1 of carib? This must be meant",
    );
    assert!(!table.has("x.txt"));
    table.fails(
        "roster draft --under root.txt --out roster-1.txt",
        EXIT_REFUSED,
        "exists",
    );
    table.fails(
        "root keygen --role root --network carib --holder X --country JM --key root-1/root \
         --out y.key --insecure-plain-keys",
        EXIT_REFUSED,
        "no secret key is written over",
    );
    // One key in two offices, and one signer too few.
    let twice = format!(
        "{} root-1.key --threshold 5",
        files.replace("few.txt", "twice.txt")
    );
    table.fails(&twice, EXIT_USAGE, "there already");
    let few = files
        .replace("few.txt", "two.txt")
        .replace("freshness-3.key", "");
    table.fails(&few, EXIT_USAGE, "at least three freshness signers");
}

#[test]
fn a_member_enrols_renews_its_keys_is_struck_and_comes_back_from_a_loss() {
    let table = Table::founded();
    table.ok(
        "party enrol GY --network carib --name Guyana --address gy.example.org:7464 \
         --witness JM --witness LC --witness TT --keys gy/keys --out gy.txt --insecure-plain-keys",
    );
    let told = table.ok("roster draft --trust 1.pb --add gy.txt --out 2.txt");
    for part in [
        "! From now on GY may read from JM, LC, TT: notices of every type up to TLP:RED.",
        "! GY (Guyana) joins as member",
        "Into the group ALL: GY.",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    table.fails(
        "roster diff 1.pb 2.txt",
        EXIT_UNVERIFIED,
        "! From now on GY may read",
    );
    // One signature of two; then published with the key that opens what is sent to GY.
    table.sign_roster("2.txt", "1.pb", &["roster-1"]);
    table.fails(
        "roster publish 2.txt gy.txt --trust 1.pb --out 2.pb --yes",
        EXIT_UNVERIFIED,
        "asks for 2",
    );
    table.fails(
        "roster sign 2.txt --key roster-1/roster --trust 1.pb --out 2.txt --yes",
        EXIT_REFUSED,
        "has signed it already",
    );
    table.sign_roster("2.txt", "1.pb", &["roster-2"]);
    table.fails(
        "roster publish 2.txt gy.txt --trust 1.pb --out 2.pb",
        EXIT_USAGE,
        "Publish it?",
    );
    table.publish("2.txt gy.txt", "1.pb", "2.pb");
    let gy = PartyCode::new("GY").unwrap();
    assert!(table.trust("2.pb").seal_key(gy, now()).is_some());

    // New signing keys, vouched for by the old ones: nothing dangerous.
    let told = table.ok(
        "party rotate-keys --trust 2.pb --keys gy/keys --new-keys gy/new --out gy-2.txt \
         --insecure-plain-keys",
    );
    assert!(
        told.contains("The keyring with the new keys is in gy/new"),
        "{told}"
    );
    table.ok("roster draft --trust 2.pb --add gy-2.txt --out 3.txt");
    let told = table.ok("roster diff 2.pb 3.txt");
    assert!(
        told.contains("The entry of GY (Guyana) has the fingerprint "),
        "{told}"
    );
    assert!(told.contains("GY (Guyana) has a new log key"), "{told}");
    table.fails(
        "roster draft --trust 2.pb --add gy-2.txt --add gy.txt --out x.txt",
        EXIT_REFUSED,
        "a second request of GY",
    );
    table.sign_roster("3.txt", "2.pb", &["roster-2", "roster-3"]);
    table.publish("3.txt", "2.pb", "3.pb");
    // The request of its enrolment would take the new keys back.
    table.fails(
        "roster draft --trust 3.pb --add gy.txt --out x.txt",
        EXIT_REFUSED,
        "it was made from version 0 of the entry of GY, and the roster before has version 2",
    );
    table.fails("roster diff 3.pb 2.pb", EXIT_UNVERIFIED, "is OLDER than");
    assert_eq!(
        table
            .trust("3.pb")
            .roster
            .party(gy)
            .unwrap()
            .all_keys()
            .len(),
        8
    );

    // The old ones are revoked, then the member is suspended; both with reason and time.
    let args = "party revoke GY --replaced --at 2026-01-02 --trust 3.pb --out 4.txt --reason";
    let mut args: Vec<&str> = args.split_whitespace().collect();
    args.push("a laptop was stolen");
    assert_eq!(table.with(&args).code, Some(0));
    // Its seal key was signed with the old one, and its node has not yet come with another.
    let ends = "nobody can send to GY until its node has published one";
    table.fails("roster diff 3.pb 4.txt", EXIT_UNVERIFIED, ends);
    let told = table
        .ok("party suspend GY --trust 3.pb --from 4.txt --out 4.txt --force --reason unreachable");
    for part in [
        "Revoked from 2026-01-02 on: the org-sign key of GY (Guyana)",
        "\"a laptop was stolen\"",
        "GY (Guyana) is suspended: every node closes its links",
        "\"unreachable\"",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    table.sign_roster("4.txt", "3.pb", &["roster-1", "roster-3"]);
    table.publish("4.txt", "3.pb", "4.pb");
    let roster = table.trust("4.pb").roster;
    assert!(!roster.party(gy).unwrap().is_active());
    assert_eq!(roster.suspension(gy).unwrap().reason, "unreachable");
    table.fails(
        "party suspend GY --trust 4.pb --out 5.txt --reason again",
        EXIT_REFUSED,
        "is suspended already",
    );
    table.fails(
        "party revoke JM --kid 00000000 --trust 4.pb --out 5.txt --reason x",
        EXIT_NOT_FOUND,
        "begins with 00000000",
    );

    // What it signed before does not bring it back, though it would put the same keys in place.
    table.fails(
        "roster draft --trust 4.pb --add gy-2.txt --out x.txt",
        EXIT_REFUSED,
        "it would undo what came since",
    );
    // It comes back, at another address, with an entry that it signs itself and no new keys.
    let same = "party change --trust 4.pb --keys gy/new --out gy-5.txt";
    table.fails(same, EXIT_USAGE, "required");
    table.fails(
        &format!("{same} --name Guyana"),
        EXIT_USAGE,
        "nothing would change",
    );
    table.fails(
        "party change --trust 4.pb --keys gy/new --relay maybe --out gy-5.txt",
        EXIT_USAGE,
        "write yes or no",
    );
    // What no roster would take is said before anything is written.
    for (wrong, says) in [
        ("--address nonsense", "host:port"),
        ("--address a:99999", "host:port"),
        ("--witness ZZ", "ZZ cannot co-sign"),
        ("--witness GY", "GY cannot co-sign"),
    ] {
        table.fails(&format!("{same} {wrong}"), EXIT_USAGE, says);
    }
    assert!(!table.has("gy-5.txt"));
    let told = table.ok(&format!(
        "{same} --active --address abeng.gra.example:7464 --relay yes"
    ));
    assert!(told.contains("GY (Guyana) takes part again"), "{told}");
    assert!(told.contains("abeng.gra.example:7464"), "{told}");
    // By the keys that were revoked it would be nobody's word: neither made nor taken.
    table.fails(
        "party change --trust 4.pb --keys gy/keys --active --out x.txt",
        EXIT_REFUSED,
        "nobody would take what it signs",
    );
    table.ok("party change --trust 3.pb --keys gy/keys --relay yes --out gy-old.txt");
    table.fails(
        "roster draft --trust 4.pb --add gy-old.txt --out x.txt",
        EXIT_REFUSED,
        "it would undo what came since",
    );
    // A key in a token signs where the node's configuration names one, and else nothing does.
    let config = format!(
        "party = \"GY\"\n[trust]\nroot = \"sha256:{}\"\n[link]\nlisten = \"127.0.0.1:0\"\n[keys]\ninsecure_plain = true\n\
         [keys.token]\nmodule = \"/absent.so\"\ntoken = \"GY\"\nkey = \"org-sign\"\npin_file = \"/absent\"\n",
        table.pin()
    );
    fs::write(table.path("gy/node.toml"), &config).unwrap();
    fs::write(table.path("token.toml"), config).unwrap();
    let away = table.path("gy/node.toml.away");
    for of_token in [
        "party change --trust 4.pb --keys gy/new --active --out x.txt",
        "party rotate-keys --trust 4.pb --keys gy/new --new-keys gy/x --insecure-plain-keys --out x.txt",
        "party change --trust 4.pb --keys gy/new --config token.toml --active --out x.txt",
    ] {
        table.fails(of_token, EXIT_REFUSED, "the signing key cannot be had");
        if of_token.contains("rotate") {
            fs::rename(table.path("gy/node.toml"), &away).unwrap();
        }
    }
    assert!(!table.has("x.txt") && !table.has("gy/x"));
    table.ok("roster draft --trust 4.pb --add gy-5.txt --out 5.txt");
    table.sign_roster("5.txt", "4.pb", &["roster-1", "roster-2"]);
    table.publish("5.txt", "4.pb", "5.pb");
    let roster = table.trust("5.pb").roster;
    let back = roster.party(gy).unwrap();
    assert!(back.is_active() && back.relay);
    assert_eq!(back.addresses, ["abeng.gra.example:7464"]);
    assert_eq!(back.all_keys().len(), 8);

    // An older file is neither signed nor taken any more.
    table.fails(
        "roster sign 3.txt --key roster-1/roster --trust 4.pb --out x.txt --yes",
        EXIT_UNVERIFIED,
        "roster 3 does not follow roster 4",
    );
    table.fails(
        "roster publish 3.txt --trust 4.pb --out x.pb --yes",
        EXIT_REFUSED,
        "nothing in these files is newer",
    );
    assert!(!table.has("x.pb") && !table.has("x.txt"));
}

#[test]
fn a_lost_key_comes_back_by_the_roots_override_alone_and_waits() {
    let table = Table::founded();
    let args = "party recover TT --trust 1.pb --keys tt/new --out tt-lost.txt \
                --insecure-plain-keys --reason";
    let mut args: Vec<&str> = args.split_whitespace().collect();
    args.push("the machine burnt");
    let run = table.with(&args);
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert!(
        run.out.contains("need the signatures of 4 root holders"),
        "{run:#?}"
    );
    for n in [1, 2, 3] {
        let told = table.ok(&format!(
            "root sign tt-lost.txt --key root-{n}/root --trust 1.pb --root PIN --out tt-lost.txt --yes"
        ));
        assert!(
            told.contains("OVERRIDE. TT") && told.contains("the machine burnt"),
            "{told}"
        );
    }
    table.fails(
        "roster draft --trust 1.pb --add tt-lost.txt --out 2.txt",
        EXIT_UNVERIFIED,
        "3 distinct signers of root 1, which asks for 4",
    );
    let other = "0".repeat(64);
    table.fails(
        &format!("root sign tt-lost.txt --key root-6/root --trust 1.pb --root {other} --out tt-lost.txt --yes"),
        EXIT_UNVERIFIED,
        "sign nothing",
    );
    // Whoever brings the file brings no bundle of its own making along.
    table.fails(
        "root sign tt-lost.txt --key root-6/root --trust 1.pb --out tt-lost.txt --yes",
        EXIT_USAGE,
        "add --root HEX",
    );
    table.ok(
        "root sign tt-lost.txt --key root-6/root --trust 1.pb --root PIN --out tt-lost.txt --yes",
    );
    let told = table.ok("roster draft --trust 1.pb --add tt-lost.txt --out 2.txt");
    assert!(
        told.contains("! TT (Customs-TT): its keys are replaced by the root's override"),
        "{told}"
    );
    table.fails("roster diff 1.pb 2.txt", EXIT_UNVERIFIED, "override");
    let told = table.ok(
        "party revoke TT --replaced --trust 1.pb --from 2.txt --out 2.txt --force --reason lost",
    );
    assert!(told.contains("! The seal key"), "{told}");
    table.sign_roster("2.txt", "1.pb", &["roster-1", "roster-2"]);
    table.publish("2.txt tt-lost.txt", "1.pb", "2.pb");
    let told = table.ok("roster verify 2.pb");
    assert!(told.contains("override brought keys of TT"), "{told}");
    let trust = table.trust("2.pb");
    let tt = trust.roster.party(PartyCode::new("TT").unwrap()).unwrap();
    assert_eq!(
        tt.all_keys()
            .iter()
            .filter(|k| k.waits_until.is_some())
            .count(),
        4
    );
    assert_eq!(
        tt.all_keys()
            .iter()
            .filter(|k| k.revoked_at.is_some())
            .count(),
        4
    );
    // Without the override nobody replaces a key, also not who has the new keys and the roster's.
    let text = fs::read_to_string(table.path("tt-lost.txt")).unwrap();
    let Some(What::Override(m)) = armour::read(&text).unwrap().what else {
        panic!("no override");
    };
    let bare = v1::CeremonyFile {
        network: "carib".into(),
        what: m.request.map(What::Party),
    };
    fs::write(table.path("bare.txt"), armour::write(&bare)).unwrap();
    table.fails(
        "roster draft --trust 1.pb --add bare.txt --out x.txt",
        EXIT_UNVERIFIED,
        "changed without the signature of an earlier",
    );
}

#[test]
fn the_root_is_rotated_with_both_thresholds_and_the_freshness_renewed() {
    let table = Table::founded();
    table.ok(
        "root keygen --role root --network carib --holder Newcomer --country GY \
         --key root-8/root --out root-8.key --insecure-plain-keys",
    );
    let told = table.ok("root rotate --trust 1.pb root-8.key --remove Holder-root-4 --out r2.txt");
    assert!(
        told.contains("Root 2 of carib") && told.contains("Newcomer (GY)"),
        "{told}"
    );
    // The old threshold counts signers of root 1: the newcomer is none.
    for n in [1, 2, 3, 8] {
        table.ok(&format!(
            "root sign r2.txt --key root-{n}/root --trust 1.pb --root PIN --out r2.txt --yes"
        ));
    }
    table.fails(
        "roster publish r2.txt --trust 1.pb --out 2.pb --yes",
        EXIT_UNVERIFIED,
        "3 distinct signers of root 1, which asks for 4",
    );
    let told =
        table.ok("root sign r2.txt --key root-5/root --trust 1.pb --root PIN --out r2.txt --yes");
    assert!(
        told.contains("may sign root from now on: Newcomer"),
        "{told}"
    );
    let told = table.publish("r2.txt", "1.pb", "2.pb");
    assert!(
        told.contains("Root 2 comes without a roster under it"),
        "{told}"
    );
    // Whoever has left the root signs no more; a version is not left out.
    table.ok("root rotate --trust 2.pb --out r3.txt --days 100");
    table.fails(
        "root sign r3.txt --key root-4/root --trust 2.pb --root PIN --out r3.txt --yes",
        EXIT_REFUSED,
        "is none of root 2",
    );
    table.fails(
        "root sign r3.txt --key root-1/root --trust 1.pb --root PIN --out r3.txt --yes",
        EXIT_REFUSED,
        "does not follow root 1",
    );
    // A roster goes under the new root.
    table.ok("roster draft --trust 2.pb --out 2.txt");
    table.sign_roster("2.txt", "2.pb", &["roster-1", "roster-2"]);
    table.publish("2.txt", "2.pb", "3.pb");

    table.fails(
        "freshness renew --trust 3.pb --key roster-1/roster --out f.txt --yes",
        EXIT_REFUSED,
        "freshness key",
    );
    table.fails(
        "freshness renew --trust 3.pb --key freshness-2/freshness --out f.txt",
        EXIT_USAGE,
        "Is it the newest?",
    );
    table.ok("freshness renew --trust 3.pb --key freshness-2/freshness --out f.txt --yes");
    table.publish("f.txt", "3.pb", "4.pb");
    assert!(table.trust("4.pb").freshness.is_some());
    table.fails(
        "roster publish f.txt --trust 2.pb --out x.pb --yes",
        EXIT_REFUSED,
        "nothing in these files is newer",
    );
}

#[test]
fn two_rosters_of_one_version_are_not_published_until_a_root_names_both() {
    let table = Table::founded();
    for (file, days) in [("a.txt", 100), ("b.txt", 200)] {
        table.ok(&format!(
            "roster draft --trust 1.pb --days {days} --out {file}"
        ));
        table.sign_roster(file, "1.pb", &["roster-1", "roster-2"]);
    }
    table.publish("a.txt", "1.pb", "a.pb");
    table.publish("b.txt", "1.pb", "b.pb");
    table.fails(
        "roster diff a.pb b.pb",
        EXIT_UNVERIFIED,
        "TWO DIFFERENT ROSTERS of version 2",
    );
    table.fails(
        "roster publish b.txt --trust a.pb --out x.pb --yes",
        EXIT_UNVERIFIED,
        "somebody signed both",
    );
    // What a node holds that has seen both.
    let other = v1::TrustBundle {
        rosters: vec![table.roster_file("b.txt")],
        ..Default::default()
    };
    let seen = table.trust("a.pb").merge(&other, now()).unwrap().unwrap();
    fs::write(table.path("node.pb"), abeng_wire::encode(&seen.to_bundle())).unwrap();
    table.fails(
        "roster verify node.pb",
        EXIT_UNVERIFIED,
        "somebody signed both",
    );
    table.ok("root rotate --trust node.pb --settle --out r2.txt");
    for n in [1, 2, 3, 4] {
        table.ok(&format!(
            "root sign r2.txt --key root-{n}/root --trust node.pb --root PIN --out r2.txt --yes"
        ));
    }
    table.publish("r2.txt", "node.pb", "2.pb");
    table.ok("roster verify 2.pb");
    table.fails(
        "root rotate --trust 1.pb --settle --out x.txt",
        EXIT_USAGE,
        "holds no equivocation",
    );
}

#[test]
fn what_has_expired_was_damaged_or_is_something_else_is_refused() {
    let table = Table::founded();
    let long_ago = now() - 900 * 24 * 60 * 60 * 1000;
    let party = |code: &str| founding::FoundingParty {
        code: PartyCode::new(code).unwrap(),
        name: code.into(),
        country: code.into(),
        kind: v1::PartyKind::Member,
        addresses: vec!["192.0.2.7:7464".into()],
        relay: false,
    };
    let parties = vec![party("JM"), party("TT")];
    let network = NetworkCode::new("carib").unwrap();
    let request = founding::FoundingRequest::new(network, parties, long_ago);
    let old = founding::found(request, &mut SystemEntropy).unwrap();
    fs::write(table.path("old.pb"), abeng_wire::encode(&old.bundle)).unwrap();
    table.fails("roster verify old.pb", EXIT_UNVERIFIED, "roster 1 expired");

    // A root whose time is over is not signed.
    let root = v1::Root {
        expires: long_ago,
        ..prost::Message::decode(old.bundle.roots[0].bytes.clone()).unwrap()
    };
    let signers: Vec<&DualSigner> = old.root_signers.iter().take(2).collect();
    let file = v1::CeremonyFile {
        network: "carib".into(),
        what: Some(What::Root(ceremony::sign_root(&root, &signers).unwrap())),
    };
    fs::write(table.path("late.txt"), armour::write(&file)).unwrap();
    table.fails(
        "root sign late.txt --key root-1/root --out x.txt --yes",
        EXIT_UNVERIFIED,
        "root 1 expired",
    );

    let text = fs::read_to_string(table.path("jm.txt")).unwrap();
    let line = text.lines().nth(3).unwrap();
    fs::write(table.path("cut.txt"), text.replace(line, "")).unwrap();
    table.fails(
        "roster draft --under root.txt --add cut.txt --out x.txt",
        EXIT_UNVERIFIED,
        "cut or changed on its way",
    );
    table.fails("roster verify jm.txt", EXIT_USAGE, "is a ceremony file");
    table.fails(
        "roster draft --under root.txt --add root-1.key --out x.txt",
        EXIT_USAGE,
        "no request of a party",
    );
    table.fails("roster show 1.pb --policy extra", EXIT_USAGE, "unexpected");
    // What is shown as the policy is taken as the policy.
    let policy = table.ok("roster show 1.pb --policy");
    let narrower = policy.replace("tlp = \"RED\"", "tlp = \"GREEN\"");
    assert_ne!(policy, narrower);
    fs::write(table.path("policy.toml"), narrower).unwrap();
    let told = table.ok("roster draft --trust 1.pb --policy policy.toml --out narrow.txt");
    assert!(told.contains("JM may read less from LC, TT."), "{told}");
    table.ok("roster diff 1.pb narrow.txt");
}

#[test]
fn a_holders_key_rests_under_a_passphrase_that_no_argument_holds() {
    let table = Table::founded();
    fs::write(table.path("pass"), "correct horse\n").unwrap();
    fs::set_permissions(table.path("pass"), PermissionsExt::from_mode(0o644)).unwrap();
    let make = "root keygen --role roster --network carib --holder X --country JM \
                --key x/roster --out x.key";
    table.fails(make, EXIT_USAGE, "--passphrase-file FILE");
    let with = format!("{make} --passphrase-file pass");
    table.fails(&with, EXIT_USAGE, "others could read it");
    fs::set_permissions(table.path("pass"), PermissionsExt::from_mode(0o600)).unwrap();
    table.ok(&with);
    let secret = fs::read(table.path("x/roster.age")).unwrap();
    assert!(secret.starts_with(b"age-encryption.org/v1"));
    table.ok("roster draft --trust 1.pb --out 2.txt");
    let sign = "roster sign 2.txt --key x/roster --trust 1.pb --out x.txt --yes";
    table.fails(sign, EXIT_USAGE, "nobody to ask");
    let with = format!("{sign} --passphrase-file pass");
    table.fails(
        &with,
        EXIT_REFUSED,
        "is none of the roster's signers of root 1",
    );
}

/// A node's process, killed when the test is over.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_node_starts_with_the_keys_and_the_bundle_that_ceremonies_made() {
    let table = Table::founded();
    let root = table.trust("1.pb").root.digest();
    let config = format!(
        "party = \"JM\"\n[trust]\nroot = \"sha256:{root}\"\n[link]\nlisten = \"127.0.0.1:0\"\n\
         [keys]\ninsecure_plain = true\n"
    );
    fs::write(table.path("jm.toml"), config).unwrap();
    table.ok(
        "restore --keys jm/keys --trust 1.pb --config jm.toml --data jm-node --reason founded --yes",
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_abeng"));
    command.args(["node", "run", "--config"]);
    command.arg(table.path("jm-node/node.toml"));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut node = Running(command.stderr(Stdio::null()).spawn().unwrap());
    // Far more than it takes: build machines are slow.
    for _ in 0..1200 {
        let status = table.run("--json status --data jm-node");
        if status.code == Some(0) {
            let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
            assert_eq!(status["party"], "JM", "{status}");
            return;
        }
        assert!(node.0.try_wait().unwrap().is_none(), "{status:?}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("the node does not answer");
}

#[test]
fn a_trial_network_holds_ceremonies_with_the_keys_that_its_founding_left() {
    let table = Table(tempfile::tempdir().unwrap());
    table.ok(&format!(
        "network init net --party JM:coordination --party TT {PLAIN}"
    ));
    let trust = "net/jm/trust/bundle.pb";
    table.ok(&format!("roster draft --trust {trust} --out 2.txt"));
    let keys = ["net/root-keys/roster-1", "net/root-keys/roster-3"];
    for key in keys {
        table.ok(&format!(
            "roster sign 2.txt --key {key} --trust {trust} --out 2.txt --yes"
        ));
    }
    table.publish("2.txt", trust, "2.pb");
    assert_eq!(table.trust("2.pb").roster.version(), 2);
}
