//! Shamir's scheme, byte by byte: the secret is the value at 0 of a polynomial whose other
//! coefficients are random, a share its value at the share's number.

use super::field::{inverse, mul};
use crate::{Entropy, entropy::seed};
use zeroize::Zeroizing;

/// A secret, or one share of it.
pub(super) type Value = Zeroizing<[u8; 32]>;

/// The values at 1 to `count` of a polynomial of degree `threshold` - 1. Every coefficient, the
/// leading one too, is uniform over the whole field: leaving out 0 would tell something to fewer
/// than `threshold` holders.
pub(super) fn split(
    secret: &[u8; 32],
    threshold: u8,
    count: u8,
    entropy: &mut dyn Entropy,
) -> Vec<(u8, Value)> {
    // Room for all at once: a vector that moves leaves the secret behind in freed memory.
    let mut coefficients = Vec::with_capacity(usize::from(threshold));
    coefficients.push(Zeroizing::new(*secret));
    coefficients.resize_with(usize::from(threshold), || seed(entropy));
    (1..=count)
        .map(|x| {
            let mut value = Value::default();
            for coefficient in coefficients.iter().rev() {
                for (v, c) in value.iter_mut().zip(coefficient.iter()) {
                    *v = mul(*v, x) ^ c;
                }
            }
            (x, value)
        })
        .collect()
}

/// The value at `x` of the polynomial of least degree through the points, whose places differ.
pub(super) fn at(x: u8, points: &[(u8, &Value)]) -> Value {
    let mut out = Value::default();
    for (nth, (place, value)) in points.iter().enumerate() {
        let others = points.iter().enumerate().filter(|(other, _)| *other != nth);
        // Places are no secret.
        let weight = others.fold(1, |weight, (_, (other, _))| {
            mul(weight, mul(x ^ other, inverse(place ^ other)))
        });
        for (o, v) in out.iter_mut().zip(value.iter()) {
            *o ^= mul(*v, weight);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::tests::Counting;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    /// Gives out the coefficients of the vector.
    struct Listed(Vec<[u8; 32]>);

    impl Entropy for Listed {
        fn fill(&mut self, out: &mut [u8]) {
            out.copy_from_slice(&self.0.remove(0));
        }
    }

    fn hex(text: &str) -> [u8; 32] {
        HEXLOWER
            .decode(text.as_bytes())
            .unwrap()
            .try_into()
            .unwrap()
    }

    /// Coefficients: SHA-256 of "abeng shamir 0", "… 1", "… 2". Values computed with the field
    /// tables and the interpolation of the Python package shamir-mnemonic 0.3.0 (SLIP-0039).
    const SECRET: &str = "8ac0fae026e751062b8808e8a4c8b098ecba7cb9c2924c49fc125f61b157d0a5";
    const FIRST: &str = "5328e6eaab24d6062408c82df09dc254e9102ead7c493665d3691c22b791bc7a";
    const SECOND: &str = "e75feca0a64e056de859b1eb293eb9cf52af37206eccd432210f7e36248ba123";
    const SHARES: [&str; 5] = [
        "3eb7f0aa2b8d826de7d9712e7d6bcb0357056534d017ae1e0e743d75224dcdfc",
        "9df7b099c58cf2a5eee77133fb11fd217610fc78991d5d4bc5fc84fd547401dd",
        "2980bad3c8e621ce22b608f522b286bacdafe5f58b98bf1c379ae6e9c76e1c84",
        "2fe70d8b32fb7494b94fe06eef47f09732e4990d93d97bcbbb5d8ea42d4de850",
        "9b9007c13f91a7ff751e99a836e48b0c895b8080815c999c493becb0be57f509",
    ];
    const AT_16: &str = "74de54a04089e91e7dfaee03b3bf2e83f95a0dca166f739335417acb155e9c24";

    #[test]
    fn it_agrees_with_another_implementation() {
        let mut entropy = Listed(vec![hex(FIRST), hex(SECOND)]);
        let shares = split(&hex(SECRET), 3, 5, &mut entropy);
        for ((x, value), expected) in shares.iter().zip(SHARES) {
            assert_eq!(**value, hex(expected), "share {x}");
        }
        let three: Vec<_> = [0, 2, 4].map(|n| (shares[n].0, &shares[n].1)).into();
        assert_eq!(*at(0, &three), hex(SECRET));
        assert_eq!(*at(16, &three), hex(AT_16));
    }

    #[test]
    fn one_share_fewer_leaves_every_secret_possible() {
        // Of two-of-n one share is known: over all coefficients it takes each value exactly once,
        // whatever the secret is, 0 among them.
        for secret in [0, 1, 0x8a, 255] {
            let mut seen = [0; 256];
            for coefficient in 0..=255 {
                let mut entropy = Listed(vec![[coefficient; 32]]);
                let shares = split(&[secret; 32], 2, 7, &mut entropy);
                seen[usize::from(shares[6].1[0])] += 1;
            }
            assert_eq!(seen, [1; 256]);
        }
    }

    proptest! {
        #[test]
        fn any_threshold_of_the_shares_gives_the_secret_and_one_fewer_does_not(
            secret in any::<[u8; 32]>(),
            threshold in 2_u8..=15,
            more in 0_u8..=16,
            order in any::<u64>(),
        ) {
            let count = (threshold + more).min(16);
            let mut shares = split(&secret, threshold, count, &mut Counting(order));
            let mut entropy = Counting(!order);
            for end in (1..shares.len()).rev() {
                let mut byte = [0; 8];
                entropy.fill(&mut byte);
                shares.swap(end, usize::from(byte[0]) % (end + 1));
            }
            let points: Vec<_> = shares.iter().map(|(x, v)| (*x, v)).collect();
            let enough = &points[..usize::from(threshold)];
            prop_assert_eq!(*at(0, enough), secret);
            prop_assert_ne!(*at(0, &enough[1..]), secret);
        }
    }
}
