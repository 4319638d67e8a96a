//! Courier files with real daemons and the commands: two nodes that never run at the same time.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abeng_api::InboxQuery;
use common::{Network, Node, Run, bytes::edit, command, notices::seizure, until};
use std::{
    collections::BTreeSet,
    fs,
    os::unix::net::UnixListener,
    path::{Path, PathBuf},
    process::Stdio,
};

const TEXT: &str = "koffer-7731: false bottom";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What was said, however its lines were broken.
fn words(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn json(run: Run) -> serde_json::Value {
    serde_json::from_str(&run.out).unwrap_or_else(|e| panic!("{e}: {run:#?}"))
}

/// Runs a command of a party's node while no other node runs.
async fn alone<T>(node: &mut Node, work: impl AsyncFnOnce(&mut Node) -> T) -> T {
    node.start().await;
    let done = work(node).await;
    node.stop().await;
    done
}

async fn inbox(node: &Node) -> Vec<String> {
    let query = InboxQuery {
        limit: Some(1000),
        ..InboxQuery::default()
    };
    let items = node.client.inbox(&query).await.unwrap();
    items.into_iter().map(|item| item.id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stick_goes_there_and_its_receipts_come_back() {
    let network = Network::found(&["LC:coordination", "JM", "TT"]);
    let (mut jm, mut tt) = (network.node("JM"), network.node("TT"));
    let file = |name: &str| -> PathBuf { network.scratch().join(name) };
    let (out, back) = (file("to-tt"), file("to-jm"));

    let id = alone(&mut jm, async |jm| {
        let sent = jm.client.submit(&seizure(&["TT"], TEXT)).await.unwrap();
        let said = jm.run(&["courier", "export", "--to", "tt", "--out", text(&out)]);
        let said = words(&said.ok());
        assert!(said.contains("1 notice and 0 receipts"), "{said}");
        assert!(said.contains("stay queued"), "{said}");
        let before = fs::read(&out).unwrap();
        let again = ["courier", "export", "--to", "TT", "--out", text(&out)];
        jm.run(&again).fails(2, &["is there already", "--force"]);
        assert_eq!(fs::read(&out).unwrap(), before);
        jm.run(&["courier", "export", "--to", "TT", "--out", "/nonexistent/x"])
            .fails(2, &["cannot write /nonexistent/x:", "stick"]);
        // Were it a stick's device, its file system would be gone.
        let (socket, dir) = (file("socket"), network.scratch().to_owned());
        let _socket = UnixListener::bind(&socket).unwrap();
        for (odd, word) in [(&socket, "a device"), (&dir, "is a directory")] {
            let export = ["courier", "export", "--to", "TT", "--force", "--out"];
            jm.run(&[&export[..], &[text(odd)]].concat())
                .fails(2, &[text(odd), word]);
        }
        fs::remove_file(&socket).unwrap();
        jm.run(&[
            "courier",
            "export",
            "--to",
            "JM",
            "--out",
            text(&file("own")),
        ])
        .fails(2, &["JM is the party of this node"]);
        jm.run(&["courier", "import", text(&out)])
            .fails(3, &["is for TT", "made here", "bring it to TT"]);
        let exports = jm.run(&["audit", "show", "--kind", "EXPORTED", "--format", "jsonl"]);
        assert_eq!(exports.ok().lines().count(), 1);
        sent.id.unwrap()
    })
    .await;

    // Whoever finds the stick sees this much, and nothing of what the notice says.
    let mut away = command();
    away.args(["courier", "show", text(&out), "--json"]);
    let shown = json(Run::of(away.env("ABENG_SOCKET", "/nonexistent")));
    assert_eq!((&shown["from"], &shown["to"]), (&"JM".into(), &"TT".into()));
    assert_eq!(shown["items"][0]["id"], id.as_str());
    assert_eq!(shown["whole"], true);
    let raw = fs::read(&out).unwrap();
    assert!(!raw.windows(11).any(|w| w == &TEXT.as_bytes()[..11]));
    // Beside it lies nothing that is half a file.
    let beside = fs::read_dir(network.scratch()).unwrap();
    let names = beside.map(|e| e.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| !name.starts_with(".abeng")));

    alone(&mut tt, async |tt| {
        let report = json(tt.run(&["courier", "import", text(&out), "--json"]));
        assert_eq!(report["envelopes"]["taken"], 1, "{report}");
        assert_eq!(report["whole"], true);
        let said = words(&tt.run(&["courier", "import", text(&out)]).ok());
        assert!(said.contains("0 new, 1 known already"), "{said}");
        assert!(said.contains("abeng courier export --to JM"), "{said}");
        assert_eq!(inbox(tt).await, std::slice::from_ref(&id));
        assert!(tt.run(&["inbox", "show", &id]).ok().contains(TEXT));
        tt.run(&["courier", "export", "--to", "JM", "--out", text(&back)])
            .ok();
    })
    .await;

    alone(&mut jm, async |jm| {
        let said = words(&jm.run(&["courier", "import", text(&back)]).ok());
        assert!(said.contains("Receipts: 2 new"), "{said}");
        let track = words(&jm.run(&["track", &id]).ok());
        assert!(track.contains("delivered"), "{track}");
        assert!(!track.contains("not checked"), "{track}");
        let evidence = file("evidence");
        jm.run(&["evidence", "export", &id, "--out", text(&evidence)])
            .ok();
        jm.run(&["evidence", "verify", text(&evidence)]).ok();
        jm.run(&["audit", "verify"]).ok();
        let none = json(jm.run(&[
            "courier",
            "export",
            "--to",
            "TT",
            "--out",
            text(&file("more")),
            "--json",
        ]));
        assert_eq!(none["envelopes"], 0, "{none}");
    })
    .await;
    damaged(&mut tt, &back, &out, &file("bad")).await;
}

async fn damaged(tt: &mut Node, theirs: &Path, own: &Path, bad: &Path) {
    tt.start().await;
    let import = |path: &Path| tt.run(&["courier", "import", text(path)]);
    import(theirs).fails(3, &["is for JM", "made here"]);
    import(Path::new("/nonexistent")).fails(2, &["cannot read"]);
    fs::write(bad, "holiday pictures").unwrap();
    import(bad).fails(3, &["no courier file", "abeng courier export"]);
    // More than the node reads before it answers.
    fs::write(bad, vec![7; 8 << 20]).unwrap();
    import(bad).fails(3, &["no courier file", "abeng courier export"]);
    let show = |path: &Path| Run::of(command().args(["courier", "show", text(path)]));
    show(bad).fails(3, &["no courier file"]);
    let dir = bad.parent().unwrap();
    import(dir).fails(2, &["is a directory: name the file"]);
    show(dir).fails(2, &["is a directory: name the file"]);
    let size = fs::metadata(own).unwrap().len();
    fs::copy(own, bad).unwrap();
    edit(bad, size - 60, 1, |bytes| bytes[0] ^= 1);
    let run = import(bad);
    assert_eq!(run.code, Some(6), "{run:#?}");
    fs::write(bad, &fs::read(own).unwrap()[..size as usize - 50]).unwrap();
    let run = import(bad);
    assert_eq!(run.code, Some(6), "{run:#?}");
    assert!(run.out.contains("cut off"), "{run:#?}");
    let mut away = command();
    let shown = Run::of(away.args(["courier", "show", text(bad)]));
    assert_eq!(shown.code, Some(6), "{shown:#?}");
    tt.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_dies_midway_is_taken_up_again() {
    const NOTICES: usize = 200;
    let network = Network::found(&["LC:coordination", "JM", "TT"]);
    let (mut jm, mut tt) = (network.node("JM"), network.node("TT"));
    let out = network.scratch().join("to-tt");
    let sent = alone(&mut jm, async |jm| {
        let mut sent = BTreeSet::new();
        for _ in 0..NOTICES {
            let reply = jm.client.submit(&seizure(&["TT"], TEXT)).await.unwrap();
            sent.insert(reply.id.unwrap());
        }
        jm.run(&["courier", "export", "--to", "TT", "--out", text(&out)])
            .ok();
        sent
    })
    .await;
    tt.start().await;
    let mut import = command();
    import.arg("--data").arg(&tt.home);
    import.args(["courier", "import", text(&out)]);
    import.stdout(Stdio::null()).stderr(Stdio::null());
    let mut import = import.spawn().unwrap();
    until("something has arrived", async || {
        (!inbox(&tt).await.is_empty()).then_some(())
    })
    .await;
    tt.kill();
    let _ = import.wait().unwrap();
    tt.start().await;
    let before = inbox(&tt).await.len();
    let report = json(tt.run(&["courier", "import", text(&out), "--json"]));
    let (taken, known) = (&report["envelopes"]["taken"], &report["envelopes"]["known"]);
    assert_eq!(known.as_u64().unwrap(), before as u64, "{report}");
    assert_eq!(
        taken.as_u64().unwrap(),
        (NOTICES - before) as u64,
        "{report}"
    );
    let arrived = inbox(&tt).await;
    assert_eq!(arrived.len(), NOTICES);
    assert_eq!(arrived.into_iter().collect::<BTreeSet<_>>(), sent);
    tt.run(&["audit", "verify"]).ok();
    tt.stop().await;
}
