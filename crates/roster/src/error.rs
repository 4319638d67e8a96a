use abeng_keys::{BadKey, Role};
use abeng_wire::{BadCode, Digest, Kid, Malformed, Millis, NetworkCode, PartyCode};

/// Why trust data is not believed. All variants but [`TrustError::Expired`] and
/// [`TrustError::Missing`] are the fault of whoever made or carried it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Not one of our messages.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// A code that is none.
    #[error(transparent)]
    BadCode(#[from] BadCode),
    /// A key that is not admitted.
    #[error("a key of {whose}: {why}")]
    BadKey {
        /// The holder.
        whose: String,
        /// The reason.
        why: BadKey,
    },
    /// Breaks a rule of its kind.
    #[error("{what} breaks a rule: {rule}")]
    Rule {
        /// What, as `root 2` or `the entry of JM`.
        what: String,
        /// The rule, in words.
        rule: &'static str,
    },
    /// Nothing to begin with.
    #[error("no {what} given")]
    Missing {
        /// `root` or `roster`.
        what: &'static str,
    },
    /// The first root is not the one pinned.
    #[error("the first root is {found}, pinned is {pinned}")]
    OtherRoot {
        /// What the operator pinned.
        pinned: Digest,
        /// What was given.
        found: Digest,
    },
    /// Too few distinct signers of a root or roster.
    #[error("{what} is signed by {found} distinct signers of root {root}, which asks for {needed}")]
    TooFewSigners {
        /// `root 2`, `roster 5`.
        what: String,
        /// The root whose signers were counted.
        root: u64,
        /// The threshold.
        needed: usize,
        /// Those whose both halves hold.
        found: usize,
    },
    /// A version was left out or repeated.
    #[error("{what} {found} does not follow {what} {held}")]
    NotNext {
        /// `root` or `roster`.
        what: &'static str,
        /// The version held; 0 where none is.
        held: u64,
        /// The version given.
        found: u64,
    },
    /// A roster that does not name the one before it.
    #[error("roster {version} does not name the digest of the roster before it")]
    PreviousDigest {
        /// Its version.
        version: u64,
    },
    /// A roster made under another root version.
    #[error("roster {version} is made under root {found}, not {expected}")]
    OtherRootVersion {
        /// Its version.
        version: u64,
        /// The root it was checked against.
        expected: u64,
        /// The root it names.
        found: u64,
    },
    /// Trust data of another network.
    #[error("{what} belongs to network {found}, not {expected}")]
    OtherNetwork {
        /// What.
        what: String,
        /// Ours.
        expected: NetworkCode,
        /// Its.
        found: NetworkCode,
    },
    /// Past its time.
    #[error(
        "{what} expired at {expired} (Unix ms), it is {now}: get a newer one from a peer or the Secretariat, and check the clock"
    )]
    Expired {
        /// `root 2`, `roster 5`.
        what: String,
        /// When.
        expired: Millis,
        /// The time it was checked at.
        now: Millis,
    },
    /// Dated further ahead than clocks may differ.
    #[error("{what} is dated {at} (Unix ms), it is {now}: check the clock")]
    FromTheFuture {
        /// What.
        what: &'static str,
        /// Its time.
        at: Millis,
        /// Ours.
        now: Millis,
    },
    /// The same version with another digest, both well signed: evidence.
    #[error(
        "two different versions {version} of the {what}, both well signed: keep both, tell the Secretariat"
    )]
    Equivocation {
        /// `root`, `roster` or `seal key of JM`.
        what: String,
        /// The version or sequence.
        version: u64,
        /// Digest of the one held.
        held: Digest,
        /// Digest of the other.
        other: Digest,
    },
    /// Something after an equivocation that nobody has settled.
    #[error(
        "two different versions {version} of the {what} are held: nothing after them is taken until a root names both"
    )]
    Disputed {
        /// `root` or `roster`.
        what: &'static str,
        /// The version that there are two of.
        version: u64,
    },
    /// A statement by a key that came by the root's override and is not used here yet.
    #[error("the {} key {kid:.16} of {party} came by the root's override and is not used here before {until} (Unix ms)", role.name())]
    Waits {
        /// The party.
        party: PartyCode,
        /// The key's role.
        role: Role,
        /// The key.
        kid: Kid,
        /// Until when.
        until: Millis,
    },
    /// One key in two places.
    #[error("the key {kid:.16} stands twice: {first} and {second}")]
    KeyTwice {
        /// The key.
        kid: Kid,
        /// The one place.
        first: String,
        /// The other.
        second: String,
    },
    /// A party did not prove that it holds a key.
    #[error("{party} has not signed with its {} key {kid:.16}", role.name())]
    NoPossession {
        /// The party.
        party: PartyCode,
        /// The key's role.
        role: Role,
        /// The key.
        kid: Kid,
    },
    /// A changed entry that no earlier key of the party signed.
    #[error("the entry of {party} changed without the signature of an earlier {} key", role.name())]
    NoOldKey {
        /// The party.
        party: PartyCode,
        /// The role whose earlier key had to sign.
        role: Role,
    },
    /// An entry that is not the next after the one that the party had, 0 standing for none: an
    /// earlier one put back, or two changes made from one entry.
    #[error(
        "the entry of {party} is version {found}, and version {held} can only be followed by the next"
    )]
    EntryNotNext {
        /// The party.
        party: PartyCode,
        /// The version of the entry before.
        held: u64,
        /// The version found.
        found: u64,
    },
    /// A statement of a party that the roster does not know.
    #[error("the roster knows no party {party}")]
    UnknownParty {
        /// The party.
        party: PartyCode,
    },
    /// A statement signed with a key that the roster does not give that party for it.
    #[error("{what} is not signed by a {} key of {whose}", role.name())]
    WrongSigner {
        /// The statement.
        what: &'static str,
        /// Whose key it had to be.
        whose: String,
        /// The role it had to have.
        role: Role,
    },
    /// A signature by the right key that does not hold.
    #[error("the signature over {what} does not hold")]
    BadSignature {
        /// The statement.
        what: &'static str,
    },
    /// A seal key whose kid is that of another key.
    #[error("the seal key of {party} does not have the kid it claims")]
    WrongKid {
        /// The party.
        party: PartyCode,
    },
}

impl TrustError {
    pub(crate) fn rule(what: impl Into<String>, rule: &'static str) -> Self {
        Self::Rule {
            what: what.into(),
            rule,
        }
    }
}
