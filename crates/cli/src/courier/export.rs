use super::{
    contents::{Contents, Sift},
    progress,
};
use crate::{
    CliError, Exit, Ui,
    args::{Common, CourierExportArgs},
    connect,
    staged::{NotWritten, Over, Staged},
    texts::{Errors, Places, fill},
};
use abeng_api::{CourierExportQuery, Pieces};
use abeng_notice::printable;
use std::{path::Path, process::ExitCode};

/// `abeng courier export`.
pub(super) fn export(
    args: &CourierExportArgs,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    // Before the log says that something was handed out.
    let unwritable = |why: NotWritten| unwritable(&args.out, &why, ui);
    let part = Staged::beside(&args.out, Over::forced(args.force));
    let mut part = part.map_err(unwritable)?;
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
    part.keep().map_err(unwritable)?;
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
    part: &mut Staged,
    args: &CourierExportArgs,
    ui: &Ui,
) -> Result<Contents, CliError> {
    let bar = progress(None, ui);
    let mut sift = Sift::new(0);
    let mut read = Ok(());
    while let Some(piece) = made.next().await {
        let piece = piece?;
        part.write(&piece)
            .map_err(|why| unwritable(&args.out, &why, ui))?;
        bar.inc(piece.len() as u64);
        read = read.and_then(|()| sift.feed(&piece));
    }
    bar.finish_and_clear();
    let broke_off = |why: String| {
        let words = Errors::of(ui.error_lang());
        let told = fill(words.not_whole, &[("why", &why)]);
        CliError::new(Exit::Unverified, told).with_try(words.once_more)
    };
    let contents = sift.end(read).map_err(|e| broke_off(e.to_string()))?;
    match &contents.problem {
        Some(problem) => Err(broke_off(problem.clone())),
        None => Ok(contents),
    }
}

fn unwritable(out: &Path, why: &NotWritten, ui: &Ui) -> CliError {
    why.told(out, Places::of(ui.error_lang()).stick, ui)
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
