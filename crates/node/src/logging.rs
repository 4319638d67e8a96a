//! What a node writes about itself: text for people or JSON for machines, on standard error.

mod paced;

pub(crate) use paced::tell_left_out;

use crate::config::{LogConfig, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

/// A filter that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("log.filter `{filter}` is not a tracing filter: {reason}")]
pub struct BadFilter {
    /// As written.
    pub filter: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Starts logging for the whole process; a second call in one process changes nothing.
pub fn start(config: &LogConfig) -> Result<(), BadFilter> {
    let filter = EnvFilter::try_new(&config.filter).map_err(|e| BadFilter {
        filter: config.filter.clone(),
        reason: e.to_string(),
    })?;
    let color = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(color);
    let _ = match config.format {
        LogFormat::Text => builder.finish().with(paced::Paced).try_init(),
        LogFormat::Json => {
            let builder = builder.json().flatten_event(true);
            builder.finish().with(paced::Paced).try_init()
        }
    };
    Ok(())
}
