//! What must stand before anything of a node runs: the directory held, the keys unlocked, trust data
//! verified from the pinned root, the journal recovered.

use crate::{
    config::Config,
    count::count,
    identity::{check_keys, load_trust, open_identity, unlock},
    layout::Layout,
    life::{finish_switch, kept_lives},
    metered::Metered,
    node_error::NodeError,
    quota::{Probe, Quota},
    restore::not_half_restored,
};
use abeng_api::{Warned, Warning};
use abeng_audit_log::{DirLock, Journal, OpenOptions, RealDisk, Recovery};
use abeng_keys::Keyring;
use abeng_roster::Trust;
use abeng_wire::Incarnation;
use std::sync::Arc;

/// Everything that was opened; dropping it lets go of the directory.
pub(crate) struct Opened {
    pub(crate) layout: Layout,
    pub(crate) held: DirLock,
    pub(crate) quota: Arc<Quota>,
    pub(crate) metered: Metered,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) trust: Trust,
    pub(crate) journal: Journal<RealDisk>,
    pub(crate) recovery: Recovery,
    pub(crate) incarnation: Incarnation,
}

impl Opened {
    pub(crate) fn open(config: &Config, room: Arc<dyn Probe>) -> Result<Self, NodeError> {
        let layout = Layout::new(&config.data);
        if !layout.root().is_dir() {
            return Err(NodeError::NoData {
                dir: config.data.clone(),
            });
        }
        let disk = RealDisk::new(layout.root());
        let held = disk.lock().map_err(|source| NodeError::Directory {
            dir: config.data.clone(),
            source,
        })?;
        let held = held.ok_or_else(|| NodeError::InUse {
            dir: config.data.clone(),
        })?;
        not_half_restored(&config.data)?;
        // A new life whose opening a crash cut short is whole, or was not begun.
        finish_switch(&layout).map_err(|e| NodeError::Failed(e.to_string()))?;
        let now = crate::clock::wall();
        let quota =
            Arc::new(
                Quota::new(config.quota, room).map_err(|source| NodeError::Directory {
                    dir: config.data.clone(),
                    source,
                })?,
            );
        let spent = layout.budget();
        let metered = Metered::open(config.link.metered, spent.clone()).map_err(|source| {
            NodeError::Budget {
                path: spent,
                source,
            }
        })?;
        let keyring = Arc::new(unlock(config, &layout)?);
        let trust = load_trust(config, &layout, now)?;
        check_keys(&keyring, &trust)?;

        let (journal, recovery) = Journal::open(disk, OpenOptions::default())?;
        let incarnation = open_identity(&journal, &trust, config.party, &config.data)?;
        Ok(Self {
            layout,
            held,
            quota,
            metered,
            keyring,
            trust,
            journal,
            recovery,
            incarnation,
        })
    }
}

/// What the operator should know of the state that was found.
pub(crate) fn remarks(recovery: &Recovery, layout: &Layout) -> Vec<Warning> {
    let mut notices = Vec::new();
    if let Some(torn) = &recovery.torn_tail {
        tracing::warn!(file = %torn.file, offset = torn.offset, bytes = torn.bytes, "a batch that was being written when the node stopped was cut off; it was never acknowledged");
        let told = Warning::from(format!(
            "a torn batch of {} bytes at {}:{} was cut off at the last start",
            torn.bytes, torn.file, torn.offset
        ));
        let values = [
            ("bytes", torn.bytes.to_string()),
            ("file", torn.file.to_string()),
            ("offset", torn.offset.to_string()),
        ];
        notices.push(told.because(Warned::TornTail, values));
    }
    if recovery.tiles_ahead > 0 {
        tracing::error!(
            leaves = recovery.tiles_ahead,
            "tiles hold leaves that the journal does not: acknowledged leaves were lost, or this is an old copy"
        );
        let told = Warning::from(format!(
            "missing in the journal, and known from tiles: {}. This may be an old copy",
            count(recovery.tiles_ahead, "leaf", "leaves")
        ));
        let values = [("count", recovery.tiles_ahead.to_string())];
        notices.push(told.because(Warned::TilesAhead, values));
    }
    if recovery.tiles_rebuilt > 0 {
        tracing::info!(
            leaves = recovery.tiles_rebuilt,
            "node hashes were computed again"
        );
    }
    if kept_lives(layout) > 0 {
        let dir = layout.root().join("lives").display().to_string();
        let told = Warning::from(format!(
            "the journal of an earlier life lies in {dir}: what is deleted or taken back here stays there. Once this life runs well, delete that directory"
        ));
        notices.push(told.because(Warned::EarlierLife, [("dir", dir)]));
    }
    notices
}
