//! The files.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What there are vectors of.
pub const SUBJECTS: [&str; 9] = [
    "root",
    "roster",
    "party",
    "freshness",
    "header",
    "stanza",
    "body",
    "receipt",
    "checkpoint",
];

/// One vector. It has a file of its own, whose name is its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// What it is, or what is wrong with it, in a sentence.
    pub what: String,
    /// What kind of thing is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaks: Option<Breaks>,
    /// The reason for which it must be refused. None: it must pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The vector beside it without what is wrong here, which passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<String>,
    /// What it is held against.
    pub against: Against,
    /// The bytes: base64, or `given:NAME` for what stands in `given/`, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<String>,
    /// The bytes, where they are text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Breaks {
    /// Its spelling.
    Encoding,
    /// A size or a number that is bounded.
    Limit,
    /// What it says.
    Rule,
    /// Its place: not after what it says it follows, or not about what it is shown for.
    Place,
    /// A key in it.
    Key,
    /// A time.
    Time,
    /// Who signed, and over what. In all others every signature holds.
    Signature,
    /// A hash, a path, or what only the recipient's key or the content key can tell.
    Seal,
}

/// What a vector is held against. Names are those of `given/`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Against {
    /// The time, Unix milliseconds.
    pub now: u64,
    /// The root held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The rosters held, from the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rosters: Vec<String>,
    /// The party that reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub me: Option<String>,
    /// Its seal keys, as X-Wing seeds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seal_keys: Vec<String>,
    /// What a receipt must be about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// What a checkpoint is asked: `log`, `cosigned`, or `after` a note that is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
    /// The checkpoint held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// The consistency proof from it, base64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proof: Vec<String>,
}

/// An envelope, as HDR says; hashes in hex.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    pub envelope_id: String,
    pub originator: String,
    pub recipient: String,
    pub seq_commit: String,
}

pub fn folder(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("negative")
        .join(of)
}

impl Vector {
    pub fn bytes(&self, given: &Given) -> Vec<u8> {
        if !self.text.is_empty() {
            return self.text.clone().into_bytes();
        }
        let piece = |piece: &String| match piece.strip_prefix("given:") {
            Some(name) => given.bytes(name),
            None => BASE64.decode(piece.as_bytes()).unwrap(),
        };
        self.input.iter().flat_map(piece).collect()
    }
}

/// What vectors share: name → bytes in base64.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Given(pub BTreeMap<String, String>);

impl Given {
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let text = self
            .0
            .get(name)
            .unwrap_or_else(|| panic!("no given/{name}"));
        BASE64.decode(text.as_bytes()).unwrap()
    }

    pub fn put(&mut self, name: impl Into<String>, bytes: &[u8]) {
        self.0.insert(name.into(), BASE64.encode(bytes));
    }

    pub fn read() -> Self {
        let text = |path: &Path| fs::read_to_string(path).unwrap().trim_end().to_owned();
        let all = files(&folder("given"), "txt");
        Self(
            all.iter()
                .map(|(name, path)| (name.clone(), text(path)))
                .collect(),
        )
    }

    pub fn write(&self) {
        fs::create_dir_all(folder("given")).unwrap();
        for (name, text) in &self.0 {
            fs::write(
                folder("given").join(format!("{name}.txt")),
                format!("{text}\n"),
            )
            .unwrap();
        }
    }

    /// Bytes as pieces: long ones that are given are named.
    pub fn pieces(&self, bytes: &[u8]) -> Vec<String> {
        let long = self.0.keys().filter(|name| name.starts_with("part-"));
        let parts: Vec<_> = long.map(|name| (name, self.bytes(name))).collect();
        let first: BTreeSet<u8> = parts.iter().map(|(_, part)| part[0]).collect();
        let mut out = Vec::new();
        let (mut from, mut at) = (0, 0);
        while at < bytes.len() {
            let here = |(_, part): &&(&String, Vec<u8>)| bytes[at..].starts_with(part);
            let found = match first.contains(&bytes[at]) {
                true => parts.iter().find(here),
                false => None,
            };
            let Some((name, part)) = found else {
                at += 1;
                continue;
            };
            if from < at {
                out.push(BASE64.encode(&bytes[from..at]));
            }
            out.push(format!("given:{name}"));
            at += part.len();
            from = at;
        }
        if from < bytes.len() {
            out.push(BASE64.encode(&bytes[from..]));
        }
        out
    }
}

/// All of them by `subject/name`.
#[derive(Debug, Default)]
pub struct Vectors(pub BTreeMap<String, Vector>);

impl Vectors {
    pub fn read() -> Self {
        let mut out = BTreeMap::new();
        for subject in SUBJECTS {
            for (name, path) in files(&folder(subject), "json") {
                let read = serde_json::from_slice(&fs::read(&path).unwrap());
                let vector = read.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                out.insert(format!("{subject}/{name}"), vector);
            }
        }
        Self(out)
    }

    pub fn write(&self) {
        for (name, vector) in &self.0 {
            let path = folder(name).with_extension("json");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = serde_json::to_string_pretty(vector).unwrap();
            fs::write(path, text + "\n").unwrap();
        }
    }
}

fn files(dir: &Path, ext: &str) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut out: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == ext))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    out.sort();
    out
}
