//! How a fault that must end the node reaches its owner, whichever thread finds it.

use tokio::sync::watch;

/// One node's fault; cloning shares it.
#[derive(Clone, Debug)]
pub struct Fatal {
    sender: watch::Sender<Option<String>>,
}

impl Fatal {
    /// None yet.
    pub fn new() -> Self {
        Self {
            sender: watch::channel(None).0,
        }
    }

    /// Asks the node to end with this as its last word. Nothing more may be acknowledged.
    /// The first fault stands.
    pub fn stop(&self, why: &str) {
        self.sender.send_if_modified(|fault| {
            let first = fault.is_none();
            if first {
                *fault = Some(why.to_owned());
            }
            first
        });
    }

    /// Waits for a fault.
    pub async fn stopped(&self) -> String {
        let mut fault = self.sender.subscribe();
        loop {
            if let Some(why) = fault.borrow_and_update().clone() {
                return why;
            }
            // Cannot fail: `self` holds a sender.
            let _ = fault.changed().await;
        }
    }
}

/// Ends the node when the thread that holds it panics: a node with a part missing must not go on
/// taking envelopes.
pub struct Guard {
    fatal: Fatal,
    part: &'static str,
}

impl Fatal {
    /// To be held by a thread for as long as it runs.
    pub fn guard(&self, part: &'static str) -> Guard {
        Guard {
            fatal: self.clone(),
            part,
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.fatal.stop(&format!("{} broke off", self.part));
        }
    }
}

impl Default for Fatal {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_of_a_part_ends_the_node_and_an_ordered_end_does_not() {
        let fatal = Fatal::new();
        drop(fatal.guard("the quiet part"));
        let guard = fatal.guard("the loud part");
        let thread = std::thread::spawn(move || {
            let _guard = guard;
            panic!("planted");
        });
        assert!(thread.join().is_err());
        assert_eq!(fatal.stopped().await, "the loud part broke off");
    }
}
