use super::*;
use crate::checkpoint::note::{Kind, signature_line};
use abeng_keys::SoftSigner;

/// The same second as the roster's founding, and later ones.
const SECOND: u64 = crate::fixture::NOW / 1000;

fn line(witness: &str, time: u64, checkpoint: &Checkpoint) -> String {
    let network = network().trust.roster.network();
    let signer = crate::fixture::network().keys(witness).witness();
    let signed = Cosignature::sign(checkpoint.text(), (network, code(witness)), time, &**signer);
    signed.unwrap().line().to_owned()
}

fn with(checkpoint: &Checkpoint, lines: &[String]) -> Result<CosignedCheckpoint, NoteError> {
    let note = [&checkpoint.note()[..], lines.concat().as_bytes()].concat();
    CosignedCheckpoint::verify(&note.into(), &network().trust.roster)
}

fn parties(cosigned: &CosignedCheckpoint) -> Vec<(String, u64)> {
    let by = cosigned.by().iter();
    by.map(|by| (by.party.to_string(), by.at / 1000)).collect()
}

#[test]
fn a_line_is_as_c2sp_says() {
    let ours = signed(300);
    let line = line("JM", SECOND, &ours);
    let rest = line.strip_prefix("— abeng/test/JM/witness ").unwrap();
    let bytes = BASE64.decode(rest.trim_end().as_bytes()).unwrap();
    assert_eq!(bytes.len(), 4 + 8 + 64);
    assert_eq!(bytes[4..12], SECOND.to_be_bytes());
    let key = network().keys("JM").witness().verify_key().clone();
    let id = crate::record::sha256(&[b"abeng/test/JM/witness\n\x04", &key.bytes()[..]].concat());
    assert_eq!(bytes[..4], id.0[..4]);
    let note = std::str::from_utf8(ours.note()).unwrap();
    let body = note.split("\n\n").next().unwrap();
    let message = format!("cosignature/v1\ntime {SECOND}\n{body}\n");
    key.verify_message(message.as_bytes(), &bytes[12..])
        .unwrap();
}

#[test]
fn a_quorum_of_witnesses_and_its_time() {
    let ours = signed(300);
    let none = with(&ours, &[]).unwrap();
    assert_eq!(
        (none.needed(), none.of(), none.witnessed_at()),
        (Some(2), 2, None)
    );
    let one = with(&ours, &[line("JM", SECOND + 5, &ours)]).unwrap();
    assert_eq!((parties(&one).len(), one.witnessed_at()), (1, None));
    let lines = [line("JM", SECOND + 5, &ours), line("LC", SECOND + 3, &ours)];
    let both = with(&ours, &lines).unwrap();
    let expected = [("LC".to_owned(), SECOND + 3), ("JM".to_owned(), SECOND + 5)];
    assert_eq!(parties(&both), expected);
    assert_eq!(both.witnessed_at(), Some((SECOND + 5) * 1000));
    // Line by line, as they come in.
    let roster = &network().trust.roster;
    let second = Cosignature::verify(&lines[1], &ours, roster).unwrap();
    assert_eq!((second.witness(), second.time()), (code("LC"), SECOND + 3));
    let grown = one.with(&second, roster).unwrap();
    assert_eq!(parties(&grown), expected);
    assert_eq!(grown.with(&second, roster).unwrap(), grown);
}

#[test]
fn repeated_lines_count_once_and_strangers_not_at_all() {
    let ours = signed(300);
    let twice = [line("JM", SECOND + 5, &ours), line("JM", SECOND + 4, &ours)];
    let found = with(&ours, &twice).unwrap();
    assert_eq!(parties(&found), [("JM".to_owned(), SECOND + 4)]);
    // The log's own party is no witness; nor is a name with another's key.
    let own = line("TT", SECOND, &ours);
    assert_eq!(with(&ours, &[own]).unwrap().by(), []);
    let key = network().keys("LC").witness().verify_key();
    let unknown = signature_line("abeng/test/JM/witness", Kind::Witness, key, &[7; 72]);
    let elsewhere = signature_line("abeng/other/LC/witness", Kind::Witness, key, &[7; 72]);
    assert_eq!(with(&ours, &[unknown, elsewhere]).unwrap().by(), []);
}

#[test]
fn a_witness_line_that_does_not_hold_refuses_the_note() {
    let ours = signed(300);
    let refused = Err(NoteError::BadCosignature { party: code("LC") });
    let other = line("LC", SECOND, &signed(301));
    assert_eq!(with(&ours, &[line("JM", SECOND, &ours), other]), refused);
    // Time 0, though signed.
    assert_eq!(with(&ours, &[line("LC", 0, &ours)]), refused);
    let key = network().keys("LC").witness().verify_key();
    for length in [1, 8, 71, 73] {
        let bytes = vec![1; length];
        let short = signature_line("abeng/test/LC/witness", Kind::Witness, key, &bytes);
        assert_eq!(with(&ours, &[short]), refused);
    }
    // A log's signature under a witness's name is one of another key ID, so nobody's.
    let plain = network()
        .keys("LC")
        .witness()
        .sign_message(ours.text().as_bytes());
    let plain = signature_line("abeng/test/LC/witness", Kind::Log, key, &plain.unwrap());
    assert_eq!(with(&ours, &[plain]).unwrap().by(), []);
    // The other way round it is the log's line that is missing.
    let roster = &network().trust.roster;
    let bare = format!("{}\n{}", ours.text(), line("JM", SECOND, &ours));
    assert_eq!(
        CosignedCheckpoint::verify(&bare.into(), roster),
        Err(NoteError::Unsigned)
    );
}

#[test]
fn a_key_says_nothing_outside_of_its_time() {
    let ours = signed(300);
    let before = line("LC", 1, &ours);
    let after = line("LC", u64::MAX / 1000, &ours);
    assert_eq!(with(&ours, &[before, after]).unwrap().by(), []);
}

#[test]
fn one_line_alone_is_verified_as_in_a_note() {
    let ours = signed(300);
    let roster = &network().trust.roster;
    let good = line("JM", SECOND, &ours);
    let verify = |line: &str| Cosignature::verify(line, &ours, roster);
    assert!(verify(&good).is_ok());
    assert!(matches!(
        verify(good.trim_end()),
        Err(NoteError::Form { .. })
    ));
    assert!(matches!(
        verify(&format!("{good}{good}")),
        Err(NoteError::Form { .. })
    ));
    assert_eq!(verify(&line("TT", SECOND, &ours)), Err(NoteError::Unsigned));
    let stranger = SoftSigner::from_seed(&[9; 32]).unwrap();
    let network = network().trust.roster.network();
    let forged = Cosignature::sign(ours.text(), (network, code("JM")), SECOND, &stranger).unwrap();
    assert_eq!(verify(forged.line()), Err(NoteError::Unsigned));
    let other = line("JM", SECOND, &signed(301));
    assert_eq!(
        verify(&other),
        Err(NoteError::BadCosignature { party: code("JM") })
    );
}

proptest! {
    #[test]
    fn one_changed_byte_never_adds_a_witness(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let ours = signed(300);
        let lines = [line("JM", SECOND, &ours), line("LC", SECOND, &ours)].concat();
        let note = [&ours.note()[..], lines.as_bytes()].concat();
        let mut changed = note.clone();
        let at = at.index(changed.len());
        changed[at] = byte;
        let roster = &network().trust.roster;
        let found = CosignedCheckpoint::verify(&changed.clone().into(), roster);
        if changed == note {
            prop_assert_eq!(found.unwrap().by().len(), 2);
        } else {
            prop_assert!(found.is_ok_and(|f| f.by().len() < 2) || CosignedCheckpoint::verify(&changed.into(), roster).is_err());
        }
    }
}
