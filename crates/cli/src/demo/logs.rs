//! The check of a log from its files, as an auditor with nothing but the data directory would do it.

use crate::CliError;
use abeng_audit_log::{LogFault, LogReport, RealDisk, verify_log};
use abeng_node::{Config, Layout};
use abeng_roster::Trust;
use std::{path::Path, time::SystemTime};

/// Checks the whole log of a data directory. The outer error: the check could not be made.
pub(super) fn verify(home: &Path) -> Result<Result<LogReport, LogFault>, CliError> {
    let failed = |e: &dyn std::fmt::Display| CliError::internal(format!("{}: {e}", home.display()));
    let config = Config::load(&home.join("node.toml")).map_err(|e| failed(&e))?;
    let bundle = Layout::new(home).read_trust().map_err(|e| failed(&e))?;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    // From the pinned root alone, as the node does.
    let trust = Trust::from_bundle(&bundle, Some(config.root), now).map_err(|e| failed(&e))?;
    Ok(verify_log(
        &RealDisk::new(home),
        &trust,
        config.party,
        |_| (),
    ))
}
