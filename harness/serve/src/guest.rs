//! What boots in the machines of a served cloud.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use grenadier_clock::Seed;
use grenadier_fleet::{GuestReport, ImageHeader, Machine, SegmentSpec};
use grenadier_fleet_virtual::GuestFactory;
use grenadier_guest::{Guest, Host, Input, TimerKey, shell};
use grenadier_haproxy_appliance::{Appliance, BootTiming};
use grenadier_wire::{Answer, http_response};
use http::StatusCode;
use serde_json::{Value, json};

const BOOT: TimerKey = "boot";
const SHUTDOWN: TimerKey = "shutdown";

/// The product of a disk that holds an ordinary system.
pub(crate) const LINUX: &str = "linux";

/// Makes guests: the appliance where its image is on the disk, else an ordinary system.
pub(crate) fn factory(segments: Vec<SegmentSpec>, seed: Seed, boot: BootTiming) -> GuestFactory {
    Box::new(move |image: &ImageHeader, machine: &Machine| -> Option<Box<dyn Guest>> {
        if image.product == "haproxy-appliance"
            && let Ok(appliance) = Appliance::from_image(image, seed, boot)
        {
            return Some(Box::new(appliance));
        }
        Some(Box::new(Linux::new(&segments, machine, boot.network)))
    })
}

/// An ordinary system: it boots, its tools tell its name and addresses, and it has a shell and files.
#[derive(Clone)]
struct Linux {
    addresses: BTreeMap<u32, IpAddr>,
    takes: Duration,
    up: bool,
}

impl Linux {
    /// One whose addresses follow from its network cards, as by DHCP.
    fn new(segments: &[SegmentSpec], machine: &Machine, takes: Duration) -> Linux {
        let address = |nic: &grenadier_fleet::Nic| {
            let segment = segments.iter().find(|segment| segment.name == nic.segment)?;
            let ipnet::IpNet::V4(subnet) = segment.subnet else { return None };
            let [.., high, middle, low] = nic.mac.0;
            let number = u32::from_be_bytes([0, high & 0x3f, middle, low]);
            let width = u32::from(subnet.hostmask());
            // Neither the network's own address, nor its router's, nor the broadcast address.
            let host = 2 + number % (width - 2);
            Some((nic.key, IpAddr::from(Ipv4Addr::from(u32::from(subnet.network()) + host))))
        };
        Linux { addresses: machine.spec.nics.iter().filter_map(address).collect(), takes, up: false }
    }

    fn booted(&mut self, host: &mut dyn Host) {
        self.up = true;
        let name = format!("{}\n", host.machine());
        if host.read("/etc/hostname").is_none() {
            // A disk that is full keeps the system from nothing else.
            let _full = host.write("/etc/hostname", name.into());
        }
        let hostname = host.read("/etc/hostname").map_or_else(String::new, |name| text(&name));
        let linked = host.nics().into_iter().filter(|(_, _, connected)| *connected);
        let addresses = linked.map(|(key, _, _)| (key, self.addresses.get(&key).copied().into_iter().collect()));
        let addresses = addresses.collect();
        host.report(GuestReport::Tools { hostname, addresses });
        host.report(GuestReport::Up);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

impl Guest for Linux {
    fn handle(&mut self, input: Input, host: &mut dyn Host) {
        match input {
            Input::Boot => host.timer(BOOT, self.takes),
            Input::Timer(BOOT) => self.booted(host),
            Input::Timer(_) => host.power_off(),
            Input::Shutdown => host.timer(SHUTDOWN, self.takes),
            Input::Shell { reply, command } => {
                let output = shell::run(&command, host, |words, _, _| match words[0].as_str() {
                    "uname" => Some(shell::printed("Linux\n")),
                    "whoami" => Some(shell::printed(format!("{}\n", command.user))),
                    _ => None,
                });
                host.reply(reply, Answer::Shell(output));
            }
            Input::Http { reply, .. } => {
                let nothing = http_response(StatusCode::NOT_FOUND, "text/plain", "nothing is served here\n");
                host.reply(reply, Answer::Http(nothing));
            }
            Input::Called { .. } | Input::Reconfigured => {}
        }
    }

    fn state(&self) -> Value {
        json!({ "up": self.up })
    }

    fn boxed_clone(&self) -> Box<dyn Guest> {
        Box::new(self.clone())
    }
}
