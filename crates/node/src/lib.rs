//! An Abeng node.
//!
//! In scope: the configuration, starting and stopping, the threads and tasks that carry a notice
//! between the journal, the engine, the view, the links and the local interface, the operator's
//! questions, metrics, and the founding of a network on one machine.
//!
//! Not in scope: every rule. What may be sent stands in `notice` and `roster`, what is sealed in
//! `seal`, what is durable in `audit-log`, what is done in `queue`, how it travels in `link`.
//!
//! Threads: `abeng-core` asks the engine, `abeng-journal` writes, `abeng-dispatch` carries out
//! what is durable, `abeng-view` holds sled, `abeng-ahead` prepares segments; tasks on
//! `abeng-io` read links and answer requests.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod act;
mod adoption;
mod again;
pub mod age;
mod attachments;
mod audit;
mod backup;
mod blobs;
mod budget;
mod checking;
mod clock;
mod clocks;
mod config;
mod copied_keys;
mod core;
mod cost;
pub mod count;
mod courier;
mod desk;
mod dispatch;
pub mod drill;
mod events;
mod evidence;
mod fatal;
pub mod founding;
mod gauges;
mod handler;
mod health;
pub mod held;
mod hold;
mod identity;
mod inbound;
pub mod keys;
mod lacking;
mod layout;
mod life;
mod limits;
mod logging;
mod lost;
mod metered;
mod metrics;
mod newer;
mod node;
mod node_error;
mod not_coming;
mod opened;
mod operator;
mod outlet;
mod past;
pub mod paths;
mod prepared;
pub mod quota;
mod rates;
mod reading;
mod recall;
mod receipts;
mod recent;
mod recovery;
mod refused;
mod relaying;
mod releases;
mod replaced_keys;
mod restore;
pub mod retention;
mod roster_acts;
mod rotation;
pub mod rules;
mod run;
mod sealing_anew;
pub mod secret_files;
mod sent;
mod shared;
mod signing;
pub mod size;
mod split;
mod stale;
pub mod streams;
mod submit;
#[cfg(test)]
mod test_network;
mod timekeeper;
mod timeline;
mod token;
mod view;
mod watch;
mod witnessing;
mod writer;

pub use backup::{
    BackupError, BackupReport, Manifest, PlainKeys, back_up, last_backup, same_file_system,
};
pub use clock::rfc3339;
pub use config::{
    ApiConfig, Config, ConfigError, DualControl, KeysConfig, LinkConfig, LogConfig, LogFormat,
    PinConfig, Releaser, SealConfig, TokenConfig, Trigger,
};
pub use courier::fault_view as courier_fault;
pub use health::SOFTWARE;
pub use identity::with_token;
pub use lacking::LackingKey;
pub use layout::Layout;
pub use life::{IfNewer, LifeError, LifeReport, new_life};
pub use newer::NewerLife;
pub use node::Node;
pub use node_error::NodeError;
pub use past::SUBMITS_NOTHING;
pub use restore::{Lacking, RestoreError, Source, backup_of, lacking_keys, restore};
pub use rotation::{Turn, TurnError};
pub use run::run;
