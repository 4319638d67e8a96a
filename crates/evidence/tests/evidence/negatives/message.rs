use super::*;

#[test]
fn another_version() {
    made(|e| e.version = 2, Part::Message, "version is 2");
    made(|e| e.version = 0, Part::Message, "version is 0");
}

#[test]
fn encodings_that_are_not_the_canonical_one() {
    let message = encode(&net().story().evidence());
    let unknown_field = [&message[..], &[0xfa, 0x01, 0]].concat();
    let version_last = [&message[2..], &message[..2]].concat();
    let long_number = [&[0x08, 0x81, 0x00], &message[2..]].concat();
    let twice = [&message[..2], &message[..]].concat();
    for bad in [unknown_field, version_last, long_number, twice] {
        let fault = verify(&framed(&bad), None).unwrap_err();
        assert_eq!(fault.part, Part::Message, "{fault}");
    }
    let fault = verify(&framed(&[0xff; 40]), None).unwrap_err();
    assert!(fault.to_string().contains("not protobuf"), "{fault}");
}

#[test]
fn the_offset_is_that_of_the_part() {
    let mut evidence = net().story().evidence();
    evidence.sig = vec![0x5a; 64].into();
    let file = file(&evidence);
    let fault = verify(&file, None).unwrap_err();
    assert_eq!(file[fault.offset..fault.offset + 64], [0x5a; 64]);
    assert_eq!(
        fault.to_string().split(':').next().unwrap(),
        format!("the originator's signature, at byte {}", fault.offset)
    );
}

#[test]
fn another_root_than_the_one_that_was_founded() {
    let fault = verify(&file(&net().story().evidence()), Some(Digest([0; 32])));
    assert_eq!(fault.unwrap_err().part, Part::Root(0));
}
