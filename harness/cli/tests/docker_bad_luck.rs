//! What a run says when the world under it breaks, on an engine of the tests' own: it is restarted, its disk fills up, its
//! addresses are taken, and somebody removes containers.
//!
//! The engine runs in a network namespace of its own, so that nobody else's containers and addresses are touched. That needs root,
//! `dockerd`, and the images on the machine's engine (`grenadier images`); where one is missing, the test says so by its name.

#![allow(
    clippy::disallowed_methods,
    reason = "these tests start processes and wait for another one's work in real time"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_grenadier");
const SWAP: &str = "haproxy-appliance-swap";
const IMAGES: [&str; 3] =
    ["grenadier/node:bookworm", "grenadier/haproxy-appliance:bullseye", "grenadier/haproxy-appliance:bookworm"];

/// How long an engine may take to start, to stop or to do one thing.
const DEADLINE: Duration = Duration::from_secs(60);
/// What the disk of the full engine has, its images included, in MiB.
const DISK_MIB: u64 = 1024;

/// An engine of our own. It ends, and its files go, with this.
struct Engine {
    place: tempfile::TempDir,
    process: Child,
}

impl Engine {
    /// Starts one with the images; where that cannot be done, says why. Its data is on a disk of its own.
    fn start() -> Result<Engine, String> {
        let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
        if !is_root {
            return Err("an engine of one's own needs root".to_owned());
        }
        for program in ["dockerd", "docker", "unshare", "mount"] {
            let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
            if !found.status.success() {
                return Err(format!("there is no {program}"));
            }
        }
        let driver = Command::new("docker").args(["info", "--format", "{{.Driver}}"]).output().unwrap();
        let driver = String::from_utf8_lossy(&driver.stdout).trim().to_owned();
        let images = Command::new("docker").args(["image", "inspect"]).args(IMAGES).output().unwrap();
        if driver.is_empty() || !images.status.success() {
            return Err("the machine's engine does not answer, or has not all images".to_owned());
        }
        let place = tempfile::Builder::new().prefix("engine").tempdir_in("/tmp").unwrap();
        let path = |name: &str| place.path().join(name).display().to_string();
        fs::create_dir(path("data")).unwrap();
        let size = format!("size={DISK_MIB}m");
        must(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs", &path("data")]));
        let settings = serde_json::json!({
            "data-root": path("data"), "exec-root": path("exec"), "pidfile": path("pid"), "storage-driver": driver,
            "hosts": [format!("unix://{}", path("sock"))], "bridge": "none",
        });
        fs::write(path("daemon.json"), settings.to_string()).unwrap();
        let process = begin(place.path());
        let engine = Engine { place, process };
        engine.wait(true);
        let load = format!("docker save {} | docker --host {} load --quiet", IMAGES.join(" "), engine.address());
        must(Command::new("sh").args(["-c", &load]));
        Ok(engine)
    }

    fn address(&self) -> String {
        format!("unix://{}", self.path("sock").display())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Waits until it answers, or does not.
    fn wait(&self, answers: bool) {
        let began = Instant::now();
        while self.docker(&["version"]).status.success() != answers {
            let log = fs::read_to_string(self.path("log")).unwrap_or_default();
            assert!(began.elapsed() < DEADLINE, "the engine {}:\n{log}", if answers { "starts" } else { "stops" });
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn restart(&mut self) {
        self.stop();
        self.process = begin(self.place.path());
        self.wait(true);
    }

    fn stop(&mut self) {
        let pid = fs::read_to_string(self.path("pid")).unwrap();
        must(Command::new("kill").arg(pid.trim()));
        self.process.wait().unwrap();
    }

    fn docker(&self, arguments: &[&str]) -> Output {
        Command::new("docker").arg("--host").arg(self.address()).args(arguments).output().unwrap()
    }

    fn run(&self, folder: &Path) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(["run", SWAP, "--world", "docker", "--out"]).arg(folder).env("DOCKER_HOST", self.address());
        command
    }

    /// Begins a run, has `strike` happen once a phase or step has passed, and waits for its end.
    fn struck(&mut self, passed: &str, strike: impl FnOnce(&mut Engine)) -> (Option<i32>, Value) {
        let place = tempfile::tempdir().unwrap();
        let mut run = self.run(place.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(run.stdout.take().unwrap()).lines().map_while(Result::ok);
        let reached = lines.any(|line| line.split_whitespace().any(|word| word == passed));
        assert!(reached, "the run ended before {passed}");
        strike(self);
        // What it says further is in its folder; a pipe that nobody reads would hold it up.
        lines.for_each(drop);
        let code = run.wait().unwrap().code();
        for name in ["report.html", "events.jsonl", "junit.xml", "case.yaml"] {
            assert!(place.path().join(name).exists(), "{name}");
        }
        let kept = fs::read_to_string(place.path().join("verdict.json")).unwrap();
        (code, serde_json::from_str(&kept).unwrap())
    }

    /// What runs have left, once whoever cleans up after them has had the time.
    fn left(&self) -> String {
        let began = Instant::now();
        loop {
            let things =
                [&["ps", "-aq"][..], &["network", "ls", "-q", "--filter", "type=custom"], &["volume", "ls", "-q"]];
            let left: String =
                things.iter().map(|list| String::from_utf8_lossy(&self.docker(list).stdout).into_owned()).collect();
            if left.is_empty() || began.elapsed() > DEADLINE {
                return left;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Whatever a failed test left running ends with the engine that runs it.
        let pid = fs::read_to_string(self.path("pid")).unwrap_or_default();
        if !pid.trim().is_empty() {
            let _gone = Command::new("kill").arg(pid.trim()).status();
            let _ended = self.process.wait();
        }
        let _gone = Command::new("umount").arg("--lazy").arg(self.path("data")).status();
    }
}

fn begin(place: &Path) -> Child {
    let log = fs::File::create(place.join("log")).unwrap();
    let daemon = format!("ip link set lo up; exec dockerd --config-file {}", place.join("daemon.json").display());
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", &daemon]);
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

fn must(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn reasons(verdict: &Value) -> String {
    verdict["reasons"].to_string()
}

#[test]
fn whatever_breaks_under_a_run_is_told_and_nothing_is_left() {
    let mut engine = match Engine::start() {
        Ok(engine) => engine,
        Err(reason) => {
            println!("not covered: whatever_breaks_under_a_run_is_told_and_nothing_is_left: {reason}");
            return;
        }
    };

    // The engine is restarted while nobody serves.
    let (code, verdict) = engine.struck("power-off-old", Engine::restart);
    assert_eq!((code, &verdict["verdict"]), (Some(3), &"unfit".into()), "{verdict:#}");
    assert!(reasons(&verdict).contains("the Docker engine was restarted"), "{}", reasons(&verdict));
    assert_eq!(engine.left(), "");

    // It stops and does not come back in time; the supervisor cleans up once it is there again.
    let (code, verdict) = engine.struck("early-create", Engine::stop);
    assert_eq!((code, &verdict["verdict"]), (Some(3), &"unfit".into()), "{verdict:#}");
    assert!(reasons(&verdict).contains("the Docker engine does not answer any more"), "{}", reasons(&verdict));
    assert!(reasons(&verdict).contains("could not be removed yet"), "{}", reasons(&verdict));
    engine.process = begin(engine.place.path());
    engine.wait(true);
    assert_eq!(engine.left(), "");

    // Somebody removes the container that calls come from.
    let remove = |name: &str| {
        let name = name.to_owned();
        move |engine: &mut Engine| {
            let found = engine.docker(&["ps", "-q", "--filter", &format!("name={name}")]);
            let found = String::from_utf8_lossy(&found.stdout).trim().to_owned();
            assert!(engine.docker(&["rm", "-f", &found]).status.success(), "{name}: {found}");
        }
    };
    let (code, verdict) = engine.struck("early-create", remove("-relay"));
    assert_eq!((code, &verdict["verdict"]), (Some(3), &"unfit".into()), "{verdict:#}");
    assert!(reasons(&verdict).contains("somebody ended or removed the container"), "{}", reasons(&verdict));
    assert_eq!(engine.left(), "");

    // Somebody removes the canary: the machine is to blame, and not the upgrade.
    let (code, verdict) = engine.struck("deploy-new", remove("-canary"));
    assert_eq!((code, &verdict["verdict"]), (Some(3), &"unfit".into()), "{verdict:#}");
    assert!(reasons(&verdict).contains("canary"), "{}", reasons(&verdict));
    assert_eq!(engine.left(), "");

    // Its addresses are taken.
    let taken = ["network", "create", "--internal", "--subnet", "198.18.0.0/15", "taken"];
    assert!(engine.docker(&taken).status.success());
    let place = tempfile::tempdir().unwrap();
    let output = engine.run(place.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("198.18.0.0/15") && said(&output).contains("grenadier clean"), "{}", said(&output));
    assert!(engine.docker(&["network", "rm", "taken"]).status.success());
    assert_eq!(engine.left(), "");

    // Its disk is full.
    let filler = engine.path("data").join("filler");
    let fill = format!("dd if=/dev/zero of={} bs=1M 2>&1; true", filler.display());
    must(Command::new("sh").args(["-c", &fill]));
    let output = engine.run(place.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("no space left on device") && said(&output).contains("hint"), "{}", said(&output));
    let doctor = Command::new(PROGRAM).arg("doctor").env("DOCKER_HOST", engine.address()).output().unwrap();
    let told = String::from_utf8_lossy(&doctor.stdout);
    assert!(doctor.status.code() == Some(3) && told.contains("UNFIT     disk"), "{told}");
    fs::remove_file(&filler).unwrap();
    assert_eq!(engine.left(), "");
}
