//! The fields of sections that requests can read and set, and the directives they stand for.

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::{Section, SectionKind};

/// How a field's value is written in the file.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// A string, as it is.
    Text,
    /// A whole number.
    Number,
    /// Milliseconds; the file may have another unit.
    Milliseconds,
    /// `{"algorithm": "roundrobin"}`.
    Balance,
    /// `"tcp-check"` stands for `option tcp-check`.
    Option(&'static str),
}

/// A field and its directive.
#[derive(Clone, Copy, Debug)]
struct Field {
    json: &'static str,
    keyword: &'static str,
    shape: Shape,
}

const fn field(json: &'static str, keyword: &'static str, shape: Shape) -> Field {
    Field { json, keyword, shape }
}

const FRONTEND: &[Field] = &[
    field("mode", "mode", Shape::Text),
    field("maxconn", "maxconn", Shape::Number),
    field("client_timeout", "timeout client", Shape::Milliseconds),
    field("default_backend", "default_backend", Shape::Text),
];

const BACKEND: &[Field] = &[
    field("mode", "mode", Shape::Text),
    field("balance", "balance", Shape::Balance),
    field("adv_check", "option tcp-check", Shape::Option("tcp-check")),
    field("check_timeout", "timeout check", Shape::Milliseconds),
    field("connect_timeout", "timeout connect", Shape::Milliseconds),
    field("server_timeout", "timeout server", Shape::Milliseconds),
];

const GLOBAL: &[Field] = &[
    field("maxconn", "maxconn", Shape::Number),
    field("user", "user", Shape::Text),
    field("group", "group", Shape::Text),
    field("chroot", "chroot", Shape::Text),
];

const DEFAULTS: &[Field] = &[
    field("mode", "mode", Shape::Text),
    field("maxconn", "maxconn", Shape::Number),
    field("check_timeout", "timeout check", Shape::Milliseconds),
    field("client_timeout", "timeout client", Shape::Milliseconds),
    field("connect_timeout", "timeout connect", Shape::Milliseconds),
    field("queue_timeout", "timeout queue", Shape::Milliseconds),
    field("server_timeout", "timeout server", Shape::Milliseconds),
];

/// A field of a request's body has the wrong form.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{field} in body must be {expected}")]
pub(crate) struct FieldError {
    /// Its name.
    pub(crate) field: &'static str,
    /// What it must be.
    pub(crate) expected: &'static str,
}

/// The fields of a kind of section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields(&'static [Field]);

/// The fields of sections of this kind.
pub(crate) fn fields_of(kind: SectionKind) -> Fields {
    Fields(match kind {
        SectionKind::Frontend => FRONTEND,
        SectionKind::Backend => BACKEND,
        SectionKind::Global => GLOBAL,
        SectionKind::Defaults => DEFAULTS,
        SectionKind::Userlist => &[],
    })
}

impl Fields {
    /// What a section says, as a request sees it.
    pub(crate) fn read(self, section: &Section) -> Map<String, Value> {
        let value = |field: &Field| {
            let text = section.value(field.keyword)?;
            Some(match field.shape {
                Shape::Text => Value::String(text),
                Shape::Number => json!(text.parse::<i64>().ok()?),
                Shape::Milliseconds => json!(milliseconds(&text)?),
                Shape::Balance => json!({"algorithm": text.split(' ').next().unwrap_or_default()}),
                Shape::Option(value) => Value::String(value.to_owned()),
            })
        };
        self.0.iter().filter_map(|field| Some((field.json.to_owned(), value(field)?))).collect()
    }

    /// Sets the directives of a section to what a body says; a field that is missing removes its directive, lines of no field
    /// stay.
    ///
    /// # Errors
    /// A field has the wrong form. The section is as it was then.
    pub(crate) fn write(self, section: &mut Section, body: &Map<String, Value>) -> Result<(), FieldError> {
        let mut changed = section.clone();
        for field in self.0 {
            let text = match body.get(field.json) {
                None | Some(Value::Null) => None,
                Some(value) => Some(field.text(value)?),
            };
            changed.set_value(field.keyword, text.as_deref());
        }
        *section = changed;
        Ok(())
    }
}

impl Field {
    fn text(&self, value: &Value) -> Result<String, FieldError> {
        let wrong = |expected| FieldError { field: self.json, expected };
        let word = |text: &str| !text.is_empty() && !text.contains(|char: char| char.is_whitespace() || char == '#');
        match self.shape {
            Shape::Text => match value.as_str() {
                Some(text) if word(text) => Ok(text.to_owned()),
                _ => Err(wrong("of type string, without blanks")),
            },
            Shape::Number | Shape::Milliseconds => {
                value.as_u64().map(|number| number.to_string()).ok_or(wrong("of type integer, not negative"))
            }
            Shape::Balance => match value.get("algorithm").and_then(Value::as_str) {
                Some(text) if word(text) => Ok(text.to_owned()),
                _ => Err(wrong("an object with an algorithm")),
            },
            Shape::Option(only) => match value.as_str() {
                Some(text) if text == only => Ok(String::new()),
                _ => Err(wrong("tcp-check")),
            },
        }
    }
}

/// A time of the file in milliseconds: a number without unit is milliseconds.
fn milliseconds(text: &str) -> Option<u64> {
    let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit {
        "" | "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn fields_are_written_as_directives_and_read_back() {
        let mut section = Section::new(SectionKind::Backend, "shop");
        section.insert("  server s1 1.1.1.1:1".to_owned());
        let sent = body(json!({"balance": {"algorithm": "leastconn"}, "adv_check": "tcp-check", "mode": "tcp",
            "connect_timeout": 9000}));
        fields_of(SectionKind::Backend).write(&mut section, &sent).unwrap();
        assert_eq!(fields_of(SectionKind::Backend).read(&section), sent);
        assert_eq!(section.value("server").as_deref(), Some("s1 1.1.1.1:1"));
        fields_of(SectionKind::Backend).write(&mut section, &body(json!({"mode": "http"}))).unwrap();
        assert_eq!(fields_of(SectionKind::Backend).read(&section), body(json!({"mode": "http"})));
    }

    #[test]
    fn times_are_milliseconds_whatever_the_file_says() {
        for (text, expected) in [("9s", Some(9_000)), ("5m", Some(300_000)), ("250", Some(250)), ("1w", None)] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }

    #[test]
    fn a_wrong_form_changes_nothing() {
        let mut section = Section::new(SectionKind::Frontend, "shop");
        let before = section.clone();
        let sent = body(json!({"mode": "tcp", "maxconn": "many"}));
        let error = fields_of(SectionKind::Frontend).write(&mut section, &sent).unwrap_err();
        assert_eq!(error.to_string(), "maxconn in body must be of type integer, not negative");
        assert_eq!(section, before);
    }
}
