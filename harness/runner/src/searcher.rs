//! Looks for secrets where they do not belong.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use grenadier_checks::Exposure;
use memchr::memmem::Finder;

use crate::setting::Secrets;

/// How every private key in PEM begins, whoever's it is.
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// Finds the passwords of a run (as they are, in base64, and as HTTP basic authentication writes them) and private keys.
#[derive(Clone, Debug)]
pub(crate) struct Searcher {
    /// What each pattern is, and how to find it. One after the other is faster here than all at once.
    patterns: Vec<(&'static str, Finder<'static>)>,
    /// The files that private keys belong in.
    keys: &'static [&'static str],
}

impl Searcher {
    /// `keys` are the files that private keys belong in. Passwords belong in none.
    pub(crate) fn new(secrets: &Secrets, keys: &'static [&'static str]) -> Searcher {
        let mut patterns = vec![("a private key", Finder::new(PRIVATE_KEY))];
        for (name, user, password) in secrets.passwords() {
            let plain = password.reveal();
            let spellings = [plain.to_owned(), STANDARD.encode(plain), STANDARD.encode(format!("{user}:{plain}"))];
            patterns.extend(spellings.map(|spelling| (name, Finder::new(&spelling).into_owned())));
        }
        Searcher { patterns, keys }
    }

    /// What the files of one machine hold that does not belong there.
    pub(crate) fn in_files(&self, machine: &str, files: &BTreeMap<String, Bytes>) -> Vec<Exposure> {
        let mut found = Vec::new();
        for (path, content) in files {
            if !self.keys.contains(&path.as_str()) {
                self.search(content, &format_args!("machines/{machine}/files{path}"), &mut found);
            }
        }
        found
    }

    /// What a log holds that does not belong there.
    pub(crate) fn in_log(&self, name: &str, log: &str) -> Vec<Exposure> {
        let mut found = Vec::new();
        self.search(log.as_bytes(), &name, &mut found);
        found
    }

    fn search(&self, text: &[u8], place: &dyn std::fmt::Display, found: &mut Vec<Exposure>) {
        let before = found.len();
        for (secret, finder) in &self.patterns {
            let known = found[before..].iter().any(|known| known.secret == *secret);
            if !known && finder.find(text).is_some() {
                found.push(Exposure::new(secret, place));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use grenadier_clock::Seed;

    use super::*;

    fn found(text: &str) -> Vec<String> {
        let searcher = Searcher::new(&Secrets::of(Seed(7)), &["/etc/keys/server.key"]);
        let files = BTreeMap::from([("/root/notes".to_owned(), Bytes::from(text.to_owned()))]);
        searcher
            .in_files("haproxy", &files)
            .into_iter()
            .map(|found| format!("{} {}", found.secret, found.place))
            .collect()
    }

    #[test]
    fn every_spelling_of_every_password_is_found_once() {
        for (name, user, password) in Secrets::of(Seed(7)).passwords() {
            let plain = password.reveal();
            for text in [plain.to_owned(), STANDARD.encode(plain), STANDARD.encode(format!("{user}:{plain}"))] {
                let twice = format!("machine x\npassword={text} or {text}\n");
                assert_eq!(found(&twice), [format!("{name} machines/haproxy/files/root/notes")]);
            }
        }
        assert_eq!(found("password=***"), [""; 0]);
    }

    #[test]
    fn a_password_in_the_log_is_found() {
        let secrets = Secrets::of(Seed(7));
        let searcher = Searcher::new(&secrets, &[]);
        let log = |password: &str| format!("{{\"kind\":\"guest-log\",\"text\":\"login with {password}\"}}\n");
        let expected = [Exposure::new("the password of root", "events.jsonl")];
        assert_eq!(searcher.in_log("events.jsonl", &log(secrets.appliance_root.reveal())), expected);
        assert_eq!(searcher.in_log("events.jsonl", &log("***")), []);
    }

    #[test]
    fn a_private_key_belongs_in_its_file_only() {
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert_eq!(found(key), ["a private key machines/haproxy/files/root/notes"]);
        let searcher = Searcher::new(&Secrets::of(Seed(7)), &["/etc/keys/server.key"]);
        let files = BTreeMap::from([("/etc/keys/server.key".to_owned(), Bytes::from(key))]);
        assert_eq!(searcher.in_files("haproxy", &files), []);
    }
}
