//! Objects that are one line of a section: binds of frontends, servers of backends.

use std::net::{IpAddr, SocketAddr};

use serde_json::{Map, Value, json};

use super::{FieldError, Section, SectionKind};

/// Which lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LineKind {
    /// `bind` lines of a frontend.
    Bind,
    /// `server` lines of a backend.
    Server,
}

/// How a parameter is written.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// `ssl`; JSON `true`.
    Flag,
    /// `check` or `no-check`; JSON `"enabled"` or `"disabled"`.
    Switch,
    /// `crt FILE`.
    Text,
    /// `weight N`.
    Number,
}

type Parameter = (&'static str, &'static str, Shape);

const BIND: &[Parameter] = &[
    ("ssl_certificate", "crt", Shape::Text),
    ("ssl_cafile", "ca-file", Shape::Text),
    ("ssl", "ssl", Shape::Flag),
    ("v4v6", "v4v6", Shape::Flag),
    ("verify", "verify", Shape::Text),
    ("alpn", "alpn", Shape::Text),
    ("transparent", "transparent", Shape::Flag),
    ("accept_proxy", "accept-proxy", Shape::Flag),
];

const SERVER: &[Parameter] = &[
    ("backup", "backup", Shape::Switch),
    ("check", "check", Shape::Switch),
    ("ssl", "ssl", Shape::Switch),
    ("send-proxy", "send-proxy", Shape::Switch),
    ("send-proxy-v2", "send-proxy-v2", Shape::Switch),
    ("maxconn", "maxconn", Shape::Number),
    ("weight", "weight", Shape::Number),
    ("ssl_certificate", "crt", Shape::Text),
    ("ssl_cafile", "ca-file", Shape::Text),
    ("verify", "verify", Shape::Text),
    ("health_check_port", "port", Shape::Number),
];

/// What a line says, as a request sees it: `name`, `address`, `port` and the parameters that are known.
pub(crate) type Params = Map<String, Value>;

impl LineKind {
    /// The keyword of the line.
    pub(crate) const fn keyword(self) -> &'static str {
        match self {
            LineKind::Bind => "bind",
            LineKind::Server => "server",
        }
    }

    /// The kind of section that holds it.
    pub(crate) const fn parent(self) -> SectionKind {
        match self {
            LineKind::Bind => SectionKind::Frontend,
            LineKind::Server => SectionKind::Backend,
        }
    }

    const fn parameters(self) -> &'static [Parameter] {
        match self {
            LineKind::Bind => BIND,
            LineKind::Server => SERVER,
        }
    }

    /// The lines of this kind in a section: number and content.
    pub(crate) fn read(self, section: &Section) -> Vec<(usize, Params)> {
        let lines = section.lines_of(self.keyword()).into_iter();
        lines.filter_map(|index| Some((index, self.parse(&section.words(index))?))).collect()
    }

    fn parse(self, words: &[&str]) -> Option<Params> {
        let (name, path, rest) = match (self, words) {
            (LineKind::Bind, [_, path, rest @ ..]) => (*path, *path, rest),
            (LineKind::Server, [_, name, path, rest @ ..]) => (*name, *path, rest),
            _ => return None,
        };
        let mut params = Params::new();
        params.insert("name".to_owned(), json!(name));
        let (address, port) = match path.rsplit_once(':').map(|(address, port)| (address, port.parse::<u16>())) {
            Some((address, Ok(port))) => (address, Some(port)),
            _ => (path, None),
        };
        params.insert("address".to_owned(), json!(address));
        params.extend(port.map(|port| ("port".to_owned(), json!(port))));
        let mut rest = rest.iter();
        while let Some(word) = rest.next() {
            if *word == "name" && self == LineKind::Bind {
                params.extend(rest.next().map(|name| ("name".to_owned(), json!(name))));
                continue;
            }
            let off = word.strip_prefix("no-").unwrap_or(word);
            let known = self.parameters().iter().find(|(_, keyword, _)| keyword == word || *keyword == off);
            let Some((json, keyword, shape)) = known else { continue };
            let value = match shape {
                Shape::Flag => Some(json!(true)),
                Shape::Switch => Some(json!(if keyword == word { "enabled" } else { "disabled" })),
                Shape::Text => rest.next().map(|text| json!(text)),
                Shape::Number => rest.next().and_then(|text| text.parse::<i64>().ok()).map(|number| json!(number)),
            };
            params.extend(value.map(|value| ((*json).to_owned(), value)));
        }
        Some(params)
    }

    /// The line that says what a body says. Parameters of no field are not taken over: the real one drops them, too.
    ///
    /// # Errors
    /// A field is missing or has the wrong form.
    pub(crate) fn print(self, body: &Params) -> Result<String, FieldError> {
        let wrong = |field, expected| FieldError { field, expected };
        let text = |field: &'static str, value: &Value| match value.as_str() {
            Some(text) if is_word(text) => Ok(text.to_owned()),
            _ => Err(wrong(field, "of type string, without blanks")),
        };
        let address = text("address", body.get("address").unwrap_or(&Value::Null))?;
        let path = match body.get("port") {
            None | Some(Value::Null) => address,
            Some(port) => match port.as_u64().filter(|port| (1..=65_535).contains(port)) {
                Some(port) => format!("{address}:{port}"),
                None => return Err(wrong("port", "between 1 and 65535")),
            },
        };
        let name = match body.get("name") {
            Some(name) => text("name", name)?,
            None if self == LineKind::Bind => path.clone(),
            None => return Err(wrong("name", "given")),
        };
        let mut line = match self {
            LineKind::Bind => format!("  bind {path} name {name}"),
            LineKind::Server => format!("  server {name} {path}"),
        };
        for (json, keyword, shape) in self.parameters() {
            let Some(value) = body.get(*json).filter(|value| !value.is_null()) else { continue };
            let words = match shape {
                Shape::Flag => match value.as_bool() {
                    Some(true) => (*keyword).to_owned(),
                    Some(false) => continue,
                    None => return Err(wrong(json, "of type boolean")),
                },
                Shape::Switch => match value.as_str() {
                    Some("enabled") => (*keyword).to_owned(),
                    Some("disabled") => format!("no-{keyword}"),
                    _ => return Err(wrong(json, "one of [enabled disabled]")),
                },
                Shape::Text => format!("{keyword} {}", text(json, value)?),
                Shape::Number => match value.as_u64() {
                    Some(number) => format!("{keyword} {number}"),
                    None => return Err(wrong(json, "of type integer, not negative")),
                },
            };
            line.push(' ');
            line.push_str(&words);
        }
        Ok(line)
    }
}

/// Whether a text can stand as one word of the file.
fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|char: char| char.is_whitespace() || matches!(char, '#' | '"' | '\'' | '\\'))
}

/// A `bind` line, as the process sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// Its name; the address as it is written where it has none.
    pub name: String,
    /// The address; none for all of the machine's.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
    /// The certificate file where it ends TLS.
    pub certificate: Option<String>,
}

impl Bind {
    /// The binds of a frontend (or of a `listen` section), in order; a line that is none gives its words.
    pub fn of(section: &Section) -> Vec<Result<Bind, String>> {
        let lines = section.lines_of("bind").into_iter();
        lines.map(|index| Bind::parse(&section.words(index)).ok_or_else(|| section.words(index).join(" "))).collect()
    }

    fn parse(words: &[&str]) -> Option<Bind> {
        let (address, port) = words.get(1)?.rsplit_once(':')?;
        let address = match address {
            "" | "*" | "0.0.0.0" => None,
            address => Some(address.parse().ok()?),
        };
        let after = |keyword: &str| {
            let index = words.iter().position(|word| *word == keyword)?;
            words.get(index + 1).map(|word| (*word).to_owned())
        };
        let tls = words.contains(&"ssl");
        Some(Bind {
            name: after("name").unwrap_or_else(|| words[1].to_owned()),
            address,
            port: port.parse().ok().filter(|port| *port != 0)?,
            certificate: after("crt").filter(|_| tls),
        })
    }
}

/// A `server` line, as the process sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub address: SocketAddr,
}

impl Server {
    /// The servers of a backend (or of a `listen` section), in order; a line that is none gives its words.
    pub fn of(section: &Section) -> Vec<Result<Server, String>> {
        let parse = |words: &[&str]| {
            let address = words.get(2)?.parse().ok()?;
            Some(Server { name: words[1].to_owned(), address })
        };
        let lines = section.lines_of("server").into_iter();
        lines.map(|index| parse(&section.words(index)).ok_or_else(|| section.words(index).join(" "))).collect()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::Document;

    fn section(line: &str) -> Section {
        Document::parse(&format!("frontend x\n{line}\n")).sections()[0].as_ref().clone()
    }

    #[rstest]
    #[case(LineKind::Bind, "  bind 1.2.3.4:443 name shop crt /etc/a.pem ssl")]
    #[case(LineKind::Bind, "  bind 1.2.3.4:443 name shop")]
    #[case(LineKind::Server, "  server s1 198.18.1.40:8080 check weight 5")]
    #[case(LineKind::Server, "  server s1 198.18.1.40:8080 no-check")]
    fn lines_read_and_print(#[case] kind: LineKind, #[case] line: &str) {
        let read = kind.read(&section(line));
        assert_eq!(read.len(), 1);
        assert_eq!(kind.print(&read[0].1).unwrap(), line);
    }

    #[rstest]
    #[case(json!({"address": "1.2.3.4", "port": 0}), "port in body must be between 1 and 65535")]
    #[case(json!({"port": 80}), "address in body must be of type string, without blanks")]
    #[case(json!({"address": "1.2.3.4 ssl", "port": 80}), "address in body must be of type string, without blanks")]
    #[case(json!({"address": "1.2.3.4", "ssl": "yes"}), "ssl in body must be of type boolean")]
    fn wrong_forms_are_named(#[case] body: Value, #[case] message: &str) {
        assert_eq!(LineKind::Bind.print(body.as_object().unwrap()).unwrap_err().to_string(), message);
    }

    #[test]
    fn binds_as_the_process_sees_them() {
        let section = section("bind *:80\nbind 1.2.3.4:443 name shop ssl crt /a.pem\nbind nowhere\nbind :99999");
        let binds = Bind::of(&section);
        assert_eq!(binds[0], Ok(Bind { name: "*:80".into(), address: None, port: 80, certificate: None }));
        assert_eq!(binds[1].as_ref().unwrap().certificate.as_deref(), Some("/a.pem"));
        assert_eq!(binds[2], Err("bind nowhere".into()));
        assert_eq!(binds[3], Err("bind :99999".into()));
    }
}
