//! What HAProxy finds wrong with a configuration.

use std::cell::RefCell;
use std::collections::BTreeMap;

use grenadier_dataplane::{Bind, Document, Remembered, Section, SectionKind, Server};
use grenadier_guest::Host;

use super::directives::{Known, Place, dropped, known};
use super::{Generation, MOST_KNOWN};
use crate::certificates::fingerprint_of_pem;
use crate::paths;

/// Checks a configuration as far as the model understands it: unknown directives, binds, servers, certificates, names used
/// twice, backends that are not there. The words are those of HAProxy 2.6, whatever the generation.
pub(super) fn check(config: &str, file: &str, generation: Generation, host: &dyn Host) -> Result<(), String> {
    // The Data Plane API has a configuration checked, and so has every reload and every start of the service.
    type Results = Remembered<String, Result<(), String>>;
    thread_local! {
        static KNOWN: RefCell<BTreeMap<Generation, Results>> = const { RefCell::new(BTreeMap::new()) };
    }
    if file != paths::HAPROXY_CFG {
        return check_document(&Document::parse(config), config, file, generation, host);
    }
    KNOWN.with_borrow(|known| known.get(&generation)?.find(config)).unwrap_or_else(|| {
        let document = Document::parse(config);
        let result = check_document(&document, config, file, generation, host);
        if !names_certificates(&document) {
            KNOWN.with_borrow_mut(|known| {
                let known = known.entry(generation).or_insert(Remembered::new(MOST_KNOWN));
                known.keep(config.to_owned(), result.clone());
            });
        }
        result
    })
}

/// Whether what the configuration means hangs on other files, too: on certificates that binds name.
pub(super) fn names_certificates(document: &Document) -> bool {
    let binds = document.sections().iter().flat_map(|section| Bind::of(section));
    binds.flatten().any(|bind| bind.certificate.is_some())
}

fn check_document(
    document: &Document,
    config: &str,
    file: &str,
    generation: Generation,
    host: &dyn Host,
) -> Result<(), String> {
    let mut problems = Vec::new();
    let mut names: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for section in document.sections() {
        let place = match section.keyword.as_str() {
            "global" => Place::Global,
            "defaults" | "frontend" | "backend" | "listen" => Place::Proxy,
            _ => continue,
        };
        for words in section.directives() {
            let first = if words[0] == "no" { words.get(1).copied().unwrap_or_default() } else { words[0] };
            match known(place, first, generation) {
                Known::Yes => {}
                Known::No => {
                    let section = &section.keyword;
                    problems.push(format!("parsing [{file}] : unknown keyword '{first}' in '{section}' section"));
                }
                Known::Dropped => problems.push(format!("parsing [{file}] : {}", dropped(first))),
            }
        }
        check_proxy(document, section, file, host, &mut problems);
        if matches!(section.keyword.as_str(), "frontend" | "backend" | "listen") {
            *names.entry((section.keyword.as_str(), section.name.as_str())).or_default() += 1;
        }
    }
    for ((keyword, name), count) in names {
        if name.is_empty() {
            problems.push(format!("parsing [{file}] : '{keyword}' expects an <id> argument"));
        } else if count > 1 {
            problems.push(format!("Parsing [{file}]: {keyword} '{name}' has the same name as another {keyword}."));
        }
    }
    if !config.is_empty() && !config.ends_with('\n') {
        problems.push(format!("parsing [{file}]: Missing LF on last line, file might have been truncated."));
    }
    if problems.is_empty() {
        let nothing = "Configuration file has no error but will not start (no listener) => exit(2).";
        return if has_listener(document) { Ok(()) } else { Err(format!("{nothing}\n")) };
    }
    problems.push(format!("Error(s) found in configuration file : {file}"));
    problems.push("Fatal errors found in configuration.".to_owned());
    Err(problems.iter().map(|problem| format!("[ALERT]    (1) : config : {problem}\n")).collect())
}

/// Whether there is anything to listen on: a bind, or a socket of the process itself.
fn has_listener(document: &Document) -> bool {
    let global = document.of(SectionKind::Global);
    let of_process = global
        .into_iter()
        .any(|section| section.value("stats socket").is_some() || section.value("master-worker").is_some());
    of_process || document.sections().iter().any(|section| !Bind::of(section).is_empty())
}

fn check_proxy(document: &Document, section: &Section, file: &str, host: &dyn Host, problems: &mut Vec<String>) {
    let mut wrong = |what: String| problems.push(format!("parsing [{file}] : {what}"));
    let (serves, balances) = match section.keyword.as_str() {
        "frontend" => (true, false),
        "backend" => (false, true),
        "listen" => (true, true),
        _ => return,
    };
    if serves {
        for bind in Bind::of(section) {
            match bind {
                Err(line) => wrong(format!("'bind' : invalid address or missing port specification in '{line}'")),
                Ok(Bind { certificate: Some(path), .. }) if certificate(&path, host).is_none() => {
                    wrong(format!(
                        "'bind' : unable to stat SSL certificate from file '{path}' : No such file or directory."
                    ));
                }
                Ok(_) => {}
            }
        }
    }
    if balances {
        let mut seen = Vec::new();
        for server in Server::of(section) {
            match server {
                Err(line) => wrong(format!("'server' : invalid address in '{line}'")),
                Ok(server) if seen.contains(&server.name) => {
                    let name = &server.name;
                    wrong(format!("backend '{}', another server named '{name}' was already defined.", section.name));
                }
                Ok(server) => seen.push(server.name),
            }
        }
    } else if section.value("server").is_some() {
        wrong(format!("'server' not allowed because frontend '{}' has no backend capability.", section.name));
    }
    if let Some(target) = section.value("default_backend").filter(|_| serves) {
        let listens = || document.sections().iter().any(|other| other.keyword == "listen" && other.name == target);
        if document.section(SectionKind::Backend, &target).is_none() && !listens() {
            problems.push(format!("Proxy '{}': unable to find required default_backend: '{target}'.", section.name));
        }
    }
}

/// The fingerprint of the certificate in a file that holds one and a key; a relative path is below `crt-base`.
pub(super) fn certificate(path: &str, host: &dyn Host) -> Option<String> {
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/etc/ssl/private/{path}") };
    let content = host.read(&path)?;
    fingerprint_of_pem(std::str::from_utf8(&content).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use grenadier_guest::testing::TestHost;
    use rstest::rstest;

    use super::*;

    fn refusal(config: &str) -> Option<String> {
        refusal_by("2.6.12", config)
    }

    fn refusal_by(version: &str, config: &str) -> Option<String> {
        let checked = check(config, "x.cfg", Generation::of(version), &TestHost::default());
        checked.err().map(|text| text.lines().next().unwrap().to_owned())
    }

    #[rstest]
    #[case("frontend x\n  bnd :1\n", "unknown keyword 'bnd' in 'frontend' section")]
    #[case("global\n  tune.ssl.lifetime 9\n  frobnicate\n", "unknown keyword 'frobnicate' in 'global' section")]
    #[case("frontend x\n  bind 1.2.3.4\n", "missing port specification in 'bind 1.2.3.4'")]
    #[case("frontend x\n  bind :1\n  default_backend nope\n", "unable to find required default_backend: 'nope'")]
    #[case("frontend x\n  server s 1.1.1.1:1\n", "'server' not allowed because frontend 'x' has no backend capability")]
    #[case("backend x\n  server s 1.1.1.300:1\n", "'server' : invalid address")]
    #[case("backend x\n  server s 1.1.1.1:1\n  server s 1.1.1.2:1\n", "another server named 's' was already defined")]
    #[case("backend x\nbackend x\n", "backend 'x' has the same name as another backend")]
    #[case("frontend\n  bind :1\n", "'frontend' expects an <id> argument")]
    #[case("frontend x\n  bind :1 ssl crt /none.pem\n", "unable to stat SSL certificate from file '/none.pem'")]
    #[case("backend x", "Missing LF on last line")]
    #[case("backend x\n", "will not start (no listener) => exit(2)")]
    fn what_the_real_one_refuses_is_refused(#[case] config: &str, #[case] expected: &str) {
        let found = refusal(config).unwrap_or_default();
        assert!(found.contains(expected), "{found}");
    }

    #[rstest]
    #[case("2.2.9", None)]
    #[case("2.6.12", Some("'nbproc' is not supported any more"))]
    #[case("3.0.11", Some("'nbproc' is not supported any more"))]
    fn a_file_of_one_generation_may_be_refused_by_another(#[case] version: &str, #[case] expected: Option<&str>) {
        let found = refusal_by(version, "global\n  nbproc 2\nfrontend x\n  bind :1\n");
        assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
        assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()));
    }

    #[test]
    fn what_the_real_one_accepts_is_accepted() {
        assert_eq!(refusal(crate::templates::HAPROXY_CFG), None);
        assert_eq!(refusal("frontend x\n  bind 1.2.3.4:443 name x\n  default_backend x\nbackend x\n"), None);
        assert_eq!(refusal("listen x\n  bind :1\n  no option dontlognull\n  server s 1.1.1.1:1 check\n"), None);
        assert_eq!(refusal("frontend x\n  bind :1\nbackend x\n"), None);
        assert_eq!(refusal("global\n  master-worker\npeers p\n  peer a 1.1.1.1:1\n"), None);
    }
}
