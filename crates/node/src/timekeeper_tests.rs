use super::*;

const START: Millis = 1_790_000_000_000;
const MINUTE: u64 = 60_000;
const DAY: u64 = 86_400_000;
const YEARS: u64 = 10 * 365 * DAY;

/// A reading `passed` after the start, with a wall clock off by so much.
fn at(passed: u64, off: i64) -> Now {
    Now {
        mono: Mono(0).plus_ms(passed),
        wall: (START + passed).saturating_add_signed(off),
    }
}

fn keeper() -> Timekeeper {
    Timekeeper::new(at(0, 0), START - MINUTE)
}

#[test]
fn a_jump_of_ten_years_forwards_ends_nothing_until_peers_confirm_it() {
    let mut keeper = keeper();
    assert_eq!(keeper.read(at(MINUTE, 0)), None);
    let jump = keeper.read(at(2 * MINUTE, YEARS as i64));
    assert_eq!(jump.unwrap().by_ms, YEARS as i64);
    let read = at(3 * MINUTE, YEARS as i64);
    assert_eq!(keeper.read(read), None, "told once");
    let believed = keeper.believed(read);
    assert_eq!(believed.trust, Trust::Doubted);
    assert_eq!(believed.earliest, START + 3 * MINUTE);
    assert_eq!(believed.latest, START + 3 * MINUTE + YEARS);
    assert_eq!(believed.off_ms, YEARS as i64);
    // However long nobody is heard, time goes on as it passes.
    let later = keeper.believed(at(90 * DAY, YEARS as i64));
    assert_eq!(later.earliest, START + 90 * DAY);
    // One peer that agrees settles it: the node was wrong before.
    keeper.hear(read, &[200]);
    assert_eq!(keeper.believed(read).earliest, read.wall);
    assert_eq!(keeper.believed(read).trust, Trust::Plain);
}

#[test]
fn a_jump_backwards_takes_no_time_back() {
    let mut keeper = keeper();
    let read = at(MINUTE, -(YEARS as i64));
    assert_eq!(keeper.read(read).unwrap().by_ms, -(YEARS as i64));
    let believed = keeper.believed(read);
    assert_eq!(
        (believed.now, believed.earliest),
        (START + MINUTE, START + MINUTE)
    );
    assert_eq!(believed.uncertainty_ms(), 0, "what passed is known");
    // Set right again by hand.
    keeper.read(at(2 * MINUTE, 40));
    assert_eq!(keeper.believed(at(2 * MINUTE, 40)).trust, Trust::Plain);
}

#[test]
fn a_start_with_a_clock_before_the_last_leaf_goes_on_from_that() {
    let flat_battery = Now {
        mono: Mono(0),
        wall: 0,
    };
    let mut keeper = Timekeeper::new(flat_battery, START);
    let read = Now {
        mono: Mono(0).plus_ms(MINUTE),
        wall: MINUTE,
    };
    assert_eq!(keeper.read(read), None, "it goes evenly");
    let believed = keeper.believed(read);
    assert_eq!(
        (believed.trust, believed.now),
        (Trust::Doubted, START + MINUTE)
    );
    // Two peers make no time before the last leaf right.
    keeper.hear(read, &[0, 10]);
    assert_eq!(keeper.believed(read).now, START + MINUTE);
    // Three that agree give the time.
    let off = (START + 7 * DAY - MINUTE) as i64;
    keeper.hear(read, &[off, off + 30, off - 20]);
    let believed = keeper.believed(read);
    assert_eq!(
        (believed.trust, believed.now),
        (Trust::Corrected, START + 7 * DAY)
    );
}

#[test]
fn a_start_years_after_the_last_leaf_waits_for_a_word() {
    let wall = START + YEARS;
    let read = Now {
        mono: Mono(0),
        wall,
    };
    let mut keeper = Timekeeper::new(read, START);
    let believed = keeper.believed(read);
    assert_eq!((believed.earliest, believed.latest), (START, wall));
    // What is sent bears the time of the clock: it may be right, and an old one would expire.
    assert_eq!(believed.now, wall);
    assert!(believed.uncertainty_ms() > 365 * DAY);
    keeper.hear(read, &[-150]);
    assert_eq!(keeper.believed(read).now, wall);
    // Six weeks of an ordinary outage need nobody.
    let weeks = Now {
        wall: START + 42 * DAY,
        ..read
    };
    let keeper = Timekeeper::new(weeks, START);
    assert_eq!(keeper.believed(weeks).now, weeks.wall);
}

#[test]
fn drift_and_small_steps_are_followed_and_a_suspension_is_no_jump() {
    let mut keeper = keeper();
    // 200 ppm for thirty days: nine minutes in all, never five within an hour.
    for hour in 0..720u64 {
        let off = (hour * 3_600_000 / 5_000) as i64;
        let read = at(hour * 3_600_000, off);
        assert_eq!(keeper.read(read), None);
        assert_eq!(keeper.believed(read).trust, Trust::Plain, "hour {hour}");
        assert_eq!(keeper.believed(read).now, read.wall);
    }
    // Asleep for two days: both clocks went on.
    let off = (720 * 3_600_000u64 / 5_000) as i64;
    let read = at(720 * 3_600_000 + 2 * DAY, off);
    assert_eq!(keeper.read(read), None);
    assert_eq!(keeper.believed(read).now, read.wall);
}

#[test]
fn a_lying_peer_among_three_decides_nothing_and_two_that_differ_correct_nothing() {
    let lie = YEARS as i64;
    let mut keeper = keeper();
    let read = at(MINUTE, 0);
    for offsets in [&[lie][..], &[lie, lie], &[lie, 20, -30], &[-lie, 0, lie]] {
        keeper.read(read);
        keeper.hear(read, offsets);
        let believed = keeper.believed(read);
        assert_eq!(believed.now, read.wall, "{offsets:?}");
        assert_eq!(believed.trust, Trust::Plain, "{offsets:?}");
    }
    // A doubt stays one where the only peer says something else.
    let jumped = at(2 * MINUTE, lie);
    keeper.read(jumped);
    keeper.hear(jumped, &[-lie / 2]);
    assert_eq!(keeper.believed(jumped).trust, Trust::Doubted);
    assert_eq!(keeper.believed(jumped).earliest, START + 2 * MINUTE);
    // Of two one may lie: the better one confirms only what it says itself.
    keeper.hear(jumped, &[-lie, -lie + 50, 0]);
    let believed = keeper.believed(jumped);
    assert_eq!(believed.trust, Trust::Corrected);
    assert_eq!(believed.now, START + 2 * MINUTE + 50);
}

#[test]
fn leaves_that_were_ahead_hold_nobody_in_the_future() {
    let read = at(0, 0);
    let mut keeper = Timekeeper::new(read, START + YEARS);
    assert_eq!(keeper.believed(read).now, START + YEARS);
    keeper.hear(read, &[0]);
    assert_eq!(keeper.believed(read).trust, Trust::Doubted);
    keeper.hear(read, &[0, 30, -20]);
    assert_eq!(keeper.believed(read).trust, Trust::Plain);
    assert_eq!(keeper.believed(read).now, START);
}

#[test]
fn a_corrected_clock_that_is_set_right_is_believed_again() {
    let wrong = 3 * 3_600_000;
    let read = at(0, wrong);
    let mut keeper = Timekeeper::new(read, START - MINUTE);
    keeper.hear(read, &[-wrong, -wrong + 5, -wrong - 5]);
    assert_eq!(keeper.believed(read).now, START);
    assert_eq!(keeper.believed(read).off_ms, wrong);
    let set = at(MINUTE, 0);
    assert_eq!(keeper.read(set).unwrap().by_ms, -wrong);
    keeper.hear(set, &[0, 5, -5]);
    assert_eq!(keeper.believed(set).trust, Trust::Plain);
    assert_eq!(keeper.believed(set).now, START + MINUTE);
}

#[test]
fn a_clock_days_ahead_at_the_start_ends_no_wait_until_a_peer_confirms_it() {
    let passed = at(0, 0).wall;
    for ahead in [8 * DAY, 44 * DAY, YEARS] {
        let read = at(0, ahead as i64);
        let mut keeper = Timekeeper::new(read, passed);
        assert_eq!(keeper.waited(read), passed, "{ahead}");
        let later = at(2 * DAY, ahead as i64);
        keeper.read(later);
        // What passes while it runs counts, at a node that never has a peer too.
        assert_eq!(keeper.waited(later), passed + 2 * DAY, "{ahead}");
        keeper.hear(later, &[300]);
        assert_eq!(keeper.waited(later), later.wall, "{ahead}: it was off");
        // What another part of the node knows to be past is no new doubt.
        keeper.know(later.wall + MINUTE);
        assert!(keeper.waited(later) >= later.wall, "{ahead}");
    }
    // Most peers say that it is ahead: their time counts.
    let read = at(MINUTE, 8 * DAY as i64);
    let mut keeper = Timekeeper::new(read, passed);
    keeper.hear(read, &[-(8 * DAY as i64); 3]);
    assert_eq!(keeper.waited(read), passed + MINUTE);
}

#[test]
fn a_clock_behind_at_the_start_makes_no_wait_begin_before_the_last_leaf() {
    let leaf = at(0, 0).wall;
    let read = at(0, -(9 * DAY as i64));
    let mut keeper = Timekeeper::new(read, 0);
    keeper.know(leaf);
    assert_eq!(keeper.waited(read), leaf);
    assert!(keeper.believed(read).latest >= leaf);
}

#[test]
fn one_peer_beside_a_clock_that_is_right_again_ends_what_a_clock_ahead_left_behind() {
    for (ahead, peers, ends) in [
        (DAY, &[0][..], true),
        (44 * DAY, &[0, 1], true),
        // Two machines that both begin at one time of long ago would agree as well.
        (46 * DAY, &[0, 1], false),
        (46 * DAY, &[0, 1, 2], true),
        // The peer sides with the own leaves, or with nobody.
        (DAY, &[DAY as i64], false),
        (DAY, &[], false),
    ] {
        let mut keeper = Timekeeper::new(at(0, 0), START + ahead);
        assert_eq!(keeper.believed(at(0, 0)).now, START + ahead);
        let read = at(MINUTE, 0);
        keeper.hear(read, peers);
        let believed = keeper.believed(read);
        let right = (believed.now, believed.trust) == (read.wall, Trust::Plain);
        assert_eq!(right, ends, "{ahead} {peers:?}: {believed:?}");
    }
}
