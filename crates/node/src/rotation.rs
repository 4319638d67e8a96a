//! Seal keys change by themselves: a new one is made, kept in a backup, and only then published; an old one
//! stays while anything can come or is kept that is sealed to it, and is then destroyed.
//!
//! Nobody else is asked: a statement signed by org-sign and spread like the roster is enough. The order
//! is everything: keyring on disk, backup, leaf, statement. Whatever is cut short is carried on from what is on
//! disk, since a key that the keyring has and no statement names is one that waits.
//!
//! A statement is worth what the key is worth that signed it: where that one is revoked, others forget it. So
//! the key in force is published once more as soon as this node signs with another.

mod destroy;
mod due;
mod ends;
mod going;
mod in_use;
mod pause;

pub use in_use::Looked;

use crate::{
    clock,
    config::KeysConfig,
    identity::passphrase,
    keys::{KeysError, backed_up},
    roster_acts::administrator,
    shared::{Shared, lock},
    timekeeper,
};
use abeng_api::{ApiError, Caller, SealKeyReply, Warned, Warning};
use abeng_audit_log::subject;
use abeng_keys::{
    Entropy, Keyring, Protection, Role, SealSecret, SignError, SignatureType, SystemEntropy,
};
use abeng_queue::{Input, PrivateInput};
use abeng_roster::ceremony::sign_seal_key;
use abeng_wire::{Kid, LeafIndex, Millis, prost::Message, v1};
use due::{Next, ROTATIONS, Ring, Said, begins, next};
use pause::Pause;
use std::{sync::Arc, time::Duration};

/// How often it is looked whether something is due.
const LOOK: Duration = Duration::from_secs(60);
/// What a turn has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing is due.
    Idle,
    /// A key is in the keyring and waits for a backup.
    Waits(Kid),
    /// A key is published: others seal to it from now on.
    Published(Kid),
    /// An old key was destroyed.
    Destroyed(Kid),
}

/// Why a turn came to no end. The next one carries on.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// Keys cannot be read or written.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The passphrase is not where it was.
    #[error("the keyring cannot be written: {0}")]
    Passphrase(String),
    /// The signing key does not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The journal or the view does not answer.
    #[error(transparent)]
    Node(#[from] ApiError),
    /// What was signed was not adopted: a defect, or trust data cannot be kept.
    #[error("the new seal key was signed and not adopted")]
    NotAdopted,
    /// A task broke off.
    #[error("a task of the node broke off")]
    Broken,
}

/// The worker. Ends with the node.
pub(crate) async fn work(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(LOOK);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut told, mut pause) = (None, Pause::default());
    loop {
        every.tick().await;
        if !pause.is_over() {
            continue;
        }
        let turn = shared.turn_seal_keys().await;
        // Each try to publish is a leaf, which stays.
        pause.after(matches!(turn, Err(TurnError::NotAdopted)));
        match turn {
            Ok(Turn::Idle) => told = None,
            Ok(turn @ Turn::Waits(kid)) => {
                if told.replace(turn) != Some(turn) {
                    tracing::warn!(%kid, "{WAITS}");
                }
            }
            Ok(Turn::Published(_) | Turn::Destroyed(_)) => {}
            Err(e) => {
                tracing::error!(error = %e, minutes = pause.looks(), "seal keys could not be looked after; it is tried again")
            }
        }
    }
}

/// What `status` says where others have no key to seal to.
const UNREACHABLE: &str = "nobody can send to this administration: no seal key of it is in force. The node publishes one by itself where it can; see the other warnings, or `abeng keys rotate --seal`";
/// Why no seal key can be signed.
const UNSIGNED: &str = "the org-sign key of this node is revoked, waits, or is not in the roster, so that no seal key can be signed with it";
/// What to do then.
const UNSIGNED_TRY: &str = "put the keyring with the key that the roster lists in the place of this one, and start the node again (docs/operations.md); nothing is needed where the key only waits";
/// What `status` and the drill say of a key that is not published yet.
pub(crate) const WAITS: &str = "a new seal key waits for a backup: run `abeng keys backup` or `abeng backup`, or name `backup_dir` in [keys] of node.toml";

impl Shared {
    /// Does what is due, if anything is and the clock is believed. One thing at a time.
    pub async fn turn_seal_keys(self: &Arc<Self>) -> Result<Turn, TurnError> {
        let _turn = self.turning.lock().await;
        // What was begun ends, whatever time it is.
        if let Some(kid) = self.finish_destroying().await {
            return Ok(Turn::Destroyed(kid));
        }
        if clock::believed().trust != timekeeper::Trust::Plain {
            return Ok(Turn::Idle);
        }
        let now = clock::wall();
        let ring = self.seal_ring()?;
        match next(&ring, self.config.seal.rotate_ms, now) {
            Next::Make => {
                let kid = self.make_seal_key().await?;
                self.publish_if_kept(kid, None).await
            }
            Next::Publish(kid) => self.publish_if_kept(kid, None).await,
            Next::Again(kid, interval) => {
                tracing::warn!(%kid, "the seal key is signed anew: this node signs with another key than the one that signed it");
                self.publish(kid, interval, None).await?;
                Ok(Turn::Published(kid))
            }
            Next::Nothing => {
                self.keep_copy().await;
                self.destroy_due(&ring, now).await
            }
        }
    }

    /// `POST /v1/keys/rotate`: the same now, whatever the calendar says. Refused while the clock is in
    /// doubt: a statement says from when and until when others seal to the key.
    pub async fn rotate_seal_key(self: &Arc<Self>, who: &Caller) -> Result<SealKeyReply, ApiError> {
        keys_changed_by(who)?;
        let _turn = self.turning.lock().await;
        certain(clock::believed().trust)?;
        let ring = self.seal_ring().map_err(answered)?;
        if ring.signer.is_none() {
            return Err(
                ApiError::new(abeng_api::ErrorCode::Conflict, UNSIGNED).with_try(UNSIGNED_TRY)
            );
        }
        let kid = match ring.waiting() {
            Some(kid) => kid,
            None => self.make_seal_key().await.map_err(answered)?,
        };
        let turn = self
            .publish_if_kept(kid, Some(who))
            .await
            .map_err(answered)?;
        let published = matches!(turn, Turn::Published(_));
        Ok(SealKeyReply {
            kid: kid.to_string(),
            published,
            waits: (!published).then(|| WAITS.to_owned()),
        })
    }

    /// What `status` says of the seal keys of this node.
    pub(crate) fn seal_key_warnings(&self, now: Millis) -> Vec<Warning> {
        let Ok(ring) = self.seal_ring() else {
            return Vec::new();
        };
        let mut told = Vec::new();
        if self.trust().seal_key(self.me, now).is_none() {
            told.push(Warning::from(UNREACHABLE).because(Warned::Unreachable, []));
        }
        if ring.signer.is_none() {
            let unsigned = Warning::from(format!("{UNSIGNED}: {UNSIGNED_TRY}"));
            told.push(unsigned.because(Warned::SealKeyUnsigned, []));
        }
        if ring.waiting().is_some() {
            told.push(Warning::from(WAITS).because(Warned::SealKeyWaits, []));
        }
        told.extend(lock(&self.copy_behind).clone().map(Warning::from));
        told.extend(self.going_told());
        told
    }

    /// Whether a key waits for a backup.
    pub(crate) fn seal_key_waits(&self) -> bool {
        self.seal_ring().is_ok_and(|ring| ring.waiting().is_some())
    }

    /// What the keyring holds, and what statements say of it.
    fn seal_ring(&self) -> Result<Ring, TurnError> {
        let trust = self.trust();
        let own = |signed: &v1::Signed| {
            let said = v1::SealKey::decode(signed.bytes.clone()).ok()?;
            let mut by = signed.signatures.iter();
            (said.party == self.me.as_str()).then_some(Said {
                kid: Kid::from_slice(&said.kid)?,
                sequence: said.sequence,
                from: said.not_before,
                until: said.not_after,
                by: by.next().and_then(|s| Kid::from_slice(&s.kid)),
            })
        };
        let statements: Vec<_> = { trust.seal_keys.statements().into_iter() }
            .filter_map(own)
            .collect();
        let keys = self.layout.keys();
        // Statements are forgotten once others have come; how long they held must not be.
        let ends = ends::note(&keys, &statements)?;
        let held = self.keyring.seal.all();
        let held: Vec<Kid> = held.iter().map(|key| key.kid()).collect();
        let roster = &trust.roster;
        let signer = self.keyring.signer().verify_key().kid();
        let listed = roster
            .party(self.me)
            .and_then(|p| p.key(Role::OrgSign, &signer));
        Ok(Ring {
            revoked: held
                .iter()
                .copied()
                .filter(|kid| roster.revoked_at(kid).is_some())
                .collect(),
            held,
            newest: statements.into_iter().max_by_key(|said| said.sequence),
            ends,
            signer: listed.filter(|k| k.revoked_at.is_none()).map(|_| signer),
        })
    }

    /// Makes a key and writes it into the keyring.
    async fn make_seal_key(self: &Arc<Self>) -> Result<Kid, TurnError> {
        let shared = self.clone();
        blocking(move || {
            let key = Arc::new(SealSecret::generate(&mut SystemEntropy));
            let kid = key.kid();
            shared.keyring.seal.add(key);
            if let Err(e) = shared.save_keyring() {
                shared.keyring.seal.forget(&kid);
                return Err(e);
            }
            tracing::info!(%kid, "a new seal key is in the keyring");
            Ok(kid)
        })
        .await
    }

    fn save_keyring(&self) -> Result<(), TurnError> {
        let protection = match &self.config.keys {
            KeysConfig::InsecurePlain => Protection::InsecurePlain,
            KeysConfig::PassphraseFile(_) | KeysConfig::PassphraseCredential(_) => {
                let passphrase = passphrase(&self.config).map_err(TurnError::Passphrase)?;
                Protection::Passphrase(passphrase)
            }
        };
        let keys = self.layout.keys();
        // With another passphrase than the one it was opened with, a restart could not open it.
        let opens = Keyring::load(&keys, || match &protection {
            Protection::Passphrase(passphrase) => Ok(passphrase.clone()),
            Protection::InsecurePlain => Err("[keys] says insecure_plain"),
        });
        opens.map_err(KeysError::from)?;
        Ok(self
            .keyring
            .save(&keys, &protection)
            .map_err(KeysError::from)?)
    }

    async fn publish_if_kept(
        self: &Arc<Self>,
        kid: Kid,
        who: Option<&Caller>,
    ) -> Result<Turn, TurnError> {
        let shared = self.clone();
        let kept = blocking(move || Ok(backed_up(&shared.config, &shared.keyring)?)).await?;
        if !kept {
            return Ok(Turn::Waits(kid));
        }
        let now = clock::wall();
        let until = now.saturating_add(ROTATIONS * self.config.seal.rotate_ms);
        self.publish(kid, (now, until), who).await?;
        Ok(Turn::Published(kid))
    }

    /// Signs the statement, for that interval if its sequence lets it be, journals that, adopts it and so
    /// spreads it.
    async fn publish(
        self: &Arc<Self>,
        kid: Kid,
        (from, until): (Millis, Millis),
        who: Option<&Caller>,
    ) -> Result<(), TurnError> {
        let key = self.keyring.seal.get(&kid).ok_or(TurnError::NotAdopted)?;
        let sequence = self.seal_ring()?.next_sequence(clock::wall());
        let from = begins(sequence, from);
        let until = until.max(from.saturating_add(self.config.seal.rotate_ms));
        let signer = self.keyring.signer().as_ref();
        let signed = sign_seal_key(self.me, sequence, key.public(), (from, until), signer)?;
        let leaf = v1::Leaf {
            kind: v1::LeafKind::Admin.into(),
            subject: subject(SignatureType::SEAL_KEY.name(), &signed.bytes).to_bytes(),
            ..Default::default()
        };
        let proof = v1::proof_part::Of::Statement(signed.clone());
        self.note_keys(leaf, Some(proof), who).await?;
        let shared = self.clone();
        blocking(move || {
            shared.merge_trust(&v1::TrustBundle {
                seal_keys: vec![signed],
                ..Default::default()
            });
            let newest = shared.seal_ring()?.newest;
            match newest.is_some_and(|said| said.sequence == sequence) {
                true => Ok(()),
                false => Err(TurnError::NotAdopted),
            }
        })
        .await?;
        tracing::info!(%kid, "a seal key is published: others seal to it from now on");
        Ok(())
    }

    /// Journals a leaf about keys and waits until it is durable.
    async fn note_keys(
        &self,
        leaf: v1::Leaf,
        proof: Option<v1::proof_part::Of>,
        who: Option<&Caller>,
    ) -> Result<LeafIndex, TurnError> {
        let private = who.map(|who| {
            let mut salt = [0; 32];
            SystemEntropy.fill(&mut salt);
            PrivateInput {
                officer: who.name.clone(),
                via: who.through(),
                salt,
            }
        });
        let place = self.desk.open();
        let input = Input::Note {
            leaf: Box::new(leaf),
            proof: proof.map(|of| v1::ProofPart { of: Some(of) }),
            private,
            tell: Some(place.ticket),
            receipt_to: None,
        };
        self.core.give(input).await;
        match place.ended.await {
            Ok(crate::desk::Ended::Noted { leaf }) => Ok(leaf),
            _ => Err(ApiError::stopping().into()),
        }
    }
}

/// Officers may use the socket, and keys are not theirs to change.
fn keys_changed_by(who: &Caller) -> Result<(), ApiError> {
    administrator(who, "keys are changed by the node's own user or root alone")
}

/// A statement of a wrong time is believed by all, and its sequence stands in the way of the right one.
fn certain(clock: timekeeper::Trust) -> Result<(), ApiError> {
    match clock {
        timekeeper::Trust::Plain => Ok(()),
        _ => Err(ApiError::new(
            abeng_api::ErrorCode::Conflict,
            "the clock of this node is in doubt, and a seal key is published with its time",
        )
        .with_try("check it with `date -u`, and see `abeng status`")),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TurnError> + Send + 'static,
) -> Result<T, TurnError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| TurnError::Broken)?
}

fn answered(error: TurnError) -> ApiError {
    match error {
        TurnError::Node(error) => error,
        TurnError::Keys(error) => ApiError::internal(error.to_string()).with_try(error.hint()),
        error => ApiError::internal(error.to_string())
            .with_try("see the node's log; nothing was published that is not in the keyring"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use timekeeper::Trust;

    #[test]
    fn no_key_is_published_by_a_clock_that_is_in_doubt() {
        assert!(certain(Trust::Plain).is_ok());
        for clock in [Trust::Doubted, Trust::Corrected] {
            let refused = certain(clock).unwrap_err();
            assert_eq!(refused.code, abeng_api::ErrorCode::Conflict);
        }
    }
}
