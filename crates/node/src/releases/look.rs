//! What waits, as people look at it.

use super::{ReleaseAct, Shared, held::age_days, lang_of, release};
use crate::{
    clock,
    held::{Draft, HeldId, Known, unreadable},
    roster_acts,
    submit::{draft_notice, flaw_view, group_view},
};
use abeng_api::{ApiError, Caller, LabelledValue, ReleaseItem, ReleaseQuery, ReleaseView};
use abeng_notice::{Lang, Notice};
use std::sync::Arc;

impl Shared {
    /// `GET /v1/releases`.
    pub async fn release_list(
        self: &Arc<Self>,
        who: &Caller,
        query: ReleaseQuery,
    ) -> Result<Vec<ReleaseItem>, ApiError> {
        let lang = lang_of(query.lang.as_deref());
        let limit = (query.limit.unwrap_or(50) as usize).min(crate::held::MOST);
        let shows = |known: &Option<Known>| {
            let own = known.as_ref().is_some_and(|k| who.uid == Some(k.uid));
            own || self.releaser(who, known.as_ref()).is_ok()
        };
        let list = self.held.list().into_iter();
        let list = list.filter(|(_, known)| shows(known)).take(limit);
        let mut items = Vec::new();
        for (id, known) in list.collect::<Vec<_>>() {
            let opened = self.open_held(id).await;
            items.push(match (opened, known) {
                (Ok(draft), Some(known)) => self.release_item(who, id, &draft, &known, lang).0,
                // Decided meanwhile.
                _ if self.held.known(id).is_err() => continue,
                _ => {
                    let mut item = ReleaseItem {
                        id: id.to_string(),
                        ..ReleaseItem::default()
                    };
                    trouble(&mut item, unreadable(id));
                    item
                }
            });
        }
        Ok(items)
    }

    /// `GET /v1/releases/{id}`: leaves a leaf before it answers.
    pub async fn release_view(
        self: &Arc<Self>,
        who: &Caller,
        id: &str,
        lang: Lang,
    ) -> Result<ReleaseView, ApiError> {
        let id = self.held.find(id)?;
        let known = self.held.known(id)?;
        let own = known
            .as_ref()
            .is_some_and(|known| who.uid == Some(known.uid));
        if !own {
            self.releaser(who, known.as_ref())?;
        }
        let known = known.ok_or_else(|| unreadable(id))?;
        let draft = self.open_held(id).await?;
        let (mut item, notice) = self.release_item(who, id, &draft, &known, lang);
        let mut view = ReleaseView::default();
        match self.prepare_held(&draft, lang) {
            Ok((ready, doubts)) => {
                view.to = ready.cleared.to().iter().map(ToString::to_string).collect();
                view.groups = ready.groups.iter().map(group_view).collect();
                ready
                    .precedence
                    .as_str_name()
                    .clone_into(&mut view.precedence);
                view.doubts = doubts.iter().map(|f| flaw_view(f, lang)).collect();
            }
            Err(e) => trouble(&mut item, e),
        }
        if let Some(notice) = notice {
            let age = self.age();
            view.why = self.must_wait(&notice, &age);
            view.age_days = age_days(&view.why, &age);
            let lines = notice.describe(lang).into_iter();
            view.fields = lines
                .map(|l| LabelledValue {
                    label: l.label,
                    value: l.value,
                })
                .collect();
            view.notice = notice.to_json();
        }
        let by = roster_acts::private(who, None);
        let said = release(id, ReleaseAct::ReleaseShown);
        view.leaf = self.say(said, by).await?.0;
        view.item = item;
        Ok(view)
    }

    fn release_item(
        &self,
        who: &Caller,
        id: HeldId,
        draft: &Draft,
        known: &Known,
        lang: Lang,
    ) -> (ReleaseItem, Option<Notice>) {
        let notice = draft_notice(
            draft.request.notice.clone(),
            draft.request.officer.clone(),
            draft.files(),
            self.me,
            lang,
        );
        let by = draft.caller().name;
        let to = match draft.request.to.is_empty() {
            false => draft.request.to.clone(),
            true => notice.as_ref().map_or(Vec::new(), |(_, to)| to.clone()),
        };
        let mut item = ReleaseItem {
            id: id.to_string(),
            since: clock::rfc3339(draft.at),
            officer: draft.request.officer.clone().unwrap_or_else(|| by.clone()),
            by,
            own: who.uid == Some(draft.uid),
            to,
            maybe_sent: self.maybe_sent(known),
            ..ReleaseItem::default()
        };
        match notice {
            Ok((notice, _)) => {
                notice.ty().clone_into(&mut item.ty);
                notice.tlp().name().clone_into(&mut item.tlp);
                item.summary = notice.summary(lang);
                (item, Some(notice))
            }
            Err(e) => {
                trouble(&mut item, e);
                (item, None)
            }
        }
    }
}

/// Says what stands in the way of a release.
fn trouble(item: &mut ReleaseItem, why: ApiError) {
    item.trouble = Some(why.message);
    // One thing that stands against it says more than that something does.
    let flaw = why.flaws.into_iter().find_map(|flaw| flaw.cause);
    item.trouble_cause = flaw.or(why.cause.map(|cause| *cause));
}
