//! What a node warns its administrators of.

use crate::{CauseView, cause::named};
use std::{fmt, ops::Deref};

/// A warning in English and, where it has a name, by name for those who tell it in another language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warning {
    text: String,
    /// What it is.
    pub cause: Option<CauseView>,
}

impl Warning {
    /// The same by name, with the values that the texts have places for.
    #[must_use]
    pub fn because<const N: usize>(self, warned: Warned, values: [(&str, String); N]) -> Self {
        let made = CauseView::named(warned.name(), values);
        debug_assert!(
            warned
                .places()
                .iter()
                .all(|&place| made.values.contains_key(place)),
            "{made:?}"
        );
        self.by(Some(made))
    }

    /// The same by a name that was given already.
    #[must_use]
    pub fn by(self, cause: Option<CauseView>) -> Self {
        Self { cause, ..self }
    }

    /// The English text.
    pub fn into_text(self) -> String {
        self.text
    }
}

impl From<String> for Warning {
    fn from(text: String) -> Self {
        Self { text, cause: None }
    }
}

impl From<&str> for Warning {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl Deref for Warning {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

named! {
    /// What administrators are warned of who read another language than English.
    enum Warned;

    /// The token with the signing key did not sign.
    SignerTrouble "signer_trouble" [];
    /// Two well-signed roots of one version.
    TwoRoots "two_roots" ["version", "held", "other"];
    /// Two well-signed rosters of one version.
    TwoRosters "two_rosters" ["version", "held", "other"];
    /// Two well-signed seal keys of a party under one number.
    TwoSealKeys "two_seal_keys" ["party", "version", "held", "other"];
    /// A roster in force changes things that nobody has looked at.
    RosterNews "roster_news" ["version", "count"];
    /// A newcomer has notices for this node.
    NewcomerHolds "newcomer_holds" ["party", "until", "way"];
    /// The root has replaced a party's keys.
    KeysReplaced "keys_replaced" ["party", "until"];
    /// The same, and what the holders of the root gave as a reason.
    KeysReplacedFor "keys_replaced_for" ["party", "until", "reason"];
    /// The clock is in doubt.
    ClockDoubted "clock_doubted" ["minutes"];
    /// The clock is wrong, as most peers say.
    ClockWrong "clock_wrong" ["minutes"];
    /// The day's bytes on metered paths are used up.
    BudgetUsed "budget_used" ["until"];
    /// Attachments sent from here are damaged or gone.
    OwnFaults "own_faults" ["damaged", "gone", "notices"];
    /// Attachments that their senders cannot give.
    Lacked "lacked" ["gone", "damaged"];
    /// Files wait for this node's day.
    OwnBudget "own_budget" ["come", "go", "until"];
    /// The same, and no day may have room for a piece.
    OwnBudgetSmall "own_budget_small" ["come", "go", "piece_bytes"];
    /// Files wait for the day of others.
    TheirBudget "their_budget" ["come"];
    /// Files of attachments were damaged on this disk.
    BlobsDamaged "blobs_damaged" ["count", "first"];
    /// A held submission cannot be opened.
    HeldDamaged "held_damaged" ["id", "file"];
    /// Submissions wait since before this life of the log.
    HeldEarlier "held_earlier" ["count"];
    /// A log contradicts itself.
    Contradicted "contradicted" ["party"];
    /// Too few witnesses co-sign.
    Unwitnessed "unwitnessed" [];
    /// Peers hold this node's log for one that contradicts itself.
    Accused "accused" ["parties"];
    /// A log does not explain its checkpoints.
    Unexplained "unexplained" ["parties"];
    /// The keyring lacks a published seal key.
    LacksKey "lacks_key" ["kid", "since", "until"];
    /// Envelopes were refused for want of a key.
    KeyGone "key_gone" ["count", "party", "at"];
    /// A new seal key waits for a backup.
    SealKeyWaits "seal_key_waits" [];
    /// No seal key of this party is in force.
    Unreachable "unreachable" [];
    /// No seal key can be signed here.
    SealKeyUnsigned "seal_key_unsigned" [];
    /// Keys that were to be destroyed are not gone yet.
    KeysGoing "keys_going" ["kids"];
    /// Parties whose seal keys have a half in common.
    KeysCopied "keys_copied" ["parties"];
    /// The same of more sets of parties.
    KeysCopiedMore "keys_copied_more" ["count"];
    /// Another copy of a keyring was not written over.
    CopyStays "copy_stays" ["dir", "out"];
    /// An old copy of another node runs.
    StaleCopy "stale_copy" ["party", "life", "newer", "since", "count", "last"];
    /// A party began a new life of its log.
    NewLife "new_life" ["party", "at"];
    /// A torn batch was cut off at the last start.
    TornTail "torn_tail" ["bytes", "file", "offset"];
    /// Tiles hold leaves that the journal does not.
    TilesAhead "tiles_ahead" ["count"];
    /// The journal of an earlier life lies here.
    EarlierLife "earlier_life" ["dir"];
    /// The roster expires soon.
    RosterExpires "roster_expires" ["days"];
    /// Nobody has confirmed the roster for long.
    RosterAgeing "roster_ageing" ["days", "at", "left"];
    /// The same, past the limit.
    RosterPastLimit "roster_past_limit" ["days", "at", "limit"];
    /// The roster, or the root over it, is past its time.
    RosterExpired "roster_expired" ["at"];
    /// The roster says that this party takes no part.
    PartySuspended "party_suspended" [];
    /// A key of this node that others do not believe now.
    OwnKeyFaulty "own_key_faulty" ["role"];
    /// Little is free on the disk.
    DiskLow "disk_low" [];
    /// The keys rest unencrypted.
    KeysPlain "keys_plain" [];
    /// Numbers of a party are lost there.
    NotComing "not_coming" ["count", "party", "at"];
    /// Notices wait for a party that has left.
    StrandedLeft "stranded_left" ["count", "party"];
    /// Notices wait for a party that is suspended.
    StrandedSuspended "stranded_suspended" ["count", "party"];
    /// Content sent from here is deleted soon.
    DueSoon "due_soon" ["count"];
}
