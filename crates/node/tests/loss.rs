//! Whole nodes that run on an older copy of their data, twice at once, or after a loss.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "common/net.rs"]
mod net;

use abeng_api::StatusView;
use abeng_node::{
    BackupError, BackupReport, IfNewer, LifeError, PlainKeys, RestoreError, Source, back_up,
    lacking_keys, last_backup, new_life, restore, same_file_system,
};
use abeng_wire::v1;
use net::{code, copy, counter, found};
use std::{collections::BTreeMap, fs, path::Path};

fn stopped(status: &StatusView) -> bool {
    status.submitting_stopped.is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_on_an_older_copy_is_shown_so_and_submits_nothing() {
    let net = found(&["JM"]);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    net.send("JM", "LC").await;
    jm.shutdown().await.unwrap();
    copy(&net.home("JM"), &net.home("JM-COPY"));
    let jm = net.start("JM").await;
    // LC sends, so that it holds receipts of what the copy does not have.
    net.send("LC", "JM").await;
    jm.shutdown().await.unwrap();

    let jm = net.start("JM-COPY").await;
    let status = net.until("JM-COPY", "stopped", stopped).await;
    assert!(status.warnings[0].contains("new-incarnation"), "{status:?}");
    let refused = net.try_send("JM-COPY", "LC").await.unwrap_err();
    assert!(refused.contains("submits nothing"), "{refused}");
    jm.shutdown().await.unwrap();
    // It stays so without any peer, and the log holds why.
    lc.shutdown().await.unwrap();
    let jm = net.start("JM-COPY").await;
    net.until("JM-COPY", "stopped", stopped).await;
    assert!(net.try_send("JM-COPY", "LC").await.is_err());
    jm.shutdown().await.unwrap();
    net.verify("JM-COPY");
    // The original was never in doubt.
    let jm = net.start("JM").await;
    let lc = net.start("LC").await;
    net.send("LC", "JM").await;
    assert!(!stopped(&net.client("JM").status().await.unwrap()));
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_without_proof_stop_nothing() {
    let net = found(&["JM", "TT"]);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    net.send("JM", "LC").await;
    let shown = jm
        .shared()
        .checkpoint_at(jm.shared().reader.size())
        .unwrap();
    let note = String::from_utf8(shown.note().to_vec()).unwrap();
    let theirs = lc
        .shared()
        .checkpoint_at(lc.shared().reader.size())
        .unwrap();
    let size = shown.size();
    let larger = note.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size + 9), 1);
    assert_ne!(larger, note);
    let claim = |note: Vec<u8>| v1::Claim {
        note: note.into(),
        ..Default::default()
    };
    let mut lies = vec![
        // Forged: the size is not what was signed.
        claim(larger.into_bytes()),
        // Another log's, by another key.
        claim(theirs.note().to_vec()),
        // What this log has.
        claim(shown.note().to_vec()),
        claim(b"nothing".to_vec()),
        claim(vec![0; 9000]),
        v1::Claim::default(),
    ];
    // An envelope of this life that the log knows, and with a signature that is none.
    let sent = net.client("JM").sent(&Default::default()).await.unwrap();
    let leaf = abeng_wire::LeafIndex(sent[0].leaf);
    let record = jm.shared().reader.read(leaf).unwrap().record;
    let Some(v1::proof_part::Of::Submitted(own)) = record.proof().unwrap().unwrap().of else {
        panic!("no submission");
    };
    let mut bad = own.sig.to_vec();
    bad[3] ^= 1;
    for sig in [own.sig.clone(), bad.into()] {
        lies.push(v1::Claim {
            hdr: own.hdr.clone(),
            sig,
            ..Default::default()
        });
    }
    for lie in lies {
        jm.shared().take_claim(code("LC"), lie).await;
    }
    assert!(!stopped(&net.client("JM").status().await.unwrap()));
    net.send("JM", "LC").await;
    // LC knows nothing of JM's envelope as its own, whoever shows it.
    let shown = v1::Claim {
        hdr: own.hdr,
        sig: own.sig,
        ..Default::default()
    };
    lc.shared().take_claim(code("TT"), shown).await;
    assert!(!stopped(&net.client("LC").status().await.unwrap()));
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_envelope_of_this_life_that_the_log_does_not_know_is_proof() {
    let net = found(&["JM"]);
    copy(&net.home("JM"), &net.home("JM-COPY"));
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    net.send("JM", "LC").await;
    let sent = net.client("JM").sent(&Default::default()).await.unwrap();
    let leaf = abeng_wire::LeafIndex(sent[0].leaf);
    let record = jm.shared().reader.read(leaf).unwrap().record;
    let Some(v1::proof_part::Of::Submitted(own)) = record.proof().unwrap().unwrap().of else {
        panic!("no submission");
    };
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    let jm = net.start("JM-COPY").await;
    let claim = v1::Claim {
        hdr: own.hdr,
        sig: own.sig,
        ..Default::default()
    };
    jm.shared().take_claim(code("LC"), claim).await;
    assert!(stopped(&net.client("JM-COPY").status().await.unwrap()));
    jm.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_run_at_once_one_is_stopped() {
    let net = found(&["JM"]);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    net.send("JM", "LC").await;
    jm.shutdown().await.unwrap();
    copy(&net.home("JM"), &net.home("JM-COPY"));
    // The copy listens elsewhere, as on another machine.
    let path = net.home("JM-COPY").join("node.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let listen = text.lines().find(|l| l.starts_with("listen")).unwrap();
    let text = text.replace(listen, "listen = \"127.0.0.1:0\"");
    std::fs::write(&path, text).unwrap();
    let one = net.start("JM").await;
    let two = net.start("JM-COPY").await;
    // They take the link from each other, until one is shown what the other has signed. Where both
    // had signed by then, LC may hold the contradiction as well; that is another test's.
    let deadline = std::time::Instant::now() + net::PATIENCE;
    let (mut ended, mut sent) = (0, 0);
    while ended == 0 {
        for name in ["JM", "JM-COPY"] {
            sent += usize::from(net.try_send(name, "LC").await.is_ok());
            ended += usize::from(stopped(&net.client(name).status().await.unwrap()));
        }
        assert!(std::time::Instant::now() < deadline, "both go on");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(sent > 0);
    one.shutdown().await.unwrap();
    two.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

/// What is in an inbox, and how often.
async fn inbox(net: &net::Net, name: &str) -> BTreeMap<String, usize> {
    let all = net.client(name).inbox(&Default::default()).await.unwrap();
    let mut count = BTreeMap::new();
    all.into_iter()
        .for_each(|item| *count.entry(item.id).or_default() += 1);
    count
}

/// Waits until exactly these are in an inbox, each once.
async fn holds(net: &net::Net, name: &str, wanted: &[&str]) {
    let wanted: BTreeMap<String, usize> = wanted.iter().map(|id| (id.to_string(), 1)).collect();
    let deadline = std::time::Instant::now() + net::PATIENCE;
    loop {
        let found = inbox(net, name).await;
        if found == wanted {
            return;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "{name}: {found:?}, not {wanted:?}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_life_goes_on_with_all_that_the_old_one_had() {
    let net = found(&["JM"]);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    net.send("JM", "LC").await;
    net.send("LC", "JM").await;
    let received = inbox(&net, "JM").await.into_keys().next().unwrap();
    let delivered = inbox(&net, "LC").await.into_keys().next().unwrap();
    net.client("JM").inbox_show(&received, "en").await.unwrap();
    lc.shutdown().await.unwrap();
    // Not delivered when the old life ends.
    let waiting = net.try_send("JM", "LC").await.unwrap();
    let before = net.client("JM").status().await.unwrap();
    jm.shutdown().await.unwrap();

    let leaves = net.verify("JM").leaves;
    let mut told = 0;
    let report = new_life(
        &net.config("JM"),
        "the disk was replaced",
        IfNewer::Refuse,
        &mut |n, of| {
            assert_eq!(of, leaves);
            told = n;
        },
    )
    .unwrap();
    assert_eq!((report.leaves, told), (leaves, leaves));
    assert_eq!(report.previous.unwrap().to_string(), before.incarnation);
    assert!(report.incarnation > report.previous.unwrap());
    assert!(report.kept.unwrap().join("journal/key").is_file());
    // The new log is one of its own, and everything in it holds.
    assert_eq!(net.verify("JM").leaves, leaves);
    assert_eq!(net.verify("JM").unjudged, 0);

    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    let fresh = net.try_send("JM", "LC").await.unwrap();
    holds(&net, "LC", &[&delivered, &waiting, &fresh]).await;
    holds(&net, "JM", &[&received]).await;
    net.until("JM", "settled", |s| s.queue.depth == 0).await;
    // What was read stays read, and what was sent is known.
    let item = net
        .client("JM")
        .inbox(&Default::default())
        .await
        .unwrap()
        .remove(0);
    assert!(item.read, "{item:?}");
    assert_eq!(
        net.client("JM")
            .sent(&Default::default())
            .await
            .unwrap()
            .len(),
        3
    );
    net.send("LC", "JM").await;
    net.witnessed("JM").await;
    for node in [jm, lc] {
        node.shutdown().await.unwrap();
    }
    assert_eq!(net.verify("JM").unjudged, 0);
    net.verify("LC");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_old_life_started_again_is_refused_and_learns_of_the_new_one() {
    let net = found(&["JM"]);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    net.send("JM", "LC").await;
    jm.shutdown().await.unwrap();
    copy(&net.home("JM"), &net.home("JM-COPY"));
    let moved = new_life(
        &net.config("JM"),
        "moved to another machine",
        IfNewer::Refuse,
        &mut |_, _| (),
    )
    .unwrap();
    let jm = net.start("JM").await;
    net.send("JM", "LC").await;
    jm.shutdown().await.unwrap();
    let before = inbox(&net, "LC").await;
    let old = net.start("JM-COPY").await;
    let _ = net.try_send("JM-COPY", "LC").await;
    let status = net.until("JM-COPY", "stopped", stopped).await;
    assert!(status.submitting_stopped.unwrap().contains("newer life"));
    let shown = status.newer_life.unwrap();
    assert_eq!(shown.incarnation, moved.incarnation.to_string());
    assert_eq!(shown.shown_by.as_deref(), Some("LC"));
    let said = &status.warnings[0];
    for part in [
        &*shown.incarnation,
        "LC",
        "Usually this copy is the one to switch off",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(inbox(&net, "LC").await, before);
    // LC's operator hears of the new life.
    let warned = |s: &StatusView| s.warnings.iter().any(|w| w.contains("new life of its log"));
    net.until("LC", "the alarm", warned).await;
    // It is known after a restart, without a peer.
    old.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    let old = net.start("JM-COPY").await;
    let again = net.client("JM-COPY").status().await.unwrap();
    assert_eq!(again.newer_life.unwrap(), shown);
    let lc = net.start("LC").await;
    // It may become the newest again, on purpose.
    let newer = net.config("JM-COPY");
    old.shutdown().await.unwrap();
    let refused = new_life(&newer, "which one?", IfNewer::Refuse, &mut |_, _| ()).unwrap_err();
    let LifeError::Newer { newer: known, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(known.life, moved.incarnation);
    assert_eq!(known.shown.unwrap().0, code("LC"));
    assert!(refused.hint().contains("--although-newer"));
    let report = new_life(
        &newer,
        "this machine after all",
        IfNewer::GoOn,
        &mut |_, _| (),
    )
    .unwrap();
    assert!(!net.home("JM-COPY").join("newer-life.json").exists());
    let jm = net.start("JM-COPY").await;
    assert!(!stopped(&net.client("JM-COPY").status().await.unwrap()));
    net.send("JM-COPY", "LC").await;
    let shown = net.client("JM-COPY").status().await.unwrap();
    assert_eq!(shown.incarnation, report.incarnation.to_string());
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

/// A backup of a node into a directory beside it.
fn back_up_of(net: &net::Net, name: &str, size: Option<u64>) -> BackupReport {
    let config = net.home(name).join("node.toml");
    let out = net.dir.join("backup");
    let durable = |leaves| match size {
        Some(size) if leaves <= size => Ok(()),
        found => Err(format!("{found:?} are durable, and {leaves} were copied")),
    };
    back_up(
        &net.config(name),
        &config,
        &out,
        PlainKeys::Include,
        durable,
    )
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_comes_back_from_a_backup_and_peers_send_the_rest_again() {
    let net = found(&["JM"]);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    net.send("JM", "LC").await;
    net.send("LC", "JM").await;
    let early = inbox(&net, "JM").await.into_keys().next().unwrap();
    // While it runs; and again, where only what grew is copied.
    let first = back_up_of(&net, "JM", Some(jm.shared().reader.size()));
    assert!(first.copied > 0 && first.manifest.leaves > 1);
    net.send("JM", "LC").await;
    let second = back_up_of(&net, "JM", Some(jm.shared().reader.size()));
    assert!(second.manifest.leaves > first.manifest.leaves);
    assert!(second.copied < first.copied);
    // Traffic both ways that no backup has.
    net.send("JM", "LC").await;
    net.send("LC", "JM").await;
    let late = inbox(&net, "JM")
        .await
        .into_keys()
        .find(|id| *id != early)
        .unwrap();
    let at_lc = inbox(&net, "LC").await;
    assert_eq!(at_lc.len(), 3);
    jm.shutdown().await.unwrap();
    let waiting = net.try_send("LC", "JM").await.unwrap();
    fs::remove_dir_all(net.home("JM")).unwrap();

    let source = Source::Backup(net.dir.join("backup"));
    let report = restore(
        &source,
        &net.home("JM"),
        "the machine burnt",
        &mut |_, _| (),
    )
    .unwrap();
    assert_eq!(report.leaves, second.manifest.leaves);
    let jm = net.start("JM").await;
    holds(&net, "JM", &[&early, &late, &waiting]).await;
    net.until("LC", "all is settled", |s| s.queue.depth == 0)
        .await;
    // Nothing reached LC twice, also not what the backup did not know to be delivered.
    net.until("JM", "all is settled", |s| s.queue.depth == 0)
        .await;
    assert_eq!(inbox(&net, "LC").await, at_lc);
    net.send("JM", "LC").await;
    net.send("LC", "JM").await;
    assert!(!stopped(&net.client("JM").status().await.unwrap()));
    // Only what was missing was offered: the mark covers the rest.
    assert_eq!(counter(&lc, "abeng_envelopes_offered_again_total "), 1);
    // A second hello in the same life brings nothing more.
    jm.shutdown().await.unwrap();
    let jm = net.start("JM").await;
    net.send("LC", "JM").await;
    assert_eq!(counter(&lc, "abeng_envelopes_offered_again_total "), 1);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    assert_eq!(net.verify("JM").unjudged, 0);
    net.verify("LC");
    let refused = restore(&source, &net.home("JM"), "again", &mut |_, _| ());
    assert!(matches!(refused, Err(RestoreError::NotEmpty { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_comes_back_from_its_keys_alone() {
    let net = found(&["JM"]);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    net.send("JM", "LC").await;
    net.send("LC", "JM").await;
    net.send("LC", "JM").await;
    let had = inbox(&net, "JM").await;
    let at_lc = inbox(&net, "LC").await;
    // A receipt that LC gives again at every link.
    let read = at_lc.keys().next().unwrap();
    net.client("LC").inbox_show(read, "en").await.unwrap();
    jm.shutdown().await.unwrap();
    let safe = net.dir.join("safe");
    copy(&net.home("JM").join("keys"), &safe);
    fs::copy(net.home("JM").join("node.toml"), net.dir.join("jm.toml")).unwrap();
    fs::remove_dir_all(net.home("JM")).unwrap();
    let source = Source::Keys {
        keys: safe,
        trust: net.home("LC").join("trust/bundle.pb"),
        config: net.dir.join("jm.toml"),
    };
    let report = restore(&source, &net.home("JM"), "stolen", &mut |_, _| ()).unwrap();
    assert_eq!((report.leaves, report.previous), (1, None));
    let jm = net.start("JM").await;
    let had: Vec<&str> = had.keys().map(String::as_str).collect();
    holds(&net, "JM", &had).await;
    net.send("JM", "LC").await;
    assert_eq!(inbox(&net, "LC").await.len(), at_lc.len() + 1);
    net.until("LC", "settled", |s| s.queue.depth == 0).await;
    // Receipts of the life that is over come again, and are nobody's fault.
    assert_eq!(counter(&jm, "abeng_receipts_rejected_total "), 0);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    net.verify("JM");
    net.verify("LC");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_refused_where_it_would_be_none() {
    let net = found(&["JM"]);
    let config = net.home("JM").join("node.toml");
    let none = |_| panic!("no node runs");
    let of = |out: &Path, plain| back_up(&net.config("JM"), &config, out, plain, none);
    let out = net.dir.join("backup");
    let plain = of(&out, PlainKeys::Refuse);
    assert!(matches!(plain, Err(BackupError::PlainKeys)), "{plain:?}");
    let inside = of(&net.home("JM").join("backup"), PlainKeys::Include);
    assert!(
        matches!(inside, Err(BackupError::Inside { .. })),
        "{inside:?}"
    );
    let foreign = of(&net.home("LC"), PlainKeys::Include);
    assert!(
        matches!(foreign, Err(BackupError::Foreign { .. })),
        "{foreign:?}"
    );
    let done = of(&out, PlainKeys::Include).unwrap();
    assert_eq!(last_backup(&net.home("JM")).unwrap(), done.manifest);
    assert!(done.manifest.same_disk, "{done:?}");
    let elsewhere = Path::new("/dev/shm").metadata().is_ok();
    assert!(!elsewhere || !same_file_system(Path::new("/dev/shm"), &net.dir).unwrap());
    // One with damage is not restored.
    let segment = out.join("journal/00000000000000000000.seg");
    let mut bytes = fs::read(&segment).unwrap();
    let at = 4096 + 300;
    bytes[at] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let to = net.dir.join("new");
    let damaged = restore(&Source::Backup(out), &to, "test", &mut |_, _| ());
    assert!(
        matches!(damaged, Err(RestoreError::Verify(_))),
        "{damaged:?}"
    );
    assert!(!to.exists());
    // While a node runs, what it does not call durable is no backup.
    let jm = net.start("JM").await;
    let unsure = back_up(
        &net.config("JM"),
        &config,
        &net.dir.join("other"),
        PlainKeys::Include,
        |_| Err("it does not answer".to_owned()),
    );
    assert!(
        matches!(unsure, Err(BackupError::NotDurable(_))),
        "{unsure:?}"
    );
    jm.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_makes_way_for_no_older_copy_and_no_other_life() {
    let net = found(&["JM"]);
    net.start("JM").await.shutdown().await.unwrap();
    copy(&net.home("JM"), &net.home("JM-COPY"));
    net.start("JM").await.shutdown().await.unwrap();
    let out = net.dir.join("backup");
    let of = |name: &str| {
        let config = net.home(name).join("node.toml");
        let none = |_| panic!("no node runs");
        back_up(&net.config(name), &config, &out, PlainKeys::Include, none)
    };
    let done = of("JM").unwrap().manifest;
    let kept = || {
        let at = |file: &str| fs::read(out.join("journal").join(file)).unwrap();
        (at("key"), at("00000000000000000000.seg"))
    };
    let before = kept();
    let older = of("JM-COPY");
    let leaves = done.leaves;
    assert!(
        matches!(older, Err(BackupError::Older { there, .. }) if there == leaves),
        "{older:?}"
    );
    new_life(&net.config("JM"), "test", IfNewer::Refuse, &mut |_, _| ()).unwrap();
    let other = of("JM");
    assert!(
        matches!(&other, Err(BackupError::OtherLife { there, .. }) if *there == done.incarnation),
        "{other:?}"
    );
    assert!(before == kept(), "neither has touched it");
    let to = net.dir.join("new");
    restore(&Source::Backup(out.clone()), &to, "test", &mut |_, _| ()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_whose_inputs_do_not_hold_writes_nothing() {
    let (net, other) = (found(&["JM"]), found(&["JM"]));
    let to = net.dir.join("new");
    let keys = |keys: &Path, trust: &Path| Source::Keys {
        keys: keys.to_owned(),
        trust: trust.to_owned(),
        config: net.home("JM").join("node.toml"),
    };
    let (own, bundle) = (
        net.home("JM").join("keys"),
        net.home("LC").join("trust/bundle.pb"),
    );
    let wrong = [
        // Another network's trust data, and a file that is none.
        (
            keys(&own, &other.home("LC").join("trust/bundle.pb")),
            "lost",
        ),
        (keys(&own, &net.home("JM").join("node.toml")), "lost"),
        (keys(&own, &net.dir.join("absent")), "lost"),
        // Another party's keys, the right party's of another network, and none.
        (keys(&net.home("LC").join("keys"), &bundle), "lost"),
        (keys(&other.home("JM").join("keys"), &bundle), "lost"),
        (keys(&net.dir.join("absent"), &bundle), "lost"),
        // Nothing is said.
        (keys(&own, &bundle), " "),
    ];
    for (source, reason) in wrong {
        let refused = restore(&source, &to, reason, &mut |_, _| ());
        let refused = refused.expect_err("it does not hold");
        assert!(!to.exists(), "{source:?}: {refused}");
        assert!(!refused.hint().contains("laid out"), "{refused}");
    }
    // A backup whose keys are gone.
    back_up_of(&net, "JM", None);
    let backup = net.dir.join("backup");
    fs::remove_file(backup.join("keys/keyring.plain.toml")).unwrap();
    restore(&Source::Backup(backup), &to, "lost", &mut |_, _| ()).unwrap_err();
    assert!(!to.exists());
    let report = restore(&keys(&own, &bundle), &to, "lost", &mut |_, _| ()).unwrap();
    assert_eq!(report.leaves, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyring_older_than_the_published_seal_key_is_told_before_and_after() {
    let net = found(&["JM"]);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    let safe = net.dir.join("safe");
    copy(&net.home("JM").join("keys"), &safe);
    // A newer key, published and known at LC.
    let made = net.client("JM").rotate_seal_key().await.unwrap();
    assert!(!made.published);
    back_up_of(&net, "JM", Some(u64::MAX));
    jm.shared().turn_seal_keys().await.unwrap();
    let lacks = |trust: &abeng_roster::Trust| {
        let said = trust.seal_keys.statements();
        let of_jm = |s: &&v1::Signed| {
            let key = <v1::SealKey as abeng_wire::prost::Message>::decode(s.bytes.clone()).unwrap();
            key.party == "JM"
                && abeng_wire::Kid::from_slice(&key.kid).unwrap().to_string() == made.kid
        };
        said.iter().any(of_jm)
    };
    let deadline = std::time::Instant::now() + net::PATIENCE;
    while !lacks(&lc.shared().trust()) {
        assert!(
            std::time::Instant::now() < deadline,
            "LC does not hear of it"
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    jm.shutdown().await.unwrap();
    fs::copy(net.home("JM").join("node.toml"), net.dir.join("jm.toml")).unwrap();
    let newer = net.home("JM").join("keys");
    let source = |keys: &Path| Source::Keys {
        keys: keys.to_owned(),
        trust: net.home("LC").join("trust/bundle.pb"),
        config: net.dir.join("jm.toml"),
    };
    let home = net.home("JM-NEW");
    assert_eq!(lacking_keys(&source(&newer), &home).unwrap().keys, []);
    let lacking = lacking_keys(&source(&safe), &home).unwrap().keys;
    assert_eq!(lacking.len(), 1);
    assert_eq!(lacking[0].kid.to_string(), made.kid);
    assert!(!home.exists(), "it only looks");
    fs::remove_dir_all(net.home("JM")).unwrap();
    restore(&source(&safe), &net.home("JM"), "burnt", &mut |_, _| ()).unwrap();
    let jm = net.start("JM").await;
    let id = net.try_send("LC", "JM").await.unwrap();
    let told = |s: &StatusView| {
        let said = |part: &str| s.warnings.iter().any(|w| w.contains(part));
        said("lacks a seal key") && said("1 envelope was refused")
    };
    net.until("JM", "what was refused", told).await;
    let deadline = std::time::Instant::now() + net::PATIENCE;
    loop {
        let track = net.client("LC").track(&id, "en").await.unwrap();
        let mut steps = track.recipients[0].steps.iter();
        if steps.any(|step| step.reason.as_deref() == Some("KEY_GONE")) {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{track:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}
