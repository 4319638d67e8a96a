//! Abeng's store-and-forward engine, sans-IO, and its view.
//!
//! In scope: what a node does with a notice between sealing and delivery, as one deterministic
//! state machine ([`Engine`]): stream numbers in ticket order, queues by precedence, credit,
//! resending, expiry, duplicates, receipts. And the rows that are folded from the log ([`rows`],
//! [`fold()`]) with the places they are kept in ([`View`], [`Overlay`]).
//!
//! Not in scope: cryptography (`seal`), proofs and the journal (`audit-log`), links (`link`),
//! threads and clocks (`node`). The only IO in this crate is [`SledView`]; nothing else here
//! knows of it. Whatever lies in a view can be deleted and folded again from the log.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod allowance;
pub mod ended;
mod engine;
mod fold;
mod gaps;
mod input;
mod lane;
mod mark;
pub mod offer;
mod overlay;
mod plan;
mod recent;
pub mod rows;
mod sled_view;
mod view;
mod voided;

pub use allowance::{Allowance, FrameRate};
pub use engine::{CarriedFor, CarryLimits, Engine, EngineConfig, RelayReport, Resend};
pub use fold::fold;
pub use input::{
    Allowed, Checked, Custody, Input, Place, PrivateInput, Proven, Refusable, RelayRank, ScrubItem,
    TakenBack, Target, Terms, Ticket,
};
pub use overlay::{Layered, Overlay, OverlayBatch, ScanView};
pub use plan::{Free, GapReport, Gated, LostReport, Plan};
pub use rows::{RowChange, RowError};
pub use sled_view::{RebuildReason, SledView, Trusting};
pub use view::{Applied, BATCH, MemView, RowPair, RowSource, View, ViewError};
