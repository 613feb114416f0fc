//! An environment in memory, and a client.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use grenadier_clock::Time;
use grenadier_dataplane::{DataPlaneApi, Environment, Generation, Settings, StartError};
use grenadier_fidelity::Behaviour;
use http::Method;
use serde_json::Value;

pub(crate) const CONFIG: &str = "/etc/haproxy/haproxy.cfg";

pub(crate) const INITIAL: &str = "global\n  maxconn 100\n\ndefaults\n  mode tcp\n  timeout client 10s\n\n\
                                  userlist controller\n  user admin insecure-password secret\n";

/// An environment in memory. HAProxy refuses what contains `broken`.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) reloads: u32,
    pub(crate) reload_error: Option<String>,
    /// What the file held at each restart.
    pub(crate) restarted_with: Vec<String>,
    pub(crate) restart_error: Option<String>,
    pub(crate) write_error: Option<String>,
    pub(crate) due: Option<Time>,
    pub(crate) now: Time,
    pub(crate) log: Vec<String>,
    ids: u32,
    /// The behaviours that do not hold.
    pub(crate) overturned: Vec<&'static str>,
}

impl Environment for World {
    fn holds(&mut self, behaviour: &'static Behaviour) -> bool {
        !self.overturned.contains(&behaviour.id)
    }

    fn read(&self, path: &str) -> Option<Bytes> {
        self.files.get(path).map(|text| text.clone().into())
    }

    fn write(&mut self, path: &str, content: Bytes) -> Result<(), String> {
        if let Some(error) = self.write_error.clone().filter(|_| path == CONFIG) {
            return Err(error);
        }
        self.files.insert(path.to_owned(), String::from_utf8(content.to_vec()).unwrap());
        Ok(())
    }

    fn remove(&mut self, path: &str) -> bool {
        self.files.remove(path).is_some()
    }

    fn list(&self, directory: &str) -> Vec<String> {
        self.files.keys().filter(|path| path.starts_with(&format!("{directory}/"))).cloned().collect()
    }

    fn validate(&mut self, config: &str) -> Result<(), String> {
        if config.contains("broken") {
            return Err("[ALERT] 1/000000 (9) : parsing [/x:3] : unknown keyword 'broken'\n".to_owned());
        }
        Ok(())
    }

    fn reload(&mut self) -> Result<(), String> {
        self.reloads += 1;
        self.reload_error.clone().map_or(Ok(()), Err)
    }

    fn restart(&mut self) -> Result<(), String> {
        self.restarted_with.push(self.files[CONFIG].clone());
        self.restart_error.clone().map_or(Ok(()), Err)
    }

    fn timer(&mut self, after: Duration) {
        self.due = Some(self.now + after);
    }

    fn uuid(&mut self) -> String {
        self.ids += 1;
        format!("00000000-0000-4000-8000-{:012}", self.ids)
    }

    fn log(&mut self, line: String) {
        self.log.push(line);
    }
}

/// The service and its world.
pub(crate) struct Rig {
    pub(crate) api: DataPlaneApi,
    pub(crate) world: World,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) reload: Option<String>,
    pub(crate) version: Option<String>,
}

impl Answer {
    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

impl Rig {
    pub(crate) fn new(generation: &str) -> Rig {
        Rig::with(generation, World::default()).unwrap()
    }

    pub(crate) fn with(generation: &str, mut world: World) -> Result<Rig, StartError> {
        world.files.entry(CONFIG.to_owned()).or_insert_with(|| INITIAL.to_owned());
        let settings = Settings { generation: generation.parse::<Generation>().unwrap(), ..Settings::default() };
        let api = DataPlaneApi::start(settings, world.now, &mut world)?;
        Ok(Rig { api, world })
    }

    pub(crate) fn ask_as(&mut self, credentials: Option<&str>, method: Method, path: &str, body: &str) -> Answer {
        let mut request = http::Request::builder().method(method).uri(path);
        if let Some(credentials) = credentials {
            request = request.header("authorization", format!("Basic {}", STANDARD.encode(credentials)));
        }
        let request = request.body(Bytes::from(body.to_owned())).unwrap();
        let response = self.api.handle(self.world.now, &request, &mut self.world);
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        Answer {
            status: response.status().as_u16(),
            body: serde_json::from_slice(response.body()).unwrap_or_default(),
            reload: header("reload-id"),
            version: header("configuration-version"),
        }
    }

    /// `path` begins below `/vN/services/haproxy`.
    pub(crate) fn ask(&mut self, method: Method, path: &str, body: &str) -> Answer {
        let path = format!("/{}/services/haproxy{path}", self.api.settings().generation.prefix());
        self.ask_as(Some("admin:secret"), method, &path, body)
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, "")
    }

    pub(crate) fn post(&mut self, path: &str, body: &str) -> Answer {
        self.ask(Method::POST, path, body)
    }

    pub(crate) fn put(&mut self, path: &str, body: &str) -> Answer {
        self.ask(Method::PUT, path, body)
    }

    pub(crate) fn delete(&mut self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, "")
    }

    /// Begins a transaction on the present version.
    pub(crate) fn begin(&mut self) -> String {
        let version = self.api.document().version();
        let answer = self.post(&format!("/transactions?version={version}"), "");
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Lets time pass, with the reload window that may end meanwhile.
    pub(crate) fn pass(&mut self, length: Duration) {
        let until = self.world.now + length;
        while let Some(due) = self.world.due.filter(|due| *due <= until) {
            self.world.now = due;
            self.world.due = None;
            self.api.timer(due, &mut self.world);
        }
        self.world.now = until;
    }

    pub(crate) fn file(&self) -> &str {
        &self.world.files[CONFIG]
    }
}
