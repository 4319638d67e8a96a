//! Files that come in courier files: the two nodes are never up at the same time, but where a test
//! says so.

use crate::{
    stick::{export, export_as, faults, file_of, frames, import, known, taken},
    support::{MIB, Net, all_here, file, give, seizure, take},
};
use abeng_api::{AuditQuery, CourierExportQuery, FilesThere};
use abeng_evidence::courier::{Found, Item};
use abeng_node::Node;
use abeng_seal::PieceHasher;
use abeng_wire::v1;

/// Does something with one node up.
async fn alone<T>(net: &Net, party: &str, work: impl AsyncFnOnce() -> T) -> T {
    let node = net.start(party).await;
    let done = work().await;
    node.shutdown().await.unwrap();
    done
}

/// JM sends LC a notice with these files; its id.
async fn send(net: &Net, files: &[&[u8]]) -> String {
    let jm = net.client("jm");
    let mut handles = Vec::new();
    for (nth, bytes) in files.iter().enumerate() {
        let name = format!("{nth}.jpg");
        handles.push(give(&jm, &name, bytes).await.unwrap());
    }
    let sent = jm.submit(&seizure("LC", &handles)).await;
    sent.unwrap().id.unwrap()
}

fn split(file: &[u8]) -> (v1::CourierHeader, Vec<Item>) {
    let (mut header, mut items) = (None, Vec::new());
    for (found, _) in frames(file) {
        match found {
            Found::Header(found) => header = Some(*found),
            Found::Item(item) => items.push(item),
            _ => {}
        }
    }
    (header.unwrap(), items)
}

/// Of each attachment in a file the first piece, and how many follow.
fn carried(file: &[u8]) -> Vec<(u64, u64)> {
    let mut files = Vec::new();
    for item in split(file).1 {
        match item {
            Item::Attachment(file) => files.push((file.first_piece, 0)),
            Item::Piece(_) => files.last_mut().unwrap().1 += 1,
            _ => assert!(files.is_empty(), "something stands behind attachments"),
        }
    }
    files
}

/// Pieces that came since a node was started.
fn pieces_received(node: &Node) -> u64 {
    node.shared().metrics.pieces_received.get()
}

async fn here(net: &Net, id: &str) -> u64 {
    net.client("lc").attachments(id).await.unwrap()[0].here
}

fn limited(limit: u64) -> CourierExportQuery {
    CourierExportQuery {
        to: "LC".into(),
        limit: Some(limit),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_and_the_proofs_that_they_came_go_by_stick() {
    let net = Net::new();
    let (big, small) = (file(2 * MIB + 77, 1), file(1, 2));
    let (id, out, bare) = alone(&net, "jm", async || {
        let jm = net.client("jm");
        let id = send(&net, &[&big, &small]).await;
        let without = CourierExportQuery {
            to: "LC".into(),
            no_attachments: true,
            ..Default::default()
        };
        (id, export(&jm, "LC").await, export_as(&jm, without).await)
    })
    .await;
    assert_eq!(
        (carried(&out), carried(&bare)),
        (vec![(0, 3), (0, 1)], vec![])
    );
    let header = split(&out).0;
    let bytes = (2 * MIB + 77 + 33 * 16 + 1 + 16) as u64;
    assert_eq!((header.attachments, header.attachment_bytes), (2, bytes));
    assert_eq!(split(&bare).0.attachments, 0);

    let back = alone(&net, "lc", async || {
        let lc = net.client("lc");
        let report = import(&lc, &out).await.unwrap();
        assert_eq!((report.envelopes, report.attachments), (taken(1), taken(2)));
        assert!(report.whole && report.troubles.is_empty(), "{report:?}");
        let files = all_here(&lc, &id).await;
        assert!(take(&lc, &id, &files[0].root).await.unwrap() == big);
        assert!(take(&lc, &id, &files[1].root).await.unwrap() == small);
        let again = import(&lc, &out).await.unwrap();
        assert_eq!((again.envelopes, again.attachments), (known(1), known(2)));
        let received = AuditQuery {
            kind: Some("RECEIVED".into()),
            ..AuditQuery::default()
        };
        let received = lc.audit_show(&received).await.unwrap().leaves.len();
        assert_eq!(received, 3, "the envelope and two files, once");
        export(&lc, "JM").await
    })
    .await;

    alone(&net, "jm", async || {
        let jm = net.client("jm");
        assert_eq!(carried(&export(&jm, "LC").await).len(), 2, "not yet proved");
        let report = import(&jm, &back).await.unwrap();
        assert_eq!(report.receipts, taken(3), "{report:?}");
        let there = jm.track(&id, "en").await.unwrap().recipients[0].files;
        assert_eq!(there, Some(FilesThere { arrived: 2, of: 2 }));
        let again = import(&jm, &back).await.unwrap();
        assert_eq!(again.receipts, known(3), "{again:?}");
        assert_eq!(carried(&export(&jm, "LC").await), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_is_gone_on_with_by_the_next_file_and_by_a_link() {
    let net = Net::new();
    // Seven pieces.
    let bytes = file(6 * MIB + 9, 1);
    let (id, first, second) = alone(&net, "jm", async || {
        let jm = net.client("jm");
        let id = send(&net, &[&bytes]).await;
        let whole = CourierExportQuery {
            no_attachments: true,
            ..limited(u64::MAX)
        };
        let notices = export_as(&jm, whole).await.len() as u64;
        let room = limited(notices + (2 * MIB + MIB / 2) as u64);
        let first = export_as(&jm, room.clone()).await;
        let second = export_as(&jm, room).await;
        assert_eq!(carried(&export(&jm, "LC").await), [(4, 3)]);
        (id, first, second)
    })
    .await;
    assert_eq!(
        (carried(&first), carried(&second)),
        (vec![(0, 2)], vec![(2, 2)])
    );
    assert_eq!(split(&first).0.attachments, 1);

    let back = alone(&net, "lc", async || {
        let lc = net.client("lc");
        let report = import(&lc, &second).await.unwrap();
        assert_eq!(report.attachments, faults(1), "{report:?}");
        assert!(report.troubles[0].why.contains("at piece 2"), "{report:?}");
        // Cut in the middle of the second piece.
        let cut = first.len() - MIB / 2;
        let report = import(&lc, &first[..cut]).await.unwrap();
        assert!(!report.whole);
        assert_eq!(
            (report.attachments_in_part, here(&net, &id).await),
            (1, MIB as u64)
        );
        // The same one whole: what is there already costs nothing.
        for (file, pieces) in [(&first, 2), (&second, 4), (&second, 4)] {
            let report = import(&lc, file).await.unwrap();
            assert_eq!(
                (report.attachments, report.attachments_in_part),
                (taken(0), 1)
            );
            assert_eq!(here(&net, &id).await, pieces * MIB as u64);
        }
        export(&lc, "JM").await
    })
    .await;

    alone(&net, "jm", async || {
        let jm = net.client("jm");
        assert_eq!(
            carried(&export(&jm, "LC").await),
            [(0, 7)],
            "from the beginning"
        );
        let report = import(&jm, &back).await.unwrap();
        assert_eq!((report.wants, report.receipts), (taken(1), taken(1)));
        assert_eq!(carried(&export(&jm, "LC").await), [(4, 3)], "what LC lacks");
    })
    .await;
    // And with a link nothing comes that is there.
    let (jm, lc) = (net.start("jm").await, net.start("lc").await);
    let files = all_here(&net.client("lc"), &id).await;
    assert_eq!(pieces_received(&lc), 3);
    let got = take(&net.client("lc"), &id, &files[0].root).await;
    assert!(got.unwrap() == bytes);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_delivered_notice_names_and_what_is_wrong_is_passed_over() {
    let net = Net::new();
    let bytes = file(2 * MIB + 5, 1);
    let (id, out) = alone(&net, "jm", async || {
        let id = send(&net, &[&bytes]).await;
        (id, export(&net.client("jm"), "LC").await)
    })
    .await;
    let (header, items) = split(&out);
    let at = items
        .iter()
        .position(|item| matches!(item, Item::Attachment(_)));
    let (notices, files) = items.split_at(at.unwrap());
    let Item::Attachment(named) = &files[0] else {
        unreachable!("looked for above")
    };
    let piece = |n: usize| files[1 + n].clone();
    let with = |change: &dyn Fn(&mut v1::CourierAttachment), pieces: &[Item]| {
        let mut named = named.clone();
        change(&mut named);
        let begin = [Item::Attachment(named)];
        file_of(&header, &[&begin[..], pieces].concat())
    };
    let foreign = vec![7; 100];
    let mut hasher = PieceHasher::default();
    hasher.update(&foreign);
    let other = hasher.finish().unwrap();
    let other = |file: &mut v1::CourierAttachment| {
        (file.root, file.length) = (other.of().to_wire().root, 100);
        file.hashes = other.hashes().concat().into();
    };
    let foreign = [Item::Piece(foreign.into())];

    alone(&net, "lc", async || {
        let lc = net.client("lc");
        let blobs = || {
            let dirs = std::fs::read_dir(net.dir("lc").join("blobs")).unwrap();
            let dirs = dirs.map(|dir| std::fs::read_dir(dir.unwrap().path()).unwrap());
            dirs.map(Iterator::count).sum::<usize>()
        };
        let passed = async |file: &[u8], why: &str| {
            let report = import(&lc, file).await.unwrap();
            assert_eq!(report.attachments, faults(1), "{why}: {report:?}");
            assert!(report.troubles[0].why.contains(why), "{why}: {report:?}");
            assert!(report.whole && report.attachments_in_part == 0, "{why}");
        };
        // Before its notice came.
        passed(&with(&|_| (), &files[1..]), "no notice").await;
        assert_eq!(blobs(), 0);
        import(&lc, &file_of(&header, notices)).await.unwrap();
        passed(&with(&other, &foreign), "no notice").await;
        let elsewhere = |file: &mut v1::CourierAttachment| file.envelope_id = vec![9; 32].into();
        passed(&with(&elsewhere, &files[1..]), "no notice").await;
        let longer = |file: &mut v1::CourierAttachment| file.length += 1;
        passed(&with(&longer, &files[1..]), "no notice").await;
        let hashes = |file: &mut v1::CourierAttachment| {
            file.hashes = vec![4; file.hashes.len()].into();
        };
        passed(&with(&hashes, &files[1..]), "hashes").await;
        let short = |file: &mut v1::CourierAttachment| file.hashes = file.hashes.slice(..33);
        passed(&with(&short, &files[1..]), "hashes").await;
        assert_eq!(blobs(), 0);
        // What was good before a wrong one stays; what follows it is not looked at.
        let wrong = [piece(0), piece(2), piece(1), piece(2)];
        passed(&with(&|_| (), &wrong), "piece 1").await;
        assert_eq!(here(&net, &id).await, MIB as u64);
        let late = |file: &mut v1::CourierAttachment| file.first_piece = 2;
        passed(&with(&late, &[piece(2)]), "only 1 are here").await;
        let huge = |file: &mut v1::CourierAttachment| file.first_piece = u64::MAX;
        passed(&with(&huge, &[piece(2)]), "only 1 are here").await;

        let homeless = file_of(&header, &[piece(0)]);
        assert_eq!(import(&lc, &homeless).await.unwrap().damaged, 1);
        let more = [piece(0), piece(1), piece(2), piece(2)];
        let report = import(&lc, &with(&|_| (), &more)).await.unwrap();
        assert_eq!((report.attachments, report.damaged), (taken(1), 1));
        let files = all_here(&lc, &id).await;
        assert!(take(&lc, &id, &files[0].root).await.unwrap() == bytes);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_that_is_none_of_ours_changes_nothing() {
    let net = Net::new();
    alone(&net, "jm", async || {
        let jm = net.client("jm");
        let id = send(&net, &[&file(9, 1)]).await;
        let out = export(&jm, "LC").await;
        let (mut header, items) = split(&out);
        (header.from, header.to) = ("LC".into(), "JM".into());
        let named = items.iter().find_map(|item| match item {
            Item::Attachment(named) => Some(named.clone()),
            _ => None,
        });
        let named = named.unwrap();
        let want = v1::AttachmentWant {
            envelope_id: named.envelope_id,
            root: named.root,
            length: named.length,
            ..Default::default()
        };
        let wants = [
            v1::AttachmentWant {
                first_piece: 1,
                ..want.clone()
            },
            v1::AttachmentWant {
                root: vec![1; 32].into(),
                ..want.clone()
            },
            v1::AttachmentWant {
                length: 26,
                ..want.clone()
            },
            v1::AttachmentWant {
                envelope_id: vec![1; 32].into(),
                ..want.clone()
            },
        ];
        let items: Vec<Item> = wants.into_iter().map(Item::AttachmentWant).collect();
        let report = import(&jm, &file_of(&header, &items)).await.unwrap();
        assert_eq!(report.wants, faults(4), "{report:?}");
        let right = [Item::AttachmentWant(want)];
        let report = import(&jm, &file_of(&header, &right)).await.unwrap();
        assert_eq!(report.wants, taken(1), "{report:?}");
        assert!(!id.is_empty());
    })
    .await;
}
