use super::*;

/// A directory as the opening of a new life leaves it when it breaks off.
fn layout(parts: &[&str], complete: bool) -> (tempfile::TempDir, Layout) {
    let dir = tempfile::tempdir().unwrap();
    for part in parts {
        let part = dir.path().join(part);
        fs::create_dir_all(&part).unwrap();
        let what = part.strip_prefix(dir.path()).unwrap().display().to_string();
        fs::write(part.join("what"), what).unwrap();
    }
    if complete {
        fs::write(dir.path().join(COMPLETE), "01a2").unwrap();
    }
    let layout = Layout::new(dir.path());
    (dir, layout)
}

fn is(layout: &Layout, part: &str) -> Option<String> {
    fs::read_to_string(layout.root().join(part).join("what")).ok()
}

#[test]
fn what_is_not_whole_is_cleared_away_and_the_old_journal_stays() {
    let (_dir, layout) = layout(&["journal", "tiles", "view", "next/journal"], false);
    finish_switch(&layout).unwrap();
    assert_eq!(is(&layout, "journal").as_deref(), Some("journal"));
    assert_eq!(is(&layout, "view").as_deref(), Some("view"));
    assert!(!layout.root().join("next").exists());
}

#[test]
fn the_switch_is_finished_from_wherever_it_broke_off() {
    // Parts of the directory at each moment of the switch.
    let moments: [&[&str]; 5] = [
        &["journal", "tiles", "view", "next/journal", "next/tiles"],
        &[
            "lives/01a2/journal",
            "tiles",
            "view",
            "next/journal",
            "next/tiles",
        ],
        &[
            "lives/01a2/journal",
            "journal",
            "tiles",
            "view",
            "next/tiles",
        ],
        &[
            "lives/01a2/journal",
            "lives/01a2/tiles",
            "journal",
            "view",
            "next/tiles",
        ],
        &[
            "lives/01a2/journal",
            "lives/01a2/tiles",
            "journal",
            "tiles",
            "view",
        ],
    ];
    for (nth, parts) in moments.into_iter().enumerate() {
        let (_dir, layout) = layout_at(parts, nth);
        finish_switch(&layout).unwrap();
        assert_eq!(
            is(&layout, "journal").as_deref(),
            Some("next/journal"),
            "{nth}"
        );
        assert_eq!(
            is(&layout, "lives/01a2/journal").as_deref(),
            Some("journal"),
            "{nth}"
        );
        assert_eq!(
            is(&layout, "lives/01a2/tiles").as_deref(),
            Some("tiles"),
            "{nth}"
        );
        assert!(!layout.view().exists() && !layout.root().join("next").exists());
        // And nothing happens again.
        finish_switch(&layout).unwrap();
        assert_eq!(is(&layout, "journal").as_deref(), Some("next/journal"));
    }
}

/// The directory at a moment: what has moved bears the name that it had before.
fn layout_at(parts: &[&str], nth: usize) -> (tempfile::TempDir, Layout) {
    let (dir, layout) = layout(parts, false);
    fs::create_dir_all(dir.path().join("next")).unwrap();
    fs::write(dir.path().join(COMPLETE), "01a2").unwrap();
    let says = |part: &str, what: &str| {
        fs::write(dir.path().join(part).join("what"), what).unwrap();
    };
    for part in parts {
        if let Some(old) = part.strip_prefix("lives/01a2/") {
            says(part, old);
        }
    }
    if nth >= 2 {
        says("journal", "next/journal");
    }
    if nth >= 4 {
        says("tiles", "next/tiles");
    }
    (dir, layout)
}
