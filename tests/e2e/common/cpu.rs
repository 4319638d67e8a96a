//! What a process has taken of the machine's processors, and how long it stood in line for them.

use std::{fmt, fs, ops::Sub, time::Duration};

/// Since the process began, all threads together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    /// Time that it ran, in steps of the kernel's clock, usually 10 ms.
    pub ran: Duration,
    /// Time that threads which live still were ready to run and did not. Zero where the kernel
    /// does not count it.
    pub waited: Duration,
}

impl Cpu {
    pub fn of(pid: u32) -> Self {
        // After the name, which may hold anything: the third field is the first.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
        let ticks: u64 = fields
            .skip(11)
            .take(2)
            .map(|n| n.parse::<u64>().unwrap())
            .sum();
        let per_second = rustix::param::clock_ticks_per_second();
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
        let waited = tasks.filter_map(|task| {
            let line = fs::read_to_string(task.path().join("schedstat")).ok()?;
            line.split(' ').nth(1)?.parse::<u64>().ok()
        });
        Self {
            ran: Duration::from_millis(ticks * 1000 / per_second),
            waited: Duration::from_nanos(waited.sum()),
        }
    }
}

impl Sub for Cpu {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            ran: self.ran - earlier.ran,
            waited: self.waited.saturating_sub(earlier.waited),
        }
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ran, waited) = (self.ran.as_secs_f64(), self.waited.as_secs_f64());
        write!(f, "{ran:.2} s on a processor, {waited:.2} s in line")
    }
}
