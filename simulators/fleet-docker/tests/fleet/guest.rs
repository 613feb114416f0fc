//! Guests of these tests.

use grenadier_agent::GuestContext;
use grenadier_agent::protocol::GuestRecord;
use grenadier_fleet::GuestReport;
use grenadier_guest::{Answering, Guest, Host, Input, Listener, shell};
use grenadier_wire::Answer;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The product that is [`Responder`].
pub(crate) const RESPONDER: &str = "responder";

/// What a responder is, as its key `responder` says it in JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Wish {
    /// Own addresses, one for each card in order.
    pub(crate) addresses: Vec<IpNet>,
    /// AnyIP range.
    pub(crate) range: Option<IpNet>,
    /// What it answers at port 80 of every address.
    pub(crate) name: String,
}

/// The product's own guests, and the one of these tests.
pub(crate) fn make_guest(record: &GuestRecord, context: &GuestContext<'_>) -> Result<Box<dyn Guest>, String> {
    if record.product == RESPONDER {
        return Ok(Box::new(Responder { boots: 0, reconfigured: 0 }));
    }
    if record.product == crate::faulty::FAULTY {
        return Ok(Box::new(crate::faulty::Faulty::default()));
    }
    grenadier_agent::make_guest(record, context)
}

/// Takes addresses, answers at port 80, counts its boots in a file.
#[derive(Clone)]
struct Responder {
    boots: usize,
    reconfigured: usize,
}

const BOOTS: &str = "/var/log/grenadier/boots";

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
                let before = host.read(BOOTS).map_or(0, |content| content.len());
                self.boots = before + 1;
                host.write(BOOTS, vec![b'x'; self.boots].into()).expect("the disk has room for it");
                let report = self.settle(host).map_or_else(GuestReport::BootFailed, |()| GuestReport::Up);
                host.report(report);
            }
            Input::Reconfigured => {
                self.reconfigured += 1;
                host.set_config("seen", &host.config("wanted").unwrap_or_default());
                self.settle(host).expect("it was settled before");
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
