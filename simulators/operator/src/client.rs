//! The probe client: an address and `curl`.

use grenadier_fleet::GuestReport;
use grenadier_guest::{CallKey, Guest, Host, Input};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::curl::Curls;

/// The configuration key that says where the client is.
const CONFIG_KEY: &str = "guestinfo.client";

/// Where a client is, as its configuration key says it in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClientConfig {
    /// Its address with the prefix of its network.
    pub address: IpNet,
}

/// The probe client. Watches look from it; its shell has `curl`.
#[derive(Clone, Debug, Default)]
pub struct Client {
    config: Option<ClientConfig>,
    curls: Curls,
    last_call: CallKey,
}

impl Client {
    /// A client that is off.
    pub fn new() -> Client {
        Client::default()
    }

    fn configure(&mut self, host: &mut dyn Host) -> Result<(), String> {
        let text = host.config(CONFIG_KEY).ok_or_else(|| format!("{CONFIG_KEY} is not set"))?;
        let config: ClientConfig =
            serde_json::from_str(&text).map_err(|error| format!("{CONFIG_KEY} cannot be read: {error}"))?;
        settle(&[config.address], host);
        self.config = Some(config);
        Ok(())
    }
}

/// Gives each NIC its address, in order, and tells them.
pub(crate) fn settle(addresses: &[IpNet], host: &mut dyn Host) {
    let mut told = Vec::new();
    for ((nic, _, _), address) in host.nics().into_iter().zip(addresses) {
        host.add_address(nic, *address);
        told.push((nic, vec![address.addr()]));
    }
    let hostname = host.machine().to_owned();
    host.report(GuestReport::Tools { hostname, addresses: told });
}

impl Guest for Client {
    fn handle(&mut self, input: Input, host: &mut dyn Host) {
        match input {
            Input::Boot => {
                *self = Client::new();
                let report = self.configure(host).map_or_else(GuestReport::BootFailed, |()| GuestReport::Up);
                host.report(report);
            }
            Input::Reconfigured => {
                if let Err(reason) = self.configure(host) {
                    host.log("client", reason);
                }
            }
            Input::Shell { reply, command } => {
                self.last_call += 1;
                self.curls.run(self.last_call, reply, &command, host);
            }
            Input::Called { key, result } => {
                self.curls.called(key, &result, host);
            }
            Input::Shutdown => host.power_off(),
            // It serves nothing and waits for nothing.
            Input::Http { .. } | Input::Timer(_) => {}
        }
    }

    fn state(&self) -> Value {
        json!({"client": self.config})
    }

    fn boxed_clone(&self) -> Box<dyn Guest> {
        Box::new(self.clone())
    }
}
