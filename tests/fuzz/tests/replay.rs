//! The corpus and seeded changes of it, through every target, on any machine.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use abeng_fuzz_targets::{Chance, TARGETS, mutate};
use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

/// The kept inputs of a target: what a fuzzer once found, and what it began with.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let Ok(entries) = fs::read_dir(dir.join(name)) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|p| fs::read(p).unwrap()).collect()
}

#[test]
fn no_input_makes_a_target_panic() {
    let seed = std::env::var("ABENG_SEED").map_or(1, |s| s.parse().unwrap());
    let factor: u32 = std::env::var("ABENG_FUZZ_FACTOR").map_or(1, |s| s.parse().unwrap());
    let only = std::env::var("ABENG_FUZZ_TARGET").ok();
    println!("ABENG_SEED={seed} ABENG_FUZZ_FACTOR={factor}");
    for (nth, target) in TARGETS.iter().enumerate() {
        if only.as_ref().is_some_and(|only| only != target.name) {
            continue;
        }
        let mut chance = Chance::new(seed + nth as u64);
        let mut inputs = (target.seeds)();
        assert!(!inputs.is_empty(), "{} begins with nothing", target.name);
        inputs.extend(corpus(target.name));
        let run = |input: &[u8]| {
            let verdict = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
            assert!(verdict.is_ok(), "{} panics at: {}", target.name, hex(input));
            verdict.unwrap_or_default()
        };
        let began = std::time::Instant::now();
        let right = inputs.iter().filter(|input| run(input)).count();
        // Or nothing behind the first check is ever reached.
        assert!(right > 0, "{} takes none of its own inputs", target.name);
        let mut taken = 0;
        for _ in 0..target.tries * factor {
            let input = mutate(&inputs[chance.below(inputs.len())], &inputs, &mut chance);
            taken += u32::from(run(&input));
        }
        println!(
            "{:>18}: {right} of {} inputs and {taken} of {} changed ones taken, {:?}",
            target.name,
            inputs.len(),
            target.tries * factor,
            began.elapsed()
        );
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
