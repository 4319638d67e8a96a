//! The roster and its rules.

use super::{Client, protocol};
use crate::{
    AcceptReply, AcceptRequest, ClientError, ExplainQuery, ExplainView, PolicyView, RosterTaken,
    WaitingView, query::Target,
};
use bytes::Bytes;
use hyper::Method;

impl Client {
    /// See [`Operator::roster_import`](crate::Operator::roster_import).
    pub async fn roster_import(&self, file: Bytes) -> Result<RosterTaken, ClientError> {
        self.call(Method::POST, "/v1/roster/import", file).await
    }

    /// See [`Operator::roster_pending`](crate::Operator::roster_pending).
    pub async fn roster_pending(&self) -> Result<WaitingView, ClientError> {
        self.get(Target::new("/v1/roster/pending")).await
    }

    /// See [`Operator::roster_accept`](crate::Operator::roster_accept).
    pub async fn roster_accept(&self, request: &AcceptRequest) -> Result<AcceptReply, ClientError> {
        let body = serde_json::to_vec(request).map_err(protocol)?;
        self.call(Method::POST, "/v1/roster/accept", Bytes::from(body))
            .await
    }

    /// See [`Operator::policy`](crate::Operator::policy).
    pub async fn policy(&self) -> Result<PolicyView, ClientError> {
        self.get(Target::new("/v1/policy")).await
    }

    /// See [`Operator::explain`](crate::Operator::explain).
    pub async fn explain(&self, query: &ExplainQuery) -> Result<ExplainView, ClientError> {
        let target = Target::new("/v1/policy/explain")
            .pair("from", query.from.as_deref())
            .pair("to", Some(&query.to))
            .pair("type", Some(&query.ty))
            .pair("tlp", query.tlp.as_deref());
        self.get(target).await
    }
}
