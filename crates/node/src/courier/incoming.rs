//! Attachments in a courier file that is being taken in: one piece in memory, and no more of a file
//! than a delivered notice here names.

use super::{import::Import, tally::What};
use crate::attachments::{Brought, Took};
use abeng_wire::{EnvelopeId, v1};
use bytes::Bytes;

/// Whose pieces stand next in the file.
#[derive(Default)]
pub enum Incoming {
    /// Of nothing.
    #[default]
    Nothing,
    /// Of something that is passed over.
    Passed,
    /// Of this.
    Taken {
        /// What takes them.
        brought: Box<Brought>,
        /// The notice.
        id: Option<EnvelopeId>,
    },
}

impl Import<'_> {
    /// A file begins. What it belongs to may have come just before.
    pub(super) async fn attachment(&mut self, file: &v1::CourierAttachment) {
        self.attachment_ends();
        self.window.settle(self.shared, &mut self.tally).await;
        let id = EnvelopeId::from_slice(&file.envelope_id);
        self.incoming = match self.shared.begin_brought(file).await {
            Ok(Some(brought)) => Incoming::Taken {
                brought: Box::new(brought),
                id,
            },
            Ok(None) => {
                self.tally.known(What::Attachment);
                Incoming::Passed
            }
            Err(why) => {
                self.tally.fault(What::Attachment, id, why);
                Incoming::Passed
            }
        };
    }

    /// Its next piece.
    pub(super) async fn attachment_piece(&mut self, piece: Bytes) {
        let (brought, id) = match std::mem::take(&mut self.incoming) {
            Incoming::Taken { brought, id } => (brought, id),
            Incoming::Passed => {
                self.incoming = Incoming::Passed;
                return;
            }
            Incoming::Nothing => {
                return self.tally.damaged("a piece that belongs to no attachment");
            }
        };
        match brought.piece(piece).await {
            Ok((Took::Part, Some(brought))) => {
                let brought = Box::new(brought);
                self.incoming = Incoming::Taken { brought, id };
            }
            Ok(_) => self.tally.taken(What::Attachment),
            Err(why) => {
                self.tally.fault(What::Attachment, id, why);
                self.incoming = Incoming::Passed;
            }
        }
    }

    /// No more of its pieces come. What is good stays, and the rest comes by whatever way.
    pub(super) fn attachment_ends(&mut self) {
        if let Incoming::Taken { .. } = std::mem::take(&mut self.incoming) {
            self.tally.report.attachments_in_part += 1;
        }
    }
}
