//! What the journal needs of a directory.

#[allow(
    clippy::disallowed_methods,
    reason = "the one place of this crate that knows files"
)]
mod real;
#[cfg(any(test, feature = "sim"))]
pub mod sim;

pub use real::{DirLock, RealDisk};

use std::io;

/// A directory with all that lies below it. Paths are relative, with `/`, and never leave it.
///
/// The contract is POSIX's, weakened to what a power cut leaves: a write is durable only after
/// [`DiskFile::sync_data`] of its file, a created or renamed name only after [`Disk::sync_dir`] of
/// its directory; until then each 512-byte sector is old or new on its own.
pub trait Disk: Send + Sync + 'static {
    /// An open file.
    type File: DiskFile;

    /// Opens an existing file.
    fn open(&self, path: &str, access: Access) -> io::Result<Self::File>;
    /// Creates an empty file for reading and writing, or empties the one that is there. Readable
    /// by its owner alone.
    fn create(&self, path: &str) -> io::Result<Self::File>;
    /// Creates a directory and its parents; one that exists is no error.
    fn create_dir(&self, path: &str) -> io::Result<()>;
    /// Names of the files in a directory, sorted; a directory that does not exist is empty.
    fn list(&self, dir: &str) -> io::Result<Vec<String>>;
    /// Gives a file another name in one step, replacing what had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &str) -> io::Result<()>;
}

/// What an opened file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading alone.
    Read,
    /// Reading and writing.
    Write,
}

/// An open file.
pub trait DiskFile: Send + Sync + 'static {
    /// Reads up to `buf.len()` bytes at `offset`; fewer only at the end of the file.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes` at `offset`, lengthening the file where needed.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Sets the length in bytes.
    fn set_len(&self, length: u64) -> io::Result<()>;
    /// Makes content and length durable (`fdatasync`).
    fn sync_data(&self) -> io::Result<()>;
    /// Makes content and all metadata durable (`fsync`).
    fn sync_all(&self) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// True where the length is 0.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// Reads a small file whole; `None` where it does not exist.
pub(crate) fn read_small<D: Disk>(disk: &D, path: &str) -> io::Result<Option<Vec<u8>>> {
    let file = match disk.open(path, Access::Read) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut buf = vec![0; file.len()?.min(1 << 20) as usize];
    let mut filled = 0;
    while filled < buf.len() {
        match file.read_at(&mut buf[filled..], filled as u64)? {
            0 => break,
            n => filled += n,
        }
    }
    buf.truncate(filled);
    Ok(Some(buf))
}

/// Replaces a small file as one durable step: written beside, synced, renamed, directory synced.
pub(crate) fn replace_small<D: Disk>(
    disk: &D,
    dir: &str,
    name: &str,
    bytes: &[u8],
) -> io::Result<()> {
    let temporary = format!("{dir}/{name}.tmp");
    let file = disk.create(&temporary)?;
    file.write_at(bytes, 0)?;
    file.sync_all()?;
    disk.rename(&temporary, &format!("{dir}/{name}"))?;
    disk.sync_dir(dir)
}

impl<F: DiskFile> DiskFile for std::sync::Arc<F> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buf, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        (**self).write_at(bytes, offset)
    }
    fn set_len(&self, length: u64) -> io::Result<()> {
        (**self).set_len(length)
    }
    fn sync_data(&self) -> io::Result<()> {
        (**self).sync_data()
    }
    fn sync_all(&self) -> io::Result<()> {
        (**self).sync_all()
    }
    fn len(&self) -> io::Result<u64> {
        (**self).len()
    }
}
