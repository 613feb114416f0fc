//! `from` and `to`.

use std::collections::BTreeMap;

use grenadier_catalog::{FactField, FactKind, FactValue, System, Version, VersionFacts, VersionNumber};

use super::context::{Context, Fields};
use super::scalar;
use crate::yaml::{Entry, Kind, Node};
use crate::{OwnVersion, VersionChoice};

const KEYS: &[&str] = &["like", "version", "with", "image"];

/// The version under a key: a name of the catalogue, or a mapping for one's own.
pub(super) fn choice(
    cx: &mut Context,
    fields: &Fields<'_>,
    key: &'static str,
    system: Option<&'static System>,
) -> Option<VersionChoice> {
    fields.required(cx, key)?;
    one(cx, fields.entry(key)?, system)
}

/// A version: a name of the catalogue, or a mapping for one's own.
pub(super) fn one(cx: &mut Context, entry: &Entry, system: Option<&'static System>) -> Option<VersionChoice> {
    match &entry.value.kind {
        Kind::Map(_) => own(cx, entry, system).map(VersionChoice::Own),
        _ => catalogue(cx, &entry.value, system).map(VersionChoice::Catalogue),
    }
}

fn catalogue(cx: &mut Context, node: &Node, system: Option<&'static System>) -> Option<String> {
    let name = match &node.kind {
        // `to: 0.2` is a number to YAML, but a version to its author.
        Kind::Float(text) => text,
        _ => scalar::text(cx, node, "a version such as v0.1.10, or a mapping with `like`")?,
    };
    // Without a system there is no list to look the version up in; the system is reported already.
    let system = system?;
    if system.version(name).is_some() {
        return Some(name.to_owned());
    }
    let versions = system.versions.iter().map(|version| version.name).collect::<Vec<_>>().join(", ");
    let same_number = |version: &&Version| name.parse() == Ok(version.number);
    let help = match system.versions.iter().find(same_number) {
        Some(version) => format!("did you mean `{}`?", version.name),
        // Not by nearness: v0.1.11 is a version of its own, not a slip for v0.1.10.
        None => format!("versions: {versions}; a version of your own is {{like: {}}}", latest(system)),
    };
    cx.report(node.span.clone(), format!("unknown version {} of {}", Context::quoted(name), system.name), help);
    None
}

fn latest(system: &System) -> &'static str {
    system.versions.last().map_or("", |version| version.name)
}

fn own(cx: &mut Context, entry: &Entry, system: Option<&'static System>) -> Option<OwnVersion> {
    let fields = cx.fields(&entry.value, "a version of your own", KEYS, Some(&entry.key_span))?;
    let like = fields.required(cx, "like").and_then(|node| catalogue(cx, node, system));
    let version = fields.optional("version").map(|node| {
        let number: Option<VersionNumber> = scalar::parsed(cx, node, "a version of three numbers such as v0.2.1");
        number.and_then(|_| scalar::line(cx, node, "a version of three numbers"))
    });
    let with = match fields.optional("with") {
        None => Some(BTreeMap::new()),
        Some(node) => facts(cx, node),
    };
    let image = fields.optional("image").map(|node| image(cx, node));
    Some(OwnVersion {
        like: like?,
        version: super::all_or_nothing(version)?,
        with: with?,
        image: super::all_or_nothing(image)?,
    })
}

fn image(cx: &mut Context, node: &Node) -> Option<String> {
    let image = scalar::text(cx, node, "the name of an image such as my/appliance:v1")?;
    if !image.is_empty() && !image.contains(char::is_whitespace) {
        return Some(image.to_owned());
    }
    let message = format!("expected the name of an image such as my/appliance:v1; got {}", node.describe());
    cx.report(node.span.clone(), message, None);
    None
}

fn facts(cx: &mut Context, node: &Node) -> Option<BTreeMap<String, FactValue>> {
    let Kind::Map(entries) = &node.kind else {
        let names = VersionFacts::fields().iter().map(|field| field.name).collect::<Vec<_>>().join(", ");
        cx.report(
            node.span.clone(),
            format!("expected facts; got {}", node.describe()),
            format!("the facts are {names}"),
        );
        return None;
    };
    let decoded: Vec<Option<(String, FactValue)>> = entries.iter().map(|entry| fact(cx, entry)).collect();
    decoded.into_iter().collect()
}

fn fact(cx: &mut Context, entry: &Entry) -> Option<(String, FactValue)> {
    let Some(field) = VersionFacts::fields().iter().find(|field| field.name == entry.key) else {
        let names = VersionFacts::fields().iter().map(|field| field.name);
        let key = Node { kind: Kind::Text(entry.key.clone()), span: entry.key_span.clone() };
        cx.unknown(&key, "fact", &entry.key, names);
        return None;
    };
    value(cx, &entry.value, field).map(|value| (entry.key.clone(), value))
}

fn value(cx: &mut Context, node: &Node, field: &FactField) -> Option<FactValue> {
    match field.kind {
        FactKind::Bool => scalar::boolean(cx, node).map(FactValue::Bool),
        FactKind::Version => {
            scalar::parsed(cx, node, "a version of three numbers such as 2.6.12").map(FactValue::Version)
        }
        FactKind::Duration => scalar::duration(cx, node).map(FactValue::Duration),
        FactKind::Name(names) => {
            let choices: Vec<(&'static str, &'static str)> = names.iter().map(|name| (*name, *name)).collect();
            scalar::choice(cx, node, field.name, &choices).map(|name| FactValue::Name(name.to_owned()))
        }
    }
}
