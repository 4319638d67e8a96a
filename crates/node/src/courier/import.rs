//! `POST /v1/courier/import`.

mod proofs;
mod wants;

use super::{
    incoming::Incoming,
    tally::{Tally, What},
    turn,
    window::Window,
};
use crate::{
    clock,
    inbound::Examined,
    relaying::is_relay,
    shared::{Shared, lock},
};
use abeng_api::{
    ApiError, Caller, Cause, CourierFaultKind, CourierFaultView, CourierReport, ErrorCode, Pieces,
};
use abeng_evidence::courier::{CourierFault, CourierReader, Found, Item};
use abeng_roster::digest;
use abeng_seal::Arrived;
use abeng_wire::{Digest, NetworkCode, PartyCode, v1};
use bytes::Bytes;
use std::sync::Arc;

impl Shared {
    /// Takes a courier file. Everything in it proves itself; what is whole is taken also where the
    /// file is not.
    pub async fn courier_import(
        self: &Arc<Self>,
        who: &Caller,
        mut file: Pieces,
    ) -> Result<CourierReport, ApiError> {
        let _turn = turn(&self.courier.importing, "taken in")?;
        let mut import = Import {
            shared: self,
            tally: Tally::default(),
            window: Window::default(),
            incoming: Incoming::default(),
            from: None,
            header: None,
        };
        let problem = import.read(&mut file).await?;
        import.attachment_ends();
        import.window.settle(self, &mut import.tally).await;
        // Also what is no envelope: a roster adopted, a contradiction kept. After the stop nobody
        // is answered.
        let _ = self.core.reached().await;
        let mut report = import.tally.report;
        report.whole = problem.is_none();
        report.fault = problem
            .as_ref()
            .and_then(|p| p.fault.as_ref())
            .map(fault_view);
        report.problem = problem.map(|p| p.told);
        tracing::info!(
            officer = %who.name, from = %report.from, whole = report.whole,
            envelopes = report.envelopes.taken, receipts = report.receipts.taken,
            attachments = report.attachments.taken,
            "a courier file was taken in"
        );
        Ok(report)
    }
}

/// Why a file could not be read to its end.
struct Problem {
    told: String,
    // None where it did not come from the file.
    fault: Option<CourierFault>,
}

/// A fault as the local interface tells it.
pub fn fault_view(fault: &CourierFault) -> CourierFaultView {
    use CourierFaultKind as Kind;
    let (kind, at, length) = match *fault {
        CourierFault::NotCourier => (Kind::NotCourier, None, None),
        CourierFault::Version(_) => (Kind::Version, None, None),
        CourierFault::Header => (Kind::Header, None, None),
        CourierFault::Cut { at, length } => (Kind::Cut, Some(at), Some(length)),
        CourierFault::Length { at, .. } => (Kind::Length, Some(at), None),
        CourierFault::Digest => (Kind::Digest, None, None),
        CourierFault::Trailing { at } => (Kind::Trailing, Some(at), None),
    };
    CourierFaultView { kind, at, length }
}

/// A file that is being taken in.
pub(super) struct Import<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) tally: Tally,
    pub(super) window: Window,
    pub(super) incoming: Incoming,
    from: Option<PartyCode>,
    /// Until the first thing stands behind it.
    header: Option<v1::CourierHeader>,
}

impl Import<'_> {
    /// Reads to the end, or to where nothing can be read any more: why not.
    async fn read(&mut self, file: &mut Pieces) -> Result<Option<Problem>, ApiError> {
        let mut reader = CourierReader::new();
        loop {
            let fault = match self.read_on(&mut reader).await? {
                Some(fault) => fault,
                None => match file.next().await {
                    Some(Ok(piece)) => {
                        reader.feed(&piece);
                        continue;
                    }
                    Some(Err(e)) => {
                        return Ok(Some(Problem {
                            told: e.message,
                            fault: None,
                        }));
                    }
                    None => match reader.end() {
                        Ok(()) => return Ok(None),
                        Err(fault) => fault,
                    },
                },
            };
            return match self.from {
                Some(_) => Ok(Some(Problem {
                    told: fault.to_string(),
                    fault: Some(fault),
                })),
                None => Err(unreadable(&fault)),
            };
        }
    }

    /// Takes everything that is there now.
    async fn read_on(
        &mut self,
        reader: &mut CourierReader,
    ) -> Result<Option<CourierFault>, ApiError> {
        loop {
            match reader.read() {
                Ok(None) => return Ok(None),
                Ok(Some(Found::Header(header))) => self.header(&header)?,
                Ok(Some(Found::Item(item))) => {
                    self.begins(&item)?;
                    self.item(item).await;
                }
                Ok(Some(Found::Damaged { at, why })) => {
                    self.tally.damaged(format!("at byte {at}: {why}"));
                }
                Ok(Some(Found::Close)) => {}
                Err(fault) => return Ok(Some(fault)),
            }
        }
    }

    /// Keeps sticks apart: nothing is taken from one that is for somebody else.
    fn header(&mut self, header: &v1::CourierHeader) -> Result<(), ApiError> {
        let (shared, trust) = (self.shared, self.shared.trust());
        let refused = |why: String| ApiError::new(ErrorCode::Refused, why);
        let named = |code: &str| {
            PartyCode::new(code).map_err(|_| {
                refused("the courier file names no party".to_owned())
                    .because(Cause::CourierNobody, [])
            })
        };
        let network = trust.roster.network();
        if header.network != network.as_str() {
            let other = abeng_notice::printable(&header.network);
            return Err(refused(format!(
                "the courier file is of the network `{other}`, and this node is of `{network}`"
            ))
            .with_try("import it on a node of that network")
            .because(
                Cause::CourierNetwork,
                [("other", other), ("network", network.to_string())],
            ));
        }
        let (from, to) = (named(&header.from)?, named(&header.to)?);
        if to != shared.me {
            let (mine, cause) = match from == shared.me {
                true => (" It was made here.", Cause::CourierMadeHere),
                false => ("", Cause::CourierForOther),
            };
            return Err(refused(format!(
                "the courier file is for {to}, and this is the node of {}.{mine}",
                shared.me
            ))
            .with_try(format!(
                "bring it to {to} and run `abeng courier import` there"
            ))
            .because(
                cause,
                [("to", to.to_string()), ("me", shared.me.to_string())],
            ));
        }
        self.from = Some(from);
        self.header = Some(header.clone());
        self.tally.report.from = from.to_string();
        self.tally.report.created_at = clock::rfc3339(header.created_at);
        Ok(())
    }

    /// The first thing behind the header. A file begins with its trust data, which tell networks of
    /// one name apart: nothing is taken, and nothing of the header noted, where no root is shared.
    fn begins(&mut self, first: &Item) -> Result<(), ApiError> {
        let (shared, trust) = (self.shared, self.shared.trust());
        let Some((from, header)) = self.from.zip(self.header.take()) else {
            return Ok(());
        };
        if let Item::Trust(bundle) = first
            && let Some(root) = bundle.roots.first()
        {
            let theirs = digest(&root.bytes);
            let known = trust.to_bundle().roots;
            if !known.iter().any(|root| digest(&root.bytes) == theirs) {
                return Err(other_network(
                    trust.roster.network(),
                    theirs,
                    shared.config.root,
                ));
            }
        }
        if let Some(held) = &header.held {
            shared.courier_held(from, held);
        }
        lock(&shared.courier.wanted).remove(&from);
        shared.courier.brings_anew(from);
        Ok(())
    }

    async fn item(&mut self, item: Item) {
        match item {
            Item::Trust(bundle) => self.trust(bundle).await,
            Item::Checkpoint(frame) => self.checkpoint(&frame).await,
            Item::Want(want) => self.want(&want),
            Item::Void(signed) => self.void(signed).await,
            Item::Receipts(frame) => self.receipts(frame).await,
            Item::Envelope(frame) => self.envelope(&frame).await,
            Item::Attachment(file) => self.attachment(&file).await,
            Item::Piece(piece) => self.attachment_piece(piece).await,
            Item::AttachmentWant(want) => self.attachment_want(&want).await,
        }
        if self.window.is_full() {
            self.window.settle(self.shared, &mut self.tally).await;
        }
    }

    async fn envelope(&mut self, frame: &Bytes) {
        let (shared, what) = (self.shared, What::Envelope);
        let arrived = match Arrived::parse(frame) {
            Ok(arrived) => arrived,
            Err(fault) => return self.tally.fault(what, fault.id, fault.why),
        };
        let (id, originator) = (arrived.id(), arrived.originator());
        let known = shared.trust().roster.party(originator).is_some();
        let wrong = if originator == shared.me {
            Some("it was sent from this node".to_owned())
        } else if arrived.entry(shared.me).is_none() {
            Some(format!(
                "it is not for {}, and no other node takes it from here",
                shared.me
            ))
        } else if known && shared.quarantined(originator) {
            Some(contradicted(originator))
        } else {
            None
        };
        if let Some(why) = wrong {
            return self.tally.fault(what, Some(id), why);
        }
        if self.window.has(&id) {
            return self.tally.known(what);
        }
        // By the header's word alone: the outcome of what a relay's file brought goes along in a
        // file to that relay too, and nowhere else.
        if let Some(relay) = self.from
            && relay != originator
            && is_relay(&shared.trust().roster, relay)
        {
            shared.courier.brought(relay, id);
        }
        // As if its originator had brought it: the receipt is owed to nobody else.
        match shared.examine(originator, arrived.clone()).await {
            Examined::Given => self.window.envelope(arrived),
            Examined::Known => self.tally.known(what),
            Examined::Dropped { why, .. } => self.tally.fault(what, Some(id), why),
        }
    }
}

/// Two networks may have one name; the first root is what an operator pins.
fn other_network(network: NetworkCode, theirs: Digest, ours: Digest) -> ApiError {
    ApiError::new(
        ErrorCode::Refused,
        format!(
            "the courier file is of another network, which is also called `{network}`: its first root is {theirs}, and this node's is {ours}"
        ),
    )
    .with_try("import it on a node of that network; `abeng status` there shows the same root")
    .because(
        Cause::CourierNamesake,
        [
            ("network", network.to_string()),
            ("theirs", theirs.to_string()),
            ("ours", ours.to_string()),
        ],
    )
}

fn contradicted(party: PartyCode) -> String {
    format!("the log of {party} contradicts itself, and nobody has decided to go on with it")
}

fn unreadable(fault: &CourierFault) -> ApiError {
    let (try_this, cause) = match fault {
        CourierFault::NotCourier => (
            "give the file that `abeng courier export` wrote",
            Cause::CourierNone,
        ),
        CourierFault::Version(_) => (
            "update this node, or ask the sender to export with the same version",
            Cause::CourierVersion,
        ),
        _ => (
            "copy it to the stick again, or ask the sender to export it again",
            Cause::CourierDamaged,
        ),
    };
    ApiError::new(ErrorCode::Refused, fault.to_string())
        .with_try(try_this)
        .because(cause, [])
}
