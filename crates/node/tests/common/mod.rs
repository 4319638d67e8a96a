//! What the tests of whole nodes share.

mod ports;

use abeng_keys::Protection;
use abeng_node::founding::{InitParty, InitRequest, init};
use abeng_wire::{NetworkCode, PartyCode, v1::PartyKind};
use std::path::Path;

/// Founds a network of JM, a member, and LC, the coordination office, in `dir`.
pub fn found(dir: &Path) {
    let party = |code: &str, kind| InitParty {
        code: PartyCode::new(code).unwrap(),
        name: code.to_owned(),
        country: code.to_owned(),
        kind,
        address: None,
    };
    init(&InitRequest {
        dir: dir.to_owned(),
        network: NetworkCode::new("test").unwrap(),
        parties: vec![
            party("JM", PartyKind::Member),
            party("LC", PartyKind::Coordination),
        ],
        protection: Protection::InsecurePlain,
        passphrase_file: None,
        host: "127.0.0.1".parse().unwrap(),
        base_port: ports::free_ports(2),
        status_every_s: Some(1),
    })
    .unwrap();
}
