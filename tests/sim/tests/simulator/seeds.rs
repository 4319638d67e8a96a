//! Seeds that must be good, and what they must have met between them: a check that never comes
//! near the danger is none.

use abeng_sim::{Met, run};

const SEEDS: u64 = 20;
/// So many of them are run twice.
const REPLAYED: u64 = 3;

#[test]
fn every_seed_drains_and_owes_nothing() {
    let mut met = Met::new();
    for seed in 0..SEEDS {
        let report = run(seed);
        assert!(
            report.verdicts.is_empty(),
            "seed {seed}: {:?}; replay with `cargo run --release -p abeng-sim -- --from {seed} --seeds 1`",
            report.verdicts,
        );
        if seed < REPLAYED {
            assert_eq!(report.trace, run(seed).trace, "seed {seed} replays exactly");
        }
        for (what, n) in report.met.iter().chain(&report.faults) {
            *met.entry(what).or_default() += n;
        }
    }
    for what in [
        "accepted",
        "delivered",
        "receipt taken",
        "voided",
        "expiry",
        "crash",
        "crash while writing",
        "crash in recovery",
        "killed, not cut",
        "torn tail",
        "second segment",
        "survived untold",
        "view lost",
        "view older",
        "duplicate answered",
        "link cut with frames in flight",
        "copy dropped",
        "proved again",
    ] {
        assert!(met.contains_key(what), "never met: {what}, of {met:?}");
    }
}

#[test]
fn another_seed_is_another_run() {
    assert_ne!(run(1).trace, run(2).trace);
}
