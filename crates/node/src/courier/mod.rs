//! Courier files: what a link would carry, taken along on a stick.
//!
//! Export writes only what is durable, and says so in the log first. Import feeds what it reads to
//! the very same checks as a link; that a file was made by anybody in particular counts for nothing.

mod carried;
mod export;
mod files;
mod import;
mod incoming;
mod plan;
mod tally;
mod window;

pub use import::fault_view;

use crate::{clock, refused::members, shared::Shared};
use abeng_api::{ApiError, Cause, ErrorCode};
use abeng_wire::{EnvelopeId, Hash32, Incarnation, PartyCode, StreamSeq, v1};
use carried::{Carried, FileMark};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use tokio::sync::OwnedMutexGuard;

/// What courier files leave behind in a process.
#[derive(Default)]
pub struct Courier {
    // One file at a time each way: a stick is slow, and two would only share its speed.
    exporting: Arc<tokio::sync::Mutex<()>>,
    importing: Arc<tokio::sync::Mutex<()>>,
    carried: Mutex<BTreeMap<PartyCode, Carried>>,
    // How far attachments were carried. Forgetting it costs room on a stick.
    files: Mutex<BTreeMap<PartyCode, BTreeMap<Hash32, FileMark>>>,
    // What others said they miss of the streams from here, in their newest file, and of which life.
    wanted: Mutex<BTreeMap<PartyCode, Vec<(Incarnation, Range)>>>,
    // Sizes of the own log that others said they hold. Only saves a question later on.
    held: Mutex<BTreeMap<PartyCode, u64>>,
    // Envelopes of others that the newest files of relays brought, whose receipts go back that way.
    brought: Mutex<BTreeMap<PartyCode, BTreeSet<EnvelopeId>>>,
}

/// Envelopes of others that are remembered of one relay's files.
const BROUGHT: usize = 16_384;

impl Courier {
    /// A file whose header names this relay has brought an envelope of another party.
    fn brought(&self, relay: PartyCode, id: EnvelopeId) {
        let mut brought = crate::shared::lock(&self.brought);
        let brought = brought.entry(relay).or_default();
        if brought.len() < BROUGHT {
            brought.insert(id);
        }
    }

    /// A new file of that relay: what its older ones brought is forgotten.
    fn brings_anew(&self, relay: PartyCode) {
        crate::shared::lock(&self.brought).remove(&relay);
    }

    fn brought_by(&self, relay: PartyCode) -> Vec<EnvelopeId> {
        let brought = crate::shared::lock(&self.brought);
        let ids = brought.get(&relay).into_iter().flatten();
        ids.copied().collect()
    }
}

/// Numbers of a stream from here to a party, both ends in it.
type Range = (StreamSeq, StreamSeq);

type Turn = OwnedMutexGuard<()>;

fn turn(gate: &Arc<tokio::sync::Mutex<()>>, what: &str) -> Result<Turn, ApiError> {
    gate.clone().try_lock_owned().map_err(|_| {
        ApiError::busy(format!("another courier file is being {what}"), 10)
            .with_try("wait until it is done")
            .because(Cause::CourierBusy, [])
    })
}

impl Shared {
    /// The party that a courier file may be made for.
    fn courier_recipient(&self, code: &str) -> Result<PartyCode, ApiError> {
        let trust = self.trust();
        let members = members(&trust.roster);
        let given: String = code.trim().to_ascii_uppercase().chars().take(32).collect();
        let unknown = |why: String, cause| {
            ApiError::not_found(why)
                .with_try(format!("the members are {members}"))
                .because(
                    cause,
                    [("given", given.clone()), ("members", members.clone())],
                )
        };
        let party = PartyCode::new(&given).ok();
        let Some(to) = party.and_then(|to| trust.roster.party(to)) else {
            return Err(unknown(
                format!("no party is called `{given}`"),
                Cause::UnknownParty,
            ));
        };
        if to.code == self.me {
            let own = format!("{} is the party of this node", to.code);
            return Err(ApiError {
                code: ErrorCode::Invalid,
                ..unknown(own, Cause::OwnParty)
            });
        }
        if !to.is_active() {
            let left = format!(
                "{} does not take part: it is suspended or has left",
                to.code
            );
            return Err(unknown(left, Cause::InactiveParty));
        }
        Ok(to.code)
    }

    /// Which way a file goes. Unsigned: it opens nothing, and only keeps sticks apart.
    fn courier_header(&self, to: PartyCode, plan: &plan::Plan) -> v1::CourierHeader {
        let trust = self.trust();
        let logs = crate::shared::lock(&self.logs);
        let held = logs.trunks().find(|(party, _)| *party == to);
        let held = held.and_then(|(_, checkpoint)| {
            let origin = abeng_audit_log::LogOrigin::parse(checkpoint.origin()).ok()?;
            Some(v1::CheckpointRef {
                incarnation: origin.incarnation.0,
                size: checkpoint.size(),
                root: checkpoint.root().to_bytes(),
            })
        });
        v1::CourierHeader {
            version: 1,
            network: trust.roster.network().to_string(),
            from: self.me.to_string(),
            to: to.to_string(),
            incarnation: self.incarnation.0,
            created_at: clock::wall(),
            roster: Some(trust.roster.reference()),
            held,
            envelopes: plan.envelopes.len() as u64,
            receipts: plan.receipts.len() as u64,
            attachments: plan.files.len() as u64,
            attachment_bytes: plan.files.iter().map(files::Missing::bytes).sum(),
        }
    }
}
