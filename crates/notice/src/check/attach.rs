use super::desk::Desk;
use crate::{Draft, FlawCode};
use abeng_wire::{limits, v1};

/// The files that a draft names, each of which the context must know.
pub(super) fn attachments(draft: &Draft, desk: &mut Desk<'_>) -> Vec<v1::Attachment> {
    if draft.attach.len() > limits::ATTACHMENTS {
        let (found, most) = (draft.attach.len(), limits::ATTACHMENTS);
        desk.error(
            FlawCode::TooMany,
            "attach",
            &found.to_string(),
            &most.to_string(),
        );
        return Vec::new();
    }
    let mut out: Vec<v1::Attachment> = Vec::new();
    for (i, file) in draft.attach.iter().enumerate() {
        let field = format!("attach[{i}]");
        match desk.context.attachments.get(file) {
            None => desk.error(
                FlawCode::NotUploaded,
                &field,
                file,
                "abeng submit … --attach FILE",
            ),
            Some(known) if out.iter().any(|a| a.name == known.name) => {
                desk.error(FlawCode::Repeated, &field, &known.name, "");
            }
            Some(known) => out.push(known.to_wire()),
        }
    }
    out
}
