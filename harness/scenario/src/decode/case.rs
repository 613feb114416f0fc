//! A case: a scenario and what a run of it may hang on beside.

use super::context::Context;
use super::{conduct, fault, items, scalar, timing};
use crate::yaml::{self, Kind};
use crate::{Diagnostics, Fault, Jitter, JudgedBy, LoadError, Scenario, TimingProfile};

const KEYS: &[&str] =
    &["scenario", "procedure", "seed", "ties", "timing", "jitter", "overturned", "faults", "judged", "shows"];

/// The parts of a case.
pub(crate) struct CaseFields {
    /// The scenario's name or path, where it stands elsewhere.
    pub(crate) named: Option<String>,
    /// The scenario, with its text, where it stands within the case.
    pub(crate) inline: Option<(String, Scenario)>,
    /// The procedure that is asked for in place of the scenario's.
    pub(crate) procedure: Option<String>,
    pub(crate) faults: Option<Vec<Fault>>,
    pub(crate) seed: Option<u64>,
    pub(crate) ties: Option<u64>,
    pub(crate) timing: Option<TimingProfile>,
    pub(crate) jitter: Option<Jitter>,
    pub(crate) overturned: Option<Vec<String>>,
    pub(crate) judged: Option<JudgedBy>,
    pub(crate) shows: Option<String>,
}

/// Reads a case; `find` gives the scenario that it names.
///
/// # Errors
/// What `find` says, or everything that is wrong with the document.
pub(crate) fn case(
    source: &str,
    file: &str,
    find: impl FnOnce(&str) -> Result<Scenario, LoadError>,
) -> Result<CaseFields, LoadError> {
    let (root, findings) = yaml::read(source);
    let mut cx = Context::new(findings);
    let fields = match &root {
        None => None,
        Some(root) => decode(&mut cx, root, source, find)?,
    };
    if root.is_none() {
        cx.report(0..0, "the case is empty", "a case needs at least `scenario`".to_owned());
    }
    match (fields, cx.into_findings()) {
        (Some(fields), findings) if findings.is_empty() => Ok(fields),
        (_, findings) => Err(Diagnostics::new(source, file, findings).into()),
    }
}

fn decode(
    cx: &mut Context,
    root: &yaml::Node,
    source: &str,
    find: impl FnOnce(&str) -> Result<Scenario, LoadError>,
) -> Result<Option<CaseFields>, LoadError> {
    let Some(fields) = cx.fields(root, "a case", KEYS, None) else { return Ok(None) };
    let Some(node) = fields.required(cx, "scenario") else { return Ok(None) };
    let (named, inline) = match &node.kind {
        Kind::Map(_) => {
            let text = unindented(source, &node.span);
            (None, super::document(cx, Some(node)).map(|scenario| (text, scenario)))
        }
        _ => (scalar::text(cx, node, "a scenario, by name, by path or as a document").map(str::to_owned), None),
    };
    let found = match (&named, &inline) {
        (Some(named), _) => Some(find(named)?),
        (None, Some((_, scenario))) => Some(scenario.clone()),
        (None, None) => None,
    };
    let procedure = fields.optional("procedure").map(|node| {
        let name = scalar::text(cx, node, "the name of a procedure")?;
        let found = found.as_ref()?;
        let with = found.with_procedure(name);
        with.map_err(|error| cx.report(node.span.clone(), error.to_string(), error.hint())).ok()
    });
    let found = match &procedure {
        Some(Some(with)) => Some(with.clone()),
        _ => found,
    };
    let steps = found.as_ref().and_then(|found| conduct::Steps::new(found.catalogue_system(), &found.engine));
    let faults = fields.optional("faults").map(|node| items(cx, node, |cx, node| fault::fault(cx, node, steps)));
    fault::same_place_twice(cx, &fields, faults.as_ref().and_then(|faults| faults.as_deref()));
    let seed = fields.optional("seed").map(|node| scalar::integer(cx, node, 0..=u64::MAX));
    let ties = fields.optional("ties").map(|node| scalar::integer(cx, node, 0..=u64::MAX));
    let timing = fields.optional("timing").map(|node| timing::profile(cx, node));
    let jitter = fields.optional("jitter").map(|node| scalar::parsed(cx, node, "a jitter from 0% to 50%"));
    let behaviour = |cx: &mut Context, node: &yaml::Node| scalar::line(cx, node, "the id of a simulated behaviour");
    let overturned = fields.optional("overturned").map(|node| items(cx, node, behaviour));
    let by = [("scenario", JudgedBy::Scenario), ("exploration", JudgedBy::Exploration)];
    let judged = fields.optional("judged").map(|node| scalar::choice(cx, node, "judgement", &by));
    let shows = fields.optional("shows").map(|node| scalar::line(cx, node, "the signature of a failure"));
    if found.is_none() {
        return Ok(None);
    }
    let whole = || {
        Some(CaseFields {
            named,
            inline,
            procedure: super::all_or_nothing(procedure)?.map(|with| with.engine.procedure),
            faults: super::all_or_nothing(faults)?,
            seed: super::all_or_nothing(seed)?,
            ties: super::all_or_nothing(ties)?,
            timing: super::all_or_nothing(timing)?,
            jitter: super::all_or_nothing(jitter)?,
            overturned: super::all_or_nothing(overturned)?,
            judged: super::all_or_nothing(judged)?,
            shows: super::all_or_nothing(shows)?,
        })
    };
    Ok(whole())
}

/// A mapping's own text, as if it began at the left margin.
fn unindented(source: &str, span: &std::ops::Range<usize>) -> String {
    let span = crate::diagnostic::clamp(source, span.clone());
    let start = source[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let column = span.start - start;
    // In flow style it stands behind its key, and its lines have no margin in common.
    let margin = if source[start..span.start].trim().is_empty() { column } else { 0 };
    let begin = if margin == 0 { span.start } else { start };
    let line = |line: &str| {
        let inner = line.len() - line.trim_start_matches(' ').len();
        format!("{}\n", line[inner.min(margin)..].trim_end())
    };
    source[begin..span.end].trim_end().lines().map(line).collect()
}
