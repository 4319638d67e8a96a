use ring::rand::{SecureRandom, SystemRandom};

/// Where secrets come from. An argument everywhere, so that simulations can replay.
pub trait Entropy: Send {
    /// Fills `out` with bytes that nobody can predict.
    fn fill(&mut self, out: &mut [u8]);
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[allow(
        clippy::expect_used,
        reason = "an operating system without randomness cannot run Abeng: going on would make guessable keys"
    )]
    fn fill(&mut self, out: &mut [u8]) {
        SystemRandom::new()
            .fill(out)
            .expect("invariant: the operating system's random generator works");
    }
}

/// 32 fresh bytes, wiped when dropped.
pub(crate) fn seed(entropy: &mut dyn Entropy) -> zeroize::Zeroizing<[u8; 32]> {
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    entropy.fill(&mut seed[..]);
    seed
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Counts up: every 32 bytes differ from the last.
    pub(crate) struct Counting(pub(crate) u64);

    impl Entropy for Counting {
        fn fill(&mut self, out: &mut [u8]) {
            for chunk in out.chunks_mut(8) {
                self.0 += 1;
                let word = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
                chunk.copy_from_slice(&word[..chunk.len()]);
            }
        }
    }

    #[test]
    fn the_system_gives_something_new_each_time() {
        let (mut a, mut b) = ([0; 32], [0; 32]);
        let mut system = SystemEntropy;
        system.fill(&mut a);
        system.fill(&mut b);
        assert_ne!(a, b);
        assert_ne!(a, [0; 32]);
    }
}
