//! What a valid Abeng notice is.
//!
//! In scope: the [`Draft`] an officer writes (TOML, JSON or the short form), the checks that make
//! it a [`Notice`] or name its [`Flaw`]s, the code lists and identifier checks behind them, the
//! handling labels, and how a notice reads in the officer's language.
//!
//! Not in scope: who may send a notice to whom (`abeng-roster`), recipients and expiry (they stand
//! on the envelope), and anything that needs a clock: the time is an argument.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod attachment;
mod check;
pub mod codes;
mod date;
mod decimal;
mod draft;
mod flaw;
mod handling;
pub mod ids;
mod kind;
mod lang;
mod notice;
pub mod retention;
mod samples;
mod show;
mod text;

pub use attachment::{Attachment, media_type};
pub use check::{CheckContext, Checked, DEFAULT_KEEP_DAYS, SCHEMA_VERSION};
pub use date::{Granularity, NoticeDate};
pub use decimal::{AmountText, Decimal};
pub use draft::{
    ContainerDraft, ConveyanceDraft, DateText, DeviceDraft, DocumentDraft, Draft, DraftError,
    DraftFault, GoodsDraft, GradeDraft, LegalBasisDraft, OrganisationDraft, PersonDraft,
    PlaceDraft, Position, RouteDraft, ShortSeizure, ValueDraft, Wishes, locate_toml,
};
pub use flaw::{Flaw, FlawCode, Severity};
pub use handling::{Handling, Tlp};
pub use kind::NoticeType;
pub use lang::Lang;
pub use notice::{Notice, NoticeError};
pub use samples::{Sample, samples};
pub use show::{Line, printable, size};

pub use abeng_wire::v1;
