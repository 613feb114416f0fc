//! The guest of the suite, which behaves alike in every fleet.

use grenadier_fleet::GuestReport;
use grenadier_guest::{Answering, Guest, Host, Input, Listener, shell};
use grenadier_wire::Answer;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The product that is [`Responder`].
pub const RESPONDER: &str = "responder";

/// The file that is as many bytes long as the machine was booted.
pub const BOOTS: &str = "/var/log/grenadier/boots";

/// What a responder is, as its key `responder` says it in JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wish {
    /// Own addresses, one for each card in order.
    pub addresses: Vec<IpNet>,
    /// AnyIP range.
    pub range: Option<IpNet>,
    /// What it answers at port 80 of every address.
    pub name: String,
}

/// Takes addresses, answers at port 80, counts its boots in a file, and knows the little shell.
///
/// Whenever its configuration changes it does what the key `responder` says then, and repeats the key `wanted` as `seen`.
#[derive(Clone, Debug, Default)]
pub struct Responder {
    boots: usize,
    reconfigured: usize,
}

impl Responder {
    fn settle(&mut self, host: &mut dyn Host) -> Result<(), String> {
        let text = host.config("responder").ok_or("the key responder is missing")?;
        let wish: Wish = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        for ((nic, _, _), address) in host.nics().into_iter().zip(wish.addresses) {
            host.add_address(nic, address);
        }
        if let Some(range) = wish.range {
            host.add_local_route(range);
        }
        host.listen(Listener { address: None, port: 80, certificate: None, answering: Answering::Backend(wish.name) });
        Ok(())
    }
}

impl Guest for Responder {
    fn handle(&mut self, input: Input, host: &mut dyn Host) {
        match input {
            Input::Boot => {
                self.boots = host.read(BOOTS).map_or(0, |content| content.len()) + 1;
                if let Err(error) = host.write(BOOTS, vec![b'x'; self.boots].into()) {
                    host.log("responder", format!("{BOOTS}: {error}"));
                }
                let report = self.settle(host).map_or_else(GuestReport::BootFailed, |()| GuestReport::Up);
                host.report(report);
            }
            Input::Reconfigured => {
                self.reconfigured += 1;
                host.set_config("seen", &host.config("wanted").unwrap_or_default());
                if let Err(error) = self.settle(host) {
                    host.log("responder", error);
                }
            }
            Input::Shell { reply, command } => {
                let output = shell::run(&command, host, |_, _, _| None);
                host.reply(reply, Answer::Shell(output));
            }
            Input::Shutdown => host.power_off(),
            Input::Timer(_) | Input::Http { .. } | Input::Called { .. } => {}
        }
    }

    fn state(&self) -> Value {
        json!({"boots": self.boots, "reconfigured": self.reconfigured})
    }

    fn boxed_clone(&self) -> Box<dyn Guest> {
        Box::new(self.clone())
    }
}
