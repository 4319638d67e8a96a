//! A link that is cut and nodes that restart in the middle: nothing that was verified comes again.

use crate::{
    fake::{Fake, Sent},
    support::{MIB, Net, all_here, file, give, seizure, take},
};
use abeng_wire::v1;

/// Five pieces.
const LENGTH: usize = 4 * MIB + MIB / 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recipient_that_restarts_asks_for_the_rest_alone() {
    let net = Net::new();
    let jm = net.start("jm").await;
    let lc = Fake::start(&net).await;
    let sent = Sent::new(LENGTH, 1);
    let sealed = lc.seal(1, &sent);
    let id = sealed.id().to_string();
    let client = net.client("jm");
    let has = async |bytes: u64| {
        let files = client.attachments(&id).await;
        files.is_ok_and(|files| files[0].here == bytes)
    };
    lc.send(sealed.envelope()).await;
    // Two pieces come, and then nothing: as if the path had gone.
    let two = 2 * MIB as u64;
    let (stalled, want) = lc.bring(&sent, 0..2, async || has(two).await).await;
    assert_eq!(want.hashes(), v1::AttachmentHashes::Wanted);
    assert_eq!(want.envelope_id, sealed.id().to_bytes());
    assert!(take(&client, &id, &want_root(&want)).await.is_err());
    jm.shutdown().await.unwrap();
    drop(stalled);

    let jm = net.start("jm").await;
    let (ended, want) = lc.bring(&sent, 2..4, async || has(2 * two).await).await;
    assert_eq!(want.hashes(), v1::AttachmentHashes::Held);
    // A stream that ends early costs nothing that came on it.
    drop(ended);
    let all = sent.pieces.of().length;
    let (last, _) = lc.bring(&sent, 4..5, async || has(all).await).await;
    let _ = last.finish().await;
    all_here(&client, &id).await;
    let taken = take(&client, &id, &want_root(&want)).await;
    assert!(taken.unwrap() == file(LENGTH, 1));
    lc.endpoint.shutdown().await;
    jm.shutdown().await.unwrap();
}

fn want_root(want: &v1::AttachmentWant) -> String {
    abeng_wire::LeafHash::from_slice(&want.root)
        .unwrap()
        .to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_originator_that_restarts_brings_the_rest_alone() {
    let net = Net::new();
    let jm = net.start("jm").await;
    let lc = Fake::start(&net).await;
    let handle = give(&net.client("jm"), "x.jpg", &file(LENGTH, 1))
        .await
        .unwrap();
    let sent = net.client("jm").submit(&seizure("LC", &[handle])).await;
    let id = sent.unwrap().id.unwrap();
    let files = net.client("jm").attachments(&id).await.unwrap();
    let want = v1::AttachmentWant {
        envelope_id: abeng_wire::EnvelopeId::from_hex(&id).unwrap().to_bytes(),
        root: abeng_wire::LeafHash::from_hex(&files[0].root)
            .unwrap()
            .to_bytes(),
        length: files[0].cipher_length,
        first_piece: 0,
        hashes: v1::AttachmentHashes::Wanted.into(),
        pieces: 0,
    };
    let _ = lc.envelope().await;
    let (mut stream, header) = lc.ask(&want).await;
    assert_eq!((header.first_piece, header.hashes.len()), (0, 5 * 32));
    for _ in 0..2 {
        assert_eq!(stream.piece().await.unwrap().unwrap().len(), MIB);
    }
    jm.shutdown().await.unwrap();
    drop(stream);

    let jm = net.start("jm").await;
    let rest = v1::AttachmentWant {
        first_piece: 2,
        hashes: v1::AttachmentHashes::Held.into(),
        ..want
    };
    let (mut stream, header) = lc.ask(&rest).await;
    assert_eq!((header.first_piece, header.hashes.len()), (2, 0));
    let mut pieces = Vec::new();
    while let Some(piece) = stream.piece().await.unwrap() {
        pieces.push(piece.len());
    }
    let last = files[0].cipher_length as usize - 4 * MIB;
    assert_eq!(pieces, [MIB, MIB, last]);
    lc.endpoint.shutdown().await;
    jm.shutdown().await.unwrap();
}
