//! Trust data past its age limit: every submission waits for a second person, whatever it says.

use crate::{net, support::*};
use abeng_api::{Caller, ErrorCode, GrantRequest, RecallRequest, ReleaseWhy, RosterState};
use abeng_node::{Node, age::PAST_LIMIT};

/// JM's node, for which trust data of any age is past the limit.
async fn start_aged(net: &net::Net) -> Node {
    let deadline = std::time::Instant::now() + net::PATIENCE;
    loop {
        let mut config = net.config("JM");
        config.roster_limit_ms = 0;
        match Node::start(config).await {
            Ok(node) => return node,
            // The port of one stopped in this process goes a moment later.
            Err(why) => assert!(std::time::Instant::now() < deadline, "{why}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_the_age_limit_nobody_sends_alone_and_anybody_else_releases() {
    let net = found("");
    let (jm, lc) = (start_aged(&net).await, net.start("LC").await);
    let status = net.client("JM").status().await.unwrap();
    assert_eq!(status.roster.age.state, RosterState::PastLimit);
    let told = |w: &String| w.starts_with(PAST_LIMIT);
    assert!(status.warnings.iter().any(told), "{:?}", status.warnings);

    let mut dry = seizure("LC", "GREEN");
    dry.dry_run = true;
    let would = submit(&jm, OFFICER, dry).await.unwrap().held.unwrap();
    assert_eq!((would.id, would.why), (None, vec![ReleaseWhy::Age]));
    assert_eq!((&*would.releasers, would.age_days), (&[][..], Some(0)));
    let id = hold(&jm, seizure("LC", "GREEN")).await;
    // The leaf says why, for ever.
    let held = format!("RELEASE_HELD {id}: the roster was last confirmed 0 days before");
    assert_eq!(acts(&net).await, [held]);

    // The token proves nobody, and whoever submitted it is no second person.
    let token = Caller::token();
    let tcp = jm.shared().submit(&token, seizure("LC", "GREEN"));
    let (refused, why) = code(tcp.await);
    assert_eq!(refused, ErrorCode::Forbidden);
    assert!(why.contains("last confirmed"), "{why}");
    let token = jm
        .shared()
        .release_grant(&token, &id, GrantRequest::default());
    assert_eq!(code(token.await).0, ErrorCode::Forbidden);
    let (refused, why) = code(grant(&jm, OFFICER, &id).await);
    assert_eq!(refused, ErrorCode::Forbidden);
    assert!(why.contains("user id"), "{why}");
    assert!(inbox(&net, "LC").await.is_empty());

    // Nor does a restart let it go.
    jm.shutdown().await.unwrap();
    let jm = start_aged(&net).await;
    let view = jm
        .shared()
        .release_view(&who(OTHER), &id, abeng_notice::Lang::En)
        .await;
    let view = view.unwrap();
    assert_eq!((view.why, view.age_days), (vec![ReleaseWhy::Age], Some(0)));
    assert_eq!(list(&jm, OTHER).await.len(), 1);
    let sent = grant(&jm, OTHER, &id).await.unwrap().id.unwrap();
    arrived(&net, "LC", 1).await;
    let submitted = leaves(&net, "SUBMITTED").await.pop().unwrap();
    let via = format!("unix uid:1000, released by unix uid:1003, held {id}");
    assert_eq!(submitted.via.as_deref(), Some(&*via));

    // What takes back waits for nobody; what says something in words does.
    let recall = |text: Option<&str>| RecallRequest {
        reason: "duplicate".into(),
        text: text.map(str::to_owned),
        ..RecallRequest::default()
    };
    let wordy = jm
        .shared()
        .recall(&who(OFFICER), &sent, recall(Some("ring me")))
        .await;
    assert_eq!(wordy.unwrap().held.unwrap().why, [ReleaseWhy::Age]);
    let bare = jm.shared().recall(&who(OFFICER), &sent, recall(None)).await;
    assert!(bare.unwrap().held.is_none());
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    net.verify("JM");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_policy_names_releasers_they_alone_release_what_is_old() {
    let net = found(RED);
    let (jm, lc) = (start_aged(&net).await, net.start("LC").await);
    let reply = submit(&jm, OFFICER, seizure("LC", "RED")).await.unwrap();
    let both = reply.held.unwrap();
    assert_eq!(both.why, [ReleaseWhy::Tlp, ReleaseWhy::Age]);
    assert_eq!(both.releasers, ["uid:1001", "uid:1002"]);
    let green = hold(&jm, seizure("LC", "GREEN")).await;
    let (refused, _) = code(grant(&jm, OTHER, &green).await);
    assert_eq!(refused, ErrorCode::Forbidden);
    assert!(list(&jm, OTHER).await.is_empty());
    grant(&jm, ANN, &green).await.unwrap();
    arrived(&net, "LC", 1).await;

    // Without the policy what waits for its age alone is anybody's, and nothing else is.
    let aged = hold(&jm, seizure("LC", "GREEN")).await;
    jm.shutdown().await.unwrap();
    set_policy(&net, "");
    let jm = net.start("JM").await;
    assert_eq!(list(&jm, OTHER).await.len(), 1);
    let red = code(grant(&jm, OTHER, &both.id.unwrap()).await);
    assert_eq!(red.0, ErrorCode::Forbidden);
    grant(&jm, OTHER, &aged).await.unwrap();
    arrived(&net, "LC", 2).await;
    // Young again: nothing waits any more.
    let free = submit(&jm, OFFICER, seizure("LC", "GREEN")).await;
    assert!(free.unwrap().held.is_none());
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}
