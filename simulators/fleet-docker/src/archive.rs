//! Tar archives, in which an engine hands files in and out of containers.

use std::collections::BTreeMap;
use std::io::Read;

use bytes::Bytes;

/// Packs one file under its path below the directory that the archive is unpacked in. Directories on the way are made.
pub(crate) fn pack(path: &str, content: &[u8], mode: u32) -> std::io::Result<Bytes> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(mode);
    let mut archive = tar::Builder::new(Vec::with_capacity(content.len() + 2048));
    archive.append_data(&mut header, path.trim_start_matches('/'), content)?;
    archive.into_inner().map(Bytes::from)
}

/// Unpacks the files of an archive of `path`, under their absolute paths. The archive calls `path` by its last component.
pub(crate) fn unpack(path: &str, archive: &[u8]) -> std::io::Result<BTreeMap<String, Bytes>> {
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = format!("{parent}/{}", entry.path()?.display());
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        files.insert(name, content.into());
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_keep_their_paths() {
        let archive = pack("haproxy/maps/a.map", b"one", 0o644).expect("memory is writable");
        let files = unpack("/etc/haproxy", &archive).expect("it was just packed");
        assert_eq!(files, BTreeMap::from([("/etc/haproxy/maps/a.map".to_owned(), Bytes::from("one"))]));
        assert!(unpack("/etc", &archive[..600]).is_err(), "a torn archive is an error");
    }
}
