//! `abeng audit contradictions`: what this node holds against the logs of others.

use super::write_new;
use crate::{
    CliError, Exit, Ui,
    args::{Common, ContradictionsArgs},
    connect,
    table::{Align, Table},
};
use abeng_api::ContradictionView;
use abeng_evidence::ContradictionFile;
use abeng_wire::{decode, limits, v1};
use bytes::Bytes;
use data_encoding::BASE64;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

pub(crate) fn contradictions(
    args: ContradictionsArgs,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    let held = connect::block_on(async { Ok(connect::client(common).contradictions().await?) })?;
    let Some(dir) = args.export else {
        ui.show(&held, || table(&held, ui))?;
        return Ok(Exit::Ok.into());
    };
    std::fs::create_dir_all(&dir).map_err(|e| {
        CliError::usage(format!("cannot make {}: {e}", dir.display()))
            .with_try("name a directory that you may write to")
    })?;
    let mut written = Vec::new();
    for one in &held {
        let path = dir.join(name(one));
        // What was exported before is the same file, byte for byte.
        if !path.exists() {
            write_new(&path, &file(one)?)?;
            written.push(path);
        }
    }
    let paths: Vec<String> = written.iter().map(|p| p.display().to_string()).collect();
    ui.show(&paths, || told(&paths, held.len(), &dir))?;
    Ok(Exit::Ok.into())
}

fn name(one: &ContradictionView) -> PathBuf {
    let (first, second) = (one.first_size, one.second_size);
    let name = format!("{}-{}-{first}-{second}", one.party, one.incarnation);
    // The node's word, but a name must stay in its directory.
    let safe = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let name: String = name.chars().filter(|c| safe(*c)).collect();
    format!("{name}.contradiction").into()
}

fn file(one: &ContradictionView) -> Result<Bytes, CliError> {
    let strange =
        |what: String| CliError::internal(format!("the node's answer about {}: {what}", one.party));
    let bytes = |text: &str| {
        let bytes = BASE64.decode(text.as_bytes());
        bytes.map(Bytes::from).map_err(|e| strange(e.to_string()))
    };
    let trust: v1::TrustBundle = decode("trust bundle", &bytes(&one.trust)?, limits::TRUST_BUNDLE)
        .map_err(|e| strange(e.to_string()))?;
    let contradiction = decode("contradiction", &bytes(&one.proof)?, limits::CONTRADICTION)
        .map_err(|e| strange(e.to_string()))?;
    let file = ContradictionFile {
        roots: trust.roots,
        rosters: trust.rosters,
        contradiction,
    };
    file.build().map_err(|fault| {
        let what = format!(
            "what the node holds against {} proves nothing: {fault}",
            one.party
        );
        CliError::new(Exit::Unverified, what)
    })
}

fn table(held: &[ContradictionView], ui: &Ui) -> String {
    if held.is_empty() {
        return "No log has contradicted itself as far as this node has seen.".to_owned();
    }
    let mut table = Table::new([
        ("PARTY", Align::Left),
        ("SINCE", Align::Left),
        ("LEAVES", Align::Right),
        ("AND", Align::Right),
        ("LINKS", Align::Left),
    ]);
    for one in held {
        let links = if one.quarantined {
            "refused"
        } else {
            "accepted"
        };
        table.row([
            one.party.clone(),
            ui.short_time(&one.kept_at),
            one.first_size.to_string(),
            one.second_size.to_string(),
            links.to_owned(),
        ]);
    }
    table.render(ui.line_width(), |line| ui.paint(crate::Paint::Strong, line))
}

fn told(paths: &[String], held: usize, dir: &Path) -> String {
    let mut out: String = paths.iter().map(|path| format!("{path}\n")).collect();
    let before = held - paths.len();
    if before > 0 {
        out += &format!("{before} more in {} already\n", dir.display());
    }
    if held == 0 {
        out += "Nothing to export: no log has contradicted itself as far as this node has seen.\n";
    }
    out
}
