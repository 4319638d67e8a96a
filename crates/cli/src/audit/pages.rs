//! Asking for more than one answer holds.

use crate::CliError;
use abeng_api::{AuditQuery, Client, LeafView};

/// Leaves in one answer at most.
const PAGE: u64 = 1000;

/// Everything that fits from `query.from` on, in parts, until the log's end as it was at the last
/// answer, or until there were `limit`.
pub(super) async fn upwards(
    client: &Client,
    mut query: AuditQuery,
    limit: Option<u64>,
    mut each: impl FnMut(&[LeafView]) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut left = limit.unwrap_or(u64::MAX);
    while left > 0 {
        query.limit = Some(left.min(PAGE) as u32);
        let page = client.audit_show(&query).await?;
        left = left.saturating_sub(page.leaves.len() as u64);
        each(&page.leaves)?;
        match page.next {
            Some(next) => query.from = Some(next),
            None => break,
        }
    }
    Ok(())
}

/// The newest `limit` that fit, the lowest index first.
pub(super) async fn newest(
    client: &Client,
    mut query: AuditQuery,
    limit: u64,
) -> Result<Vec<LeafView>, CliError> {
    let mut parts = Vec::new();
    let mut left = limit;
    while left > 0 {
        query.limit = Some(left.min(PAGE) as u32);
        let page = client.audit_show(&query).await?;
        left = left.saturating_sub(page.leaves.len() as u64);
        parts.push(page.leaves);
        match page.next {
            Some(next) => query.before = Some(next),
            None => break,
        }
    }
    Ok(parts.into_iter().rev().flatten().collect())
}
