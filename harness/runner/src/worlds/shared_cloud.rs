//! A vCenter that somebody outside its interface can reach too.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use grenadier_fleet::{Cloud, CloudHost, FleetEvent};
use grenadier_vsphere::VSphere;
use grenadier_wire::ReplyTo;

/// The vCenter simulator, shared between the world that hosts it and the runner, which upgrades it as an administrator does.
#[derive(Clone)]
pub(crate) struct SharedCloud(Arc<Mutex<VSphere>>);

impl SharedCloud {
    pub(crate) fn new(vcenter: VSphere) -> SharedCloud {
        SharedCloud(Arc::new(Mutex::new(vcenter)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, VSphere> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cloud for SharedCloud {
    fn handle(&mut self, reply: ReplyTo, request: http::Request<Bytes>, host: &mut dyn CloudHost) {
        self.lock().handle(reply, request, host);
    }

    fn fleet_event(&mut self, event: &FleetEvent, host: &mut dyn CloudHost) {
        self.lock().fleet_event(event, host);
    }

    fn timer(&mut self, key: u64, host: &mut dyn CloudHost) {
        self.lock().timer(key, host);
    }

    fn state(&self) -> serde_json::Value {
        self.lock().state()
    }
}
