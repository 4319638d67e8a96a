//! A table at which a network's holders sit: each with a directory of its own, through the real command.

use abeng_roster::{Trust, armour};
use abeng_wire::{v1, v1::ceremony_file::What};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::{SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;

pub(crate) const PLAIN: &str = "--insecure-plain-keys";
pub(crate) const EXIT_USAGE: i32 = 2;
pub(crate) const EXIT_REFUSED: i32 = 3;
pub(crate) const EXIT_NOT_FOUND: i32 = 5;
pub(crate) const EXIT_UNVERIFIED: i32 = 6;

/// A directory in which everybody's directories lie.
pub(crate) struct Table(pub(crate) TempDir);

#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Table {
    /// With the files of a network of JM, LC and TT, founded once for all tests.
    pub(crate) fn founded() -> Self {
        static FOUNDED: OnceLock<Table> = OnceLock::new();
        let founded = FOUNDED.get_or_init(found);
        let table = Self(tempfile::tempdir().unwrap());
        copy(founded.0.path(), table.0.path());
        table
    }

    /// `PIN` in the arguments stands for the digest of the first root.
    pub(crate) fn run(&self, args: &str) -> Run {
        let pin = match args.contains("PIN") {
            true => self.pin(),
            false => String::new(),
        };
        let args = args.split_whitespace();
        let args = args.map(|a| if a == "PIN" { &pin } else { a });
        self.with(&args.collect::<Vec<_>>())
    }

    pub(crate) fn pin(&self) -> String {
        let text = fs::read_to_string(self.path("root.txt")).unwrap();
        match armour::read(&text).unwrap().what {
            Some(What::Root(signed)) => abeng_roster::digest(&signed.bytes).to_string(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn with(&self, args: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_abeng"));
        command.args(args).current_dir(self.0.path());
        command.env("LANG", "C").env_remove("LC_ALL");
        let output = command.stdin(Stdio::null()).output().unwrap();
        Run {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn ok(&self, args: &str) -> String {
        let run = self.run(args);
        assert_eq!(run.code, Some(0), "{args}: {run:#?}");
        run.out + &run.err
    }

    #[track_caller]
    pub(crate) fn fails(&self, args: &str, code: i32, says: &str) {
        let run = self.run(args);
        assert_eq!(run.code, Some(code), "{args}: {run:#?}");
        let told = format!("{}{}", run.out, run.err);
        assert!(told.contains(says), "{args}: not said: {says}\n{run:#?}");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    pub(crate) fn trust(&self, name: &str) -> Trust {
        let bytes = fs::read(self.path(name)).unwrap();
        let bundle = abeng_wire::decode("bundle", &bytes.into(), 1 << 23).unwrap();
        Trust::from_bundle(&bundle, None, now()).unwrap()
    }

    pub(crate) fn roster_file(&self, name: &str) -> v1::Signed {
        let text = fs::read_to_string(self.path(name)).unwrap();
        match armour::read(&text).unwrap().what {
            Some(What::Roster(signed)) => signed,
            other => panic!("{other:?}"),
        }
    }

    /// Signs with each of the roster's holders named, one after the other in the same file.
    #[track_caller]
    pub(crate) fn sign_roster(&self, file: &str, trust: &str, holders: &[&str]) {
        for key in holders {
            self.ok(&format!(
                "roster sign {file} --key {key}/roster --trust {trust} --out {file} --yes"
            ));
        }
    }

    #[track_caller]
    pub(crate) fn publish(&self, files: &str, trust: &str, out: &str) -> String {
        self.ok(&format!(
            "roster publish {files} --trust {trust} --out {out} --yes"
        ))
    }
}

pub(crate) fn now() -> u64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(passed.as_millis()).unwrap()
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

fn found() -> Table {
    let table = Table(tempfile::tempdir().unwrap());
    let mut files = String::new();
    for (role, count) in [("root", 7), ("roster", 3), ("freshness", 3)] {
        for n in 1..=count {
            let file = format!("{role}-{n}.key");
            let country = ["JM", "LC", "TT", "GY", "BB", "DM", "SR"][n - 1];
            table.ok(&format!(
                "root keygen --role {role} --network carib --holder Holder-{role}-{n} \
                 --country {country} --key {role}-{n}/{role} --out {file} {PLAIN}"
            ));
            files.push_str(&format!(" {file}"));
        }
    }
    table.ok(&format!("root new --network carib --out root.txt{files}"));
    // Two sign one file in turn, two sign copies of their own, and the Secretariat puts them together.
    for n in [1, 2] {
        table.ok(&format!(
            "root sign root.txt --key root-{n}/root --out root.txt --yes"
        ));
    }
    for n in [5, 7] {
        table.ok(&format!(
            "root sign root.txt --key root-{n}/root --out copy-{n}.txt --yes"
        ));
    }
    table.ok("root sign root.txt copy-5.txt copy-7.txt --out root.txt");
    let mut add = String::new();
    for (code, kind) in [("JM", "member"), ("LC", "coordination"), ("TT", "member")] {
        let low = code.to_lowercase();
        let others: Vec<_> = ["JM", "LC", "TT"]
            .into_iter()
            .filter(|o| *o != code)
            .collect();
        table.ok(&format!(
            "party enrol {code} --network carib --name Customs-{code} --kind {kind} \
             --address {low}.example.org:7464 --witness {} --witness {} \
             --keys {low}/keys --out {low}.txt {PLAIN}",
            others[0], others[1]
        ));
        add.push_str(&format!(" --add {low}.txt"));
    }
    table.ok(&format!(
        "roster draft --under root.txt --out roster-1.txt{add}"
    ));
    for n in [1, 3] {
        table.ok(&format!(
            "roster sign roster-1.txt --under root.txt --key roster-{n}/roster \
             --out roster-1.txt --yes"
        ));
    }
    table.ok("roster publish root.txt roster-1.txt jm.txt lc.txt tt.txt --out 1.pb --yes");
    table
}
