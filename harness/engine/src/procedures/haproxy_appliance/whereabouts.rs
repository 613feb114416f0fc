//! What somebody who has to take over needs to know.

use crate::procedures::haproxy_appliance::swap::Swap;
use crate::report::chain;

impl Swap {
    /// Which machine is on, and where certificate and customisations are.
    pub(super) async fn whereabouts(&mut self) -> String {
        let (old, new) = (self.parameters.old_name.clone(), self.parameters.new_name.clone());
        let old_seen = self.seen(&old).await;
        let new_seen = self.seen(&new).await;
        let mut parts = vec![format!("{old} {}", old_seen.text), format!("{new} {}", new_seen.text)];
        if self.findings.certificates.is_some() {
            let mut places = vec!["sealed with root's password in the journal".to_owned()];
            if new_seen.there {
                places.insert(0, format!("among {new}'s OVF inputs (appliance.ca_cert, appliance.ca_cert_key)"));
            }
            if old_seen.there {
                places.insert(0, format!("in /etc/haproxy on {old}'s disk"));
            }
            parts.push(format!("the certificate and its key are {}", places.join(", ")));
        }
        if self.findings.customisations.as_ref().is_some_and(|found| !found.is_empty()) {
            let disk = if old_seen.there { format!("in /etc/haproxy on {old}'s disk, ") } else { String::new() };
            parts.push(format!("the customisations are {disk}sealed with root's password in the journal"));
        }
        parts.join("; ")
    }

    async fn seen(&mut self, name: &str) -> Seen {
        let path = self.path(name);
        let state = match self.vsphere.find(&path).await {
            Ok(Some(machine)) => self.vsphere.power_state(&machine).await,
            Ok(None) => return Seen { there: false, text: "is not there".to_owned() },
            Err(error) => Err(error),
        };
        match state {
            Ok(state) => Seen { there: true, text: format!("is {}", state.name()) },
            Err(error) => Seen { there: true, text: format!("cannot be seen ({})", chain(&error)) },
        }
    }

    /// `govc` on one of the machines. It takes vCenter and account from the variables `GOVC_URL`, `GOVC_USERNAME` and
    /// `GOVC_PASSWORD`.
    pub(super) fn govc(&self, command: &str, name: &str) -> String {
        format!("`govc {command} /{}`", self.path(name))
    }
}

/// A machine as vCenter shows it.
struct Seen {
    /// Whether it is there, or may be.
    there: bool,
    text: String,
}
