//! A signing key in a token, with the real daemon and command: what signs for the party, and a token that is
//! lost while the node runs and comes back. SoftHSM must be installed (`softhsm2`).

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abeng_api::{AuditQuery, ErrorCode, InboxQuery, SubmitRequest};
use abeng_keys::{Keyring, Passphrase, Protection, Role, Signer, SystemEntropy};
use common::{Network, Node, Run, command, until};
use data_encoding::BASE64;
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const PIN: &str = "4711-0815";
/// Longer than a node takes a signature for a sign that the token is there, or does not look for one that
/// is gone.
const IDLE: Duration = Duration::from_millis(2_500);
const REFUSED: i32 = 3;
const BUSY: i32 = 7;

fn module() -> PathBuf {
    let places = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
    ];
    let found = places.iter().map(PathBuf::from).find(|p| p.exists());
    found.expect("softhsm2 is not installed: apt-get install softhsm2")
}

/// SoftHSM's files for one token.
struct Token {
    dir: PathBuf,
}

impl Token {
    /// A token with the org-sign key of a keyring.
    fn with_key_of(dir: &Path, keyring: &Keyring) -> Self {
        let token = Self {
            dir: dir.join("hsm"),
        };
        fs::create_dir_all(token.store()).unwrap();
        let conf = format!("directories.tokendir = {}\n", token.store().display());
        fs::write(token.conf(), conf).unwrap();
        token.util(&[
            "--init-token",
            "--free",
            "--label",
            "JM",
            "--so-pin",
            "12345678",
        ]);
        let key = BASE64.encode(&keyring.org_sign().pkcs8());
        let pem = token.dir.join("key.pem");
        let text = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n");
        fs::write(&pem, text).unwrap();
        let import = [
            "--import",
            pem.to_str().unwrap(),
            "--token",
            "JM",
            "--label",
        ];
        token.util(&[&import[..], &["org-sign", "--id", "01"]].concat());
        fs::remove_file(pem).unwrap();
        token
    }

    fn store(&self) -> PathBuf {
        self.dir.join("tokens")
    }

    fn conf(&self) -> PathBuf {
        self.dir.join("softhsm2.conf")
    }

    fn util(&self, args: &[&str]) {
        let mut util = Command::new("softhsm2-util");
        util.env("SOFTHSM2_CONF", self.conf()).args(args);
        let done = util.args(["--pin", PIN]).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    /// Pulled out: what the token holds is gone from under the library that has it open.
    fn away(&self) {
        fs::rename(self.store(), self.dir.join("away")).unwrap();
        fs::create_dir(self.store()).unwrap();
    }

    /// Its reader hangs: whoever reads of it what it holds waits.
    /// The pipes in which it does, as they lie once it answers.
    fn hang(&self) -> Vec<PathBuf> {
        self.away();
        fs::remove_dir(self.store()).unwrap();
        let (away, mut pipes) = (self.dir.join("away"), Vec::new());
        for token in fs::read_dir(&away).unwrap() {
            let token = token.unwrap().file_name();
            fs::create_dir_all(self.store().join(&token)).unwrap();
            for file in fs::read_dir(away.join(&token)).unwrap() {
                let pipe = self.store().join(&token).join(file.unwrap().file_name());
                let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
                assert!(made.success());
                pipes.push(self.hung().join(&token).join(pipe.file_name().unwrap()));
            }
        }
        pipes
    }

    fn hung(&self) -> PathBuf {
        self.dir.join("hung")
    }

    /// Whoever reads now finds what it holds.
    fn answers(&self) {
        fs::rename(self.store(), self.hung()).unwrap();
        fs::rename(self.dir.join("away"), self.store()).unwrap();
    }

    /// Plugged in again.
    fn back(&self) {
        fs::remove_dir(self.store()).unwrap();
        fs::rename(self.dir.join("away"), self.store()).unwrap();
    }
}

/// A network whose JM signs with a key in a token, which its keyring does not have any more.
fn with_token(parties: &[&str]) -> (Network, Token) {
    let network = Network::found(parties);
    let jm = network.node("JM");
    let keys = jm.home.join("keys");
    let keyring = Keyring::load(&keys, || Err::<Passphrase, _>("it is plain")).unwrap();
    let token = Token::with_key_of(network.scratch(), &keyring);
    let other = keyring.renewed(&[Role::OrgSign], &mut SystemEntropy);
    assert_ne!(
        other.org_sign().verify_key(),
        keyring.org_sign().verify_key()
    );
    other.save(&keys, &Protection::InsecurePlain).unwrap();
    fs::write(jm.home.join("pin"), PIN).unwrap();
    fs::set_permissions(jm.home.join("pin"), Permissions::from_mode(0o600)).unwrap();
    let module = module();
    jm.configure(|toml| {
        format!(
            "{toml}\n[keys.token]\nmodule = \"{}\"\ntoken = \"JM\"\nkey = \"org-sign\"\npin_file = \"pin\"\n",
            module.display()
        )
    });
    (network, token)
}

async fn start(node: &mut Node, token: &Token) {
    node.spawn_with(|command| {
        command.env("SOFTHSM2_CONF", token.conf());
    });
    node.answering().await;
}

fn change(network: &Network, token: &Token, more: &[&str]) -> Run {
    let jm = network.node("JM").home.clone();
    let mut change = command();
    change.env("SOFTHSM2_CONF", token.conf());
    change.args(["party", "change", "--relay", "yes", "--trust"]);
    change
        .arg(jm.join("trust/bundle.pb"))
        .arg("--keys")
        .arg(jm.join("keys"));
    Run::of(change.args(more))
}

#[test]
fn a_changed_entry_is_signed_by_the_token_or_not_at_all() {
    let (network, token) = with_token(&["LC:coordination", "JM"]);
    let jm = network.node("JM").home.clone();
    let request = network.scratch().join("jm-2.txt");
    let out = ["--out", request.to_str().unwrap()];
    // Without the configuration the keyring's own key would sign, which the roster does not list.
    let config = jm.join("node.toml");
    fs::rename(&config, jm.join("elsewhere.toml")).unwrap();
    let refused = change(&network, &token, &out);
    refused.fails(REFUSED, &["nobody would take what it signs", "--config"]);
    fs::rename(jm.join("elsewhere.toml"), &config).unwrap();
    token.away();
    let refused = change(&network, &token, &out);
    refused.fails(REFUSED, &["0 tokens are labelled `JM`", "[keys.token]"]);
    assert!(!request.exists());
    token.back();
    change(&network, &token, &out).ok();
    // What it signed is taken into a roster.
    let draft = network.scratch().join("2.txt");
    let mut taken = command();
    taken
        .args(["roster", "draft", "--trust"])
        .arg(jm.join("trust/bundle.pb"));
    taken.arg("--add").arg(&request).arg("--out").arg(&draft);
    Run::of(&mut taken).ok();
    // New keys of the other roles, vouched for by the token.
    let mut rotate = command();
    rotate.env("SOFTHSM2_CONF", token.conf());
    rotate.args(["party", "rotate-keys", "--insecure-plain-keys", "--trust"]);
    rotate
        .arg(jm.join("trust/bundle.pb"))
        .arg("--keys")
        .arg(jm.join("keys"));
    let (new, request) = (jm.join("new"), network.scratch().join("jm-3.txt"));
    rotate.arg("--new-keys").arg(new).arg("--out").arg(&request);
    let told = Run::of(&mut rotate).ok();
    assert!(told.contains("stays the one in the token `JM`"), "{told}");
    let mut taken = command();
    taken
        .args(["roster", "draft", "--trust"])
        .arg(jm.join("trust/bundle.pb"));
    taken
        .arg("--add")
        .arg(&request)
        .arg("--out")
        .arg(network.scratch().join("3.txt"));
    Run::of(&mut taken).ok();
}

fn request() -> SubmitRequest {
    let mut notice = serde_json::to_value(abeng_notice::samples().remove(0).draft).unwrap();
    notice["administration"] = "JM".into();
    SubmitRequest {
        to: vec!["LC".to_owned()],
        notice,
        ..SubmitRequest::default()
    }
}

async fn accepted(jm: &Node) -> String {
    jm.client.submit(&request()).await.unwrap().id.unwrap()
}

/// Waits until all of these are at LC, and nothing else.
async fn arrive(lc: &Node, sent: &[String]) {
    until("what was accepted to arrive", async || {
        let inbox = lc.client.inbox(&InboxQuery::default()).await.unwrap();
        let all = sent
            .iter()
            .all(|id| inbox.iter().any(|item| item.id == *id));
        (all && inbox.len() == sent.len()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_lost_and_comes_back_stops_submissions_and_nothing_else() {
    let (network, token) = with_token(&["LC:coordination", "JM"]);
    let (mut jm, mut lc) = (network.node("JM"), network.node("LC"));
    start(&mut jm, &token).await;
    let mut sent = vec![accepted(&jm).await];
    // Accepted while LC is away: it waits, and is delivered whatever becomes of the token.
    tokio::time::sleep(IDLE).await;
    token.away();
    let refused = jm.client.submit(&request()).await.unwrap_err();
    let abeng_api::ClientError::Api(error) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.code, ErrorCode::Busy, "{error:?}");
    assert_eq!(error.cause.as_ref().unwrap().name, "signer_fails");
    assert!(error.message.contains("`JM`"), "{error:?}");
    let short = common::notices::SHORT.iter();
    let mut args = vec!["--lang", "es", "submit", "seizure"];
    args.extend(short.flat_map(|(name, value)| [*name, *value]));
    jm.run(&args).fails(BUSY, &["clave de firma"]);
    let status = jm.client.status().await.unwrap();
    let name =
        |cause: &Option<abeng_api::CauseView>| cause.as_ref().map(|cause| cause.name.clone());
    let warned: Vec<_> = status.warning_causes.iter().filter_map(name).collect();
    assert!(warned.contains(&"signer_trouble".to_owned()), "{warned:?}");
    // What need not be signed by it goes on: what waits goes out, what comes is receipted.
    lc.start().await;
    jm.linked(1).await;
    arrive(&lc, &sent).await;
    let mut back = request();
    back.to = vec!["JM".to_owned()];
    back.notice["administration"] = "LC".into();
    let came = lc.client.submit(&back).await.unwrap().id.unwrap();
    until("what LC sent to be proved delivered", async || {
        let track = lc.client.track(&came, "en").await.unwrap();
        (track.recipients[0].state == abeng_api::DeliveryState::Delivered).then_some(())
    })
    .await;

    token.back();
    tokio::time::sleep(IDLE).await;
    sent.push(accepted(&jm).await);
    arrive(&lc, &sent).await;
    let status = jm.client.status().await.unwrap();
    let warned: Vec<_> = status.warning_causes.iter().filter_map(name).collect();
    assert!(!warned.contains(&"signer_trouble".to_owned()), "{warned:?}");
    // The numbers between were not used: either given to the next, or voided with a proof.
    let gaps = lc.client.gaps().await.unwrap();
    assert!(gaps.is_empty(), "{gaps:?}");
    let voided = AuditQuery {
        kind: Some("VOIDED".to_owned()),
        ..AuditQuery::default()
    };
    let voided = jm.client.audit_show(&voided).await.unwrap().leaves;
    assert!(voided.is_empty(), "{voided:?}");
    jm.stop().await;
    lc.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_hangs_holds_up_no_more_than_submissions() {
    let (network, token) = with_token(&["LC:coordination", "JM"]);
    let (mut jm, mut lc) = (network.node("JM"), network.node("LC"));
    start(&mut jm, &token).await;
    lc.start().await;
    jm.linked(1).await;
    let sent = vec![accepted(&jm).await];
    arrive(&lc, &sent).await;
    tokio::time::sleep(IDLE).await;
    let pipes = token.hang();
    // More than the node has threads for its links and its socket.
    let submissions: Vec<_> = (0..12)
        .map(|_| {
            let client = jm.client.clone();
            tokio::spawn(async move { client.submit(&request()).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(
        submissions.iter().all(|one| !one.is_finished()),
        "nothing hangs"
    );
    let status = tokio::time::timeout(Duration::from_secs(5), jm.client.status());
    status.await.expect("the socket stands still").unwrap();
    let mut back = request();
    back.to = vec!["JM".to_owned()];
    back.notice["administration"] = "LC".into();
    let came = lc.client.submit(&back).await.unwrap().id.unwrap();
    until("what LC sent to be proved delivered", async || {
        let track = lc.client.track(&came, "en").await.unwrap();
        (track.recipients[0].state == abeng_api::DeliveryState::Delivered).then_some(())
    })
    .await;
    // They are told so, and nothing of them goes later.
    for one in submissions {
        let abeng_api::ClientError::Api(error) = one.await.unwrap().unwrap_err() else {
            panic!("no answer of the node");
        };
        assert_eq!(error.cause.as_ref().unwrap().name, "signer_fails");
        assert_eq!(error.code, ErrorCode::Busy, "{error:?}");
    }
    token.answers();
    let end = tokio::time::Instant::now() + Duration::from_secs(30);
    let sent = loop {
        match jm.client.submit(&request()).await {
            Ok(reply) => break vec![sent[0].clone(), reply.id.unwrap()],
            Err(e) => assert!(tokio::time::Instant::now() < end, "{e}"),
        }
        // Whoever waits in one of them gets nothing.
        for pipe in &pipes {
            let mut both = fs::OpenOptions::new();
            both.read(true).write(true).open(pipe).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    arrive(&lc, &sent).await;
    jm.stop().await;
    lc.stop().await;
}
