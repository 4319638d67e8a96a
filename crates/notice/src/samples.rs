use crate::Draft;
use crate::draft::drafts_from_toml;
use abeng_wire::PartyCode;

static SAMPLES: &str = include_str!("../../../config/samples/seizures.toml");

/// A seizure as the press reported it, and the administration that made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Who made the seizure, and so would report it.
    pub administration: PartyCode,
    /// The notice to send.
    pub draft: Draft,
}

/// The seizures of `config/samples/seizures.toml`, for trying things out. Each passes the checks.
pub fn samples() -> Vec<Sample> {
    #[allow(
        clippy::expect_used,
        reason = "a file of this repository; a test reads it"
    )]
    let drafts = drafts_from_toml(SAMPLES).expect("the samples are drafts");
    drafts
        .into_iter()
        .filter_map(|draft| {
            let administration = PartyCode::new(draft.administration.as_deref()?).ok()?;
            Some(Sample {
                administration,
                draft,
            })
        })
        .collect()
}
