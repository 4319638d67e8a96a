//! Seeds that must be good, and what they must have met between them: a check that never comes
//! near the danger is none. `.ci/run` runs many more, and demands all of `Scenario::must`.

use abeng_sim::{Met, Scenario, run};

const SEEDS: u64 = 13;
/// So many of them are run twice.
const REPLAYED: u64 = 3;

fn good(scenario: Scenario, seed: u64) -> abeng_sim::Report {
    let report = run(scenario, seed);
    assert!(
        report.verdicts.is_empty(),
        "seed {seed}: {:?}; replay with `cargo run --release -p abeng-sim -- --scenario {scenario} --from {seed} --seeds 1`",
        report.verdicts,
    );
    report
}

#[test]
fn every_seed_drains_and_owes_nothing() {
    let mut met = Met::new();
    for seed in 0..SEEDS {
        let report = good(Scenario::Mixed, seed);
        if seed < REPLAYED {
            let again = run(Scenario::Mixed, seed);
            assert_eq!(report.trace, again.trace, "seed {seed} replays exactly");
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
        "stopped by its disk",
        "view lost",
        "view older",
        "duplicate answered",
        "replay of an older life",
        "link cut with frames in flight",
        "copy dropped",
        "proved again",
        "gap asked for",
        "void asked for",
        "void taken",
    ] {
        assert!(met.contains_key(what), "never met: {what}, of {met:?}");
    }
}

#[test]
fn every_scenario_drains() {
    for &scenario in Scenario::ALL {
        good(scenario, 0);
    }
}

#[test]
fn another_seed_is_another_run() {
    let trace = |scenario, seed| run(scenario, seed).trace;
    assert_ne!(trace(Scenario::Mixed, 1), trace(Scenario::Mixed, 2));
    assert_ne!(trace(Scenario::Mixed, 1), trace(Scenario::Flapping, 1));
}
