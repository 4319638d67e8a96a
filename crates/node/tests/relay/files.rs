//! Attachments of what goes through a relay.

use crate::{
    net::{Net, code, delivered, leaf, leaves, until},
    support::{MIB, all_here, file, give, seizure, take},
};
use abeng_api::{AllowRequest, AttachmentState, Client, FilesThere};
use abeng_link::Profile;
use abeng_node::Node;
use abeng_wire::v1::{self, control::Frame};
use std::{fs, path::Path};

/// Sends TT a notice with one file at once; its id.
async fn send(at: &Client, bytes: &[u8]) -> String {
    let handle = give(at, "x.jpg", bytes).await.unwrap();
    let mut request = seizure("TT", &[handle]);
    request.precedence = Some("FLASH".into());
    at.submit(&request).await.unwrap().id.unwrap()
}

/// Files below a directory of blobs that are whole: names and contents.
fn blobs(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for dir in fs::read_dir(dir).unwrap() {
        let dir = dir.unwrap();
        for file in fs::read_dir(dir.path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none() {
                let (first, rest) = (dir.file_name(), path.file_name().unwrap().to_owned());
                let name = [first, rest].map(|part| part.into_string().unwrap());
                found.push((name.concat(), fs::read(&path).unwrap()));
            }
        }
    }
    found
}

async fn proved(at_jm: &Client, id: &str) {
    until("that the file came", async || {
        let there = at_jm.track(id, "en").await.unwrap().recipients[0].files;
        (there == Some(FilesThere { arrived: 1, of: 1 })).then_some(())
    })
    .await;
}

fn pieces_received(node: &Node) -> u64 {
    node.shared().metrics.pieces_received.get()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_and_its_proof_go_through_the_relay_and_leave_nothing_there() {
    let net = Net::found();
    let (nl, at_nl) = net.start("NL").await;
    let (tt, at_tt) = net.start("TT").await;
    let (jm, at_jm) = net.start("JM").await;
    let bytes = file(2 * MIB + 77, 1);
    let id = send(&at_jm, &bytes).await;
    delivered(&at_jm, &id).await;
    let files = all_here(&at_tt, &id).await;
    assert!(take(&at_tt, &id, &files[0].root).await.unwrap() == bytes);
    proved(&at_jm, &id).await;
    assert_eq!((pieces_received(&nl), pieces_received(&tt)), (3, 3));
    assert_eq!(leaves(&at_nl, "RECEIVED").await.len(), 0);
    let carried = net.home("NL").join("carried");
    until("that the relay forgets it", async || {
        blobs(&carried).is_empty().then_some(())
    })
    .await;
    for node in [jm, tt, nl] {
        node.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_has_it_brings_it_after_a_restart_and_without_its_originator() {
    let net = Net::found();
    let (nl, at_nl) = net.start("NL").await;
    let mut silent = net.puppet("TT").await;
    let (jm, at_jm) = net.start("JM").await;
    let bytes = file(MIB + 77, 1);
    let id = send(&at_jm, &bytes).await;
    leaf(&at_nl, "RELAYED").await;
    silent.envelope().await;
    let sent = at_jm.attachments(&id).await.unwrap().remove(0);
    let want = v1::AttachmentWant {
        envelope_id: abeng_wire::EnvelopeId::from_hex(&id).unwrap().to_bytes(),
        root: abeng_wire::LeafHash::from_hex(&sent.root)
            .unwrap()
            .to_bytes(),
        length: sent.cipher_length,
        first_piece: 0,
        hashes: v1::AttachmentHashes::Wanted.into(),
        pieces: 0,
    };
    let link = silent.to("NL");
    // Of what it did not carry, and of what the envelope does not name, a relay knows nothing.
    for foreign in [
        v1::AttachmentWant {
            envelope_id: vec![1; 32].into(),
            ..want.clone()
        },
        v1::AttachmentWant {
            root: vec![2; 32].into(),
            ..want.clone()
        },
        v1::AttachmentWant {
            length: 17,
            ..want.clone()
        },
    ] {
        link.control(Frame::AttachmentWant(foreign));
        let refused = silent.control(|frame| match frame {
            Frame::AttachmentRefused(refused) => Some(refused.why()),
            _ => None,
        });
        assert_eq!(refused.await, v1::AttachmentRefusal::AttachmentUnknown);
    }
    link.control(Frame::AttachmentWant(want));
    let carried = net.home("NL").join("carried");
    until("that the relay has it", async || {
        (blobs(&carried).len() == 1).then_some(())
    })
    .await;
    let (_, cipher) = blobs(&carried).remove(0);
    assert!(
        !cipher.windows(64).any(|at| at == &bytes[..64]),
        "it can be read"
    );
    jm.shutdown().await.unwrap();
    silent.end().await;
    nl.shutdown().await.unwrap();

    let (nl, _) = net.start("NL").await;
    let (tt, at_tt) = net.start("TT").await;
    until("the notice", async || at_tt.attachments(&id).await.ok()).await;
    let files = all_here(&at_tt, &id).await;
    assert!(take(&at_tt, &id, &files[0].root).await.unwrap() == bytes);
    assert_eq!(pieces_received(&nl), 0, "it was there");
    let (jm, at_jm) = net.start("JM").await;
    proved(&at_jm, &id).await;
    for node in [jm, tt, nl] {
        node.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_lies_loses_its_link_and_another_way_goes_on_behind_what_was_good() {
    let net = Net::found();
    let mut liar = net.puppet("NL").await;
    let (jm, at_jm) = net.start("JM").await;
    let (tt, at_tt) = net.start("TT").await;
    let bytes = file(2 * MIB + 77, 1);
    for _ in 0..2 {
        let link = liar.link().await;
        let other = match link.peer() == code("JM") {
            true => "TT",
            false => "JM",
        };
        let parties = vec![other.to_owned()];
        link.control(Frame::Reach(v1::Reach { parties }));
    }
    let id = send(&at_jm, &bytes).await;
    let envelope = liar.envelope().await;
    liar.to("TT").send(v1::Precedence::Flash, envelope);
    let want = liar.control(|frame| match frame {
        Frame::AttachmentWant(want) => Some(want),
        _ => None,
    });
    let want = want.await;
    assert_eq!(want.first_piece, 0);
    // Its originator gives it to no relay that has not proved to carry the notice.
    liar.to("JM").control(Frame::AttachmentWant(want.clone()));
    let (name, cipher) = blobs(&net.home("JM").join("blobs")).remove(0);
    let list = net.home("JM").join("blobs").join(&name[..2]);
    let list = fs::read(list.join(&name[2..]).with_extension("list")).unwrap();
    let header = v1::AttachmentHeader {
        root: want.root.clone(),
        length: want.length,
        first_piece: 0,
        hashes: list.into(),
    };
    let link = liar.to("TT");
    let mut stream = link.attachment(&header).await.unwrap();
    let pieces: Vec<&[u8]> = cipher.chunks(MIB).collect();
    stream
        .piece(bytes::Bytes::copy_from_slice(pieces[0]))
        .await
        .unwrap();
    let mut wrong = pieces[1].to_vec();
    wrong[9] ^= 1;
    stream.piece(wrong.into()).await.unwrap();
    until("that the link goes", async || {
        liar.is_gone(&link).then_some(())
    })
    .await;
    let files = at_tt.attachments(&id).await.unwrap();
    let there = (files[0].here, files[0].state);
    assert_eq!(there, (MIB as u64, AttachmentState::Coming));
    let refused = liar.control(|frame| match frame {
        Frame::AttachmentRefused(refused) => Some(refused.why()),
        _ => None,
    });
    assert_eq!(refused.await, v1::AttachmentRefusal::AttachmentBusy);
    assert_eq!(jm.shared().metrics.pieces_sent.get(), 0);
    for node in [jm, tt] {
        node.shutdown().await.unwrap();
    }
    // Whatever holds a link holds the port.
    drop((stream, link));
    liar.end().await;

    let (nl, _) = net.start("NL").await;
    let (tt, at_tt) = net.start("TT").await;
    let (jm, _) = net.start("JM").await;
    let files = all_here(&at_tt, &id).await;
    assert!(take(&at_tt, &id, &files[0].root).await.unwrap() == bytes);
    assert_eq!(pieces_received(&tt), 2, "the first one was good");
    for node in [jm, tt, nl] {
        node.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_pays_by_the_byte_keeps_to_its_day_and_goes_on_once_more_is_allowed() {
    // Room for four pieces beside what is kept for FLASH; three come, so one goes.
    const LEFT: u64 = 5_000_000;
    let net = Net::found();
    let mut config = net.config("NL");
    config.link.profile = Profile::Metered;
    config.link.metered.budget = Some(LEFT + 1_600_000);
    config.link.metered.flash = 1_600_000;
    let (nl, at_nl) = net.start_as("NL", config).await;
    let (tt, at_tt) = net.start("TT").await;
    let (jm, at_jm) = net.start("JM").await;
    let bytes = file(3 * MIB - 1000, 5);
    let id = send(&at_jm, &bytes).await;
    let waiting = until("that it waits for the relay's day", async || {
        let file = at_tt.attachments(&id).await.ok()?.remove(0);
        (file.state == AttachmentState::WaitsBudget).then_some(file)
    })
    .await;
    assert_eq!(waiting.budget_of.as_deref(), Some("NL"));
    let whole = MIB as u64;
    assert!(
        waiting.here.is_multiple_of(whole) && waiting.here <= whole,
        "{waiting:?}"
    );
    assert_eq!(pieces_received(&nl), 3);
    let budget = at_nl.limits().await.unwrap().budget.unwrap();
    // What is lost on the way is counted only once it has gone.
    assert!(budget.spent <= LEFT + whole / 4, "{budget:?}");
    assert_eq!(at_nl.status().await.unwrap().files.held_back, 1);
    let more = AllowRequest {
        bytes: Some(20_000_000),
        officer: None,
    };
    at_nl.allow(&more).await.unwrap();
    let files = all_here(&at_tt, &id).await;
    assert!(take(&at_tt, &id, &files[0].root).await.unwrap() == bytes);
    for node in [jm, tt, nl] {
        node.shutdown().await.unwrap();
    }
}
