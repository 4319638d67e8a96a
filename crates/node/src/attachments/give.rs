//! What an officer gives: encrypted as it is read, kept for the submission that names it.

use crate::{
    clock,
    reading::internal,
    shared::{Shared, lock},
};
use abeng_api::{ApiError, AttachQuery, AttachReply, Cause, ErrorCode, Upload};
use abeng_keys::{Entropy, SystemEntropy};
use abeng_notice::{Attachment, media_type};
use abeng_seal::{
    AttachmentFault, AttachmentKey, AttachmentSealer, PieceHasher, Pieces, attachment_len,
};
use abeng_wire::{LeafHash, Mono, limits};
use bytes::Bytes;
use std::{collections::BTreeMap, io::Write, sync::Arc};
use tokio::sync::mpsc;

/// Files that may wait for their submission.
pub(crate) const MOST: usize = 256;
/// Buffers on their way from the socket to the disk.
const AHEAD: usize = 4;
/// Ciphertext that is written at once.
const WRITE: usize = 256 * 1024;

/// A file that waits for its submission.
#[derive(Debug, Clone)]
pub struct Given {
    /// What the notice will say of it.
    pub attachment: Attachment,
    /// The hashes of its pieces.
    pub pieces: Pieces,
    /// When it was given.
    pub at: Mono,
}

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error(transparent)]
    Fault(#[from] AttachmentFault),
    #[error("the disk did not take it: {0}")]
    Io(#[from] std::io::Error),
    #[error("its ciphertext has no name")]
    Pieces,
}

impl From<NotTaken> for ApiError {
    fn from(why: NotTaken) -> Self {
        match why {
            NotTaken::Fault(AttachmentFault::Empty) => empty(),
            NotTaken::Fault(AttachmentFault::TooLong) => too_long(),
            other => internal(other),
        }
    }
}

/// Says that there is nothing in it.
pub(crate) fn empty() -> ApiError {
    ApiError::refused("an empty file cannot be attached", Vec::new())
        .with_try("choose another file, or send the notice without it")
        .because(Cause::AttachmentEmpty, [])
}

/// Whether a recipient could have a file called so.
pub(crate) fn check_name(name: &str) -> Result<(), ApiError> {
    if Attachment::is_name(name) {
        return Ok(());
    }
    let shown: String = name.chars().take(80).collect();
    Err(ApiError::invalid(format!("`{shown}` cannot be the name of an attachment"))
        .with_try("rename the file: at most 255 bytes, no / \\ : * ? \" < > |, no dot or hyphen at its beginning")
        .because(Cause::AttachmentName, [("name", shown)]))
}

/// Says that it is too large.
pub(crate) fn too_long() -> ApiError {
    let message = "the file is longer than an attachment can be, which is 2 GiB";
    ApiError::new(ErrorCode::TooLarge, message)
        .with_try("split it, or compress it, or send it on a disk")
        .because(Cause::AttachmentTooLong, [])
}

impl Shared {
    /// `PUT /v1/attachments`.
    pub async fn attach(
        self: &Arc<Self>,
        query: AttachQuery,
        mut upload: Upload,
    ) -> Result<AttachReply, ApiError> {
        check_name(&query.name)?;
        if upload.declared().is_some_and(|n| n > limits::ATTACHMENT) {
            return Err(too_long());
        }
        if lock(&self.attachments.given).len() >= MOST {
            return Err(ApiError::busy(
                "too many files wait for the notices that they belong to",
                60,
            )
            .with_try("submit those notices, or wait: after a day they are forgotten")
            .because(Cause::AttachmentsWait, []));
        }
        let announced = upload.declared().and_then(attachment_len).unwrap_or(0);
        self.admit(announced)?;
        let mut handle = [0; 16];
        SystemEntropy.fill(&mut handle);
        let handle = format!("{:032x}", u128::from_be_bytes(handle));
        let taken = self.take_upload(&handle, &query.name, &mut upload, announced);
        let given = match taken.await {
            Ok(given) => given,
            Err(why) => {
                self.forget_new(handle).await;
                return Err(why);
            }
        };
        let file = given.attachment.clone();
        lock(&self.attachments.given).insert(handle.clone(), given);
        Ok(AttachReply {
            handle,
            name: file.name,
            media_type: file.media_type,
            length: file.length,
            root: LeafHash(file.root).to_string(),
            cipher_length: file.cipher_length,
        })
    }

    /// Reads the body as fast as the disk takes it.
    async fn take_upload(
        self: &Arc<Self>,
        handle: &str,
        name: &str,
        upload: &mut Upload,
        announced: u64,
    ) -> Result<Given, ApiError> {
        let (give, chunks) = mpsc::channel::<Bytes>(AHEAD);
        let (shared, named) = (self.clone(), (handle.to_owned(), name.to_owned()));
        let writing =
            tokio::task::spawn_blocking(move || shared.write_new(&named.0, named.1, chunks));
        let mut read = 0u64;
        let mut broken = None;
        while let Some(bytes) = upload.next().await {
            let bytes = match bytes {
                Ok(bytes) => bytes,
                Err(e) => {
                    broken = Some(e);
                    break;
                }
            };
            let before = read;
            read += bytes.len() as u64;
            // What was not announced is let in as it comes.
            let more = read.saturating_sub(announced.max(before));
            if let Err(full) = self.admit(more) {
                broken = Some(full);
                break;
            }
            // The writer has ended: it says why.
            if give.send(bytes).await.is_err() {
                break;
            }
        }
        drop(give);
        let written = writing.await.map_err(internal)?;
        match broken {
            Some(why) => Err(why),
            None => Ok(written?),
        }
    }

    /// Encrypts what comes and writes it, chunk by chunk.
    fn write_new(
        &self,
        handle: &str,
        name: String,
        mut chunks: mpsc::Receiver<Bytes>,
    ) -> Result<Given, NotTaken> {
        let key = AttachmentKey::generate(&mut SystemEntropy);
        let mut file = self.attachments.blobs.begin_new(handle)?;
        let (mut sealer, mut hasher) = (AttachmentSealer::new(&key), PieceHasher::default());
        let mut out = Vec::with_capacity(WRITE + limits::ATTACHMENT_PIECE);
        while let Some(bytes) = chunks.blocking_recv() {
            sealer.write(&bytes, &mut out)?;
            if out.len() >= WRITE {
                hasher.update(&out);
                file.write_all(&out)?;
                out.clear();
            }
        }
        let length = sealer.finish(&mut out)?;
        hasher.update(&out);
        file.write_all(&out)?;
        file.sync_all()?;
        let pieces = hasher.finish().map_err(|_| NotTaken::Pieces)?;
        let of = pieces.of();
        let attachment = Attachment {
            media_type: media_type(&name).to_owned(),
            name,
            length,
            root: of.root,
            cipher_length: of.length,
            key: *key.secret(),
        };
        Ok(Given {
            attachment,
            pieces,
            at: clock::mono(),
        })
    }

    /// The files that a draft may name, by handle.
    pub fn given_files(&self, handles: &[String]) -> BTreeMap<String, Attachment> {
        let given = lock(&self.attachments.given);
        let find = |handle: &String| Some((handle.clone(), given.get(handle)?.attachment.clone()));
        handles.iter().filter_map(find).collect()
    }

    /// Makes blobs of what a submission names, before it is sealed. They are its own from here on.
    pub async fn keep_given(self: &Arc<Self>, handles: &[String]) -> Result<Kept, ApiError> {
        let mut kept = Kept {
            shared: self.clone(),
            files: BTreeMap::new(),
        };
        for handle in handles {
            let given = lock(&self.attachments.given).remove(handle);
            let given = given.ok_or_else(|| {
                ApiError::new(
                    ErrorCode::Conflict,
                    "a file of the notice was used for another one meanwhile",
                )
                .with_try("submit again, with the file")
                .because(Cause::AttachmentUsed, [])
            })?;
            kept.files.insert(handle.clone(), given);
        }
        if kept.files.is_empty() {
            return Ok(kept);
        }
        let (shared, files) = (self.clone(), kept.files.clone());
        let keeping = move || {
            let keep = |(handle, given): (&String, &Given)| {
                shared.attachments.blobs.keep_new(handle, &given.pieces)
            };
            files.iter().try_for_each(keep)
        };
        let done = tokio::task::spawn_blocking(keeping).await;
        done.map_err(internal)?.map_err(internal)?;
        Ok(kept)
    }

    async fn forget_new(self: &Arc<Self>, handle: String) {
        let shared = self.clone();
        let forget = move || shared.attachments.blobs.drop_new(&handle);
        if let Ok(Err(e)) = tokio::task::spawn_blocking(forget).await {
            tracing::error!(error = %e, "a file that was not taken cannot be deleted");
        }
    }
}

/// The files of one submission. Where it comes to nothing, they wait for another one.
pub struct Kept {
    shared: Arc<Shared>,
    files: BTreeMap<String, Given>,
}

impl Kept {
    /// The envelope that names them is journalled.
    pub fn used(mut self) {
        self.files.clear();
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let files = std::mem::take(&mut self.files);
        lock(&self.shared.attachments.given).extend(files);
    }
}
