//! The journal: one file for each service, so that it survives a reboot.

use bytes::Bytes;
use grenadier_clock::Time;
use grenadier_dataplane::{Settings, date_of};
use grenadier_guest::Host;

use crate::paths;

/// How many lines `journalctl -e` shows.
const SHOWN_LINES: usize = 1000;

/// The file that holds a service's lines.
pub(crate) fn path_of(service: &str) -> String {
    format!("{}/{service}.log", paths::LOGS)
}

/// Writes a line. A full disk loses it, as journald does.
pub(crate) fn log(host: &mut dyn Host, service: &str, line: &str) {
    let path = path_of(service);
    let before = host.read(&path).unwrap_or_default();
    let head = format!("{} {} {service}: ", stamp(host.now()), host.machine());
    let mut content = Vec::with_capacity(before.len() + line.lines().count() * (head.len() + 1) + line.len());
    content.extend_from_slice(&before);
    for line in line.lines() {
        for part in [head.as_str(), line, "\n"] {
            content.extend_from_slice(part.as_bytes());
        }
        host.log(service, line);
    }
    let _lost_when_full = host.write(&path, Bytes::from(content));
}

/// The last lines of a service.
pub(crate) fn tail(host: &dyn Host, service: &str, lines: usize) -> String {
    let content = host.read(&path_of(service)).unwrap_or_default();
    let text = String::from_utf8_lossy(&content);
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    all[all.len().saturating_sub(lines)..].concat()
}

/// What `journalctl -e` shows of a service.
pub(crate) fn recent(host: &dyn Host, service: &str) -> String {
    let text = tail(host, service, SHOWN_LINES);
    if text.is_empty() { "-- No entries --\n".to_owned() } else { text }
}

/// A moment as `2026-01-01T00:00:12Z`.
pub(crate) fn stamp(now: Time) -> String {
    let seconds = now.as_ns() / 1_000_000_000 % 86_400;
    let date = date_of(Settings::default().epoch_days, now);
    format!("{date}T{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use grenadier_guest::testing::TestHost;

    use super::*;

    #[test]
    fn lines_are_kept_in_order_and_the_last_ones_shown() {
        let host = &mut TestHost::default();
        host.now = Time::from_ns(3_661_000_000_000);
        log(host, "haproxy", "one\ntwo");
        log(host, "haproxy", "three");
        let all = "2026-01-01T01:01:01Z test-machine haproxy: one\n2026-01-01T01:01:01Z test-machine haproxy: two\n\
                   2026-01-01T01:01:01Z test-machine haproxy: three\n";
        assert_eq!(recent(host, "haproxy"), all);
        assert_eq!(tail(host, "haproxy", 1).lines().count(), 1);
        assert_eq!(recent(host, "sshd"), "-- No entries --\n");
        assert_eq!(host.reports.len(), 3);
    }
}
