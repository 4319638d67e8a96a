//! What lies in a data directory, byte for byte. Journals are files of mostly zeros: only pages
//! that hold something are kept and looked at.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

const PAGE: usize = 4096;
const BATCH_MAGIC: &[u8] = b"ABNGBAT1";

/// Every file below a directory: its length and its pages that are not zero.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<PathBuf, (usize, BTreeMap<usize, Vec<u8>>)>);

impl Snapshot {
    pub fn of(dir: &Path) -> Self {
        let mut files = BTreeMap::new();
        each_file(dir, &mut |path, content| {
            let pages = content.chunks(PAGE).enumerate();
            let pages = pages.filter(|(_, page)| *page != &[0; PAGE][..page.len()]);
            let pages = pages.map(|(nth, page)| (nth, page.to_vec())).collect();
            files.insert(
                path.strip_prefix(dir).unwrap().to_owned(),
                (content.len(), pages),
            );
        });
        assert!(!files.is_empty(), "nothing in {}", dir.display());
        Self(files)
    }

    /// Whether a file of this name was there.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(Path::new(name))
    }

    /// Panics with the names of the files that differ, not with their content.
    #[track_caller]
    pub fn unchanged(&self, dir: &Path) {
        let now = Self::of(dir);
        let names: std::collections::BTreeSet<_> = self.0.keys().chain(now.0.keys()).collect();
        let differ: Vec<_> = names
            .iter()
            .filter(|n| self.0.get(**n) != now.0.get(**n))
            .collect();
        assert!(differ.is_empty(), "changed: {differ:?}");
    }
}

/// The files below a directory in which these bytes lie.
pub fn files_with(dir: &Path, needle: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    each_file(dir, &mut |path, content| {
        // A needle that holds no page of zeros lies in a run of pages that are not zero.
        let mut run = Vec::new();
        let mut hit = false;
        for page in content.chunks(PAGE) {
            if page == &[0; PAGE][..page.len()] {
                hit |= contains(&run, needle);
                run.clear();
            } else {
                run.extend_from_slice(page);
            }
        }
        if hit || contains(&run, needle) {
            found.push(path.to_owned());
        }
    });
    found
}

/// The file of a journal's only segment.
pub fn segment(home: &Path) -> PathBuf {
    home.join("journal").join(format!("{:020}.seg", 0))
}

/// Offset and length of each batch in the first segment.
pub fn batches(home: &Path) -> Vec<(u64, u64)> {
    let content = fs::read(segment(home)).unwrap();
    let pages = content.chunks(PAGE).enumerate();
    let heads = pages.filter(|(_, page)| page.starts_with(BATCH_MAGIC));
    let heads = heads.map(|(nth, page)| {
        let length = u64::from_be_bytes(page[32..40].try_into().unwrap());
        ((nth * PAGE) as u64, length)
    });
    heads.collect()
}

/// Changes bytes of a file in place.
pub fn edit(path: &Path, at: u64, length: usize, change: impl FnOnce(&mut [u8])) {
    let file = fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, at).unwrap();
    change(&mut bytes);
    file.write_all_at(&bytes, at).unwrap();
}

/// Copies a directory with all it holds.
pub fn copy_dir(from: &Path, to: &Path) {
    each_file(from, &mut |path, content| {
        let to = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(&to, content).unwrap();
        fs::set_permissions(&to, fs::metadata(path).unwrap().permissions()).unwrap();
    });
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|bytes| bytes == needle)
}

fn each_file(dir: &Path, see: &mut dyn FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_dir() {
            each_file(&path, see);
        } else if kind.is_file() {
            see(&path, &fs::read(&path).unwrap());
        }
    }
}
