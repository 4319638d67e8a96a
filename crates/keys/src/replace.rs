//! Files with secrets that take the place of others: what was there is overwritten, as far as the
//! file system and the disk let it be. A disk that writes elsewhere (an SSD, a file system that copies
//! on write, a snapshot) keeps it until it uses the place again; so does a power cut in that moment.

use crate::{KeyringError, rest::io};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self as sys, ErrorKind, Seek, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

/// Bytes overwritten at a time.
const PIECE: usize = 64 * 1024;

/// Writes a file of mode 0600 in the place of whatever is there, as one step: the old content or the
/// new, never a mixture. The old one is then overwritten. The directory is made where missing.
pub fn replace_secret(file: &Path, content: &[u8]) -> Result<(), KeyringError> {
    let dir = file.parent().unwrap_or(Path::new("."));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(io("create", dir))?;
    let fresh = file.with_extension("new");
    // One left over from a crash may have any mode: a file made now has the right one.
    remove_secret(&fresh)?;
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)
        .map_err(io("create", &fresh))?;
    out.write_all(content)
        .and_then(|()| out.sync_all())
        .map_err(io("write", &fresh))?;
    put_secret(&fresh, file)
}

/// Renames a file to where another one is, and overwrites that.
pub(crate) fn put_secret(fresh: &Path, file: &Path) -> Result<(), KeyringError> {
    let old = Doomed::open(file);
    fs::rename(fresh, file).map_err(io("put in place", file))?;
    sync_dir(file)?;
    old.wipe();
    Ok(())
}

/// Removes a file, which need not be there, and overwrites what it held.
pub fn remove_secret(file: &Path) -> Result<(), KeyringError> {
    let old = Doomed::open(file);
    match fs::remove_file(file) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        done => done.map_err(io("remove", file))?,
    }
    sync_dir(file)?;
    old.wipe();
    Ok(())
}

fn sync_dir(file: &Path) -> Result<(), KeyringError> {
    let dir = file.parent().unwrap_or(Path::new("."));
    File::open(dir)
        .and_then(|d| d.sync_all())
        .map_err(io("sync", dir))
}

/// A file that is about to lose its name.
struct Doomed(Option<File>);

impl Doomed {
    /// What cannot be opened cannot be overwritten, and is no reason to keep it in place.
    fn open(file: &Path) -> Self {
        Self(OpenOptions::new().write(true).open(file).ok())
    }

    /// Overwrites it, unless it has another name still: a link to it is somebody's copy.
    fn wipe(self) {
        let Some(mut file) = self.0 else { return };
        // The new content is in place by now, which is what callers must know.
        let _ = wipe(&mut file);
    }
}

fn wipe(file: &mut File) -> sys::Result<()> {
    let about = file.metadata()?;
    if about.nlink() > 0 || !about.is_file() {
        return Ok(());
    }
    file.rewind()?;
    let zeros = [0; PIECE];
    let mut left = about.len();
    while left > 0 {
        let piece = left.min(PIECE as u64) as usize;
        file.write_all(&zeros[..piece])?;
        left -= piece as u64;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn content(file: &mut File) -> Vec<u8> {
        let mut out = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn what_was_there_is_overwritten_when_it_is_replaced_or_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keyring.age");
        let long = vec![7; PIECE + 3];
        replace_secret(&path, &long).unwrap();
        let mut old = File::open(&path).unwrap();
        replace_secret(&path, b"new").unwrap();
        assert_eq!(content(&mut old), vec![0; long.len()]);
        assert_eq!(fs::read(&path).unwrap(), b"new");
        let mut old = File::open(&path).unwrap();
        remove_secret(&path).unwrap();
        assert_eq!(content(&mut old), [0; 3]);
        remove_secret(&path).unwrap();
        // One that a crash left half put in place, too.
        let fresh = path.with_extension("new");
        fs::write(&fresh, "left").unwrap();
        let mut left = File::open(&fresh).unwrap();
        replace_secret(&path, b"new").unwrap();
        assert_eq!(content(&mut left), [0; 4]);
        assert!(!fresh.exists());
    }

    #[test]
    fn a_copy_by_another_name_is_nobodys_to_overwrite() {
        let dir = tempfile::tempdir().unwrap();
        let (path, copy) = (dir.path().join("keyring.age"), dir.path().join("copy"));
        let (link, real) = (dir.path().join("link"), dir.path().join("real"));
        fs::write(&path, "old").unwrap();
        fs::hard_link(&path, &copy).unwrap();
        replace_secret(&path, b"new").unwrap();
        assert_eq!(fs::read(&copy).unwrap(), b"old");
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        replace_secret(&link, b"new").unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"old");
        assert_eq!(fs::read(&link).unwrap(), b"new");
    }
}
