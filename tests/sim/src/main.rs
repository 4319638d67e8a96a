//! Runs many seeds and says what they met. Ends with 1 where one of them failed.

use abeng_sim::{Met, run};
use clap::Parser;
use std::{process::ExitCode, time::Instant};

/// Runs the simulator: one seed, one run, replayed exactly.
#[derive(Debug, Parser)]
struct Args {
    /// How many seeds to run.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Prints one JSON object on stdout.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let begun = Instant::now();
    let (mut faults, mut coverage) = (Met::new(), Met::new());
    let mut failed = Vec::new();
    for seed in args.from..args.from.saturating_add(args.seeds) {
        let report = run(seed);
        add(&mut faults, &report.faults);
        add(&mut coverage, &report.met);
        if !report.verdicts.is_empty() {
            failed.push(seed);
        }
        for verdict in &report.verdicts {
            eprintln!("seed {seed}: {verdict}");
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let (n, bad) = (args.seeds, failed.len());
    if args.json {
        let report = serde_json::json!({
            "seeds": n,
            "failed": bad,
            "failed_seeds": &failed,
            "seconds": (seconds * 1000.0).round() / 1000.0,
            "faults": faults,
            "coverage": coverage,
        });
        println!("{report}");
    } else {
        println!("{n} seeds, {bad} failed, {seconds:.1} s");
        println!("faults: {faults:?}");
        println!("coverage: {coverage:?}");
    }
    if let Some(first) = failed.first() {
        eprintln!("replay with `cargo run --release -p abeng-sim -- --from {first} --seeds 1`");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn add(sum: &mut Met, more: &Met) {
    for (what, n) in more {
        *sum.entry(what).or_default() += n;
    }
}
