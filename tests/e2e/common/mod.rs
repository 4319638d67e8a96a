//! A network of real node processes for tests: founded by the real command, in a temporary
//! directory, on ports that are free. Dropping a [`Node`] kills and reaps its process.

#![allow(
    dead_code,
    reason = "each test file takes what it needs of this harness"
)]

pub mod attackers;
pub mod bytes;
pub mod cpu;
pub mod notices;
pub mod proxy;

use abeng_api::{Client, StatusView};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    ffi::OsStr,
    fs::{self, OpenOptions},
    net::UdpSocket,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long anything may take before a test says what it waited for. Far beyond what is usual:
/// build machines are slow, and a deadline that passes is a failure.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at something that has no event.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Below the ports that the system gives to outgoing connections, so that a node that is down for
/// a moment finds its own port free again.
const PORTS: std::ops::Range<u32> = 10_000..32_000;

/// A founded network. Its nodes are started one by one with [`Network::node`].
pub struct Network {
    /// Holds a data directory for each party, by its code in lower case.
    pub dir: PathBuf,
    temp: TempDir,
}

impl Network {
    /// Founds a network of these parties, `LC:coordination` or `JM`.
    pub fn found(parties: &[&str]) -> Self {
        Self::found_with(parties, &[OsStr::new("--insecure-plain-keys")])
    }

    /// The same with other options than plain keys. Nodes send their Status every second.
    pub fn found_with(parties: &[&str], options: &[&OsStr]) -> Self {
        let temp = tempfile::Builder::new().prefix("abeng-").tempdir().unwrap();
        let dir = temp.path().join("net");
        let mut init = command();
        init.args(["network", "init"]).arg(&dir).args(options);
        init.args(["--base-port", &free_ports(parties.len()).to_string()]);
        for party in parties {
            init.args(["--party", party]);
        }
        Run::of(&mut init).ok();
        for party in parties {
            let code = party.split(':').next().unwrap().to_lowercase();
            let path = dir.join(code).join("node.toml");
            let toml = fs::read_to_string(&path).unwrap();
            fs::write(&path, toml + "\n[status]\nevery_s = 1\n").unwrap();
        }
        Self { dir, temp }
    }

    /// A node of this network, not running.
    pub fn node(&self, code: &str) -> Node {
        Node::at(&self.dir.join(code.to_lowercase()))
    }

    /// A place for files that belong to no node.
    pub fn scratch(&self) -> &Path {
        self.temp.path()
    }
}

/// One node.
pub struct Node {
    /// Its data directory, with `node.toml`.
    pub home: PathBuf,
    /// A client of its socket.
    pub client: Client,
    child: Option<Child>,
}

impl Node {
    /// The node of a data directory.
    pub fn at(home: &Path) -> Self {
        Self {
            home: home.to_owned(),
            client: Client::unix(home.join("abeng.sock")),
            child: None,
        }
    }

    pub fn config(&self) -> PathBuf {
        self.home.join("node.toml")
    }

    /// The address of its link port, as its configuration has it.
    pub fn link(&self) -> std::net::SocketAddr {
        let toml = fs::read_to_string(self.config()).unwrap();
        let listen = toml.lines().find_map(|l| l.strip_prefix("listen = \""));
        listen.unwrap().trim_end_matches('"').parse().unwrap()
    }

    /// Changes its configuration.
    pub fn configure(&self, change: impl FnOnce(String) -> String) {
        let toml = fs::read_to_string(self.config()).unwrap();
        fs::write(self.config(), change(toml)).unwrap();
    }

    /// Starts the process and does not wait for it.
    pub fn spawn(&mut self) {
        self.spawn_with(|_| ());
    }

    /// The same with a changed command.
    pub fn spawn_with(&mut self, change: impl FnOnce(&mut Command)) {
        assert!(self.child.is_none(), "{} runs", self.home.display());
        // Beside the data directory: what happens in there is the node's own.
        let mut log = OpenOptions::new();
        let log = log.create(true).append(true).open(self.log_path()).unwrap();
        let mut command = command();
        command.args(["node", "run", "--config"]).arg(self.config());
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap());
        change(&mut command);
        self.child = Some(command.stderr(log).spawn().unwrap());
    }

    /// Waits until the process ends by itself; its exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        let mut child = self.child.take().unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status.code();
            }
            if Instant::now() > deadline {
                self.child = Some(child);
                self.fail("does not end by itself");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Starts the process and waits until it answers.
    pub async fn start(&mut self) -> StatusView {
        self.spawn();
        self.answering().await
    }

    /// Waits until the node answers.
    pub async fn answering(&mut self) -> StatusView {
        self.until("to answer", |_| true).await
    }

    /// Waits until the node is linked with so many others.
    pub async fn linked(&mut self, others: usize) -> StatusView {
        let what = format!("to be linked with {others} others");
        self.until(&what, |s| {
            s.links.iter().filter(|l| l.linked).count() == others
        })
        .await
    }

    /// Waits until the node's status fulfils something.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&StatusView) -> bool) -> StatusView {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ended = self.child.as_mut().map(|c| c.try_wait().unwrap());
            if let Some(Some(status)) = ended {
                self.fail(&format!("ended by itself ({status})"));
            }
            match self.client.status().await {
                Ok(status) if holds(&status) => return status,
                _ if Instant::now() > deadline => self.fail(&format!("made us wait {what}")),
                _ => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    /// SIGKILL. The process is reaped.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM, and waits for the orderly end.
    pub async fn stop(&mut self) {
        let child = self.child.as_ref().unwrap();
        let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.child.as_mut().unwrap().try_wait().unwrap() {
                Some(status) if status.success() => break,
                Some(status) => self.fail(&format!("did not stop in order ({status})")),
                None if Instant::now() > deadline => self.fail("does not stop"),
                None => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
        self.child = None;
    }

    /// Whether the process still runs.
    pub fn runs(&mut self) -> bool {
        let child = self.child.as_mut();
        child.is_some_and(|c| c.try_wait().unwrap().is_none())
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// The greatest resident size of the process so far, in MiB.
    pub fn memory_mib(&self) -> u64 {
        let pid = self.pid();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kib: u64 = peak.unwrap().trim_end_matches("kB").trim().parse().unwrap();
        kib / 1024
    }

    /// All that the node has written about itself, over all its runs.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_path()).unwrap_or_default()).into_owned()
    }

    /// Starts the node where that must fail: it ends by itself, within the deadline.
    pub fn refuses_to_start(&self) -> Run {
        let mut command = command();
        command.args(["node", "run", "--config"]).arg(self.config());
        Run::within(&mut command, PATIENCE)
    }

    /// Runs a command of this node's officer.
    pub fn run(&self, args: &[&str]) -> Run {
        Run::of(command().arg("--data").arg(&self.home).args(args))
    }

    fn log_path(&self) -> PathBuf {
        self.home.with_extension("log")
    }

    fn fail(&self, what: &str) -> ! {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(12)..].join("\n");
        panic!("the node of {} {what}\n{last}", self.home.display());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Run {
    pub fn of(command: &mut Command) -> Self {
        Self::within(command, PATIENCE)
    }

    /// Kills a command that does not end.
    fn within(command: &mut Command, limit: Duration) -> Self {
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
        let (done, waits) = std::sync::mpsc::channel::<()>();
        let guard = std::thread::spawn(move || {
            if waits.recv_timeout(limit) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                // Not reaped before `done`, so the id is still this child's.
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        let Output {
            status,
            stdout,
            stderr,
        } = child.wait_with_output().unwrap();
        drop(done);
        guard.join().unwrap();
        Self {
            code: status.code(),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }

    /// It must have gone well; its output.
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.out
    }

    /// It must have failed with this code, and said each of these.
    #[track_caller]
    pub fn fails(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for part in says {
            assert!(self.err.contains(part), "not said: {part}\n{self:#?}");
        }
        assert!(!self.err.contains("panicked"), "{self:#?}");
    }
}

/// The command, in English, without what the tester's own environment would add. In a process
/// group of its own: Ctrl-C ends the test, which ends its children.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_abeng"));
    for name in [
        "NOTIFY_SOCKET",
        "ABENG_SOCKET",
        "LC_ALL",
        "LC_MESSAGES",
        "LANGUAGE",
    ] {
        command.env_remove(name);
    }
    command.env("LANG", "C").env("NO_COLOR", "1");
    command.process_group(0);
    command
}

/// Waits until there is something.
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, look).await
}

/// The same with another patience: for lines that are slow by design.
pub async fn until_within<T>(
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Ports that one call may ask for.
const PORTS_AT_ONCE: u32 = 16;

/// The first of as many UDP ports in a row, free at this moment, each handed out once: in places of
/// one size, so that no two calls overlap, whatever they ask for.
fn free_ports(count: usize) -> u32 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let count = count as u32;
    assert!(count <= PORTS_AT_ONCE);
    let places = (PORTS.end - PORTS.start) / PORTS_AT_ONCE;
    let begin = std::process::id().wrapping_mul(2_654_435_761) >> 8;
    loop {
        let nth = begin.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % places;
        let base = PORTS.start + nth * PORTS_AT_ONCE;
        let free = |port| UdpSocket::bind(("127.0.0.1", port as u16)).is_ok();
        if (base..base + count).all(free) {
            return base;
        }
    }
}
