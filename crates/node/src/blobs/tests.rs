use super::*;
use abeng_keys::SystemEntropy;
use abeng_seal::{AttachmentKey, AttachmentSealer};
use std::io::Write;

const PIECE: usize = limits::ATTACHMENT_PIECE;

fn cipher(length: usize) -> (Vec<u8>, Pieces) {
    let key = AttachmentKey::generate(&mut SystemEntropy);
    let (mut sealer, mut out) = (AttachmentSealer::new(&key), Vec::new());
    sealer.write(&vec![7; length], &mut out).unwrap();
    sealer.finish(&mut out).unwrap();
    let mut hasher = PieceHasher::default();
    hasher.update(&out);
    (out, hasher.finish().unwrap())
}

fn blobs(dir: &tempfile::TempDir) -> Blobs {
    Blobs::open(&Layout::new(dir.path())).unwrap()
}

fn part(blobs: &Blobs, of: AttachmentRef) -> PathBuf {
    blobs.part_path(&of.root)
}

#[test]
fn what_an_officer_gives_becomes_a_blob() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = blobs(&dir);
    let (bytes, pieces) = cipher(2 * PIECE + 5);
    let of = pieces.of();
    blobs.begin_new("h1").unwrap().write_all(&bytes).unwrap();
    assert!(blobs.begin_new("h1").is_err(), "a handle is used once");
    assert!(!blobs.has(of));
    blobs.keep_new("h1", &pieces).unwrap();
    blobs.keep_new("h1", &pieces).unwrap();
    assert!(blobs.has(of));
    assert_eq!(blobs.pieces(of).unwrap(), pieces);
    for (i, piece) in bytes.chunks(PIECE).enumerate() {
        assert_eq!(blobs.read_piece(&pieces, i as u64).unwrap(), piece);
    }
    fs::remove_file(blobs.list_path(&of.root)).unwrap();
    assert_eq!(blobs.pieces(of).unwrap(), pieces, "computed again");
    blobs.delete(&of.root).unwrap();
    blobs.delete(&of.root).unwrap();
    assert!(!blobs.has(of));
    assert!(matches!(blobs.pieces(of), Err(BlobError::Absent)));
}

#[test]
fn a_start_forgets_what_was_half_given() {
    let dir = tempfile::tempdir().unwrap();
    blobs(&dir).begin_new("h1").unwrap();
    let again = blobs(&dir);
    assert!(again.begin_new("h1").is_ok());
}

#[test]
fn a_broken_off_blob_goes_on_behind_its_last_good_piece() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = blobs(&dir);
    let (bytes, pieces) = cipher(4 * PIECE);
    let of = pieces.of();
    assert!(blobs.resume(of).unwrap().is_none(), "its list has not come");
    let all: Vec<&[u8]> = bytes.chunks(PIECE).collect();
    let mut partial = blobs.begin(pieces.clone()).unwrap();
    for piece in &all[..3] {
        partial.put(piece).unwrap();
    }
    drop(partial);
    // The third was being written when the power failed; a part of a fourth is there too.
    let mut torn = fs::read(part(&blobs, of)).unwrap();
    torn[2 * PIECE + 9] ^= 1;
    torn.extend_from_slice(&all[3][..100]);
    fs::write(part(&blobs, of), torn).unwrap();
    let mut partial = blobs.resume(of).unwrap().unwrap();
    assert_eq!(partial.good(), 2);
    assert!(!blobs.has(of));
    for piece in &all[2..] {
        assert!(!partial.is_whole());
        partial.put(piece).unwrap();
    }
    assert!(partial.is_whole());
    blobs.complete(partial).unwrap();
    assert!(blobs.has(of));
    assert_eq!(fs::read(blobs.path(&of.root)).unwrap(), bytes);
}

#[test]
fn a_wrong_piece_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = blobs(&dir);
    let (bytes, pieces) = cipher(2 * PIECE);
    let mut partial = blobs.begin(pieces.clone()).unwrap();
    let second = &bytes[PIECE..2 * PIECE];
    for wrong in [second, &bytes[..PIECE - 1], &[]] {
        assert!(matches!(partial.put(wrong), Err(BlobError::Damaged)));
    }
    assert_eq!(blobs.arrived(pieces.of()), 0);
    assert!(matches!(blobs.complete(partial), Err(BlobError::Absent)));
    assert!(!blobs.has(pieces.of()));
}

#[test]
fn damage_on_the_disk_is_found_and_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = blobs(&dir);
    let (mut bytes, pieces) = cipher(PIECE);
    let of = pieces.of();
    bytes[9] ^= 1;
    blobs.begin_new("h1").unwrap().write_all(&bytes).unwrap();
    blobs.keep_new("h1", &pieces).unwrap();
    let read = blobs.read_piece(&pieces, 0);
    assert!(matches!(read, Err(BlobError::Damaged)));
    assert!(blobs.damaged().is_empty());
    blobs.set_aside(&of.root).unwrap();
    assert!(!blobs.has(of));
    // It is known, also to the next start, until somebody takes it away.
    let [aside] = &blobs.damaged()[..] else {
        panic!("{:?}", blobs.damaged());
    };
    let again = Blobs::open(&Layout::new(dir.path())).unwrap();
    assert_eq!(&again.damaged()[..], std::slice::from_ref(aside));
    fs::remove_file(aside).unwrap();
    assert!(blobs.damaged().is_empty() && again.damaged().is_empty());
    let read = blobs.read_piece(&pieces, 0);
    assert!(matches!(read, Err(BlobError::Absent)));
}

#[test]
fn only_what_is_old_counts_as_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = blobs(&dir);
    let (bytes, pieces) = cipher(10);
    blobs.begin_new("h1").unwrap().write_all(&bytes).unwrap();
    blobs.keep_new("h1", &pieces).unwrap();
    assert!(
        blobs
            .untouched(Duration::from_secs(3600))
            .unwrap()
            .is_empty()
    );
    let file = File::open(blobs.path(&pieces.of().root)).unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(7200);
    file.set_modified(long_ago).unwrap();
    let old = blobs.untouched(Duration::from_secs(3600)).unwrap();
    assert_eq!(old, [pieces.of().root]);
}
