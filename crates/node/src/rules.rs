//! Who may send what to whom, shown and explained.

use crate::{clock, refused::unknown_party, shared::Shared};
use abeng_api::{ApiError, Cause, ExplainQuery, ExplainView, GrantUse, GroupView, PolicyView};
use abeng_notice::NoticeType;
use abeng_roster::{NoticeFacts, Policy, Tlp, Trust};
use abeng_wire::{Clock, PartyCode, v1};

/// The label that is asked about where none is named.
const USUAL: v1::Tlp = v1::Tlp::Amber;

impl Shared {
    /// `GET /v1/policy/explain`.
    pub fn explain(&self, query: &ExplainQuery) -> Result<ExplainView, ApiError> {
        explain(&self.trust(), Some(self.me), query, clock::waits())
    }

    /// `GET /v1/policy`.
    pub fn policy(&self) -> PolicyView {
        policy(&self.trust())
    }
}

/// Why one party may send something to another, or not, from trust data alone.
pub fn explain(
    trust: &Trust,
    me: Option<PartyCode>,
    query: &ExplainQuery,
    clock: Clock,
) -> Result<ExplainView, ApiError> {
    let code = |text: &str| {
        PartyCode::new(text)
            .ok()
            .filter(|&code| trust.roster.party(code).is_some())
            .ok_or_else(|| {
                let unknown = unknown_party(text, &trust.roster);
                let hint = unknown.try_this.clone().unwrap_or_default();
                unknown.with_try(format!(
                    "{hint}; a group is asked about party by party (`abeng policy show`)"
                ))
            })
    };
    let from = match (&query.from, me) {
        (Some(from), _) => code(from)?,
        (None, Some(me)) => me,
        (None, None) => return Err(ApiError::invalid("who sends it? give --from")),
    };
    let to = code(&query.to)?;
    let tlp = match query.tlp.as_deref() {
        None => USUAL,
        Some(text) => label(text)?,
    };
    let (ty, later) = notice_type(&query.ty)?;
    let notice = NoticeFacts {
        ty,
        tlp: Tlp(tlp as u32),
    };
    let explained = Policy::explain(trust, (from, to), &notice, clock);
    // What comes here is judged here as well.
    let refusal = explained.refusal.or_else(|| {
        let here = (me == Some(to)).then(|| Policy::may_receive(trust, from, to, &notice, clock));
        here.and_then(Result::err)
    });
    Ok(ExplainView {
        from: from.to_string(),
        to: to.to_string(),
        tlp: notice.tlp.to_string(),
        roster: trust.roster.version(),
        allowed: refusal.is_none(),
        refusal: refusal.map(|why| why.to_string()),
        grants: explained
            .grants
            .into_iter()
            .map(|grant| GrantUse {
                grant: grant.grant,
                allows: grant.allows,
            })
            .collect(),
        ty: ty.to_owned(),
        later,
    })
}

/// Groups and grants, from trust data alone.
pub fn policy(trust: &Trust) -> PolicyView {
    let group = |code: PartyCode| GroupView {
        group: code.to_string(),
        members: trust
            .roster
            .group(code)
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect(),
        left_out: Vec::new(),
    };
    PolicyView {
        roster: trust.roster.version(),
        groups: trust.roster.group_codes().map(group).collect(),
        grants: Policy::grants(trust),
    }
}

/// The name of a type, and whether a later version alone writes and reads it: grants may name it
/// already, so what they say of it can be told.
fn notice_type(text: &str) -> Result<(&'static str, bool), ApiError> {
    if let Some(ty) = NoticeType::parse(text) {
        return Ok((ty.name(), false));
    }
    let given: String = text.trim().chars().take(32).collect();
    let plain = given.to_ascii_uppercase().replace([' ', '-'], "_");
    if let Some(later) = NoticeType::LATER.into_iter().find(|ty| *ty == plain) {
        return Ok((later, true));
    }
    let types = NoticeType::ALL.map(NoticeType::name).join(", ");
    Err(ApiError::invalid(format!("`{given}` is no type of notice"))
        .with_try(format!("the types that this version knows are {types}"))
        .because(Cause::UnknownType, [("given", given), ("types", types)]))
}

fn label(text: &str) -> Result<v1::Tlp, ApiError> {
    let plain = text.to_ascii_uppercase();
    let plain = plain.trim_start_matches("TLP:").replace(['+', '-'], "_");
    let labels = [
        ("CLEAR", v1::Tlp::Clear),
        ("GREEN", v1::Tlp::Green),
        ("AMBER", v1::Tlp::Amber),
        ("AMBER_STRICT", v1::Tlp::AmberStrict),
        ("RED", v1::Tlp::Red),
    ];
    let found = labels.into_iter().find(|(name, _)| *name == plain);
    found.map(|(_, tlp)| tlp).ok_or_else(|| {
        ApiError::invalid(format!("`{text:.32}` is no TLP label"))
            .with_try("use CLEAR, GREEN, AMBER, AMBER+STRICT or RED")
            .because(Cause::UnknownTlp, [("given", format!("{text:.32}"))])
    })
}
