//! Serving a router on a Unix socket or on TCP.

use crate::{ApiError, Caller, Cause, ErrorCode};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, header},
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible, io, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration,
};
use subtle::ConstantTimeEq;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener, UnixStream},
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
};
use tower::util::ServiceExt;

/// Connections served at once on one listener; more wait in the kernel's backlog.
const CONNECTIONS: usize = 1024;
/// How long a TCP client may take for a request's head, idling between requests included.
const HEAD_TIME: Duration = Duration::from_secs(60);
/// The wait after a failed accept (out of file handles).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Who may use the Unix socket, besides root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peers {
    /// The user that the node runs as; the socket's mode is 0600.
    Owner,
    /// Also the members of the socket's group; the mode is 0660 and the kernel checks membership.
    Group,
}

impl Peers {
    fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Group => 0o660,
        }
    }

    fn admit(self, uid: u32) -> bool {
        // Group members were let through by the mode of the socket, or they would not be here.
        self == Self::Group || uid == 0 || uid == rustix::process::geteuid().as_raw()
    }
}

/// A listener being served. Dropping it stops it at once; [`Serving::shutdown`] lets requests end.
#[derive(Debug)]
pub struct Serving {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Accepts no more, lets running requests end for at most `grace`, then cuts them off.
    pub async fn shutdown(mut self, grace: Duration) {
        self.stop.send_replace(true);
        if tokio::time::timeout(grace, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Binds a Unix socket that has its mode from the first moment it can be seen. An old socket at
/// `path` is replaced; anything else there is an error (`AlreadyExists`). The caller holds the
/// lock of the data directory, so that no other node can be behind the old one.
pub fn bind_unix(path: &Path, peers: Peers) -> io::Result<UnixListener> {
    use std::os::unix::fs::FileTypeExt;
    match std::fs::symlink_metadata(path) {
        Ok(there) if !there.file_type().is_socket() => {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "something that is not a socket is in the socket's place",
            ));
        }
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    let mut making = path.as_os_str().to_owned();
    making.push("~");
    let making = Path::new(&making);
    if let Err(e) = std::fs::remove_file(making)
        && e.kind() != io::ErrorKind::NotFound
    {
        return Err(e);
    }
    let listener = UnixListener::bind(making)?;
    std::fs::set_permissions(making, std::fs::Permissions::from_mode(peers.mode()))?;
    std::fs::rename(making, path)?;
    Ok(listener)
}

/// Serves on a Unix socket. The kernel's word on the peer's user decides, and names the [`Caller`].
pub fn serve_unix(listener: UnixListener, router: Router, peers: Peers) -> Serving {
    start(move |stop, gate| async move {
        let mut connections = JoinSet::new();
        while let Some(stream) = accepted(&stop, &mut connections, || async {
            listener.accept().await.map(|(stream, _)| stream)
        })
        .await
        {
            let Ok(permit) = Arc::clone(&gate).acquire_owned().await else {
                break;
            };
            let guard = unix_guard(&stream, peers);
            let (router, stop) = (router.clone(), stop.clone());
            connections.spawn(async move {
                serve(stream, router, guard, None, stop).await;
                drop(permit);
            });
        }
        connections
    })
}

/// Serves on TCP to bearers of `token`.
pub fn serve_tcp(listener: TcpListener, router: Router, token: &str) -> Serving {
    let guard = Guard::Token {
        expected: format!("Bearer {token}").into(),
        caller: Arc::new(Caller::token()),
    };
    start(move |stop, gate| async move {
        let mut connections = JoinSet::new();
        while let Some(stream) = accepted(&stop, &mut connections, || async {
            listener.accept().await.map(|(stream, _)| stream)
        })
        .await
        {
            let Ok(permit) = Arc::clone(&gate).acquire_owned().await else {
                break;
            };
            let _ = stream.set_nodelay(true);
            let (router, guard, stop) = (router.clone(), guard.clone(), stop.clone());
            connections.spawn(async move {
                serve(stream, router, guard, Some(HEAD_TIME), stop).await;
                drop(permit);
            });
        }
        connections
    })
}

/// Runs the accept loop `run` as a task, then waits for the connections it leaves.
fn start<F>(run: impl FnOnce(watch::Receiver<bool>, Arc<Semaphore>) -> F) -> Serving
where
    F: Future<Output = JoinSet<()>> + Send + 'static,
{
    let (stop, stopped) = watch::channel(false);
    let accepting = run(stopped, Arc::new(Semaphore::new(CONNECTIONS)));
    let task = tokio::spawn(async move {
        let mut left = accepting.await;
        while left.join_next().await.is_some() {}
    });
    Serving { stop, task }
}

/// The next connection; none once stopped. Reaps connections that ended meanwhile.
async fn accepted<S, F>(
    stop: &watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
    mut accept: impl FnMut() -> F,
) -> Option<S>
where
    F: Future<Output = io::Result<S>>,
{
    loop {
        while connections.try_join_next().is_some() {}
        tokio::select! {
            () = stopped(stop.clone()) => return None,
            result = accept() => match result {
                Ok(stream) => return Some(stream),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
}

/// Ends when stopped, or when the [`Serving`] is gone.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What each request of a connection must pass.
#[derive(Clone)]
enum Guard {
    Known(Arc<Caller>),
    Stranger {
        uid: Option<u32>,
    },
    Token {
        expected: Arc<str>,
        caller: Arc<Caller>,
    },
}

fn unix_guard(stream: &UnixStream, peers: Peers) -> Guard {
    match stream.peer_cred() {
        Ok(cred) if peers.admit(cred.uid()) => Guard::Known(Arc::new(Caller::unix(cred.uid()))),
        Ok(cred) => Guard::Stranger {
            uid: Some(cred.uid()),
        },
        Err(_) => Guard::Stranger { uid: None },
    }
}

impl Guard {
    fn check(&self, headers: &HeaderMap) -> Result<&Arc<Caller>, ApiError> {
        match self {
            Self::Known(caller) => Ok(caller),
            Self::Stranger { uid } => {
                let refused = ApiError::forbidden(match uid {
                    Some(uid) => format!("user {uid} may not use this node's socket"),
                    None => "the kernel does not say who is calling".to_owned(),
                });
                let uid = uid.map_or_else(|| "?".to_owned(), |uid| uid.to_string());
                Err(refused
                    .with_try("ask the node's administrator to put you into the socket's group")
                    .because(Cause::Stranger, [("uid", uid)]))
            }
            Self::Token { expected, caller } => {
                let given = headers.get(header::AUTHORIZATION).map(|v| v.as_bytes());
                // Only the length of the token can be learnt from the time this takes.
                let equal = given.is_some_and(|g| bool::from(g.ct_eq(expected.as_bytes())));
                equal.then_some(caller).ok_or_else(|| {
                    ApiError::new(ErrorCode::Unauthorised, "the token is absent or wrong").with_try(
                        "send `Authorization: Bearer` with the token of the node's configuration",
                    )
                })
            }
        }
    }
}

async fn serve<S>(
    stream: S,
    router: Router,
    guard: Guard,
    head_time: Option<Duration>,
    stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|mut request: Request<Incoming>| {
        let admitted = guard.check(request.headers()).map(Arc::clone);
        let router = router.clone();
        async move {
            let response: Response = match admitted {
                Ok(caller) => {
                    request.extensions_mut().insert(caller);
                    let Ok(response) = router.oneshot(request.map(Body::new)).await;
                    response
                }
                Err(error) => error.into_response(),
            };
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_time)
        .pipeline_flush(true)
        .auto_date_header(false)
        .max_headers(32)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // A connection that breaks is the client's affair: it sees that no answer came.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stopped(stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
