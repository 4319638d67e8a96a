use super::{bar, failed, moves, waits};
use crate::{
    CliError, Exit, Ui,
    args::AttachmentGetArgs,
    staged::{NotWritten, Over, Staged, may_take},
    texts::{Errors, Files, Places, fill},
};
use abeng_api::{AttachmentItem, AttachmentState, Client, ClientError, ErrorCode};
use abeng_notice::{Attachment, printable};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

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
    // All of them, so that none waits for the one before it.
    let lacking = ask_for(args, &wanted, client).await?;
    if args.no_wait && !lacking.is_empty() {
        return Err(not_here(&lacking, ui));
    }
    let (mut all, mut failures) = (Vec::new(), Vec::new());
    for (item, path) in wanted.into_iter().zip(places) {
        let bytes = match take(args, item, &path, client, ui).await {
            Ok(bytes) => bytes,
            // One that cannot be had keeps nobody from the others.
            Err(Stop::NotThis(why)) => {
                failures.push(why);
                continue;
            }
            Err(Stop::All(why)) => return Err(why),
        };
        all.push(Taken {
            number: item.number,
            name: item.name.clone(),
            path: path.display().to_string(),
            bytes,
        });
    }
    let mut failures = failures.into_iter();
    let Some(mut failure) = failures.next() else {
        return ui.show(&all, || told(&all, ui));
    };
    if !all.is_empty() {
        ui.remark(&told(&all, ui));
    }
    for other in failures {
        failure.message = format!("{}\n{}", failure.message, other.message);
    }
    Err(failure)
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

/// Asks for those that are not here; which those are, of those that may come.
async fn ask_for<'a>(
    args: &AttachmentGetArgs,
    wanted: &[&'a AttachmentItem],
    client: &Client,
) -> Result<Vec<&'a AttachmentItem>, CliError> {
    let mut lacking = Vec::new();
    for &item in wanted {
        if item.state == AttachmentState::Here {
            continue;
        }
        match client.attachment(&args.id, &item.root).await {
            // It has come meanwhile.
            Ok(_) => {}
            Err(ClientError::Api(e)) if e.code == ErrorCode::Conflict => lacking.push(item),
            // It cannot be had; that is told in its turn.
            Err(ClientError::Api(e))
                if matches!(e.code, ErrorCode::NotFound | ErrorCode::Damaged) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(lacking)
}

/// The same command a little later may succeed.
fn not_here(lacking: &[&AttachmentItem], ui: &Ui) -> CliError {
    let t = &Files::of(ui.error_lang()).failures;
    let names: Vec<String> = lacking.iter().map(|item| printable(&item.name)).collect();
    let told = fill(t.not_here, &[("names", &names.join(", "))]);
    CliError::new(Exit::Busy, told).with_try(t.asked_for)
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
    let words = Errors::of(ui.error_lang());
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
    let words = Errors::of(ui.error_lang());
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
    for path in &paths {
        let may = may_take(path, Over::forced(args.force));
        may.map_err(|why| unwritable(path, &why, ui))?;
    }
    Ok(paths)
}

fn unwritable(path: &Path, why: &NotWritten, ui: &Ui) -> CliError {
    why.told(path, Places::of(ui.error_lang()).room, ui)
}

/// Why a file was not taken out.
enum Stop {
    /// It cannot be had; others may.
    NotThis(CliError),
    /// Nothing more can be done.
    All(CliError),
}

impl<E: Into<CliError>> From<E> for Stop {
    fn from(e: E) -> Self {
        Self::All(e.into())
    }
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
) -> Result<u64, Stop> {
    let mut told = false;
    loop {
        match fetch(item, path, args, client, ui).await? {
            Fetched::All(bytes) => return Ok(bytes),
            Fetched::NotHere(why) if args.no_wait => return Err(Stop::All(why)),
            Fetched::NotHere(_) => {
                if !told {
                    let values = [("name", &*printable(&item.name)), ("party", &item.sender)];
                    ui.remark(&fill(Files::of(ui.lang).wait, &values));
                    told = true;
                }
                wait(&args.id, item, client, ui).await?;
            }
        }
    }
}

/// How a file is now.
async fn now(
    id: &str,
    item: &AttachmentItem,
    client: &Client,
) -> Result<Option<AttachmentItem>, ClientError> {
    let items = client.attachments(id).await?;
    Ok(items.into_iter().find(|now| now.number == item.number))
}

/// Until it is here, or it is known that it does not come.
async fn wait(id: &str, item: &AttachmentItem, client: &Client, ui: &Ui) -> Result<(), Stop> {
    let bar = waits(item, ui);
    let (mut told, mut first) = (false, None);
    loop {
        tokio::time::sleep(ASK).await;
        let Some(now) = now(id, item, client).await? else {
            return Ok(());
        };
        // Until something comes there is nothing to measure.
        if now.here > *first.get_or_insert(now.here) {
            moves(&bar, &now, ui);
        }
        bar.set_position(now.here);
        if let Some(party) = now.budget_of.as_ref().filter(|_| !told) {
            let t = Files::of(ui.lang);
            let text = match now.budget_here {
                true => t.for_own_budget,
                false => t.for_budget,
            };
            let values = [("name", &*printable(&now.name)), ("party", party.as_str())];
            bar.suspend(|| ui.remark(&fill(text, &values)));
            told = true;
        }
        if let Some(why) = failed(&now, ui) {
            bar.finish_and_clear();
            return Err(Stop::NotThis(why));
        }
        if now.state == AttachmentState::Here {
            bar.finish_and_clear();
            return Ok(());
        }
    }
}

enum Fetched {
    /// It is written.
    All(u64),
    /// It may come.
    NotHere(CliError),
}

async fn fetch(
    item: &AttachmentItem,
    path: &Path,
    args: &AttachmentGetArgs,
    client: &Client,
    ui: &Ui,
) -> Result<Fetched, Stop> {
    let mut file = match client.attachment(&args.id, &item.root).await {
        Err(ClientError::Api(e)) if e.code == ErrorCode::Conflict => {
            return Ok(Fetched::NotHere(not_here(&[item], ui)));
        }
        Err(ClientError::Api(e)) if matches!(e.code, ErrorCode::NotFound | ErrorCode::Damaged) => {
            // In the reader's language, where the list says the same.
            let now = now(&args.id, item, client).await.unwrap_or_default();
            let why = now.and_then(|now| failed(&now, ui));
            return Err(Stop::NotThis(why.unwrap_or_else(|| e.into())));
        }
        file => file.map_err(CliError::from)?,
    };
    let bar = bar(&item.name, file.len(), ui);
    let failed = |why: NotWritten| unwritable(path, &why, ui);
    let mut staged = Staged::beside(path, Over::forced(args.force)).map_err(failed)?;
    let mut written = 0;
    loop {
        match file.next().await {
            Ok(Some(bytes)) => {
                staged.write(&bytes).map_err(failed)?;
                written += bytes.len() as u64;
                bar.set_position(written);
            }
            Ok(None) => break,
            Err(_) => {
                bar.finish_and_clear();
                return broke_off(args, item, client, ui).await;
            }
        }
    }
    bar.finish_and_clear();
    staged.keep().map_err(failed)?;
    Ok(Fetched::All(written))
}

/// The node stops in the middle where its copy is damaged, and asks for another where there is one.
async fn broke_off(
    args: &AttachmentGetArgs,
    item: &AttachmentItem,
    client: &Client,
    ui: &Ui,
) -> Result<Fetched, Stop> {
    let t = &Files::of(ui.error_lang()).failures;
    let name = printable(&item.name);
    let say = |text| fill(text, &[("name", &name)]);
    let Some(now) = now(&args.id, item, client).await? else {
        return Err(CliError::internal(say(t.broke_off))
            .with_try(t.see_log)
            .into());
    };
    if let Some(why) = failed(&now, ui) {
        return Err(Stop::NotThis(why));
    }
    if now.state == AttachmentState::Here {
        let why = CliError::internal(say(t.broke_off)).with_try(t.see_log);
        return Err(Stop::NotThis(why));
    }
    ui.remark(&say(t.asked_again));
    Ok(Fetched::NotHere(not_here(&[item], ui)))
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
        let device = AttachmentGetArgs {
            force: true,
            ..args(Some(Path::new("/dev/null")))
        };
        let refused = at(&device, &[&a]).unwrap_err();
        assert!(refused.message.contains("is a device"), "{refused}");
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
