//! The files of a notice: looked at, given to the node, and named in the draft as it has called
//! them.

use super::Input;
use crate::{
    CliError, Ui,
    args::SeizureArgs,
    attachment::bar,
    texts::{Errors, fill},
};
use abeng_api::{AttachQuery, Client, CostFile};
use abeng_notice::Attachment;
use abeng_wire::limits;
use bytes::Bytes;
use indicatif::ProgressBar;
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};
use tokio::sync::mpsc;

/// Bytes read at once.
const READ: usize = 256 * 1024;
/// Buffers on their way from the disk to the socket.
const AHEAD: usize = 4;

/// A file that will be given.
#[derive(Debug)]
pub(super) struct Local {
    path: PathBuf,
    name: String,
    length: u64,
}

impl Local {
    /// As what it would cost is asked for.
    pub(super) fn planned(&self) -> CostFile {
        CostFile {
            name: self.name.clone(),
            length: self.length,
        }
    }
}

/// Takes the files out of the draft and the options, and looks whether each can be attached.
pub(super) fn look(input: &mut Input, args: &SeizureArgs, ui: &Ui) -> Result<Vec<Local>, CliError> {
    let beside = args.file.as_deref().and_then(Path::parent);
    let written = std::mem::take(&mut input.draft.attach);
    // A path in a file is meant from where the file lies.
    let written = written.iter().map(|path| match beside {
        Some(dir) => dir.join(path),
        None => PathBuf::from(path),
    });
    let paths: Vec<PathBuf> = written.chain(args.attach.iter().cloned()).collect();
    let words = Errors::of(ui.error_lang());
    if paths.len() > limits::ATTACHMENTS {
        let (count, limit) = (paths.len().to_string(), limits::ATTACHMENTS.to_string());
        let told = fill(words.many_files, &[("count", &count), ("limit", &limit)]);
        return Err(CliError::usage(told).with_try(words.zip));
    }
    let mut names = BTreeSet::new();
    paths
        .into_iter()
        .map(|path| {
            let file = local(path, ui)?;
            if !names.insert(file.name.clone()) {
                let told = fill(words.two_files, &[("name", &file.name)]);
                return Err(CliError::usage(told).with_try(words.rename_one));
            }
            Ok(file)
        })
        .collect()
}

fn local(path: PathBuf, ui: &Ui) -> Result<Local, CliError> {
    let shown = path.display().to_string();
    let there = path.metadata().map_err(|e| {
        let texts = ui.texts();
        texts
            .unreadable(&path, &e)
            .with_try(texts.reading.name_another)
    })?;
    let words = Errors::of(ui.error_lang());
    let cannot = |why: &str| {
        let values = [("file", shown.as_str()), ("why", why)];
        CliError::usage(fill(words.cannot_attach, &values))
    };
    let problem = if !there.is_file() {
        Some(words.not_a_file)
    } else if there.len() == 0 {
        Some(words.empty)
    } else if there.len() > limits::ATTACHMENT {
        Some(words.too_long)
    } else {
        None
    };
    if let Some(problem) = problem {
        return Err(cannot(problem).with_try(words.choose_another));
    }
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name
        .filter(|name| Attachment::is_name(name))
        .ok_or_else(|| cannot(words.bad_name).with_try(words.rename))?;
    Ok(Local {
        name: name.to_owned(),
        length: there.len(),
        path,
    })
}

/// Gives all of them to the node, and names them in the draft.
pub(super) async fn give(
    files: &[Local],
    input: &mut Input,
    client: &Client,
    ui: &Ui,
) -> Result<(), CliError> {
    for file in files {
        let bar = bar(&file.name, file.length, ui);
        let (tx, chunks) = mpsc::channel(AHEAD);
        let (path, length, moving) = (file.path.clone(), file.length, bar.clone());
        let reading = tokio::task::spawn_blocking(move || read(&path, length, &tx, &moving));
        let query = AttachQuery {
            name: file.name.clone(),
        };
        let given = client.attach(&query, file.length, chunks).await;
        bar.finish_and_clear();
        // The reader's own trouble says more than the break that it causes.
        if let Ok(Err(e)) = reading.await {
            let unreadable = ui.texts().unreadable(&file.path, &e);
            return Err(unreadable.with_try(Errors::of(ui.error_lang()).changing));
        }
        input.draft.attach.push(given?.handle);
    }
    Ok(())
}

/// Reads a file to its end; that the other side is gone is no trouble of its own.
fn read(
    path: &Path,
    length: u64,
    chunks: &mpsc::Sender<io::Result<Bytes>>,
    bar: &ProgressBar,
) -> io::Result<()> {
    let broken = |e: io::Error| {
        let _ = chunks.blocking_send(Err(io::Error::from(e.kind())));
        e
    };
    let mut file = File::open(path).map_err(broken)?;
    let (mut buffer, mut rest) = (vec![0; READ], length);
    loop {
        match file.read(&mut buffer).map_err(broken)? {
            0 if rest == 0 => return Ok(()),
            n if n == 0 || n as u64 > rest => {
                return Err(broken(io::Error::other("it changed while it was read")));
            }
            n => {
                rest -= n as u64;
                let bytes = Bytes::copy_from_slice(&buffer[..n]);
                if chunks.blocking_send(Ok(bytes)).is_err() {
                    return Ok(());
                }
                bar.inc(n as u64);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::plain;
    use abeng_notice::Lang;
    use std::fs;

    fn looked(attach: &[&Path]) -> Result<Vec<Local>, CliError> {
        let args = SeizureArgs {
            attach: attach.iter().map(|p| p.to_path_buf()).collect(),
            ..SeizureArgs::default()
        };
        let mut input = Input {
            draft: Default::default(),
            source: None,
        };
        look(&mut input, &args, &plain(Lang::En))
    }

    #[test]
    fn what_cannot_be_attached_is_said_before_anything_is_sent() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        let (good, empty) = (path("x.jpg", b"x"), path("empty", b""));
        assert_eq!(looked(&[&good]).unwrap()[0].name, "x.jpg");
        for (bad, word) in [
            (empty.as_path(), "empty"),
            (dir.path(), "not a file"),
            (&dir.path().join("absent"), "no such file"),
            (&path(".hidden", b"x"), "called so"),
            (&path("a:b", b"x"), "called so"),
        ] {
            let error = looked(&[bad]).unwrap_err();
            assert!(error.message.contains(word), "{error}");
            assert!(error.try_this.is_some(), "{error}");
        }
        let twice = looked(&[&good, &good]).unwrap_err();
        assert!(twice.message.contains("two files"), "{twice}");
        let many = vec![good.as_path(); limits::ATTACHMENTS + 1];
        assert!(looked(&many).unwrap_err().message.contains("17 files"));
    }

    #[test]
    fn a_path_in_a_file_is_meant_from_where_the_file_lies() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x.jpg"), b"x").unwrap();
        let args = SeizureArgs {
            file: Some(dir.path().join("notice.toml")),
            ..SeizureArgs::default()
        };
        let mut input = Input {
            draft: Default::default(),
            source: None,
        };
        input.draft.attach = vec!["x.jpg".into()];
        let files = look(&mut input, &args, &plain(Lang::En)).unwrap();
        assert_eq!(files[0].path, dir.path().join("x.jpg"));
        assert!(input.draft.attach.is_empty(), "the node names them");
    }
}
