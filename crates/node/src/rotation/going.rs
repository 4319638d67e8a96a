//! Which seal keys are to be destroyed, until the log says that they are.

use crate::{
    keys::{KeysError, file},
    layout::{Layout, replace},
};
use abeng_wire::Kid;
use std::{collections::BTreeSet, fs, io, path::Path};

const NAME: &str = "seal-going.json";

/// One more.
pub(super) fn add(keys: &Path, kid: Kid) -> Result<(), KeysError> {
    let mut noted = read(keys)?;
    if noted.insert(kid) {
        write(keys, &noted)?;
    }
    Ok(())
}

/// One that is gone, and said to be.
pub(super) fn done(keys: &Path, kid: &Kid) -> Result<(), KeysError> {
    let mut noted = read(keys)?;
    if noted.remove(kid) {
        write(keys, &noted)?;
    }
    Ok(())
}

/// All that are noted. What cannot be understood names none: nothing is destroyed by mistake.
pub(super) fn read(keys: &Path) -> Result<BTreeSet<Kid>, KeysError> {
    let path = keys.join(NAME);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(e) => return Err(file("read", &path)(e)),
    };
    let noted: Vec<String> = serde_json::from_slice(&text).unwrap_or_default();
    Ok(noted.iter().filter_map(|kid| Kid::from_hex(kid)).collect())
}

fn write(keys: &Path, noted: &BTreeSet<Kid>) -> Result<(), KeysError> {
    let path = keys.join(NAME);
    let text: Vec<String> = noted.iter().map(ToString::to_string).collect();
    let text = serde_json::to_vec_pretty(&text).unwrap_or_default();
    Layout::create_dir(keys).map_err(file("make", keys))?;
    replace(&path, &text, 0o600).map_err(file("write", &path))
}
