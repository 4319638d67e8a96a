//! Counts with their nouns, in what administrators read.

/// `1 leaf`, `2 leaves`.
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn one_is_one() {
        let leaves = [0, 1, 2].map(|n| count(n, "leaf", "leaves"));
        assert_eq!(leaves, ["0 leaves", "1 leaf", "2 leaves"]);
    }
}
