//! A gate's profile.

use std::path::PathBuf;
use std::time::Duration;

use glob::Pattern;
use grenadier_catalog::{Check, Named, System, World};

use super::context::{Context, Fields};
use super::{expect, items, scalar};
use crate::diagnostic::Span;
use crate::profile::{Criterion, upgrade};
use crate::yaml::{Kind, Node};
use crate::{Choice, Diagnostics, ExploreRule, Profile, RunRule, ScenarioSource, toml_tree};

const KEYS: &[&str] = &["scenarios", "run", "explore"];
const RUN_KEYS: &[&str] = &[
    "world",
    "systems",
    "files",
    "upgrades",
    "labels",
    "require",
    "retries",
    "allow-flaky",
    "must-run",
    "outage-tolerance",
];
const EXPLORE_KEYS: &[&str] = &["systems", "files", "upgrades", "labels", "budget", "shard"];
const SHARD_KEYS: &[&str] = &["k", "n"];

/// More retries than this make a gate wait for what is broken.
const MOST_RETRIES: u32 = 10;
/// How many shards there may be.
const MOST_SHARDS: u64 = 10_000;

/// Reads a profile. `file` is how the source is called in problems; nothing is read from it.
///
/// # Errors
/// Everything that is wrong with the document, in the order of position.
pub fn profile(source: &str, file: &str) -> Result<Profile, Diagnostics> {
    let root = toml_tree::read(source).map_err(|findings| Diagnostics::new(source, file, findings))?;
    let mut cx = Context::new(Vec::new());
    let decoded = document(&mut cx, &root, source, file);
    match (decoded, cx.into_findings()) {
        (Some(profile), findings) if findings.is_empty() => Ok(profile),
        (_, findings) => Err(Diagnostics::new(source, file, findings)),
    }
}

fn document(cx: &mut Context, root: &Node, source: &str, file: &str) -> Option<Profile> {
    let fields = cx.fields(root, "a profile", KEYS, None)?;
    let sources = match fields.optional("scenarios") {
        None => Some(vec![ScenarioSource::Embedded]),
        Some(node) => sources(cx, node),
    };
    let runs = rules(cx, &fields, "run", run);
    let explorations = rules(cx, &fields, "explore", explore);
    if !["run", "explore"].iter().any(|key| fields.optional(key).is_some()) {
        let help = "add [[run]] with `world = \"virtual\"`, or [[explore]]".to_owned();
        cx.report(0..0, "the profile asks for nothing", help);
    }
    let (source, file) = (source.to_owned(), file.to_owned());
    Some(Profile { sources: sources?, runs: runs?, explorations: explorations?, source, file })
}

fn sources(cx: &mut Context, node: &Node) -> Option<Vec<ScenarioSource>> {
    let sources = items(cx, node, |cx, node| {
        let text = scalar::line(cx, node, "\"embedded\", a scenario file or a folder of them")?;
        Some(if text == "embedded" { ScenarioSource::Embedded } else { ScenarioSource::Path(PathBuf::from(text)) })
    })?;
    if sources.is_empty() {
        let help = "name a folder, or \"embedded\" for those that come with the product".to_owned();
        cx.report(node.span.clone(), "there are no scenarios", help);
        return None;
    }
    Some(sources)
}

/// The rules below lines such as `[[run]]`.
fn rules<T>(
    cx: &mut Context,
    fields: &Fields<'_>,
    key: &'static str,
    decode: impl FnMut(&mut Context, &Node) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(entry) = fields.entry(key) else { return Some(Vec::new()) };
    if let Kind::List(_) = entry.value.kind {
        return items(cx, &entry.value, decode);
    }
    let message = format!("expected rules; got {}", entry.value.describe());
    cx.report(entry.key_span.clone(), message, format!("begin each rule with the line [[{key}]]"));
    None
}

fn run(cx: &mut Context, node: &Node) -> Option<RunRule> {
    let fields = cx.fields(node, "a run", RUN_KEYS, Some(&node.span))?;
    let world = fields.required(cx, "world").and_then(|node| scalar::name::<World>(cx, node));
    let choice = choice(cx, &fields, &node.span);
    let require = expect::unique_names::<Check>(cx, &fields, "require");
    for check in require.iter().flatten() {
        let made = |world: World| *check != Check::Differential && check.worlds().contains(&world);
        if let (Some(world), Some(node)) = (world, fields.optional("require"))
            && !made(world)
        {
            let message = format!("check `{}` is never made in a run in the {} world", check.name(), world.name());
            cx.report(node.span.clone(), message, "leave it out: such a gate could not pass".to_owned());
        }
    }
    let retries = match fields.optional("retries") {
        None => Some(0),
        Some(node) => scalar::integer(cx, node, 0..=MOST_RETRIES),
    };
    let flag = |cx: &mut Context, key| fields.optional(key).map_or(Some(false), |node| scalar::boolean(cx, node));
    let (allow_flaky, must_run) = (flag(cx, "allow-flaky"), flag(cx, "must-run"));
    if world == Some(World::Virtual) {
        for key in ["retries", "allow-flaky", "must-run"] {
            if let Some(entry) = fields.entry(key) {
                let message = format!("`{key}` says nothing about the virtual world");
                let help = "leave it out: the virtual world is always there, and a run in it always comes out alike";
                cx.report(entry.key_span.clone(), message, help.to_owned());
            }
        }
    }
    let outage_tolerance = match fields.optional("outage-tolerance") {
        None => Some(Duration::ZERO),
        Some(node) => scalar::duration(cx, node),
    };
    Some(RunRule {
        choice: choice?,
        world: world?,
        require: require?,
        retries: retries?,
        allow_flaky: allow_flaky?,
        must_run: must_run?,
        outage_tolerance: outage_tolerance?,
    })
}

fn explore(cx: &mut Context, node: &Node) -> Option<ExploreRule> {
    let fields = cx.fields(node, "an exploration", EXPLORE_KEYS, Some(&node.span))?;
    let choice = choice(cx, &fields, &node.span);
    let budget = match fields.optional("budget") {
        None => Some(None),
        Some(node) => scalar::integer(cx, node, 1..=u64::MAX).map(Some),
    };
    let shard = match fields.entry("shard") {
        None => Some(None),
        Some(entry) => shard(cx, &entry.value, &entry.key_span).map(Some),
    };
    Some(ExploreRule { choice: choice?, budget: budget?, shard: shard? })
}

fn shard(cx: &mut Context, node: &Node, key: &Span) -> Option<(u64, u64)> {
    let fields = cx.fields(node, "a shard", SHARD_KEYS, Some(key))?;
    let n = fields.required(cx, "n").and_then(|node| scalar::integer(cx, node, 1..=MOST_SHARDS));
    let k = fields.required(cx, "k").and_then(|node| scalar::integer(cx, node, 1..=n.unwrap_or(MOST_SHARDS)));
    k.zip(n)
}

fn choice(cx: &mut Context, fields: &Fields<'_>, place: &Span) -> Option<Choice> {
    let mut criteria = Some(Vec::new());
    for key in ["systems", "files", "upgrades", "labels"] {
        let Some(node) = fields.optional(key) else { continue };
        let found = items(cx, node, |cx, node| Some((criterion(cx, key, node)?, node.span.clone())));
        if found.as_ref().is_some_and(Vec::is_empty) {
            let message = format!("`{key}` has no values, so no scenario fits");
            cx.report(node.span.clone(), message, "name some, or leave the key out".to_owned());
        }
        criteria = criteria.zip(found).map(|(mut all, found)| {
            all.extend(found);
            all
        });
    }
    Some(Choice { criteria: criteria?, place: place.clone() })
}

fn criterion(cx: &mut Context, key: &str, node: &Node) -> Option<Criterion> {
    match key {
        "systems" => {
            let name = scalar::text(cx, node, "the name of a system")?;
            if System::find(name).is_none() {
                cx.unknown(node, "system", name, System::all().iter().map(|system| system.name));
                return None;
            }
            Some(Criterion::System(name.to_owned()))
        }
        "files" => {
            let text = scalar::text(cx, node, "the name of a scenario, or a pattern for its file")?;
            let read = Pattern::new(text);
            let help = "such as \"haproxy-appliance-refuse-*\" or \"**/field/*.yaml\"".to_owned();
            let read = read.map_err(|error| cx.report(node.span.clone(), format!("{error} in `{text}`"), help));
            read.ok().map(Criterion::File)
        }
        "upgrades" => {
            let text = scalar::text(cx, node, "an upgrade such as \"v0.1.10->v0.2.0\"")?;
            let read = upgrade(text);
            if read.is_none() {
                let message = format!("expected an upgrade such as \"v0.1.10->v0.2.0\"; got {}", node.describe());
                cx.report(node.span.clone(), message, "a star stands for any version: \"*->v0.2.0\"".to_owned());
            }
            read
        }
        _ => scalar::kebab(cx, node, "a label in kebab case, such as base").map(Criterion::Label),
    }
}
