//! `grenadier images`.

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_checks::ExitCode;
use grenadier_fleet_docker::engine::connect;
use grenadier_fleet_docker::images::{Origin, Progress, Stage, ensure, standard};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::arguments::Images;
use crate::output::{complain, line, report};

pub(crate) fn run(arguments: &Images) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(ExitCode::Environment, &error, None),
    };
    runtime.block_on(async {
        let docker = match connect().await {
            Ok(docker) => docker,
            Err(error) => return report(ExitCode::Environment, &error, Some(error.hint())),
        };
        let quiet = arguments.quiet.quiet;
        let mut bars = Bars { quiet, ..Bars::default() };
        match ensure(&docker, &standard(), &mut bars).await {
            Ok(reports) => {
                bars.finish();
                if quiet {
                    reports.iter().for_each(|report| line(&report.name));
                    return ExitCode::Passed;
                }
                for report in reports {
                    let mib = report.size >> 20;
                    line(&format!("{:40} {mib:>5} MiB  {}", report.name, origin(report.origin)));
                }
                line("\nready: grenadier run haproxy-appliance-swap --world docker");
                ExitCode::Passed
            }
            Err(error) => {
                bars.finish();
                report(ExitCode::Environment, &error, error.hint())
            }
        }
    })
}

/// One line an image, moving while it is made; plain lines where there is no terminal.
#[derive(Default)]
struct Bars {
    quiet: bool,
    all: MultiProgress,
    bars: BTreeMap<String, ProgressBar>,
}

impl Bars {
    fn finish(&self) {
        for bar in self.bars.values() {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bars {
    fn stage(&mut self, image: &str, stage: &Stage) {
        if self.quiet {
            return;
        }
        if self.all.is_hidden() {
            complain(&format!("{image}: {}\n", words(stage)));
            return;
        }
        let all = &self.all;
        let bar = self.bars.entry(image.to_owned()).or_insert_with(|| {
            let style = ProgressStyle::with_template("{spinner} {prefix:40} {msg}  {elapsed}");
            let bar = ProgressBar::new_spinner().with_style(style.expect("the template is well-formed"));
            let bar = all.add(bar).with_prefix(image.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        bar.set_message(words(stage));
    }
}

/// What is being done, in words.
fn words(stage: &Stage) -> String {
    match stage {
        Stage::Pull { reference } => format!("asking a registry for {reference}"),
        Stage::Bootstrap => "bootstrapping from packages (half a minute)".to_owned(),
        Stage::Install { packages } => format!("installing {}", packages.join(", ")),
        Stage::Pack => "packing".to_owned(),
        Stage::Ready(from) => origin(*from).to_owned(),
    }
}

/// Where an image came from, in words.
const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Cached => "was there",
        Origin::Official => "made from the official image",
        Origin::Bootstrapped => "bootstrapped from packages",
        Origin::Derived => "made from another of ours",
    }
}
