use super::*;

#[test]
fn a_checkpoint_of_another_origin() {
    let line = "abeng/cclec/JM/";
    made(
        |e| {
            let note = String::from_utf8(e.logs[TT].checkpoint.to_vec()).unwrap();
            e.logs[TT].checkpoint = note.replacen("abeng/cclec/TT/", line, 1).into();
        },
        Part::Checkpoint(TT),
        "not signed by the log's key",
    );
}

#[test]
fn a_checkpoint_of_another_network() {
    made(
        |e| {
            let note = String::from_utf8(e.logs[TT].checkpoint.to_vec()).unwrap();
            e.logs[TT].checkpoint = note.replace("abeng/cclec/", "abeng/other/").into();
        },
        Part::Checkpoint(TT),
        "knows no log key",
    );
}

#[test]
fn a_line_by_nobody_that_the_roster_names() {
    made(
        |e| {
            let line = "— stranger AAAAAAAAAAAAAAAA\n".as_bytes();
            e.logs[TT].checkpoint = [&e.logs[TT].checkpoint[..], line].concat().into();
        },
        Part::Checkpoint(TT),
        "the lines under a checkpoint",
    );
}

#[test]
fn a_witness_that_is_not_one_of_this_log() {
    // TT is no witness of its own log.
    made(
        |e| e.logs[TT].checkpoint = cosign(net(), &e.logs[TT].checkpoint, &["TT"]),
        Part::Checkpoint(TT),
        "the lines under a checkpoint",
    );
}

#[test]
fn a_witness_twice() {
    told(
        |story| story.jm.witnesses = vec!["BB", "TT", "TT"],
        Part::Checkpoint(JM),
        "the lines under a checkpoint",
    );
}

#[test]
fn a_cosignature_of_another_checkpoint() {
    made(
        |e| {
            let lines = |note: &Bytes| -> Vec<String> {
                let note = String::from_utf8(note.to_vec()).unwrap();
                note.split_inclusive('\n').map(str::to_owned).collect()
            };
            let mut note = lines(&e.logs[JM].checkpoint);
            let other = cosign(net(), &e.logs[TT].checkpoint, &["BB"]);
            note[5] = lines(&other)[5].clone();
            e.logs[JM].checkpoint = note.concat().into();
        },
        Part::Checkpoint(JM),
        "cosignature of `BB`",
    );
}

#[test]
fn witnesses_in_another_order() {
    made(
        |e| {
            let note = String::from_utf8(e.logs[JM].checkpoint.to_vec()).unwrap();
            let mut lines: Vec<&str> = note.split_inclusive('\n').collect();
            lines.swap(5, 6);
            e.logs[JM].checkpoint = lines.concat().into();
        },
        Part::Checkpoint(JM),
        "the lines under a checkpoint",
    );
}

#[test]
fn checkpoints_in_another_order() {
    made(
        |e| e.logs.swap(0, 1),
        Part::Checkpoint(1),
        "in the order of",
    );
}

#[test]
fn one_checkpoint_twice() {
    made(
        |e| e.logs.insert(TT, e.logs[JM].clone()),
        Part::Checkpoint(2),
        "none is smaller than the one before",
    );
}

#[test]
fn a_cosigned_size_smaller_than_before() {
    told(
        |story| {
            let mut smaller = story.jm.clone();
            (smaller.size, smaller.show) = (4, vec![1]);
            story.more.push(smaller);
        },
        Part::Checkpoint(2),
        "none is smaller than the one before",
    );
}

#[test]
fn two_checkpoints_of_one_size_and_other_roots() {
    told(
        |story| {
            let mut other = story.jm.clone();
            other.leaves[4] = filler("JM");
            other.show = vec![5];
            story.more.push(other);
        },
        Part::Checkpoint(2),
        "have different roots",
    );
}

#[test]
fn a_checkpoint_with_nothing_under_it() {
    told(
        |story| story.tt.show.clear(),
        Part::Checkpoint(TT),
        "1 to 1024 leaves",
    );
}

/// JM's log in two checkpoints, the second of which continues the first.
fn in_two(story: &mut Story<'_>) {
    let mut later = story.jm.clone();
    (story.jm.size, story.jm.show) = (6, (0..6).collect());
    (later.show, later.continues) = (vec![6], 6);
    story.more.push(later);
}

#[test]
fn a_consistency_path_to_another_root() {
    told(
        |story| {
            in_two(story);
            story.jm.leaves[5] = filler("JM");
            story.jm.show.pop();
        },
        Part::Consistency(2),
        "another root",
    );
}

#[test]
fn a_consistency_path_that_is_too_long() {
    let mut story = net().story();
    in_two(&mut story);
    let mut evidence = story.evidence();
    evidence.logs[2].consistency.push(vec![0; 32].into());
    refused(&evidence, Part::Consistency(2), "wrong length");
}

#[test]
fn a_consistency_path_from_another_log() {
    let tree: Vec<_> = net()
        .story()
        .tt
        .leaves
        .iter()
        .map(|l| leaf_hash(&encode(l)))
        .collect();
    let path = subproof(3, &tree, true);
    made(
        |e| e.logs[TT].consistency = path.iter().map(|h| h.to_bytes()).collect(),
        Part::Consistency(TT),
        "a checkpoint of the same log",
    );
}
