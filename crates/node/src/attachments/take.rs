//! What a peer brings of a file, or that it brings none: verified piece by piece, and kept.

use super::{
    Store,
    asks::{Coming, Lacks, Why},
};
use crate::{
    blobs::BlobError,
    clock,
    metered::Way,
    shared::{Shared, lock},
};
use abeng_link::{AttachmentReceiver, BrokeOff, Link, PeerFault};
use abeng_seal::{AttachmentRef, Pieces};
use abeng_wire::{Hash32, Mono, PartyCode, v1};
use std::{sync::Arc, time::Duration};

/// How long a file rests that its sender had no time for, in seconds.
const BUSY: u64 = 30;
/// How long a file rests that its sender does not have, or brought wrongly.
const REFUSED: u64 = 3600;
/// How long the next piece may take: 1 MiB at 14 kbit/s.
const NEXT: Duration = Duration::from_secs(600);

fn later(seconds: u64) -> Mono {
    Mono(clock::mono().0.saturating_add(seconds * 1_000_000_000))
}

/// How taking an attachment ended.
enum Took {
    /// It is here whole.
    All,
    /// It may be asked for again; so many pieces of it came.
    Part(u64),
}

impl Shared {
    /// The peer brings no stream for what was asked.
    pub fn take_attachment_refused(&self, link: &Link, refused: &v1::AttachmentRefused) {
        let Ok(root) = Hash32::try_from(&refused.root[..]) else {
            return;
        };
        let mut asks = lock(&self.attachments.asks);
        if refused.why() == v1::AttachmentRefusal::AttachmentBudget {
            // It comes on this link once the peer has more bytes; none of ours wait for it.
            if asks.put_off(link.session(), &root) {
                self.went(link, Way::In);
            }
            drop(asks);
            return self.attachments.look();
        }
        if !asks.end(link.session(), &root) {
            return;
        }
        self.went(link, Way::In);
        use v1::AttachmentRefusal::{
            AttachmentBudget, AttachmentBusy, AttachmentDamaged, AttachmentGone, AttachmentUnknown,
            Unspecified,
        };
        let (lacks, rests) = match refused.why() {
            AttachmentBusy | AttachmentBudget => (None, BUSY),
            AttachmentDamaged => (Some(Lacks::Damaged), REFUSED),
            // Its content may be deleted there together with its notice's.
            AttachmentGone | AttachmentUnknown => (Some(Lacks::Gone), REFUSED),
            Unspecified => (None, REFUSED),
        };
        if let Some(lacks) = lacks {
            asks.lacks(root, link.peer(), lacks);
        }
        asks.rest((root, link.peer()), Why::Refused, later(rests));
        drop(asks);
        tracing::warn!(
            peer = %link.peer(),
            root = %abeng_wire::LeafHash(root),
            why = refused.why().as_str_name(),
            "an attachment does not come now"
        );
        self.attachments.look();
    }

    /// A stream that claims to bring an attachment.
    pub async fn take_attachment(
        self: &Arc<Self>,
        link: &Link,
        mut stream: AttachmentReceiver,
    ) -> Result<(), PeerFault> {
        let fault = |what| Err(PeerFault::Attachment { what });
        let header = match stream.header().await {
            Ok(header) => header,
            Err(BrokeOff::Gone) => return Ok(()),
            Err(BrokeOff::Fault(fault)) => return Err(fault),
        };
        let named = v1::AttachmentRef {
            root: header.root.clone(),
            length: header.length,
        };
        let Some(of) = AttachmentRef::from_wire(&named) else {
            return fault("its name is none");
        };
        let session = link.session();
        let asked = lock(&self.attachments.asks).comes(session, of);
        let Some(coming) = asked else {
            // It was asked for, and refused meanwhile.
            return match lock(&self.attachments.asks).has_refused(&of.root, link.peer()) {
                true => Ok(()),
                false => fault("not asked for"),
            };
        };
        // One that was put off by its sender comes when it comes.
        let may = !coming.overtaken && self.may_go(link, Way::In, of, header.first_piece);
        let (envelope, store) = (coming.envelope, coming.store);
        let took = match may {
            true => self.take_pieces(of, coming, &header, &mut stream).await,
            false => Ok(Took::Part(0)),
        };
        // Nothing more of it comes.
        drop(stream);
        lock(&self.attachments.asks).end(session, &of.root);
        self.went(link, Way::In);
        match &took {
            Ok(Took::All) => match store {
                Store::Own => self.arrived(&envelope, of).await,
                Store::Carried => self.attachments.carried.arrived(),
            },
            // A sender that ends at once would be asked at once, for ever.
            Ok(Took::Part(0)) => self.let_alone(of, link.peer(), BUSY),
            Ok(Took::Part(_)) => {}
            Err(_) => self.let_alone(of, link.peer(), REFUSED),
        }
        self.attachments.look();
        took.map(|_| ())
    }

    /// It brought nothing good: no copy of a notice that it brings makes that better.
    fn let_alone(&self, of: AttachmentRef, peer: PartyCode, seconds: u64) {
        let mut asks = lock(&self.attachments.asks);
        asks.rest((of.root, peer), Why::NothingGood, later(seconds));
    }

    /// Verifies and keeps piece after piece. What is good stays, whatever comes behind it.
    async fn take_pieces(
        self: &Arc<Self>,
        of: AttachmentRef,
        coming: Coming,
        header: &v1::AttachmentHeader,
        stream: &mut AttachmentReceiver,
    ) -> Result<Took, PeerFault> {
        let fault = |what| Err(PeerFault::Attachment { what });
        let (store, pieces) = (coming.store, coming.pieces);
        let mut partial = match coming.partial {
            Some(partial) if header.hashes.is_empty() => partial,
            Some(_) => return fault("hashes that were not asked for"),
            None => {
                let (hashes, rest) = header.hashes.as_chunks::<32>();
                let pieces = Pieces::verified(of, hashes.to_vec());
                let Some(pieces) = pieces.ok().filter(|_| rest.is_empty()) else {
                    return fault("its hashes do not yield its root");
                };
                let blobs = self.attachments.store(store).clone();
                match tokio::task::spawn_blocking(move || blobs.begin(pieces)).await {
                    Ok(Ok(partial)) => partial,
                    Ok(Err(e)) => return Ok(self.not_kept(&e)),
                    Err(e) => return Ok(self.not_kept(&e)),
                }
            }
        };
        if header.first_piece != partial.good() {
            return fault("it begins at another piece than was asked for");
        }
        loop {
            let piece = match tokio::time::timeout(NEXT, stream.piece()).await {
                // It may have stopped for good; whatever is here is kept.
                Err(_) | Ok(Ok(None)) | Ok(Err(BrokeOff::Gone)) => break,
                Ok(Ok(Some(piece))) => piece,
                Ok(Err(BrokeOff::Fault(fault))) => return Err(fault),
            };
            if partial.is_whole() {
                return fault("more pieces than it has");
            }
            if pieces > 0 && partial.good() >= header.first_piece.saturating_add(pieces) {
                return fault("more pieces than were asked for");
            }
            let put = move || {
                let kept = partial.put(&piece);
                (partial, kept)
            };
            let Ok((back, kept)) = tokio::task::spawn_blocking(put).await else {
                return Ok(Took::Part(0));
            };
            partial = back;
            match kept {
                Ok(()) => self.metrics.pieces_received.inc(),
                Err(BlobError::Damaged) => return fault("a piece that does not belong there"),
                Err(e) => return Ok(self.not_kept(&e)),
            };
        }
        if !partial.is_whole() {
            let came = partial.good() - header.first_piece;
            // The next piece is asked for at once, and need not wait until all before it are read.
            if pieces > 0 {
                *lock(&self.attachments.under_way) = Some((store, partial));
            }
            return Ok(Took::Part(came));
        }
        match self.complete(store, Some(partial)).await {
            Ok(()) => Ok(Took::All),
            Err(e) => Ok(self.not_kept(&e.message)),
        }
    }

    fn not_kept(&self, why: &dyn std::fmt::Display) -> Took {
        tracing::error!(error = %why, "a part of an attachment cannot be kept; it is asked for again");
        Took::Part(0)
    }
}
