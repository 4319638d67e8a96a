//! Whole nodes that watch over each other's logs: cosignatures reach a quorum, idle neighbours
//! write nothing, and a log that shows two pasts is found out.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use abeng_api::{Client, EventQuery, SentQuery, StatusView, SubmitRequest, TimelineStep};
use abeng_audit_log::{Contradiction, RealDisk, verify_log};
use abeng_evidence::{ContradictionFile, judge};
use abeng_keys::Protection;
use abeng_node::{
    Config, Node,
    founding::{InitParty, InitRequest, init},
};
use abeng_roster::Trust;
use abeng_wire::{NetworkCode, PartyCode, decode, limits, v1, v1::PartyKind};
use data_encoding::BASE64;
use std::{
    fs,
    net::UdpSocket,
    path::{Path, PathBuf},
    time::Duration,
};

/// Long enough for anything that happens at all.
const PATIENCE: Duration = Duration::from_secs(30);

struct Net {
    dir: PathBuf,
    _temp: tempfile::TempDir,
}

fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}

/// A network of these members and LC, the coordination office, that look at each other's logs
/// every second.
fn found(members: &[&str]) -> Net {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    let party = |text: &str, kind| InitParty {
        code: code(text),
        name: text.to_owned(),
        country: text.to_owned(),
        kind,
        address: None,
    };
    let mut parties: Vec<_> = members
        .iter()
        .map(|m| party(m, PartyKind::Member))
        .collect();
    parties.push(party("LC", PartyKind::Coordination));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let base_port = socket.local_addr().unwrap().port().clamp(1024, 60_000);
    drop(socket);
    init(&InitRequest {
        dir: dir.clone(),
        network: NetworkCode::new("test").unwrap(),
        parties,
        protection: Protection::InsecurePlain,
        passphrase_file: None,
        host: "127.0.0.1".parse().unwrap(),
        base_port,
        status_every_s: Some(1),
    })
    .unwrap();
    for member in members.iter().chain(&["LC"]) {
        let path = dir.join(member.to_lowercase()).join("node.toml");
        let text = fs::read_to_string(&path).unwrap() + "\n[witness]\nevery_s = 1\n";
        fs::write(path, text).unwrap();
    }
    Net { dir, _temp: temp }
}

impl Net {
    fn home(&self, name: &str) -> PathBuf {
        self.dir.join(name.to_lowercase())
    }

    async fn start(&self, name: &str) -> Node {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let config = Config::load(&self.home(name).join("node.toml")).unwrap();
            match Node::start(config).await {
                Ok(node) => return node,
                // The socket of a node stopped in this process goes a moment later.
                Err(why) => assert!(std::time::Instant::now() < deadline, "{name}: {why}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn client(&self, name: &str) -> Client {
        Client::unix(self.home(name).join("abeng.sock"))
    }

    /// By when the own leaves of the only sent notice were witnessed, as `track` tells.
    async fn own_steps(&self, name: &str) -> Vec<Option<String>> {
        let client = self.client(name);
        let sent = client.sent(&SentQuery::default()).await.unwrap().remove(0);
        let to = client.track(&sent.id, "en").await.unwrap().recipients;
        let steps = to.into_iter().flat_map(|to| to.steps);
        let own = |step: &TimelineStep| (step.by == name) == step.witness.is_some();
        let steps: Vec<_> = steps.inspect(|step| assert!(own(step))).collect();
        let seen = steps.into_iter().filter_map(|step| step.witness);
        seen.map(|seen| seen.by).collect()
    }

    /// Sends a notice and waits for its receipt.
    async fn send(&self, from: &str, to: &str) {
        let draft = abeng_notice::samples().remove(0).draft;
        let mut notice = serde_json::to_value(draft).unwrap();
        notice["administration"] = from[..2].into();
        let request = SubmitRequest {
            to: vec![to.to_owned()],
            notice,
            ..Default::default()
        };
        let client = self.client(from);
        let id = client.submit(&request).await.unwrap().id.unwrap();
        let query = EventQuery {
            after: Some(0),
            timeout_ms: Some(1000),
            limit: None,
        };
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let settled = client.wait_settled(&query).await.unwrap();
            if settled.iter().any(|event| event.id == id) {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "no receipt for {id}");
        }
    }

    /// Waits until a node's status is as wanted.
    async fn until(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&StatusView) -> bool,
    ) -> StatusView {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let status = self.client(name).status().await.unwrap();
            if wanted(&status) {
                return status;
            }
            let late = std::time::Instant::now() > deadline;
            assert!(!late, "{name}: {what}: {:#?}", status);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until all that a node's log holds beyond its own coming and going is witnessed.
    async fn witnessed(&self, name: &str) -> StatusView {
        let enough =
            |s: &StatusView| s.witness.witnessed_at.is_some() && s.witness.waiting_since.is_none();
        self.until(name, "witnessed", enough).await
    }

    fn journal(&self, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(self.home(name).join("journal"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "seg"))
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    }

    fn trust(&self, name: &str) -> Trust {
        let bytes = fs::read(self.home(name).join("trust/bundle.pb")).unwrap();
        let bundle = decode("bundle", &bytes.into(), limits::TRUST_BUNDLE).unwrap();
        let config = Config::load(&self.home(name).join("node.toml")).unwrap();
        Trust::from_bundle(&bundle, Some(config.root), now()).unwrap()
    }

    /// The whole log of a node that does not run, checked.
    fn verify(&self, name: &str) -> abeng_audit_log::LogReport {
        let disk = RealDisk::new(self.home(name));
        verify_log(&disk, &self.trust(name), code(name), |_| ()).unwrap()
    }
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_millis() as u64
}

fn counter(node: &Node, name: &str) -> u64 {
    let text = node.shared().metrics.text();
    let line = text.lines().find_map(|l| l.strip_prefix(name)).unwrap();
    line.trim().parse().unwrap()
}

async fn rounds(nodes: &[&Node], count: u64) {
    let name = "abeng_witness_rounds_total ";
    let goals: Vec<u64> = nodes.iter().map(|n| counter(n, name) + count).collect();
    let deadline = std::time::Instant::now() + PATIENCE;
    while !nodes
        .iter()
        .zip(&goals)
        .all(|(n, goal)| counter(n, name) >= *goal)
    {
        assert!(std::time::Instant::now() < deadline, "no rounds");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy(&entry.path(), &target),
            kind if kind.is_file() => _ = fs::copy(entry.path(), target).unwrap(),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_witness_each_other_and_idle_in_silence() {
    let net = found(&["JM"]);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    net.send("JM", "LC").await;
    for (name, by) in [("JM", "LC"), ("LC", "JM")] {
        let status = net.witnessed(name).await;
        let witness = &status.witness;
        assert_eq!((witness.needed, witness.of), (1, 1));
        assert_eq!(witness.by[0].party, by);
        assert!(witness.witnessed_size > 2, "{witness:?}");
    }
    // What is on its way at this moment settles within a round.
    rounds(&[&jm, &lc], 2).await;
    let before = (net.journal("JM"), net.journal("LC"));
    let given = (
        counter(&jm, "abeng_cosignatures_given_total "),
        counter(&lc, "abeng_cosignatures_given_total "),
    );
    rounds(&[&jm, &lc], 3).await;
    assert!(
        (net.journal("JM"), net.journal("LC")) == before,
        "idle nodes wrote something"
    );
    // A restart is bookkeeping: it is not shown to the witness either.
    jm.shutdown().await.unwrap();
    let jm = net.start("JM").await;
    net.until("JM", "linked", |s| s.links[0].linked).await;
    let status = net.witnessed("JM").await;
    assert!(status.log.size > status.witness.witnessed_size);
    rounds(&[&jm, &lc], 3).await;
    assert_eq!(counter(&lc, "abeng_cosignatures_given_total "), given.1);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    assert!(net.verify("JM").cosignatures > 0);
    assert!(net.verify("LC").checkpoints > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_four_nodes_two_witnesses_are_a_quorum() {
    let net = found(&["JM", "TT", "BB"]);
    let jm = net.start("JM").await;
    let tt = net.start("TT").await;
    net.until("JM", "linked", |s| s.links.iter().any(|l| l.linked))
        .await;
    net.send("JM", "TT").await;
    // One witness of three is up: co-signed, and not witnessed.
    let one = |s: &StatusView| s.witness.by.len() == 1;
    let status = net.until("JM", "one line", one).await;
    assert_eq!((status.witness.needed, status.witness.of), (2, 3));
    assert_eq!(status.witness.witnessed_at, None);
    assert_eq!(net.own_steps("JM").await, [None, None, None]);
    let lc = net.start("LC").await;
    let status = net.witnessed("JM").await;
    // Submitted, Queued, ReceiptTaken; what others' logs say is not ours to have witnessed.
    let by = &status.witness.witnessed_at;
    assert!(by.is_some() && net.own_steps("JM").await.iter().all(|seen| seen == by));
    assert!(status.witness.by.len() >= 2, "{:?}", status.witness);
    let row = |view: &abeng_api::NetworkView| {
        let row = view.parties.iter().find(|r| r.party == "JM").unwrap();
        row.witnessed_size
    };
    let deadline = std::time::Instant::now() + PATIENCE;
    let mut shown = None;
    while shown != Some(status.witness.witnessed_size) {
        shown = row(&net.client("LC").network().await.unwrap());
        assert!(std::time::Instant::now() < deadline, "{shown:?} {status:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for node in [jm, tt, lc] {
        node.shutdown().await.unwrap();
    }
    net.verify("JM");
    net.verify("TT");
}

/// Who has found out that TT's log contradicts itself, with a proof that holds.
async fn found_out(net: &Net, name: &str) {
    net.until(name, "found out", |s| s.contradicted == ["TT"])
        .await;
    let kept = net.client(name).contradictions().await.unwrap();
    assert_eq!((kept.len(), kept[0].party.as_str()), (1, "TT"));
    let bytes = BASE64.decode(kept[0].proof.as_bytes()).unwrap().into();
    let proof = Contradiction::verify(&bytes, &net.trust(name).roster).unwrap();
    assert_eq!(proof.first().size(), kept[0].first_size);
    let bundle = BASE64.decode(kept[0].trust.as_bytes()).unwrap().into();
    let bundle: v1::TrustBundle = decode("bundle", &bundle, limits::TRUST_BUNDLE).unwrap();
    let trust = Trust::from_bundle(&bundle, None, now()).unwrap();
    assert!(Contradiction::verify(&bytes, &trust.roster).is_ok());
    // And as a file, which anybody can judge.
    let file = ContradictionFile {
        roots: bundle.roots,
        rosters: bundle.rosters,
        contradiction: proof.message(),
    };
    let judged = judge(&file.build().unwrap(), None).unwrap();
    assert_eq!(judged.origin.party.as_str(), "TT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_with_two_pasts_is_found_out_at_its_peer_and_at_the_office() {
    let net = found(&["JM", "TT"]);
    let (jm, tt) = (net.start("JM").await, net.start("TT").await);
    net.send("TT", "JM").await;
    tt.shutdown().await.unwrap();
    copy(&net.home("TT"), &net.home("TT-COPY"));
    // One past for JM …
    let tt = net.start("TT").await;
    net.send("TT", "JM").await;
    net.until("TT", "co-signed", |s| {
        s.witness.by.iter().any(|b| b.party == "JM")
    })
    .await;
    tt.shutdown().await.unwrap();
    jm.shutdown().await.unwrap();
    // … and another for the office, which is longer.
    let lc = net.start("LC").await;
    let tt = net.start("TT-COPY").await;
    for _ in 0..3 {
        net.send("TT-COPY", "LC").await;
    }
    net.until("TT-COPY", "co-signed", |s| {
        s.witness.by.iter().any(|b| b.party == "LC")
    })
    .await;
    // They meet.
    let jm = net.start("JM").await;
    found_out(&net, "JM").await;
    found_out(&net, "LC").await;
    let view = net.client("LC").network().await.unwrap();
    let row = view.parties.iter().find(|r| r.party == "TT").unwrap();
    assert!(row.contradicts_itself);
    // The link is closed and stays so; the others go on.
    let closed = |s: &StatusView| s.links.iter().all(|l| (l.peer == "TT") != l.linked);
    net.until("JM", "quarantine", closed).await;
    // Its own operator is told, by the word of those who closed.
    let accused = |s: &StatusView| s.warnings.iter().any(|w| w.contains("contradicts itself"));
    net.until("TT-COPY", "accused", accused).await;
    net.send("JM", "LC").await;
    tt.shutdown().await.unwrap();
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    // Kept in the log, once, and known again after a restart.
    assert_eq!(net.verify("JM").contradictions, 1);
    assert_eq!(net.verify("LC").contradictions, 1);
    let jm = net.start("JM").await;
    found_out(&net, "JM").await;
    jm.shutdown().await.unwrap();
}
