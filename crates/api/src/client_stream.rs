//! Calls whose body is not held in memory. Each has a connection of its own.

use super::{Client, Target, protocol};
use crate::{ApiError, ClientError, CourierExportQuery, CourierReport, ErrorCode, Pieces, pieces};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{Method, Response, body::Incoming};
use std::time::Duration;

/// How long the next piece of an answer may take.
const IDLE: Duration = Duration::from_secs(120);

impl Client {
    /// See [`Operator::courier_export`](crate::Operator::courier_export).
    pub async fn courier_export(&self, query: &CourierExportQuery) -> Result<Pieces, ClientError> {
        let target = Target::new("/v1/courier/export")
            .pair("to", Some(&query.to))
            .pair("limit", query.limit)
            .flag("again", query.again)
            .flag("no_attachments", query.no_attachments);
        let (sender, empty) = pieces();
        drop(sender);
        let response = self
            .send_pieces(Method::POST, &target.into_string(), empty)
            .await?;
        match response.status().is_success() {
            true => Ok(taken(response)),
            false => Err(self.place.read(response).await?.err().unwrap_or_else(odd)),
        }
    }

    /// See [`Operator::courier_import`](crate::Operator::courier_import).
    pub async fn courier_import(&self, file: Pieces) -> Result<CourierReport, ClientError> {
        let response = self
            .send_pieces(Method::POST, "/v1/courier/import", file)
            .await?;
        let answer = self.place.read(response).await??;
        serde_json::from_slice(&answer).map_err(protocol)
    }

    async fn send_pieces(
        &self,
        method: Method,
        target: &str,
        body: Pieces,
    ) -> Result<Response<Incoming>, ClientError> {
        let mut sender = self.place.connect().await?;
        let request = self.place.request_of(&method, target, body)?;
        let sent = sender.send_request(request).await;
        sent.map_err(|e| self.place.broken(&e))
    }
}

fn odd() -> ClientError {
    protocol("an answer that is neither a success nor an error")
}

/// An answer in pieces.
fn taken(response: Response<Incoming>) -> Pieces {
    let (sender, taken) = pieces();
    let mut body = response.into_body();
    tokio::spawn(async move {
        loop {
            let piece: Result<Bytes, String> = match tokio::time::timeout(IDLE, body.frame()).await
            {
                Ok(None) => return,
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => Ok(data),
                    Err(_) => continue,
                },
                Ok(Some(Err(e))) => Err(format!("the node's answer broke off: {e}")),
                Err(_) => Err("the node's answer took too long".to_owned()),
            };
            let piece = piece.map_err(|why| ApiError::new(ErrorCode::Internal, why));
            let is_last = piece.is_err();
            if sender.send(piece).await.is_err() || is_last {
                return;
            }
        }
    });
    taken
}
