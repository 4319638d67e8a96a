//! A newer life of this party's own log: who showed it here first, and when. The proof is in the
//! journal; this is for the people who must choose between two copies.

use crate::{
    clock,
    layout::{Layout, replace},
};
use abeng_api::NewerLifeView;
use abeng_wire::{Incarnation, Millis, PartyCode};
use serde::{Deserialize, Serialize};
use std::{fmt, fs, io, path::PathBuf};

/// Lies in the data directory of an older copy.
const FILE: &str = "newer-life.json";

/// A newer life of the own log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewerLife {
    /// Which.
    pub life: Incarnation,
    /// Who showed it here first, and when; `None` where that is not known any more.
    pub shown: Option<(PartyCode, Millis)>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    /// 16 hex digits.
    life: String,
    peer: String,
    at_ms: Millis,
}

impl NewerLife {
    /// With what an earlier start has kept of it.
    pub fn recover(life: Incarnation, layout: &Layout) -> Self {
        let kept = fs::read(path(layout)).ok();
        let kept = kept.and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok());
        let kept = kept.filter(|kept| kept.life == life.to_string());
        let shown = kept.and_then(|kept| Some((PartyCode::new(&kept.peer).ok()?, kept.at_ms)));
        Self { life, shown }
    }

    /// For the next start.
    pub fn keep(&self, layout: &Layout) -> io::Result<()> {
        let Some((peer, at_ms)) = self.shown else {
            return Ok(());
        };
        let kept = Kept {
            life: self.life.to_string(),
            peer: peer.to_string(),
            at_ms,
        };
        let bytes = serde_json::to_vec(&kept).map_err(io::Error::other)?;
        replace(&path(layout), &bytes, 0o600)
    }

    /// For the operator.
    pub fn view(&self) -> NewerLifeView {
        NewerLifeView {
            incarnation: self.life.to_string(),
            begun_at: clock::rfc3339(self.life.begun()),
            shown_by: self.shown.map(|(peer, _)| peer.to_string()),
            shown_at: self.shown.map(|(_, at)| clock::rfc3339(at)),
        }
    }
}

impl fmt::Display for NewerLife {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (life, begun) = (self.life, clock::rfc3339(self.life.begun()));
        write!(f, "a newer life of this log, {life}, begun {begun}")?;
        match self.shown {
            Some((peer, at)) => {
                let at = clock::rfc3339(at);
                write!(
                    f,
                    ", is at work elsewhere: {peer} showed it here first, {at}"
                )
            }
            None => write!(f, ", is at work elsewhere"),
        }
    }
}

/// The copy here goes on in a life of its own: nothing is newer.
pub fn forget(layout: &Layout) -> io::Result<()> {
    match fs::remove_file(path(layout)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn path(layout: &Layout) -> PathBuf {
    layout.root().join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_showed_a_newer_life_is_known_after_a_restart_and_only_of_that_life() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        let life = Incarnation(5 << 16);
        let newer = NewerLife {
            life,
            shown: Some(("LC".parse().unwrap(), 7000)),
        };
        newer.keep(&layout).unwrap();
        assert_eq!(NewerLife::recover(life, &layout), newer);
        let words = newer.to_string();
        for part in ["0000000000050000", "00:00:00.005", "LC", "00:00:07"] {
            assert!(words.contains(part), "{part}: {words}");
        }
        let other = NewerLife::recover(Incarnation(6 << 16), &layout);
        assert_eq!(other.shown, None);
        forget(&layout).unwrap();
        forget(&layout).unwrap();
        assert_eq!(NewerLife::recover(life, &layout).shown, None);
    }
}
