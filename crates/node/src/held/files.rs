//! `DATA/held/`: one file a submission, `<id>.<mark>`. What is being done about it is in its name, so that
//! a step is one rename. All calls may block.

use crate::layout::{Layout, replace};
use abeng_keys::{Entropy, SystemEntropy};
use abeng_wire::limits;
use std::{
    fmt,
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// Directory of held submissions, in a data directory and in a backup.
pub const DIR: &str = "held";
/// What `replace` has not brought to its end.
const STAGED: &str = "new";
/// The longest file that is read, in bytes: a request, its files and what wraps them.
const LONGEST: u64 = 2 * limits::API_REQUEST as u64;

/// Names a submission that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldId(pub [u8; 16]);

impl HeldId {
    /// A new one, of 128 random bits.
    pub fn fresh() -> Self {
        let mut id = [0; 16];
        SystemEntropy.fill(&mut id);
        Self(id)
    }

    /// Reads 32 lower-case hex digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let id = u128::from_str_radix(text, 16).ok()?;
        let id = Self(id.to_be_bytes());
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for HeldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// What is being done about a submission, as far as the disk knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// It waits.
    Held,
    /// Its leaf may not be durable.
    Coming,
    /// It is being denied; the log had so many leaves before.
    Denying(u64),
    /// It is being sent; the log had so many leaves before.
    Granting(u64),
}

impl Mark {
    fn parse(text: &str) -> Option<Self> {
        let size = |text: &str| text.parse().ok();
        match (text, text.split_once('-')) {
            ("held", _) => Some(Self::Held),
            ("coming", _) => Some(Self::Coming),
            (_, Some(("denying", n))) => size(n).map(Self::Denying),
            (_, Some(("granting", n))) => size(n).map(Self::Granting),
            _ => None,
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => f.write_str("held"),
            Self::Coming => f.write_str("coming"),
            Self::Denying(size) => write!(f, "denying-{size}"),
            Self::Granting(size) => write!(f, "granting-{size}"),
        }
    }
}

/// The directory.
#[derive(Debug, Clone)]
pub struct Files {
    dir: PathBuf,
}

impl Files {
    /// Of a data directory. What was never whole is deleted: nobody was told of it.
    pub fn open(layout: &Layout) -> io::Result<Self> {
        let dir = layout.root().join(DIR);
        Layout::create_dir(&dir)?;
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == STAGED) {
                fs::remove_file(path)?;
            }
        }
        Ok(Self { dir })
    }

    /// What lies there, each once. Where there are two of one id, the one that says more was done.
    pub fn list(&self) -> io::Result<Vec<(HeldId, Mark)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let name = entry?.file_name();
            found.extend(name.to_str().and_then(parse));
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.dedup_by_key(|(id, _)| *id);
        found.reverse();
        Ok(found)
    }

    /// Where one lies.
    pub fn path(&self, id: HeldId, mark: Mark) -> PathBuf {
        self.dir.join(format!("{id}.{mark}"))
    }

    /// Writes one whole, synced with its directory.
    pub fn write(&self, id: HeldId, mark: Mark, bytes: &[u8]) -> io::Result<()> {
        replace(&self.path(id, mark), bytes, 0o600)
    }

    /// Reads one.
    pub fn read(&self, id: HeldId, mark: Mark) -> io::Result<Vec<u8>> {
        let path = self.path(id, mark);
        match fs::metadata(&path)?.len() > LONGEST {
            true => Err(io::Error::new(ErrorKind::InvalidData, "it is too long")),
            false => fs::read(path),
        }
    }

    /// Says what is being done about one, durably.
    pub fn mark(&self, id: HeldId, from: Mark, to: Mark) -> io::Result<()> {
        if from != to {
            fs::rename(self.path(id, from), self.path(id, to))?;
        }
        self.sync()
    }

    /// Deletes all that is there of one, durably.
    pub fn remove(&self, id: HeldId) -> io::Result<()> {
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name();
            if name
                .to_str()
                .and_then(parse)
                .is_some_and(|(of, _)| of == id)
            {
                fs::remove_file(entry.path())?;
            }
        }
        self.sync()
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }
}

fn parse(name: &str) -> Option<(HeldId, Mark)> {
    let (id, mark) = name.split_once('.')?;
    Some((HeldId::from_hex(id)?, Mark::parse(mark)?))
}

/// What to do about files of a copy that are not in its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// Delete them: the copy is brought up to date.
    Delete,
    /// Keep them.
    Keep,
}

/// Copies what waits into a backup; bytes written. A node may run meanwhile and rename or delete.
pub fn copy(data: &Path, out: &Path, gone: Gone) -> io::Result<u64> {
    let (from, to) = (data.join(DIR), out.join(DIR));
    if !from.is_dir() && !to.is_dir() {
        return Ok(0);
    }
    Layout::create_dir(&to)?;
    let names = |dir: &Path| -> io::Result<Vec<String>> {
        match fs::read_dir(dir) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            entries => {
                let names = entries?.flatten().map(|e| e.file_name());
                let names = names.filter_map(|name| name.into_string().ok());
                Ok(names.filter(|name| parse(name).is_some()).collect())
            }
        }
    };
    let (there, before) = (names(&from)?, names(&to)?);
    let mut written = 0;
    for name in &there {
        let bytes = match fs::read(from.join(name)) {
            // Decided, or under another mark: the second round finds it.
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            bytes => bytes?,
        };
        if !fs::read(to.join(name)).is_ok_and(|old| old == bytes) {
            written += bytes.len() as u64;
            replace(&to.join(name), &bytes, 0o600)?;
        }
    }
    for name in before.iter().filter(|_| gone == Gone::Delete) {
        if !there.contains(name) {
            fs::remove_file(to.join(name))?;
        }
    }
    File::open(&to)?.sync_all()?;
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_rename_and_the_graver_mark_counts() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        let files = Files::open(&layout).unwrap();
        let (a, b) = (HeldId([1; 16]), HeldId([2; 16]));
        files.write(a, Mark::Coming, b"a").unwrap();
        files.mark(a, Mark::Coming, Mark::Held).unwrap();
        files.write(b, Mark::Held, b"b").unwrap();
        files.write(b, Mark::Granting(7), b"b").unwrap();
        fs::write(dir.path().join("held/x.new"), b"half").unwrap();
        fs::write(dir.path().join("held/notes.txt"), b"").unwrap();
        let files = Files::open(&layout).unwrap();
        let list = files.list().unwrap();
        assert_eq!(list, [(a, Mark::Held), (b, Mark::Granting(7))]);
        assert!(!dir.path().join("held/x.new").exists());
        assert_eq!(files.read(a, Mark::Held).unwrap(), b"a");
        files.remove(b).unwrap();
        assert_eq!(files.list().unwrap(), [(a, Mark::Held)]);
        use std::os::unix::fs::MetadataExt;
        let mode = fs::metadata(files.path(a, Mark::Held)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_copy_follows_and_forgets_nothing_in_its_second_round() {
        let (data, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_eq!(copy(data.path(), out.path(), Gone::Delete).unwrap(), 0);
        let files = Files::open(&Layout::new(data.path())).unwrap();
        let (a, b) = (HeldId([1; 16]), HeldId([2; 16]));
        files.write(a, Mark::Held, b"aa").unwrap();
        assert_eq!(copy(data.path(), out.path(), Gone::Delete).unwrap(), 2);
        assert_eq!(copy(data.path(), out.path(), Gone::Delete).unwrap(), 0);
        files.remove(a).unwrap();
        files.write(b, Mark::Held, b"b").unwrap();
        assert_eq!(copy(data.path(), out.path(), Gone::Keep).unwrap(), 1);
        let there = Files::open(&Layout::new(out.path())).unwrap();
        assert_eq!(there.list().unwrap().len(), 2);
        copy(data.path(), out.path(), Gone::Delete).unwrap();
        assert_eq!(there.list().unwrap(), [(b, Mark::Held)]);
    }
}
