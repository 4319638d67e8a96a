use abeng_wire::{Digest, Malformed, SignedBytes, decode, encode, limits, pae, v1};
use bytes::Bytes;
use ring::digest::{SHA256, digest};

/// A leaf: its canonical bytes, which the tree hashes, and what they say.
pub type Leaf = SignedBytes<v1::Leaf>;

/// The type of the statement that a leaf about a legal hold is about ([`v1::Hold`]).
pub const HOLD: &str = "application/vnd.abeng.hold.v1";
/// The type of the statement that a leaf about a later keep-until is about ([`v1::Retention`]).
pub const RETENTION: &str = "application/vnd.abeng.retention.v1";

/// The type of the statement that a leaf about a proven past is about ([`v1::Claim`]).
pub const CLAIM: &str = "application/vnd.abeng.claim.v1";

/// The type of the statement that a leaf about a file that has come is about ([`v1::AttachmentRef`]).
pub const ATTACHMENT: &str = "application/vnd.abeng.attachment.v1";

/// The type of the statement that a leaf about an acceptance is about ([`v1::Acceptance`]).
pub const ACCEPTANCE: &str = "application/vnd.abeng.acceptance.v1";

/// The type of the statement that a leaf about two statements of one version is about
/// ([`v1::Equivocation`]).
pub const EQUIVOCATION: &str = "application/vnd.abeng.equivocation.v1";

/// The type of the statement that a leaf about a submission that waits for its release is about
/// ([`v1::Release`]).
pub const RELEASE: &str = "application/vnd.abeng.release.v1";

/// The longest proof, private or body part, in bytes: an envelope with room for its frame.
pub const PART: usize = limits::ENVELOPE + limits::HDR;

/// One record of the journal: a permanent leaf and up to three parts beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    leaf: Leaf,
    pub(crate) proof: Option<Bytes>,
    pub(crate) private: Option<Bytes>,
    pub(crate) body: Option<Bytes>,
    scrubbed: bool,
}

impl Record {
    /// A record of a leaf alone.
    pub fn new(leaf: v1::Leaf) -> Self {
        Self {
            leaf: SignedBytes::of(leaf),
            proof: None,
            private: None,
            body: None,
            scrubbed: false,
        }
    }

    /// Adds the permanent proof part.
    pub fn with_proof(mut self, proof: &v1::ProofPart) -> Self {
        self.proof = Some(encode(proof));
        self
    }

    /// Adds the scrubbable private part, which must hold its 32-byte salt, and fills the leaf's
    /// `private_hash` with the commitment to it.
    pub fn with_private(mut self, private: &v1::PrivatePart) -> Self {
        let mut leaf = self.leaf.message().clone();
        leaf.private_hash = private_part_hash(private).to_bytes();
        self.leaf = SignedBytes::of(leaf);
        self.private = Some(encode(private));
        self
    }

    /// Adds the scrubbable body part.
    pub fn with_body(mut self, body: &v1::BodyPart) -> Self {
        self.body = Some(encode(body));
        self
    }

    /// Puts a record together from the bytes of its parts, as the journal holds them.
    pub(crate) fn from_parts(leaf: Bytes, parts: [Option<Bytes>; 3]) -> Result<Self, Malformed> {
        let [proof, private, body] = parts;
        Ok(Self {
            leaf: SignedBytes::parse("leaf", leaf, limits::LEAF)?,
            proof,
            private,
            body,
            scrubbed: false,
        })
    }

    pub(crate) fn scrubbed(self, scrubbed: bool) -> Self {
        Self { scrubbed, ..self }
    }

    /// True where the record had a private or body part that has been zeroed on disk. What is
    /// left of it is its leaf and its proof.
    pub fn is_scrubbed(&self) -> bool {
        self.scrubbed
    }

    /// The leaf.
    pub fn leaf(&self) -> &Leaf {
        &self.leaf
    }

    /// The same record under another leaf.
    pub(crate) fn with_leaf(self, leaf: Leaf) -> Self {
        Self { leaf, ..self }
    }

    pub(crate) fn into_leaf(self) -> Leaf {
        self.leaf
    }

    /// The encoded proof part, as it lies in the journal.
    pub fn proof_bytes(&self) -> Option<&Bytes> {
        self.proof.as_ref()
    }

    /// The encoded private part, as it lies in the journal.
    pub fn private_bytes(&self) -> Option<&Bytes> {
        self.private.as_ref()
    }

    /// The encoded body part, as it lies in the journal.
    pub fn body_bytes(&self) -> Option<&Bytes> {
        self.body.as_ref()
    }

    /// The proof part, decoded; its fields share the record's bytes.
    pub fn proof(&self) -> Result<Option<v1::ProofPart>, Malformed> {
        let part = |b| decode("proof part", b, PART);
        self.proof.as_ref().map(part).transpose()
    }

    /// The private part, decoded.
    pub fn private(&self) -> Result<Option<v1::PrivatePart>, Malformed> {
        let part = |b| decode("private part", b, PART);
        self.private.as_ref().map(part).transpose()
    }

    /// The body part, decoded; its fields share the record's bytes.
    pub fn body(&self) -> Result<Option<v1::BodyPart>, Malformed> {
        let part = |b| decode("body part", b, PART);
        self.body.as_ref().map(part).transpose()
    }
}

/// What a leaf's `subject` holds: `SHA-256(PAE(type, bytes))`, with the full type string.
pub fn subject(kind: &str, bytes: &[u8]) -> Digest {
    sha256(&pae(kind, bytes))
}

/// What a leaf's `private_hash` holds: `SHA-256(PAE("abeng/1/private", salt ‖ private))`, where
/// `private` is the encoded private part without its salt field.
pub fn private_hash(salt: &[u8], private: &[u8]) -> Digest {
    sha256(&pae("abeng/1/private", &[salt, private].concat()))
}

/// [`private_hash`] of a whole private part.
pub fn private_part_hash(private: &v1::PrivatePart) -> Digest {
    let without = v1::PrivatePart {
        salt: Bytes::new(),
        ..private.clone()
    };
    private_hash(&private.salt, &encode(&without))
}

pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    Digest(out)
}
