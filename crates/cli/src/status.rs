//! `abeng status`.

use crate::{
    CliError, Exit, Paint, Ui,
    args::Common,
    connect,
    inbox::pairs,
    table::{Align, Table, wrap},
    texts::{Release, old_copy, roster_age},
    when,
};
use abeng_api::{PendingView, StatusView, ViewState};
use abeng_node::{SUBMITS_NOTHING, count::count};
use abeng_notice::{Lang, printable, size};
use std::process::ExitCode;

pub(crate) fn run(common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    connect::block_on(async {
        let status = client.status().await?;
        ui.show(&status, || render(&status, &when::now(), ui))?;
        Ok(Exit::Ok.into())
    })
}

fn render(status: &StatusView, now: &str, ui: &Ui) -> String {
    let mut out = String::new();
    let stopped = old_copy::head(status, ui.lang, |at| ui.full_time(at));
    // The same as the node says it, in English.
    let is_other = |w: &&String| stopped.is_none() || !w.starts_with(SUBMITS_NOTHING);
    let aged = roster_age::told(&status.roster.age, ui.lang, |at| ui.full_time(at));
    let others = status.warnings.iter().filter(is_other);
    let others = others.filter(|w| !roster_age::is_told(w, ui.lang));
    for warning in stopped.iter().chain(&aged).chain(others) {
        let text = wrap(&format!("! {}", printable(warning)), ui.width, 2);
        out.push_str(&format!("{}\n", ui.paint(Paint::Warn, &text)));
    }
    let since = |at: &str| when::ago(at, now).map_or(String::new(), |ago| format!(" ({ago})"));
    let index = match status.view.state {
        ViewState::Ready => format!("ready, {} applied", leaves(status.view.applied)),
        ViewState::Rebuilding => format!(
            "REBUILDING: {} of {} applied",
            status.view.applied,
            leaves(status.log.size)
        ),
    };
    let release = Release::of(ui.lang);
    let oldest = status.held.oldest.as_ref().map(|at| ui.full_time(at));
    let waiting = release.waiting(status.held.count, oldest.as_deref());
    let mut head = vec![
        (
            "Node",
            format!("{} ({}), {}", status.name, status.party, status.kind),
        ),
        ("Network", status.network.clone()),
        (
            "Roster",
            format!(
                "version {}, {}, expires {}",
                status.roster.version,
                count(status.roster.parties.into(), "party", "parties"),
                ui.full_time(&status.roster.expires)
            ),
        ),
        (
            "Running since",
            ui.full_time(&status.started_at) + &since(&status.started_at),
        ),
        ("Log", leaves(status.log.size)),
        ("Witnesses", witnesses(status, now)),
        ("Index", index),
        (
            "Inbox",
            format!(
                "{} delivered, {} unread",
                status.inbox.total, status.inbox.unread
            ),
        ),
        ("Queue", format!("{} undelivered", status.queue.depth)),
        (release.status_label, waiting),
        ("Files", files(&status.files)),
        (
            "Disk",
            format!(
                "{} free, journal {}, {}",
                bytes(status.disk.free_bytes),
                bytes(status.disk.journal_bytes),
                match status.disk.closed {
                    true => "NOTHING NEW IS TAKEN".to_owned(),
                    false => format!("room for {}", bytes(status.disk.left_bytes)),
                }
            ),
        ),
        ("Data", status.data_dir.clone()),
        (
            "Software",
            format!("{}, process {}", status.software, status.pid),
        ),
        ("Root", status.root_digest.clone()),
    ];
    head.retain(|(label, _)| *label != release.status_label || status.held.count > 0);
    out.push_str(&pairs(&head, ui));
    if !status.links.is_empty() {
        out.push('\n');
        out.push_str(&links(status, now, ui));
    }
    if !status.queue.by.is_empty() {
        out.push('\n');
        out.push_str(&queues(status, now, ui));
    }
    out
}

fn leaves(n: u64) -> String {
    count(n, "leaf", "leaves")
}

/// Files of delivered notices that are not here, and those that wait here to be sent.
fn files(files: &PendingView) -> String {
    let mut told = match files.files {
        0 => "none to come".to_owned(),
        n => format!("{n} to come ({})", bytes(files.bytes)),
    };
    let elsewhere = files.for_budget.saturating_sub(files.for_own_budget);
    for (n, of) in [
        (files.on_request, "only when asked for"),
        (files.for_own_budget, "waiting for this node's budget"),
        (elsewhere, "waiting for the budget of other nodes"),
        (
            files.held_back,
            "to be sent and waiting for this node's budget",
        ),
        (files.sender_gone, "that their senders no longer have"),
        (files.sender_damaged, "damaged at their senders"),
        (files.gone, "SENT AND NOT ON THIS DISK ANY MORE"),
        (files.damaged, "SENT AND DAMAGED ON THIS DISK"),
    ] {
        if n > 0 {
            told.push_str(&format!(", {n} {of}"));
        }
    }
    told
}

/// How far others have co-signed the log.
fn witnesses(status: &StatusView, now: &str) -> String {
    let witness = &status.witness;
    if witness.needed == 0 {
        return "the roster names none for this log".to_owned();
    }
    let (by, of) = (witness.by.len(), witness.of);
    let Some(at) = &witness.witnessed_at else {
        return format!(
            "not yet witnessed: {by} of {of} have co-signed, {} are needed",
            witness.needed
        );
    };
    let ago = when::ago(at, now).map_or_else(String::new, |ago| format!(", {ago} ago"));
    let size = witness.witnessed_size;
    format!("witnessed up to leaf {size} by {by} of {of}{ago}")
}

fn links(status: &StatusView, now: &str, ui: &Ui) -> String {
    let mut table = Table::new([
        ("LINK", Align::Left),
        ("STATE", Align::Left),
        ("SINCE", Align::Right),
        ("RTT MS", Align::Right),
        ("CLOCK MS", Align::Right),
        ("ADDRESS", Align::Left),
    ]);
    for link in &status.links {
        let span = link.since.as_deref().and_then(|at| when::ago(at, now));
        table.row([
            link.peer.clone(),
            if link.linked { "up" } else { "DOWN" }.to_owned(),
            span.map_or_else(dash, |span| format!("{span} ago")),
            link.rtt_ms.map_or_else(dash, |ms| format!("{ms:.1}")),
            link.offset_ms.map_or_else(dash, |ms| format!("{ms:+}")),
            link.address.clone().unwrap_or_else(dash),
        ]);
    }
    table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line))
}

fn queues(status: &StatusView, now: &str, ui: &Ui) -> String {
    let mut table = Table::new([
        ("FOR", Align::Left),
        ("PRECEDENCE", Align::Left),
        ("WAITING", Align::Right),
        ("OLDEST", Align::Right),
    ]);
    for queue in &status.queue.by {
        table.row([
            queue.recipient.clone(),
            queue.precedence.clone(),
            queue.depth.to_string(),
            when::ago(&queue.oldest_at, now).unwrap_or_else(dash),
        ]);
    }
    table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line))
}

/// What stands where nothing is known.
pub(crate) fn dash() -> String {
    "-".to_owned()
}

/// `12.3 GiB`, as administrators read it.
pub(crate) fn bytes(count: u64) -> String {
    size(count, Lang::En)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::columns, ui::plain};
    use abeng_api::{LinkView, QueueView};

    #[test]
    fn a_status_tells_what_is_wrong_first() {
        let mut status = StatusView {
            party: "JM".into(),
            name: "Jamaica".into(),
            network: "trial".into(),
            kind: "member".into(),
            software: "abeng 0.1.0".into(),
            started_at: "2026-11-24T05:00:00Z".into(),
            root_digest: "ab".repeat(32),
            pid: 7,
            data_dir: "/var/lib/abeng".into(),
            warnings: vec![
                "the roster expires in 9 days: ".to_owned() + &"get a new one ".repeat(9),
            ],
            links: vec![LinkView {
                peer: "TT".into(),
                since: Some("2026-11-24T05:57:00Z".into()),
                address: Some("[2001:db8::1234:5678:9abc:def0]:4711".into()),
                rtt_ms: Some(612.24),
                offset_ms: Some(-12),
                ..LinkView::default()
            }],
            ..StatusView::default()
        };
        status.witness = abeng_api::WitnessView {
            witnessed_size: 1204,
            witnessed_at: Some("2026-11-24T05:58:00Z".into()),
            needed: 3,
            of: 4,
            by: vec![abeng_api::WitnessedByView::default(); 3],
            ..Default::default()
        };
        status.roster.expires = "2026-12-03T00:00:00Z".into();
        status.queue.depth = 2;
        status.queue.by = vec![QueueView {
            recipient: "TT".into(),
            precedence: "FLASH".into(),
            depth: 2,
            oldest_at: "2026-11-24T05:58:00Z".into(),
        }];
        let text = render(&status, "2026-11-24T06:00:00Z", &plain(Lang::En));
        assert!(text.starts_with("! the roster expires"), "{text}");
        assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn what_waits_for_its_release_is_told_to_everybody() {
        let mut status = StatusView::default();
        let told = |status: &StatusView, lang| render(status, "2026-11-24T06:00:00Z", &plain(lang));
        assert!(!told(&status, Lang::En).contains("release"));
        status.held.count = 2;
        status.held.oldest = Some("2026-11-24T05:58:00Z".into());
        let text = told(&status, Lang::En);
        assert!(text.contains("2 submissions wait for release, the oldest since"));
        assert!(text.contains("24 Nov"), "{text}");
        assert!(told(&status, Lang::Fr).contains("2 envois attendent"));
    }

    #[test]
    fn an_old_copy_is_told_once_and_in_the_readers_language() {
        let mut status = StatusView {
            submitting_stopped: Some("why".into()),
            warnings: vec![format!("{SUBMITS_NOTHING}: why"), "another".into()],
            ..StatusView::default()
        };
        status.newer_life = Some(abeng_api::NewerLifeView {
            incarnation: "0199aa".into(),
            begun_at: "2026-11-24T05:00:00Z".into(),
            ..Default::default()
        });
        let now = "2026-11-24T06:00:00Z";
        let en = render(&status, now, &plain(Lang::En));
        assert_eq!(en.matches(SUBMITS_NOTHING).count(), 1, "{en}");
        let nl = render(&status, now, &plain(Lang::Nl));
        assert!(nl.starts_with("! DIT KNOOPPUNT VERZENDT NIETS"), "{nl}");
        assert!(
            !nl.contains(SUBMITS_NOTHING) && nl.contains("! another"),
            "{nl}"
        );
    }

    #[test]
    fn a_log_without_a_quorum_is_not_called_witnessed() {
        let mut status = StatusView::default();
        let line = |status: &StatusView| witnesses(status, "2026-11-24T06:00:00Z");
        assert!(line(&status).contains("names none"));
        (status.witness.needed, status.witness.of) = (2, 3);
        status.witness.by = vec![abeng_api::WitnessedByView::default()];
        assert_eq!(
            line(&status),
            "not yet witnessed: 1 of 3 have co-signed, 2 are needed"
        );
    }

    #[test]
    fn files_that_are_not_here_are_told_with_what_they_wait_for() {
        assert_eq!(files(&PendingView::default()), "none to come");
        let pending = PendingView {
            files: 3,
            bytes: 3 << 20,
            on_request: 1,
            for_budget: 2,
            for_own_budget: 1,
            held_back: 1,
            sender_gone: 4,
            sender_damaged: 5,
            gone: 6,
            damaged: 7,
        };
        assert_eq!(
            files(&pending),
            "3 to come (3.0 MiB), 1 only when asked for, 1 waiting for this node's budget, 1 waiting for the budget of other nodes, 1 to be sent and waiting for this node's budget, 4 that their senders no longer have, 5 damaged at their senders, 6 SENT AND NOT ON THIS DISK ANY MORE, 7 SENT AND DAMAGED ON THIS DISK"
        );
    }
}
