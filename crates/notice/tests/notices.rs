//! Drafts become notices, or say what is wrong with them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use abeng_notice::{
    Attachment, CheckContext, Checked, Draft, Flaw, FlawCode, Lang, Notice, NoticeError,
    ShortSeizure, Tlp, samples, v1,
};
use abeng_wire::{PartyCode, encode, limits};

/// 2024-05-31T12:00:00Z
const NOW: u64 = 1_717_156_800_000;

fn context(party: &str) -> CheckContext {
    CheckContext::new(NOW, PartyCode::new(party).unwrap())
}

fn check(draft: Draft) -> Result<Checked, Vec<Flaw>> {
    Notice::check(draft, &context("JM"))
}

fn short() -> ShortSeizure {
    ShortSeizure {
        when: "2024-05-30".into(),
        place: "JMKIN".into(),
        drug: Some("cocaine".into()),
        quantity: Some("139.4".into()),
        unit: Some("kg".into()),
        mode: "sea".into(),
        from: "GYGEO".into(),
        to: "unknown".into(),
        ..ShortSeizure::default()
    }
}

/// Changes a good short form, and returns the flaw with that code at that field.
fn flaw_of(change: impl FnOnce(&mut Draft), field: &str, code: FlawCode) -> Flaw {
    let mut draft = Draft::seizure_short(short());
    change(&mut draft);
    let flaws = match check(draft) {
        Ok(checked) => checked.doubts,
        Err(flaws) => flaws,
    };
    flaws
        .iter()
        .find(|f| f.field == field && f.code == code)
        .unwrap_or_else(|| panic!("{code:?} at {field} is not among {flaws:#?}"))
        .clone()
}

#[test]
fn the_seven_samples_pass_and_round_trip() {
    let samples = samples();
    assert_eq!(samples.len(), 7);
    for sample in samples {
        let json = serde_json::to_string(&sample.draft).unwrap();
        assert_eq!(Draft::from_json(&json).unwrap(), sample.draft);
        let toml = toml::to_string(&sample.draft).unwrap();
        assert_eq!(Draft::from_toml(&toml).unwrap(), sample.draft);

        let context = CheckContext::new(NOW, sample.administration);
        let checked = Notice::check(sample.draft, &context).unwrap();
        let notice = checked.notice;
        assert_eq!(Notice::parse(notice.bytes().clone()).unwrap(), notice);
        assert_eq!(notice.ty(), "SEIZURE");
        for lang in Lang::ALL {
            assert!(notice.describe(lang).len() > 10);
            assert!(!notice.summary(lang).is_empty());
        }
    }
}

#[test]
fn samples_read_as_people_say_them() {
    let shown: Vec<String> = samples()
        .into_iter()
        .map(|s| {
            let context = CheckContext::new(NOW, s.administration);
            let checked = Notice::check(s.draft, &context).unwrap();
            let doubts: Vec<String> = checked.doubts.iter().map(Flaw::to_string).collect();
            let lines: Vec<String> = [Lang::En, Lang::Es, Lang::Fr, Lang::Nl]
                .map(|lang| checked.notice.summary(lang))
                .into_iter()
                .chain(doubts)
                .collect();
            lines.join("\n")
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn a_table_in_four_languages() {
    let sample = samples().remove(4);
    let notice = Notice::check(sample.draft, &context("JM")).unwrap().notice;
    let tables: Vec<String> = Lang::ALL
        .map(|lang| {
            let lines: Vec<String> = notice
                .describe(lang)
                .into_iter()
                .map(|line| format!("{}: {}", line.label, line.value))
                .collect();
            lines.join("\n")
        })
        .to_vec();
    insta::assert_snapshot!(tables.join("\n\n"));
}

#[test]
fn the_recipient_sees_what_was_doubted_and_no_terminal_is_harmed() {
    let mut draft = Draft::seizure_short(short());
    draft.date = Some("unknown".into());
    let checked = check(draft).unwrap();
    assert!(!checked.doubts.is_empty());
    let received = Notice::parse(checked.notice.bytes().clone()).unwrap();
    assert_eq!(received.doubts(), checked.doubts);

    let mut message = received.message().clone();
    message.doubts[0].found = "\u{1b}[2J".into();
    message.doubts[0].field = "a\u{202e}b".into();
    message.doubts.push(abeng_wire::v1::Doubt {
        code: "of-a-later-version".into(),
        ..Default::default()
    });
    let hostile = Notice::parse(abeng_wire::encode(&message))
        .unwrap()
        .doubts();
    assert_eq!(hostile.len(), checked.doubts.len());
    let text = hostile[0].text(Lang::En);
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
}

#[test]
fn the_short_form_is_enough() {
    let checked = check(Draft::seizure_short(short())).unwrap();
    assert_eq!(checked.doubts, []);
    assert_eq!(
        checked.notice.summary(Lang::En),
        "139.4 kg cocaine, JMKIN, sea"
    );
    assert_eq!(
        checked.notice.summary(Lang::Fr),
        "139,4 kg cocaïne, JMKIN, mer"
    );
    assert_eq!(checked.notice.tlp(), Tlp::Amber);
    assert_eq!(checked.notice.precedence(), v1::Precedence::Priority);
    assert!(checked.notice.keep_until().unwrap() > NOW);
}

#[test]
fn an_empty_short_form_names_everything_that_is_missing() {
    let flaws = check(Draft::seizure_short(ShortSeizure::default())).unwrap_err();
    let missing: Vec<&str> = flaws
        .iter()
        .filter(|f| f.code == FlawCode::Missing && f.is_error())
        .map(|f| f.field.as_str())
        .collect();
    for field in [
        "date",
        "place",
        "goods[0].hs",
        "goods[0].quantity",
        "conveyance.mode",
        "route.departure",
        "route.destination",
    ] {
        assert!(missing.contains(&field), "{field} not in {missing:?}");
    }
    for flaw in &flaws {
        for lang in Lang::ALL {
            assert!(flaw.text(lang).contains(&flaw.field));
        }
    }
}

#[test]
fn bad_codes_are_errors_with_what_would_be_right() {
    let flaw = flaw_of(
        |d| d.place = Some("JMKIX".into()),
        "place",
        FlawCode::UnknownCode,
    );
    assert!(flaw.is_error());
    assert!(flaw.expected.starts_with("JM"), "{flaw}");
    let flaw = flaw_of(
        |d| d.goods[0].hs = Some("293999".into()),
        "goods[0].hs",
        FlawCode::UnknownCode,
    );
    assert!(
        flaw.is_error() && flaw.expected.starts_with("2939"),
        "{flaw}"
    );
    let flaw = flaw_of(
        |d| d.goods[0].hs = Some("29397200".into()),
        "goods[0].hs",
        FlawCode::BadFormat,
    );
    assert_eq!(flaw.expected, "293972");
    let flaw = flaw_of(
        |d| d.goods[0].drug = Some("cocane".into()),
        "goods[0].drug",
        FlawCode::UnknownCode,
    );
    assert_eq!((flaw.is_error(), flaw.expected.as_str()), (true, "cocaine"));
    flaw_of(
        |d| d.goods[0].unit = Some("KGB".into()),
        "goods[0].unit",
        FlawCode::UnknownCode,
    );
    flaw_of(
        |d| d.precedence = Some("URGENT".into()),
        "precedence",
        FlawCode::UnknownCode,
    );
    flaw_of(
        |d| d.tlp = Some("PINK".into()),
        "tlp",
        FlawCode::UnknownCode,
    );
    flaw_of(
        |d| d.kind = Some("SEIZE".into()),
        "type",
        FlawCode::UnknownCode,
    );
    flaw_of(
        |d| d.administration = Some("TT".into()),
        "administration",
        FlawCode::NotYours,
    );
    flaw_of(
        |d| d.outcome = Some("positive".into()),
        "outcome",
        FlawCode::NotForType,
    );
    let flaw = flaw_of(
        |d| d.place = Some("CNSHA".into()),
        "place",
        FlawCode::NotListed,
    );
    assert!(!flaw.is_error());
}

#[test]
fn dates_must_make_sense() {
    for (date, code) in [
        ("2024-06-02", FlawCode::InFuture),
        ("2024-06", FlawCode::InFuture),
        ("2025", FlawCode::InFuture),
        ("2024-05-31T12:06Z", FlawCode::InFuture),
        ("2023-02-29", FlawCode::BadFormat),
        ("2024-05-31T10:00", FlawCode::BadFormat),
    ] {
        assert!(flaw_of(|d| d.date = Some(date.into()), "date", code).is_error());
    }
    for date in ["2024-05-31", "2024-05", "2024", "2024-05-31T12:04Z"] {
        let mut draft = Draft::seizure_short(short());
        draft.date = Some(date.into());
        assert_eq!(check(draft).unwrap().doubts, [], "{date}");
    }
    assert!(
        !flaw_of(
            |d| d.date = Some("1995-01-01".into()),
            "date",
            FlawCode::LongAgo
        )
        .is_error()
    );
    assert!(
        !flaw_of(
            |d| d.date = Some("unknown".into()),
            "date",
            FlawCode::SaidUnknown
        )
        .is_error()
    );
    flaw_of(
        |d| d.reply_by = Some("2024-05-01".into()),
        "reply_by",
        FlawCode::InPast,
    );
    flaw_of(
        |d| d.keep_until = Some("2044".into()),
        "keep_until",
        FlawCode::OutOfRange,
    );
    let born = r#"persons = [{ family_name = "A", born = "2024-05-31" }]"#;
    flaw_of(
        |d| d.persons = Draft::from_toml(born).unwrap().persons,
        "persons[0].born",
        FlawCode::WrongOrder,
    );
}

#[test]
fn a_failed_check_digit_is_a_doubt_and_travels() {
    let draft = Draft::from_toml(
        r#"
        date = "2024-05-30"
        place = "JMKIN"
        goods = [{ drug = "cocaine", quantity = 1, unit = "KGM" }]
        conveyance = { mode = "sea", imo = "9074720", mmsi = "123456789", vin = "1M8GDM9A1KP042788" }
        containers = [{ number = "CSQU3054384" }]
        air_waybill = "020-12345676"
        route = { departure = "GY", destination = "US" }
        devices = [{ imei = "490154203237517" }]
        documents = [{ type = "passport", mrz = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C35UTO7408122F1204159ZE184226B<<<<<10" }]
        "#,
    );
    let checked = check(draft.unwrap()).unwrap();
    let doubted: Vec<(&str, &str)> = checked
        .doubts
        .iter()
        .filter(|f| matches!(f.code, FlawCode::CheckDigit | FlawCode::OutOfRange))
        .map(|f| (f.field.as_str(), f.expected.as_str()))
        .collect();
    for expected in [
        ("conveyance.imo", "9074729"),
        ("conveyance.mmsi", "201000000…775999999"),
        ("conveyance.vin", "1M8GDM9AXKP042788"),
        ("containers[0].number", "CSQU3054383"),
        ("air_waybill", "02012345675"),
        ("devices[0].imei", "490154203237518"),
        ("documents[0].mrz", "L898902C3 6"),
    ] {
        assert!(doubted.contains(&expected), "{expected:?} in {doubted:?}");
    }
    let json = checked.notice.to_json();
    assert_eq!(json["seizure"]["containers"][0]["number"], "CSQU3054384");
}

#[test]
fn pounds_become_kilograms() {
    let mut draft = Draft::seizure_short(short());
    draft.goods[0].quantity = Some(abeng_notice::AmountText("50".into()));
    draft.goods[0].unit = Some("lb".into());
    let notice = check(draft).unwrap().notice;
    assert_eq!(notice.summary(Lang::En), "22.68 kg cocaine, JMKIN, sea");
    let json = notice.to_json();
    let quantity = &json["seizure"]["goods"][0]["quantity"];
    assert_eq!(quantity["amount"], "50");
    assert_eq!(quantity["kg"], "22.679618");
}

#[test]
fn names_of_persons_mark_the_notice() {
    let draft = |extra: &str| {
        let mut draft = Draft::seizure_short(short());
        let more = Draft::from_toml(extra).unwrap();
        (draft.persons, draft.tlp, draft.nominal) = (more.persons, more.tlp, more.nominal);
        check(draft).unwrap()
    };
    let person = "persons = [{ family_name = 'Doe' }]";
    assert!(draft(person).notice.handling().nominal);
    let open = draft(&format!("tlp = 'GREEN'\nnominal = false\n{person}"));
    let codes: Vec<FlawCode> = open.doubts.iter().map(|f| f.code).collect();
    assert_eq!(codes, [FlawCode::Mismatch, FlawCode::TooOpen]);
    assert!(open.notice.handling().nominal);
}

#[test]
fn feedback_needs_what_it_answers_and_an_outcome() {
    let id = "ab".repeat(32);
    let text = format!(
        "type = 'FEEDBACK'\nin_reply_to = '{id}'\noutcome = 'checked, nothing found'\ncontrol = 'scan'\nusefulness = 'útil'\ndate = 2024-05-30\n"
    );
    let checked = check(Draft::from_toml(&text).unwrap()).unwrap();
    assert_eq!(checked.doubts, []);
    let notice = checked.notice;
    assert_eq!((notice.ty(), notice.tlp()), ("FEEDBACK", Tlp::Amber));
    assert_eq!(notice.precedence(), v1::Precedence::Routine);
    assert_eq!(notice.in_reply_to().unwrap().to_string(), id);
    assert_eq!(
        notice.summary(Lang::Nl),
        "gecontroleerd, niets gevonden, scan, bruikbaar"
    );
    assert_eq!(Notice::parse(notice.bytes().clone()).unwrap(), notice);

    let flaws = check(Draft::from_toml("type = 'FEEDBACK'\nplace = 'JMKIN'").unwrap()).unwrap_err();
    let found: Vec<(&str, FlawCode)> = flaws.iter().map(|f| (f.field.as_str(), f.code)).collect();
    assert_eq!(
        found,
        [
            ("place", FlawCode::NotForType),
            ("in_reply_to", FlawCode::Missing),
            ("outcome", FlawCode::Missing),
        ]
    );
}

#[test]
fn a_recall_names_what_it_takes_back_and_why() {
    let id = "ab".repeat(32);
    let text = format!(
        "type = 'RECALL'\nrecalls = '{id}'\nreason = 'mauvais destinataire'\ntext = 'Sent to the wrong group.'\n"
    );
    let checked = check(Draft::from_toml(&text).unwrap()).unwrap();
    assert_eq!(checked.doubts, []);
    let notice = checked.notice;
    assert_eq!(notice.precedence(), v1::Precedence::Immediate);
    assert_eq!(notice.recalls(), notice.supersedes());
    assert_eq!(notice.recalls().unwrap().to_string(), id);
    for (lang, line) in [
        (Lang::En, "recall of abababababab: wrong recipient"),
        (
            Lang::Es,
            "retirada de abababababab: destinatario equivocado",
        ),
        (Lang::Fr, "rappel de abababababab: mauvais destinataire"),
        (
            Lang::Nl,
            "terugroeping van abababababab: verkeerde ontvanger",
        ),
    ] {
        assert_eq!(notice.summary(lang), line);
    }
    let lines = notice.describe(Lang::En);
    let value = |label: &str| {
        lines
            .iter()
            .find(|l| l.label == label)
            .map(|l| &l.value[..])
    };
    assert_eq!(value("notice taken back"), Some(&id[..]));
    assert_eq!(value("in words"), Some("Sent to the wrong group."));
    assert_eq!(notice.to_json()["recall"]["reason"], "wrong-recipient");
    assert_eq!(Notice::parse(notice.bytes().clone()).unwrap(), notice);

    let other = format!(
        "{text}supersedes = '{}'\noutcome = 'negative'\n",
        "cd".repeat(32)
    );
    let flaws = check(Draft::from_toml(&other).unwrap()).unwrap_err();
    let found: Vec<(&str, FlawCode)> = flaws.iter().map(|f| (f.field.as_str(), f.code)).collect();
    assert!(found.contains(&("supersedes", FlawCode::Mismatch)));
    assert!(found.contains(&("outcome", FlawCode::NotForType)));
    let flaws = check(Draft::from_toml("type = 'RECALL'").unwrap()).unwrap_err();
    let fields: Vec<&str> = flaws.iter().map(|f| f.field.as_str()).collect();
    assert_eq!(fields, ["recalls", "reason"]);

    // What a peer could write: no id, or one that is not what it supersedes.
    for recalled in [Vec::new(), vec![1; 31], vec![1; 32]] {
        let mut message = notice.message().clone();
        message.content = Some(v1::notice::Content::Recall(v1::Recall {
            notice: recalled.into(),
            ..v1::Recall::default()
        }));
        let read = Notice::parse(encode(&message));
        assert!(matches!(read, Err(NoticeError::BadHeader { .. })));
    }
}

#[test]
fn unknown_fields_are_kept_and_unknown_types_refused() {
    let notice = check(Draft::seizure_short(short())).unwrap().notice;
    // Field 999, varint 1: what a later version may write.
    let newer: Vec<u8> = [&notice.bytes()[..], &[0xb8, 0x3e, 0x01]].concat();
    let read = Notice::parse(newer.clone().into()).unwrap();
    assert_eq!(read.bytes()[..], newer[..]);
    assert_eq!(read.message(), notice.message());

    let message = |change: fn(&mut v1::Notice)| {
        let mut message = notice.message().clone();
        change(&mut message);
        Notice::parse(encode(&message)).unwrap_err()
    };
    assert_eq!(
        message(|m| m.r#type = 2),
        NoticeError::UnknownType { number: 2 }
    );
    assert!(matches!(
        message(|m| m.content = None),
        NoticeError::WrongContent { .. }
    ));
    assert!(matches!(
        message(|m| m.tlp = 9),
        NoticeError::BadHeader { .. }
    ));
    assert!(matches!(
        message(|m| m.in_reply_to = vec![1, 2].into()),
        NoticeError::BadHeader { .. }
    ));
    assert!(Notice::parse(vec![0xff; 9].into()).is_err());
    assert!(Notice::parse(vec![0; limits::NOTICE + 1].into()).is_err());
}

#[test]
fn what_a_peer_writes_cannot_command_a_terminal() {
    let mut message = check(Draft::seizure_short(short()))
        .unwrap()
        .notice
        .message()
        .clone();
    let evil = "\u{1b}[2Jx\u{202e}y\u{7}".to_owned();
    message.remarks.clone_from(&evil);
    message.event_date.clone_from(&evil);
    if let Some(v1::notice::Content::Seizure(seizure)) = &mut message.content {
        seizure.goods[0].drug.clone_from(&evil);
        seizure.place = Some(v1::Place {
            code: evil.clone(),
            name: evil.clone(),
            ..Default::default()
        });
        seizure.conveyance = Some(v1::Conveyance {
            mode: evil,
            ..Default::default()
        });
    }
    let notice = Notice::parse(encode(&message)).unwrap();
    for lang in Lang::ALL {
        let mut all = notice.summary(lang);
        for line in notice.describe(lang) {
            all.push_str(&line.value);
        }
        assert!(!all.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{all:?}");
    }
}

#[test]
fn an_officer_cannot_type_invisible_or_endless_text() {
    let flaw = flaw_of(
        |d| d.remarks = Some("a\u{202e}b".into()),
        "remarks",
        FlawCode::Unprintable,
    );
    assert_eq!(flaw.found, "U+202E");
    flaw_of(
        |d| d.officer = Some("x".repeat(201)),
        "officer",
        FlawCode::TooLong,
    );
    flaw_of(
        |d| d.goods = vec![d.goods[0].clone(); 201],
        "goods",
        FlawCode::TooMany,
    );
    let mut huge = Draft::seizure_short(short());
    huge.goods[0].description = Some("é".repeat(8000));
    huge.goods = vec![huge.goods[0].clone(); 100];
    let flaws = check(huge).unwrap_err();
    assert_eq!(
        (flaws[0].field.as_str(), flaws[0].code),
        ("notice", FlawCode::TooLong)
    );
}

#[test]
fn goods_and_code_must_fit() {
    let flaw = flaw_of(
        |d| d.goods[0].hs = Some("930200".into()),
        "goods[0].hs",
        FlawCode::Mismatch,
    );
    assert!(!flaw.is_error());
    assert!(flaw.expected.contains("293972"));
    flaw_of(
        |d| d.direction = Some("export".into()),
        "direction",
        FlawCode::Mismatch,
    );
}

proptest::proptest! {
    #[test]
    fn any_draft_is_judged_without_panic(
        date in "\\PC{0,20}", place in "[A-Z]{2}[A-Z0-9]{0,4}|\\PC{0,8}", amount in "[0-9.,-]{0,24}",
        id in "\\PC{0,20}", lat in proptest::num::f64::ANY, bytes in proptest::collection::vec(0u8.., 0..200),
    ) {
        let mut draft = Draft::seizure_short(ShortSeizure {
            when: date, place: place.clone(), quantity: Some(amount), from: place, ..short()
        });
        if let Some(p) = &mut draft.place {
            p.lat = Some(lat);
            p.lon = Some(lat);
        }
        if let Some(c) = &mut draft.conveyance {
            c.imo = Some(id.clone());
            c.vin = Some(id.clone());
            c.flight = Some(id);
        }
        if let Ok(checked) = check(draft) {
            let notice = checked.notice;
            proptest::prop_assert_eq!(Notice::parse(notice.bytes().clone()).unwrap(), notice);
        }
        if let Ok(notice) = Notice::parse(bytes.into()) {
            let _ = (notice.summary(Lang::En), notice.describe(Lang::Nl), notice.to_json());
        }
    }
}

fn file(name: &str, length: u64) -> Attachment {
    Attachment {
        name: name.into(),
        media_type: "image/jpeg".into(),
        length,
        root: [3; 32],
        cipher_length: length + 16,
        key: [0xab; 32],
    }
}

#[test]
fn attachments_are_named_shown_and_keep_their_key_to_themselves() {
    let context = CheckContext {
        attachments: [
            ("h1", file("x-ray.jpg", 1_449_000)),
            ("h2", file("b.pdf", 999)),
        ]
        .map(|(handle, file)| (handle.to_owned(), file))
        .into(),
        ..context("JM")
    };
    let mut draft = Draft::seizure_short(short());
    draft.attach = vec!["h2".into(), "h1".into()];
    let notice = Notice::check(draft.clone(), &context).unwrap().notice;
    let expected = [file("b.pdf", 999), file("x-ray.jpg", 1_449_000)];
    assert_eq!(notice.attachments(), expected);
    let again = Notice::parse(notice.bytes().clone()).unwrap();
    assert_eq!(again.attachments(), expected);
    let lines = again.describe(Lang::Es);
    let shown: Vec<&str> = lines
        .iter()
        .filter(|line| line.label == "anexo")
        .map(|line| line.value.as_str())
        .collect();
    assert_eq!(shown, ["b.pdf (999 B)", "x-ray.jpg (1,4 MiB)"]);
    let json = again.to_json();
    assert_eq!(json["attachments"][1]["name"], "x-ray.jpg");
    assert_eq!(json["attachments"][1]["length"], 1_449_000);
    for text in [json.to_string(), format!("{again:?}")] {
        assert!(
            !text.contains("abab") && !text.contains("171, 171"),
            "{text}"
        );
        assert!(!text.contains("key:"), "{text}");
    }

    draft.attach = vec!["h1".into(), "h3".into(), "h1".into()];
    let flaws = Notice::check(draft.clone(), &context).unwrap_err();
    let found: Vec<_> = flaws.iter().map(|f| (f.field.as_str(), f.code)).collect();
    assert_eq!(
        found,
        [
            ("attach[1]", FlawCode::NotUploaded),
            ("attach[2]", FlawCode::Repeated)
        ]
    );
    draft.attach = vec!["h1".into(); limits::ATTACHMENTS + 1];
    let flaws = Notice::check(draft, &context).unwrap_err();
    assert_eq!(flaws[0].code, FlawCode::TooMany);
}
