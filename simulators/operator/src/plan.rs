//! What has to change so that the configuration is as the operator wants it.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use crate::OperatorConfig;
use crate::observed::{Endpoint, Observed};

/// One change: a call in a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) method: Method,
    /// Path below `configuration/`, with the query that names the parent.
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
}

impl Change {
    fn new(method: Method, path: String, body: Option<Value>) -> Change {
        Change { method, path, body }
    }
}

/// The changes that lead from what there is to what is wanted, in an order in which every call finds its parent. Objects of
/// others are never named.
pub(crate) fn changes(config: &OperatorConfig, observed: &Observed) -> Vec<Change> {
    let mut changes = Vec::new();
    let wanted: BTreeMap<String, _> =
        config.load_balancers.iter().map(|balancer| (config.prefix() + &balancer.name, balancer)).collect();
    for (name, balancer) in &wanted {
        if !observed.backends.contains(name) {
            let body = json!({
                "name": name, "mode": "tcp", "balance": {"algorithm": "roundrobin"}, "adv_check": "tcp-check",
            });
            changes.push(Change::new(Method::POST, "backends".to_owned(), Some(body)));
        }
        let servers = balancer.backends.iter().enumerate();
        let servers = servers.map(|(index, at)| (format!("s{}", index + 1), (at.ip().to_string(), at.port().into())));
        let body = |name: &str, (address, port): &Endpoint| json!({"name": name, "address": address, "port": port, "check": "enabled"});
        let there = children(&observed.servers, name);
        changes.extend(lines("servers", "backend", name, &servers.collect(), &there, body));

        let frontend = json!({"name": name, "mode": "tcp", "default_backend": name});
        match observed.frontends.get(name) {
            None => changes.push(Change::new(Method::POST, "frontends".to_owned(), Some(frontend))),
            Some(backend) if backend.as_ref() == Some(name) => {}
            Some(_) => changes.push(Change::new(Method::PUT, format!("frontends/{name}"), Some(frontend))),
        }
        let bind = BTreeMap::from([(name.clone(), (balancer.vip.to_string(), balancer.port.into()))]);
        let body = |name: &str, (address, port): &Endpoint| json!({"name": name, "address": address, "port": port});
        changes.extend(lines("binds", "frontend", name, &bind, &children(&observed.binds, name), body));
    }
    // A frontend goes before the backend that it names.
    for name in observed.frontends.keys().filter(|name| !wanted.contains_key(*name)) {
        changes.push(Change::new(Method::DELETE, format!("frontends/{name}"), None));
    }
    for name in observed.backends.iter().filter(|name| !wanted.contains_key(*name)) {
        changes.push(Change::new(Method::DELETE, format!("backends/{name}"), None));
    }
    changes
}

/// The children of one parent.
fn children(all: &BTreeMap<(String, String), Endpoint>, parent: &str) -> BTreeMap<String, Endpoint> {
    let own = all.iter().filter(|((owner, _), _)| owner == parent);
    own.map(|((_, name), endpoint)| (name.clone(), endpoint.clone())).collect()
}

/// The changes to the lines of one parent.
fn lines(
    collection: &str,
    kind: &str,
    parent: &str,
    wanted: &BTreeMap<String, Endpoint>,
    there: &BTreeMap<String, Endpoint>,
    body: impl Fn(&str, &Endpoint) -> Value,
) -> Vec<Change> {
    let path = |name: &str| format!("{collection}{name}?{kind}={parent}");
    let gone = there.keys().filter(|name| !wanted.contains_key(*name));
    let gone = gone.map(|name| Change::new(Method::DELETE, path(&format!("/{name}")), None));
    let new = wanted.iter().filter_map(|(name, endpoint)| match there.get(name) {
        None => Some(Change::new(Method::POST, path(""), Some(body(name, endpoint)))),
        Some(present) if present == endpoint => None,
        Some(_) => Some(Change::new(Method::PUT, path(&format!("/{name}")), Some(body(name, endpoint)))),
    });
    gone.chain(new).collect()
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;
    use crate::LoadBalancer;

    pub(crate) fn config() -> OperatorConfig {
        OperatorConfig {
            cluster: "supervisor".into(),
            addresses: vec!["198.18.1.50/24".parse().unwrap()],
            endpoint: "198.18.0.10:5556".into(),
            user: "operator".into(),
            password: "operator-password".into(),
            pin: "ab".into(),
            backoff_initial_ms: 1_000,
            backoff_max_ms: 300_000,
            resync_ms: 30_000,
            load_balancers: vec![LoadBalancer {
                name: "shop".into(),
                vip: "198.18.2.20".parse().unwrap(),
                port: 443,
                backends: vec!["198.18.1.40:8080".parse().unwrap(), "198.18.1.41:8080".parse().unwrap()],
            }],
        }
    }

    /// What there is once [`config`] is programmed.
    pub(crate) fn programmed() -> Observed {
        let name = "supervisor-shop".to_owned();
        let key = |child: &str| (name.clone(), child.to_owned());
        Observed {
            version: 2,
            frontends: BTreeMap::from([(name.clone(), Some(name.clone()))]),
            backends: [name.clone()].into(),
            binds: BTreeMap::from([(key(&name), ("198.18.2.20".into(), 443))]),
            servers: BTreeMap::from([
                (key("s1"), ("198.18.1.40".into(), 8080)),
                (key("s2"), ("198.18.1.41".into(), 8080)),
            ]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(config: &OperatorConfig, observed: &Observed) -> Vec<String> {
        changes(config, observed).iter().map(|change| format!("{} {}", change.method, change.path)).collect()
    }

    #[test]
    fn from_nothing_parents_come_first() {
        let expected = [
            "POST backends",
            "POST servers?backend=supervisor-shop",
            "POST servers?backend=supervisor-shop",
            "POST frontends",
            "POST binds?frontend=supervisor-shop",
        ];
        assert_eq!(calls(&samples::config(), &Observed::default()), expected);
    }

    #[test]
    fn what_is_as_wanted_is_left_alone() {
        assert!(calls(&samples::config(), &samples::programmed()).is_empty());
    }

    #[test]
    fn differences_are_mended_one_by_one() {
        let mut observed = samples::programmed();
        let name = "supervisor-shop";
        observed.servers.insert((name.into(), "s1".into()), ("198.18.1.99".into(), 8080));
        observed.servers.insert((name.into(), "s3".into()), ("198.18.1.42".into(), 8080));
        observed.frontends.insert(name.into(), None);
        observed.frontends.insert("supervisor-old".into(), Some("supervisor-old".into()));
        observed.backends.insert("supervisor-old".into());
        let expected = [
            "DELETE servers/s3?backend=supervisor-shop",
            "PUT servers/s1?backend=supervisor-shop",
            "PUT frontends/supervisor-shop",
            "DELETE frontends/supervisor-old",
            "DELETE backends/supervisor-old",
        ];
        assert_eq!(calls(&samples::config(), &observed), expected);
    }
}
