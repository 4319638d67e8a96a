//! What happened lately, for those who wait for it: notices delivered here, receipts settled here.

use std::{collections::VecDeque, sync::Mutex, time::Duration};
use tokio::{sync::Notify, time::timeout};

/// How many events are remembered; whoever comes later reads the inbox instead.
const REMEMBERED: usize = 65_536;

/// Something that became durable at a leaf.
pub trait AtLeaf: Clone {
    /// Its leaf.
    fn leaf(&self) -> u64;
}

/// The latest events of one kind, in the order of their leaves.
pub struct Events<T> {
    latest: Mutex<VecDeque<T>>,
    more: Notify,
}

impl<T: AtLeaf> Events<T> {
    /// None yet.
    pub fn new() -> Self {
        Self {
            latest: Mutex::new(VecDeque::new()),
            more: Notify::new(),
        }
    }

    /// Adds events and wakes who waits.
    pub fn push(&self, events: impl IntoIterator<Item = T>) {
        let mut latest = self.lock();
        let before = latest.len();
        latest.extend(events);
        let grown = latest.len() != before;
        while latest.len() > REMEMBERED {
            latest.pop_front();
        }
        drop(latest);
        if grown {
            self.more.notify_waiters();
        }
    }

    /// Up to `limit` events after a leaf; waits until there is one or the time is over.
    pub async fn after(&self, leaf: Option<u64>, limit: usize, wait: Duration) -> Vec<T> {
        let deadline = async {
            loop {
                let notified = self.more.notified();
                tokio::pin!(notified);
                // Registered before looking, so that nothing falls between.
                notified.as_mut().enable();
                let found = self.look(leaf, limit);
                if !found.is_empty() {
                    return found;
                }
                notified.await;
            }
        };
        timeout(wait, deadline).await.unwrap_or_default()
    }

    fn look(&self, leaf: Option<u64>, limit: usize) -> Vec<T> {
        let latest = self.lock();
        let start = match leaf {
            Some(leaf) => latest.partition_point(|e| e.leaf() <= leaf),
            None => 0,
        };
        latest.iter().skip(start).take(limit).cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<T>> {
        // A panic while holding the lock cannot leave a half-changed queue behind.
        self.latest
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[derive(Clone, Debug, PartialEq)]
    struct E(u64);
    impl AtLeaf for E {
        fn leaf(&self) -> u64 {
            self.0
        }
    }

    #[tokio::test]
    async fn waits_for_what_comes_and_gives_up_in_time() {
        let events = Arc::new(Events::new());
        assert!(
            events
                .after(None, 10, Duration::from_millis(5))
                .await
                .is_empty()
        );
        let waiter = tokio::spawn({
            let events = events.clone();
            async move { events.after(Some(3), 10, Duration::from_secs(20)).await }
        });
        tokio::task::yield_now().await;
        events.push([E(2), E(3)]);
        events.push([E(5), E(6)]);
        assert_eq!(waiter.await.unwrap()[0], E(5));
        assert_eq!(events.after(Some(2), 1, Duration::ZERO).await, vec![E(3)]);
    }
}
