//! GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197, 4.2). No table and no branch depends on what is
//! multiplied: a share is a secret.

/// The product.
pub(super) fn mul(a: u8, b: u8) -> u8 {
    let (mut a, mut product) = (a, 0);
    for bit in 0..8 {
        product ^= a & mask(b >> bit);
        a = (a << 1) ^ (0x1b & mask(a >> 7));
    }
    product
}

/// `1 / a`, and 0 for 0: a^254.
pub(super) fn inverse(a: u8) -> u8 {
    let (mut power, mut out) = (a, 1);
    for _ in 0..7 {
        power = mul(power, power);
        out = mul(out, power);
    }
    out
}

/// All ones if the lowest bit is set, else zero.
fn mask(bit: u8) -> u8 {
    0_u8.wrapping_sub(bit & 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_field_of_fips_197() {
        // FIPS 197, 4.2 and 4.2.1.
        assert_eq!(mul(0x57, 0x83), 0xc1);
        assert_eq!(mul(0x57, 0x13), 0xfe);
        assert_eq!(mul(0x57, 0x10), 0x07);
        assert_eq!(inverse(0x53), 0xca);
        assert_eq!(inverse(0), 0);
    }

    #[test]
    fn every_element_has_its_inverse_and_products_distribute() {
        for a in 1..=255 {
            assert_eq!(mul(a, inverse(a)), 1, "{a}");
            for b in 0..=255 {
                assert_eq!(mul(a, b), mul(b, a));
                assert_eq!(mul(a, b ^ 0x5a), mul(a, b) ^ mul(a, 0x5a));
            }
        }
    }
}
