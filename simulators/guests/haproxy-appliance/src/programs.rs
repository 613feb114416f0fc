//! The appliance's own programs in its shell.

use grenadier_dataplane::md5_crypt;
use grenadier_guest::shell::{failed, printed};
use grenadier_guest::{Host, shell};
use grenadier_wire::{ShellExchange, ShellOutput};

use crate::services::{self, State};
use crate::{Appliance, HaproxyProcess, anyip, journal, paths, route_tables};

/// How many lines of the journal `systemctl status` shows.
const STATUS_LINES: usize = 10;

impl<P: HaproxyProcess> Appliance<P> {
    /// Runs a command line, as root's login shell does.
    pub(crate) fn run_command(&mut self, command: &ShellExchange, host: &mut dyn Host) -> ShellOutput {
        if let Err(reason) = log_in(command, host) {
            return failed(255, reason);
        }
        let output = shell::run(command, host, |words, _stdin, host| self.program(words, host));
        self.look_at_watched_files(host);
        output
    }

    fn program(&mut self, words: &[String], host: &mut dyn Host) -> Option<ShellOutput> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Some(match words[..] {
            ["systemctl", verb, unit] => {
                match services::ALL.into_iter().find(|name| *name == unit.trim_end_matches(".service")) {
                    Some(service) => self.systemctl(verb, service, host),
                    None => failed(5, format!("Unit {unit} could not be found.")),
                }
            }
            ["pkill", "-KILL" | "-9", "haproxy"] => {
                if !self.haproxy().running() {
                    return Some(failed(1, ""));
                }
                self.kill_haproxy(host);
                ShellOutput::default()
            }
            ["pkill", ..] => failed(2, "pkill: only `pkill -KILL haproxy` is supported"),
            ["systemctl", ..] => failed(1, "systemctl: expected a verb and a unit"),
            ["journalctl", flags, unit] if is_journal_flags(flags) => {
                printed(journal::recent(host, unit.trim_end_matches(".service")))
            }
            ["journalctl", ..] => failed(1, "journalctl: only -u UNIT and -xeu UNIT are supported"),
            ["haproxy", "-c", "-f", file] | ["haproxy", "-f", file, "-c"] => self.check_file(file, host),
            ["haproxy", "-v" | "-vv"] => printed(self.haproxy().version()),
            ["haproxy", ..] => failed(1, "haproxy: only -c -f FILE, -v and -vv are supported here"),
            ["ip", "rule"] | ["ip", "rule", "show" | "list"] => printed(route_tables::show_rules(host)),
            ["ip", "route", "show", "table", "all"] => printed(self.show_routes()),
            ["ip", "route", "add", "local", range, "dev", "lo"] => match anyip::parse_range(range) {
                Some(range) if self.bind_range(range, host) => ShellOutput::default(),
                Some(_) => failed(2, "RTNETLINK answers: File exists"),
                None => failed(1, format!("Error: any valid prefix is expected rather than \"{range}\".")),
            },
            ["ip", ..] => failed(
                1,
                "ip: only `ip rule show`, `ip route show table all` and `ip route add local RANGE dev lo` are supported",
            ),
            _ => return None,
        })
    }

    fn check_file(&mut self, file: &str, host: &mut dyn Host) -> ShellOutput {
        let Some(content) = host.read(file) else {
            let message =
                format!("[ALERT]    (1) : Cannot open configuration file/directory {file} : No such file or directory");
            return failed(1, message);
        };
        match self.haproxy().clone().validate(&String::from_utf8_lossy(&content), file, host) {
            Ok(()) => printed("Configuration file is valid\n"),
            // The real one has an exit code of its own where there is nothing to listen on.
            Err(alerts) => failed(if alerts.contains("exit(2)") { 2 } else { 1 }, alerts.trim_end()),
        }
    }

    fn systemctl(&mut self, verb: &str, service: &'static str, host: &mut dyn Host) -> ShellOutput {
        let result = match verb {
            "is-active" => {
                let word = self.service_state(service).word();
                let exit_code = if word == "active" { 0 } else { 3 };
                return ShellOutput { exit_code, ..printed(format!("{word}\n")) };
            }
            "status" => return self.status(service, host),
            "start" => self.start_service(service, host),
            "stop" => {
                self.stop_service(service, host);
                Ok(())
            }
            "restart" => {
                self.stop_service(service, host);
                self.start_service(service, host)
            }
            "reload" => self.reload_service(service, host),
            _ => Err(format!("Unknown command verb {verb}.")),
        };
        match result {
            Ok(()) => ShellOutput::default(),
            Err(message) => failed(1, message),
        }
    }

    fn status(&self, service: &'static str, host: &dyn Host) -> ShellOutput {
        let state = self.service_state(service);
        let (exit_code, active) = match &state {
            State::Active => (0, "active (running)".to_owned()),
            State::Inactive => (3, "inactive (dead)".to_owned()),
            State::Failed(reason) => (3, format!("failed (Result: exit-code)\n     Status: \"{reason}\"")),
        };
        let lines = journal::tail(host, service, STATUS_LINES);
        let head = format!("{service}.service\n     Loaded: loaded (enabled)\n     Active: {active}\n\n");
        ShellOutput { exit_code, ..printed(head + &lines) }
    }
}

/// Checks name and password as sshd does. Nobody gives a password who has a key.
fn log_in(command: &ShellExchange, host: &dyn Host) -> Result<(), String> {
    let file = |path: &str| host.read(path).unwrap_or_default();
    let forbids = |line: &[u8]| line.trim_ascii().starts_with(b"PermitRootLogin no");
    let permitted = command.user == "root" && !file(paths::SSHD_CONFIG).split(|byte| *byte == b'\n').any(forbids);
    let knows = command.password.as_ref().is_none_or(|password| {
        let shadow = file(paths::SHADOW);
        let shadow = String::from_utf8_lossy(&shadow);
        let stored = shadow.lines().find_map(|line| line.strip_prefix("root:")?.split(':').next());
        let salt = stored.and_then(|stored| stored.strip_prefix("$1$")?.split('$').next());
        salt.is_some_and(|salt| Some(md5_crypt(password.reveal(), salt).as_str()) == stored)
    });
    if permitted && knows {
        return Ok(());
    }
    Err(format!("{}@{}: Permission denied (publickey,password).", command.user, command.host))
}

fn is_journal_flags(flags: &str) -> bool {
    let letters = flags.strip_prefix('-').unwrap_or_default();
    letters.ends_with('u') && letters.chars().all(|letter| "xeu".contains(letter))
}
