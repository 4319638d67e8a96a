//! Where in the log a time lies.
//!
//! A leaf's time is what the node's clock said, and clocks go back. So nothing is searched for by
//! halves: the time of every 256th leaf is kept, and a part of the log is looked at where a time
//! that is asked for can lie between its two ends, give or take an hour, or where the clock went
//! back between them. What is not found is a time that the clock showed only within one part,
//! while it stood more than an hour off: look without a time then.

use abeng_wire::Millis;
use std::ops::Range;

/// Leaves between two times that are kept.
const STRIDE: u64 = 256;
/// Samples read in one go.
const AT_ONCE: u64 = 1024;
/// How far the clock may have gone astray within one stride.
const MARGIN: Millis = 3_600_000;

/// The time of every 256th leaf, as far as somebody asked.
#[derive(Debug, Default)]
pub struct Times {
    samples: Vec<Millis>,
}

impl Times {
    /// The next samples that a log of `size` leaves lacks here: some of them, none at the end.
    pub fn missing(&self, size: u64) -> Range<u64> {
        let have = self.samples.len() as u64;
        have..size.div_ceil(STRIDE).min(have + AT_ONCE)
    }

    /// The leaf whose time a sample is.
    pub fn leaf(sample: u64) -> u64 {
        sample * STRIDE
    }

    /// Takes samples that were [`Times::missing`], unless somebody else was faster.
    pub fn extend(&mut self, missing: Range<u64>, samples: &[Millis]) {
        if missing.start == self.samples.len() as u64 {
            self.samples.extend_from_slice(samples);
        }
    }

    /// The parts of a log of `size` leaves that can hold a time of `since..until`, in order.
    pub fn blocks(&self, size: u64, since: Millis, until: Millis) -> Vec<Range<u64>> {
        let mut blocks: Vec<Range<u64>> = Vec::new();
        for (i, &begins) in self.samples.iter().enumerate() {
            // The last part has no other end yet: anything may be in it.
            let ends = self.samples.get(i + 1).copied();
            let low = begins.min(ends.unwrap_or(0)).saturating_sub(MARGIN);
            let high = begins
                .max(ends.unwrap_or(Millis::MAX))
                .saturating_add(MARGIN);
            let from = i as u64 * STRIDE;
            let to = (from + STRIDE).min(size);
            let went_back = ends.is_some_and(|ends| ends < begins);
            if from >= to || (!went_back && (high < since || low >= until)) {
                continue;
            }
            match blocks.last_mut() {
                Some(last) if last.end == from => last.end = to,
                _ => blocks.push(from..to),
            }
        }
        blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: Millis = 3_600_000;

    fn times(of: &[Millis]) -> Times {
        let mut times = Times::default();
        for size in [of.len() as u64 / 2, of.len() as u64] {
            loop {
                let missing = times.missing(size);
                if missing.is_empty() {
                    break;
                }
                let read = |sample| of[Times::leaf(sample) as usize];
                let samples: Vec<Millis> = missing.clone().map(read).collect();
                times.extend(missing.clone(), &samples);
                // Somebody who was slower changes nothing.
                times.extend(missing, &samples);
            }
        }
        times
    }

    #[test]
    fn a_narrow_span_is_found_without_reading_the_log() {
        let log: Vec<Millis> = (0..100 * STRIDE).map(|i| i * 60_000).collect();
        let times = times(&log);
        let (since, until) = (20_000 * 60_000, 20_010 * 60_000);
        let blocks = times.blocks(log.len() as u64, since, until);
        assert!(blocks.iter().any(|b| b.contains(&20_000)));
        // The part that it lies in and, within the margin, at most its neighbours.
        let looked: u64 = blocks.iter().map(|b| b.end - b.start).sum();
        assert!(looked <= 3 * STRIDE, "{blocks:?}");
    }

    proptest! {
        // The clock runs, goes back, jumps by years and comes back after a while.
        #[test]
        fn no_leaf_of_the_span_is_missed(
            runs in prop::collection::vec((0..1_000u64, 300..2_000usize, 0..14_000u64), 1..8),
            since in 0..1_100u64, wide in 0..200u64,
        ) {
            let mut log = Vec::new();
            for (start, count, step) in runs {
                log.extend((0..count as u64).map(|i| start * HOUR + i * step));
            }
            let (since, until) = (since * HOUR, (since + wide) * HOUR);
            let blocks = times(&log).blocks(log.len() as u64, since, until);
            for (i, at) in log.iter().enumerate() {
                if (since..until).contains(at) {
                    prop_assert!(blocks.iter().any(|b| b.contains(&(i as u64))), "leaf {i} at {at}");
                }
            }
        }
    }
}
