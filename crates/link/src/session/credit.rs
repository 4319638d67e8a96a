use crate::PeerFault;
use abeng_wire::{limits, v1};

/// How many envelopes, and bytes of them, may be on the way to a node that has not yet dealt
/// with them. Lengths are those of encoded [`v1::Envelope`]s, without frame headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Envelopes.
    pub envelopes: u64,
    /// Their bytes. At least [`limits::ENVELOPE`], or the largest envelope could never come.
    pub bytes: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            envelopes: limits::CREDIT_ENVELOPES,
            bytes: limits::CREDIT_BYTES,
        }
    }
}

/// One part in so many of the first credit is kept for FLASH.
const RESERVE: u64 = 8;

/// Totals since Ready.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    envelopes: u64,
    bytes: u64,
}

impl Totals {
    fn count(&mut self, length: usize) {
        self.envelopes = self.envelopes.saturating_add(1);
        self.bytes = self.bytes.saturating_add(length as u64);
    }

    fn with(mut self, length: usize) -> Self {
        self.count(length);
        self
    }

    fn within(&self, limit: &Self) -> bool {
        self.envelopes <= limit.envelopes && self.bytes <= limit.bytes
    }
}

/// Credit that we give, and what the peer made of it.
#[derive(Debug)]
pub(super) struct Given {
    window: Window,
    limit: Totals,
    arrived: Totals,
    consumed: Totals,
}

impl Given {
    pub(super) fn new(window: Window) -> Self {
        Self {
            window,
            limit: Totals {
                envelopes: window.envelopes,
                bytes: window.bytes,
            },
            arrived: Totals::default(),
            consumed: Totals::default(),
        }
    }

    pub(super) fn window(&self) -> Window {
        self.window
    }

    pub(super) fn arriving(&mut self, length: usize) -> Result<(), PeerFault> {
        self.arrived.count(length);
        if self.arrived.within(&self.limit) {
            return Ok(());
        }
        Err(PeerFault::Credit {
            envelopes: self.limit.envelopes,
            bytes: self.limit.bytes,
        })
    }

    /// New totals once half of the window is used, so that credit costs a frame per half window.
    pub(super) fn consumed(&mut self, length: usize) -> Option<v1::Credit> {
        self.consumed.count(length);
        let envelopes = self.consumed.envelopes + self.window.envelopes;
        let bytes = self.consumed.bytes.saturating_add(self.window.bytes);
        let due = 2 * (envelopes - self.limit.envelopes) >= self.window.envelopes
            || 2 * (bytes - self.limit.bytes) >= self.window.bytes;
        due.then(|| {
            self.limit = Totals { envelopes, bytes };
            v1::Credit { envelopes, bytes }
        })
    }
}

/// Credit that the peer gave us, and what we made of it. Never more ahead than our own window,
/// whatever the peer says: a peer that does not read cannot fill our memory.
#[derive(Debug)]
pub(super) struct Granted {
    limit: Totals,
    sent: Totals,
    /// What only FLASH may use: on a slow path, credit spent on ROUTINE that still waits for
    /// the path comes back only after it.
    reserve: Totals,
}

impl Granted {
    pub(super) fn new(ready: &mut v1::Ready) -> Self {
        let most = Window::default();
        ready.credit = ready.credit.min(most.envelopes);
        ready.credit_bytes = ready.credit_bytes.min(most.bytes);
        Self {
            limit: Totals {
                envelopes: ready.credit,
                bytes: ready.credit_bytes,
            },
            sent: Totals::default(),
            reserve: Totals {
                envelopes: ready.credit / RESERVE,
                // The largest envelopes must still pass, several of them.
                bytes: (ready.credit_bytes / RESERVE).min(
                    ready
                        .credit_bytes
                        .saturating_sub(4 * limits::ENVELOPE as u64),
                ),
            },
        }
    }

    /// Totals never fall, so an old frame changes nothing. Gives the totals that hold.
    pub(super) fn raise(&mut self, credit: &v1::Credit) -> v1::Credit {
        let most = Window::default();
        let envelopes = credit.envelopes.min(self.sent.envelopes + most.envelopes);
        let bytes = credit.bytes.min(self.sent.bytes + most.bytes);
        self.limit.envelopes = self.limit.envelopes.max(envelopes);
        self.limit.bytes = self.limit.bytes.max(bytes);
        v1::Credit {
            envelopes: self.limit.envelopes,
            bytes: self.limit.bytes,
        }
    }

    pub(super) fn covers(&self, precedence: v1::Precedence, length: usize) -> bool {
        let mut used = self.sent.with(length);
        if precedence != v1::Precedence::Flash {
            used.envelopes += self.reserve.envelopes;
            used.bytes += self.reserve.bytes;
        }
        used.within(&self.limit)
    }

    pub(super) fn sent(&mut self, length: usize) {
        self.sent.count(length);
    }
}
