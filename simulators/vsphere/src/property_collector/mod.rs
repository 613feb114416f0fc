//! PropertyCollector and PropertyFilter: reading properties, and waiting for them to change.

mod filter;
mod select;
mod spec;
mod wait;

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_fleet::CloudHost;

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::fault::Fault;
use crate::inventory::Inventory;
use crate::moref::MoRef;
use crate::property::{self, Lookup, Reader};
use crate::property_collector::filter::Filter;
use crate::property_collector::spec::FilterSpec;
use crate::property_collector::wait::{Version, Wait};
use crate::value::{Data, Value};
use crate::vsphere::Alarm;

/// A collector of a session: its default one or one it made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CollectorKey {
    session: String,
    id: String,
}

/// Everything collectors keep between calls.
#[derive(Debug, Default)]
pub(crate) struct Collectors {
    /// The version of each collector; those a session made are here from the start, its default one once it is used.
    versions: BTreeMap<CollectorKey, u64>,
    filters: BTreeMap<u64, Filter>,
    /// What a paged retrieval has not handed out yet, by token.
    pages: BTreeMap<String, Page>,
    waits: Vec<Wait>,
}

#[derive(Debug)]
struct Page {
    session: String,
    size: usize,
    remaining: Vec<Data>,
}

impl Collectors {
    /// The filter or collector with this id, if it is this session's.
    pub(crate) fn resolve(&self, id: &str, session: &str) -> Option<MoRef> {
        if let Some(number) = id.strip_prefix("filter-") {
            let filter = self.filters.get(&number.parse().ok()?)?;
            return (filter.collector.session == session).then(|| MoRef::new("PropertyFilter", id));
        }
        let key = CollectorKey { session: session.to_owned(), id: id.to_owned() };
        self.versions.contains_key(&key).then(|| MoRef::new("PropertyCollector", id))
    }

    /// Whether the session waits for updates.
    pub(crate) fn is_waiting(&self, session: &str) -> bool {
        self.waits.iter().any(|wait| wait.collector.session == session)
    }

    /// Whether anybody waits for updates.
    pub(crate) fn anybody_waits(&self) -> bool {
        !self.waits.is_empty()
    }
}

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match (&*call.target.kind, call.method) {
        ("PropertyCollector", "RetrieveProperties") => {
            retrieve(sim, call, host).map(|objects| Reply::Many(values(objects)))
        }
        ("PropertyCollector", "RetrievePropertiesEx") => retrieve_ex(sim, call, host),
        ("PropertyCollector", "ContinueRetrievePropertiesEx") => continue_retrieve(sim, call),
        ("PropertyCollector", "CancelRetrievePropertiesEx") => cancel_retrieve(sim, call),
        ("PropertyCollector", "CreateFilter") => create_filter(sim, call, host),
        ("PropertyCollector", "CreatePropertyCollector") => create_collector(sim, call),
        ("PropertyCollector", "DestroyPropertyCollector") => destroy_collector(sim, call, host),
        ("PropertyCollector", "WaitForUpdates") => wait_for_updates(sim, call, host, false),
        ("PropertyCollector", "WaitForUpdatesEx") => wait_for_updates(sim, call, host, true),
        ("PropertyCollector", "CancelWaitForUpdates") => key(call).map(|key| {
            let fault = Fault::new("RequestCanceled", "The request was canceled by a user.");
            sim.end_waits(&fault, |wait| wait.collector == key, host);
            Reply::Void
        }),
        ("PropertyFilter", "DestroyPropertyFilter") => {
            sim.collectors.filters.remove(&call.target.number("filter-").unwrap_or_default());
            Ok(Reply::Void)
        }
        _ => return None,
    })
}

/// `Fetch`, which the reference does not document and pyVmomi uses for every property: one property of any object.
pub(crate) fn fetch(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let path = call.args.required("prop")?;
    let inventory = sim.inventory(host, call.session.as_deref());
    match property::read(inventory, &call.target, path) {
        Lookup::Value(value) => Ok(Reply::One(Value::Any(Box::new(value)))),
        Lookup::Unset => Ok(Reply::Void),
        Lookup::Unknown => Err(Fault::invalid_property(path)),
    }
}

fn key(call: &Call<'_>) -> Result<CollectorKey, Fault> {
    Ok(CollectorKey { session: call.session()?.to_owned(), id: call.target.id.clone().into_owned() })
}

fn values(objects: Vec<Data>) -> Vec<Value> {
    objects.into_iter().map(Value::Data).collect()
}

/// The objects that the specifications of a call choose, as `ObjectContent`.
fn retrieve(sim: &VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Result<Vec<Data>, Fault> {
    let inventory = sim.inventory(host, call.session.as_deref());
    let mut objects = Vec::new();
    for node in call.args.children("specSet") {
        let spec = FilterSpec::parse(node)?;
        for mo in select::select(inventory, &spec, spec.tolerate_missing)? {
            objects.extend(object_content(inventory, &spec, &mo));
        }
    }
    Ok(objects)
}

/// `ObjectContent`; none for an object that no property set is about.
fn object_content(inventory: Inventory<'_>, spec: &FilterSpec, mo: &MoRef) -> Option<Data> {
    let paths = spec.paths(mo)?;
    let (mut set, mut missing) = (Vec::new(), Vec::new());
    let mut reader = Reader::new(inventory, mo);
    for path in paths {
        match reader.read(&path) {
            Lookup::Value(value) => set.push(Data::new("DynamicProperty").with("name", path).any("val", value)),
            Lookup::Unset => {}
            Lookup::Unknown => missing.push(missing_property(&path)),
        }
    }
    Some(
        Data::new("ObjectContent")
            .with("obj", mo.clone())
            .with("propSet", Value::list("DynamicProperty", set))
            .with("missingSet", Value::list("MissingProperty", missing)),
    )
}

fn missing_property(path: &str) -> Data {
    Data::new("MissingProperty").with("path", path).with("fault", Fault::invalid_property(path).localized())
}

fn retrieve_ex(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let objects = retrieve(sim, call, host)?;
    let options = call.args.child("options");
    let size = options.map(|options| options.number_of::<usize>("maxObjects")).transpose()?.flatten();
    if objects.is_empty() {
        return Ok(Reply::Void);
    }
    let (size, session) = (size.unwrap_or(usize::MAX).max(1), call.session.clone().unwrap_or_default());
    Ok(Reply::One(page(sim, Page { session, size, remaining: objects })))
}

fn continue_retrieve(sim: &mut VSphere, call: &Call<'_>) -> Outcome {
    take_page(sim, call).map(|found| Reply::One(page(sim, found)))
}

/// Forgets what a paged retrieval has not handed out.
fn cancel_retrieve(sim: &mut VSphere, call: &Call<'_>) -> Outcome {
    take_page(sim, call).map(|_| Reply::Void)
}

/// What a token stands for, which is good once and for its own session.
fn take_page(sim: &mut VSphere, call: &Call<'_>) -> Result<Page, Fault> {
    let token = call.args.required("token")?;
    let pages = &mut sim.collectors.pages;
    let own = pages.get(token).is_some_and(|page| call.session.as_deref() == Some(&page.session));
    let page = if own { pages.remove(token) } else { None };
    page.ok_or_else(|| Fault::invalid_argument("token", "nothing is left to retrieve by it"))
}

/// `RetrieveResult` with the next objects of a page, and a token where some are left.
fn page(sim: &mut VSphere, mut page: Page) -> Value {
    let rest = if page.remaining.len() > page.size { page.remaining.split_off(page.size) } else { Vec::new() };
    let now = std::mem::replace(&mut page.remaining, rest);
    let token = (!page.remaining.is_empty()).then(|| {
        let token = sim.ids.next("page").to_string();
        sim.collectors.pages.insert(token.clone(), page);
        token
    });
    Data::new("RetrieveResult").maybe("token", token).with("objects", Value::list("ObjectContent", now)).into()
}

fn create_filter(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let spec = FilterSpec::parse(call.args.required_child("spec")?)?;
    // Says early what is wrong with it: an object that does not exist, say.
    select::select(sim.inventory(host, call.session.as_deref()), &spec, spec.tolerate_missing)?;
    let collector = key(call)?;
    sim.collectors.versions.entry(collector.clone()).or_insert(0);
    let number = sim.ids.next("filter");
    sim.collectors.filters.insert(number, Filter::new(collector, spec));
    Ok(Reply::One(MoRef::new("PropertyFilter", format!("filter-{number}")).into()))
}

fn create_collector(sim: &mut VSphere, call: &Call<'_>) -> Outcome {
    let id = format!("collector-{}", sim.ids.next("collector"));
    let key = CollectorKey { session: call.session()?.to_owned(), id: id.clone() };
    sim.collectors.versions.insert(key, 0);
    Ok(Reply::One(MoRef::new("PropertyCollector", id).into()))
}

fn destroy_collector(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let key = key(call)?;
    if call.target == crate::inventory::PROPERTY_COLLECTOR {
        return Err(Fault::not_supported("the default collector cannot be destroyed"));
    }
    sim.collectors.versions.remove(&key);
    sim.collectors.filters.retain(|_, filter| filter.collector != key);
    let gone = Fault::not_found(&call.target);
    sim.end_waits(&gone, |wait| wait.collector == key, host);
    Ok(Reply::Void)
}

/// A long poll: answers at once where something has changed since the version that the client has, else when it does.
fn wait_for_updates(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost, ex: bool) -> Outcome {
    let collector = key(call)?;
    let current = *sim.collectors.versions.entry(collector.clone()).or_insert(0);
    let since = match call.args.text_of("version").filter(|version| !version.is_empty()) {
        None => Version::default(),
        Some(text) => match Version::parse(text) {
            Some(version) if version.newest() <= current => version,
            _ => return Err(Fault::new("InvalidCollectorVersion", "The collector does not know this version.")),
        },
    };
    let options = call.args.child("options").filter(|_| ex);
    let seconds = options.map(|options| options.number_of::<u64>("maxWaitSeconds")).transpose()?.flatten();
    let most = options.map(|options| options.number_of::<usize>("maxObjectUpdates")).transpose()?.flatten();
    let wait = Wait { reply: call.reply, collector, since, ex, most: most.unwrap_or(usize::MAX).max(1) };
    if let Some(seconds) = seconds {
        sim.set_alarm(Alarm::WaitEnds(call.reply), Duration::from_secs(seconds), host);
    }
    sim.collectors.waits.push(wait);
    // Whether there is something to tell is seen when the call is over, like after everything else that may change things.
    Ok(Reply::Later)
}
