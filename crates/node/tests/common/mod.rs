//! What the tests of whole nodes share.

pub mod ports;

use abeng_keys::Protection;
use abeng_link::LinkError;
use abeng_node::{
    Config, Node, NodeError,
    founding::{InitParty, InitRequest, init},
};
use abeng_wire::{NetworkCode, PartyCode, v1::PartyKind};
use std::{
    fmt::Display,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long a port may stay taken.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts something once its port is free: tasks of what has just ended may hold the socket a moment
/// longer.
#[allow(dead_code, reason = "not every test starts something by itself")]
pub async fn once_free<T, E: Display>(
    start: impl AsyncFn() -> Result<T, E>,
    taken: impl Fn(&E) -> bool,
) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        match start().await {
            Ok(started) => return started,
            Err(why) => assert!(taken(&why) && Instant::now() < end, "{why}"),
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Starts a node once its port is free.
#[allow(dead_code, reason = "not every test starts a node again")]
pub async fn start_as(config: Config) -> Node {
    let taken = |why: &NodeError| matches!(why, NodeError::Link(LinkError::PortTaken { .. }));
    once_free(async || Node::start(config.clone()).await, taken).await
}

/// Starts the node of a directory once its port is free.
#[allow(dead_code, reason = "not every test starts a node again")]
pub async fn start(dir: &Path) -> Node {
    start_as(Config::load(&dir.join("node.toml")).unwrap()).await
}

/// Founds a network of JM, a member, and LC, the coordination office, in `dir`.
pub fn found(dir: &Path) {
    found_with(dir, Protection::InsecurePlain, None);
}

/// The same with keys that rest so.
pub fn found_with(dir: &Path, protection: Protection, passphrase_file: Option<PathBuf>) {
    let party = |code: &str, kind| InitParty {
        code: PartyCode::new(code).unwrap(),
        name: code.to_owned(),
        country: code.to_owned(),
        kind,
        address: None,
    };
    init(&InitRequest {
        dir: dir.to_owned(),
        network: NetworkCode::new("test").unwrap(),
        parties: vec![
            party("JM", PartyKind::Member),
            party("LC", PartyKind::Coordination),
        ],
        protection,
        passphrase_file,
        host: "127.0.0.1".parse().unwrap(),
        base_port: ports::free_ports(2),
        status_every_s: Some(1),
    })
    .unwrap();
}
