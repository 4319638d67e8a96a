//! `abeng network init`.

use crate::{
    CliError, Exit, Ui,
    args::NetworkInitArgs,
    ceremony::new_from_file,
    table::{Align, Table},
};
use abeng_keys::Protection;
use abeng_node::founding::{self, InitError, InitParty, InitReport, InitRequest};
use abeng_notice::{Lang, codes};
use abeng_wire::{NetworkCode, PartyCode, v1};
use std::{
    net::{IpAddr, UdpSocket},
    path::Path,
    process::ExitCode,
};

/// Where the search for free ports begins.
const FIRST_PORT: u16 = 4700;

pub(crate) fn init(args: NetworkInitArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    let usage = |e: &dyn std::fmt::Display| CliError::usage(e.to_string());
    let network = NetworkCode::new(&args.name).map_err(|e| usage(&e))?;
    let parties = args
        .parties
        .iter()
        .map(|text| party(text))
        .collect::<Result<Vec<_>, _>>()?;
    let relays = args.relays.iter().map(|text| code(text, "--relay"));
    let relays = relays.collect::<Result<Vec<_>, _>>()?;
    let host: IpAddr = args.host.parse().map_err(|_| {
        CliError::usage(format!("`{}` is not an IP address", args.host))
            .with_try("write an address such as 127.0.0.1 or 192.0.2.7")
    })?;
    let base_port = match args.base_port {
        Some(port) => port,
        None => free_ports(host, parties.len())?,
    };
    let passphrase_file = match &args.passphrase_file {
        Some(file) => Some(file.canonicalize().map_err(|e| unreadable(file, &e))?),
        None => None,
    };
    let request = InitRequest {
        protection: protection(&args, ui)?,
        passphrase_file,
        dir: args.dir,
        network,
        parties,
        host,
        base_port,
        status_every_s: None,
    };
    let report = founding::init_with_relays(&request, &relays).map_err(failed)?;
    let value = serde_json::json!({
        "root": report.root,
        "root_keys": report.root_keys,
        "parties": report.parties.iter().map(|(code, dir, address)| serde_json::json!({
            "party": code.to_string(),
            "data": dir,
            "config": dir.join("node.toml"),
            "address": address.to_string(),
        })).collect::<Vec<_>>(),
    });
    ui.show(&value, || told(&report, &request.protection))?;
    Ok(Exit::Ok.into())
}

/// Reads `LC:coordination` or `TT@192.0.2.7:7400`.
fn party(text: &str) -> Result<InitParty, CliError> {
    let (text, address) = match text.split_once('@') {
        Some((text, address)) => (text, Some(address.to_owned())),
        None => (text, None),
    };
    let (code, kind) = text.split_once(':').unwrap_or((text, "member"));
    let kind = match kind {
        "member" => v1::PartyKind::Member,
        "coordination" => v1::PartyKind::Coordination,
        "observer" => v1::PartyKind::Observer,
        "partner" => v1::PartyKind::Partner,
        _ => {
            return Err(CliError::usage(format!("`{kind}` is not a kind of party"))
                .with_try("write --party CODE, or --party CODE:coordination"));
        }
    };
    let code = self::code(code, "--party")?;
    let country = codes::country(code.as_str());
    Ok(InitParty {
        code,
        name: country.map_or_else(|| code.to_string(), |c| c.name(Lang::En).to_owned()),
        country: country.map_or_else(String::new, |c| c.code.to_owned()),
        kind,
        address,
    })
}

fn code(text: &str, option: &str) -> Result<PartyCode, CliError> {
    PartyCode::new(text).map_err(|e| {
        let error = CliError::usage(e.to_string());
        match PartyCode::new(&text.to_ascii_uppercase()) {
            Ok(upper) => error.with_try(format!("write {option} {upper}")),
            Err(_) => error,
        }
    })
}

/// As many UDP ports in a row as there are parties, free at this moment.
fn free_ports(host: IpAddr, count: usize) -> Result<u16, CliError> {
    let wanted = u16::try_from(count).unwrap_or(u16::MAX);
    let free = |base: u16| (0..wanted).all(|n| UdpSocket::bind((host, base + n)).is_ok());
    (FIRST_PORT..u16::MAX.saturating_sub(wanted))
        .step_by(usize::from(wanted.max(1)))
        .take(500)
        .find(|&base| free(base))
        .ok_or_else(|| {
            CliError::internal(format!("no {count} free UDP ports in a row on {host}"))
                .with_try("name the first with --base-port, and check --host")
        })
}

fn protection(args: &NetworkInitArgs, ui: &Ui) -> Result<Protection, CliError> {
    if args.insecure_plain_keys {
        return Ok(Protection::InsecurePlain);
    }
    if let Some(file) = &args.passphrase_file {
        return new_from_file(file).map(Protection::Passphrase);
    }
    Err(CliError::usage(if ui.interactive {
        "it must be said how the keys rest: the nodes read their passphrase from a file"
    } else {
        "it must be said how the keys rest"
    })
    .with_try("add --passphrase-file FILE; for trying things out, --insecure-plain-keys"))
}

fn unreadable(file: &Path, error: &std::io::Error) -> CliError {
    CliError::usage(format!("cannot read {}: {error}", file.display()))
}

fn failed(error: InitError) -> CliError {
    let (usage, hint) = match &error {
        InitError::NotEmpty { .. } => (true, Some("name a directory that does not exist yet")),
        InitError::Ports { .. } => (true, Some("choose a lower --base-port")),
        InitError::Relay { .. } => (true, Some("name it with --party too")),
        InitError::Address { .. } => (true, Some("write --party CODE@192.0.2.7:7400")),
        InitError::Founding(_) => (
            true,
            Some("name each party once, and one of them CODE:coordination"),
        ),
        InitError::Write { .. } => (false, Some("name a directory that you may write to")),
        InitError::Verify(_) | InitError::Keys(_) | InitError::Journal(_) | InitError::Sign(_) => {
            (false, None)
        }
    };
    let made = if usage {
        CliError::usage(error.to_string())
    } else {
        CliError::internal(error.to_string())
    };
    match hint {
        Some(hint) => made.with_try(hint),
        None => made,
    }
}

fn told(report: &InitReport, protection: &Protection) -> String {
    let mut table = Table::new([
        ("PARTY", Align::Left),
        ("ADDRESS", Align::Left),
        ("CONFIGURATION", Align::Left),
    ]);
    for (code, dir, address) in &report.parties {
        table.row([
            code.to_string(),
            address.to_string(),
            dir.join("node.toml").display().to_string(),
        ]);
    }
    let mut out = String::from("The network is founded; every signature was verified again.\n\n");
    // Paths are to be copied: they are never cut.
    out.push_str(&table.render(usize::MAX, str::to_owned));
    out.push_str(&format!(
        "\nRoot:         sha256:{}\nOffline keys: {}\n",
        report.root,
        report.root_keys.display()
    ));
    if matches!(protection, Protection::InsecurePlain) {
        out.push_str(
            "\nThe keys are NOT encrypted: whoever reads these files can act as any party.\n\
             Good for trying things out, not for a real network.\n",
        );
    }
    if let Some((_, dir, _)) = report.parties.first() {
        out.push_str(&format!(
            "\nStart a node:  abeng node run --config {}\n",
            dir.join("node.toml").display()
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_has_a_kind_and_its_countrys_name() {
        let lc = party("LC:coordination").unwrap();
        assert_eq!(lc.code.as_str(), "LC");
        assert_eq!(lc.name, "St. Lucia");
        assert_eq!(lc.kind, v1::PartyKind::Coordination);
        assert_eq!(party("TT").unwrap().kind, v1::PartyKind::Member);
        assert_eq!(party("JIO-1").unwrap().name, "JIO-1");
        let error = party("jm").unwrap_err();
        assert_eq!(error.try_this.as_deref(), Some("write --party JM"));
        assert!(party("JM:jio").is_err());
    }

    #[test]
    fn a_relay_is_one_of_the_parties() {
        assert_eq!(code("NL", "--relay").unwrap().as_str(), "NL");
        let error = code("nl", "--relay").unwrap_err();
        assert_eq!(error.try_this.as_deref(), Some("write --relay NL"));
        let relay = PartyCode::new("NL").unwrap();
        let error = failed(InitError::Relay { relay });
        assert_eq!(error.try_this.as_deref(), Some("name it with --party too"));
    }

    #[test]
    fn ports_in_a_row_are_free() {
        let host: IpAddr = "127.0.0.1".parse().unwrap();
        let base = free_ports(host, 3).unwrap();
        let held = UdpSocket::bind((host, base + 1)).unwrap();
        assert_ne!(free_ports(host, 3).unwrap(), base);
        drop(held);
    }
}
