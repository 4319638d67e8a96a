//! Options of `abeng submit seizure`.

use clap::Args;
use std::path::PathBuf;

/// Options of `submit seizure`.
#[derive(Debug, Default, Args)]
pub(crate) struct SeizureArgs {
    /// Recipients: party codes or groups, by commas
    #[arg(long, value_name = "PARTY", value_delimiter = ',')]
    pub(crate) to: Vec<String>,
    /// FLASH, IMMEDIATE, PRIORITY or ROUTINE [default: the file's, else the type's]
    #[arg(long, value_name = "WORD")]
    pub(crate) precedence: Option<String>,
    /// How long delivery is tried: 72h, 30d [default: 30d]
    #[arg(long, value_name = "TIME", value_parser = hours)]
    pub(crate) expires_in: Option<u32>,
    /// Your reference, such as a badge number; the audit log keeps it, recipients see it
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) officer: Option<String>,
    /// A file that belongs to it: a photo, a scan; may be given again
    #[arg(long, value_name = "FILE")]
    pub(crate) attach: Vec<PathBuf>,
    /// Check it and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// A notice in TOML or JSON; - reads standard input
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ShortArgs::NAMES)]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) short: ShortArgs,
}

/// The short form.
#[derive(Debug, Default, Clone, PartialEq, Args)]
#[command(next_help_heading = "The seizure")]
pub(crate) struct ShortArgs {
    /// Date: 2026-11-24, 2026-11, or unknown
    #[arg(long, value_name = "DATE")]
    pub(crate) when: Option<String>,
    /// Place: UN/LOCODE or country
    #[arg(long, value_name = "PLACE")]
    pub(crate) place: Option<String>,
    /// Goods by Harmonized System code, 6 digits
    #[arg(long, value_name = "CODE")]
    pub(crate) hs: Option<String>,
    /// Goods by kind of drug: cocaine, cannabis-herb …
    #[arg(long, value_name = "KIND")]
    pub(crate) drug: Option<String>,
    /// Goods by kind of arms: pistol, ammunition …
    #[arg(long, value_name = "KIND")]
    pub(crate) arms: Option<String>,
    /// Goods in words
    #[arg(long, value_name = "WORDS")]
    pub(crate) description: Option<String>,
    /// How much: a number, or unknown
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(crate) quantity: Option<String>,
    /// Its unit: kg, g, or a code of UN/ECE Rec 20
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: Option<String>,
    /// Number of packages
    #[arg(long, value_name = "NUMBER")]
    pub(crate) packages: Option<u32>,
    /// How it was carried: sea, air, road, post … or unknown
    #[arg(long, value_name = "MODE")]
    pub(crate) mode: Option<String>,
    /// Where it came from: UN/LOCODE, country or unknown
    #[arg(long, value_name = "PLACE")]
    pub(crate) route_from: Option<String>,
    /// Where it went: UN/LOCODE, country or unknown
    #[arg(long, value_name = "PLACE")]
    pub(crate) route_to: Option<String>,
    /// Traffic light label: RED, AMBER+STRICT, AMBER, GREEN or CLEAR
    #[arg(long, value_name = "LABEL")]
    pub(crate) tlp: Option<String>,
    /// Remarks in words
    #[arg(long, value_name = "WORDS")]
    pub(crate) remarks: Option<String>,
    /// Training traffic
    #[arg(long)]
    pub(crate) exercise: bool,
}

impl ShortArgs {
    const NAMES: [&'static str; 15] = [
        "when",
        "place",
        "hs",
        "drug",
        "arms",
        "description",
        "quantity",
        "unit",
        "packages",
        "mode",
        "route_from",
        "route_to",
        "tlp",
        "remarks",
        "exercise",
    ];

    /// Whether anything of it was given.
    pub(crate) fn any(&self) -> bool {
        *self != Self::default()
    }
}

/// Reads `72h`, `30d` or a number of hours.
fn hours(text: &str) -> Result<u32, String> {
    let wrong = || "write hours or days, such as 72h or 30d; at most 90d".to_owned();
    let (number, unit) = match text.strip_suffix('d') {
        Some(days) => (days, 24),
        None => (text.strip_suffix('h').unwrap_or(text), 1),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let hours = number.checked_mul(unit).ok_or_else(wrong)?;
    let most = (abeng_wire::limits::LIFETIME_MS / 3_600_000) as u32;
    if (1..=most).contains(&hours) {
        Ok(hours)
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_hours_or_days_within_the_limit() {
        assert_eq!(hours("72h"), Ok(72));
        assert_eq!(hours("30d"), Ok(720));
        assert_eq!(hours("5"), Ok(5));
        assert_eq!(hours("90d"), Ok(2160));
        for wrong in ["", "0", "d", "91d", "-1h", "4294967295d", "1w"] {
            assert!(hours(wrong).is_err(), "{wrong}");
        }
    }
}
