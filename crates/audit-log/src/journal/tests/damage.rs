use super::*;
use crate::journal::format::{BatchHeader, Keys, PAGE};

/// Three segments with batches of every size, bodies of zeros among them.
fn filled() -> (SimDisk, Vec<Record>) {
    let disk = SimDisk::new();
    let mut journal = create(disk.clone());
    let mut model = vec![record(0, 0, 0)];
    for round in 0..30u64 {
        let body = [0, 1, 700, 5000, 9000][round as usize % 5];
        let records = vec![record(round, body, 0), record(round, body / 2, 1)];
        model.extend(records.clone());
        journal = journal.append(vec![step(records)]).unwrap().0;
    }
    drop(journal);
    (disk, model)
}

fn segments(disk: &SimDisk) -> Vec<String> {
    let names = disk.list("journal").unwrap();
    let names = names.into_iter().filter(|n| n.ends_with(".seg"));
    names.map(|n| format!("journal/{n}")).collect()
}

/// Where the last batch of a segment begins and ends.
fn last_batch(disk: &SimDisk, path: &str, ordinal: u64) -> (u64, u64) {
    let bytes = disk.content(path).unwrap();
    let keys = Keys::new(&identity().key);
    let (mut at, mut last) = (PAGE, (0, 0));
    while let Some(h) = BatchHeader::decode(&bytes[at as usize..], &keys, ordinal, at) {
        last = (at, at + h.length);
        at += h.length;
        if at as usize >= bytes.len() {
            break;
        }
    }
    last
}

fn damage(disk: SimDisk) -> (String, u64, String) {
    match Journal::open(disk, SMALL) {
        Err(OpenError::Damaged {
            file, offset, what, ..
        }) => (file, offset, what),
        Err(e) => panic!("{e}"),
        Ok((_, found)) => panic!("opened: {found:?}"),
    }
}

#[test]
fn a_flipped_byte_is_damage_wherever_it_is() {
    let (disk, _) = filled();
    let paths = segments(&disk);
    assert!(paths.len() >= 3, "{paths:?}");
    let newest = paths.len() - 1;
    for (ordinal, path) in paths.iter().enumerate().skip(newest - 1) {
        let (last, end) = last_batch(&disk, path, ordinal as u64);
        // Every byte of headers and of the last batch's ends, a sample of the rest.
        let close = |at: u64| at < 40 || (last..last + 200).contains(&at) || at + 100 > end;
        for at in (0..end).filter(|&at| close(at) || at % 251 == 0) {
            for change in [0xff, 1 << (at % 8)] {
                let copy = disk.copy();
                copy.corrupt(path, |bytes| bytes[at as usize] ^= change);
                let before = copy.content(path);
                let (file, offset, what) = damage(copy.clone());
                assert_eq!(file, *path, "byte {at}: {what}");
                assert!(offset <= at, "byte {at}: {what} at {offset}");
                assert_eq!(copy.content(path), before, "nothing is changed");
            }
            // A byte lost to zero must not look like a sector that was never written.
            let copy = disk.copy();
            copy.corrupt(path, |bytes| bytes[at as usize] = 0);
            if copy.content(path) != disk.content(path) {
                damage(copy);
            }
        }
    }
}

#[test]
fn a_flipped_byte_in_an_old_segment_is_found_when_read() {
    let (disk, model) = filled();
    // With its node hashes written out, so that nothing needs the old segment.
    Journal::open(disk.clone(), SMALL)
        .unwrap()
        .0
        .close()
        .unwrap();
    let path = &segments(&disk)[0];
    let (last, _) = last_batch(&disk, path, 0);
    let damaged = disk.copy();
    damaged.corrupt(path, |bytes| bytes[last as usize + 400] ^= 1);
    let (journal, _) = Journal::open(damaged.clone(), SMALL).unwrap();
    let reader = journal.reader();
    let scanned: Result<Vec<_>, _> = reader.scan(LeafIndex(0)).collect();
    let named =
        |e: &crate::ReadError| matches!(e, crate::ReadError::Damaged { file, .. } if file == path);
    assert!(named(&scanned.unwrap_err()));
    let read = (0..model.len() as u64).map(|i| reader.read(LeafIndex(i)));
    let failed: Vec<_> = read.filter_map(Result::err).collect();
    assert_eq!(failed.len(), 1);
    assert!(named(&failed[0]));
}

/// Damage that is refused at this file and offset, with every byte of the journal as it was.
fn refused_at(disk: &SimDisk, file: &str, offset: u64, what: &str) {
    let bytes = |disk: &SimDisk| -> Vec<_> {
        let names = disk.list("journal").unwrap();
        let paths = names.into_iter().map(|name| format!("journal/{name}"));
        paths.map(|path| (disk.content(&path), path)).collect()
    };
    let before = bytes(disk);
    for crash in [None, Some(3)] {
        let disk = crash.map_or_else(|| disk.copy(), |seed| disk.crash(seed));
        let (named, at, said) = damage(disk.clone());
        assert_eq!((named.as_str(), at), (file, offset), "{said}");
        assert!(said.contains(what), "{said}");
        assert_eq!(bytes(&disk), before, "{said}");
    }
}

#[test]
fn missing_swapped_doubled_and_cut_segments_are_named() {
    let (disk, _) = filled();
    let paths = segments(&disk);
    assert!(paths.len() >= 3);
    for missing in 0..paths.len() - 1 {
        let gone = disk.copy();
        gone.remove(&paths[missing]);
        // By its ordinal and the digest of the header before it.
        refused_at(&gone, &paths[missing + 1], 0, "one is missing");
    }
    for (a, b) in [(0, 1), (1, 2), (0, 2)] {
        let swapped = disk.copy();
        let contents = [a, b].map(|i: usize| disk.content(&paths[i]).unwrap());
        let [one, two] = contents;
        swapped.corrupt(&paths[a], |bytes| *bytes = two);
        swapped.corrupt(&paths[b], |bytes| *bytes = one);
        refused_at(&swapped, &paths[a], 0, "another's name");
    }
    for (from, to) in [(0, 1), (1, 2), (1, 0), (2, 1)] {
        let doubled = disk.copy();
        let content = disk.content(&paths[from]).unwrap();
        doubled.corrupt(&paths[to], |bytes| *bytes = content);
        refused_at(&doubled, &paths[to], 0, "another's name");
    }
    // A second copy, under the name that the next segment would have, or one far above.
    for (from, name) in [(0, 500), (1, 500), (2, 70)] {
        let doubled = disk.copy();
        let path = format!("journal/{name:020}.seg");
        let file = doubled.create(&path).unwrap();
        let content = disk.content(&paths[from]).unwrap();
        crate::DiskFile::write_at(&file, &content, 0).unwrap();
        crate::DiskFile::sync_all(&file).unwrap();
        doubled.sync_dir("journal").unwrap();
        refused_at(&doubled, &path, 0, "another's name");
    }
    for path in &paths {
        let length = disk.content(path).unwrap().len() as u64;
        for cut in [length - 1, length / 2, PAGE] {
            let short = disk.copy();
            short.corrupt(path, |bytes| bytes.truncate(cut as usize));
            refused_at(&short, path, cut, "bytes long instead of");
        }
        for cut in [0, 1, PAGE - 1] {
            let short = disk.copy();
            short.corrupt(path, |bytes| bytes.truncate(cut as usize));
            refused_at(&short, path, 0, "header is wrong");
        }
        let long = disk.copy();
        long.corrupt(path, |bytes| bytes.extend([0; 512]));
        refused_at(&long, path, length, "bytes long instead of");
    }
    let foreign = disk.copy();
    let other = Keys::file(&[8; 32]);
    foreign.corrupt("journal/key", |bytes| *bytes = other);
    refused_at(&foreign, &paths[0], 0, "journal/key");
    let garbled = disk.copy();
    garbled.corrupt("journal/key", |bytes| bytes[9] ^= 1);
    refused_at(&garbled, "journal/key", 0, "not a journal's key");
}

#[test]
fn batches_swapped_or_doubled_within_a_segment_are_refused() {
    let disk = SimDisk::new();
    let mut journal = create(disk.clone());
    for time in 0..4 {
        let records = vec![record(time, 5000, 1)];
        journal = journal.append(vec![step(records)]).unwrap().0;
    }
    drop(journal);
    let newest = &segments(&disk)[0];
    let (last, at) = last_batch(&disk, newest, 0);
    let length = at - last;
    let (first, second) = (last - 2 * length, last - length);
    let place = |at: u64| at as usize..(at + length) as usize;
    let swapped = disk.copy();
    swapped.corrupt(newest, |bytes| {
        let one = bytes[place(first)].to_vec();
        bytes.copy_within(place(second), first as usize);
        bytes[place(second)].copy_from_slice(&one);
    });
    refused_at(&swapped, newest, first, "a later one is there");
    // A copy of an earlier batch behind the last one, where the next belongs.
    let doubled = disk.copy();
    doubled.corrupt(newest, |bytes| bytes.copy_within(place(first), at as usize));
    refused_at(&doubled, newest, at, "header of a batch is wrong");
}

#[test]
fn a_flipped_byte_in_an_old_segment_is_found_by_the_check_of_sealed_ones() {
    let (disk, model) = filled();
    let paths = segments(&disk);
    let sealed = paths.len() - 1;
    let (journal, _) = Journal::open(disk.clone(), SMALL).unwrap();
    let held: Vec<_> = journal
        .reader()
        .check_sealed()
        .map(|c| c.unwrap())
        .collect();
    assert!(held.iter().map(|c| &c.file).eq(&paths[..sealed]));
    let leaves: u64 = held.iter().map(|c| c.leaves).sum();
    assert!(leaves > 0 && leaves < model.len() as u64);
    for (ordinal, path) in paths[..sealed].iter().enumerate() {
        let (last, _) = last_batch(&disk, path, ordinal as u64);
        let before = disk.content(path).unwrap();
        let at = last + 200;
        disk.corrupt(path, |bytes| bytes[at as usize] ^= 1);
        let found: Vec<_> = journal.reader().check_sealed().collect();
        for (other, checked) in found.iter().enumerate() {
            match checked {
                Ok(_) => assert_ne!(other, ordinal),
                Err(crate::ReadError::Damaged { file, offset, .. }) => {
                    assert!(other == ordinal && file == path);
                    assert!((last..=at).contains(offset), "{offset}, {at}");
                }
                Err(e) => panic!("{e}"),
            }
        }
        disk.corrupt(path, |bytes| *bytes = before);
    }
}

#[test]
fn a_lost_end_is_damage_after_a_clean_stop_and_said_after_any_other() {
    let (disk, model) = filled();
    let (journal, _) = Journal::open(disk.clone(), SMALL).unwrap();
    journal.close().unwrap();
    let paths = segments(&disk);
    let newest = paths.last().unwrap();
    let (last, end) = last_batch(&disk, newest, paths.len() as u64 - 1);
    let zeroed = disk.copy();
    zeroed.corrupt(newest, |bytes| bytes[last as usize..end as usize].fill(0));
    assert!(damage(zeroed.clone()).2.contains("clean stop"));
    let gone = disk.copy();
    gone.remove(newest);
    assert!(damage(gone).2.contains("clean stop"));
    // Without the mark it looks like a write that never came; the view remembers more.
    zeroed.remove("journal/clean");
    let (_, found) = Journal::open(zeroed, SMALL).unwrap();
    assert_eq!(found.size + found.tiles_ahead, model.len() as u64);
    assert!(found.tiles_ahead > 0);
    let garbled = disk.copy();
    garbled.corrupt("journal/clean", |bytes| bytes[20] ^= 1);
    assert_eq!(damage(garbled).0, "journal/clean");
}

#[test]
fn a_hole_before_a_later_batch_is_damage_not_a_torn_tail() {
    let (disk, _) = filled();
    let paths = segments(&disk);
    let newest = paths.last().unwrap();
    let holed = disk.copy();
    holed.corrupt(newest, |bytes| {
        bytes[PAGE as usize..PAGE as usize + 512].fill(0)
    });
    let (file, offset, what) = damage(holed);
    assert_eq!((&file, offset), (newest, PAGE));
    assert!(what.contains("a later one"), "{what}");
}

/// A record whose body is `body`.
fn with_body(body: Vec<u8>) -> Record {
    record(1, 0, 0).with_body(&v1::BodyPart {
        stanzas: vec![],
        body: body.into(),
    })
}

/// A torn batch with a body that holds, exactly where a later batch could begin, the header of one.
fn torn_with_imitation(header: &[u8]) -> Result<Recovery, OpenError> {
    const LENGTH: usize = 3 * PAGE as usize;
    let disk = SimDisk::new();
    let journal = create(disk.clone());
    let path = segments(&disk)[0].clone();
    // Where the body comes to lie.
    let probe = disk.copy();
    let (other, _) = Journal::open(probe.clone(), SMALL).unwrap();
    let _ = other.append(vec![step(vec![with_body(vec![0x77; LENGTH])])]);
    let written = probe.content(&path).unwrap();
    let start = written.windows(64).position(|w| w == [0x77; 64]).unwrap();
    let aligned = start.next_multiple_of(PAGE as usize);
    let mut body = vec![0x77; LENGTH];
    body[aligned - start..][..header.len()].copy_from_slice(header);
    let whole = with_body(body);
    let (journal, _) = journal.append(vec![step(vec![whole.clone()])]).unwrap();
    assert_eq!(all(&journal)[1], whole);
    assert_eq!(Journal::open(disk.copy(), SMALL).unwrap().1.size, 2);
    let written = disk.content(&path).unwrap();
    // The test is one only if the imitation really lies there, in the clear.
    assert_eq!(&written[aligned..aligned + header.len()], header);
    let (last, _) = last_batch(&disk, &path, 0);
    disk.corrupt(&path, |bytes| {
        bytes[last as usize + 512..last as usize + 1024].fill(0)
    });
    Journal::open(disk, SMALL).map(|opened| opened.1)
}

#[test]
fn a_body_that_imitates_batches_confuses_nothing() {
    let later = BatchHeader {
        number: 900,
        first: 1,
        leaves: 1,
        outside: 0,
        length: PAGE,
        content: 77,
        previous_commit: abeng_wire::Digest([9; 32]),
    };
    // The page that the imitation comes to lie on.
    let there = 3 * PAGE;
    let own = Keys::new(&identity().key);
    // By who does not know the key; and a true one of this journal, from another place or segment.
    for header in [
        later.encode(&Keys::new(&[8; 32]), 0, there),
        later.encode(&own, 0, there + PAGE),
        later.encode(&own, 1, there),
    ] {
        let found = torn_with_imitation(&header).unwrap();
        assert_eq!((found.size, found.torn_tail.unwrap().offset), (1, 2 * PAGE));
    }
    // Only the key's holder could: then it is the sign of damage that it should be.
    let forged = torn_with_imitation(&later.encode(&own, 0, there));
    assert!(
        matches!(forged, Err(OpenError::Damaged { .. })),
        "{forged:?}"
    );
}

#[test]
fn no_sector_of_a_batch_is_zero_whatever_the_bodies() {
    let disk = SimDisk::new();
    let mut journal = create(disk.clone());
    for body in [100, 511, 4096, 20_000] {
        for fill in [0, 1] {
            journal = journal
                .append(vec![step(vec![record(1, body, fill)])])
                .unwrap()
                .0;
        }
    }
    drop(journal);
    let path = &segments(&disk)[0];
    let (_, end) = last_batch(&disk, path, 0);
    let bytes = disk.content(path).unwrap();
    for sector in bytes[..end as usize].chunks(512) {
        assert!(sector.iter().filter(|&&b| b != 0).count() > 2);
    }
}

#[test]
fn bytes_behind_the_end_of_a_sealed_segment_are_damage() {
    let (disk, _) = filled();
    let paths = segments(&disk);
    let sealed = &paths[paths.len() - 2];
    let (_, end) = last_batch(&disk, sealed, paths.len() as u64 - 2);
    // Not where a header would be looked for.
    let beyond = end as usize + 700;
    assert!(disk.corrupt(sealed, |bytes| bytes[beyond] = 1));
    let (file, offset, _) = damage(disk);
    assert_eq!((&file, offset), (sealed, end));
}
