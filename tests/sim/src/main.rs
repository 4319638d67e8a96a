//! Runs many seeds and says what they met. Ends with 1 where one of them failed.

use abeng_sim::{Met, Report, Scenario, run};
use clap::Parser;
use std::{
    process::ExitCode,
    str::FromStr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Runs the simulator: one seed, one run, replayed exactly.
#[derive(Debug, Parser)]
struct Args {
    /// How many seeds to run.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// The scenario, or `all` for one after the other.
    #[arg(long, default_value = "mixed")]
    scenario: Which,
    /// Runs this many seeds at a time.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Runs the first so many seeds twice and compares what happened.
    #[arg(long, default_value_t = 0)]
    twice: u64,
    /// Goes on for this many minutes instead of a number of seeds.
    #[arg(long)]
    soak: Option<u64>,
    /// Stops at the first seed that fails.
    #[arg(long)]
    fail_fast: bool,
    /// Prints one JSON object on stdout.
    #[arg(long)]
    json: bool,
}

/// What to run.
#[derive(Debug, Clone, Copy)]
enum Which {
    One(Scenario),
    All,
}

impl FromStr for Which {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "all" => Ok(Self::All),
            name => name.parse().map(Self::One),
        }
    }
}

impl Which {
    /// The scenario of a seed: with `all` it follows from the seed alone.
    fn of(self, seed: u64) -> Scenario {
        match self {
            Self::One(scenario) => scenario,
            Self::All => Scenario::ALL[(seed % Scenario::ALL.len() as u64) as usize],
        }
    }
}

/// So many seeds of a scenario must have met between them all that it is about.
const COVERING: u64 = 60;

/// What all runs led to.
#[derive(Default)]
struct Sum {
    seeds: u64,
    failed: Vec<(Scenario, u64)>,
    faults: Met,
    coverage: Met,
    by_scenario: std::collections::BTreeMap<Scenario, (u64, Met)>,
}

impl Sum {
    fn add(&mut self, report: &Report) {
        self.seeds += 1;
        add(&mut self.faults, &report.faults);
        add(&mut self.coverage, &report.met);
        let (seeds, met) = self.by_scenario.entry(report.scenario).or_default();
        *seeds += 1;
        add(met, &report.faults);
        add(met, &report.met);
        let (scenario, seed) = (report.scenario, report.seed);
        if !report.verdicts.is_empty() {
            self.failed.push((scenario, seed));
        }
        for verdict in &report.verdicts {
            eprintln!("{scenario}, seed {seed}: {verdict}");
        }
    }

    fn differs(&mut self, scenario: Scenario, seed: u64) {
        eprintln!("{scenario}, seed {seed}: run twice, it did not do the same");
        self.failed.push((scenario, seed));
    }

    /// What should have happened and never did.
    fn never(&self) -> Vec<String> {
        let enough = self.by_scenario.iter().filter(|(_, (n, _))| *n >= COVERING);
        enough
            .flat_map(|(scenario, (n, met))| {
                let missing = scenario.must().iter().filter(|m| !met.contains_key(**m));
                missing.map(move |what| format!("{scenario}: never in {n} seeds: {what}"))
            })
            .collect()
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let begun = Instant::now();
    let mut sum = run_all(&args, begun);
    let seconds = begun.elapsed().as_secs_f64();
    sum.failed.sort_unstable();
    let never = sum.never();
    tell(&args, &sum, &never, seconds);
    for what in &never {
        eprintln!("{what}");
    }
    for (scenario, seed) in sum.failed.iter().take(5) {
        eprintln!(
            "replay with `cargo run --release -p abeng-sim -- --scenario {scenario} --from {seed} --seeds 1`"
        );
    }
    match sum.failed.is_empty() && never.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Takes seeds one after the other, several at a time.
fn run_all(args: &Args, begun: Instant) -> Sum {
    let next = AtomicU64::new(args.from);
    let sum = Mutex::new(Sum::default());
    let end = args.from.saturating_add(args.seeds);
    let goes_on = |seed| match args.soak {
        Some(minutes) => begun.elapsed() < Duration::from_secs(60 * minutes),
        None => seed < end,
    };
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if !goes_on(seed) {
            break;
        }
        let failed = || {
            !sum.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .failed
                .is_empty()
        };
        if args.fail_fast && failed() {
            break;
        }
        let scenario = args.scenario.of(seed);
        let report = run(scenario, seed);
        let twice = seed - args.from < args.twice;
        let same = !twice || run(scenario, seed).trace == report.trace;
        let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
        sum.add(&report);
        if !same {
            sum.differs(scenario, seed);
        }
    };
    thread::scope(|scope| {
        for _ in 0..args.threads.max(1) {
            scope.spawn(work);
        }
    });
    sum.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn tell(args: &Args, sum: &Sum, never: &[String], seconds: f64) {
    let (n, bad) = (sum.seeds, sum.failed.len());
    if args.json {
        let failed: Vec<String> = sum.failed.iter().map(|(s, n)| format!("{s}/{n}")).collect();
        let scenarios: std::collections::BTreeMap<&str, u64> = sum
            .by_scenario
            .iter()
            .map(|(s, (n, _))| (s.name(), *n))
            .collect();
        let report = serde_json::json!({
            "seeds": n,
            "failed": bad,
            "failed_seeds": failed,
            "seconds": (seconds * 1000.0).round() / 1000.0,
            "faults": sum.faults,
            "coverage": sum.coverage,
            "scenarios": scenarios,
            "never": never,
        });
        println!("{report}");
        return;
    }
    let ms = seconds * 1000.0 / n.max(1) as f64;
    println!("{n} seeds, {bad} failed, {seconds:.1} s, {ms:.0} ms a seed");
    for (what, met) in [("faults", &sum.faults), ("coverage", &sum.coverage)] {
        println!("{what}:");
        for (event, n) in met {
            println!("{n:>9}  {event}");
        }
    }
}

fn add(sum: &mut Met, more: &Met) {
    for (what, n) in more {
        *sum.entry(what).or_default() += n;
    }
}
