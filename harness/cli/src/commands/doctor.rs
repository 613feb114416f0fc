//! `grenadier doctor`.

use std::time::Instant;

use grenadier_checks::{ExitCode, Word};
use grenadier_clock::Seed;
use grenadier_events::EventLog;
use grenadier_fleet::OperationError;
use grenadier_fleet_docker::doctor::{Finding, Fitness, examine};
use grenadier_fleet_docker::images::standard;
use grenadier_outputs::Diagnosis;
use grenadier_runner::{run_virtual, try_docker};
use grenadier_scenario::load;

use crate::arguments::{Doctor, Format, World};
use crate::output::{line, report_as};

/// What is rehearsed to see that the virtual world works.
const SWAP: &str = "haproxy-appliance-swap";

pub(crate) fn run(arguments: &Doctor) -> ExitCode {
    let mut found = vec![virtual_world()];
    if arguments.world == World::Docker {
        match docker_world() {
            Ok(more) => found.extend(more),
            Err(error) => return report_as(arguments.format, ExitCode::Environment, &error, None),
        }
    }
    let fit = found.iter().all(|finding| finding.fitness != Fitness::Unfit);
    let code = if fit { ExitCode::Passed } else { ExitCode::Environment };
    match arguments.format {
        Format::Json => {
            let diagnosis = Diagnosis::of(fit, code.code(), found);
            line(&serde_json::to_string(&diagnosis).expect("a diagnosis has string keys"));
        }
        Format::Text if arguments.quiet.quiet => {
            for Finding { about, says, .. } in found.iter().filter(|finding| finding.fitness == Fitness::Unfit) {
                line(&format!("UNFIT  {about}: {says}"));
            }
            if fit {
                line("fit");
            }
        }
        Format::Text => {
            let width = found.iter().map(|finding| finding.about.len()).max().unwrap_or_default();
            for Finding { about, fitness, says, hint } in &found {
                line(&format!("{:8}  {about:width$}  {says}", word(*fitness)));
                if let Some(hint) = hint {
                    line(&format!("{:8}  {:width$}  hint: {hint}", "", ""));
                }
            }
            line("");
            line(match (fit, arguments.world) {
                (true, World::Virtual) => "fit for the virtual world: grenadier run haproxy-appliance-swap",
                (true, World::Docker) => "fit for both worlds: grenadier run haproxy-appliance-swap --world docker",
                (false, World::Virtual) => "not fit for the virtual world",
                (false, World::Docker) => {
                    "not fit for the docker world; the virtual world: grenadier doctor --world virtual"
                }
            });
        }
    }
    code
}

const fn word(fitness: Fitness) -> &'static str {
    match fitness {
        Fitness::Fit => "fit",
        Fitness::Doubtful => "doubtful",
        Fitness::Unfit => "UNFIT",
    }
}

/// One rehearsal, which has nothing to do with this machine and must pass everywhere.
fn virtual_world() -> Finding {
    let about = "virtual world";
    let Ok(loaded) = load(SWAP) else {
        return Finding::not(
            about,
            Fitness::Unfit,
            format!("there is no {SWAP}"),
            "this binary is damaged: install it again",
        );
    };
    let began = Instant::now();
    let output = run_virtual(&loaded.scenario, Seed(loaded.scenario.seed), "", EventLog::default());
    let length = began.elapsed().as_secs_f64() * 1e3;
    match output.verdict.verdict {
        Word::Passed => Finding::fit(about, format!("{SWAP} passed in {length:.0} ms")),
        _ => Finding::not(
            about,
            Fitness::Unfit,
            output.verdict.summary,
            "this is a defect of Grenadier: please report it",
        ),
    }
}

/// Whether networks can be made as bad as some faults ask for.
fn network_faults(missing: Option<&OperationError>) -> Finding {
    let about = "network faults";
    match missing {
        None => Finding::fit(about, "pause, partition, delay and loss can be made"),
        Some(missing) => Finding::not(
            about,
            Fitness::Doubtful,
            missing.to_string(),
            "the kernel below the engine needs CONFIG_NET_SCH_INGRESS, CONFIG_NET_CLS_BPF and CONFIG_NET_ACT_MIRRED; \
             scenarios without pause, partition, delay and loss run all the same",
        ),
    }
}

/// The engine and what is around it; where a run could go, a small fleet as a trial.
fn docker_world() -> std::io::Result<Vec<Finding>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let images: Vec<String> = standard().into_iter().map(|recipe| recipe.name).collect();
    let images: Vec<&str> = images.iter().map(String::as_str).collect();
    let mut found = runtime.block_on(examine(&images));
    if found.iter().all(|finding| finding.fitness != Fitness::Unfit) {
        let about = "trial";
        let began = Instant::now();
        match runtime.block_on(try_docker()) {
            Ok(missing) => {
                let length = began.elapsed().as_secs_f64();
                found.push(Finding::fit(about, format!("a fleet of one network started and went in {length:.1} s")));
                found.push(network_faults(missing.as_ref()));
            }
            Err(error) => {
                found.push(Finding::broken(about, &error, error.hint().unwrap_or("look at the engine's own log")));
            }
        }
    }
    Ok(found)
}
