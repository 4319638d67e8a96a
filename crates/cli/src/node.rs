//! `abeng node run` and `abengd`.

use crate::{CliError, Exit, Ui, args::NodeRunArgs};
use abeng_node::{Config, ConfigError, secret_files};
use std::process::ExitCode;

/// Runs a node, or only checks its configuration.
pub(crate) fn run(args: NodeRunArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    let config = Config::load(&args.config).map_err(|e: ConfigError| {
        let hint = e.hint();
        CliError::usage(e.to_string()).with_try(hint)
    })?;
    if args.check_config {
        let faults = secret_files::check(&config);
        if let Some(fault) = faults.iter().find(|f| f.refused) {
            return Err(CliError::usage(&*fault.what).with_try(&*fault.try_this));
        }
        for fault in &faults {
            ui.remark(&format!(
                "warning: {}\n  try: {}",
                fault.what, fault.try_this
            ));
        }
        let warnings: Vec<&str> = faults.iter().map(|f| &*f.what).collect();
        let value = serde_json::json!({
            "party": config.party.to_string(),
            "data": config.data,
            "socket": config.api.socket,
            "listen": config.link.listen.to_string(),
            "warnings": warnings,
        });
        ui.show(&value, || {
            format!(
                "{} is in order: {} listens on {}, its data is in {}.",
                args.config.display(),
                config.party,
                config.link.listen,
                config.data.display()
            )
        })?;
        return Ok(Exit::Ok.into());
    }
    abeng_node::run(config).map_err(|e| {
        let hint = e.hint();
        CliError::internal(e.to_string()).with_try(hint)
    })?;
    Ok(Exit::Ok.into())
}
