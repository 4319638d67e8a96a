use super::*;

const MIB: u64 = 1 << 20;

/// A disk whose numbers a test sets.
#[derive(Default)]
struct Fake {
    volume: Mutex<Volume>,
    used: Mutex<u64>,
}

impl Probe for Fake {
    fn volume(&self) -> io::Result<Volume> {
        Ok(*lock(&self.volume))
    }

    fn used(&self) -> io::Result<u64> {
        Ok(*lock(&self.used))
    }
}

impl Fake {
    fn with(free: u64, used: u64) -> Arc<Self> {
        let total = 100 * 1024 * MIB;
        Arc::new(Self {
            volume: Mutex::new(Volume { free, total }),
            used: Mutex::new(used),
        })
    }

    fn set_free(&self, free: u64) {
        lock(&self.volume).free = free;
    }
}

fn quota(disk: Option<u64>, reserve: Option<u64>, probe: &Arc<Fake>) -> Quota {
    Quota::new(QuotaConfig { disk, reserve }, probe.clone()).unwrap()
}

#[test]
fn at_the_edge_of_the_reserve_nothing_more_is_let_in() {
    let disk = Fake::with(110 * MIB, 0);
    let quota = quota(None, Some(100 * MIB), &disk);
    assert_eq!(quota.room().left(), 10 * MIB);
    assert_eq!(quota.admit(4 * MIB), Ok(()));
    assert_eq!(
        quota.admit(6 * MIB),
        Ok(()),
        "the last byte before the reserve"
    );
    assert_eq!(quota.room().left(), 0);
    let none = quota.admit(1).unwrap_err();
    assert_eq!(none.0.free, 100 * MIB);
    assert_eq!(none.0.standing, Standing::Reserve);
}

#[test]
fn it_is_open_again_only_with_room_to_spare() {
    let disk = Fake::with(99 * MIB, 0);
    let quota = quota(None, Some(100 * MIB), &disk);
    let measured = |free| {
        disk.set_free(free);
        quota.measure(Walk::Volume).unwrap().1
    };
    assert_eq!(quota.room().standing, Standing::Reserve, "from the start");
    assert_eq!(measured(101 * MIB), Standing::Reserve);
    assert_eq!(measured(125 * MIB - 1), Standing::Reserve);
    assert_eq!(measured(125 * MIB), Standing::Open);
    assert_eq!(measured(101 * MIB), Standing::Open);
    assert_eq!(measured(100 * MIB - 1), Standing::Reserve);
}

#[test]
fn a_refusal_names_what_opens_the_node_again() {
    let disk = Fake::with(60 * MIB, 0);
    let quota = quota(None, Some(64 * MIB), &disk);
    disk.set_free(75 * MIB);
    quota.measure(Walk::Volume).unwrap();
    let told = |none: NoRoom| ApiError::from(none).message;
    let said = told(quota.admit(1).unwrap_err());
    assert_eq!(
        said,
        "not taken: 80.0 MiB must be free on the disk before anything new is taken, and 75.0 MiB are: free 5.0 MiB or more"
    );
    disk.set_free(80 * MIB);
    quota.measure(Walk::Volume).unwrap();
    assert_eq!(quota.admit(1), Ok(()));
    // What is larger needs more.
    disk.set_free(100 * MIB);
    quota.measure(Walk::Volume).unwrap();
    let said = told(quota.has_room(50 * MIB).unwrap_err());
    assert!(said.contains("114.0 MiB must be free"), "{said}");
    let said = told(quota.admit(50 * MIB).unwrap_err());
    assert!(said.contains("free 14.0 MiB or more"), "{said}");
}

#[test]
fn a_small_quota_on_a_large_disk_still_takes_something() {
    let disk = Fake::with(1024 * 1024 * MIB, 192 * MIB);
    lock(&disk.volume).total = 1024 * 1024 * MIB;
    for mib in [336, 512, 1024, 3000, 50 * 1024] {
        let config = QuotaConfig {
            disk: Some(mib * MIB),
            reserve: None,
        };
        assert!(config.least_disk() <= mib * MIB);
        let quota = Quota::new(config, disk.clone()).unwrap();
        assert!(quota.room().reserve <= MOST_RESERVE);
        assert_eq!(quota.admit(1), Ok(()), "{mib}");
        // Closed once, it opens again.
        *lock(&disk.used) = mib * MIB;
        assert_eq!(quota.measure(Walk::Whole).unwrap().1, Standing::Reserve);
        *lock(&disk.used) = 192 * MIB;
        assert_eq!(
            quota.measure(Walk::Whole).unwrap().1,
            Standing::Open,
            "{mib}"
        );
    }
}

#[test]
fn room_for_segments_that_are_not_yet_written_is_no_room_for_notices() {
    let disk = Fake::with(150 * MIB, 0);
    let quota = quota(None, Some(10 * MIB), &disk);
    quota.owe_ahead(128 * MIB);
    assert_eq!(quota.room().left(), 12 * MIB);
    // The disk fills up while the first is being written, whose beginning is taken away again.
    disk.set_free(40 * MIB);
    let (_, standing) = quota.measure(Walk::Volume).unwrap();
    assert_eq!(standing, Standing::Reserve);
    assert!(quota.admit(1).is_err());
    // Written ahead, they take their room from the disk and from what is kept alike.
    quota.owe_ahead(0);
    assert_eq!(quota.room().standing, Standing::Open);
    assert_eq!(quota.room().left(), 30 * MIB);
}

#[test]
fn the_directory_has_a_bound_of_its_own() {
    let disk = Fake::with(1024 * 1024 * MIB, 890 * MIB);
    let quota = quota(Some(1000 * MIB), Some(100 * MIB), &disk);
    assert_eq!(quota.admit(10 * MIB), Ok(()));
    let none = quota.admit(1).unwrap_err();
    let told = ApiError::from(none);
    assert_eq!(told.code, ErrorCode::NoRoom);
    assert!(
        told.message.contains("900.0 MiB of the 1000.0 MiB"),
        "{told}"
    );
    assert!(
        told.message.contains("125.0 MiB of that must be left"),
        "{told}"
    );
    assert!(
        told.message.contains("100.0 MiB are: 25.0 MiB or more"),
        "{told}"
    );
    let fix = told.try_this.unwrap();
    assert!(
        fix.contains("[quota]") && fix.contains("`reserve`"),
        "{fix}"
    );
    // A look at the file system alone does not forget what was let in.
    quota.measure(Walk::Volume).unwrap();
    assert_eq!(quota.room().used, 900 * MIB);
    *lock(&disk.used) = 700 * MIB;
    quota.measure(Walk::Whole).unwrap();
    assert_eq!(quota.room().left(), 200 * MIB);
}

#[test]
fn the_reserve_is_a_share_of_the_file_system_within_bounds() {
    let reserve = |total| {
        let disk = Fake::with(total, 0);
        lock(&disk.volume).total = total;
        quota(None, None, &disk).room().reserve
    };
    assert_eq!(reserve(256 * MIB), LEAST_RESERVE);
    assert_eq!(reserve(10 * 1024 * MIB), 512 * MIB);
    assert_eq!(reserve(1024 * 1024 * MIB), MOST_RESERVE);
}

#[test]
fn a_directory_is_measured_with_all_below_it() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("a")).unwrap();
    fs::write(dir.path().join("a/b"), [0; 1000]).unwrap();
    fs::write(dir.path().join("c"), [0; 24]).unwrap();
    let probe = DataDir(dir.path().to_owned());
    assert_eq!(probe.used().unwrap(), 1024);
    assert!(probe.volume().unwrap().total >= probe.volume().unwrap().free);
    assert_eq!(walk(&dir.path().join("gone")).unwrap(), 0);
}
