use crate::link::lock;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex},
};

/// Connections that are not yet links, together.
const TOTAL: usize = 64;
/// And from one address.
const PER_ADDRESS: usize = 16;
/// Exchanges of trust data at one time; each may hold a bundle in memory.
const EXCHANGES: usize = 8;

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
    /// A place for a handshake and hello; `None` where there are too many.
    pub(crate) fn handshake(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let mut counts = lock(&self.state);
        if counts.total >= TOTAL {
            return None;
        }
        let here = counts.by_address.entry(address).or_default();
        if *here >= PER_ADDRESS {
            return None;
        }
        *here += 1;
        counts.total += 1;
        Some(self.place(Kind::Handshake(address)))
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

    #[test]
    fn places_are_bounded_and_given_back() {
        let admission = Arc::new(Admission::default());
        let address = |n: u8| IpAddr::from([10, 0, 0, n]);
        let one: Vec<_> = (0..20)
            .filter_map(|_| admission.handshake(address(1)))
            .collect();
        assert_eq!(one.len(), PER_ADDRESS);
        let mapped = IpAddr::from(std::net::Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped());
        assert!(admission.handshake(mapped).is_none());
        let all: Vec<_> = (2..200)
            .filter_map(|n| admission.handshake(address(n)))
            .collect();
        assert_eq!(one.len() + all.len(), TOTAL);
        drop((one, all));
        assert!(lock(&admission.state).by_address.is_empty());
        let exchanges: Vec<_> = (0..20).filter_map(|_| admission.exchange()).collect();
        assert_eq!(exchanges.len(), EXCHANGES);
    }
}
