use crate::{
    Closed, Handler, Link, LinkError, Profile, accept,
    core::Core,
    dial,
    link::{Ending, lock},
    rate::PeerLimits,
    session::Window,
    socket,
    tls::Identity,
};
use abeng_keys::SoftSigner;
use abeng_roster::Trust;
use abeng_wire::{PartyCode, v1};
use arc_swap::ArcSwap;
use std::{collections::BTreeMap, fmt, net::SocketAddr, sync::Arc, time::Duration};

/// Time that links get at shutdown to say what is still to be said.
pub(crate) const DRAIN: Duration = Duration::from_secs(2);

/// What an endpoint needs to know of its node.
#[derive(Debug, Clone)]
pub struct LinkConfig {
    /// This node's party.
    pub me: PartyCode,
    /// UDP address to listen on and to dial from.
    pub listen: SocketAddr,
    /// What kind of path leads to the others.
    pub profile: Profile,
    /// Parties to which another kind of path leads.
    pub profiles: BTreeMap<PartyCode, Profile>,
    /// What each peer may ask of this node.
    pub limits: PeerLimits,
    /// This process: 16 random bytes, new at each start.
    pub boot_id: [u8; 16],
}

/// All links of a node: one UDP socket, one dialling task per other party with an address.
/// Dropping it without [`Endpoint::shutdown`] stops everything at once.
pub struct Endpoint {
    core: Arc<Core>,
    local: SocketAddr,
}

impl Endpoint {
    /// Starts to listen and to dial. Needs a tokio runtime.
    ///
    /// # Errors
    /// What the operating system has against the address, in words for the operator.
    pub async fn start(
        config: LinkConfig,
        node_tls: Arc<SoftSigner>,
        trust: Arc<ArcSwap<Trust>>,
        handler: Arc<dyn Handler>,
    ) -> Result<Arc<Self>, LinkError> {
        Self::start_with(config, Window::default(), node_tls, trust, handler)
    }

    /// With a window other than the usual.
    pub(crate) fn start_with(
        config: LinkConfig,
        window: Window,
        node_tls: Arc<SoftSigner>,
        trust: Arc<ArcSwap<Trust>>,
        handler: Arc<dyn Handler>,
    ) -> Result<Arc<Self>, LinkError> {
        let settings = config.profile.settings();
        let identity = Identity::new(&node_tls)?;
        let quic = socket::bind(config.listen, &identity, &settings)?;
        let local = quic.local_addr().map_err(|source| LinkError::Socket {
            addr: config.listen,
            source,
        })?;
        let core = Arc::new(Core::new(
            config, settings, window, quic, identity, node_tls, trust, handler,
        ));
        core.spawn(accept::run(Arc::clone(&core)));
        dial::adjust(&core);
        Ok(Arc::new(Self { core, local }))
    }

    /// The address listened on, with the port that was given for port 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The live link with a party.
    pub fn link(&self, peer: PartyCode) -> Option<Link> {
        lock(&self.core.links).get(&peer).cloned()
    }

    /// All live links, by party code.
    pub fn links(&self) -> Vec<Link> {
        lock(&self.core.links).values().cloned().collect()
    }

    /// Dials a party now, whatever its backoff says.
    pub fn wake(&self, peer: PartyCode) {
        self.core.wake(peer);
    }

    /// To be called after the trust data has been swapped: closes links whose key is no longer
    /// active, dials new parties, drops those that left, and tells linked peers which roster is
    /// here.
    pub fn trust_changed(&self) {
        let now = self.core.now();
        let trust = self.core.trust.load_full();
        let reference = trust.roster.reference();
        for link in self.links() {
            if self.core.holder(&link.shared().peer_key) != Some(link.peer()) {
                link.end(Ending::Now(Closed::KeyGone));
                continue;
            }
            link.control(v1::control::Frame::Roster(reference.clone()));
            self.core.compare_rosters(&link);
        }
        tracing::debug!(
            wall = now.wall,
            version = reference.version,
            "roster swapped"
        );
        dial::adjust(&self.core);
    }

    /// Stops: no new connections, links drain for up to 2 s, then every task ends.
    pub async fn shutdown(&self) {
        self.core.stop();
        for link in self.links() {
            link.end(Ending::Drain(Closed::Shutdown));
        }
        let mut links = self.core.links_changed.subscribe();
        let drained = async {
            while !lock(&self.core.links).is_empty() {
                if links.changed().await.is_err() {
                    break;
                }
            }
        };
        if tokio::time::timeout(DRAIN + Duration::from_millis(500), drained)
            .await
            .is_err()
        {
            tracing::warn!("some links did not drain in time");
        }
        self.core.close(&Closed::Shutdown);
        self.core.end_tasks().await;
        // Lets the close frames out; a peer that misses them sees an idle timeout.
        let _ = tokio::time::timeout(Duration::from_millis(500), self.core.quic.wait_idle()).await;
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.core.stop();
        self.core.close(&Closed::Shutdown);
        self.core.abort_tasks();
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({} on {})", self.core.config.me, self.local)
    }
}

#[cfg(test)]
impl Endpoint {
    pub(crate) fn core_arc_for_tests(&self) -> Arc<Core> {
        Arc::clone(&self.core)
    }

    pub(crate) fn core_for_tests(&self) -> &Core {
        &self.core
    }
}
