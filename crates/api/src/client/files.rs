//! Files to the node and out of it, as streams.

use super::{Client, Place, protocol};
use crate::{
    AttachQuery, AttachReply, AttachmentItem, ClientError, attach::Chunks, extract::MARK,
    query::Target,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{Method, Response, body::Incoming, header};
use std::io;
use tokio::sync::mpsc;

/// A file on its way out of the node.
#[derive(Debug)]
pub struct Incomer {
    body: Incoming,
    length: u64,
    rest: u64,
}

impl Incomer {
    /// Bytes of the file.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether it has none; no attachment is empty.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The next bytes; `None` once all of them have come. What breaks off before is an error.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        while let Some(frame) = self.body.frame().await {
            let Ok(data) = frame.map_err(protocol)?.into_data() else {
                continue;
            };
            self.rest = self
                .rest
                .checked_sub(data.len() as u64)
                .ok_or_else(|| protocol("more bytes than the file has"))?;
            return Ok(Some(data));
        }
        match self.rest {
            0 => Ok(None),
            rest => Err(protocol(format!("{rest} bytes of the file did not come"))),
        }
    }
}

impl Client {
    /// See [`Operator::attach`](crate::Operator::attach). `chunks` has exactly `length` bytes in all.
    pub async fn attach(
        &self,
        query: &AttachQuery,
        length: u64,
        chunks: mpsc::Receiver<io::Result<Bytes>>,
    ) -> Result<AttachReply, ClientError> {
        let target = Target::new("/v1/attachments").pair("name", Some(&query.name));
        let body = Chunks::new(length, chunks);
        let response = self.place.stream(Method::PUT, target, body).await?;
        let answer = self.place.read(response).await??;
        serde_json::from_slice(&answer).map_err(protocol)
    }

    /// See [`Operator::attachments`](crate::Operator::attachments).
    pub async fn attachments(&self, id: &str) -> Result<Vec<AttachmentItem>, ClientError> {
        let target = Target::new("/v1/notices").segment(id);
        self.get(target.segment("attachments")).await
    }

    /// See [`Operator::attachment`](crate::Operator::attachment).
    pub async fn attachment(&self, notice: &str, root: &str) -> Result<Incomer, ClientError> {
        let target = Target::new("/v1/attachments").segment(root);
        let target = target.pair("notice", Some(notice));
        let (_, none) = mpsc::channel(1);
        let body = Chunks::new(0, none);
        let response = self.place.stream(Method::GET, target, body).await?;
        let marked = response.headers().contains_key(MARK.0);
        if !(marked && response.status().is_success()) {
            let why = self.place.read(response).await?;
            return Err(why
                .err()
                .unwrap_or_else(|| protocol("an answer that is no file")));
        }
        let length = response.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|v| v.to_str().ok()?.parse().ok());
        let length = length.ok_or_else(|| protocol("a file without its length"))?;
        Ok(Incomer {
            body: response.into_body(),
            length,
            rest: length,
        })
    }
}

impl Place {
    /// A call on a connection of its own.
    async fn stream(
        &self,
        method: Method,
        target: Target,
        body: Chunks,
    ) -> Result<Response<Incoming>, ClientError> {
        let mut sender = self.connect().await?;
        let request = self.request_of(&method, &target.into_string(), body)?;
        sender
            .send_request(request)
            .await
            .map_err(|e| self.broken(&e))
    }
}
