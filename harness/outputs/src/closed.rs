//! A schema that names every field refuses all others.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// What a schema is put together of, beside its own properties.
const PARTS: [&str; 3] = ["oneOf", "anyOf", "allOf"];

/// The same schema, which refuses fields that it does not name, at every level.
pub(crate) fn closed(mut schema: Value) -> Value {
    let mut shared = BTreeSet::new();
    find_shared(&schema, &mut shared);
    if let Some(Value::Object(parts)) = schema.get_mut("$defs") {
        for (name, part) in parts {
            close(part, shared.contains(&format!("#/$defs/{name}")));
        }
    }
    close(&mut schema, false);
    schema
}

/// Finds definitions that are a part of an object with more properties: whoever refers to them says what is refused.
fn find_shared(schema: &Value, shared: &mut BTreeSet<String>) {
    if let Value::Object(object) = schema
        && object.contains_key("properties")
    {
        let parts = PARTS.iter().filter_map(|part| object.get(*part)?.as_array()).flatten();
        let refers = |schema: &Value| schema.get("$ref").and_then(Value::as_str).map(str::to_owned);
        shared.extend(parts.filter_map(refers).chain(refers(schema)));
    }
    match schema {
        Value::Object(object) => object.values().for_each(|value| find_shared(value, shared)),
        Value::Array(values) => values.iter().for_each(|value| find_shared(value, shared)),
        _ => {}
    }
}

/// Closes the schema of an object. `part` says that it is only a part of one.
fn close(schema: &mut Value, part: bool) {
    let Value::Object(object) = schema else { return };
    let own = object.contains_key("properties");
    let composed = object.contains_key("$ref") || PARTS.iter().any(|part| object.contains_key(*part));
    for parts in PARTS {
        if let Some(Value::Array(parts)) = object.get_mut(parts) {
            parts.iter_mut().for_each(|inner| close(inner, part || own));
        }
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(|property| close(property, false));
    }
    for inner in ["items", "additionalProperties"] {
        object.get_mut(inner).into_iter().for_each(|inner| close(inner, false));
    }
    if own {
        refuse_null(object);
    }
    if own && !part {
        refuse_others(object, composed);
    }
}

/// A field that may be missing is left out where there is nothing to say: it is never null.
fn refuse_null(object: &mut Map<String, Value>) {
    let required = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(Value::Object(properties)) = object.get_mut("properties") else { return };
    for (_, property) in properties.iter_mut().filter(|(name, _)| !required.iter().any(|it| it == name.as_str())) {
        if let Some(Value::Array(types)) = property.get_mut("type") {
            types.retain(|name| name != "null");
        }
        if let Some(Value::Array(choices)) = property.get_mut("anyOf") {
            choices.retain(|choice| choice["type"] != "null");
        }
    }
}

fn refuse_others(object: &mut Map<String, Value>, composed: bool) {
    // What stands in its parts is evaluated by them.
    let word = if composed { "unevaluatedProperties" } else { "additionalProperties" };
    object.entry(word).or_insert(Value::Bool(false));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_object_refuses_what_it_does_not_name() {
        let schema = closed(json!({
            "properties": {"kept": {"$ref": "#/$defs/Kept"}, "list": {"items": {"properties": {"a": {}}}},
                "perhaps": {"anyOf": [{"$ref": "#/$defs/Kept"}, {"type": "null"}]}, "else": {"type": ["string", "null"]},
                "none": {"anyOf": [{"$ref": "#/$defs/Kept"}, {"type": "null"}]}, "nothing": {"type": ["string", "null"]},
                "names": {"additionalProperties": {"properties": {"b": {}}}}},
            "oneOf": [{"properties": {"kind": {"const": "one"}}}, {"$ref": "#/$defs/Shared", "properties": {"kind": {"const": "two"}}}],
            "required": ["none", "nothing"],
            "$defs": {"Kept": {"type": "object", "properties": {"c": {}}}, "Shared": {"properties": {"d": {}}}},
        }));
        let validator = jsonschema::validator_for(&schema).unwrap();
        let with = |more: Value| {
            let mut document = json!({"kind": "one", "none": null, "nothing": null});
            document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            document
        };
        for good in [
            json!({"kept": {"c": 1}, "list": [{"a": 1}], "names": {"x": {"b": 1}}, "perhaps": {"c": 1}, "else": ""}),
            json!({"kind": "two", "d": 1}),
        ] {
            assert!(validator.is_valid(&with(good.clone())), "{good}");
        }
        for wrong in [
            json!({"other": 1}),
            json!({"kept": {"c": 1, "other": 1}}),
            json!({"none": {"other": 1}}),
            json!({"list": [{"other": 1}]}),
            json!({"names": {"x": {"other": 1}}}),
            json!({"perhaps": null}),
            json!({"else": null}),
        ] {
            assert!(!validator.is_valid(&with(wrong.clone())), "{wrong}");
        }
    }
}
