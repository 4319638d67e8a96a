//! What an officer writes: nothing here is checked beyond its shape.

mod error;
mod fault;
mod fields;
mod parts;
mod short;
mod values;
mod wishes;

pub use error::{DraftError, locate_toml};
pub use fault::DraftFault;
pub use fields::Draft;
pub use parts::{
    ContainerDraft, ConveyanceDraft, DeviceDraft, DocumentDraft, GoodsDraft, GradeDraft,
    LegalBasisDraft, OrganisationDraft, PersonDraft, RouteDraft, ValueDraft,
};
pub use short::ShortSeizure;
pub use values::{DateText, PlaceDraft, Position};
pub use wishes::Wishes;

pub(crate) use wishes::length_ms;

pub(crate) use error::drafts_from_toml;
