//! Submissions that a second person must release.

use super::{Answer, Ctx, Id, LangQuery, SMALL, Shared, ok, path};
use crate::{
    DenyReply, DenyRequest, ErrorBody, GrantRequest, ReleaseItem, ReleaseQuery, ReleaseView,
    SubmitReply,
    extract::{Asked, Who, answer, body, json},
};
use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    routing::{get, post},
};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1/releases", get(list))
        .route("/v1/releases/{id}", get(show))
        .route("/v1/releases/{id}/grant", post(grant))
        .route("/v1/releases/{id}/deny", post(deny))
}

#[utoipa::path(get, path = "/v1/releases", params(ReleaseQuery),
    responses((status = 200, body = Vec<ReleaseItem>,
        description = "all of them for a releaser, else the caller's own")))]
pub(super) async fn list(
    State(ctx): Ctx,
    Who(who): Who,
    Asked(query): Asked<ReleaseQuery>,
) -> Answer {
    ok(ctx.operator.releases(&who, query).await)
}

#[utoipa::path(get, path = "/v1/releases/{id}", params(("id" = String, Path), LangQuery),
    responses((status = 200, body = ReleaseView), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn show(
    State(ctx): Ctx,
    Who(who): Who,
    id: Id,
    Asked(lang): Asked<LangQuery>,
) -> Answer {
    let id = path(id)?;
    ok(ctx.operator.release_show(&who, &id, lang.tag()).await)
}

#[utoipa::path(post, path = "/v1/releases/{id}/grant", params(("id" = String, Path)),
    request_body = GrantRequest, responses(
        (status = 201, body = SubmitReply, description = "released: accepted and durable"),
        (status = 403, body = ErrorBody, description = "not a releaser, or whoever submitted it"),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody, description = "not allowed any more; it still waits"),
))]
pub(super) async fn grant(State(ctx): Ctx, Who(who): Who, id: Id, request: Request) -> Answer {
    let id = path(id)?;
    let request: GrantRequest = json(&body(request, SMALL).await?)?;
    let reply = ctx.operator.release_grant(&who, &id, request).await?;
    Ok(answer(StatusCode::CREATED, &reply))
}

#[utoipa::path(post, path = "/v1/releases/{id}/deny", params(("id" = String, Path)),
    request_body = DenyRequest, responses((status = 200, body = DenyReply),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody)))]
pub(super) async fn deny(State(ctx): Ctx, Who(who): Who, id: Id, request: Request) -> Answer {
    let id = path(id)?;
    let request: DenyRequest = json(&body(request, SMALL).await?)?;
    ok(ctx.operator.release_deny(&who, &id, request).await)
}
