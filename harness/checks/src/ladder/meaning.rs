//! What a state means, apart from how it is written down.

use std::collections::{BTreeMap, BTreeSet};

use grenadier_events::Power;
use serde::{Deserialize, Serialize};

use crate::inventory::ItemKind;
use crate::{Difference, Residual, RoutesByCluster};

/// What one machine means to the rest of the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeaningOf {
    /// On or off.
    pub power: Power,
    /// The addresses and ranges it answers for, as `segment address`.
    pub addresses: BTreeSet<String>,
}

/// What the machines mean to the rest of the world, by name.
pub type Meaning = BTreeMap<String, MeaningOf>;

/// The differences in meaning. A machine that a residual declares may be there more, if it is off.
pub(super) fn differences(
    base: (&Meaning, &RoutesByCluster),
    now: (&Meaning, &RoutesByCluster),
    residuals: &[Residual],
) -> Vec<Difference> {
    let mut found = Vec::new();
    let names: BTreeSet<&String> = base.0.keys().chain(now.0.keys()).collect();
    for name in names {
        let (before, after) = (base.0.get(name), now.0.get(name));
        let may_remain = || {
            let item = (ItemKind::Machine, name.clone());
            residuals.iter().any(|residual| residual.items.0.contains(&item))
        };
        let quiet = after.is_some_and(|after| after.power == Power::Off && after.addresses.is_empty());
        if before == after || (before.is_none() && quiet && may_remain()) {
            continue;
        }
        found.push(Difference::changed(
            &format!("machine {name}"),
            before.map(words).as_deref(),
            after.map(words).as_deref(),
        ));
    }
    let clusters: BTreeSet<&String> = base.1.keys().chain(now.1.keys()).collect();
    for cluster in clusters {
        let routes = |of: &RoutesByCluster| {
            of.get(cluster).into_iter().flatten().map(|route| format!("{route}\n")).collect::<String>()
        };
        let (before, after) = (routes(base.1), routes(now.1));
        if before != after {
            let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let path = format!("routes of {cluster}");
            found.push(Difference::changed(&path, some(&before).as_deref(), some(&after).as_deref()));
        }
    }
    found
}

fn words(of: &MeaningOf) -> String {
    let power = match of.power {
        Power::On => "on",
        Power::Off => "off",
    };
    let addresses: Vec<&str> = of.addresses.iter().map(String::as_str).collect();
    if addresses.is_empty() { power.to_owned() } else { format!("{power}, answers for {}", addresses.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Inventory;

    fn machine(power: Power, addresses: &[&str]) -> MeaningOf {
        MeaningOf { power, addresses: addresses.iter().map(|text| (*text).to_owned()).collect() }
    }

    #[test]
    fn a_declared_machine_may_remain_only_if_it_is_off() {
        let base: Meaning = [("haproxy".to_owned(), machine(Power::On, &["frontend 198.18.2.16/28"]))].into();
        let routes = RoutesByCluster::new();
        let residual = Residual {
            name: "new-appliance-powered-off".into(),
            items: Inventory::default().with(ItemKind::Machine, "new"),
            ..Residual::default()
        };
        let with_new = |power| {
            let mut now = base.clone();
            now.insert("new".into(), machine(power, &[]));
            differences((&base, &routes), (&now, &routes), std::slice::from_ref(&residual)).len()
        };
        assert_eq!((with_new(Power::Off), with_new(Power::On)), (0, 1));
        let gone = differences((&base, &routes), (&Meaning::new(), &routes), &[]);
        assert_eq!(gone[0].to_string(), "machine haproxy: on, answers for frontend 198.18.2.16/28, now gone");
    }
}
