//! Refusals by policy as the local interface tells them: in words, and by name for readers of other
//! languages.

use crate::clock;
use abeng_api::{ApiError, Cause, CauseView, FlawSeverity, FlawView};
use abeng_roster::{Party, Refusal, Roster};

/// Everything that stands against a notice.
pub(crate) fn refusal_error(refusals: &[Refusal], roster: &Roster) -> ApiError {
    let flaws = refusals.iter().map(|refusal| FlawView {
        severity: FlawSeverity::Error,
        field: "to".to_owned(),
        code: "policy".to_owned(),
        found: String::new(),
        expected: String::new(),
        text: refusal.to_string(),
        cause: Some(cause(refusal, roster)),
    });
    let first = refusals
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    let unknown = |refusal: &Refusal| matches!(refusal, Refusal::UnknownRecipient { .. });
    let error = ApiError::refused(format!("not sent: {first}"), flaws.collect());
    match refusals.iter().any(unknown) {
        true => {
            let members = members(roster);
            let hint = format!("the members are {members}");
            let members = [("members", members)];
            error
                .with_try(hint)
                .because(Cause::NotAllowedUnknown, members)
        }
        false => error
            .with_try("`abeng policy explain --to PARTY --type TYPE` shows which rule")
            .because(Cause::NotAllowed, []),
    }
}

/// Codes of all who take part: `BB, JM, TT`.
pub(crate) fn members(roster: &Roster) -> String {
    let active = roster.parties().filter(|party| Party::is_active(party));
    let codes: Vec<String> = active.map(|party| party.code.to_string()).collect();
    codes.join(", ")
}

/// No party has that code; who there is.
pub(crate) fn unknown_party(code: &str, roster: &Roster) -> ApiError {
    let members = members(roster);
    let given: String = code.trim().chars().take(32).collect();
    ApiError::not_found(format!("no party is called `{given}`"))
        .with_try(format!("the members are {members}"))
        .because(
            Cause::UnknownParty,
            [("given", given), ("members", members)],
        )
}

fn cause(refusal: &Refusal, roster: &Roster) -> CauseView {
    // Names with codes, which need no word of any language between them.
    let asked = |ask: &String| ask.replace(" or ", " / ");
    match refusal {
        Refusal::UnknownRecipient { code, did_you_mean } => {
            let (code, members) = (("code", code.clone()), ("members", members(roster)));
            match did_you_mean {
                None => CauseView::new(Cause::UnknownRecipient, [code, members]),
                Some(near) => {
                    let near = ("near", near.clone());
                    CauseView::new(Cause::UnknownRecipientNear, [code, near, members])
                }
            }
        }
        Refusal::RepeatedRecipient { code } => {
            CauseView::new(Cause::RepeatedRecipient, [("code", code.to_string())])
        }
        Refusal::Yourself { code } => CauseView::new(Cause::Yourself, [("code", code.to_string())]),
        Refusal::Inactive { code, ask } => CauseView::new(
            Cause::Inactive,
            [("code", code.to_string()), ("ask", asked(ask))],
        ),
        Refusal::Newcomer { code, until } => CauseView::new(
            Cause::Newcomer,
            [
                ("code", code.to_string()),
                ("until", clock::rfc3339(*until)),
            ],
        ),
        Refusal::NewInGroup { code, group, until } => CauseView::new(
            Cause::NewInGroup,
            [
                ("code", code.to_string()),
                ("group", group.to_string()),
                ("until", clock::rfc3339(*until)),
            ],
        ),
        Refusal::NotGranted {
            from,
            to,
            ty,
            tlp,
            highest,
            roster,
            ask,
        } => {
            let (cause, so_far) = match highest {
                Some(highest) => (Cause::GrantedUpTo, ("highest", highest.to_string())),
                None => (Cause::NotGranted, ("roster", roster.to_string())),
            };
            CauseView::new(
                cause,
                [
                    ("from", from.to_string()),
                    ("to", to.to_string()),
                    ("type", ty.clone()),
                    ("tlp", tlp.to_string()),
                    so_far,
                    ("ask", asked(ask)),
                ],
            )
        }
        Refusal::NoSealKey { code } => {
            CauseView::new(Cause::NoSealKey, [("code", code.to_string())])
        }
        Refusal::TooMany { found, limit } => CauseView::new(
            Cause::TooManyRecipients,
            [("found", found.to_string()), ("limit", limit.to_string())],
        ),
        Refusal::Nobody => CauseView::new(Cause::NoRecipient, []),
    }
}
