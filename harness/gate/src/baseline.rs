//! What became worse since an earlier gate.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use grenadier_checks::Word;
use grenadier_clock::format_duration;
use schemars::JsonSchema;
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
pub(crate) fn compare(before: &[Row], now: &[Row]) -> Vec<Difference> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Script, against, gate};
    use crate::{Attempt, Gated};

    const RULES: &str = "[[run]]\nworld = 'virtual'\noutage-tolerance = '1s'\n";
    const ONE: &str = "haproxy-appliance/one[virtual]";

    fn rows() -> Vec<Row> {
        gate(RULES, &Script::default()).1.into_iter().map(|Gated { row, .. }| row).collect()
    }

    /// What is worse after `change` to the first row, and the exit code of such a gate.
    fn worse(change: impl Fn(&mut Row)) -> (Vec<Difference>, u8) {
        let before = rows();
        let mut now = rows();
        change(&mut now[0]);
        let profile = crate::testing::profile(RULES);
        let before = Gate::of(&profile, before, None, 1, 1.0);
        let gate = Gate::of(&profile, now, Some((&before, "before".to_owned())), 1, 1.0);
        (gate.differences, gate.exit_code)
    }

    fn one(difference: (Vec<Difference>, u8)) -> (DifferenceKind, String, String, String, u8) {
        let (mut found, code) = difference;
        assert_eq!(found.len(), 1, "{found:#?}");
        let Difference { kind, row, what, before, now } = found.remove(0);
        assert_eq!(row, ONE);
        (kind, what, before, now, code)
    }

    #[test]
    fn the_same_gate_is_no_worse() {
        assert_eq!(worse(|_| ()), (Vec::new(), 0));
    }

    #[test]
    fn an_outage_counts_beyond_the_tolerance() {
        let longer = |ns: u64| move |row: &mut Row| *row.outages_ns.get_mut("shop in the upgrade").unwrap() += ns;
        assert_eq!(worse(longer(1_000_000_000)).0, []);
        let (kind, what, _, now, code) = one(worse(longer(1_000_000_001)));
        assert_eq!((kind, what.as_str(), code), (DifferenceKind::Outage, "shop in the upgrade", 1));
        assert!(now.ends_with(", 1s more tolerated"), "{now}");
        assert_eq!(worse(|row| row.outages_ns.clear()).0, [], "shorter is not worse");
        let (kind, what, before, ..) = one(worse(|row| {
            row.outages_ns.insert("new in the upgrade".into(), 2 << 30);
        }));
        assert_eq!((kind, what.as_str(), before.as_str()), (DifferenceKind::Outage, "new in the upgrade", "0s"));
    }

    #[test]
    fn a_check_that_vanished_fails_and_one_that_is_not_covered_is_unfit() {
        let gone = one(worse(|row| {
            row.checks.remove("identity");
        }));
        let (made, not_made) = ("made".to_owned(), "not made".to_owned());
        assert_eq!(gone, (DifferenceKind::CheckVanished, "identity".to_owned(), made.clone(), not_made, 1));
        let idle = one(worse(|row| {
            row.checks.insert("identity".into(), CheckWord::DoesNotApply);
        }));
        assert_eq!((idle.0, idle.3.as_str(), idle.4), (DifferenceKind::CheckVanished, "does not apply", 1));
        let lacking = one(worse(|row| {
            row.checks.insert("identity".into(), CheckWord::NotCovered);
        }));
        let not_covered = "not covered".to_owned();
        assert_eq!(lacking, (DifferenceKind::NotCovered, "identity".to_owned(), made, not_covered, 3));
        assert_eq!(
            worse(|row| {
                row.checks.insert("identity".into(), CheckWord::Bad);
            })
            .0,
            [],
            "that fails anyway"
        );
    }

    #[test]
    fn cases_that_vanished_fail() {
        let mut before = rows();
        before[0].coverage = [("vsphere.PowerOnVM_Task hang".to_owned(), 3), ("a b".to_owned(), 1)].into();
        let mut now = before.clone();
        now[0].coverage = [("vsphere.PowerOnVM_Task hang".to_owned(), 2), ("a b".to_owned(), 9)].into();
        let (kind, what, from, to, _) = one((compare(&before, &now), 0));
        assert_eq!((kind, what.as_str()), (DifferenceKind::CasesVanished, "vsphere.PowerOnVM_Task hang"));
        assert_eq!((from.as_str(), to.as_str()), ("3 cases", "2 cases"));
    }

    #[test]
    fn a_row_that_vanished_fails_and_one_that_is_new_does_not() {
        let rows = rows();
        let found = compare(&rows, &rows[1..]);
        assert_eq!(one((found, 0)).0, DifferenceKind::RowVanished);
        assert_eq!(compare(&rows[1..], &rows), []);
    }

    #[test]
    fn what_is_newly_not_covered_says_nothing_about_the_upgrade() {
        let before = rows();
        let script = Script::new(&[(ONE, &[Attempt::NotCovered("no engine".to_owned())])]);
        let (now, _) = against(RULES, &script, Some(&before));
        assert_eq!((now.exit_code, now.differences.len()), (3, 1));
        assert_eq!(now.differences[0].kind, DifferenceKind::NotCovered);
        assert_eq!(compare(&now.rows, &now.rows), [], "that was so before");
        assert_eq!(compare(&before[1..], &now.rows).len(), 1, "a new row that is not covered is told too");
    }

    #[test]
    fn a_row_that_is_not_fit_is_not_compared() {
        let broken = |row: &mut Row| {
            row.status = Status::Unfit;
            row.checks.clear();
        };
        assert_eq!(worse(broken), (Vec::new(), 3));
    }

    #[test]
    fn a_folder_without_a_whole_gate_is_no_baseline() {
        let place = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            fs::write(place.path().join("gate.json"), text).unwrap();
            read_baseline(place.path())
        };
        assert!(matches!(read_baseline(&place.path().join("none")), Err(BaselineError::Read { .. })));
        assert!(matches!(read("no gate"), Err(BaselineError::Form { .. })));
        assert!(matches!(read("{\"v\": 2}"), Err(BaselineError::Version { found: 2, .. })));
        let (mut gate, _) = gate(RULES, &Script::default());
        assert_eq!(read(&gate.to_json()).unwrap(), gate);
        gate.verdict = Word::Interrupted;
        assert!(matches!(read(&gate.to_json()), Err(BaselineError::Interrupted { .. })));
    }
}
