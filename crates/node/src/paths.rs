//! `[link.peers]`, `[link.metered]` and `[limits]` of node.toml: what the paths to others are like,
//! and what others may ask.

use crate::size::Size;
use abeng_link::{PeerLimits, Profile, Rate};
use abeng_wire::PartyCode;
use serde::Deserialize;
use serde_spanned::Spanned;
use std::{collections::BTreeMap, num::NonZeroU32};

/// Paths on which every byte is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metering {
    /// Bytes a day, both ways and all metered paths together; `None`: no bound.
    pub budget: Option<u64>,
    /// Of these, kept for FLASH.
    pub flash: u64,
    /// Time between two contacts where nothing is queued, in milliseconds.
    pub contact_every_ms: u64,
}

/// A quarter of a budget is kept for FLASH unless it is said otherwise.
const FLASH_SHARE: u64 = 4;
/// Once an hour.
const CONTACT_EVERY_MS: u64 = 3_600_000;

impl Default for Metering {
    fn default() -> Self {
        Self {
            budget: None,
            flash: 0,
            contact_every_ms: CONTACT_EVERY_MS,
        }
    }
}

/// What kind of path, as the file names it.
#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LinkProfile {
    #[default]
    Cable,
    Satellite,
    Metered,
}

impl From<LinkProfile> for Profile {
    fn from(profile: LinkProfile) -> Self {
        match profile {
            LinkProfile::Cable => Self::Cable,
            LinkProfile::Satellite => Self::Satellite,
            LinkProfile::Metered => Self::Metered,
        }
    }
}

/// `[link.peers.JM]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeerSection {
    #[serde(default)]
    pub(crate) profile: Option<LinkProfile>,
    /// Bytes a second.
    pub(crate) rate: Option<Size>,
}

/// `[link.peers]`: by code.
pub(crate) type Peers = BTreeMap<Spanned<String>, PeerSection>;

/// The profiles by party; else the code that is none.
pub(crate) fn profiles(
    peers: &Peers,
) -> Result<BTreeMap<PartyCode, Profile>, (&Spanned<String>, String)> {
    let mut profiles = BTreeMap::new();
    for (party, section) in parties(peers)? {
        if let Some(profile) = section.profile {
            profiles.insert(party, profile.into());
        }
    }
    Ok(profiles)
}

/// The rates by party, in bytes a second; else the code that is none.
pub(crate) fn rates(peers: &Peers) -> Result<BTreeMap<PartyCode, u64>, (&Spanned<String>, String)> {
    let mut rates = BTreeMap::new();
    for (party, section) in parties(peers)? {
        if let Some(rate) = section.rate {
            rates.insert(party, rate.0);
        }
    }
    Ok(rates)
}

type Section<'a> = (PartyCode, &'a PeerSection);

fn parties(peers: &Peers) -> Result<Vec<Section<'_>>, (&Spanned<String>, String)> {
    let party = |(code, section)| {
        let code: &Spanned<String> = code;
        let party = PartyCode::new(code.get_ref()).map_err(|e| (code, e.to_string()))?;
        Ok((party, section))
    };
    peers.iter().map(party).collect()
}

/// `[link.metered]`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct MeteredSection {
    budget: Option<Size>,
    flash: Option<Spanned<Size>>,
    contact_every_s: Option<NonZeroU32>,
}

impl MeteredSection {
    /// Else where, and what is wrong.
    pub(crate) fn checked(self) -> Result<Metering, (std::ops::Range<usize>, String)> {
        let budget = self.budget.map(|b| b.0);
        let usual = budget.map_or(0, |b| b / FLASH_SHARE);
        if let Some(flash) = &self.flash
            && budget.is_none_or(|b| flash.get_ref().0 > b)
        {
            let what = "link.metered.flash is a part of link.metered.budget: it must not be more";
            return Err((flash.span(), what.to_owned()));
        }
        Ok(Metering {
            budget,
            flash: self.flash.map_or(usual, |f| f.get_ref().0),
            contact_every_ms: self
                .contact_every_s
                .map_or(CONTACT_EVERY_MS, |s| u64::from(s.get()) * 1000),
        })
    }
}

/// `[limits]`: of each peer.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsSection {
    envelopes_per_s: Option<NonZeroU32>,
    bytes_per_s: Option<Size>,
    questions_per_s: Option<NonZeroU32>,
}

impl LimitsSection {
    /// With what is usual where nothing is said. A burst is four seconds' worth.
    pub(crate) fn limits(&self) -> PeerLimits {
        let usual = PeerLimits::default();
        let rate = |per_s: Option<u64>, usual: Rate| match per_s {
            Some(per_s) => Rate {
                per_s,
                burst: per_s.saturating_mul(4),
            },
            None => usual,
        };
        let count = |n: Option<NonZeroU32>| n.map(|n| u64::from(n.get()));
        PeerLimits {
            envelopes: rate(count(self.envelopes_per_s), usual.envelopes),
            bytes: rate(self.bytes_per_s.map(|b| b.0.max(1)), usual.bytes),
            asking: count(self.questions_per_s).map_or(usual.asking, |per_s| Rate {
                per_s,
                // The first minutes of a link ask much: gaps, checkpoints, attachments.
                burst: usual.asking.burst.max(per_s.saturating_mul(4)),
            }),
            ..usual
        }
    }
}
