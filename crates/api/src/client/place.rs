//! Where a node listens: a connection to it, and what is asked and answered on one.

use super::{Place, protocol};
use crate::{ClientError, ErrorBody, extract::MARK};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response,
    body::{Body, Incoming},
    client::conn::http1::{self, SendRequest},
    header,
};
use hyper_util::rt::TokioIo;
use std::{
    io,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::Path,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};

/// The longest answer that is read, in bytes.
const ANSWER: usize = 64 << 20;

impl Place {
    pub(super) async fn connect<B>(&self) -> Result<SendRequest<B>, ClientError>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
            + Send
            + Unpin
            + 'static,
    {
        match self {
            Self::Unix(path) => {
                inspect(path)?;
                let stream = UnixStream::connect(path)
                    .await
                    .map_err(|e| unix_error(path, e))?;
                handshake(stream).await
            }
            Self::Tcp { address, .. } => {
                let unreachable = |source| ClientError::Unreachable {
                    address: address.clone(),
                    source,
                };
                let stream = TcpStream::connect(address.as_str())
                    .await
                    .map_err(unreachable)?;
                stream.set_nodelay(true).map_err(unreachable)?;
                handshake(stream).await
            }
        }
    }

    pub(super) fn request(
        &self,
        method: &Method,
        target: &str,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let is_json = !body.is_empty();
        let mut request = self.request_of(method, target, Full::new(body))?;
        if is_json {
            let json = header::HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        Ok(request)
    }

    pub(super) fn request_of<B>(
        &self,
        method: &Method,
        target: &str,
        body: B,
    ) -> Result<Request<B>, ClientError> {
        let mut request = Request::builder().method(method).uri(target);
        match self {
            Self::Unix(_) => request = request.header(header::HOST, "abeng"),
            Self::Tcp { address, bearer } => {
                request = request
                    .header(header::HOST, address.as_str())
                    .header(header::AUTHORIZATION, bearer.0.as_str());
            }
        }
        request.body(body).map_err(protocol)
    }

    pub(super) fn broken(&self, error: &hyper::Error) -> ClientError {
        match self {
            Self::Unix(path) if error.is_parse() => ClientError::NotOurs {
                path: path.clone(),
                why: "what listens there does not speak HTTP".to_owned(),
            },
            _ => protocol(error),
        }
    }

    /// The outer error says that the connection cannot be used any more.
    pub(super) async fn read(
        &self,
        response: Response<Incoming>,
    ) -> Result<Result<Bytes, ClientError>, ClientError> {
        if !response.headers().contains_key(MARK.0) {
            let why = "what listens there is not an Abeng node";
            return Err(match self {
                Self::Unix(path) => ClientError::NotOurs {
                    path: path.clone(),
                    why: why.to_owned(),
                },
                Self::Tcp { .. } => protocol(why),
            });
        }
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER).collect().await;
        let body = body.map_err(protocol)?.to_bytes();
        Ok(if status.is_success() {
            Ok(body)
        } else {
            match serde_json::from_slice::<ErrorBody>(&body) {
                Ok(body) => Err(ClientError::Api(body.error)),
                Err(e) => Err(protocol(format!("status {status}, and {e}"))),
            }
        })
    }
}

/// Looks at what is at the path before anything is sent there.
fn inspect(path: &Path) -> Result<(), ClientError> {
    let there = std::fs::metadata(path).map_err(|e| unix_error(path, e))?;
    let not_ours = |why: &str| ClientError::NotOurs {
        path: path.to_owned(),
        why: why.to_owned(),
    };
    if !there.file_type().is_socket() {
        return Err(not_ours("it is not a socket"));
    }
    if there.mode() & 0o002 != 0 {
        return Err(not_ours("its mode lets every user in"));
    }
    Ok(())
}

fn unix_error(path: &Path, source: io::Error) -> ClientError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => ClientError::SocketAbsent { path },
        io::ErrorKind::ConnectionRefused => ClientError::Refused { path },
        io::ErrorKind::PermissionDenied => ClientError::Denied { path },
        _ => ClientError::Unreachable {
            address: path.display().to_string(),
            source,
        },
    }
}

async fn handshake<S, B>(stream: S) -> Result<SendRequest<B>, ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + Unpin
        + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(protocol)?;
    // Ends with the sender; what goes wrong on it is told by the call that waits.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}
