//! `GET /v1/relays`.

use super::is_relay;
use crate::{clock, shared::Shared};
use abeng_api::{ApiError, CarriedView, CarryQuota, RelayView, RelaysView};
use abeng_queue::{CarriedFor, RelayReport};
use abeng_wire::PartyCode;

impl Shared {
    /// Who reaches whom, in what standing, and what is carried here.
    pub async fn relays_view(&self) -> Result<RelaysView, ApiError> {
        let look = |engine: &abeng_queue::Engine| {
            (engine.relays(), engine.carried(), engine.carry_limits())
        };
        let seen = self.core.inspect(look).await;
        let (known, carried, limits) = seen.ok_or_else(ApiError::stopping)?;
        let trust = self.trust();
        let flagged = trust.roster.parties().filter(|p| p.relay && p.is_active());
        let mut parties: Vec<PartyCode> = flagged.map(|p| p.code).collect();
        parties.extend(known.iter().map(|known| known.relay));
        parties.sort_unstable();
        parties.dedup();
        let relays = parties.into_iter().filter(|&party| party != self.me);
        Ok(RelaysView {
            at: clock::rfc3339(clock::wall()),
            relays: relays.map(|party| self.relay_view(party, &known)).collect(),
            own_flag: is_relay(&trust.roster, self.me),
            carried: carried.into_iter().map(carried_view).collect(),
            quota: CarryQuota {
                originator_count: limits.count,
                originator_bytes: limits.bytes,
                total_count: limits.total_count,
                total_bytes: limits.total_bytes,
            },
        })
    }

    fn relay_view(&self, party: PartyCode, known: &[RelayReport]) -> RelayView {
        let trust = self.trust();
        let coordination = trust
            .roster
            .party(party)
            .is_some_and(|party| party.is_coordination());
        let known = known.iter().find(|known| known.relay == party);
        let reaches = known.map_or(&[][..], |known| &known.reaches);
        RelayView {
            party: party.to_string(),
            linked: self.links.link(party).is_some(),
            coordination,
            reaches: reaches.iter().map(PartyCode::to_string).collect(),
            copies: known.map_or(0, |known| known.copies as u64),
            strikes: known.map_or(0, |known| u32::from(known.strikes)),
        }
    }
}

fn carried_view(carried: CarriedFor) -> CarriedView {
    CarriedView {
        originator: carried.originator.to_string(),
        count: carried.count,
        bytes: carried.bytes,
        oldest_at: clock::rfc3339(carried.oldest),
    }
}
