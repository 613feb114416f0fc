//! Policy routing, so that answers leave by the network that the request came from (vmware-haproxy `routetablectl.sh`).

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use grenadier_guest::{Host, RouteRule};
use ipnet::{IpNet, Ipv4Net};

use crate::{Facts, RulesOnStop, anyip, fidelity, journal, paths};

/// The service's name.
pub(crate) const SERVICE: &str = "route-tables";

const PREFIX: &str = "rtctl_";

/// The service and the routes in its tables, which are kernel state: a power-off loses them.
#[derive(Clone, Debug, Default)]
pub(crate) struct RouteTables {
    /// Tables with a default route, and the gateway.
    gateways: BTreeSet<(String, IpAddr)>,
    /// Link-scoped routes by table.
    links: BTreeSet<(String, IpNet)>,
}

/// One line of the configuration: `2,workload,INTERFACE,198.18.1.10/24[,GATEWAY]`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    table: String,
    address: IpNet,
    gateway: Option<IpAddr>,
}

impl Line {
    fn parse(text: &str) -> Option<Line> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let (&[_, table, _, address], gateway) = parts.split_at_checked(4)? else { return None };
        let gateway = match gateway {
            [] => None,
            [gateway] => Some(gateway.parse().ok()?),
            _ => return None,
        };
        Some(Line { table: format!("{PREFIX}{table}"), address: address.parse().ok()?, gateway })
    }
}

impl RouteTables {
    /// Sets routes and rules; what the service set before is taken down first, as far as this version manages to.
    ///
    /// # Errors
    /// A table has its default route already: `ip route add` fails, and the script with it. What comes after is not set.
    pub(crate) fn up(&mut self, facts: &Facts, host: &mut dyn Host) -> Result<(), String> {
        self.down(facts, host);
        if facts.additional_workload_networks {
            for network in lines(host, paths::WORKLOAD_NETWORKS_CFG).iter().filter_map(|line| anyip::parse_range(line))
            {
                let anywhere = IpNet::from(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0));
                let table = format!("{PREFIX}workload");
                add_rule(host, RouteRule { from: anywhere, to: Some(network), table });
            }
        }
        for text in lines(host, paths::ROUTE_TABLES_CFG) {
            let Some(Line { table, address, gateway }) = Line::parse(&text) else {
                journal::log(host, SERVICE, &format!("cannot read line \"{text}\""));
                continue;
            };
            match gateway {
                Some(gateway) => {
                    journal::log(host, SERVICE, &format!("ip route add table {table} default via {gateway}"));
                    if !self.gateways.insert((table.clone(), gateway)) && host.holds(&fidelity::ROUTES_TWICE) {
                        let error = "RTNETLINK answers: File exists".to_owned();
                        journal::log(host, SERVICE, &error);
                        return Err(error);
                    }
                    add_rule(host, RouteRule { from: address.trunc(), to: None, table });
                }
                None => {
                    let network = address.trunc();
                    journal::log(host, SERVICE, &format!("ip route add table {table} {network} scope link"));
                    if !self.links.insert((table, network)) {
                        journal::log(host, SERVICE, "RTNETLINK answers: File exists");
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes the default routes down and deletes as many rules as this version deletes. Link-scoped routes stay
    /// (vmware-haproxy #10).
    pub(crate) fn down(&mut self, facts: &Facts, host: &mut dyn Host) {
        let tables: BTreeSet<String> = self
            .gateways
            .iter()
            .map(|(table, _)| table)
            .chain(self.links.iter().map(|(table, _)| table))
            .cloned()
            .collect();
        for table in tables {
            match facts.route_rules_on_stop {
                RulesOnStop::DeletesNone if host.holds(&fidelity::RULES_STAY) => {
                    let line = "Object \"call\" is unknown, try \"ip help\".";
                    journal::log(host, SERVICE, line);
                }
                RulesOnStop::DeletesOne | RulesOnStop::DeletesNone => {
                    let found = host.route_rules().into_iter().find(|rule| rule.table == table);
                    match found {
                        Some(rule) => {
                            journal::log(
                                host,
                                SERVICE,
                                &format!("removing ip rule: from {} lookup {table}", rule.from),
                            );
                            host.remove_route_rule(&rule);
                        }
                        None => journal::log(host, SERVICE, "ignoring failed attempt to find existing table"),
                    }
                }
            }
        }
        self.gateways.clear();
        if !self.links.is_empty() && !host.holds(&fidelity::LINK_ROUTES) {
            self.links.clear();
        }
    }

    /// `ip route show table all`, as far as it is about these tables.
    pub(crate) fn show(&self) -> String {
        let dev = |table: &str| table.trim_start_matches(PREFIX).to_owned();
        let defaults =
            self.gateways.iter().map(|(table, via)| format!("default via {via} dev {} table {table}\n", dev(table)));
        let links = self
            .links
            .iter()
            .map(|(table, network)| format!("{network} dev {} table {table} scope link\n", dev(table)));
        defaults.chain(links).collect()
    }

    /// The routes in its tables, as text in order.
    pub(crate) fn routes(&self) -> Vec<String> {
        let defaults = self.gateways.iter().map(|(table, gateway)| format!("{table} default via {gateway}"));
        let links = self.links.iter().map(|(table, network)| format!("{table} {network} scope link"));
        defaults.chain(links).collect()
    }
}

fn add_rule(host: &mut dyn Host, rule: RouteRule) {
    let to = rule.to.map(|to| format!(" to {to}")).unwrap_or_default();
    journal::log(host, SERVICE, &format!("ip rule add from {}{to} lookup {}", rule.from, rule.table));
    host.add_route_rule(rule);
}

fn lines(host: &dyn Host, path: &str) -> Vec<String> {
    let content = host.read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&content);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

/// `ip rule show`: the kernel's own rules around those that were added; a later one gets the lower number and goes first.
pub(crate) fn show_rules(host: &dyn Host) -> String {
    let mut text = "0:\tfrom all lookup local\n".to_owned();
    let rules = host.route_rules();
    let first = 32_766_usize.saturating_sub(rules.len());
    for (index, rule) in rules.iter().rev().enumerate() {
        let from = if rule.from.prefix_len() == 0 { "all".to_owned() } else { rule.from.to_string() };
        let to = rule.to.map(|to| format!(" to {to}")).unwrap_or_default();
        text.push_str(&format!("{}:\tfrom {from}{to} lookup {}\n", first + index, rule.table));
    }
    text + "32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n"
}

#[cfg(test)]
mod tests {
    use grenadier_guest::testing::TestHost;
    use rstest::rstest;

    use super::*;
    use crate::facts::samples::facts;

    const CONFIGURATION: &str = "# a comment\n2,workload,workload,198.18.1.10/24,198.18.1.1\n\
                                 2,workload,workload,198.18.1.10/24\n3,frontend,frontend,198.18.2.10/24,198.18.2.1\n";

    #[rstest]
    #[case("v0.1.10", 2, 0)]
    #[case("v0.2.0", 4, 4)]
    fn a_restart_doubles_the_rules_where_stopping_deletes_none(
        #[case] version: &str,
        #[case] after_restart: usize,
        #[case] after_stop: usize,
    ) {
        let host = &mut TestHost::default();
        let (mut tables, facts) = (RouteTables::default(), facts(version));
        host.files.insert(paths::ROUTE_TABLES_CFG.into(), CONFIGURATION.into());
        tables.up(&facts, host).unwrap();
        assert_eq!(host.rules.len(), 2);
        assert_eq!(tables.routes().len(), 3);
        tables.down(&facts, host);
        assert_eq!(tables.routes(), ["rtctl_workload 198.18.1.0/24 scope link"], "link-scoped routes survive a stop");
        tables.up(&facts, host).unwrap();
        assert_eq!(host.rules.len(), after_restart);
        tables.down(&facts, host);
        assert_eq!(host.rules.len(), after_stop);
    }

    #[test]
    fn a_line_that_is_there_twice_ends_the_script() {
        let host = &mut TestHost::default();
        let twice = CONFIGURATION.replace("3,frontend", "2,workload,workload,198.18.1.10/24,198.18.1.1\n3,frontend");
        host.files.insert(paths::ROUTE_TABLES_CFG.into(), twice.into());
        let mut tables = RouteTables::default();
        assert_eq!(tables.up(&facts("v0.1.10"), host), Err("RTNETLINK answers: File exists".to_owned()));
        let shown = "default via 198.18.1.1 dev workload table rtctl_workload\n\
                     198.18.1.0/24 dev workload table rtctl_workload scope link\n";
        assert_eq!(tables.show(), shown, "the frontend's line comes after");
    }

    #[test]
    fn additional_workload_networks_get_rules_where_the_version_knows_them() {
        for (version, rules) in [("v0.1.10", 0), ("v0.2.0", 2)] {
            let host = &mut TestHost::default();
            host.files.insert(paths::WORKLOAD_NETWORKS_CFG.into(), "198.18.8.0/24\n198.18.9.0/24\n".into());
            RouteTables::default().up(&facts(version), host).unwrap();
            assert_eq!(host.rules.len(), rules, "{version}");
        }
    }

    #[test]
    fn rules_are_shown_as_ip_shows_them() {
        let host = &mut TestHost::default();
        host.files.insert(paths::ROUTE_TABLES_CFG.into(), CONFIGURATION.into());
        RouteTables::default().up(&facts("v0.1.10"), host).unwrap();
        let expected = "0:\tfrom all lookup local\n32764:\tfrom 198.18.2.0/24 lookup rtctl_frontend\n\
                        32765:\tfrom 198.18.1.0/24 lookup rtctl_workload\n32766:\tfrom all lookup main\n\
                        32767:\tfrom all lookup default\n";
        assert_eq!(show_rules(host), expected);
    }
}
