//! What the administrator of this node does about the roster: bring a newer one, look who waits,
//! accept them.

use crate::{
    adoption::{NotTaken, Taken},
    clock,
    desk::Ended,
    shared::{Shared, lock},
};
use abeng_api::{
    AcceptReply, AcceptRequest, ApiError, Caller, ErrorCode, NewcomerView, RosterTaken,
    WaitingView, Warned, Warning,
};
use abeng_audit_log::{ACCEPTANCE, subject};
use abeng_keys::{Entropy, SystemEntropy};
use abeng_queue::{Input, PrivateInput};
use abeng_roster::{Newcomer, Policy, Trust};
use abeng_wire::{PartyCode, decode_tolerant, limits, v1};
use bytes::Bytes;
use std::sync::Arc;

impl Shared {
    /// `POST /v1/roster/import`.
    pub async fn roster_import(
        self: &Arc<Self>,
        who: &Caller,
        file: Bytes,
    ) -> Result<RosterTaken, ApiError> {
        trust_changed_by(who)?;
        let bundle = decode_tolerant("trust bundle", &file, limits::TRUST_BUNDLE)
            .ok()
            .filter(|bundle| *bundle != v1::TrustBundle::default())
            .ok_or_else(|| {
                ApiError::invalid("this is no trust data")
                    .with_try("give the bundle that the Secretariat published, or another node's trust/bundle.pb")
            })?;
        let (shared, by) = (self.clone(), private(who, None));
        let taken = tokio::task::spawn_blocking(move || shared.adopt(&bundle, Some(by)));
        let taken = taken
            .await
            .map_err(|_| ApiError::internal("the import broke off"))?;
        let taken = taken.map_err(refused)?;
        let now = self.trust();
        let same = Taken {
            roster: (now.roster.version(), now.roster.version()),
            root: (now.root.version(), now.root.version()),
            freshness: false,
            seal_keys: 0,
        };
        let (newer, taken) = (taken.is_some(), taken.unwrap_or(same));
        let changes = match taken.roster.0 == taken.roster.1 {
            true => Vec::new(),
            false => now.changes_since(taken.roster.0).unwrap_or_default(),
        };
        Ok(RosterTaken {
            newer,
            roster_before: taken.roster.0,
            roster: taken.roster.1,
            root_before: taken.root.0,
            root: taken.root.1,
            freshness: taken.freshness,
            seal_keys: taken.seal_keys as u32,
            changes: changes.iter().map(ToString::to_string).collect(),
        })
    }

    /// `GET /v1/roster/pending`.
    pub fn roster_pending(&self) -> WaitingView {
        let trust = self.trust();
        let news = lock(&self.news).clone();
        let waiting = trust.newcomers(clock::waited());
        WaitingView {
            version: trust.roster.version(),
            seen: news.seen,
            changes: news.changes,
            newcomers: waiting.iter().map(|n| newcomer_view(&trust, n)).collect(),
            disputes: lock(&self.disputes)
                .iter()
                .map(|d| d.told_in_full(&trust))
                .collect(),
        }
    }

    /// `POST /v1/roster/accept`.
    pub async fn roster_accept(
        self: &Arc<Self>,
        who: &Caller,
        request: AcceptRequest,
    ) -> Result<AcceptReply, ApiError> {
        trust_changed_by(who)?;
        let by = private(who, request.officer.clone());
        let shared = self.clone();
        let accepted = tokio::task::spawn_blocking(move || shared.accept(&request, by));
        accepted
            .await
            .map_err(|_| ApiError::internal("the acceptance broke off"))?
    }

    /// Blocks until the acceptance is durable and in force.
    fn accept(&self, request: &AcceptRequest, by: PrivateInput) -> Result<AcceptReply, ApiError> {
        let _one_at_a_time = lock(&self.adopting);
        let before = self.trust();
        let version = before.roster.version();
        if let Some(seen) = request.version.filter(|seen| *seen != version) {
            return Err(ApiError::new(
                ErrorCode::Refused,
                format!("roster {version} is in force, not roster {seen} that you have seen"),
            )
            .with_try("nothing was accepted; look again: `abeng roster pending`"));
        }
        let places = named(&before, request)?;
        let said = v1::Acceptance {
            version,
            places: places.iter().map(accepted).collect(),
        };
        let leaf = v1::Leaf {
            kind: v1::LeafKind::Admin.into(),
            subject: subject(ACCEPTANCE, &abeng_wire::encode(&said)).to_bytes(),
            ..Default::default()
        };
        let place = self.desk.open();
        self.core.give_blocking(Input::Note {
            leaf: Box::new(leaf),
            proof: Some(v1::ProofPart {
                of: Some(v1::proof_part::Of::Acceptance(said)),
            }),
            private: Some(by),
            tell: Some(place.ticket),
            receipt_to: None,
        });
        let Ok(Ended::Noted { leaf }) = place.ended.blocking_recv() else {
            return Err(ApiError::stopping());
        };
        let mut next = (*before).clone();
        for newcomer in &places {
            next.accept_newcomer(newcomer.group, newcomer.party, newcomer.since);
        }
        let next = Arc::new(next);
        self.trust.store(next.clone());
        let mut news = lock(&self.news);
        news.seen = version;
        news.changes.clear();
        self.metrics.roster_unseen.set(0);
        drop(news);
        for newcomer in &places {
            self.let_come(newcomer.party);
        }
        tracing::info!(
            version,
            accepted = places.len(),
            "the roster's changes were accepted"
        );
        Ok(AcceptReply {
            version,
            leaf: leaf.0,
            accepted: places.iter().map(|n| newcomer_view(&next, n)).collect(),
        })
    }

    /// Whoever was held off offers everything at a new link, sooner than by itself.
    fn let_come(&self, party: PartyCode) {
        let held_off = lock(&self.held_off).remove(&party).is_some();
        if let Some(link) = self.links.link(party).filter(|_| held_off) {
            link.close("accepted here; what was held off may come");
        }
    }

    /// What waits for parties that take part no longer.
    pub fn stranded(&self, queues: &[v1::QueueStatus]) -> Vec<Warning> {
        let trust = self.trust();
        let mut waits = std::collections::BTreeMap::<&str, u64>::new();
        for queue in queues {
            *waits.entry(&queue.recipient).or_default() += queue.depth;
        }
        let told = waits.into_iter().filter_map(|(to, count)| {
            let party = PartyCode::new(to).ok().and_then(|to| trust.roster.party(to))?;
            let (warned, state) = match party.status {
                v1::PartyStatus::Active => return None,
                v1::PartyStatus::Left => (Warned::StrandedLeft, "has left the network"),
                _ => (Warned::StrandedSuspended, "is suspended in the roster"),
            };
            let told = Warning::from(format!(
                "{count} notices wait for {to}, which {state}: they stay here, and go to nobody, until it takes part again or they expire"
            ));
            let values = [("count", count.to_string()), ("party", to.to_owned())];
            Some(told.because(warned, values))
        });
        told.collect()
    }

    /// What `status` says of rosters, gravest first.
    pub fn roster_warnings(&self) -> Vec<Warning> {
        let trust = self.trust();
        let mut told: Vec<Warning> = {
            let disputes = lock(&self.disputes);
            let open = disputes.iter().filter(|d| d.is_open(&trust));
            open.map(|d| d.told()).collect()
        };
        told.extend(lock(&self.news).told(trust.roster.version()));
        let now = clock::waited();
        let held_off = lock(&self.held_off).clone();
        for party in held_off.into_keys() {
            let waits = trust.newcomers(now).into_iter().find(|n| n.party == party);
            if let Some(Newcomer { group, until, .. }) = waits {
                let until = clock::rfc3339(until);
                let way = match group {
                    None => format!("--party {party}"),
                    Some(group) => format!("--group {group}"),
                };
                let text = format!(
                    "{party} has notices for this node and is new here: they stay with {party} until {until}, or until you accept it: `abeng roster accept {way}`"
                );
                let values = [("party", party.to_string()), ("until", until), ("way", way)];
                told.push(Warning::from(text).because(Warned::NewcomerHolds, values));
            }
        }
        told
    }
}

/// The places that a request names. None: only that the changes were seen.
fn named(trust: &Trust, request: &AcceptRequest) -> Result<Vec<Newcomer>, ApiError> {
    let waiting = trust.newcomers(clock::waited());
    let code = |text: &str| {
        PartyCode::new(text).map_err(|_| {
            ApiError::not_found(format!("nobody here is called `{text:.32}`"))
                .with_try("`abeng roster pending` lists who waits")
        })
    };
    let found: Vec<Newcomer> = match (&request.party, &request.group) {
        (None, None) => return Ok(Vec::new()),
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid("a party or a group, not both"));
        }
        // Wherever it is new: in the roster and in groups.
        (Some(party), None) => {
            let party = code(party)?;
            waiting.into_iter().filter(|n| n.party == party).collect()
        }
        (None, Some(group)) => {
            let group = Some(code(group)?);
            waiting.into_iter().filter(|n| n.group == group).collect()
        }
    };
    if found.is_empty() {
        return Err(ApiError::not_found("nobody waits there")
            .with_try("`abeng roster pending` lists who waits"));
    }
    Ok(found)
}

fn accepted(newcomer: &Newcomer) -> v1::Accepted {
    v1::Accepted {
        party: newcomer.party.to_string(),
        group: newcomer.group.map(|g| g.to_string()).unwrap_or_default(),
        since: newcomer.since,
    }
}

fn newcomer_view(trust: &Trust, newcomer: &Newcomer) -> NewcomerView {
    let party = trust.roster.party(newcomer.party);
    NewcomerView {
        party: newcomer.party.to_string(),
        name: party.map(|p| p.name.clone()).unwrap_or_default(),
        group: newcomer.group.map(|g| g.to_string()),
        since: newcomer.since,
        until: clock::rfc3339(newcomer.until),
        gains: Policy::gains(trust, newcomer.group, newcomer.party),
    }
}

/// Officers may use the socket; whom this node believes is not theirs to change.
fn trust_changed_by(who: &Caller) -> Result<(), ApiError> {
    administrator(
        who,
        "whom this node believes is changed by its own user or root alone",
    )
}

/// Refuses, with `words`, whoever is neither the node's own user nor root.
pub(crate) fn administrator(who: &Caller, words: &str) -> Result<(), ApiError> {
    let own = rustix::process::geteuid().as_raw();
    match who.uid {
        Some(uid) if uid == 0 || uid == own => Ok(()),
        _ => Err(ApiError::forbidden(words)
            .with_try("run the same command as the node's user, on its machine")),
    }
}

pub(crate) fn private(who: &Caller, officer: Option<String>) -> PrivateInput {
    let mut salt = [0; 32];
    SystemEntropy.fill(&mut salt);
    PrivateInput {
        officer: officer.unwrap_or_else(|| who.name.clone()),
        via: who.through(),
        salt,
    }
}

fn refused(why: NotTaken) -> ApiError {
    match why {
        NotTaken::Trust(why) => ApiError::new(ErrorCode::Refused, why.to_string()).with_try(
            "nothing was changed; ask whoever gave you the file, and compare `abeng status` with another node",
        ),
        NotTaken::Keep(why) => ApiError::internal(NotTaken::Keep(why).to_string())
            .with_try("check the disk, then import it again"),
        NotTaken::Stopping => ApiError::busy(NotTaken::Stopping.to_string(), 5),
    }
}
