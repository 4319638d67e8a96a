//! What a signing key in a device has to do for submissions, away from the threads on which links and the
//! local interface run: one thing at a time, and what waits for a device that hangs is refused after a while.

use crate::shared::lock;
use abeng_keys::SignError;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::sync::OwnedMutexGuard;

/// For so long one thing may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whose turn it is.
pub struct Signing {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Since when something is being done.
    since: Arc<Mutex<Option<Instant>>>,
    patience: Duration,
}

/// Ends with what is being done, whoever still waits for it.
struct Busy {
    since: Arc<Mutex<Option<Instant>>>,
    _turn: OwnedMutexGuard<()>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        *lock(&self.since) = None;
    }
}

impl Default for Signing {
    fn default() -> Self {
        Self {
            turn: Arc::default(),
            since: Arc::default(),
            patience: PATIENCE,
        }
    }
}

impl Signing {
    /// Does it when it is its turn.
    ///
    /// # Errors
    /// It, or what is before it, takes too long. It may still be done: nobody gets its result.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SignError> {
        let turn = self.turn().await?;
        let busy = Busy {
            since: self.since.clone(),
            _turn: turn,
        };
        *lock(&self.since) = Some(Instant::now());
        let running = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(busy);
            done
        });
        match tokio::time::timeout(self.patience, running).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_)) => Err(failed("what was to be signed could not be signed")),
            Err(_) => Err(self.hangs()),
        }
    }

    async fn turn(&self) -> Result<OwnedMutexGuard<()>, SignError> {
        let turn = self.turn.clone().lock_owned();
        tokio::pin!(turn);
        loop {
            // Many may be before it: only one that hangs is a reason to give up.
            let left = match *lock(&self.since) {
                Some(since) => self.patience.checked_sub(since.elapsed()),
                None => Some(self.patience),
            };
            let Some(left) = left else {
                return Err(self.hangs());
            };
            if let Ok(turn) = tokio::time::timeout(left, &mut turn).await {
                return Ok(turn);
            }
        }
    }

    fn hangs(&self) -> SignError {
        let seconds = self.patience.as_secs();
        failed(&format!(
            "the token has not answered for {seconds} s: does its reader hang?"
        ))
    }
}

fn failed(reason: &str) -> SignError {
    SignError {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// With one thread for everything, which nothing here may keep busy.
    #[tokio::test]
    async fn what_hangs_keeps_one_thread_busy_and_is_given_up() {
        let signing = Arc::new(Signing {
            patience: Duration::from_millis(200),
            ..Signing::default()
        });
        let (release, hang) = mpsc::channel::<()>();
        let begun = Instant::now();
        let first = signing.clone();
        let first = tokio::spawn(async move { first.run(move || hang.recv()).await.is_err() });
        let more: Vec<_> = (0..20)
            .map(|_| {
                let signing = signing.clone();
                tokio::spawn(async move { signing.run(|| ()).await })
            })
            .collect();
        assert!(first.await.unwrap());
        for one in more {
            let why = one.await.unwrap().unwrap_err();
            assert!(why.reason.contains("does its reader hang"), "{why}");
        }
        // At once, where it is known already.
        assert!(signing.run(|| ()).await.is_err());
        assert!(begun.elapsed() < Duration::from_secs(5));
        drop(release);
        let end = Instant::now() + Duration::from_secs(5);
        while signing.run(|| ()).await.is_err() {
            assert!(Instant::now() < end);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn a_long_line_is_no_reason_to_give_up_and_goes_one_by_one() {
        let signing = Arc::new(Signing {
            patience: Duration::from_millis(500),
            ..Signing::default()
        });
        let at_work = Arc::new(Mutex::new(()));
        let all: Vec<_> = (0..15)
            .map(|_| {
                let (signing, at_work) = (signing.clone(), at_work.clone());
                let work = move || {
                    let alone = at_work.try_lock();
                    std::thread::sleep(Duration::from_millis(60));
                    alone.is_ok()
                };
                tokio::spawn(async move { signing.run(work).await })
            })
            .collect();
        for one in all {
            assert!(one.await.unwrap().unwrap());
        }
        let panics = signing.run(|| panic!("a library that fails")).await;
        assert!(panics.is_err());
        assert!(signing.run(|| true).await.unwrap(), "its turn is over");
    }
}
