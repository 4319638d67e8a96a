//! Files that their sender has lost or damaged: both sides say so, nobody asks without end, and what
//! was put back comes.

use crate::{
    fake::{Fake, Sent},
    support::{MIB, Net, all_here, file, give, seizure, take, until},
};
use abeng_api::{ApiError, AttachmentState, Client, ClientError, ErrorCode, PendingView};
use abeng_wire::v1;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A notice from JM with a file, while LC does not run; its id and where the file lies.
async fn sent(net: &Net, bytes: &[u8]) -> (String, PathBuf) {
    let client = net.client("jm");
    let handle = give(&client, "x.jpg", bytes).await.unwrap();
    let sent = client.submit(&seizure("LC", &[handle])).await;
    let id = sent.unwrap().id.unwrap();
    let root = client.attachments(&id).await.unwrap().remove(0).root;
    let (first, rest) = root.split_at(2);
    (id, net.dir("jm").join("blobs").join(first).join(rest))
}

fn damage(path: &Path, at: usize) -> Vec<u8> {
    let good = fs::read(path).unwrap();
    let mut bad = good.clone();
    bad[at] ^= 1;
    fs::write(path, bad).unwrap();
    good
}

/// The only file of a notice, once it is said to be so.
async fn is(client: &Client, id: &str, state: AttachmentState) -> u64 {
    until(|| async {
        let file = client.attachments(id).await.ok()?.remove(0);
        (file.state == state).then_some(file.here)
    })
    .await
}

async fn refused(client: &Client, id: &str) -> ApiError {
    let root = client.attachments(id).await.unwrap().remove(0).root;
    match client.attachment(id, &root).await {
        Err(ClientError::Api(e)) => e,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it is given"),
    }
}

/// What the status says, once it says that.
async fn status(client: &Client, look: impl Fn(&PendingView) -> bool, word: &str) {
    until(|| async {
        let status = client.status().await.ok()?;
        let warned = status.warnings.iter().any(|w| w.contains(word));
        (look(&status.files) && warned).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_damaged_at_its_sender_is_said_to_be_on_both_sides_and_comes_once_it_is_mended() {
    let net = Net::new();
    let jm = net.start("jm").await;
    let (at_jm, at_lc) = (net.client("jm"), net.client("lc"));
    let bytes = file(2 * MIB + 5, 1);
    // One piece is good and one is not; and one where none is good.
    let (id, path) = sent(&net, &bytes).await;
    let good = damage(&path, MIB + 9);
    let (small, small_path) = sent(&net, &file(3000, 2)).await;
    damage(&small_path, 9);
    let lc = net.start("lc").await;
    let here = is(&at_lc, &id, AttachmentState::SenderDamaged).await;
    assert_eq!(here, MIB as u64, "what is good has come");
    assert_eq!(is(&at_lc, &small, AttachmentState::SenderDamaged).await, 0);
    is(&at_jm, &id, AttachmentState::Damaged).await;
    status(&at_jm, |f| f.damaged == 2, "2 damaged on this disk").await;
    let both = |f: &PendingView| (f.sender_damaged, f.files) == (2, 0);
    status(&at_lc, both, "2 files damaged on their disks").await;

    // Whoever wants it is told, on either side, and what is asked again is refused again.
    let told = refused(&at_jm, &id).await;
    assert_eq!(told.code, ErrorCode::Damaged);
    assert_eq!(told.message, "attachment 1 (x.jpg) is damaged on this disk");
    assert!(told.try_this.unwrap().contains("from a backup"));
    let acted = abeng_api::AuditQuery {
        kind: Some("ACTED".into()),
        ..Default::default()
    };
    let taken_out = at_jm.audit_show(&acted).await.unwrap().leaves;
    assert_eq!(taken_out.len(), 0, "nobody has got it");
    let sessions = jm.shared().metrics.pieces_sent.get();
    for _ in 0..3 {
        let told = refused(&at_lc, &id).await;
        assert_eq!(told.code, ErrorCode::Damaged);
        assert!(
            told.message.ends_with("damaged on the disk of JM"),
            "{told}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(jm.shared().metrics.pieces_sent.get(), sessions);

    fs::write(&path, good).unwrap();
    is(&at_jm, &id, AttachmentState::Here).await;
    let root = at_jm.attachments(&id).await.unwrap().remove(0).root;
    assert!(take(&at_jm, &id, &root).await.unwrap() == bytes);
    refused(&at_lc, &id).await;
    all_here(&at_lc, &id).await;
    assert!(take(&at_lc, &id, &root).await.unwrap() == bytes);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_that_an_officer_meets_first_is_known_from_then_on() {
    let net = Net::new();
    let jm = net.start("jm").await;
    let client = net.client("jm");
    let (id, path) = sent(&net, &file(2 * MIB + 5, 1)).await;
    damage(&path, MIB + 9);
    is(&client, &id, AttachmentState::Here).await;
    let root = client.attachments(&id).await.unwrap().remove(0).root;
    assert!(take(&client, &id, &root).await.is_err(), "it breaks off");
    is(&client, &id, AttachmentState::Damaged).await;
    assert_eq!(refused(&client, &id).await.code, ErrorCode::Damaged);
    // One that was cut need not be read.
    fs::write(&path, b"short").unwrap();
    is(&client, &id, AttachmentState::Damaged).await;
    jm.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_its_sender_no_longer_has_is_said_not_to_come_until_it_is_put_back() {
    let net = Net::new();
    let jm = net.start("jm").await;
    let (at_jm, at_lc) = (net.client("jm"), net.client("lc"));
    let bytes = file(3000, 1);
    let (id, path) = sent(&net, &bytes).await;
    let kept = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let lc = net.start("lc").await;
    is(&at_lc, &id, AttachmentState::SenderGone).await;
    let told = refused(&at_lc, &id).await;
    assert_eq!(told.code, ErrorCode::NotFound);
    let said = "JM no longer has attachment 1 (x.jpg)";
    assert_eq!(told.message, said);
    let gone = |f: &PendingView| (f.sender_gone, f.files) == (1, 0);
    status(&at_lc, gone, "no longer have 1 file").await;
    is(&at_jm, &id, AttachmentState::Gone).await;
    status(&at_jm, |f| f.gone == 1, "1 not on this disk any more").await;
    assert_eq!(refused(&at_jm, &id).await.code, ErrorCode::NotFound);
    // Learnt again after a restart, on both sides.
    lc.shutdown().await.unwrap();
    jm.shutdown().await.unwrap();
    let jm = net.start("jm").await;
    status(&at_jm, |f| f.gone == 1, "1 not on this disk any more").await;
    let lc = net.start("lc").await;
    is(&at_lc, &id, AttachmentState::SenderGone).await;

    fs::write(&path, kept).unwrap();
    refused(&at_lc, &id).await;
    let files = all_here(&at_lc, &id).await;
    assert!(take(&at_lc, &id, &files[0].root).await.unwrap() == bytes);
    let warned = at_jm.status().await.unwrap().warnings;
    assert!(!warned.iter().any(|w| w.contains("any more")), "{warned:?}");
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_comes_behind_its_own_refusal_ends_no_link() {
    let net = Net::new();
    let jm = net.start("jm").await;
    let lc = Fake::start(&net).await;
    let client = net.client("jm");
    let sent = Sent::new(2 * MIB, 1);
    let sealed = lc.seal(1, &sent);
    let link = loop {
        let link = lc.wanted(sealed.envelope(), &sent).await;
        let refused = v1::AttachmentRefused {
            root: sent.pieces.of().to_wire().root,
            why: v1::AttachmentRefusal::AttachmentUnknown.into(),
        };
        link.control(v1::control::Frame::AttachmentRefused(refused));
        let id = sealed.id().to_string();
        is(&client, &id, AttachmentState::SenderGone).await;
        // Where both sides dialled at once one link goes for that reason.
        let Ok(stream) = sent.bring(&link, 0..0).await else {
            continue;
        };
        let _ = stream.finish().await;
        break link;
    };
    // A notice goes behind it and is answered on the same link.
    let next = lc.seal(2, &Sent::new(9, 2));
    lc.send(next.envelope()).await;
    assert_eq!(lc.current().await.session(), link.session());
    lc.endpoint.shutdown().await;
    jm.shutdown().await.unwrap();
}
