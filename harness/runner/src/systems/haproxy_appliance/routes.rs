//! Routes, read from the configuration on disk and from what the running process says.
//!
//! An oracle of its own: it shares no code with the Data Plane API that wrote the file.

use std::collections::{BTreeMap, BTreeSet};

use grenadier_catalog::{Cluster, Named};
use grenadier_checks::{Route, RoutesByCluster};
use serde_json::Value;

/// The cluster a frontend belongs to: operators put their cluster's name before the load balancer's.
fn cluster_of(frontend: &str) -> Option<&'static str> {
    let of = |cluster: &&Cluster| frontend.strip_prefix(cluster.name()).is_some_and(|rest| rest.starts_with('-'));
    Cluster::ALL.iter().find(of).map(|cluster| cluster.name())
}

/// What `haproxy.cfg` says. Frontends that no operator owns are left out.
pub(super) fn in_file(text: &str) -> RoutesByCluster {
    let mut binds: BTreeMap<&str, Vec<(String, u16)>> = BTreeMap::new();
    let mut used: BTreeMap<&str, &str> = BTreeMap::new();
    let mut servers: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut section = ("", "");
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
        let indented = line.starts_with([' ', '\t']);
        match (indented, words.as_slice()) {
            (false, [keyword @ ("frontend" | "backend"), name, ..]) => {
                section = (*keyword, *name);
                if *keyword == "frontend" {
                    binds.entry(name).or_default();
                }
            }
            (false, [_, ..]) => section = ("", ""),
            (true, ["bind", address, ..]) if section.0 == "frontend" => {
                let bind = address.rsplit_once(':').and_then(|(ip, port)| Some((ip.to_owned(), port.parse().ok()?)));
                binds.entry(section.1).or_default().extend(bind);
            }
            (true, ["default_backend", name, ..]) if section.0 == "frontend" => {
                used.insert(section.1, name);
            }
            (true, ["server", _, address, ..]) if section.0 == "backend" => {
                servers.entry(section.1).or_default().insert((*address).to_owned());
            }
            _ => {}
        }
    }
    let mut routes = RoutesByCluster::new();
    for (frontend, binds) in binds {
        let Some(cluster) = cluster_of(frontend) else { continue };
        let backends = used.get(frontend).and_then(|name| servers.get(name)).cloned().unwrap_or_default();
        let of_cluster = routes.entry(cluster.to_owned()).or_default();
        of_cluster.extend(binds.into_iter().map(|(vip, port)| Route { vip, port, backends: backends.clone() }));
    }
    routes
}

/// What the running process serves, as the guest's state tells.
pub(super) fn in_process(state: &Value) -> RoutesByCluster {
    let mut routes = RoutesByCluster::new();
    for route in state.pointer("/haproxy/routes").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| route.get(key).and_then(Value::as_str);
        let (Some(frontend), Some(vip)) = (text("frontend"), text("address")) else { continue };
        let port = route.get("port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
        let (Some(cluster), Some(port)) = (cluster_of(frontend), port) else { continue };
        let servers = route.get("servers").and_then(Value::as_array).into_iter().flatten();
        let backends = servers.filter_map(Value::as_str).map(str::to_owned).collect();
        routes.entry(cluster.to_owned()).or_default().insert(Route { vip: vip.to_owned(), port, backends });
    }
    routes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FILE: &str = "# _version=4
global
  daemon

frontend supervisor-shop
  bind 198.18.32.20:443 name supervisor-shop
  default_backend supervisor-shop

frontend stats
  bind 127.0.0.1:9000

backend supervisor-shop
  server s1 198.18.18.65:8080
  server s2 198.18.18.66:8080 # spare
";

    #[test]
    fn file_and_process_tell_the_same_routes() {
        let file = in_file(FILE);
        let state = json!({"haproxy": {"routes": [{
            "frontend": "supervisor-shop", "address": "198.18.32.20", "port": 443,
            "servers": ["198.18.18.66:8080", "198.18.18.65:8080"],
        }]}});
        assert_eq!(file, in_process(&state));
        assert_eq!(file.keys().collect::<Vec<_>>(), ["supervisor"], "what no operator owns is no route");
        assert_eq!(file["supervisor"].first().unwrap().backends.len(), 2);
    }

    #[test]
    fn a_route_that_only_one_of_them_has_shows() {
        assert_ne!(in_file(FILE), in_process(&json!({"haproxy": {"routes": []}})));
        assert_ne!(in_file(FILE), in_file(&FILE.replace("8080 #", "8081 #")));
    }
}
