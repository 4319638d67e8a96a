//! Calls whose answer fits in memory: notices, the inbox, the log, how a node is.

use super::{Client, protocol};
use crate::{
    AllowRequest, AuditQuery, BudgetView, ClientError, ContradictionView, CostReply, CostRequest,
    DeliveredEvent, DestroyKeyRequest, DrillView, EventQuery, EvidenceQuery, ExtendRequest,
    GapView, HoldRequest, InboxItem, InboxQuery, KeepReply, KeptItem, LeafPage, LimitsView,
    NetworkView, NoticeView, PartyView, RecallRequest, RelaysView, RetentionQuery, SealKeyReply,
    SentItem, SentQuery, SettledEvent, StatusView, SubmitReply, SubmitRequest, Timeline,
    query::Target,
};
use bytes::Bytes;
use hyper::Method;
use serde::de::DeserializeOwned;

impl Client {
    /// See [`Operator::submit`](crate::Operator::submit).
    pub async fn submit(&self, request: &SubmitRequest) -> Result<SubmitReply, ClientError> {
        let body = serde_json::to_vec(request).map_err(protocol)?;
        self.submit_json(Bytes::from(body)).await
    }

    /// Like [`Client::submit`] for a [`SubmitRequest`] that is JSON already.
    pub async fn submit_json(&self, body: Bytes) -> Result<SubmitReply, ClientError> {
        self.call(Method::POST, "/v1/notices", body).await
    }

    /// See [`Operator::recall`](crate::Operator::recall).
    pub async fn recall(
        &self,
        id: &str,
        request: &RecallRequest,
    ) -> Result<SubmitReply, ClientError> {
        self.about(Method::POST, (id, "recall"), request).await
    }

    /// See [`Operator::hold_place`](crate::Operator::hold_place).
    pub async fn hold_place(
        &self,
        id: &str,
        request: &HoldRequest,
    ) -> Result<KeepReply, ClientError> {
        self.about(Method::POST, (id, "hold"), request).await
    }

    /// See [`Operator::hold_lift`](crate::Operator::hold_lift).
    pub async fn hold_lift(
        &self,
        id: &str,
        request: &HoldRequest,
    ) -> Result<KeepReply, ClientError> {
        self.about(Method::DELETE, (id, "hold"), request).await
    }

    /// See [`Operator::extend`](crate::Operator::extend).
    pub async fn extend(
        &self,
        id: &str,
        request: &ExtendRequest,
    ) -> Result<KeepReply, ClientError> {
        self.about(Method::POST, (id, "retention"), request).await
    }

    /// See [`Operator::retention`](crate::Operator::retention).
    pub async fn retention(&self, query: &RetentionQuery) -> Result<Vec<KeptItem>, ClientError> {
        self.get(
            Target::new("/v1/retention")
                .flag("all", query.all)
                .flag("held", query.held)
                .pair("limit", query.limit)
                .pair("lang", query.lang.as_deref()),
        )
        .await
    }

    /// See [`Operator::inbox`](crate::Operator::inbox).
    pub async fn inbox(&self, query: &InboxQuery) -> Result<Vec<InboxItem>, ClientError> {
        self.get(
            Target::new("/v1/inbox")
                .pair("limit", query.limit)
                .flag("unread", query.unread)
                .pair("from", query.from.as_deref())
                .pair("before", query.before)
                .pair("lang", query.lang.as_deref()),
        )
        .await
    }

    /// See [`Operator::inbox_show`](crate::Operator::inbox_show).
    pub async fn inbox_show(&self, id: &str, lang: &str) -> Result<NoticeView, ClientError> {
        let target = Target::new("/v1/inbox").segment(id);
        self.get(target.pair("lang", Some(lang))).await
    }

    /// See [`Operator::sent`](crate::Operator::sent).
    pub async fn sent(&self, query: &SentQuery) -> Result<Vec<SentItem>, ClientError> {
        self.get(
            Target::new("/v1/sent")
                .pair("limit", query.limit)
                .flag("open", query.open)
                .pair("before", query.before)
                .pair("lang", query.lang.as_deref()),
        )
        .await
    }

    /// See [`Operator::track`](crate::Operator::track).
    pub async fn track(&self, id: &str, lang: &str) -> Result<Timeline, ClientError> {
        let target = Target::new("/v1/notices").segment(id).segment("track");
        self.get(target.pair("lang", Some(lang))).await
    }

    /// See [`Operator::status`](crate::Operator::status).
    pub async fn status(&self) -> Result<StatusView, ClientError> {
        self.get(Target::new("/v1/status")).await
    }

    /// See [`Operator::cost`](crate::Operator::cost).
    pub async fn cost(&self, request: &CostRequest) -> Result<CostReply, ClientError> {
        let body = serde_json::to_vec(request).map_err(protocol)?;
        self.call(Method::POST, "/v1/cost", Bytes::from(body)).await
    }

    /// See [`Operator::limits`](crate::Operator::limits).
    pub async fn limits(&self) -> Result<LimitsView, ClientError> {
        self.get(Target::new("/v1/limits")).await
    }

    /// See [`Operator::drill`](crate::Operator::drill).
    pub async fn drill(&self) -> Result<DrillView, ClientError> {
        self.get(Target::new("/v1/drill")).await
    }

    /// See [`Operator::allow`](crate::Operator::allow).
    pub async fn allow(&self, request: &AllowRequest) -> Result<BudgetView, ClientError> {
        let body = serde_json::to_vec(request).map_err(protocol)?;
        self.call(Method::POST, "/v1/link/allow", Bytes::from(body))
            .await
    }

    /// See [`Operator::rotate_seal_key`](crate::Operator::rotate_seal_key).
    pub async fn rotate_seal_key(&self) -> Result<SealKeyReply, ClientError> {
        self.call(Method::POST, "/v1/keys/rotate", Bytes::new())
            .await
    }

    /// See [`Operator::destroy_seal_key`](crate::Operator::destroy_seal_key).
    pub async fn destroy_seal_key(
        &self,
        request: &DestroyKeyRequest,
    ) -> Result<SealKeyReply, ClientError> {
        let body = serde_json::to_vec(request).map_err(protocol)?;
        self.call(Method::POST, "/v1/keys/destroy", Bytes::from(body))
            .await
    }

    /// See [`Operator::network`](crate::Operator::network).
    pub async fn network(&self) -> Result<NetworkView, ClientError> {
        self.get(Target::new("/v1/network")).await
    }

    /// See [`Operator::audit_show`](crate::Operator::audit_show).
    pub async fn audit_show(&self, query: &AuditQuery) -> Result<LeafPage, ClientError> {
        self.get(
            Target::new("/v1/audit")
                .pair("from", query.from)
                .pair("before", query.before)
                .pair("limit", query.limit)
                .pair("kind", query.kind.as_deref())
                .pair("party", query.party.as_deref())
                .pair("officer", query.officer.as_deref())
                .pair("notice", query.notice.as_deref())
                .pair("since", query.since.as_deref())
                .pair("until", query.until.as_deref())
                .pair("wait_ms", query.wait_ms),
        )
        .await
    }

    /// See [`Operator::relays`](crate::Operator::relays).
    pub async fn relays(&self) -> Result<RelaysView, ClientError> {
        self.get(Target::new("/v1/relays")).await
    }

    /// See [`Operator::contradictions`](crate::Operator::contradictions).
    pub async fn contradictions(&self) -> Result<Vec<ContradictionView>, ClientError> {
        self.get(Target::new("/v1/contradictions")).await
    }

    /// See [`Operator::gaps`](crate::Operator::gaps).
    pub async fn gaps(&self) -> Result<Vec<GapView>, ClientError> {
        self.get(Target::new("/v1/gaps")).await
    }

    /// See [`Operator::parties`](crate::Operator::parties).
    pub async fn parties(&self) -> Result<Vec<PartyView>, ClientError> {
        self.get(Target::new("/v1/parties")).await
    }

    /// See [`Operator::wait_delivered`](crate::Operator::wait_delivered).
    pub async fn wait_delivered(
        &self,
        query: &EventQuery,
    ) -> Result<Vec<DeliveredEvent>, ClientError> {
        self.get(events("/v1/events/delivered", query)).await
    }

    /// See [`Operator::wait_settled`](crate::Operator::wait_settled).
    pub async fn wait_settled(&self, query: &EventQuery) -> Result<Vec<SettledEvent>, ClientError> {
        self.get(events("/v1/events/settled", query)).await
    }

    /// Does something about one notice.
    async fn about<T: DeserializeOwned>(
        &self,
        method: Method,
        (id, what): (&str, &str),
        request: &impl serde::Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(request).map_err(protocol)?;
        let target = Target::new("/v1/notices").segment(id).segment(what);
        self.call(method, &target.into_string(), Bytes::from(body))
            .await
    }

    /// See [`Operator::evidence`](crate::Operator::evidence).
    pub async fn evidence(&self, id: &str, query: &EvidenceQuery) -> Result<Bytes, ClientError> {
        let target = Target::new("/v1/notices").segment(id).segment("evidence");
        let target = target.flag("disclose", query.disclose).into_string();
        self.bytes(Method::GET, &target, Bytes::new()).await
    }
}

fn events(path: &str, query: &EventQuery) -> Target {
    Target::new(path)
        .pair("after", query.after)
        .pair("timeout_ms", query.timeout_ms)
        .pair("limit", query.limit)
}
