//! Attacks by their names, on a whole node: what comes again, and what is changed on the way. Which
//! other attacks are shown where, `docs/threat-model.md` says.

use crate::{
    net::{Net, Puppet, code, flash, leaf, leaves, until},
    sticks::{export_as, file_of, frames, import, known},
};
use abeng_api::{Client, CourierExportQuery, InboxQuery};
use abeng_evidence::courier::{Found, Item};
use abeng_keys::{Keyring, SystemEntropy};
use abeng_node::Layout;
use abeng_notice::{CheckContext, Notice};
use abeng_roster::{NoticeFacts, Policy, Tlp, Trust};
use abeng_seal::{BoxCache, SealInput, seal};
use abeng_wire::{
    Incarnation, Mono, Now, StreamSeq, limits,
    v1::{self, control::Frame},
};
use bytes::Bytes;
use std::time::Duration;

fn wall() -> u64 {
    u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}

/// A notice from JM to TT that is delivered until then, which no officer could ask for.
fn short_lived(net: &Net, expires_at: u64) -> Bytes {
    let layout = Layout::new(net.home("JM"));
    let none = || Err::<abeng_keys::Passphrase, _>("none");
    let keyring = Keyring::load(&layout.keys(), none).unwrap();
    let now = wall();
    let root = net.config("JM").root;
    let trust = Trust::from_bundle(&layout.read_trust().unwrap(), Some(root), now).unwrap();
    let mut draft = abeng_notice::samples().remove(0).draft;
    draft.administration = None;
    let context = CheckContext::new(now, code("JM"));
    let notice = Notice::check(draft, &context).unwrap().notice;
    let facts = NoticeFacts {
        ty: notice.ty(),
        tlp: Tlp(notice.tlp().number()),
    };
    let tt = code("TT");
    let input = SealInput {
        trust: &trust,
        cleared: &Policy::clear(&trust, code("JM"), &[tt], &facts, now).unwrap(),
        org_sign: keyring.org_sign().as_ref(),
        store: &keyring.store,
        incarnation: Incarnation(1),
        created_at: now,
        expires_at,
        precedence: v1::Precedence::Flash,
        positions: &[(tt, StreamSeq::FIRST)],
        notice: notice.bytes(),
        attachments: &[],
        boxes: &mut BoxCache::new(),
        now: Now {
            wall: now,
            mono: Mono(1),
        },
    };
    seal(input, &mut SystemEntropy).unwrap().envelope().clone()
}

/// Shows TT an envelope, and the place in TT's log that its answer names.
async fn shown(relay: &mut Puppet, frame: &Bytes) -> u64 {
    relay.to("TT").send(v1::Precedence::Flash, frame.clone());
    let receipts = |frame| match frame {
        Frame::Receipts(receipts) => Some(receipts.receipts),
        _ => None,
    };
    let receipts = relay.control(receipts).await;
    assert_eq!(receipts.len(), 1);
    let leaf: v1::Leaf = abeng_wire::decode("leaf", &receipts[0].leaf, limits::LEAF).unwrap();
    assert_eq!(leaf.kind(), v1::LeafKind::Delivered);
    receipts[0].index
}

async fn delivered_once(at_tt: &Client) {
    assert_eq!(at_tt.inbox(&InboxQuery::default()).await.unwrap().len(), 1);
    for (kind, count) in [
        ("RECEIVED", 1),
        ("DELIVERED", 1),
        ("REFUSED", 0),
        ("EXPIRED", 0),
    ] {
        assert_eq!(leaves(at_tt, kind).await.len(), count, "{kind}");
    }
}

/// A relay keeps what it carried and shows it again: at once, after a restart of the recipient,
/// after one with its view gone, by another carrier, and when the life of the envelope has been over for
/// long. Each time it gets the receipt that was given first, and nothing is delivered a second time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_across_restarts_by_another_carrier_and_after_its_life_changes_nothing() {
    let net = Net::found();
    let mut relay = net.puppet("NL").await;
    let (tt, at_tt) = net.start("TT").await;
    relay.link().await;
    let ends = wall() + 4_000;
    let frame = short_lived(&net, ends);
    let first = shown(&mut relay, &frame).await;
    assert_eq!(shown(&mut relay, &frame).await, first, "at once");
    delivered_once(&at_tt).await;

    tt.shutdown().await.unwrap();
    let (tt, at_tt) = net.start("TT").await;
    relay.link().await;
    assert_eq!(shown(&mut relay, &frame).await, first, "after a restart");
    tt.shutdown().await.unwrap();
    std::fs::remove_dir_all(net.home("TT").join("view")).unwrap();

    // Past its life: to a node that did not know it, it would be the end of its number.
    let left = ends.saturating_sub(wall()) + 100;
    tokio::time::sleep(Duration::from_millis(left)).await;
    let (tt, at_tt) = {
        drop(at_tt);
        net.start("TT").await
    };
    relay.link().await;
    assert_eq!(shown(&mut relay, &frame).await, first, "after its life");
    delivered_once(&at_tt).await;

    // Another carrier, who is no relay at all: a stick that NL's node has never seen.
    let query = CourierExportQuery {
        to: "JM".to_owned(),
        ..Default::default()
    };
    let theirs = export_as(&at_tt, query).await;
    let header = frames(&theirs)
        .into_iter()
        .find_map(|(found, _)| match found {
            Found::Header(header) => Some(*header),
            _ => None,
        });
    let header = v1::CourierHeader {
        from: "JM".into(),
        to: "TT".into(),
        ..header.unwrap()
    };
    let stick = file_of(&header, &[Item::Envelope(frame.clone())]);
    let report = import(&at_tt, &stick).await.unwrap();
    assert_eq!(report.envelopes, known(1), "{report:?}");
    delivered_once(&at_tt).await;
    tt.shutdown().await.unwrap();
    relay.end().await;
}

/// A relay takes the stanza out, changes it, or puts another in its place, so that the recipient
/// refuses what it cannot open: the originator would have its outcome, and the notice be lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_strips_or_damages_a_stanza_makes_no_refusal() {
    let net = Net::found();
    let mut relay = net.puppet("NL").await;
    let (jm, at_jm) = net.start("JM").await;
    let link = relay.link().await;
    let parties = vec!["TT".to_owned()];
    link.control(Frame::Reach(v1::Reach { parties }));
    let id = flash(&at_jm, "TT").await;
    let copy = relay.envelope().await;
    flash(&at_jm, "TT").await;
    let another = relay.envelope().await;
    let read = |frame| abeng_wire::decode::<v1::Envelope>("envelope", frame, usize::MAX).unwrap();
    let (good, another) = (read(&copy), read(&another));

    let (tt, at_tt) = net.start("TT").await;
    until("that TT is there", async || relay.has("TT").then_some(())).await;
    let with = |stanza: Bytes| v1::Envelope {
        stanzas: vec![stanza],
        ..good.clone()
    };
    let flipped = |at: usize| {
        let mut bytes = good.stanzas[0].to_vec();
        bytes[at] ^= 1;
        with(bytes.into())
    };
    let bad = [
        ("stripped", with(Bytes::new())),
        ("of zeros", with(vec![0; limits::STANZA].into())),
        ("BOX damaged", flipped(7)),
        ("SLOT damaged", flipped(limits::STANZA - 1)),
        ("of another envelope", with(another.stanzas[0].clone())),
        (
            "one too many",
            v1::Envelope {
                stanzas: vec![good.stanzas[0].clone(), Bytes::new()],
                ..good.clone()
            },
        ),
        (
            "BODY of another envelope",
            v1::Envelope {
                body: another.body.clone(),
                ..good.clone()
            },
        ),
        (
            "SIG of another envelope",
            v1::Envelope {
                sig: another.sig.clone(),
                ..good.clone()
            },
        ),
    ];
    for (what, envelope) in bad {
        relay
            .to("TT")
            .send(v1::Precedence::Flash, abeng_wire::encode(&envelope));
        let fault = relay.control(|frame| match frame {
            Frame::Fault(fault) => Some(fault.kind()),
            Frame::Receipts(_) => panic!("{what}: an outcome"),
            _ => None,
        });
        assert_eq!(fault.await, v1::FaultKind::FaultDamaged, "{what}");
    }
    for kind in ["RECEIVED", "REFUSED", "EXPIRED", "DELIVERED"] {
        assert!(leaves(&at_tt, kind).await.is_empty(), "{kind}");
    }
    assert_eq!(at_jm.status().await.unwrap().queue.depth, 2, "it waits on");

    // The same, as it was signed, is delivered.
    shown(&mut relay, &copy).await;
    assert_eq!(
        leaf(&at_tt, "DELIVERED").await.notice.as_deref(),
        Some(&id[..])
    );
    drop(link);
    relay.end().await;
    // And an honest relay brings the proof home.
    let (nl, _) = net.start("NL").await;
    until("both outcomes", async || {
        let left = at_jm.status().await.unwrap().queue.depth;
        (left == 0).then_some(())
    })
    .await;
    for node in [jm, tt, nl] {
        node.shutdown().await.unwrap();
    }
}
