use super::{tell, there, value, write_new};
use crate::{
    CliError, Exit, Ui,
    args::{Common, EvidenceExportArgs},
    connect,
    inbox::short_id,
};
use abeng_api::EvidenceQuery;
use abeng_evidence::{Verdict, verify};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// `abeng evidence export ID`.
pub(crate) fn export(
    args: EvidenceExportArgs,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    // Before the log says that something was handed out.
    if let Some(out) = expected_name(&args) {
        not_there(&out)?;
    }
    if args.disclose && !args.yes {
        sure(&args.id, ui)?;
    }
    let query = EvidenceQuery {
        disclose: args.disclose,
    };
    let file =
        connect::block_on(async { Ok(connect::client(common).evidence(&args.id, &query).await?) })?;
    let verdict = verify(&file, None).map_err(|fault| {
        CliError::new(
            Exit::Unverified,
            format!("what the node gave does not verify: {fault}"),
        )
        .with_try("abeng audit verify checks the node's log")
    })?;
    let out = args.out.unwrap_or_else(|| name(&verdict));
    write_new(&out, &file)?;
    let mut told = value::verdict(&verdict);
    if let Some(fields) = told.as_object_mut() {
        fields.insert("file".to_owned(), out.display().to_string().into());
        fields.insert("bytes".to_owned(), file.len().into());
    }
    ui.show(&told, || tell::exported(&verdict, &out, file.len(), ui))?;
    Ok(Exit::Ok.into())
}

fn name(verdict: &Verdict) -> PathBuf {
    let id = verdict.envelope_id.to_string();
    format!("{}.evidence", short_id(&id)).into()
}

/// The name it will have, where that can be known before the node is asked.
fn expected_name(args: &EvidenceExportArgs) -> Option<PathBuf> {
    let id = args.id.trim().to_ascii_lowercase();
    let named = (id.len() >= 12).then(|| format!("{}.evidence", short_id(&id)).into());
    args.out.clone().or(named)
}

fn not_there(out: &Path) -> Result<(), CliError> {
    match out.symlink_metadata() {
        Ok(_) => Err(there(out)),
        Err(_) => Ok(()),
    }
}

/// Asks on a terminal; elsewhere `--yes` must say it.
fn sure(id: &str, ui: &Ui) -> Result<(), CliError> {
    let declined = || CliError::new(Exit::Refused, "nothing was disclosed");
    if !ui.interactive || ui.json {
        return Err(
            CliError::usage("--disclose hands out what the notice says, for good")
                .with_try("add --yes if that is meant, or leave out --disclose"),
        );
    }
    let id = abeng_notice::printable(id);
    let question = format!(
        "Whoever has the file can read notice {id}, for good; the audit log will say that you \
         exported it. Disclose its content?"
    );
    match inquire::Confirm::new(&question)
        .with_default(false)
        .prompt()
    {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(declined()),
    }
}
