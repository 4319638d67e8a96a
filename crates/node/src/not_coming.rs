//! Numbers of others that will not come since only a lost disk had them. Nobody else tells the people
//! here that a notice to them may be gone, so `abeng status` does, for some days.

use crate::{
    clock,
    count::count,
    shared::{Shared, lock},
};
use abeng_api::{AuditQuery, Warned, Warning};
use abeng_audit_log::Record;
use abeng_queue::{Engine, LostReport};
use abeng_wire::{Incarnation, LeafIndex, Millis, PartyCode, decode, limits, v1};
use std::{collections::BTreeMap, sync::Arc};
use v1::proof_part::Of;

/// So long it is told.
const TOLD_MS: Millis = 7 * 24 * 60 * 60 * 1000;
/// Leaves in one part of the look back.
const LEAVES: u32 = 1000;

/// When it was said first and last that numbers of a stream are lost.
pub type Said = BTreeMap<(PartyCode, Incarnation), (Millis, Millis)>;

/// Looks once how long ago it was said before this process began: in the log of those days, and only
/// where there is anything to tell.
pub async fn work(shared: Arc<Shared>) {
    if shared.lost_reports().await.is_empty() {
        return;
    }
    let mut query = AuditQuery {
        from: Some(0),
        limit: Some(LEAVES),
        kind: Some("VOIDED".to_owned()),
        since: Some(clock::rfc3339(clock::wall().saturating_sub(TOLD_MS))),
        ..AuditQuery::default()
    };
    while let Some(from) = query.from {
        let page = match shared.leaves(query.clone()).await {
            Ok(page) => page,
            Err(error) => {
                return tracing::warn!(%error, "it cannot be read back since when numbers of others are lost; `abeng status` does not tell of them");
            }
        };
        let indices: Vec<LeafIndex> = page.leaves.iter().map(|l| LeafIndex(l.index)).collect();
        let reading = shared.clone();
        let read = tokio::task::spawn_blocking(move || reading.said_lost(&indices)).await;
        let mut before = lock(&shared.lost_before);
        for (stream, at) in read.unwrap_or_default() {
            let said = before.entry(stream).or_insert((at, at));
            *said = (said.0.min(at), said.1.max(at));
        }
        query.from = page.next.filter(|next| *next > from);
    }
}

impl Shared {
    async fn lost_reports(&self) -> Vec<LostReport> {
        let reports = self.core.inspect(Engine::lost_reports).await;
        reports.unwrap_or_default()
    }

    /// Of these leaves those that keep an originator's word that numbers are lost.
    fn said_lost(&self, leaves: &[LeafIndex]) -> Vec<((PartyCode, Incarnation), Millis)> {
        let read = |index: &LeafIndex| {
            let record = self.reader.read(*index).ok()?.record;
            let stream = lost_stream(&record)?;
            Some((stream, record.leaf().message().time))
        };
        leaves.iter().filter_map(read).collect()
    }

    /// What will not come, in words, one for each administration.
    pub(crate) async fn not_coming_told(&self, now: Millis) -> Vec<Warning> {
        let reports = self.lost_reports().await;
        told(&reports, &lock(&self.lost_before), now)
    }
}

/// The stream of another that a Voided leaf says is lost in part.
fn lost_stream(record: &Record) -> Option<(PartyCode, Incarnation)> {
    let Some(Of::Statement(signed)) = record.proof().ok()??.of else {
        return None;
    };
    let void: v1::Void = decode("void", &signed.bytes, limits::STATEMENT).ok()?;
    let originator = PartyCode::new(&void.originator).ok()?;
    let lost = void.reason() == v1::VoidReason::VoidLost;
    lost.then_some((originator, Incarnation(void.incarnation)))
}

fn told(reports: &[LostReport], before: &Said, now: Millis) -> Vec<Warning> {
    let mut parties: BTreeMap<PartyCode, (u64, Millis)> = BTreeMap::new();
    for report in reports {
        let earlier = before
            .get(&(report.originator, report.incarnation))
            .copied();
        let Some((first, last)) = earlier.or(report.said) else {
            continue;
        };
        let last = report.said.map_or(last, |said| said.1.max(last));
        if now.saturating_sub(last) >= TOLD_MS {
            continue;
        }
        let party = parties.entry(report.originator).or_insert((0, first));
        *party = (party.0 + report.numbers, party.1.min(first));
    }
    let told = |(party, (numbers, first)): (PartyCode, (u64, Millis))| {
        let first = clock::rfc3339(first);
        let text = format!(
            "{} of {party} will not come: lost there (first since {first}). Notices to you may be among them: ask {party} what they were",
            count(numbers, "number", "numbers"),
        );
        let values = [
            ("count", numbers.to_string()),
            ("party", party.to_string()),
            ("at", first),
        ];
        Warning::from(text).because(Warned::NotComing, values)
    };
    parties.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Millis = 86_400_000;

    #[test]
    fn what_is_lost_is_told_for_some_days_and_once_for_each_party() {
        let party = |code: &str| PartyCode::new(code).unwrap();
        let report = |code: &str, life, numbers, said| LostReport {
            originator: party(code),
            incarnation: Incarnation(life),
            numbers,
            said,
        };
        let reports = [
            report("JM", 1, 2, Some((9 * DAY, 10 * DAY))),
            report("JM", 2, 1, None),
            report("TT", 3, 1, None),
        ];
        // Before the look back is done, and for what is older, nothing is made up.
        let now = |before: &Said, at| told(&reports, before, at);
        let early = now(&Said::new(), 11 * DAY);
        assert_eq!(early.len(), 1);
        assert!(
            early[0]
                .starts_with("2 numbers of JM will not come: lost there (first since 1970-01-10"),
            "{early:?}"
        );
        let before = Said::from([((party("JM"), Incarnation(2)), (8 * DAY, 8 * DAY))]);
        let both = now(&before, 11 * DAY);
        assert!(
            both[0].starts_with("3 numbers of JM") && both[0].contains("1970-01-09"),
            "{both:?}"
        );
        // The older one is told no more, then neither is.
        assert!(now(&before, 15 * DAY)[0].starts_with("2 numbers"));
        assert_eq!(now(&before, 17 * DAY), Vec::<Warning>::new());
    }
}
