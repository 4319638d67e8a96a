use super::{BlobError, Blobs, create, remove, sync_dir};
use abeng_seal::{AttachmentRef, Pieces};
use abeng_wire::limits;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
};

/// Pieces between two syncs: what a power failure can cost is fetched again.
const SYNC_EVERY: u64 = 8;

/// A blob that is coming. Its pieces lie there from the first on, each verified.
#[derive(Debug)]
pub struct Partial {
    file: File,
    pieces: Pieces,
    good: u64,
}

impl Partial {
    /// How many pieces are there: also the next one to come.
    pub fn good(&self) -> u64 {
        self.good
    }

    /// What is coming.
    pub fn of(&self) -> AttachmentRef {
        self.pieces.of()
    }

    /// Takes the next piece. An error that is [`BlobError::Damaged`] is the sender's fault.
    pub fn put(&mut self, piece: &[u8]) -> Result<(), BlobError> {
        self.pieces
            .check(self.good, piece)
            .map_err(|_| BlobError::Damaged)?;
        self.file.write_all(piece)?;
        self.good += 1;
        if self.good.is_multiple_of(SYNC_EVERY) {
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Whether all pieces are there.
    pub fn is_whole(&self) -> bool {
        self.good == self.pieces.of().pieces()
    }
}

impl Blobs {
    /// Begins to take one whose list of hashes has just come.
    pub fn begin(&self, pieces: Pieces) -> io::Result<Partial> {
        let path = self.part_path(&pieces.of().root);
        self.write_list(&pieces)?;
        remove(&path)?;
        let file = create(&path)?;
        Ok(Partial {
            file,
            pieces,
            good: 0,
        })
    }

    /// Goes on with one that broke off, behind the last piece that is good; `None` where its list
    /// is not here.
    pub fn resume(&self, of: AttachmentRef) -> io::Result<Option<Partial>> {
        let Some(pieces) = self.read_list(of) else {
            return Ok(None);
        };
        let path = self.part_path(&of.root);
        let opened = OpenOptions::new().read(true).write(true).open(&path);
        let mut file = match opened {
            Err(e) if e.kind() == ErrorKind::NotFound => create(&path)?,
            opened => opened?,
        };
        let length = file.metadata()?.len();
        let mut good = 0;
        let mut piece = vec![0; limits::ATTACHMENT_PIECE];
        while good < of.pieces() {
            let wanted = of.piece_len(good);
            let at = good * limits::ATTACHMENT_PIECE as u64;
            if length < at + wanted as u64 {
                break;
            }
            file.read_exact(&mut piece[..wanted])?;
            if pieces.check(good, &piece[..wanted]).is_err() {
                break;
            }
            good += 1;
        }
        let end = (good * limits::ATTACHMENT_PIECE as u64).min(of.length);
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        Ok(Some(Partial { file, pieces, good }))
    }

    /// Makes a whole blob of one whose last piece has come.
    pub fn complete(&self, partial: Partial) -> Result<(), BlobError> {
        if !partial.is_whole() {
            return Err(BlobError::Absent);
        }
        let of = partial.of();
        partial.file.sync_all()?;
        let to = self.path(&of.root);
        fs::rename(self.part_path(&of.root), &to)?;
        sync_dir(&to)?;
        Ok(())
    }
}
