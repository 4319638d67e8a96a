//! The sheet of one share, as it is printed and as a file of it is read.

use crate::clock;
use abeng_keys::{BackupKey, SHARE_LINES, Share, ShareError};
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// What goes onto a sheet.
pub struct Sheet<'a> {
    /// The share.
    pub share: &'a Share,
    /// Its set.
    pub key: &'a BackupKey,
    /// The network's code.
    pub network: String,
    /// The party's name, for people.
    pub name: String,
    /// The keyring on paper.
    pub paper: &'a [Zeroizing<String>],
}

impl Sheet<'_> {
    /// One page of text: 76 columns, at most 60 lines.
    pub fn text(&self) -> Zeroizing<String> {
        let Self { share, key, .. } = self;
        // Reserved in one piece, so that growing leaves no copies behind.
        let mut out = Zeroizing::new(String::with_capacity(8192));
        let kid = key.kid().to_string();
        let made = clock::rfc3339(key.at);
        let party = match self.name == key.party.as_str() || self.name.is_empty() {
            true => key.party.to_string(),
            false => format!("{} ({})", key.party, self.name),
        };
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "ABENG KEY SHARE {} OF {}\n\n\
             Network  {}\n\
             Party    {party}\n\
             Set      {}  (key {})\n\
             Made     {}\n\n\
             Any {} of the {} sheets of this set give back the keys of {}: whoever has them can\n\
             act and read in its name. Keep this one apart from the others, dry, and out of\n\
             sight. One sheet alone tells nothing.\n\n\
             PART A: this share, {SHARE_LINES} lines\n\n",
            share.number,
            key.shares,
            self.network,
            share.set,
            &kid[..16],
            &made[..10],
            key.threshold,
            key.shares,
            key.party,
        );
        lines(&mut out, &share.lines());
        let _ = write!(
            out,
            "\nPART B: the signing keys, encrypted; the same on each sheet, {} lines.\n\
             Typed only where no file keyring.sealed is left.\n\n",
            self.paper.len()
        );
        lines(&mut out, self.paper);
        let _ = write!(
            out,
            "\nTo bring the keys back: abeng keys combine --sealed keyring.sealed --out DIR\n\
             It asks for part A of {} sheets and says at once which line is mistyped. The\n\
             characters are 0 to 9 and A to Z without I, L, O and U. Small letters and\n\
             missing spaces do not matter.\n",
            key.threshold
        );
        out
    }
}

fn lines(out: &mut String, lines: &[Zeroizing<String>]) {
    for (line, number) in lines.iter().zip(1..) {
        let _ = writeln!(out, "  {number:>2}:  {}", line.as_str());
    }
}

/// Why a file is no sheet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// Nothing in it looks like a line.
    #[error("it holds no line of a share, such as ` 1: K7QF 2MXA 9PRT D4WZ 6H`")]
    NoLines,
    /// The lines are no share.
    #[error(transparent)]
    Share(#[from] ShareError),
}

/// The share in a file, and the lines of part B where they are there.
pub fn read_sheet(text: &str) -> Result<(Share, Vec<Zeroizing<String>>), SheetError> {
    let mut parts: Vec<Vec<&str>> = Vec::new();
    for line in text.lines() {
        let number = line.split_once(':').map(|(number, _)| number.trim());
        let Some(number) = number.and_then(|n| n.parse::<usize>().ok()) else {
            continue;
        };
        match parts.last_mut() {
            Some(part) if number == part.len() + 1 => part.push(line),
            _ if number == 1 => parts.push(vec![line]),
            _ => {}
        }
    }
    let mut parts = parts.into_iter();
    let share = parts.next().ok_or(SheetError::NoLines)?;
    let share = Share::from_lines(share)?;
    let paper = parts.next().unwrap_or_default();
    let paper = paper.into_iter().map(|l| Zeroizing::new(l.to_owned()));
    Ok((share, paper.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use abeng_keys::{BackupSecret, Keyring, SystemEntropy};
    use abeng_wire::PartyCode;

    #[test]
    fn a_sheet_is_one_page_and_reads_back() {
        let party = PartyCode::new("JM").unwrap();
        let keyring = Keyring::generate(party, &mut SystemEntropy);
        while keyring.seal.count() < 4 {
            let more = Keyring::generate(party, &mut SystemEntropy);
            keyring.seal.add(more.seal.newest().unwrap());
        }
        let secret = BackupSecret::generate(&mut SystemEntropy);
        let key = BackupKey {
            party,
            threshold: 3,
            shares: 5,
            at: 1_790_000_000_000,
            public: secret.public().clone(),
        };
        let shares = secret.split(3, 5, &mut SystemEntropy).unwrap();
        let paper = secret.paper(&keyring);
        let text = Sheet {
            share: &shares[1],
            key: &key,
            network: "caribbean".to_owned(),
            name: "Jamaica".to_owned(),
            paper: &paper,
        }
        .text();
        let facts = [
            "SHARE 2 OF 5",
            "caribbean",
            "JM (Jamaica)",
            "2026-09-21",
            "Any 3 of the 5",
        ];
        for fact in facts {
            assert!(text.contains(fact), "{fact} in {}", *text);
        }
        assert!(text.contains(&key.set().to_string()));
        assert!(text.lines().count() <= 64, "{} lines", text.lines().count());
        assert!(text.lines().all(|l| l.len() <= 80));

        let (share, read) = read_sheet(&text).unwrap();
        assert_eq!((share.number, share.set), (2, key.set()));
        let texts = read.iter().map(|l| l.as_str());
        assert!(secret.open_paper(texts).is_ok());
        // Part A alone, as somebody copied it by hand.
        let numbered = |l: &&str| l.trim_start().starts_with(|c: char| c.is_ascii_digit());
        let by_hand = text.lines().filter(numbered).take(4);
        let by_hand = by_hand.collect::<Vec<_>>().join("\n").to_lowercase();
        assert!(read_sheet(&by_hand).unwrap().1.is_empty());
        assert_eq!(read_sheet("Made: today").unwrap_err(), SheetError::NoLines);
    }
}
