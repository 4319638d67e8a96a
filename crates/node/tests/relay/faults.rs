//! Relays and parties that cheat: never an outcome, and nothing lost.

use crate::net::{Net, delivered, flash, leaf, leaves, until};
use abeng_api::Client;
use abeng_audit_log::Checkpoint;
use abeng_keys::Keyring;
use abeng_node::{Layout, Node};
use abeng_wire::{
    LeafHash,
    v1::{self, control::Frame},
};
use bytes::Bytes;

fn rejected(node: &Node) -> u64 {
    node.shared().metrics.receipts_rejected.get()
}

/// A receipt that says TT delivered it, in a log that only NL has signed.
fn forged(net: &Net, id: &str, signer: &str) -> v1::Receipt {
    let none = || Err::<abeng_keys::Passphrase, _>("none");
    let keyring = Keyring::load(&Layout::new(net.home(signer)).keys(), none).unwrap();
    let leaf = v1::Leaf {
        version: 1,
        kind: v1::LeafKind::Delivered.into(),
        actor: "TT".to_owned(),
        incarnation: 1 << 20,
        time: 1,
        envelope_id: data_encoding::HEXLOWER
            .decode(id.as_bytes())
            .unwrap()
            .into(),
        originator: "JM".to_owned(),
        recipient: "TT".to_owned(),
        seq_commit: Bytes::from_static(&[7; 32]),
        ..v1::Leaf::default()
    };
    let leaf = abeng_wire::encode(&leaf);
    let root: LeafHash = abeng_audit_log::merkle::leaf_hash(&leaf);
    let origin = "abeng/test/TT/0000000000100000";
    let checkpoint = Checkpoint::sign(origin, 1, root, keyring.log().as_ref()).unwrap();
    v1::Receipt {
        leaf,
        index: 0,
        checkpoint: checkpoint.note().clone(),
        ..v1::Receipt::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_cheats_ends_nothing_and_an_honest_one_brings_it() {
    let net = Net::found();
    let mut cheat = net.puppet("NL").await;
    let (jm, at_jm) = net.start("JM").await;
    let link = cheat.link().await;
    let parties = vec![
        "TT".to_owned(),
        "NOBODY".to_owned(),
        "not a code".to_owned(),
    ];
    link.control(Frame::Reach(v1::Reach { parties }));
    let id = flash(&at_jm, "TT").await;
    let copy = cheat.envelope().await;
    assert_eq!(at_jm.relays().await.unwrap().relays[0].copies, 1);

    // Its own word for the recipient's, the recipient's word on a wrong leaf, and too many.
    let say = |receipts| link.control(Frame::CarriedReceipts(v1::CarriedReceipts { receipts }));
    say(vec![forged(&net, &id, "NL")]);
    say(vec![forged(&net, &id, "TT")]);
    say(vec![v1::Receipt::default()]);
    let refused = async || (rejected(&jm) >= 3).then_some(());
    until("that forged receipts are refused", refused).await;
    say(vec![forged(&net, &id, "TT"); 65]);
    link.control(Frame::Fault(v1::Fault {
        envelope_id: data_encoding::HEXLOWER
            .decode(id.as_bytes())
            .unwrap()
            .into(),
        kind: v1::FaultKind::FaultDamaged.into(),
        recipient: "TT".to_owned(),
    }));
    until("the strike", async || {
        let relays = at_jm.relays().await.unwrap().relays;
        (relays[0].strikes == 1 && relays[0].copies == 0).then_some(())
    })
    .await;
    assert_eq!(rejected(&jm), 3, "a frame with too many is not looked at");
    assert!(leaves(&at_jm, "RECEIPT_TAKEN").await.is_empty());
    assert_eq!(at_jm.status().await.unwrap().queue.depth, 1);
    drop(link);
    cheat.end().await;
    jm.shutdown().await.unwrap();

    parties_that_cheat(&net, copy).await;

    // What counted against NL is forgotten with the process, and an honest NL brings it.
    let (nl, at_nl) = net.start("NL").await;
    let (tt, _) = net.start("TT").await;
    let (jm, at_jm) = net.start("JM").await;
    delivered(&at_jm, &id).await;
    assert_eq!(leaves(&at_nl, "RELAYED").await.len(), 1, "carried once");
    for node in [jm, tt, nl] {
        node.shutdown().await.unwrap();
    }
}

/// JM and TT at an honest relay: damaged, stripped, not its own, and the same again.
async fn parties_that_cheat(net: &Net, copy: Bytes) {
    let (nl, at_nl) = net.start("NL").await;
    let mut tt = net.puppet("TT").await;
    let tt_link = tt.link().await;
    tt_link.send(v1::Precedence::Flash, copy.clone());
    assert_eq!(
        dropped(&mut tt).await,
        ("DAMAGED".to_owned(), "TT".to_owned())
    );

    let mut jm = net.puppet("JM").await;
    let jm_link = jm.link().await;
    let envelope: v1::Envelope = abeng_wire::decode("envelope", &copy, usize::MAX).unwrap();
    let mut body = envelope.body.to_vec();
    *body.last_mut().unwrap() ^= 1;
    let damaged = v1::Envelope {
        body: body.into(),
        ..envelope.clone()
    };
    let stripped = v1::Envelope {
        stanzas: vec![Bytes::new()],
        ..envelope
    };
    for (bad, about) in [(damaged, "TT"), (stripped, "")] {
        jm_link.send(v1::Precedence::Flash, abeng_wire::encode(&bad));
        let fault = ("DAMAGED".to_owned(), about.to_owned());
        assert_eq!(dropped(&mut jm).await, fault);
    }
    assert!(leaves(&at_nl, "RELAYED").await.is_empty());

    // Twice: carried once, and both times the same receipt.
    for _ in 0..2 {
        jm_link.send(v1::Precedence::Flash, copy.clone());
        let relayed = leaf_of(&at_nl, &mut jm).await;
        assert_eq!(relayed.kind(), v1::LeafKind::Relayed);
        assert_eq!((&relayed.actor[..], &relayed.recipient[..]), ("NL", "TT"));
    }
    assert_eq!(tt.envelope().await, copy, "byte for byte");
    // A party without the flag says nothing of others.
    let parties = vec!["TT".to_owned()];
    jm_link.control(Frame::Reach(v1::Reach { parties }));
    let forged = vec![forged(net, &"00".repeat(32), "TT")];
    jm_link.control(Frame::CarriedReceipts(v1::CarriedReceipts {
        receipts: forged,
    }));
    jm_link.send(v1::Precedence::Flash, copy);
    leaf_of(&at_nl, &mut jm).await;
    let relays = at_nl.relays().await.unwrap();
    assert!(relays.own_flag && relays.relays.is_empty(), "{relays:?}");
    assert_eq!(
        (
            relays.carried[0].originator.as_str(),
            relays.carried[0].count
        ),
        ("JM", 1)
    );
    assert_eq!(rejected(&nl), 0);
    assert_eq!(leaves(&at_nl, "RELAYED").await.len(), 1);
    jm.end().await;
    tt.end().await;
    nl.shutdown().await.unwrap();
}

async fn leaf_of(at_nl: &Client, party: &mut crate::net::Puppet) -> v1::Leaf {
    let index = leaf(at_nl, "RELAYED").await.index;
    let receipts = |frame| match frame {
        Frame::Receipts(receipts) => Some(receipts.receipts),
        _ => None,
    };
    let receipts = party.control(receipts).await;
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0].index, index);
    abeng_wire::decode("leaf", &receipts[0].leaf, usize::MAX).unwrap()
}

/// The kind of the next fault and for whom the copy was.
async fn dropped(party: &mut crate::net::Puppet) -> (String, String) {
    let fault = |frame| match frame {
        Frame::Fault(fault) => Some(fault),
        _ => None,
    };
    let fault = party.control(fault).await;
    let kind = fault.kind().as_str_name().trim_start_matches("FAULT_");
    (kind.to_owned(), fault.recipient)
}
