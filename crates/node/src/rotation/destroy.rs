//! Old seal keys go. The order: what is to go is noted on disk; the keyring is written without it and
//! the old file overwritten; a leaf says so; the note goes. A leaf never says more than what is so, and
//! whatever is cut short ends at the next look. Cut short between leaf and note it says it twice.

use super::{Ring, Turn, TurnError, answered, blocking, going, keys_changed_by};
use crate::{
    clock,
    keys::look_again,
    shared::{Shared, lock},
};
use abeng_api::{ApiError, Caller, DestroyKeyRequest, SealKeyReply, Warned, Warning};
use abeng_audit_log::subject;
use abeng_wire::{Kid, Millis, v1};
use std::sync::Arc;

/// The type under which a destroyed key is the subject of a leaf.
const DESTROYED: &str = "application/vnd.abeng.sealkey-destroyed.v1";

impl Shared {
    /// `POST /v1/keys/destroy`.
    pub async fn destroy_seal_key(
        self: &Arc<Self>,
        who: &Caller,
        request: DestroyKeyRequest,
    ) -> Result<SealKeyReply, ApiError> {
        keys_changed_by(who)?;
        let _turn = self.turning.lock().await;
        let ring = self.seal_ring().map_err(answered)?;
        // No doubtful clock ends what others may have sealed to a key.
        let now = clock::believed().earliest;
        let kid = ring.find(&request.kid).ok_or_else(|| {
            ApiError::not_found(format!(
                "no seal key of this node begins with {}",
                request.kid
            ))
            .with_try("`abeng keys list` shows them")
        })?;
        let why = match ring.is_needed(&kid) {
            true => {
                return Err(
                    ApiError::forbidden("others seal to this key, or are about to")
                        .with_try("make another first: `abeng keys rotate --seal`"),
                );
            }
            false if request.anyway => None,
            false if !ring.may_go(&kid, now) => Some(
                "what is sealed to it may still come: its statement has not ended for as long as an envelope lives",
            ),
            false => self
                .kept_under(vec![kid])
                .await
                .map_err(answered)?
                .contains(&kid)
                .then_some(
                    "notices that are kept here are sealed to it, and could not be opened any more",
                ),
        };
        if let Some(why) = why {
            return Err(ApiError::new(abeng_api::ErrorCode::Conflict, why)
                .with_try("it goes by itself once nothing needs it; `--anyway` destroys it now"));
        }
        self.destroy(kid, Some(who)).await.map_err(answered)?;
        Ok(SealKeyReply {
            kid: kid.to_string(),
            ..SealKeyReply::default()
        })
    }

    /// Destroys at most one key that nothing needs any more.
    pub(super) async fn destroy_due(
        self: &Arc<Self>,
        ring: &Ring,
        now: Millis,
    ) -> Result<Turn, TurnError> {
        let over: Vec<Kid> = ring.over(now);
        if over.is_empty() || !lock(&self.looked_for_old).due(clock::mono()) {
            return Ok(Turn::Idle);
        }
        let needed = self.kept_under(over.clone()).await?;
        match over.into_iter().find(|kid| !needed.contains(kid)) {
            None => Ok(Turn::Idle),
            Some(kid) => {
                self.destroy(kid, None).await?;
                Ok(Turn::Destroyed(kid))
            }
        }
    }

    /// Notes that a key is to go, and lets it.
    async fn destroy(self: &Arc<Self>, kid: Kid, who: Option<&Caller>) -> Result<(), TurnError> {
        let keys = self.layout.keys();
        blocking(move || Ok(going::add(&keys, kid)?)).await?;
        self.finish(kid, who).await?;
        self.keep_copy().await;
        Ok(())
    }

    /// Ends what was noted and cut short; the first of it that ended now.
    pub(super) async fn finish_destroying(self: &Arc<Self>) -> Option<Kid> {
        let noted = match going::read(&self.layout.keys()) {
            Ok(noted) => noted,
            Err(e) => {
                tracing::error!(error = %e, "it cannot be read which seal keys are to be destroyed");
                return None;
            }
        };
        for kid in noted {
            match self.finish(kid, None).await {
                Ok(()) => {
                    self.keep_copy().await;
                    return Some(kid);
                }
                Err(e) => {
                    tracing::error!(error = %e, %kid, "a seal key could not be destroyed yet; it is tried again");
                }
            }
        }
        None
    }

    /// Takes a key out of the keyring, and then says so in the log.
    async fn finish(self: &Arc<Self>, kid: Kid, who: Option<&Caller>) -> Result<(), TurnError> {
        let shared = self.clone();
        blocking(move || {
            let before = shared.keyring.seal.all();
            if shared.keyring.seal.forget(&kid)
                && let Err(e) = shared.save_keyring()
            {
                // It rests on disk still, and as long as it does it opens what it opens.
                shared.keyring.seal.replace(before);
                return Err(e);
            }
            // What BOXes under it gave goes with it.
            lock(&shared.opened).forget(&kid);
            Ok(())
        })
        .await?;
        let leaf = v1::Leaf {
            kind: v1::LeafKind::Admin.into(),
            subject: subject(DESTROYED, &kid.0).to_bytes(),
            ..Default::default()
        };
        self.note_keys(leaf, None, who).await?;
        let keys = self.layout.keys();
        blocking(move || Ok(going::done(&keys, &kid)?)).await?;
        tracing::info!(%kid, "an old seal key is destroyed: it is not in the keyring any more");
        Ok(())
    }

    /// Has the node's own copy be of the keyring as it is now, and remembers where it is not: with an
    /// older one a destroyed key can still be read.
    pub(super) async fn keep_copy(self: &Arc<Self>) {
        let shared = self.clone();
        let kept = blocking(move || Ok(look_again(&shared.config, &shared.keyring)?)).await;
        let dir = self.config.seal.backup_dir.as_deref();
        let dir = dir.unwrap_or(self.layout.root()).display();
        let behind = kept.err().map(|e| {
            format!("the copy of the keyring in {dir} is not of the keyring as it is now, and may hold seal keys that are destroyed ({e}); it is tried again every minute")
        });
        let before = std::mem::replace(&mut *lock(&self.copy_behind), behind.clone());
        match behind {
            Some(told) if before.as_ref() != Some(&told) => tracing::warn!("{told}"),
            _ => {}
        }
    }

    /// What `status` says of keys that are to go and could not.
    pub(super) fn going_told(&self) -> Option<Warning> {
        let noted = going::read(&self.layout.keys()).unwrap_or_default();
        let noted: Vec<Kid> = noted.into_iter().collect();
        (!noted.is_empty()).then(|| {
            let named = crate::keys::named(&noted);
            let told = Warning::from(format!("to be destroyed, and not yet gone or not yet in the log: {named}. It is tried again every minute, and the node's log says why it failed"));
            told.because(Warned::KeysGoing, [("kids", named)])
        })
    }
}
