//! The notice that is sent, of exactly the size asked for.

use crate::CliError;
use abeng_api::SubmitRequest;
use abeng_notice::{CheckContext, Draft, Notice, samples};
use abeng_wire::PartyCode;
use bytes::Bytes;
use std::time::SystemTime;

/// Stands in the notice as its officer.
const OFFICER: &str = "bench";

/// A request as JSON: a seizure whose wire form has `size` bytes, filled up in its remarks.
pub(super) fn request(from: PartyCode, to: PartyCode, size: usize) -> Result<Bytes, CliError> {
    let sample = samples().into_iter().next();
    let mut draft = sample
        .map(|s| s.draft)
        .ok_or_else(|| CliError::internal("there is no sample"))?;
    draft.administration = None;
    let smallest = wire_size(&draft, from)?;
    // The remarks' own tag and length take some of it; the second round lands.
    let mut fill = size.saturating_sub(smallest);
    for _ in 0..4 {
        draft.remarks = (fill > 0).then(|| filler(fill));
        let found = wire_size(&draft, from)?;
        if found == size {
            break;
        }
        fill = (fill + size).saturating_sub(found);
    }
    if wire_size(&draft, from)? != size {
        return Err(CliError::usage(format!(
            "a notice for the measurement cannot have {size} bytes"
        ))
        .with_try(format!(
            "--size from {} to about {}",
            smallest + 8,
            smallest + 7900
        )));
    }
    let request = SubmitRequest {
        to: vec![to.to_string()],
        officer: Some(OFFICER.to_owned()),
        notice: serde_json::to_value(&draft).map_err(|e| CliError::internal(e.to_string()))?,
        ..SubmitRequest::default()
    };
    let json = serde_json::to_vec(&request).map_err(|e| CliError::internal(e.to_string()))?;
    Ok(json.into())
}

fn wire_size(draft: &Draft, from: PartyCode) -> Result<usize, CliError> {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let context = CheckContext {
        officer: Some(OFFICER.to_owned()),
        ..CheckContext::new(now, from)
    };
    let checked = Notice::check(draft.clone(), &context).map_err(|flaws| {
        let first = flaws.first().map(ToString::to_string).unwrap_or_default();
        CliError::usage(format!(
            "the notice for the measurement is refused: {first}"
        ))
    })?;
    Ok(checked.notice.bytes().len())
}

fn filler(bytes: usize) -> String {
    "the quick brown fox jumps over the lazy dog and files a report; "
        .chars()
        .cycle()
        .take(bytes - 1)
        .chain(['.'])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_has_the_size_asked_for() {
        let (jm, tt) = (PartyCode::new("JM").unwrap(), PartyCode::new("TT").unwrap());
        let body = request(jm, tt, 2048).unwrap();
        let request: SubmitRequest = serde_json::from_slice(&body).unwrap();
        let draft = Draft::from_json(&request.notice.to_string()).unwrap();
        assert_eq!(wire_size(&draft, jm).unwrap(), 2048);
        assert!(super::request(jm, tt, 10).is_err());
        assert!(super::request(jm, tt, 100_000).is_err());
    }
}
