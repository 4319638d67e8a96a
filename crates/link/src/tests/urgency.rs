//! What is urgent overtakes what is large, on a path where that matters. In virtual time, so the
//! figures are the same on every machine; `--nocapture` shows them.

use super::{
    path::{Pair, Path},
    support::Network,
};
use crate::{Profile, delivered::Watched, outbox::Lane, tls::Identity};
use abeng_wire::v1::Precedence;
use std::time::Duration;

/// A geostationary satellite.
const ROUND_TRIP: Duration = Duration::from_millis(700);
/// A FLASH notice to one recipient, with its frame header.
const FLASH: u64 = 4_200;
/// An attachment.
const ATTACHMENT: u64 = 200 << 20;
/// What a modem may hold back in front of the path: less than the path itself holds, to half a minute.
const STORES: [u64; 4] = [16 << 10, 64 << 10, 256 << 10, 1 << 20];
/// Seconds from one FLASH notice to the next: from the first doubling of the window on.
const PAUSES: [u64; 10] = [1, 1, 2, 3, 5, 10, 30, 60, 120, 300];

fn satellite(rate: u64, buffer: u64) -> Path {
    Path {
        rate,
        one_way: ROUND_TRIP / 2,
        buffer,
    }
}

fn linked(path: Path, profile: Profile) -> Pair {
    let network = Network::new(&["AA", "BB"], &["AA", "BB"]);
    let identity = |party| Identity::new(network.keyring(party).node_tls()).unwrap();
    let mut pair = Pair::new(path, profile, &identity("AA"), &identity("BB"));
    let up = pair.run(Duration::from_secs(60), |p| {
        !p.connection(0).is_handshaking()
    });
    assert!(up, "the handshake does not end");
    pair
}

/// The longest way of a FLASH notice behind an attachment, in round trips, and the bits of the
/// attachment that came in a second.
fn behind_an_attachment(path: Path, profile: Profile) -> (f64, f64) {
    let mut pair = linked(path, profile);
    let flash = pair.open(Lane::Envelopes(Precedence::Flash).quic_priority());
    let attachment = pair.open(Lane::ATTACHMENT_PRIORITY);
    pair.send(attachment, ATTACHMENT);
    let (begun, mut worst, mut sent) = (pair.now, Duration::ZERO, 0);
    for pause in PAUSES {
        pair.run(Duration::from_secs(pause), |_| false);
        let submitted = pair.now;
        pair.send(flash, FLASH);
        sent += FLASH;
        pair.run(Duration::from_secs(120), |p| p.arrived(flash) == sent);
        worst = worst.max(pair.now - submitted);
    }
    let bits = pair.arrived(attachment) as f64 * 8.0 / (pair.now - begun).as_secs_f64();
    let trips = worst.as_secs_f64() / ROUND_TRIP.as_secs_f64();
    let rate = measured(&pair);
    assert!(
        (0.85..1.05).contains(&(rate * 8.0 / path.rate as f64)),
        "measured {rate} bytes/s"
    );
    println!(
        "{profile:?}, {path:?}: {trips:.2} round trips, {bits:.0} bit/s, {} lost",
        pair.lost()
    );
    (trips, bits)
}

/// Bytes a second that the sender has seen the path deliver.
fn measured(pair: &Pair) -> f64 {
    let seen = Watched::seen(pair.connection(0).congestion_state().clone_box());
    seen.bytes as f64 / seen.time.as_secs_f64()
}

#[test]
fn a_flash_notice_overtakes_an_attachment_within_three_round_trips() {
    for profile in [Profile::Satellite, Profile::Metered] {
        for store in STORES {
            let (trips, bits) = behind_an_attachment(satellite(256_000, store), profile);
            assert!(trips <= 3.0, "{profile:?} {store}: {trips} round trips");
            assert!(bits >= 0.9 * 256_000.0, "{profile:?} {store}: {bits} bit/s");
        }
    }
}

/// The path of the test above is one that holds back what is urgent, unless something is done.
#[test]
fn without_a_bound_on_delay_it_would_not() {
    let (trips, _) = behind_an_attachment(satellite(256_000, 256 << 10), Profile::Cable);
    assert!(trips > 3.0, "{trips} round trips");
}

#[test]
fn a_bound_on_delay_leaves_a_fast_path_its_rate() {
    let path = satellite(4_000_000, 1 << 20);
    let mut pair = linked(path, Profile::Satellite);
    let attachment = pair.open(Lane::ATTACHMENT_PRIORITY);
    pair.send(attachment, ATTACHMENT);
    let begun = pair.now;
    pair.run(Duration::from_secs(200), |_| false);
    let bits = pair.arrived(attachment) as f64 * 8.0 / (pair.now - begun).as_secs_f64();
    assert!(bits >= 0.8 * 4_000_000.0, "{bits} bit/s");
    let rate = measured(&pair) * 8.0;
    assert!(
        (0.75 * 4e6..1.05 * 4e6).contains(&rate),
        "measured {rate} bit/s"
    );
}
