use super::bar;
use crate::{
    CliError, Exit, Ui,
    args::AttachmentGetArgs,
    texts::{Errors, Files, fill},
};
use abeng_api::{AttachmentItem, AttachmentState, Client, ClientError, ErrorCode};
use abeng_notice::{Attachment, printable};
use serde::Serialize;
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::NamedTempFile;

/// How often it is asked how much has come.
const ASK: Duration = Duration::from_millis(500);

/// A file that was taken out.
#[derive(Debug, Serialize)]
struct Taken {
    number: u32,
    name: String,
    path: String,
    bytes: u64,
}

/// `abeng attachment get ID [NUMBER]`.
pub(super) async fn get(
    args: &AttachmentGetArgs,
    client: &Client,
    ui: &Ui,
) -> Result<(), CliError> {
    let items = client.attachments(&args.id).await?;
    let wanted = wanted(args, &items, ui)?;
    // Before the log says that something was taken out.
    let places = places(args, &wanted, ui)?;
    let mut all = Vec::new();
    for (item, path) in wanted.into_iter().zip(places) {
        let bytes = take(args, item, &path, client, ui).await?;
        all.push(Taken {
            number: item.number,
            name: item.name.clone(),
            path: path.display().to_string(),
            bytes,
        });
    }
    ui.show(&all, || told(&all, ui))
}

fn told(all: &[Taken], ui: &Ui) -> String {
    let t = Files::of(ui.lang);
    let mut out = String::new();
    for taken in all {
        let values = [
            ("name", &*printable(&taken.name)),
            ("path", &*printable(&taken.path)),
            ("size", &*ui.bytes(taken.bytes)),
        ];
        out.push_str(&fill(t.written, &values));
        out.push('\n');
    }
    out.push_str(t.logged);
    out
}

fn wanted<'a>(
    args: &AttachmentGetArgs,
    items: &'a [AttachmentItem],
    ui: &Ui,
) -> Result<Vec<&'a AttachmentItem>, CliError> {
    let chosen = |item: &&AttachmentItem| args.number.is_none_or(|n| n == item.number);
    let wanted: Vec<&AttachmentItem> = items.iter().filter(chosen).collect();
    if !wanted.is_empty() {
        return Ok(wanted);
    }
    let id = printable(&args.id);
    let words = Errors::of(ui.lang);
    let number = args.number.unwrap_or(0).to_string();
    let count = items.len().to_string();
    let values = [("id", &*id), ("number", &*number), ("count", &*count)];
    let absent = |text: &str| CliError::new(Exit::NotFound, fill(text, &values));
    Err(match items {
        [] => absent(words.no_attachments),
        _ => absent(words.no_attachment).with_try(fill(words.has_so_many, &values)),
    })
}

/// Where each is to be written.
fn places(
    args: &AttachmentGetArgs,
    wanted: &[&AttachmentItem],
    ui: &Ui,
) -> Result<Vec<PathBuf>, CliError> {
    let words = Errors::of(ui.lang);
    let out = args.out.as_deref();
    let single = wanted.len() == 1 && out.is_some_and(|out| !out.is_dir());
    if !single && out.is_some_and(|out| !out.is_dir()) {
        let out = out.unwrap_or(Path::new("."));
        let told = fill(words.not_directory, &[("file", &shown(out))]);
        return Err(CliError::usage(told).with_try(words.make_directory));
    }
    let place = |item: &&AttachmentItem| {
        // The node has checked the name; nothing is written by the word of another.
        if !Attachment::is_name(&item.name) {
            let name = printable(&item.name);
            let told = fill(words.no_file_name, &[("name", &name)]);
            return Err(CliError::new(Exit::Unverified, told).with_try(words.own_name));
        }
        let dir = out.unwrap_or(Path::new("."));
        Ok(dir.join(&item.name))
    };
    let paths: Vec<PathBuf> = match out.filter(|_| single) {
        Some(file) => vec![file.to_owned()],
        None => wanted.iter().map(place).collect::<Result<_, _>>()?,
    };
    match paths
        .iter()
        .find(|p| !args.force && p.symlink_metadata().is_ok())
    {
        Some(path) => Err(there(path, ui)),
        None => Ok(paths),
    }
}

/// Something has that name already.
pub(crate) fn there(path: &Path, ui: &Ui) -> CliError {
    let words = Errors::of(ui.lang);
    let told = fill(words.there, &[("file", &shown(path))]);
    CliError::usage(told).with_try(words.other_place)
}

fn shown(path: &Path) -> String {
    printable(&path.display().to_string())
}

/// Waits for it where it is not here, and writes it: whole and verified, or not at all.
async fn take(
    args: &AttachmentGetArgs,
    item: &AttachmentItem,
    path: &Path,
    client: &Client,
    ui: &Ui,
) -> Result<u64, CliError> {
    let mut told = false;
    loop {
        match fetch(&args.id, item, path, args, client, ui).await {
            Err(Fetch::NotHere(mut why)) if args.no_wait => {
                // The same command a little later may succeed.
                why.exit = Exit::Busy;
                return Err(why);
            }
            Err(Fetch::NotHere(_)) => {
                if !told {
                    let name = printable(&item.name);
                    ui.remark(&fill(Files::of(ui.lang).wait, &[("name", &name)]));
                    told = true;
                }
                wait(&args.id, item, client, ui).await?;
            }
            Err(Fetch::Failed(why)) => return Err(why),
            Ok(bytes) => return Ok(bytes),
        }
    }
}

/// Until it is here.
async fn wait(id: &str, item: &AttachmentItem, client: &Client, ui: &Ui) -> Result<(), CliError> {
    let bar = bar(&item.name, item.cipher_length, ui);
    let mut told = false;
    loop {
        tokio::time::sleep(ASK).await;
        let items = client.attachments(id).await?;
        let now = items.into_iter().find(|now| now.number == item.number);
        let Some(now) = now else { return Ok(()) };
        bar.set_position(now.here);
        if let Some(party) = now.budget_of.as_ref().filter(|_| !told) {
            let t = Files::of(ui.lang);
            let values = [("name", &*printable(&now.name)), ("party", party.as_str())];
            ui.remark(&fill(t.for_budget, &values));
            told = true;
        }
        if now.state == AttachmentState::Here {
            bar.finish_and_clear();
            return Ok(());
        }
    }
}

enum Fetch {
    NotHere(CliError),
    Failed(CliError),
}

impl<E: Into<CliError>> From<E> for Fetch {
    fn from(e: E) -> Self {
        Self::Failed(e.into())
    }
}

async fn fetch(
    id: &str,
    item: &AttachmentItem,
    path: &Path,
    args: &AttachmentGetArgs,
    client: &Client,
    ui: &Ui,
) -> Result<u64, Fetch> {
    let mut file = match client.attachment(id, &item.root).await {
        Err(ClientError::Api(e)) if e.code == ErrorCode::Conflict => {
            return Err(Fetch::NotHere(ClientError::Api(e).into()));
        }
        file => file.map_err(CliError::from)?,
    };
    let bar = bar(&item.name, file.len(), ui);
    let dir = path.parent().filter(|dir| *dir != Path::new(""));
    let dir = dir.unwrap_or(Path::new("."));
    // Beside its place, readable by its owner alone, so that a part is never taken for the whole.
    let mut staged = NamedTempFile::new_in(dir).map_err(|e| unwritable(path, &e, ui))?;
    let mut written = 0;
    loop {
        match file.next().await {
            Ok(Some(bytes)) => {
                staged
                    .write_all(&bytes)
                    .map_err(|e| unwritable(path, &e, ui))?;
                written += bytes.len() as u64;
                bar.set_position(written);
            }
            Ok(None) => break,
            Err(e) => return Err(broke_off(id, item, client, e, ui).await),
        }
    }
    let synced = staged.as_file().sync_all();
    synced.map_err(|e| unwritable(path, &e, ui))?;
    bar.finish_and_clear();
    let kept = match args.force {
        true => staged.persist(path),
        false => staged.persist_noclobber(path),
    };
    kept.map_err(|e| match e.error.kind() {
        io::ErrorKind::AlreadyExists => there(path, ui),
        _ => unwritable(path, &e.error, ui),
    })?;
    Ok(written)
}

/// The node stops in the middle where its copy is damaged, and asks for another.
async fn broke_off(
    id: &str,
    item: &AttachmentItem,
    client: &Client,
    e: ClientError,
    ui: &Ui,
) -> Fetch {
    let items = client.attachments(id).await.unwrap_or_default();
    let now = items.into_iter().find(|now| now.number == item.number);
    match now {
        Some(now) if now.state != AttachmentState::Here => {
            let name = printable(&item.name);
            let words = Errors::of(ui.lang);
            let told = fill(words.damaged, &[("name", &name)]);
            Fetch::NotHere(CliError::new(Exit::Busy, told).with_try(words.when_it_came))
        }
        _ => Fetch::Failed(e.into()),
    }
}

fn unwritable(path: &Path, e: &io::Error, ui: &Ui) -> CliError {
    ui.texts()
        .unwritable(path, e, ui.lang)
        .with_try(Errors::of(ui.lang).other_room)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::plain;
    use abeng_notice::Lang;

    fn args(out: Option<&Path>) -> AttachmentGetArgs {
        AttachmentGetArgs {
            id: "3f9a1c02b7de".into(),
            number: None,
            out: out.map(Path::to_owned),
            force: false,
            no_wait: false,
        }
    }

    fn item(number: u32, name: &str) -> AttachmentItem {
        AttachmentItem {
            number,
            name: name.into(),
            ..AttachmentItem::default()
        }
    }

    #[test]
    fn files_go_where_it_is_said_and_never_over_others() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (item(1, "a.jpg"), item(2, "b.jpg"));
        let at = |args: &AttachmentGetArgs, items: &[&AttachmentItem]| {
            places(args, items, &plain(Lang::En))
        };
        let into = args(Some(dir.path()));
        let both = at(&into, &[&a, &b]).unwrap();
        assert_eq!(both, [dir.path().join("a.jpg"), dir.path().join("b.jpg")]);
        let named = dir.path().join("mine.jpg");
        let one = at(&args(Some(&named)), &[&a]).unwrap();
        assert!(one.len() == 1 && one[0] == named);
        let two = at(&args(Some(&named)), &[&a, &b]).unwrap_err();
        assert!(two.message.contains("not a directory"), "{two}");
        std::fs::write(dir.path().join("b.jpg"), b"x").unwrap();
        let taken = at(&into, &[&a, &b]).unwrap_err();
        assert!(taken.message.contains("b.jpg is there already"), "{taken}");
        let over = AttachmentGetArgs {
            force: true,
            ..args(Some(dir.path()))
        };
        assert_eq!(at(&over, &[&a, &b]).unwrap().len(), 2);
        let evil = at(&into, &[&item(1, "../evil")]).unwrap_err();
        assert_eq!(evil.exit, Exit::Unverified);
    }

    #[test]
    fn one_is_chosen_by_its_number() {
        let items = [item(1, "a.jpg"), item(2, "b.jpg")];
        let chosen = AttachmentGetArgs {
            number: Some(2),
            ..args(None)
        };
        assert_eq!(
            wanted(&chosen, &items, &plain(Lang::En)).unwrap()[0].name,
            "b.jpg"
        );
        let none = AttachmentGetArgs {
            number: Some(3),
            ..args(None)
        };
        let error = wanted(&none, &items, &plain(Lang::En)).unwrap_err();
        assert!(error.message.contains("no attachment 3"), "{error}");
        assert!(
            wanted(&args(None), &[], &plain(Lang::En))
                .unwrap_err()
                .message
                .contains("no attachments")
        );
    }
}
