//! What a relay carries goes on by stick where no link reaches its recipient, and the proof comes back
//! the same way.

use crate::{
    net::{Net, flash, leaf, leaves},
    sticks::{export, frames, import, known, taken},
};
use abeng_api::{CourierTally, DeliveryState, InboxQuery};
use abeng_evidence::courier::{Found, Item};
use abeng_seal::Arrived;

fn envelopes(file: &[u8]) -> Vec<Arrived> {
    let envelope = |(found, _)| match found {
        Found::Item(Item::Envelope(envelope)) => Some(Arrived::parse(&envelope).unwrap()),
        _ => None,
    };
    frames(file).into_iter().filter_map(envelope).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_carried_goes_by_stick_and_its_receipt_comes_back_over_the_relay() {
    let net = Net::found();
    let (nl, at_nl) = net.start("NL").await;
    let mut silent = net.puppet("TT").await;
    let (jm, at_jm) = net.start("JM").await;
    let id = flash(&at_jm, "TT").await;
    leaf(&at_nl, "RELAYED").await;
    let over_the_link = silent.envelope().await;
    silent.end().await;
    jm.shutdown().await.unwrap();
    let to_tt = export(&at_nl, "TT").await;
    assert!(envelopes(&export(&at_nl, "JM").await).is_empty());
    let carried = envelopes(&to_tt);
    assert_eq!(carried.len(), 1);
    assert_eq!(carried[0].id().to_string(), id);
    let mut items = frames(&to_tt).into_iter();
    let same = items.any(|(found, _)| found == Found::Item(Item::Envelope(over_the_link.clone())));
    assert!(same, "byte for byte, with the one stanza");
    nl.shutdown().await.unwrap();

    // TT has no link at all.
    let (tt, at_tt) = net.start("TT").await;
    let report = import(&at_tt, &to_tt).await.unwrap();
    assert_eq!((report.from.as_str(), report.envelopes), ("NL", taken(1)));
    assert_eq!(report.troubles, []);
    let inbox = at_tt.inbox(&InboxQuery::default()).await.unwrap();
    assert_eq!((inbox.len(), &inbox[0].id), (1, &id));
    assert_eq!(import(&at_tt, &to_tt).await.unwrap().envelopes, known(1));
    let (to_nl, to_jm) = (export(&at_tt, "NL").await, export(&at_tt, "JM").await);
    tt.shutdown().await.unwrap();

    let (nl, at_nl) = net.start("NL").await;
    let report = import(&at_nl, &to_nl).await.unwrap();
    assert_eq!(report.receipts, taken(1), "{report:?}");
    assert_eq!(leaves(&at_nl, "RECEIPT_TAKEN").await.len(), 1);
    assert!(at_nl.relays().await.unwrap().carried.is_empty());
    assert_eq!(import(&at_nl, &to_nl).await.unwrap().receipts, known(1));
    assert!(envelopes(&export(&at_nl, "TT").await).is_empty());
    let around = export(&at_nl, "JM").await;
    nl.shutdown().await.unwrap();

    // The originator believes it on TT's word, whoever brings it: first from the relay's file.
    let (jm, at_jm) = net.start("JM").await;
    assert_eq!(at_jm.status().await.unwrap().queue.depth, 1);
    let report = import(&at_jm, &around).await.unwrap();
    let relayed = report.receipts;
    assert_eq!((relayed.taken, relayed.refused), (1, 0), "{report:?}");
    assert_eq!(report.troubles, [], "{report:?}");
    let track = at_jm.track(&id, "en").await.unwrap().recipients.remove(0);
    assert_eq!(track.state, DeliveryState::Delivered);
    assert!(track.steps.iter().all(|step| step.checked), "{track:#?}");
    assert_eq!(at_jm.status().await.unwrap().queue.depth, 0);
    let CourierTally { taken, known, .. } = import(&at_jm, &to_jm).await.unwrap().receipts;
    assert_eq!((taken, known), (0, 1));
    jm.shutdown().await.unwrap();
}
