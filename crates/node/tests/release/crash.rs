//! What a start makes of each state that a crash can leave: nothing is sent twice, nothing is lost.

use crate::{net::Net, support::*};
use abeng_api::{Caller, ErrorCode};
use abeng_node::Node;
use std::{fs, path::PathBuf};

/// Puts what waits under another mark, as a crash would have left it.
fn remark(net: &Net, mark: &str) -> PathBuf {
    let [file] = &files(net)[..] else {
        panic!("one file waits");
    };
    let other = file.with_extension(mark);
    fs::rename(file, &other).unwrap();
    other
}

async fn again(net: &Net, jm: Node) -> Node {
    jm.shutdown().await.unwrap();
    net.start("JM").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_finds_what_waits_and_gives_up_what_nobody_was_told_of() {
    let net = found(RED);
    let jm = net.start("JM").await;
    let id = hold(&jm, seizure("LC", "RED")).await;
    let jm = again(&net, jm).await;
    assert_eq!(list(&jm, ANN).await[0].id, id);
    // Killed after the leaf, before the mark said so.
    jm.shutdown().await.unwrap();
    remark(&net, "coming");
    let jm = net.start("JM").await;
    assert_eq!(list(&jm, ANN).await[0].id, id);
    assert!(files(&net)[0].extension().unwrap() == "held");
    // Killed before the leaf: the file lies there, and no leaf and no answer.
    jm.shutdown().await.unwrap();
    let past = past(&net);
    let held = files(&net).remove(0);
    let jm = net.start("JM").await;
    let never = hold(&jm, seizure("LC", "RED")).await;
    assert_ne!(never, id);
    jm.shutdown().await.unwrap();
    let new = files(&net).into_iter().find(|f| *f != held).unwrap();
    // No peer has seen it yet. The log as it was before that submission: its file alone is newer.
    past.put_back(&net);
    fs::rename(&new, new.with_extension("coming")).unwrap();
    fs::write(held.with_extension("new"), b"half of one").unwrap();
    let jm = net.start("JM").await;
    assert_eq!(files(&net), std::slice::from_ref(&held));
    let lc = net.start("LC").await;
    grant(&jm, ANN, &id).await.unwrap();
    arrived(&net, "LC", 1).await;
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    net.verify("JM");
}

/// The log, index and marks of JM at one moment.
struct Past(tempfile::TempDir);

fn past(net: &Net) -> Past {
    let temp = tempfile::tempdir().unwrap();
    for part in ["journal", "tiles", "view"] {
        crate::net::copy(&net.home("JM").join(part), &temp.path().join(part));
    }
    Past(temp)
}

impl Past {
    fn put_back(&self, net: &Net) {
        for part in ["journal", "tiles", "view"] {
            let there = net.home("JM").join(part);
            fs::remove_dir_all(&there).unwrap();
            crate::net::copy(&self.0.path().join(part), &there);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_step_of_a_release_sends_once() {
    let net = found(RED);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    let id = hold(&jm, seizure("LC", "RED")).await;
    let size = jm.shared().reader.size();
    // Marked, and nothing sealed.
    jm.shutdown().await.unwrap();
    let marked = remark(&net, &format!("granting-{size}"));
    let sealed = fs::read(&marked).unwrap();
    let jm = net.start("JM").await;
    assert_eq!(list(&jm, ANN).await[0].id, id);
    assert_eq!(files(&net), [marked.with_extension("held")]);
    assert!(inbox(&net, "LC").await.is_empty());

    // Sent and said, and the draft not taken away.
    let size = jm.shared().reader.size();
    let envelope = grant(&jm, ANN, &id).await.unwrap().id.unwrap();
    assert_eq!(arrived(&net, "LC", 1).await, [envelope]);
    jm.shutdown().await.unwrap();
    let marked = marked.with_extension(format!("granting-{size}"));
    fs::write(&marked, &sealed).unwrap();
    let jm = net.start("JM").await;
    assert!(files(&net).is_empty());
    assert_eq!(code(grant(&jm, BOB, &id).await).0, ErrorCode::NotFound);
    assert_eq!(kinds(&net).await, ["HELD", "GRANTED"]);

    // Sent, and not said: a submission whose leaf names what waited, without the leaf behind it.
    let id = hold(&jm, seizure("LC", "RED")).await;
    jm.shutdown().await.unwrap();
    set_policy(&net, "");
    let jm = net.start("JM").await;
    // Nobody may release where policy names nobody; what waits, waits.
    assert_eq!(code(grant(&jm, ANN, &id).await).0, ErrorCode::Forbidden);
    let size = jm.shared().reader.size();
    let both = Caller {
        name: format!("uid:1000, released by unix uid:1001, held {id}"),
        ..who(OFFICER)
    };
    let sent = jm.shared().submit(&both, seizure("LC", "RED")).await;
    let envelope = sent.unwrap().id.unwrap();
    jm.shutdown().await.unwrap();
    remark(&net, &format!("granting-{size}"));
    set_policy(&net, RED);
    let jm = net.start("JM").await;
    assert!(files(&net).is_empty());
    assert_eq!(kinds(&net).await, ["HELD", "GRANTED", "HELD", "GRANTED"]);
    let said = acts(&net).await.pop().unwrap();
    assert_eq!(said, format!("RELEASE_GRANTED {id}: {}", &envelope[..12]));
    let admin = leaves(&net, "ADMIN").await.pop().unwrap();
    let via = format!("a start; unix uid:1000, released by unix uid:1001, held {id}");
    assert_eq!(admin.via.as_deref(), Some(&*via));
    arrived(&net, "LC", 2).await;
    // Once more, nothing more.
    let jm = again(&net, jm).await;
    assert_eq!(kinds(&net).await.len(), 4);
    net.send("JM", "LC").await;
    arrived(&net, "LC", 3).await;
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    net.verify("JM");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_step_of_a_denial_denies_or_does_not() {
    let net = found(RED);
    let jm = net.start("JM").await;
    let id = hold(&jm, seizure("LC", "RED")).await;
    let size = jm.shared().reader.size();
    jm.shutdown().await.unwrap();
    let marked = remark(&net, &format!("denying-{size}"));
    let sealed = fs::read(&marked).unwrap();
    let jm = net.start("JM").await;
    assert_eq!(list(&jm, ANN).await[0].id, id);
    deny(&jm, ANN, &id).await.unwrap();
    jm.shutdown().await.unwrap();
    fs::write(&marked, &sealed).unwrap();
    let jm = net.start("JM").await;
    assert!(list(&jm, ANN).await.is_empty() && files(&net).is_empty());
    assert_eq!(kinds(&net).await, ["HELD", "DENIED"]);
    jm.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_altered_or_changed_places_is_told_and_not_sent() {
    let net = found(RED);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(hold(&jm, seizure("LC", "RED")).await);
    }
    ids.sort();
    let paths = files(&net);
    // While it runs: read anew for each act.
    let whole = fs::read(&paths[0]).unwrap();
    let mut bytes = whole.clone();
    bytes[40] ^= 1;
    fs::write(&paths[0], &bytes).unwrap();
    let (refused, why) = code(grant(&jm, ANN, &ids[0]).await);
    assert!(
        refused == ErrorCode::Damaged && why.contains("altered"),
        "{why}"
    );
    jm.shutdown().await.unwrap();
    // Two in each other's place.
    let other = fs::read(&paths[1]).unwrap();
    fs::write(&paths[1], fs::read(&paths[2]).unwrap()).unwrap();
    fs::write(&paths[2], other).unwrap();
    let jm = net.start("JM").await;
    for id in &ids {
        let (refused, why) = code(grant(&jm, ANN, id).await);
        assert!(
            refused == ErrorCode::Damaged && why.contains("altered"),
            "{why}"
        );
    }
    let told = list(&jm, ANN).await;
    assert!(told.len() == 3 && told.iter().all(|item| item.trouble.is_some()));
    let status = net.client("JM").status().await.unwrap();
    assert_eq!(status.held.count, 3);
    let warned = status.warnings.iter().filter(|w| w.contains("was altered"));
    assert_eq!(warned.count(), 3, "{:?}", status.warnings);
    // Whose it was is not known: only a releaser clears it away.
    assert_eq!(
        code(deny(&jm, OFFICER, &ids[1]).await).0,
        ErrorCode::Forbidden
    );
    for id in &ids[1..] {
        deny(&jm, ANN, id).await.unwrap();
    }
    // What comes back as it was is what it was.
    jm.shutdown().await.unwrap();
    fs::write(&paths[0], &whole).unwrap();
    let jm = net.start("JM").await;
    grant(&jm, ANN, &ids[0]).await.unwrap();
    arrived(&net, "LC", 1).await;
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_put_back_after_its_decision_is_taken_away() {
    let net = found(RED);
    let (mut jm, lc) = (net.start("JM").await, net.start("LC").await);
    for denies in [true, false] {
        let id = hold(&jm, seizure("LC", "RED")).await;
        let file = files(&net).remove(0);
        let copy = fs::read(&file).unwrap();
        match denies {
            true => _ = deny(&jm, ANN, &id).await.unwrap(),
            false => _ = grant(&jm, ANN, &id).await.unwrap(),
        }
        jm.shutdown().await.unwrap();
        fs::write(&file, copy).unwrap();
        jm = net.start("JM").await;
        assert!(list(&jm, ANN).await.is_empty() && files(&net).is_empty());
        assert!(grant(&jm, ANN, &id).await.is_err());
    }
    assert_eq!(arrived(&net, "LC", 1).await.len(), 1);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}
