//! A party goes over to another signing key, and the one before is revoked: what it signed is worth
//! nothing any more, its seal keys among it.

use crate::{
    ceremony::*,
    linked,
    net::{Net, PATIENCE, found, now},
    until_roster, warns,
};
use abeng_api::{ClientError, ErrorCode};
use abeng_keys::{Keyring, Protection, Role, Signer as _, SystemEntropy};
use abeng_node::Node;
use abeng_wire::{Kid, v1};
use std::time::Duration;

/// The key to which a node seals for TT.
fn sealed_to(node: &Node) -> Option<Kid> {
    let trust = node.shared().trust();
    trust.seal_key(code("TT"), now()).map(|key| key.kid())
}

/// The signing key of the newest seal key of TT that a node holds.
fn signer(node: &Node) -> Option<Kid> {
    let trust = node.shared().trust();
    let mut of_tt = trust.seal_keys.held().filter(|(p, ..)| *p == code("TT"));
    let (_, _, signed) = of_tt.next()?;
    Kid::from_slice(&signed.signatures[0].kid)
}

async fn until_signed_by(node: &Node, keyring: &Keyring) {
    let kid = keyring.org_sign().verify_key().kid();
    let deadline = std::time::Instant::now() + PATIENCE;
    while signer(node) != Some(kid) {
        assert!(
            std::time::Instant::now() < deadline,
            "it is not signed anew"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

struct Change {
    net: Net,
    old: Keyring,
    new: Keyring,
    /// Lists both signing keys of TT.
    second: v1::TrustBundle,
    /// Revokes the old one.
    third: v1::TrustBundle,
}

fn change() -> Change {
    let net = found(&["JM", "TT"]);
    let old = keyring(&net.home("TT"));
    let new = old.renewed(&[Role::OrgSign], &mut SystemEntropy);
    let first = bundle(&net.home("JM"));
    let roster = after(&net.dir, &first, |m| {
        let org = &**new.org_sign();
        edit_party(m, &old, &[org], |p| {
            p.keys.push(key(v1::KeyRole::OrgSign, org, now()));
        });
    });
    let second = with(&first, roster);
    let roster = after(&net.dir, &second, |m| revoke(m, &**old.org_sign(), now()));
    let third = with(&second, roster);
    Change {
        net,
        old,
        new,
        second,
        third,
    }
}

impl Change {
    async fn import(&self, bundle: &v1::TrustBundle, version: u64) {
        let jm = self.net.client("JM");
        assert!(jm.roster_import(file(bundle)).await.unwrap().newer);
        until_roster(&self.net, "TT", version).await;
    }

    /// TT goes over to the new keyring.
    async fn go_over(&self, tt: Node) -> Node {
        tt.shutdown().await.unwrap();
        let keys = self.net.home("TT").join("keys");
        self.new.save(&keys, &Protection::InsecurePlain).unwrap();
        self.net.start("TT").await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_over_to_another_signing_key_is_reached_when_the_old_one_is_revoked() {
    let c = change();
    let (jm, tt) = (c.net.start("JM").await, c.net.start("TT").await);
    c.net.until("JM", "link", |s| linked(s, "TT")).await;
    let first = sealed_to(&jm).unwrap();
    c.import(&c.second, 2).await;
    let tt = c.go_over(tt).await;
    until_signed_by(&jm, &c.new).await;
    assert_eq!(sealed_to(&jm), Some(first), "the same key, signed anew");
    c.import(&c.third, 3).await;
    assert_eq!(sealed_to(&jm), Some(first));
    let sequences = |node: &Node| {
        let trust = node.shared().trust();
        let of_tt = trust.seal_keys.held().filter(|(p, ..)| *p == code("TT"));
        of_tt.map(|(_, n, _)| n).collect::<Vec<_>>()
    };
    assert_eq!(sequences(&jm), sequences(&tt));
    assert_eq!(sequences(&jm).len(), 1, "what the old one signed is gone");
    // Its log was opened with the old one, and is open.
    tt.shutdown().await.unwrap();
    let tt = c.net.start("TT").await;
    assert_eq!(sealed_to(&tt), Some(first));
    jm.shutdown().await.unwrap();
    tt.shutdown().await.unwrap();
    c.net.verify("TT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_signs_with_a_revoked_key_gives_out_nothing_until_it_goes_over() {
    let c = change();
    let (jm, tt) = (c.net.start("JM").await, c.net.start("TT").await);
    c.net.until("JM", "link", |s| linked(s, "TT")).await;
    let first = sealed_to(&jm);
    c.import(&c.second, 2).await;
    assert_eq!(signer(&jm), Some(c.old.org_sign().verify_key().kid()));
    c.import(&c.third, 3).await;
    assert_eq!((sealed_to(&jm), sealed_to(&tt)), (None, None));
    let status = c.net.client("TT").status().await.unwrap();
    assert!(warns(&status, "nobody can send to this administration"));
    assert!(warns(&status, "org-sign key of this node is revoked"));
    match c.net.client("TT").rotate_seal_key().await {
        Err(ClientError::Api(e)) => assert_eq!(e.code, ErrorCode::Conflict),
        other => panic!("{other:?}"),
    }
    let idle = abeng_node::Turn::Idle;
    assert_eq!(tt.shared().turn_seal_keys().await.unwrap(), idle);
    let tt = c.go_over(tt).await;
    until_signed_by(&jm, &c.new).await;
    assert_eq!(sealed_to(&jm), first);
    let status = c.net.client("TT").status().await.unwrap();
    assert!(!warns(&status, "nobody can send"), "{:?}", status.warnings);
    jm.shutdown().await.unwrap();
    tt.shutdown().await.unwrap();
}
