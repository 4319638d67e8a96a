//! Reaching the node that a command speaks with.

use crate::{CliError, args::Common};
use abeng_api::Client;
use std::path::PathBuf;

/// The socket of a node installed as a service.
const DEFAULT_SOCKET: &str = "/run/abeng/abeng.sock";

/// `--socket`, else `--data`, else `ABENG_SOCKET`, else the installed node's.
pub(crate) fn socket(common: &Common) -> PathBuf {
    let named = common.socket.clone();
    named
        .or_else(|| common.data.as_ref().map(|dir| dir.join("abeng.sock")))
        .or_else(|| {
            let env = std::env::var_os("ABENG_SOCKET");
            env.filter(|v| !v.is_empty()).map(PathBuf::from)
        })
        .unwrap_or_else(|| DEFAULT_SOCKET.into())
}

/// A client of that node; nothing is connected yet.
pub(crate) fn client(common: &Common) -> Client {
    Client::unix(socket(common))
}

/// Runs a command's asynchronous part to its end, or until Ctrl-C.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
