//! Paths on the datastore.

use crate::fault::Fault;
use crate::inventory::{DATASTORE, DATASTORE_NAME};

/// The path below the datastore's root in `[LocalDS_0] haproxy/haproxy.vmx`.
pub(crate) fn parse(text: &str) -> Result<String, Fault> {
    let invalid =
        || Fault::new("InvalidDatastorePath", format!("Invalid datastore path '{text}'.")).with("datastorePath", text);
    let (name, rest) = text.trim().strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or_else(invalid)?;
    if name != DATASTORE_NAME {
        let message = format!("Unable to find the datastore '{name}'.");
        return Err(Fault::new("InvalidDatastore", message).with("datastore", DATASTORE).with("name", name));
    }
    normal(rest).ok_or_else(invalid)
}

/// `[LocalDS_0] ` before a path below the root.
pub(crate) fn render(path: &str) -> String {
    if path.is_empty() { format!("[{DATASTORE_NAME}]") } else { format!("[{DATASTORE_NAME}] {path}") }
}

/// A path without empty segments; none where it climbs.
pub(crate) fn normal(path: &str) -> Option<String> {
    let mut segments = Vec::new();
    for segment in path.trim().split('/') {
        match segment {
            "" | "." => {}
            ".." => return None,
            other => segments.push(other),
        }
    }
    Some(segments.join("/"))
}

/// `%20` and the like decoded; none where that gives no text. `plus` is a space in a query and itself in a path.
pub(crate) fn percent_decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                (digit(rest.next())? * 16 + digit(rest.next())?) as u8
            }
            b'+' if plus_is_space => b' ',
            _ => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_their_datastore_and_do_not_climb() {
        assert_eq!(parse("[LocalDS_0] haproxy//haproxy.vmx").unwrap(), "haproxy/haproxy.vmx");
        assert_eq!(parse("[LocalDS_0]").unwrap(), "");
        assert_eq!(parse("haproxy.vmx").unwrap_err().kind, "InvalidDatastorePath");
        assert_eq!(parse("[other] x").unwrap_err().kind, "InvalidDatastore");
        assert_eq!(parse("[LocalDS_0] a/../../b").unwrap_err().kind, "InvalidDatastorePath");
        assert_eq!(render("a/b"), "[LocalDS_0] a/b");
    }

    #[test]
    fn percent_signs_decode_or_fail() {
        assert_eq!(percent_decode("a%20b+c%2Fd", true).as_deref(), Some("a b c/d"));
        assert_eq!(percent_decode("a+b", false).as_deref(), Some("a+b"));
        assert_eq!(percent_decode("%2", true), None);
        assert_eq!(percent_decode("%ff", true), None);
    }
}
