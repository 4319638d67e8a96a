//! A disk that fills up: what is written ahead serves on, and what was acknowledged stays.

use super::*;
use crate::{Access, DiskFile, Fatal};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// A disk on which, once it is full, no file grows.
#[derive(Clone)]
struct Filling {
    disk: SimDisk,
    full: Arc<AtomicBool>,
}

struct FillingFile {
    file: <SimDisk as Disk>::File,
    full: Arc<AtomicBool>,
}

impl Filling {
    fn new() -> Self {
        Self {
            disk: SimDisk::new(),
            full: Arc::default(),
        }
    }

    fn set(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    fn file(&self, file: <SimDisk as Disk>::File) -> FillingFile {
        FillingFile {
            file,
            full: self.full.clone(),
        }
    }
}

impl Disk for Filling {
    type File = FillingFile;

    fn open(&self, path: &str, access: Access) -> io::Result<FillingFile> {
        Ok(self.file(self.disk.open(path, access)?))
    }
    fn create(&self, path: &str) -> io::Result<FillingFile> {
        Ok(self.file(self.disk.create(path)?))
    }
    fn create_dir(&self, path: &str) -> io::Result<()> {
        self.disk.create_dir(path)
    }
    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.disk.sync_dir(dir)
    }
}

impl DiskFile for FillingFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let grows = offset + bytes.len() as u64 > self.file.len()?;
        if grows && self.full.load(Ordering::SeqCst) {
            return Err(io::Error::from_raw_os_error(28));
        }
        self.file.write_at(bytes, offset)
    }
    fn set_len(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }
    fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
}

#[test]
fn segments_written_ahead_serve_on_a_full_disk_and_then_it_stops_whole() {
    let disk = Filling::new();
    let mut journal = create(disk.clone());
    while let Some(job) = journal.prepare_ahead() {
        job.run(|| {}).unwrap();
    }
    assert_eq!(journal.reserve().0, 2);
    disk.set(true);

    let (mut acknowledged, mut rolls) = (journal.size(), 0);
    let why = loop {
        let before = journal.reserve().0;
        // The half-written spare of a full disk keeps nothing of the room that is left.
        if let Some(job) = journal.prepare_ahead() {
            assert!(job.run(|| {}).is_err());
            for spare in ["journal/spare-0.tmp", "journal/spare-1.tmp"] {
                let left = disk.disk.content(spare).unwrap_or_default();
                assert!(left.is_empty(), "{spare}");
            }
        }
        match journal.append(vec![step(vec![record(acknowledged, 3000, 7)])]) {
            Ok((written, _)) => {
                journal = written;
                acknowledged = journal.size();
                rolls += before - journal.reserve().0;
            }
            Err(why) => break why,
        }
    };
    assert_eq!(rolls, 2, "both spares were used");
    assert!(matches!(&why, Fatal::Io { source, .. } if source.raw_os_error() == Some(28)));
    assert!(disk.disk.content("journal/next.tmp").unwrap().is_empty());

    // Once there is room it starts again and goes on.
    disk.set(false);
    let (journal, found) = Journal::open(disk.clone(), SMALL).unwrap();
    assert_eq!(found.size, acknowledged, "what was acknowledged stays");
    let (journal, _) = journal
        .append(vec![step(vec![record(9, 3000, 7)])])
        .unwrap();
    assert_eq!(journal.size(), acknowledged + 1);
}
