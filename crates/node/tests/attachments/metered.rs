//! A link whose bytes are paid for: nothing comes before somebody wants it.

use crate::support::{Net, all_here, file, give, seizure, take, until};
use abeng_api::{AttachmentState, ClientError, ErrorCode};
use std::fs;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_metered_link_a_file_comes_when_it_is_asked_for() {
    let net = Net::new();
    let path = net.dir("lc").join("node.toml");
    let toml = fs::read_to_string(&path).unwrap();
    assert!(
        toml.contains("[link]\n") && !toml.contains("profile"),
        "{toml}"
    );
    let metered = toml.replacen("[link]\n", "[link]\nprofile = \"metered\"\n", 1);
    fs::write(&path, metered).unwrap();
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
