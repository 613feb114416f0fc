//! Values without parts.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use grenadier_catalog::{Named, VSPHERE_RELEASES, VersionNumber, parse_duration, vsphere_release};

use super::context::Context;
use crate::yaml::{Kind, Node};

/// A text.
pub(super) fn text<'t>(cx: &mut Context, node: &'t Node, expected: &str) -> Option<&'t str> {
    if let Kind::Text(text) = &node.kind {
        return Some(text);
    }
    let help =
        matches!(node.kind, Kind::Null).then(|| "write the value after the colon, or leave the key out".to_owned());
    cx.report(node.span.clone(), format!("expected {expected}; got {}", node.describe()), help);
    None
}

/// A text of any content: a number or a truth value where it belongs is asked for in quotes.
fn free_text<'t>(cx: &mut Context, node: &'t Node, expected: &str) -> Option<&'t str> {
    if matches!(node.kind, Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_)) {
        let help = "put it in quotes if it is meant as text".to_owned();
        cx.report(node.span.clone(), format!("expected {expected}; got {}", node.describe()), help);
        return None;
    }
    text(cx, node, expected)
}

/// A text of one line.
pub(super) fn line(cx: &mut Context, node: &Node, expected: &str) -> Option<String> {
    let text = free_text(cx, node, expected)?;
    if text.contains(['\n', '\r']) {
        cx.report(node.span.clone(), format!("expected {expected}; got several lines"), None);
        return None;
    }
    Some(text.to_owned())
}

/// A name of lowercase words joined by hyphens.
pub(super) fn kebab(cx: &mut Context, node: &Node, expected: &str) -> Option<String> {
    let text = free_text(cx, node, expected)?;
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if text.split('-').all(is_word) {
        return Some(text.to_owned());
    }
    let help = "lowercase letters and digits, words joined by hyphens".to_owned();
    cx.report(node.span.clone(), format!("expected {expected}; got {}", node.describe()), help);
    None
}

/// True or false.
pub(super) fn boolean(cx: &mut Context, node: &Node) -> Option<bool> {
    if let Kind::Bool(value) = node.kind {
        return Some(value);
    }
    let help = match &node.kind {
        Kind::Text(text) if matches!(text.to_lowercase().as_str(), "yes" | "on" | "true") => Some("write `true`"),
        Kind::Text(text) if matches!(text.to_lowercase().as_str(), "no" | "off" | "false") => Some("write `false`"),
        _ => None,
    };
    cx.report(node.span.clone(), format!("expected true or false; got {}", node.describe()), help.map(str::to_owned));
    None
}

/// A whole number within a range.
pub(super) fn integer<T>(cx: &mut Context, node: &Node, range: RangeInclusive<T>) -> Option<T>
where
    T: TryFrom<i128> + Into<i128> + Copy + fmt::Display,
{
    let (low, high) = ((*range.start()).into(), (*range.end()).into());
    if let Kind::Integer(value) = node.kind
        && (low..=high).contains(&value)
    {
        return T::try_from(value).ok();
    }
    let expected = format!("expected a whole number from {} to {}", range.start(), range.end());
    let help = matches!(&node.kind, Kind::Text(text) if text.parse::<i128>().is_ok())
        .then(|| "leave the quotes out".to_owned());
    cx.report(node.span.clone(), format!("{expected}; got {}", node.describe()), help);
    None
}

/// A member of a closed list.
pub(super) fn name<T: Named>(cx: &mut Context, node: &Node) -> Option<T> {
    let name = text(cx, node, &format!("the name of a {}", T::WHAT).replace("a outcome", "an outcome"))?;
    let found = T::parse(name);
    if found.is_none() {
        cx.unknown(node, T::WHAT, name, T::ALL.iter().map(|member| member.name()));
    }
    found
}

/// One of a few words.
pub(super) fn choice<T: Copy>(cx: &mut Context, node: &Node, what: &str, choices: &[(&'static str, T)]) -> Option<T> {
    let words = choices.iter().map(|(word, _)| *word);
    let listed = words.clone().collect::<Vec<_>>().join(", ");
    let expected = if choices.len() == 1 { listed } else { format!("one of {listed}") };
    let text = text(cx, node, &expected)?;
    let found = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        cx.unknown(node, what, text, words);
    }
    found
}

/// A text that something of its own reads; the error's message says what was expected.
pub(super) fn parsed<T>(cx: &mut Context, node: &Node, expected: &str) -> Option<T>
where
    T: FromStr<Err: fmt::Display>,
{
    let text = text(cx, node, expected)?;
    text.parse().map_err(|error: T::Err| cx.report(node.span.clone(), error.to_string(), None)).ok()
}

/// A duration.
pub(super) fn duration(cx: &mut Context, node: &Node) -> Option<Duration> {
    if let Kind::Integer(number) = node.kind {
        let help = format!("add the unit: {number}ms, {number}s or {number}m");
        cx.report(
            node.span.clone(),
            format!("expected a duration such as 10ms, 90s, 5m; got the number {number}"),
            help,
        );
        return None;
    }
    let text = text(cx, node, "a duration such as 10ms, 90s, 5m")?;
    let help = || "a number and one unit, without a space: h, m, s, ms, us, ns".to_owned();
    parse_duration(text).map_err(|error| cx.report(node.span.clone(), error.to_string(), help())).ok()
}

/// A duration within bounds.
pub(super) fn duration_within(cx: &mut Context, node: &Node, range: RangeInclusive<Duration>) -> Option<Duration> {
    let duration = duration(cx, node)?;
    if range.contains(&duration) {
        return Some(duration);
    }
    let show = grenadier_catalog::format_duration;
    let message =
        format!("expected a duration from {} to {}; got {}", show(*range.start()), show(*range.end()), node.describe());
    cx.report(node.span.clone(), message, None);
    None
}

/// A vSphere release that the catalogue has.
pub(super) fn release(cx: &mut Context, node: &Node) -> Option<VersionNumber> {
    let text = match &node.kind {
        // `vsphere: 7.0` is a number to YAML, but a release to its author.
        Kind::Float(text) => text,
        _ => text(cx, node, "a vSphere release such as 7.0.1")?,
    };
    let found = vsphere_release(text).filter(|release| release.to_string() == text);
    if found.is_none() {
        let releases: Vec<String> = VSPHERE_RELEASES.iter().map(ToString::to_string).collect();
        // Not by nearness: 7.0.9 is no slip for 7.0.0.
        let help = format!("vSphere releases: {}", releases.join(", "));
        cx.report(node.span.clone(), format!("unknown vSphere release {}", Context::quoted(text)), help);
    }
    found
}
