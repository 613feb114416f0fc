//! The page that explains the documents to people, made from their schemas.

use serde_json::Value;

use crate::Document;

const HEAD: &str = "# JSON documents

Made by `grenadier schema --output-reference` from the schemas that `grenadier schema --output NAME` prints; do not edit it by hand.

With `--format json` a command prints one document on standard output, whatever happens; where it came to no result, that is an
[error](#error). Exit codes are the same as without. Every document says in `v` which version of its shape it has. Within a version
fields are added, and none changes its meaning or goes away, so a program should pass over those it does not know. The schemas (JSON
Schema, draft 2020-12) say what this very version of Grenadier writes: they refuse fields that it does not know.

Times are nanoseconds since the run began (`…_ns`); in the virtual world they are exact. Whole numbers have up to 64 bits, which not
every reader of JSON keeps. A field that may be missing is left out where there is nothing to say; it is never null.

";

const TAIL: &str = "
## Other files of a folder

| file | |
| --- | --- |
| `events.jsonl` | the log of a run: in each line an [event](#event), in order of time |
| `case.yaml`, `cases/*.yaml` | what `grenadier replay` runs again: [cases](explore.md#cases) |
| `states/*.json` | captured states, called by the SHA-256 of their content, which `captured` [events](#event) name |
| `trace.json` | the run in the Chrome trace event format, for <https://ui.perfetto.dev> |
| `junit.xml` | for GitLab, Jenkins and everything else that reads JUnit reports |

The keys of scenario files are in the [scenario reference](scenario.md).
";

/// Every document, field by field, as a page of Markdown.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| document | |\n| --- | --- |\n");
    for document in Document::ALL {
        page.push_str(&format!("| [{0}](#{0}) | {1} |\n", document.name(), document.doc()));
    }
    for document in Document::ALL {
        let schema = document.schema();
        page.push_str(&format!("\n## {}\n\n{}. {}\n\n", document.name(), document.doc(), document.found()));
        part(&mut page, document, &schema);
        for (name, schema) in schema["$defs"].as_object().into_iter().flatten() {
            page.push_str(&format!("\n### {}: {name}\n\n", document.name()));
            if let Some(said) = schema["description"].as_str() {
                page.push_str(&format!("{}\n\n", plain(said)));
            }
            part(&mut page, document, schema);
        }
    }
    page + TAIL
}

/// The fields of an object, or the words of a list.
fn part(page: &mut String, document: Document, schema: &Value) {
    if let Some(words) = words(schema) {
        page.push_str("| value | |\n| --- | --- |\n");
        for (word, said) in words {
            page.push_str(&format!("| `{word}` | {} |\n", cell(said)));
        }
    } else {
        page.push_str("| field | value | |\n| --- | --- | --- |\n");
        fields(page, document, schema);
    }
}

/// A row for each field; where the fields depend on one of them, a table with rows for each of its values.
fn fields(page: &mut String, document: Document, schema: &Value) {
    for (name, value, missing) in sorted(schema) {
        let said = cell(value["description"].as_str().unwrap_or_default());
        page.push_str(&format!("| `{name}` | {}{missing} | {said} |\n", kind(document, value)));
    }
    let variants: Vec<&Value> = variants(schema).collect();
    let Some(tag) = variants.first().and_then(|variant| tag(variant)) else { return };
    page.push_str(&format!(
        "\nThe rest depends on `{}`:\n\n| {} | field | value | |\n| --- | --- | --- | --- |\n",
        tag.0, tag.0
    ));
    variants.iter().for_each(|variant| fields_of(page, document, variant, ""));
}

/// Rows for the fields of one variant, its word in the first; below `word` where it is a variant of a variant.
fn fields_of(page: &mut String, document: Document, variant: &Value, word: &str) {
    let tag = tag(variant);
    if let Some((name, value)) = tag {
        let shown = if word.is_empty() { literal(value) } else { format!("{word}, {name} {}", literal(value)) };
        let said = cell(variant["description"].as_str().unwrap_or_default());
        page.push_str(&format!("| {shown} | | | {said} |\n"));
    }
    for (name, value, missing) in
        sorted(variant).into_iter().filter(|(name, ..)| Some(name.as_str()) != tag.map(|it| it.0))
    {
        let said = cell(value["description"].as_str().unwrap_or_default());
        page.push_str(&format!("| | `{name}` | {}{missing} | {said} |\n", kind(document, value)));
    }
    if let Some(more) = variant["$ref"].as_str() {
        page.push_str(&format!("| | | the fields of {} | |\n", link(document, more)));
    }
    let word = tag.map(|(_, value)| literal(value)).unwrap_or_default();
    variants(variant).for_each(|inner| fields_of(page, document, inner, &word));
}

/// The fields of an object: first `v`, then those that are always there. With each what is to be said where it may be missing.
fn sorted(schema: &Value) -> Vec<(&String, &Value, &'static str)> {
    let required = |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|it| it == name));
    let mut fields: Vec<_> = schema["properties"].as_object().into_iter().flatten().collect();
    fields.sort_by_key(|(name, _)| (*name != "v", !required(name)));
    let missing = |name: &str| if required(name) { "" } else { ", may be missing" };
    fields.into_iter().map(|(name, value)| (name, value, missing(name))).collect()
}

fn variants(schema: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten()
}

/// The field whose value makes it this variant.
fn tag(variant: &Value) -> Option<(&str, &Value)> {
    let mut fields = variant["properties"].as_object()?.iter();
    fields.find_map(|(name, value)| value["const"].is_string().then_some((name.as_str(), &value["const"])))
}

/// The words of a closed list, each with what it says.
fn words(schema: &Value) -> Option<Vec<(&str, &str)>> {
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(|word| Some((word.as_str()?, ""))).collect();
    }
    let variants = schema["oneOf"].as_array()?.iter();
    let words: Option<Vec<Vec<(&str, &str)>>> = variants.map(word).collect();
    words.map(|words| words.concat())
}

/// Those of one of its variants: a word with its comment, or several that have none.
fn word(variant: &Value) -> Option<Vec<(&str, &str)>> {
    match variant["const"].as_str() {
        Some(word) => Some(vec![(word, variant["description"].as_str().unwrap_or_default())]),
        None => words(variant).filter(|_| variant["enum"].is_array()),
    }
}

/// What a value may be, in a few words.
fn kind(document: Document, value: &Value) -> String {
    if let Some(part) = value["$ref"].as_str() {
        return link(document, part);
    }
    if !value["const"].is_null() {
        return literal(&value["const"]);
    }
    if let Some(words) = words(value) {
        return words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    if let Some(choices) = value["anyOf"].as_array().or(value["oneOf"].as_array()) {
        return choices.iter().map(|choice| kind(document, choice)).collect::<Vec<_>>().join(" or ");
    }
    match &value["type"] {
        Value::String(name) => named(document, name, value),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str).map(|name| named(document, name, value));
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => "anything".to_owned(),
    }
}

fn named(document: Document, name: &str, value: &Value) -> String {
    match name {
        "array" if value["prefixItems"].is_array() => {
            let items = value["prefixItems"].as_array().into_iter().flatten();
            format!("a list: {}", items.map(|item| kind(document, item)).collect::<Vec<_>>().join(", then "))
        }
        "array" => format!("a list of: {}", kind(document, &value["items"])),
        "object" => format!("an object: {} by name", kind(document, &value["additionalProperties"])),
        "boolean" => "`true`, `false`".to_owned(),
        "integer" => "a whole number".to_owned(),
        "number" => "a number".to_owned(),
        "string" => "text".to_owned(),
        other => other.to_owned(),
    }
}

fn link(document: Document, part: &str) -> String {
    let name = part.rsplit('/').next().unwrap_or_default();
    format!("[{name}](#{}-{})", document.name(), name.to_lowercase())
}

fn literal(value: &Value) -> String {
    format!("`{}`", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// A text that stands in a table.
fn cell(text: &str) -> String {
    plain(text).replace('|', "\\|")
}

/// A comment of the code without its line breaks and without its links, which lead into the code.
fn plain(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("[`", "`").replace("`]", "`")
}
