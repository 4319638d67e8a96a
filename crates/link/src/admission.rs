use crate::{
    link::lock,
    rate::{Bucket, Rate},
};
use abeng_wire::{Mono, PartyCode};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex},
};

/// Connections that are not yet links, together.
const TOTAL: usize = 64;
/// And from one address.
const PER_ADDRESS: usize = 16;
/// Exchanges of trust data at one time; each may hold a bundle in memory.
const EXCHANGES: usize = 8;
/// Handshakes from one neighbourhood: a /24 of IPv4, a /56 of IPv6.
const PER_PREFIX: Rate = Rate {
    per_s: 20,
    burst: 128,
};
/// And from all of them together: what this node computes for strangers.
const FROM_ALL: Rate = Rate {
    per_s: 200,
    burst: 512,
};
/// Links that one party begins: more is a peer that goes round in circles, or wants us to.
const LINKS: Rate = Rate {
    per_s: 2,
    burst: 60,
};
/// Neighbourhoods remembered at one time.
const PREFIXES: usize = 4096;

/// Counts what strangers make us hold.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    state: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    exchanges: usize,
    by_address: BTreeMap<IpAddr, usize>,
    by_prefix: BTreeMap<IpAddr, Bucket>,
    from_all: Option<Bucket>,
    links: BTreeMap<PartyCode, Bucket>,
}

impl Counts {
    /// Whether another handshake from there is not too soon.
    fn in_time(&mut self, address: IpAddr, now: Mono) -> bool {
        let prefix = prefix(address);
        if self.by_prefix.len() >= PREFIXES && !self.by_prefix.contains_key(&prefix) {
            self.by_prefix.retain(|_, bucket| !bucket.is_full(now));
            // So many at once: the rate of all together must do.
            if self.by_prefix.len() >= PREFIXES {
                return self.within_all(now);
            }
        }
        let here = self.by_prefix.entry(prefix);
        let here = here.or_insert_with(|| Bucket::new(PER_PREFIX, now));
        here.take(now, 1).is_ok() && self.within_all(now)
    }

    fn within_all(&mut self, now: Mono) -> bool {
        let all = self
            .from_all
            .get_or_insert_with(|| Bucket::new(FROM_ALL, now));
        all.take(now, 1).is_ok()
    }
}

/// What one operator of a network is usually given.
fn prefix(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            IpAddr::from([a, b, c, 0])
        }
        IpAddr::V6(v6) => IpAddr::from(Ipv6Addr::from_bits(v6.to_bits() >> 72 << 72)),
    }
}

/// A place taken until dropped.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Arc<Admission>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Handshake(IpAddr),
    Exchange,
}

impl Admission {
    /// A place for a handshake and hello; `None` where there are too many, or too many lately.
    pub(crate) fn handshake(self: &Arc<Self>, address: IpAddr, now: Mono) -> Option<Place> {
        let address = address.to_canonical();
        let mut counts = lock(&self.state);
        let here = counts.by_address.get(&address).copied().unwrap_or(0);
        if counts.total >= TOTAL || here >= PER_ADDRESS || !counts.in_time(address, now) {
            return None;
        }
        counts.by_address.insert(address, here + 1);
        counts.total += 1;
        Some(self.place(Kind::Handshake(address)))
    }

    /// Whether a party may begin another link.
    pub(crate) fn link(&self, peer: PartyCode, now: Mono) -> bool {
        let mut counts = lock(&self.state);
        let links = counts.links.entry(peer);
        let links = links.or_insert_with(|| Bucket::new(LINKS, now));
        links.take(now, 1).is_ok()
    }

    /// A place for an exchange of trust data.
    pub(crate) fn exchange(self: &Arc<Self>) -> Option<Place> {
        let mut counts = lock(&self.state);
        if counts.exchanges >= EXCHANGES {
            return None;
        }
        counts.exchanges += 1;
        Some(self.place(Kind::Exchange))
    }

    fn place(self: &Arc<Self>, kind: Kind) -> Place {
        Place {
            admission: Arc::clone(self),
            kind,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = lock(&self.admission.state);
        match self.kind {
            Kind::Exchange => counts.exchanges -= 1,
            Kind::Handshake(address) => {
                counts.total -= 1;
                if let Some(here) = counts.by_address.get_mut(&address) {
                    *here -= 1;
                    if *here == 0 {
                        counts.by_address.remove(&address);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Mono = Mono(0);

    fn later(ms: u64) -> Mono {
        Mono(ms * 1_000_000)
    }

    /// Handshakes that are let in, each over at once.
    fn quick(admission: &Arc<Admission>, address: IpAddr, tries: u32, now: Mono) -> usize {
        let tries = (0..tries).filter(|_| admission.handshake(address, now).is_some());
        tries.count()
    }

    #[test]
    fn a_neighbourhood_that_comes_again_and_again_is_kept_to_its_rate() {
        let admission = Arc::new(Admission::default());
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 200]));
        assert_eq!(quick(&admission, one, 1000, AT), 128);
        assert_eq!(quick(&admission, other, 10, AT), 0, "its neighbour");
        assert_eq!(quick(&admission, IpAddr::from([10, 0, 1, 1]), 10, AT), 10);
        assert_eq!(quick(&admission, one, 1000, later(1000)), 20);
        let v6 = |text: &str| IpAddr::V6(text.parse().unwrap());
        assert_eq!(quick(&admission, v6("2001:db8:0:100::1"), 1000, AT), 128);
        assert_eq!(quick(&admission, v6("2001:db8:0:1ff:8::7"), 10, AT), 0);
        assert_eq!(quick(&admission, v6("2001:db8:0:200::1"), 10, AT), 10);
    }

    #[test]
    fn from_however_many_addresses_only_so_many_are_computed_for_and_remembered() {
        let admission = Arc::new(Admission::default());
        let mut let_in = 0;
        for n in 0..10_000u32 {
            let address = IpAddr::from((0x0a00_0000 + n * 256).to_be_bytes());
            let_in += quick(&admission, address, 1, AT);
        }
        assert_eq!(let_in, 512);
        assert!(lock(&admission.state).by_prefix.len() <= PREFIXES);
        // A second later there is room again, and the quiet ones are forgotten.
        assert_eq!(
            quick(&admission, IpAddr::from([99, 0, 0, 1]), 1, later(10_000)),
            1
        );
        assert_eq!(lock(&admission.state).by_prefix.len(), 1);
    }

    #[test]
    fn a_party_that_links_in_circles_is_kept_to_its_rate() {
        let admission = Arc::new(Admission::default());
        let [jm, tt] = ["JM", "TT"].map(|code| PartyCode::new(code).unwrap());
        assert_eq!((0..200).filter(|_| admission.link(jm, AT)).count(), 60);
        assert!(admission.link(tt, AT));
        assert!(admission.link(jm, later(500)));
        assert!(!admission.link(jm, later(500)));
    }

    #[test]
    fn places_are_bounded_and_given_back() {
        let admission = Arc::new(Admission::default());
        let address = |n: u8| IpAddr::from([10, 0, 0, n]);
        let one: Vec<_> = (0..20)
            .filter_map(|_| admission.handshake(address(1), AT))
            .collect();
        assert_eq!(one.len(), PER_ADDRESS);
        let mapped = IpAddr::from(std::net::Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped());
        assert!(admission.handshake(mapped, AT).is_none());
        let all: Vec<_> = (2..200)
            .filter_map(|n| admission.handshake(address(n), AT))
            .collect();
        assert_eq!(one.len() + all.len(), TOTAL);
        drop((one, all));
        assert!(lock(&admission.state).by_address.is_empty());
        let exchanges: Vec<_> = (0..20).filter_map(|_| admission.exchange()).collect();
        assert_eq!(exchanges.len(), EXCHANGES);
    }
}
