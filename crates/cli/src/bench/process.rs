//! What a node process has used, as the kernel and the node itself count it.

use crate::{
    CliError,
    demo::fleet::{NodeProcess, proc_file},
};
use std::{
    fs::File,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::fs::FileExt,
    path::Path,
    time::Duration,
};

/// Segments are written with zeros ahead of use; a batch begins at a multiple of this.
const BLOCK: u64 = 4096;

/// Counters at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Used {
    /// User and system time, in seconds; as fine as the kernel's ticks (10 ms).
    pub(super) cpu_s: f64,
    /// Bytes of the journal in use, zeros ahead not counted.
    pub(super) journal: u64,
    /// Leaves of the log.
    pub(super) leaves: u64,
    /// Batches made durable since the start.
    pub(super) batches: u64,
    /// UDP payload bytes sent on links that are up.
    pub(super) sent: u64,
    /// The greatest resident size so far, in KiB.
    pub(super) peak_kib: u64,
    /// The resident size, in KiB.
    pub(super) resident_kib: u64,
}

impl Used {
    /// Of a running node.
    pub(super) async fn by(node: &NodeProcess) -> Result<Self, CliError> {
        let pid = node.pid()?;
        let metrics = node.metrics.map(scrape).transpose()?.unwrap_or_default();
        let status = proc_file(pid, "status")?;
        Ok(Self {
            cpu_s: cpu_seconds(&proc_file(pid, "stat")?),
            journal: journal_bytes(&node.home)?,
            leaves: node.client.status().await?.log.size,
            batches: field(&metrics, "abeng_journal_batches_total"),
            sent: field(&metrics, "abeng_link_sent_bytes"),
            peak_kib: field(&status, "VmHWM:"),
            resident_kib: field(&status, "VmRSS:"),
        })
    }
}

/// CPU seconds of this process, user and system.
pub(super) fn own_cpu_seconds() -> Result<f64, CliError> {
    Ok(cpu_seconds(&proc_file(std::process::id(), "stat")?))
}

/// The first number behind a name at the start of a line.
fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// From `/proc/PID/stat`: fields 14 and 15, counted behind the name, which may hold spaces.
fn cpu_seconds(stat: &str) -> f64 {
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|f| f.parse::<u64>().ok())
        .sum();
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

/// The metrics page of a node.
fn scrape(address: SocketAddr) -> Result<String, CliError> {
    let read = || -> io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    read().map_err(|e| CliError::internal(format!("cannot read the metrics at {address}: {e}")))
}

/// Bytes of all segments up to the last one that is not zero. Batches end in filler that is not
/// zero, so this is what the log takes.
fn journal_bytes(home: &Path) -> Result<u64, CliError> {
    let mut sum = 0;
    for entry in std::fs::read_dir(home.join("journal"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "seg") {
            sum += used(&File::open(path)?)?;
        }
    }
    Ok(sum)
}

/// Looks backwards for the last block that is not zero; the zeros may be 128 MiB.
fn used(file: &File) -> io::Result<u64> {
    const STEP: u64 = 256 * BLOCK;
    let mut end = file.metadata()?.len();
    let mut buffer = vec![0; STEP as usize];
    while end > 0 {
        let start = end.saturating_sub(STEP);
        let piece = &mut buffer[..(end - start) as usize];
        file.read_exact_at(piece, start)?;
        if let Some(last) = piece.iter().rposition(|byte| *byte != 0) {
            return Ok((start + last as u64 + 1).next_multiple_of(BLOCK));
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_numbers_are_found_behind_any_name() {
        let stat = "7 (a) b) R 1 2 3 4 5 6 7 8 9 10 150 50 0 0";
        let per_second = rustix::param::clock_ticks_per_second() as f64;
        assert!((cpu_seconds(stat) - 200.0 / per_second).abs() < 1e-9);
        assert!(own_cpu_seconds().unwrap() >= 0.0);
        assert_eq!(field("VmPeak: 9 kB\nVmHWM:\t  31024 kB\n", "VmHWM:"), 31024);
        assert_eq!(
            field("abeng_link_sent_bytes 12\n", "abeng_link_sent_bytes"),
            12
        );
    }

    #[test]
    fn zeros_ahead_are_not_counted() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(4 << 20).unwrap();
        assert_eq!(used(&file).unwrap(), 0);
        file.write_all_at(&[1], 5000).unwrap();
        assert_eq!(used(&file).unwrap(), 8192);
        file.write_all_at(&[1], (4 << 20) - 1).unwrap();
        assert_eq!(used(&file).unwrap(), 4 << 20);
    }
}
