//! What happens in the demonstration, in its order.

use super::{
    Outcome,
    count::{self, Count},
    fleet::{Fleet, Plan},
    logs,
    tell::Voice,
};
use crate::CliError;
use abeng_api::{
    AuditQuery, DeliveryState, InboxQuery, NetworkView, SentQuery, StepKind, SubmitRequest,
    Timeline,
};
use abeng_audit_log::LogReport;
use abeng_notice::{Draft, samples};
use abeng_wire::PartyCode;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::{Duration, Instant},
};

/// The parties; the first is the coordination node: the Joint Intelligence Office.
pub(super) const PARTIES: [&str; 5] = ["LC", "JM", "TT", "BB", "DM"];
/// Who is cut off.
pub(super) const CUT: &str = "TT";
/// How long a delivery may take on this machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the coordination node's overview may lag: reports come once a second.
const OVERVIEW: Duration = Duration::from_secs(4);
/// More rows than the demonstration makes.
const ALL: u32 = 1000;

/// One notice that was accepted.
pub(super) struct Submitted {
    pub(super) id: String,
    pub(super) from: PartyCode,
    pub(super) to: Vec<String>,
    pub(super) summary: String,
}

/// What is told beside the counts.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// From the restart of the cut-off node to its answer.
    pub(super) back: Duration,
    /// From the restart to both notices in its inbox and their receipts at the originators.
    pub(super) caught_up: Duration,
    /// All logs together.
    pub(super) logs: LogReport,
}

/// Runs it all. The nodes are ended on every way out.
pub(super) async fn run(dir: &Path, say: &Voice<'_>) -> Result<(Outcome, Times), CliError> {
    let begun = Instant::now();
    let mut times = Times::default();
    let mut outcome = Outcome::default();
    say.opening(dir);

    let plan = Plan {
        dir,
        network: "demo",
        parties: &PARTIES,
        metrics: false,
        log: "info",
    };
    let mut fleet = Fleet::found(&plan)?;
    say.founded(fleet.founded_in);
    let clock = Instant::now();
    fleet.start().await?;
    let answering = clock.elapsed();
    fleet.linked().await?;
    outcome.nodes = fleet.nodes.len();
    say.started(&fleet, answering, clock.elapsed());

    let clock = Instant::now();
    let mut sent = Vec::new();
    for sample in samples() {
        sent.push(submit(&mut fleet, sample.administration, &sample.draft, None).await?);
    }
    settled(&mut fleet, None).await?;
    say.delivered(&sent, clock.elapsed());

    let cut = party(CUT)?;
    let before = inbox(&mut fleet, cut).await?.len();
    fleet.node(cut)?.kill()?;
    let first_more = sent.len();
    for from in ["JM", "DM"] {
        let from = party(from)?;
        let sample = samples().into_iter().find(|s| s.administration == from);
        let draft = sample
            .map(|s| s.draft)
            .ok_or_else(|| CliError::internal("a sample is missing"))?;
        sent.push(submit(&mut fleet, from, &draft, Some("FLASH")).await?);
    }
    settled(&mut fleet, Some(CUT)).await?;
    let more = &sent[first_more..];
    for one in more {
        let timeline = track(&mut fleet, one).await?;
        let state = timeline
            .recipients
            .iter()
            .find(|r| r.party == CUT)
            .map(|r| r.state);
        if !matches!(
            state,
            Some(DeliveryState::Queued | DeliveryState::Forwarded)
        ) {
            let what = format!("{} should wait for {CUT} and is {state:?}", one.id);
            outcome.faults.push(what);
        }
    }
    say.waiting(more, overview(&mut fleet, more.len()).await?.as_ref());

    let clock = Instant::now();
    fleet.node(cut)?.spawn()?;
    fleet.node(cut)?.answering().await?;
    times.back = clock.elapsed();
    settled(&mut fleet, None).await?;
    times.caught_up = clock.elapsed();
    let after = inbox(&mut fleet, cut).await?.len();
    say.returned(&times, before, after);

    let mut timeline = track(&mut fleet, &sent[first_more]).await?;
    timeline.recipients.retain(|r| r.party == CUT);
    say.timeline(&timeline, &sent[first_more]);

    outcome.submitted = sent.len();
    outcome.expected = sent.iter().map(|s| s.to.len()).sum();
    let counted = count(&mut fleet, &sent).await?;
    (outcome.delivered, outcome.duplicates, outcome.lost) =
        (counted.delivered, counted.duplicates, counted.lost);
    let mut proved = 0;
    for one in &sent {
        proved += receipts(&track(&mut fleet, one).await?);
    }

    fleet.stop().await?;
    for node in &fleet.nodes {
        match logs::verify(&node.home)? {
            Ok(report) => {
                outcome.logs_verified += 1;
                add(&mut times.logs, &report);
            }
            Err(fault) => outcome
                .faults
                .push(format!("log of {}: {fault}", node.code)),
        }
    }
    // Twice: by the running nodes from their logs, and by this process from the files alone.
    outcome.receipts_verified =
        proved.min(usize::try_from(times.logs.receipts).unwrap_or(usize::MAX));
    outcome.seconds = (begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    Ok((outcome, times))
}

fn party(code: &str) -> Result<PartyCode, CliError> {
    PartyCode::new(code).map_err(|e| CliError::internal(e.to_string()))
}

async fn submit(
    fleet: &mut Fleet,
    from: PartyCode,
    draft: &Draft,
    precedence: Option<&str>,
) -> Result<Submitted, CliError> {
    let to = PARTIES.iter().filter(|p| **p != from.as_str());
    let request = SubmitRequest {
        to: to.map(|p| (*p).to_owned()).collect(),
        precedence: precedence.map(str::to_owned),
        officer: Some("demonstration".to_owned()),
        notice: serde_json::to_value(draft).map_err(|e| CliError::internal(e.to_string()))?,
        ..SubmitRequest::default()
    };
    let reply = fleet.node(from)?.client.submit(&request).await?;
    let id = reply
        .id
        .ok_or_else(|| CliError::internal("a notice was accepted without an id"))?;
    Ok(Submitted {
        id,
        from,
        to: reply.to,
        summary: reply.summary,
    })
}

/// Waits until every notice is settled with every recipient, but for one that is cut off.
async fn settled(fleet: &mut Fleet, but_for: Option<&str>) -> Result<(), CliError> {
    let deadline = Instant::now() + PATIENCE;
    let query = SentQuery {
        limit: Some(ALL),
        open: true,
        ..SentQuery::default()
    };
    for node in fleet
        .nodes
        .iter()
        .filter(|n| Some(n.code.as_str()) != but_for)
    {
        loop {
            let open = node.client.sent(&query).await?;
            let waiting = open.iter().flat_map(|item| &item.to).any(|to| {
                matches!(to.state, DeliveryState::Queued | DeliveryState::Forwarded)
                    && Some(to.party.as_str()) != but_for
            });
            if !waiting {
                break;
            }
            if Instant::now() > deadline {
                let what = format!(
                    "{} still waits for receipts after {} s",
                    node.code,
                    PATIENCE.as_secs()
                );
                return Err(CliError::internal(what).with_try(
                    "look at node.log in the data directories of `abeng demo --keep DIR`",
                ));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    Ok(())
}

async fn inbox(fleet: &mut Fleet, of: PartyCode) -> Result<Vec<String>, CliError> {
    let query = InboxQuery {
        limit: Some(ALL),
        ..InboxQuery::default()
    };
    let rows = fleet.node(of)?.client.inbox(&query).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

async fn track(fleet: &mut Fleet, one: &Submitted) -> Result<Timeline, CliError> {
    Ok(fleet.node(one.from)?.client.track(&one.id, "en").await?)
}

/// The coordination node's overview once it shows the backlog, or as it is after a while.
async fn overview(fleet: &mut Fleet, backlog: usize) -> Result<Option<NetworkView>, CliError> {
    let deadline = Instant::now() + OVERVIEW;
    let office = &fleet.node(party(PARTIES[0])?)?.client;
    loop {
        let view = office.network().await?;
        let shown: u64 = view.parties.iter().filter_map(|row| row.backlog).sum();
        if shown >= backlog as u64 {
            return Ok(Some(view));
        }
        if Instant::now() > deadline {
            return Ok(None);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Counts at each recipient, in its inbox and in its log.
async fn count(fleet: &mut Fleet, sent: &[Submitted]) -> Result<Count, CliError> {
    let mut expected: BTreeMap<PartyCode, BTreeSet<String>> = BTreeMap::new();
    for one in sent {
        for to in &one.to {
            expected
                .entry(party(to)?)
                .or_default()
                .insert(one.id.clone());
        }
    }
    let mut total = Count::default();
    for code in PARTIES {
        let code = party(code)?;
        let query = AuditQuery {
            from: Some(0),
            limit: Some(ALL),
            kind: Some("DELIVERED".to_owned()),
            ..AuditQuery::default()
        };
        let leaves = fleet.node(code)?.client.audit_show(&query).await?.leaves;
        let leaves: Vec<String> = leaves.into_iter().filter_map(|leaf| leaf.notice).collect();
        let rows = inbox(fleet, code).await?;
        let expected = expected.remove(&code).unwrap_or_default();
        total += count::recipient(&expected, &rows, &leaves);
    }
    Ok(total)
}

/// Recipients whose delivery stands in a timeline with proofs that were all checked just now.
fn receipts(timeline: &Timeline) -> usize {
    let proved = timeline.recipients.iter().filter(|r| {
        let checked = |what| r.steps.iter().any(|s| s.what == what && s.checked);
        r.state == DeliveryState::Delivered
            && checked(StepKind::Delivered)
            && checked(StepKind::Receipt)
            && r.steps.iter().all(|s| s.checked)
    });
    proved.count()
}

fn add(sum: &mut LogReport, one: &LogReport) {
    sum.leaves += one.leaves;
    sum.batches += one.batches;
    sum.checkpoints += one.checkpoints;
    sum.receipts += one.receipts;
    sum.signatures += one.signatures;
    sum.commitments += one.commitments;
}
