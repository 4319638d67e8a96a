//! What is fuzzed: functions that take any bytes and must neither panic nor believe anything that
//! is not so.
//!
//! Two callers: `fuzz/`, where a coverage-guided fuzzer looks for inputs as long as one lets it;
//! and the test `replay`, which runs on any machine in a minute: the kept corpus
//! (`fuzz/corpus/<target>`), inputs that are right, and some thousand seeded changes of each.
//!
//! Where a signature would keep all but the right bytes out, a second target signs whatever it is
//! given: behind every signature there may be a dishonest key.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: a panic is its verdict"
)]

mod chance;
mod courier;
mod engine;
mod envelopes;
mod evidence;
mod links;
mod logs;
mod mutate;
mod rows;
mod trust;
mod world;

pub use chance::Chance;
pub use mutate::mutate;

/// One decoder, or one chain of them.
#[derive(Clone, Copy)]
pub struct Target {
    /// Names it in `fuzz/`.
    pub name: &'static str,
    /// Takes anything; whether it was believed.
    pub run: fn(&[u8]) -> bool,
    /// Inputs that are right, to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How many changed inputs the replay tries.
    pub tries: u32,
}

macro_rules! targets {
    ($($name:ident: $run:path, $seeds:path, $tries:expr;)*) => {
        /// Every target.
        pub const TARGETS: &[Target] = &[$(Target {
            name: stringify!($name),
            run: $run,
            seeds: $seeds,
            tries: $tries,
        }),*];
    };
}

/// As many as there are of what costs no signature.
const MANY: u32 = 4000;
/// Where each try makes or checks signatures, or writes a disk.
const SOME: u32 = 400;

targets! {
    envelope: envelopes::envelope, envelopes::frames, MANY;
    envelope_signed: envelopes::envelope_signed, envelopes::headers, SOME;
    notice: envelopes::notice, envelopes::notices, MANY;
    draft: envelopes::draft, drafts, MANY;
    canonical: envelopes::canonical, envelopes::parts, MANY;
    receipt: logs::receipt_of, logs::receipts, MANY;
    checkpoint: logs::checkpoint, logs::notes, MANY;
    checkpoint_signed: logs::checkpoint_signed, logs::texts, SOME;
    merkle: logs::merkle, logs::proofs, MANY;
    journal: logs::journal, logs::patches, SOME;
    journal_raw: logs::journal_raw, logs::segments, SOME;
    tiles: logs::tiles, logs::tile_files, SOME;
    bundle: trust::bundle, trust::bundles, SOME;
    roster_signed: trust::roster_signed, trust::rosters, SOME / 20;
    root_signed: trust::root_signed, trust::roots, SOME / 20;
    freshness_signed: trust::freshness_signed, trust::statements, SOME;
    greeting: links::greeting, links::greetings, SOME;
    control: links::control, links::streams, SOME;
    peer_frame: links::frames_of_peers, links::frames, MANY;
    evidence: evidence::file, evidence::files, SOME;
    courier: courier::file, courier::files, MANY;
    engine: engine::engine, engine::sequences, SOME;
    row: rows::value, rows::values, MANY;
    row_key: rows::key, rows::keys, MANY;
}

/// The target of this name.
pub fn target(name: &str) -> Target {
    let found = TARGETS.iter().find(|t| t.name == name);
    *found.unwrap_or_else(|| panic!("no target is called {name}"))
}

/// Drafts as officers write them.
fn drafts() -> Vec<Vec<u8>> {
    let toml = include_str!("../../../config/samples/seizures.toml");
    let one = toml.split("[[").nth(1).unwrap_or_default();
    let json = r#"{"type":"SEIZURE","date":"2024-03-02","place":"JMKIN","goods":[{"drug":"cocaine",
        "quantity":139.4,"unit":"KGM"}],"conveyance":{"mode":"sea"},"route":{"departure":"unknown",
        "destination":"NLRTM"},"remarks":"x"}"#;
    vec![
        one.split_once('\n').map_or("", |(_, rest)| rest).into(),
        json.into(),
    ]
}
