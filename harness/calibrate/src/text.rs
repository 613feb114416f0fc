//! A calibration as people read it.

use std::time::Duration;

use grenadier_clock::format_duration;
use grenadier_compare::shown;
use grenadier_probe::Part;
use grenadier_report::columns;

use crate::{Basis, Calibration};

/// A line for each length, and one for each outage that the profile was tried on.
pub fn text(calibration: &Calibration) -> String {
    let told = |ns: u64| format_duration(Duration::from_micros(ns.div_ceil(1000)));
    let mut rows = vec![["", "median", "least", "most", ""].map(str::to_owned)];
    for row in &calibration.lengths {
        let basis = match row.basis {
            Basis::Measured => format!("measured {} times", row.count),
            Basis::Set => "set by the docker world".to_owned(),
        };
        rows.push([row.name.clone(), told(row.median_ns), told(row.least_ns), told(row.most_ns), basis]);
    }
    let mut text = columns(&rows, &[1, 2, 3]);
    let mut rows = vec![["", "virtual", "docker"].map(str::to_owned)];
    for outage in &calibration.outages {
        let part = if outage.part == Part::Rollback { ", rollback" } else { "" };
        let name = format!("outage of {}{part}", outage.target);
        rows.push([name, shown(outage.length.r#virtual), shown(outage.length.docker)]);
    }
    if !calibration.outages.is_empty() {
        text.push('\n');
        text += &columns(&rows, &[]);
    }
    text
}

/// What was done, in one line.
pub fn verdict(calibration: &Calibration) -> String {
    let machine = &calibration.machine;
    format!(
        "calibrated  {} lengths on {} processors, Docker {}, {}",
        calibration.profile.len(),
        machine.processors,
        machine.engine,
        calibration.date
    )
}
