//! The service of the Data Plane API: its settings, and its environment on the appliance.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use grenadier_dataplane::{Environment, Settings};
use grenadier_fidelity::Behaviour;
use grenadier_guest::{Host, TimerKey};

use crate::services::{HAPROXY, Services, State};
use crate::{Facts, HaproxyProcess, fidelity, fingerprint_of_pem, journal, paths};

/// The service's name.
pub(crate) const SERVICE: &str = "dataplaneapi";

/// The timer of a reload window.
pub(crate) const RELOAD_TIMER: TimerKey = "dataplaneapi-reload";

/// What `dataplaneapi.cfg` says.
#[derive(Clone, Debug)]
pub(crate) struct ServiceConfig {
    pub(crate) settings: Settings,
    /// Where it listens; none for every address.
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: u16,
    /// Fingerprint of the certificate it shows.
    pub(crate) certificate: String,
    /// Whether there is a restart command.
    pub(crate) restarts: bool,
}

impl ServiceConfig {
    /// Reads the service's environment file, as systemd does, and the files it names.
    pub(crate) fn read(facts: &Facts, host: &dyn Host) -> Result<ServiceConfig, String> {
        let content = host.read(paths::DATAPLANEAPI_CFG);
        let content =
            content.ok_or_else(|| format!("Failed to load environment files: {}", paths::DATAPLANEAPI_CFG))?;
        let text = String::from_utf8_lossy(&content);
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let pairs = lines.filter_map(|line| line.split_once('='));
        let pairs: Vec<(&str, &str)> = pairs.map(|(name, value)| (name.trim(), value.trim())).collect();
        let value = |key: &str| {
            // systemd takes the last one.
            let found = pairs.iter().rfind(|(name, _)| *name == key);
            found.map(|(_, value)| value.trim_matches('"').to_owned())
        };
        let required =
            |key: &str| value(key).filter(|value| !value.is_empty()).ok_or_else(|| format!("{key} is not set"));
        let invalid = |key: &str, value: &str| format!("invalid value for {key}: {value}");
        let host_text = required("TLS_HOST")?;
        let address: IpAddr = host_text.parse().map_err(|_| invalid("TLS_HOST", &host_text))?;
        let port_text = required("TLS_PORT")?;
        let delay_text = required("RELOAD_DELAY")?;
        let (certificate_file, key_file) = (required("TLS_CERTIFICATE")?, required("TLS_KEY")?);
        let pem = host
            .read(&certificate_file)
            .ok_or_else(|| format!("open {certificate_file}: no such file or directory"))?;
        host.read(&key_file).ok_or_else(|| format!("open {key_file}: no such file or directory"))?;
        let certificate = fingerprint_of_pem(&String::from_utf8_lossy(&pem))
            .map_err(|error| format!("{certificate_file}: {error}"))?;
        if !address.is_unspecified() && !host.is_local(address) {
            return Err(format!("listen tcp {address}:{port_text}: bind: cannot assign requested address"));
        }
        Ok(ServiceConfig {
            settings: Settings {
                generation: facts.dataplane_generation,
                config_file: required("CONFIG_FILE")?,
                userlist: required("USERLIST")?,
                reload_delay: parse_delay(&delay_text).ok_or_else(|| invalid("RELOAD_DELAY", &delay_text))?,
                ..Settings::default()
            },
            address: Some(address).filter(|address| !address.is_unspecified()),
            port: port_text.parse().map_err(|_| invalid("TLS_PORT", &port_text))?,
            certificate,
            restarts: value("ADDITIONAL_FLAGS").is_some_and(|flags| flags.contains("--restart-cmd")),
        })
    }
}

/// Seconds, with up to three decimals: runs that cannot wait use fractions, the real one whole numbers alone.
fn parse_delay(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 {
        return None;
    }
    let millis = if fraction.is_empty() { 0 } else { format!("{fraction:0<3}").parse().ok()? };
    Some(Duration::from_secs(whole.parse().ok()?) + Duration::from_millis(millis))
}

/// [`parse_delay`], backwards.
pub(crate) fn print_delay(delay: Duration) -> String {
    let text = format!("{}.{:03}", delay.as_secs(), delay.subsec_millis());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What the Data Plane API acts through on the appliance.
pub(crate) struct ApplianceEnvironment<'a, P> {
    pub(crate) host: &'a mut dyn Host,
    pub(crate) haproxy: &'a mut P,
    pub(crate) services: &'a mut Services,
    pub(crate) restarts: bool,
}

impl<P: HaproxyProcess> Environment for ApplianceEnvironment<'_, P> {
    fn holds(&mut self, behaviour: &'static Behaviour) -> bool {
        self.host.holds(behaviour)
    }

    fn read(&self, path: &str) -> Option<Bytes> {
        self.host.read(path)
    }

    fn write(&mut self, path: &str, content: Bytes) -> Result<(), String> {
        self.host.write(path, content)
    }

    fn remove(&mut self, path: &str) -> bool {
        self.host.remove(path)
    }

    fn list(&self, directory: &str) -> Vec<String> {
        self.host.list(directory)
    }

    fn validate(&mut self, config: &str) -> Result<(), String> {
        self.haproxy.validate(config, paths::HAPROXY_CFG, self.host)
    }

    fn reload(&mut self) -> Result<(), String> {
        reload_haproxy(self.haproxy, self.services, self.host)
    }

    fn restart(&mut self) -> Result<(), String> {
        if !self.restarts {
            return Err("no restart command is set".to_owned());
        }
        stop_haproxy(self.haproxy, self.services, self.host);
        start_haproxy(self.haproxy, self.services, self.host)
    }

    fn timer(&mut self, after: Duration) {
        self.host.timer(RELOAD_TIMER, after);
    }

    fn uuid(&mut self) -> String {
        self.host.random().uuid()
    }

    fn log(&mut self, line: String) {
        journal::log(self.host, SERVICE, &line);
    }
}

/// `systemctl start haproxy`.
pub(crate) fn start_haproxy<P: HaproxyProcess>(
    haproxy: &mut P,
    services: &mut Services,
    host: &mut dyn Host,
) -> Result<(), String> {
    if haproxy.running() {
        return Ok(());
    }
    match haproxy.start(host) {
        Ok(()) => {
            journal::log(host, HAPROXY, "[NOTICE]   (1) : Loading success.");
            services.set(HAPROXY, State::Active, host);
            Ok(())
        }
        Err(output) => {
            journal::log(host, HAPROXY, &output);
            host.holds(&fidelity::NO_RESTART);
            let reason = output.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
            services.set(HAPROXY, State::Failed(reason), host);
            Err("Job for haproxy.service failed. See \"systemctl status haproxy\".".to_owned())
        }
    }
}

/// `systemctl stop haproxy`.
pub(crate) fn stop_haproxy<P: HaproxyProcess>(haproxy: &mut P, services: &mut Services, host: &mut dyn Host) {
    if haproxy.running() {
        haproxy.stop(host);
        services.set(HAPROXY, State::Inactive, host);
    }
}

/// `systemctl reload haproxy`.
pub(crate) fn reload_haproxy<P: HaproxyProcess>(
    haproxy: &mut P,
    services: &mut Services,
    host: &mut dyn Host,
) -> Result<(), String> {
    if !services.is_active(HAPROXY) {
        return Err("haproxy.service is not active, cannot reload.".to_owned());
    }
    match haproxy.reload(host) {
        Ok(()) => {
            host.service(HAPROXY, "reloaded", "");
            Ok(())
        }
        Err(output) => {
            journal::log(host, HAPROXY, &output);
            Err(format!("Job for haproxy.service failed. {output}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_may_be_fractions_of_seconds() {
        for (text, millis) in [("30", 30_000), ("0.5", 500), ("1.25", 1_250)] {
            assert_eq!(parse_delay(text), Some(Duration::from_millis(millis)));
            assert_eq!(print_delay(Duration::from_millis(millis)), text);
        }
        assert_eq!((parse_delay("x"), parse_delay("1.2345"), parse_delay("")), (None, None, None));
    }
}
