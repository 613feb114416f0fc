//! TOML as the same tree that YAML is read into, so that both are decoded, and their problems told, alike.

use toml::de::{DeTable, DeValue};

use crate::diagnostic::Finding;
use crate::yaml::{Entry, Kind, Node};

/// The document as a tree, or everything that is wrong with its syntax.
pub(crate) fn read(source: &str) -> Result<Node, Vec<Finding>> {
    let (table, errors) = DeTable::parse_recoverable(source);
    if errors.is_empty() {
        return Ok(Node { kind: Kind::Map(entries(table.into_inner())), span: 0..source.len() });
    }
    let finding = |error: toml::de::Error| Finding {
        span: error.span().unwrap_or(0..0),
        message: format!("this is no TOML: {}", error.message()),
        help: Some("write `key = value`, texts in quotes, and each rule below a line such as [[run]]".to_owned()),
        also: None,
    };
    Err(errors.into_iter().map(finding).collect())
}

fn entries(table: DeTable<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .into_iter()
        .map(|(key, value)| {
            let key_span = key.span();
            let (span, value) = (value.span(), value.into_inner());
            Entry { key: key.into_inner().into_owned(), key_span, value: Node { kind: kind(value), span } }
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    entries
}

fn kind(value: DeValue<'_>) -> Kind {
    match value {
        DeValue::String(text) => Kind::Text(text.into_owned()),
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Kind::Float(number.to_string()), Kind::Integer),
        DeValue::Float(number) => Kind::Float(number.to_string()),
        DeValue::Boolean(value) => Kind::Bool(value),
        // No key holds a date; as a text it is shown in the problem it makes.
        DeValue::Datetime(moment) => Kind::Text(moment.to_string()),
        DeValue::Array(items) => Kind::List(
            items
                .into_iter()
                .map(|item| {
                    let span = item.span();
                    Node { kind: kind(item.into_inner()), span }
                })
                .collect(),
        ),
        DeValue::Table(table) => Kind::Map(entries(table)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_place() {
        let source = "a = 'x'\n[[b]]\nc = [0x10, true, 1.5]\n";
        let tree = read(source).unwrap();
        let text = |node: &Node| source[node.span.clone()].to_owned();
        let a = tree.child("a").unwrap();
        assert_eq!((&a.kind, text(a)), (&Kind::Text("x".to_owned()), "'x'".to_owned()));
        let Kind::List(tables) = &tree.child("b").unwrap().kind else { panic!("a list of tables") };
        let Kind::List(items) = &tables[0].child("c").unwrap().kind else { panic!("a list") };
        assert_eq!(items.iter().map(text).collect::<Vec<_>>(), ["0x10", "true", "1.5"]);
        assert_eq!(items[0].kind, Kind::Integer(16));
    }

    #[test]
    fn keys_stay_in_the_order_of_the_document_and_errors_have_places() {
        let Kind::Map(entries) = read("z = 1\na = 2\n").unwrap().kind else { panic!("a table") };
        assert_eq!(entries.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["z", "a"]);
        let findings = read("a = 1\nb = \na = 2\n").unwrap_err();
        assert_eq!(findings.iter().map(|finding| finding.span.start).collect::<Vec<_>>(), [10, 11]);
    }
}
