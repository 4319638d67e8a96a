//! `abeng bench`: two nodes on this machine, against what the machine itself allows.

mod body;
mod floor;
mod load;
mod process;
mod queued;

use crate::{CliError, Exit, Ui, demo::fleet};
use abeng_seal::BoxCache;
use clap::Args;
use fleet::{Fleet, Plan};
use floor::{Floor, Work};
use hdrhistogram::Histogram;
use load::{Amount, Run, Way};
use process::Used;
use queued::{Queued, Restart};
use serde::Serialize;
use std::{path::Path, process::ExitCode, time::Duration};

/// Options of `abeng bench`.
#[derive(Debug, Clone, Args)]
pub struct BenchArgs {
    /// How many notices to send in each mode; by time where absent
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub notices: Option<u64>,
    /// How many are under way at once in the pipelined mode
    #[arg(long, value_name = "NUMBER", default_value_t = 256)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub in_flight: u32,
    /// Size of a notice in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 2048)]
    pub size: u32,
    /// How long each mode runs
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub seconds: u32,
    /// Measure a queue of so many notices instead: its memory, and how fast its node starts again
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub queued: Option<u64>,
}

/// The first submits, the second receives.
const PARTIES: [&str; 2] = ["JM", "TT"];
/// Before anything is measured: boxes sealed, files grown, code paged in.
const WARM_UP: u64 = 500;
/// The metrics' gauges follow once a second.
const GAUGES: Duration = Duration::from_millis(1500);

#[derive(Debug, Serialize)]
struct Report {
    pipelined: Pipelined,
    single: Single,
    floor: Floor,
    /// Pipelined rate as part of the floor.
    share_of_floor: f64,
    /// Both nodes, without the client.
    cpu_us_per_notice: f64,
    client_cpu_us_per_notice: f64,
    /// UDP payload in both directions.
    wire_bytes_per_notice: f64,
    /// Both journals, without zeros written ahead.
    disk_bytes_per_notice: f64,
    /// The larger of both nodes.
    peak_rss_mib: f64,
    /// The originator, after all that.
    restart: Restart,
    notice_bytes: u32,
    build: &'static str,
}

#[derive(Debug, Serialize)]
struct Pipelined {
    in_flight: u32,
    notices: u64,
    seconds: f64,
    notices_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// First byte to the receipt durable at the originator.
    settled_p50_ms: f64,
    settled_p99_ms: f64,
    /// Requests answered 503 and repeated.
    busy: u64,
    /// Leaves per batch, both nodes.
    leaves_per_batch: f64,
}

#[derive(Debug, Serialize)]
struct Single {
    notices: u64,
    p50_ms: f64,
    p99_ms: f64,
    settled_p50_ms: f64,
    settled_p99_ms: f64,
}

/// Runs the measurement.
pub fn run(args: BenchArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    let (dir, temp) = fleet::place(None)?;
    // One thread: the client takes no more than one core from the nodes.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if cfg!(debug_assertions) {
        ui.remark("This is a debug build: its numbers say nothing. Use `cargo run --release`.");
    }
    fleet::until_interrupted(&runtime, async {
        let mut fleet = start(&dir, ui).await?;
        match args.queued {
            Some(notices) => {
                let queued =
                    queued::measure(&mut fleet, notices, args.in_flight, args.size, ui).await?;
                let value = serde_json::json!({ "queued": queued });
                ui.show(&value, || Queued::text(&queued))
            }
            None => {
                let report = measure(&mut fleet, &args, &dir, ui).await?;
                ui.show(&report, || text(&report))
            }
        }
    })?;
    drop(temp);
    Ok(Exit::Ok.into())
}

async fn start(dir: &Path, ui: &Ui) -> Result<Fleet, CliError> {
    ui.remark("Founding a network of two, with unencrypted keys in a temporary directory …");
    let plan = Plan {
        dir,
        network: "bench",
        parties: &PARTIES,
        metrics: true,
        log: "warn",
    };
    let mut fleet = Fleet::found(&plan)?;
    fleet.start().await?;
    fleet.linked().await?;
    // Both dial at first; one of the two connections goes.
    tokio::time::sleep(GAUGES).await;
    fleet.linked().await?;
    Ok(fleet)
}

async fn measure(
    fleet: &mut Fleet,
    args: &BenchArgs,
    dir: &Path,
    ui: &Ui,
) -> Result<Report, CliError> {
    let [from, to] = fleet.nodes.as_mut_slice() else {
        return Err(CliError::internal("the measurement needs two nodes"));
    };
    let way = Way {
        from: from.client.clone(),
        to: to.client.clone(),
        body: body::request(from.code, to.code, args.size as usize)?,
    };
    let time = Duration::from_secs(args.seconds.into());
    let amount = args.notices.map_or(Amount::Time(time), Amount::Notices);
    ui.remark("Measuring the machine …");
    let primitives = floor::primitives(dir, args.size as usize)?;
    ui.remark("Measuring one notice at a time …");
    load::pipelined(&way, args.in_flight, Amount::Notices(WARM_UP)).await?;
    let single = load::single(&way, amount).await?;
    ui.remark(&format!("Measuring {} in flight …", args.in_flight));
    tokio::time::sleep(GAUGES).await;
    let before = [Used::by(from).await?, Used::by(to).await?];
    let client = process::own_cpu_seconds()?;
    let pipelined = load::pipelined(&way, args.in_flight, amount).await?;
    let client = process::own_cpu_seconds()? - client;
    let cpu = [Used::by(from).await?.cpu_s, Used::by(to).await?.cpu_s];
    tokio::time::sleep(GAUGES).await;
    let after = [Used::by(from).await?, Used::by(to).await?];

    let notices = pipelined.notices as f64;
    let grown = |what: fn(&Used) -> u64| -> f64 {
        let sum = |of: &[Used]| of.iter().map(what).sum::<u64>();
        sum(&after).saturating_sub(sum(&before)) as f64
    };
    let (leaves, batches) = (grown(|u| u.leaves), grown(|u| u.batches));
    // The recipient signs at most one checkpoint a batch, and the originator verifies it.
    let checkpoints = after[1].batches.saturating_sub(before[1].batches) as f64;
    let work = Work {
        size: args.size as usize,
        in_flight: args.in_flight,
        cores: std::thread::available_parallelism()?.get(),
        checkpoints: checkpoints / notices,
        boxes: 1.0 / f64::from(BoxCache::MOST_USES),
        leaves: leaves / notices,
        wire_bytes: grown(|u| u.sent) / notices,
        disk_bytes: grown(|u| u.journal) / notices,
    };
    let floor = floor::floor(primitives, work, dir)?;
    let rate = notices / pipelined.seconds;
    let cpu_s: f64 = cpu.iter().sum::<f64>() - before.iter().map(|u| u.cpu_s).sum::<f64>();
    let peak = after.iter().map(|u| u.peak_kib).max().unwrap_or(0);
    Ok(Report {
        pipelined: Pipelined {
            in_flight: args.in_flight,
            notices: pipelined.notices,
            seconds: pipelined.seconds,
            notices_per_s: rate,
            p50_ms: ms(&pipelined.delivered, 0.5),
            p99_ms: ms(&pipelined.delivered, 0.99),
            settled_p50_ms: ms(&pipelined.settled, 0.5),
            settled_p99_ms: ms(&pipelined.settled, 0.99),
            busy: pipelined.busy,
            leaves_per_batch: leaves / batches.max(1.0),
        },
        single: one_at_a_time(&single),
        share_of_floor: rate / floor.notices_per_s,
        floor,
        cpu_us_per_notice: cpu_s * 1e6 / notices,
        client_cpu_us_per_notice: client * 1e6 / notices,
        wire_bytes_per_notice: work.wire_bytes,
        disk_bytes_per_notice: work.disk_bytes,
        peak_rss_mib: peak as f64 / 1024.0,
        restart: queued::restart(from).await?,
        notice_bytes: args.size,
        build: if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        },
    })
}

fn one_at_a_time(run: &Run) -> Single {
    Single {
        notices: run.notices,
        p50_ms: ms(&run.delivered, 0.5),
        p99_ms: ms(&run.delivered, 0.99),
        settled_p50_ms: ms(&run.settled, 0.5),
        settled_p99_ms: ms(&run.settled, 0.99),
    }
}

fn ms(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1e6
}

fn text(r: &Report) -> String {
    let (p, s, f) = (&r.pipelined, &r.single, &r.floor);
    let c = &f.parts.primitives;
    format!(
        "Notices of {} bytes, {} build, {} cores\n\n\
         {} in flight: {} notices in {:.1} s\n  \
         rate             {:>10.0} /s   submitted to receipt verified\n  \
         to the inbox     {:>10.2} ms   p50   {:.2} ms p99\n  \
         to the receipt   {:>10.2} ms   p50   {:.2} ms p99\n\n\
         One at a time: {} notices\n  \
         to the inbox     {:>10.2} ms   p50   {:.2} ms p99\n  \
         to the receipt   {:>10.2} ms   p50   {:.2} ms p99\n\n\
         Per notice, both nodes\n  \
         CPU              {:>10.0} µs   the client besides: {:.0} µs\n  \
         on the wire      {:>10.0} B\n  \
         in the journals  {:>10.0} B\n  \
         peak memory      {:>10.1} MiB  of one node\n\n\
         Start again with {} leaves: {:.0} ms, after SIGKILL {:.0} ms\n\n\
         The floor of this machine: {:.0} /s ({}); reached: {:.0} %\n  \
         cryptography     {:>10.0} µs   a notice, so at most {:.0} /s\n  \
         disk             {:>10.0} /s   batched; 4 KiB and fdatasync: {:.0} µs\n  \
         sign {:.1} µs, verify {:.1} µs, X-Wing seal {:.1} µs, open {:.1} µs, AEAD {:.2} µs, \
         SHA-256 {:.2} µs\n",
        r.notice_bytes,
        r.build,
        f.parts.cores,
        p.in_flight,
        p.notices,
        p.seconds,
        p.notices_per_s,
        p.p50_ms,
        p.p99_ms,
        p.settled_p50_ms,
        p.settled_p99_ms,
        s.notices,
        s.p50_ms,
        s.p99_ms,
        s.settled_p50_ms,
        s.settled_p99_ms,
        r.cpu_us_per_notice,
        r.client_cpu_us_per_notice,
        r.wire_bytes_per_notice,
        r.disk_bytes_per_notice,
        r.peak_rss_mib,
        r.restart.leaves,
        r.restart.start_clean_ms,
        r.restart.start_killed_ms,
        f.notices_per_s,
        f.parts.limit,
        r.share_of_floor * 100.0,
        f.parts.crypto_us_per_notice,
        f.parts.cpu_notices_per_s,
        f.parts.disk_notices_per_s,
        c.fdatasync_4k_us,
        c.sign_us,
        c.verify_us,
        c.xwing_seal_us,
        c.xwing_open_us,
        c.aead_us,
        c.sha256_us,
    )
}
