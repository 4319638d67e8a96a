//! Notices to send, and what became of them.

use super::Node;
use abeng_api::{AuditQuery, InboxItem, InboxQuery, LeafView, SentItem, SentQuery, SubmitRequest};
use serde_json::json;

/// Asked for at once: fewer than the interface allows, so that pages are turned.
const PAGE: u32 = 100;

/// A seizure whose remarks are this text.
pub fn seizure(to: &[&str], remarks: &str) -> SubmitRequest {
    SubmitRequest {
        to: to.iter().map(|&code| code.to_owned()).collect(),
        notice: json!({
            "type": "SEIZURE",
            "date": "2024-03-02",
            "place": "JMKIN",
            "goods": [{ "drug": "cocaine", "quantity": 139.4, "unit": "KGM" }],
            "conveyance": { "mode": "sea" },
            "route": { "departure": "unknown", "destination": "NLRTM" },
            "remarks": remarks,
        }),
        ..Default::default()
    }
}

/// The options of the short form, whole and right; a test spoils one of them.
pub const SHORT: &[(&str, &str)] = &[
    ("--to", "LC"),
    ("--when", "2024-03-02"),
    ("--place", "JMKIN"),
    ("--drug", "cocaine"),
    ("--quantity", "139.4"),
    ("--unit", "kg"),
    ("--mode", "sea"),
    ("--route-from", "unknown"),
    ("--route-to", "NLRTM"),
];

impl Node {
    /// The whole inbox, newest first.
    pub async fn inbox(&self) -> Vec<InboxItem> {
        let mut all: Vec<InboxItem> = Vec::new();
        loop {
            let query = InboxQuery {
                limit: Some(PAGE),
                before: all.last().map(|i| i.leaf),
                ..Default::default()
            };
            let page = self.client.inbox(&query).await.unwrap();
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }

    /// All that was sent, newest first.
    pub async fn sent(&self) -> Vec<SentItem> {
        let mut all: Vec<SentItem> = Vec::new();
        loop {
            let query = SentQuery {
                limit: Some(PAGE),
                before: all.last().map(|i| i.leaf),
                ..Default::default()
            };
            let page = self.client.sent(&query).await.unwrap();
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }

    /// Whether nothing sent from here is still on its way. A node that does not answer is not
    /// known to be.
    pub async fn settled(&self) -> bool {
        let open = SentQuery {
            open: true,
            limit: Some(1),
            ..Default::default()
        };
        self.client
            .sent(&open)
            .await
            .is_ok_and(|open| open.is_empty())
    }

    /// All leaves of its log, of one kind or of any.
    pub async fn leaves(&self, kind: Option<&str>) -> Vec<LeafView> {
        let mut all: Vec<LeafView> = Vec::new();
        let mut from = Some(0);
        while from.is_some() {
            let query = AuditQuery {
                from,
                limit: Some(PAGE),
                kind: kind.map(str::to_owned),
                ..Default::default()
            };
            let page = self.client.audit_show(&query).await.unwrap();
            all.extend(page.leaves);
            from = page.next;
        }
        all
    }

    /// The remarks of a notice in the inbox. Leaves a Read leaf.
    pub async fn remarks(&self, id: &str) -> String {
        let shown = self.client.inbox_show(id, "en").await.unwrap();
        shown.notice["remarks"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Submits the short form by the command with one option changed; `None`: left out.
    pub fn submit_with(&self, changed: &[(&str, Option<&str>)]) -> super::Run {
        let mut args = vec!["submit", "seizure"];
        for &(name, usual) in SHORT {
            let change = changed.iter().find(|(n, _)| *n == name);
            if let Some(value) = change.map_or(Some(usual), |(_, value)| *value) {
                args.extend([name, value]);
            }
        }
        for &(name, value) in changed {
            if SHORT.iter().all(|(n, _)| *n != name) {
                args.extend([Some(name), value].into_iter().flatten());
            }
        }
        self.run(&args)
    }
}
