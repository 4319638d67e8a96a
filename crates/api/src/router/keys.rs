//! Seal keys.

use super::{Answer, Ctx, SMALL, ok};
use crate::{
    DestroyKeyRequest, ErrorBody, SealKeyReply,
    extract::{Who, body, json},
};
use axum::extract::{Request, State};

#[utoipa::path(post, path = "/v1/keys/rotate", responses(
    (status = 200, body = SealKeyReply, description = "published, or in the keyring and waiting for a backup"),
))]
pub(super) async fn rotate(State(ctx): Ctx, Who(who): Who) -> Answer {
    ok(ctx.operator.rotate_seal_key(&who).await)
}

#[utoipa::path(post, path = "/v1/keys/destroy", request_body = DestroyKeyRequest, responses(
    (status = 200, body = SealKeyReply),
    (status = 404, body = ErrorBody, description = "there is no such key"),
    (status = 409, body = ErrorBody, description = "something still needs it"),
))]
pub(super) async fn destroy(State(ctx): Ctx, Who(who): Who, request: Request) -> Answer {
    let request: DestroyKeyRequest = json(&body(request, SMALL).await?)?;
    ok(ctx.operator.destroy_seal_key(&who, request).await)
}
