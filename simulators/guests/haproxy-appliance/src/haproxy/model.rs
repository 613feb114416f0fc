//! A model of HAProxy for the virtual world.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use grenadier_dataplane::{Bind, Document, Remembered, Section, SectionKind, Server};
use grenadier_fleet::sha256_hex;
use grenadier_guest::{Answering, Host, Listener, TimerKey};
use serde_json::{Value, json};

use super::check::{certificate, check, names_certificates};
use super::directives::hangs_on_generation;
use super::{Generation, HaproxyProcess, MOST_KNOWN, server_state};
use crate::services::HAPROXY;
use crate::{fidelity, journal, paths};

/// The timer of a failed reload.
pub const RESUME_TIMER: TimerKey = "haproxy-resume";

/// How long new workers try to bind before they give up: 200 attempts of 10 ms (measured with HAProxy 2.2.9, 2.6.12, 3.0.11). The old
/// workers have paused their listeners for them meanwhile, so that a reload with one bad bind is an outage of all.
const BIND_ATTEMPTS: Duration = Duration::from_secs(2);

/// HAProxy in master-worker mode, as far as others can notice: what it listens on, when it dies, what a failed reload does.
#[derive(Clone, Debug)]
pub struct ModelHaproxy {
    version: String,
    running: Option<Workers>,
}

/// The workers of one configuration.
#[derive(Clone, Debug)]
struct Workers {
    config_hash: String,
    routes: Arc<[Route]>,
    servers: Arc<[ServerOf]>,
    /// Whether new workers try to bind and the listeners are closed for them.
    paused: bool,
}

/// A server of a backend.
#[derive(Clone, Debug)]
struct ServerOf {
    backend: String,
    server: Server,
    state: &'static str,
}

/// One bind and where its connections go.
#[derive(Clone, Debug)]
struct Route {
    frontend: String,
    backend: Option<String>,
    listener: Listener,
}

impl ModelHaproxy {
    /// HAProxy of this version, stopped.
    pub fn new(version: impl Into<String>) -> ModelHaproxy {
        ModelHaproxy { version: version.into(), running: None }
    }

    /// What HAProxy of this version says to a configuration.
    fn checked(&self, config: &str, file: &str, host: &mut dyn Host) -> Result<(), String> {
        let checked = check(config, file, Generation::of(&self.version), host);
        if checked.as_ref().is_err_and(|refusal| hangs_on_generation(refusal)) {
            host.holds(&fidelity::DIRECTIVES);
        }
        checked
    }
}

impl Workers {
    fn of(config: &str, host: &dyn Host) -> Workers {
        // Reloads and restarts start workers of the same configuration again.
        thread_local! {
            static KNOWN: RefCell<Remembered<String, Workers>> = const { RefCell::new(Remembered::new(MOST_KNOWN)) };
        }
        KNOWN.with_borrow(|known| known.find(config)).unwrap_or_else(|| {
            let document = Document::parse(config);
            let workers = Workers::of_document(&document, config, host);
            if !names_certificates(&document) {
                KNOWN.with_borrow_mut(|known| known.keep(config.to_owned(), workers.clone()));
            }
            workers
        })
    }

    fn of_document(document: &Document, config: &str, host: &dyn Host) -> Workers {
        let proxies = document.sections().iter().filter(|section| ["frontend", "listen"].contains(&&*section.keyword));
        let routes = proxies.flat_map(|proxy| routes_of(document, proxy, host)).collect();
        let balances = document.sections().iter().filter(|section| ["backend", "listen"].contains(&&*section.keyword));
        let servers = balances.flat_map(|section| states_of(section)).collect();
        Workers { config_hash: sha256_hex(config.as_bytes()), routes, servers, paused: false }
    }

    /// What it cannot bind to, in HAProxy's words.
    fn unbindable(&self, host: &dyn Host) -> Option<String> {
        let alerts: Vec<String> = self
            .routes
            .iter()
            .filter(|route| route.listener.address.is_some_and(|address| !host.is_local(address)))
            .filter_map(|route| {
                let address = route.listener.address?;
                Some(format!(
                    "[ALERT]    (1) : Binding [{}] for frontend {}: cannot bind socket (Cannot assign requested address) for \
                     [{address}:{}]",
                    paths::HAPROXY_CFG,
                    route.frontend,
                    route.listener.port
                ))
            })
            .collect();
        let last = "[ALERT]    (1) : [haproxy.main()] Some protocols failed to start their listeners! Exiting.";
        (!alerts.is_empty()).then(|| format!("{}\n{last}", alerts.join("\n")))
    }

    fn listen(&self, host: &mut dyn Host) {
        for route in self.routes.iter() {
            host.listen(route.listener.clone());
        }
    }

    fn close(&self, host: &mut dyn Host) {
        for route in self.routes.iter() {
            host.close(route.listener.address, route.listener.port);
        }
    }
}

fn routes_of(document: &Document, proxy: &Section, host: &dyn Host) -> Vec<Route> {
    let listens = proxy.keyword == "listen";
    let backend = if listens { Some(proxy.name.clone()) } else { proxy.value("default_backend") };
    let servers = match &backend {
        Some(_) if listens => servers_of(proxy),
        Some(name) => document.section(SectionKind::Backend, name).map(servers_of).unwrap_or_default(),
        None => Vec::new(),
    };
    let binds = Bind::of(proxy).into_iter().filter_map(Result::ok);
    let route = |bind: Bind| Route {
        frontend: proxy.name.clone(),
        backend: backend.clone(),
        listener: Listener {
            address: bind.address,
            port: bind.port,
            certificate: bind.certificate.and_then(|path| certificate(&path, host)),
            answering: Answering::Proxy(servers.clone()),
        },
    };
    binds.map(route).collect()
}

/// The servers that get connections: those that are not in maintenance.
fn servers_of(section: &Section) -> Vec<std::net::SocketAddr> {
    let servers = states_of(section).filter(|server| server.state != server_state::MAINTENANCE);
    servers.map(|server| server.server.address).collect()
}

/// The servers of a section with their states. Checks of their health are not modelled: who is not in maintenance is up.
fn states_of(section: &Section) -> impl Iterator<Item = ServerOf> {
    let disabled: Vec<String> = section
        .directives()
        .filter(|words| words[0] == "server" && words.contains(&"disabled"))
        .filter_map(|words| Some((*words.get(1)?).to_owned()))
        .collect();
    Server::of(section).into_iter().filter_map(Result::ok).map(move |server| ServerOf {
        backend: section.name.clone(),
        state: if disabled.contains(&server.name) { server_state::MAINTENANCE } else { server_state::UP },
        server,
    })
}

fn configuration(host: &dyn Host) -> Result<String, String> {
    let content = host.read(paths::HAPROXY_CFG);
    let content = content.ok_or_else(|| {
        format!(
            "[ALERT]    (1) : Cannot open configuration file/directory {} : No such file or directory\n",
            paths::HAPROXY_CFG
        )
    })?;
    Ok(String::from_utf8_lossy(&content).into_owned())
}

impl HaproxyProcess for ModelHaproxy {
    fn validate(&self, config: &str, file: &str, host: &mut dyn Host) -> Result<(), String> {
        self.checked(config, file, host)
    }

    fn start(&mut self, host: &mut dyn Host) -> Result<(), String> {
        let config = configuration(host)?;
        self.checked(&config, paths::HAPROXY_CFG, host)?;
        let workers = Workers::of(&config, host);
        if let Some(alerts) = workers.unbindable(host) {
            return Err(alerts);
        }
        workers.listen(host);
        self.running = Some(workers);
        Ok(())
    }

    fn reload(&mut self, host: &mut dyn Host) -> Result<(), String> {
        if self.running.is_none() {
            return Err("haproxy.service is not active, cannot reload.".to_owned());
        }
        let config = configuration(host)?;
        self.checked(&config, paths::HAPROXY_CFG, host)?;
        let new = Workers::of(&config, host);
        let old = self.running.as_mut().expect("it runs");
        if let Some(alerts) = new.unbindable(host) {
            journal::log(host, HAPROXY, &alerts);
            old.close(host);
            old.paused = true;
            host.timer(RESUME_TIMER, BIND_ATTEMPTS);
            return Ok(());
        }
        host.cancel(RESUME_TIMER);
        let kept = |route: &Route| {
            let at = |listener: &Listener| (listener.address, listener.port);
            new.routes.iter().any(|other| at(&other.listener) == at(&route.listener))
        };
        for gone in old.routes.iter().filter(|route| !kept(route)) {
            host.close(gone.listener.address, gone.listener.port);
        }
        new.listen(host);
        self.running = Some(new);
        Ok(())
    }

    fn stop(&mut self, host: &mut dyn Host) {
        host.cancel(RESUME_TIMER);
        if let Some(workers) = self.running.take() {
            workers.close(host);
        }
    }

    fn kill(&mut self, host: &mut dyn Host) {
        self.stop(host);
    }

    fn running(&self) -> bool {
        self.running.is_some()
    }

    fn timer(&mut self, key: TimerKey, host: &mut dyn Host) {
        let Some(workers) = self.running.as_mut().filter(|workers| key == RESUME_TIMER && workers.paused) else {
            return;
        };
        workers.paused = false;
        workers.listen(host);
        journal::log(host, HAPROXY, "[WARNING]  (1) : Loading failure!\n[WARNING]  (1) : the old workers have resumed");
    }

    fn version(&self) -> String {
        format!("HAProxy version {} - https://haproxy.org/\n", self.version)
    }

    fn state(&self) -> Value {
        let Some(workers) = &self.running else { return json!({"running": false}) };
        let route = |route: &Route| {
            let Listener { address, port, certificate, answering } = &route.listener;
            let servers = match answering {
                Answering::Proxy(servers) => servers.as_slice(),
                Answering::Guest | Answering::Backend(_) => &[],
            };
            json!({
                "frontend": route.frontend, "backend": route.backend, "address": address, "port": port,
                "certificate": certificate, "servers": servers,
            })
        };
        let mut servers: BTreeMap<&str, BTreeMap<&str, Value>> = BTreeMap::new();
        for ServerOf { backend, server, state } in workers.servers.iter() {
            let server_state = json!({"address": server.address, "state": state});
            servers.entry(backend).or_default().insert(&server.name, server_state);
        }
        // In the order of their names: where they stand in the file has no meaning.
        let mut routes: Vec<&Route> = workers.routes.iter().collect();
        routes.sort_by(|a, b| (&a.frontend, &a.listener.address).cmp(&(&b.frontend, &b.listener.address)));
        json!({
            "running": true, "version": self.version, "paused": workers.paused, "config": workers.config_hash,
            "routes": routes.into_iter().map(route).collect::<Vec<_>>(), "servers": servers,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use grenadier_guest::testing::TestHost;

    use super::*;

    const GOOD: &str = "frontend shop\n  bind 198.18.2.20:443 name shop\n  default_backend shop\n\
                        backend shop\n  server s1 198.18.1.40:8080\n  server s2 198.18.1.41:8080 disabled\n";

    fn vip() -> IpAddr {
        "198.18.2.20".parse().unwrap()
    }

    fn host(config: &str) -> TestHost {
        let mut host = TestHost::default();
        host.local_routes.push("198.18.2.16/28".parse().unwrap());
        host.files.insert(paths::HAPROXY_CFG.into(), config.to_owned().into());
        host
    }

    #[test]
    fn it_listens_and_passes_connections_to_servers_that_are_not_in_maintenance() {
        let (host, haproxy) = (&mut host(GOOD), &mut ModelHaproxy::new("2.6.12"));
        haproxy.start(host).unwrap();
        assert_eq!(host.listeners[0].answering, Answering::Proxy(vec!["198.18.1.40:8080".parse().unwrap()]));
        let servers = json!({"shop": {
            "s1": {"address": "198.18.1.40:8080", "state": "up"},
            "s2": {"address": "198.18.1.41:8080", "state": "maintenance"},
        }});
        assert_eq!(haproxy.state()["servers"], servers);
        haproxy.stop(host);
        assert!(host.listeners.is_empty() && !haproxy.running());
    }

    #[test]
    fn regression_vmware_haproxy_36_a_bind_outside_the_ranges_kills_the_start() {
        let (host, haproxy) = (&mut host(GOOD), &mut ModelHaproxy::new("2.6.12"));
        host.local_routes.clear();
        let error = haproxy.start(host).unwrap_err();
        assert!(
            error.contains("cannot bind socket (Cannot assign requested address) for [198.18.2.20:443]"),
            "{error}"
        );
        assert!(!haproxy.running() && host.listeners.is_empty());
    }

    #[test]
    fn a_reload_with_a_bad_bind_pauses_the_old_workers_for_two_seconds() {
        let (host, haproxy) = (&mut host(GOOD), &mut ModelHaproxy::new("2.6.12"));
        haproxy.start(host).unwrap();
        let bad = format!("{GOOD}frontend far\n  bind 198.18.9.9:80\n");
        host.files.insert(paths::HAPROXY_CFG.into(), bad.into());
        assert_eq!(haproxy.reload(host), Ok(()), "the command does not wait for the new workers");
        assert!(!host.listens(vip(), 443));
        assert_eq!(host.timers[RESUME_TIMER], host.now + Duration::from_secs(2));
        haproxy.timer(RESUME_TIMER, host);
        assert!(host.listens(vip(), 443) && !host.listens("198.18.9.9".parse().unwrap(), 80));
        assert_eq!(haproxy.state()["config"], sha256_hex(GOOD.as_bytes()), "the running process has the old content");
    }

    #[test]
    fn a_good_reload_ends_the_pause_and_closes_what_is_gone() {
        let (host, haproxy) = (&mut host(GOOD), &mut ModelHaproxy::new("2.6.12"));
        haproxy.start(host).unwrap();
        host.files.insert(paths::HAPROXY_CFG.into(), format!("{GOOD}frontend far\n  bind 198.18.9.9:80\n").into());
        haproxy.reload(host).unwrap();
        host.files.insert(paths::HAPROXY_CFG.into(), GOOD.replace(":443", ":8443").into());
        haproxy.reload(host).unwrap();
        assert!(host.timers.is_empty() && host.listens(vip(), 8443) && !host.listens(vip(), 443));
    }

    #[test]
    fn what_hangs_on_a_certificate_is_looked_at_each_time() {
        let tls = GOOD.replace(":443 name shop", ":443 name shop ssl crt /etc/shop.pem");
        let (host, haproxy) = (&mut host(&tls), &mut ModelHaproxy::new("2.6.12"));
        assert!(haproxy.start(host).unwrap_err().contains("unable to stat SSL certificate from file '/etc/shop.pem'"));
        let mut shown = Vec::new();
        for body in ["AAAA", "BBBB"] {
            let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
            host.files.insert("/etc/shop.pem".into(), pem.into());
            haproxy.start(host).unwrap();
            shown.push(host.listeners[0].certificate.clone().unwrap());
            haproxy.stop(host);
        }
        assert_ne!(shown[0], shown[1]);
    }

    #[test]
    fn a_reload_with_a_broken_file_changes_nothing() {
        let (host, haproxy) = (&mut host(GOOD), &mut ModelHaproxy::new("2.6.12"));
        haproxy.start(host).unwrap();
        host.files.insert(paths::HAPROXY_CFG.into(), "frontend shop\n  bnd x\n".into());
        assert!(haproxy.reload(host).unwrap_err().contains("unknown keyword 'bnd'"));
        assert!(host.listens(vip(), 443));
        assert!(ModelHaproxy::new("2.6.12").reload(host).unwrap_err().contains("not active"));
    }
}
