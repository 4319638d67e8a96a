use super::attached_len;
use abeng_wire::{Hash32, limits, v1};
use bytes::Bytes;
use ring::digest::{Context, SHA256};

const PIECE: u64 = limits::ATTACHMENT_PIECE as u64;

/// How an attachment is named: by the root over its pieces, and its length. TRL holds these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttachmentRef {
    /// RFC 6962 root over the hashes of the pieces.
    pub root: Hash32,
    /// Bytes of the ciphertext.
    pub length: u64,
}

impl AttachmentRef {
    /// From a message; `None` where it cannot name an attachment.
    pub fn from_wire(wire: &v1::AttachmentRef) -> Option<Self> {
        let root = wire.root[..].try_into().ok()?;
        attached_len(wire.length)?;
        Some(Self {
            root,
            length: wire.length,
        })
    }

    /// As a message.
    pub fn to_wire(&self) -> v1::AttachmentRef {
        v1::AttachmentRef {
            root: Bytes::copy_from_slice(&self.root),
            length: self.length,
        }
    }

    /// How many pieces it has.
    pub fn pieces(&self) -> u64 {
        self.length.div_ceil(PIECE)
    }

    /// Bytes of one piece; 0 where there is none.
    pub fn piece_len(&self, index: u64) -> usize {
        let rest = self.length.saturating_sub(index.saturating_mul(PIECE));
        rest.min(PIECE) as usize
    }
}

/// The hash of a piece: a leaf of the tree.
pub fn piece_hash(piece: &[u8]) -> Hash32 {
    let mut context = Context::new(&SHA256);
    context.update(&[0]);
    context.update(piece);
    taken(context)
}

fn taken(context: Context) -> Hash32 {
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// Hashes ciphertext as it is made.
pub struct PieceHasher {
    hashes: Vec<Hash32>,
    open: Context,
    // Bytes of the piece that is open.
    filled: usize,
    length: u64,
}

impl Default for PieceHasher {
    fn default() -> Self {
        Self {
            hashes: Vec::new(),
            open: opened(),
            filled: 0,
            length: 0,
        }
    }
}

fn opened() -> Context {
    let mut context = Context::new(&SHA256);
    context.update(&[0]);
    context
}

impl PieceHasher {
    /// The next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = limits::ATTACHMENT_PIECE - self.filled;
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.open.update(now);
            self.filled += now.len();
            if self.filled == limits::ATTACHMENT_PIECE {
                self.close();
            }
            bytes = later;
        }
    }

    fn close(&mut self) {
        let full = std::mem::replace(&mut self.open, opened());
        self.hashes.push(taken(full));
        self.filled = 0;
    }

    /// All pieces. The error says that no attachment is so long.
    pub fn finish(mut self) -> Result<Pieces, BadPieces> {
        if self.filled > 0 {
            self.close();
        }
        let (root, length) = (root(&self.hashes), self.length);
        Pieces::verified(AttachmentRef { root, length }, self.hashes)
    }
}

/// Why a list of hashes is not the one that an attachment's name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPieces {
    /// No attachment has that length.
    #[error("no attachment has {0} bytes")]
    Length(u64),
    /// Another number of hashes than there are pieces.
    #[error("{found} hashes for {expected} pieces")]
    Count {
        /// Pieces of an attachment of that length.
        expected: u64,
        /// Hashes in the list.
        found: usize,
    },
    /// They have another root.
    #[error("the hashes of the pieces do not yield the root")]
    Root,
}

/// A piece that is not the one that belongs there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("piece {0} is not the one that belongs there")]
pub struct BadPiece(pub u64);

/// The hashes of an attachment's pieces, which yield its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces {
    of: AttachmentRef,
    hashes: Vec<Hash32>,
}

impl Pieces {
    /// Checks a list against the name that it is said to belong to.
    pub fn verified(of: AttachmentRef, hashes: Vec<Hash32>) -> Result<Self, BadPieces> {
        attached_len(of.length).ok_or(BadPieces::Length(of.length))?;
        let (expected, found) = (of.pieces(), hashes.len());
        if expected != found as u64 {
            return Err(BadPieces::Count { expected, found });
        }
        if root(&hashes) != of.root {
            return Err(BadPieces::Root);
        }
        Ok(Self { of, hashes })
    }

    /// The name of the whole.
    pub fn of(&self) -> AttachmentRef {
        self.of
    }

    /// One hash for each piece.
    pub fn hashes(&self) -> &[Hash32] {
        &self.hashes
    }

    /// Whether a piece is the one that belongs at `index`.
    pub fn check(&self, index: u64, piece: &[u8]) -> Result<(), BadPiece> {
        let place = usize::try_from(index).ok().and_then(|i| self.hashes.get(i));
        let fits = piece.len() == self.of.piece_len(index);
        let same = place.is_some_and(|hash| *hash == piece_hash(piece));
        (fits && same).then_some(()).ok_or(BadPiece(index))
    }
}

/// The root of RFC 6962 §2.1 over leaf hashes, of which there is at least one.
fn root(hashes: &[Hash32]) -> Hash32 {
    match hashes {
        [] => taken(Context::new(&SHA256)),
        [one] => *one,
        many => {
            let left = many.len().next_power_of_two() / 2;
            let mut context = Context::new(&SHA256);
            context.update(&[1]);
            context.update(&root(&many[..left]));
            context.update(&root(&many[left..]));
            taken(context)
        }
    }
}
