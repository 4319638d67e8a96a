//! The HTTP routes over any [`Operator`].

mod files;

use crate::{
    ApiError, AuditQuery, ContradictionView, CourierExportQuery, CourierReport, DeliveredEvent,
    ErrorBody, ErrorCode, EventQuery, EvidenceQuery, ExtendRequest, GapView, HoldRequest,
    InboxItem, InboxQuery, KeepReply, KeptItem, LeafPage, NetworkView, NoticeView, Operator,
    PartyView, Pieces, RecallRequest, RelaysView, RetentionQuery, SentItem, SentQuery,
    SettledEvent, StatusView, SubmitReply, SubmitRequest, Timeline,
    extract::{Asked, Who, answer, body, file, json, raw},
};
use abeng_wire::limits;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Request, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;
use utoipa::{IntoParams, OpenApi};

mod bounds;
mod keys;
mod releases;
mod rules;

/// How much of requests' bodies is held at once, in KiB, whatever the number of connections.
const BODIES_KIB: usize = 64 * 1024;
/// The part of it that a request takes: its declared length, or the most it may have.
const BODY_MOST_KIB: u32 = (limits::API_REQUEST / 1024) as u32 + 1;

/// The longest body of a request that is a few fields.
const SMALL: usize = 64 * 1024;

struct Shared {
    operator: Arc<dyn Operator>,
    bodies: Semaphore,
}

type Ctx = State<Arc<Shared>>;
type Answer = Result<Response, ApiError>;
type Id = Result<Path<String>, PathRejection>;

/// The routes under `/v1`. Whoever serves them puts an `Arc<Caller>` into each request's
/// extensions ([`serve_unix`](crate::serve_unix) and [`serve_tcp`](crate::serve_tcp) do).
pub fn router(operator: Arc<dyn Operator>) -> Router {
    let shared = Arc::new(Shared {
        operator,
        bodies: Semaphore::new(BODIES_KIB),
    });
    Router::new()
        .route("/v1/notices", post(submit))
        .route("/v1/notices/{id}/track", get(track))
        .route("/v1/notices/{id}/recall", post(recall))
        .route("/v1/notices/{id}/hold", post(hold_place).delete(hold_lift))
        .route("/v1/notices/{id}/retention", post(extend))
        .route("/v1/retention", get(retention))
        .route("/v1/notices/{id}/evidence", get(evidence))
        .route("/v1/courier/export", post(courier_export))
        .route("/v1/courier/import", post(courier_import))
        .route("/v1/cost", post(bounds::cost))
        .route("/v1/limits", get(bounds::limits))
        .route("/v1/drill", get(bounds::drill))
        .route("/v1/link/allow", post(bounds::allow))
        .route("/v1/keys/rotate", post(keys::rotate))
        .route("/v1/keys/destroy", post(keys::destroy))
        .route("/v1/inbox", get(inbox))
        .route("/v1/inbox/{id}", get(inbox_show))
        .route("/v1/sent", get(sent))
        .route("/v1/status", get(status))
        .route("/v1/network", get(network))
        .route("/v1/audit", get(audit))
        .route("/v1/relays", get(relays))
        .route("/v1/contradictions", get(contradictions))
        .route("/v1/gaps", get(gaps))
        .route("/v1/parties", get(parties))
        .route("/v1/events/delivered", get(delivered))
        .route("/v1/events/settled", get(settled))
        .route("/v1/openapi.json", get(description))
        .merge(files::routes())
        .merge(rules::routes())
        .merge(releases::routes())
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(shared)
}

/// The description of the interface, OpenAPI 3.1.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Abeng local interface",
        description = "What a node does for the people of its own administration. \
            On the Unix socket the caller is known by the kernel; on TCP by a bearer token."
    ),
    paths(
        submit,
        files::attach,
        files::attachments,
        files::attachment,
        track,
        evidence,
        recall,
        hold_place,
        hold_lift,
        extend,
        retention,
        courier_export,
        courier_import,
        bounds::cost,
        bounds::limits,
        bounds::drill,
        bounds::allow,
        rules::import,
        rules::pending,
        rules::accept,
        rules::policy,
        rules::explain,
        releases::list,
        releases::show,
        releases::grant,
        releases::deny,
        keys::rotate,
        keys::destroy,
        inbox,
        inbox_show,
        sent,
        status,
        network,
        audit,
        relays,
        contradictions,
        gaps,
        parties,
        delivered,
        settled
    ),
    components(schemas(ErrorBody))
)]
struct Description;

#[derive(Deserialize, Serialize, Default, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LangQuery {
    /// The reader's language.
    #[serde(default)]
    lang: Option<String>,
}

impl LangQuery {
    fn tag(&self) -> &str {
        self.lang.as_deref().unwrap_or("en")
    }
}

#[utoipa::path(post, path = "/v1/notices", request_body = SubmitRequest, responses(
    (status = 201, body = SubmitReply, description = "accepted and durable"),
    (status = 202, body = SubmitReply, description = "held until a second person releases it"),
    (status = 200, body = SubmitReply, description = "dry run"),
    (status = 422, body = ErrorBody, description = "flaws, or not allowed by policy"),
    (status = 503, body = ErrorBody, description = "busy; see Retry-After"),
    (status = 507, body = ErrorBody, description = "no room on the node's disk"),
))]
async fn submit(State(ctx): Ctx, Who(who): Who, request: Request) -> Answer {
    let declared = request
        .headers()
        .get(axum::http::header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<u32>().ok())
        .map_or(BODY_MOST_KIB, |n| (n / 1024 + 1).min(BODY_MOST_KIB));
    let held = ctx.bodies.acquire_many(declared).await;
    let request: SubmitRequest = json(&body(request, limits::API_REQUEST).await?)?;
    let dry_run = request.dry_run;
    let reply = ctx.operator.submit(&who, request).await;
    drop(held);
    let reply = reply?;
    let status = match (dry_run, &reply.held) {
        (true, _) => StatusCode::OK,
        (false, Some(_)) => StatusCode::ACCEPTED,
        (false, None) => StatusCode::CREATED,
    };
    Ok(answer(status, &reply))
}

#[utoipa::path(get, path = "/v1/notices/{id}/track", params(("id" = String, Path), LangQuery),
    responses((status = 200, body = Timeline), (status = 404, body = ErrorBody)))]
async fn track(State(ctx): Ctx, id: Id, Asked(lang): Asked<LangQuery>) -> Answer {
    let id = path(id)?;
    ok(ctx.operator.track(&id, lang.tag()).await)
}

#[utoipa::path(post, path = "/v1/notices/{id}/recall", params(("id" = String, Path)),
    request_body = RecallRequest, responses(
        (status = 201, body = SubmitReply, description = "the recall is accepted and durable"),
        (status = 200, body = SubmitReply, description = "dry run"),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody, description = "flaws, or not allowed by policy"),
))]
async fn recall(State(ctx): Ctx, Who(who): Who, id: Id, request: Request) -> Answer {
    let id = path(id)?;
    let request: RecallRequest = json(&body(request, SMALL).await?)?;
    let status = match request.dry_run {
        true => StatusCode::OK,
        false => StatusCode::CREATED,
    };
    let reply = ctx.operator.recall(&who, &id, request).await?;
    Ok(answer(status, &reply))
}

#[utoipa::path(post, path = "/v1/notices/{id}/hold", params(("id" = String, Path)),
    request_body = HoldRequest, responses((status = 200, body = KeepReply),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn hold_place(State(ctx): Ctx, Who(who): Who, id: Id, request: Request) -> Answer {
    let id = path(id)?;
    let request: HoldRequest = json(&body(request, SMALL).await?)?;
    ok(ctx.operator.hold_place(&who, &id, request).await)
}

#[utoipa::path(delete, path = "/v1/notices/{id}/hold", params(("id" = String, Path)),
    request_body = HoldRequest, responses((status = 200, body = KeepReply),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn hold_lift(State(ctx): Ctx, Who(who): Who, id: Id, request: Request) -> Answer {
    let id = path(id)?;
    let request: HoldRequest = json(&body(request, SMALL).await?)?;
    ok(ctx.operator.hold_lift(&who, &id, request).await)
}

#[utoipa::path(post, path = "/v1/notices/{id}/retention", params(("id" = String, Path)),
    request_body = ExtendRequest, responses((status = 200, body = KeepReply),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn extend(State(ctx): Ctx, Who(who): Who, id: Id, request: Request) -> Answer {
    let id = path(id)?;
    let request: ExtendRequest = json(&body(request, SMALL).await?)?;
    ok(ctx.operator.extend(&who, &id, request).await)
}

#[utoipa::path(get, path = "/v1/retention", params(RetentionQuery),
    responses((status = 200, body = Vec<KeptItem>)))]
async fn retention(State(ctx): Ctx, Asked(query): Asked<RetentionQuery>) -> Answer {
    ok(ctx.operator.retention(query).await)
}

#[utoipa::path(get, path = "/v1/notices/{id}/evidence",
    params(("id" = String, Path), EvidenceQuery),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream",
            description = "an evidence file"),
        (status = 404, body = ErrorBody)))]
async fn evidence(
    State(ctx): Ctx,
    Who(who): Who,
    id: Id,
    Asked(query): Asked<EvidenceQuery>,
) -> Answer {
    let id = path(id)?;
    let made = ctx.operator.evidence(&who, &id, query).await?;
    Ok(file(Body::from(made)))
}

#[utoipa::path(post, path = "/v1/courier/export", params(CourierExportQuery), responses(
    (status = 200, body = Vec<u8>, content_type = "application/octet-stream",
        description = "a courier file; whole only with its close"),
    (status = 400, body = ErrorBody), (status = 503, body = ErrorBody)))]
async fn courier_export(
    State(ctx): Ctx,
    Who(who): Who,
    Asked(query): Asked<CourierExportQuery>,
) -> Answer {
    let made = ctx.operator.courier_export(&who, query).await?;
    Ok(file(Body::new(made)))
}

#[utoipa::path(post, path = "/v1/courier/import",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = CourierReport,
        description = "what became of it, also where it is cut or damaged"),
        (status = 422, body = ErrorBody, description = "no courier file, or not for this node"),
        (status = 503, body = ErrorBody)))]
async fn courier_import(State(ctx): Ctx, Who(who): Who, request: Request) -> Answer {
    let file = Pieces::of_request(request);
    ok(ctx.operator.courier_import(&who, file).await)
}

#[utoipa::path(get, path = "/v1/inbox", params(InboxQuery),
    responses((status = 200, body = Vec<InboxItem>)))]
async fn inbox(State(ctx): Ctx, Asked(query): Asked<InboxQuery>) -> Answer {
    ok(ctx.operator.inbox(query).await)
}

#[utoipa::path(get, path = "/v1/inbox/{id}", params(("id" = String, Path), LangQuery),
    responses((status = 200, body = NoticeView), (status = 404, body = ErrorBody)))]
async fn inbox_show(
    State(ctx): Ctx,
    Who(who): Who,
    id: Id,
    Asked(lang): Asked<LangQuery>,
) -> Answer {
    let id = path(id)?;
    ok(ctx.operator.inbox_show(&who, &id, lang.tag()).await)
}

#[utoipa::path(get, path = "/v1/sent", params(SentQuery),
    responses((status = 200, body = Vec<SentItem>)))]
async fn sent(State(ctx): Ctx, Asked(query): Asked<SentQuery>) -> Answer {
    ok(ctx.operator.sent(query).await)
}

#[utoipa::path(get, path = "/v1/status", responses((status = 200, body = StatusView)))]
async fn status(State(ctx): Ctx) -> Answer {
    ok(ctx.operator.status().await)
}

#[utoipa::path(get, path = "/v1/network",
    responses((status = 200, body = NetworkView), (status = 403, body = ErrorBody)))]
async fn network(State(ctx): Ctx) -> Answer {
    ok(ctx.operator.network().await)
}

#[utoipa::path(get, path = "/v1/audit", params(AuditQuery),
    responses((status = 200, body = LeafPage)))]
async fn audit(State(ctx): Ctx, Asked(query): Asked<AuditQuery>) -> Answer {
    ok(ctx.operator.audit_show(query).await)
}

#[utoipa::path(get, path = "/v1/relays", responses((status = 200, body = RelaysView)))]
async fn relays(State(ctx): Ctx) -> Answer {
    ok(ctx.operator.relays().await)
}

#[utoipa::path(get, path = "/v1/contradictions",
    responses((status = 200, body = Vec<ContradictionView>)))]
async fn contradictions(State(ctx): Ctx) -> Answer {
    ok(ctx.operator.contradictions().await)
}

#[utoipa::path(get, path = "/v1/gaps", responses((status = 200, body = Vec<GapView>)))]
async fn gaps(State(ctx): Ctx) -> Answer {
    ok(ctx.operator.gaps().await)
}

#[utoipa::path(get, path = "/v1/parties", responses((status = 200, body = Vec<PartyView>)))]
async fn parties(State(ctx): Ctx) -> Answer {
    ok(ctx.operator.parties().await)
}

#[utoipa::path(get, path = "/v1/events/delivered", params(EventQuery),
    responses((status = 200, body = Vec<DeliveredEvent>)))]
async fn delivered(State(ctx): Ctx, Asked(query): Asked<EventQuery>) -> Answer {
    ok(ctx.operator.wait_delivered(query).await)
}

#[utoipa::path(get, path = "/v1/events/settled", params(EventQuery),
    responses((status = 200, body = Vec<SettledEvent>)))]
async fn settled(State(ctx): Ctx, Asked(query): Asked<EventQuery>) -> Answer {
    ok(ctx.operator.wait_settled(query).await)
}

async fn description() -> Answer {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = match TEXT.get() {
        Some(text) => text.clone(),
        None => {
            let made = serde_json::to_vec(&openapi())
                .map_err(|e| ApiError::internal(format!("no description: {e}")))?;
            TEXT.get_or_init(|| Bytes::from(made)).clone()
        }
    };
    Ok(raw(StatusCode::OK, Body::from(text)))
}

async fn no_route(request: Request) -> ApiError {
    ApiError::not_found(format!("there is no `{}` here", request.uri().path()))
        .with_try("GET /v1/openapi.json lists what there is")
}

async fn no_method(request: Request) -> ApiError {
    ApiError::invalid(format!(
        "`{}` does not take {}",
        request.uri().path(),
        request.method()
    ))
    .with_try("GET /v1/openapi.json lists what there is")
}

fn path(id: Id) -> Result<String, ApiError> {
    match id {
        Ok(Path(id)) => Ok(id),
        Err(e) => Err(ApiError::new(ErrorCode::Invalid, e.body_text())),
    }
}

fn ok<T: Serialize>(result: Result<T, ApiError>) -> Answer {
    Ok(answer(StatusCode::OK, &result?))
}
