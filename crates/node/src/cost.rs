//! What a notice costs on each path, before anything goes.

mod wire;

pub(crate) use wire::piece as piece_price;

use crate::{
    attachments::{check_name, empty, ref_of, too_long},
    budget::Leave,
    clock,
    shared::Shared,
};
use abeng_api::{
    ApiError, Caller, CostFile, CostFileView, CostLine, CostReply, CostRequest, FilesCost, RateFrom,
};
use abeng_link::Profile;
use abeng_notice::{Attachment, Lang, media_type};
use abeng_seal::{AttachmentRef, MeasureInput, attachment_len, measure};
use abeng_wire::{PartyCode, v1};
use std::collections::BTreeMap;
use wire::Traffic;

/// Round trips of a new link before the first envelope.
const HANDSHAKE_TRIPS: u64 = 4;

/// Bytes a second that are usual for a path of this kind.
fn usual_rate(profile: Profile) -> u64 {
    match profile {
        Profile::Cable => 1_250_000,
        Profile::Satellite => 32_000,
        Profile::Metered => 16_000,
    }
}

/// What is reckoned with. Whoever wrote a rate down knows something that a link cannot see: what
/// was bought, or what the path does in the rain.
fn rate(configured: Option<u64>, measured: Option<u64>, profile: Profile) -> (u64, RateFrom) {
    let (rate, from) = match (configured, measured) {
        (Some(rate), _) => (rate, RateFrom::Configured),
        (None, Some(rate)) => (rate, RateFrom::Measured),
        (None, None) => (usual_rate(profile), RateFrom::Usual),
    };
    (rate.max(1), from)
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
    pub fn cost(&self, who: &Caller, request: CostRequest) -> Result<CostReply, ApiError> {
        let submit = request.submit;
        let lang = submit.lang.as_deref().map_or(Lang::En, Lang::from_locale);
        let planned = planned(&request.files)?;
        let (ready, _) = self.prepare(who, submit, lang, planned)?;
        let files: Vec<AttachmentRef> = ready.notice.attachments().iter().map(ref_of).collect();
        let measured = measure(&MeasureInput {
            trust: &ready.trust,
            cleared: &ready.cleared,
            incarnation: self.incarnation,
            created_at: ready.created_at,
            expires_at: ready.expires_at,
            precedence: ready.precedence,
            notice: ready.notice.bytes().len(),
            attachments: &files,
        });
        let line = |(party, bytes): (PartyCode, usize)| {
            self.cost_line(party, bytes as u64, &files, ready.precedence)
        };
        // Beside each file lie the hashes of its pieces.
        let on_disk = files.iter().map(|of| of.length + 32 * of.pieces());
        let attached = ready.notice.attachments().iter().zip(&files);
        Ok(CostReply {
            ty: ready.notice.ty().to_owned(),
            precedence: ready.precedence.as_str_name().to_owned(),
            summary: ready.notice.summary(lang),
            disk_bytes: measured.whole as u64 + on_disk.sum::<u64>(),
            files: attached.map(file_view).collect(),
            lines: measured.to.into_iter().map(line).collect(),
            budget: self.budget_view(),
        })
    }

    fn cost_line(
        &self,
        party: PartyCode,
        envelope: u64,
        files: &[AttachmentRef],
        precedence: v1::Precedence,
    ) -> CostLine {
        let profile = self.profile(party);
        let link = self.links.link(party);
        let notice = wire::envelope(envelope, link.is_some());
        let own = self.config.link.rates.get(&party);
        let configured = own.or(self.config.link.rate.as_ref()).copied();
        let measured = self.measured_rate(party);
        let (rate, rate_from) = rate(configured, measured, profile);
        let rtt = link.as_ref().map(|l| l.rtt().as_millis() as u64);
        let rtt = rtt.unwrap_or_else(|| usual_rtt_ms(profile));
        let trips = if link.is_some() {
            1
        } else {
            1 + HANDSHAKE_TRIPS
        };
        let time_ms = |of: Traffic, trips| of.both().saturating_mul(1000) / rate + trips * rtt;
        let today = self.metered.today(clock::wall());
        let metered = profile == Profile::Metered;
        let leave = match today.left {
            Some(left) if left < notice.both() => Leave::Flash,
            _ => Leave::All,
        };
        let budget = today.budget.filter(|_| metered);
        let share = |of: Traffic| Some(of.both().saturating_mul(10_000) / budget?.max(1));
        let behind = (!files.is_empty()).then(|| {
            let streams = |of: AttachmentRef| match self.has_budget(party) {
                true => of.pieces(),
                false => 1,
            };
            let all = files.iter().map(|of| wire::file(*of, streams(*of)));
            let all: Traffic = all.sum();
            let trips: u64 = files.iter().map(|of| streams(*of)).sum();
            FilesCost {
                sent_bytes: all.sent,
                received_bytes: all.received,
                // Each is asked for once the notice is there.
                time_ms: time_ms(all, trips),
                budget_share: share(all),
                on_request: metered,
            }
        });
        CostLine {
            recipient: party.to_string(),
            profile: profile_name(profile).to_owned(),
            linked: link.is_some(),
            envelope_bytes: envelope,
            sent_bytes: notice.sent,
            received_bytes: notice.received,
            rate,
            rate_from,
            measured,
            time_ms: time_ms(notice, trips),
            budget_share: share(notice),
            waits: metered && !leave.covers(precedence),
            files: behind,
        }
    }
}

/// Files that nobody has given, as a notice would name them: with what only the ciphertext shows
/// left at zero, which has the same length.
fn planned(files: &[CostFile]) -> Result<BTreeMap<String, Attachment>, ApiError> {
    let plan = |(nth, file): (usize, &CostFile)| {
        check_name(&file.name)?;
        let cipher_length = match (file.length, attachment_len(file.length)) {
            (0, _) => return Err(empty()),
            (_, None) => return Err(too_long()),
            (_, Some(length)) => length,
        };
        let attachment = Attachment {
            name: file.name.clone(),
            media_type: media_type(&file.name).to_owned(),
            length: file.length,
            root: [0; 32],
            cipher_length,
            key: [0; 32],
        };
        // No handle of a given file looks like this, and they keep their order.
        Ok((format!("planned {nth:06}"), attachment))
    };
    files.iter().enumerate().map(plan).collect()
}

fn file_view((file, of): (&Attachment, &AttachmentRef)) -> CostFileView {
    CostFileView {
        name: file.name.clone(),
        length: file.length,
        cipher_length: of.length,
        pieces: of.pieces(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_down_goes_before_what_was_measured() {
        let metered = Profile::Metered;
        assert_eq!(rate(Some(7), Some(9), metered), (7, RateFrom::Configured));
        assert_eq!(rate(None, Some(9), metered), (9, RateFrom::Measured));
        assert_eq!(rate(None, None, metered), (16_000, RateFrom::Usual));
        assert_eq!(
            rate(Some(0), None, metered).0,
            1,
            "nothing is divided by it"
        );
    }
}
