//! Sizes and counts, checked before decoding. Bytes unless the name says otherwise.

/// A notice as submitted, in its wire form.
pub const NOTICE: usize = 1 << 20;
/// The sealed body: a notice of the largest size, padded, with a tag per chunk.
pub const BODY: usize = NOTICE + (NOTICE >> 3) + 64 * 1024;
/// Recipients of one envelope.
pub const RECIPIENTS: usize = 64;
/// One stanza: BOX 1168 and SLOT 72.
pub const STANZA: usize = 1240;
/// PRE or TRL.
pub const PRE: usize = 16 * 1024;
/// HDR: PRE and TRL.
pub const HDR: usize = 2 * PRE;
/// One envelope frame on a link.
pub const ENVELOPE: usize = BODY + HDR + RECIPIENTS * (STANZA + 8) + 1024;
/// One control frame on a link.
pub const CONTROL: usize = 256 * 1024;
/// One hello, signed.
pub const HELLO: usize = 16 * 1024;
/// Trust data sent to a peer in one stream: roots, rosters, seal keys.
pub const TRUST_BUNDLE: usize = 8 << 20;
/// A leaf's canonical bytes (C2SP tlog-tiles: an entry has a 16-bit length).
pub const LEAF: usize = 65_535;
/// A checkpoint as a signed note.
pub const CHECKPOINT: usize = 4 * 1024;
/// A claim about the past of a log: a note, or HDR and SIG.
pub const CLAIM: usize = HDR + 256;
/// A statement that is kept in the journal outside the tree: two notes, or a claim.
pub const OUTSIDE: usize = CLAIM + 64;
/// A receipt with proof and checkpoint.
pub const RECEIPT: usize = 16 * 1024;
/// Hashes in an inclusion or consistency proof (a tree of 2^63 leaves has 63 levels, twice for consistency).
pub const PROOF_HASHES: usize = 128;
/// Receipts in one frame.
pub const RECEIPTS: usize = 256;
/// Receipts that a relay brings in one frame, each whole.
pub const CARRIED_RECEIPTS: usize = 64;
/// Their bytes, as a relay packs them: a frame has room for one more of the largest.
pub const CARRIED_RECEIPTS_BYTES: usize = CONTROL / 2;
/// Hashes of subtrees in one frame of receipts: as many as a control frame has room for.
pub const RECEIPT_NODES: usize = CONTROL / 32;
/// A contradiction: two notes and a path.
pub const CONTRADICTION: usize = 2 * CHECKPOINT + PROOF_HASHES * 34 + 64;
/// Leaves that an evidence file proves under one checkpoint, and checkpoints in it.
pub const EVIDENCE_LEAVES: usize = 1024;
/// An evidence file: trust data, an envelope, and receipts and leaves with their paths.
pub const EVIDENCE: usize = TRUST_BUNDLE + BODY + HDR + (2 << 20);
/// Signature lines of one note.
pub const NOTE_LINES: usize = 64;
/// A root's signed bytes: up to [`SIGNERS`] dual keys in each of its three lists.
pub const ROOT: usize = 256 * 1024;
/// Dual signers in one list of a root.
pub const SIGNERS: usize = 32;
/// Signatures on one statement.
pub const SIGNATURES: usize = 64;
/// A roster's signed bytes. Every roster is kept and told on in one bundle.
pub const ROSTER: usize = 1 << 20;
/// A party's signed entry in a roster.
pub const PARTY: usize = 16 * 1024;
/// Addresses of one party.
pub const PARTY_ADDRESSES: usize = 8;
/// Groups in a roster.
pub const GROUPS: usize = 256;
/// Grants in a roster.
pub const GRANTS: usize = 4096;
/// Notice types that one grant names.
pub const GRANT_TYPES: usize = 64;
/// Revocations in a roster.
pub const REVOCATIONS: usize = 4096;
/// What a ceremony file says, before it is written as text.
pub const CEREMONY: usize = ROSTER + (1 << 20);
/// A ceremony file as text, with what a mail program puts around it.
pub const CEREMONY_TEXT: usize = 2 * CEREMONY;
/// Overrides by the root in one roster version.
pub const OVERRIDES: usize = 16;
/// Settled equivocations that one root names, of rosters and of roots each.
pub const SETTLEMENTS: usize = 16;
/// Statements of one version that one settlement names.
pub const SETTLED_DIGESTS: usize = 8;
/// Well-signed statements that stand against one held, kept as evidence: of roots and of rosters each.
pub const CONFLICTS: usize = 8;
/// Bytes of them, of roots and of rosters each; one is kept however long it is.
pub const CONFLICT_BYTES: usize = 1 << 20;
/// Of a trust bundle, bytes that are left for such evidence.
pub const EVIDENCE_ROOM: usize = 3 << 20;
/// Statements of one party that are kept while the key that signed them waits.
pub const WAITING_STATEMENTS: usize = 2;
/// Seal keys of one party that are held: the newest, and the one before it.
pub const SEAL_KEYS_HELD: usize = 2;
/// Seal keys in one trust bundle: no node holds more.
pub const SEAL_KEYS: usize = PARTIES * (SEAL_KEYS_HELD + WAITING_STATEMENTS);
/// How long one statement about a seal key may hold, in milliseconds: 400 days.
pub const SEAL_KEY_LIFE_MS: u64 = 400 * 24 * 60 * 60 * 1000;
/// How far ahead a seal key may begin, and its sequence be of its beginning in seconds: 14 days.
pub const SEAL_KEY_AHEAD_MS: u64 = 14 * 24 * 60 * 60 * 1000;
/// The reason of a revocation, a suspension or an override.
pub const REASON: usize = 500;
/// A seal key, a freshness statement or an incarnation, as signed.
pub const STATEMENT: usize = 8 * 1024;
/// Parties in a roster.
pub const PARTIES: usize = 256;
/// Keys of one party.
pub const PARTY_KEYS: usize = 32;
/// Attachments of one envelope.
pub const ATTACHMENTS: usize = 16;
/// One attachment's ciphertext.
pub const ATTACHMENT: u64 = 2 << 30;
/// One piece of an attachment's ciphertext: what is verified, stored and resumed at once.
pub const ATTACHMENT_PIECE: usize = 1 << 20;
/// The header of an attachment's stream, with the hashes of all its pieces.
pub const ATTACHMENT_HEADER: usize = (ATTACHMENT / ATTACHMENT_PIECE as u64) as usize * 32 + 256;
/// Streams of attachments that one peer sends at a time on one link.
pub const ATTACHMENT_STREAMS: usize = 2;
/// Attachments that a peer may wait for on one link; beyond that it is told to ask later.
pub const ATTACHMENT_WANTS: usize = 32;
/// The longest life of an envelope, in milliseconds: 90 days.
pub const LIFETIME_MS: u64 = 90 * 24 * 60 * 60 * 1000;
/// Records that one statement about scrubbing names.
pub const SCRUB_INDEXES: usize = 4096;
/// Envelopes at a time that are offered again to a newer life of a recipient's log.
pub const OFFERED_AGAIN: usize = 512;
/// How far above the contiguous mark a stream number may lie.
pub const STREAM_AHEAD: u64 = 65_536;
/// Numbers that one `Want` asks for.
pub const WANT_NUMBERS: u64 = 4096;
/// Ranges that are asked for at once, of one peer.
pub const WANT_RANGES: usize = 16;
/// Bytes of envelopes that may be sent in answer to one `Want`.
pub const WANT_BYTES: u64 = 4 << 20;
/// Voids that are sent in answer to one `Want`.
pub const WANT_VOIDS: usize = 256;
/// Voids and wants that are taken from one peer at once …
pub const STREAM_FRAMES: u64 = 1024;
/// … and how many more each second.
pub const STREAM_FRAMES_A_SECOND: u64 = 16;
/// Voids and wants from one party to another that a relay passes on at once …
pub const CARRIED_FRAMES: u64 = 512;
/// … and how many more each second.
pub const CARRIED_FRAMES_A_SECOND: u64 = 4;
/// Ranges of voided numbers that are remembered of one stream.
pub const VOIDED_RANGES: usize = 1024;
/// Streams (lives of a log) of one originator that voids may begin here.
pub const VOIDED_STREAMS: usize = 64;
/// How far a peer's clock may be ahead before its claims are doubted, in milliseconds.
pub const CLOCK_AHEAD_MS: u64 = 5 * 60 * 1000;
/// Envelopes that a receiver lets a peer send before it answers.
pub const CREDIT_ENVELOPES: u64 = 1024;
/// Bytes of envelopes that a receiver lets a peer send before it answers.
pub const CREDIT_BYTES: u64 = 32 << 20;
/// A request to the local API.
pub const API_REQUEST: usize = 2 * NOTICE;
/// The header of a courier file, and its close.
pub const COURIER_HEADER: usize = 4 * 1024;
/// One frame of a courier file of whatever kind.
pub const COURIER_FRAME: usize = TRUST_BUNDLE;
/// Envelopes in one courier file.
pub const COURIER_ENVELOPES: usize = 1 << 20;
/// Receipts in one courier file.
pub const COURIER_RECEIPTS: usize = 1 << 20;
/// Ranges of missing numbers in one courier file.
pub const COURIER_WANTS: usize = 4096;
/// Voids in one courier file.
pub const COURIER_VOIDS: usize = 1024;
/// Wishes for attachments in one courier file.
pub const COURIER_ATTACHMENT_WANTS: usize = 4096;
