use abeng_wire::limits;
use std::time::Duration;

/// What kind of path leads to the other nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// A cable: always on, bytes are free.
    #[default]
    Cable,
    /// A geostationary satellite: always on, 700 ms there and back.
    Satellite,
    /// Every byte is paid for: no keep-alive.
    Metered,
}

/// The numbers behind a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// QUIC's first guess of a round trip.
    pub(crate) initial_rtt: Duration,
    /// A connection without any packet for this long is lost.
    pub(crate) idle: Duration,
    /// QUIC keep-alives of the dialler; none where bytes are paid for.
    pub(crate) keep_alive: Option<Duration>,
    /// Time between pings that compare clocks.
    pub(crate) ping: Option<Duration>,
    /// Whether a growing round trip counts as a full path: so that a modem's store of packets
    /// does not stand between what is urgent and the path.
    pub(crate) delay_bounded: bool,
    /// Bytes that the peer may have on the way in one stream.
    pub(crate) stream_window: u32,
    /// Limit for the TLS handshake, and again for the hello.
    pub(crate) handshake: Duration,
    /// Limit for one exchange of trust data.
    pub(crate) trust_exchange: Duration,
    /// First and longest wait between two dials.
    pub(crate) backoff: (Duration, Duration),
}

impl Settings {
    /// One control stream, four of envelopes and those of attachments can be full at the same time
    /// without any of them keeping another from its window.
    pub(crate) fn connection_window(&self) -> u32 {
        (5 + limits::ATTACHMENT_STREAMS as u32) * self.stream_window
    }
}

impl Profile {
    pub(crate) fn settings(self) -> Settings {
        let cable = Settings {
            initial_rtt: Duration::from_millis(100),
            idle: Duration::from_secs(30),
            keep_alive: Some(Duration::from_secs(10)),
            ping: Some(Duration::from_secs(15)),
            delay_bounded: false,
            stream_window: 3 << 20,
            handshake: Duration::from_secs(10),
            trust_exchange: Duration::from_secs(30),
            backoff: (Duration::from_millis(200), Duration::from_secs(60)),
        };
        match self {
            Self::Cable => cable,
            Self::Satellite => Settings {
                initial_rtt: Duration::from_millis(700),
                idle: Duration::from_secs(120),
                keep_alive: Some(Duration::from_secs(25)),
                ping: Some(Duration::from_secs(60)),
                delay_bounded: true,
                handshake: Duration::from_secs(30),
                trust_exchange: Duration::from_secs(180),
                backoff: (Duration::from_secs(1), Duration::from_secs(120)),
                ..cable
            },
            Self::Metered => Settings {
                initial_rtt: Duration::from_millis(300),
                idle: Duration::from_secs(60),
                keep_alive: None,
                ping: None,
                delay_bounded: true,
                stream_window: 512 << 10,
                handshake: Duration::from_secs(30),
                trust_exchange: Duration::from_secs(300),
                backoff: (Duration::from_secs(5), Duration::from_secs(600)),
            },
        }
    }
}
