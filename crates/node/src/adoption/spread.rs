//! Freshness and seal keys from peer to peer. The roster goes by `abeng-roster/1`; what changes
//! more often goes over links: both say once what they hold, whoever holds newer sends it, and
//! what is taken is passed on at once.

use super::fresh_at;
use crate::shared::Shared;
use abeng_link::Link;
use abeng_roster::Trust;
use abeng_wire::{PartyCode, limits, prost::Message, v1};
use std::collections::{BTreeMap, BTreeSet};
use v1::control::Frame;

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
        let held: BTreeMap<&str, u64> = held.map(|m| (m.party.as_str(), m.sequence)).collect();
        let lacks = |party: PartyCode| held.get(party.as_str()).copied().unwrap_or(0);
        let newer = v1::TrustBundle {
            freshness: (fresh_at(&trust) > theirs.freshness_at)
                .then(|| trust.freshness.as_ref().map(|f| f.signed().clone()))
                .flatten(),
            seal_keys: trust
                .seal_keys
                .held()
                .filter(|(party, sequence, _)| *sequence > lacks(*party))
                .map(|(_, _, signed)| signed.clone())
                .collect(),
            ..Default::default()
        };
        send(link, newer);
    }

    /// Passes on what was just taken. With another roster peers ask for everything by themselves.
    pub(super) fn push_statements(&self, before: &Trust, now: &Trust) {
        if before.roster.version() != now.roster.version() {
            return;
        }
        let newer = v1::TrustBundle {
            freshness: (fresh_at(now) > fresh_at(before))
                .then(|| now.freshness.as_ref().map(|f| f.signed().clone()))
                .flatten(),
            seal_keys: newer_keys(before, now).cloned().collect(),
            ..Default::default()
        };
        for link in self.links.linked() {
            send(&link, newer.clone());
        }
    }
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
    let newest = |party: PartyCode| {
        let mut held = before.seal_keys.held().filter(|(p, _, _)| *p == party);
        held.next().map_or(0, |(_, sequence, _)| sequence)
    };
    let held = now.seal_keys.held();
    held.filter(move |(party, sequence, _)| *sequence > newest(*party))
        .map(|(party, _, signed)| (party, signed))
}

fn marks(trust: &Trust) -> v1::TrustMarks {
    let mut newest = BTreeMap::new();
    for (party, sequence, _) in trust.seal_keys.held() {
        let mark = newest.entry(party).or_insert(sequence);
        *mark = sequence.max(*mark);
    }
    v1::TrustMarks {
        root_version: trust.root.version(),
        roster: Some(trust.roster.reference()),
        freshness_at: fresh_at(trust),
        seal_keys: newest
            .into_iter()
            .map(|(party, sequence)| v1::SealKeyMark {
                party: party.to_string(),
                sequence,
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
    if frame != v1::TrustBundle::default() {
        link.control(Frame::Trust(frame));
    }
}
