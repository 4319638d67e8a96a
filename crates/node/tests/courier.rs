//! Two whole nodes that are never up at the same time: everything goes by courier file.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;
#[path = "common/stick.rs"]
mod stick;

use abeng_api::{
    AuditQuery, Client, ClientError, CourierExportQuery, CourierReport, DeliveryState, ErrorCode,
    EvidenceQuery, InboxQuery, StepKind, SubmitRequest,
};
use abeng_evidence::courier::{Found, Item};
use abeng_node::Node;
use abeng_wire::v1;
use common::found;
use std::path::Path;
use stick::{export, export_as, frames, import as try_import, known, taken, with_header};

async fn start(dir: &Path, code: &str) -> (Node, Client) {
    let dir = dir.join(code);
    let node = common::start(&dir).await;
    (node, Client::unix(dir.join("abeng.sock")))
}

async fn submit(at: &Client, to: &str, precedence: &str) -> String {
    let draft = abeng_notice::samples().remove(0).draft;
    let request = SubmitRequest {
        to: vec![to.to_owned()],
        precedence: Some(precedence.to_owned()),
        notice: serde_json::to_value(draft).unwrap(),
        ..Default::default()
    };
    at.submit(&request).await.unwrap().id.unwrap()
}

async fn import(at: &Client, file: &[u8]) -> CourierReport {
    try_import(at, file).await.unwrap()
}

fn envelopes(file: &[u8]) -> Vec<(v1::Precedence, usize)> {
    let mut found = Vec::new();
    for (what, end) in frames(file) {
        if let Found::Item(Item::Envelope(envelope)) = what {
            let arrived = abeng_seal::Arrived::parse(&envelope).unwrap();
            found.push((arrived.pre().message().precedence(), end));
        }
    }
    found
}

async fn leaves(at: &Client, kind: &str) -> Vec<abeng_api::LeafView> {
    let query = AuditQuery {
        kind: Some(kind.to_owned()),
        ..AuditQuery::default()
    };
    at.audit_show(&query).await.unwrap().leaves
}

async fn inbox(at: &Client) -> Vec<String> {
    let items = at.inbox(&InboxQuery::default()).await.unwrap();
    items.into_iter().map(|item| item.id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_and_back_without_any_link() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let (node, jm) = start(&dir, "jm").await;
    let mut ids = Vec::new();
    for precedence in ["ROUTINE", "FLASH", "PRIORITY"] {
        ids.push(submit(&jm, "LC", precedence).await);
    }
    let out = export(&jm, "LC").await;
    use v1::Precedence::{Flash, Priority, Routine};
    let order: Vec<_> = envelopes(&out).into_iter().map(|(p, _)| p).collect();
    assert_eq!(order, [Flash, Priority, Routine]);
    let exported = leaves(&jm, "EXPORTED").await;
    assert_eq!(exported.len(), 1);
    assert_eq!(exported[0].recipient.as_deref(), Some("LC"));
    // Nothing is done with before it is proved.
    assert_eq!(jm.status().await.unwrap().queue.depth, 3);
    node.shutdown().await.unwrap();

    let (node, lc) = start(&dir, "lc").await;
    let report = import(&lc, &out).await;
    assert!(report.whole, "{report:?}");
    assert_eq!((report.from.as_str(), report.envelopes), ("JM", taken(3)));
    assert_eq!((report.checkpoints, report.trust), (taken(1), known(1)));
    assert_eq!(report.troubles, []);
    let mut arrived = inbox(&lc).await;
    arrived.sort();
    let mut sent = ids.clone();
    sent.sort();
    assert_eq!(arrived, sent);
    assert_eq!(import(&lc, &out).await.envelopes, known(3));
    assert_eq!(inbox(&lc).await.len(), 3);
    lc.inbox_show(&ids[0], "en").await.unwrap();
    let back = export(&lc, "JM").await;
    node.shutdown().await.unwrap();

    let (node, jm) = start(&dir, "jm").await;
    let report = import(&jm, &back).await;
    assert!(report.whole, "{report:?}");
    assert_eq!(report.receipts, taken(4), "{report:?}");
    assert_eq!(report.checkpoints, taken(1), "{report:?}");
    assert_eq!(jm.status().await.unwrap().queue.depth, 0);
    assert_eq!(import(&jm, &back).await.receipts, known(4));
    for id in &ids {
        let track = jm.track(id, "en").await.unwrap().recipients.remove(0);
        assert_eq!(track.state, DeliveryState::Delivered);
        assert!(track.steps.iter().all(|step| step.checked), "{track:#?}");
        let read = track.steps.iter().any(|step| step.what == StepKind::Read);
        assert_eq!(read, *id == ids[0]);
        let query = EvidenceQuery { disclose: true };
        let file = jm.evidence(id, &query).await.unwrap();
        let verdict = abeng_evidence::verify(&file, None).unwrap();
        let kinds: Vec<_> = verdict.recipients[0].facts.iter().map(|f| f.kind).collect();
        assert!(kinds.contains(&v1::LeafKind::Delivered), "{kinds:?}");
    }
    // What is proved does not go along again, and an old file changes nothing.
    let later = submit(&jm, "LC", "ROUTINE").await;
    let newer = export(&jm, "LC").await;
    assert_eq!(envelopes(&newer).len(), 1);
    node.shutdown().await.unwrap();
    let (node, lc) = start(&dir, "lc").await;
    let report = import(&lc, &newer).await;
    assert_eq!((report.envelopes, report.checkpoints), (taken(1), taken(1)));
    assert_eq!(import(&lc, &out).await.envelopes, known(3));
    assert!(inbox(&lc).await.contains(&later));
    assert!(
        lc.status()
            .await
            .unwrap()
            .warnings
            .iter()
            .all(|w| !w.contains("explain"))
    );
    assert_eq!(leaves(&lc, "REFUSED").await.len(), 0);
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limited_file_goes_on_where_the_last_one_ended() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let (node, jm) = start(&dir, "jm").await;
    for _ in 0..4 {
        submit(&jm, "LC", "ROUTINE").await;
    }
    let flash = submit(&jm, "LC", "FLASH").await;
    let all = export(&jm, "LC").await;
    let frames = envelopes(&all);
    let one = (frames[4].1 - frames[3].1) as u64;
    let ask = |limit, again| CourierExportQuery {
        to: "lc".to_owned(),
        limit: Some(limit),
        again,
        ..Default::default()
    };
    let too_small = jm.courier_export(&ask(1000, false)).await.unwrap_err();
    assert!(
        too_small.to_string().contains("leaves no room"),
        "{too_small}"
    );
    // Room for three of them; nothing counts as carried.
    let room = all.len() as u64 + 6000 - 2 * one;
    let of = |file: &[u8]| -> Vec<String> {
        let ids = ids_in(file);
        assert!(file.len() as u64 <= room, "{} of {room}", file.len());
        ids
    };
    let first = of(&export_as(&jm, ask(room, true)).await);
    let second = of(&export_as(&jm, ask(room, false)).await);
    assert_eq!(
        (first[0].as_str(), second[0].as_str()),
        (flash.as_str(), flash.as_str())
    );
    let mut both: Vec<_> = [&first[1..], &second[1..]].concat();
    both.sort();
    both.dedup();
    assert_eq!(both.len(), 4, "{first:?} {second:?}");
    assert_eq!(of(&export_as(&jm, ask(room, true)).await), first);
    for wrong in ["JM", "XX", "no party"] {
        let query = CourierExportQuery {
            to: wrong.to_owned(),
            ..Default::default()
        };
        let ClientError::Api(refused) = jm.courier_export(&query).await.unwrap_err() else {
            panic!("{wrong}");
        };
        let code = match wrong {
            "JM" => ErrorCode::Invalid,
            _ => ErrorCode::NotFound,
        };
        assert_eq!(refused.code, code, "{wrong}: {refused}");
        assert!(refused.try_this.unwrap().contains("the members are"));
    }
    node.shutdown().await.unwrap();
}

fn ids_in(file: &[u8]) -> Vec<String> {
    let mut ids = Vec::new();
    for (what, _) in frames(file) {
        if let Found::Item(Item::Envelope(envelope)) = what {
            ids.push(
                abeng_seal::Arrived::parse(&envelope)
                    .unwrap()
                    .id()
                    .to_string(),
            );
        }
    }
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_a_network_of_the_same_name_brings_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let (ours, theirs) = (temp.path().join("ours"), temp.path().join("theirs"));
    found(&theirs);
    let (node, jm) = start(&theirs, "jm").await;
    submit(&jm, "LC", "ROUTINE").await;
    let out = export(&jm, "LC").await;
    node.shutdown().await.unwrap();
    found(&ours);
    let (node, lc) = start(&ours, "lc").await;
    let before = lc.audit_show(&AuditQuery::default()).await.unwrap().size;
    let refused = try_import(&lc, &out).await.unwrap_err();
    assert!(refused.contains("of another network"), "{refused}");
    assert!(refused.contains(&lc.status().await.unwrap().root_digest));
    let after = lc.audit_show(&AuditQuery::default()).await.unwrap().size;
    assert_eq!((before, inbox(&lc).await.len()), (after, 0));
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_changed_and_misdirected_files_do_no_harm() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let (node, jm) = start(&dir, "jm").await;
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(submit(&jm, "LC", "ROUTINE").await);
    }
    let out = export(&jm, "LC").await;
    let own = try_import(&jm, &out).await.unwrap_err();
    assert!(own.contains("is for LC"), "{own}");
    node.shutdown().await.unwrap();

    let (node, lc) = start(&dir, "lc").await;
    let foreign = with_header(&out, |header| header.network = "other".into());
    let refused = try_import(&lc, &foreign).await.unwrap_err();
    assert!(refused.contains("network `other`"), "{refused}");
    let theirs = with_header(&out, |header| header.to = "TT".into());
    let refused = try_import(&lc, &theirs).await.unwrap_err();
    assert!(refused.contains("is for TT"), "{refused}");
    let refused = try_import(&lc, b"a letter").await.unwrap_err();
    assert!(refused.contains("no courier file"), "{refused}");
    assert_eq!(inbox(&lc).await.len(), 0);

    // Bits change before anything is known of the envelopes: not one may end badly for that.
    let body = envelopes(&out)[0].1..out.len();
    for n in 0..60u64 {
        let at = body.start + (n * 7919) as usize % body.len();
        let mut changed = out[..].to_vec();
        changed.drain(frames(&out)[3].1..body.start);
        let at = at - (body.start - frames(&out)[3].1);
        changed[at] ^= 1 << (n % 8);
        let report = import(&lc, &changed).await;
        assert!(!report.whole, "{n}: {report:?}");
        assert_eq!(report.envelopes.refused, 0, "{n}: {report:?}");
    }
    assert_eq!(leaves(&lc, "REFUSED").await.len(), 0);

    let ends: Vec<usize> = envelopes(&out).iter().map(|(_, end)| *end).collect();
    let first = frames(&out)[0].1;
    let inside = (0..20).map(|n| first + (n * 6151) % (out.len() - first));
    let cuts = frames(&out).into_iter().map(|(_, end)| end).chain(inside);
    for cut in cuts.filter(|cut| *cut < out.len()) {
        let report = import(&lc, &out[..cut]).await;
        let whole = ends.iter().filter(|end| **end <= cut).count() as u64;
        assert_eq!(report.envelopes.taken + report.envelopes.known, whole);
        let problem = report.problem.unwrap();
        assert!(problem.contains("cut off") && !report.whole, "{problem}");
    }
    let report = import(&lc, &out).await;
    assert!(report.whole);
    assert_eq!(inbox(&lc).await.len(), 3);
    node.shutdown().await.unwrap();
}
