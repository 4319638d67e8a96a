//! `abeng keys backup`, and which backups are known to hold the keyring as it is now.

use super::{
    KeysError, file,
    there::{There, kids},
    unlock,
};
use crate::{
    clock,
    config::Config,
    identity::passphrase,
    layout::{Layout, lies_in, replace},
};
use abeng_api::{Warned, Warning};
use abeng_keys::{
    BackupKey, Keyring, Passphrase, Protection, SEALED, remove_secret, replace_secret,
};
use abeng_wire::{Digest, Kid, Millis};
use serde::{Deserialize, Serialize};
use std::{
    convert::Infallible,
    fs, io,
    path::{Path, PathBuf},
};

/// In the directory of keys: the newest backup that holds the keyring.
const NOTE: &str = "kept.json";
const ENCRYPTED: &str = "keyring.age";
const PLAIN: &str = "keyring.plain.toml";
/// What a directory for a copy beside one that stays is called, with digits of its newest key.
const BESIDE_NAME: &str = "keyring-";
/// What shares open, and what says of which set.
const BESIDE: [&str; 2] = [SEALED, "backup-key.toml"];

/// A backup of the keyring that is known in the data directory. No secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// SHA-256 of the keyring's file as it was copied, hex.
    pub keyring: String,
    /// When, Unix milliseconds.
    pub at_ms: Millis,
    /// Where to.
    pub out: PathBuf,
    /// The other copy that was to be replaced and stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Stays>,
}

/// A copy of the keyring that is not replaced by the node's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stays {
    /// Where it lies.
    pub dir: PathBuf,
    /// SHA-256 of its file, hex; nothing where it could not be read.
    pub keyring: Option<String>,
    /// What it is, as `status` says it.
    pub why: String,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeysBackup {
    /// Whose.
    pub party: String,
    /// Where: `keys/`, `trust/bundle.pb` and `node.toml` lie in it, as `abeng restore` takes them.
    pub out: PathBuf,
    /// Seal keys in it.
    pub seal_keys: usize,
    /// The set of shares that opens it too, where there is one.
    pub set: Option<String>,
}

/// Copies what a node without its data needs to begin anew, and reads the copy back.
pub fn keep_backup(
    config: &Config,
    config_file: &Path,
    out: &Path,
    plain: crate::PlainKeys,
    ask: impl FnOnce() -> Result<Passphrase, String>,
) -> Result<KeysBackup, KeysError> {
    let layout = Layout::new(&config.data);
    let name = keyring_file(&layout.keys());
    if name == PLAIN && plain == crate::PlainKeys::Refuse {
        return Err(KeysError::PlainKeys);
    }
    let root = layout.root();
    let root = root.canonicalize().map_err(file("find", root))?;
    if lies_in(out, &root).map_err(file("find", out))? {
        return Err(KeysError::Inside { dir: out.into() });
    }
    own_or_empty(config, out)?;
    let (keyring, protection) = unlock(config, ask)?;
    let keys = out.join("keys");
    replaceable(config, &keyring, &protection, out)?;
    let copied = copy(&layout.keys().join(name), &keys.join(name))?;
    // What was sealed before says something of a set that there is no more.
    for other in BESIDE {
        match layout.keys().join(other) {
            from if from.exists() => _ = copy(&from, &keys.join(other))?,
            _ => remove_secret(&keys.join(other))?,
        }
    }
    copy(&layout.trust(), &out.join("trust").join("bundle.pb"))?;
    copy(config_file, &out.join("node.toml"))?;
    same(&keys, &keyring, protection)?;
    note(&layout, &copied, out, None)?;
    Ok(KeysBackup {
        party: config.party.to_string(),
        out: out.to_owned(),
        seal_keys: keyring.seal.count(),
        set: BackupKey::load(&keys)?.map(|key| key.set().to_string()),
    })
}

/// Refuses to write over the keys in `out` where they are not older ones of this node.
pub(crate) fn replaceable(
    config: &Config,
    keyring: &Keyring,
    protection: &Protection,
    out: &Path,
) -> Result<(), KeysError> {
    let found = There::look(&out.join("keys"), keyring, || match protection {
        Protection::Passphrase(passphrase) => Ok(passphrase.clone()),
        Protection::InsecurePlain => Err("the keys of this node have none".to_owned()),
    });
    match found {
        There::Replaceable => Ok(()),
        There::Newer(kids) => Err(KeysError::Newer {
            dir: out.into(),
            kids,
        }),
        There::Other(party) => Err(KeysError::Foreign {
            dir: out.into(),
            party: config.party,
            found: format!("it holds those of {party}"),
        }),
        There::Closed(why) => Err(KeysError::Closed {
            dir: out.join("keys"),
            why,
        }),
    }
}

/// What a backup of keys holds, and nothing else.
const HELD: [&str; 3] = ["keys", "trust", "node.toml"];

/// Refuses a directory with anything else in it, and the backup of another party: nothing of others is
/// written over, and nobody who looks for the keys has to search.
fn own_or_empty(config: &Config, out: &Path) -> Result<(), KeysError> {
    let foreign = |found: String| KeysError::Foreign {
        dir: out.into(),
        party: config.party,
        found,
    };
    let mut other = Vec::new();
    let entries = match fs::read_dir(out) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(file("look into", out))?,
    };
    for entry in entries {
        let name = entry.map_err(file("look into", out))?.file_name();
        if !HELD.iter().any(|held| name == *held) {
            other.push(abeng_notice::printable(&name.to_string_lossy()));
        }
    }
    other.sort();
    match &other[..] {
        [] => {}
        [one] => return Err(foreign(format!("{one} lies in it"))),
        [one, rest @ ..] => {
            return Err(foreign(format!("{one} and {} more lie in it", rest.len())));
        }
    }
    let toml = out.join("node.toml");
    let Ok(text) = fs::read_to_string(&toml) else {
        return Ok(());
    };
    let found: Option<toml::Table> = text.parse().ok();
    let party = found.as_ref().and_then(|t| t.get("party")?.as_str());
    match party {
        Some(party) if party == config.party.as_str() => Ok(()),
        Some(party) => {
            let party = abeng_notice::printable(party);
            Err(foreign(format!("it holds those of {party}")))
        }
        None => Err(foreign("its node.toml names no party".to_owned())),
    }
}

/// Whether a backup holds the keyring as it is now. With a directory for copies it is one: the copy is
/// made where it is not up to date.
pub(crate) fn backed_up(config: &Config, keyring: &Keyring) -> Result<bool, KeysError> {
    if last_kept(&config.data).is_some() {
        return Ok(true);
    }
    match &config.seal.backup_dir {
        Some(dir) => keep_in(dir, config, keyring).map(|()| true),
        None => Ok(false),
    }
}

/// Copies the keyring into the directory for copies; where the copy there must stay, into one below it.
fn keep_in(dir: &Path, config: &Config, keyring: &Keyring) -> Result<(), KeysError> {
    let layout = Layout::new(&config.data);
    let keys = layout.keys();
    let name = keyring_file(&keys);
    let stays = match There::look(dir, keyring, || passphrase(config)) {
        There::Replaceable => None,
        found => Some(Stays {
            dir: dir.to_owned(),
            keyring: file_digest(dir),
            why: found.to_string(),
        }),
    };
    let out = match (&stays, kids(keyring).last()) {
        (None, _) => dir.to_owned(),
        // What bears the name of the newest key here is an earlier copy of this very keyring.
        (Some(_), Some(newest)) => dir.join(format!("{BESIDE_NAME}{:.8}", newest.to_string())),
        (Some(_), None) => dir.join(format!("{BESIDE_NAME}other")),
    };
    let copied = copy(&keys.join(name), &out.join(name))?;
    for other in BESIDE {
        if keys.join(other).exists() {
            copy(&keys.join(other), &out.join(other))?;
        }
    }
    if let Some(stays) = &stays {
        tracing::warn!("{}", told(stays, &out));
    }
    note(&layout, &copied, &out, stays)
}

/// A copy of a keyring with seal keys that another lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewerKeyring {
    /// Where.
    pub dir: PathBuf,
    /// Which keys.
    pub keys: Vec<Kid>,
}

/// Copies that the node itself has made, in its directory for copies and beside others there, with seal
/// keys that this keyring lacks. What cannot be read is passed over.
pub(crate) fn newer_keyrings(config: &Config, keyring: &Keyring) -> Vec<NewerKeyring> {
    let Some(dir) = &config.seal.backup_dir else {
        return Vec::new();
    };
    let beside = fs::read_dir(dir).into_iter().flatten().flatten();
    let beside = beside
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(BESIDE_NAME))
        .map(|entry| entry.path())
        .filter(|path| path.is_dir());
    let newer = |dir: PathBuf| match There::look(&dir, keyring, || passphrase(config)) {
        There::Newer(keys) => Some(NewerKeyring { dir, keys }),
        _ => None,
    };
    std::iter::once(dir.clone())
        .chain(beside)
        .filter_map(newer)
        .collect()
}

/// Makes the copy once more where the directory for copies does not hold the keyring as it is now,
/// whatever other backup does: the copy there may hold keys that are destroyed. Where another one has
/// to stay there, the one beside it counts until that is gone or is another one.
pub(crate) fn look_again(config: &Config, keyring: &Keyring) -> Result<(), KeysError> {
    let Some(dir) = &config.seal.backup_dir else {
        return Ok(());
    };
    let own = file_digest(&Layout::new(&config.data).keys());
    let beside = last_kept(&config.data).filter(|kept| {
        let stays = kept.beside.as_ref().filter(|stays| stays.dir == *dir);
        stays.is_some_and(|stays| file_digest(dir) == stays.keyring)
    });
    let copied = beside.map_or_else(|| dir.clone(), |kept| kept.out);
    match file_digest(&copied) == own {
        true => Ok(()),
        false => keep_in(dir, config, keyring),
    }
}

/// The copy that the newest one of the node did not replace, and what is said of the two.
pub(crate) fn stays(config: &Config) -> Option<(Stays, Warning)> {
    let dir = config.seal.backup_dir.as_ref()?;
    let kept = last_kept(&config.data)?;
    let stays = kept.beside.filter(|stays| stays.dir == *dir)?;
    let told = told(&stays, &kept.out);
    Some((stays, told))
}

fn told(stays: &Stays, out: &Path) -> Warning {
    let (dir, out) = (stays.dir.display().to_string(), out.display().to_string());
    let text = format!(
        "the copy of the keyring in {dir} {}. It was not written over, and the copy of this node's keyring lies in {out}: `abeng restore --keys {out}` takes it from there. Keep the other: it may alone open what was sealed to its keys. Once it is moved to a safe place, the node puts its own into {dir} within a minute",
        stays.why
    );
    Warning::from(text).because(Warned::CopyStays, [("dir", dir), ("out", out)])
}

fn file_digest(keys: &Path) -> Option<String> {
    let bytes = zeroize::Zeroizing::new(fs::read(keys.join(keyring_file(keys))).ok()?);
    Some(sha256(&bytes).to_string())
}

/// Which of its two forms the keyring has.
fn keyring_file(keys: &Path) -> &'static str {
    match keys.join(PLAIN).exists() {
        true => PLAIN,
        false => ENCRYPTED,
    }
}

/// Copies a small file as one step and reads it back; its content.
fn copy(from: &Path, to: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, KeysError> {
    let bytes = zeroize::Zeroizing::new(fs::read(from).map_err(file("read", from))?);
    if let Some(dir) = to.parent() {
        Layout::create_dir(dir).map_err(file("make", dir))?;
    }
    replace_secret(to, &bytes)?;
    let back = zeroize::Zeroizing::new(fs::read(to).map_err(file("read back", to))?);
    match back == bytes {
        true => Ok(bytes),
        false => Err(KeysError::Differs {
            dir: to.parent().unwrap_or(to).into(),
        }),
    }
}

/// Opens the copy as a restore would.
fn same(keys: &Path, keyring: &Keyring, protection: Protection) -> Result<(), KeysError> {
    let copy = Keyring::load(keys, || {
        Ok::<_, Infallible>(match protection {
            Protection::Passphrase(passphrase) => passphrase,
            Protection::InsecurePlain => Passphrase::new(String::new()),
        })
    })?;
    match copy.party == keyring.party && kids(&copy) == kids(keyring) {
        true => Ok(()),
        false => Err(KeysError::Differs { dir: keys.into() }),
    }
}

/// Remembers that a backup holds a keyring with this content.
pub(crate) fn note(
    layout: &Layout,
    keyring: &[u8],
    out: &Path,
    beside: Option<Stays>,
) -> Result<(), KeysError> {
    let kept = Kept {
        keyring: sha256(keyring).to_string(),
        at_ms: clock::wall(),
        out: out.canonicalize().unwrap_or_else(|_| out.to_owned()),
        beside,
    };
    let path = layout.keys().join(NOTE);
    let text = serde_json::to_vec_pretty(&kept).unwrap_or_default();
    replace(&path, &text, 0o600).map_err(file("write", &path))
}

/// The newest backup that is known to hold the keyring as its file is now.
pub fn last_kept(data: &Path) -> Option<Kept> {
    let keys = Layout::new(data).keys();
    let kept: Kept = serde_json::from_slice(&fs::read(keys.join(NOTE)).ok()?).ok()?;
    (Some(&kept.keyring) == file_digest(&keys).as_ref()).then_some(kept)
}

fn sha256(bytes: &[u8]) -> Digest {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    Digest::from_slice(hash.as_ref()).unwrap_or_default()
}
