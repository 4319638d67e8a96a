//! That every refusal has a name, from which commands make texts in other languages.

use crate::{net::Net, support::*};
use abeng_api::{ApiError, Caller, DenyRequest, ErrorCode, GrantRequest};
use abeng_node::Node;
use abeng_notice::Lang;
use std::fs;

async fn grant_as(jm: &Node, uid: u32, id: &str, request: GrantRequest) -> String {
    let granted = jm.shared().release_grant(&who(uid), id, request).await;
    named(&granted.unwrap_err())
}

async fn show(jm: &Node, uid: u32, id: &str) -> Result<abeng_api::ReleaseView, ApiError> {
    jm.shared().release_view(&who(uid), id, Lang::Es).await
}

fn damage(net: &Net, id: &str) {
    let of = |path: &&std::path::PathBuf| path.to_string_lossy().contains(id);
    let file = files(net).iter().find(of).unwrap().clone();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_may_not_release_is_told_why_by_name() {
    let net = found(RED);
    let jm = net.start("JM").await;
    let id = hold(&jm, seizure("LC", "RED")).await;
    let plain = GrantRequest::default;
    assert_eq!(grant_as(&jm, OTHER, &id, plain()).await, "not_releaser");
    assert_eq!(
        named(&show(&jm, OTHER, &id).await.unwrap_err()),
        "not_releaser"
    );
    assert_eq!(grant_as(&jm, ANN, "zz", plain()).await, "release_id");
    let nothing = "99999999";
    assert_eq!(grant_as(&jm, ANN, nothing, plain()).await, "release_none");
    let own = hold_as(&jm, ANN, seizure("LC", "RED")).await;
    assert_eq!(grant_as(&jm, ANN, &own, plain()).await, "release_own");
    let others = GrantRequest {
        to: Some(vec!["TT".into()]),
        ..plain()
    };
    assert_eq!(grant_as(&jm, ANN, &id, others).await, "release_others");
    let nameless = GrantRequest {
        officer: Some(String::new()),
        ..plain()
    };
    assert_eq!(grant_as(&jm, ANN, &id, nameless).await, "officer_reference");
    let denied = jm
        .shared()
        .release_deny(&who(ANN), &id, DenyRequest::default())
        .await;
    assert_eq!(named(&denied.unwrap_err()), "reason_needed");
    let (token, request) = (Caller::token(), seizure("LC", "RED"));
    let token = jm.shared().submit(&token, request).await;
    assert_eq!(named(&token.unwrap_err()), "release_unproved");
    jm.shutdown().await.unwrap();
    set_policy(&net, "");
    let jm = net.start("JM").await;
    assert_eq!(grant_as(&jm, ANN, &id, plain()).await, "no_releasers");
    jm.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_no_fault_of_the_program() {
    let net = found(RED);
    let jm = net.start("JM").await;
    let id = hold(&jm, seizure("LC", "RED")).await;
    damage(&net, &id);
    let shown = show(&jm, ANN, &id).await.unwrap_err();
    let granted = grant(&jm, ANN, &id).await.unwrap_err();
    for error in [shown, granted] {
        assert_eq!(error.code, ErrorCode::Damaged);
        assert_eq!(named(&error), "release_damaged");
    }
    let stuck = list(&jm, ANN).await.remove(0);
    assert_eq!(stuck.trouble_cause.unwrap().name, "release_damaged");
    // It can be taken away all the same, before and after a start.
    jm.shutdown().await.unwrap();
    let jm = net.start("JM").await;
    let shown = show(&jm, ANN, &id).await.unwrap_err();
    assert_eq!(named(&shown), "release_damaged");
    // Nor is a warning told in English alone.
    let status = net.client("JM").status().await.unwrap();
    let names = status.warning_causes.iter();
    let names: Vec<&str> = names.map(|cause| &*cause.as_ref().unwrap().name).collect();
    assert_eq!(names.len(), status.warnings.len());
    assert!(names.contains(&"held_damaged"), "{names:?}");
    deny(&jm, BOB, &id).await.unwrap();
    jm.shutdown().await.unwrap();
}
