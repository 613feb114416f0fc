//! What boots in the virtual world.

use grenadier_backend::Backend;
use grenadier_clock::Seed;
use grenadier_fleet::{ImageHeader, Machine};
use grenadier_fleet_virtual::GuestFactory;
use grenadier_guest::Guest;
use grenadier_haproxy_appliance::{Appliance, BootTiming};
use grenadier_operator::{Client, Operator};

/// The guests of a rehearsal: the appliance and what stands around it.
pub(crate) fn guests(seed: Seed, boot: BootTiming) -> GuestFactory {
    Box::new(move |image: &ImageHeader, _machine: &Machine| -> Option<Box<dyn Guest>> {
        Some(match image.product.as_str() {
            "haproxy-appliance" => Box::new(Appliance::from_image(image, seed, boot).ok()?),
            "backend" => Box::new(Backend::new()),
            "operator" => Box::new(Operator::new()),
            "client" => Box::new(Client::new()),
            _ => return None,
        })
    })
}
