use super::*;
use abeng_wire::Hash32;
use proptest::prelude::*;

const PIECE: usize = limits::ATTACHMENT_PIECE;

fn key(byte: u8) -> AttachmentKey {
    AttachmentKey::from_slice(&[byte; 32]).unwrap()
}

fn file(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i / 7) as u8).collect()
}

/// Encrypts in steps of `step` bytes.
fn sealed(plain: &[u8], step: usize) -> (Vec<u8>, Pieces) {
    let (mut sealer, mut out) = (AttachmentSealer::new(&key(7)), Vec::new());
    let mut hasher = PieceHasher::default();
    let mut done = 0;
    for part in plain.chunks(step) {
        sealer.write(part, &mut out).unwrap();
        hasher.update(&out[done..]);
        done = out.len();
    }
    assert_eq!(sealer.finish(&mut out).unwrap(), plain.len() as u64);
    hasher.update(&out[done..]);
    (out, hasher.finish().unwrap())
}

fn opened(by: &AttachmentKey, cipher: &[u8]) -> Result<Vec<u8>, AttachmentFault> {
    let mut opener = AttachmentOpener::new(by, cipher.len() as u64)?;
    let (mut rest, mut plain) = (cipher, Vec::new());
    while opener.rest() > 0 {
        let (chunk, later) = rest.split_at(opener.next_len());
        plain.extend_from_slice(opener.open(&mut chunk.to_vec())?);
        rest = later;
    }
    Ok(plain)
}

/// Plain lengths around the edges of chunks, and those whose ciphertext is about a piece.
fn edges() -> Vec<usize> {
    let piece = attached_len(PIECE as u64).unwrap() as usize;
    let mut all = vec![1, 2, 65_535, 65_536, 65_537, 131_072, 131_073];
    all.extend([piece - 1, piece, piece + 1, 3 * PIECE]);
    all
}

#[test]
fn every_size_goes_there_and_back_whatever_the_steps() {
    for length in edges() {
        let plain = file(length);
        let (cipher, pieces) = sealed(&plain, 10_007);
        assert_eq!(Some(cipher.len() as u64), attachment_len(length as u64));
        assert_eq!(attached_len(cipher.len() as u64), Some(length as u64));
        assert_eq!(opened(&key(7), &cipher).unwrap(), plain, "{length}");
        assert_eq!(sealed(&plain, length), (cipher.clone(), pieces.clone()));
        for (i, piece) in cipher.chunks(PIECE).enumerate() {
            assert_eq!(pieces.check(i as u64, piece), Ok(()));
        }
        assert_eq!(pieces.of().pieces(), cipher.chunks(PIECE).len() as u64);
    }
}

/// Chunk, tag, nonce, aad and root as PROTOCOL.md has them, written a second time.
#[test]
fn the_bytes_are_those_of_the_protocol() {
    use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
    let plain = file(2 * PIECE + 5);
    let (cipher, pieces) = sealed(&plain, 65_536);
    let chacha = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &[7; 32]).unwrap());
    let mut expected = Vec::new();
    let chunks: Vec<&[u8]> = plain.chunks(65_536).collect();
    for (i, chunk) in chunks.iter().enumerate() {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&(i as u64).to_be_bytes());
        nonce[11] = u8::from(i + 1 == chunks.len());
        let mut chunk = chunk.to_vec();
        let aad = b"DSSEv1 18 abeng/1/attachment 0 ";
        let nonce = Nonce::assume_unique_for_key(nonce);
        chacha
            .seal_in_place_append_tag(nonce, Aad::from(aad), &mut chunk)
            .unwrap();
        expected.extend_from_slice(&chunk);
    }
    assert_eq!(cipher, expected);
    let sha = |parts: &[&[u8]]| -> Hash32 {
        let whole = parts.concat();
        let digest = ring::digest::digest(&ring::digest::SHA256, &whole);
        digest.as_ref().try_into().unwrap()
    };
    let leaves: Vec<Hash32> = cipher.chunks(PIECE).map(|p| sha(&[&[0], p])).collect();
    assert_eq!(leaves.len(), 3);
    let left = sha(&[&[1], &leaves[0], &leaves[1]]);
    assert_eq!(pieces.of().root, sha(&[&[1], &left, &leaves[2]]));
}

#[test]
fn chunks_cannot_be_cut_moved_added_or_repeated() {
    let (cipher, _) = sealed(&file(3 * 65_536), 65_536);
    let (a, b, c) = (
        &cipher[..ATTACHMENT_CHUNK],
        &cipher[ATTACHMENT_CHUNK..2 * ATTACHMENT_CHUNK],
        &cipher[2 * ATTACHMENT_CHUNK..],
    );
    for bad in [
        [a, b].concat(),
        [b, a, c].concat(),
        [a, a, c].concat(),
        [a, b, c, c].concat(),
        [a, b, c, &[0; 17]].concat(),
        cipher[..cipher.len() - 1].to_vec(),
    ] {
        let fault = opened(&key(7), &bad).unwrap_err();
        assert!(matches!(fault, AttachmentFault::Chunk(_)), "{fault}");
    }
    assert_eq!(opened(&key(8), &cipher), Err(AttachmentFault::Chunk(0)));
    assert_eq!(
        opened(&key(7), &cipher[..16]),
        Err(AttachmentFault::Length(16))
    );
}

#[test]
fn empty_and_too_long_are_refused() {
    let mut out = Vec::new();
    assert_eq!(
        AttachmentSealer::new(&key(7)).finish(&mut out),
        Err(AttachmentFault::Empty)
    );
    assert_eq!(attachment_len(0), None);
    assert_eq!(attached_len(0), None);
    assert_eq!(attached_len(16), None);
    assert_eq!(attached_len(17), Some(1));
    // A last chunk of a tag alone is none.
    assert_eq!(attached_len(ATTACHMENT_CHUNK as u64 + 16), None);
    let most = attached_len(limits::ATTACHMENT).unwrap_or_else(|| {
        let tags = limits::ATTACHMENT.div_ceil(ATTACHMENT_CHUNK as u64) * 16;
        limits::ATTACHMENT - tags
    });
    assert!(attachment_len(most).is_some());
    assert_eq!(attachment_len(most + 17), None);
    assert_eq!(attachment_len(u64::MAX), None);
    assert_eq!(attached_len(u64::MAX), None);
}

#[test]
fn a_list_or_a_piece_that_does_not_belong_is_refused() {
    let (cipher, pieces) = sealed(&file(2 * PIECE), 65_536);
    let (of, hashes) = (pieces.of(), pieces.hashes().to_vec());
    assert_eq!(Pieces::verified(of, hashes.clone()), Ok(pieces.clone()));
    let count = |found| Err(BadPieces::Count { expected: 3, found });
    assert_eq!(Pieces::verified(of, hashes[..2].to_vec()), count(2));
    let more = [&hashes[..], &[[0; 32]]].concat();
    assert_eq!(Pieces::verified(of, more), count(4));
    let mut swapped = hashes.clone();
    swapped.swap(0, 1);
    assert_eq!(Pieces::verified(of, swapped), Err(BadPieces::Root));
    let longer = AttachmentRef { length: 16, ..of };
    assert_eq!(Pieces::verified(longer, hashes), Err(BadPieces::Length(16)));
    assert_eq!(pieces.check(0, &cipher[..PIECE]), Ok(()));
    for (index, piece) in [
        (1, &cipher[..PIECE]),
        (0, &cipher[..PIECE - 1]),
        (0, &cipher[..PIECE + 1]),
        (2, &cipher[2 * PIECE..cipher.len() - 1]),
        (3, &[]),
        (u64::MAX, &[]),
    ] {
        assert_eq!(pieces.check(index, piece), Err(BadPiece(index)));
    }
}

#[test]
fn a_key_is_not_shown() {
    assert_eq!(format!("{:?}", key(0xab)), "AttachmentKey(…)");
}

proptest! {
    #[test]
    fn lengths_go_there_and_back(plain in 1u64..2_146_000_000) {
        let cipher = attachment_len(plain).unwrap();
        prop_assert_eq!(attached_len(cipher), Some(plain));
    }

    #[test]
    fn a_flipped_bit_is_found(at in 0usize..70_016, bit in 0u8..8) {
        let (mut cipher, pieces) = sealed(&file(69_984), 65_536);
        prop_assert_eq!(cipher.len(), 70_016);
        cipher[at] ^= 1 << bit;
        prop_assert!(opened(&key(7), &cipher).is_err());
        prop_assert_eq!(pieces.check(0, &cipher), Err(BadPiece(0)));
    }
}
