//! How a fault that must end the node reaches its owner, whichever thread finds it.

use std::sync::OnceLock;
use tokio::sync::watch;

static FAULT: OnceLock<watch::Sender<Option<String>>> = OnceLock::new();

fn channel() -> &'static watch::Sender<Option<String>> {
    FAULT.get_or_init(|| watch::channel(None).0)
}

/// Asks the process to end with this as its last word. Nothing more may be acknowledged.
pub fn stop(why: &str) {
    channel().send_replace(Some(why.to_owned()));
}

/// Waits for such a fault.
pub async fn stopped() -> String {
    let mut fault = channel().subscribe();
    loop {
        if let Some(why) = fault.borrow_and_update().clone() {
            return why;
        }
        if fault.changed().await.is_err() {
            return "the node ended".to_owned();
        }
    }
}
