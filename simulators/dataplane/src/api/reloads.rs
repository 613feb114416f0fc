//! Reloads: one for all changes of a window (dataplaneapi `haproxy/reload_agent.go`).

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_clock::Time;
use serde_json::{Value, json};

use crate::{Environment, Generation, Settings, fidelity};

const SECONDS_PER_DAY: u64 = 86_400;

/// How a reload ended.
#[derive(Clone, Debug)]
struct Ended {
    response: String,
    at_s: u64,
}

/// The reload agent.
#[derive(Clone, Debug)]
pub(super) struct Reloads {
    delay: Duration,
    config_file: String,
    epoch_days: u64,
    /// The windows are counted from here.
    started: Time,
    /// The id that changes of the present window get.
    next: Option<String>,
    index: u64,
    last_success: Option<(String, Ended)>,
    failed: BTreeMap<String, Ended>,
}

impl Reloads {
    /// The agent as it starts: what the file holds now counts as the last good configuration.
    pub(super) fn start(settings: &Settings, now: Time, env: &mut dyn Environment) -> Result<Reloads, String> {
        let agent = Reloads {
            // The real one replaces 0 by 5 s.
            delay: if settings.reload_delay.is_zero() { Duration::from_secs(5) } else { settings.reload_delay },
            config_file: settings.config_file.clone(),
            epoch_days: settings.epoch_days,
            started: now,
            next: None,
            index: 0,
            last_success: None,
            failed: BTreeMap::new(),
        };
        agent.keep_last_good(env)?;
        Ok(agent)
    }

    fn last_good_file(&self) -> String {
        format!("{}.lkg", self.config_file)
    }

    fn keep_last_good(&self, env: &mut dyn Environment) -> Result<(), String> {
        let config = env.read(&self.config_file).ok_or_else(|| format!("cannot read {}", self.config_file))?;
        env.write(&self.last_good_file(), config)
    }

    /// Asks for a reload at the end of the present window and tells its id.
    pub(super) fn request(&mut self, now: Time, env: &mut dyn Environment) -> String {
        if let Some(id) = &self.next {
            return id.clone();
        }
        let id = format!("{}-{}", date_of(self.epoch_days, now), self.index);
        self.index += 1;
        self.next = Some(id.clone());
        let into_window = now.since(self.started).as_nanos() % self.delay.as_nanos();
        let left = if env.holds(&fidelity::RELOAD_WINDOW) { self.delay.as_nanos() - into_window } else { 1_000_000 };
        env.timer(Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX)));
        id
    }

    /// The end of a window.
    pub(super) fn window_ends(&mut self, now: Time, env: &mut dyn Environment) {
        let Some(id) = self.next.take() else { return };
        let at_s = self.epoch_days * SECONDS_PER_DAY + now.as_ns() / 1_000_000_000;
        match self.reload(env) {
            Ok(()) => self.last_success = Some((id, Ended { response: String::new(), at_s })),
            Err(response) => {
                env.log(format!("Reload failed {response}"));
                self.failed.insert(id, Ended { response, at_s });
            }
        }
    }

    /// Reloads now. After a failure HAProxy is restarted with the last good configuration, and the file with the bad one is
    /// put back.
    pub(super) fn reload(&mut self, env: &mut dyn Environment) -> Result<(), String> {
        let Err(output) = env.reload() else {
            return self.keep_last_good(env).or_else(|error| {
                env.log(format!("cannot keep the last known good configuration: {error}"));
                Ok(())
            });
        };
        env.log("Reload failed, restarting with last known good config...".to_owned());
        let bad = env.read(&self.config_file).unwrap_or_default();
        let backup = format!("{}.bck", self.config_file);
        if let Err(error) = env.write(&backup, bad.clone()) {
            env.log(error);
            return Err(format!("Reload failed: {output}, failed to backup original config file for restart."));
        }
        let good = env.read(&self.last_good_file());
        let reverted = good.ok_or("there is none".to_owned()).and_then(|good| env.write(&self.config_file, good));
        let result = match reverted {
            Err(error) => {
                env.log(error);
                format!("Reload failed: {output}, failed to revert to last known good config file")
            }
            Ok(()) => match env.restart() {
                Ok(()) => output,
                Err(error) => {
                    env.log(format!("Restart failed, please check the reason and restart manually: {error}"));
                    format!("Reload failed: {output}, failed to restart HAProxy, please check and start manually")
                }
            },
        };
        if let Err(error) = env.write(&self.config_file, bad) {
            env.log(error);
        }
        env.remove(&backup);
        Err(result)
    }

    /// `GET /reloads`.
    pub(super) fn list(&self) -> Value {
        let mut reloads: Vec<Value> = self.failed.iter().map(|(id, ended)| ended.json(id, "failed")).collect();
        reloads.extend(self.last_success.iter().map(|(id, ended)| ended.json(id, "succeeded")));
        reloads.extend(self.next.iter().map(|id| json!({"id": id, "status": "in_progress"})));
        Value::Array(reloads)
    }

    /// `GET /reloads/{id}`. One that was before the last success counts as succeeded.
    pub(super) fn get(&self, id: &str, generation: Generation) -> Option<Value> {
        if self.next.as_deref() == Some(id) {
            // The real one answers with the id of the running reload, which is empty here and left out.
            let body = if generation.nested() {
                json!({"id": id, "status": "in_progress"})
            } else {
                json!({"status": "in_progress"})
            };
            return Some(body);
        }
        if let Some(ended) = self.failed.get(id) {
            return Some(ended.json(id, "failed"));
        }
        let (last, ended) = self.last_success.as_ref()?;
        if last == id {
            return Some(ended.json(id, "succeeded"));
        }
        (order_of(id)? < order_of(last)?).then(|| json!({"id": id, "status": "succeeded"}))
    }

    /// The id that waits for the end of the window.
    pub(super) fn pending(&self) -> Option<&str> {
        self.next.as_deref()
    }
}

impl Ended {
    fn json(&self, id: &str, status: &str) -> Value {
        let mut value = json!({"id": id, "status": status, "reload_timestamp": self.at_s});
        if !self.response.is_empty() {
            value["response"] = json!(self.response);
        }
        value
    }
}

/// Date and number of a reload id.
fn order_of(id: &str) -> Option<(&str, u64)> {
    let (date, index) = id.rsplit_once('-')?;
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = date.split('-').collect();
    let dated = matches!(parts[..], [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2));
    if dated { Some((date, index.parse().ok()?)) } else { None }
}

/// The date at `now` of a run that began `epoch_days` after 1970-01-01, as `2026-01-01`.
///
/// ```
/// assert_eq!(grenadier_dataplane::date_of(20_454, grenadier_clock::Time::ZERO), "2026-01-01");
/// ```
pub fn date_of(epoch_days: u64, now: Time) -> String {
    let days = epoch_days + now.as_ns() / 1_000_000_000 / SECONDS_PER_DAY;
    // Howard Hinnant's `civil_from_days`, for days after 1970: years begin in March, so that leap days come last.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        for (days, text) in [(0, "1970-01-01"), (59, "1970-03-01"), (19_782, "2024-02-29"), (20_454, "2026-01-01")] {
            assert_eq!(date_of(days, Time::ZERO), text);
        }
        let tomorrow = Time::from_ns(86_400_000_000_000);
        assert_eq!(date_of(20_454 + 30, tomorrow), "2026-02-01");
    }

    #[test]
    fn ids_order_by_date_then_number() {
        assert!(order_of("2026-01-01-9") < order_of("2026-01-01-10"));
        assert!(order_of("2026-01-01-10") < order_of("2026-01-02-0"));
        for text in ["", "x", "2026-01-01", "2026-1-01-1", "2026-01-01-x"] {
            assert_eq!(order_of(text), None, "{text}");
        }
    }
}
