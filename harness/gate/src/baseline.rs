//! What became worse since an earlier gate.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use grenadier_checks::Word;
use grenadier_clock::format_duration;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::gate::{Gate, VERSION};
use crate::row::{CheckWord, Row, Status};

/// A baseline cannot be had. Each of these is an error in the input (exit code 2).
#[derive(Debug, Error)]
pub enum BaselineError {
    /// The file cannot be read.
    #[error("read baseline {path}")]
    Read {
        /// `gate.json` in the folder that was given.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It is none.
    #[error("{path} is no gate of this version")]
    Form {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// It has another shape.
    #[error("{path} is of version {found}, and this program reads version {VERSION}")]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// It is not whole.
    #[error("the gate in {path} was interrupted, so not everything is in it")]
    Interrupted {
        /// The file.
        path: PathBuf,
    },
}

/// Something that is worse than in the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What kind of thing.
    pub kind: DifferenceKind,
    /// The row it is about, by name.
    pub row: String,
    /// What of it: a target, a check, a call and a fault; empty for all of it.
    pub what: String,
    /// How it was.
    pub before: String,
    /// How it is.
    pub now: String,
}

/// What is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// A target is unreachable for longer than the profile tolerates.
    Outage,
    /// A run or an exploration is not there any more.
    RowVanished,
    /// A check that was made is not made any more, because there is nothing for it to look at.
    CheckVanished,
    /// Cases of an exploration are not there any more.
    CasesVanished,
    /// Something is not covered that was, or that is new.
    NotCovered,
}

impl DifferenceKind {
    /// The word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            DifferenceKind::Outage => "outage",
            DifferenceKind::RowVanished => "row vanished",
            DifferenceKind::CheckVanished => "check vanished",
            DifferenceKind::CasesVanished => "cases vanished",
            DifferenceKind::NotCovered => "not covered",
        }
    }
}

impl Difference {
    /// What it means: that the upgrade became worse or less is tested, or that the environment lacks something.
    pub const fn status(&self) -> Status {
        match self.kind {
            DifferenceKind::NotCovered => Status::Unfit,
            DifferenceKind::Outage
            | DifferenceKind::RowVanished
            | DifferenceKind::CheckVanished
            | DifferenceKind::CasesVanished => Status::Failed,
        }
    }

    /// What it is about, in one line.
    pub fn about(&self) -> String {
        if self.what.is_empty() { self.row.clone() } else { format!("{}: {}", self.row, self.what) }
    }
}

/// The gate that was left in `folder`.
///
/// # Errors
/// There is none, or one that cannot be compared with.
pub fn read_baseline(folder: &Path) -> Result<Gate, BaselineError> {
    let path = folder.join("gate.json");
    let text = fs::read_to_string(&path).map_err(|source| BaselineError::Read { path: path.clone(), source })?;
    let form = |source| BaselineError::Form { path: path.clone(), source };
    let value: serde_json::Value = serde_json::from_str(&text).map_err(form)?;
    match value["v"].as_u64() {
        Some(found) if found != u64::from(VERSION) => return Err(BaselineError::Version { path, found }),
        _ => {}
    }
    let gate: Gate = serde_json::from_value(value).map_err(form)?;
    if gate.verdict == Word::Interrupted { Err(BaselineError::Interrupted { path }) } else { Ok(gate) }
}

/// What is worse in `now` than in `before`.
///
/// Compared is what is known: a row that is not fit or was interrupted speaks for itself.
pub fn compare(before: &[Row], now: &[Row]) -> Vec<Difference> {
    let mut differences = Vec::new();
    for old in before {
        match now.iter().find(|row| row.name == old.name) {
            None if old.status == Status::NotCovered => {}
            None => differences.push(Difference {
                kind: DifferenceKind::RowVanished,
                row: old.name.clone(),
                what: String::new(),
                before: old.status.word().to_lowercase(),
                now: "not there".to_owned(),
            }),
            Some(row) if row.status.is_known() && old.status.is_known() => both(&mut differences, old, row),
            Some(_) => {}
        }
    }
    for row in now {
        not_covered(&mut differences, before.iter().find(|old| old.name == row.name), row);
    }
    differences
}

fn both(differences: &mut Vec<Difference>, old: &Row, row: &Row) {
    let mut worse = |kind, what: &str, before: String, now: String| {
        differences.push(Difference { kind, row: row.name.clone(), what: what.to_owned(), before, now });
    };
    for (part, now) in &row.outages_ns {
        let before = old.outages_ns.get(part).copied().unwrap_or_default();
        if *now > before.saturating_add(row.outage_tolerance_ns) {
            let [before, now, more] = [before, *now, row.outage_tolerance_ns].map(length);
            worse(DifferenceKind::Outage, part, before, format!("{now}, {more} more tolerated"));
        }
    }
    for (check, before) in &old.checks {
        let made = matches!(before, CheckWord::Good | CheckWord::Bad);
        let now = match row.checks.get(check) {
            None => "not made",
            Some(CheckWord::DoesNotApply) => "does not apply",
            Some(CheckWord::Good | CheckWord::Bad | CheckWord::NotCovered) => continue,
        };
        if made {
            worse(DifferenceKind::CheckVanished, check, "made".to_owned(), now.to_owned());
        }
    }
    for (place, before) in &old.coverage {
        let now = row.coverage.get(place).copied().unwrap_or_default();
        if now < *before {
            worse(DifferenceKind::CasesVanished, place, format!("{before} cases"), format!("{now} cases"));
        }
    }
}

/// What is not covered in `row` and was not so before; of a row that is new, everything that is not covered.
fn not_covered(differences: &mut Vec<Difference>, old: Option<&Row>, row: &Row) {
    let mut lacking = |what: &str, before: &str, now: &str| {
        let (before, now) = (before.to_owned(), now.to_owned());
        let (row, what) = (row.name.clone(), what.to_owned());
        differences.push(Difference { kind: DifferenceKind::NotCovered, row, what, before, now });
    };
    if row.status == Status::NotCovered && old.is_none_or(|old| old.status != Status::NotCovered) {
        let before = old.map_or_else(|| "not there".to_owned(), |old| old.status.word().to_lowercase());
        lacking("", &before, &row.summary);
    }
    if !row.status.is_known() {
        return;
    }
    for check in row.checks.iter().filter(|(_, word)| **word == CheckWord::NotCovered).map(|(check, _)| check) {
        match old.map(|old| old.checks.get(check)) {
            Some(Some(CheckWord::NotCovered)) => {}
            Some(Some(_)) => lacking(check, "made", "not covered"),
            Some(None) | None => lacking(check, "not there", "not covered"),
        }
    }
}

fn length(ns: u64) -> String {
    format_duration(Duration::from_nanos(ns))
}
