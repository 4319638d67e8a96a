//! The table of allowed dependencies of `docs/architecture.md`, held against what the manifests
//! really say. A crate may use only the crates named in its row.
//!
//! Looked at are normal dependencies: what a crate is built from. Tests may reach further.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Each crate and the crates of this workspace it may use, lowest first.
const ALLOWED: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("notice", &["wire"]),
    ("keys", &["wire"]),
    ("roster", &["wire", "keys", "notice"]),
    ("seal", &["wire", "notice", "keys", "roster"]),
    ("audit-log", &["wire", "keys", "roster"]),
    (
        "evidence",
        &["wire", "notice", "keys", "roster", "seal", "audit-log"],
    ),
    ("queue", &["wire", "roster", "seal", "audit-log"]),
    ("link", &["wire", "keys", "roster"]),
    ("api", &["wire", "notice"]),
    ("console", &["notice", "api"]),
    (
        "node",
        &[
            "wire",
            "notice",
            "keys",
            "roster",
            "seal",
            "audit-log",
            "evidence",
            "queue",
            "link",
            "api",
            "console",
        ],
    ),
    (
        "cli",
        &[
            "wire",
            "notice",
            "keys",
            "roster",
            "seal",
            "audit-log",
            "evidence",
            "queue",
            "link",
            "api",
            "console",
            "node",
        ],
    ),
];

/// Members that only test, and may use anything.
const TESTS: &[&str] = &[
    "abeng-sim",
    "abeng-vectors",
    "abeng-model",
    "abeng-fuzz-targets",
    "abeng-planted",
];

/// Outside crates that belong to one crate of ours.
const ONLY_IN: &[(&str, &str)] = &[
    ("sled", "queue"),
    ("quinn", "link"),
    ("quinn-proto", "link"),
    ("quinn-udp", "link"),
];

/// What the crates below `link` must do without: they take time, randomness and bytes as
/// arguments, so they need no runtime.
const BELOW_LINK: &[&str] = &[
    "wire",
    "notice",
    "keys",
    "roster",
    "seal",
    "audit-log",
    "evidence",
    "queue",
];
const RUNTIME: &str = "tokio";

/// Package name → names of the packages it is built from.
type Uses = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn package(row: &str) -> String {
    match row {
        "cli" => "abeng".into(),
        row => format!("abeng-{row}"),
    }
}

/// What the manifests say, without asking any registry.
fn workspace() -> Uses {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .expect("cargo metadata --offline --no-deps");
    metadata
        .packages
        .iter()
        .map(|p| {
            let normal = p
                .dependencies
                .iter()
                .filter(|d| d.kind == DependencyKind::Normal);
            (p.name.to_string(), normal.map(|d| d.name.clone()).collect())
        })
        .collect()
}

/// Everything in `uses` that the tables above do not allow, in words.
fn offences(uses: &Uses) -> Vec<String> {
    let mut found = Vec::new();
    let rows: BTreeSet<String> = ALLOWED.iter().map(|(row, _)| package(row)).collect();
    for name in uses
        .keys()
        .filter(|n| !rows.contains(*n) && !TESTS.contains(&n.as_str()))
    {
        found.push(format!("{name} has no row in the table"));
    }
    for (row, allowed) in ALLOWED {
        let name = package(row);
        let Some(used) = uses.get(&name) else {
            found.push(format!("{name} has a row but is no member"));
            continue;
        };
        let allowed: BTreeSet<String> = allowed.iter().map(|a| package(a)).collect();
        for other in used
            .iter()
            .filter(|u| uses.contains_key(*u) && !allowed.contains(*u))
        {
            found.push(format!("{name} uses {other}"));
        }
        for (outside, home) in ONLY_IN
            .iter()
            .filter(|(o, h)| h != row && used.contains(*o))
        {
            found.push(format!("{name} uses {outside}, which only {home} may"));
        }
        if BELOW_LINK.contains(row) && used.contains(RUNTIME) {
            found.push(format!("{name} uses {RUNTIME}, and lies below link"));
        }
    }
    found
}

#[test]
fn crates_use_only_what_their_row_allows() {
    let found = offences(&workspace());
    assert!(
        found.is_empty(),
        "docs/architecture.md does not allow:\n  {}",
        found.join("\n  ")
    );
}

/// The check above must be able to fail: every rule is broken once, by hand.
#[test]
fn each_rule_is_seen_to_fail() {
    let sound = workspace();
    let planted: &[(&str, &str, &str)] = &[
        ("abeng-wire", "abeng-notice", "abeng-wire uses abeng-notice"),
        ("abeng-queue", "abeng-link", "abeng-queue uses abeng-link"),
        ("abeng-node", "abeng", "abeng-node uses abeng"),
        (
            "abeng-node",
            "sled",
            "abeng-node uses sled, which only queue may",
        ),
        ("abeng", "quinn", "abeng uses quinn, which only link may"),
        (
            "abeng-audit-log",
            "tokio",
            "abeng-audit-log uses tokio, and lies below link",
        ),
        (
            "abeng-stray",
            "bytes",
            "abeng-stray has no row in the table",
        ),
    ];
    for (name, dependency, verdict) in planted {
        let mut broken = sound.clone();
        broken
            .entry((*name).to_owned())
            .or_default()
            .insert((*dependency).to_owned());
        assert_eq!(offences(&broken), [*verdict]);
    }
    let mut missing = sound.clone();
    missing.remove("abeng-evidence");
    assert!(offences(&missing).contains(&"abeng-evidence has a row but is no member".to_owned()));
}

/// The table that people read is the one that is checked.
#[test]
fn the_table_in_the_documentation_is_this_one() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let rows: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .filter_map(|(name, rest)| Some((name, rest.split('|').nth(2)?.trim())))
        .collect();
    for (at, (row, allowed)) in ALLOWED.iter().enumerate() {
        let above: Vec<&str> = ALLOWED[..at].iter().map(|(name, _)| *name).collect();
        let written = match rows.get(row) {
            Some(&"–") => Vec::new(),
            Some(&"all above") => above,
            Some(list) => list.split(", ").collect(),
            None => panic!("docs/architecture.md has no row `{row}`"),
        };
        assert_eq!(&written, allowed, "row `{row}` of docs/architecture.md");
    }
}

/// Every outside crate has one reason to be here, and people can read it.
#[test]
fn every_dependency_has_its_reason() {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let reasons = fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let declared = manifest["workspace"]["dependencies"].as_table().unwrap();
    let outside: BTreeSet<&str> = declared
        .keys()
        .map(String::as_str)
        .filter(|name| !name.starts_with("abeng-"))
        .collect();
    let explained: BTreeSet<&str> = reasons
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .collect();
    assert!(outside.len() > 20, "the manifest was not read");
    assert_eq!(
        outside.difference(&explained).collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "without a reason"
    );
    assert_eq!(
        explained.difference(&outside).collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "gone, reason left"
    );
}

/// `link::Session` takes time, randomness and bytes as arguments, as the crates below it do. Link as
/// a whole cannot be held to that by clippy, since the other half of it is quinn and sockets.
#[test]
fn the_session_of_a_link_does_no_io() {
    const IO: &[&str] = &[
        "tokio",
        "quinn",
        "SystemTime",
        "Instant",
        "SystemEntropy",
        "std::thread",
        "std::fs",
        "Socket",
        "HashMap",
        "HashSet",
    ];
    let source = root().join("crates/link/src");
    let mut files = vec![source.join("session.rs")];
    let parts = fs::read_dir(source.join("session")).unwrap();
    files.extend(
        parts
            .map(|entry| entry.unwrap().path())
            .filter(|p| !p.ends_with("tests.rs")),
    );
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let code = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("//"));
        for (line, word) in code.flat_map(|l| IO.iter().map(move |word| (l, word))) {
            assert!(
                !line.contains(word),
                "{}: {word} in `{line}`",
                file.display()
            );
        }
    }
}

/// Names of tests in the table of attacks, as `path::test`, that are no test in the sources, and
/// attacks without one.
fn missing_attack_tests(page: &str, read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let section = page.split("\n## Attacks, one by one\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
    let mut found = Vec::new();
    for row in rows.skip(1) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [attack, tests, _] = cells[..] else {
            found.push(format!("not three cells: {row}"));
            continue;
        };
        for name in tests.split(", ") {
            let name = name.trim_matches('`');
            let is_test = |(path, test): (&str, &str)| {
                let text = read(path)?;
                let at = text.find(&format!("fn {test}()"))?;
                let above = text[..at].lines().rev().take(3);
                above
                    .into_iter()
                    .find(|l| l.contains("test]") || l.contains("::test("))?;
                Some(())
            };
            if name.split_once("::").and_then(is_test).is_none() {
                found.push(format!("{attack}: {name}"));
            }
        }
    }
    found
}

/// Who reads that an attack was tried can find where, and it still is.
#[test]
fn every_attack_has_its_test() {
    let page = fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    let read = |path: &str| fs::read_to_string(root().join(path)).ok();
    assert_eq!(missing_attack_tests(&page, &read), Vec::<String>::new());
    assert!(
        page.matches(".rs::").count() >= 27,
        "the table was not read"
    );

    // And it can fail: a test that was renamed, one whose file has gone, one that is no test, none at all.
    let plant = |row: &str| {
        let page = format!(
            "\n## Attacks, one by one\n\n| attack | test | what |\n|---|---|---|\n{row}\n\n## Next\n"
        );
        let read = |path: &str| {
            (path == "a.rs").then(|| "#[test]\nfn tried() {}\n\n\n\n\nfn helper() {}".into())
        };
        missing_attack_tests(&page, &read)
    };
    assert!(plant("| x | `a.rs::tried` | y |").is_empty());
    for row in [
        "| x | `a.rs::renamed` | y |",
        "| x | `a.rs::tried`, `b.rs::tried` | y |",
        "| x | `a.rs::helper` | y |",
        "| x | – | y |",
        "| x | y |",
    ] {
        assert_eq!(plant(row).len(), 1, "{row}");
    }
}
