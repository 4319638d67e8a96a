use crate::{
    Fault, Part, Why,
    fault::Failing,
    frame::{FileKind, frame, unframe},
    verify::walk,
};
use abeng_audit_log::{Contradiction, ContradictionError, LogOrigin, NoteError};
use abeng_roster::Chain;
use abeng_wire::{Digest, NetworkCode, decode, encode, limits, v1};
use bytes::Bytes;

/// What a contradiction file is made of.
#[derive(Debug, Clone, Default)]
pub struct ContradictionFile {
    /// Every root that is held, the oldest first.
    pub roots: Vec<v1::Signed>,
    /// Every roster that is held, the oldest first.
    pub rosters: Vec<v1::Signed>,
    /// Two checkpoints and the path between them.
    pub contradiction: v1::Contradiction,
}

impl ContradictionFile {
    /// Puts the file together, and judges it as its reader will.
    pub fn build(self) -> Result<Bytes, Fault> {
        let file = v1::ContradictionFile {
            version: 1,
            roots: self.roots,
            rosters: self.rosters,
            contradiction: Some(self.contradiction),
        };
        let file = Bytes::from(frame(FileKind::Contradiction, &file));
        judge(&file, None)?;
        Ok(file)
    }
}

/// A contradiction that anybody can check: the party whose log this is has signed two trees that
/// cannot both be its log.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The network.
    pub network: NetworkCode,
    /// The log.
    pub origin: LogOrigin,
    /// The party's name in the newest roster.
    pub name: String,
    /// The two checkpoints.
    pub contradiction: Contradiction,
    /// The root it stands on.
    pub root: Digest,
    /// Whether that is the root that the reader named.
    pub pinned: bool,
    /// The version of the roster whose key signed both.
    pub judged_by: u64,
}

/// Judges a contradiction file with nothing else at hand; `root` as for
/// [`verify`](crate::verify()).
pub fn judge(file: &Bytes, root: Option<Digest>) -> Result<Judgement, Fault> {
    let message = unframe(FileKind::Contradiction, file)?;
    let begin = FileKind::Contradiction.first_line().len();
    judge_message(&message, root).map_err(|failing| failing.placed(begin, &message))
}

fn judge_message(message: &Bytes, root: Option<Digest>) -> Result<Judgement, Failing> {
    let whole = |why: Why| Failing::new(Part::Message, why);
    let limit = limits::TRUST_BUNDLE + limits::CONTRADICTION;
    let file: v1::ContradictionFile =
        decode("contradiction file", message, limit).map_err(|e| whole(e.into()))?;
    if file.version != 1 {
        let found = file.version;
        return Err(whole(Why::Version { found }));
    }
    let chain = walk(&file.roots, &file.rosters, root)?;
    let said = file
        .contradiction
        .ok_or_else(|| whole(Why::Rule("it holds two checkpoints")))?;
    let (contradiction, judged_by) =
        by_any_roster(&encode(&said), &chain).map_err(|e| Failing::new(Part::Contradiction, e))?;
    let origin = LogOrigin::parse(contradiction.first().origin())
        .map_err(|e| Failing::new(Part::Contradiction, e))?;
    let party = chain.newest().party(origin.party);
    Ok(Judgement {
        network: chain.newest().network(),
        origin,
        name: party.map(|p| p.name.clone()).unwrap_or_default(),
        contradiction,
        root: chain.founding(),
        pinned: root.is_some(),
        judged_by,
    })
}

/// By the newest roster whose keys signed both.
fn by_any_roster(said: &Bytes, chain: &Chain) -> Result<(Contradiction, u64), ContradictionError> {
    let mut why = None;
    for roster in chain.rosters() {
        match Contradiction::verify(said, roster) {
            Ok(contradiction) => return Ok((contradiction, roster.version())),
            Err(e) => why = why.or(Some(e)),
        }
    }
    Err(why.unwrap_or(ContradictionError::Note(NoteError::Unsigned)))
}
