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

impl Default for Fatal {
    fn default() -> Self {
        Self::new()
    }
}
