//! A file that is written beside its place and takes it only when it is whole, so that nobody takes
//! a part for the whole. It takes the place of nothing but a file.

use crate::{
    CliError, Ui,
    texts::{Places, fill},
};
use abeng_notice::printable;
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// Why a file does not take its place.
#[derive(Debug)]
pub(crate) enum NotWritten {
    /// There is a file, and nobody has said that it may go.
    Exists,
    /// There is a directory.
    Directory,
    /// There is something that is neither.
    NoFile,
    /// There is a link to nothing.
    DeadLink,
    /// The operating system.
    Io(io::Error),
}

impl From<io::Error> for NotWritten {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

impl NotWritten {
    /// In the reader's words. `room` is what to try where the place is one, and cannot be written to.
    pub(crate) fn told(&self, place: &Path, room: &str, ui: &Ui) -> CliError {
        let t = Places::of(ui.error_lang());
        let file = printable(&place.display().to_string());
        let say = |text| fill(text, &[("file", &file)]);
        let (told, hint) = match self {
            Self::Exists => (say(t.exists), t.force),
            Self::Directory => (say(t.directory), t.another),
            Self::NoFile => (say(t.no_file), t.another),
            Self::DeadLink => (say(t.dead_link), t.another),
            Self::Io(e) => {
                let why = match e.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => t.absent.to_owned(),
                    io::ErrorKind::PermissionDenied => t.forbidden.to_owned(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => t.full.to_owned(),
                    io::ErrorKind::ReadOnlyFilesystem => t.read_only.to_owned(),
                    _ => bare(e),
                };
                (fill(t.cannot, &[("file", &file), ("why", &why)]), room)
            }
        };
        CliError::usage(told).with_try(hint)
    }
}

/// What went wrong, without the name of the file beside the place, which says nothing to anybody.
fn bare(e: &io::Error) -> String {
    match e.raw_os_error() {
        Some(_) => e.to_string(),
        None => e.kind().to_string(),
    }
}

/// Whether a file may be written to this place, and where it is where links lead to it.
pub(crate) fn may_take(place: &Path, over_files: Over) -> Result<PathBuf, NotWritten> {
    let there = match place.symlink_metadata() {
        Ok(there) => there,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(place.to_owned()),
        Err(e) => return Err(e.into()),
    };
    let leads_to = match place.metadata() {
        Ok(leads_to) => leads_to,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(NotWritten::DeadLink),
        Err(e) => return Err(e.into()),
    };
    if leads_to.is_dir() {
        return Err(NotWritten::Directory);
    }
    if !leads_to.is_file() {
        return Err(NotWritten::NoFile);
    }
    match over_files {
        Over::Nothing => Err(NotWritten::Exists),
        // The file, not the link to it.
        Over::Files if there.is_symlink() => Ok(fs::canonicalize(place)?),
        Over::Files => Ok(place.to_owned()),
    }
}

/// What a file may take the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// Of nothing.
    Nothing,
    /// Of another file.
    Files,
}

impl Over {
    /// As `--force` says.
    pub(crate) fn forced(force: bool) -> Self {
        if force { Self::Files } else { Self::Nothing }
    }
}

/// A file beside its place, readable by its owner alone.
pub(crate) struct Staged {
    part: NamedTempFile,
    place: PathBuf,
    over: Over,
}

impl Staged {
    /// Beside a place that it may take.
    pub(crate) fn beside(place: &Path, over: Over) -> Result<Self, NotWritten> {
        let place = may_take(place, over)?;
        let dir = directory(&place);
        if !fs::metadata(dir)?.is_dir() {
            return Err(io::Error::from(io::ErrorKind::NotADirectory).into());
        }
        let part = tempfile::Builder::new()
            .prefix(".abeng-")
            .tempfile_in(dir)?;
        Ok(Self { part, place, over })
    }

    /// Writes on.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), NotWritten> {
        Ok(self.part.as_file_mut().write_all(bytes)?)
    }

    /// Syncs it and gives it its place.
    pub(crate) fn keep(self) -> Result<(), NotWritten> {
        self.part.as_file().sync_all()?;
        // Something else may have come there meanwhile.
        may_take(&self.place, self.over)?;
        let kept = match self.over {
            Over::Files => self.part.persist(&self.place),
            // Some file systems of sticks cannot rename without replacing in one step.
            Over::Nothing => match self.part.persist_noclobber(&self.place) {
                Err(e) if e.error.kind() != io::ErrorKind::AlreadyExists => {
                    may_take(&self.place, self.over)?;
                    e.file.persist(&self.place)
                }
                kept => kept,
            },
        };
        match kept {
            Ok(_) => {}
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(NotWritten::Exists);
            }
            Err(e) => return Err(e.error.into()),
        }
        // The name too must last; not every file system of a stick lets a directory be synced.
        let _ = File::open(directory(&self.place)).and_then(|dir| dir.sync_all());
        Ok(())
    }
}

fn directory(place: &Path) -> &Path {
    match place.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::plain;
    use abeng_notice::Lang;
    use std::os::unix::{fs::symlink, net::UnixListener};

    fn put(place: &Path, over: Over) -> Result<(), NotWritten> {
        let mut staged = Staged::beside(place, over)?;
        staged.write(b"new")?;
        staged.keep()
    }

    #[test]
    fn nothing_but_a_file_is_written_over_and_no_file_unasked() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        put(&at("new"), Over::Nothing).unwrap();
        let again = put(&at("new"), Over::Nothing).unwrap_err();
        assert!(matches!(again, NotWritten::Exists), "{again:?}");
        put(&at("new"), Over::Files).unwrap();

        let _socket = UnixListener::bind(at("socket")).unwrap();
        symlink(at("socket"), at("to-socket")).unwrap();
        symlink(at("nowhere"), at("dead")).unwrap();
        for over in [Over::Nothing, Over::Files] {
            for odd in ["socket", "to-socket"].map(at) {
                let refused = put(&odd, over).unwrap_err();
                assert!(
                    matches!(refused, NotWritten::NoFile),
                    "{odd:?}: {refused:?}"
                );
                assert!(!odd.metadata().unwrap().is_file(), "{odd:?}");
            }
            let refused = put(dir.path(), over).unwrap_err();
            assert!(matches!(refused, NotWritten::Directory), "{refused:?}");
            let refused = put(&at("dead"), over).unwrap_err();
            assert!(matches!(refused, NotWritten::DeadLink), "{refused:?}");
        }
        // What a link leads to is written, and the link stays one.
        symlink(at("new"), at("link")).unwrap();
        fs::write(at("new"), "old").unwrap();
        put(&at("link"), Over::Files).unwrap();
        assert_eq!(fs::read(at("new")).unwrap(), b"new");
        assert!(at("link").symlink_metadata().unwrap().is_symlink());
        let left = fs::read_dir(dir.path()).unwrap();
        let mut names = left.map(|e| e.unwrap().file_name().into_string().unwrap());
        assert!(names.all(|name| !name.starts_with('.')));
    }

    #[test]
    fn what_goes_wrong_names_the_place_and_never_the_file_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("absent").join("x");
        for lang in Lang::ALL {
            let why = put(&place, Over::Nothing).unwrap_err();
            let told = why.told(&place, "room", &plain(lang)).message;
            assert!(
                told.contains("absent/x") && !told.contains(".abeng"),
                "{told}"
            );
            assert!(!told.contains("os error"), "{told}");
        }
        let made_up = io::Error::other("broken at path \"/media/.abeng-1\"");
        let told = NotWritten::Io(made_up).told(&place, "room", &plain(Lang::En));
        assert!(!told.message.contains(".abeng"), "{told}");
        let link = dir.path().join("link");
        symlink("/dev/null", &link).unwrap();
        let why = may_take(&link, Over::Files).unwrap_err();
        let told = why.told(&link, "room", &plain(Lang::En));
        assert!(told.message.contains("link is a device"), "{told}");
    }
}
