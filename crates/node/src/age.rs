//! What the trust data's age, its expiry and this party's standing in it mean here: told loudly, and
//! asked at each submission. A start refuses none of them: what is in flight goes on, what came can be
//! read and proved, and a newer roster comes only to a node that runs.

use crate::{clock, count::count, identity::own_keys, shared::Shared};
use abeng_api::{ApiError, Cause, ErrorCode, ReleaseWhy, RosterAge, RosterState, Warned, Warning};
use abeng_keys::Role;
use abeng_notice::Notice;
use abeng_roster::{PartyKey, Standing, Trust};
use abeng_wire::{Kid, Millis, PartyCode, v1};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// What `status` says from 14 days on begins so.
pub const AGEING: &str = "the roster here was last confirmed";
/// The same past the limit.
pub const PAST_LIMIT: &str = "THE ROSTER HERE WAS LAST CONFIRMED";
/// The same past the roster's own time, or its root's.
pub const EXPIRED: &str = "THE ROSTER HERE HAS EXPIRED";
/// What `status` of a party says that the roster suspends.
pub const SUSPENDED: &str = "THE ROSTER HERE SAYS THAT THIS PARTY";

/// What to do about age, at the end of each warning.
const RENEW: &str = "Get the newest word: by a link to any node that has it, by a courier file (`abeng courier import`), or from the Secretariat (`abeng roster import FILE`)";
/// Between two looks.
const EVERY: Duration = Duration::from_secs(600);
const DAY_MS: Millis = 86_400_000;

/// How old the trust data is at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// Under this node's limit.
    pub standing: Standing,
    /// When the roster was last known to be the newest.
    pub confirmed: Millis,
    /// Whole days since.
    pub days: u64,
    /// Whole days of the limit.
    pub limit_days: u64,
    /// Since when the roster, or the root over it, is past its time.
    pub expired: Option<Millis>,
}

impl Age {
    /// Why what is submitted now waits for a second person, whatever it says.
    pub fn asks(&self) -> Option<ReleaseWhy> {
        match (self.expired, self.standing) {
            (Some(_), _) => Some(ReleaseWhy::Expired),
            (None, Standing::PastLimit { .. }) => Some(ReleaseWhy::Age),
            (None, Standing::Fresh | Standing::Ageing { .. }) => None,
        }
    }

    fn state(&self) -> RosterState {
        match (self.expired, self.standing) {
            (Some(_), _) => RosterState::Expired,
            (None, Standing::Fresh) => RosterState::Fresh,
            (None, Standing::Ageing { .. }) => RosterState::Ageing,
            (None, Standing::PastLimit { .. }) => RosterState::PastLimit,
        }
    }

    /// What the leaf of a submission says that waits because of it.
    pub(crate) fn reason(&self) -> String {
        let ago = count(self.days, "day", "days");
        match self.expired {
            Some(at) => format!(
                "the roster expired on {}, and was last confirmed {ago} before",
                clock::rfc3339(at)
            ),
            None => format!("the roster was last confirmed {ago} before"),
        }
    }

    /// What `status` says of it.
    pub fn told(&self) -> Option<Warning> {
        let (ago, on) = (
            count(self.days, "day", "days"),
            clock::rfc3339(self.confirmed),
        );
        let days = ("days", self.days.to_string());
        let held = "New submissions wait until a second person releases them (`abeng release list`); what is under way goes on";
        match self.state() {
            RosterState::Fresh => None,
            RosterState::Ageing => {
                let left = self.limit_days.saturating_sub(self.days);
                let told = Warning::from(format!(
                    "{AGEING} {ago} ago ({on}): no freshness statement has come since. In {} new submissions will wait for a second person. {RENEW}",
                    count(left, "day", "days")
                ));
                let left = ("left", left.to_string());
                Some(told.because(Warned::RosterAgeing, [days, ("at", on), left]))
            }
            RosterState::PastLimit => {
                let told = Warning::from(format!(
                    "{PAST_LIMIT} {} AGO ({on}), and the limit is {}: a newer one may name other members and keys. {held}. {RENEW}",
                    ago.to_uppercase(),
                    count(self.limit_days, "day", "days")
                ));
                let limit = ("limit", self.limit_days.to_string());
                Some(told.because(Warned::RosterPastLimit, [days, ("at", on), limit]))
            }
            RosterState::Expired => {
                let at = clock::rfc3339(self.expired.unwrap_or_default());
                let told = Warning::from(format!(
                    "{EXPIRED} ({at}): a newer one is in force elsewhere, or nobody made one. {held}. {RENEW}. If that date is wrong, check this machine's clock (`date -u`)"
                ));
                Some(told.because(Warned::RosterExpired, [("at", at)]))
            }
        }
    }
}

/// Looks for as long as the node runs: what has grown worse, and each day of it, is in the log.
pub async fn work(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut known = BTreeSet::new();
    loop {
        every.tick().await;
        let told = shared.standing_warnings().into_iter();
        let told: BTreeSet<String> = told.map(Warning::into_text).collect();
        for alarm in told.difference(&known) {
            match alarm.starts_with(AGEING) {
                true => tracing::warn!("{alarm}"),
                false => tracing::error!("{alarm}"),
            }
        }
        known = told;
        let days = i64::try_from(shared.age().days).unwrap_or(i64::MAX);
        shared.metrics.roster_age.set(days.saturating_mul(86_400));
    }
}

impl Shared {
    /// How old the trust data is now, by the latest that it can be.
    pub fn age(&self) -> Age {
        let trust = self.trust();
        // Never before the last own leaf, but where peers have said that the leaves were ahead.
        let now = clock::believed().latest;
        let limit = self.config.roster_limit_ms;
        let ends = trust.roster.expires().min(trust.root.expires());
        Age {
            standing: trust.standing(now, 0, limit),
            confirmed: trust.confirmed(),
            days: trust.age(now, 0) / DAY_MS,
            limit_days: limit / DAY_MS,
            expired: (ends <= now).then_some(ends),
        }
    }

    /// The same as `status` shows it.
    pub fn age_view(&self) -> RosterAge {
        let age = self.age();
        RosterAge {
            state: age.state(),
            confirmed_at: clock::rfc3339(age.confirmed),
            days: age.days,
            limit_days: age.limit_days,
            expired_at: age.expired.map(clock::rfc3339),
            suspended: self.inactive().is_some(),
        }
    }

    /// What stands against this node in its trust data, in words, gravest first.
    pub(crate) fn standing_warnings(&self) -> Vec<Warning> {
        let mut told = Vec::new();
        if let Some(status) = self.inactive() {
            let what = match status {
                v1::PartyStatus::Left => "HAS LEFT THE NETWORK",
                _ => "IS SUSPENDED",
            };
            let suspended = Warning::from(format!(
                "{SUSPENDED}, {}, {what} (roster {}): nothing is submitted from here, and others keep no links with this node. What came can be read, exported and proved, and courier files go on. Ask the Secretariat; a newer roster is taken without a restart: `abeng roster import FILE`",
                self.me,
                self.trust().roster.version()
            ));
            told.push(suspended.because(Warned::PartySuspended, []));
        }
        told.extend(self.keys_told());
        told.extend(self.age().told());
        told
    }

    /// Refuses a submission that the own signing key cannot sign so that others believe it.
    pub(crate) fn key_serves(&self) -> Result<(), ApiError> {
        let kid = self.keyring.signer().verify_key().kid();
        let trust = self.trust();
        let Some(fault) = key_fault(listed(&trust, self.me, Role::OrgSign, &kid), clock::wall())
        else {
            return Ok(());
        };
        let what = format!("this node submits nothing: its signing key {fault}");
        Err(ApiError::new(ErrorCode::Conflict, what)
            .with_try("check the machine's clock (`date -u`); if it is right, the party needs new keys: `abeng party rotate-keys`")
            .because(Cause::KeyUnusable, []))
    }

    /// This party's status where it takes no part.
    fn inactive(&self) -> Option<v1::PartyStatus> {
        let trust = self.trust();
        let party = trust.roster.party(self.me)?;
        (!party.is_active()).then_some(party.status)
    }

    /// Own keys that others do not believe now.
    fn keys_told(&self) -> Vec<Warning> {
        let (now, trust) = (clock::wall(), self.trust());
        let told = own_keys(&self.keyring).into_iter().filter_map(|(role, kid)| {
            let fault = key_fault(listed(&trust, self.me, role, &kid), now)?;
            let told = Warning::from(format!(
                "THE {} KEY OF THIS NODE {fault}: others do not believe what it signs now. Check the machine's clock (`date -u`); if it is right, the party needs new keys: docs/operations.md, Keys",
                role.name()
            ));
            Some(told.because(Warned::OwnKeyFaulty, [("role", role.name().to_owned())]))
        });
        told.collect()
    }
}

/// The key of a party, one that waits too.
fn listed<'t>(trust: &'t Trust, party: PartyCode, role: Role, kid: &Kid) -> Option<&'t PartyKey> {
    let keys = trust.roster.party(party)?.all_keys().iter();
    keys.filter(|k| k.role == role)
        .find(|k| k.key.kid() == *kid)
}

/// What is wrong with a key of this node.
fn key_fault(listed: Option<&PartyKey>, now: Millis) -> Option<String> {
    let Some(key) = listed else {
        return Some("is not in the roster any more".to_owned());
    };
    let date = clock::rfc3339;
    match (key.revoked_at, key.waits_until) {
        (Some(at), _) => Some(format!("is revoked since {}", date(at))),
        (None, Some(until)) => Some(format!("waits until {}", date(until))),
        _ if now < key.not_before => Some(format!("is good from {} only", date(key.not_before))),
        _ => (key.not_after <= now).then(|| format!("is past its time ({})", date(key.not_after))),
    }
}

/// Whether a notice goes at once however old the trust data is: what takes back, unless it says
/// something in words as well.
pub(crate) fn goes_at_any_age(notice: &Notice) -> bool {
    notice.notice_type() == abeng_notice::NoticeType::Recall && notice.recall_text().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use abeng_roster::LIMIT_MS;

    fn of(days: u64, expired: Option<Millis>) -> Age {
        Age {
            standing: Standing::of(days * DAY_MS, LIMIT_MS),
            confirmed: 0,
            days,
            limit_days: 30,
            expired,
        }
    }

    #[test]
    fn a_key_that_others_do_not_believe_is_named_with_its_fault() {
        let signer = abeng_keys::SoftSigner::from_seed(&[7; 32]).unwrap();
        let mut key = PartyKey {
            role: Role::OrgSign,
            key: abeng_keys::Signer::verify_key(&signer).clone(),
            not_before: 10,
            not_after: 20,
            revoked_at: None,
            by_override: None,
            waits_until: None,
        };
        let fault = |key: &PartyKey, now| key_fault(Some(key), now).unwrap_or_default();
        assert_eq!(fault(&key, 10), "");
        assert_eq!(fault(&key, 19), "");
        assert!(fault(&key, 9).contains("from 1970"));
        assert!(fault(&key, 20).contains("past its time"));
        key.waits_until = Some(15);
        assert!(fault(&key, 15).contains("waits until"));
        key.revoked_at = Some(12);
        assert!(fault(&key, 15).contains("revoked"));
        assert!(key_fault(None, 15).unwrap().contains("not in the roster"));
    }

    #[test]
    fn each_state_has_its_own_words_and_they_grow_with_the_days() {
        assert_eq!((of(13, None).told(), of(13, None).asks()), (None, None));
        let told = of(14, None).told().unwrap();
        assert!(
            told.starts_with(AGEING) && told.contains("14 days ago"),
            "{told}"
        );
        assert!(told.contains("In 16 days new submissions"), "{told}");
        let told = of(29, None).told().unwrap();
        assert!(
            told.contains("29 days ago") && told.contains("In 1 day "),
            "{told}"
        );
        assert_eq!(of(29, None).asks(), None);
        let told = of(30, None).told().unwrap();
        assert!(
            told.starts_with(PAST_LIMIT) && told.contains("30 DAYS AGO"),
            "{told}"
        );
        assert!(
            told.contains("second person") && told.contains("courier import"),
            "{told}"
        );
        assert_eq!(of(30, None).asks(), Some(ReleaseWhy::Age));
        let told = of(3, Some(DAY_MS)).told().unwrap();
        assert!(
            told.starts_with(EXPIRED) && told.contains("1970-01-02"),
            "{told}"
        );
        assert_eq!(of(3, Some(DAY_MS)).asks(), Some(ReleaseWhy::Expired));
    }
}
