//! Bodies that come or go in pieces, so that neither side holds a large file in memory.

use crate::{ApiError, ErrorCode};
use axum::extract::Request;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::mpsc;

/// Pieces that wait between two sides.
const WAITING: usize = 4;
/// How long the next piece of a request's body may take.
const IDLE: Duration = Duration::from_secs(60);
/// How long the rest of a body is read that nobody wants any more.
const DRAIN: Duration = Duration::from_secs(10);

/// Bytes in pieces, in order. Ends early with the reason where something broke.
#[derive(Debug)]
pub struct Pieces {
    queue: mpsc::Receiver<Result<Bytes, ApiError>>,
}

/// The other end of [`Pieces`]. Dropping it ends them.
#[derive(Debug, Clone)]
pub struct PieceSender {
    queue: mpsc::Sender<Result<Bytes, ApiError>>,
}

/// Whoever took the pieces has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody takes the pieces any more")]
pub struct Gone;

/// A bounded way for pieces.
pub fn pieces() -> (PieceSender, Pieces) {
    let (sender, queue) = mpsc::channel(WAITING);
    (PieceSender { queue: sender }, Pieces { queue })
}

impl PieceSender {
    /// Hands on a piece; waits for room.
    pub async fn send(&self, piece: Result<Bytes, ApiError>) -> Result<(), Gone> {
        self.queue.send(piece).await.map_err(|_| Gone)
    }

    /// The same from a thread.
    pub fn send_blocking(&self, piece: Result<Bytes, ApiError>) -> Result<(), Gone> {
        self.queue.blocking_send(piece).map_err(|_| Gone)
    }
}

impl Pieces {
    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, ApiError>> {
        self.queue.recv().await
    }

    /// A request's body. A piece that does not come in time ends it with an error.
    pub(crate) fn of_request(request: Request) -> Self {
        let (sender, pieces) = pieces();
        let mut body = request.into_body();
        tokio::spawn(async move {
            loop {
                let piece = match tokio::time::timeout(IDLE, body.frame()).await {
                    Ok(None) => return,
                    Ok(Some(Ok(frame))) => match frame.into_data() {
                        Ok(data) => Ok(data),
                        Err(_) => continue,
                    },
                    Ok(Some(Err(e))) => Err(broken(format!("the request broke off: {e}"))),
                    Err(_) => Err(broken("the request's body took too long")),
                };
                let is_last = piece.is_err();
                if sender.send(piece).await.is_err() {
                    return drain(body).await;
                }
                if is_last {
                    return;
                }
            }
        });
        pieces
    }
}

/// Answered before its end. What is still on its way is read and thrown away for a while: closed at
/// once, the connection would break under the client's hands before it has the answer.
async fn drain(mut body: axum::body::Body) {
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    let _ = tokio::time::timeout(DRAIN, rest).await;
}

fn broken(why: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::Invalid, why)
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.queue.poll_recv(cx).map(|piece| {
            let piece = piece?.map(Frame::data);
            Some(piece.map_err(|e| io::Error::other(e.to_string())))
        })
    }
}
