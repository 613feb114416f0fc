//! What the kernel of a machine has, as the kernel itself tells: the way packets go, whoever made it so.
//!
//! A guest knows what it has ordered. What somebody else has done to its machine, or what a script of its own has left behind, only the
//! kernel knows, and that is what a rollback has to bring back.

use std::collections::BTreeMap;

use grenadier_guest::{Guest, Host, Input};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::network::{NetworkError, ip};

/// A guest whose state has what the kernel tells beside what the guest knows, under `kernel`.
pub(crate) struct WithKernel(pub(crate) Box<dyn Guest>);

impl Guest for WithKernel {
    fn handle(&mut self, input: Input, host: &mut dyn Host) {
        self.0.handle(input, host);
    }

    fn state(&self) -> Value {
        let mut state = self.0.state();
        if let Some(fields) = state.as_object_mut() {
            // What cannot be read is in the state as well: it differs from what was read before.
            let told = observe().unwrap_or_else(|error| json!({"unreadable": error.to_string()}));
            fields.insert("kernel".to_owned(), told);
        }
        state
    }

    fn boxed_clone(&self) -> Box<dyn Guest> {
        Box::new(WithKernel(self.0.boxed_clone()))
    }
}

#[derive(Deserialize)]
struct Link {
    ifname: String,
    address: Option<String>,
    operstate: Option<String>,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    local: Option<String>,
    prefixlen: Option<u8>,
}

/// Rules and routes as `ip` prints them, each with the number of its copies, and the cards with their addresses. IPv4.
fn observe() -> Result<Value, NetworkError> {
    let rules = counted(&["-4", "rule", "show"])?;
    let routes = counted(&["-4", "route", "show", "table", "all"])?;
    let links: Vec<Link> = serde_json::from_str(&told(&["-4", "-json", "address", "show"])?)
        .map_err(|error| NetworkError::Run(error.to_string()))?;
    let links: BTreeMap<String, Value> = links.into_iter().map(shown).collect();
    Ok(json!({"rules": rules, "routes": routes, "links": links}))
}

/// A card: its name, and what it is. Interface numbers differ from start to start.
fn shown(link: Link) -> (String, Value) {
    let address = |address: Address| Some(format!("{}/{}", address.local?, address.prefixlen?));
    let mut addresses: Vec<String> = link.addr_info.into_iter().filter_map(address).collect();
    addresses.sort();
    (link.ifname, json!({"address": link.address, "state": link.operstate, "addresses": addresses}))
}

/// How often each line is printed.
fn counted(arguments: &[&str]) -> Result<BTreeMap<String, u32>, NetworkError> {
    let mut lines = BTreeMap::new();
    for line in told(arguments)?.lines() {
        *lines.entry(normal(line)).or_default() += 1;
    }
    Ok(lines)
}

/// A line without the priority that the kernel gives a rule by its turn, and with one blank between words.
fn normal(line: &str) -> String {
    let line = line.split_once(":\t").map_or(line, |(_, rule)| rule);
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn told(arguments: &[&str]) -> Result<String, NetworkError> {
    let (ok, text, message) = ip(arguments)?;
    if ok { Ok(text) } else { Err(NetworkError::Refused { what: arguments.join(" "), message }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_the_same_whatever_its_turn() {
        assert_eq!(
            normal("32765:\tfrom 198.18.2.0/24 lookup rtctl_frontend "),
            "from 198.18.2.0/24 lookup rtctl_frontend"
        );
        assert_eq!(normal("default via 198.18.2.1 dev eth1 table 1000"), "default via 198.18.2.1 dev eth1 table 1000");
    }

    #[test]
    fn a_card_is_told_without_its_number() {
        let text = r#"[{"ifindex": 7, "ifname": "eth0", "address": "00:50:56:80:00:01", "operstate": "UP",
            "addr_info": [{"family": "inet", "local": "198.18.2.10", "prefixlen": 24}]}, {"ifname": "lo"}]"#;
        let links: Vec<Link> = serde_json::from_str(text).unwrap();
        let links: BTreeMap<String, Value> = links.into_iter().map(shown).collect();
        let eth0 = json!({"address": "00:50:56:80:00:01", "state": "UP", "addresses": ["198.18.2.10/24"]});
        assert_eq!(links["eth0"], eth0);
        assert_eq!(links["lo"]["addresses"], json!([]));
    }
}
