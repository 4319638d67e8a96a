//! Plants each bug of the list in a copy of the tree and demands that it is caught, in the words
//! that are expected. Ends with 1 where one is not.

use abeng_planted::{Bug, CaughtBy, bugs};
use clap::Parser;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Output},
    time::Instant,
};

/// Plants bugs, one at a time, and sees who catches them.
#[derive(Debug, Parser)]
struct Args {
    /// Only these bugs.
    names: Vec<String>,
    /// Says what each is and ends.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// How many were not caught.
fn run(args: &Args) -> io::Result<usize> {
    let mut bugs = bugs().map_err(|e| io::Error::other(e.0))?;
    if !args.names.is_empty() {
        bugs.retain(|bug| args.names.contains(&bug.name));
    }
    if args.list {
        for bug in &bugs {
            println!("{:<30} {:<4} {}", bug.name, bug.invariant, bug.what);
        }
        return Ok(0);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()?;
    let place = Place::new(&root)?;
    place.sound()?;
    let mut missed = 0;
    for bug in &bugs {
        let begun = Instant::now();
        let caught = place.try_one(bug)?;
        let seconds = begun.elapsed().as_secs();
        match caught {
            Some(words) => println!(
                "{:<30} {:<4} {seconds:>4} s  {words}",
                bug.name, bug.invariant
            ),
            None => {
                missed += 1;
                println!(
                    "{:<30} {:<4} {seconds:>4} s  NOT CAUGHT",
                    bug.name, bug.invariant
                );
            }
        }
    }
    println!(
        "{} of {} planted bugs caught",
        bugs.len() - missed,
        bugs.len()
    );
    Ok(missed)
}

/// The copy of the tree, and where it is built. What it links, programs above all, comes nowhere
/// near the real ones; what is only compiled lies beside theirs, so that no dependency is compiled
/// a second time. Crates of another path have other names there.
struct Place {
    tree: PathBuf,
    build: PathBuf,
    shared: PathBuf,
}

impl Place {
    /// Copies what has changed since the last time.
    fn new(root: &Path) -> io::Result<Self> {
        let place = Self {
            tree: root.join("target/planted/tree"),
            build: root.join("target/planted/build"),
            shared: root.join("target"),
        };
        let listed = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(root)
            .output()?;
        let names = String::from_utf8_lossy(&listed.stdout).into_owned();
        let names: BTreeSet<&str> = names.split('\0').filter(|name| !name.is_empty()).collect();
        if names.is_empty() {
            return Err(io::Error::other("git lists no files: run this in a clone"));
        }
        sweep(&place.tree, &place.tree, &names)?;
        for name in names {
            let Ok(content) = fs::read(root.join(name)) else {
                continue;
            };
            let copy = place.tree.join(name);
            if fs::read(&copy).ok().as_ref() != Some(&content) {
                fs::create_dir_all(copy.parent().unwrap_or(&place.tree))?;
                fs::write(&copy, content)?;
            }
        }
        Ok(place)
    }

    /// Without a bug nothing is found.
    fn sound(&self) -> io::Result<()> {
        let seeds = CaughtBy::Sim {
            scenario: "all".to_owned(),
            seeds: 14,
        };
        let output = self.watch(&seeds)?;
        match output.status.success() {
            true => Ok(()),
            false => Err(io::Error::other(format!(
                "the tree fails without any bug:\n{}",
                words(&output)
            ))),
        }
    }

    /// Plants one bug and gives the line that caught it.
    fn try_one(&self, bug: &Bug) -> io::Result<Option<String>> {
        let path = self.tree.join(&bug.file);
        let before = fs::read_to_string(&path)?;
        fs::write(&path, bug.plant(&self.tree)?)?;
        let output = self.watch(&bug.caught_by);
        fs::write(&path, before)?;
        let output = output?;
        let said = words(&output);
        if said.contains("could not compile") {
            return Err(io::Error::other(format!(
                "`{}` does not compile:\n{said}",
                bug.name
            )));
        }
        let is_one = |line: &&str| bug.verdict.iter().any(|verdict| line.contains(verdict));
        let line = said.lines().find(is_one).map(|line| {
            let short: String = line.trim().chars().take(110).collect();
            short
        });
        if output.status.success() || line.is_none() {
            eprintln!("{}: the last words were:", bug.name);
            let last: Vec<&str> = said.lines().rev().take(12).collect();
            last.iter().rev().for_each(|line| eprintln!("    {line}"));
            return Ok(None);
        }
        Ok(line)
    }

    fn watch(&self, by: &CaughtBy) -> io::Result<Output> {
        let mut cargo = Command::new("cargo");
        cargo
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.build)
            .env("CARGO_BUILD_BUILD_DIR", &self.shared)
            .env("CARGO_INCREMENTAL", "1")
            .env("CARGO_TERM_COLOR", "never");
        match by {
            CaughtBy::Sim { scenario, seeds } => {
                cargo.args([
                    "run",
                    "--locked",
                    "-q",
                    "--bin",
                    "abeng-sim",
                    "--",
                    "--fail-fast",
                ]);
                cargo.args(["--scenario", scenario, "--seeds", &seeds.to_string()]);
            }
            CaughtBy::Test { package, filter } => {
                cargo.args(["test", "--locked", "-q", "-p", package, filter]);
            }
        }
        cargo.output()
    }
}

/// Takes away what the tree does not hold any more.
fn sweep(tree: &Path, dir: &Path, names: &BTreeSet<&str>) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            sweep(tree, &path, names)?;
            continue;
        }
        let name = path.strip_prefix(tree).unwrap_or(&path);
        if !name.to_str().is_some_and(|name| names.contains(name)) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// What it said, on both ways.
fn words(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}\n{}",
        String::from_utf8_lossy(err),
        String::from_utf8_lossy(out)
    )
}
