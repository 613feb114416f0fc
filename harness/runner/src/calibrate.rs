//! How long things take in the docker world.

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_catalog::TimingField;
use grenadier_fleet::OperationError;
use grenadier_fleet_docker::engine::{EngineHost, connect, host_of};
use serde::Deserialize;

use crate::run::DockerError;
use crate::worlds::docker_trial::{Lengths, Trial};
use crate::worlds::docker_world::PACE;

/// Neighbour timers as machines are given them.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct NeighbourTimers {
    base_reachable_ms: u64,
    delay_probe_ms: u64,
    retrans_ms: u64,
}

/// Does everything `times` times that can be done to a machine on the Docker engine, and tells how long each took.
///
/// # Errors
/// No engine answers, or it cannot do it. Nothing is left behind.
pub fn time_operations(times: usize) -> Result<(EngineHost, Lengths), DockerError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(DockerError::Runtime)?;
    runtime.block_on(async {
        let docker = connect().await?;
        let host = host_of(&docker).await.map_err(DockerError::Host)?;
        let mut trial = Trial::start(&docker).await?;
        let lengths = measured(&mut trial, times).await;
        let report = trial.end().await;
        if !report.is_clean() {
            return Err(DockerError::Left { failures: report.failures.join("; ") });
        }
        Ok((host, lengths.map_err(DockerError::Operation)?))
    })
}

async fn measured(trial: &mut Trial, times: usize) -> Result<Lengths, OperationError> {
    let mut lengths = Lengths::new();
    for _ in 0..times {
        lengths.extend(trial.measure().await?);
    }
    Ok(lengths)
}

/// The timers that the docker world sets, in place of those of a real installation.
pub fn set_in_docker() -> BTreeMap<TimingField, Duration> {
    use TimingField as Field;
    let timers = PACE.neighbour.and_then(|timers| serde_json::from_str(timers).ok());
    let NeighbourTimers { base_reachable_ms, delay_probe_ms, retrans_ms } =
        timers.expect("the docker world sets them all");
    // Linux trusts an entry between half and one and a half of the base, then waits before it asks the neighbour itself three
    // times, and after that everybody three times [arp(7)].
    let asked = 3 * retrans_ms;
    let millis = [
        (Field::NeighbourReachableLow, base_reachable_ms / 2),
        (Field::NeighbourReachableHigh, base_reachable_ms * 3 / 2),
        (Field::NeighbourProbe, delay_probe_ms + asked),
        (Field::NeighbourRetry, retrans_ms),
        (Field::NoRoute, asked),
        (Field::ReloadDelay, PACE.reload_delay_ms.unwrap_or_default()),
        (Field::BackoffInitial, PACE.backoff_initial_ms),
        (Field::BackoffMax, PACE.backoff_max_ms),
        (Field::Resync, PACE.resync_ms),
    ];
    millis.into_iter().map(|(field, millis)| (field, Duration::from_millis(millis))).collect()
}
