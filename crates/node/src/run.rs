//! The daemon: one node from start to signal.

use crate::{config::Config, logging, node::Node, node_error::NodeError};
use sd_notify::NotifyState;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Runs a node until SIGTERM or SIGINT, or until a fault ends it.
pub fn run(config: Config) -> Result<(), NodeError> {
    logging::start(&config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("abeng-io")
        .enable_all()
        .build()
        .map_err(NodeError::Runtime)?;
    let ended = runtime.block_on(until_stopped(config));
    // A thread that a fault has stopped must not hold up the end of the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn until_stopped(config: Config) -> Result<(), NodeError> {
    // Before the start, so that a signal during it is not lost.
    let mut term = signal(SignalKind::terminate()).map_err(NodeError::Runtime)?;
    let mut int = signal(SignalKind::interrupt()).map_err(NodeError::Runtime)?;
    let (party, listen) = (config.party, config.link.listen);
    let node = Node::start(config).await?;
    tracing::info!(%party, %listen, leaves = node.shared().reader.size(), "ready");
    // Outside systemd there is nobody to notify.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let fault = tokio::select! {
        _ = term.recv() => None,
        _ = int.recv() => None,
        why = node.failed() => Some(why),
    };
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    match fault {
        None => {
            tracing::info!("stopping");
            let fatal = node.fatal();
            tokio::select! {
                ended = node.shutdown() => ended?,
                why = fatal.stopped() => return Err(NodeError::Failed(why)),
            }
            tracing::info!("stopped in order");
            Ok(())
        }
        // Nothing more may be written or said.
        Some(why) => Err(NodeError::Failed(why)),
    }
}
