//! What people changed on the old appliance.

use serde::{Deserialize, Serialize};

use crate::procedures::haproxy_appliance::stock;

/// A section of `haproxy.cfg`, its lines without indentation, comments and empty lines left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Section {
    /// Its first line: `global`, `userlist controller`, `frontend stats`.
    pub(super) head: String,
    /// Its directives.
    pub(super) lines: Vec<String>,
}

/// What people changed, as it has to be put back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Customisations {
    /// Directives added to sections the image has, and whole sections it has not.
    pub(super) haproxy: Vec<Section>,
    /// Settings of `dataplaneapi.cfg`.
    pub(super) dataplane: Vec<String>,
    /// Service ranges that the appliance was not deployed with. They go into the new one's inputs.
    #[serde(default)]
    pub(super) ranges: Vec<String>,
}

impl Customisations {
    /// Finds what people changed.
    ///
    /// Left out is what the image itself writes, what follows from the OVF inputs (the API's user), and the routes of the
    /// operators of `clusters`, who program them again. A directive somebody deleted is not noticed; one that was replaced
    /// comes back behind the image's own, where HAProxy takes the last.
    pub(super) fn find(haproxy: &str, dataplane: &str, api_user: &str, clusters: &[&str]) -> Customisations {
        let mut found = Customisations::default();
        for mut section in sections(haproxy) {
            if is_route(&section.head, clusters) {
                continue;
            }
            let stock = stock::directives(&section.head);
            let user = format!("user {api_user} ");
            let generated = |line: &String| {
                stock.contains(&line.as_str()) || (section.head.starts_with("userlist") && line.starts_with(&user))
            };
            let of_image = matches!(section.head.as_str(), "global" | "defaults" | "userlist controller");
            section.lines = section.lines.iter().filter(|line| !generated(line)).cloned().collect();
            if !of_image || !section.lines.is_empty() {
                found.haproxy.push(section);
            }
        }
        let settings = dataplane.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in settings {
            let key = line.split('=').next().unwrap_or(line).trim();
            if !stock::DATAPLANE.contains(&line) && !stock::from_inputs(key) {
                found.dataplane.push(line.to_owned());
            }
        }
        found
    }

    /// The ranges of `anyip-routes.cfg` that are not among those in the input `deployed`.
    pub(super) fn added_ranges(anyip: &str, deployed: &str) -> Vec<String> {
        let deployed: Vec<&str> = deployed.split([',', ' ']).map(str::trim).collect();
        let lines = anyip.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.filter(|line| !deployed.contains(line)).map(str::to_owned).collect()
    }

    /// Whether nobody changed anything in the two files.
    pub(super) fn is_empty(&self) -> bool {
        self.haproxy.is_empty() && self.dataplane.is_empty()
    }
}

/// Whether a section belongs to an operator: a frontend or backend called `<cluster>-…`.
pub(super) fn is_route(head: &str, clusters: &[&str]) -> bool {
    let mut words = head.split(' ');
    let kind = words.next().unwrap_or_default();
    let name = words.next().unwrap_or_default();
    let owned = clusters.iter().any(|cluster| name.strip_prefix(cluster).is_some_and(|rest| rest.starts_with('-')));
    matches!(kind, "frontend" | "backend") && owned
}

/// The keywords that begin a section (HAProxy 2.2 configuration manual, chapters 3 and 4).
const SECTIONS: &[&str] = &[
    "global",
    "defaults",
    "frontend",
    "backend",
    "listen",
    "userlist",
    "peers",
    "mailers",
    "resolvers",
    "program",
    "cache",
    "ring",
    "http-errors",
    "fcgi-app",
    "log-forward",
];

/// A line without comment, with one space between words; none where nothing is left.
pub(super) fn directive(line: &str) -> Option<String> {
    let mut text = String::new();
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match (quote, char) {
            (None, '#') => break,
            (None | Some('"'), '\\') => {
                text.push('\\');
                text.extend(chars.next());
            }
            (None, '"' | '\'') => {
                quote = Some(char);
                text.push(char);
            }
            (Some(open), _) => {
                if char == open {
                    quote = None;
                }
                text.push(char);
            }
            (None, _) if char.is_whitespace() => {
                if !text.ends_with(' ') {
                    text.push(' ');
                }
            }
            (None, _) => text.push(char),
        }
    }
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether a directive begins a section.
pub(super) fn is_head(directive: &str) -> bool {
    SECTIONS.contains(&directive.split(' ').next().unwrap_or(directive))
}

fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for directive in text.lines().filter_map(directive) {
        match sections.last_mut() {
            _ if is_head(&directive) => sections.push(Section { head: directive, lines: Vec::new() }),
            Some(section) => section.lines.push(directive),
            // Before the first section only comments are allowed; HAProxy itself refuses anything else.
            None => {}
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "# _version=7
global
  log stdout format raw local0 info
  maxconn 60000   # ours
    maxconn 50000
  stats   timeout 30s
defaults
  mode    tcp
userlist controller
  user client password $1$salt$hash
  user auditor password $1$salt$other
frontend supervisor-shop
  bind 198.18.2.20:443 name supervisor-shop
backend supervisor-shop
  server s1 198.18.1.40:8080
frontend stats
  bind 127.0.0.1:8404
  stats enable
";
    const API: &str = "# This file\nLOG_LEVEL=debug\nTLS_HOST=198.18.0.10\nTLS_PORT=5556\nSCHEME=https\nMAX_OPEN=50\n";

    #[test]
    fn only_what_people_changed_is_found() {
        let found = Customisations::find(OLD, API, "client", &["supervisor", "tenant-1"]);
        let section = |head: &str, lines: &[&str]| Section {
            head: head.to_owned(),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        };
        assert_eq!(
            found.haproxy,
            [
                section("global", &["maxconn 50000"]),
                section("userlist controller", &["user auditor password $1$salt$other"]),
                section("frontend stats", &["bind 127.0.0.1:8404", "stats enable"]),
            ]
        );
        assert_eq!(found.dataplane, ["LOG_LEVEL=debug", "MAX_OPEN=50"]);
    }

    #[test]
    fn an_untouched_appliance_has_none() {
        let mut text = String::new();
        for head in ["global", "defaults"] {
            text.push_str(head);
            text.push('\n');
            for line in stock::directives(head) {
                text.push_str(&format!("    {line}\n"));
            }
        }
        text.push_str("userlist controller\n  user client password x\n");
        let found = Customisations::find(&text, &stock::DATAPLANE.join("\n"), "client", &[]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn comments_quotes_and_spaces_are_read_as_haproxy_reads_them() {
        assert_eq!(directive("  log-format \"a # b  c\"  # d").as_deref(), Some("log-format \"a # b  c\""));
        assert_eq!(directive(r"  acl x path /a\#b").as_deref(), Some(r"acl x path /a\#b"));
        assert_eq!(directive("   # nothing"), None);
    }

    #[test]
    fn another_clusters_frontend_of_a_longer_name_is_no_route_of_ours() {
        assert!(is_route("frontend tenant-1-api", &["tenant-1"]));
        assert!(!is_route("frontend tenant-10", &["tenant-1"]));
        assert!(!is_route("listen tenant-1-api", &["tenant-1"]));
    }
}
