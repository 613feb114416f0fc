//! The reference of the scenario document, made from its schema.

use serde_json::{Map, Value};

use crate::schema;

/// The document's keys as a page of Markdown: one table for the document, one for each thing in it.
pub fn reference() -> String {
    let schema = schema();
    let mut page = "# Scenario reference\n\nMade by `grenadier schema --reference` from the schema that editors use; do not edit it by hand. A scenario is one YAML\n\
                    document. A key with a default may be left out; a mistake is shown with its line and what was probably meant.\n"
        .to_owned();
    section(&mut page, "The document", &schema);
    for (name, part) in schema["$defs"].as_object().into_iter().flatten() {
        section(&mut page, name, part);
    }
    page
}

fn section(page: &mut String, name: &str, part: &Value) {
    page.push_str(&format!("\n## {name}\n\n"));
    if let Some(said) = part["description"].as_str() {
        page.push_str(&format!("{}\n\n", cell(said).replace("\\|", "|")));
    }
    let variants = part["oneOf"].as_array().or(part["anyOf"].as_array());
    match (part["properties"].as_object(), variants) {
        (Some(properties), _) => keys(page, properties, &part["required"]),
        // Each is an object with one key, which says what it is.
        (None, Some(variants)) if variants.iter().all(|variant| variant["properties"].is_object()) => {
            let both = variants.iter().filter_map(|variant| {
                let (key, value) = variant["properties"].as_object()?.iter().next()?;
                Some((
                    key,
                    value,
                    variant["description"].as_str().or(value["description"].as_str()).unwrap_or_default(),
                ))
            });
            page.push_str("One of these.\n\n| key | value | |\n| --- | --- | --- |\n");
            for (key, value, said) in both {
                page.push_str(&format!("| `{key}` | {} | {} |\n", kind(value), cell(said)));
            }
        }
        (None, Some(variants)) if variants.iter().all(|variant| variant["const"].is_string()) => {
            page.push_str("| value | |\n| --- | --- |\n");
            for variant in variants {
                let said = variant["description"].as_str().unwrap_or_default();
                page.push_str(&format!("| {} | {} |\n", literal(&variant["const"]), cell(said)));
            }
        }
        (None, _) => page.push_str(&format!("{}\n", capital(&kind(part)))),
    }
}

fn keys(page: &mut String, properties: &Map<String, Value>, required: &Value) {
    let required = |key: &str| required.as_array().is_some_and(|keys| keys.iter().any(|known| known == key));
    page.push_str("| key | value | default | |\n| --- | --- | --- | --- |\n");
    let (first, then): (Vec<_>, Vec<_>) = properties.iter().partition(|(key, _)| required(key));
    for (key, value) in first.into_iter().chain(then) {
        let default = match &value["default"] {
            _ if required(key) => "required".to_owned(),
            Value::Null => String::new(),
            default => literal(default),
        };
        let said = value["description"].as_str().unwrap_or_default();
        page.push_str(&format!("| `{key}` | {} | {default} | {} |\n", kind(value), cell(said)));
    }
}

/// What a value may be, in a few words.
fn kind(value: &Value) -> String {
    if let Some(part) = value["$ref"].as_str() {
        let name = part.rsplit('/').next().unwrap_or_default();
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if !value["const"].is_null() {
        return literal(&value["const"]);
    }
    if let Some(choices) = value["enum"].as_array() {
        return choices.iter().map(literal).collect::<Vec<_>>().join(", ");
    }
    if let Some(choices) = value["oneOf"].as_array().or(value["anyOf"].as_array()) {
        return choices.iter().map(kind).collect::<Vec<_>>().join(", ");
    }
    let examples = value["examples"].as_array().map(|examples| examples.iter().map(literal).collect::<Vec<_>>());
    let example = examples.map(|examples| format!(", like {}", examples.join(", "))).unwrap_or_default();
    match value["type"].as_str() {
        Some("array") => format!("a list of: {}", kind(&value["items"])),
        Some("object") => {
            let names: Vec<String> =
                value["properties"].as_object().into_iter().flatten().map(|(name, _)| format!("`{name}`")).collect();
            format!("a mapping of {}", names.join(", "))
        }
        Some("boolean") => "`true`, `false`".to_owned(),
        Some("integer" | "number") => format!("a number{example}"),
        Some(_) => format!("text{example}"),
        None => "anything".to_owned(),
    }
}

fn literal(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("`{}`", text.replace('|', "\\|"))
}

/// A text that stands in a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect::<String>() + ".")
}
