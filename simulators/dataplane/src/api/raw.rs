//! The configuration as one text.

use super::reply::{ApiError, Code};
use crate::Document;

const VERSION: &str = "# _version=";

/// A configuration file without its version line, as `GET /configuration/raw` gives it.
pub(super) fn without_version(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.starts_with(VERSION)).collect()
}

/// What `POST /configuration/raw` would make the configuration.
pub(super) fn document_of(text: &str, version: u64) -> Document {
    let mut document = Document::parse(&without_version(text));
    document.set_version(version);
    document
}

/// What HAProxy wrote about a configuration it refuses, cut down as client-native does: one line for each alert, the file's
/// line number in front where the message has the form `[ALERT] … : parsing [FILE:LINE] : MESSAGE`.
///
/// HAProxy 2.6 puts `config : ` before `parsing`, which the real code does not expect, so that the line number stays inside
/// the message; this is kept.
pub(super) fn validation_error(output: &str, transaction: &str) -> ApiError {
    let mut text = format!("ERR transactionId={transaction} ");
    for line in output.lines().map(str::trim).filter(|line| line.starts_with("[ALERT]")) {
        if line.ends_with("Fatal errors found in configuration.")
            || line.contains("Error(s) found in configuration file : ")
        {
            continue;
        }
        let parts: Vec<&str> = line.split(" : ").collect();
        let position = parts.get(1).and_then(|part| part.trim().strip_prefix("parsing ["));
        let number = position
            .filter(|_| parts.len() > 2)
            .and_then(|position| position.trim_end_matches(']').rsplit(':').next()?.parse::<u32>().ok());
        let message = |from: usize| parts.get(from..).unwrap_or_default().join(" ").trim().to_owned();
        match number {
            Some(number) => text.push_str(&format!("\nline={number} msg=\"{}\"", message(2))),
            None if parts.len() > 1 => text.push_str(&format!("\nmsg=\"{}\"", message(1))),
            None => {}
        }
    }
    ApiError::client(Code::Validation, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_cut_down() {
        let old = "[ALERT] 320/101010 (12) : parsing [/tmp/x:7] : unknown keyword 'bnd' in 'frontend' section\n\
                   [ALERT] 320/101010 (12) : Error(s) found in configuration file : /tmp/x\n\
                   [ALERT] 320/101010 (12) : Fatal errors found in configuration.\n";
        assert_eq!(
            validation_error(old, "t").message,
            "14: ERR transactionId=t \nline=7 msg=\"unknown keyword 'bnd' in 'frontend' section\""
        );
        let new = "[NOTICE]   (9) : haproxy version is 2.6.12\n\
                   [ALERT]    (9) : config : Proxy 'x': unable to find required default_backend: 'nope'.\n";
        assert_eq!(
            validation_error(new, "t").message,
            "14: ERR transactionId=t \nmsg=\"config Proxy 'x': unable to find required default_backend: 'nope'.\""
        );
    }

    #[test]
    fn the_version_line_is_the_apis_own() {
        assert_eq!(without_version("# _version=3\nglobal\n"), "global\n");
        assert_eq!(document_of("# _version=99\nglobal\n", 4).to_string(), "# _version=4\nglobal\n");
    }
}
