//! What of a journal is written ahead of use, and so is no growth yet.

use std::{fs, io, os::unix::fs::FileExt, path::Path};

/// Bytes of a journal's files that are written with zeros ahead of use: whole segments, and the rest of
/// the one in use. They were no growth yet.
pub(crate) fn prepared(journal: &Path) -> io::Result<u64> {
    let (mut bytes, mut newest) = (0, String::new());
    for entry in fs::read_dir(journal)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(SPARE) {
            bytes += entry.metadata()?.len();
        } else if let Some(segment) = name.strip_suffix(SEGMENT)
            // `.` sorts after `-`, but the plain name comes first.
            && segment >= newest.trim_end_matches(SEGMENT)
        {
            newest = name;
        }
    }
    let Written { length, written } = Written::look(&journal.join(newest))?;
    Ok(bytes + (length - written))
}

/// How far a file is written, up to its last page that is not all zero. What is written is one
/// stretch from its beginning.
struct Written {
    length: u64,
    written: u64,
}

impl Written {
    fn look(path: &Path) -> io::Result<Self> {
        let file = fs::File::open(path)?;
        let length = file.metadata()?.len();
        let mut page = [0; PAGE as usize];
        let (mut low, mut high) = (0, length / PAGE);
        while low < high {
            let middle = low + (high - low) / 2;
            file.read_exact_at(&mut page, middle * PAGE)?;
            match page.iter().all(|&byte| byte == 0) {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        let written = low * PAGE;
        Ok(Self { length, written })
    }
}

/// Names in a journal's directory.
const SPARE: &str = "spare-";
const SEGMENT: &str = ".seg";
/// A batch of the journal begins at one, and fills it.
const PAGE: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_ahead_is_no_growth() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, written: usize| {
            let mut bytes = vec![1; written];
            bytes.resize(16 * 4096, 0);
            fs::write(dir.path().join(name), bytes).unwrap();
        };
        file("00000000000000000000.seg", 16 * 4096);
        file("00000000000000000100-00000000000000000009.seg", 4096);
        file("00000000000000000100.seg", 16 * 4096);
        file("00000000000000000200.seg", 3 * 4096 + 7);
        file("spare-0", 0);
        file("key", 0);
        assert_eq!(prepared(dir.path()).unwrap(), (16 + 12) * 4096);
        for pages in [0, 1, 15, 16] {
            file("00000000000000000200.seg", pages * 4096);
            let ahead = (16 + 16 - pages as u64) * 4096;
            assert_eq!(prepared(dir.path()).unwrap(), ahead);
        }
    }
}
