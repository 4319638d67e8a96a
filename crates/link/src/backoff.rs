use std::time::Duration;

/// Waits between attempts: doubling from the first to the longest, with jitter, so that nodes
/// that lost each other at the same moment do not dial at the same moments.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new((first, longest): (Duration, Duration)) -> Self {
        Self {
            first,
            longest,
            next: first,
        }
    }

    /// The wait before the next attempt: between half and all of the doubled time. `random` is
    /// any evenly spread number.
    pub(crate) fn wait(&mut self, random: u32) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.longest);
        whole / 2 + (whole / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }

    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stays_within_half_and_whole(randoms in proptest::collection::vec(any::<u32>(), 1..40)) {
            let (first, longest) = (Duration::from_millis(200), Duration::from_secs(60));
            let mut backoff = Backoff::new((first, longest));
            let mut whole = first;
            for random in randoms {
                let wait = backoff.wait(random);
                prop_assert!(wait >= whole / 2 && wait <= whole);
                whole = (whole * 2).min(longest);
            }
            backoff.reset();
            prop_assert!(backoff.wait(u32::MAX) <= first);
        }
    }
}
