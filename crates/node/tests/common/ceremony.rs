//! Ceremonies of a founded network: its offline keys lie beside the nodes.

#![allow(dead_code)]

use abeng_keys::{DualSigner, Keyring, Passphrase, Protection, SealPublic, Signer, SoftSigner};
use abeng_node::Layout;
use abeng_roster::{ceremony, digest};
use abeng_wire::{PartyCode, prost::Message, v1};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use std::{fs, path::Path};

pub const DAY: u64 = 86_400_000;

fn offline(dir: &Path, kind: &str, nth: usize) -> DualSigner {
    let none = || Err::<Passphrase, _>("the keys of a trial are in the clear");
    DualSigner::load(&dir.join("root-keys"), &format!("{kind}-{nth}"), none).unwrap()
}

/// The trust data of a node's directory.
pub fn bundle(home: &Path) -> v1::TrustBundle {
    Layout::new(home).read_trust().unwrap()
}

/// The roster after the last one of a bundle, edited and signed by two of three.
pub fn after(
    dir: &Path,
    bundle: &v1::TrustBundle,
    edit: impl FnOnce(&mut v1::Roster),
) -> v1::Signed {
    let signers = [1, 2].map(|nth| offline(dir, "roster", nth));
    after_by(&signers, bundle, edit)
}

/// The same by these signers.
pub fn after_by(
    signers: &[DualSigner],
    bundle: &v1::TrustBundle,
    edit: impl FnOnce(&mut v1::Roster),
) -> v1::Signed {
    let last = bundle.rosters.last().unwrap();
    let mut roster = v1::Roster::decode(last.bytes.clone()).unwrap();
    roster.version += 1;
    roster.previous = digest(&last.bytes).to_bytes();
    roster.issued += 1;
    edit(&mut roster);
    ceremony::sign_roster(&roster, &signers.iter().collect::<Vec<_>>()).unwrap()
}

/// The next root, edited and signed by four of seven.
pub fn next_root(
    dir: &Path,
    bundle: &v1::TrustBundle,
    edit: impl FnOnce(&mut v1::Root),
) -> v1::Signed {
    let mut root = v1::Root::decode(bundle.roots.last().unwrap().bytes.clone()).unwrap();
    root.version += 1;
    edit(&mut root);
    let signers: Vec<_> = (1..=4).map(|nth| offline(dir, "root", nth)).collect();
    ceremony::sign_root(&root, &signers.iter().collect::<Vec<_>>()).unwrap()
}

/// The next root, which names two rosters of version 2 as settled.
pub fn settle(dir: &Path, bundle: &v1::TrustBundle, both: [&v1::Signed; 2]) -> v1::Signed {
    next_root(dir, bundle, |root| {
        root.settled_rosters.push(settlement(&both));
    })
}

/// Names rosters of version 2.
pub fn settlement(rosters: &[&v1::Signed]) -> v1::Settlement {
    let mut digests: Vec<_> = rosters.iter().map(|s| digest(&s.bytes)).collect();
    digests.sort_unstable();
    v1::Settlement {
        version: 2,
        digests: digests.iter().map(|d| d.to_bytes()).collect(),
    }
}

/// Puts new roster signers in the place of all.
pub fn replace_signers(root: &mut v1::Root, new: &[DualSigner]) {
    let keys = new.iter().map(|s| s.dual_key("new", "GY"));
    root.roster_signers = keys.collect();
}

/// A bundle with that roster at its end.
pub fn with(bundle: &v1::TrustBundle, roster: v1::Signed) -> v1::TrustBundle {
    let mut bundle = bundle.clone();
    bundle.rosters.push(roster);
    bundle
}

pub fn file(bundle: &v1::TrustBundle) -> Bytes {
    abeng_wire::encode(bundle)
}

pub fn fresh(dir: &Path, bundle: &v1::TrustBundle, at: u64) -> v1::Signed {
    let last = bundle.rosters.last().unwrap();
    let roster = v1::Roster::decode(last.bytes.clone()).unwrap();
    let said = v1::Freshness {
        roster: Some(v1::RosterRef {
            version: roster.version,
            digest: digest(&last.bytes).to_bytes(),
        }),
        at,
        expires: at + 2 * DAY,
    };
    let signer = offline(dir, "freshness", 2);
    ceremony::sign_freshness(&said, signer.ed25519()).unwrap()
}

pub fn keyring(home: &Path) -> Keyring {
    Keyring::load(&home.join("keys"), || Err::<Passphrase, _>("plain")).unwrap()
}

/// A party's entry, changed for the next roster and signed by its org-sign key and whatever else is given.
pub fn edit_party(
    roster: &mut v1::Roster,
    keyring: &Keyring,
    more: &[&dyn Signer],
    edit: impl FnOnce(&mut v1::Party),
) {
    let is =
        |s: &v1::Signed| v1::Party::decode(s.bytes.clone()).unwrap().code == keyring.party.as_str();
    let at = roster.parties.iter().position(is).unwrap();
    let mut party = v1::Party::decode(roster.parties[at].bytes.clone()).unwrap();
    party.version += 1;
    edit(&mut party);
    let mut signers: Vec<&dyn Signer> = vec![&**keyring.org_sign()];
    signers.extend(more);
    roster.parties[at] = ceremony::sign_party(&party, &signers).unwrap();
}

pub fn status(roster: &mut v1::Roster, keyring: &Keyring, status: v1::PartyStatus) {
    edit_party(roster, keyring, &[], |p| p.status = status as i32);
}

pub fn key(role: v1::KeyRole, signer: &dyn Signer, now: u64) -> v1::PartyKey {
    v1::PartyKey {
        role: role as i32,
        key: Bytes::copy_from_slice(signer.verify_key().bytes()),
        not_before: now - DAY,
        not_after: now + 365 * DAY,
    }
}

/// Gives a party a second node-tls key, made of this byte.
pub fn new_tls(roster: &mut v1::Roster, keyring: &Keyring, byte: u8, now: u64) {
    let tls = SoftSigner::from_seed(&[byte; 32]).unwrap();
    edit_party(roster, keyring, &[&**keyring.node_tls(), &tls], |p| {
        p.keys.push(key(v1::KeyRole::NodeTls, &tls, now));
    });
}

/// Puts that key into the keyring on disk.
pub fn use_tls(home: &Path, byte: u8) {
    let path = home.join("keys").join("keyring.plain.toml");
    let text = fs::read_to_string(&path).unwrap();
    let new = format!("node-tls = \"{}\"", HEXLOWER.encode(&[byte; 32]));
    let lines = text.lines().map(|line| match line.starts_with("node-tls") {
        true => new.as_str(),
        false => line,
    });
    fs::write(&path, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
}

pub fn revoke(roster: &mut v1::Roster, signer: &dyn Signer, now: u64) {
    roster.revocations.push(v1::Revocation {
        kid: signer.verify_key().kid().to_bytes(),
        effective_at: now,
        reason: "rotated".into(),
    });
}

pub fn group(code: &str, members: &[&str]) -> v1::Group {
    v1::Group {
        code: code.into(),
        members: members.iter().map(|&m| m.to_owned()).collect(),
    }
}

pub fn grant(from: &str, to: &str) -> v1::Grant {
    v1::Grant {
        from: from.into(),
        to: to.into(),
        notice_types: Vec::new(),
        highest_tlp: v1::Tlp::Red as u32,
    }
}

/// A new party's entry with keys of its own.
pub fn new_party(keyring: &Keyring, address: &str, now: u64) -> v1::Signed {
    let keys: [(v1::KeyRole, &dyn Signer); 4] = [
        (v1::KeyRole::OrgSign, &**keyring.org_sign()),
        (v1::KeyRole::NodeTls, &**keyring.node_tls()),
        (v1::KeyRole::Log, &**keyring.log()),
        (v1::KeyRole::Witness, &**keyring.witness()),
    ];
    let entry = v1::Party {
        code: keyring.party.to_string(),
        name: "Newcomer".into(),
        kind: v1::PartyKind::Member as i32,
        country: keyring.party.as_str()[..2].into(),
        status: v1::PartyStatus::Active as i32,
        keys: keys.iter().map(|(role, s)| key(*role, *s, now)).collect(),
        addresses: vec![address.into()],
        log_origin: format!("abeng/test/{}/", keyring.party),
        witnesses: vec!["JM".into()],
        relay: false,
        version: 1,
    };
    ceremony::sign_party(&entry, &keys.map(|(_, s)| s)).unwrap()
}

pub fn seal_key(keyring: &Keyring, sequence: u64, key: &SealPublic, now: u64) -> v1::Signed {
    let signer = &**keyring.org_sign();
    let time = (now - DAY, now + 90 * DAY);
    ceremony::sign_seal_key(keyring.party, sequence, key, time, signer).unwrap()
}

/// A data directory for a party that the founding did not know.
pub fn home_of_new(
    home: &Path,
    keyring: &Keyring,
    (bundle, toml): (&v1::TrustBundle, &str),
    now: u64,
) {
    fs::create_dir_all(home).unwrap();
    let layout = Layout::new(home);
    keyring
        .save(&layout.keys(), &Protection::InsecurePlain)
        .unwrap();
    layout.write_trust(bundle).unwrap();
    let trust = abeng_roster::Trust::from_bundle(bundle, None, now).unwrap();
    abeng_node::founding::create_journal(home, keyring, &trust, now).unwrap();
    fs::write(home.join("node.toml"), toml).unwrap();
}

pub fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}
