//! HostDatastoreBrowser: listing directories of the datastore.

use std::collections::BTreeMap;

use grenadier_clock::Time;
use grenadier_fleet::CloudHost;

use crate::VSphere;
use crate::call::{Call, Outcome};
use crate::datastore::files::{self, FileKind};
use crate::datastore::path;
use crate::fault::Fault;
use crate::inventory::{DATASTORE, Inventory};
use crate::task::{NewTask, Work};
use crate::value::{Data, Value, long};

pub(crate) const PROPERTIES: &[&str] = &["datastore", "supportedType"];

pub(crate) fn property(name: &str) -> Option<Value> {
    (name == "datastore").then(|| Value::refs([DATASTORE]))
}

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match call.method {
        "SearchDatastore_Task" => search(sim, call, host, false),
        "SearchDatastoreSubFolders_Task" => search(sim, call, host, true),
        _ => return None,
    })
}

/// What a search looks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Search {
    /// The directory below the root.
    directory: String,
    /// Names that match any of these patterns; empty for all.
    patterns: Vec<String>,
    /// Directories below it too.
    deep: bool,
}

fn search(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost, deep: bool) -> Outcome {
    let directory = path::parse(call.args.required("datastorePath")?)?;
    let patterns = call.args.child("searchSpec").map(|spec| spec.texts_of("matchPattern")).unwrap_or_default();
    let description = if deep { "Datastore.searchDatastoreSubFolders" } else { "Datastore.searchDatastore" };
    let work = Work::Search(Search { directory, patterns, deep });
    sim.begin_task(call, host, NewTask { entity: DATASTORE, description, work })
}

/// Runs a search: one result, or one for each directory.
pub(crate) fn run(inventory: Inventory<'_>, search: &Search) -> Result<Value, Fault> {
    let (first, mut below) = look(inventory, search)?;
    if !search.deep {
        return Ok(first.into());
    }
    let mut results = vec![first];
    while let Some(directory) = below.pop() {
        let inner = Search { directory, ..search.clone() };
        let (result, further) = look(inventory, &inner)?;
        results.push(result);
        below.extend(further);
    }
    Ok(Value::list("HostDatastoreBrowserSearchResults", results))
}

/// Looks into one directory; gives the directories in it too. They show as one entry each; one that nothing is in and that
/// nobody made does not exist.
fn look(inventory: Inventory<'_>, search: &Search) -> Result<(Data, Vec<String>), Fault> {
    let prefix = if search.directory.is_empty() { String::new() } else { format!("{}/", search.directory) };
    let stored =
        inventory.sim.files.iter().map(|(path, file)| (path.clone(), file.content.len() as u64, file.modified));
    let own = inventory.machines().flat_map(|(_, machine)| files::of_machine(inventory, machine));
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    for (path, size, modified) in stored.chain(own.map(|file| (file.path, file.size, Time::ZERO))) {
        let Some(rest) = path.strip_prefix(&prefix) else { continue };
        match rest.split_once('/') {
            Some((directory, _)) => entries.insert(directory.to_owned(), Entry::Directory),
            None => entries.insert(rest.to_owned(), Entry::File { size, modified }),
        };
    }
    for directory in inventory.sim.files.directories() {
        if let Some(rest) = directory.strip_prefix(&prefix) {
            let name = rest.split_once('/').map_or(rest, |(name, _)| name);
            entries.insert(name.to_owned(), Entry::Directory);
        }
    }
    let made = inventory.sim.files.directories().any(|directory| *directory == search.directory);
    if entries.is_empty() && !search.directory.is_empty() && !made {
        return Err(Fault::file_not_found(&path::render(&search.directory)));
    }
    let wanted =
        |name: &str| search.patterns.is_empty() || search.patterns.iter().any(|pattern| matches(pattern, name));
    let files = entries.iter().filter(|(name, _)| wanted(name)).map(|(name, entry)| match entry {
        Entry::Directory => Data::derived("FolderFileInfo").with("path", name.as_str()),
        Entry::File { size, modified } => Data::derived(FileKind::of(name).type_name())
            .with("path", name.as_str())
            .with("fileSize", long(*size))
            .with("modification", *modified)
            .with("owner", "root"),
    });
    let results = Data::new("HostDatastoreBrowserSearchResults")
        .with("datastore", DATASTORE)
        .with("folderPath", path::render(&search.directory))
        .with("file", Value::list("FileInfo", files));
    let directories = entries.iter().filter(|(_, entry)| matches!(entry, Entry::Directory));
    let directories = directories.map(|(name, _)| format!("{prefix}{name}")).collect();
    Ok((results, directories))
}

enum Entry {
    Directory,
    File { size: u64, modified: Time },
}

/// Whether `name` is what `pattern` means: `*` any text, `?` any character.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // One row of the table: which prefixes of the name the pattern so far matches.
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for wanted in pattern {
        let mut next = vec![false; name.len() + 1];
        for position in 0..=name.len() {
            next[position] = match wanted {
                '*' => reached[position] || position > 0 && next[position - 1],
                '?' => position > 0 && reached[position - 1],
                _ => position > 0 && reached[position - 1] && name[position - 1] == wanted,
            };
        }
        reached = next;
    }
    reached[name.len()]
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, want) in [
            ("*", "", true),
            ("*.vmx", "haproxy.vmx", true),
            ("*.vmx", "haproxy.vmxf", false),
            ("h?proxy*", "haproxy.vmdk", true),
            ("?", "", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
        ] {
            assert_eq!(matches(pattern, name), want, "{pattern} {name}");
        }
    }
}
