//! The roster and its rules.

use super::{Answer, Ctx, SMALL, Shared, ok};
use crate::{
    AcceptReply, AcceptRequest, ErrorBody, ExplainQuery, ExplainView, PolicyView, RosterTaken,
    WaitingView,
    extract::{Asked, Who, body, json},
};
use abeng_wire::limits;
use axum::{
    Router,
    extract::{Request, State},
    routing::{get, post},
};
use std::sync::Arc;

/// What an import may hold of the room for bodies.
const BUNDLE_KIB: u32 = (limits::TRUST_BUNDLE / 1024) as u32 + 1;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1/roster/import", post(import))
        .route("/v1/roster/pending", get(pending))
        .route("/v1/roster/accept", post(accept))
        .route("/v1/policy", get(policy))
        .route("/v1/policy/explain", get(explain))
}

#[utoipa::path(post, path = "/v1/roster/import",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = RosterTaken, description = "durable and in force"),
        (status = 400, body = ErrorBody, description = "no trust data"),
        (status = 422, body = ErrorBody, description = "it does not hold; nothing was changed"),
))]
pub(super) async fn import(State(ctx): Ctx, Who(who): Who, request: Request) -> Answer {
    let held = ctx.bodies.acquire_many(BUNDLE_KIB).await;
    let file = body(request, limits::TRUST_BUNDLE).await?;
    let taken = ctx.operator.roster_import(&who, file).await;
    drop(held);
    ok(taken)
}

#[utoipa::path(get, path = "/v1/roster/pending", responses((status = 200, body = WaitingView)))]
pub(super) async fn pending(State(ctx): Ctx) -> Answer {
    ok(ctx.operator.roster_pending().await)
}

#[utoipa::path(post, path = "/v1/roster/accept", request_body = AcceptRequest, responses(
    (status = 200, body = AcceptReply),
    (status = 404, body = ErrorBody, description = "nobody waits there"),
))]
pub(super) async fn accept(State(ctx): Ctx, Who(who): Who, request: Request) -> Answer {
    let request: AcceptRequest = json(&body(request, SMALL).await?)?;
    ok(ctx.operator.roster_accept(&who, request).await)
}

#[utoipa::path(get, path = "/v1/policy", responses((status = 200, body = PolicyView)))]
pub(super) async fn policy(State(ctx): Ctx) -> Answer {
    ok(ctx.operator.policy().await)
}

#[utoipa::path(get, path = "/v1/policy/explain", params(ExplainQuery),
    responses((status = 200, body = ExplainView), (status = 404, body = ErrorBody)))]
pub(super) async fn explain(State(ctx): Ctx, Asked(query): Asked<ExplainQuery>) -> Answer {
    ok(ctx.operator.explain(query).await)
}
