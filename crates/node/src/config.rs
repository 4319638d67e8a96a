//! `node.toml`: what an administrator writes. Unknown keys are refused, nothing falls back silently.

mod dual;
mod relay;

pub use dual::{DualControl, Releaser, Trigger};

use crate::{
    attachments::FileLimits,
    node_error::{DENIED, denied},
    paths::{LimitsSection, LinkProfile, MeteredSection, Metering, Peers, profiles, rates},
    quota::{LEAST_RESERVE, QuotaConfig},
    size::Size,
};
use abeng_link::{PeerLimits, Profile};
use abeng_queue::CarryLimits;
use abeng_wire::{Digest, Millis, PartyCode};
use serde::Deserialize;
use serde_spanned::Spanned;
use std::{
    collections::BTreeMap,
    fmt, fs, io,
    net::SocketAddr,
    ops::Range,
    path::{Path, PathBuf},
};

/// Everything a node needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// The party this node belongs to.
    pub party: PartyCode,
    /// The data directory, absolute.
    pub data: PathBuf,
    /// SHA-256 of the signed bytes of the first root, which everything else is verified from.
    pub root: Digest,
    /// Links to other nodes.
    pub link: LinkConfig,
    /// The local interface.
    pub api: ApiConfig,
    /// Where Prometheus may read; `None`: nowhere.
    pub metrics: Option<SocketAddr>,
    /// How to unlock the keys.
    pub keys: KeysConfig,
    /// The token that holds the signing key; `None`: the keyring does.
    pub token: Option<TokenConfig>,
    /// How seal keys change.
    pub seal: SealConfig,
    /// What to log.
    pub log: LogConfig,
    /// Milliseconds between two Status frames to a coordination node.
    pub status_every_ms: u64,
    /// Milliseconds between two checkpoints for the witnesses; `None`: one at every contact.
    pub witness_every_ms: Option<u64>,
    /// Room on disk.
    pub quota: QuotaConfig,
    /// What each peer may ask.
    pub limits: PeerLimits,
    /// How much is carried for others, where the roster makes this party a relay.
    pub relay: CarryLimits,
    /// How much of their files.
    pub relay_files: FileLimits,
    /// What a second person must release; `None`: nothing.
    pub dual_control: Option<DualControl>,
    /// The age of the trust data, in milliseconds, from which on every submission waits for a second
    /// person.
    pub roster_limit_ms: Millis,
}

/// `[link]`.
#[derive(Debug, Clone)]
pub struct LinkConfig {
    /// UDP address to listen on and to dial from.
    pub listen: SocketAddr,
    /// What kind of line this is.
    pub profile: Profile,
    /// Parties to which another kind of line leads.
    pub profiles: BTreeMap<PartyCode, Profile>,
    /// Bytes a second that this line carries; `None`: what is usual for its kind.
    pub rate: Option<u64>,
    /// The same of the line to one party.
    pub rates: BTreeMap<PartyCode, u64>,
    /// Lines that are paid by the byte.
    pub metered: Metering,
    /// Parties to link with although their log is proved to contradict itself.
    pub accept_contradicted: Vec<PartyCode>,
}

/// `[api]`.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// The Unix socket of the local interface, absolute.
    pub socket: PathBuf,
    /// Whether the socket's group may use it too (mode 0660), not only the node's user (0600).
    pub group: bool,
    /// A TCP address with the file that holds its bearer token.
    pub tcp: Option<(SocketAddr, PathBuf)>,
}

/// `[keys]`.
#[derive(Debug, Clone)]
pub enum KeysConfig {
    /// Files of mode 0600 without a passphrase, as the operator insisted.
    InsecurePlain,
    /// An age file; the passphrase is the first line of this file.
    PassphraseFile(PathBuf),
    /// An age file; the passphrase is a systemd credential of this name.
    PassphraseCredential(String),
}

/// `[keys.token]`: a PKCS #11 token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenConfig {
    /// The library of its maker.
    pub module: PathBuf,
    /// Its label.
    pub token: String,
    /// The label of the key in it.
    pub key: String,
    /// Where its PIN is.
    pub pin: PinConfig,
}

/// Where a PIN is. Never in the configuration itself, nor in an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinConfig {
    /// The first line of this file, absolute.
    File(PathBuf),
    /// A systemd credential of this name.
    Credential(String),
}

/// How seal keys change: in `[keys]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealConfig {
    /// Milliseconds between two seal keys.
    pub rotate_ms: u64,
    /// Where the keyring is copied to before a new key in it is published, absolute.
    pub backup_dir: Option<PathBuf>,
}

/// `[log]`.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// Text for people or JSON for machines.
    pub format: LogFormat,
    /// A tracing filter, such as `info` or `abeng_link=debug,info`.
    pub filter: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// One readable line per event.
    Text,
    /// One JSON object per event.
    Json,
}

/// Why a configuration cannot be used: which file, where in it, and what to try.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file says something that cannot be used.
    #[error("{path}:{line}:{column}: {what}", path = path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong.
        what: String,
        /// What to write instead, where that is known.
        suggestion: Option<String>,
    },
}

impl ConfigError {
    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { source, .. } if denied(source) => DENIED.into(),
            Self::Unreadable { .. } => {
                "give the path of a node.toml; `abeng network init DIR …` writes one per party"
                    .into()
            }
            Self::Wrong {
                suggestion: Some(text),
                ..
            } => text.clone(),
            Self::Wrong { .. } => {
                "compare with config/node.example.toml, which explains every key".into()
            }
        }
    }
}

impl Config {
    /// Reads and checks a file. Relative paths in it are relative to its own directory.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.into(),
            source,
        })?;
        let base = path
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let base = base
            .canonicalize()
            .map_err(|source| ConfigError::Unreadable {
                path: path.into(),
                source,
            })?;
        parse(path, &text, &base)
    }

    /// The same of a file that will lie in `base`, an absolute path: relative paths are as they will be
    /// there.
    pub(crate) fn load_for(path: &Path, base: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.into(),
            source,
        })?;
        parse(path, &text, base)
    }
}

fn parse(path: &Path, text: &str, base: &Path) -> Result<Config, ConfigError> {
    let wrong = |span: Option<Range<usize>>, what: String, suggestion: Option<String>| {
        let (line, column) = position(text, span.map_or(0, |s| s.start));
        ConfigError::Wrong {
            path: path.into(),
            line,
            column,
            what,
            suggestion,
        }
    };
    let file: File = toml::from_str(text).map_err(|e| {
        let suggestion = did_you_mean(e.message());
        wrong(e.span(), e.message().to_owned(), suggestion)
    })?;
    let at = |s: &Spanned<String>, e: &dyn fmt::Display| wrong(Some(s.span()), e.to_string(), None);

    let party = PartyCode::new(file.party.get_ref()).map_err(|e| at(&file.party, &e))?;
    let root = file
        .trust
        .root
        .get_ref()
        .strip_prefix("sha256:")
        .and_then(Digest::from_hex);
    let root = root.ok_or_else(|| {
        at(
            &file.trust.root,
            &"the root is not `sha256:` and 64 hex digits",
        )
    })?;
    // Component by component, so that `data = "."` leaves no `/.` in messages.
    let data: PathBuf = base
        .join(file.data.unwrap_or_default())
        .components()
        .collect();
    let tcp = match (file.api.tcp, file.api.token_file) {
        (None, None) => None,
        (Some(tcp), Some(token)) => Some((tcp.into_inner(), data.join(token.into_inner()))),
        (Some(tcp), None) => {
            let fix = "write a random token to a file of mode 0600 and name it: token_file = \"api.token\"";
            return Err(wrong(
                Some(tcp.span()),
                "api.tcp needs api.token_file".into(),
                Some(fix.into()),
            ));
        }
        (None, Some(token)) => {
            return Err(wrong(
                Some(token.span()),
                "api.token_file is of no use without api.tcp".into(),
                None,
            ));
        }
    };
    if let Some(metrics) = &file.metrics
        && !metrics.listen.get_ref().ip().is_loopback()
    {
        let fix = "use a loopback address such as 127.0.0.1:9101 and let an agent on this machine read it";
        let what = "metrics.listen must be a loopback address: metrics are not for the network";
        return Err(wrong(
            Some(metrics.listen.span()),
            what.into(),
            Some(fix.into()),
        ));
    }
    let seal = seal(&file.keys, base).map_err(|(span, what)| wrong(Some(span), what, None))?;
    let token = token(&file.keys, base).map_err(|(span, what)| wrong(Some(span), what, None))?;
    let keys = match file.keys {
        Keys {
            insecure_plain: Some(true),
            passphrase_file: None,
            passphrase_credential: None,
            ..
        } => KeysConfig::InsecurePlain,
        Keys {
            insecure_plain: None | Some(false),
            passphrase_file: Some(file),
            passphrase_credential: None,
            ..
        } => KeysConfig::PassphraseFile(base.join(file)),
        Keys {
            insecure_plain: None | Some(false),
            passphrase_file: None,
            passphrase_credential: Some(name),
            ..
        } => KeysConfig::PassphraseCredential(name),
        _ => {
            let fix = "write one of: passphrase_file = \"…\", passphrase_credential = \"…\", insecure_plain = true";
            let start = text.find("[keys]").unwrap_or(0);
            let what = "[keys] must name exactly one way to unlock the keys";
            return Err(wrong(Some(start..start), what.into(), Some(fix.into())));
        }
    };
    let profile = Profile::from(file.link.profile);
    let profiles = profiles(&file.link.peers).map_err(|(code, what)| at(code, &what))?;
    let rates = rates(&file.link.peers).map_err(|(code, what)| at(code, &what))?;
    let metered = file.link.metered.checked();
    let metered = metered.map_err(|(span, what)| wrong(Some(span), what, None))?;
    let status_every_ms = file.status.every_s.map_or(
        match profile {
            Profile::Cable => 60_000,
            Profile::Satellite | Profile::Metered => 600_000,
        },
        |s| u64::from(s.get()) * 1000,
    );
    let witness_every_ms = match (file.witness.every_s, profile) {
        (Some(s), _) => Some(u64::from(s.get()) * 1000),
        (None, Profile::Cable) => Some(60_000),
        (None, Profile::Satellite) => Some(900_000),
        (None, Profile::Metered) => None,
    };
    let quota = quota(file.quota).map_err(|(span, what)| wrong(Some(span), what, None))?;
    let roster_limit_ms = file
        .policy
        .roster_limit_ms()
        .map_err(|(span, what, fix)| wrong(Some(span), what, fix))?;
    let dual_control = file.policy.dual_control();
    let dual_control = dual_control.map_err(|(span, what, fix)| wrong(Some(span), what, fix))?;
    let accept = file.link.accept_contradicted.iter();
    let accept_contradicted = accept
        .map(|code| PartyCode::new(code.get_ref()).map_err(|e| at(code, &e)))
        .collect::<Result<_, _>>()?;
    Ok(Config {
        party,
        root,
        link: LinkConfig {
            listen: file.link.listen,
            profile,
            profiles,
            rate: file.link.rate.map(|r| r.0),
            rates,
            metered,
            accept_contradicted,
        },
        api: ApiConfig {
            socket: data.join(file.api.socket.unwrap_or_else(|| "abeng.sock".into())),
            group: file.api.group,
            tcp,
        },
        data,
        metrics: file.metrics.map(|m| m.listen.into_inner()),
        keys,
        token,
        seal,
        log: LogConfig {
            format: file.log.format.unwrap_or(LogFormat::Text),
            filter: file.log.filter.unwrap_or_else(|| "info".into()),
        },
        status_every_ms,
        witness_every_ms,
        quota,
        limits: file.limits.limits(),
        relay: file.relay.limits(),
        relay_files: file.relay.files(),
        dual_control,
        roster_limit_ms,
    })
}

/// Days between two seal keys where nothing is said, and at most: three of them are how long a
/// statement holds.
const ROTATE_DAYS: u16 = 30;
const ROTATE_MOST_DAYS: u16 = 120;

fn seal(section: &Keys, base: &Path) -> Result<SealConfig, (Range<usize>, String)> {
    let days = section
        .rotate_days
        .as_ref()
        .map_or(ROTATE_DAYS, |days| *days.get_ref());
    if !(1..=ROTATE_MOST_DAYS).contains(&days) {
        let span = section.rotate_days.as_ref().map_or(0..0, Spanned::span);
        return Err((
            span,
            format!("keys.rotate_days must be from 1 to {ROTATE_MOST_DAYS}"),
        ));
    }
    if let (Some(dir), Some(true)) = (&section.backup_dir, section.insecure_plain) {
        let what = "keys.backup_dir is for encrypted keys: these would be copied in the clear";
        return Err((dir.span(), what.to_owned()));
    }
    Ok(SealConfig {
        rotate_ms: u64::from(days) * 86_400_000,
        backup_dir: section
            .backup_dir
            .as_ref()
            .map(|dir| base.join(dir.get_ref())),
    })
}

fn token(section: &Keys, base: &Path) -> Result<Option<TokenConfig>, (Range<usize>, String)> {
    let Some(token) = &section.token else {
        return Ok(None);
    };
    let said = token.get_ref();
    let pin = match (&said.pin_file, &said.pin_credential) {
        (Some(file), None) => PinConfig::File(base.join(file)),
        (None, Some(name)) => PinConfig::Credential(name.clone()),
        _ => {
            let what = "keys.token must name one of pin_file and pin_credential";
            return Err((token.span(), what.to_owned()));
        }
    };
    Ok(Some(TokenConfig {
        module: said.module.clone(),
        token: said.token.clone(),
        key: said.key.clone(),
        pin,
    }))
}

fn quota(section: Quota) -> Result<QuotaConfig, (Range<usize>, String)> {
    let quota = QuotaConfig {
        disk: section.disk.as_ref().map(|d| d.get_ref().0),
        reserve: section.reserve.as_ref().map(|r| r.get_ref().0),
    };
    let (least, reserve) = (quota.least_disk(), quota.reserve.unwrap_or(LEAST_RESERVE));
    if let Some(size) = section.disk.filter(|disk| disk.get_ref().0 < least) {
        let what = format!(
            "quota.disk must be at least {}, or the node would never take anything: three segments of the journal, room to work, and the reserve of {} with a quarter more (`reserve` under [quota])",
            Size(least),
            Size(reserve)
        );
        return Err((size.span(), what));
    }
    Ok(quota)
}

/// Line and column, from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    (line, column)
}

/// From serde's "unknown field `a`, expected one of `b`, `c`" the nearest of the expected.
fn did_you_mean(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let found = quoted.next().filter(|_| message.starts_with("unknown "))?;
    quoted
        .map(|known| (strsim::jaro_winkler(found, known), known))
        .filter(|(near, _)| *near > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| format!("did you mean `{known}`?"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    party: Spanned<String>,
    data: Option<PathBuf>,
    trust: TrustSection,
    link: LinkSection,
    #[serde(default)]
    api: Api,
    metrics: Option<Metrics>,
    keys: Keys,
    #[serde(default)]
    log: Log,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    witness: Witness,
    #[serde(default)]
    quota: Quota,
    #[serde(default)]
    limits: LimitsSection,
    #[serde(default)]
    relay: relay::Relay,
    #[serde(default)]
    policy: dual::Policy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustSection {
    root: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkSection {
    listen: SocketAddr,
    #[serde(default)]
    profile: LinkProfile,
    #[serde(default)]
    accept_contradicted: Vec<Spanned<String>>,
    rate: Option<Size>,
    #[serde(default)]
    peers: Peers,
    #[serde(default)]
    metered: MeteredSection,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Api {
    socket: Option<PathBuf>,
    #[serde(default)]
    group: bool,
    tcp: Option<Spanned<SocketAddr>>,
    token_file: Option<Spanned<PathBuf>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metrics {
    listen: Spanned<SocketAddr>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    insecure_plain: Option<bool>,
    passphrase_file: Option<PathBuf>,
    passphrase_credential: Option<String>,
    rotate_days: Option<Spanned<u16>>,
    backup_dir: Option<Spanned<PathBuf>>,
    token: Option<Spanned<Token>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    module: PathBuf,
    token: String,
    key: String,
    pin_file: Option<PathBuf>,
    pin_credential: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Log {
    format: Option<LogFormat>,
    filter: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Status {
    every_s: Option<std::num::NonZeroU32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Witness {
    every_s: Option<std::num::NonZeroU32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Quota {
    disk: Option<Spanned<Size>>,
    reserve: Option<Spanned<Size>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../config/node.example.toml");

    fn error(text: &str) -> (usize, usize, String, String) {
        match parse(Path::new("node.toml"), text, Path::new("/data")) {
            Err(e @ ConfigError::Wrong { line, column, .. }) => {
                (line, column, e.to_string(), e.hint())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_shipped_example_loads_and_every_line_of_it_counts() {
        let config = parse(Path::new("node.toml"), EXAMPLE, Path::new("/data")).unwrap();
        assert_eq!(config.party.as_str(), "JM");
        assert_eq!(config.api.socket, Path::new("/data/abeng.sock"));
        // Every key that is only explained (behind `# `) loads too once it is taken in.
        let all: String = EXAMPLE
            .lines()
            .map(|line| match line.strip_prefix("#: ") {
                Some(key) => format!("{key}\n"),
                None => format!("{line}\n"),
            })
            .collect();
        let config = parse(Path::new("node.toml"), &all, Path::new("/data")).unwrap();
        assert!(config.api.tcp.is_some());
        assert!(config.metrics.is_some());
        assert_eq!(config.witness_every_ms, Some(60_000));
        assert_eq!(config.link.accept_contradicted.len(), 1);
        let control = config.dual_control.unwrap();
        assert!(control.nominal && control.may_release(1002));
        assert_eq!(config.quota.disk, Some(50 << 30));
        assert_eq!(config.quota.reserve, Some(1 << 30));
        assert_eq!(config.relay, CarryLimits::default());
        let token = config.token.as_ref().unwrap();
        assert_eq!(
            (token.token.as_str(), token.key.as_str()),
            ("JM", "org-sign")
        );
        let seal = &config.seal;
        assert_eq!(seal.rotate_ms, 30 * 86_400_000);
        assert_eq!(
            seal.backup_dir.as_deref(),
            Some(Path::new("/mnt/backup/keys"))
        );
        assert_eq!(config.limits.envelopes.per_s, 5000);
        assert_eq!(config.limits.bytes.per_s, 64 << 20);
        assert_eq!(config.limits.asking.per_s, 100);
        let tt = PartyCode::new("TT").unwrap();
        assert_eq!(config.link.profiles[&tt], Profile::Satellite);
        let metered = config.link.metered;
        assert_eq!(
            (metered.budget, metered.flash),
            (Some(20_000_000), 5_000_000)
        );
        assert_eq!(metered.contact_every_ms, 3_600_000);
    }

    #[test]
    fn what_is_kept_for_flash_is_a_part_of_the_budget() {
        let text = format!("{EXAMPLE}\n[link.metered]\nbudget = \"2 MB\"\nflash = \"3 MB\"\n");
        assert!(error(&text).2.contains("must not be more"));
        let text = format!("{EXAMPLE}\n[link.peers.jamaica]\nprofile = \"metered\"\n");
        let (line, _, what, _) = error(&text);
        assert_eq!(line, 2 + EXAMPLE.lines().count(), "{what}");
        let text = format!("{EXAMPLE}\n[link.metered]\nbudget = \"8 MB\"\n");
        let config = parse(Path::new("node.toml"), &text, Path::new("/data")).unwrap();
        assert_eq!(config.link.metered.flash, 2_000_000);
    }

    #[test]
    fn a_quota_that_cannot_work_is_refused() {
        let text = format!("{EXAMPLE}\n[quota]\ndisk = \"100 MiB\"\n");
        let least = error(&text).2;
        assert!(least.contains("at least 336.0 MiB"), "{least}");
        assert!(least.contains("`reserve`"), "{least}");
        let text = format!("{EXAMPLE}\n[quota]\ndisk = \"336 MiB\"\n");
        assert!(parse(Path::new("node.toml"), &text, Path::new("/data")).is_ok());
        let text = format!("{EXAMPLE}\n[quota]\ndisk = \"1500 MiB\"\nreserve = \"1 GiB\"\n");
        assert!(error(&text).2.contains("at least 1.5 GiB"));
        let text = format!("{EXAMPLE}\n[quota]\nreserve = \"much\"\n");
        assert!(error(&text).2.contains("is not a size"));
    }

    #[test]
    fn an_unknown_key_is_refused_with_place_and_suggestion() {
        let text = EXAMPLE.replace("listen = \"0.0.0.0:7400\"", "lisen = \"0.0.0.0:7400\"");
        let line = 1 + text.lines().position(|l| l.starts_with("lisen")).unwrap();
        let (at, column, what, hint) = error(&text);
        assert_eq!((at, column), (line, 1));
        assert!(what.contains("unknown field `lisen`"), "{what}");
        assert_eq!(hint, "did you mean `listen`?");
    }

    #[test]
    fn malformed_toml_names_line_and_column() {
        let (line, column, what, _) = error("party = \"JM\"\nlink = [");
        assert_eq!(line, 2, "{what}");
        assert!(column > 1);
        assert!(what.starts_with("node.toml:2:"));
    }

    #[test]
    fn metrics_stay_on_loopback_and_keys_have_one_way_in() {
        let text = format!("{EXAMPLE}\n[metrics]\nlisten = \"0.0.0.0:9101\"\n");
        assert!(error(&text).2.contains("loopback"));
        let text = EXAMPLE.replace("[keys]", "[keys]\ninsecure_plain = true");
        assert!(error(&text).2.contains("exactly one way"));
        let text = EXAMPLE.replace("[keys]", "[keys]\nrotate_days = 121");
        assert!(error(&text).2.contains("from 1 to 120"));
        let text = format!("{EXAMPLE}\n[keys.token]\nmodule = \"m\"\ntoken = \"t\"\nkey = \"k\"\n");
        assert!(error(&text).2.contains("one of pin_file"));
        let plain = "insecure_plain = true\nbackup_dir = \"/mnt\"";
        let text = EXAMPLE.replace("passphrase_file = \"passphrase\"", plain);
        assert!(error(&text).2.contains("in the clear"));
    }

    #[test]
    fn a_bad_root_or_party_is_shown_where_it_stands() {
        let text = EXAMPLE.replace("sha256:", "sha1:");
        assert!(error(&text).2.contains("64 hex digits"));
        let text = EXAMPLE.replace("party = \"JM\"", "party = \"jamaica\"");
        assert_eq!(
            error(&text).0,
            1 + text.lines().position(|l| l.starts_with("party")).unwrap()
        );
    }
}
