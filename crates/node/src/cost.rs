//! What a notice costs on each path, before anything goes.

use crate::{budget::Leave, clock, metered::DATAGRAM, shared::Shared};
use abeng_api::{ApiError, Caller, CostLine, CostReply, LimitsView, SubmitRequest};
use abeng_link::Profile;
use abeng_notice::Lang;
use abeng_seal::{MeasureInput, measure};
use abeng_wire::PartyCode;

/// Bytes of a stream in one packet, before a larger path is found out.
const IN_PACKET: u64 = 1_160;
/// QUIC's own part of a packet: header, stream frame, tag.
const QUIC: u64 = 40;
/// A packet that acknowledges two others.
const ACK: u64 = 45;
/// A frame's length, and a lane's first byte now and then.
const FRAME: u64 = 5;
/// The receipt of one delivery: two leaves, the nodes between, a checkpoint; and the news of credit.
const RECEIPT: u64 = 1_600;
/// A new link, as measured: the handshake with its hybrid key exchange, hello, ready, first checkpoints.
const HANDSHAKE: (u64, u64) = (7_000, 7_000);
/// Round trips of a new link before the first envelope.
const HANDSHAKE_TRIPS: u64 = 4;

/// What is sent and received for an envelope of so many bytes, with all headers.
fn on_the_wire(envelope: u64, linked: bool) -> (u64, u64) {
    let packets = |bytes: u64| bytes.div_ceil(IN_PACKET);
    let whole = |bytes: u64| bytes + packets(bytes) * (QUIC + DATAGRAM);
    let acks = |bytes: u64| packets(bytes).div_ceil(2) * (ACK + DATAGRAM);
    let (out, back) = (envelope + FRAME, RECEIPT);
    let (hello_out, hello_back) = if linked { (0, 0) } else { HANDSHAKE };
    (
        whole(out) + acks(back) + hello_out,
        whole(back) + acks(out) + hello_back,
    )
}

/// Bytes a second that are usual for a path of this kind.
fn usual_rate(profile: Profile) -> u64 {
    match profile {
        Profile::Cable => 1_250_000,
        Profile::Satellite => 32_000,
        Profile::Metered => 16_000,
    }
}

fn usual_rtt_ms(profile: Profile) -> u64 {
    match profile {
        Profile::Cable => 100,
        Profile::Satellite => 700,
        Profile::Metered => 300,
    }
}

/// A profile as node.toml writes it.
pub fn profile_name(profile: Profile) -> &'static str {
    match profile {
        Profile::Cable => "cable",
        Profile::Satellite => "satellite",
        Profile::Metered => "metered",
    }
}

impl Shared {
    /// `POST /v1/cost`.
    pub fn cost(&self, who: &Caller, request: SubmitRequest) -> Result<CostReply, ApiError> {
        let lang = request.lang.as_deref().map_or(Lang::En, Lang::from_locale);
        let (ready, _) = self.prepare(who, request, lang)?;
        let measured = measure(&MeasureInput {
            trust: &ready.trust,
            cleared: &ready.cleared,
            incarnation: self.incarnation,
            created_at: ready.created_at,
            expires_at: ready.expires_at,
            precedence: ready.precedence,
            notice: ready.notice.bytes().len(),
            attachments: &[],
        });
        let line = |(party, bytes): (PartyCode, usize)| {
            self.cost_line(party, bytes as u64, ready.precedence)
        };
        Ok(CostReply {
            ty: ready.notice.ty().to_owned(),
            precedence: ready.precedence.as_str_name().to_owned(),
            summary: ready.notice.summary(lang),
            disk_bytes: measured.whole as u64,
            lines: measured.to.into_iter().map(line).collect(),
            budget: self.budget_view(),
        })
    }

    fn cost_line(
        &self,
        party: PartyCode,
        envelope: u64,
        precedence: abeng_wire::v1::Precedence,
    ) -> CostLine {
        let profile = self.profile(party);
        let link = self.links.link(party);
        let (sent, received) = on_the_wire(envelope, link.is_some());
        let own = self.config.link.rates.get(&party);
        let rate = own.or(self.config.link.rate.as_ref()).copied();
        let bytes_per_s = rate.unwrap_or_else(|| usual_rate(profile)).max(1);
        let rtt = link.as_ref().map(|l| l.rtt().as_millis() as u64);
        let rtt = rtt.unwrap_or_else(|| usual_rtt_ms(profile));
        let trips = if link.is_some() {
            1
        } else {
            1 + HANDSHAKE_TRIPS
        };
        let today = self.metered.today(clock::wall());
        let metered = profile == Profile::Metered;
        let leave = match today.left {
            Some(left) if left < sent + received => Leave::Flash,
            _ => Leave::All,
        };
        let share = today
            .budget
            .filter(|_| metered)
            .map(|budget| (sent + received) * 10_000 / budget.max(1));
        CostLine {
            recipient: party.to_string(),
            profile: profile_name(profile).to_owned(),
            linked: link.is_some(),
            envelope_bytes: envelope,
            sent_bytes: sent,
            received_bytes: received,
            rate: bytes_per_s,
            configured: rate.is_some(),
            time_ms: (sent + received) * 1000 / bytes_per_s + trips * rtt,
            budget_share: share,
            waits: metered && !leave.covers(precedence),
        }
    }

    /// `GET /v1/limits`.
    pub fn limits_view(&self) -> LimitsView {
        let limits = self.config.limits;
        LimitsView {
            disk: abeng_api::DiskView {
                free_bytes: self.free_disk(),
                ..self.disk_view()
            },
            budget: self.budget_view(),
            envelopes_per_s: limits.envelopes.per_s,
            bytes_per_s: limits.bytes.per_s,
            questions_per_s: limits.asking.per_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_pays_for_its_headers() {
        let (sent, received) = on_the_wire(1, true);
        assert!(sent > 1 + DATAGRAM && sent < 400, "{sent}");
        assert!(received > RECEIPT && received < RECEIPT + 400, "{received}");
        let (large, _) = on_the_wire(1_160_000, true);
        assert!(large > 1_160_000 + 1000 * (QUIC + DATAGRAM), "{large}");
        assert!(large < 1_160_000 * 11 / 10, "{large}");
        let (cold, _) = on_the_wire(1, false);
        assert_eq!(cold, sent + HANDSHAKE.0);
    }
}
