//! Long polls.

use grenadier_fleet::CloudHost;
use grenadier_wire::ReplyTo;

use crate::VSphere;
use crate::fault::Fault;
use crate::inventory::Inventory;
use crate::moref::MoRef;
use crate::property_collector::CollectorKey;
use crate::property_collector::filter::Filter;
use crate::soap::encode;
use crate::value::{Data, Value};
use crate::vsphere::{fault_response, xml_response};

/// A question for updates that has no answer yet.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    pub(super) reply: ReplyTo,
    pub(super) collector: CollectorKey,
    /// The version that the client has.
    pub(super) since: Version,
    /// `WaitForUpdatesEx`, whose answer may be empty.
    pub(super) ex: bool,
    /// How many objects an answer may tell of.
    pub(super) most: usize,
}

/// A version as clients hold it.
///
/// Where an answer did not tell of all objects, the next one begins behind the last of them; the version that the client has
/// in the end is the one of the first such answer, so that what changed meanwhile is told once more.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Version {
    /// Everything up to here was told.
    pub(super) since: u64,
    behind: Option<Behind>,
}

/// The place behind which an answer goes on.
#[derive(Clone, Debug, PartialEq)]
struct Behind {
    version: u64,
    filter: u64,
    left: bool,
    object: String,
}

impl Version {
    /// Reads what a client sends: nothing at first. None where it is none of ours.
    pub(super) fn parse(text: &str) -> Option<Version> {
        let mut parts = text.splitn(5, '.');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let since = number()?;
        let Some(version) = number() else { return (!text.contains('.')).then_some(Version { since, behind: None }) };
        let (filter, left) = (number()?, number()? == 1);
        let object = parts.next()?.to_owned();
        Some(Version { since, behind: Some(Behind { version, filter, left, object }) })
    }

    /// The newest version that it names.
    pub(super) fn newest(&self) -> u64 {
        self.behind.as_ref().map_or(self.since, |behind| behind.version.max(self.since))
    }

    fn render(&self) -> String {
        match &self.behind {
            None => self.since.to_string(),
            Some(Behind { version, filter, left, object }) => {
                format!("{}.{version}.{filter}.{}.{object}", self.since, u8::from(*left))
            }
        }
    }
}

impl Wait {
    fn method(&self) -> &'static str {
        if self.ex { "WaitForUpdatesEx" } else { "WaitForUpdates" }
    }
}

/// `UpdateSet` for a client, as much of it as it wants at once; none where there is nothing to tell.
fn update_set<'a>(wait: &Wait, version: u64, filters: impl Iterator<Item = (&'a u64, &'a Filter)>) -> Option<Data> {
    let behind = wait.since.behind.as_ref();
    let told = |filter: u64, (left, id): (bool, &str)| {
        behind.is_some_and(|behind| (filter, left, id) <= (behind.filter, behind.left, &behind.object))
    };
    let (mut sets, mut count, mut last, mut stopped) = (Vec::new(), 0, None, None);
    'filters: for (number, filter) in filters {
        let mut objects = Vec::new();
        for (place, data) in filter.updates(wait.since.since).filter(|(place, _)| !told(*number, *place)) {
            if count == wait.most {
                stopped = last;
                sets.push((*number, objects));
                break 'filters;
            }
            count += 1;
            let (left, object) = (place.0, place.1.to_owned());
            let version = behind.map_or(version, |behind| behind.version);
            last = Some(Behind { version, filter: *number, left, object });
            objects.push(data);
        }
        sets.push((*number, objects));
    }
    let full = |(_, objects): &(u64, Vec<Data>)| !objects.is_empty();
    let truncated = stopped.is_some();
    let next = match stopped {
        Some(behind) => Version { since: wait.since.since, behind: Some(behind) },
        None => Version { since: behind.map_or(version, |behind| behind.version), behind: None },
    };
    if count == 0 && behind.is_none() {
        return None;
    }
    let updates = sets.into_iter().filter(full).map(|(number, objects)| {
        Data::new("PropertyFilterUpdate")
            .with("filter", MoRef::new("PropertyFilter", format!("filter-{number}")))
            .with("objectSet", Value::list("ObjectUpdate", objects))
    });
    let set = Data::new("UpdateSet")
        .with("version", next.render())
        .with("filterSet", Value::list("PropertyFilterUpdate", updates));
    // Told only where it is so, as it is optional: clients that never asked for a part see nothing of it.
    Some(if truncated { set.with("truncated", true) } else { set })
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
                let filters = collectors.filters.iter().filter(|(_, filter)| filter.collector == wait.collector);
                let Some(set) = update_set(wait, *version, filters) else { return true };
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

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn versions_read_back_and_nothing_else_does() {
        for text in ["0", "17", "3.9.2.0.vm-101", "3.9.2.1.vm-1.2"] {
            assert_eq!(Version::parse(text).map(|version| version.render()).as_deref(), Some(text));
        }
        for text in ["", "x", "1.", "1.2", "1.2.3", "1.2.3.0", "-1", "1.x.3.0.vm"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
