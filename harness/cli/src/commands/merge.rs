//! `grenadier merge`.

use std::fs;
use std::path::{Path, PathBuf};

use grenadier_checks::ExitCode;
use grenadier_explore::{Exploration, merge};
use thiserror::Error;

use crate::arguments::Merge;
use crate::output::report_as;

/// A shard cannot be read.
#[derive(Debug, Error)]
enum ShardError {
    #[error("read {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} is no exploration")]
    Form {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
}

pub(crate) fn run(arguments: &Merge) -> ExitCode {
    let shards: Result<Vec<Exploration>, ShardError> = arguments.folders.iter().map(|folder| read(folder)).collect();
    let shards = match shards {
        Ok(shards) => shards,
        Err(error) => {
            let hint = Some("name the folders that `grenadier explore --shard` left");
            return report_as(arguments.format, ExitCode::Input, &error, hint);
        }
    };
    let whole = match merge(shards) {
        Ok(whole) => whole,
        Err(error) => {
            let hint = Some("name the folder of every shard once: `--shard 1/3`, `2/3`, `3/3` of one command");
            return report_as(arguments.format, ExitCode::Input, &error, hint);
        }
    };
    let usual = || PathBuf::from("grenadier-runs").join(format!("{}-explore", whole.scenario));
    let folder = arguments.out.clone().unwrap_or_else(usual);
    let code = super::explore::leave(&whole, Some(&folder), arguments.format, arguments.quiet);
    // Each shard has told of the scenario's lines already.
    let summary = grenadier_gate::summary_of_exploration(&whole, Some(&folder));
    super::github::tell(&[], &summary, arguments.format, arguments.quiet);
    code
}

fn read(folder: &Path) -> Result<Exploration, ShardError> {
    let path = folder.join("explore.json");
    let text = fs::read_to_string(&path).map_err(|source| ShardError::Read { path: path.clone(), source })?;
    serde_json::from_str(&text).map_err(|source| ShardError::Form { path, source })
}
