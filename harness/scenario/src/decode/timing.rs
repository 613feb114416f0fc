//! `timing`.

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_catalog::{Named as _, TimingField};

use super::context::Context;
use super::scalar;
use crate::document::REFERENCE;
use crate::yaml::{self, Entry, Kind, Node};
use crate::{Diagnostics, Jitter, Timing, TimingProfile};

const KEYS: &[&str] = &["profile", "jitter"];

/// The keys of what `grenadier calibrate` writes. Only the profile is read.
const CALIBRATION_KEYS: &[&str] = &["v", "date", "machine", "runs", "profile", "lengths", "outages"];

pub(super) fn timing(cx: &mut Context, node: &Node) -> Option<Timing> {
    let fields = cx.fields(node, "a timing", KEYS, None)?;
    let profile = match fields.optional("profile") {
        None => Some(TimingProfile::default()),
        Some(node) => profile(cx, node),
    };
    let jitter = match fields.optional("jitter") {
        None => Some(Jitter::default()),
        Some(node) => scalar::parsed(cx, node, "a jitter from 0% to 50%"),
    };
    Some(Timing { profile: profile?, jitter: jitter? })
}

/// A timing profile: the reference by name, or lengths of one's own.
pub(super) fn profile(cx: &mut Context, node: &Node) -> Option<TimingProfile> {
    let Kind::Map(entries) = &node.kind else {
        return scalar::choice(cx, node, "timing profile", &[(REFERENCE, ())]).map(|()| TimingProfile::Reference);
    };
    let decoded: Vec<Option<(TimingField, Duration)>> = entries.iter().map(|entry| length(cx, entry)).collect();
    let lengths: BTreeMap<TimingField, Duration> = decoded.into_iter().collect::<Option<_>>()?;
    let of = |field| lengths.get(&field);
    for (low, high) in [
        (TimingField::NeighbourReachableLow, TimingField::NeighbourReachableHigh),
        (TimingField::BackoffInitial, TimingField::BackoffMax),
    ] {
        match (of(low), of(high)) {
            (Some(least), Some(most)) if least > most => {
                let message = format!("`{low}` is longer than `{high}`");
                cx.report(node.span.clone(), message, None);
                return None;
            }
            (Some(_), None) | (None, Some(_)) => {
                let message = format!("`{low}` and `{high}` belong together");
                cx.report(node.span.clone(), message, "give both, or none of them".to_owned());
                return None;
            }
            _ => {}
        }
    }
    Some(TimingProfile::Own(lengths))
}

fn length(cx: &mut Context, entry: &Entry) -> Option<(TimingField, Duration)> {
    let Some(field) = TimingField::parse(&entry.key) else {
        let key = Node { kind: Kind::Text(entry.key.clone()), span: entry.key_span.clone() };
        cx.unknown(&key, "timing", &entry.key, TimingField::ALL.iter().map(|field| field.name()));
        return None;
    };
    Some((field, scalar::duration_within(cx, &entry.value, field.least()..=TimingField::MOST)?))
}

/// The profile in a document that `grenadier calibrate` wrote. `file` is how it is called in problems.
pub(crate) fn calibration(source: &str, file: &str) -> Result<TimingProfile, Diagnostics> {
    let (root, findings) = yaml::read(source);
    let mut cx = Context::new(findings);
    let profile = root.as_ref().and_then(|root| {
        let fields = cx.fields(root, "a calibration", CALIBRATION_KEYS, None)?;
        let node = fields.required(&mut cx, "profile")?;
        profile(&mut cx, node)
    });
    if root.is_none() {
        cx.report(0..0, "the calibration is empty", "`grenadier calibrate` writes one".to_owned());
    }
    match (profile, cx.into_findings()) {
        (Some(profile), findings) if findings.is_empty() => Ok(profile),
        (_, findings) => Err(Diagnostics::new(source, file, findings)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &str) -> String {
        calibration(source, "timing.json").unwrap_err().to_string()
    }

    #[test]
    fn a_calibration_reads_and_the_rest_of_it_is_passed_over() {
        let source =
            r#"{"v": 1, "date": "2026-11-22", "machine": {"processors": 2}, "profile": {"power-on": "480ms"}}"#;
        let lengths = BTreeMap::from([(TimingField::PowerOn, Duration::from_millis(480))]);
        assert_eq!(calibration(source, "timing.json").unwrap(), TimingProfile::Own(lengths));
    }

    #[test]
    fn what_cannot_be_is_told_with_its_place() {
        assert!(told("profile: {power-no: 1s}").contains("power-on"), "{}", told("profile: {power-no: 1s}"));
        assert!(told("profile: {resync: 1us}").contains("from 10ms to 1h"));
        assert!(told("profile: {create: 2h}").contains("from 0s to 1h"), "{}", told("profile: {create: 2h}"));
        assert!(told("profile: {backoff-initial: 1s}").contains("belong together"));
        let crossed = told("profile: {neighbour-reachable-low: 2s, neighbour-reachable-high: 1s}");
        assert!(crossed.contains("is longer than"), "{crossed}");
        assert!(told("v: 1").contains("profile"));
        assert!(told("").contains("grenadier calibrate"));
    }
}
