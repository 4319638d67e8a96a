//! Compiles `proto/abeng/v1` with protox, so that no protoc is needed.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files: Vec<PathBuf> = fs::read_dir(root.join("abeng/v1"))?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let set = protox::compile(&files, [&root])?;
    prost_build::Config::new()
        .bytes(["."])
        // Holds a key: `secret.rs` says how it is shown.
        .skip_debug([".abeng.v1.Attachment"])
        .compile_fds(set)?;
    Ok(())
}
