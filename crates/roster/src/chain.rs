use crate::{Root, Roster, TrustError, digest};
use abeng_wire::{Digest, decode, limits, v1};

/// Roots and rosters walked one by one, all kept: for whoever judges something old offline.
/// Whether any of them has expired since is not asked.
#[derive(Debug, Clone)]
pub struct Chain {
    founding: Digest,
    newest_root: Root,
    newest: Roster,
    /// The other rosters, the oldest first.
    older: Vec<Roster>,
}

/// Which statement a walk stops at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainPlace {
    /// The root in this place of the list.
    Root(usize),
    /// The roster in this place of the list.
    Roster(usize),
}

/// Why a walk stops.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct BrokenChain {
    /// Where.
    pub at: ChainPlace,
    /// Why.
    pub source: TrustError,
}

impl Chain {
    /// Walks roots from the first, then rosters from version 1, each made under a root of the
    /// chain. Nothing may be left out, come twice or be out of order.
    pub fn walk(
        roots: &[v1::Signed],
        rosters: &[v1::Signed],
        pinned_root: Option<Digest>,
    ) -> Result<Self, BrokenChain> {
        pin(roots, pinned_root)?;
        let mut walked: Vec<Root> = Vec::with_capacity(roots.len());
        for (i, signed) in roots.iter().enumerate() {
            let root = match walked.last() {
                None => Root::begin(signed),
                Some(before) => before.walk(signed),
            };
            walked.push(root.map_err(|e| stop(ChainPlace::Root(i), e))?);
        }
        let mut older: Vec<Roster> = Vec::with_capacity(rosters.len());
        for (i, signed) in rosters.iter().enumerate() {
            let roster = next_roster(&walked, older.last(), signed);
            older.push(roster.map_err(|e| stop(ChainPlace::Roster(i), e))?);
        }
        match (walked.first().map(Root::digest), walked.pop(), older.pop()) {
            (Some(founding), Some(newest_root), Some(newest)) => Ok(Self {
                founding,
                newest_root,
                newest,
                older,
            }),
            _ => Err(missing(ChainPlace::Roster(0), "roster")),
        }
    }

    /// The first root's digest, by which people name the network's founding.
    pub fn founding(&self) -> Digest {
        self.founding
    }

    /// The newest root.
    pub fn newest_root(&self) -> &Root {
        &self.newest_root
    }

    /// The newest roster.
    pub fn newest(&self) -> &Roster {
        &self.newest
    }

    /// All rosters, the newest first.
    pub fn rosters(&self) -> impl Iterator<Item = &Roster> {
        std::iter::once(&self.newest).chain(self.older.iter().rev())
    }

    /// The roster of a version.
    pub fn roster(&self, version: u64) -> Option<&Roster> {
        self.rosters().find(|r| r.version() == version)
    }
}

fn pin(roots: &[v1::Signed], pinned: Option<Digest>) -> Result<(), BrokenChain> {
    let at = ChainPlace::Root(0);
    let first = roots.first().ok_or_else(|| missing(at, "root"))?;
    let found = digest(&first.bytes);
    match pinned {
        Some(pinned) if pinned != found => Err(stop(at, TrustError::OtherRoot { pinned, found })),
        _ => Ok(()),
    }
}

fn next_roster(
    roots: &[Root],
    previous: Option<&Roster>,
    signed: &v1::Signed,
) -> Result<Roster, TrustError> {
    let says: v1::Roster = decode("roster", &signed.bytes, limits::ROSTER)?;
    let under = roots
        .iter()
        .find(|root| root.version() == says.root_version)
        .ok_or_else(|| TrustError::OtherRootVersion {
            version: says.version,
            expected: roots.last().map_or(0, Root::version),
            found: says.root_version,
        })?;
    Roster::walk(under, previous, signed)
}

fn missing(at: ChainPlace, what: &'static str) -> BrokenChain {
    stop(at, TrustError::Missing { what })
}

fn stop(at: ChainPlace, source: TrustError) -> BrokenChain {
    BrokenChain { at, source }
}
