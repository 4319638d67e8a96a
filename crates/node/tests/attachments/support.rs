//! A network in a directory, a node of it, and files to send.

use abeng_api::{AttachQuery, AttachmentItem, AttachmentState, Client, ClientError, SubmitRequest};
use abeng_node::Node;
use bytes::Bytes;
use std::{path::PathBuf, time::Duration};
use tempfile::TempDir;
use tokio::{sync::mpsc, time::Instant};

pub const MIB: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Net {
    temp: TempDir,
}

impl Net {
    pub fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        crate::common::found(&temp.path().join("net"));
        Self { temp }
    }

    pub fn dir(&self, party: &str) -> PathBuf {
        self.temp.path().join("net").join(party)
    }

    pub async fn start(&self, party: &str) -> Node {
        crate::common::start(&self.dir(party)).await
    }

    pub fn client(&self, party: &str) -> Client {
        Client::unix(self.dir(party).join("abeng.sock"))
    }
}

/// Bytes that no other file has.
pub fn file(length: usize, seed: u8) -> Vec<u8> {
    let byte = |i: usize| (i / 11) as u8 ^ (i >> 13) as u8 ^ seed;
    (0..length).map(byte).collect()
}

/// Gives a file to the node; its handle.
pub async fn give(client: &Client, name: &str, bytes: &[u8]) -> Result<String, ClientError> {
    let (tx, chunks) = mpsc::channel(2);
    let parts: Vec<Bytes> = bytes.chunks(50_001).map(Bytes::copy_from_slice).collect();
    tokio::spawn(async move {
        for part in parts {
            if tx.send(Ok(part)).await.is_err() {
                return;
            }
        }
    });
    let query = AttachQuery { name: name.into() };
    let reply = client.attach(&query, bytes.len() as u64, chunks).await?;
    assert_eq!(reply.length, bytes.len() as u64);
    Ok(reply.handle)
}

pub fn seizure(to: &str, handles: &[String]) -> SubmitRequest {
    let mut draft = abeng_notice::samples().remove(0).draft;
    draft.attach = handles.to_vec();
    SubmitRequest {
        to: vec![to.to_owned()],
        notice: serde_json::to_value(draft).unwrap(),
        ..Default::default()
    }
}

/// The files of a notice, once all of them are there.
pub async fn all_here(client: &Client, id: &str) -> Vec<AttachmentItem> {
    until(|| async {
        let files = client.attachments(id).await.ok()?;
        let here = files.iter().all(|f| f.state == AttachmentState::Here);
        here.then_some(files)
    })
    .await
}

/// Asks until there is an answer.
pub async fn until<T, F: Future<Output = Option<T>>>(ask: impl Fn() -> F) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < end, "it does not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Takes a file out.
pub async fn take(client: &Client, id: &str, root: &str) -> Result<Vec<u8>, ClientError> {
    let mut file = client.attachment(id, root).await?;
    let mut all = Vec::new();
    while let Some(bytes) = file.next().await? {
        all.extend_from_slice(&bytes);
    }
    assert_eq!(all.len() as u64, file.len());
    Ok(all)
}
