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
use tokio::sync::Notify;

/// Connections of strangers, together.
pub(crate) const TOTAL: usize = 64;
/// And from one address.
pub(crate) const PER_ADDRESS: usize = 16;
/// Connections from the addresses of one member, and as many that have its key, which are not yet
/// links.
pub(crate) const PER_PARTY: usize = 8;
/// Exchanges of trust data at one time; each may hold a bundle in memory.
pub(crate) const EXCHANGES: usize = 8;
/// Handshakes from one neighbourhood: a /24 of IPv4, a /56 of IPv6.
pub(crate) const PER_PREFIX: Rate = Rate {
    per_s: 20,
    burst: 128,
};
/// And from all of them together: what this node computes for strangers.
pub(crate) const FROM_ALL: Rate = Rate {
    per_s: 50,
    burst: 256,
};
/// Beside those, from neighbourhoods that have hardly come lately: a flood from however many
/// addresses is soon none of these, and a member that has moved is.
pub(crate) const FRESH: Rate = Rate {
    per_s: 25,
    burst: 128,
};
/// So many handshakes of a neighbourhood are its first.
const FIRST: u32 = 4;
/// And after so long, in nanoseconds, they are its first again.
const FORGOTTEN: u64 = 60_000_000_000;
/// Handshakes from the addresses of one member.
pub(crate) const DOOR: Rate = Rate {
    per_s: 2,
    burst: 16,
};
/// Links that one party begins: more is a peer that goes round in circles, or wants us to.
pub(crate) const LINKS: Rate = Rate {
    per_s: 2,
    burst: 60,
};
/// Neighbourhoods remembered at one time.
const PREFIXES: usize = 4096;
/// Between two looks for those that may be forgotten, in nanoseconds.
const SWEEP: u64 = 1_000_000_000;

/// Counts what strangers make us hold, and what members do before they are linked.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    state: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// In the order in which they came.
    strangers: BTreeMap<u64, Stranger>,
    numbers: u64,
    exchanges: usize,
    by_prefix: BTreeMap<IpAddr, Neighbourhood>,
    swept: Option<Mono>,
    from_all: Option<Bucket>,
    fresh: Option<Bucket>,
    doors: BTreeMap<PartyCode, Account>,
    links: BTreeMap<PartyCode, Account>,
}

#[derive(Debug)]
struct Stranger {
    address: IpAddr,
    leave: Arc<Notify>,
}

/// How often and since when a neighbourhood comes.
#[derive(Debug)]
struct Neighbourhood {
    pace: Bucket,
    since: Mono,
    came: u32,
}

/// What one member has begun.
#[derive(Debug)]
struct Account {
    pace: Bucket,
    held: usize,
}

impl Account {
    fn enter(&mut self, now: Mono) -> bool {
        let enters = self.held < PER_PARTY && self.pace.take(now, 1).is_ok();
        self.held += usize::from(enters);
        enters
    }
}

impl Neighbourhood {
    fn new(now: Mono) -> Self {
        Self {
            pace: Bucket::new(PER_PREFIX, now),
            since: now,
            came: 0,
        }
    }

    fn is_forgotten(&self, now: Mono) -> bool {
        now.0.saturating_sub(self.since.0) >= FORGOTTEN
    }

    /// Whether another is not too soon, and one of its first.
    fn come(&mut self, now: Mono) -> (bool, bool) {
        if self.is_forgotten(now) {
            (self.since, self.came) = (now, 0);
        }
        self.came = self.came.saturating_add(1);
        (self.pace.take(now, 1).is_ok(), self.came <= FIRST)
    }
}

impl Counts {
    /// Whether another handshake from there is not too soon.
    fn in_time(&mut self, address: IpAddr, now: Mono) -> bool {
        let prefix = prefix(address);
        if self.by_prefix.len() >= PREFIXES && !self.by_prefix.contains_key(&prefix) {
            // Not for each of a flood: looking through them all is work too.
            if self
                .swept
                .is_none_or(|at| now.0.saturating_sub(at.0) >= SWEEP)
            {
                self.swept = Some(now);
                self.by_prefix
                    .retain(|_, here| !here.is_forgotten(now) || !here.pace.is_full(now));
            }
            // So many at once: the rate of all together must do.
            if self.by_prefix.len() >= PREFIXES {
                return takes(&mut self.from_all, FROM_ALL, now);
            }
        }
        let here = self.by_prefix.entry(prefix);
        let here = here.or_insert_with(|| Neighbourhood::new(now));
        let (in_time, first) = here.come(now);
        in_time
            && (first && takes(&mut self.fresh, FRESH, now)
                || takes(&mut self.from_all, FROM_ALL, now))
    }

    /// Sees to it that there is room for one more. Where there is none, whoever came first of the
    /// neighbourhood that holds the most must leave, if that holds more than the newcomer's.
    fn make_room(&mut self, address: IpAddr) -> bool {
        if self.strangers.len() < TOTAL {
            return true;
        }
        let mut held: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for stranger in self.strangers.values() {
            *held.entry(prefix(stranger.address)).or_default() += 1;
        }
        let most = held.values().copied().max().unwrap_or(0);
        if held.get(&prefix(address)).is_some_and(|own| *own >= most) {
            return false;
        }
        let mut strangers = self.strangers.iter();
        let first = strangers.find(|(_, s)| held.get(&prefix(s.address)) == Some(&most));
        let Some(first) = first.map(|(number, _)| *number) else {
            return false;
        };
        if let Some(stranger) = self.strangers.remove(&first) {
            stranger.leave.notify_one();
        }
        true
    }
}

fn takes(bucket: &mut Option<Bucket>, rate: Rate, now: Mono) -> bool {
    let bucket = bucket.get_or_insert_with(|| Bucket::new(rate, now));
    bucket.take(now, 1).is_ok()
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
    leave: Arc<Notify>,
}

#[derive(Debug)]
enum Kind {
    Stranger(u64),
    Door(PartyCode),
    Link(PartyCode),
    Exchange,
}

impl Place {
    /// Returns once another has been given this place.
    pub(crate) async fn taken_over(&self) {
        self.leave.notified().await;
    }
}

impl Admission {
    /// A place for a stranger's handshake; `None` where there are too many, or too many lately.
    pub(crate) fn stranger(self: &Arc<Self>, address: IpAddr, now: Mono) -> Option<Place> {
        let address = address.to_canonical();
        let mut counts = lock(&self.state);
        let here = counts.strangers.values().filter(|s| s.address == address);
        if here.count() >= PER_ADDRESS
            || !counts.in_time(address, now)
            || !counts.make_room(address)
        {
            return None;
        }
        counts.numbers += 1;
        let number = counts.numbers;
        let place = self.place(Kind::Stranger(number));
        let leave = Arc::clone(&place.leave);
        counts.strangers.insert(number, Stranger { address, leave });
        Some(place)
    }

    /// A place for a handshake from an address of a member; `None` where that account is used up.
    pub(crate) fn door(self: &Arc<Self>, party: PartyCode, now: Mono) -> Option<Place> {
        let mut counts = lock(&self.state);
        let account = enter(&mut counts.doors, party, DOOR, now);
        account.then(|| self.place(Kind::Door(party)))
    }

    /// A place for a connection with the key of a member, until it is a link; `None` where the
    /// member begins too many.
    pub(crate) fn link(self: &Arc<Self>, peer: PartyCode, now: Mono) -> Option<Place> {
        let mut counts = lock(&self.state);
        let account = enter(&mut counts.links, peer, LINKS, now);
        account.then(|| self.place(Kind::Link(peer)))
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
            leave: Arc::default(),
        }
    }
}

fn enter(
    accounts: &mut BTreeMap<PartyCode, Account>,
    party: PartyCode,
    rate: Rate,
    now: Mono,
) -> bool {
    let account = accounts.entry(party).or_insert_with(|| Account {
        pace: Bucket::new(rate, now),
        held: 0,
    });
    account.enter(now)
}

impl Drop for Place {
    fn drop(&mut self) {
        let counts = &mut *lock(&self.admission.state);
        let account = match self.kind {
            Kind::Exchange => return counts.exchanges -= 1,
            Kind::Stranger(number) => {
                // Where another has it, there is none to give back.
                counts.strangers.remove(&number);
                return;
            }
            Kind::Door(party) => counts.doors.get_mut(&party),
            Kind::Link(party) => counts.links.get_mut(&party),
        };
        if let Some(account) = account {
            account.held -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
