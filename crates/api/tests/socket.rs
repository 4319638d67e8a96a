//! The local interface over real sockets, with an operator that is not a node.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use abeng_api::*;
use common::{Fake, node, request};
use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Sends `text` as it is and returns all that comes back until the node closes.
async fn raw(path: &std::path::Path, text: &[u8]) -> String {
    let mut stream = tokio::net::UnixStream::connect(path).await.unwrap();
    stream.write_all(text).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

fn post(body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST /v1/notices HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

#[tokio::test]
async fn a_submission_reaches_the_operator_with_its_caller() {
    let node = node();
    let client = Client::unix(&node.path);
    let reply = client.submit(&request("TT")).await.unwrap();
    assert_eq!(reply.to, ["TT"]);
    let submitted = node.fake.submitted.lock().unwrap();
    let (who, taken) = &submitted[0];
    let uid = std::fs::metadata(node.dir.path()).unwrap().uid();
    assert_eq!(who, &Caller::unix(uid));
    assert_eq!(taken, &request("TT"));
}

#[tokio::test]
async fn a_file_arrives_byte_for_byte() {
    let node = node();
    let client = Client::unix(&node.path);
    let uid = std::fs::metadata(node.dir.path()).unwrap().uid();
    for (disclose, what) in [(true, "all"), (false, "proof")] {
        let query = EvidenceQuery { disclose };
        let file = client.evidence("abcdef12", &query).await.unwrap();
        let text = format!("{what} of abcdef12 for uid:{uid}");
        assert_eq!(file, [&[0xff, 0], text.as_bytes()].concat());
    }
}

#[tokio::test]
async fn queries_arrive_as_they_were_asked() {
    let node = node();
    let client = Client::unix(&node.path);
    let query = InboxQuery {
        limit: Some(7),
        unread: true,
        from: Some("A B&c=Ü".into()),
        before: Some(u64::MAX),
        lang: Some("fr".into()),
    };
    client.inbox(&query).await.unwrap();
    client.inbox(&InboxQuery::default()).await.unwrap();
    let asked = std::mem::take(&mut *node.fake.inboxes.lock().unwrap());
    assert_eq!(asked, [query, InboxQuery::default()]);
    let shown = client.inbox_show("../x", "es").await.unwrap();
    assert_eq!(
        (shown.item.id.as_str(), shown.item.summary.as_str()),
        ("../x", "es")
    );
}

#[tokio::test]
async fn errors_keep_their_kind_hint_and_flaws() {
    let node = node();
    let client = Client::unix(&node.path);
    let api = |e: ClientError| match e {
        ClientError::Api(e) => e,
        e => panic!("{e}"),
    };
    let refused = api(client.submit(&request("NOBODY")).await.unwrap_err());
    assert_eq!(refused.code, ErrorCode::Refused);
    assert_eq!(refused.flaws[0].field, "to");
    assert_eq!(refused.try_this.as_deref(), Some("ask LC"));
    let busy = api(client.submit(&request("BUSY")).await.unwrap_err());
    assert_eq!((busy.code, busy.retry_after_s), (ErrorCode::Busy, Some(2)));
    let absent = api(client.track("abcdef12", "en").await.unwrap_err());
    assert_eq!(absent.code, ErrorCode::NotFound);
    assert_eq!(
        api(client.network().await.unwrap_err()).code,
        ErrorCode::Forbidden
    );
    let body = serde_json::to_string(&request("BUSY")).unwrap();
    let answer = raw(&node.path, &post(&body)).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("retry-after: 2"), "{answer}");
}

#[tokio::test]
async fn bad_json_is_told_with_line_and_column() {
    let node = node();
    let answer = raw(&node.path, &post("{\n  \"to\": [\"TT\"],,\n}")).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("line 2 column 16"), "{answer}");
    let answer = raw(&node.path, &post(r#"{"notice":{},"recipient":"TT"}"#)).await;
    assert!(answer.contains("unknown field `recipient`"), "{answer}");
    let text = b"GET /v1/inbox?limt=3 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = raw(&node.path, text).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("unknown field `limt`"), "{answer}");
}

#[tokio::test]
async fn what_is_too_large_is_refused_declared_or_not() {
    let node = node();
    let limit = abeng_wire::limits::API_REQUEST;
    let head = format!(
        "POST /v1/notices HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        limit + 1
    );
    let answer = raw(&node.path, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("too_large"), "{answer}");

    let mut chunked = b"POST /v1/notices HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
        transfer-encoding: chunked\r\n\r\n"
        .to_vec();
    chunked.extend(format!("{:x}\r\n", limit + 1).bytes());
    chunked.resize(chunked.len() + limit + 1, b' ');
    chunked.extend(b"\r\n0\r\n\r\n");
    let answer = raw(&node.path, &chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");

    let mut fits = request("TT");
    fits.notice = "x".repeat(limit - 200).into();
    Client::unix(&node.path).submit(&fits).await.unwrap();
}

#[tokio::test]
async fn unknown_routes_and_methods_are_told_as_json() {
    let node = node();
    for text in ["GET /v2/x", "DELETE /v1/inbox"] {
        let text = format!("{text} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = raw(&node.path, text.as_bytes()).await;
        assert!(answer.contains(r#""error":{"code":"#), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_is_kept_and_made_again_after_a_restart() {
    let mut node = node();
    let client = Client::unix(&node.path);
    for _ in 0..3 {
        client.status().await.unwrap();
    }
    node.serving.shutdown(Duration::from_secs(5)).await;
    assert!(matches!(
        client.status().await,
        Err(ClientError::Refused { .. })
    ));
    let listener = bind_unix(&node.path, Peers::Owner).unwrap();
    node.serving = serve_unix(listener, router(node.fake.clone()), Peers::Owner);
    assert_eq!(client.status().await.unwrap().party, "JM");
    client.submit(&request("TT")).await.unwrap();
    assert_eq!(node.fake.submitted.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn shutdown_lets_a_running_request_end_but_not_for_ever() {
    let running = node();
    let client = Client::unix(&running.path);
    let poll = tokio::spawn(async move {
        let query = EventQuery {
            timeout_ms: Some(300),
            ..EventQuery::default()
        };
        client.wait_delivered(&query).await
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.serving.shutdown(Duration::from_secs(5)).await;
    assert_eq!(poll.await.unwrap().unwrap(), []);

    let stuck = node();
    let client = Client::unix(&stuck.path);
    let poll = tokio::spawn(async move { client.wait_delivered(&EventQuery::default()).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = Instant::now();
    stuck.serving.shutdown(Duration::from_millis(200)).await;
    assert!(before.elapsed() < Duration::from_secs(3));
    assert!(poll.await.unwrap().is_err());
}

#[tokio::test]
async fn a_socket_that_is_absent_or_not_ours_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("abeng.sock");
    let call = || async { Client::unix(&path).status().await.unwrap_err() };
    assert!(matches!(call().await, ClientError::SocketAbsent { .. }));
    std::fs::write(&path, "x").unwrap();
    assert!(matches!(call().await, ClientError::NotOurs { .. }));
    let taken = bind_unix(&path, Peers::Owner).unwrap_err();
    assert_eq!(taken.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read(&path).unwrap(), b"x");
    std::fs::remove_file(&path).unwrap();

    // Some other service: not HTTP, then HTTP without our mark.
    for answer in [
        "+OK ready\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    ] {
        let other = tokio::net::UnixListener::bind(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let served = tokio::spawn(async move {
            let (mut stream, _) = other.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let error = call().await;
        assert!(matches!(error, ClientError::NotOurs { .. }), "{error}");
        served.await.unwrap();
        std::fs::remove_file(&path).unwrap();
    }
}

#[tokio::test]
async fn the_sockets_mode_is_tight_and_one_open_to_all_is_not_trusted() {
    let node = node();
    assert_eq!(std::fs::metadata(&node.path).unwrap().mode() & 0o777, 0o600);
    std::fs::set_permissions(&node.path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let error = Client::unix(&node.path).status().await.unwrap_err();
    assert!(matches!(error, ClientError::NotOurs { .. }), "{error}");
    let group = bind_unix(&node.path, Peers::Group).unwrap();
    assert_eq!(std::fs::metadata(&node.path).unwrap().mode() & 0o777, 0o660);
    drop(group);
}

#[tokio::test]
async fn tcp_wants_the_token() {
    let fake = Arc::new(Fake::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let _serving = serve_tcp(listener, router(fake.clone()), "correct horse");
    let right = Client::tcp(&address, "correct horse");
    right.submit(&request("TT")).await.unwrap();
    assert_eq!(fake.submitted.lock().unwrap()[0].0, Caller::token());
    for wrong in ["", "correct hors", "correct horse2", "Correct horse"] {
        match Client::tcp(&address, wrong).status().await {
            Err(ClientError::Api(e)) => assert_eq!(e.code, ErrorCode::Unauthorised),
            other => panic!("{wrong}: {other:?}"),
        }
    }
    assert!(!format!("{right:?}").contains("horse"));
}

#[test]
fn the_description_names_every_route() {
    let text = serde_json::to_string(&openapi()).unwrap();
    for route in [
        "/v1/notices",
        "/v1/notices/{id}/track",
        "/v1/notices/{id}/evidence",
        "/v1/inbox",
        "/v1/inbox/{id}",
        "/v1/sent",
        "/v1/status",
        "/v1/network",
        "/v1/audit",
        "/v1/parties",
        "/v1/events/delivered",
        "/v1/events/settled",
    ] {
        assert!(text.contains(&format!("\"{route}\"")), "{route}");
    }
    assert!(text.contains("\"FlawView\""));
}

#[tokio::test]
async fn what_is_done_about_kept_content_has_its_routes() {
    let node = node();
    let client = Client::unix(&node.path);
    let id = "ab".repeat(32);
    let recall = RecallRequest {
        reason: "duplicate".into(),
        ..RecallRequest::default()
    };
    let reply = client.recall(&id, &recall).await.unwrap();
    assert_eq!(
        (reply.id.as_ref(), reply.summary.as_str()),
        (Some(&id), "duplicate")
    );
    // Who asks is for the socket to say.
    let query = ReleaseQuery {
        lang: Some("fr".into()),
        ..ReleaseQuery::default()
    };
    let waits = client.releases(&query).await.unwrap();
    let me = format!("uid:{}", rustix::process::geteuid().as_raw());
    assert_eq!((&*waits[0].by, &*waits[0].summary), (&*me, "fr"));
    let shown = client.release_show("3f9a1c02", "nl").await.unwrap();
    assert_eq!(shown.precedence, "3f9a1c02 nl");
    let grant = GrantRequest {
        to: None,
        officer: Some("S-7".into()),
        lang: None,
    };
    let granted = client.release_grant("3f9a1c02", &grant).await.unwrap();
    assert_eq!(
        (granted.id.as_deref(), &*granted.summary),
        (Some("3f9a1c02"), "S-7")
    );
    let deny = DenyRequest {
        reason: "no".into(),
        officer: None,
    };
    let denied = client.release_deny("3f9a1c02", &deny).await.unwrap();
    assert_eq!((&*denied.id, denied.leaf), ("3f9a1c02 no", 3));
    let hold = HoldRequest {
        reason: "case 7".into(),
        officer: None,
    };
    assert_eq!(client.hold_place(&id, &hold).await.unwrap().leaf, 1);
    // A DELETE with a body.
    assert_eq!(client.hold_lift(&id, &hold).await.unwrap().leaf, 2);
    let longer = ExtendRequest {
        until: "90d".into(),
        ..ExtendRequest::default()
    };
    assert_eq!(client.extend(&id, &longer).await.unwrap().leaf, 3);
    let query = |held| RetentionQuery {
        held,
        limit: Some(7),
        ..RetentionQuery::default()
    };
    assert_eq!(client.retention(&query(false)).await.unwrap().len(), 1);
    assert_eq!(client.retention(&query(true)).await.unwrap().len(), 2);
    let described = serde_json::to_value(openapi()).unwrap();
    for path in ["recall", "hold", "retention"] {
        assert!(
            described["paths"]
                .get(format!("/v1/notices/{{id}}/{path}"))
                .is_some()
        );
    }
    let unknown = raw(
        &node.path,
        b"POST /v1/notices/abababab/hold HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
          content-length: 21\r\n\r\n{\"reason\":\"a\",\"by\":1}",
    )
    .await;
    assert!(
        unknown.starts_with("HTTP/1.1 400") && unknown.contains("by"),
        "{unknown}"
    );
}

#[tokio::test]
async fn courier_files_stream_both_ways() {
    let node = node();
    let client = Client::unix(&node.path);
    let mut query = CourierExportQuery {
        to: "LC".into(),
        limit: Some(40),
        ..Default::default()
    };
    for (no_attachments, wanted) in [(false, 4_000_000), (true, 3_900_000)] {
        query.no_attachments = no_attachments;
        let mut made = client.courier_export(&query).await.unwrap();
        let mut bytes = 0;
        while let Some(piece) = made.next().await {
            bytes += piece.unwrap().len();
        }
        assert_eq!(bytes, wanted);
    }
    // What breaks midway is no end.
    query.again = true;
    let mut made = client.courier_export(&query).await.unwrap();
    let end = loop {
        match made.next().await {
            Some(Ok(_)) => {}
            other => break other,
        }
    };
    assert!(matches!(end, Some(Err(_))), "{end:?}");

    let send = |first: &'static [u8]| {
        let (sender, file) = pieces();
        tokio::spawn(async move {
            let mut piece = Ok(first.to_vec().into());
            for _ in 0..41 {
                if sender.send(piece).await.is_err() {
                    return;
                }
                piece = Ok(vec![7; 100_000].into());
            }
        });
        file
    };
    let report = client.courier_import(send(b"go")).await.unwrap();
    assert_eq!(report.envelopes.taken, 4_000_002);
    assert!(report.from.starts_with("uid:"));
    // Answered before the end of what is sent.
    let refused = client.courier_import(send(b"stop")).await.unwrap_err();
    assert!(refused.to_string().contains("no courier file"), "{refused}");
    assert!(client.status().await.is_ok());
}

#[tokio::test]
async fn files_go_in_and_out_as_streams() {
    let node = node();
    let client = Client::unix(&node.path);
    let query = AttachQuery {
        name: "é x-ray.jpg".into(),
    };
    // More than any buffer between the two, and far more than a request may have.
    let (chunk, count) = (bytes::Bytes::from(vec![7; 64 * 1024]), 200u64);
    let length = chunk.len() as u64 * count;
    let (give, chunks) = tokio::sync::mpsc::channel(1);
    let giving = tokio::spawn(async move {
        for _ in 0..count {
            give.send(Ok(chunk.clone())).await.unwrap();
        }
    });
    let reply = client.attach(&query, length, chunks).await.unwrap();
    giving.await.unwrap();
    assert_eq!((reply.length, &*reply.name), (length, "é x-ray.jpg"));
    assert_eq!(client.attachments("ab").await.unwrap().len(), 1);

    let mut file = client.attachment("ab", "root").await.unwrap();
    assert_eq!(file.len(), 10);
    let mut all = Vec::new();
    while let Some(bytes) = file.next().await.unwrap() {
        all.extend_from_slice(&bytes);
    }
    assert_eq!(all, b"root of ab");
    let absent = client.attachment("ab", "absent").await.unwrap_err();
    assert!(matches!(absent, ClientError::Api(e) if e.code == ErrorCode::NotFound));
}

#[tokio::test]
async fn a_file_that_breaks_off_is_never_whole() {
    let node = node();
    let client = Client::unix(&node.path);
    // Before the first byte or behind it, as the packets fall.
    if let Ok(mut file) = client.attachment("ab", "cut").await {
        let end = loop {
            match file.next().await {
                Ok(Some(_)) => {}
                end => break end,
            }
        };
        assert!(end.is_err(), "{end:?}");
    }
    // The same the other way: the node hears of the end.
    let (give, chunks) = tokio::sync::mpsc::channel(2);
    give.send(Ok(bytes::Bytes::from_static(b"half")))
        .await
        .unwrap();
    give.send(Err(std::io::ErrorKind::Other.into()))
        .await
        .unwrap();
    let query = AttachQuery { name: "x".into() };
    assert!(client.attach(&query, 8, chunks).await.is_err());
}
