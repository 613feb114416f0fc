//! Long polls.

use grenadier_fleet::CloudHost;
use grenadier_wire::ReplyTo;

use crate::VSphere;
use crate::fault::Fault;
use crate::inventory::Inventory;
use crate::property_collector::CollectorKey;
use crate::soap::encode;
use crate::value::{Data, Value};
use crate::vsphere::{fault_response, xml_response};

/// A question for updates that has no answer yet.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    pub(super) reply: ReplyTo,
    pub(super) collector: CollectorKey,
    /// The version that the client has.
    pub(super) since: u64,
    /// `WaitForUpdatesEx`, whose answer may be empty.
    pub(super) ex: bool,
}

impl Wait {
    fn method(&self) -> &'static str {
        if self.ex { "WaitForUpdatesEx" } else { "WaitForUpdates" }
    }
}

impl VSphere {
    /// Answers the long polls that there is now something to tell.
    pub(crate) fn answer_waits(&mut self, host: &mut dyn CloudHost) {
        if !self.collectors.anybody_waits() {
            return;
        }
        let now = host.now();
        let mut collectors = std::mem::take(&mut self.collectors);
        let mut answers = Vec::new();
        {
            let fleet = host.fleet().view();
            collectors.waits.retain(|wait| {
                let inventory = Inventory { sim: self, fleet, now, session: Some(&wait.collector.session) };
                let version = collectors.versions.entry(wait.collector.clone()).or_insert(0);
                let mut changed = false;
                for filter in collectors.filters.values_mut().filter(|filter| filter.collector == wait.collector) {
                    changed |= filter.refresh(inventory, *version + 1);
                }
                *version += u64::from(changed);
                let updates: Vec<Data> = collectors
                    .filters
                    .iter()
                    .filter(|(_, filter)| filter.collector == wait.collector)
                    .filter_map(|(number, filter)| filter.updates(*number, wait.since))
                    .collect();
                if updates.is_empty() {
                    return true;
                }
                let set = Data::new("UpdateSet")
                    .with("version", version.to_string())
                    .with("filterSet", Value::list("PropertyFilterUpdate", updates));
                answers.push((wait.clone(), encode::result(wait.method(), &[set.into()])));
                false
            });
        }
        self.collectors = collectors;
        for (wait, body) in answers {
            self.sessions.touch(&wait.collector.session, now);
            host.reply(wait.reply, xml_response(body));
        }
    }

    /// Answers a long poll whose time is up with nothing.
    pub(crate) fn time_out_wait(&mut self, reply: ReplyTo, host: &mut dyn CloudHost) {
        let Some(position) = self.collectors.waits.iter().position(|wait| wait.reply == reply) else { return };
        let wait = self.collectors.waits.remove(position);
        self.sessions.touch(&wait.collector.session, host.now());
        host.reply(reply, xml_response(encode::result(wait.method(), &[])));
    }

    /// Forgets the long poll of a client that has gone away. Its session was in use until now.
    pub(crate) fn forget_wait(&mut self, reply: ReplyTo, host: &mut dyn CloudHost) {
        let Some(position) = self.collectors.waits.iter().position(|wait| wait.reply == reply) else { return };
        let wait = self.collectors.waits.remove(position);
        self.sessions.touch(&wait.collector.session, host.now());
    }

    /// Ends long polls with a fault.
    pub(super) fn end_waits(&mut self, fault: &Fault, which: impl Fn(&Wait) -> bool, host: &mut dyn CloudHost) {
        let (ended, kept) = std::mem::take(&mut self.collectors.waits).into_iter().partition(|wait| which(wait));
        self.collectors.waits = kept;
        let ended: Vec<Wait> = ended;
        for wait in ended {
            host.reply(wait.reply, fault_response(fault));
        }
    }

    /// Forgets everything that collectors keep for a session.
    pub(crate) fn forget_collectors(&mut self, session: &str, host: &mut dyn CloudHost) {
        let fault = Fault::not_authenticated(&crate::inventory::PROPERTY_COLLECTOR);
        self.end_waits(&fault, |wait| wait.collector.session == session, host);
        self.collectors.versions.retain(|key, _| key.session != session);
        self.collectors.filters.retain(|_, filter| filter.collector.session != session);
        self.collectors.pages.retain(|_, page| page.session != session);
    }
}
