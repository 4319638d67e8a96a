//! `abeng keys` from end to end, with the files of a founded network and no node.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::Value;
use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

fn abeng(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_abeng"))
        .args(arguments)
        .env("LANG", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it has read all.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

/// Part A of a sheet, as somebody would type it.
fn part_a(sheet: &Path) -> String {
    let text = fs::read_to_string(sheet).unwrap();
    let lines = text
        .lines()
        .filter(|l| l.trim_start().starts_with(|c: char| c.is_ascii_digit()));
    lines
        .take(4)
        .map(|l| format!("{}\n", l.to_lowercase()))
        .collect()
}

#[test]
fn keys_go_onto_paper_and_come_back_when_all_else_is_lost() {
    let temp = tempfile::tempdir().unwrap();
    let at = |name: &str| temp.path().join(name).to_string_lossy().into_owned();
    fs::write(temp.path().join("new"), "another passphrase\n").unwrap();
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(temp.path().join("new"), private).unwrap();
    let founded = abeng(
        &[
            "network",
            "init",
            &at("net"),
            "--name",
            "trial",
            "--party",
            "JM",
            "--party",
            "LC:coordination",
            "--insecure-plain-keys",
        ],
        "",
    );
    assert!(founded.status.success(), "{founded:?}");
    let (data, sheets, kept) = (at("net/jm"), at("sheets"), at("kept"));

    // What cannot be leaves no directory in the way of what can.
    let wrong = ["keys", "split", "--shares", "3", "--threshold", "4"];
    let wrong = abeng(
        &[&wrong[..], &["--data", &data, "--out", &sheets, "--json"]].concat(),
        "",
    );
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    let made = abeng(
        &[
            "keys",
            "split",
            "--shares",
            "3",
            "--threshold",
            "2",
            "--data",
            &data,
            "--out",
            &sheets,
            "--json",
        ],
        "",
    );
    let made = json(&made);
    assert_eq!((&made["party"], &made["shares"]), (&"JM".into(), &3.into()));
    let sheet = |n: usize| temp.path().join(format!("sheets/share-{n}.txt"));
    let mode = fs::metadata(sheet(1)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let backup = ["keys", "backup", "--out", &kept, "--data", &data, "--json"];
    let refused = abeng(&backup, "");
    assert_eq!(refused.status.code(), Some(3), "keys in the clear");
    let kept_there = json(&abeng(
        &[&backup[..], &["--include-plain-keys"]].concat(),
        "",
    ));
    assert_eq!(kept_there["set"], made["set"]);
    a_directory_of_others_takes_no_backup(&data, &at("net/lc"), &kept, temp.path());
    a_set_whose_sheets_cannot_be_written_replaces_none(&data);
    let listed = json(&abeng(&["keys", "list", "--data", &data, "--json"], ""));
    let keys = listed["keys"].as_array().unwrap();
    let roles: Vec<_> = keys.iter().map(|k| k["role"].as_str().unwrap()).collect();
    assert_eq!(
        roles,
        [
            "org-sign", "node-tls", "log", "witness", "org-seal", "store", "backup"
        ]
    );
    assert!(
        keys.iter()
            .all(|k| k["note"].is_null() || k["note"] == "others seal to it now")
    );

    // The machine is gone. One sheet is typed, one is a file.
    let back = abeng(
        &[
            "keys",
            "combine",
            "--sealed",
            &kept,
            "--out",
            &at("back"),
            "--passphrase-file",
            &at("new"),
            "--share",
            &sheet(3).to_string_lossy(),
            "--json",
        ],
        &part_a(&sheet(1)),
    );
    assert_eq!(json(&back)["party"], "JM");

    // Nor is a file left: sheets alone.
    let paper = abeng(
        &[
            "keys",
            "combine",
            "--paper",
            "--out",
            &at("paper"),
            "--passphrase-file",
            &at("new"),
            "--share",
            &sheet(1).to_string_lossy(),
            "--share",
            &sheet(2).to_string_lossy(),
            "--json",
        ],
        "",
    );
    assert_eq!(json(&paper)["seal_keys"], 1);
    same_keys(&at("paper"), &data, temp.path());

    let few = abeng(
        &[
            "keys",
            "combine",
            "--sealed",
            &kept,
            "--out",
            &at("few"),
            "--share",
            &sheet(1).to_string_lossy(),
        ],
        "",
    );
    assert_eq!(few.status.code(), Some(2), "{few:?}");
    assert!(!Path::new(&at("few")).exists());
    let over = ["keys", "combine", "--sealed", &kept, "--out", &at("back")];
    assert_eq!(
        abeng(&over, "").status.code(),
        Some(3),
        "keys are never written over"
    );
}

fn a_set_whose_sheets_cannot_be_written_replaces_none(data: &str) {
    let keys = Path::new(data).join("keys");
    let set =
        || ["keyring.sealed", "backup-key.toml"].map(|name| fs::read(keys.join(name)).unwrap());
    let (before, files) = (set(), fs::read_dir(&keys).unwrap().count());
    let arguments = "keys split --shares 3 --threshold 2 --yes --data";
    let full = Command::new(env!("CARGO_BIN_EXE_abeng"))
        .args(arguments.split_whitespace().chain([data]))
        .stdout(
            fs::OpenOptions::new()
                .write(true)
                .open("/dev/full")
                .unwrap(),
        )
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&full.stderr);
    assert!(!full.status.success() && said.contains("sheets"), "{said}");
    assert!(
        set() == before,
        "the set whose sheets are in safes is in force"
    );
    assert_eq!(fs::read_dir(&keys).unwrap().count(), files);
}

/// The keyring that came back is that of the node.
fn same_keys(back: &str, data: &str, temp: &Path) {
    let node = temp.join("as-before");
    fs::create_dir_all(node.join("trust")).unwrap();
    fs::copy(
        Path::new(data).join("trust/bundle.pb"),
        node.join("trust/bundle.pb"),
    )
    .unwrap();
    let toml = fs::read_to_string(Path::new(data).join("node.toml")).unwrap();
    let passphrase = temp.join("new");
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    let keys = format!("passphrase_file = {:?}", passphrase.to_string_lossy());
    fs::write(
        node.join("node.toml"),
        toml.replace("insecure_plain = true", &keys),
    )
    .unwrap();
    fs::create_dir_all(node.join("keys")).unwrap();
    fs::copy(
        Path::new(back).join("keyring.age"),
        node.join("keys/keyring.age"),
    )
    .unwrap();
    let listed = json(&abeng(
        &["keys", "list", "--data", &node.to_string_lossy(), "--json"],
        "",
    ));
    assert_eq!(listed["unlocked"], true, "{listed}");
    let strange = listed["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|k| !k["note"].is_null() && k["note"] != "others seal to it now");
    assert_eq!(strange, None);
}

/// Only a new directory, or the backup of the same keys, takes one.
fn a_directory_of_others_takes_no_backup(data: &str, other: &str, kept: &str, temp: &Path) {
    let backup = |data: &str, out: &str| {
        let arguments = [
            "keys",
            "backup",
            "--include-plain-keys",
            "--data",
            data,
            "--out",
            out,
        ];
        abeng(&arguments, "")
    };
    let refused = |out: &Output, said: &str| {
        let told = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(3), "{told}");
        assert!(told.contains(said), "{told}");
    };
    assert!(backup(data, kept).status.success(), "again");
    let foreign = backup(other, kept);
    refused(&foreign, "it holds those of JM");
    let stick = temp.join("stick");
    fs::create_dir_all(&stick).unwrap();
    fs::write(stick.join("holiday.jpg"), "x").unwrap();
    refused(
        &backup(data, &stick.to_string_lossy()),
        "holiday.jpg lies in it",
    );
    assert_eq!(
        fs::read_dir(&stick).unwrap().count(),
        1,
        "nothing was written"
    );
    let within = stick.join("keys-JM");
    assert!(backup(data, &within.to_string_lossy()).status.success());
}

#[test]
fn a_passphrase_file_that_others_can_read_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let passphrase = temp.path().join("passphrase");
    fs::write(&passphrase, "a passphrase\n").unwrap();
    let net = temp.path().join("net");
    let init = || {
        let (net, passphrase) = (net.to_string_lossy(), passphrase.to_string_lossy());
        let arguments = [
            "network",
            "init",
            &*net,
            "--party",
            "JM",
            "--party",
            "TT",
            "--passphrase-file",
            &*passphrase,
        ];
        abeng(&arguments, "")
    };
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = init();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("mode 0644"), "{told}");
    assert!(!net.exists());
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(init().status.success());
    a_check_of_the_configuration_sees_it(&net.join("jm/node.toml"), &passphrase);
}

/// As a start does, which would find it out first otherwise.
fn a_check_of_the_configuration_sees_it(config: &Path, passphrase: &Path) {
    let check = || {
        let mut abengd = Command::new(env!("CARGO_BIN_EXE_abengd"));
        abengd.args(["--check-config", "--config"]).arg(config);
        let checked = abengd.stdin(Stdio::null()).output().unwrap();
        let told = String::from_utf8(checked.stderr).unwrap();
        (checked.status.code(), told)
    };
    assert_eq!(check(), (Some(0), String::new()));
    fs::set_permissions(passphrase, fs::Permissions::from_mode(0o640)).unwrap();
    let (exit, told) = check();
    assert_eq!(exit, Some(2), "{told}");
    assert!(told.contains("mode 0640: others could read it"), "{told}");
    let file = passphrase.canonicalize().unwrap();
    let chmod = format!("try: `chmod 600 {}`, and choose another", file.display());
    assert!(told.contains(&chmod), "{told}");
    fs::remove_file(passphrase).unwrap();
    let (exit, told) = check();
    assert_eq!(exit, Some(0), "{told}");
    assert!(
        told.contains("warning: ") && told.contains("is not there"),
        "{told}"
    );
}

/// `abeng restore` ends as ceremonies do for the same mistakes, with and without `--json`.
#[test]
fn a_restore_says_by_its_exit_code_whose_mistake_it_was() {
    let temp = tempfile::tempdir().unwrap();
    let at = |name: &str| temp.path().join(name).to_string_lossy().into_owned();
    let passphrase = temp.path().join("passphrase");
    let mode = |bits| fs::set_permissions(&passphrase, fs::Permissions::from_mode(bits)).unwrap();
    fs::write(&passphrase, "a passphrase\n").unwrap();
    mode(0o600);
    let file = at("passphrase");
    let net = at("net");
    let init = "network init --party JM --party TT --passphrase-file";
    let init: Vec<&str> = init.split(' ').chain([&*file, &*net]).collect();
    assert!(abeng(&init, "").status.success());
    let (keys, trust) = (at("net/jm/keys"), at("net/jm/trust/bundle.pb"));
    let restore = |keys: &str, trust: &str| {
        let config = at("net/jm/node.toml");
        let (new, end) = (at("new"), "--reason lost --yes --json");
        let arguments = [
            "restore", "--keys", keys, "--trust", trust, "--config", &config, "--data", &new,
        ];
        let end: Vec<&str> = end.split(' ').collect();
        let ended = abeng(&[&arguments[..], &end].concat(), "");
        assert!(!Path::new(&new).exists());
        let said = json(&ended);
        let text = |name: &str| said["error"][name].as_str().unwrap().to_owned();
        (ended.status.code().unwrap(), text("code"), text("message"))
    };
    let ends = |(exit, code, message): (i32, String, String), wanted: (i32, &str), part: &str| {
        assert_eq!((exit, &*code), wanted, "{message}");
        assert!(message.contains(part), "{message}");
    };
    fs::write(temp.path().join("rubbish"), b"\xff\xff").unwrap();
    ends(restore(&keys, &at("absent")), (2, "usage"), "absent");
    let rubbish = restore(&keys, &at("rubbish"));
    ends(rubbish, (2, "usage"), "it is no trust bundle");
    ends(
        restore(&at("absent"), &trust),
        (5, "not_found"),
        "no keys found",
    );
    let other = restore(&at("net/tt/keys"), &trust);
    ends(other, (3, "refused"), "these are the keys of TT");
    mode(0o640);
    ends(restore(&keys, &trust), (2, "usage"), "mode 0640");
    mode(0o600);
    fs::write(&passphrase, "another\n").unwrap();
    let wrong = restore(&keys, &trust);
    ends(wrong, (3, "refused"), "does not open");

    // What is refused makes nothing; a directory that is no node's is called that.
    let (data, within) = (at("net/jm"), at("net/jm/a/b"));
    for command in [&["backup"][..], &["keys", "backup"]] {
        let inside = [command, &["--data", &data, "--out", &within]].concat();
        assert_eq!(abeng(&inside, "").status.code(), Some(3));
        assert!(!temp.path().join("net/jm/a").exists(), "{command:?}");
    }
    let mistyped = abeng(&["keys", "list", "--data", &at("nett")], "");
    let told = String::from_utf8_lossy(&mistyped.stderr);
    assert_eq!(mistyped.status.code(), Some(2), "{told}");
    assert!(told.contains("there is no node.toml in"), "{told}");
}

/// What another user owns is called that. Nothing is closed to root, which is not asked then.
#[test]
fn what_this_user_may_not_read_is_called_that() {
    let temp = tempfile::tempdir().unwrap();
    let closed = temp.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read_dir(&closed).is_ok() {
        return;
    }
    let (dir, new) = (closed.to_string_lossy(), temp.path().join("new"));
    let new = new.to_string_lossy();
    for command in [
        &["restore", "--from", &dir, "--data", &new, "--yes"][..],
        &["keys", "list", "--data", &dir],
        &["backup", "--data", &dir, "--out", &new],
    ] {
        let told = abeng(command, "");
        let told = String::from_utf8_lossy(&told.stderr);
        assert!(told.contains("run it as the node's user"), "{told}");
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
}
