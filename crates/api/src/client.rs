//! The client of a node's local interface.

mod calls;
mod files;
mod place;
mod releases;
mod rules;

pub use files::Incomer;

use crate::{ClientError, query::Target};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, client::conn::http1::SendRequest};
use serde::de::DeserializeOwned;
use std::{path::PathBuf, sync::Arc};
use tokio::sync::Mutex;

#[path = "client_stream.rs"]
mod stream;

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

fn protocol(what: impl std::fmt::Display) -> ClientError {
    ClientError::Protocol {
        what: what.to_string(),
    }
}
