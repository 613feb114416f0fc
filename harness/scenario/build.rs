//! Embeds the scenario files: writes a table of `include_str!` for every `scenarios/<system>/*.yaml` and
//! `scenarios/<system>/field/*.yaml` of the workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::{env, io};

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let root = manifest.join("../..").canonicalize()?;
    let scenarios = root.join("scenarios");
    // Watching the directories notices added and removed files; the files themselves are watched through `include_str!`.
    println!("cargo::rerun-if-changed={}", scenarios.display());
    let mut files = Vec::new();
    for system in sorted(&scenarios)?.into_iter().filter(|path| path.is_dir()) {
        println!("cargo::rerun-if-changed={}", system.display());
        files.extend(yaml_files(&system)?);
        let field = system.join("field");
        if field.is_dir() {
            println!("cargo::rerun-if-changed={}", field.display());
            files.extend(yaml_files(&field)?);
        }
    }
    let mut table = String::from("&[\n");
    for file in files {
        let path = file.strip_prefix(&root).expect("it was found below the root");
        let name = file.file_stem().and_then(|stem| stem.to_str()).expect("scenario files have names in ASCII");
        let path = path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        let source = file.to_str().expect("the path of the checkout is valid UTF-8");
        table.push_str(&format!("Embedded {{ path: {path:?}, name: {name:?}, source: include_str!({source:?}) }},\n"));
    }
    table.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("embedded.rs");
    fs::write(out, table)
}

/// What is in a directory, in the order of names: the order of a directory listing is the file system's affair.
fn sorted(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

fn yaml_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let is_yaml = |path: &PathBuf| path.is_file() && path.extension().is_some_and(|extension| extension == "yaml");
    Ok(sorted(directory)?.into_iter().filter(is_yaml).collect())
}
