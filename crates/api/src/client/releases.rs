//! Submissions that a second person must release.

use super::{Client, protocol};
use crate::{
    ClientError, DenyReply, DenyRequest, GrantRequest, ReleaseItem, ReleaseQuery, ReleaseView,
    SubmitReply, query::Target,
};
use bytes::Bytes;
use hyper::Method;
use serde::de::DeserializeOwned;

impl Client {
    /// See [`Operator::releases`](crate::Operator::releases).
    pub async fn releases(&self, query: &ReleaseQuery) -> Result<Vec<ReleaseItem>, ClientError> {
        let target = Target::new("/v1/releases").pair("limit", query.limit);
        self.get(target.pair("lang", query.lang.as_deref())).await
    }

    /// See [`Operator::release_show`](crate::Operator::release_show).
    pub async fn release_show(&self, id: &str, lang: &str) -> Result<ReleaseView, ClientError> {
        let target = Target::new("/v1/releases").segment(id);
        self.get(target.pair("lang", Some(lang))).await
    }

    /// See [`Operator::release_grant`](crate::Operator::release_grant).
    pub async fn release_grant(
        &self,
        id: &str,
        request: &GrantRequest,
    ) -> Result<SubmitReply, ClientError> {
        self.decide((id, "grant"), request).await
    }

    /// See [`Operator::release_deny`](crate::Operator::release_deny).
    pub async fn release_deny(
        &self,
        id: &str,
        request: &DenyRequest,
    ) -> Result<DenyReply, ClientError> {
        self.decide((id, "deny"), request).await
    }

    async fn decide<T: DeserializeOwned>(
        &self,
        (id, what): (&str, &str),
        request: &impl serde::Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(request).map_err(protocol)?;
        let target = Target::new("/v1/releases").segment(id).segment(what);
        self.call(Method::POST, &target.into_string(), Bytes::from(body))
            .await
    }
}
