//! A network of whole nodes in this process, each in a directory of its own.

#![allow(dead_code)]

mod ports;

use abeng_api::{Client, EventQuery, SentQuery, StatusView, SubmitRequest, TimelineStep};
use abeng_audit_log::{RealDisk, verify_log};
use abeng_keys::Protection;
use abeng_node::{
    Config, Node,
    founding::{InitParty, InitRequest, init},
};
use abeng_roster::Trust;
use abeng_wire::{NetworkCode, PartyCode, decode, limits, v1::PartyKind};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// Long enough for anything that happens at all.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A network in a directory that goes with it.
pub struct Net {
    pub dir: PathBuf,
    _temp: tempfile::TempDir,
}

pub fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}

/// A network of these members and LC, the coordination office, that look at each other's logs
/// every second.
pub fn found(members: &[&str]) -> Net {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    let party = |text: &str, kind| InitParty {
        code: code(text),
        name: text.to_owned(),
        country: text.to_owned(),
        kind,
        address: None,
    };
    let mut parties: Vec<_> = members
        .iter()
        .map(|m| party(m, PartyKind::Member))
        .collect();
    parties.push(party("LC", PartyKind::Coordination));
    let base_port = ports::free_ports(parties.len().try_into().unwrap());
    init(&InitRequest {
        dir: dir.clone(),
        network: NetworkCode::new("test").unwrap(),
        parties,
        protection: Protection::InsecurePlain,
        passphrase_file: None,
        host: "127.0.0.1".parse().unwrap(),
        base_port,
        status_every_s: Some(1),
    })
    .unwrap();
    for member in members.iter().chain(&["LC"]) {
        let path = dir.join(member.to_lowercase()).join("node.toml");
        let text = fs::read_to_string(&path).unwrap() + "\n[witness]\nevery_s = 1\n";
        fs::write(path, text).unwrap();
    }
    Net { dir, _temp: temp }
}

impl Net {
    pub fn home(&self, name: &str) -> PathBuf {
        self.dir.join(name.to_lowercase())
    }

    pub async fn start(&self, name: &str) -> Node {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let config = Config::load(&self.home(name).join("node.toml")).unwrap();
            match Node::start(config).await {
                Ok(node) => return node,
                // The socket of a node stopped in this process goes a moment later.
                Err(why) => assert!(std::time::Instant::now() < deadline, "{name}: {why}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub fn config(&self, name: &str) -> Config {
        Config::load(&self.home(name).join("node.toml")).unwrap()
    }

    pub fn client(&self, name: &str) -> Client {
        Client::unix(self.home(name).join("abeng.sock"))
    }

    /// By when the own leaves of the only sent notice were witnessed, as `track` tells.
    pub async fn own_steps(&self, name: &str) -> Vec<Option<String>> {
        let client = self.client(name);
        let sent = client.sent(&SentQuery::default()).await.unwrap().remove(0);
        let to = client.track(&sent.id, "en").await.unwrap().recipients;
        let steps = to.into_iter().flat_map(|to| to.steps);
        let own = |step: &TimelineStep| (step.by == name) == step.witness.is_some();
        let steps: Vec<_> = steps.inspect(|step| assert!(own(step))).collect();
        let seen = steps.into_iter().filter_map(|step| step.witness);
        seen.map(|seen| seen.by).collect()
    }

    /// Sends a notice; its id, or what was said.
    pub async fn try_send(&self, from: &str, to: &str) -> Result<String, String> {
        let draft = abeng_notice::samples().remove(0).draft;
        let mut notice = serde_json::to_value(draft).unwrap();
        notice["administration"] = from[..2].into();
        let request = SubmitRequest {
            to: vec![to.to_owned()],
            notice,
            ..Default::default()
        };
        let reply = self.client(from).submit(&request).await;
        reply.map(|r| r.id.unwrap()).map_err(|e| e.to_string())
    }

    /// Sends a notice and waits for its receipt.
    pub async fn send(&self, from: &str, to: &str) {
        let client = self.client(from);
        let id = self.try_send(from, to).await.unwrap();
        let query = EventQuery {
            after: Some(0),
            timeout_ms: Some(1000),
            limit: None,
        };
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let settled = client.wait_settled(&query).await.unwrap();
            if settled.iter().any(|event| event.id == id) {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "no receipt for {id}");
        }
    }

    /// Waits until a node's status is as wanted.
    pub async fn until(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&StatusView) -> bool,
    ) -> StatusView {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let status = self.client(name).status().await.unwrap();
            if wanted(&status) {
                return status;
            }
            let late = std::time::Instant::now() > deadline;
            assert!(!late, "{name}: {what}: {:#?}", status);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until all that a node's log holds beyond its own coming and going is witnessed.
    pub async fn witnessed(&self, name: &str) -> StatusView {
        let enough =
            |s: &StatusView| s.witness.witnessed_at.is_some() && s.witness.waiting_since.is_none();
        self.until(name, "witnessed", enough).await
    }

    pub fn journal(&self, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(self.home(name).join("journal"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "seg"))
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    }

    pub fn trust(&self, name: &str) -> Trust {
        let bytes = fs::read(self.home(name).join("trust/bundle.pb")).unwrap();
        let bundle = decode("bundle", &bytes.into(), limits::TRUST_BUNDLE).unwrap();
        let config = Config::load(&self.home(name).join("node.toml")).unwrap();
        Trust::from_bundle(&bundle, Some(config.root), now()).unwrap()
    }

    /// The whole log of a node that does not run, checked.
    pub fn verify(&self, name: &str) -> abeng_audit_log::LogReport {
        let disk = RealDisk::new(self.home(name));
        verify_log(&disk, &self.trust(name), code(&name[..2]), |_| ()).unwrap()
    }
}

pub fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_millis() as u64
}

/// Copies a directory with its files. One that goes meanwhile is left out: sled takes files of its
/// own away at its leisure, also after it was closed.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy(&entry.path(), &target),
            kind if kind.is_file() => match fs::copy(entry.path(), target) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                copied => _ = copied.unwrap(),
            },
            _ => {}
        }
    }
}

/// The value of a metric.
pub fn counter(node: &Node, name: &str) -> u64 {
    let text = node.shared().metrics.text();
    let line = text.lines().find_map(|l| l.strip_prefix(name)).unwrap();
    line.trim().parse().unwrap()
}
