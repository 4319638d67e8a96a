//! Peers that bring or ask for what they may not.

use crate::{
    fake::{Fake, Sent},
    support::{MIB, Net, file, give, seizure, until},
};
use abeng_link::{CloseCode, Closed};
use abeng_wire::{EnvelopeId, LeafHash, limits, v1};
use bytes::Bytes;

/// Three pieces.
const LENGTH: usize = 2 * MIB + 9;

fn is_fault(end: &Closed, word: &str) -> bool {
    matches!(end, Closed::ByPeer { code: Some(CloseCode::Fault), reason } if reason.contains(word))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_brings_something_else_loses_its_link_and_harms_nothing() {
    let net = Net::new();
    let jm = net.start("jm").await;
    let lc = Fake::start(&net).await;

    // A stream that nobody asked for.
    let sent = Sent::new(LENGTH, 1);
    let unasked = async || {
        let link = lc.current().await;
        drop(link.attachment(&sent.header(0)).await);
        link
    };
    let end = lc.provoke(unasked).await;
    assert!(is_fault(&end, "not asked for"), "{end}");

    // Hashes that are not those of the root.
    let envelope = lc.seal(1, &sent).envelope().clone();
    let wrong_hashes = async || {
        let link = lc.wanted(&envelope, &sent).await;
        let mut header = sent.header(0);
        header.hashes = Bytes::from(vec![7; 3 * 32]);
        let _ = link.attachment(&header).await;
        link
    };
    let end = lc.provoke(wrong_hashes).await;
    assert!(is_fault(&end, "root"), "{end}");

    // A wrong piece behind a good one: the good one stays.
    let sent = Sent::new(LENGTH, 2);
    let second = lc.seal(2, &sent);
    let wrong_piece = async || {
        let link = lc.wanted(second.envelope(), &sent).await;
        if let Ok(mut stream) = sent.bring(&link, 0..1).await {
            let _ = stream.piece(sent.piece(0)).await;
        }
        link
    };
    let end = lc.provoke(wrong_piece).await;
    assert!(is_fault(&end, "does not belong"), "{end}");
    let id = second.id().to_string();
    let files = net.client("jm").attachments(&id).await.unwrap();
    assert_eq!(files[0].here, MIB as u64);

    // A stream without an end.
    let sent = Sent::new(LENGTH, 3);
    let envelope = lc.seal(3, &sent).envelope().clone();
    let endless = async || {
        let link = lc.wanted(&envelope, &sent).await;
        if let Ok(mut stream) = sent.bring(&link, 0..3).await {
            let _ = stream.piece(sent.piece(2)).await;
        }
        link
    };
    let end = lc.provoke(endless).await;
    assert!(is_fault(&end, "more pieces"), "{end}");

    // A piece longer than any.
    let sent = Sent::new(LENGTH, 4);
    let envelope = lc.seal(4, &sent).envelope().clone();
    let too_long = async || {
        let link = lc.wanted(&envelope, &sent).await;
        if let Ok(mut stream) = sent.bring(&link, 0..0).await {
            let _ = stream.piece(Bytes::from(vec![0; MIB + 1])).await;
        }
        link
    };
    let end = lc.provoke(too_long).await;
    assert!(is_fault(&end, "the limit is"), "{end}");

    // Every notice was delivered all the same, and the next link works.
    let sent = Sent::new(LENGTH, 5);
    let envelope = lc.seal(5, &sent).envelope().clone();
    lc.wanted(&envelope, &sent).await;
    let inbox = net.client("jm").status().await.unwrap().inbox;
    assert_eq!(inbox.total, 5);
    lc.endpoint.shutdown().await;
    jm.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_whose_list_is_not_the_signed_one_is_refused() {
    let net = Net::new();
    let jm = net.start("jm").await;
    let lc = Fake::start(&net).await;
    let mut sent = Sent::new(LENGTH, 1);
    // The notice names another root than TRL does.
    sent.attachment.root = [9; 32];
    let sealed = lc.seal(1, &sent);
    lc.send(sealed.envelope()).await;
    until(|| async {
        let query = abeng_api::AuditQuery {
            kind: Some("REFUSED".into()),
            ..Default::default()
        };
        let refused = net.client("jm").audit_show(&query).await.unwrap().leaves;
        (refused.len() == 1).then_some(())
    })
    .await;
    lc.endpoint.shutdown().await;
    jm.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_gets_only_what_it_was_sent_and_two_at_a_time() {
    let net = Net::new();
    let jm = net.start("jm").await;
    let lc = Fake::start(&net).await;
    let mut handles = Vec::new();
    for seed in 0..4 {
        let name = format!("{seed}.jpg");
        let handle = give(&net.client("jm"), &name, &file(9 * MIB, seed)).await;
        handles.push(handle.unwrap());
    }
    let sent = net.client("jm").submit(&seizure("LC", &handles)).await;
    let id = sent.unwrap().id.unwrap();
    let files = net.client("jm").attachments(&id).await.unwrap();
    let want = |nth: usize| v1::AttachmentWant {
        envelope_id: EnvelopeId::from_hex(&id).unwrap().to_bytes(),
        root: LeafHash::from_hex(&files[nth].root).unwrap().to_bytes(),
        length: files[nth].cipher_length,
        first_piece: 0,
        hashes: v1::AttachmentHashes::Wanted.into(),
        pieces: 0,
    };
    let _ = lc.envelope().await;
    let link = lc.current().await;
    let ask = |want: v1::AttachmentWant| {
        link.control(v1::control::Frame::AttachmentWant(want));
    };
    use v1::AttachmentRefusal::{AttachmentBusy, AttachmentUnknown};

    // What was never sent: another root, another envelope, another length, a piece behind the end.
    let wrong: [fn(&mut v1::AttachmentWant); 5] = [
        |w| w.root = Bytes::from(vec![7; 32]),
        |w| w.envelope_id = Bytes::from(vec![7; 32]),
        |w| w.length += 1,
        |w| w.first_piece = 10,
        |w| w.root = Bytes::new(),
    ];
    for change in wrong {
        let mut asked = want(0);
        change(&mut asked);
        ask(asked);
        assert_eq!(lc.refused().await.why(), AttachmentUnknown);
    }

    // All four, a thousand times: two streams, and nothing else for the thousand.
    for _ in 0..250 {
        (0..4).for_each(|nth| ask(want(nth)));
    }
    let (first, second) = (lc.stream().await, lc.stream().await);
    // Each wait of this peer is counted; more than its share is put off.
    let many = limits::ATTACHMENT_WANTS + 8;
    for n in 0..many {
        let mut asked = want(0);
        asked.root = Bytes::from(vec![n as u8 + 1; 32]);
        ask(asked);
    }
    for _ in 0..many {
        let why = lc.refused().await.why();
        assert!(matches!(why, AttachmentBusy | AttachmentUnknown), "{why:?}");
    }
    let mut streams = vec![first, second];
    for nth in 0..4 {
        if nth >= 2 {
            streams.push(lc.stream().await);
        }
        let stream = &mut streams[nth];
        stream.header().await.unwrap();
        let mut pieces = 0;
        while stream.piece().await.unwrap().is_some() {
            pieces += 1;
        }
        assert_eq!(pieces, 10, "file {nth}");
    }
    lc.endpoint.shutdown().await;
    jm.shutdown().await.unwrap();
}
