//! A network of real node processes on this machine, for the demonstration and the measurement.
//!
//! Every process is this very executable with `node run --config …`. A process never outlives the
//! value that stands for it: dropping a [`NodeProcess`] kills and reaps it, on every way out.

use crate::{CliError, Exit};
use abeng_api::{Client, ClientError, StatusView};
use abeng_keys::Protection;
use abeng_node::founding::{self, InitParty, InitRequest};
use abeng_notice::{Lang, codes};
use abeng_wire::{NetworkCode, PartyCode, v1::PartyKind};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{File, OpenOptions},
    io::Write,
    net::{TcpListener, UdpSocket},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};
use tokio::signal::unix::{SignalKind, signal};

/// How long a node may take to answer, to stop, or to find its peers.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at something that has no event.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Below the ports that systems give to outgoing connections, so that a node that is down for a
/// moment finds its own port free again.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// What to start.
pub(crate) struct Plan<'a> {
    /// Where the data directories go: empty or not there.
    pub(crate) dir: &'a Path,
    /// The network's code.
    pub(crate) network: &'a str,
    /// The parties; the first is the coordination node.
    pub(crate) parties: &'a [&'a str],
    /// Whether each node serves its metrics.
    pub(crate) metrics: bool,
    /// The log filter of the nodes: `info`, `warn`.
    pub(crate) log: &'a str,
}

/// A founded network; its nodes run or not.
#[derive(Debug)]
pub(crate) struct Fleet {
    /// The nodes, in the order of the plan.
    pub(crate) nodes: Vec<NodeProcess>,
    /// How long the founding took.
    pub(crate) founded_in: Duration,
}

impl Fleet {
    /// Founds the network. Keys rest without a passphrase: the caller says so to the user.
    pub(crate) fn found(plan: &Plan<'_>) -> Result<Self, CliError> {
        let wrong = |e: &dyn std::fmt::Display| CliError::internal(e.to_string());
        let begun = Instant::now();
        let parties = plan.parties.iter().enumerate().map(|(nth, code)| {
            let country = codes::country(code);
            Ok(InitParty {
                address: None,
                code: PartyCode::new(code).map_err(|e| wrong(&e))?,
                name: country.map_or_else(|| (*code).to_owned(), |c| c.name(Lang::En).to_owned()),
                country: country.map_or_else(String::new, |c| c.code.to_owned()),
                kind: if nth == 0 {
                    PartyKind::Coordination
                } else {
                    PartyKind::Member
                },
            })
        });
        let report = founding::init(&InitRequest {
            dir: plan.dir.to_owned(),
            network: NetworkCode::new(plan.network).map_err(|e| wrong(&e))?,
            parties: parties.collect::<Result<_, CliError>>()?,
            protection: Protection::InsecurePlain,
            passphrase_file: None,
            host: [127, 0, 0, 1].into(),
            base_port: free_ports(plan.parties.len())?,
            status_every_s: Some(1),
        })
        .map_err(|e| match e {
            founding::InitError::NotEmpty { .. } => {
                CliError::usage(e.to_string()).with_try("name a directory that does not exist yet")
            }
            e => wrong(&e),
        })?;
        let founded_in = begun.elapsed();
        let nodes = report.parties.into_iter().map(|(code, home, _)| {
            let metrics = match plan.metrics {
                true => Some(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?),
                false => None,
            };
            let mut toml = OpenOptions::new()
                .append(true)
                .open(home.join("node.toml"))?;
            if let Some(address) = metrics {
                write!(toml, "\n[metrics]\nlisten = \"{address}\"\n")?;
            }
            write!(toml, "\n[log]\nfilter = \"{}\"\n", plan.log)?;
            let client = Client::unix(home.join("abeng.sock"));
            Ok(NodeProcess {
                code,
                home,
                metrics,
                client,
                child: None,
            })
        });
        Ok(Self {
            nodes: nodes.collect::<Result<_, CliError>>()?,
            founded_in,
        })
    }

    /// The node of a party of the plan.
    pub(crate) fn node(&mut self, code: PartyCode) -> Result<&mut NodeProcess, CliError> {
        let found = self.nodes.iter_mut().find(|n| n.code == code);
        found.ok_or_else(|| CliError::internal(format!("{code} is not part of this network")))
    }

    /// Starts all nodes and waits until each answers.
    pub(crate) async fn start(&mut self) -> Result<(), CliError> {
        for node in &mut self.nodes {
            node.spawn()?;
        }
        for node in &mut self.nodes {
            node.answering().await?;
        }
        Ok(())
    }

    /// Waits until every node is linked with every other.
    pub(crate) async fn linked(&mut self) -> Result<(), CliError> {
        let others = self.nodes.len() - 1;
        for node in &mut self.nodes {
            let what = format!("{} to be linked with all {others} others", node.code);
            node.until(&what, |s| {
                s.links.iter().filter(|l| l.linked).count() == others
            })
            .await?;
        }
        Ok(())
    }

    /// Stops all nodes in order.
    pub(crate) async fn stop(&mut self) -> Result<(), CliError> {
        for node in &mut self.nodes {
            node.terminate()?;
        }
        for node in &mut self.nodes {
            node.stopped().await?;
        }
        Ok(())
    }
}

/// One node. Dropping it ends its process.
#[derive(Debug)]
pub(crate) struct NodeProcess {
    /// Whose node it is.
    pub(crate) code: PartyCode,
    /// Its data directory.
    pub(crate) home: PathBuf,
    /// Where it serves its metrics.
    pub(crate) metrics: Option<std::net::SocketAddr>,
    /// A client of its socket.
    pub(crate) client: Client,
    child: Option<Child>,
}

impl NodeProcess {
    /// Starts the process.
    pub(crate) fn spawn(&mut self) -> Result<(), CliError> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log())?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["node", "run", "--config"])
            .arg(self.home.join("node.toml"))
            .env_remove("NOTIFY_SOCKET")
            .env_remove("ABENG_SOCKET")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C on the terminal is for this process, which ends the others in order.
            .process_group(0);
        self.child = Some(command.spawn()?);
        Ok(())
    }

    /// Waits until the node answers on its socket.
    pub(crate) async fn answering(&mut self) -> Result<StatusView, CliError> {
        self.until("the node to answer", |_| true).await
    }

    /// Waits until the node's status fulfils something.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        holds: impl Fn(&StatusView) -> bool,
    ) -> Result<StatusView, CliError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.exited()? {
                return Err(self.failed(&format!("ended by itself ({status})")));
            }
            match self.client.status().await {
                Ok(status) if holds(&status) => return Ok(status),
                Ok(_) | Err(ClientError::SocketAbsent { .. } | ClientError::Refused { .. }) => {}
                Err(e) => return Err(e.into()),
            }
            if Instant::now() > deadline {
                let seconds = PATIENCE.as_secs();
                return Err(
                    self.failed(&format!("made us wait for {seconds} s: waited for {what}"))
                );
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The process id, while it runs.
    pub(crate) fn pid(&self) -> Result<u32, CliError> {
        let child = self.child.as_ref();
        child
            .map(Child::id)
            .ok_or_else(|| self.failed("does not run"))
    }

    /// SIGKILL, as if the power went. The process is reaped.
    pub(crate) fn kill(&mut self) -> Result<(), CliError> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Asks the process to stop.
    pub(crate) fn terminate(&self) -> Result<(), CliError> {
        if let Some(pid) = self
            .child
            .as_ref()
            .and_then(|c| Pid::from_raw(c.id().cast_signed()))
        {
            // Not reaped yet, so the id is still this child's.
            kill_process(pid, Signal::TERM).map_err(std::io::Error::from)?;
        }
        Ok(())
    }

    /// Waits for the end of a process that was asked to stop.
    pub(crate) async fn stopped(&mut self) -> Result<(), CliError> {
        let deadline = Instant::now() + PATIENCE;
        while self.child.is_some() {
            match self.exited()? {
                Some(status) if status.success() => self.child = None,
                Some(status) => {
                    return Err(self.failed(&format!("did not stop in order ({status})")));
                }
                None if Instant::now() > deadline => return Err(self.failed("does not stop")),
                None => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
        Ok(())
    }

    fn exited(&mut self) -> Result<Option<ExitStatus>, CliError> {
        match &mut self.child {
            Some(child) => Ok(child.try_wait()?),
            None => Ok(None),
        }
    }

    fn log(&self) -> PathBuf {
        self.home.join("node.log")
    }

    /// With the last words of its log, which may be gone a moment later.
    fn failed(&self, what: &str) -> CliError {
        let log = std::fs::read(self.log()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(5)..].join("\n");
        CliError::new(
            Exit::Internal,
            format!("the node of {} {what}\n{last}", self.code),
        )
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Nothing more can be done here about a process that cannot be killed.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Runs work that owns processes. SIGINT, SIGTERM and SIGHUP drop it, and so end them all.
pub(crate) fn until_interrupted<T>(
    runtime: &tokio::runtime::Runtime,
    work: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::select! {
            done = work => done,
            _ = interrupt.recv() => Err(interrupted()),
            _ = terminate.recv() => Err(interrupted()),
            _ = hangup.recv() => Err(interrupted()),
        }
    })
}

fn interrupted() -> CliError {
    CliError::internal("interrupted; all nodes were ended")
}

/// A directory of its own for a network: the one that was asked for, or a temporary one that goes
/// with the returned value.
pub(crate) fn place(keep: Option<&Path>) -> Result<(PathBuf, Option<tempfile::TempDir>), CliError> {
    if let Some(dir) = keep {
        return Ok((dir.to_owned(), None));
    }
    let temp = tempfile::Builder::new().prefix("abeng-").tempdir()?;
    // A socket's path has room for 108 bytes.
    Ok((temp.path().join("net"), Some(temp)))
}

/// The first of as many UDP ports in a row, free at this moment. Begins at a place of this
/// process's own, so that two demonstrations at once do not meet.
fn free_ports(count: usize) -> Result<u16, CliError> {
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    let slots = (PORTS.end - PORTS.start) / count;
    let first = std::process::id().wrapping_mul(2_654_435_761) >> 8;
    let free = |base: u16| (0..count).all(|n| UdpSocket::bind(("127.0.0.1", base + n)).is_ok());
    (0..u32::from(slots))
        .filter_map(|n| u16::try_from((first + n) % u32::from(slots)).ok())
        .map(|slot| PORTS.start + slot * count)
        .find(|&base| free(base))
        .ok_or_else(|| {
            CliError::internal(format!("no {count} free UDP ports in a row on 127.0.0.1"))
        })
}

/// Bytes of a file on the `/proc` file system.
pub(crate) fn proc_file(pid: u32, name: &str) -> Result<String, CliError> {
    let path = format!("/proc/{pid}/{name}");
    let mut text = String::new();
    let read = File::open(&path).and_then(|mut f| std::io::Read::read_to_string(&mut f, &mut text));
    read.map_err(|e| CliError::internal(format!("cannot read {path}: {e}")))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_a_row_that_is_free() {
        let base = free_ports(5).unwrap();
        assert!(PORTS.contains(&base) && base + 5 <= PORTS.end);
        let held = UdpSocket::bind(("127.0.0.1", base + 4)).unwrap();
        assert_ne!(free_ports(5).unwrap(), base);
        drop(held);
    }

    #[test]
    fn a_dropped_node_leaves_no_process_behind() {
        let child = Command::new("sleep")
            .arg("60")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pid = child.id();
        let node = NodeProcess {
            code: PartyCode::new("JM").unwrap(),
            home: PathBuf::from("/nonexistent"),
            metrics: None,
            client: Client::unix("/nonexistent/abeng.sock"),
            child: Some(child),
        };
        assert!(Path::new(&format!("/proc/{pid}")).exists());
        drop(node);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }
}
