//! The coverage of an exploration in tables that fit a screen.

use std::collections::{BTreeMap, BTreeSet};

use grenadier_catalog::{FaultKind, Named};

use crate::coverage::Cell;
use crate::exploration::CoverageLine;

/// One table of kinds that belong together.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    /// What stands above the first column.
    pub head: &'static str,
    /// The kinds, in the catalogue's order.
    pub columns: Vec<&'a str>,
    /// What came of each kind, by call or step.
    pub rows: BTreeMap<&'a str, BTreeMap<&'a str, Cell>>,
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

/// Columns with their place in the catalogue, and rows.
type Block<'a> = (BTreeSet<(usize, &'a str)>, BTreeMap<&'a str, BTreeMap<&'a str, Cell>>);

/// What was tried where, in the order in which it is shown.
pub(crate) fn tables(coverage: &[CoverageLine]) -> Vec<Table<'_>> {
    let mut blocks: BTreeMap<usize, Block<'_>> = BTreeMap::new();
    for line in coverage {
        let (block, column) = column(&line.fault);
        let (columns, rows) = blocks.entry(block).or_default();
        columns.insert((column, &line.fault));
        rows.entry(&line.call).or_default().insert(&line.fault, line.cell);
    }
    let mut tables = Vec::new();
    for (block, (columns, rows)) in blocks {
        let head = BLOCKS.get(block).map_or("call", |(head, _)| head);
        tables.push(Table { head, columns: columns.into_iter().map(|(_, fault)| fault).collect(), rows });
    }
    tables
}

/// The table a fault belongs to, and its place there.
fn column(fault: &str) -> (usize, usize) {
    let kind = fault.split_once(':').map_or(fault, |(kind, _)| kind);
    let place = |wanted: &dyn Fn(&FaultKind) -> bool| <FaultKind as Named>::ALL.iter().position(wanted);
    // An exploration of a later version may know kinds that this one does not.
    let Some(at) = place(&|known| known.name() == kind) else { return (BLOCKS.len(), 0) };
    let begun = |(_, first): &&(&str, FaultKind)| place(&|known| known == first).is_some_and(|first| first <= at);
    (BLOCKS.iter().filter(begun).count() - 1, at)
}
