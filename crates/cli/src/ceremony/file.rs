//! Files of ceremonies, and trust bundles: read and written whole.

use crate::{CliError, Exit, args::OutArgs};
use abeng_roster::armour;
use abeng_wire::{NetworkCode, limits, v1, v1::ceremony_file::What};
use bytes::Bytes;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// What a ceremony file holds.
pub(super) struct Paper {
    pub(super) network: NetworkCode,
    pub(super) what: What,
}

/// Reads a ceremony file.
pub(super) fn paper(path: &Path) -> Result<Paper, CliError> {
    let bytes = read(path, limits::CEREMONY_TEXT)?;
    let text = String::from_utf8(bytes).map_err(|_| not_one(path, "it is no text"))?;
    let file = armour::read(&text).map_err(|e| not_one(path, &e))?;
    let network = NetworkCode::new(&file.network).map_err(|e| not_one(path, &e))?;
    match file.what {
        Some(what) => Ok(Paper { network, what }),
        None => Err(not_one(
            path,
            "it is of a kind that this version does not know",
        )),
    }
}

/// Whether a file looks like a ceremony file, and not like a trust bundle.
pub(super) fn is_paper(path: &Path) -> Result<bool, CliError> {
    let bytes = read(path, limits::CEREMONY_TEXT)?;
    Ok(String::from_utf8_lossy(&bytes).contains(armour::BEGIN))
}

/// Reads a trust bundle; nothing in it is believed yet.
pub(super) fn bundle(path: &Path) -> Result<v1::TrustBundle, CliError> {
    let bytes = read(path, limits::TRUST_BUNDLE)?;
    if String::from_utf8_lossy(&bytes).contains(armour::BEGIN) {
        return Err(CliError::usage(format!(
            "{} is a ceremony file, not a trust bundle",
            path.display()
        ))
        .with_try("name trust/bundle.pb of a node, or what was published last"));
    }
    abeng_wire::decode("trust bundle", &bytes.into(), limits::TRUST_BUNDLE).map_err(|e| {
        CliError::new(
            Exit::Unverified,
            format!("{} is no trust bundle: {e}", path.display()),
        )
    })
}

/// Decodes what was verified before.
pub(super) fn decode<M: prost::Message + Default>(bytes: &Bytes) -> Result<M, CliError> {
    M::decode(bytes.clone()).map_err(|e| CliError::internal(e.to_string()))
}

/// Writes a ceremony file.
pub(super) fn write_paper(network: NetworkCode, what: What, out: &OutArgs) -> Result<(), CliError> {
    let file = v1::CeremonyFile {
        network: network.to_string(),
        what: Some(what),
    };
    write(out, armour::write(&file).as_bytes())
}

/// Writes a trust bundle.
pub(super) fn write_bundle(bundle: &v1::TrustBundle, out: &OutArgs) -> Result<(), CliError> {
    write(out, &abeng_wire::encode(bundle))
}

/// Refuses before any work is done what [`write`] would refuse after it.
pub(super) fn check_free(out: &OutArgs) -> Result<(), CliError> {
    if out.force || !out.out.exists() {
        return Ok(());
    }
    Err(
        CliError::new(Exit::Refused, format!("{} exists", out.out.display()))
            .with_try("give another name with --out, or add --force to write over it"),
    )
}

/// Written beside its place, synced, renamed: whole or not at all.
fn write(out: &OutArgs, bytes: &[u8]) -> Result<(), CliError> {
    check_free(out)?;
    let path = &out.out;
    let failed = |e: io::Error| {
        CliError::internal(format!("cannot write {}: {e}", path.display()))
            .with_try("name a file in a directory that you may write to")
    };
    let mut staged = path.clone().into_os_string();
    staged.push(".new");
    let put = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o644)
            .open(&staged)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&staged, path)?;
        match path.parent().filter(|p| !p.as_os_str().is_empty()) {
            Some(dir) => File::open(dir)?.sync_all(),
            None => File::open(".")?.sync_all(),
        }
    };
    put().map_err(failed)
}

fn read(path: &Path, limit: usize) -> Result<Vec<u8>, CliError> {
    let unreadable = |e: io::Error| CliError::usage(format!("cannot read {}: {e}", path.display()));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    let most = limit as u64 + 1;
    file.take(most)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    match bytes.len() > limit {
        true => Err(not_one(path, "it is too long")),
        false => Ok(bytes),
    }
}

fn not_one(path: &Path, why: impl std::fmt::Display) -> CliError {
    CliError::new(
        Exit::Unverified,
        format!("{} is no ceremony file: {why}", path.display()),
    )
}
