use super::*;
use crate::{
    Batch, Journal, Outside, Record, Step,
    fixture::{INCARNATION, code, leaf, network},
    sim::SimDisk,
};
use abeng_keys::Role;
use abeng_wire::{LeafHash, v1};

/// JM's log on its disk, as it grows.
struct Log {
    disk: SimDisk,
    journal: Option<Journal<SimDisk>>,
}

impl Log {
    fn new() -> Self {
        let (disk, journal) = network().journal("JM");
        let journal = Some(journal);
        Self { disk, journal }
    }

    fn append(&mut self, steps: Vec<Step<()>>, outside: Vec<Outside>) {
        let journal = self.journal.take().unwrap();
        let (journal, _) = journal.append(Batch { steps, outside }).unwrap();
        self.journal = Some(journal);
    }

    /// Grows to a size, in batches of uneven lengths, and signs it.
    fn grow(&mut self, size: u64) {
        loop {
            let now = self.journal.as_ref().unwrap().size();
            if now == size {
                break;
            }
            let count = (size - now).min(1 + now % 37);
            let step = |at| Step {
                facts: vec![Record::new(v1::Leaf {
                    time: 1_790_000_000_000 + at,
                    ..leaf("JM", v1::LeafKind::Admin)
                })],
                gated: vec![],
            };
            self.append((now..now + count).map(step).collect(), vec![]);
        }
        let checkpoint = self.checkpoint();
        let said = Outside::OwnCheckpoint(checkpoint.note().clone());
        self.append(vec![], vec![said]);
    }

    fn checkpoint(&self) -> Checkpoint {
        let head = self.journal.as_ref().unwrap().reader().head();
        let key = &**network().keys("JM").log();
        Checkpoint::sign(&network().origin("JM"), head.size, head.root, key).unwrap()
    }

    fn export(&self, target: &SimDisk) -> Result<Exported, ExportError> {
        let roster = &network().trust.roster;
        export_tiles(&self.disk, roster, ExportOf::Newest, target, |_| ())
    }
}

fn verify(target: &SimDisk) -> Result<TilesReport, TilesFault> {
    verify_tiles(target, TilesKey::Roster(&network().trust.roster), |_| ())
}

/// All files of a directory of tiles.
fn files(target: &SimDisk) -> Vec<String> {
    let mut found = vec!["checkpoint".to_owned()];
    for level in ["0", "1", "2", "entries"] {
        for name in target.list(&format!("tile/{level}")).unwrap() {
            found.push(format!("tile/{level}/{name}"));
        }
        for index in 0..300 {
            let dir = format!("tile/{level}/{index:03}.p");
            let names = target.list(&dir).unwrap().into_iter();
            found.extend(names.map(|name| format!("{dir}/{name}")));
        }
    }
    found
}

#[test]
fn an_export_holds_exactly_what_the_specification_names() {
    let mut log = Log::new();
    log.grow(600);
    let target = SimDisk::new();
    let exported = log.export(&target).unwrap();
    assert_eq!((exported.before, exported.files), (0, 7));
    assert_eq!(
        files(&target),
        [
            "checkpoint",
            "tile/0/000",
            "tile/0/001",
            "tile/0/002.p/88",
            "tile/1/000.p/2",
            "tile/entries/000",
            "tile/entries/001",
            "tile/entries/002.p/88",
        ]
    );
    assert_eq!(
        target.content("checkpoint"),
        Some(log.checkpoint().note().to_vec())
    );
    let report = verify(&target).unwrap();
    assert_eq!((report.checkpoint, report.files), (log.checkpoint(), 7));
    let line = TilesKey::Line(&exported.key);
    assert!(verify_tiles(&target, line, |_| ()).is_ok());
}

#[test]
fn growing_adds_and_never_writes_anew() {
    let mut log = Log::new();
    let target = SimDisk::new();
    let mut before = 0;
    // Both sides of each edge, twice the same size, and one that no segment ends at.
    for size in [
        1, 2, 255, 256, 257, 512, 512, 513, 1000, 65_536, 65_537, 66_000,
    ] {
        log.grow(size);
        let held: Vec<_> = files(&target)
            .into_iter()
            .map(|f| (target.content(&f), f))
            .collect();
        let exported = log.export(&target).unwrap();
        assert_eq!(exported.before, before);
        for (content, file) in held.into_iter().filter(|(_, f)| f != "checkpoint") {
            assert_eq!(target.content(&file), content, "{file}");
        }
        assert_eq!(verify(&target).unwrap().checkpoint.size(), size);
        before = size;
        let fresh = SimDisk::new();
        log.export(&fresh).unwrap();
        for file in files(&fresh) {
            assert_eq!(
                target.content(&file),
                fresh.content(&file),
                "{file} of {size}"
            );
        }
    }
}

#[test]
fn every_changed_byte_is_found() {
    let mut log = Log::new();
    let target = SimDisk::new();
    for size in [300, 520] {
        log.grow(size);
        log.export(&target).unwrap();
    }
    for file in files(&target) {
        let length = target.content(&file).unwrap().len();
        for at in (0..length).step_by(length / 13 + 1) {
            let changed = target.copy();
            changed.corrupt(&file, |bytes| bytes[at] ^= 1);
            assert!(verify(&changed).is_err(), "{file} at {at}");
        }
        let short = target.copy();
        short.corrupt(&file, |bytes| bytes.truncate(length - 1));
        assert!(verify(&short).is_err(), "{file} cut");
        let long = target.copy();
        long.corrupt(&file, |bytes| bytes.push(0));
        assert!(verify(&long).is_err(), "{file} longer");
    }
}

#[test]
fn a_fault_names_file_and_byte() {
    let mut log = Log::new();
    log.grow(300);
    let target = SimDisk::new();
    log.export(&target).unwrap();
    let told = |file: &str, at: usize| {
        let changed = target.copy();
        changed.corrupt(file, |bytes| bytes[at] ^= 1);
        verify(&changed).unwrap_err().to_string()
    };
    assert_eq!(
        told("tile/0/001.p/44", 40),
        "`tile/0/001.p/44`, byte 32: the hash is not that of entry 257"
    );
    assert_eq!(
        told("tile/1/000.p/1", 0),
        "`tile/1/000.p/1`, byte 0: the hash is not the root of tile 0 of the level below"
    );
    let gone = target.copy();
    gone.remove("tile/entries/000");
    assert_eq!(
        verify(&gone).unwrap_err().to_string(),
        "`tile/entries/000` is missing"
    );
}

#[test]
fn a_partial_tile_may_give_way_to_the_full_one() {
    let mut log = Log::new();
    let (earlier, later) = (SimDisk::new(), SimDisk::new());
    log.grow(300);
    log.export(&earlier).unwrap();
    log.grow(600);
    log.export(&later).unwrap();
    for file in ["tile/0/001", "tile/entries/001"] {
        let full = later.content(file).unwrap();
        earlier.create(file).unwrap();
        earlier.corrupt(file, |bytes| *bytes = full);
        assert!(earlier.remove(&format!("{file}.p/44")));
    }
    assert_eq!(verify(&earlier).unwrap().checkpoint.size(), 300);
    earlier.corrupt("tile/entries/001", |bytes| bytes[3] ^= 1);
    assert!(verify(&earlier).is_err());
}

#[test]
fn a_directory_of_another_log_is_left_alone() {
    let mut log = Log::new();
    log.grow(10);
    let other = Checkpoint::sign(
        &network().origin("TT"),
        3,
        LeafHash([1; 32]),
        &**network().keys("TT").log(),
    );
    let target = SimDisk::new();
    target.create("checkpoint").unwrap();
    target.corrupt("checkpoint", |bytes| {
        *bytes = other.unwrap().note().to_vec()
    });
    let refused = log.export(&target);
    assert!(
        matches!(refused, Err(ExportError::OtherLog { .. })),
        "{refused:?}"
    );
    let foreign = SimDisk::new();
    foreign.create("diary.txt").unwrap();
    let refused = log.export(&foreign);
    assert!(
        matches!(refused, Err(ExportError::NotTiles { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_directory_that_contradicts_is_left_alone() {
    let mut log = Log::new();
    log.grow(600);
    let target = SimDisk::new();
    log.export(&target).unwrap();
    let ahead = target.copy();
    // Another life of the same log under the same name: as if an old copy had gone on.
    let mut forked = Log::new();
    forked.append(vec![], vec![]);
    forked.grow(599);
    let refused = forked.export(&ahead);
    assert!(
        matches!(refused, Err(ExportError::Ahead { .. })),
        "{refused:?}"
    );
    log.grow(700);
    for file in ["tile/1/000.p/2", "tile/0/002.p/88"] {
        let changed = target.copy();
        changed.corrupt(file, |bytes| bytes[0] ^= 1);
        let before = changed.content("checkpoint");
        let found = log.export(&changed).map(|e| e.before);
        // Level 0 is read again from the log, so its partial tile of before is for the check.
        match file {
            "tile/1/000.p/2" => {
                assert!(
                    matches!(found, Err(ExportError::Contradicts { .. })),
                    "{found:?}"
                );
                assert_eq!(changed.content("checkpoint"), before);
            }
            _ => assert!(verify(&changed).is_err()),
        }
    }
    let wrong = target.copy();
    let root = LeafHash([9; 32]);
    let key = &**network().keys("JM").log();
    let note = Checkpoint::sign(&network().origin("JM"), 600, root, key).unwrap();
    wrong.corrupt("checkpoint", |bytes| *bytes = note.note().to_vec());
    let refused = log.export(&wrong);
    assert!(
        matches!(refused, Err(ExportError::Contradicts { .. })),
        "{refused:?}"
    );
}

#[test]
fn an_export_cut_off_anywhere_goes_on() {
    let mut log = Log::new();
    log.grow(600);
    let whole = SimDisk::new();
    log.export(&whole).unwrap();
    for operation in 0..whole.operations() {
        let target = SimDisk::new();
        target.fail_from(operation);
        assert!(log.export(&target).is_err(), "{operation}");
        let again = target.copy();
        log.export(&again).unwrap();
        assert_eq!(verify(&again).unwrap().checkpoint.size(), 600);
    }
}

#[test]
fn a_log_without_a_checkpoint_is_not_exported() {
    let log = Log::new();
    let target = SimDisk::new();
    let refused = log.export(&target);
    assert!(
        matches!(refused, Err(ExportError::NoCheckpoint)),
        "{refused:?}"
    );
    assert_eq!(target.operations(), 0);
}

#[test]
fn the_key_line_is_the_rosters() {
    let mut log = Log::new();
    log.grow(2);
    let exported = log.export(&SimDisk::new()).unwrap();
    let party = network().trust.roster.party(code("JM")).unwrap();
    let keys: Vec<_> = party.keys(Role::Log).map(|k| k.key.bytes()).collect();
    assert_eq!(keys, [exported.key.key().bytes()]);
    assert!(exported.key.name().ends_with(&INCARNATION.to_string()));
}
