//! The backend.

use grenadier_fleet::GuestReport;
use grenadier_guest::{Answering, Guest, Host, Input, Listener, shell};
use grenadier_wire::Answer;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The configuration key that says what the backend is.
const CONFIG_KEY: &str = "guestinfo.backend";

const SERVICE: &str = "backend";

/// What a backend is, as its configuration key says it in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BackendConfig {
    /// What it answers.
    pub name: String,
    /// Its address with the prefix of its network.
    pub address: IpNet,
    /// Where it listens.
    pub port: u16,
}

/// A backend.
#[derive(Clone, Debug, Default)]
pub struct Backend {
    config: Option<BackendConfig>,
}

impl Backend {
    /// A backend that is off.
    pub fn new() -> Backend {
        Backend::default()
    }

    fn boot(&mut self, host: &mut dyn Host) {
        self.config = None;
        match read(host) {
            Ok(config) => {
                self.serve(config, host);
                host.report(GuestReport::Up);
            }
            Err(reason) => host.report(GuestReport::BootFailed(reason)),
        }
    }

    fn reconfigured(&mut self, host: &mut dyn Host) {
        match read(host) {
            Ok(config) if Some(&config) == self.config.as_ref() => {}
            Ok(config) => self.serve(config, host),
            Err(reason) => host.log(SERVICE, reason),
        }
    }

    fn serve(&mut self, config: BackendConfig, host: &mut dyn Host) {
        self.stop(host);
        let address = config.address.addr();
        if let Some((nic, _, _)) = host.nics().first().cloned() {
            host.add_address(nic, config.address);
            let hostname = host.machine().to_owned();
            host.report(GuestReport::Tools { hostname, addresses: vec![(nic, vec![address])] });
        }
        host.listen(Listener {
            address: Some(address),
            port: config.port,
            certificate: None,
            answering: Answering::Backend(config.name.clone()),
        });
        host.service(SERVICE, "running", format!("{} at {address}:{}", config.name, config.port));
        self.config = Some(config);
    }

    fn stop(&mut self, host: &mut dyn Host) {
        if let Some(config) = self.config.take() {
            host.close(Some(config.address.addr()), config.port);
            host.service(SERVICE, "stopped", "");
        }
    }
}

fn read(host: &dyn Host) -> Result<BackendConfig, String> {
    let text = host.config(CONFIG_KEY).ok_or_else(|| format!("{CONFIG_KEY} is not set"))?;
    serde_json::from_str(&text).map_err(|error| format!("{CONFIG_KEY} cannot be read: {error}"))
}

impl Guest for Backend {
    fn handle(&mut self, input: Input, host: &mut dyn Host) {
        match input {
            Input::Boot => self.boot(host),
            Input::Reconfigured => self.reconfigured(host),
            Input::Shutdown => {
                self.stop(host);
                host.power_off();
            }
            Input::Shell { reply, command } => {
                let output = shell::run(&command, host, |_, _, _| None);
                host.reply(reply, Answer::Shell(output));
            }
            // Its requests are answered by the listener; it has no timers and calls nobody.
            Input::Http { .. } | Input::Timer(_) | Input::Called { .. } => {}
        }
    }

    fn state(&self) -> Value {
        json!({"backend": self.config})
    }

    fn boxed_clone(&self) -> Box<dyn Guest> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use grenadier_guest::testing::TestHost;

    use super::*;

    fn host(config: &str) -> TestHost {
        let mut host = TestHost::default();
        host.nics.push((4000, "workload".into(), true));
        host.config.insert(CONFIG_KEY.into(), config.into());
        host
    }

    #[test]
    fn it_answers_with_its_name_where_it_is_told() {
        let (host, backend) =
            (&mut host(r#"{"name":"shop-1","address":"198.18.1.40/24","port":8080}"#), &mut Backend::new());
        backend.handle(Input::Boot, host);
        assert!(host.reports.contains(&GuestReport::Up));
        assert_eq!(host.addresses, [(4000, "198.18.1.40/24".parse().unwrap())]);
        assert_eq!(host.listeners[0].answering, Answering::Backend("shop-1".into()));

        let moved = r#"{"name":"shop-1","address":"198.18.1.40/24","port":9090}"#;
        host.config.insert(CONFIG_KEY.into(), moved.into());
        backend.handle(Input::Reconfigured, host);
        assert_eq!(host.listeners.iter().map(|listener| listener.port).collect::<Vec<_>>(), [9090]);

        backend.handle(Input::Shutdown, host);
        assert!(host.listeners.is_empty() && host.off);
    }

    #[test]
    fn without_configuration_it_does_not_boot() {
        for config in ["{", r#"{"name":"x","address":"198.18.1.40/24","port":1,"colour":"blue"}"#] {
            let host = &mut host(config);
            Backend::new().handle(Input::Boot, host);
            assert!(matches!(&host.reports[..], [GuestReport::BootFailed(reason)] if reason.contains(CONFIG_KEY)));
        }
    }
}
