//! What the running worker has, asked of the worker itself.
//!
//! Its listeners are told by `show fd` (frontend, port, whether it is paused) and by the kernel (at which addresses somebody
//! listens); its servers, their addresses and states by `show servers state`. Counters are never looked at, so that two looks
//! at a HAProxy in which nothing changed are alike. No command tells a frontend's default backend or a bind's certificate:
//! those are as the file said when it was loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use grenadier_haproxy_appliance::server_state;
use serde_json::{Map, Value, json};

use super::master;

/// Frontends of HAProxy's own: its sockets for commands.
const OWN: [&str; 2] = ["GLOBAL", "MASTER"];

/// Bits of `srv_admin_state`: forced and inherited maintenance, and maintenance because a name has no address (HAProxy 3.0
/// management guide, `show servers state`). The bit of maintenance by the file (0x04) stays when somebody ends it.
const MAINTENANCE: u32 = 0x01 | 0x02 | 0x20;
/// Bits of `srv_admin_state`: forced and inherited drain.
const DRAIN: u32 = 0x08 | 0x10;

/// What a worker has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Running {
    version: Option<String>,
    listeners: Vec<Listener>,
    servers: Vec<Server>,
    /// Where anybody in this machine listens; no address is all of them.
    listening: BTreeSet<(Option<IpAddr>, u16)>,
}

/// A listener of a frontend.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Listener {
    frontend: String,
    port: u16,
    paused: bool,
}

/// A server of a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Server {
    backend: String,
    name: String,
    address: String,
    state: &'static str,
}

impl Running {
    /// Asks the present worker.
    ///
    /// # Errors
    /// The master or the worker does not answer.
    pub(super) fn ask() -> std::io::Result<Running> {
        let info = master::ask("@1 show info")?;
        let fds = master::ask("@1 show fd")?;
        let servers = master::ask("@1 show servers state")?;
        // The second one is not there on a machine without IPv6.
        let sockets = ["/proc/net/tcp", "/proc/net/tcp6"].map(|file| std::fs::read_to_string(file).unwrap_or_default());
        Ok(Running { version: version(&info), ..Running::read(&fds, &servers, &sockets) })
    }

    fn read(fds: &str, servers: &str, sockets: &[String]) -> Running {
        Running {
            version: None,
            listeners: fds.lines().filter_map(listener).collect(),
            servers: servers.lines().filter_map(server).collect(),
            listening: sockets.iter().flat_map(|table| table.lines().filter_map(listening)).collect(),
        }
    }

    /// Its state in the shape that the model gives, out of `loaded`, which is the model's state of the file that was loaded.
    pub(super) fn state(&self, mut loaded: Value) -> Value {
        loaded["version"] = json!(self.version);
        let known = loaded["routes"].as_array().cloned().unwrap_or_default();
        loaded["paused"] = json!(!self.listeners.is_empty() && self.listeners.iter().all(|listener| listener.paused));
        loaded["routes"] = self.routes(known);
        loaded["servers"] = self.servers();
        loaded
    }

    /// The routes that are really listened for: those of the file as far as there is a listener, then listeners of which the
    /// file knows nothing.
    fn routes(&self, known: Vec<Value>) -> Value {
        let mut unclaimed = self.listeners.clone();
        let mut free = self.listening.clone();
        let mut routes = Vec::new();
        for mut route in known {
            let (Some(frontend), Some(port)) = (route["frontend"].as_str(), port(&route)) else { continue };
            let place = (address(&route), port);
            let open = |listener: &Listener| {
                listener.frontend == frontend
                    && listener.port == port
                    && (listener.paused || self.listening.contains(&place))
            };
            let Some(index) = unclaimed.iter().position(open) else { continue };
            unclaimed.remove(index);
            free.remove(&place);
            if let Some(backend) = route["backend"].as_str() {
                route["servers"] = self.serving(backend);
            }
            routes.push(route);
        }
        for Listener { frontend, port, .. } in unclaimed {
            let place = free.iter().find(|(_, at)| *at == port).copied();
            place.inspect(|place| {
                free.remove(place);
            });
            routes.push(json!({
                "frontend": frontend, "backend": null, "address": place.and_then(|(address, _)| address), "port": port,
                "certificate": null, "servers": [],
            }));
        }
        Value::Array(routes)
    }

    /// The addresses of the servers that are to get connections, whether they are up or not.
    fn serving(&self, backend: &str) -> Value {
        let ready = [server_state::UP, server_state::DOWN];
        let servers = self.servers.iter().filter(|server| server.backend == backend && ready.contains(&server.state));
        servers.map(|server| json!(server.address)).collect()
    }

    fn servers(&self) -> Value {
        let mut backends: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        for Server { backend, name, address, state } in &self.servers {
            let server = json!({"address": address, "state": state});
            backends.entry(backend).or_default().insert(name.clone(), server);
        }
        json!(backends)
    }
}

fn address(route: &Value) -> Option<IpAddr> {
    route["address"].as_str()?.parse().ok()
}

fn port(route: &Value) -> Option<u16> {
    u16::try_from(route["port"].as_u64()?).ok()
}

/// The version in `show info`, without what Debian adds: `Version: 3.0.11-1+deb13u3`.
fn version(info: &str) -> Option<String> {
    let version = info.lines().find_map(|line| line.strip_prefix("Version: "))?;
    Some(version.split('-').next().unwrap_or(version).to_owned())
}

/// A line of `show fd` that is a TCP listener of a frontend: `… l.st=RDY fe=shop fam=ipv4 lport=443`.
fn listener(line: &str) -> Option<Listener> {
    let word = |key: &str| line.split_ascii_whitespace().find_map(|word| word.strip_prefix(key));
    let state = word("l.st=")?;
    let frontend = word("fe=").filter(|frontend| !OWN.contains(frontend))?;
    // A socket of another family has no port.
    let port = word("lport=")?.parse().ok()?;
    Some(Listener { frontend: frontend.to_owned(), port, paused: state == "PAU" })
}

/// A line of `show servers state`: backend's id and name, server's id and name, address, states, … name to resolve, port.
fn server(line: &str) -> Option<Server> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, backend, _, name, address, operational, admin, ..] = words[..] else { return None };
    if line.starts_with('#') || OWN.contains(&backend) {
        return None;
    }
    let (named, port) = (words.get(17)?, words.get(18)?);
    let address = match address.parse() {
        Ok(IpAddr::V6(address)) => format!("[{address}]:{port}"),
        Ok(IpAddr::V4(address)) => format!("{address}:{port}"),
        Err(_) => format!("{named}:{port}"),
    };
    let admin: u32 = admin.parse().ok()?;
    let state = match (admin & MAINTENANCE, admin & DRAIN, operational) {
        (0, 0, "0") => server_state::DOWN,
        (0, 0, _) => server_state::UP,
        (0, _, _) => server_state::DRAIN,
        _ => server_state::MAINTENANCE,
    };
    Some(Server { backend: backend.to_owned(), name: name.to_owned(), address, state })
}

/// A line of `/proc/net/tcp` or `/proc/net/tcp6` where somebody listens.
fn listening(line: &str) -> Option<(Option<IpAddr>, u16)> {
    const LISTEN: &str = "0A";
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, local, _, LISTEN, ..] = words[..] else { return None };
    let (address, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    // Each four bytes are printed as one number of the machine, whose bytes are in network order.
    let words: Option<Vec<[u8; 4]>> = (0..address.len() / 8)
        .map(|index| u32::from_str_radix(address.get(8 * index..8 * index + 8)?, 16).ok().map(u32::to_ne_bytes))
        .collect();
    let bytes = words?.concat();
    let address = match bytes.len() {
        4 => IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        _ => IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
    };
    Some((Some(address).filter(|address| !address.is_unspecified()), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Recorded with Debian's packages, one file in all three; long lines are cut where nobody reads them.
    const FD_2_2: &str = "      4 : st=0x21(R:rA W:Ra) ev=0x01(heopI) [lc] tmask=0x1 umask=0x0 owner=0x55b0 iocb=0x55af(mworker_accept_wrapper)
      6 : st=0x23(R:RA W:Ra) ev=0x00(heopi) [lC] tmask=0x3 umask=0x0 owner=0x55b0 iocb=0x55af(listener_accept) l.st=RDY fe=GLOBAL fam=unix
      7 : st=0x23(R:RA W:Ra) ev=0x00(heopi) [lC] tmask=0x3 umask=0x0 owner=0x55b0 iocb=0x55af(listener_accept) l.st=RDY fe=shop fam=ipv4 lport=8443
      8 : st=0x23(R:RA W:Ra) ev=0x00(heopi) [lC] tmask=0x3 umask=0x0 owner=0x55b0 iocb=0x55af(listener_accept) l.st=RDY fe=shop fam=ipv4 lport=8444
      9 : st=0x21(R:rA W:Ra) ev=0x00(heopi) [lc] tmask=0x2 umask=0x2 owner=0x7f4e iocb=0x55af(conn_fd_handler) back=0 cflg=0x00001300 fam=unix fe=GLOBAL mux=PASS

";
    const FD_3_0: &str = "      5 : st=0x020121(Cl heopI W:sRa R:srA) ref=0 gid=1 tmask=0x1 umask=0x0 prmsk=0x1 pwmsk=0x0 owner=0x7fa7 gen=0 tkov=0 iocb=0x5646(mworker_accept_wrapper+0)
      9 : st=0x120023(Cl heopi W:sRa R:sRA) ref=0 gid=1 tmask=0x3 umask=0x0 prmsk=0x3 pwmsk=0x0 owner=0x7fa7 gen=0 tkov=0 iocb=0x5646(sock_accept_iocb) l.st=RDY fe=shop fam=ipv4 lport=8443
     10 : st=0x120023(Cl heopi W:sRa R:sRA) ref=0 gid=1 tmask=0x3 umask=0x0 prmsk=0x3 pwmsk=0x0 owner=0x7fa7 gen=0 tkov=0 iocb=0x5646(sock_accept_iocb) l.st=RDY fe=shop fam=ipv4 lport=8444
     14 : st=0x120023(Cl heopi W:sRa R:sRA) ref=0 gid=1 tmask=0x3 umask=0x0 prmsk=0x3 pwmsk=0x0 owner=0x7fa7 gen=0 tkov=0 iocb=0x5646(sock_accept_iocb) l.st=RDY fe=GLOBAL fam=unix
     18 : st=0x000021(cl heopi W:sRa R:srA) ref=0 gid=1 tmask=0x1 umask=0x1 prmsk=0x0 pwmsk=0x0 owner=0x7fa7 gen=3 tkov=0 iocb=0x5646(sock_conn_iocb+0) back=0 cflg=0x00000300 cerr=0 fam=unix fe=GLOBAL mux=PASS

";
    const SERVERS_2_2: &str = "1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord
3 shop 1 s1 127.0.0.1 0 0 1 1 8 8 2 0 6 0 0 0 - 1001 -
3 shop 2 s2 127.0.0.1 0 5 1 1 8 1 0 0 8 0 0 0 - 1002 -
3 shop 3 s3 127.0.0.1 2 0 1 1 8 1 0 2 0 0 0 0 - 1003 -
4 lone 1 l1 127.0.0.1 2 12 1 1 8 1 0 2 0 0 0 0 - 1004 -
9 MASTER 1 cur-1 - 2 0 0 0 8 1 0 0 0 0 0 0 - 0 -

";
    const SERVERS_3_0: &str = "1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
3 shop 1 s1 127.0.0.1 0 0 1 1 7 8 2 0 6 0 0 0 - 1001 - 0 0 - - 0
3 shop 2 s2 127.0.0.1 0 5 1 1 7 1 0 0 8 0 0 0 - 1002 - 0 0 - - 0
3 shop 3 s3 127.0.0.1 2 0 1 1 7 1 0 2 0 0 0 0 - 1003 - 0 0 - - 0
4 lone 1 l1 127.0.0.1 2 12 1 1 7 1 0 2 0 0 0 0 - 1004 - 0 0 - - 0

";
    const SOCKETS: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 346670 1 000000005b19b3b1 100 0 1 10 0
   1: 00000000:20FC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 346672 1 000000000f155e03 100 0 0 10 0
   2: 0100007F:15B4 0100007F:1F9A 01 00000000:00000000 00:00000000 00000000     0        0 346671 1 00000000deb26090 100 0 0 10 0
";

    fn loaded() -> Value {
        let route = |port: u16, address: Value| {
            json!({"frontend": "shop", "backend": "shop", "address": address, "port": port, "certificate": null,
                "servers": ["127.0.0.1:1001", "127.0.0.1:1003"]})
        };
        json!({"running": true, "paused": false, "config": "hash",
            "routes": [route(8443, json!("127.0.0.1")), route(8444, Value::Null)], "servers": {}})
    }

    fn running(fds: &str, servers: &str) -> Running {
        Running::read(fds, servers, &[SOCKETS.to_owned(), String::new()])
    }

    #[test]
    fn every_generation_tells_its_routes_and_servers() {
        tells_routes_and_servers(FD_2_2, SERVERS_2_2);
        // 2.6.12 prints its listeners as 3.0 does.
        tells_routes_and_servers(FD_3_0, SERVERS_3_0);
    }

    fn tells_routes_and_servers(fds: &str, servers: &str) {
        let state = running(fds, servers).state(loaded());
        assert_eq!(state["routes"], loaded()["routes"]);
        assert_eq!((&state["paused"], &state["config"]), (&json!(false), &json!("hash")));
        let server = |port: u16, state: &str| json!({"address": format!("127.0.0.1:{port}"), "state": state});
        let expected = json!({
            "lone": {"l1": server(1004, "drain")},
            "shop": {"s1": server(1001, "down"), "s2": server(1002, "maintenance"), "s3": server(1003, "up")},
        });
        assert_eq!(state["servers"], expected);
    }

    #[test]
    fn a_server_in_maintenance_gets_no_connections() {
        let state = running(FD_3_0, &SERVERS_3_0.replace("s3 127.0.0.1 2 0", "s3 127.0.0.1 0 1")).state(loaded());
        assert_eq!(state["servers"]["shop"]["s3"]["state"], "maintenance");
        assert_eq!(state["routes"][0]["servers"], json!(["127.0.0.1:1001"]));
    }

    #[test]
    fn a_listener_that_is_gone_is_no_route_and_one_that_is_new_is() {
        let gone = FD_3_0.replace("fe=shop fam=ipv4 lport=8443", "fe=far fam=ipv4 lport=8443");
        let state = running(&gone, SERVERS_3_0).state(loaded());
        let routes = state["routes"].as_array().unwrap();
        let named = |route: &Value| (route["frontend"].clone(), route["port"].clone(), route["address"].clone());
        let expected = [(json!("shop"), json!(8444), Value::Null), (json!("far"), json!(8443), json!("127.0.0.1"))];
        assert_eq!(routes.iter().map(named).collect::<Vec<_>>(), expected);

        let silent = Running::read(FD_3_0, SERVERS_3_0, &[]).state(loaded());
        let at: Vec<&Value> = silent["routes"].as_array().unwrap().iter().map(|route| &route["address"]).collect();
        assert_eq!(at, [&Value::Null, &Value::Null], "where nobody listens there is no address to tell");
    }

    #[test]
    fn listeners_that_are_all_paused_show() {
        let state = running(&FD_2_2.replace("l.st=RDY fe=shop", "l.st=PAU fe=shop"), SERVERS_2_2).state(loaded());
        assert_eq!((&state["paused"], &state["routes"]), (&json!(true), &loaded()["routes"]));
    }

    #[test]
    fn the_version_is_upstreams() {
        assert_eq!(version("Name: HAProxy\nVersion: 2.2.9-2+deb11u6\nPid: 8\n").as_deref(), Some("2.2.9"));
        assert_eq!(version("Name: HAProxy\nVersion: 3.0.11\n").as_deref(), Some("3.0.11"));
        assert_eq!(version(""), None);
    }

    #[test]
    fn addresses_of_both_families_are_read() {
        let line = |local: &str| format!("   0: {local} 00000000:0000 0A 00000000:00000000 00:00000000 0 0 0 1 1");
        assert_eq!(listening(&line("0A1212C6:01BB")), Some((Some("198.18.18.10".parse().unwrap()), 443)));
        assert_eq!(
            listening(&line("B80D0120000000000000000001000000:0050")),
            Some((Some("2001:db8::1".parse().unwrap()), 80))
        );
        assert_eq!(listening(&line("00000000000000000000000000000000:0050")), Some((None, 80)));
    }
}
