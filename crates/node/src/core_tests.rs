use super::*;
use crate::test_network::{LIFE, checkpoint, code, network};
use abeng_audit_log::merkle::consistency_proof;
use abeng_queue::{EngineConfig, Resend};
use abeng_wire::{Incarnation, LeafHash, LeafIndex};

struct NoOutlet;

impl Outlet for NoOutlet {
    fn free(&self, _: Free) {}
}

/// TT's log from `old` to `new` leaves, for JM.
fn submission(old: u64, new: u64) -> Submission {
    fn node(level: u32, index: u64) -> Result<LeafHash, std::convert::Infallible> {
        match level {
            0 => Ok(crate::test_network::leaf(index, 1)),
            _ => {
                let Ok(left) = node(level - 1, 2 * index);
                let Ok(right) = node(level - 1, 2 * index + 1);
                Ok(abeng_audit_log::merkle::node_hash(&left, &right))
            }
        }
    }
    let Ok(proof) = consistency_proof(old, new, &mut node);
    let roster = &network().trust.roster;
    Submission::new(&checkpoint(new, 1, LIFE), old, proof, code("JM"), roster).unwrap()
}

/// A core whose journal is a channel: what it hands on, in order.
fn running() -> (Core, std_mpsc::Receiver<CoreBatch>, JoinHandle<()>) {
    let config = EngineConfig {
        me: code("JM"),
        incarnation: Incarnation(LIFE),
        roster: network().trust.roster.reference(),
        resend: Resend::default(),
        carry: Default::default(),
    };
    let engine = Engine::recover(config, LeafIndex(1), &mut std::iter::empty()).unwrap();
    let (core, seat) = core();
    let (journal, batches) = std_mpsc::sync_channel(1);
    let thread = seat.spawn(engine, Witness::default(), journal, NoOutlet, Fatal::new());
    (core, batches, thread.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_submissions_at_once_one_order_reaches_the_journal() {
    for _ in 0..50 {
        let (core, batches, thread) = running();
        let durable = core.clone();
        let journal = std::thread::spawn(move || {
            let mut written = Vec::new();
            while let Ok(batch) = batches.recv() {
                let signs = |step: &Step<Effect>| {
                    step.gated
                        .iter()
                        .any(|e| matches!(e, Effect::Cosign { .. }))
                };
                let cosigned = batch.steps.iter().filter(|step| signs(step)).count();
                written.push((batch.outside, cosigned));
                durable.durable(LeafIndex(1));
            }
            written
        });
        let mut asks = tokio::task::JoinSet::new();
        for size in [5, 7, 5, 7, 6] {
            let core = core.clone();
            asks.spawn(async move { core.witness(submission(0, size), code("TT"), 1).await });
        }
        let mut taken = 0;
        while let Some(answer) = asks.join_next().await {
            match answer.unwrap().unwrap() {
                Ok(before) => taken += usize::from(before.is_none()),
                Err(why) => {
                    assert!(matches!(why, WitnessRefusal::Conflict { .. }), "{why}");
                }
            }
        }
        assert_eq!(taken, 1, "one of those that begin at nothing is first");
        core.stop().await;
        thread.join().unwrap();
        let written = journal.join().unwrap();
        let said: Vec<&Outside> = written.iter().flat_map(|(outside, _)| outside).collect();
        assert_eq!(said.len(), 1, "{said:?}");
        // The statement and the leave to sign are in one batch.
        let (_, cosigned) = written.iter().find(|(o, _)| !o.is_empty()).unwrap();
        assert_eq!(*cosigned, 1);
    }
}

/// Whether it has an answer without waiting.
fn ready(future: impl Future) -> bool {
    let mut future = std::pin::pin!(future);
    let mut nobody = std::task::Context::from_waker(std::task::Waker::noop());
    future.as_mut().poll(&mut nobody).is_ready()
}

#[test]
fn a_peer_that_floods_never_stands_before_the_others() {
    let (core, _not_running) = core();
    let [jm, tt] = ["JM", "TT"].map(code);
    let given = |peer| {
        let give = |_: &usize| ready(core.give_from(peer, Input::Tick));
        (0..10_000).take_while(give).count()
    };
    assert_eq!(given(jm), OF_ONE);
    assert_eq!(given(tt), OF_ONE, "another has its own share");
    // However many there are, the node's own people still come in.
    let mut by_peers = 2 * OF_ONE;
    for n in 0..40u8 {
        by_peers += given(PartyCode::new(&format!("Z{}", char::from(b'A' + n % 26))).unwrap());
    }
    assert_eq!(by_peers, OF_PEERS);
    let own = (0..10_000).take_while(|_| core.try_give(Input::Tick).is_ok());
    assert_eq!(own.count(), WAITING - OF_PEERS);
}
