//! What the coordination node sees: how every node is, and nothing of any notice that is not
//! addressed to it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Network, bytes::files_with, notices::seizure, until};
use data_encoding::HEXLOWER;

const TEXT: &str = "zwijgplicht-41882: for Trinidad and Tobago alone";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_coordination_node_sees_status_and_nothing_of_notices_for_others() {
    let network = Network::found(&["LC:coordination", "JM", "TT"]);
    let mut nodes = [network.node("LC"), network.node("JM"), network.node("TT")];
    for node in &mut nodes {
        node.spawn();
    }
    for node in &mut nodes {
        node.linked(2).await;
    }
    let [lc, jm, tt] = &mut nodes;
    let secret = jm
        .client
        .submit(&seizure(&["TT"], TEXT))
        .await
        .unwrap()
        .id
        .unwrap();
    let open = "to the coordination node itself";
    let shared = jm
        .client
        .submit(&seizure(&["LC"], open))
        .await
        .unwrap()
        .id
        .unwrap();
    until("both are settled", async || {
        jm.settled().await.then_some(())
    })
    .await;
    assert_eq!(tt.remarks(&secret).await, TEXT);

    // Every node has told how it is after all that, and what it told is so.
    let mut rows = Vec::new();
    for node in [&*lc, &*jm, &*tt] {
        let own = node.client.status().await.unwrap();
        let row = until("its newest status has come", async || {
            let rows = lc.client.network().await.unwrap().parties;
            let row = rows.into_iter().find(|r| r.party == own.party).unwrap();
            (row.log_size >= Some(own.log.size)).then_some(row)
        })
        .await;
        assert!(row.linked && row.silent_since.is_none(), "{row:?}");
        assert_eq!(
            (row.backlog, &row.oldest_undelivered),
            (Some(0), &None),
            "{row:?}"
        );
        assert_eq!(row.roster_version, Some(own.roster.version));
        assert_eq!(row.software.as_deref(), Some(&*own.software));
        assert_eq!(row.rtt_ms.is_some(), own.party != "LC", "{row:?}");
        assert!(
            row.rtt_ms.is_none_or(|ms| ms > 0.0 && ms < 10_000.0),
            "{row:?}"
        );
        assert!(row.last_status.is_some());
        rows.push(row.party);
    }
    let seen = lc.client.network().await.unwrap().parties;
    rows.sort();
    assert_eq!(
        seen.iter().map(|r| &r.party).collect::<Vec<_>>(),
        rows.iter().collect::<Vec<_>>()
    );

    // The interface: what is addressed to it and nothing else.
    let inbox: Vec<_> = lc.inbox().await.into_iter().map(|i| i.id).collect();
    assert_eq!(inbox, std::slice::from_ref(&shared));
    let leaves = lc.leaves(None).await;
    assert!(leaves.iter().any(|l| l.notice.as_deref() == Some(&shared)));
    assert!(
        leaves.iter().all(|l| l.notice.as_deref() != Some(&secret)),
        "{leaves:#?}"
    );
    let parties = leaves
        .iter()
        .flat_map(|l| [&l.originator, &l.recipient])
        .flatten();
    assert!(parties.into_iter().all(|p| p != "TT"), "{leaves:#?}");
    lc.run(&["inbox", "show", &secret]).fails(5, &[]);
    lc.run(&["track", &secret]).fails(5, &[]);
    for words in [
        &["network"][..],
        &["network", "--json"],
        &["status", "--json"],
    ] {
        let out = lc.run(words).ok();
        assert!(!out.contains(&secret[..12]), "{words:?}: {out}");
    }
    // Only it is told.
    jm.run(&["network"])
        .fails(3, &["JM is not a coordination party", "ask LC"]);

    // The files, at rest: everything is written.
    for node in [&mut *lc, &mut *jm, &mut *tt] {
        node.stop().await;
    }
    let id = |hex: &str| HEXLOWER.decode(hex.as_bytes()).unwrap();
    let found = files_with(&lc.home, &id(&secret));
    assert!(found.is_empty(), "the id lies in {found:?}");
    for trace in [&secret[..], &secret[..12], TEXT, &TEXT[..11]] {
        let found = files_with(&lc.home, trace.as_bytes());
        assert!(found.is_empty(), "`{trace}` lies in {found:?}");
    }
    // The same search does find what is there: where the two parties have it, and at LC the id
    // of the notice that LC was sent.
    for (node, id_there) in [(&*jm, &secret), (&*tt, &secret), (&*lc, &shared)] {
        assert!(!files_with(&node.home, &id(id_there)).is_empty());
        // Text of notices rests nowhere in the clear, not even with those it is for.
        assert!(files_with(&node.home, &TEXT.as_bytes()[..11]).is_empty());
        assert!(files_with(&node.home, &open.as_bytes()[..11]).is_empty());
    }
    std::fs::write(
        tt.home.join("planted"),
        format!("{}{TEXT}", "x".repeat(5000)),
    )
    .unwrap();
    assert_eq!(files_with(&tt.home, TEXT.as_bytes()).len(), 1);
}
