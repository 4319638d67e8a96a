//! How long nothing is tried after a statement that was journalled and could not be adopted. Pure.

/// The longest pause, in looks: one leaf in so many, however long trust data cannot be written.
const LONGEST: u32 = 6 * 60;

/// Doubles with each failure, from 2 looks to [`LONGEST`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause {
    /// How many looks apart two tries are.
    apart: u32,
    /// How many looks pass before the next.
    left: u32,
}

impl Default for Pause {
    fn default() -> Self {
        Self { apart: 1, left: 1 }
    }
}

impl Pause {
    /// A look: whether something may be tried.
    pub(super) fn is_over(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left == 0
    }

    /// What was tried has failed, or not.
    pub(super) fn after(&mut self, failed: bool) {
        self.apart = match failed {
            true => self.apart.saturating_mul(2).min(LONGEST),
            false => 1,
        };
        self.left = self.apart;
    }

    /// How many looks after the last try the next one is.
    pub(super) fn looks(&self) -> u32 {
        self.apart
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_of_failures_is_a_few_dozen_tries_and_a_success_ends_the_pause() {
        let mut pause = Pause::default();
        let tries: Vec<u32> = (0..7 * 24 * 60)
            .filter(|_| {
                let over = pause.is_over();
                if over {
                    pause.after(true);
                }
                over
            })
            .collect();
        assert_eq!(tries[..5], [0, 2, 6, 14, 30]);
        assert!((28..40).contains(&tries.len()), "{}", tries.len());
        pause.after(false);
        assert!((0..9).all(|_| {
            let over = pause.is_over();
            pause.after(false);
            over
        }));
    }
}
