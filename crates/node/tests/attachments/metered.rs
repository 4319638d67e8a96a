//! A link whose bytes are paid for: nothing comes before somebody wants it, and nothing beyond the
//! day's bytes.

use crate::support::{MIB, Net, all_here, file, give, seizure, take, until};
use abeng_api::{AllowRequest, AttachmentItem, AttachmentState, Client, ClientError, ErrorCode};
use std::fs;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_metered_link_a_file_comes_when_it_is_asked_for() {
    let net = Net::new();
    meter(&net, "lc", "");
    let (jm, lc) = (net.start("jm").await, net.start("lc").await);
    let client = net.client("lc");
    let bytes = [file(40_000, 1), file(50_000, 2)];
    let mut handles = Vec::new();
    for (nth, bytes) in bytes.iter().enumerate() {
        let name = format!("{nth}.jpg");
        handles.push(give(&net.client("jm"), &name, bytes).await.unwrap());
    }
    let sent = net.client("jm").submit(&seizure("LC", &handles)).await;
    let id = sent.unwrap().id.unwrap();
    let files = until(|| async { client.attachments(&id).await.ok() }).await;
    assert!(
        files.iter().all(|f| f.state == AttachmentState::OnRequest),
        "{files:?}"
    );
    let asked = client.attachment(&id, &files[1].root).await.unwrap_err();
    assert!(matches!(asked, ClientError::Api(e) if e.code == ErrorCode::Conflict));
    let taken = until(|| async { take(&client, &id, &files[1].root).await.ok() }).await;
    assert!(taken == bytes[1]);
    // The other one waits on, also through a look for what is wanted.
    let files = client.attachments(&id).await.unwrap();
    assert_eq!(files[0].state, AttachmentState::OnRequest);
    let _ = client.attachment(&id, &files[0].root).await;
    all_here(&client, &id).await;
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

/// A day that has room for four pieces beside what is kept for FLASH, and for what a link takes.
const DAY: &str = "[link.metered]\nbudget = \"6600 kB\"\nflash = \"1600 kB\"\n";
const ROOM: u64 = 5_000_000;

/// Makes all paths of a party metered, with these lines behind.
fn meter(net: &Net, party: &str, lines: &str) {
    let path = net.dir(party).join("node.toml");
    let toml = fs::read_to_string(&path).unwrap();
    assert!(
        toml.contains("[link]\n") && !toml.contains("profile"),
        "{toml}"
    );
    let metered = toml.replacen("[link]\n", "[link]\nprofile = \"metered\"\n", 1);
    fs::write(&path, metered + lines).unwrap();
}

/// The only file of a notice, once it waits for somebody's day.
async fn waits(client: &Client, id: &str) -> AttachmentItem {
    until(|| async {
        let file = client.attachments(id).await.ok()?.remove(0);
        (file.state == AttachmentState::WaitsBudget).then_some(file)
    })
    .await
}

/// What a piece may take beyond its price, where the line loses more than it did before: all that
/// was sent again is counted, but only once it has gone.
const LOST: u64 = MIB as u64 / 4;

/// Only whole pieces, and none that FLASH's bytes would have paid for.
async fn kept_to_the_day(payer: &Client, file: &AttachmentItem) {
    assert!(file.here.is_multiple_of(MIB as u64), "{file:?}");
    assert!(file.here >= 2 * MIB as u64 && file.here <= ROOM, "{file:?}");
    let budget = payer.limits().await.unwrap().budget.unwrap();
    assert!(budget.spent >= file.here, "{budget:?}");
    assert!(budget.spent <= ROOM + LOST, "{budget:?}");
    assert!(budget.left.unwrap() < 15 * MIB as u64 / 10, "{budget:?}");
}

async fn allow(payer: &Client) {
    let more = AllowRequest {
        bytes: Some(20_000_000),
        officer: None,
    };
    payer.allow(&more).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_served_up_to_the_day_s_bytes_and_goes_on_once_more_are_allowed() {
    let net = Net::new();
    meter(&net, "jm", DAY);
    let (jm, lc) = (net.start("jm").await, net.start("lc").await);
    let (payer, client) = (net.client("jm"), net.client("lc"));
    let bytes = file(6 * MIB, 3);
    let handle = give(&payer, "x.jpg", &bytes).await.unwrap();
    let sent = payer.submit(&seizure("LC", &[handle])).await.unwrap();
    let id = sent.id.unwrap();
    let waiting = waits(&client, &id).await;
    assert_eq!(waiting.budget_of.as_deref(), Some("JM"));
    assert!(!waiting.budget_here);
    kept_to_the_day(&payer, &waiting).await;
    // Where it is waited for, `link allow` helps nobody, and that is what is said there.
    let there = until(|| async {
        let status = client.status().await.ok()?;
        (status.files.for_budget == 1).then_some(status)
    })
    .await;
    assert_eq!(there.files.for_own_budget, 0);
    let told = |w: &&String| w.contains("at other nodes: 1 file to come");
    let told = there.warnings.iter().find(told).unwrap();
    assert!(told.contains("`abeng link allow` there"), "{told}");
    let asked = client.attachment(&id, &waiting.root).await.unwrap_err();
    let ClientError::Api(refused) = asked else {
        panic!("{asked}");
    };
    let hint = refused.try_this.unwrap_or_default();
    assert!(
        hint.contains("`abeng link allow` at the node of JM"),
        "{hint}"
    );
    let status = until(|| async {
        let status = payer.status().await.ok()?;
        (status.files.held_back == 1).then_some(status)
    })
    .await;
    let told = |w: &&String| w.contains("1 file to be sent") && w.contains("link allow` here");
    assert!(status.warnings.iter().any(|w| told(&w)), "{status:?}");
    // One that waits for its turn behind it is told the same, and not forgotten.
    let handle = give(&payer, "y.jpg", &file(40_000, 5)).await.unwrap();
    let behind = payer.submit(&seizure("LC", &[handle])).await.unwrap();
    let behind = behind.id.unwrap();
    let waiting = waits(&client, &behind).await;
    assert_eq!(
        (waiting.budget_of.as_deref(), waiting.here),
        (Some("JM"), 0)
    );
    allow(&payer).await;
    all_here(&client, &behind).await;
    let files = all_here(&client, &id).await;
    assert!(take(&client, &id, &files[0].root).await.unwrap() == bytes);
    let status = payer.status().await.unwrap();
    assert_eq!(status.files.held_back, 0);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_fetched_up_to_the_day_s_bytes_and_goes_on_once_more_are_allowed() {
    let net = Net::new();
    meter(&net, "lc", DAY);
    let (jm, lc) = (net.start("jm").await, net.start("lc").await);
    let client = net.client("lc");
    let bytes = file(6 * MIB, 4);
    let handle = give(&net.client("jm"), "x.jpg", &bytes).await.unwrap();
    let sent = net.client("jm").submit(&seizure("LC", &[handle])).await;
    let id = sent.unwrap().id.unwrap();
    let files = until(|| async { client.attachments(&id).await.ok() }).await;
    assert_eq!(files[0].state, AttachmentState::OnRequest);
    let asked = client.attachment(&id, &files[0].root).await.unwrap_err();
    assert!(matches!(asked, ClientError::Api(e) if e.code == ErrorCode::Conflict));
    let waiting = waits(&client, &id).await;
    assert_eq!(waiting.budget_of.as_deref(), Some("LC"));
    assert!(waiting.budget_here);
    kept_to_the_day(&client, &waiting).await;
    let status = until(|| async {
        let status = client.status().await.ok()?;
        (status.files.for_budget == 1).then_some(status)
    })
    .await;
    assert_eq!(status.files.files, 1);
    assert_eq!(status.files.bytes, waiting.cipher_length - waiting.here);
    let told = |w: &String| w.contains("1 file to come") && w.contains("link allow` here");
    assert!(status.warnings.iter().any(told), "{status:?}");
    let asked = client.attachment(&id, &files[0].root).await.unwrap_err();
    let ClientError::Api(refused) = asked else {
        panic!("{asked}");
    };
    let hint = refused.try_this.unwrap_or_default();
    assert!(hint.contains("`abeng link allow` here"), "{hint}");
    allow(&client).await;
    all_here(&client, &id).await;
    assert!(take(&client, &id, &files[0].root).await.unwrap() == bytes);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}
