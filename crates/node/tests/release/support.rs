//! A network whose JM asks for a second person, and people with user ids of their own.

use crate::net::{self, Net, PATIENCE};
use abeng_api::{
    ApiError, AuditQuery, Caller, DenyRequest, ErrorCode, GrantRequest, InboxQuery, LeafView,
    ReleaseItem, ReleaseQuery, SubmitReply, SubmitRequest,
};
use abeng_node::Node;
use std::{fs, path::PathBuf, time::Duration};

/// An officer who may not release.
pub const OFFICER: u32 = 1000;
/// Two who may.
pub const ANN: u32 = 1001;
pub const BOB: u32 = 1002;
/// Somebody else on the machine.
pub const OTHER: u32 = 1003;

pub const RED: &str = "from_tlp = \"RED\"\nreleasers = [1001, 1002]\n";

/// A network of JM with this policy, TT and LC.
pub fn found(policy: &str) -> Net {
    let net = net::found(&["JM", "TT"]);
    set_policy(&net, policy);
    net
}

/// Replaces the policy of JM; empty: none.
pub fn set_policy(net: &Net, policy: &str) {
    let path = net.home("JM").join("node.toml");
    let text = fs::read_to_string(&path).unwrap();
    let plain = text.split("[policy.dual_control]").next().unwrap();
    let section = match policy {
        "" => String::new(),
        policy => format!("[policy.dual_control]\n{policy}"),
    };
    fs::write(path, format!("{plain}{section}")).unwrap();
}

pub fn who(uid: u32) -> Caller {
    Caller::unix(uid)
}

/// A seizure with this label.
pub fn seizure(to: &str, tlp: &str) -> SubmitRequest {
    let mut notice = serde_json::to_value(abeng_notice::samples().remove(0).draft).unwrap();
    notice["administration"] = "JM".into();
    notice["tlp"] = tlp.into();
    SubmitRequest {
        to: vec![to.to_owned()],
        officer: Some("B-117".into()),
        notice,
        ..Default::default()
    }
}

pub async fn submit(jm: &Node, uid: u32, request: SubmitRequest) -> Result<SubmitReply, ApiError> {
    jm.shared().submit(&who(uid), request).await
}

/// Submits as an officer what must wait; its id.
pub async fn hold(jm: &Node, request: SubmitRequest) -> String {
    hold_as(jm, OFFICER, request).await
}

pub async fn hold_as(jm: &Node, uid: u32, request: SubmitRequest) -> String {
    let reply = submit(jm, uid, request).await.unwrap();
    assert_eq!((&reply.id, reply.leaf), (&None, None), "nothing is sent");
    reply.held.unwrap().id.unwrap()
}

pub async fn grant(jm: &Node, uid: u32, id: &str) -> Result<SubmitReply, ApiError> {
    let request = GrantRequest {
        to: None,
        officer: (uid == BOB).then(|| "S-7".to_owned()),
        lang: None,
    };
    jm.shared().release_grant(&who(uid), id, request).await
}

pub async fn deny(jm: &Node, uid: u32, id: &str) -> Result<u64, ApiError> {
    let request = DenyRequest {
        reason: "not ours to tell".into(),
        officer: None,
    };
    let reply = jm.shared().release_deny(&who(uid), id, request).await;
    reply.map(|reply| reply.leaf)
}

pub async fn list(jm: &Node, uid: u32) -> Vec<ReleaseItem> {
    let query = ReleaseQuery::default();
    jm.shared().release_list(&who(uid), query).await.unwrap()
}

pub fn code<T: std::fmt::Debug>(answer: Result<T, ApiError>) -> (ErrorCode, String) {
    let error = answer.unwrap_err();
    named(&error);
    (error.code, error.message)
}

/// The name by which a refusal is told in other languages, as every one has.
pub fn named(error: &ApiError) -> String {
    let cause = error.cause.as_ref();
    let cause = cause.unwrap_or_else(|| panic!("it can be told in English alone: {error:?}"));
    assert!(cause.known().is_some(), "{error:?}");
    match &cause.first {
        Some(first) => format!("{first}: {}", cause.name),
        None => cause.name.clone(),
    }
}

/// What is at a recipient, by id.
pub async fn inbox(net: &Net, name: &str) -> Vec<String> {
    let query = InboxQuery::default();
    let items = net.client(name).inbox(&query).await.unwrap();
    items.into_iter().map(|item| item.id).collect()
}

/// Waits until that many are at a recipient.
pub async fn arrived(net: &Net, name: &str, count: usize) -> Vec<String> {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let ids = inbox(net, name).await;
        if ids.len() >= count {
            assert_eq!(ids.len(), count, "{name} has more than was released");
            return ids;
        }
        assert!(std::time::Instant::now() < deadline, "{name}: {ids:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Leaves of a kind in JM's log, the oldest first.
pub async fn leaves(net: &Net, kind: &str) -> Vec<LeafView> {
    let query = AuditQuery {
        kind: Some(kind.to_owned()),
        from: Some(0),
        limit: Some(1000),
        ..AuditQuery::default()
    };
    net.client("JM").audit_show(&query).await.unwrap().leaves
}

/// What JM's log says of held submissions.
pub async fn acts(net: &Net) -> Vec<String> {
    let admin = leaves(net, "ADMIN").await.into_iter();
    let acts = admin.filter_map(|leaf| leaf.act);
    acts.filter(|act| act.starts_with("RELEASE_")).collect()
}

/// The words of these acts without ids and reasons.
pub async fn kinds(net: &Net) -> Vec<String> {
    let acts = acts(net).await.into_iter();
    let word = |act: String| act.split(' ').next().unwrap().replace("RELEASE_", "");
    acts.map(word).collect()
}

/// The files of what waits at JM.
pub fn files(net: &Net) -> Vec<PathBuf> {
    let entries = fs::read_dir(net.home("JM").join("held")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
