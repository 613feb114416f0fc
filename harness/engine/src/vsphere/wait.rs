//! Waiting for properties and for tasks.

use std::time::Duration;

use crate::retry::{NotInTime, Wait};
use crate::vsphere::client::{CALL_TIMEOUT, Repeat, VSphere, incomplete};
use crate::vsphere::element::{Element, ManagedObject};
use crate::vsphere::error::{Fault, VSphereError};
use crate::vsphere::inventory::filter_spec;
use crate::vsphere::properties::Properties;

/// How long one wait of the server may take; after that we ask again.
const LONGEST_POLL: Duration = Duration::from_secs(20);

/// How a round of waiting ended.
enum Round<T> {
    /// The condition came about.
    Met(T),
    /// The filter ended with its session or was lost: begin again.
    FilterLost,
    /// The deadline has passed; the last thing seen.
    Over(String),
}

impl VSphere {
    /// Waits until `check` finds what it looks for in the properties of `object`.
    ///
    /// The property collector's filter is level-triggered: its first answer is the present state, so nothing that happened
    /// before is missed. After a lost session the filter is made anew.
    ///
    /// # Errors
    /// The deadline passed (with the last state seen), or vCenter does not answer.
    pub async fn wait_for<T: Send>(
        &mut self,
        object: &ManagedObject,
        paths: &[&str],
        what: &str,
        limit: Duration,
        mut check: impl FnMut(&Properties) -> Option<T> + Send,
    ) -> Result<T, VSphereError> {
        let wait = Wait::new(&self.wire, what, limit, Duration::from_secs(1));
        loop {
            let collector = self.content().await?.property_collector;
            let arguments = [filter_spec("spec", &[(object, paths)]), Element::text("partialUpdates", "false")];
            let answer = self.call("CreateFilter", &collector, &arguments, Repeat::Freely).await?;
            let filter = answer.reference_at("returnval").ok_or_else(|| incomplete("CreateFilter", "filter"))?;
            match self.watch(object, paths, &collector, &wait, &mut check).await {
                Ok(Round::Met(value)) => {
                    self.drop_filter(&filter).await;
                    return Ok(value);
                }
                Ok(Round::FilterLost) => wait.again("the session was lost").await?,
                Ok(Round::Over(last)) => {
                    self.drop_filter(&filter).await;
                    return Err(NotInTime { what: what.to_owned(), limit, last }.into());
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn watch<T>(
        &mut self,
        object: &ManagedObject,
        paths: &[&str],
        collector: &ManagedObject,
        wait: &Wait,
        check: &mut (impl FnMut(&Properties) -> Option<T> + Send),
    ) -> Result<Round<T>, VSphereError> {
        let mut seen = Properties::new(object);
        let mut version = String::new();
        loop {
            let last = || seen.values.iter().map(|(path, value)| format!("{path} {}", describe(value)));
            let Some(left) = wait.left() else { return Ok(Round::Over(last().collect::<Vec<_>>().join(", "))) };
            // Whole seconds, and at least one: zero would mean "do not wait at all".
            let poll = Duration::from_secs(left.min(LONGEST_POLL).as_secs().max(1));
            let options = Element::new("options").with(Element::text("maxWaitSeconds", poll.as_secs().to_string()));
            let arguments = [Element::text("version", &version), options];
            let arguments = if version.is_empty() { &arguments[1..] } else { &arguments[..] };
            let timeout = poll + CALL_TIMEOUT;
            let answer = self.call_for("WaitForUpdatesEx", collector, arguments, Repeat::WithinSession, timeout).await;
            let answer = match answer {
                Ok(answer) => answer,
                Err(error)
                    if ["NotAuthenticated", "InvalidCollectorVersion", "ManagedObjectNotFound"]
                        .iter()
                        .any(|kind| error.is_fault(kind)) =>
                {
                    return Ok(Round::FilterLost);
                }
                Err(error) => return Err(error),
            };
            // An answer without a value means that nothing changed in that time.
            let Some(update) = answer.children.into_iter().find(|child| child.name == "returnval") else { continue };
            version = update.text_at("version").unwrap_or_default().to_owned();
            let mut partial = false;
            for change in update.children.into_iter().flat_map(|set| set.children) {
                if change.name != "objectSet" || change.reference_at("obj").as_ref() != Some(object) {
                    continue;
                }
                if change.text_at("kind") == Some("leave") {
                    return Err(VSphereError::Unset { object: object.clone(), property: paths.join(", ") });
                }
                partial |= seen.take("changeSet", change.children, paths);
            }
            if partial {
                seen = self.properties(object, paths).await?;
            }
            if let Some(value) = check(&seen) {
                return Ok(Round::Met(value));
            }
        }
    }

    /// A filter that cannot be destroyed ends with the session.
    async fn drop_filter(&mut self, filter: &ManagedObject) {
        let _ = self.call("DestroyPropertyFilter", filter, &[], Repeat::WithinSession).await;
    }

    /// Waits until a task has ended, and gives its result (an empty element where it has none).
    ///
    /// # Errors
    /// The task ended in error, did not end in time, or vCenter does not answer.
    pub(super) async fn wait_for_task(
        &mut self,
        task: &ManagedObject,
        method: &str,
        target: &ManagedObject,
        limit: Duration,
    ) -> Result<Element, VSphereError> {
        let what = format!("{method} on {target}");
        let end = self
            .wait_for(task, &["info.error", "info.result", "info.state"], &what, limit, |seen| {
                match seen.text("info.state") {
                    Some("success") => Some(Ok(seen.get("info.result").cloned().unwrap_or_default())),
                    Some("error") => Some(Err(local_fault(seen.get("info.error")))),
                    _ => None,
                }
            })
            .await?;
        end.map_err(|fault| VSphereError::TaskFailed { method: method.to_owned(), target: target.clone(), fault })
    }
}

/// A `LocalizedMethodFault`.
pub(super) fn local_fault(error: Option<&Element>) -> Fault {
    let Some(error) = error else { return Fault::default() };
    let kind = error.child("fault").and_then(|fault| fault.kind.clone()).unwrap_or_default();
    Fault { kind, message: error.text_at("localizedMessage").unwrap_or_default().to_owned() }
}

fn describe(value: &Element) -> String {
    if value.children.is_empty() { value.text.clone() } else { format!("has {} parts", value.children.len()) }
}
