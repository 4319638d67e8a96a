//! Tables that fit a terminal.

use abeng_notice::printable;

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Columns with a heading each, two spaces between them. The last column takes what is left of
/// the width and is cut to it; the others are as wide as their widest cell.
pub(crate) struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(columns: [(&str, Align); N]) -> Self {
        Self {
            columns: columns.map(|(name, align)| (name.to_owned(), align)).into(),
            rows: Vec::new(),
        }
    }

    /// Leaves out a column in which no row has anything.
    pub(crate) fn without_empty(mut self, column: usize) -> Self {
        let empty = |row: &Vec<String>| row.get(column).is_none_or(String::is_empty);
        if column < self.columns.len() && self.rows.iter().all(empty) {
            self.columns.remove(column);
            for row in &mut self.rows {
                row.remove(column);
            }
        }
        self
    }

    /// Adds a row. Cells are made harmless here, whoever wrote them.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len());
        self.rows.push(cells.map(|cell| printable(&cell)).into());
    }

    /// The whole, with a line break after each line; `heading` styles the first line.
    pub(crate) fn render(&self, width: usize, heading: impl Fn(&str) -> String) -> String {
        let last = self.columns.len().saturating_sub(1);
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(i, (name, _))| {
                let cells = self.rows.iter().filter_map(|row| row.get(i));
                let widest = cells.map(|cell| columns(cell)).max().unwrap_or(0);
                widest.max(columns(name))
            })
            .collect();
        let before: usize = widths[..last].iter().map(|w| w + 2).sum();
        let room = width.saturating_sub(before).max(8);
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let mut out = String::new();
            for (i, cell) in cells.enumerate() {
                let align = self.columns.get(i).map_or(Align::Left, |c| c.1);
                let wide = if i == last {
                    widths[i].min(room)
                } else {
                    widths[i]
                };
                let cell = cut(cell, wide);
                let pad = " ".repeat(wide - columns(&cell));
                match align {
                    Align::Left => out.extend([&*cell, &*pad]),
                    Align::Right => out.extend([&*pad, &*cell]),
                }
                if i != last {
                    out.push_str("  ");
                }
            }
            out.truncate(out.trim_end().len());
            out
        };
        let mut out = heading(&line(&mut self.columns.iter().map(|c| &*c.0)));
        out.push('\n');
        for row in &self.rows {
            out.push_str(&line(&mut row.iter().map(|c| &**c)));
            out.push('\n');
        }
        out
    }
}

/// How many columns of a terminal a text takes; scripts with wide letters are not in use here.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// The text, or its beginning and `…`.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(width.saturating_sub(1)).collect();
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

/// Breaks a text at spaces into lines of at most `width`, each behind `indent` spaces.
pub(crate) fn wrap(text: &str, width: usize, indent: usize) -> String {
    let room = width.saturating_sub(indent).max(16);
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let line = lines.len() - 1;
        let used = columns(&lines[line]);
        if used == 0 {
            lines[line].push_str(word);
        } else if used + 1 + columns(word) <= room {
            lines[line].push(' ');
            lines[line].push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([
            ("ID", Align::Left),
            ("SIZE", Align::Right),
            ("WHAT", Align::Left),
        ]);
        table.row(["3f9a".into(), "7".into(), "short".into()]);
        table.row(["É".into(), "12345".into(), "long ".repeat(30)]);
        table
    }

    #[test]
    fn columns_stand_below_one_another_and_the_last_is_cut() {
        let text = table().render(30, str::to_owned);
        assert_eq!(
            text,
            "ID     SIZE  WHAT\n\
             3f9a      7  short\n\
             É     12345  long long long l…\n"
        );
        assert!(text.lines().all(|line| columns(line) <= 30));
    }

    #[test]
    fn cells_cannot_escape_into_the_terminal() {
        let mut table = Table::new([("A", Align::Left)]);
        table.row(["x\x1b[2Jy\nz".into()]);
        assert_eq!(table.render(80, str::to_owned), "A\nx\u{fffd}[2Jy z\n");
    }

    #[test]
    fn wrapping_keeps_words_and_indents_what_follows() {
        assert_eq!(wrap("one two three four", 18, 2), "one two three\n  four");
        assert_eq!(wrap("", 18, 2), "");
    }
}
