use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What exactly failed, by name: whoever shows it in another language than English makes the text
/// from this. A name that is not known, of a newer node, leaves the English text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CauseView {
    /// The name: [`Cause::name`].
    pub name: String,
    /// What the text has places for. Those that end in `_bytes` are numbers of bytes; `until`, `since`,
    /// `at` and `last` are moments.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// The name of what is told before it, where this is the reason for that: `still_waits`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
}

impl CauseView {
    /// A cause with the values that its text has places for.
    pub fn new<const N: usize>(cause: Cause, values: [(&str, String); N]) -> Self {
        let made = Self::named(cause.name(), values);
        debug_assert!(
            cause
                .places()
                .iter()
                .all(|&place| made.values.contains_key(place)),
            "{made:?}"
        );
        made
    }

    pub(crate) fn named<const N: usize>(name: &str, values: [(&str, String); N]) -> Self {
        Self {
            name: name.to_owned(),
            values: values.map(|(name, value)| (name.to_owned(), value)).into(),
            first: None,
        }
    }

    /// The cause, where this version knows it.
    pub fn known(&self) -> Option<Cause> {
        Cause::parse(&self.name)
    }

    /// The same as the reason for something else; the values that its text has places for must be there.
    #[must_use]
    pub fn after(mut self, first: Cause) -> Self {
        debug_assert!(
            first
                .places()
                .iter()
                .all(|&place| self.values.contains_key(place)),
            "{first:?}"
        );
        self.first = Some(first.name().to_owned());
        self
    }
}

/// An enum of names on the wire with the values that their texts have places for.
macro_rules! named {
    ($(#[$about:meta])* enum $Enum:ident; $($(#[$what:meta])* $cause:ident $name:literal [$($place:literal),*];)*) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Enum { $($(#[$what])* $cause,)* }

        impl $Enum {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$cause),*];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self { $(Self::$cause => $name,)* }
            }

            /// The values that its text has places for.
            pub fn places(self) -> &'static [&'static str] {
                match self { $(Self::$cause => &[$($place),*],)* }
            }

            /// From its name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|cause| cause.name() == name)
            }
        }
    };
}
pub(crate) use named;

named! {
    /// The failures that people meet who read another language than English.
    enum Cause;

    /// No text of an id.
    NotAnId "not_an_id" ["given"];
    /// No notice has an id that begins so.
    UnknownId "unknown_id" ["digits"];
    /// Several have.
    AmbiguousId "ambiguous_id" ["digits"];
    /// The notice is not in the inbox.
    NotInInbox "not_in_inbox" ["id"];
    /// The notice was not sent from here.
    NotSentHere "not_sent_here" ["id"];
    /// The content was deleted.
    Deleted "deleted" [];
    /// The same, and when.
    DeletedOn "deleted_on" ["day"];
    /// Deleted because its originator took it back.
    DeletedRecalled "deleted_recalled" ["day"];
    /// Deleted because it was to be kept no longer.
    DeletedKept "deleted_kept" ["day"];
    /// Taken back, and about to be deleted.
    TakenBack "taken_back" [];
    /// There is no content here.
    NoContent "no_content" ["id"];
    /// It was refused here.
    RefusedHere "refused_here" ["id"];

    /// The node ends.
    Stopping "stopping" ["seconds"];
    /// The node has too much to do.
    Overloaded "overloaded" ["seconds"];
    /// The node ended before it could say what came of a submission.
    NobodyKnows "nobody_knows" [];
    /// This copy of the log is older than one that is known elsewhere.
    PastOlder "past_older" ["theirs", "ours"];
    /// The log was started twice.
    PastTwice "past_twice" ["size"];
    /// A newer life of the log has begun.
    PastNewer "past_newer" ["life"];
    /// An envelope of this life is not known here.
    PastUnknown "past_unknown" ["id"];
    /// It was proved before that the log goes on from an older past.
    PastBefore "past_before" [];
    /// The data directory may take no more.
    NoRoomQuota "no_room_quota" ["used_bytes", "disk_bytes", "left_bytes", "needed_bytes", "short_bytes", "reserve_bytes"];
    /// The disk is nearly full.
    NoRoomDisk "no_room_disk" ["free_bytes", "needed_bytes", "short_bytes", "reserve_bytes"];
    /// Others would not believe the own signing key: by the clock, or by the roster.
    KeyUnusable "key_unusable" [];
    /// The roster changed meanwhile.
    RosterChanged "roster_changed" [];
    /// No such precedence.
    NoPrecedence "no_precedence" ["given"];
    /// A life that is too long or none.
    BadLife "bad_life" ["hours"];
    /// A recall is not submitted.
    RecallSubmitted "recall_submitted" [];
    /// The notice has flaws.
    Flawed "flawed" [];
    /// The notice is none that this version reads.
    DraftUnreadable "draft_unreadable" [];
    /// The signing key cannot be used.
    SignerFails "signer_fails" [];
    /// Sealing failed.
    SealingFailed "sealing_failed" [];

    /// No text of an id of what waits for its release.
    ReleaseId "release_id" [];
    /// Several wait whose ids begin so.
    ReleaseAmbiguous "release_ambiguous" [];
    /// Nothing with this id waits.
    ReleaseNone "release_none" [];
    /// Somebody else decides about it now.
    ReleaseTaken "release_taken" [];
    /// Its file is damaged or was altered.
    ReleaseDamaged "release_damaged" ["id"];
    /// The disk fails.
    ReleaseDisk "release_disk" [];
    /// Whoever submitted it does not release it.
    ReleaseOwn "release_own" [];
    /// This user may not release.
    NotReleaser "not_releaser" ["who", "releasers"];
    /// Nobody may.
    NoReleasers "no_releasers" ["who"];
    /// Other recipients than were shown.
    ReleaseOthers "release_others" ["to"];
    /// A file of it is gone.
    ReleaseFile "release_file" ["name"];
    /// The node ended before it could say what became of it.
    ReleaseUnknown "release_unknown" [];
    /// Over TCP nobody knows who submits it.
    ReleaseUnproved "release_unproved" [];
    /// Too much of this user's waits.
    ReleaseFullOwn "release_full_own" ["count"];
    /// Too much waits.
    ReleaseFull "release_full" ["count"];
    /// What a refusal at the release says first.
    StillWaits "still_waits" [];
    /// The same of a recall of which the recalls of copies went already.
    HalfReleased "half_released" ["copies"];
    /// No reference of an officer.
    OfficerReference "officer_reference" ["limit"];

    /// No party or group is called so.
    UnknownRecipient "unknown_recipient" ["code", "members"];
    /// The same; another may have been meant.
    UnknownRecipientNear "unknown_recipient_near" ["code", "near", "members"];
    /// Named twice.
    RepeatedRecipient "repeated_recipient" ["code"];
    /// The originator itself.
    Yourself "yourself" ["code"];
    /// Does not take part.
    Inactive "inactive" ["code", "ask"];
    /// New to the network.
    Newcomer "newcomer" ["code", "until"];
    /// New to a group.
    NewInGroup "new_in_group" ["code", "group", "until"];
    /// Grants reach less far.
    GrantedUpTo "granted_up_to" ["from", "to", "type", "tlp", "highest", "ask"];
    /// No grant covers it.
    NotGranted "not_granted" ["from", "to", "type", "tlp", "roster", "ask"];
    /// No key to seal to.
    NoSealKey "no_seal_key" ["code"];
    /// Policy is against it; the flaws say why.
    NotAllowed "not_allowed" [];
    /// The same, and a recipient is not known.
    NotAllowedUnknown "not_allowed_unknown" ["members"];
    /// Too many recipients.
    TooManyRecipients "too_many_recipients" ["found", "limit"];
    /// No recipient.
    NoRecipient "no_recipient" [];

    /// No party is called so.
    UnknownParty "unknown_party" ["given", "members"];
    /// A party that does not take part.
    InactiveParty "inactive_party" ["given", "members"];
    /// The own party, where another is needed.
    OwnParty "own_party" ["given", "members"];
    /// No type of notice.
    UnknownType "unknown_type" ["given", "types"];
    /// No TLP label.
    UnknownTlp "unknown_tlp" ["given"];

    /// Only the originator takes it back.
    RecallNotOwn "recall_not_own" ["id"];
    /// A recall cannot be taken back.
    RecallOfRecall "recall_of_recall" [];
    /// Nobody has it any more.
    RecallNobody "recall_nobody" [];
    /// It is held already.
    HeldAlready "held_already" ["id"];
    /// It is not held.
    NotHeld "not_held" ["id"];
    /// Another act came first.
    Crossed "crossed" [];
    /// A reason is needed.
    ReasonNeeded "reason_needed" [];
    /// No date to keep it until.
    BadKeepDate "bad_keep_date" [];
    /// It came from another party.
    KeptByOther "kept_by_other" ["id"];
    /// It is kept as long already.
    KeptLonger "kept_longer" [];

    /// The file is empty.
    AttachmentEmpty "attachment_empty" [];
    /// The file's name would not do.
    AttachmentName "attachment_name" ["name"];
    /// The file is too long.
    AttachmentTooLong "attachment_too_long" [];
    /// Too many files wait for their notices.
    AttachmentsWait "attachments_wait" [];
    /// The file went with another notice.
    AttachmentUsed "attachment_used" [];
    /// The notice has no such attachment.
    NoSuchAttachment "no_such_attachment" [];
    /// The day's bytes are used up.
    AttachmentTomorrow "attachment_tomorrow" ["here_bytes", "all_bytes"];
    /// Those of another node are used up.
    AttachmentTomorrowThere "attachment_tomorrow_there" ["here_bytes", "all_bytes", "party"];
    /// It is asked for.
    AttachmentAsked "attachment_asked" ["here_bytes", "all_bytes", "party"];
    /// It comes with the link.
    AttachmentUnlinked "attachment_unlinked" ["here_bytes", "all_bytes", "party"];

    /// Another courier file is made or taken in.
    CourierBusy "courier_busy" [];
    /// The limit leaves no room.
    CourierLimit "courier_limit" ["limit_bytes", "fixed_bytes", "fixed"];
    /// Of another network.
    CourierNetwork "courier_network" ["other", "network"];
    /// Of another network of the same name.
    CourierNamesake "courier_namesake" ["network", "theirs", "ours"];
    /// For another party.
    CourierForOther "courier_for_other" ["to", "me"];
    /// Made here.
    CourierMadeHere "courier_made_here" ["to", "me"];
    /// Names no party.
    CourierNobody "courier_nobody" [];
    /// No courier file.
    CourierNone "courier_none" [];
    /// Of another version.
    CourierVersion "courier_version" [];
    /// Damaged.
    CourierDamaged "courier_damaged" [];

    /// No path has a budget.
    NoBudget "no_budget" [];
    /// The node does not let this user in.
    Stranger "stranger" ["uid"];
    /// Not a coordination party.
    NotCoordination "not_coordination" ["party", "offices"];

    /// There is no socket.
    SocketAbsent "socket_absent" ["path"];
    /// Nobody listens.
    SocketSilent "socket_silent" ["path"];
    /// Not a socket.
    SocketNone "socket_none" ["path"];
    /// A socket that every user may listen at.
    SocketOpenToAll "socket_open_to_all" ["path"];
    /// A socket of another program.
    SocketOfOther "socket_of_other" ["path"];
    /// The system does not let this user in.
    SocketDenied "socket_denied" ["path"];
    /// The node cannot be reached.
    NodeUnreachable "node_unreachable" ["address", "why"];
    /// The answer cannot be used.
    AnswerUnusable "answer_unusable" ["what"];
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_read_back() {
        // Of warnings too: a warning may go by the name of a failure.
        let warned = crate::Warned::ALL.iter().map(|warned| warned.name());
        let names: BTreeSet<_> = Cause::ALL.iter().map(|cause| cause.name()).collect();
        let count = names.len();
        assert_eq!(count, Cause::ALL.len());
        let names: BTreeSet<_> = names.into_iter().chain(warned).collect();
        assert_eq!(names.len(), count + crate::Warned::ALL.len());
        for &cause in Cause::ALL {
            assert_eq!(Cause::parse(cause.name()), Some(cause));
        }
        let newer = CauseView {
            name: "of_a_newer_node".into(),
            ..CauseView::default()
        };
        assert_eq!(newer.known(), None);
    }
}
