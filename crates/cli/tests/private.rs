//! A running daemon keeps its secrets to itself: no core dumps, nothing in its arguments, environment
//! or log.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use abeng_keys::{Keyring, Passphrase, Protection};
use data_encoding::{BASE64, HEXLOWER};
use std::{
    convert::Infallible,
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const PASSPHRASE: &str = "correct horse battery staple 4711";

/// Ended with the test, however that ends.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn proc_file(pid: u32, name: &str) -> String {
    let bytes = fs::read(format!("/proc/{pid}/{name}")).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Everything that must show nowhere, in the ways in which it could.
fn secrets(home: &Path) -> Vec<String> {
    let keys = Keyring::load(&home.join("keys"), || {
        Ok::<_, Infallible>(Passphrase::new(PASSPHRASE.to_owned()))
    });
    let keys = keys.unwrap();
    let seal = keys.seal.newest().unwrap();
    let seeds = [
        keys.org_sign().seed(),
        keys.node_tls().seed(),
        keys.log().seed(),
        keys.witness().seed(),
        keys.store.expose(),
        seal.seed(),
    ];
    let shown = seeds.iter().flat_map(|seed| {
        let list = format!("{:?}", &seed[..8]);
        let list = list.trim_matches(['[', ']']).to_owned();
        [
            HEXLOWER.encode(&seed[..12]),
            BASE64.encode(&seed[..12]),
            list,
        ]
    });
    shown.chain([PASSPHRASE.to_owned()]).collect()
}

/// Puts the keys under the passphrase, with less work than a person would wait for.
fn encrypt(dir: &Path) {
    let keys = Keyring::load(dir, || Err("they are in the clear")).unwrap();
    fs::remove_file(dir.join("keyring.plain.toml")).unwrap();
    let passphrase = Passphrase::new(PASSPHRASE.to_owned()).with_work_factor(4);
    keys.save(dir, &Protection::Passphrase(passphrase)).unwrap();
}

#[test]
fn a_daemon_shows_no_secret_and_leaves_no_core() {
    let temp = tempfile::tempdir().unwrap();
    let net = temp.path().join("net");
    let file = temp.path().join("passphrase");
    fs::write(&file, PASSPHRASE).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let founded = Command::new(env!("CARGO_BIN_EXE_abeng"))
        .args(["network", "init"])
        .arg(&net)
        .args([
            "--name",
            "trial",
            "--party",
            "JM",
            "--party",
            "LC:coordination",
        ])
        .arg("--insecure-plain-keys")
        .output()
        .unwrap();
    assert!(founded.status.success(), "{founded:?}");
    let home = net.join("jm");
    let toml = home.join("node.toml");
    let text = fs::read_to_string(&toml).unwrap() + "\n[log]\nfilter = \"trace\"\n";
    let passphrase = format!("passphrase_file = {:?}", file.display().to_string());
    fs::write(&toml, text.replace("insecure_plain = true", &passphrase)).unwrap();
    encrypt(&home.join("keys"));

    let log = temp.path().join("log");
    let out = File::create(&log).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_abengd"))
        .arg("--config")
        .arg(&toml)
        .stdin(Stdio::null())
        .stdout(out.try_clone().unwrap())
        .stderr(out)
        .spawn()
        .unwrap();
    let mut daemon = Daemon(child);
    let pid = daemon.0.id();
    let end = Instant::now() + Duration::from_secs(60);
    while !home.join("abeng.sock").exists() {
        assert_eq!(
            daemon.0.try_wait().unwrap(),
            None,
            "{}",
            fs::read_to_string(&log).unwrap()
        );
        assert!(Instant::now() < end, "it does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    let limits = proc_file(pid, "limits");
    let core = limits.lines().find(|l| l.starts_with("Max core file size"));
    let words: Vec<_> = core.unwrap().split_whitespace().skip(4).take(2).collect();
    assert_eq!(words, ["0", "0"], "{limits}");

    let shown = [
        proc_file(pid, "cmdline"),
        proc_file(pid, "environ"),
        fs::read_to_string(&log).unwrap(),
        String::from_utf8_lossy(&founded.stdout).into_owned(),
        String::from_utf8_lossy(&founded.stderr).into_owned(),
    ];
    assert!(shown[2].contains("abeng_node"), "it logs: {}", shown[2]);
    for secret in secrets(&home) {
        for text in &shown {
            assert!(!text.contains(&secret), "a secret shows");
        }
    }
}
