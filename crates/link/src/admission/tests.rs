use super::*;
use std::net::Ipv4Addr;

const AT: Mono = Mono(0);

fn later(ms: u64) -> Mono {
    Mono(ms * 1_000_000)
}

fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}

/// Handshakes that are let in, each over at once.
fn quick(admission: &Arc<Admission>, address: IpAddr, tries: u32, now: Mono) -> usize {
    let tries = (0..tries).filter(|_| admission.stranger(address, now).is_some());
    tries.count()
}

/// The nth of many neighbourhoods.
fn far(n: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0a00_0000 + n * 256).into()
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
    let admission = Arc::new(Admission::default());
    assert_eq!(quick(&admission, v6("2001:db8:0:100::1"), 1000, AT), 128);
    assert_eq!(quick(&admission, v6("2001:db8:0:1ff:8::7"), 10, AT), 0);
    assert_eq!(quick(&admission, v6("2001:db8:0:200::1"), 10, AT), 10);
}

#[test]
fn from_however_many_addresses_only_so_many_are_computed_for_and_remembered() {
    let admission = Arc::new(Admission::default());
    let let_in: usize = (0..10_000).map(|n| quick(&admission, far(n), 1, AT)).sum();
    assert_eq!(let_in, (FROM_ALL.burst + FRESH.burst) as usize);
    assert!(lock(&admission.state).by_prefix.len() <= PREFIXES);
    // Later there is room again, and the quiet ones are forgotten.
    let new = IpAddr::from([99, 0, 0, 1]);
    assert_eq!(quick(&admission, new, 1, later(61_000)), 1);
    assert_eq!(lock(&admission.state).by_prefix.len(), 1);
}

#[test]
fn a_neighbourhood_that_has_not_come_lately_goes_before_those_that_do_nothing_else() {
    let admission = Arc::new(Admission::default());
    // A flood from a hundred neighbourhoods, each well below its own rate, all above that of all.
    let flood = |ms| -> usize {
        (0..100)
            .map(|n| quick(&admission, far(n), 1, later(ms)))
            .sum()
    };
    for second in 0..30 {
        flood(second * 1000);
    }
    assert!(flood(30_000) < 100, "the flood is over the rate of all");
    let moved = IpAddr::from([99, 0, 0, 1]);
    assert_eq!(quick(&admission, moved, 4, later(30_000)), 4);
    assert_eq!(
        quick(&admission, moved, 10, later(30_000)),
        0,
        "now it is one of them"
    );
}

#[test]
fn a_member_comes_in_by_its_own_door_whatever_strangers_do() {
    let admission = Arc::new(Admission::default());
    let held: Vec<_> = (0..1000)
        .filter_map(|n| admission.stranger(far(n), AT))
        .collect();
    assert_eq!(held.len(), FROM_ALL.burst as usize + FRESH.burst as usize);
    let [jm, tt] = ["JM", "TT"].map(code);
    let doors: Vec<_> = (0..20).filter_map(|_| admission.door(jm, AT)).collect();
    assert_eq!(doors.len(), PER_PARTY);
    drop(doors);
    // Its account is bounded as well, and nobody else's.
    let again = (0..100).filter(|_| admission.door(jm, AT).is_some());
    assert_eq!(again.count(), 16 - PER_PARTY);
    assert!(admission.door(tt, AT).is_some());
    assert!(admission.door(jm, later(500)).is_some());
}

#[test]
fn a_party_that_links_in_circles_is_kept_to_its_rate_and_its_places() {
    let admission = Arc::new(Admission::default());
    let [jm, tt] = ["JM", "TT"].map(code);
    let links = (0..200).filter(|_| admission.link(jm, AT).is_some());
    assert_eq!(links.count(), 60);
    let held: Vec<_> = (0..20).filter_map(|_| admission.link(tt, AT)).collect();
    assert_eq!(held.len(), PER_PARTY);
    drop(held);
    assert!(admission.link(tt, AT).is_some());
    assert!(admission.link(jm, later(500)).is_some());
    assert!(admission.link(jm, later(500)).is_none());
}

#[test]
fn places_are_bounded_and_given_back() {
    let admission = Arc::new(Admission::default());
    let address = |n: u8| IpAddr::from([10, 0, 0, n]);
    let one: Vec<_> = (0..20)
        .filter_map(|_| admission.stranger(address(1), AT))
        .collect();
    assert_eq!(one.len(), PER_ADDRESS);
    let mapped = IpAddr::from(Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped());
    assert!(admission.stranger(mapped, AT).is_none());
    let all: Vec<_> = (2..200)
        .filter_map(|n| admission.stranger(address(n), AT))
        .collect();
    assert_eq!(one.len() + all.len(), TOTAL, "all of one neighbourhood");
    drop((one, all));
    assert!(lock(&admission.state).strangers.is_empty());
    let exchanges: Vec<_> = (0..20).filter_map(|_| admission.exchange()).collect();
    assert_eq!(exchanges.len(), EXCHANGES);
}

#[tokio::test]
async fn where_all_places_are_held_whoever_holds_the_most_gives_one_up() {
    let admission = Arc::new(Admission::default());
    let few: Vec<_> = (0..3)
        .map(|_| admission.stranger(far(1), AT).unwrap())
        .collect();
    let mut many: Vec<_> = (0..4)
        .flat_map(|n| [IpAddr::from([10, 9, 9, n]); PER_ADDRESS])
        .filter_map(|address| admission.stranger(address, AT))
        .collect();
    assert_eq!(few.len() + many.len(), TOTAL);
    assert!(
        admission
            .stranger(IpAddr::from([10, 9, 9, 9]), AT)
            .is_none()
    );
    let new = admission.stranger(far(2), AT).unwrap();
    // The first of the many; nobody else.
    many.remove(0).taken_over().await;
    let leaves = |place: &Place| {
        let place = place.leave.notified();
        let place = std::pin::pin!(place);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        place.poll(&mut context).is_ready()
    };
    assert!(!many.iter().chain(&few).chain([&new]).any(leaves));
    assert_eq!(lock(&admission.state).strangers.len(), TOTAL);
    drop((few, many, new));
    assert!(lock(&admission.state).strangers.is_empty());
}
