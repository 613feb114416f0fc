//! The real HAProxy, as its systemd unit controls it.
//!
//! It runs in master-worker mode with systemd's notifications (`-Ws`) and a master socket (`-S`). A start is over when the
//! master says `READY=1`; a reload is over when it says so again, and then the master's `show proc` tells whether there are
//! workers of this load: new ones have 0 reloads behind them, old ones that had to go on have more (tried with 2.2.9,
//! 2.6.12 and 3.0.11; all say `READY=1` after a failed load as well, 3.0.11 with `STATUS=Reload failed!` beside it).
//!
//! What it serves is told by the running worker itself ([`runtime`]), in the shape of [`ModelHaproxy`], so that captures of both
//! worlds have one shape. The model reads the same file whenever the real one has loaded it: what no command of HAProxy tells
//! is what the file said then.

mod master;
mod runtime;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use grenadier_fleet::GuestReport;
use grenadier_guest::testing::TestHost;
use grenadier_guest::{Host, TimerKey};
use grenadier_haproxy_appliance::{HaproxyProcess, ModelHaproxy};
use ipnet::{Ipv4Net, Ipv6Net};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Value, json};

use crate::{Disk, Outbox};

const CONFIG: &str = "/etc/haproxy/haproxy.cfg";
const CONFIG_DIRECTORY: &str = "/etc/haproxy";
const CANDIDATE: &str = "/run/grenadier-haproxy-candidate.cfg";
const NOTIFY_SOCKET: &str = "/run/grenadier-haproxy-notify";
const MASTER_SOCKET: &str = "/run/grenadier-haproxy-master";

/// How long a start or a stop may take. A load that cannot bind gives up after 2 s.
const DEADLINE: Duration = Duration::from_secs(10);
/// How often the end of a start, stop or reload is looked for.
const POLL: Duration = Duration::from_millis(20);
/// How long the last words of a HAProxy that has ended may take through the pipe. A worker that outlives its master holds the
/// pipe open.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// The timer that looks for the end of a reload.
const RELOAD_TIMER: TimerKey = "haproxy-reload";
/// The timer that looks whether the master still runs, and how often it does.
const WATCH_TIMER: TimerKey = "haproxy-watch";
const WATCH: Duration = Duration::from_millis(100);

/// The real HAProxy of this machine.
#[derive(Clone, Debug)]
pub(crate) struct RealHaproxy {
    process: Arc<Mutex<Option<Process>>>,
    model: ModelHaproxy,
    outbox: Outbox,
    disk: Disk,
}

#[derive(Debug)]
struct Process {
    master: Child,
    notifications: UnixDatagram,
    /// When the last reload was ordered, while its end was not seen.
    reloading: Option<Instant>,
    /// Whether it was ordered while another one was under way, whose end comes first then.
    overtaken: bool,
}

impl RealHaproxy {
    /// HAProxy of this version on a machine with this disk, stopped.
    pub(crate) fn new(version: &str, outbox: Outbox, disk: Disk) -> RealHaproxy {
        RealHaproxy { process: Arc::default(), model: ModelHaproxy::new(version), outbox, disk }
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The master has ended by itself: nothing of it goes on.
    fn ended(&mut self, host: &mut dyn Host) {
        host.cancel(WATCH_TIMER);
        host.cancel(RELOAD_TIMER);
        if let Some(mut process) = self.process().take() {
            process.kill();
        }
        self.model.stop(&mut shadow(host));
    }

    /// Tells the model that the real one has loaded the file. The model must agree that it can be loaded.
    fn loaded(&mut self, host: &dyn Host, load: impl FnOnce(&mut ModelHaproxy, &mut dyn Host) -> Result<(), String>) {
        if let Err(error) = load(&mut self.model, &mut shadow(host)) {
            self.outbox.complain(format!("HAProxy has loaded a file that its model refuses: {error}"));
        }
    }
}

impl HaproxyProcess for RealHaproxy {
    fn validate(&self, config: &str, file: &str, _host: &mut dyn Host) -> Result<(), String> {
        std::fs::write(CANDIDATE, config).map_err(|error| format!("write {CANDIDATE}: {error}"))?;
        let checked = check(CANDIDATE);
        // The candidate holds passwords; an unwritable /run would have been noticed above.
        let _ = std::fs::remove_file(CANDIDATE);
        checked.map_err(|message| message.replace(CANDIDATE, file))
    }

    fn start(&mut self, host: &mut dyn Host) -> Result<(), String> {
        let started = Process::start(&self.outbox, &self.disk)?;
        *self.process() = Some(started);
        host.timer(WATCH_TIMER, WATCH);
        self.loaded(host, |model, shadow| model.start(shadow));
        Ok(())
    }

    fn reload(&mut self, host: &mut dyn Host) -> Result<(), String> {
        if !self.running() {
            return Err("haproxy.service is not active, cannot reload.".to_owned());
        }
        check(CONFIG)?;
        let mut process = self.process();
        let process = process.as_mut().expect("it runs");
        // What was said before belongs to an earlier load.
        process.is_ready();
        signal(&process.master, Signal::USR2)?;
        process.overtaken = process.reloading.is_some();
        process.reloading = Some(Instant::now());
        host.timer(RELOAD_TIMER, POLL);
        Ok(())
    }

    fn stop(&mut self, host: &mut dyn Host) {
        host.cancel(WATCH_TIMER);
        host.cancel(RELOAD_TIMER);
        if let Some(process) = self.process().take() {
            process.stop(&self.outbox);
        }
        self.model.stop(&mut shadow(host));
    }

    fn kill(&mut self, host: &mut dyn Host) {
        if let Some(process) = &mut *self.process() {
            process.kill();
        }
        self.ended(host);
    }

    fn running(&self) -> bool {
        self.process().as_mut().is_some_and(|process| matches!(process.master.try_wait(), Ok(None)))
    }

    fn timer(&mut self, key: TimerKey, host: &mut dyn Host) {
        match key {
            WATCH_TIMER if self.running() => return host.timer(WATCH_TIMER, WATCH),
            WATCH_TIMER => return self.ended(host),
            RELOAD_TIMER => {}
            _ => return,
        }
        let outcome = match &mut *self.process() {
            Some(process) => process.reload_outcome(),
            None => return,
        };
        match outcome {
            Outcome::Pending => host.timer(RELOAD_TIMER, POLL),
            Outcome::Loaded => self.loaded(host, |model, shadow| model.reload(shadow)),
            Outcome::Failed(how) => {
                self.outbox.report(log(format!("the reload failed, the old workers go on: {how}")));
            }
            Outcome::Ended(status) => {
                self.outbox.report(log(format!("the reload failed, and haproxy with it: {status}")));
            }
        }
    }

    fn version(&self) -> String {
        match Command::new("haproxy").arg("-vv").output() {
            Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
            Err(error) => format!("haproxy: {error}\n"),
        }
    }

    fn state(&self) -> Value {
        if !self.running() {
            return json!({"running": false});
        }
        // Until a reload is over, what was loaded last counts: the workers of one file and the words of another do not mix.
        if self.process().as_ref().is_some_and(|process| process.reloading.is_some()) {
            return self.model.state();
        }
        match runtime::Running::ask() {
            Ok(running) => running.state(self.model.state()),
            Err(error) => {
                self.outbox.complain(format!("HAProxy does not tell what it has: {error}"));
                json!({"running": true, "untold": error.to_string()})
            }
        }
    }
}

/// A host without a world for the model: it sees the files that the real one has read, takes every address for bindable
/// (the real one has bound them), and what it logs or listens on goes nowhere.
fn shadow(host: &dyn Host) -> TestHost {
    let files =
        host.list(CONFIG_DIRECTORY).into_iter().filter_map(|path| host.read(&path).map(|content| (path, content)));
    let mut shadow = TestHost::default();
    shadow.files = files.collect();
    shadow.local_routes = vec![Ipv4Net::default().into(), Ipv6Net::default().into()];
    shadow
}

/// How a reload went.
enum Outcome {
    Pending,
    Loaded,
    Failed(String),
    /// The master itself has ended over it, and the workers with it.
    Ended(String),
}

impl Process {
    fn start(outbox: &Outbox, disk: &Disk) -> Result<Process, String> {
        for stale in [NOTIFY_SOCKET, MASTER_SOCKET] {
            // Left by a master that was killed; usually there is none.
            let _ = std::fs::remove_file(stale);
        }
        let told = |what: &str, error: std::io::Error| format!("{what}: {error}");
        let notifications = UnixDatagram::bind(NOTIFY_SOCKET).map_err(|error| told(NOTIFY_SOCKET, error))?;
        notifications.set_nonblocking(true).map_err(|error| told(NOTIFY_SOCKET, error))?;
        let mut master = disk
            .command("haproxy")
            .args(["-Ws", "-f", CONFIG, "-S", MASTER_SOCKET])
            .args(most_connections(open_files()).into_iter().flat_map(|most| ["-n".to_owned(), most.to_string()]))
            .env("NOTIFY_SOCKET", NOTIFY_SOCKET)
            .process_group(0)
            .stdin(Stdio::null())
            // One line for every connection, a hundred a second for each probe.
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| told("haproxy", error))?;
        let said = Said::listen(master.stderr.take().expect("stderr is piped"), outbox.clone());
        let mut process = Process { master, notifications, reloading: None, overtaken: false };
        let began = Instant::now();
        while began.elapsed() < DEADLINE {
            if let Ok(Some(status)) = process.master.try_wait() {
                return Err(format!("{}\nhaproxy ended with {status}", said.text()));
            }
            if process.is_ready() {
                said.started(outbox);
                return Ok(process);
            }
            std::thread::sleep(POLL);
        }
        process.stop(outbox);
        Err(format!("haproxy was not ready within {} s\n{}", DEADLINE.as_secs(), said.text()))
    }

    /// Whether the master has said that it is ready since the last question.
    fn is_ready(&mut self) -> bool {
        let mut ready = false;
        let mut message = [0; 512];
        while let Ok(length) = self.notifications.recv(&mut message) {
            for line in message[..length].split(|byte| *byte == b'\n') {
                match line {
                    b"READY=1" => ready = true,
                    b"RELOADING=1" => ready = false,
                    _ => {}
                }
            }
        }
        ready
    }

    fn reload_outcome(&mut self) -> Outcome {
        let Some(ordered) = self.reloading else { return Outcome::Loaded };
        if let Ok(Some(status)) = self.master.try_wait() {
            self.reloading = None;
            return Outcome::Ended(status.to_string());
        }
        let late = ordered.elapsed() >= DEADLINE;
        if !self.is_ready() && !late {
            return Outcome::Pending;
        }
        let outcome = match master::ask("show proc") {
            Ok(text) if master::has_fresh_worker(&text) => Outcome::Loaded,
            // That was the one before; the master joins orders that come at once, so this end need not be followed by another.
            Ok(_) if self.overtaken && !late => {
                self.overtaken = false;
                return Outcome::Pending;
            }
            Ok(_) => Outcome::Failed("no worker has loaded the file".to_owned()),
            Err(error) => Outcome::Failed(format!("ask the master: {error}")),
        };
        self.reloading = None;
        outcome
    }

    /// Ends every process of it: they are a group, as they are one control group of systemd's.
    fn kill(&mut self) {
        let group = Pid::from_raw(self.master.id().cast_signed()).expect("a child's process id is positive");
        // There may be none left.
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.master.wait();
    }

    /// What `systemctl stop` does: ask, and after a while insist.
    fn stop(mut self, outbox: &Outbox) {
        if let Err(error) = signal(&self.master, Signal::TERM) {
            outbox.complain(format!("failed to stop haproxy: {error}"));
        }
        let began = Instant::now();
        while began.elapsed() < DEADLINE {
            if !matches!(self.master.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(POLL);
        }
        self.kill();
    }
}

/// How many files this process may have open; none where there is no limit.
fn open_files() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum
}

/// The most connections HAProxy is told to take, where the container may not have as many files as the appliance's own
/// `maxconn 60000` needs: two a connection, and some for itself. From 2.3 on it does not start without them, and not every
/// engine can give a container more than it has itself. On the command line it goes before the file, which stays as it is.
fn most_connections(files: Option<u64>) -> Option<u64> {
    const OWN: u64 = 200;
    const APPLIANCE: u64 = 60_000;
    files.filter(|files| *files < 2 * APPLIANCE + OWN).map(|files| files.saturating_sub(OWN) / 2)
}

fn signal(child: &Child, signal: Signal) -> Result<(), String> {
    let pid = Pid::from_raw(child.id().cast_signed()).expect("a child's process id is positive");
    kill_process(pid, signal).map_err(|error| error.to_string())
}

/// `haproxy -c -f`.
fn check(file: &str) -> Result<(), String> {
    let output =
        Command::new("haproxy").args(["-c", "-f", file]).output().map_err(|error| format!("haproxy: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()) }
}

/// What HAProxy says on standard error. Until it has started that is the reason if it fails; from then on it goes to the
/// machine's log.
struct Said {
    until: Arc<Mutex<Until>>,
    reader: JoinHandle<()>,
}

enum Until {
    Starting(Vec<String>),
    Started,
}

impl Said {
    fn listen(stderr: impl Read + Send + 'static, outbox: Outbox) -> Said {
        let until = Arc::new(Mutex::new(Until::Starting(Vec::new())));
        let lines = Arc::clone(&until);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                match &mut *lines.lock().unwrap_or_else(PoisonError::into_inner) {
                    Until::Starting(kept) => kept.push(line),
                    Until::Started => outbox.report(log(line)),
                }
            }
        });
        Said { until, reader }
    }

    fn lock(&self) -> MutexGuard<'_, Until> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It has started: what it said so far goes to the log as well.
    fn started(&self, outbox: &Outbox) {
        if let Until::Starting(kept) = std::mem::replace(&mut *self.lock(), Until::Started) {
            kept.into_iter().for_each(|line| outbox.report(log(line)));
        }
    }

    /// What it said while it did not start. Its last words may still be on their way.
    fn text(&self) -> String {
        let began = Instant::now();
        while !self.reader.is_finished() && began.elapsed() < LAST_WORDS {
            std::thread::sleep(POLL);
        }
        match &*self.lock() {
            Until::Starting(kept) => kept.join("\n"),
            Until::Started => String::new(),
        }
    }
}

fn log(line: String) -> GuestReport {
    GuestReport::Log { service: "haproxy".to_owned(), line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_cut_only_where_files_are_short() {
        assert_eq!(most_connections(Some(20_000)), Some(9_900));
        assert_eq!(most_connections(Some(524_288)), None);
        assert_eq!(most_connections(None), None);
    }
}
