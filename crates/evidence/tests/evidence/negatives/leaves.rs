use super::*;

#[test]
fn a_proof_of_the_wrong_size() {
    let path = Part::Path { log: JM, leaf: 1 };
    let change = |e: &mut v1::Evidence| _ = e.logs[JM].leaves[1].path.pop();
    made(change, path, "wrong length");
    let more = |e: &mut v1::Evidence| e.logs[JM].leaves[1].path.push(vec![0; 32].into());
    made(more, path, "wrong length");
    let short = |e: &mut v1::Evidence| {
        let path = &mut e.logs[JM].leaves[1].path;
        path[0] = path[0].slice(..31);
    };
    made(short, path, "wrong length");
}

#[test]
fn a_proof_of_another_leaf() {
    made(
        |e| e.logs[JM].leaves[1].path = e.logs[JM].leaves[2].path.clone(),
        Part::Path { log: JM, leaf: 1 },
        "another root",
    );
}

#[test]
fn a_leaf_at_another_place() {
    made(
        |e| e.logs[TT].leaves[0].index = 0,
        Part::Path { log: TT, leaf: 0 },
        "another root",
    );
    made(
        |e| e.logs[TT].leaves[1].index = 4,
        Part::Path { log: TT, leaf: 1 },
        "not in a tree of 4 leaves",
    );
}

#[test]
fn leaves_out_of_order_or_twice() {
    made(|e| e.logs[JM].leaves.swap(1, 2), leaf(JM, 2), "ascend");
    made(
        |e| {
            let again = e.logs[JM].leaves[1].clone();
            e.logs[JM].leaves.insert(1, again);
        },
        leaf(JM, 2),
        "none comes twice",
    );
}

/// A changed leaf in TT's log, in the place of the Delivered one.
#[track_caller]
fn tt_says(change: impl FnOnce(&mut v1::Leaf), why: &str) {
    told(|story| change(&mut story.tt.leaves[2]), leaf(TT, 1), why);
}

#[test]
fn a_leaf_of_another_version() {
    tt_says(|leaf| leaf.version = 2, "version is 1");
}

#[test]
fn a_leaf_of_the_wrong_actor() {
    tt_says(|leaf| leaf.actor = "BB".into(), "actor and incarnation");
}

#[test]
fn a_leaf_of_another_incarnation() {
    tt_says(|leaf| leaf.incarnation += 1, "actor and incarnation");
}

#[test]
fn a_receipt_for_another_envelope() {
    let other = net().another.id().to_bytes();
    tt_says(|leaf| leaf.envelope_id = other, "names the envelope");
}

#[test]
fn a_receipt_for_another_originator() {
    tt_says(
        |leaf| leaf.originator = "DM".into(),
        "envelope's originator",
    );
}

#[test]
fn a_receipt_for_a_party_that_is_no_recipient() {
    tt_says(|leaf| leaf.recipient = "DM".into(), "one of the recipients");
}

#[test]
fn a_receipt_with_another_stream_number() {
    tt_says(
        |leaf| leaf.seq_commit = vec![1; 32].into(),
        "recipient's seq_commit",
    );
    tt_says(
        |leaf| leaf.seq_commit = Bytes::new(),
        "recipient's seq_commit",
    );
}

#[test]
fn a_delivery_told_by_somebody_else() {
    told(
        |story| {
            story.tt.leaves[2] = to(
                "BB",
                about(story.sealed, "TT", Kind::Delivered),
                story.sealed,
            )
        },
        leaf(TT, 1),
        "the leaf's actor is the recipient",
    );
}

#[test]
fn a_leaf_under_another_roster_of_a_version_that_is_here() {
    tt_says(
        |leaf| leaf.roster.as_mut().unwrap().digest = vec![1; 32].into(),
        "the roster that is named",
    );
}

#[test]
fn a_kind_that_says_nothing_of_an_envelope() {
    tt_says(|leaf| leaf.kind = Kind::Scrubbed.into(), "of a kind");
    tt_says(|leaf| leaf.kind = 99, "of a kind");
}

#[test]
fn a_relay_that_is_none() {
    tt_says(
        |leaf| leaf.kind = Kind::Relayed.into(),
        "is a relay in the roster",
    );
}

#[test]
fn a_submission_in_another_log_than_the_originators() {
    let submitted = |story: &mut Story<'_>| {
        story.tt.leaves[2] = about(story.sealed, "TT", Kind::Submitted);
    };
    told(submitted, leaf(TT, 1), "the leaf's actor is the originator");
    tt_says(
        |leaf| leaf.kind = Kind::ReceiptTaken.into(),
        "actor is the originator",
    );
}

#[test]
fn a_submission_in_another_life_of_the_originators_log() {
    told(
        |story| {
            let life = Incarnation(LIFE.0 + 1);
            story.jm.life = life;
            story.jm.show.remove(0);
            for leaf in &mut story.jm.leaves {
                leaf.incarnation = life.0;
            }
        },
        leaf(JM, 0),
        "in the incarnation that PRE names",
    );
}

#[test]
fn a_submission_with_a_stream_number() {
    told(
        |story| story.jm.leaves[1].seq_commit = vec![1; 32].into(),
        leaf(JM, 1),
        "names no stream number",
    );
}

#[test]
fn a_receipt_taken_that_is_not_shown() {
    told(
        |story| story.tt.show = vec![1],
        leaf(JM, 4),
        "is in the file",
    );
    // TT's outcome does not stand for BB's.
    told(
        |story| story.jm.leaves[5].subject = leaf_subject(&story.tt.leaves[2]),
        leaf(JM, 5),
        "is in the file",
    );
}

#[test]
fn a_file_that_nobody_exported_or_twice() {
    told(
        |story| _ = story.jm.show.pop(),
        Part::Message,
        "exactly one leaf",
    );
    told(
        |story| {
            let again = story.jm.leaves[6].clone();
            story.jm.leaves.push(again);
            (story.jm.size, story.jm.show) = (8, (0..8).collect());
        },
        Part::Message,
        "exactly one leaf",
    );
}

#[test]
fn an_export_by_a_bystander() {
    told(
        |story| {
            let export = v1::Leaf {
                actor: "DM".into(),
                ..story.jm.leaves[6].clone()
            };
            story.jm.show.pop();
            let dm = Log {
                party: "DM",
                leaves: vec![export],
                show: vec![0],
                size: 1,
                witnesses: vec![],
                ..story.jm.clone()
            };
            story.bb = dm;
        },
        leaf(0, 0),
        "exported by the originator or by a recipient",
    );
}

#[test]
fn an_opening_by_another_party_or_key() {
    let at = Part::Statement { log: JM, leaf: 0 };
    let other = opening(net(), "TT").1;
    made(
        |e| e.logs[JM].leaves[0].statement = Some(other),
        at,
        "the one that leaf 0 is about",
    );
    made(
        |e| {
            let signed = e.logs[JM].leaves[0].statement.as_mut().unwrap();
            signed.signatures[0].ed25519 = vec![1; 64].into();
        },
        at,
        "signature",
    );
}

#[test]
fn an_opening_without_its_statement_or_a_statement_elsewhere() {
    made(
        |e| e.logs[JM].leaves[0].statement = None,
        Part::Statement { log: JM, leaf: 0 },
        "comes with its statement",
    );
    let statement = opening(net(), "JM").1;
    made(
        |e| e.logs[JM].leaves[1].statement = Some(statement),
        Part::Statement { log: JM, leaf: 1 },
        "only the leaf that opens a log",
    );
}

#[test]
fn an_opening_of_another_log() {
    let (stolen, statement) = opening(net(), "TT");
    let stolen = v1::Leaf {
        actor: "JM".into(),
        ..stolen
    };
    let mut story = net().story();
    story.jm.leaves[0] = stolen;
    let mut evidence = story.evidence();
    evidence.logs[JM].leaves[0].statement = Some(statement);
    refused(
        &evidence,
        Part::Statement { log: JM, leaf: 0 },
        "the statement opens this log",
    );
}
