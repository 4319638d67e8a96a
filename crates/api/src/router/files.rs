//! The routes of attachments: bodies that are streams.

use super::{Answer, Ctx, Id, Shared, ok, path};
use crate::{
    AttachQuery, AttachReply, AttachmentItem, AttachmentQuery, ErrorBody, Upload,
    attach::Chunks,
    extract::{Asked, Who, answer, file},
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    routing::{get, put},
};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1/attachments", put(attach))
        .route("/v1/attachments/{root}", get(attachment))
        .route("/v1/notices/{id}/attachments", get(attachments))
}

#[utoipa::path(put, path = "/v1/attachments", params(AttachQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
        (status = 201, body = AttachReply, description = "taken; the draft's `attach` names the handle"),
        (status = 413, body = ErrorBody), (status = 422, body = ErrorBody),
        (status = 503, body = ErrorBody, description = "no room for it now"),
))]
pub(super) async fn attach(
    State(ctx): Ctx,
    Who(who): Who,
    Asked(query): Asked<AttachQuery>,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let upload = Upload::new(&parts.headers, body);
    let reply = ctx.operator.attach(&who, query, upload).await?;
    Ok(answer(StatusCode::CREATED, &reply))
}

#[utoipa::path(get, path = "/v1/notices/{id}/attachments", params(("id" = String, Path)),
    responses((status = 200, body = Vec<AttachmentItem>), (status = 404, body = ErrorBody)))]
pub(super) async fn attachments(State(ctx): Ctx, id: Id) -> Answer {
    let id = path(id)?;
    ok(ctx.operator.attachments(&id).await)
}

#[utoipa::path(get, path = "/v1/attachments/{root}",
    params(("root" = String, Path, description = "as the notice's list names it"), AttachmentQuery),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream",
            description = "the file; the audit log says who took it"),
        (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "not here yet; it is asked for"),
))]
pub(super) async fn attachment(
    State(ctx): Ctx,
    Who(who): Who,
    root: Id,
    Asked(query): Asked<AttachmentQuery>,
) -> Answer {
    let root = path(root)?;
    let taken = ctx.operator.attachment(&who, &query.notice, &root).await?;
    let length = taken.length;
    let mut response = file(Body::new(Chunks::new(length, taken.chunks)));
    let length = HeaderValue::from(length);
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length);
    Ok(response)
}
