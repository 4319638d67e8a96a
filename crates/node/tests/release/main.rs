//! What a second person must release: whole nodes, and people whom their user ids tell apart.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod age;
mod causes;
#[path = "../common/ceremony.rs"]
mod ceremony;
mod crash;
mod loss;
#[path = "../common/net.rs"]
mod net;
mod support;

use abeng_api::{Caller, ErrorCode, GrantRequest, RecallRequest, ReleaseWhy, SentQuery};
use support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_red_is_sent_only_by_two() {
    let net = found(RED);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    let mut dry = seizure("LC", "RED");
    dry.dry_run = true;
    let would = submit(&jm, OFFICER, dry).await.unwrap();
    let held = would.held.unwrap();
    assert_eq!((held.id, held.why), (None, vec![ReleaseWhy::Tlp]));
    assert_eq!(held.releasers, ["uid:1001", "uid:1002"]);
    assert!(files(&net).is_empty() && acts(&net).await.is_empty());

    let id = hold(&jm, seizure("LC", "RED")).await;
    assert_eq!(kinds(&net).await, ["HELD"]);
    // Nobody but who waits for it knows: no number, no envelope, nothing in `sent`.
    let sent = net.client("JM").sent(&SentQuery::default()).await.unwrap();
    assert!(sent.is_empty());
    let status = net.client("JM").status().await.unwrap();
    assert_eq!((status.held.count, status.queue.depth), (1, 0));
    assert!(status.held.oldest.is_some());
    assert_eq!(net::counter(&jm, "abeng_held_submissions "), 1);
    let [file] = &files(&net)[..] else {
        panic!("one file");
    };
    let sealed = std::fs::read(file).unwrap();
    let clear = |piece: &[u8]| sealed.windows(piece.len()).any(|w| w == piece);
    assert!(!clear(b"SEIZURE") && !clear(b"B-117"));
    // A notice that need not wait goes past it.
    let free = submit(&jm, OFFICER, seizure("LC", "AMBER"));
    assert!(free.await.unwrap().held.is_none());
    arrived(&net, "LC", 1).await;

    let own = list(&jm, OFFICER).await;
    assert_eq!(
        (own.len(), own[0].own, &*own[0].officer),
        (1, true, "B-117")
    );
    let all = list(&jm, ANN).await;
    assert_eq!(
        (all[0].own, &*all[0].by, &*all[0].tlp),
        (false, "uid:1000", "RED")
    );
    assert!(all[0].trouble.is_none() && !all[0].maybe_sent);
    assert!(list(&jm, OTHER).await.is_empty());
    let lang = abeng_notice::Lang::En;
    let look = jm.shared().release_view(&who(OTHER), &id, lang).await;
    assert_eq!(code(look).0, ErrorCode::Forbidden);
    let view = jm.shared().release_view(&who(ANN), &id[..8], lang).await;
    let view = view.unwrap();
    assert_eq!(
        (&*view.to, view.why),
        (&["LC".to_owned()][..], vec![ReleaseWhy::Tlp])
    );
    assert!(view.fields.len() > 3 && view.notice["tlp"] == "RED");
    assert_eq!(kinds(&net).await, ["HELD", "SHOWN"]);

    // Neither the submitter, nor somebody else, nor root, nor a token.
    for uid in [OFFICER, OTHER, 0] {
        assert_eq!(code(grant(&jm, uid, &id).await).0, ErrorCode::Forbidden);
    }
    let (token, request) = (Caller::token(), Default::default());
    let token = jm.shared().release_grant(&token, &id, request);
    assert_eq!(code(token.await).0, ErrorCode::Forbidden);
    assert_eq!(inbox(&net, "LC").await.len(), 1);
    // Of two who try at once one is first.
    let (one, two) = tokio::join!(grant(&jm, ANN, &id), grant(&jm, BOB, &id));
    let (sent, late, by) = match (one, two) {
        (Ok(sent), late) => (sent, late, "unix uid:1001"),
        (late, Ok(sent)) => (sent, late, "S-7 (unix uid:1002)"),
        both => panic!("{both:?}"),
    };
    let late = code(late).0;
    assert!(matches!(late, ErrorCode::Conflict | ErrorCode::NotFound));
    let envelope = sent.id.unwrap();
    assert!(arrived(&net, "LC", 2).await.contains(&envelope));
    assert!(files(&net).is_empty());
    assert_eq!(net::counter(&jm, "abeng_held_submissions "), 0);
    assert_eq!(code(grant(&jm, ANN, &id).await).0, ErrorCode::NotFound);

    let submitted = leaves(&net, "SUBMITTED").await.pop().unwrap();
    assert_eq!(submitted.officer.as_deref(), Some("B-117"));
    let via = format!("unix uid:1000, released by {by}, held {id}");
    assert_eq!(submitted.via.as_deref(), Some(&*via));
    let acts = acts(&net).await;
    assert_eq!(
        acts[2],
        format!("RELEASE_GRANTED {id}: {}", &envelope[..12])
    );
    assert_eq!(acts.len(), 3);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    net.verify("JM");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_releaser_cannot_release_his_own_under_whatever_name() {
    let net = found(RED);
    let jm = net.start("JM").await;
    let mut request = seizure("LC", "RED");
    request.officer = Some("somebody else".into());
    let id = hold_as(&jm, ANN, request).await;
    let (refused, why) = code(grant(&jm, ANN, &id).await);
    assert_eq!(refused, ErrorCode::Forbidden);
    assert!(why.contains("user id"), "{why}");
    assert_eq!(files(&net).len(), 1);
    assert_eq!(kinds(&net).await, ["HELD"]);
    grant(&jm, BOB, &id).await.unwrap();
    assert_eq!(kinds(&net).await, ["HELD", "GRANTED"]);
    jm.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_denied_or_withdrawn_is_gone() {
    let net = found(RED);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    let (a, b) = (
        hold(&jm, seizure("LC", "RED")).await,
        hold(&jm, seizure("LC", "RED")).await,
    );
    assert_eq!(code(deny(&jm, OTHER, &a).await).0, ErrorCode::Forbidden);
    deny(&jm, OFFICER, &a).await.unwrap();
    deny(&jm, BOB, &b[..10]).await.unwrap();
    assert_eq!(code(deny(&jm, BOB, &b).await).0, ErrorCode::NotFound);
    assert_eq!(code(grant(&jm, BOB, &b).await).0, ErrorCode::NotFound);
    assert!(files(&net).is_empty());
    assert_eq!(kinds(&net).await, ["HELD", "HELD", "DENIED", "DENIED"]);
    assert_eq!(
        acts(&net).await[2],
        format!("RELEASE_DENIED {a}: not ours to tell")
    );
    let empty = abeng_api::DenyRequest::default();
    let empty = jm.shared().release_deny(&who(ANN), &a, empty).await;
    assert_eq!(code(empty).0, ErrorCode::Invalid);
    net.send("JM", "LC").await;
    arrived(&net, "LC", 1).await;
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    net.verify("JM");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_trigger_asks_and_a_recall_never_waits() {
    let net = found("types = [\"FEEDBACK\"]\nnominal = true\nreleasers = [1001]\n");
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    let sent = submit(&jm, OFFICER, seizure("LC", "RED"));
    let sent = sent.await.unwrap().id.unwrap();
    arrived(&net, "LC", 1).await;
    let mut named = seizure("LC", "AMBER");
    named.notice["nominal"] = true.into();
    let waits = submit(&jm, OFFICER, named).await.unwrap();
    assert_eq!(waits.held.unwrap().why, [ReleaseWhy::Nominal]);
    // Who cannot be told from a releaser cannot be one of two.
    let mut named = seizure("LC", "AMBER");
    named.notice["nominal"] = true.into();
    let token = jm.shared().submit(&Caller::token(), named).await;
    let (refused, why) = code(token);
    assert!(
        refused == ErrorCode::Forbidden && why.contains("TCP"),
        "{why}"
    );
    jm.shutdown().await.unwrap();

    set_policy(
        &net,
        "types = [\"SEIZURE\"]\nfrom_tlp = \"CLEAR\"\nreleasers = [1001]\n",
    );
    let jm = net.start("JM").await;
    let both = submit(&jm, OFFICER, seizure("LC", "AMBER"));
    let both = both.await.unwrap().held.unwrap();
    assert_eq!(both.why, [ReleaseWhy::Type, ReleaseWhy::Tlp]);
    let recall = RecallRequest {
        reason: "duplicate".into(),
        ..RecallRequest::default()
    };
    // With words of its own it is as good as a notice.
    let wordy = RecallRequest {
        text: Some("the vessel left at noon".into()),
        ..recall.clone()
    };
    let wordy = jm.shared().recall(&who(OFFICER), &sent, wordy).await;
    assert_eq!(wordy.unwrap().held.unwrap().why, [ReleaseWhy::Tlp]);
    let recalled = jm.shared().recall(&who(OFFICER), &sent, recall).await;
    let recalled = recalled.unwrap();
    assert!(recalled.held.is_none() && recalled.id.is_some());
    // A flawed notice does not wait: it is refused at once, as ever.
    let mut flawed = seizure("LC", "AMBER");
    flawed.notice["place"] = "JMKIM".into();
    let flawed = submit(&jm, OFFICER, flawed).await;
    assert_eq!(code(flawed).0, ErrorCode::Refused);
    assert_eq!(list(&jm, ANN).await.len(), 3);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rules_of_the_day_of_the_release_decide() {
    let net = found(RED);
    let jm = net.start("JM").await;
    let id = hold(&jm, seizure("TT", "RED")).await;
    let (first, tt) = (ceremony::bundle(&net.home("JM")), net.home("TT"));
    let second = ceremony::after(&net.dir, &first, |m| {
        let suspended = abeng_wire::v1::PartyStatus::Suspended;
        ceremony::status(m, &ceremony::keyring(&tt), suspended);
    });
    let second = ceremony::with(&first, second);
    let client = net.client("JM");
    let import = client.roster_import(ceremony::file(&second)).await;
    assert_eq!(import.unwrap().roster, 2);
    let error = grant(&jm, ANN, &id).await.unwrap_err();
    assert_eq!(named(&error), "still_waits: not_allowed");
    assert_eq!(error.flaws[0].cause.as_ref().unwrap().name, "inactive");
    let (refused, why) = (error.code, error.message);
    assert_eq!(refused, ErrorCode::Refused);
    assert!(
        why.contains("goes on waiting") && why.contains("TT"),
        "{why}"
    );
    let waits = list(&jm, ANN).await;
    assert_eq!(waits.len(), 1);
    let lang = abeng_notice::Lang::En;
    let view = jm.shared().release_view(&who(ANN), &id, lang).await;
    let item = view.unwrap().item;
    assert!(item.trouble.unwrap().contains("TT"));
    assert_eq!(item.trouble_cause.unwrap().name, "inactive");
    let third = ceremony::after(&net.dir, &second, |m| {
        let active = abeng_wire::v1::PartyStatus::Active;
        ceremony::status(m, &ceremony::keyring(&tt), active);
    });
    let third = ceremony::with(&second, third);
    let client = net.client("JM");
    let import = client.roster_import(ceremony::file(&third)).await;
    assert_eq!(import.unwrap().roster, 3);
    let seen = abeng_api::AcceptRequest {
        party: Some("TT".into()),
        ..Default::default()
    };
    let _ = net.client("JM").roster_accept(&seen).await;
    // To nobody but those who were shown.
    let others = GrantRequest {
        to: Some(vec!["LC".into()]),
        ..GrantRequest::default()
    };
    let (refused, why) = code(jm.shared().release_grant(&who(ANN), &id, others).await);
    assert_eq!(refused, ErrorCode::Conflict, "{why}");
    let shown = GrantRequest {
        to: Some(vec!["TT".into()]),
        ..GrantRequest::default()
    };
    let granted = jm.shared().release_grant(&who(ANN), &id, shown).await;
    granted.unwrap();
    assert_eq!(kinds(&net).await, ["HELD", "SHOWN", "GRANTED"]);
    jm.shutdown().await.unwrap();
}
