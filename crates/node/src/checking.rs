//! The log's older segments, read again in the background: a start reads only the newest two
//! whole, and what nobody reads for years rots unnoticed. Damage ends the node, as anywhere else.

use crate::{fatal::Fatal, shared::Shared};
use abeng_audit_log::{Disk, ReadError, Reader, SealedCheck};
use std::{sync::Arc, time::Duration};

/// From the start of the node to the first check; by then the links are up.
const FIRST: Duration = Duration::from_secs(120);
/// From the end of one check to the next.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// Between two segments, so that the disk is free for the journal nearly all the time.
const REST: Duration = Duration::from_secs(2);

/// The worker. Ends with the node.
pub async fn work(shared: Arc<Shared>) {
    tokio::time::sleep(FIRST).await;
    loop {
        check(shared.reader.clone(), &shared.fatal, REST).await;
        tokio::time::sleep(EVERY).await;
    }
}

/// Reads all sealed segments once. What does not hold ends the node.
async fn check<D: Disk>(reader: Reader<D>, fatal: &Fatal, rest: Duration) {
    let mut segments = reader.check_sealed();
    let (mut count, mut leaves) = (0u64, 0u64);
    loop {
        let step = move || -> (SealedCheck<D>, _) {
            let checked = segments.next();
            (segments, checked)
        };
        let Ok((rest_of_them, checked)) = tokio::task::spawn_blocking(step).await else {
            return;
        };
        segments = rest_of_them;
        match checked {
            None => break,
            Some(Ok(segment)) => {
                count += 1;
                leaves += segment.leaves;
            }
            Some(Err(damage @ ReadError::Damaged { .. })) => {
                tracing::error!(error = %damage, "an older part of the journal is damaged");
                fatal.stop(&damage.to_string());
                return;
            }
            // A disk that cannot read a file now may read it tomorrow.
            Some(Err(error)) => {
                tracing::error!(error = %error, "an older part of the journal cannot be checked");
            }
        }
        tokio::time::sleep(rest).await;
    }
    tracing::info!(segments = count, leaves, "the older segments hold");
}

#[cfg(test)]
mod tests {
    use super::*;
    use abeng_audit_log::{
        Access, Batch, DiskFile, Journal, JournalIdentity, OpenOptions, RealDisk, Record, Step,
    };
    use abeng_wire::v1;

    const SMALL: OpenOptions = OpenOptions {
        segment_bytes: 64 * 1024,
    };

    fn step(fill: u8) -> Step<()> {
        let body = v1::BodyPart {
            stanzas: vec![],
            body: vec![fill; 20_000].into(),
        };
        let leaf = v1::Leaf {
            version: 1,
            ..Default::default()
        };
        Step {
            facts: vec![Record::new(leaf).with_body(&body)],
            gated: vec![],
        }
    }

    #[tokio::test]
    async fn damage_in_an_old_segment_ends_the_node_with_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let disk = RealDisk::new(dir.path());
        let identity = JournalIdentity { key: [1; 32] };
        let first = Batch::from(vec![step(1)]);
        let mut journal = Journal::create(disk.clone(), identity, SMALL, first).unwrap();
        for fill in 2..14 {
            journal = journal.append(vec![step(fill)]).unwrap().0;
        }
        let fatal = Fatal::new();
        check(journal.reader(), &fatal, Duration::ZERO).await;
        let quiet = tokio::time::timeout(Duration::ZERO, fatal.stopped()).await;
        assert!(quiet.is_err(), "a whole log: {quiet:?}");

        let old = "journal/00000000000000000000.seg";
        let file = disk.open(old, Access::Write).unwrap();
        file.write_at(&[9], 9000).unwrap();
        check(journal.reader(), &fatal, Duration::ZERO).await;
        let why = tokio::time::timeout(Duration::ZERO, fatal.stopped()).await;
        let why = why.expect("damage ends the node");
        assert!(
            why.contains(old) && why.contains("damaged at byte"),
            "{why}"
        );
    }
}
