//! Bad input through the real command and daemon: each is refused with words that say what is
//! wrong and what to try, and nothing that was there is changed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abeng_api::RosterState;
use abeng_keys::{Protection, SystemEntropy};
use abeng_node::{Layout, founding::create_journal};
use abeng_roster::{
    Trust,
    founding::{FoundingParty, FoundingRequest, found},
};
use abeng_wire::{
    NetworkCode, PartyCode,
    v1::{PartyKind, TrustBundle},
};
use common::{
    Network, Node,
    bytes::{Snapshot, batches, copy_dir, edit, segment},
    command,
    notices::seizure,
    until,
};
use std::{
    ffi::OsStr,
    fs,
    io::{Read, Write},
    net::UdpSocket,
    os::unix::{
        fs::{OpenOptionsExt, PermissionsExt},
        net::UnixListener,
    },
    path::Path,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

/// The two codes of a notice's refusal and of a wrong command, as `abeng --help` lists them.
const REFUSED: i32 = 3;
const USAGE: i32 = 2;
const UNREACHABLE: i32 = 4;
/// A node that cannot start.
const NO_START: i32 = 1;

fn pair() -> Network {
    Network::found(&["LC:coordination", "JM"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_notice_is_refused_by_the_command_and_leaves_no_trace() {
    let network = pair();
    let mut jm = network.node("JM");
    jm.start().await;
    type Case<'a> = (&'a [(&'a str, Option<&'a str>)], &'a [&'a str]);
    let tomorrow = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(26);
    let tomorrow = tomorrow.strftime("%Y-%m-%d").to_string();
    let cases: &[Case<'_>] = &[
        (&[("--to", Some("ZZ"))], &["nobody here is called `ZZ`"]),
        (
            &[("--to", Some("LD"))],
            &["nobody here is called `LD`", "LC"],
        ),
        (&[("--to", Some("LC,LC"))], &["LC is named twice"]),
        (&[("--to", Some("JM"))], &["JM is yourself"]),
        (&[("--place", Some("JMKIM"))], &["place", "JMKIM", "JMKIN"]),
        (
            &[("--drug", None), ("--hs", Some("010199"))],
            &["hs", "010199"],
        ),
        (
            &[("--drug", None), ("--hs", Some("29397"))],
            &["hs", "29397"],
        ),
        (
            &[("--when", Some(&tomorrow))],
            &["date", &tomorrow, "future"],
        ),
    ];
    for (changed, says) in cases {
        let run = jm.submit_with(changed);
        run.fails(REFUSED, says);
        assert!(run.err.contains("try: "), "{run:#?}");
    }
    // By file: a notice larger than any may be, and one that no request may be.
    let toml = |remarks: usize| {
        format!(
            "to = [\"LC\"]\ntype = \"SEIZURE\"\ndate = \"2024-03-02\"\nplace = \"JMKIN\"\n\
             goods = [{{ drug = \"cocaine\", quantity = 139.4, unit = \"KGM\" }}]\n\
             conveyance = {{ mode = \"sea\" }}\n\
             route = {{ departure = \"unknown\", destination = \"NLRTM\" }}\n\
             remarks = \"{}\"\n",
            "w".repeat(remarks)
        )
    };
    let file = network.scratch().join("notice.toml");
    let of_size = |remarks| {
        fs::write(&file, toml(remarks)).unwrap();
        jm.run(&["submit", "seizure", "-f", file.to_str().unwrap()])
    };
    of_size(1_100_000).fails(REFUSED, &["remarks", "notice.toml:8:1"]);
    of_size(3_000_000).fails(USAGE, &["notice.toml is larger than", "at most 1 MiB"]);
    // Each text as long as it may be, and too many of them.
    let goods = format!(
        "{{ drug = \"cocaine\", description = \"{}\" }}, ",
        "w".repeat(7990)
    );
    let whole = toml(1).replace("goods = [", &format!("goods = [{}", goods.repeat(150)));
    fs::write(&file, whole).unwrap();
    let run = jm.run(&["submit", "seizure", "-f", file.to_str().unwrap()]);
    run.fails(REFUSED, &["1048576"]);
    // The same file with a text of usual length goes through: nothing else was wrong with it.
    for leaf in jm.leaves(None).await {
        let kind = &*leaf.kind;
        assert!(
            ["INCARNATION", "STARTED"].contains(&kind),
            "a refusal has left {leaf:?}"
        );
    }
    assert!(jm.sent().await.is_empty());
    of_size(100).ok();
    jm.submit_with(&[]).ok();
    assert_eq!(jm.sent().await.len(), 2);
}

#[tokio::test]
async fn a_socket_that_is_not_a_nodes_is_not_spoken_to() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("abeng.sock");
    let node = Node::at(dir.path());
    let status = || node.run(&["status"]);
    status().fails(
        UNREACHABLE,
        &[
            "no node is running here",
            "there is no socket at",
            "--socket",
        ],
    );
    fs::write(&path, "mine").unwrap();
    status().fails(
        UNREACHABLE,
        &["is not a node's socket", "it is not a socket"],
    );
    fs::remove_file(&path).unwrap();
    drop(UnixListener::bind(&path).unwrap());
    status().fails(UNREACHABLE, &["nobody listens at", "abeng node run"]);
    fs::remove_file(&path).unwrap();
    // Another program: one that does not speak HTTP, then one that does and is no node.
    let answers: [&[u8]; 2] = [
        b"220 mail.example.org ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    ];
    let listener = UnixListener::bind(&path).unwrap();
    let other = thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(answer).unwrap();
        }
    });
    status().fails(
        UNREACHABLE,
        &["is not a node's socket", "does not speak HTTP"],
    );
    status().fails(
        UNREACHABLE,
        &["is not a node's socket", "is not an Abeng node"],
    );
    other.join().unwrap();
}

#[test]
fn a_configuration_error_is_shown_with_line_column_and_suggestion() {
    let network = pair();
    let jm = network.node("JM");
    let good = fs::read_to_string(jm.config()).unwrap();
    let spoilt = |from: &str, to: &str| {
        assert!(good.contains(from), "{good}");
        jm.configure(|_| good.replacen(from, to, 1));
        let line = |nth: usize| jm.config().display().to_string() + ":" + &nth.to_string() + ":";
        let at = good.lines().position(|l| l.contains(from)).unwrap() + 1;
        let runs = [jm.refuses_to_start(), {
            let config = jm.config();
            jm.run(&[
                "node",
                "run",
                "--check-config",
                "--config",
                config.to_str().unwrap(),
            ])
        }];
        (runs, line(at))
    };
    let cases: &[(&str, &str, &str, &str)] = &[
        ("listen = ", "lisen = ", "1: ", "did you mean `listen`?"),
        ("listen = \"", "listen = ", "", "try: "),
        ("[trust]", "[trust", "", "try: "),
        ("party = \"JM\"", "party = \"jamaica\"", "9: ", "try: "),
        ("sha256:", "sha1:", "8: ", "64 hex digits"),
        ("every_s = 1", "every_s = 0", "11: ", "try: "),
    ];
    let before = Snapshot::of(&jm.home.join("journal"));
    for (from, to, column, says) in cases {
        let (runs, line) = spoilt(from, to);
        for run in runs {
            run.fails(USAGE, &[&format!("{line}{column}"), says]);
        }
    }
    before.unchanged(&jm.home.join("journal"));
    jm.configure(|_| good.clone());
    let config = jm.config();
    jm.run(&[
        "node",
        "run",
        "--check-config",
        "--config",
        config.to_str().unwrap(),
    ])
    .ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_or_port_of_another_is_refused() {
    let network = pair();
    let (mut jm, lc) = (network.node("JM"), network.node("LC"));

    // LC's node set upon JM's directory by its configuration.
    let before = Snapshot::of(&jm.home);
    let lc_toml = fs::read_to_string(lc.config()).unwrap();
    lc.configure(|toml| format!("data = {:?}\n{toml}", jm.home));
    lc.refuses_to_start().fails(
        NO_START,
        &["these are the keys of JM, not of LC", "belong together"],
    );
    lc.configure(|_| lc_toml);
    ignore_lock(&jm, &before);

    // LC's keys with JM's journal, as after a muddled restore.
    let muddled = Node::at(&network.scratch().join("muddled"));
    for part in ["keys", "trust"] {
        copy_dir(&lc.home.join(part), &muddled.home.join(part));
    }
    for part in ["journal", "tiles"] {
        copy_dir(&jm.home.join(part), &muddled.home.join(part));
    }
    fs::copy(lc.config(), muddled.config()).unwrap();
    let before = Snapshot::of(&muddled.home);
    muddled.refuses_to_start().fails(
        NO_START,
        &[
            "holds the journal of JM, not of LC",
            "set `data` in node.toml",
        ],
    );
    ignore_lock(&muddled, &before);

    // Another program has the port.
    let holder = UdpSocket::bind(jm.link()).unwrap();
    let port = jm.link().to_string();
    jm.refuses_to_start().fails(
        NO_START,
        &[&port, "in use by another program", "link.listen"],
    );
    drop(holder);
    // Another program's file is where the socket goes: it is not removed.
    let socket = jm.home.join("abeng.sock");
    fs::write(&socket, "mine").unwrap();
    jm.refuses_to_start()
        .fails(NO_START, &["cannot listen on", "abeng.sock"]);
    assert_eq!(fs::read_to_string(&socket).unwrap(), "mine");
    fs::remove_file(&socket).unwrap();

    // Two daemons.
    let first = jm.start().await;
    jm.refuses_to_start().fails(
        NO_START,
        &["another node runs on", "stop the other one first"],
    );
    let still = jm.client.status().await.unwrap();
    assert_eq!((still.pid, still.started_at), (first.pid, first.started_at));
    jm.submit_with(&[]).ok();
    jm.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_open_with_their_passphrase_alone() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("passphrase");
    write_private(&file, "fifteen men on the dead man's chest\n");
    let options = [OsStr::new("--passphrase-file"), file.as_os_str()];
    let network = Network::found_with(&["LC:coordination", "JM"], &options);
    let mut jm = network.node("JM");
    let before = Snapshot::of(&jm.home);
    write_private(&file, "fifteen men on the dead man's chess\n");
    let run = jm.refuses_to_start();
    run.fails(
        NO_START,
        &["the passphrase does not open", "the keys were not changed"],
    );
    assert!(
        !run.err.contains("chess"),
        "the passphrase is shown: {}",
        run.err
    );
    fs::remove_file(&file).unwrap();
    jm.refuses_to_start()
        .fails(NO_START, &["no passphrase for", "cannot read"]);
    write_private(&file, "fifteen men on the dead man's chest\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    jm.refuses_to_start()
        .fails(NO_START, &["mode 0644", "others could read it"]);
    fs::remove_file(&file).unwrap();
    ignore_lock(&jm, &before);
    write_private(&file, "fifteen men on the dead man's chest\n");
    jm.start().await;
}

fn write_private(file: &Path, text: &str) {
    let mut options = fs::OpenOptions::new();
    options.create(true).write(true).truncate(true).mode(0o600);
    std::io::Write::write_all(&mut options.open(file).unwrap(), text.as_bytes()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tampered_trust_bundle_is_refused() {
    let network = pair();
    let mut jm = network.node("JM");
    let bundle = Layout::new(&jm.home).trust();
    let good = fs::read(&bundle).unwrap();
    // Roots and rosters, which come first, must hold to the last byte.
    let whole = Layout::new(&jm.home).read_trust().unwrap();
    let statements = TrustBundle {
        roots: Vec::new(),
        rosters: Vec::new(),
        ..whole.clone()
    };
    let judged = good.len() - abeng_wire::encode(&statements).len();
    let before = Snapshot::of(&jm.home);
    let steps = 16;
    for nth in 0..steps {
        let at = (judged - 1) * nth / (steps - 1);
        let mut bad = good.clone();
        bad[at] ^= 0x20;
        fs::write(&bundle, &bad).unwrap();
        let run = jm.refuses_to_start();
        assert_eq!(run.code, Some(NO_START), "byte {at} of {judged}: {run:#?}");
        let told = ["the trust data does not hold: ", "cannot read"];
        assert!(
            told.iter().any(|t| run.err.contains(t)),
            "byte {at}: {run:#?}"
        );
        run.fails(NO_START, &["copy trust/bundle.pb from another node"]);
        assert_eq!(fs::read(&bundle).unwrap(), bad);
    }
    // A roster that one of its signers alone has signed, once or as if he were two.
    for copies in [1, 2] {
        let mut forged = whole.clone();
        let roster = forged.rosters.last_mut().unwrap();
        let one = roster.signatures[0].clone();
        roster.signatures = vec![one; copies];
        Layout::new(&jm.home).write_trust(&forged).unwrap();
        let says: &[&str] = match copies {
            1 => &["roster 1 is signed by 1 distinct signers", "asks for 2"],
            _ => &["the trust data does not hold"],
        };
        jm.refuses_to_start().fails(NO_START, says);
    }
    // Cut short, and gone.
    fs::write(&bundle, &good[..good.len() / 2]).unwrap();
    jm.refuses_to_start()
        .fails(NO_START, &["bundle.pb", "copy trust/bundle.pb"]);
    fs::remove_file(&bundle).unwrap();
    jm.refuses_to_start()
        .fails(NO_START, &["cannot read", "bundle.pb"]);
    // Whole, but not the network that the operator pinned.
    fs::write(&bundle, &good).unwrap();
    ignore_lock(&jm, &before);
    let pinned = fs::read_to_string(jm.config()).unwrap();
    let digit = pinned.find("sha256:").unwrap() + 7;
    let other = if &pinned[digit..=digit] == "0" {
        "1"
    } else {
        "0"
    };
    jm.configure(|toml| format!("{}{other}{}", &toml[..digit], &toml[digit + 1..]));
    jm.refuses_to_start()
        .fails(NO_START, &["the first root is", "pinned is", "telephone"]);
    jm.configure(|_| pinned);
    // A statement of one party that does not hold keeps nobody else out; it is not believed.
    let mut spoilt = whole.clone();
    for statement in &mut spoilt.seal_keys {
        let mut bytes = statement.bytes.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x20;
        statement.bytes = bytes.into();
    }
    Layout::new(&jm.home).write_trust(&spoilt).unwrap();
    jm.start().await;
    jm.submit_with(&[]).fails(REFUSED, &["LC", "seal key"]);
    jm.stop().await;
    fs::write(&bundle, &good).unwrap();
    jm.start().await;
    jm.submit_with(&[]).ok();
}

#[test]
fn a_roster_past_its_end_is_told_and_stops_no_start() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    let temp = tempfile::tempdir().unwrap();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64;
    let start = |founded: u64, home: &Path| {
        let party = |code: &str, kind| FoundingParty {
            code: PartyCode::new(code).unwrap(),
            name: code.to_owned(),
            country: code.to_owned(),
            kind,
            addresses: vec!["127.0.0.1:1".to_owned()],
            relay: false,
        };
        let parties = vec![
            party("LC", PartyKind::Coordination),
            party("JM", PartyKind::Member),
        ];
        let request = FoundingRequest::new(NetworkCode::new("old").unwrap(), parties, founded);
        let founding = found(request, &mut SystemEntropy).unwrap();
        let trust = Trust::from_bundle(&founding.bundle, Some(founding.root_digest), founded);
        let keyring = founding
            .keyrings
            .iter()
            .find(|k| k.party.as_str() == "JM")
            .unwrap();
        let layout = Layout::new(home);
        Layout::create_dir(home).unwrap();
        keyring
            .save(&layout.keys(), &Protection::InsecurePlain)
            .unwrap();
        layout.write_trust(&founding.bundle).unwrap();
        create_journal(home, keyring, &trust.unwrap(), founded).unwrap();
        let toml = format!(
            "party = \"JM\"\n[trust]\nroot = \"sha256:{}\"\n[link]\nlisten = \"127.0.0.1:0\"\n\
             [keys]\ninsecure_plain = true\n",
            founding.root_digest
        );
        fs::write(home.join("node.toml"), toml).unwrap();
        Node::at(home)
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut old = start(now - 366 * DAY_MS, &temp.path().join("old"));
    let status = runtime.block_on(old.start());
    assert_eq!(status.roster.age.state, RosterState::Expired);
    let told = |of: &str| status.warnings.iter().any(|w| w.contains(of));
    assert!(told("THE ROSTER HERE HAS EXPIRED"), "{status:#?}");
    old.submit_with(&[]).fails(REFUSED, &["LC"]);
    // One that is good for another day is old, and no more.
    let mut young = start(now - 364 * DAY_MS, &temp.path().join("young"));
    let status = runtime.block_on(young.start());
    assert_eq!(status.roster.age.state, RosterState::PastLimit);
}

/// Everything is as it was; the lock file, which is empty, may be new.
#[track_caller]
fn ignore_lock(node: &Node, before: &Snapshot) {
    let lock = node.home.join("lock");
    let had = before.has("lock");
    if !had && lock.exists() {
        assert_eq!(fs::read(&lock).unwrap(), b"");
        fs::remove_file(&lock).unwrap();
    }
    before.unchanged(&node.home);
}

/// JM with notices that wait for LC, which does not run; killed.
async fn with_notices(network: &Network, count: usize) -> (Node, Vec<String>) {
    let mut jm = network.node("JM");
    jm.start().await;
    let mut ids = Vec::new();
    for nth in 0..count {
        let reply = jm
            .client
            .submit(&seizure(&["LC"], &format!("no. {nth}")))
            .await;
        ids.push(reply.unwrap().id.unwrap());
    }
    jm.kill();
    (jm, ids)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_journal_is_refused_and_left_as_it_is() {
    let network = pair();
    let (mut jm, ids) = with_notices(&network, 6).await;
    let file = segment(&jm.home);
    let all = batches(&jm.home);
    assert!(all.len() >= 5, "{all:?}");
    let (offset, length) = all[all.len() / 2];
    // In the header, among the records, in the commit frame.
    for at in [offset + 20, offset + 300, offset + length - 100] {
        edit(&file, at, 1, |byte| byte[0] ^= 1);
        let before = Snapshot::of(&jm.home);
        let run = jm.refuses_to_start();
        run.fails(
            NO_START,
            &[
                "`journal/00000000000000000000.seg` is damaged at byte ",
                "Nothing was changed",
            ],
        );
        let named = run.err.split("damaged at byte ").nth(1).unwrap();
        let named: u64 = named.split(':').next().unwrap().parse().unwrap();
        assert!(
            (offset..offset + length).contains(&named),
            "{named} is not in {offset}+{length}"
        );
        before.unchanged(&jm.home);
        jm.run(&["audit", "verify"])
            .fails(6, &["journal/00000000000000000000.seg"]);
        before.unchanged(&jm.home);
        edit(&file, at, 1, |byte| byte[0] ^= 1);
    }
    // Mended, it starts with everything: it was the byte.
    jm.start().await;
    assert_eq!(jm.sent().await.len(), ids.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_tail_is_cut_and_logged_and_what_was_before_stays() {
    let network = pair();
    let (mut jm, ids) = with_notices(&network, 4).await;
    let all = batches(&jm.home);
    let (offset, length) = *all.last().unwrap();
    // The last sectors never reached the disk; the first did.
    let keep = 512;
    edit(
        &segment(&jm.home),
        offset + keep,
        (length - keep) as usize,
        |bytes| bytes.fill(0),
    );
    let status = jm.start().await;
    let log = jm.log();
    let told = log
        .lines()
        .find(|l| l.contains("was cut off"))
        .unwrap_or_default();
    assert!(
        told.contains("WARN") && told.contains(&offset.to_string()),
        "{log}"
    );
    assert!(
        status.warnings.iter().any(|w| w.contains("torn batch")),
        "{:?}",
        status.warnings
    );
    // The notice of the torn batch was never acknowledged to a disk that works; the others were.
    let sent: Vec<String> = jm.sent().await.into_iter().rev().map(|s| s.id).collect();
    assert_eq!(sent, ids[..ids.len() - 1]);
    for id in &sent {
        jm.run(&["track", id]).ok();
    }
    // Still good for its purpose: all that is left arrives, and what is new.
    jm.submit_with(&[]).ok();
    let mut lc = network.node("LC");
    lc.start().await;
    until("all is settled", async || jm.settled().await.then_some(())).await;
    assert_eq!(lc.inbox().await.len(), ids.len());
    jm.stop().await;
    jm.run(&["audit", "verify"]).ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_or_garbled_view_is_built_anew_from_the_journal() {
    let network = pair();
    let (mut jm, ids) = with_notices(&network, 5).await;
    let mut lc = network.node("LC");
    lc.start().await;
    jm.start().await;
    until("all is settled", async || jm.settled().await.then_some(())).await;
    // One is read: that too must come back.
    assert_eq!(lc.remarks(&ids[1]).await, "no. 1");
    let inbox = lc.inbox().await;
    assert_eq!(inbox.len(), ids.len());
    let view = lc.home.join("view");
    let garble = |path: &Path| {
        let mut files = 0;
        for entry in walk(path) {
            let length = fs::metadata(&entry).unwrap().len() as usize;
            if length > 0 {
                edit(&entry, 0, length, |bytes| bytes.fill(0x5a));
                files += 1;
            }
        }
        assert!(files >= 2, "{files} files garbled");
    };
    let half = |path: &Path| {
        for entry in walk(path).into_iter().filter(|p| p.ends_with("db")) {
            let length = fs::metadata(&entry).unwrap().len() as usize;
            edit(&entry, 0, length, |bytes| bytes[length / 2..].fill(0x5a));
        }
    };
    let deleted = |path: &Path| fs::remove_dir_all(path).unwrap();
    type Spoil<'a> = (&'a str, &'a dyn Fn(&Path));
    let spoil: [Spoil<'_>; 3] = [
        ("deleted", &deleted),
        ("garbled", &garble),
        ("half garbled", &half),
    ];
    for (what, spoil) in spoil {
        lc.stop().await;
        let known = lc.log().len();
        spoil(&view);
        lc.start().await;
        assert_eq!(lc.inbox().await, inbox, "{what}");
        let log = lc.log()[known..].to_owned();
        assert!(log.contains("building"), "{what}, not rebuilt: {log}");
    }
    // And it works: the next notice arrives beside the others.
    jm.submit_with(&[]).ok();
    until("the next one has come", async || {
        (lc.inbox().await.len() == 6).then_some(())
    })
    .await;
    lc.stop().await;
    lc.run(&["audit", "verify"]).ok();
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let run = common::Run::of(command().args(["node", "run", "--config", "/nowhere/node.toml"]));
    run.fails(
        USAGE,
        &[
            "cannot read the configuration /nowhere/node.toml",
            "abeng network init",
        ],
    );
}
