//! The client of a node's local interface.

mod files;
mod releases;
mod rules;

pub use files::Incomer;

use crate::{
    AllowRequest, AuditQuery, BudgetView, ClientError, ContradictionView, CostReply, CostRequest,
    DeliveredEvent, DestroyKeyRequest, DrillView, ErrorBody, EventQuery, EvidenceQuery,
    ExtendRequest, GapView, HoldRequest, InboxItem, InboxQuery, KeepReply, KeptItem, LeafPage,
    LimitsView, NetworkView, NoticeView, PartyView, RecallRequest, RelaysView, RetentionQuery,
    SealKeyReply, SentItem, SentQuery, SettledEvent, StatusView, SubmitReply, SubmitRequest,
    Timeline, extract::MARK, query::Target,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response,
    body::{Body, Incoming},
    client::conn::http1::{self, SendRequest},
    header,
};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use std::{
    io,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    sync::Mutex,
};

#[path = "client_stream.rs"]
mod stream;

/// The longest answer that is read, in bytes.
const ANSWER: usize = 64 << 20;

/// A connection to a node, made at the first call, kept alive and made again when it ended.
/// Calls on one `Client` follow one another; a clone has its own connection.
#[derive(Debug)]
pub struct Client {
    place: Arc<Place>,
    connection: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

#[derive(Debug)]
enum Place {
    Unix(PathBuf),
    Tcp { address: String, bearer: Secret },
}

struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl Clone for Client {
    fn clone(&self) -> Self {
        Self::at(Arc::clone(&self.place))
    }
}

impl Client {
    /// A node's Unix socket. Nothing is connected yet.
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::at(Arc::new(Place::Unix(path.into())))
    }

    /// A node's TCP interface, `host:port`, with its token. Nothing is connected yet.
    pub fn tcp(address: impl Into<String>, token: &str) -> Self {
        Self::at(Arc::new(Place::Tcp {
            address: address.into(),
            bearer: Secret(format!("Bearer {token}")),
        }))
    }

    fn at(place: Arc<Place>) -> Self {
        Self {
            place,
            connection: Mutex::new(None),
        }
    }

    /// See [`Operator::submit`](crate::Operator::submit).
    pub async fn submit(&self, request: &SubmitRequest) -> Result<SubmitReply, ClientError> {
        let body = serde_json::to_vec(request).map_err(protocol)?;
        self.submit_json(Bytes::from(body)).await
    }

    /// Like [`Client::submit`] for a [`SubmitRequest`] that is JSON already.
    pub async fn submit_json(&self, body: Bytes) -> Result<SubmitReply, ClientError> {
        self.call(Method::POST, "/v1/notices", body).await
    }

    /// See [`Operator::recall`](crate::Operator::recall).
    pub async fn recall(
        &self,
        id: &str,
        request: &RecallRequest,
    ) -> Result<SubmitReply, ClientError> {
        self.about(Method::POST, (id, "recall"), request).await
    }

    /// See [`Operator::hold_place`](crate::Operator::hold_place).
    pub async fn hold_place(
        &self,
        id: &str,
        request: &HoldRequest,
    ) -> Result<KeepReply, ClientError> {
        self.about(Method::POST, (id, "hold"), request).await
    }

    /// See [`Operator::hold_lift`](crate::Operator::hold_lift).
    pub async fn hold_lift(
        &self,
        id: &str,
        request: &HoldRequest,
    ) -> Result<KeepReply, ClientError> {
        self.about(Method::DELETE, (id, "hold"), request).await
    }

    /// See [`Operator::extend`](crate::Operator::extend).
    pub async fn extend(
        &self,
        id: &str,
        request: &ExtendRequest,
    ) -> Result<KeepReply, ClientError> {
        self.about(Method::POST, (id, "retention"), request).await
    }

    /// See [`Operator::retention`](crate::Operator::retention).
    pub async fn retention(&self, query: &RetentionQuery) -> Result<Vec<KeptItem>, ClientError> {
        self.get(
            Target::new("/v1/retention")
                .flag("all", query.all)
                .flag("held", query.held)
                .pair("limit", query.limit)
                .pair("lang", query.lang.as_deref()),
        )
        .await
    }

    /// See [`Operator::inbox`](crate::Operator::inbox).
    pub async fn inbox(&self, query: &InboxQuery) -> Result<Vec<InboxItem>, ClientError> {
        self.get(
            Target::new("/v1/inbox")
                .pair("limit", query.limit)
                .flag("unread", query.unread)
                .pair("from", query.from.as_deref())
                .pair("before", query.before)
                .pair("lang", query.lang.as_deref()),
        )
        .await
    }

    /// See [`Operator::inbox_show`](crate::Operator::inbox_show).
    pub async fn inbox_show(&self, id: &str, lang: &str) -> Result<NoticeView, ClientError> {
        let target = Target::new("/v1/inbox").segment(id);
        self.get(target.pair("lang", Some(lang))).await
    }

    /// See [`Operator::sent`](crate::Operator::sent).
    pub async fn sent(&self, query: &SentQuery) -> Result<Vec<SentItem>, ClientError> {
        self.get(
            Target::new("/v1/sent")
                .pair("limit", query.limit)
                .flag("open", query.open)
                .pair("before", query.before)
                .pair("lang", query.lang.as_deref()),
        )
        .await
    }

    /// See [`Operator::track`](crate::Operator::track).
    pub async fn track(&self, id: &str, lang: &str) -> Result<Timeline, ClientError> {
        let target = Target::new("/v1/notices").segment(id).segment("track");
        self.get(target.pair("lang", Some(lang))).await
    }

    /// See [`Operator::status`](crate::Operator::status).
    pub async fn status(&self) -> Result<StatusView, ClientError> {
        self.get(Target::new("/v1/status")).await
    }

    /// See [`Operator::cost`](crate::Operator::cost).
    pub async fn cost(&self, request: &CostRequest) -> Result<CostReply, ClientError> {
        let body = serde_json::to_vec(request).map_err(protocol)?;
        self.call(Method::POST, "/v1/cost", Bytes::from(body)).await
    }

    /// See [`Operator::limits`](crate::Operator::limits).
    pub async fn limits(&self) -> Result<LimitsView, ClientError> {
        self.get(Target::new("/v1/limits")).await
    }

    /// See [`Operator::drill`](crate::Operator::drill).
    pub async fn drill(&self) -> Result<DrillView, ClientError> {
        self.get(Target::new("/v1/drill")).await
    }

    /// See [`Operator::allow`](crate::Operator::allow).
    pub async fn allow(&self, request: &AllowRequest) -> Result<BudgetView, ClientError> {
        let body = serde_json::to_vec(request).map_err(protocol)?;
        self.call(Method::POST, "/v1/link/allow", Bytes::from(body))
            .await
    }

    /// See [`Operator::rotate_seal_key`](crate::Operator::rotate_seal_key).
    pub async fn rotate_seal_key(&self) -> Result<SealKeyReply, ClientError> {
        self.call(Method::POST, "/v1/keys/rotate", Bytes::new())
            .await
    }

    /// See [`Operator::destroy_seal_key`](crate::Operator::destroy_seal_key).
    pub async fn destroy_seal_key(
        &self,
        request: &DestroyKeyRequest,
    ) -> Result<SealKeyReply, ClientError> {
        let body = serde_json::to_vec(request).map_err(protocol)?;
        self.call(Method::POST, "/v1/keys/destroy", Bytes::from(body))
            .await
    }

    /// See [`Operator::network`](crate::Operator::network).
    pub async fn network(&self) -> Result<NetworkView, ClientError> {
        self.get(Target::new("/v1/network")).await
    }

    /// See [`Operator::audit_show`](crate::Operator::audit_show).
    pub async fn audit_show(&self, query: &AuditQuery) -> Result<LeafPage, ClientError> {
        self.get(
            Target::new("/v1/audit")
                .pair("from", query.from)
                .pair("before", query.before)
                .pair("limit", query.limit)
                .pair("kind", query.kind.as_deref())
                .pair("party", query.party.as_deref())
                .pair("officer", query.officer.as_deref())
                .pair("notice", query.notice.as_deref())
                .pair("since", query.since.as_deref())
                .pair("until", query.until.as_deref())
                .pair("wait_ms", query.wait_ms),
        )
        .await
    }

    /// See [`Operator::relays`](crate::Operator::relays).
    pub async fn relays(&self) -> Result<RelaysView, ClientError> {
        self.get(Target::new("/v1/relays")).await
    }

    /// See [`Operator::contradictions`](crate::Operator::contradictions).
    pub async fn contradictions(&self) -> Result<Vec<ContradictionView>, ClientError> {
        self.get(Target::new("/v1/contradictions")).await
    }

    /// See [`Operator::gaps`](crate::Operator::gaps).
    pub async fn gaps(&self) -> Result<Vec<GapView>, ClientError> {
        self.get(Target::new("/v1/gaps")).await
    }

    /// See [`Operator::parties`](crate::Operator::parties).
    pub async fn parties(&self) -> Result<Vec<PartyView>, ClientError> {
        self.get(Target::new("/v1/parties")).await
    }

    /// See [`Operator::wait_delivered`](crate::Operator::wait_delivered).
    pub async fn wait_delivered(
        &self,
        query: &EventQuery,
    ) -> Result<Vec<DeliveredEvent>, ClientError> {
        self.get(events("/v1/events/delivered", query)).await
    }

    /// See [`Operator::wait_settled`](crate::Operator::wait_settled).
    pub async fn wait_settled(&self, query: &EventQuery) -> Result<Vec<SettledEvent>, ClientError> {
        self.get(events("/v1/events/settled", query)).await
    }

    /// Does something about one notice.
    async fn about<T: DeserializeOwned>(
        &self,
        method: Method,
        (id, what): (&str, &str),
        request: &impl serde::Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(request).map_err(protocol)?;
        let target = Target::new("/v1/notices").segment(id).segment(what);
        self.call(method, &target.into_string(), Bytes::from(body))
            .await
    }

    /// See [`Operator::evidence`](crate::Operator::evidence).
    pub async fn evidence(&self, id: &str, query: &EvidenceQuery) -> Result<Bytes, ClientError> {
        let target = Target::new("/v1/notices").segment(id).segment("evidence");
        let target = target.flag("disclose", query.disclose).into_string();
        self.bytes(Method::GET, &target, Bytes::new()).await
    }

    async fn get<T: DeserializeOwned>(&self, target: Target) -> Result<T, ClientError> {
        self.call(Method::GET, &target.into_string(), Bytes::new())
            .await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        body: Bytes,
    ) -> Result<T, ClientError> {
        let answer = self.bytes(method, target, body).await?;
        serde_json::from_slice(&answer).map_err(protocol)
    }

    async fn bytes(&self, method: Method, target: &str, body: Bytes) -> Result<Bytes, ClientError> {
        // Held until the answer is read: a call that is dropped midway leaves no connection behind.
        let mut slot = self.connection.lock().await;
        let mut kept = slot.take();
        let mut fresh = false;
        let (sender, response) = loop {
            let mut sender = match kept.take().filter(|s| !s.is_closed()) {
                Some(sender) => sender,
                None => {
                    fresh = true;
                    self.place.connect().await?
                }
            };
            let request = self.place.request(&method, target, body.clone())?;
            match sender.try_send_request(request).await {
                Ok(response) => break (sender, response),
                // A kept connection that the node closed meanwhile: once more on a new one, where
                // repeating cannot submit twice.
                Err(mut e) => {
                    let unsent = e.take_message().is_some();
                    if fresh || !(unsent || method == Method::GET) {
                        return Err(self.place.broken(&e.into_error()));
                    }
                }
            }
        };
        let result = self.place.read(response).await?;
        *slot = Some(sender);
        result
    }
}

impl Place {
    async fn connect<B>(&self) -> Result<SendRequest<B>, ClientError>
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

    fn request(
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

    fn request_of<B>(
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

    fn broken(&self, error: &hyper::Error) -> ClientError {
        match self {
            Self::Unix(path) if error.is_parse() => ClientError::NotOurs {
                path: path.clone(),
                why: "what listens there does not speak HTTP".to_owned(),
            },
            _ => protocol(error),
        }
    }

    /// The outer error says that the connection cannot be used any more.
    async fn read(
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

fn events(path: &str, query: &EventQuery) -> Target {
    Target::new(path)
        .pair("after", query.after)
        .pair("timeout_ms", query.timeout_ms)
        .pair("limit", query.limit)
}

fn protocol(what: impl std::fmt::Display) -> ClientError {
    ClientError::Protocol {
        what: what.to_string(),
    }
}
