use super::{read, refused};
use crate::{CliError, Exit, Paint, Ui, inbox::pairs, table::wrap};
use abeng_evidence::{FileKind, Judgement, judge as judge_file, kind_of};
use abeng_node::count::count;
use abeng_notice::printable;
use abeng_wire::Digest;
use std::{path::Path, process::ExitCode};

/// `abeng audit judge FILE`.
pub(crate) fn judge(path: &Path, root: Option<Digest>, ui: &Ui) -> Result<ExitCode, CliError> {
    let file = read(path)?;
    if kind_of(&file) == Some(FileKind::Evidence) {
        let what = format!("{} is an evidence file", path.display());
        let verify = format!("abeng evidence verify {}", path.display());
        return Err(CliError::usage(what).with_try(verify));
    }
    let judged = judge_file(&file, root).map_err(|fault| refused(path, &fault))?;
    ui.show(&value(&judged), || told(&judged, ui))?;
    Ok(Exit::Ok.into())
}

fn value(judged: &Judgement) -> serde_json::Value {
    let (first, second) = (judged.contradiction.first(), judged.contradiction.second());
    let checkpoint = |c: &abeng_audit_log::Checkpoint| {
        let note = String::from_utf8_lossy(c.note()).into_owned();
        serde_json::json!({ "size": c.size(), "root": c.root().to_string(), "note": note })
    };
    serde_json::json!({
        "proven": true,
        "party": judged.origin.party.as_str(),
        "name": judged.name,
        "log": judged.origin.to_string(),
        "first": checkpoint(first),
        "second": checkpoint(second),
        "why": why(judged),
        "roster_version": judged.judged_by,
        "network": judged.network.as_str(),
        "root": judged.root.to_string(),
        "root_compared": judged.pinned,
    })
}

fn told(judged: &Judgement, ui: &Ui) -> String {
    let party = judged.origin.party;
    let head = format!(
        "Proven: {party} ({}) signed two versions of its log that cannot both be true.",
        printable(&judged.name)
    );
    let mut out = format!("{}\n\n", ui.paint(Paint::Bad, &wrap(&head, ui.width, 0)));
    let checkpoint = |c: &abeng_audit_log::Checkpoint| {
        format!("{}, root {}", count(c.size(), "leaf", "leaves"), c.root())
    };
    out.push_str(&pairs(
        &[
            ("log", judged.origin.to_string()),
            ("one", checkpoint(judged.contradiction.first())),
            ("other", checkpoint(judged.contradiction.second())),
            (
                "signed by",
                format!(
                    "the log key of {party} under both, as roster {} of network {} gives it",
                    judged.judged_by, judged.network
                ),
            ),
            ("root", judged.root.to_string()),
        ],
        ui,
    ));
    out.push_str(&format!("\n{}\n", wrap(&why(judged), ui.width, 0)));
    if !judged.pinned {
        let compare = "Not proved: that this is your network. Compare the root digest above with \
             your founding record, or give it with --root HEX.";
        out.push_str(&format!(
            "\n{}\n",
            ui.paint(Paint::Warn, &wrap(compare, ui.width, 0))
        ));
    }
    out
}

/// In words.
fn why(judged: &Judgement) -> String {
    let (first, second) = (judged.contradiction.first(), judged.contradiction.second());
    let party = judged.origin.party;
    let (m, n) = (first.size(), second.size());
    if m == n {
        return format!(
            "A log of {m} leaves has exactly one root, since the root is a hash over all of \
             them in their order. {party} signed two roots for {m} leaves: it showed one \
             log to some and another to others."
        );
    }
    format!(
        "A log only grows: its first {m} leaves are the same in every later version. The {} \
         hashes in the file lead to the root that {party} signed for {n} leaves, and fix with it \
         the only root that its first {m} leaves can have. The root that {party} signed for {m} \
         leaves is another one: leaves were changed or taken out between the two.",
        judged.contradiction.path().len()
    )
}
