//! An exploration as people read it.

use std::fmt::Write as _;
use std::path::Path;

use crate::coverage::Cell;
use crate::exploration::{Exploration, ExplorationFailure};
use crate::known::KnownLine;
use crate::tables::{Table, tables};

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
    let tables = tables(&exploration.coverage);
    if tables.is_empty() {
        return;
    }
    let names = tables.iter().flat_map(|table| table.rows.keys());
    let first = names.map(|call| call.chars().count()).max().unwrap_or_default().max(4);
    for Table { head, columns, rows } in &tables {
        let widths: Vec<(&str, usize)> = columns.iter().map(|fault| (*fault, fault.len().max(7))).collect();
        let heads: Vec<String> = widths.iter().map(|(fault, width)| format!("{fault:>width$}")).collect();
        line(text, "");
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
        Some(folder) => line(text, &format!("   replay  {}", replay_of(failure, Path::new(folder)))),
        None => failure.case.lines().skip(1).for_each(|case| line(text, &format!("   | {case}"))),
    }
}

fn mended(text: &mut String, known: &KnownLine) {
    line(text, "");
    line(text, &format!("known failure {} does not fail any more: {}", known.signature, known.reason));
    line(text, &format!("   take it out of the scenario's known-failures, and close {}", known.issue));
}

fn verdict(exploration: &Exploration, folder: Option<&str>) -> String {
    let unknown = exploration.failures.iter().find(|failure| failure.known.is_none());
    let next = match (unknown, folder) {
        (Some(first), Some(folder)) => format!("replay the first: {}", replay_of(first, Path::new(folder))),
        (Some(_), None) => "leave a folder (--out) to have their cases".to_owned(),
        (None, _) if exploration.shard.is_some() => "join the shards: grenadier merge DIR…".to_owned(),
        (None, _) if exploration.mended().next().is_some() => "take what is mended out of known-failures".to_owned(),
        (None, _) if exploration.order == 1 && exploration.random.is_none() => {
            format!("pairs of faults: {} --order 2", exploration.command())
        }
        (None, _) => "nothing to do".to_owned(),
    };
    format!("{}\nnext    {next}", headline(exploration))
}

fn headline(exploration: &Exploration) -> String {
    let known = exploration.failures.iter().filter(|failure| failure.known.is_some()).count();
    let unknown = exploration.failures.len() - known;
    let word = match exploration.exit_code().code() {
        0 => "PASSED",
        4 => "INTERRUPTED",
        3 => "UNFIT",
        _ => "FAILED",
    };
    let many =
        |count: usize| if count == 1 { "1 distinct failure".to_owned() } else { format!("{count} distinct failures") };
    let mut text = format!("{word}  {}: {}", exploration.scenario, many(unknown));
    if known > 0 {
        write!(text, " and {known} that are known").expect("a string takes everything");
    }
    let mended = exploration.mended().count();
    if mended > 0 {
        write!(text, ", {mended} known that do not fail any more").expect("a string takes everything");
    }
    text
}

/// What an exploration came to, in one line.
pub fn verdict_line(exploration: &Exploration) -> String {
    let Exploration { cases, enumerated, .. } = exploration;
    let of = if cases == enumerated { String::new() } else { format!(" of {enumerated}") };
    format!("{}; {cases}{of} cases", headline(exploration))
}

/// The command that runs a failure's case again; `folder` is where the exploration is.
pub fn replay_of(failure: &ExplorationFailure, folder: &Path) -> String {
    format!("grenadier replay {}", quoted(&folder.join(&failure.file).display().to_string()))
}

pub(crate) fn quoted(path: &str) -> String {
    if path.contains(char::is_whitespace) { format!("'{path}'") } else { path.to_owned() }
}
