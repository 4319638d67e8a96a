use abeng_wire::PartyCode;
use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::Mutex,
};

use crate::link::lock;

/// Addresses remembered of one party; the newest stay.
const PER_PARTY: usize = 8;

/// Where members are to be found: the addresses of the roster, as last looked up, and those their
/// links came from. Whoever comes from there is let in on that member's account, not on that of
/// the strangers, however many those are. It proves nothing: what a connection may do is settled
/// by its key alone.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    state: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    of: BTreeMap<PartyCode, VecDeque<SocketAddr>>,
    whose: BTreeMap<SocketAddr, PartyCode>,
}

impl Doors {
    /// A member is, or is said to be, at this address.
    pub(crate) fn learn(&self, party: PartyCode, address: SocketAddr) {
        let address = canonical(address);
        let known = &mut *lock(&self.state);
        let of = known.of.entry(party).or_default();
        if of.front() == Some(&address) {
            return;
        }
        of.retain(|a| *a != address);
        of.push_front(address);
        known.whose.insert(address, party);
        if of.len() > PER_PARTY
            && let Some(old) = of.pop_back()
            && known.whose.get(&old) == Some(&party)
        {
            known.whose.remove(&old);
        }
    }

    /// The member that is to be found there.
    pub(crate) fn whose(&self, address: SocketAddr) -> Option<PartyCode> {
        lock(&self.state).whose.get(&canonical(address)).copied()
    }

    /// Forgets all members but these.
    pub(crate) fn keep(&self, is_member: impl Fn(PartyCode) -> bool) {
        let known = &mut *lock(&self.state);
        known.of.retain(|party, _| is_member(*party));
        known.whose.retain(|_, party| is_member(*party));
    }
}

/// IPv4 as itself, also where an IPv6 socket shows it mapped.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> PartyCode {
        PartyCode::new(text).unwrap()
    }

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_member_is_known_by_its_newest_addresses_port_and_all() {
        let doors = Doors::default();
        let [jm, tt] = ["JM", "TT"].map(code);
        for port in 1..=10 {
            doors.learn(jm, ([10, 0, 0, 1], port).into());
        }
        assert_eq!(doors.whose(at("10.0.0.1:2")), None, "too many");
        assert_eq!(doors.whose(at("10.0.0.1:3")), Some(jm));
        assert_eq!(doors.whose(at("[::ffff:10.0.0.1]:3")), Some(jm));
        assert_eq!(doors.whose(at("10.0.0.1:11")), None, "its neighbour");
        // Seen again, it is new again; taken over, it is the other's.
        doors.learn(jm, at("10.0.0.1:3"));
        doors.learn(jm, at("10.0.0.1:20"));
        assert_eq!(doors.whose(at("10.0.0.1:3")), Some(jm));
        assert_eq!(doors.whose(at("10.0.0.1:4")), None);
        doors.learn(tt, at("10.0.0.1:3"));
        assert_eq!(doors.whose(at("10.0.0.1:3")), Some(tt));
        for port in 30..40 {
            doors.learn(jm, ([10, 0, 0, 1], port).into());
        }
        assert_eq!(doors.whose(at("10.0.0.1:3")), Some(tt));
        doors.keep(|party| party == tt);
        assert_eq!(doors.whose(at("10.0.0.1:39")), None);
        assert_eq!(doors.whose(at("10.0.0.1:3")), Some(tt));
    }
}
