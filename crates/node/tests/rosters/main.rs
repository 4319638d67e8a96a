//! Whole nodes whose roster changes while they work.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod adoption;
#[path = "../common/ceremony.rs"]
mod ceremony;
mod disputes;
#[path = "../common/net.rs"]
mod net;
mod newcomers;
mod signers;
mod standing;

use abeng_api::{AuditQuery, LeafView, StatusView};
use net::Net;

/// The leaves of a kind in a node's log.
pub async fn leaves(net: &Net, name: &str, kind: &str) -> Vec<LeafView> {
    let query = AuditQuery {
        kind: Some(kind.to_owned()),
        ..AuditQuery::default()
    };
    net.client(name).audit_show(&query).await.unwrap().leaves
}

/// Waits until the log has as many of a kind, since a leaf follows what it is about; more are wrong.
pub async fn has_leaves(net: &Net, name: &str, kind: &str, count: usize) {
    for _ in 0..400 {
        if leaves(net, name, kind).await.len() >= count {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(leaves(net, name, kind).await.len(), count, "{kind}");
}

pub fn warns(status: &StatusView, of: &str) -> bool {
    status.warnings.iter().any(|w| w.contains(of))
}

pub fn linked(status: &StatusView, peer: &str) -> bool {
    status.links.iter().any(|l| l.peer == peer && l.linked)
}

/// Waits until a node has a roster.
pub async fn until_roster(net: &Net, name: &str, version: u64) {
    net.until(name, "roster", |s| s.roster.version == version)
        .await;
}
