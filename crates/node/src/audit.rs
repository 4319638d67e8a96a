//! `audit show`: leaves of our own log, with filters.

use crate::{clock, reading::internal, shared::Shared};
use abeng_api::{ApiError, AuditQuery, LeafView};
use abeng_audit_log::{Stored, merkle::leaf_hash};
use abeng_wire::{EnvelopeId, LeafIndex, v1};
use std::sync::Arc;

/// Leaves looked at for one answer: a filter that matches seldom says where it stopped.
const LOOKED_AT: u64 = 200_000;

struct Filter {
    kind: Option<v1::LeafKind>,
    party: Option<String>,
    notice: Option<EnvelopeId>,
}

impl Shared {
    /// `GET /v1/audit`.
    pub async fn leaves(self: &Arc<Self>, query: AuditQuery) -> Result<Vec<LeafView>, ApiError> {
        let kind = query.kind.as_deref().map(leaf_kind).transpose()?;
        let notice = match &query.notice {
            Some(id) => Some(self.find_id(id).await?.0),
            None => None,
        };
        let filter = Filter {
            kind,
            party: query.party,
            notice,
        };
        let limit = (query.limit.unwrap_or(50) as usize).min(1000);
        let shared = self.clone();
        tokio::task::spawn_blocking(move || match query.from {
            Some(from) => shared.forward(LeafIndex(from), limit, &filter),
            None => shared.newest(limit, &filter),
        })
        .await
        .map_err(internal)?
    }

    fn forward(
        &self,
        from: LeafIndex,
        limit: usize,
        filter: &Filter,
    ) -> Result<Vec<LeafView>, ApiError> {
        let mut found = Vec::new();
        for stored in self.reader.scan(from).take(LOOKED_AT as usize) {
            let stored = stored.map_err(internal)?;
            if filter.passes(&stored) {
                found.push(leaf_view(&stored));
            }
            if found.len() == limit {
                break;
            }
        }
        Ok(found)
    }

    /// The newest that pass, oldest first.
    fn newest(&self, limit: usize, filter: &Filter) -> Result<Vec<LeafView>, ApiError> {
        let size = self.reader.size();
        let mut found = Vec::new();
        for index in (size.saturating_sub(LOOKED_AT)..size).rev() {
            let stored = self.reader.read(LeafIndex(index)).map_err(internal)?;
            if filter.passes(&stored) {
                found.push(leaf_view(&stored));
            }
            if found.len() == limit {
                break;
            }
        }
        found.reverse();
        Ok(found)
    }
}

impl Filter {
    fn passes(&self, stored: &Stored) -> bool {
        let leaf = stored.record.leaf().message();
        self.kind.is_none_or(|kind| leaf.kind() == kind)
            && self
                .party
                .as_ref()
                .is_none_or(|p| &leaf.originator == p || &leaf.recipient == p)
            && self.notice.is_none_or(|id| leaf.envelope_id == id.0[..])
    }
}

fn leaf_kind(text: &str) -> Result<v1::LeafKind, ApiError> {
    v1::LeafKind::from_str_name(&text.to_ascii_uppercase().replace('-', "_"))
        .filter(|kind| *kind != v1::LeafKind::Unspecified)
        .ok_or_else(|| {
            ApiError::invalid(format!("`{text}` is not a kind of leaf"))
                .with_try("use for example SUBMITTED, QUEUED, RECEIVED, DELIVERED, REFUSED, EXPIRED, RECEIPT_TAKEN, READ, STARTED")
        })
}

fn leaf_view(stored: &Stored) -> LeafView {
    let leaf = stored.record.leaf();
    let says = leaf.message();
    let text = |s: &String| (!s.is_empty()).then(|| s.clone());
    let officer = stored.record.private().ok().flatten().map(|p| p.officer);
    LeafView {
        index: stored.index.0,
        at: clock::rfc3339(says.time),
        kind: says.kind().as_str_name().to_owned(),
        notice: EnvelopeId::from_slice(&says.envelope_id).map(|id| id.to_string()),
        originator: text(&says.originator),
        recipient: text(&says.recipient),
        reason: (says.reason() != v1::Reason::Unspecified)
            .then(|| says.reason().as_str_name().to_owned()),
        officer: officer.filter(|o| !o.is_empty()),
        hash: leaf_hash(leaf.bytes()).to_string(),
    }
}
