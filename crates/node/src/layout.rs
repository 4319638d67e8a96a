//! Where things lie in a data directory, and who may hold it.

use abeng_wire::{limits, v1::TrustBundle};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The paths of one data directory.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Of this directory.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The directory itself; `journal/` and `tiles/` lie below it.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Encrypted keyring.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// Root, roster, freshness and seal keys as received.
    pub fn trust(&self) -> PathBuf {
        self.root.join("trust").join("bundle.pb")
    }

    /// What was spent today on metered paths.
    pub fn budget(&self) -> PathBuf {
        self.root.join("budget.json")
    }

    /// The journal: the truth.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// The view: may be deleted at any time while the node is stopped.
    pub fn view(&self) -> PathBuf {
        self.root.join("view")
    }

    /// Makes a directory of mode 0700, with its parents.
    pub fn create_dir(path: &Path) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
    }

    /// Reads the trust bundle; its contents are not believed before they are verified.
    pub fn read_trust(&self) -> io::Result<TrustBundle> {
        read_bundle(&self.trust())
    }

    /// Replaces the trust bundle as one step: old or new after any crash, never a part.
    pub fn write_trust(&self, bundle: &TrustBundle) -> io::Result<()> {
        let path = self.trust();
        let dir = path.parent().unwrap_or(&self.root).to_owned();
        Self::create_dir(&dir)?;
        replace(&path, &abeng_wire::encode(bundle), 0o600)
    }
}

/// Whether a path lies in this directory, a canonical one, or would if it were made.
pub(crate) fn lies_in(path: &Path, dir: &Path) -> io::Result<bool> {
    let mut there = std::path::absolute(path)?;
    // What is not there yet is no link: the part above it says where it will be.
    while !there.try_exists()? && there.pop() {}
    Ok(there.canonicalize()?.starts_with(dir))
}

/// A trust bundle from a file; its contents are not believed before they are verified.
pub(crate) fn read_bundle(path: &Path) -> io::Result<TrustBundle> {
    let bytes = fs::read(path)?;
    abeng_wire::decode("trust bundle", &bytes.into(), limits::TRUST_BUNDLE)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no trust bundle"))
}

/// Writes a file beside its final place, syncs it, renames it, syncs the directory.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let staged = path.with_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(mode)
        .open(&staged)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&staged, path)?;
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_path_will_lie_is_known_before_it_is_made() {
        let temp = tempfile::tempdir().unwrap();
        let (data, out) = (temp.path().join("jm"), temp.path().join("jm-out"));
        fs::create_dir(&data).unwrap();
        let real = data.canonicalize().unwrap();
        std::os::unix::fs::symlink(&data, temp.path().join("link")).unwrap();
        for within in [data.clone(), data.join("a/b"), temp.path().join("link/a")] {
            assert!(lies_in(&within, &real).unwrap(), "{within:?}");
        }
        for other in [&out, &out.join("a"), temp.path(), &data.join("../b")] {
            assert!(!lies_in(other, &real).unwrap(), "{other:?}");
        }
        assert_eq!(
            fs::read_dir(temp.path()).unwrap().count(),
            2,
            "nothing is made"
        );
    }

    #[test]
    fn trust_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        assert_eq!(
            layout.read_trust().unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
        layout.write_trust(&TrustBundle::default()).unwrap();
        assert_eq!(layout.read_trust().unwrap(), TrustBundle::default());
        fs::write(layout.trust(), b"\xff\xff").unwrap();
        assert_eq!(
            layout.read_trust().unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }
}
