//! An exploration as people read it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use grenadier_catalog::{FaultKind, Named};

use crate::coverage::Cell;
use crate::exploration::{Exploration, ExplorationFailure};
use crate::known::KnownLine;

/// An exploration as people read it: the number of cases first, what to do next last. `folder` is where its cases are.
pub fn text(exploration: &Exploration, folder: Option<&str>) -> String {
    let mut text = String::new();
    head(&mut text, exploration);
    coverage(&mut text, exploration);
    for (number, failure) in exploration.failures.iter().enumerate() {
        shown(&mut text, number + 1, failure, folder);
    }
    for known in exploration.mended() {
        mended(&mut text, known);
    }
    line(&mut text, "");
    line(&mut text, &verdict(exploration, folder));
    text
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{}", line.trim_end()).expect("a string takes everything");
}

fn head(text: &mut String, exploration: &Exploration) {
    let Exploration { cases, enumerated, pruned, .. } = exploration;
    let mut first = format!("{cases} cases");
    if cases != enumerated {
        let percent = *cases as f64 * 100.0 / (*enumerated).max(1) as f64;
        write!(first, ", {percent:.1} % of {enumerated}").expect("a string takes everything");
    }
    if *pruned > 0 {
        write!(first, " ({pruned} more pairs strike a state that another does)").expect("a string takes everything");
    }
    line(text, &first);
    if let Some(speed) = exploration.speed {
        let workers = if speed.workers == 1 { "worker" } else { "workers" };
        let (per_second, seconds) = (speed.runs_per_second, speed.seconds);
        line(text, &format!("{per_second:.0} runs per second: {} {workers}, {seconds:.2} s", speed.workers));
    }
    let ended: Vec<String> = exploration.ended.iter().map(|(ended, cases)| format!("{cases} {ended}")).collect();
    line(text, &format!("ended: {}; {} failed a check", ended.join(", "), exploration.failed));
}

fn coverage(text: &mut String, exploration: &Exploration) {
    let mut blocks: BTreeMap<usize, Block<'_>> = BTreeMap::new();
    for line in &exploration.coverage {
        let (block, column) = column(&line.fault);
        let block = blocks.entry(block).or_default();
        block.columns.insert((column, &line.fault));
        block.rows.entry(&line.call).or_default().insert(&line.fault, line.cell);
    }
    if blocks.is_empty() {
        return;
    }
    let names = blocks.values().flat_map(|block| block.rows.keys());
    let first = names.map(|call| call.chars().count()).max().unwrap_or_default().max(4);
    for (number, Block { columns, rows }) in &blocks {
        let widths: Vec<(&str, usize)> = columns.iter().map(|(_, fault)| (*fault, fault.len().max(7))).collect();
        let heads: Vec<String> = widths.iter().map(|(fault, width)| format!("{fault:>width$}")).collect();
        line(text, "");
        let head = BLOCKS.get(*number).map_or("call", |(head, _)| head);
        line(text, &format!("{head:first$}  {}", heads.join("  ")));
        for (call, cells) in rows {
            let cell = |(fault, width): &(&str, usize)| {
                let shown = cells.get(fault).map_or_else(|| "–".to_owned(), told);
                format!("{shown:>width$}")
            };
            let cells: Vec<String> = widths.iter().map(cell).collect();
            line(text, &format!("{call:first$}  {}", cells.join("  ")));
        }
    }
    line(text, "cases; of them failed behind a !, and those in which the fault found no place behind a ?");
    for excluded in &exploration.excluded {
        let calls = if excluded.calls == 1 { "1 call".to_owned() } else { format!("{} calls", excluded.calls) };
        line(text, &format!("not injectable: {} at {calls}: it {}", excluded.fault, excluded.reason));
    }
    if !exploration.outside_steps.is_empty() {
        let calls = exploration.outside_steps.join(", ");
        line(text, &format!("not injectable: any fault at {calls}: the engine calls it outside its steps"));
    }
}

/// One table of kinds that belong together: columns in the catalogue's order.
#[derive(Default)]
struct Block<'a> {
    columns: BTreeSet<(usize, &'a str)>,
    rows: BTreeMap<&'a str, BTreeMap<&'a str, Cell>>,
}

/// The tables: what stands above the first column, and the first kind that belongs to it. All kinds in one would be too wide
/// for any screen.
const BLOCKS: [(&str, FaultKind); 5] = [
    ("call, before the effect", FaultKind::Refuse),
    ("call, after the effect", FaultKind::ErrorAfter),
    ("call, or its task", FaultKind::StaleRead),
    ("call or step, engine", FaultKind::CrashBefore),
    ("step, machine", FaultKind::MachineCrash),
];

/// The table a fault belongs to, and its place there.
fn column(fault: &str) -> (usize, usize) {
    let kind = fault.split_once(':').map_or(fault, |(kind, _)| kind);
    let place = |wanted: &dyn Fn(&FaultKind) -> bool| <FaultKind as Named>::ALL.iter().position(wanted);
    // An exploration of a later version may know kinds that this one does not.
    let Some(at) = place(&|known| known.name() == kind) else { return (BLOCKS.len(), 0) };
    let begun = |(_, first): &&(&str, FaultKind)| place(&|known| known == first).is_some_and(|first| first <= at);
    (BLOCKS.iter().filter(begun).count() - 1, at)
}

fn told(cell: &Cell) -> String {
    let mut told = cell.cases.to_string();
    for (mark, count) in [('!', cell.failed), ('?', cell.not_injectable)] {
        if count > 0 {
            told = format!("{told}{mark}{count}");
        }
    }
    told
}

fn shown(text: &mut String, number: usize, failure: &ExplorationFailure, folder: Option<&str>) {
    line(text, "");
    let known = if failure.known.is_some() { " (known)" } else { "" };
    let cases = if failure.cases == 1 { "1 case".to_owned() } else { format!("{} cases", failure.cases) };
    line(text, &format!("{number}. {}{known}, {cases}", failure.signature));
    line(text, &format!("   {}", failure.message));
    if !failure.also.is_empty() {
        line(text, &format!("   also: {}", failure.also.join(", ")));
    }
    if let Some(issue) = &failure.known {
        line(text, &format!("   {issue}"));
    }
    match folder {
        Some(folder) => {
            line(text, &format!("   replay  grenadier replay {}", quoted(&format!("{folder}/{}", failure.file))))
        }
        None => failure.case.lines().skip(1).for_each(|case| line(text, &format!("   | {case}"))),
    }
}

fn mended(text: &mut String, known: &KnownLine) {
    line(text, "");
    line(text, &format!("known failure {} does not fail any more: {}", known.signature, known.reason));
    line(text, &format!("   take it out of the scenario's known-failures, and close {}", known.issue));
}

fn verdict(exploration: &Exploration, folder: Option<&str>) -> String {
    let (known, unknown): (Vec<_>, Vec<_>) = exploration.failures.iter().partition(|failure| failure.known.is_some());
    let word = match exploration.exit_code().code() {
        0 => "PASSED",
        4 => "INTERRUPTED",
        3 => "UNFIT",
        _ => "FAILED",
    };
    let many =
        |count: usize| if count == 1 { "1 distinct failure".to_owned() } else { format!("{count} distinct failures") };
    let mut text = format!("{word}  {}: {}", exploration.scenario, many(unknown.len()));
    if !known.is_empty() {
        write!(text, " and {} that are known", known.len()).expect("a string takes everything");
    }
    let next = match (unknown.first(), folder) {
        (Some(first), Some(folder)) => {
            format!("replay the first: grenadier replay {}", quoted(&format!("{folder}/{}", first.file)))
        }
        (Some(_), None) => "leave a folder (--out) to have their cases".to_owned(),
        (None, _) if exploration.shard.is_some() => "join the shards: grenadier merge DIR…".to_owned(),
        (None, _) if exploration.mended().next().is_some() => "take what is mended out of known-failures".to_owned(),
        (None, _) if exploration.order == 1 && exploration.random.is_none() => {
            format!("pairs of faults: grenadier explore {} --order 2", exploration.scenario)
        }
        (None, _) => "nothing to do".to_owned(),
    };
    format!("{text}\nnext    {next}")
}

fn quoted(path: &str) -> String {
    if path.contains(char::is_whitespace) { format!("'{path}'") } else { path.to_owned() }
}
