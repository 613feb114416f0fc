//! Putting customisations into the new appliance's files.

use crate::procedures::haproxy_appliance::customisation::{Section, directive, is_head};

/// `haproxy.cfg` with the customised directives at the end of their sections and with the sections it has not.
///
/// What is there already is left alone, so that merging twice changes nothing. The file's version is raised where anything
/// changed, because the Data Plane API's clients must not go on with the content they read before.
pub(super) fn haproxy(text: &str, custom: &[Section]) -> String {
    let merged = insert(text, custom);
    if merged == text { merged } else { raised(&merged) }
}

/// [`haproxy`] without a thought of the version.
pub(super) fn insert(text: &str, custom: &[Section]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for section in custom {
        let head = lines.iter().position(|line| directive(line).as_ref() == Some(&section.head));
        match head {
            Some(head) => {
                let length =
                    lines[head + 1..].iter().position(|line| directive(line).is_some_and(|line| is_head(&line)));
                let end = length.map_or(lines.len(), |length| head + 1 + length);
                let present: Vec<String> = lines[head + 1..end].iter().filter_map(|line| directive(line)).collect();
                // Behind the section's last directive, and before the blank lines and comments that lead to the next.
                let at = (head..end).rev().find(|index| directive(&lines[*index]).is_some()).unwrap_or(head) + 1;
                let missing = section.lines.iter().filter(|line| !present.contains(line));
                lines.splice(at..at, missing.map(|line| format!("  {line}")).collect::<Vec<_>>());
            }
            None => {
                lines.push(String::new());
                lines.push(section.head.clone());
                lines.extend(section.lines.iter().map(|line| format!("  {line}")));
            }
        }
    }
    let merged = joined(&lines);
    if merged == joined(&text.lines().map(str::to_owned).collect::<Vec<_>>()) { text.to_owned() } else { merged }
}

/// `dataplaneapi.cfg` with the customised settings in place of those of the same key, or behind the others.
pub(super) fn dataplane(text: &str, custom: &[String]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for setting in custom {
        let key = key_of(setting);
        match lines.iter_mut().find(|line| key_of(line) == key) {
            Some(line) => line.clone_from(setting),
            None => lines.push(setting.clone()),
        }
    }
    joined(&lines)
}

fn key_of(line: &str) -> &str {
    line.split('=').next().unwrap_or(line).trim()
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

const VERSION: &str = "# _version=";

/// The file with the next version in its first line.
fn raised(text: &str) -> String {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    match first.strip_prefix(VERSION).and_then(|number| number.trim().parse::<u64>().ok()) {
        Some(version) => format!("{VERSION}{}\n{rest}", version + 1),
        // The Data Plane API takes a file without one for version 1.
        None => format!("{VERSION}2\n{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(head: &str, lines: &[&str]) -> Section {
        Section { head: head.to_owned(), lines: lines.iter().map(|line| (*line).to_owned()).collect() }
    }

    const NEW: &str = "# _version=3
global
  maxconn 60000

defaults
  mode tcp

# about users
userlist controller
  user client password x
frontend supervisor-shop
  bind 198.18.2.20:443
";

    #[test]
    fn directives_go_to_the_end_of_their_sections() {
        let custom = [section("global", &["maxconn 50000"]), section("frontend stats", &["stats enable"])];
        insta::assert_snapshot!(haproxy(NEW, &custom), @r"
        # _version=4
        global
          maxconn 60000
          maxconn 50000

        defaults
          mode tcp

        # about users
        userlist controller
          user client password x
        frontend supervisor-shop
          bind 198.18.2.20:443

        frontend stats
          stats enable
        ");
    }

    #[test]
    fn merging_twice_changes_nothing_and_merging_nothing_neither() {
        let custom = [section("defaults", &["retries 2"]), section("userlist other", &["user a"])];
        let once = haproxy(NEW, &custom);
        assert_eq!(haproxy(&once, &custom), once);
        assert_eq!(haproxy(NEW, &[]), NEW);
        assert!(once.starts_with("# _version=4\n"), "{once}");
    }

    #[test]
    fn settings_replace_those_of_the_same_key() {
        let text = "# head\nLOG_LEVEL=warning\nTLS_PORT=5556\n";
        let merged = dataplane(text, &["LOG_LEVEL=debug".to_owned(), "MAX=5".to_owned()]);
        assert_eq!(merged, "# head\nLOG_LEVEL=debug\nTLS_PORT=5556\nMAX=5\n");
    }
}
