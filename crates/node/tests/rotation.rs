//! Seal keys of a running node: made, backed up, published, used, and destroyed when nothing needs them.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "common/ceremony.rs"]
mod ceremony;
mod common;

use abeng_api::{
    AuditQuery, Caller, Client, ClientError, DeliveryState, DenyRequest, DestroyKeyRequest,
    DrillMark, ErrorCode, EventQuery, GrantRequest, InboxQuery, RecallRequest, SubmitRequest,
};
use abeng_keys::{Passphrase, Protection, SealPublic};
use abeng_node::{
    BackupError, Config, Node, PlainKeys, Source, Turn,
    keys::{KeysError, keep_backup},
    lacking_keys,
};
use abeng_wire::{Kid, Millis, PartyCode};
use common::{found, found_with, start};
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

fn now() -> Millis {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_millis() as u64
}

/// The key to which a node seals for JM.
fn sealed_to(node: &Node) -> Kid {
    let jm = PartyCode::new("JM").unwrap();
    let trust = node.shared().trust();
    trust.seal_key(jm, now()).map(SealPublic::kid).unwrap()
}

async fn until(what: &str, mut held: impl FnMut() -> bool) {
    let end = tokio::time::Instant::now() + Duration::from_secs(30);
    while !held() {
        assert!(tokio::time::Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A notice from LC to JM, once it is delivered there.
async fn send(lc: &Client, nth: u64) -> String {
    let draft = abeng_notice::samples().remove(0).draft;
    let mut notice = serde_json::to_value(draft).unwrap();
    notice["administration"] = "LC".into();
    let request = SubmitRequest {
        to: vec!["JM".to_owned()],
        notice,
        ..Default::default()
    };
    let id = lc.submit(&request).await.unwrap().id.unwrap();
    let wait = EventQuery {
        after: Some(0),
        timeout_ms: Some(30_000),
        limit: None,
    };
    loop {
        let settled = lc.wait_settled(&wait).await.unwrap();
        if let Some(ended) = settled.iter().find(|s| s.id == id) {
            assert_eq!(ended.kind, "DELIVERED", "notice {nth}");
            return id;
        }
    }
}

fn back_up(jm: &Path, out: &Path) {
    try_back_up(jm, out).unwrap();
}

fn try_back_up(jm: &Path, out: &Path) -> Result<(), KeysError> {
    let file = jm.join("node.toml");
    let config = Config::load(&file).unwrap();
    let nobody = || Err("nobody to ask".to_owned());
    keep_backup(&config, &file, out, PlainKeys::Include, nobody).map(drop)
}

/// Says of every key but these that others can have sealed to it only long ago.
fn let_end(jm: &Path, but: &[Kid]) {
    let path = jm.join("keys/seal-ends.json");
    let mut ends: BTreeMap<String, Millis> =
        serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (kid, end) in &mut ends {
        if !but.iter().any(|b| b.to_string() == *kid) {
            *end = 1;
        }
    }
    fs::write(&path, serde_json::to_vec(&ends).unwrap()).unwrap();
}

async fn destroy(jm: &Client, kid: &Kid, anyway: bool) -> Result<(), ErrorCode> {
    let request = DestroyKeyRequest {
        kid: kid.to_string()[..16].to_owned(),
        anyway,
    };
    match jm.destroy_seal_key(&request).await {
        Ok(_) => Ok(()),
        Err(ClientError::Api(e)) => Err(e.code),
        Err(e) => panic!("{e}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seal_key_is_published_when_it_is_backed_up_and_goes_when_nothing_needs_it() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let (home, out) = (dir.join("jm"), temp.path().join("kept"));
    let (jm, lc) = (start(&home).await, start(&dir.join("lc")).await);
    let at = |code: &str| Client::unix(dir.join(code).join("abeng.sock"));
    let first = sealed_to(&lc);
    let old = send(&at("lc"), 1).await;
    assert_eq!(jm.shared().turn_seal_keys().await.unwrap(), Turn::Idle);

    // Made, and not published: no backup holds it.
    let made = at("jm").rotate_seal_key().await.unwrap();
    assert!(!made.published && made.waits.is_some(), "{made:?}");
    let second = Kid::from_hex(&made.kid).unwrap();
    assert_eq!(
        at("jm").rotate_seal_key().await.unwrap().kid,
        made.kid,
        "no second one"
    );
    let waits = Turn::Waits(second);
    assert_eq!(jm.shared().turn_seal_keys().await.unwrap(), waits);
    assert_eq!(sealed_to(&jm), first);
    let warned = at("jm").status().await.unwrap().warnings;
    assert!(
        warned.iter().any(|w| w.contains("waits for a backup")),
        "{warned:?}"
    );
    let drill = at("jm").drill().await.unwrap();
    let backup = drill.items.iter().find(|i| i.name == "backup").unwrap();
    assert!(
        backup.mark == DrillMark::Fail && backup.found.contains("seal key waits"),
        "{backup:?}"
    );
    assert_eq!(
        destroy(&at("jm"), &second, true).await,
        Err(ErrorCode::Forbidden)
    );

    back_up(&home, &out);
    let published = Turn::Published(second);
    assert_eq!(jm.shared().turn_seal_keys().await.unwrap(), published);
    assert_eq!(jm.shared().turn_seal_keys().await.unwrap(), Turn::Idle);
    until("LC hears of it", || sealed_to(&lc) == second).await;
    // What comes is sealed to the new one; what came before opens as it did.
    let new = send(&at("lc"), 2).await;
    for id in [&old, &new] {
        at("jm").inbox_show(id, "en").await.unwrap();
    }
    assert_eq!(
        destroy(&at("jm"), &second, true).await,
        Err(ErrorCode::Forbidden)
    );
    assert_eq!(
        destroy(&at("jm"), &first, false).await,
        Err(ErrorCode::Conflict)
    );
    let unknown = Kid([7; 32]);
    assert_eq!(
        destroy(&at("jm"), &unknown, true).await,
        Err(ErrorCode::NotFound)
    );

    // Two more, so that statements of the first two are forgotten; then their time is over.
    let mut last = second;
    let mut third = second;
    for _ in 0..2 {
        let made = at("jm").rotate_seal_key().await.unwrap();
        assert!(!made.published, "its keyring is not in the backup");
        back_up(&home, &out);
        assert!(at("jm").rotate_seal_key().await.unwrap().published);
        (third, last) = (last, Kid::from_hex(&made.kid).unwrap());
    }
    assert_eq!(sealed_to(&jm), last);
    until("LC hears of it", || sealed_to(&lc) == last).await;
    let_end(&home, &[third, last]);
    // Both still open something.
    assert_eq!(jm.shared().turn_seal_keys().await.unwrap(), Turn::Idle);
    assert_eq!(
        destroy(&at("jm"), &first, false).await,
        Err(ErrorCode::Conflict)
    );
    assert_eq!(destroy(&at("jm"), &second, true).await, Ok(()));
    assert!(at("jm").inbox_show(&new, "en").await.is_err());
    at("jm").inbox_show(&old, "en").await.unwrap();

    let query = AuditQuery {
        kind: Some("ADMIN".to_owned()),
        ..AuditQuery::default()
    };
    let leaves = at("jm").audit_show(&query).await.unwrap().leaves;
    assert_eq!(
        leaves.len(),
        4,
        "three published, one destroyed: {leaves:?}"
    );
    jm.shutdown().await.unwrap();

    // It is gone from the disk as well, and the others are not.
    let jm = start(&home).await;
    let held = jm.shared().keyring.seal.all();
    let held: Vec<Kid> = held.iter().map(|key| key.kid()).collect();
    assert_eq!(held, [first, third, last]);
    let listed = at("jm").inbox(&InboxQuery::default()).await.unwrap();
    assert_eq!(listed.len(), 2);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_key_that_opens_nothing_goes_by_itself() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let (home, out) = (dir.join("jm"), temp.path().join("kept"));
    let jm = start(&home).await;
    let client = Client::unix(home.join("abeng.sock"));
    let first = sealed_to(&jm);
    for _ in 0..2 {
        client.rotate_seal_key().await.unwrap();
        back_up(&home, &out);
        assert!(client.rotate_seal_key().await.unwrap().published);
    }
    assert_eq!(jm.shared().turn_seal_keys().await.unwrap(), Turn::Idle);
    let_end(&home, &[sealed_to(&jm)]);
    let gone = Turn::Destroyed(first);
    assert_eq!(jm.shared().turn_seal_keys().await.unwrap(), gone);
    assert!(jm.shared().keyring.seal.get(&first).is_none());
    jm.shutdown().await.unwrap();
}

/// How many leaves say that a key was made known or destroyed.
async fn admin_leaves(client: &Client) -> usize {
    let query = AuditQuery {
        kind: Some("ADMIN".to_owned()),
        ..AuditQuery::default()
    };
    client.audit_show(&query).await.unwrap().leaves.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_leaf_says_that_a_key_is_destroyed_before_it_is_and_what_is_cut_short_ends() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let (home, out) = (dir.join("jm"), temp.path().join("kept"));
    let jm = start(&home).await;
    let client = Client::unix(home.join("abeng.sock"));
    let first = sealed_to(&jm);
    let mut made = Vec::new();
    for _ in 0..2 {
        client.rotate_seal_key().await.unwrap();
        back_up(&home, &out);
        assert!(client.rotate_seal_key().await.unwrap().published);
        made.push(sealed_to(&jm));
    }
    let leaves = admin_leaves(&client).await;
    // The keyring cannot be written.
    let ring = home.join("keys/keyring.plain.toml");
    let full = fs::read_to_string(&ring).unwrap();
    let blocked = home.join("keys/keyring.plain.new");
    fs::create_dir(&blocked).unwrap();
    let failed = destroy(&client, &first, true).await;
    assert_eq!(failed, Err(ErrorCode::Internal));
    assert_eq!(admin_leaves(&client).await, leaves, "nothing is destroyed");
    assert!(jm.shared().keyring.seal.get(&first).is_some());
    let told = "to be destroyed, and not yet gone";
    let warns = |warned: &[String]| warned.iter().any(|w| w.contains(told));
    assert!(warns(&client.status().await.unwrap().warnings));
    assert_eq!(jm.shared().turn_seal_keys().await.unwrap(), Turn::Idle);
    assert_eq!(admin_leaves(&client).await, leaves);

    // It is killed there, and comes again when the keyring can be written.
    jm.shutdown().await.unwrap();
    fs::remove_dir(&blocked).unwrap();
    let mut old = fs::File::open(&ring).unwrap();
    let jm = start(&home).await;
    until("the key goes", || {
        jm.shared().keyring.seal.get(&first).is_none()
    })
    .await;
    let end = tokio::time::Instant::now() + Duration::from_secs(30);
    while warns(&client.status().await.unwrap().warnings) {
        assert!(tokio::time::Instant::now() < end, "it is not said");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(admin_leaves(&client).await, leaves + 1);
    let now = fs::read_to_string(&ring).unwrap();
    assert_eq!(now.lines().count() + 1, full.lines().count());
    let mut left = Vec::new();
    std::io::Read::read_to_end(&mut old, &mut left).unwrap();
    assert_eq!(left, vec![0; full.len()], "nor does it lie on the disk");

    // Cut short when the keyring was written and the log was not.
    let noted = home.join("keys/seal-going.json");
    fs::write(&noted, format!("[\"{first}\"]")).unwrap();
    let gone = Turn::Destroyed(first);
    assert_eq!(jm.shared().turn_seal_keys().await.unwrap(), gone);
    assert_eq!(admin_leaves(&client).await, leaves + 2);
    assert_eq!(jm.shared().turn_seal_keys().await.unwrap(), Turn::Idle);
    jm.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_nodes_own_copy_is_written_anew_until_it_holds_no_destroyed_key() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    let secret = temp.path().join("passphrase");
    fs::write(&secret, "a passphrase\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let passphrase = Passphrase::new("a passphrase".to_owned());
    found_with(&dir, Protection::Passphrase(passphrase), Some(secret));
    let home = dir.join("jm");
    let copies = temp.path().join("copies");
    let file = home.join("node.toml");
    let text = fs::read_to_string(&file).unwrap();
    let own = format!("[keys]\nbackup_dir = {copies:?}");
    fs::write(&file, text.replace("[keys]", &own)).unwrap();
    let jm = start(&home).await;
    let client = Client::unix(home.join("abeng.sock"));
    let first = sealed_to(&jm);
    for _ in 0..2 {
        assert!(client.rotate_seal_key().await.unwrap().published);
    }
    let (ring, copy) = (home.join("keys").join(KEYRING), copies.join(KEYRING));
    assert_eq!(fs::read(&copy).unwrap(), fs::read(&ring).unwrap());
    let blocked = copies.join("keyring.new");
    fs::create_dir(&blocked).unwrap();
    destroy(&client, &first, true).await.unwrap();
    assert_ne!(fs::read(&copy).unwrap(), fs::read(&ring).unwrap());
    let told = "may hold seal keys that are destroyed";
    let warns = |warned: &[String]| warned.iter().any(|w| w.contains(told));
    assert!(warns(&client.status().await.unwrap().warnings));
    // Another backup does not make that copy a good one.
    back_up(&home, &temp.path().join("kept"));
    assert_eq!(jm.shared().turn_seal_keys().await.unwrap(), Turn::Idle);
    assert!(warns(&client.status().await.unwrap().warnings));
    fs::remove_dir(&blocked).unwrap();
    assert_eq!(jm.shared().turn_seal_keys().await.unwrap(), Turn::Idle);
    assert_eq!(fs::read(&copy).unwrap(), fs::read(&ring).unwrap());
    assert!(!warns(&client.status().await.unwrap().warnings));
    jm.shutdown().await.unwrap();
}

const KEYRING: &str = "keyring.age";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_copy_is_written_over_that_holds_a_key_which_the_keyring_lacks() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    let secret = temp.path().join("passphrase");
    fs::write(&secret, "a passphrase\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let passphrase = Passphrase::new("a passphrase".to_owned());
    found_with(&dir, Protection::Passphrase(passphrase), Some(secret));
    let home = dir.join("jm");
    let copies = temp.path().join("copies");
    let (kept, whole) = (temp.path().join("kept"), temp.path().join("whole"));
    let file = home.join("node.toml");
    let own = format!("[keys]\nbackup_dir = {copies:?}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("[keys]"));
    fs::write(&file, text.replace("[keys]", &own)).unwrap();
    let (own, there) = (home.join("keys").join(KEYRING), copies.join(KEYRING));
    let old = temp.path().join("old");
    fs::create_dir(&old).unwrap();
    fs::copy(&own, old.join(KEYRING)).unwrap();
    let config = Config::load(&file).unwrap();
    let back_up_whole = || {
        let none = |_| panic!("no node runs");
        abeng_node::back_up(&config, &file, &whole, PlainKeys::Include, none)
    };

    let client = Client::unix(home.join("abeng.sock"));
    let jm = start(&home).await;
    let first = sealed_to(&jm);
    let made = client.rotate_seal_key().await.unwrap();
    assert!(made.published, "the node keeps its own copy");
    back_up(&home, &kept);
    jm.shutdown().await.unwrap();
    back_up_whole().unwrap();
    let second = Kid::from_hex(&made.kid).unwrap();
    let newer = fs::read(&own).unwrap();
    assert!(fs::read(&there).unwrap() == newer);

    // The keyring of before is put back.
    fs::copy(old.join(KEYRING), &own).unwrap();
    let source = Source::Keys {
        keys: old.clone(),
        trust: home.join("trust/bundle.pb"),
        config: file.clone(),
    };
    let lacking = lacking_keys(&source, &temp.path().join("new")).unwrap();
    assert_eq!(lacking.keys.len(), 1, "{lacking:?}");
    assert_eq!(lacking.newer.len(), 1, "{lacking:?}");
    assert_eq!(lacking.newer[0].dir, copies);
    assert_eq!(lacking.newer[0].keys, [second]);
    let refused = back_up_whole().unwrap_err();
    assert!(
        matches!(&refused, BackupError::Keys(e) if matches!(**e, KeysError::Newer { .. })),
        "{refused}"
    );
    assert!(fs::read(whole.join("keys").join(KEYRING)).unwrap() == newer);

    let jm = start(&home).await;
    until("a newer key is published", || {
        ![first, second].contains(&sealed_to(&jm))
    })
    .await;
    let third = sealed_to(&jm);
    assert!(fs::read(&there).unwrap() == newer, "it was written over");
    let beside = copies.join(format!("keyring-{:.8}", third.to_string()));
    assert!(fs::read(beside.join(KEYRING)).unwrap() == fs::read(&own).unwrap());
    let warned = client.status().await.unwrap().warnings;
    let stays = |warned: &[String]| warned.iter().any(|w| w.contains("was not written over"));
    assert!(stays(&warned), "{warned:?}");
    let digits = format!("{:.12}", second.to_string());
    assert!(warned.iter().any(|w| w.contains(&digits)), "{warned:?}");
    assert!(
        !warned.iter().any(|w| w.contains("lacks a seal key")),
        "others seal to the newer one: {warned:?}"
    );

    // By hand neither.
    let refused = try_back_up(&home, &kept).unwrap_err();
    assert!(
        matches!(&refused, KeysError::Newer { kids, .. } if *kids == [second]),
        "{refused}"
    );
    assert!(refused.to_string().contains(&digits), "{refused}");
    assert!(fs::read(kept.join("keys").join(KEYRING)).unwrap() == newer);
    fs::write(kept.join("keys").join(KEYRING), "party = ").unwrap();
    let refused = try_back_up(&home, &kept).unwrap_err();
    assert!(matches!(refused, KeysError::Closed { .. }), "{refused}");
    let fresh = temp.path().join("fresh");
    fs::create_dir_all(fresh.join("keys")).unwrap();
    fs::copy(old.join(KEYRING), fresh.join("keys").join(KEYRING)).unwrap();

    // Once the newer one is in a safe place, the node's own takes its place.
    fs::rename(&there, temp.path().join("safe.toml")).unwrap();
    assert_eq!(jm.shared().turn_seal_keys().await.unwrap(), Turn::Idle);
    assert!(fs::read(&there).unwrap() == fs::read(&own).unwrap());
    let warned = client.status().await.unwrap().warnings;
    assert!(!stays(&warned), "{warned:?}");
    back_up(&home, &fresh);
    jm.shutdown().await.unwrap();
}

/// What JM does while nobody can tell LC: its key is replaced, and the old one is gone for good.
async fn lose_key(home: &Path, out: &Path, jm: &Client, first: &Kid) {
    let mut made = Vec::new();
    for _ in 0..3 {
        let key = jm.rotate_seal_key().await.unwrap();
        back_up(home, out);
        assert!(jm.rotate_seal_key().await.unwrap().published);
        made.push(Kid::from_hex(&key.kid).unwrap());
    }
    let_end(home, &made[1..]);
    destroy(jm, first, true).await.unwrap();
}

const POLICY: &str = "\n[policy.dual_control]\nfrom_tlp = \"CLEAR\"\nreleasers = [1001]\n";

/// LC has sent JM a notice, and recalls of it wait for their release; it has stopped. JM's key, and the ids of
/// both.
async fn held_recalls(dir: &Path, count: usize) -> (Kid, String, Vec<String>) {
    let lc = start(&dir.join("lc")).await;
    let first = sealed_to(&lc);
    let mut notice = serde_json::to_value(abeng_notice::samples().remove(0).draft).unwrap();
    notice["administration"] = "LC".into();
    let request = SubmitRequest {
        to: vec!["JM".to_owned()],
        notice,
        ..Default::default()
    };
    let at = Client::unix(dir.join("lc/abeng.sock"));
    let sent = at.submit(&request).await.unwrap().id.unwrap();
    lc.shutdown().await.unwrap();
    let config = dir.join("lc/node.toml");
    let asks = fs::read_to_string(&config).unwrap() + POLICY;
    fs::write(config, asks).unwrap();
    let lc = start(&dir.join("lc")).await;
    let request = RecallRequest {
        reason: "wrong-recipient".into(),
        text: Some("destroy what you printed".into()),
        ..Default::default()
    };
    let officer = Caller::unix(1000);
    let mut held = Vec::new();
    for _ in 0..count {
        let recall = lc.shared().recall(&officer, &sent, request.clone()).await;
        let recall = recall.unwrap();
        assert_eq!(recall.to, ["JM"]);
        held.push(recall.held.unwrap().id.unwrap());
    }
    lc.shutdown().await.unwrap();
    (first, sent, held)
}

/// Waits until JM, which has lost its key, has the notice as LC has sealed it anew. Its id.
async fn copied(dir: &Path, sent: &str) -> String {
    let at = |code: &str| Client::unix(dir.join(code).join("abeng.sock"));
    let end = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let track = at("lc").track(sent, "en").await.unwrap();
        let copy = track.recipients[0].sealed_anew.clone();
        let inbox = at("jm").inbox(&InboxQuery::default()).await.unwrap();
        if let (Some(copy), 1) = (copy, inbox.len()) {
            assert_eq!(inbox[0].id, copy);
            return copy;
        }
        assert!(tokio::time::Instant::now() < end, "{track:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How many recalls that were released LC's log has: those that end a matter, and those of copies.
async fn released(lc: &Client, held: &str) -> (usize, usize) {
    let all = AuditQuery {
        kind: Some("SUBMITTED".to_owned()),
        ..AuditQuery::default()
    };
    let leaves = lc.audit_show(&all).await.unwrap().leaves;
    let via: Vec<&str> = leaves
        .iter()
        .filter_map(|leaf| leaf.via.as_deref())
        .collect();
    let ends = |how: &str| {
        let with = format!(" uid:1001, {how} {held}");
        via.iter().filter(|via| via.ends_with(&with)).count()
    };
    (ends("held"), ends("part of held"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recall_that_waited_takes_back_what_was_sealed_anew_meanwhile() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let (home, out) = (dir.join("jm"), temp.path().join("kept"));
    let at = |code: &str| Client::unix(dir.join(code).join("abeng.sock"));
    let (first, sent, held) = held_recalls(&dir, 1).await;
    let jm = start(&home).await;
    lose_key(&home, &out, &at("jm"), &first).await;
    let lc = start(&dir.join("lc")).await;
    let copy = copied(&dir, &sent).await;
    let shown = GrantRequest {
        to: Some(vec!["JM".into()]),
        ..Default::default()
    };
    let releaser = Caller::unix(1001);
    let granted = lc.shared().release_grant(&releaser, &held[0], shown);
    assert_eq!(granted.await.unwrap().to, ["JM"]);
    let end = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let track = at("lc").track(&copy, "en").await.unwrap();
        if track.recipients[0].state == DeliveryState::Recalled {
            break;
        }
        assert!(tokio::time::Instant::now() < end, "{track:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(at("jm").inbox_show(&copy, "en").await.is_err());
    // One leaf ends the matter; both say who released them.
    assert_eq!(released(&at("lc"), &held[0]).await, (1, 1));
    lc.shutdown().await.unwrap();
    jm.shutdown().await.unwrap();
}

/// Sends the recalls of a copy as releases that failed after them had.
async fn send_parts(dir: &Path, copy: &str, held: &[String]) -> Vec<String> {
    let config = dir.join("lc/node.toml");
    let asks = fs::read_to_string(&config).unwrap();
    fs::write(&config, asks.replace(POLICY, "")).unwrap();
    let lc = start(&dir.join("lc")).await;
    let mut parts = Vec::new();
    for held in held {
        let both = Caller {
            name: format!("uid:1000, released by unix uid:1001, part of held {held}"),
            ..Caller::unix(1000)
        };
        let request = RecallRequest {
            reason: "wrong-recipient".into(),
            ..Default::default()
        };
        let sent = lc.shared().recall(&both, copy, request).await;
        parts.push(sent.unwrap().id.unwrap());
    }
    lc.shutdown().await.unwrap();
    fs::write(&config, asks).unwrap();
    parts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_that_failed_half_way_sends_nothing_twice_and_says_what_went() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let (home, out) = (dir.join("jm"), temp.path().join("kept"));
    let at = |code: &str| Client::unix(dir.join(code).join("abeng.sock"));
    let (first, sent, held) = held_recalls(&dir, 3).await;
    let jm = start(&home).await;
    lose_key(&home, &out, &at("jm"), &first).await;
    let lc = start(&dir.join("lc")).await;
    let copy = copied(&dir, &sent).await;
    // No recall has an outcome from here on.
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    let parts = send_parts(&dir, &copy, &held).await;
    let lc = start(&dir.join("lc")).await;
    let releaser = Caller::unix(1001);
    let grant = |id: &str| {
        let (shared, releaser, id) = (lc.shared().clone(), releaser.clone(), id.to_owned());
        async move {
            let plain = GrantRequest::default();
            shared.release_grant(&releaser, &id, plain).await
        }
    };
    // Granted again, the recall itself is all that goes.
    assert_eq!(released(&at("lc"), &held[0]).await, (0, 1));
    assert_eq!(grant(&held[0]).await.unwrap().to, ["JM"]);
    assert_eq!(released(&at("lc"), &held[0]).await, (1, 1));

    // Refused again, it says so, and what granting it once more does.
    let trust = ceremony::bundle(&dir.join("lc"));
    let second = ceremony::after(&dir, &trust, |m| {
        let suspended = abeng_wire::v1::PartyStatus::Suspended;
        ceremony::status(m, &ceremony::keyring(&home), suspended);
    });
    let second = ceremony::file(&ceremony::with(&trust, second));
    assert_eq!(at("lc").roster_import(second).await.unwrap().roster, 2);
    let refused = grant(&held[1]).await.unwrap_err();
    assert!(
        refused
            .message
            .starts_with("what was sealed anew is recalled already (1 copy), the recall itself"),
        "{}",
        refused.message
    );
    let cause = refused.cause.unwrap();
    assert_eq!(cause.first.as_deref(), Some("half_released"));
    assert_eq!(cause.values["copies"], "1");

    let request = DenyRequest {
        reason: "it was right".into(),
        ..Default::default()
    };
    let denied = lc.shared().release_deny(&releaser, &held[2], request);
    assert_eq!(denied.await.unwrap().recalled, [parts[2].clone()]);
    lc.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sealed_to_a_lost_key_is_sealed_anew_once_to_the_newer_one() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let (home, out) = (dir.join("jm"), temp.path().join("kept"));
    let at = |code: &str| Client::unix(dir.join(code).join("abeng.sock"));
    let lc = start(&dir.join("lc")).await;
    let first = sealed_to(&lc);
    let mut sent = Vec::new();
    for _ in 0..2 {
        let mut notice = serde_json::to_value(abeng_notice::samples().remove(0).draft).unwrap();
        notice["administration"] = "LC".into();
        let request = SubmitRequest {
            to: vec!["JM".to_owned()],
            notice,
            officer: Some("P. James".to_owned()),
            ..Default::default()
        };
        sent.push(at("lc").submit(&request).await.unwrap().id.unwrap());
    }
    lc.shutdown().await.unwrap();

    // While nobody could tell LC, JM's key was replaced, and the old one is gone for good.
    let jm = start(&home).await;
    lose_key(&home, &out, &at("jm"), &first).await;

    let mut lc = start(&dir.join("lc")).await;
    let query = InboxQuery::default();
    for lost in ["nothing", "the view"] {
        let end = tokio::time::Instant::now() + Duration::from_secs(60);
        let inbox = loop {
            let inbox = at("jm").inbox(&query).await.unwrap();
            if inbox.len() == sent.len() {
                break inbox;
            }
            assert!(tokio::time::Instant::now() < end, "{inbox:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let mut replaced = Vec::new();
        for row in &inbox {
            let shown = at("jm").inbox_show(&row.id, "en").await.unwrap();
            let shown = serde_json::to_value(&shown).unwrap();
            replaced.push(shown["notice"]["supersedes"].as_str().unwrap().to_owned());
        }
        replaced.sort();
        sent.sort();
        assert_eq!(replaced, sent, "{lost}");
        lc.shutdown().await.unwrap();
        let _ = fs::remove_dir_all(dir.join("lc/view"));
        lc = start(&dir.join("lc")).await;
        // Two looks.
        tokio::time::sleep(Duration::from_secs(11)).await;
    }
    let all = AuditQuery {
        kind: Some("SUBMITTED".to_owned()),
        ..AuditQuery::default()
    };
    let leaves = at("lc").audit_show(&all).await.unwrap().leaves;
    assert_eq!(leaves.len(), 2 * sent.len(), "once each: {leaves:?}");
    assert!(
        leaves
            .iter()
            .all(|leaf| leaf.officer.as_deref() == Some("P. James"))
    );

    // The id that its officer knows leads to the copy, and takes it back.
    let track = at("lc").track(&sent[0], "en").await.unwrap();
    let copy = track.recipients[0].sealed_anew.clone().unwrap();
    at("jm").inbox_show(&copy, "en").await.unwrap();
    let request = RecallRequest {
        reason: "wrong-recipient".into(),
        ..Default::default()
    };
    let taken_back = at("lc").recall(&sent[0], &request).await.unwrap();
    assert_eq!(taken_back.to, ["JM"]);
    let end = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let track = at("lc").track(&copy, "en").await.unwrap();
        if track.recipients[0].state == DeliveryState::Recalled {
            break;
        }
        assert!(tokio::time::Instant::now() < end, "{track:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(at("jm").inbox_show(&copy, "en").await.is_err());
    lc.shutdown().await.unwrap();
    jm.shutdown().await.unwrap();
}
