//! Keeps each place in the program that writes to the log to a pace: what a peer causes as often
//! as it likes must neither fill the disk nor take the node's time.

use crate::shared::lock;
use std::{collections::BTreeMap, sync::Mutex, time::Instant};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::{Layer, layer::Context};

/// Lines of one place within a minute.
const PER_MINUTE: u32 = 200;

/// Target, file and line.
type Spot = (&'static str, &'static str, u32);

/// One place and its lines.
#[derive(Debug, Clone, Copy)]
struct Lines {
    since: Instant,
    written: u32,
    left_out: u64,
}

static LINES: Mutex<BTreeMap<Spot, Lines>> = Mutex::new(BTreeMap::new());

/// Lets each place write only so many lines a minute.
pub(super) struct Paced;

impl<S: Subscriber> Layer<S> for Paced {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let mut lines = lock(&LINES);
        let now = Instant::now();
        let new = Lines {
            since: now,
            written: 0,
            left_out: 0,
        };
        lines
            .entry(spot(event.metadata()))
            .or_insert(new)
            .write(now)
    }
}

impl Lines {
    fn write(&mut self, now: Instant) -> bool {
        if now.duration_since(self.since).as_secs() >= 60 {
            (self.since, self.written) = (now, 0);
        }
        let writes = self.written < PER_MINUTE;
        match writes {
            true => self.written += 1,
            false => self.left_out += 1,
        }
        writes
    }
}

fn spot(of: &'static Metadata<'static>) -> Spot {
    let (file, line) = (of.file().unwrap_or_default(), of.line().unwrap_or_default());
    (of.target(), file, line)
}

/// Tells how many lines were left out since this was last asked.
pub(crate) fn tell_left_out() {
    let mut left_out = Vec::new();
    for ((_, file, line), lines) in lock(&LINES).iter_mut() {
        if lines.left_out > 0 {
            left_out.push((*file, *line, std::mem::take(&mut lines.left_out)));
        }
    }
    for (file, line, count) in left_out {
        tracing::warn!(
            count,
            at = %format_args!("{file}:{line}"),
            "lines were left out: one place wrote too many within a minute"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    };
    use tracing_subscriber::{layer::SubscriberExt, registry};

    #[derive(Clone, Default)]
    struct Counted(Arc<AtomicU32>);

    impl<S: Subscriber> Layer<S> for Counted {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn one_place_that_writes_too_much_is_cut_short_and_says_so_and_others_are_not() {
        let counted = Counted::default();
        let written = || counted.0.swap(0, Relaxed);
        let subscriber = registry().with(Paced).with(counted.clone());
        tracing::subscriber::with_default(subscriber, || {
            for nth in 0..1000 {
                tracing::warn!(nth, "again");
            }
            assert_eq!(written(), PER_MINUTE);
            tracing::warn!("another");
            assert_eq!(written(), 1);
            tell_left_out();
            assert_eq!(written(), 1);
            tell_left_out();
            assert_eq!(written(), 0, "told once");
        });
        let mut lines = Lines {
            since: Instant::now(),
            written: PER_MINUTE,
            left_out: 3,
        };
        assert!(!lines.write(lines.since));
        assert!(lines.write(lines.since + std::time::Duration::from_secs(60)));
        assert_eq!((lines.written, lines.left_out), (1, 4));
    }
}
