use super::{
    contents::{Contents, Sift},
    progress,
};
use crate::{
    CliError, Exit, Ui,
    args::{Common, CourierExportArgs},
    attachment::there,
    connect,
    texts::{Errors, fill},
};
use abeng_api::{CourierExportQuery, Pieces};
use abeng_notice::printable;
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};
use tempfile::NamedTempFile;

/// `abeng courier export`.
pub(super) fn export(
    args: &CourierExportArgs,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    // Before the log says that something was handed out.
    if !args.force {
        not_there(&args.out, ui)?;
    }
    let mut part = part(&args.out, ui)?;
    let query = CourierExportQuery {
        to: args.to.clone(),
        limit: args.limit,
        again: args.again,
        no_attachments: args.no_attachments,
    };
    let contents = connect::block_on(async {
        let made = connect::client(common).courier_export(&query).await?;
        write(made, &mut part, args, ui).await
    })?;
    keep(part, args, ui)?;
    let mut told = serde_json::to_value(&contents)
        .map_err(|e| CliError::internal(format!("the answer cannot be written: {e}")))?;
    if let Some(fields) = told.as_object_mut() {
        fields.remove("items");
        fields.insert("file".to_owned(), args.out.display().to_string().into());
    }
    ui.show(&told, || tell(&contents, &args.out, ui))?;
    Ok(Exit::Ok.into())
}

/// Writes what comes, and reads it on the way: only what is whole becomes a file.
async fn write(
    mut made: Pieces,
    part: &mut NamedTempFile,
    args: &CourierExportArgs,
    ui: &Ui,
) -> Result<Contents, CliError> {
    let bar = progress(None, ui);
    let mut sift = Sift::new(0);
    let mut read = Ok(());
    while let Some(piece) = made.next().await {
        let piece = piece?;
        part.write_all(&piece)
            .map_err(|e| unwritable(&args.out, &e, ui))?;
        bar.inc(piece.len() as u64);
        read = read.and_then(|()| sift.feed(&piece));
    }
    bar.finish_and_clear();
    let broke_off = |why: String| {
        let words = Errors::of(ui.lang);
        let told = fill(words.not_whole, &[("why", &why)]);
        CliError::new(Exit::Unverified, told).with_try(words.once_more)
    };
    let contents = sift.end(read).map_err(|e| broke_off(e.to_string()))?;
    match &contents.problem {
        Some(problem) => Err(broke_off(problem.clone())),
        None => Ok(contents),
    }
}

/// A file beside the one that is to be, so that nobody takes half a file for a whole one.
fn part(out: &Path, ui: &Ui) -> Result<NamedTempFile, CliError> {
    tempfile::Builder::new()
        .prefix(".abeng-courier-")
        .tempfile_in(directory(out))
        .map_err(|e| unwritable(out, &e, ui))
}

fn directory(out: &Path) -> PathBuf {
    match out.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn keep(part: NamedTempFile, args: &CourierExportArgs, ui: &Ui) -> Result<(), CliError> {
    let out = &args.out;
    part.as_file()
        .sync_all()
        .map_err(|e| unwritable(out, &e, ui))?;
    // Some file systems of sticks cannot rename without replacing in one step.
    let kept = match args.force {
        true => part.persist(out),
        false => match part.persist_noclobber(out) {
            Err(e) if e.error.kind() != io::ErrorKind::AlreadyExists => {
                not_there(out, ui)?;
                e.file.persist(out)
            }
            kept => kept,
        },
    };
    match kept {
        Ok(_) => {}
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => return Err(there(out, ui)),
        Err(e) => return Err(unwritable(out, &e.error, ui)),
    }
    // The name too must last; not every file system of a stick lets a directory be synced.
    let _ = File::open(directory(out)).and_then(|dir| dir.sync_all());
    Ok(())
}

fn not_there(out: &Path, ui: &Ui) -> Result<(), CliError> {
    match out.symlink_metadata() {
        Ok(_) => Err(there(out, ui)),
        Err(_) => Ok(()),
    }
}

fn unwritable(out: &Path, e: &io::Error, ui: &Ui) -> CliError {
    ui.texts()
        .unwritable(out, e, ui.lang)
        .with_try(Errors::of(ui.lang).stick_room)
}

/// How many files went along, and how many did not fit, where there are any.
fn attachments(contents: &Contents, ui: &Ui) -> Vec<String> {
    let texts = &ui.texts().courier;
    let (went, left) = (contents.attachments, contents.attachments_left_out);
    let went = (went > 0).then(|| {
        let (count, size) = (went.to_string(), ui.bytes(contents.attachment_bytes));
        fill(texts.files, &[("count", &*count), ("size", &*size)])
    });
    let left = (left > 0).then(|| {
        let size = ui.bytes(contents.attachment_bytes_left_out);
        let form = ui.texts().form(&texts.files_left, left);
        fill(form, &[("count", &*left.to_string()), ("size", &*size)])
    });
    went.into_iter().chain(left).collect()
}

fn tell(contents: &Contents, out: &Path, ui: &Ui) -> String {
    let texts = &ui.texts().courier;
    let to = printable(&contents.to);
    let (file, size) = (
        printable(&out.display().to_string()),
        ui.bytes(contents.bytes),
    );
    let counts = &ui.texts().counts;
    let count = |of, n| ui.texts().count(of, n);
    let (envelopes, receipts) = (
        count(&counts.notices, contents.envelopes),
        count(&counts.receipts, contents.receipts),
    );
    let mut lines = vec![fill(
        texts.written,
        &[
            ("file", &file),
            ("size", &size),
            ("to", &to),
            ("envelopes", &envelopes),
            ("receipts", &receipts),
        ],
    )];
    if contents.left_out > 0 {
        lines.push(count(&texts.left_out, contents.left_out));
    }
    lines.extend(attachments(contents, ui));
    if contents.envelopes > 0 {
        lines.push(texts.stay.to_owned());
    }
    lines.push(fill(texts.bring, &[("to", &to)]));
    lines.join("\n")
}
