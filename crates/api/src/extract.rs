//! What handlers take from a request. Every failure is an [`ApiError`].

use crate::{ApiError, Caller, ErrorBody, ErrorCode};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, Query, Request, rejection::QueryRejection},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Serialize, de::DeserializeOwned};
use std::{sync::Arc, time::Duration};

/// How long the rest of a request's body may take.
const BODY_TIME: Duration = Duration::from_secs(20);

/// The header by which a client knows that it speaks with a node, and its value.
pub(crate) const MARK: (&str, HeaderValue) = ("abeng-api", HeaderValue::from_static("1"));

/// The caller, as the transport recorded it.
pub(crate) struct Who(pub(crate) Arc<Caller>);

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Arc<Caller>>().cloned();
        caller.map(Self).ok_or_else(|| {
            ApiError::new(
                ErrorCode::Unauthorised,
                "the caller of this request is not known",
            )
        })
    }
}

/// The query string as `T`; unknown keys are refused.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(QueryRejection::FailedToDeserializeQueryString(e)) => Err(ApiError::invalid(
                format!("the query cannot be read: {}", innermost(&e)),
            )),
            Err(e) => Err(ApiError::invalid(e.to_string())),
        }
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Reads a whole body of at most `limit` bytes.
pub(crate) async fn body(request: Request, limit: usize) -> Result<Bytes, ApiError> {
    let too_large = || {
        ApiError::new(
            ErrorCode::TooLarge,
            format!("the request is larger than {limit} bytes"),
        )
        .with_try("shorten the notice's texts")
    };
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|n| n > limit as u64) {
        return Err(too_large());
    }
    let read = Limited::new(request.into_body(), limit).collect();
    match tokio::time::timeout(BODY_TIME, read).await {
        Ok(Ok(all)) => Ok(all.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(e)) => Err(ApiError::invalid(format!("the request broke off: {e}"))),
        Err(_) => Err(ApiError::invalid("the request's body took too long")),
    }
}

/// Reads a JSON value; an error names line and column.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(bytes)
        .map_err(|e| ApiError::invalid(format!("the request is not valid JSON for this call: {e}")))
}

/// A JSON answer.
pub(crate) fn answer<T: Serialize>(status: StatusCode, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => raw(status, Body::from(bytes)),
        Err(_) => raw(
            StatusCode::INTERNAL_SERVER_ERROR,
            Body::from(r#"{"error":{"code":"internal","message":"the answer cannot be written"}}"#),
        ),
    }
}

/// An answer whose body is JSON already.
pub(crate) fn raw(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(MARK.0, MARK.1);
    response
}

/// An answer that is a file, which nobody on the way may keep.
pub(crate) fn file(body: Body) -> Response {
    let mut response = raw(StatusCode::OK, body);
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry = self.retry_after_s;
        let mut response = answer(status, &ErrorBody { error: self });
        if let Some(seconds) = retry {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
