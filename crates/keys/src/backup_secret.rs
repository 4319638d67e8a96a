//! The keyring for the day when its passphrase or its machine is gone: sealed to a key of the role
//! `backup`, whose secret exists only as k-of-n shares on paper.
//!
//! A file (`keyring.sealed`) holds the keyring sealed by HPKE, so that a changed keyring is sealed
//! anew without the shares; the sheets also hold the signing keys of the day of the split, encrypted,
//! for where no file is left. docs/protocol.md, "Share sheets", is the format.

use crate::{
    Combining, Entropy, Keyring, SealPublic, SealSecret, SetId, Share, ShareError, SoftSigner,
    StoreKey,
    entropy::seed,
    keyring::format,
    shares::{LINE, read_lines, split, write_lines},
};
use abeng_wire::{Kid, PartyCode, pae};
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::XWing,
};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// The first line of a sealed keyring.
const MAGIC: &str = "abeng-sealed-keyring-1";
/// Its other two lines, `party CODE` and `key KID`, at most.
const HEADER: usize = 256;
/// A keyring's text at most.
const KEYRING: usize = 64 * 1024;
/// Seal keys on paper, the newest of them.
const PAPER_SEALS: usize = 4;
const PAPER_VERSION: u8 = 1;
/// Version, lines and set, in the clear.
const PAPER_HEADER: usize = 5;
const TAG: usize = 16;

/// Why a keyring does not come back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryError {
    /// The shares do not give a secret.
    #[error(transparent)]
    Shares(#[from] ShareError),
    /// The shares give the secret of another key.
    #[error(
        "the shares give another key than theirs: one of them is not of this set, though each reads right"
    )]
    OtherSecret,
    /// Not a sealed keyring.
    #[error("it is no sealed keyring: {0}")]
    Format(
        /// What is wrong.
        &'static str,
    ),
    /// Sealed to another key.
    #[error("it is sealed to the set {found}, and the shares are of {expected}")]
    OtherSet {
        /// The set of the shares.
        expected: SetId,
        /// The set it is sealed to.
        found: SetId,
    },
    /// It does not open.
    #[error("it does not open with its own key: it is damaged")]
    Damaged,
    /// What was sealed is no keyring.
    #[error("what it holds is no keyring: {0}")]
    Keyring(
        /// What is wrong; never a secret.
        String,
    ),
}

/// The secret that is split. Wiped when dropped.
pub struct BackupSecret {
    master: Zeroizing<[u8; 32]>,
    seal: SealSecret,
}

impl BackupSecret {
    /// A new one. Split it and let it go.
    pub fn generate(entropy: &mut dyn Entropy) -> Self {
        loop {
            if let Ok(secret) = Self::new(seed(entropy)) {
                return secret;
            }
        }
    }

    /// What shares give, if they are of one set.
    pub fn combine(shares: &Combining) -> Result<Self, RecoveryError> {
        let secret = Self::new(shares.secret()?).map_err(|_| RecoveryError::OtherSecret)?;
        match shares.set() {
            Some(set) if set == secret.set() => Ok(secret),
            _ => Err(RecoveryError::OtherSecret),
        }
    }

    fn new(master: Zeroizing<[u8; 32]>) -> Result<Self, crate::BadKey> {
        let seal = SealSecret::from_seed(&derive(&master, "abeng/1/backup-seal"))?;
        Ok(Self { master, seal })
    }

    /// The set of its shares.
    pub fn set(&self) -> SetId {
        SetId::of(&self.seal.kid())
    }

    /// What keyrings are sealed to.
    pub fn public(&self) -> &SealPublic {
        self.seal.public()
    }

    /// `count` shares, any `threshold` of which give it back.
    pub fn split(
        &self,
        threshold: u8,
        count: u8,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<Share>, ShareError> {
        split(&self.master, self.set(), threshold, count, entropy)
    }

    /// Opens what [`seal_keyring`] made.
    pub fn open(&self, sealed: &[u8]) -> Result<Keyring, RecoveryError> {
        let (header, content) = parse(sealed)?;
        if header.kid != self.seal.kid() {
            return Err(RecoveryError::OtherSet {
                expected: self.set(),
                found: SetId::of(&header.kid),
            });
        }
        let (enc, content) = { content.split_at_checked(crate::ENCAPSULATION) }
            .ok_or(RecoveryError::Format("it is too short"))?;
        if crate::encapsulation_is_low_order(enc) {
            return Err(RecoveryError::Damaged);
        }
        let enc =
            <XWing as Kem>::EncappedKey::from_bytes(enc).map_err(|_| RecoveryError::Damaged)?;
        let info = info(header.text);
        let plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            self.seal.hpke(),
            &enc,
            &info,
            content,
            b"",
        )
        .map(Zeroizing::new)
        .map_err(|_| RecoveryError::Damaged)?;
        let keyring = format::read(&plain).map_err(RecoveryError::Keyring)?;
        if keyring.party != header.party {
            return Err(RecoveryError::Format("its head names another party"));
        }
        Ok(keyring)
    }

    /// The keyring as lines for paper: what signs, what wraps, and the newest seal keys. To be
    /// called once: the key it is encrypted with has one use.
    pub fn paper(&self, keyring: &Keyring) -> Vec<Zeroizing<String>> {
        let mut plain = Zeroizing::new(Vec::with_capacity(1024));
        let code = keyring.party.as_str().as_bytes();
        plain.push(code.len() as u8);
        plain.extend_from_slice(code);
        for signer in [
            keyring.org_sign(),
            keyring.node_tls(),
            keyring.log(),
            keyring.witness(),
        ] {
            plain.extend_from_slice(&signer.seed()[..]);
        }
        plain.extend_from_slice(&keyring.store.expose()[..]);
        let seals = keyring.seal.all();
        let seals = &seals[seals.len().saturating_sub(PAPER_SEALS)..];
        plain.push(seals.len() as u8);
        for secret in seals {
            plain.extend_from_slice(&secret.seed()[..]);
        }
        let bare = PAPER_HEADER + plain.len() + TAG;
        let lines = bare.div_ceil(LINE);
        let whole = plain.len() + lines * LINE - bare;
        plain.resize(whole, 0);

        let mut header = [PAPER_VERSION, lines as u8, 0, 0, 0];
        header[2..].copy_from_slice(self.set().bytes());
        let mut out = header.to_vec();
        out.extend_from_slice(&self.encrypt(&header, plain));
        write_lines(&out)
    }

    /// Reads the lines of [`Self::paper`].
    pub fn open_paper<'a>(
        &self,
        lines: impl IntoIterator<Item = &'a str>,
    ) -> Result<Keyring, RecoveryError> {
        let bytes = read_lines(lines).map_err(|(line, why)| ShareError::Line { line, why })?;
        let (header, sealed) = { bytes.split_first_chunk::<PAPER_HEADER>() }
            .ok_or(RecoveryError::Format("it is too short"))?;
        let [version, lines, set @ ..] = *header;
        if version != PAPER_VERSION || usize::from(lines) * LINE != bytes.len() {
            return Err(RecoveryError::Format(
                "lines are missing, or it is of another version",
            ));
        }
        if SetId::new(set) != self.set() {
            return Err(RecoveryError::OtherSet {
                expected: self.set(),
                found: SetId::new(set),
            });
        }
        let plain = self.decrypt(header, sealed).ok_or(RecoveryError::Damaged)?;
        read_paper(&plain).ok_or_else(|| RecoveryError::Keyring("a part of it is missing".into()))
    }

    #[allow(
        clippy::expect_used,
        reason = "a few hundred bytes are shorter than 256 GiB"
    )]
    fn encrypt(&self, header: &[u8; PAPER_HEADER], mut plain: Zeroizing<Vec<u8>>) -> Vec<u8> {
        let tag = self
            .paper_key()
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key([0; 12]),
                Aad::from(header),
                &mut plain,
            )
            .expect("invariant: the plaintext is shorter than 256 GiB");
        [&plain[..], tag.as_ref()].concat()
    }

    fn decrypt(&self, header: &[u8; PAPER_HEADER], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut out = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let opened = self
            .paper_key()
            .open_in_place(nonce, Aad::from(header), &mut out);
        let length = opened.ok()?.len();
        out.truncate(length);
        Some(out)
    }

    #[allow(clippy::expect_used, reason = "the length is that of the type")]
    fn paper_key(&self) -> LessSafeKey {
        let key = derive(&self.master, "abeng/1/backup-paper");
        let key = UnboundKey::new(&CHACHA20_POLY1305, &key[..])
            .expect("invariant: a ChaCha20 key has 32 bytes");
        LessSafeKey::new(key)
    }
}

impl fmt::Debug for BackupSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackupSecret(set {}, …)", self.set())
    }
}

/// How many lines the keyring on paper has, by its first line.
pub fn paper_lines(first: &[u8; LINE]) -> Option<u8> {
    (first[0] == PAPER_VERSION && first[1] > 0).then_some(first[1])
}

/// Seals a keyring to the key whose secret the shares give: a whole file.
#[allow(clippy::expect_used, reason = "an admitted key can be sealed to")]
pub fn seal_keyring(keyring: &Keyring, to: &SealPublic) -> Vec<u8> {
    let header = format!("{MAGIC}\nparty {}\nkey {}\n", keyring.party, to.kid());
    let text = format::write(keyring);
    let (enc, content) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeS::Base,
        to.hpke(),
        &info(&header),
        text.as_bytes(),
        b"",
    )
    .expect("invariant: an admitted X-Wing key takes every message");
    [header.as_bytes(), &enc.to_bytes(), &content].concat()
}

/// Whose keyring a file holds, and to the key of which set it is sealed.
pub fn sealed_for(sealed: &[u8]) -> Result<(PartyCode, Kid), RecoveryError> {
    parse(sealed).map(|(header, _)| (header.party, header.kid))
}

struct Header<'a> {
    text: &'a str,
    party: PartyCode,
    kid: Kid,
}

fn parse(sealed: &[u8]) -> Result<(Header<'_>, &[u8]), RecoveryError> {
    let format = RecoveryError::Format;
    if sealed.len() > HEADER + crate::ENCAPSULATION + KEYRING {
        return Err(format("it is too long"));
    }
    let ends = sealed.iter().enumerate().filter(|(_, b)| **b == b'\n');
    let (end, _) = ends.take(3).last().ok_or(format("it has no head"))?;
    let (head, content) = sealed.split_at(end + 1);
    let text = std::str::from_utf8(head).map_err(|_| format("its head is not text"))?;
    let mut lines = text.lines();
    if lines.next() != Some(MAGIC) {
        return Err(format("its first line says so"));
    }
    let party = lines.next().and_then(|l| l.strip_prefix("party "));
    let kid = lines.next().and_then(|l| l.strip_prefix("key "));
    let party = party.and_then(|code| PartyCode::new(code).ok());
    let kid = kid.and_then(Kid::from_hex);
    match (party, kid) {
        (Some(party), Some(kid)) => Ok((Header { text, party, kid }, content)),
        _ => Err(format("its head names no party or no key")),
    }
}

fn info(header: &str) -> Vec<u8> {
    pae("abeng/1/backup-keyring", header.as_bytes())
}

#[allow(clippy::expect_used, reason = "one hash's length is asked for")]
fn derive(master: &[u8; 32], label: &'static str) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    let label = [label.as_bytes()];
    let prk = Salt::new(HKDF_SHA256, &[]).extract(master);
    prk.expand(&label, HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut out[..]))
        .expect("invariant: HKDF gives as many bytes as its hash has");
    out
}

fn read_paper(plain: &[u8]) -> Option<Keyring> {
    let (&length, rest) = plain.split_first()?;
    let (code, mut rest) = rest.split_at_checked(usize::from(length))?;
    let party = PartyCode::new(std::str::from_utf8(code).ok()?).ok()?;
    let mut next = || -> Option<Zeroizing<[u8; 32]>> {
        let (secret, behind) = rest.split_first_chunk::<32>()?;
        rest = behind;
        Some(Zeroizing::new(*secret))
    };
    let mut signer = || SoftSigner::from_seed(&*next()?).ok().map(Arc::new);
    let signers = [signer()?, signer()?, signer()?, signer()?];
    let store = StoreKey::new(*next()?);
    let (&count, rest) = rest.split_first()?;
    let (seeds, _) = rest.as_chunks::<32>();
    let seeds = seeds
        .get(..usize::from(count))
        .filter(|seeds| !seeds.is_empty())?;
    let seal = seeds
        .iter()
        .map(|seed| SealSecret::from_seed(seed).ok().map(Arc::new));
    Some(Keyring::of_parts(
        party,
        signers,
        store,
        seal.collect::<Option<_>>()?,
    ))
}
