//! What a killed owner leaves.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use bollard::Docker;
use grenadier_fleet::SegmentSpec;
use grenadier_fleet_docker::DockerFleet;

use crate::world::{config, left_of};

/// Plays an owner that starts a fleet and then waits to be killed.
pub(crate) fn hold(run: &str, directory: &str) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let docker = grenadier_fleet_docker::engine::connect().await.expect("the test has looked for it");
        let segment = SegmentSpec { name: "frontend".into(), subnet: "198.18.240.0/24".parse().expect("a subnet") };
        let config = config(run, directory.as_ref(), vec![segment]);
        let _fleet = DockerFleet::start(docker, config).await.expect("nothing is in its way");
        println!("holding");
        // Until the test kills this process, or is gone itself.
        let _ = tokio::task::block_in_place(|| std::io::stdin().read(&mut [0]));
    });
    ExitCode::SUCCESS
}

pub(crate) async fn killed_owner(docker: Docker) {
    let run = format!("test-{}-killed", std::process::id());
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut owner = Command::new("/proc/self/exe")
        .args(["hold", &run, &directory.path().to_string_lossy()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program can be run");
    let mut line = String::new();
    BufReader::new(owner.stdout.take().expect("stdout is piped")).read_line(&mut line).expect("it says something");
    assert_eq!(line, "holding\n");
    assert!(left_of(&docker, &run).await.len() >= 3, "a network, a volume, a container");
    owner.kill().expect("it is ours");
    owner.wait().expect("it was killed");
    let began = Instant::now();
    loop {
        let left = left_of(&docker, &run).await;
        if left.is_empty() {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "the supervisor has left {left:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
