//! Freshness, seal keys and evidence of equivocations from peer to peer. The roster goes by `abeng-roster/1`; what changes
//! more often goes over links: both say once what they hold, whoever holds newer sends it, and
//! what is taken is passed on at once.

use super::fresh_at;
use crate::shared::{Shared, lock};
use abeng_link::Link;
use abeng_roster::{Conflict, ConflictOf, Trust, digest};
use abeng_wire::{PartyCode, limits, prost::Message, v1};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Notify;
use v1::control::Frame;

/// How long statements wait for others.
const GATHER: Duration = Duration::from_secs(1);
/// Bytes of one frame of trust data, at most one statement more.
const FRAME: usize = limits::CONTROL / 2;

impl Shared {
    /// Tells a peer what is held here, once its link is up.
    pub fn tell_trust_marks(&self, link: &Link) {
        link.control(Frame::TrustMarks(marks(&self.trust())));
    }

    /// Sends a peer what it does not hold, once on a link and under one roster.
    pub fn take_trust_marks(&self, link: &Link, theirs: &v1::TrustMarks) {
        let trust = self.trust();
        // With another roster it could not judge them; that comes first, with everything else.
        let roster = trust.roster.reference();
        let first = || self.links.first_marks(link.peer(), link.session(), &roster);
        if theirs.roster.as_ref() != Some(&roster) || !first() {
            return;
        }
        let held = theirs.seal_keys.iter().take(limits::PARTIES);
        let held: BTreeMap<&str, &v1::SealKeyMark> = held.map(|m| (m.party.as_str(), m)).collect();
        let newer = v1::TrustBundle {
            freshness: (fresh_at(&trust) > theirs.freshness_at)
                .then(|| trust.freshness.as_ref().map(|f| f.signed().clone()))
                .flatten(),
            seal_keys: trust
                .seal_keys
                .held()
                .filter(|(party, sequence, signed)| match held.get(party.as_str()) {
                    Some(mark) => lacks(mark, *sequence, signed),
                    None => true,
                })
                .map(|(_, _, signed)| signed.clone())
                .collect(),
            ..Default::default()
        };
        send(link, newer);
    }

    /// Passes on what was taken since `before`. With another roster peers ask for everything by
    /// themselves.
    fn push_statements(&self, before: &Trust, now: &Trust) {
        if before.roster.version() != now.roster.version() {
            return;
        }
        let newer = v1::TrustBundle {
            freshness: (fresh_at(now) > fresh_at(before))
                .then(|| now.freshness.as_ref().map(|f| f.signed().clone()))
                .flatten(),
            seal_keys: newer_keys(before, now).cloned().collect(),
            other_roots: evidence(before, now, ConflictOf::Root),
            other_rosters: evidence(before, now, ConflictOf::Roster),
            ..Default::default()
        };
        for link in self.links.linked() {
            send(&link, newer.clone());
        }
    }
}

/// What is not passed on yet.
#[derive(Debug, Default)]
pub struct Untold {
    since: Mutex<Option<Arc<Trust>>>,
    more: Notify,
}

impl Untold {
    /// Something newer than `before` is in force.
    pub(super) fn since(&self, before: Arc<Trust>) {
        let mut since = lock(&self.since);
        let roster = before.roster.version();
        // What was taken under an older roster goes with the newer one.
        if since.as_ref().is_none_or(|s| s.roster.version() != roster) {
            *since = Some(before);
        }
        drop(since);
        self.more.notify_one();
    }
}

/// Passes on what is taken, together with what comes within [`GATHER`]: however many members
/// sign new keys at once, a link gets a few frames. Ends with the node.
pub async fn pass_on(shared: Arc<Shared>) {
    loop {
        shared.untold.more.notified().await;
        tokio::time::sleep(GATHER).await;
        let since = lock(&shared.untold.since).take();
        if let Some(before) = since {
            shared.push_statements(&before, &shared.trust());
        }
    }
}

/// Whether a peer that says this of what it holds should see a statement: a newer one, or another
/// of the same sequence, which is evidence.
fn lacks(theirs: &v1::SealKeyMark, sequence: u64, signed: &v1::Signed) -> bool {
    let other = || theirs.digest != digest(&signed.bytes).to_bytes();
    sequence > theirs.sequence || (sequence == theirs.sequence && other())
}

/// Seal keys that were not held before.
pub(super) fn newer_keys<'a>(
    before: &'a Trust,
    now: &'a Trust,
) -> impl Iterator<Item = &'a v1::Signed> {
    newer(before, now).map(|(_, signed)| signed)
}

/// Whose seal keys were not held before.
pub(super) fn changed_keys(before: &Trust, now: &Trust) -> BTreeSet<PartyCode> {
    newer(before, now).map(|(party, _)| party).collect()
}

fn newer<'a>(
    before: &'a Trust,
    now: &'a Trust,
) -> impl Iterator<Item = (PartyCode, &'a v1::Signed)> {
    // Not by sequence: after a revocation one may follow that is lower than what was held.
    let known = |party: PartyCode, signed: &v1::Signed| {
        let mut held = before.seal_keys.held();
        held.any(|(p, _, s)| p == party && s.bytes == signed.bytes)
    };
    let held = now.seal_keys.held();
    held.filter(move |(party, _, signed)| !known(*party, signed))
        .map(|(party, _, signed)| (party, signed))
}

/// The other sides of equivocations that were found since, as far as a frame takes them: peers that hold
/// the same roster would not ask. Longer ones go with whole bundles.
fn evidence(before: &Trust, now: &Trust, of: ConflictOf) -> Vec<v1::Signed> {
    let known = |c: &&Conflict| before.conflicts().iter().any(|b| b.other == c.other);
    let new = now.conflicts().iter().filter(|c| c.of == of && !known(c));
    new.map(|c| c.signed.clone())
        .filter(|signed| signed.encoded_len() < FRAME)
        .collect()
}

fn marks(trust: &Trust) -> v1::TrustMarks {
    // Of each party the newest comes first.
    let mut newest = BTreeMap::new();
    for (party, sequence, signed) in trust.seal_keys.held() {
        newest.entry(party).or_insert((sequence, signed));
    }
    v1::TrustMarks {
        root_version: trust.root.version(),
        roster: Some(trust.roster.reference()),
        freshness_at: fresh_at(trust),
        seal_keys: newest
            .into_iter()
            .map(|(party, (sequence, signed))| v1::SealKeyMark {
                party: party.to_string(),
                sequence,
                digest: digest(&signed.bytes).to_bytes(),
            })
            .collect(),
    }
}

/// In frames that a link takes.
fn send(link: &Link, newer: v1::TrustBundle) {
    let mut frame = v1::TrustBundle {
        freshness: newer.freshness,
        ..Default::default()
    };
    // Of one party the older before the newer, so that both are taken.
    for signed in newer.seal_keys.into_iter().rev() {
        if frame.encoded_len() > FRAME {
            link.control(Frame::Trust(std::mem::take(&mut frame)));
        }
        frame.seal_keys.push(signed);
    }
    let mut frames = vec![frame];
    let others = newer.other_roots.into_iter().map(|signed| v1::TrustBundle {
        other_roots: vec![signed],
        ..Default::default()
    });
    frames.extend(others);
    let others = newer
        .other_rosters
        .into_iter()
        .map(|signed| v1::TrustBundle {
            other_rosters: vec![signed],
            ..Default::default()
        });
    frames.extend(others);
    for frame in frames {
        if frame != v1::TrustBundle::default() {
            link.control(Frame::Trust(frame));
        }
    }
}
