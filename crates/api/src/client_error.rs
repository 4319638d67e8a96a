use crate::{ApiError, Cause, CauseView};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a call to a node brought no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is nothing at the socket's path.
    #[error("no node is running here: there is no socket at {path}", path = path.display())]
    SocketAbsent {
        /// The path.
        path: PathBuf,
    },
    /// What is at the path is not a node's socket, or not one to trust.
    #[error("{path} is not a node's socket: {why}", path = path.display())]
    NotOurs {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        why: NotOurs,
    },
    /// A socket is there, but nobody listens: the node has ended.
    #[error("no node is running here: nobody listens at {path}", path = path.display())]
    Refused {
        /// The path.
        path: PathBuf,
    },
    /// The operating system does not let this user in.
    #[error("this user may not use {path}", path = path.display())]
    Denied {
        /// The path.
        path: PathBuf,
    },
    /// The node cannot be reached for another reason.
    #[error("the node at {address} cannot be reached: {source}")]
    Unreachable {
        /// Path or TCP address.
        address: String,
        /// The system's error.
        source: io::Error,
    },
    /// The node's own answer.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The answer cannot be understood, or broke off.
    #[error("the node's answer cannot be used: {what}")]
    Protocol {
        /// What happened.
        what: String,
    },
}

/// What is wrong with what is at a socket's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOurs {
    /// A file, a directory, or something else.
    #[error("it is not a socket")]
    NoSocket,
    /// Anybody could listen there.
    #[error("its mode lets every user in")]
    OpenToAll,
    /// What answers does not speak HTTP.
    #[error("what listens there does not speak HTTP")]
    NoHttp,
    /// What answers is no node.
    #[error("what listens there is not an Abeng node")]
    NoNode,
}

impl ClientError {
    /// What the person at the keyboard can try.
    pub fn try_this(&self) -> Option<String> {
        Some(match self {
            Self::SocketAbsent { .. } | Self::Refused { .. } => {
                "start the node (`abeng node run --config node.toml`), or name the right one with \
                 --data DIR, --socket PATH or ABENG_SOCKET"
                    .to_owned()
            }
            Self::NotOurs { .. } => {
                "name the node's own socket with --socket PATH; it is `abeng.sock` in the node's \
                 data directory"
                    .to_owned()
            }
            Self::Denied { .. } => {
                "ask the node's administrator to put you into the socket's group".to_owned()
            }
            Self::Unreachable { .. } => "check that the node is running".to_owned(),
            Self::Api(error) => return error.try_this.clone(),
            Self::Protocol { .. } => {
                "look at `abeng sent list` before you repeat a submission, and at the node's log"
                    .to_owned()
            }
        })
    }

    /// What failed by name, for those who tell it in another language.
    pub fn cause(&self) -> Option<Box<CauseView>> {
        let at = |cause, path: &Path| CauseView::new(cause, [("path", path.display().to_string())]);
        Some(Box::new(match self {
            Self::SocketAbsent { path } => at(Cause::SocketAbsent, path),
            Self::Refused { path } => at(Cause::SocketSilent, path),
            Self::Denied { path } => at(Cause::SocketDenied, path),
            Self::NotOurs { path, why } => at(
                match why {
                    NotOurs::NoSocket => Cause::SocketNone,
                    NotOurs::OpenToAll => Cause::SocketOpenToAll,
                    NotOurs::NoHttp | NotOurs::NoNode => Cause::SocketOfOther,
                },
                path,
            ),
            Self::Unreachable { address, source } => CauseView::new(
                Cause::NodeUnreachable,
                [("address", address.clone()), ("why", source.to_string())],
            ),
            Self::Api(error) => return error.cause.clone(),
            Self::Protocol { what } => {
                CauseView::new(Cause::AnswerUnusable, [("what", what.clone())])
            }
        }))
    }
}
