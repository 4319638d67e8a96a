//! Names and widths of tiles.

use std::fmt;

/// Hashes in a full tile, and entries in a full bundle.
pub(super) const WIDTH: u64 = 256;
/// Levels of tiles that a tree of at most 2^64 leaves has.
pub(super) const LEVELS: u32 = 8;
/// Bytes of a hash in a tile.
pub(super) const HASH: usize = 32;

/// What a tile is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Of {
    /// Node hashes, 8 levels of the tree apart from those of the next.
    Hashes(u32),
    /// Leaves, each behind its length.
    Entries,
}

/// The name of a tile or bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) of: Of,
    pub(super) index: u64,
    /// 1 to [`WIDTH`].
    pub(super) width: u64,
}

impl Tile {
    pub(super) fn full(of: Of, index: u64) -> Self {
        let width = WIDTH;
        Self { of, index, width }
    }

    /// The partial tile at the right edge of a tree; `None` where that level ends evenly.
    pub(super) fn edge(of: Of, size: u64) -> Option<Self> {
        let level = match of {
            Of::Hashes(level) => level,
            Of::Entries => 0,
        };
        let nodes = size >> (8 * level);
        let (index, width) = (nodes / WIDTH, nodes % WIDTH);
        (width > 0).then_some(Self { of, index, width })
    }

    pub(super) fn is_full(&self) -> bool {
        self.width == WIDTH
    }

    /// The directory of its partial versions.
    pub(super) fn partials(&self) -> String {
        format!("{}.p", Self::full(self.of, self.index))
    }

    /// The directory that holds it.
    pub(super) fn dir(&self) -> String {
        let path = self.to_string();
        path.rsplit_once('/').map_or("", |(dir, _)| dir).to_owned()
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            Of::Hashes(level) => write!(f, "tile/{level}")?,
            Of::Entries => write!(f, "tile/entries")?,
        }
        let digits = self.index.to_string();
        let digits = format!(
            "{digits:0>width$}",
            width = digits.len().next_multiple_of(3)
        );
        let groups = digits.len() / 3;
        for i in 0..groups {
            let mark = if i + 1 < groups { "x" } else { "" };
            write!(f, "/{mark}{}", &digits[3 * i..3 * i + 3])?;
        }
        if !self.is_full() {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_specification() {
        let name = |of, index, width| Tile { of, index, width }.to_string();
        assert_eq!(name(Of::Hashes(0), 0, 256), "tile/0/000");
        assert_eq!(
            name(Of::Entries, 1_234_067, 256),
            "tile/entries/x001/x234/067"
        );
        assert_eq!(name(Of::Hashes(7), 999, 1), "tile/7/999.p/1");
        assert_eq!(name(Of::Entries, 1000, 255), "tile/entries/x001/000.p/255");
        assert_eq!(
            Tile::full(Of::Hashes(1), 1000).partials(),
            "tile/1/x001/000.p"
        );
    }

    #[test]
    fn edges_are_those_of_the_specification() {
        // The specification's example: 70,000 leaves; and 256 leaves end level 0 evenly.
        let edge = |level, size| Tile::edge(Of::Hashes(level), size).map(|t| (t.index, t.width));
        assert_eq!(edge(0, 70_000), Some((273, 112)));
        assert_eq!(edge(1, 70_000), Some((1, 17)));
        assert_eq!(edge(2, 70_000), Some((0, 1)));
        assert_eq!(edge(3, 70_000), None);
        assert_eq!((edge(0, 256), edge(1, 256)), (None, Some((0, 1))));
    }
}
