//! Status frames: what a coordination node sees of this one, and what it has seen of others.

use crate::{
    clock,
    shared::{Shared, lock},
};
use abeng_api::{ApiError, Cause, NetworkRow, NetworkView};
use abeng_queue::Engine;
use abeng_wire::{Millis, PartyCode, v1};
use std::sync::Arc;

/// Rows of queue depth in one Status at most: recipients times precedences, the deepest first.
const QUEUES: usize = 64;

/// Name and version, as Status and `abeng status` give them.
pub const SOFTWARE: &str = concat!("abengd ", env!("CARGO_PKG_VERSION"));

/// Pairs of notice and recipient that wait, and the creation time of the oldest.
#[derive(Debug, Clone, Copy, Default)]
pub struct Backlog {
    /// How many.
    pub depth: u64,
    /// Unix milliseconds.
    pub oldest: Option<Millis>,
}

/// The queues of an engine, as Status carries them.
pub fn queues(engine: &Engine) -> Vec<v1::QueueStatus> {
    engine
        .queues()
        .map(|(recipient, precedence, depth, oldest)| v1::QueueStatus {
            recipient: recipient.to_string(),
            precedence: precedence.into(),
            depth: depth as u64,
            oldest,
        })
        .collect()
}

/// What an engine carries for others, as Status has it.
pub fn carried(engine: &Engine) -> Option<v1::Carried> {
    let carried = engine.carried();
    let oldest = carried.iter().map(|c| c.oldest).min()?;
    Some(v1::Carried {
        count: carried.iter().map(|c| c.count).sum(),
        bytes: carried.iter().map(|c| c.bytes).sum(),
        oldest,
    })
}

/// All of them in one.
pub fn backlog(queues: &[v1::QueueStatus]) -> Backlog {
    Backlog {
        depth: queues.iter().map(|q| q.depth).sum(),
        oldest: queues
            .iter()
            .filter(|q| q.depth > 0)
            .map(|q| q.oldest)
            .min(),
    }
}

impl Shared {
    /// Free bytes of the data directory's file system.
    pub fn free_disk(&self) -> u64 {
        rustix::fs::statvfs(self.layout.root()).map_or(0, |s| s.f_bavail.saturating_mul(s.f_frsize))
    }

    /// This node's health. Says nothing of any notice's content.
    pub async fn own_status(&self) -> Option<v1::Status> {
        let look = |engine: &Engine| (queues(engine), carried(engine));
        let (mut queues, carried) = self.core.inspect(look).await?;
        queues.sort_by_key(|q| std::cmp::Reverse(q.depth));
        queues.truncate(QUEUES);
        let trust = self.trust();
        let others = trust.roster.parties().filter(|p| p.code != self.me);
        let links = others.map(|party| {
            let entry = self.links.entry(party.code);
            let link = entry.as_ref().and_then(|e| e.link.as_ref());
            v1::LinkStatus {
                peer: party.code.to_string(),
                linked: link.is_some(),
                since: entry.as_ref().map_or(self.started_at, |e| e.since),
                rtt_us: link.map_or(0, |l| l.rtt().as_micros() as u64),
                clock_offset_ms: link.and_then(|l| l.clock_offset_ms()).unwrap_or(0),
            }
        });
        let counts = lock(&self.counts).clone();
        let counts = counts.iter().map(|(ty, (sent, received))| v1::TypeCount {
            notice_type: (*ty).to_owned(),
            sent: *sent,
            received: *received,
        });
        let size = self.reader.size();
        let (witnessed_size, witnessed_at) = self.witnessed();
        let contradicted = self.contradicted();
        let gaps = self.gap_reports().await;
        let gaps = gaps.iter().map(|gap| gap.last - gap.first + 1).sum();
        Some(v1::Status {
            software: SOFTWARE.to_owned(),
            time: clock::wall(),
            roster: Some(trust.roster.reference()),
            checkpoint: lock(&self.signed)
                .as_ref()
                .map(|c| c.note().clone())
                .unwrap_or_default(),
            log_size: size,
            free_disk: self.free_disk(),
            queues,
            links: links.collect(),
            counts: counts.collect(),
            incarnation: self.incarnation.0,
            witnessed_size,
            witnessed_at,
            contradictions: contradicted.len() as u32,
            contradicted,
            gaps,
            quota: Some(self.quota_status()),
            clock_uncertainty_ms: clock::believed().uncertainty_ms(),
            carried,
        })
    }

    /// Leaves that a quorum of witnesses has seen, and when.
    fn witnessed(&self) -> (u64, Millis) {
        let witnessing = lock(&self.witnessing);
        let newest = witnessing.witnessed();
        newest.map_or((0, 0), |w| (w.size(), w.witnessed_at().unwrap_or(0)))
    }

    /// Parties whose log is proved here to contradict itself.
    pub fn contradicted(&self) -> Vec<String> {
        let kept = lock(&self.contradictions);
        let mut parties: Vec<String> = kept.iter().map(|k| k.party.to_string()).collect();
        parties.sort_unstable();
        parties.dedup();
        parties
    }

    /// Sends a Status to one peer, if it is a coordination party with a link.
    pub async fn report_to(&self, peer: PartyCode) {
        let trust = self.trust();
        if !trust
            .roster
            .party(peer)
            .is_some_and(|p| p.is_coordination())
        {
            return;
        }
        let Some(link) = self.links.link(peer) else {
            return;
        };
        if let Some(status) = self.own_status().await {
            link.control(v1::control::Frame::Status(status));
        }
    }

    /// Sends a Status to every linked coordination party.
    pub async fn report(&self) {
        let trust = self.trust();
        for party in trust.roster.coordination() {
            self.report_to(party.code).await;
        }
    }

    /// A peer's Status. Kept at a coordination node only; elsewhere nobody asked for it.
    pub fn take_status(&self, peer: PartyCode, status: v1::Status) {
        let trust = self.trust();
        if trust
            .roster
            .party(self.me)
            .is_some_and(|p| p.is_coordination())
        {
            lock(&self.statuses).insert(peer, (clock::wall(), status));
        }
    }

    /// `GET /v1/network`.
    pub async fn network(self: &Arc<Self>) -> Result<NetworkView, ApiError> {
        let trust = self.trust();
        if !trust
            .roster
            .party(self.me)
            .is_some_and(|p| p.is_coordination())
        {
            let offices: Vec<String> = trust
                .roster
                .coordination()
                .map(|p| p.code.to_string())
                .collect();
            return Err(ApiError::forbidden(format!(
                "{} is not a coordination party: only those are told how all nodes are",
                self.me
            ))
            .with_try(format!(
                "use `abeng status` here, or ask {}",
                offices.join(" or ")
            ))
            .because(
                Cause::NotCoordination,
                [
                    ("party", self.me.to_string()),
                    ("offices", offices.join(", ")),
                ],
            ));
        }
        let own = self.own_status().await;
        let statuses = lock(&self.statuses).clone();
        let rows = trust
            .roster
            .parties()
            .filter(|p| p.is_active())
            .map(|party| {
                let (code, name) = (party.code, party.name.clone());
                let (heard, status) = if code == self.me {
                    (Some(clock::wall()), own.clone())
                } else {
                    statuses
                        .get(&code)
                        .cloned()
                        .map_or((None, None), |(at, s)| (Some(at), Some(s)))
                };
                let entry = self.links.entry(code);
                let linked = code == self.me || entry.as_ref().is_some_and(|e| e.link.is_some());
                let rtt = entry
                    .as_ref()
                    .and_then(|e| e.link.as_ref())
                    .map(|l| l.rtt());
                let backlog = status.as_ref().map(|s| backlog(&s.queues));
                NetworkRow {
                    party: code.to_string(),
                    name,
                    linked,
                    silent_since: entry.filter(|_| !linked).map(|e| clock::rfc3339(e.since)),
                    backlog: backlog.map(|b| b.depth),
                    oldest_undelivered: backlog.and_then(|b| b.oldest).map(clock::rfc3339),
                    rtt_ms: rtt.map(|r| r.as_secs_f64() * 1000.0),
                    log_size: status.as_ref().map(|s| s.log_size),
                    witnessed_size: status.as_ref().map(|s| s.witnessed_size),
                    contradicted: status
                        .as_ref()
                        .map_or(Vec::new(), |s| s.contradicted.clone()),
                    contradicts_itself: lock(&self.contradictions).iter().any(|k| k.party == code),
                    roster_version: status
                        .as_ref()
                        .and_then(|s| s.roster.as_ref())
                        .map(|r| r.version),
                    software: status.map(|s| s.software),
                    last_status: heard.map(clock::rfc3339),
                }
            });
        Ok(NetworkView {
            at: clock::rfc3339(clock::wall()),
            parties: rows.collect(),
        })
    }
}

/// A party's kind in words.
pub fn kind_name(kind: v1::PartyKind) -> &'static str {
    match kind {
        v1::PartyKind::Unspecified => "unknown",
        v1::PartyKind::Member => "member",
        v1::PartyKind::Observer => "observer",
        v1::PartyKind::Partner => "partner",
        v1::PartyKind::Coordination => "coordination",
    }
}
