//! Files beside notices: given to the node, and taken out of it, as streams.

use crate::{ApiError, ErrorCode};
use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use serde::{Deserialize, Serialize};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::mpsc;
use utoipa::{IntoParams, ToSchema};

/// How long the next bytes of a file that is given may take.
const NEXT_TIME: Duration = Duration::from_secs(60);

/// What the file is called that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AttachQuery {
    /// Its name, without a path, as recipients will see it.
    pub name: String,
}

/// A file that the node has taken, encrypted, and keeps for the submission that names it: for a
/// day, or until the node stops.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AttachReply {
    /// What the draft's `attach` names it by. Good for one submission.
    pub handle: String,
    /// Its name.
    pub name: String,
    /// `image/jpeg`, by the name's ending.
    pub media_type: String,
    /// Bytes of the file.
    pub length: u64,
    /// The root over the pieces of its ciphertext, in hex.
    pub root: String,
    /// Bytes of its ciphertext.
    pub cipher_length: u64,
}

/// Where a file of a notice is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentState {
    /// On this node, whole and verified.
    #[default]
    Here,
    /// Some pieces are here, more are on the way or will be.
    Coming,
    /// Nothing of it is here yet; it comes when the originator is linked.
    Waiting,
    /// Nothing of it is here, and on a link whose bytes are paid for it comes only when it is asked for.
    OnRequest,
    /// It was asked for, and the day's bytes on a metered path do not take its next piece.
    WaitsBudget,
    /// It was sent from here, and what lies on this disk is not what was sent.
    Damaged,
    /// It was sent from here, and is not on this disk any more.
    Gone,
    /// It is not here, and its sender has said that its own copy is damaged.
    SenderDamaged,
    /// It is not here, and its sender has said that it does not have it any more.
    SenderGone,
}

/// A file of a notice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AttachmentItem {
    /// Its place in the notice, from 1.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// What its name says it is.
    pub media_type: String,
    /// Bytes of the file.
    pub length: u64,
    /// The root over the pieces of its ciphertext, in hex.
    pub root: String,
    /// Bytes of its ciphertext.
    pub cipher_length: u64,
    /// Bytes of its ciphertext that are here.
    pub here: u64,
    /// Where it is.
    pub state: AttachmentState,
    /// Code of the party that sent the notice.
    #[serde(default)]
    pub sender: String,
    /// Whose day it waits for, where it does: this party's, the sender's or a relay's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_of: Option<String>,
    /// Whether that day is this party's own.
    #[serde(default)]
    pub budget_here: bool,
}

/// How many files a notice has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct FilesOf {
    /// So many.
    pub count: u32,
    /// Bytes of all of them.
    pub bytes: u64,
}

impl FilesOf {
    /// Whether it has none.
    pub fn is_none(&self) -> bool {
        self.count == 0
    }
}

/// Files of delivered notices that are not here, files that are held back here, and sent ones that
/// this disk has lost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct PendingView {
    /// Not here, or not whole, and to come.
    pub files: u64,
    /// Bytes of their ciphertext that are missing.
    pub bytes: u64,
    /// Of the files, those that come only when they are asked for.
    pub on_request: u64,
    /// Of the files, those that wait for the day's bytes on a metered path, here or elsewhere.
    pub for_budget: u64,
    /// Of those, the ones that wait for this party's own day.
    #[serde(default)]
    pub for_own_budget: u64,
    /// Files that are asked for by others and wait here for the day's bytes.
    pub held_back: u64,
    /// Not here, and not to come: their senders have said that they do not have them any more.
    #[serde(default)]
    pub sender_gone: u64,
    /// Not here, and not to come: damaged at their senders, as those have said.
    #[serde(default)]
    pub sender_damaged: u64,
    /// Sent from here, and not on this disk any more, as far as it was noticed.
    #[serde(default)]
    pub gone: u64,
    /// Sent from here, and damaged on this disk, as far as it was noticed.
    #[serde(default)]
    pub damaged: u64,
}

/// For which notice a file is taken out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AttachmentQuery {
    /// The notice's id, or its first 8 or more digits.
    pub notice: String,
}

/// How many of a notice's files a recipient has proved to have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct FilesThere {
    /// There, whole and verified.
    pub arrived: u32,
    /// In the notice.
    pub of: u32,
}

/// The bytes of a file that is being given.
#[derive(Debug)]
pub struct Upload {
    body: Body,
    declared: Option<u64>,
}

impl Upload {
    pub(crate) fn new(headers: &HeaderMap, body: Body) -> Self {
        let declared = headers.get(header::CONTENT_LENGTH);
        Self {
            body,
            declared: declared.and_then(|v| v.to_str().ok()?.parse().ok()),
        }
    }

    /// How many bytes it is said to have.
    pub fn declared(&self) -> Option<u64> {
        self.declared
    }

    /// The next bytes; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, ApiError>> {
        let broken = |why: &str| {
            ApiError::new(ErrorCode::Invalid, format!("the file broke off: {why}"))
                .with_try("give it again")
        };
        loop {
            match tokio::time::timeout(NEXT_TIME, self.body.frame()).await {
                Err(_) => return Some(Err(broken("nothing came for a minute"))),
                Ok(None) => return None,
                Ok(Some(Err(e))) => return Some(Err(broken(&e.to_string()))),
                // Trailers say nothing here.
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => return Some(Ok(data)),
                    Err(_) => continue,
                },
            }
        }
    }
}

/// A file on its way out: so many bytes, as they are decrypted. An error breaks it off, so that
/// nobody takes a part for the whole.
#[derive(Debug)]
pub struct Download {
    /// Bytes of the file.
    pub length: u64,
    /// Its bytes, in order.
    pub chunks: mpsc::Receiver<io::Result<Bytes>>,
}

/// A body of known length out of a channel.
pub(crate) struct Chunks {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    left: u64,
}

impl Chunks {
    pub(crate) fn new(length: u64, chunks: mpsc::Receiver<io::Result<Bytes>>) -> Self {
        Self {
            chunks,
            left: length,
        }
    }
}

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let next = std::task::ready!(self.chunks.poll_recv(context));
        Poll::Ready(match next {
            Some(Ok(bytes)) => {
                self.left = self.left.saturating_sub(bytes.len() as u64);
                Some(Ok(Frame::data(bytes)))
            }
            Some(Err(e)) => Some(Err(e)),
            // Without this a part would look like the whole to who does not count.
            None if self.left > 0 => Some(Err(io::ErrorKind::UnexpectedEof.into())),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
