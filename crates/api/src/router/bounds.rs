//! What things cost, and what may still be spent.

use super::{Answer, Ctx, SMALL, ok};
use crate::{
    AllowRequest, BudgetView, CostReply, CostRequest, DrillView, ErrorBody, LimitsView,
    extract::{Who, body, json},
};
use abeng_wire::limits as wire;
use axum::extract::{Request, State};

#[utoipa::path(post, path = "/v1/cost", request_body = CostRequest, responses(
    (status = 200, body = CostReply, description = "what it would cost; nothing is sent"),
    (status = 422, body = ErrorBody, description = "flaws, or not allowed by policy"),
))]
pub(super) async fn cost(State(ctx): Ctx, Who(who): Who, request: Request) -> Answer {
    let request: CostRequest = json(&body(request, wire::API_REQUEST).await?)?;
    ok(ctx.operator.cost(&who, request).await)
}

#[utoipa::path(get, path = "/v1/limits", responses((status = 200, body = LimitsView)))]
pub(super) async fn limits(State(ctx): Ctx) -> Answer {
    ok(ctx.operator.limits().await)
}

#[utoipa::path(get, path = "/v1/drill", responses((status = 200, body = DrillView)))]
pub(super) async fn drill(State(ctx): Ctx) -> Answer {
    ok(ctx.operator.drill().await)
}

#[utoipa::path(post, path = "/v1/link/allow", request_body = AllowRequest, responses(
    (status = 200, body = BudgetView),
    (status = 404, body = ErrorBody, description = "no path here has a budget"),
))]
pub(super) async fn allow(State(ctx): Ctx, Who(who): Who, request: Request) -> Answer {
    let request: AllowRequest = json(&body(request, SMALL).await?)?;
    ok(ctx.operator.allow(&who, request).await)
}
