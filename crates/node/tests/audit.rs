//! Reading the log of a real node: parts that join, filters, waiting for its end.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use abeng_api::{AuditQuery, Client, ClientError, ErrorCode, LeafView, SubmitRequest};
use abeng_node::{Config, Node};
use common::found;

/// Two leaves each: more than one answer holds.
const NOTICES: usize = 600;

fn seizure() -> SubmitRequest {
    let draft = abeng_notice::samples().remove(0).draft;
    SubmitRequest {
        to: vec!["LC".to_owned()],
        notice: serde_json::to_value(draft).unwrap(),
        ..Default::default()
    }
}

/// All that fits, from the parts in one direction.
async fn all(client: &Client, mut query: AuditQuery, upwards: bool) -> (Vec<LeafView>, usize) {
    let mut parts = Vec::new();
    loop {
        let page = client.audit_show(&query).await.unwrap();
        assert!(page.leaves.is_sorted_by_key(|leaf| leaf.index));
        parts.push(page.leaves);
        match (page.next, upwards) {
            (None, _) => break,
            (next, true) => query.from = next,
            (next, false) => query.before = next,
        }
    }
    let count = parts.len();
    if !upwards {
        parts.reverse();
    }
    (parts.concat(), count)
}

fn upwards() -> AuditQuery {
    AuditQuery {
        from: Some(0),
        limit: Some(1000),
        ..AuditQuery::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_read_whole_in_parts_and_filtered_exactly() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let config = Config::load(&dir.join("jm/node.toml")).unwrap();
    let node = Node::start(config).await.unwrap();
    let client = Client::unix(dir.join("jm/abeng.sock"));
    let mut ids = Vec::new();
    for _ in 0..NOTICES / 50 {
        let many: Vec<_> = (0..50)
            .map(|_| {
                let client = Client::unix(dir.join("jm/abeng.sock"));
                tokio::spawn(async move { client.submit(&seizure()).await.unwrap().id.unwrap() })
            })
            .collect();
        for one in many {
            ids.push(one.await.unwrap());
        }
    }

    let (leaves, parts) = all(&client, upwards(), true).await;
    let size = leaves.len() as u64;
    assert!(parts > 1 && size >= 2 * NOTICES as u64);
    assert!(leaves.iter().zip(0..).all(|(leaf, i)| leaf.index == i));
    let newest = AuditQuery {
        limit: Some(1000),
        ..AuditQuery::default()
    };
    assert!(all(&client, newest, false).await.0 == leaves);

    // Each filter against the same filter applied to everything.
    let expect = |fits: &dyn Fn(&LeafView) -> bool| -> Vec<LeafView> {
        leaves.iter().filter(|l| fits(l)).cloned().collect()
    };
    let kinds = AuditQuery {
        kind: Some("started, Incarnation,queued".into()),
        ..upwards()
    };
    let wanted = expect(&|l| ["STARTED", "INCARNATION", "QUEUED"].contains(&&*l.kind));
    assert_eq!(wanted.len(), NOTICES + 2);
    assert!(all(&client, kinds, true).await.0 == wanted);

    let one = AuditQuery {
        notice: Some(ids[7][..12].to_owned()),
        ..upwards()
    };
    let wanted = expect(&|l| l.notice.as_ref() == Some(&ids[7]));
    assert_eq!(wanted.len(), 2);
    assert!(all(&client, one, true).await.0 == wanted);

    let officer = leaves.iter().find_map(|l| l.officer.clone()).unwrap();
    let by = AuditQuery {
        officer: Some(officer.to_uppercase()),
        ..upwards()
    };
    let wanted = expect(&|l| l.officer.as_ref() == Some(&officer));
    assert_eq!(wanted.len(), NOTICES);
    assert_eq!(wanted[0].via, Some(format!("unix {officer}")));
    assert!(all(&client, by, true).await.0 == wanted);

    let (since, until) = (&leaves[400].at, &leaves[1100].at);
    let span = AuditQuery {
        since: Some(since.clone()),
        until: Some(until.clone()),
        limit: Some(300),
        ..AuditQuery::default()
    };
    let moment = |text: &str| -> jiff::Timestamp { text.parse().unwrap() };
    let wanted = expect(&|l| (moment(since)..moment(until)).contains(&moment(&l.at)));
    assert!(!wanted.is_empty() && wanted.len() < leaves.len());
    assert!(all(&client, span.clone(), false).await.0 == wanted);
    let span = AuditQuery {
        from: Some(0),
        ..span
    };
    assert!(all(&client, span, true).await.0 == wanted);

    follow(&client, &Client::unix(dir.join("jm/abeng.sock")), size).await;
    refusals(&client).await;
    node.shutdown().await.unwrap();
}

/// A question at the end waits for the next leaf.
async fn follow(client: &Client, other: &Client, size: u64) {
    let end = AuditQuery {
        from: Some(size),
        wait_ms: Some(60_000),
        ..AuditQuery::default()
    };
    let asked = client.audit_show(&end);
    let (page, _) = tokio::join!(asked, async { other.submit(&seizure()).await.unwrap() });
    assert_eq!(page.unwrap().leaves[0].index, size);
}

async fn refusals(client: &Client) {
    let both = AuditQuery {
        before: Some(9),
        ..upwards()
    };
    let kind = AuditQuery {
        kind: Some("READ,WRITTEN".into()),
        ..upwards()
    };
    let time = AuditQuery {
        since: Some("yesterday".into()),
        ..upwards()
    };
    let stranger = AuditQuery {
        party: Some("ZZ".into()),
        ..upwards()
    };
    let backwards = AuditQuery {
        since: Some("2026-11-25T00:00:00Z".into()),
        until: Some("2026-11-24T00:00:00Z".into()),
        ..upwards()
    };
    let unknown = AuditQuery {
        notice: Some("0123456789ab".into()),
        ..upwards()
    };
    let cases = [
        (both, ErrorCode::Invalid),
        (kind, ErrorCode::Invalid),
        (time, ErrorCode::Invalid),
        (stranger, ErrorCode::Invalid),
        (backwards, ErrorCode::Invalid),
        (unknown, ErrorCode::NotFound),
    ];
    for (query, code) in cases {
        let Err(ClientError::Api(error)) = client.audit_show(&query).await else {
            panic!("{query:?} was answered");
        };
        assert_eq!(error.code, code, "{error:?}");
        assert!(error.try_this.is_some(), "{error:?}");
    }
}
