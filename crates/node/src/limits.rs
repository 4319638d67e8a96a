//! `GET /v1/limits`: every bound that an operator may meet, with what is used of it, what happens
//! beyond it, and where it is set.

use crate::{attachments, core, shared::Shared};
use abeng_api::{LimitUnit, LimitView, LimitsView};
use abeng_link::{Rate, bounds};
use abeng_wire::limits;

/// The link is closed, with a word that says why.
const CLOSED: &str = "the link is closed";
/// It stays in the peer's hands until there is room.
const NOT_READ: &str = "not read before its turn";
const REFUSED: &str = "refused";

fn limit(name: &str, value: u64, unit: LimitUnit, beyond: &str) -> LimitView {
    LimitView {
        name: name.to_owned(),
        value: Some(value),
        unit,
        beyond: beyond.to_owned(),
        ..LimitView::default()
    }
}

fn rate(name: &str, rate: Rate, unit: LimitUnit, beyond: &str) -> LimitView {
    LimitView {
        burst: Some(rate.burst),
        ..limit(name, rate.per_s, unit, beyond)
    }
}

fn set_by(key: &str, view: LimitView) -> LimitView {
    LimitView {
        key: Some(key.to_owned()),
        ..view
    }
}

impl Shared {
    /// `GET /v1/limits`.
    pub fn limits_view(&self) -> LimitsView {
        let mut all = self.of_the_disk();
        all.extend(self.of_what_waits());
        all.extend(self.of_paths());
        all.extend(of_notices());
        all.extend(self.of_a_peer());
        all.extend(of_strangers());
        all.extend(self.of_a_relay());
        LimitsView {
            disk: abeng_api::DiskView {
                free_bytes: self.free_disk(),
                journal_bytes: self.journal_bytes(),
                ..self.disk_view()
            },
            budget: self.budget_view(),
            limits: all,
        }
    }

    fn of_the_disk(&self) -> Vec<LimitView> {
        use LimitUnit::Bytes;
        let disk = self.disk_view();
        let beyond = "new notices and envelopes are not taken; what is under way goes on";
        vec![
            set_by(
                "[quota] disk",
                LimitView {
                    value: disk.quota_bytes,
                    used: Some(disk.used_bytes),
                    ..limit("data directory", 0, Bytes, beyond)
                },
            ),
            set_by(
                "[quota] reserve",
                limit(
                    "kept free for what is under way",
                    disk.reserve_bytes,
                    Bytes,
                    beyond,
                ),
            ),
        ]
    }

    fn of_what_waits(&self) -> Option<LimitView> {
        let count = u64::from(self.held.count().count);
        let beyond = "no more are taken until some are released or denied: `abeng release list`";
        let view = LimitView {
            used: Some(count),
            ..limit(
                "submissions that wait for their release",
                crate::held::MOST as u64,
                LimitUnit::Number,
                beyond,
            )
        };
        (self.config.dual_control.is_some() || count > 0).then_some(view)
    }

    fn of_paths(&self) -> Vec<LimitView> {
        let Some(budget) = self.budget_view() else {
            return Vec::new();
        };
        let day = LimitView {
            value: budget.budget,
            used: Some(budget.spent),
            ..limit(
                "a day on metered paths",
                0,
                LimitUnit::Bytes,
                "FLASH alone goes until midnight UTC, or `abeng link allow`",
            )
        };
        let flash = limit(
            "of it, kept for FLASH",
            budget.flash,
            LimitUnit::Bytes,
            "FLASH goes all the same",
        );
        vec![
            set_by("[link.metered] budget", day),
            set_by("[link.metered] flash", flash),
        ]
    }

    fn of_a_peer(&self) -> Vec<LimitView> {
        use LimitUnit::{Bytes, BytesPerSecond, Number, PerSecond};
        let own = self.config.limits;
        let (envelopes, control) = bounds::unread();
        let credit = limits::CREDIT_ENVELOPES;
        vec![
            limit(
                "envelopes of a peer not yet dealt with",
                credit,
                Number,
                CLOSED,
            ),
            limit("their bytes", limits::CREDIT_BYTES, Bytes, CLOSED),
            set_by(
                "[limits] envelopes_per_s",
                rate(
                    "envelopes of a peer (of FLASH as many again)",
                    own.envelopes,
                    PerSecond,
                    NOT_READ,
                ),
            ),
            set_by(
                "[limits] bytes_per_s",
                rate(
                    "their bytes (of FLASH as many again)",
                    own.bytes,
                    BytesPerSecond,
                    NOT_READ,
                ),
            ),
            set_by(
                "[limits] questions_per_s",
                rate("control frames that ask", own.asking, PerSecond, CLOSED),
            ),
            rate(
                "control frames that answer",
                own.answering,
                PerSecond,
                CLOSED,
            ),
            limit(
                "waiting for a peer that does not read, of a precedence",
                envelopes as u64,
                Bytes,
                CLOSED,
            ),
            limit("the same of control frames", control as u64, Bytes, CLOSED),
            limit(
                "inputs of one peer that wait for the engine",
                core::OF_ONE as u64,
                Number,
                NOT_READ,
            ),
            limit(
                "inputs of all peers",
                core::OF_PEERS as u64,
                Number,
                NOT_READ,
            ),
            limit(
                "inputs in all",
                core::WAITING as u64,
                Number,
                "busy: try again",
            ),
            limit(
                "attachments that a peer is brought at a time",
                limits::ATTACHMENT_STREAMS as u64,
                Number,
                "the others wait",
            ),
            limit(
                "attachments that a peer may wait for",
                limits::ATTACHMENT_WANTS as u64,
                Number,
                "told to ask later",
            ),
        ]
    }

    fn of_a_relay(&self) -> Vec<LimitView> {
        use LimitUnit::{Bytes, Number};
        let relay = self.config.relay;
        let files = self.config.relay_files;
        let beyond = "stays with its originator";
        let waits = "stays with its originator; its recipient asks again";
        vec![
            set_by(
                "[relay] originator_envelopes",
                limit(
                    "envelopes carried for one originator",
                    relay.count,
                    Number,
                    beyond,
                ),
            ),
            set_by(
                "[relay] originator_mib",
                limit("their bytes", relay.bytes, Bytes, beyond),
            ),
            set_by(
                "[relay] envelopes",
                limit(
                    "envelopes carried in all",
                    relay.total_count,
                    Number,
                    beyond,
                ),
            ),
            set_by(
                "[relay] mib",
                limit("their bytes", relay.total_bytes, Bytes, beyond),
            ),
            set_by(
                "[relay] originator_files_mib",
                limit(
                    "attachments kept of one originator",
                    files.originator,
                    Bytes,
                    waits,
                ),
            ),
            set_by(
                "[relay] files_mib",
                limit("attachments kept in all", files.total, Bytes, waits),
            ),
        ]
    }
}

fn of_notices() -> Vec<LimitView> {
    use LimitUnit::{Bytes, Milliseconds, Number};
    vec![
        limit("a notice", limits::NOTICE as u64, Bytes, REFUSED),
        limit(
            "recipients of a notice",
            limits::RECIPIENTS as u64,
            Number,
            REFUSED,
        ),
        limit(
            "life of a notice on its way",
            limits::LIFETIME_MS,
            Milliseconds,
            REFUSED,
        ),
        limit(
            "attachments of a notice",
            limits::ATTACHMENTS as u64,
            Number,
            REFUSED,
        ),
        limit(
            "an attachment, encrypted",
            limits::ATTACHMENT,
            Bytes,
            REFUSED,
        ),
        limit(
            "a piece of an attachment",
            limits::ATTACHMENT_PIECE as u64,
            Bytes,
            "travels in several",
        ),
        limit(
            "files given and not yet submitted",
            attachments::MOST_GIVEN as u64,
            Number,
            "busy: try again",
        ),
    ]
}

fn of_strangers() -> Vec<LimitView> {
    use LimitUnit::{Number, PerSecond};
    let (all, one) = bounds::HANDSHAKES;
    let (often, seldom) = bounds::HANDSHAKES_ALL;
    let (member, under_way) = bounds::HANDSHAKES_MEMBER;
    let stranger = "counted as a stranger's";
    vec![
        rate(
            "links that a party begins",
            bounds::LINKS,
            PerSecond,
            "closed as busy",
        ),
        rate(
            "handshakes from the addresses of a member",
            member,
            PerSecond,
            stranger,
        ),
        limit("of them, under way", under_way as u64, Number, stranger),
        limit(
            "handshakes of strangers under way",
            all as u64,
            Number,
            "whoever has most gives way, or refused",
        ),
        limit("of them, from one address", one as u64, Number, REFUSED),
        rate(
            "handshakes of strangers of a /24 or a /56",
            bounds::HANDSHAKES_NEAR,
            PerSecond,
            REFUSED,
        ),
        rate(
            "handshakes of all strangers together",
            often,
            PerSecond,
            REFUSED,
        ),
        rate(
            "beside them, of those that come seldom",
            seldom,
            PerSecond,
            REFUSED,
        ),
        limit(
            "exchanges of trust data under way",
            bounds::EXCHANGES as u64,
            Number,
            "closed as busy",
        ),
    ]
}
