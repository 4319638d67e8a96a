//! Dialling: one task for each other active party that has an address.

use crate::{
    CloseCode,
    backoff::Backoff,
    core::{Core, Dialler},
    exchange, greet,
    link::lock,
    serve, socket, tls,
};
use abeng_wire::{PartyCode, v1};
use quinn::ConnectionError;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// First and longest wait between two exchanges of trust data with one peer.
const TRUST_BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(600));
/// A sign of life makes a peer's backoff be forgotten at most so often.
const REST: Duration = Duration::from_secs(30);
/// For one look-up of a name.
const LOOK_UP: Duration = Duration::from_secs(5);
/// A node that does not want to dial is asked again after this.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Starts tasks for parties that shall be dialled and ends those of parties that shall not.
pub(crate) fn adjust(core: &Arc<Core>) {
    if core.is_stopping() {
        return;
    }
    let trust = core.trust.load();
    let wanted: BTreeSet<PartyCode> = trust
        .roster
        .parties()
        .filter(|p| p.code != core.config.me && p.is_active() && !p.addresses.is_empty())
        .map(|p| p.code)
        .collect();
    let is_member = |party| trust.roster.party(party).is_some_and(|p| p.is_active());
    core.doors.keep(is_member);
    let mut diallers = lock(&core.diallers);
    diallers.retain(|peer, dialler| {
        let stays = wanted.contains(peer);
        if !stays {
            dialler.gone.store(true, Ordering::Release);
        }
        dialler.changed.notify_one();
        stays
    });
    for peer in wanted {
        diallers.entry(peer).or_insert_with(|| {
            let dialler = Arc::new(Dialler::default());
            core.spawn(run(Arc::clone(core), peer, Arc::clone(&dialler)));
            dialler
        });
    }
}

/// How a dial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialled {
    /// The link is being served.
    Linked,
    /// Keys and rosters do not fit together, on one side or the other.
    Unknown,
    /// Nobody there, or not in time.
    Failed,
}

async fn run(core: Arc<Core>, peer: PartyCode, dialler: Arc<Dialler>) {
    tokio::select! {
        () = keep_linked(&core, peer, &dialler) => {}
        () = core.stopped() => {}
    }
}

/// Dials whenever there is no link, and fetches trust data where the rosters do not fit. Returns
/// when the party is not to be dialled any more.
async fn keep_linked(core: &Arc<Core>, peer: PartyCode, dialler: &Dialler) {
    let mut backoff = core.backoff(peer);
    let mut dial_due = Instant::now();
    let mut trust_backoff = Backoff::new(TRUST_BACKOFF);
    let mut trust_due = Instant::now();
    let mut unknown = false;
    let mut forgot: Option<Instant> = None;
    while !dialler.gone.load(Ordering::Acquire) {
        let now = Instant::now();
        // Not every one: two nodes of which one refuses the other would keep each other dialling.
        let rested = forgot.is_none_or(|at| now.duration_since(at) >= REST);
        if dialler.contact.swap(false, Ordering::AcqRel) && rested {
            forgot = Some(now);
            backoff.reset();
            dial_due = dial_due.min(now + backoff.wait(random()));
        }
        if dialler.wake.swap(false, Ordering::AcqRel) {
            backoff.reset();
            dial_due = now;
        }
        let linked = core.linked(peer);
        let differ = unknown || (linked && dialler.rosters_differ.load(Ordering::Acquire));
        // Asked only where a dial is due: it may cost a look at the queues.
        let trust_now = differ && trust_due <= now;
        let dial_now = !linked && dial_due <= now;
        let kept = (trust_now || dial_now) && !core.handler.may_dial(peer);
        if trust_now && !kept {
            unknown = false;
            dialler.rosters_differ.store(false, Ordering::Release);
            fetch_trust(core, peer).await;
            trust_due = Instant::now() + trust_backoff.wait(random());
            backoff.reset();
            dial_due = dial_due.min(Instant::now() + backoff.wait(random()));
            // Still different? Then once more, after the longer wait.
            let link = lock(&core.links).get(&peer).cloned();
            match link {
                Some(link) if core.same_roster(&link) => trust_backoff.reset(),
                Some(link) => core.compare_rosters(&link),
                None => {}
            }
        } else if linked || dial_due > now || kept {
            let dial = (!linked).then_some(dial_due);
            let trust = differ.then_some(trust_due);
            let due = dial.into_iter().chain(trust).min();
            let next = if kept { Some(now + ASK_AGAIN) } else { due };
            tokio::select! {
                () = dialler.changed.notified() => {}
                () = tokio::time::sleep_until(next.unwrap_or(now)), if next.is_some() => {}
            }
        } else {
            unknown |= dial(core, peer).await == Dialled::Unknown;
            // Also after success: the link may be gone again at once.
            dial_due = Instant::now() + backoff.wait(random());
        }
    }
}

/// Tries every address of a party once, until one becomes a link.
async fn dial(core: &Arc<Core>, peer: PartyCode) -> Dialled {
    let trust = Arc::clone(&core.trust);
    let tls = match core.identity.dialler(peer, trust, core.now().wall) {
        Ok(tls) => tls,
        Err(error) => {
            tracing::error!(%peer, %error, "cannot dial");
            return Dialled::Failed;
        }
    };
    let settings = core.settings_for(peer);
    let config = socket::dialling(tls, &settings);
    let mut result = Dialled::Failed;
    for address in addresses(core, peer).await {
        match connect(core, &config, settings.handshake, address).await {
            Ok(connection) => {
                let Some(key) = tls::peer_key(&connection) else {
                    continue;
                };
                let role = v1::Role::Dialler;
                if let Some(greeted) = greet::greet(core, &connection, peer, key, role).await {
                    let serving = Arc::clone(core);
                    core.spawn(serve::run(serving, connection, greeted));
                    return Dialled::Linked;
                }
                if is_unknown(connection.close_reason().as_ref()) {
                    result = Dialled::Unknown;
                }
            }
            Err(error) => {
                tracing::debug!(%peer, %address, ?error, "a dial failed");
                if is_unknown(error.as_ref()) {
                    result = Dialled::Unknown;
                }
            }
        }
    }
    result
}

/// Whether a connection failed because of who somebody is.
fn is_unknown(error: Option<&ConnectionError>) -> bool {
    match error {
        Some(ConnectionError::ApplicationClosed(close)) => matches!(
            CloseCode::from_wire(close.error_code.into_inner()),
            Some(CloseCode::UnknownKey | CloseCode::KeyGone)
        ),
        // 0x1xx are TLS alerts (RFC 9001, 4.8): ours about the peer's key, or its about ours.
        Some(ConnectionError::TransportError(error)) => is_alert(error.code),
        Some(ConnectionError::ConnectionClosed(close)) => is_alert(close.error_code),
        _ => false,
    }
}

fn is_alert(code: quinn::TransportErrorCode) -> bool {
    (0x100..0x200).contains(&u64::from(code))
}

/// Shows a peer our trust data and takes its.
async fn fetch_trust(core: &Arc<Core>, peer: PartyCode) {
    let tls = match core.identity.trust_dialler() {
        Ok(tls) => tls,
        Err(error) => {
            tracing::error!(%peer, %error, "cannot fetch trust data");
            return;
        }
    };
    let settings = core.settings_for(peer);
    let config = socket::dialling(tls, &settings);
    for address in addresses(core, peer).await {
        let connected = connect(core, &config, settings.handshake, address);
        let Ok(connection) = connected.await else {
            continue;
        };
        if exchange::ask(core, &connection).await {
            tracing::debug!(%peer, "trust data exchanged");
            return;
        }
    }
}

/// `Err(None)` where nothing came in time.
async fn connect(
    core: &Core,
    config: &quinn::ClientConfig,
    limit: Duration,
    address: SocketAddr,
) -> Result<quinn::Connection, Option<ConnectionError>> {
    let connecting = core
        .quic
        .connect_with(config.clone(), address, tls::SERVER_NAME)
        .map_err(|error| {
            tracing::debug!(%address, %error, "cannot dial this address");
            None
        })?;
    match tokio::time::timeout(limit, connecting).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(Some(error)),
        Err(_) => Err(None),
    }
}

/// The party's addresses, looked up now, of the families our socket can reach.
async fn addresses(core: &Core, peer: PartyCode) -> Vec<SocketAddr> {
    let names = {
        let trust = core.trust.load();
        let party = trust.roster.party(peer);
        party.map(|p| p.addresses.clone()).unwrap_or_default()
    };
    let v6 = core.config.listen.is_ipv6();
    let mut found = Vec::new();
    for name in names {
        match tokio::time::timeout(LOOK_UP, tokio::net::lookup_host(name.as_str())).await {
            Ok(Ok(addresses)) => found.extend(addresses.filter_map(|a| reachable(a, v6))),
            Ok(Err(error)) => tracing::debug!(%peer, name, %error, "cannot look up an address"),
            Err(_) => tracing::debug!(%peer, name, "looking up an address took too long"),
        }
    }
    found.dedup();
    for address in &found {
        core.doors.learn(peer, *address);
    }
    found
}

/// An IPv6 socket reaches IPv4 through mapped addresses; an IPv4 socket reaches nothing else.
fn reachable(address: SocketAddr, v6: bool) -> Option<SocketAddr> {
    match (address, v6) {
        (SocketAddr::V4(v4), true) => Some((v4.ip().to_ipv6_mapped(), v4.port()).into()),
        (SocketAddr::V6(_), false) => None,
        (address, _) => Some(address),
    }
}

fn random() -> u32 {
    use ring::rand::SecureRandom;
    let mut bytes = [0; 4];
    // Only spreads dials in time: without randomness it spreads nothing.
    let _ = ring::rand::SystemRandom::new().fill(&mut bytes);
    u32::from_be_bytes(bytes)
}
