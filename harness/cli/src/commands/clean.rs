//! `grenadier clean`.

use grenadier_checks::ExitCode;
use grenadier_fleet_docker::engine::connect;
use grenadier_fleet_docker::sweep::{Scope, SweepReport, sweep};

use crate::arguments::Clean;
use crate::output::{complain, line, report};

pub(crate) fn run(arguments: &Clean) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(ExitCode::Environment, &error, None),
    };
    runtime.block_on(async {
        let docker = match connect().await {
            Ok(docker) => docker,
            Err(error) => return report(ExitCode::Environment, &error, Some(error.hint())),
        };
        let scope = if arguments.all { Scope::All } else { Scope::OwnerGone };
        let report = sweep(&docker, scope).await;
        let quiet = arguments.quiet.quiet;
        for object in &report.removed {
            line(&if quiet { object.to_string() } else { format!("removed {object}") });
        }
        if !quiet {
            explain(&report);
        }
        for failure in &report.failures {
            complain(&format!("error: {failure}\n"));
        }
        if report.is_clean() { ExitCode::Passed } else { ExitCode::Environment }
    })
}

/// Tells what was left and why.
fn explain(report: &SweepReport) {
    for object in &report.alive {
        line(&format!("left {object}: its run is alive"));
    }
    for object in &report.out_of_sight {
        line(&format!("left {object}: its owner cannot be seen from here (`grenadier clean --all` removes it)"));
    }
    if report.removed.is_empty() && report.is_clean() {
        line("nothing to remove");
    }
}
