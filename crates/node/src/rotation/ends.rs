//! Until when others may have sealed to each seal key: kept beside the keyring, since trust data only
//! holds the newest two statements of a party.

use super::due::Said;
use crate::{
    keys::{KeysError, file},
    layout::{Layout, replace},
};
use abeng_wire::{Kid, Millis};
use std::{collections::BTreeMap, fs, io, path::Path};

const NAME: &str = "seal-ends.json";
/// Keys that are remembered, the newest of them: more than a century of months.
const MOST: usize = 1500;

/// Adds what these statements say, and gives all that is known.
pub(super) fn note(keys: &Path, statements: &[Said]) -> Result<BTreeMap<Kid, Millis>, KeysError> {
    let path = keys.join(NAME);
    let before = read(&path)?;
    let mut ends = before.clone();
    for said in statements {
        let end = ends.entry(said.kid).or_default();
        *end = (*end).max(said.until);
    }
    while ends.len() > MOST {
        let oldest = ends
            .iter()
            .min_by_key(|(_, end)| **end)
            .map(|(kid, _)| *kid);
        oldest.and_then(|kid| ends.remove(&kid));
    }
    if ends != before {
        let text: BTreeMap<String, Millis> = ends
            .iter()
            .map(|(kid, end)| (kid.to_string(), *end))
            .collect();
        let text = serde_json::to_vec_pretty(&text).unwrap_or_default();
        Layout::create_dir(keys).map_err(file("make", keys))?;
        replace(&path, &text, 0o600).map_err(file("write", &path))?;
    }
    Ok(ends)
}

/// What cannot be read is begun anew: a key that is not in it is never destroyed by the calendar.
fn read(path: &Path) -> Result<BTreeMap<Kid, Millis>, KeysError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(e) => return Err(file("read", path)(e)),
    };
    let ends: BTreeMap<String, Millis> = serde_json::from_slice(&text).unwrap_or_default();
    let ends = ends.into_iter();
    Ok(ends
        .filter_map(|(kid, end)| Some((Kid::from_hex(&kid)?, end)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_remembered_after_its_statement_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let said = |n: u8, until| Said {
            kid: Kid([n; 32]),
            sequence: n.into(),
            from: 0,
            until,
            by: None,
        };
        note(dir.path(), &[said(1, 10), said(2, 20)]).unwrap();
        let ends = note(dir.path(), &[said(2, 5), said(3, 30)]).unwrap();
        let ends: Vec<_> = ends.into_iter().map(|(kid, end)| (kid.0[0], end)).collect();
        assert_eq!(ends, [(1, 10), (2, 20), (3, 30)]);
        fs::write(dir.path().join(NAME), "{").unwrap();
        assert_eq!(note(dir.path(), &[said(4, 1)]).unwrap().len(), 1);
    }
}
