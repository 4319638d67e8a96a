//! What a run is about: each scenario has weather of its own, and things that must happen in it.

use std::{fmt, str::FromStr};

/// A kind of run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// Everything a little, in another mixture for every seed.
    Mixed,
    /// Ten days without a cable for some, who come back one after the other to a backlog.
    Hurricane,
    /// Two islands: links inside, none between.
    Islands,
    /// Links that come and go all the time.
    Flapping,
    /// Disks that are full, and freed.
    FullDisk,
    /// Wall clocks that jump by years, both ways.
    Clocks,
    /// One node that hardly gets anything done, and reads late.
    SlowPeer,
    /// No paths but those to a relay, which drops, keeps back, shuffles and repeats what it carries.
    MaliciousRelay,
    /// A disk is lost, and put back from a backup or from keys alone, in a new life.
    Restored,
    /// An older copy of a disk is started as it is, and both run in turns, until peers show proof.
    Clone,
}

impl Scenario {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Mixed,
        Self::Hurricane,
        Self::Islands,
        Self::Flapping,
        Self::FullDisk,
        Self::Clocks,
        Self::SlowPeer,
        Self::MaliciousRelay,
        Self::Restored,
        Self::Clone,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Hurricane => "hurricane",
            Self::Islands => "islands",
            Self::Flapping => "flapping",
            Self::FullDisk => "full-disk",
            Self::Clocks => "clocks",
            Self::SlowPeer => "slow-peer",
            Self::MaliciousRelay => "malicious-relay",
            Self::Restored => "restored",
            Self::Clone => "clone",
        }
    }

    /// What a good many runs of it must have met between them: a check that never comes near the
    /// danger is none.
    pub fn must(self) -> &'static [&'static str] {
        match self {
            Self::Mixed => &[
                "accepted",
                "delivered",
                "receipt taken",
                "voided",
                "expiry",
                "came too late",
                "crash",
                "crash while writing",
                "crash before telling",
                "crash while telling",
                "crash in recovery",
                "crash while preparing",
                "killed, not cut",
                "torn tail",
                "write torn",
                "writes reordered",
                "length lost",
                "name lost",
                "rename lost",
                "disk error",
                "stopped by its disk",
                "second segment",
                "survived untold",
                "view lost",
                "view older",
                "expired before durable",
                "duplicate answered",
                "proved again",
                "link cut with frames in flight",
                "stream reset with frames in flight",
                "one-way",
                "hello timed out",
                "sent on new credit",
                "replay",
                "brought to the wrong door",
                "replay of an older life",
                "damage",
                "copy dropped",
                "skew",
            ],
            Self::Hurricane => &[
                "ten days without a link",
                "backlog of 20 at a return",
                "expiry",
                "crash",
                "second segment",
                "staggered return",
            ],
            Self::Islands => &[
                "partition",
                "delivered inside an island",
                "queued across islands",
                "crash",
            ],
            Self::Flapping => &[
                "cut",
                "link cut with frames in flight",
                "duplicate answered",
                "hello",
            ],
            Self::FullDisk => &[
                "disk full",
                "disk freed",
                "stopped by its disk",
                "did not start on a full disk",
                "crash while full",
            ],
            Self::Clocks => &[
                "clock years ahead",
                "clock years behind",
                "expiry",
                "submission refused by the clock",
                "link refused by the clock",
                "copy dropped",
            ],
            Self::MaliciousRelay => &[
                "only a relay between",
                "taken to carry",
                "relay answers a copy",
                "relay drops",
                "relay keeps back",
                "relay delays",
                "relay reorders",
                "receipt handed on",
                "receipt by a relay",
                "delivered through a relay",
                "gap asked for over a relay",
                "word passed on",
                "relay drops a word",
                "duplicate answered",
                "crash",
                "replay",
            ],
            Self::Restored => &[
                "backup taken",
                "restored from a backup",
                "restored from keys alone",
                "offered again to a newer life",
                "delivered again to a newer life",
                "duplicate after restore answered",
                "void of an earlier life",
                "went with the disk",
                "crash while a new life is made",
                "power cut after a new life was made",
                "sector torn",
                "did not start on a torn sector",
                "crash",
                "replay",
            ],
            Self::Clone => &[
                "another copy started",
                "stale copy found out at hello",
                "stopped submitting",
                "receipt kept back",
                "new life opened",
                "old life refused",
                "link of an older life refused",
                "copy switched off",
                "both copies signed before either was shown the other",
                "crash while a new life is made",
                "power cut after a new life was made",
                "sector torn",
                "offered again to a newer life",
                "delivered again to a newer life",
                "duplicate after restore answered",
                "crash",
            ],
            Self::SlowPeer => &[
                "stall",
                "delivered beside a slow peer",
                "backlog for a slow peer",
            ],
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|s| s.name() == name);
        found.copied().ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|s| s.name()).collect();
            format!(
                "there is no scenario `{name}`; use one of {}",
                names.join(", ")
            )
        })
    }
}
