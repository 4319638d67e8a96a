use crate::{
    Fact, Fault, Part, Verdict, Why,
    conclude::{Proven, conclude},
    fault::Failing,
    frame::{FileKind, unframe},
    leaves::About,
    logs::{Logs, Proved},
};
use abeng_roster::{BrokenChain, Chain, ChainPlace, Roster};
use abeng_seal::{ContentKey, DisclosureFault, HeaderFault, OpenStep, SignedHeader};
use abeng_wire::{Digest, decode, limits, v1};
use bytes::Bytes;

/// Judges an evidence file with nothing else at hand. `root` is the digest of the network's first
/// root as the reader knows it from elsewhere; without it the verdict says what to compare.
///
/// # Errors
/// The part that fails, its place in the file, and why. A file is refused as a whole.
pub fn verify(file: &Bytes, root: Option<Digest>) -> Result<Verdict, Fault> {
    let message = unframe(FileKind::Evidence, file)?;
    let begin = FileKind::Evidence.first_line().len();
    judge(&message, root).map_err(|failing| failing.placed(begin, &message))
}

fn judge(message: &Bytes, root: Option<Digest>) -> Result<Verdict, Failing> {
    let whole = |why: Why| Failing::new(Part::Message, why);
    let file: v1::Evidence =
        decode("evidence", message, limits::EVIDENCE).map_err(|e| whole(e.into()))?;
    if file.version != 1 {
        let found = file.version;
        return Err(whole(Why::Version { found }));
    }
    let chain = walk(&file.roots, &file.rosters, root)?;
    let (header, roster) = header(&file, &chain)?;
    let about = About {
        header: &header,
        chain: &chain,
        content: !file.content_key.is_empty(),
    };
    about
        .roster(header.pre().roster.as_ref())
        .map_err(|why| Failing::new(Part::Hdr, why))?;
    let content = content(&file, &header)?;
    let logs = Logs::judge(&file.logs, &about)?;
    let exported = exported(&logs)?;
    Ok(conclude(Proven {
        chain: &chain,
        pinned: root.is_some(),
        header: &header,
        roster,
        logs,
        exported,
        content,
    }))
}

/// Walks roots and rosters and says which of them fails.
pub(crate) fn walk(
    roots: &[v1::Signed],
    rosters: &[v1::Signed],
    root: Option<Digest>,
) -> Result<Chain, Failing> {
    Chain::walk(roots, rosters, root).map_err(|BrokenChain { at, source }| {
        let part = match at {
            ChainPlace::Root(nth) => Part::Root(nth),
            ChainPlace::Roster(nth) => Part::Roster(nth),
        };
        Failing::new(part, source)
    })
}

/// HDR and SIG by the newest roster that they hold under, and which that is.
fn header<'a>(
    file: &v1::Evidence,
    chain: &'a Chain,
) -> Result<(SignedHeader, &'a Roster), Failing> {
    let mut why = None;
    for roster in chain.rosters() {
        match SignedHeader::verify(&file.hdr, &file.sig, roster) {
            Ok(header) => return Ok((header, roster)),
            Err(e) => why = why.or(Some(e)),
        }
    }
    let why = why.unwrap_or(HeaderFault::Signature);
    let part = match why {
        HeaderFault::Signature => Part::Sig,
        _ => Part::Hdr,
    };
    Err(Failing::new(part, why))
}

/// The notice, where body and key are there; one without the other discloses nothing.
fn content(file: &v1::Evidence, header: &SignedHeader) -> Result<Option<Bytes>, Failing> {
    match (file.body.is_empty(), file.content_key.is_empty()) {
        (true, true) => return Ok(None),
        (false, true) => {
            let rule = "a body comes with the key that discloses it";
            return Err(Failing::rule(Part::Body, rule));
        }
        (true, false) => {
            let rule = "a content key comes with the body that it discloses";
            return Err(Failing::rule(Part::ContentKey, rule));
        }
        (false, false) => {}
    }
    let rule = "a content key has 32 bytes";
    let key = ContentKey::from_slice(&file.content_key)
        .ok_or_else(|| Failing::rule(Part::ContentKey, rule))?;
    let notice = header.open(&file.body, &key).map_err(|why| {
        let part = match why {
            DisclosureFault::Open(OpenStep::Commit) => Part::ContentKey,
            _ => Part::Body,
        };
        Failing::new(part, why)
    })?;
    Ok(Some(notice))
}

/// The one leaf that says who made the file.
fn exported(logs: &Logs) -> Result<Fact, Failing> {
    let exports = |p: &&Proved| p.fact.kind == v1::LeafKind::Exported;
    let mut found = logs.leaves.iter().filter(exports);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.fact.clone()),
        _ => Err(Failing::rule(
            Part::Message,
            "exactly one leaf says who exported the file",
        )),
    }
}
