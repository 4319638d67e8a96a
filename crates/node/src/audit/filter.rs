//! What of a leaf has to fit.

use abeng_api::{ApiError, AuditQuery};
use abeng_audit_log::Stored;
use abeng_wire::{EnvelopeId, Millis, v1};

/// The filters of a question; those that are absent let everything pass.
#[derive(Debug, Default)]
pub struct Filter {
    kinds: Vec<v1::LeafKind>,
    party: Option<String>,
    officer: Option<String>,
    notice: Option<EnvelopeId>,
    since: Option<Millis>,
    until: Option<Millis>,
}

impl Filter {
    /// Reads a question, whose notice was found before.
    pub fn new(query: &AuditQuery, notice: Option<EnvelopeId>) -> Result<Self, ApiError> {
        let kinds = query.kind.iter().flat_map(|kinds| kinds.split(','));
        let moment = |text: &Option<String>| text.as_deref().map(moment).transpose();
        let (since, until) = (moment(&query.since)?, moment(&query.until)?);
        if since
            .zip(until)
            .is_some_and(|(since, until)| since >= until)
        {
            return Err(ApiError::invalid("the span of time ends before it begins")
                .with_try("give the earlier moment as `since`, the later one as `until`"));
        }
        Ok(Self {
            kinds: kinds.map(leaf_kind).collect::<Result<_, _>>()?,
            party: query.party.clone(),
            officer: query.officer.as_ref().map(|o| o.trim().to_lowercase()),
            notice,
            since,
            until,
        })
    }

    /// The span of time that is asked for: from, and up to but without.
    pub fn times(&self) -> Option<(Millis, Millis)> {
        let any = self.since.is_some() || self.until.is_some();
        any.then(|| (self.since.unwrap_or(0), self.until.unwrap_or(Millis::MAX)))
    }

    /// True where the leaf is one of those asked for.
    pub fn passes(&self, stored: &Stored) -> bool {
        let leaf = stored.record.leaf().message();
        let names = |party: &String| &leaf.originator == party || &leaf.recipient == party;
        (self.kinds.is_empty() || self.kinds.contains(&leaf.kind()))
            && self.party.as_ref().is_none_or(names)
            && self.notice.is_none_or(|id| leaf.envelope_id == id.0[..])
            && self.since.is_none_or(|since| leaf.time >= since)
            && self.until.is_none_or(|until| leaf.time < until)
            // Last, since it alone reads the private part.
            && self.officer.as_ref().is_none_or(|officer| {
                let private = stored.record.private().ok().flatten();
                private.is_some_and(|p| names_officer(&p, officer))
            })
    }
}

/// The officer that the request named, or the caller that the transport knew.
fn names_officer(private: &v1::PrivatePart, officer: &str) -> bool {
    let caller = private.via.split_once(' ').map(|(_, caller)| caller);
    let is = |name: &str| name.to_lowercase() == officer;
    is(&private.officer) || caller.is_some_and(is)
}

fn leaf_kind(text: &str) -> Result<v1::LeafKind, ApiError> {
    let name = text.trim().to_ascii_uppercase().replace('-', "_");
    v1::LeafKind::from_str_name(&name)
        .filter(|kind| *kind != v1::LeafKind::Unspecified)
        .ok_or_else(|| {
            let kinds = (1..=64).filter_map(|n| v1::LeafKind::try_from(n).ok());
            let names: Vec<&str> = kinds.map(|kind| kind.as_str_name()).collect();
            ApiError::invalid(format!(
                "`{}` is not a kind of leaf",
                text.chars().take(40).collect::<String>()
            ))
            .with_try(format!("the kinds are {}", names.join(", ")))
        })
}

fn moment(text: &str) -> Result<Millis, ApiError> {
    let parsed: Option<jiff::Timestamp> = text.parse().ok();
    parsed
        .and_then(|at| u64::try_from(at.as_millisecond()).ok())
        .ok_or_else(|| {
            ApiError::invalid(format!(
                "`{}` is not a moment",
                text.chars().take(40).collect::<String>()
            ))
            .with_try("write it as RFC 3339, such as 2026-11-24T06:00:00Z")
        })
}
