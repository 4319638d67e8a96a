//! `POST /v1/courier/import`.

use super::{
    incoming::Incoming,
    tally::{Tally, What},
    turn,
    window::{Known, Window, shower},
};
use crate::{
    clock,
    inbound::Examined,
    receipts::verify_checkpoint,
    relaying::is_relay,
    shared::{Shared, lock},
};
use abeng_api::{
    ApiError, Caller, Cause, CourierFaultKind, CourierFaultView, CourierReport, ErrorCode, Pieces,
};
use abeng_audit_log::{Checkpoint, LogOrigin, hashes, logs::Met, merkle::verify_consistency};
use abeng_evidence::courier::{CourierFault, CourierReader, Found, Item};
use abeng_queue::Input;
use abeng_seal::{Arrived, verify_void};
use abeng_wire::{EnvelopeId, Incarnation, PartyCode, StreamSeq, limits, v1};
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
    let (kind, at) = match *fault {
        CourierFault::NotCourier => (Kind::NotCourier, None),
        CourierFault::Version(_) => (Kind::Version, None),
        CourierFault::Header => (Kind::Header, None),
        CourierFault::Cut { at } => (Kind::Cut, Some(at)),
        CourierFault::Length { at, .. } => (Kind::Length, Some(at)),
        CourierFault::Digest => (Kind::Digest, None),
        CourierFault::Trailing { at } => (Kind::Trailing, Some(at)),
    };
    CourierFaultView { kind, at }
}

/// A file that is being taken in.
pub(super) struct Import<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) tally: Tally,
    pub(super) window: Window,
    pub(super) incoming: Incoming,
    from: Option<PartyCode>,
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
                Ok(Some(Found::Item(item))) => self.item(item).await,
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
        if let Some(held) = &header.held {
            shared.courier_held(from, held);
        }
        lock(&shared.courier.wanted).remove(&from);
        shared.courier.brings_anew(from);
        self.from = Some(from);
        self.tally.report.from = from.to_string();
        self.tally.report.created_at = clock::rfc3339(header.created_at);
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

    async fn receipts(&mut self, frame: v1::Receipts) {
        let checkpoint = match self.checkpoint_of(&frame).await {
            Ok(checkpoint) => checkpoint,
            Err(why) => {
                let count = frame.receipts.len().clamp(1, limits::RECEIPTS);
                for _ in 0..count {
                    self.tally.fault(What::Receipt, None, &why);
                }
                return;
            }
        };
        for receipt in frame.receipts {
            self.receipt(receipt, &checkpoint).await;
        }
    }

    /// The checkpoint that all receipts of a frame stand on, if it may be believed.
    async fn checkpoint_of(&self, frame: &v1::Receipts) -> Result<(PartyCode, Checkpoint), String> {
        if frame.receipts.len() > limits::RECEIPTS || frame.checkpoint.len() > limits::CHECKPOINT {
            return Err("more than a frame of receipts may hold".to_owned());
        }
        let trust = self.shared.trust();
        let (party, checkpoint) =
            verify_checkpoint(&trust.roster, &frame.checkpoint).map_err(|e| e.to_string())?;
        if frame.old_size != checkpoint.size() || !frame.nodes.is_empty() {
            return Err("in a courier file each receipt has its whole path".to_owned());
        }
        self.believe(party, &checkpoint).await?;
        Ok((party, checkpoint))
    }

    async fn receipt(&mut self, receipt: v1::Receipt, under: &(PartyCode, Checkpoint)) {
        let (shared, what) = (self.shared, What::Receipt);
        let (party, checkpoint) = under;
        let trust = shared.trust();
        let proven = shared.prove_receipt(*party, receipt, checkpoint, &trust.roster);
        let proven = match proven.await {
            Ok(proven) => proven,
            Err(why) => {
                shared.metrics.receipts_rejected.inc();
                return self.tally.fault(what, None, why);
            }
        };
        use v1::LeafKind::{Delivered, Expired, Read, Recalled, Received, Refused};
        // Received is about a file of the notice: what else it could be about is not believed above.
        if ![Delivered, Expired, Read, Recalled, Received, Refused].contains(&proven.kind) {
            let why = "it proves no outcome";
            return self.tally.fault(what, Some(proven.envelope_id), why);
        }
        if self.window.has_receipt(&proven) {
            return self.tally.known(what);
        }
        match shared.give_proven(&proven).await {
            Known::Already => self.tally.known(what),
            Known::New => self.window.receipt(*proven),
        }
    }

    /// The maker's checkpoint. With a proof it joins what is known; without it waits for its owner.
    async fn checkpoint(&mut self, frame: &v1::CheckpointFrame) {
        let (shared, what) = (self.shared, What::Checkpoint);
        let trust = shared.trust();
        let (party, checkpoint) = match verify_checkpoint(&trust.roster, &frame.checkpoint) {
            Ok(verified) => verified,
            Err(why) => return self.tally.fault(what, None, why),
        };
        let origin = LogOrigin::parse(checkpoint.origin());
        let trunk = lock(&shared.logs)
            .trunks()
            .find(|(of, known)| *of == party && known.origin() == checkpoint.origin())
            .map(|(_, known)| (known.size(), known.root()));
        if let (Ok(origin), Some(old), Some(proof)) = (origin, trunk, hashes(&frame.consistency))
            && party != shared.me
            && old.0 == frame.old_size
            && old.0 < checkpoint.size()
            && verify_consistency(
                (old.0, &old.1),
                (checkpoint.size(), &checkpoint.root()),
                &proof,
            )
            .is_ok()
        {
            let met = lock(&shared.logs).follows(origin, Some(old), &checkpoint);
            if let Met::Contradiction(proof) = met {
                shared.keep_contradiction(*proof).await;
            }
        }
        match self.believe(party, &checkpoint).await {
            Ok(()) => self.tally.taken(what),
            Err(why) => self.tally.fault(what, None, why),
        }
    }

    /// Holds a checkpoint of another log against what is known of it.
    async fn believe(&self, party: PartyCode, checkpoint: &Checkpoint) -> Result<(), String> {
        let shared = self.shared;
        if party == shared.me {
            // Judged, and told where it is none of ours.
            shared.meet(shower(shared), checkpoint).await;
            return Err("it is of this node's own log".to_owned());
        }
        if shared.quarantined(party) {
            return Err(contradicted(party));
        }
        let origin = LogOrigin::parse(checkpoint.origin()).map_err(|e| e.to_string())?;
        let met = lock(&shared.logs).meet(origin, shower(shared), checkpoint);
        match met {
            Met::Good | Met::Open => Ok(()),
            Met::Closed => Err(format!("it is of an older life of the log of {party}")),
            Met::Contradiction(proof) => {
                shared.keep_contradiction(*proof).await;
                Err(format!("the log of {party} contradicts itself"))
            }
        }
    }

    async fn trust(&mut self, bundle: v1::TrustBundle) {
        let shared = self.shared.clone();
        let merged = tokio::task::spawn_blocking(move || {
            let taken = shared.adopt(&bundle, None);
            taken.map(|taken| taken.is_some())
        });
        match merged.await {
            Ok(Ok(true)) => self.tally.taken(What::Trust),
            Ok(Ok(false)) => self.tally.known(What::Trust),
            Ok(Err(why)) => self.tally.fault(What::Trust, None, why),
            Err(e) => self.tally.fault(What::Trust, None, e),
        }
    }

    /// An originator's word that numbers will not come. It proves itself.
    async fn void(&mut self, signed: v1::Signed) {
        let (shared, what) = (self.shared, What::Void);
        let void = match verify_void(&shared.trust().roster, &signed) {
            Ok(void) => void.message().clone(),
            Err(why) => return self.tally.fault(what, None, why),
        };
        let originator = PartyCode::new(&void.originator);
        let originator = match originator {
            Ok(party) if party != shared.me && void.recipient == shared.me.as_str() => party,
            _ => {
                return self
                    .tally
                    .fault(what, None, "it is about no stream to this node");
            }
        };
        if shared.quarantined(originator) {
            return self.tally.fault(what, None, contradicted(originator));
        }
        let before = shared.closed_up_to(&void, originator).await;
        if before {
            return self.tally.known(what);
        }
        let input = Input::Voided {
            from: originator,
            signed: Box::new(signed),
            void: Box::new(void.clone()),
        };
        shared.core.give(input).await;
        match shared.core.reached().await {
            Some(()) if shared.closed_up_to(&void, originator).await => self.tally.taken(what),
            // Beyond what is taken of one party at once; the numbers stay open.
            _ => self
                .tally
                .fault(what, None, "it was put off; import the file again"),
        }
    }

    /// What the maker lacks of a file goes along from there on.
    async fn attachment_want(&mut self, want: &v1::AttachmentWant) {
        let known = match self.from {
            Some(from) => self.shared.courier_wants(from, want).await,
            None => false,
        };
        match known {
            true => self.tally.taken(What::Want),
            false => {
                let id = EnvelopeId::from_slice(&want.envelope_id);
                let why = "it is about no attachment that was sent from this node";
                self.tally.fault(What::Want, id, why);
            }
        }
    }

    /// What the maker misses goes along first in the next file. A claim; it changes nothing else.
    fn want(&mut self, want: &v1::Want) {
        let shared = self.shared;
        let range = StreamSeq::new(want.first).zip(StreamSeq::new(want.last));
        match (self.from, range) {
            (Some(from), Some((first, last)))
                if want.originator == shared.me.as_str()
                    && want.incarnation <= shared.incarnation.0
                    && first <= last =>
            {
                // Of an earlier life what is queued goes along anyway.
                let life = Incarnation(want.incarnation);
                if life == shared.incarnation {
                    let mut carried = lock(&shared.courier.carried);
                    carried.entry(from).or_default().missing(first, last);
                }
                let mut wanted = lock(&shared.courier.wanted);
                let wanted = wanted.entry(from).or_default();
                if wanted.len() < limits::COURIER_WANTS {
                    wanted.push((life, (first, last)));
                }
                self.tally.taken(What::Want);
            }
            _ => self
                .tally
                .fault(What::Want, None, "it is about no stream of this node"),
        }
    }
}

fn contradicted(party: PartyCode) -> String {
    format!("the log of {party} contradicts itself, and nobody has decided to go on with it")
}

impl Shared {
    /// Whether every number of a void is closed here already.
    async fn closed_up_to(&self, void: &v1::Void, originator: PartyCode) -> bool {
        let (incarnation, first, last) = (void.incarnation, void.first, void.last);
        let look = move |engine: &abeng_queue::Engine| {
            let is_here = |(of, first, last): &(Incarnation, u64, u64)| (of.0, *first, *last);
            let gaps = engine.gaps(originator);
            let mut gaps = gaps.iter().map(is_here).filter(|gap| gap.0 == incarnation);
            let marks = engine.marks(originator);
            let mark = marks.iter().find(|mark| mark.incarnation == incarnation);
            let contiguous = mark.map_or(0, |mark| mark.contiguous);
            // Above the highest number that is closed there is no gap, and nothing is closed.
            let highest = gaps.clone().map(|gap| gap.2 + 1).max().unwrap_or(0);
            last <= contiguous
                || (last <= highest && !gaps.any(|gap| gap.1 <= last && first <= gap.2))
        };
        self.core.inspect(look).await.unwrap_or(false)
    }
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
