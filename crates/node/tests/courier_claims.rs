//! What a courier file may claim without being believed: who made it, what is missing, what will
//! not come, and what a log says.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "common/net.rs"]
mod net;
#[path = "common/stick.rs"]
mod stick;

use abeng_api::{AuditQuery, InboxQuery};
use abeng_evidence::courier::{Found, Item};
use abeng_keys::Keyring;
use abeng_node::{IfNewer, new_life};
use abeng_seal::{Arrived, sign_void};
use abeng_wire::{prost::Message, v1};
use net::{Net, copy, found};
use std::{collections::BTreeMap, path::Path};
use stick::{export, faults, file_of, frames, import, known, taken, with_header};

async fn alone<T>(net: &Net, name: &str, work: impl AsyncFnOnce() -> T) -> T {
    let node = net.start(name).await;
    let done = work().await;
    node.shutdown().await.unwrap();
    done
}

async fn count(net: &Net, name: &str, kind: &str) -> usize {
    let query = AuditQuery {
        kind: Some(kind.to_owned()),
        ..AuditQuery::default()
    };
    net.client(name)
        .audit_show(&query)
        .await
        .unwrap()
        .leaves
        .len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_for_others_brings_nothing_and_its_maker_counts_for_nothing() {
    let net = found(&["JM", "TT"]);
    let out = alone(&net, "JM", async || {
        net.try_send("JM", "LC").await.unwrap();
        export(&net.client("JM"), "LC").await
    })
    .await;
    // Whatever the header says of its maker, the notice is JM's, and so is the receipt.
    let forged = with_header(&out, |header| header.from = "TT".into());
    let (to_jm, to_tt) = alone(&net, "LC", async || {
        let lc = net.client("LC");
        let report = import(&lc, &forged).await.unwrap();
        assert_eq!((report.envelopes, report.from.as_str()), (taken(1), "TT"));
        (export(&lc, "JM").await, export(&lc, "TT").await)
    })
    .await;
    let receipts = |file: &[u8]| -> usize {
        let count = |(found, _): (Found, usize)| match found {
            Found::Item(Item::Receipts(frame)) => frame.receipts.len(),
            _ => 0,
        };
        frames(file).into_iter().map(count).sum()
    };
    assert_eq!((receipts(&to_jm), receipts(&to_tt)), (1, 0));

    let misled = |file: &[u8]| with_header(file, |header| header.to = "TT".into());
    alone(&net, "TT", async || {
        let tt = net.client("TT");
        let report = import(&tt, &misled(&out)).await.unwrap();
        assert_eq!(report.envelopes, faults(1));
        assert!(report.troubles[0].why.contains("not for TT"), "{report:?}");
        let report = import(&tt, &misled(&to_jm)).await.unwrap();
        assert_eq!(report.receipts, faults(1), "{report:?}");
        assert!(
            report.troubles[0].why.contains("no envelope of ours"),
            "{report:?}"
        );
        assert!(tt.inbox(&InboxQuery::default()).await.unwrap().is_empty());
        assert_eq!(count(&net, "TT", "RECEIPT_TAKEN").await, 0);
    })
    .await;
    // A receipt counts once, however often one file holds it; one bit of it, and not at all.
    alone(&net, "JM", async || {
        let jm = net.client("JM");
        let mut items = items(&to_jm);
        for item in &mut items {
            if let Item::Receipts(frame) = item {
                let mut leaf = frame.receipts[0].leaf.to_vec();
                let last = leaf.len() - 1;
                leaf[last] ^= 1;
                frame.receipts[0].leaf = leaf.into();
            }
        }
        let report = import(&jm, &file_of(&header(&to_jm), &items))
            .await
            .unwrap();
        assert_eq!(report.receipts, faults(1), "{report:?}");
        assert_eq!(jm.status().await.unwrap().queue.depth, 1);
        let twice = [self::items(&to_jm), self::items(&to_jm)].concat();
        let report = import(&jm, &file_of(&header(&to_jm), &twice))
            .await
            .unwrap();
        assert_eq!((report.receipts.taken, report.receipts.known), (1, 1));
        assert_eq!(jm.status().await.unwrap().queue.depth, 0);
        assert_eq!(count(&net, "JM", "RECEIPT_TAKEN").await, 1);
    })
    .await;
}

fn header(file: &[u8]) -> v1::CourierHeader {
    match &frames(file)[0].0 {
        Found::Header(header) => (**header).clone(),
        other => panic!("{other:?}"),
    }
}

fn items(file: &[u8]) -> Vec<Item> {
    let item = |(found, _)| match found {
        Found::Item(item) => Some(item),
        _ => None,
    };
    frames(file).into_iter().filter_map(item).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gaps_are_asked_for_and_closed_by_what_their_originator_signs() {
    let net = found(&["JM"]);
    let out = alone(&net, "JM", async || {
        for _ in 0..4 {
            net.try_send("JM", "LC").await.unwrap();
        }
        export(&net.client("JM"), "LC").await
    })
    .await;
    // Numbers 2 and 3 are lost on the way.
    let (header, mut items) = (header(&out), items(&out));
    let envelopes: Vec<usize> = (0..items.len())
        .filter(|n| matches!(items[*n], Item::Envelope(_)))
        .collect();
    let lost = [items.remove(envelopes[1]), items.remove(envelopes[1])];
    let back = alone(&net, "LC", async || {
        let lc = net.client("LC");
        let report = import(&lc, &file_of(&header, &items)).await.unwrap();
        assert_eq!(report.envelopes, taken(2));
        export(&lc, "JM").await
    })
    .await;
    let wants: Vec<_> = self::items(&back)
        .into_iter()
        .filter_map(|item| match item {
            Item::Want(want) => Some((want.first, want.last)),
            _ => None,
        })
        .collect();
    assert_eq!(wants, [(2, 3)]);
    let again = alone(&net, "JM", async || {
        let jm = net.client("JM");
        let report = import(&jm, &back).await.unwrap();
        assert_eq!((report.wants, report.receipts), (taken(1), taken(2)));
        export(&jm, "LC").await
    })
    .await;
    let sent: Vec<_> = self::items(&again)
        .into_iter()
        .filter(|item| matches!(item, Item::Envelope(_)))
        .collect();
    assert_eq!(sent, lost, "what was lost goes again, and nothing else");

    // JM says that number 2 will not come; nobody else can.
    let first = match &lost[0] {
        Item::Envelope(frame) => Arrived::parse(frame).unwrap(),
        other => panic!("{other:?}"),
    };
    let void = v1::Void {
        originator: "JM".into(),
        incarnation: first.incarnation().0,
        recipient: "LC".into(),
        first: 2,
        last: 2,
        reason: v1::VoidReason::VoidLost.into(),
        ..Default::default()
    };
    let sign = |name: &str| {
        let keys = keys(&net.home(name));
        sign_void(keys.org_sign().as_ref(), &void).unwrap()
    };
    let (forged, signed) = (sign("LC"), sign("JM"));
    alone(&net, "LC", async || {
        let lc = net.client("LC");
        // Gaps are shown once the engine has looked.
        let gaps_are = async |expected: &[(u64, u64)]| {
            let end = tokio::time::Instant::now() + net::PATIENCE;
            loop {
                let gaps = lc.gaps().await.unwrap();
                let gaps: Vec<_> = gaps.into_iter().map(|gap| (gap.first, gap.last)).collect();
                if gaps == expected {
                    return;
                }
                assert!(tokio::time::Instant::now() < end, "{gaps:?}");
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        gaps_are(&[(2, 3)]).await;
        let with = |void: &v1::Signed| file_of(&header, &[Item::Void(void.clone())]);
        let report = import(&lc, &with(&forged)).await.unwrap();
        assert_eq!(report.voids, faults(1));
        gaps_are(&[(2, 3)]).await;
        let report = import(&lc, &with(&signed)).await.unwrap();
        assert_eq!(report.voids, taken(1), "{report:?}");
        gaps_are(&[(3, 3)]).await;
        assert_eq!(import(&lc, &with(&signed)).await.unwrap().voids, known(1));
        assert_eq!(count(&net, "LC", "VOIDED").await, 1);
        // What comes after all is delivered.
        let report = import(&lc, &again).await.unwrap();
        assert_eq!(report.envelopes, taken(2), "{report:?}");
        gaps_are(&[]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_only_a_lost_disk_had_are_ended_by_stick_alone() {
    let net = found(&["JM"]);
    alone(&net, "JM", async || net.try_send("JM", "LC").await.unwrap()).await;
    copy(&net.home("JM"), &net.home("JM-COPY"));
    let out = alone(&net, "JM", async || {
        for _ in 0..2 {
            net.try_send("JM", "LC").await.unwrap();
        }
        export(&net.client("JM"), "LC").await
    })
    .await;
    // Number 2 is lost on its way, and JM with it: what comes back is older.
    let (header, mut items) = (header(&out), items(&out));
    let envelopes: Vec<usize> = (0..items.len())
        .filter(|n| matches!(items[*n], Item::Envelope(_)))
        .collect();
    items.remove(envelopes[1]);
    let back = alone(&net, "LC", async || {
        let lc = net.client("LC");
        let report = import(&lc, &file_of(&header, &items)).await.unwrap();
        assert_eq!(report.envelopes, taken(2));
        export(&lc, "JM").await
    })
    .await;
    new_life(
        &net.config("JM-COPY"),
        "a lost disk",
        IfNewer::Refuse,
        &mut |_, _| (),
    )
    .unwrap();
    let again = alone(&net, "JM-COPY", async || {
        let jm = net.client("JM-COPY");
        let report = import(&jm, &back).await.unwrap();
        assert_eq!(report.wants, taken(1), "{report:?}");
        export(&jm, "LC").await
    })
    .await;
    let told = |s: &abeng_api::StatusView| {
        let said = |w: &String| w.starts_with("1 number of JM will not come: lost there");
        s.warnings.iter().any(said)
    };
    let report = alone(&net, "LC", async || {
        let report = import(&net.client("LC"), &again).await.unwrap();
        assert!(told(&net.client("LC").status().await.unwrap()));
        report
    })
    .await;
    assert_eq!(report.voids, taken(1), "{report:?}");
    alone(&net, "LC", async || {
        net.until("LC", "told again", told).await;
    })
    .await;
    let voided = self::items(&again).into_iter().find_map(|item| match item {
        Item::Void(signed) => Some(v1::Void::decode(signed.bytes).unwrap()),
        _ => None,
    });
    let voided = voided.unwrap();
    let said = (voided.first, voided.last, voided.reason());
    assert_eq!(said, (2, 2, v1::VoidReason::VoidLost));
}

fn keys(home: &Path) -> Keyring {
    Keyring::load(&home.join("keys"), || {
        Err::<abeng_keys::Passphrase, _>("none")
    })
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_pasts_of_a_log_meet_on_a_stick() {
    let net = found(&["JM"]);
    alone(&net, "JM", async || net.try_send("JM", "LC").await.unwrap()).await;
    copy(&net.home("JM"), &net.home("JM-COPY"));
    // Each export is a leaf; of two files with one size the roots differ.
    let mut made = Vec::new();
    for name in ["JM", "JM-COPY"] {
        let of_one = alone(&net, name, async || {
            net.try_send(name, "LC").await.unwrap();
            let mut files = BTreeMap::new();
            for _ in 0..4 {
                let file = export(&net.client(name), "LC").await;
                files.insert(log_size(&file), file);
            }
            files
        });
        made.push(of_one.await);
    }
    let both = made[0].keys().rfind(|size| made[1].contains_key(size));
    let files = both.map(|size| [made[0][size].clone(), made[1][size].clone()]);
    let files = files.unwrap();
    alone(&net, "LC", async || {
        let lc = net.client("LC");
        let first = import(&lc, &files[0]).await.unwrap();
        assert_eq!((first.envelopes, first.checkpoints), (taken(2), taken(1)));
        let second = import(&lc, &files[1]).await.unwrap();
        assert_eq!(second.checkpoints, faults(1), "{second:?}");
        assert_eq!(second.envelopes.taken + second.envelopes.refused, 0);
        assert!(
            second.troubles[0].why.contains("contradicts itself"),
            "{second:?}"
        );
        assert_eq!(count(&net, "LC", "CONTRADICTION").await, 1);
        let warnings = lc.status().await.unwrap().warnings;
        assert!(warnings.iter().any(|w| w.contains("contradicts itself")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_comes_back_by_stick_too() {
    let net = found(&["JM"]);
    alone(&net, "JM", async || net.try_send("JM", "LC").await.unwrap()).await;
    copy(&net.home("JM"), &net.home("JM-COPY"));
    let mut files = Vec::new();
    let mut refused = String::new();
    for (name, exports) in [("JM", 1), ("JM-COPY", 5)] {
        let made = alone(&net, name, async || {
            refused = net.try_send(name, "LC").await.unwrap();
            for _ in 1..exports {
                export(&net.client(name), "LC").await;
            }
            export(&net.client(name), "LC").await
        });
        files.push(made.await);
    }
    assert_ne!(log_size(&files[0]), log_size(&files[1]), "a size for each");
    let back = alone(&net, "LC", async || {
        let lc = net.client("LC");
        assert_eq!(import(&lc, &files[0]).await.unwrap().envelopes, taken(2));
        // Its number is taken: by the originator's own fault.
        let report = import(&lc, &files[1]).await.unwrap();
        assert_eq!((report.envelopes.known, report.envelopes.refused), (1, 1));
        assert!(
            report.troubles[0].why.contains("SEQ_CONFLICT"),
            "{report:?}"
        );
        assert_eq!(import(&lc, &files[1]).await.unwrap().envelopes, known(2));
        export(&lc, "JM").await
    })
    .await;
    alone(&net, "JM-COPY", async || {
        let copy = net.client("JM-COPY");
        let report = import(&copy, &back).await.unwrap();
        // What the other copy sent is none of its own.
        assert_eq!((report.receipts.taken, report.receipts.faults), (2, 1));
        let track = copy.track(&refused, "en").await.unwrap();
        let state = track.recipients[0].state;
        assert_eq!(state, abeng_api::DeliveryState::Refused);
        assert_eq!(copy.status().await.unwrap().queue.depth, 0);
    })
    .await;
}

/// Leaves under the checkpoint that a file shows.
fn log_size(file: &[u8]) -> u64 {
    let size = |item: &Item| match item {
        Item::Checkpoint(frame) => {
            let note = std::str::from_utf8(&frame.checkpoint).unwrap();
            note.lines().nth(1).map(|size| size.parse().unwrap())
        }
        _ => None,
    };
    items(file).iter().find_map(size).unwrap()
}
