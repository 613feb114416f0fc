//! SessionManager: who is logged in.

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_clock::Time;
use grenadier_fleet::CloudHost;

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::config::User;
use crate::fault::Fault;
use crate::inventory::Inventory;
use crate::value::{Data, Value};

/// The name of the session cookie.
pub(crate) const COOKIE: &str = "vmware_soap_session";

pub(crate) const PROPERTIES: &[&str] =
    &["sessionList", "currentSession", "message", "messageLocaleList", "supportedLocaleList", "defaultLocale"];

/// How many sessions can be open at once.
const MOST_SESSIONS: usize = 10_000;

/// A session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// What it is called; no secret.
    key: String,
    user: String,
    began: Time,
    last_active: Time,
    calls: i64,
}

/// The sessions by their secret tokens, and who may open one.
#[derive(Debug)]
pub(crate) struct Sessions {
    users: Vec<User>,
    timeout: Duration,
    open: BTreeMap<String, Session>,
}

impl Sessions {
    pub(crate) fn new(users: Vec<User>, timeout: Duration) -> Sessions {
        Sessions { users, timeout, open: BTreeMap::new() }
    }

    /// Whether the user holds a privilege. Users hold what their role grants and was not taken away.
    pub(crate) fn user_has(&self, name: &str, privilege: &str) -> bool {
        let user = self.users.iter().find(|user| user.name == name);
        user.is_some_and(|user| user.role.grants(privilege) && !user.missing_privileges.contains(privilege))
    }

    /// Takes a privilege away from a user.
    #[cfg(test)]
    pub(crate) fn take_privilege(&mut self, name: &str, privilege: &str) {
        for user in self.users.iter_mut().filter(|user| user.name == name) {
            user.missing_privileges.insert(privilege.to_owned());
        }
    }

    /// The user of the session with this key.
    pub(crate) fn user_of_key(&self, key: &str) -> Option<&str> {
        self.open.values().find(|session| session.key == key).map(|session| session.user.as_str())
    }

    /// The user of the session with this token, which is now active.
    pub(crate) fn enter(&mut self, token: &str, now: Time) -> Option<String> {
        let session = self.open.get_mut(token)?;
        session.last_active = now;
        session.calls += 1;
        Some(session.user.clone())
    }

    /// Notes that a session was in use until now: a long poll that ends.
    pub(crate) fn touch(&mut self, token: &str, now: Time) {
        if let Some(session) = self.open.get_mut(token) {
            session.last_active = now;
        }
    }

    /// The sessions that were idle for too long. One that waits for updates is not idle.
    pub(crate) fn idle(&self, now: Time, waiting: &dyn Fn(&str) -> bool) -> Vec<String> {
        let over = |token: &str, session: &Session| now.since(session.last_active) > self.timeout && !waiting(token);
        self.open.iter().filter(|(token, session)| over(token, session)).map(|(token, _)| token.clone()).collect()
    }

    /// All tokens.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.open.keys().cloned().collect()
    }

    /// Forgets a session.
    pub(crate) fn close(&mut self, token: &str) {
        self.open.remove(token);
    }

    /// How many sessions each user has open.
    pub(crate) fn count_by_user(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for session in self.open.values() {
            *counts.entry(session.user.as_str()).or_default() += 1;
        }
        counts
    }
}

impl Session {
    fn data(&self) -> Data {
        Data::new("UserSession")
            .with("key", self.key.as_str())
            .with("userName", self.user.as_str())
            .with("fullName", self.user.as_str())
            .with("loginTime", self.began)
            .with("lastActiveTime", self.last_active)
            .with("locale", "en")
            .with("messageLocale", "en")
            .with("extensionSession", false)
            .with("ipAddress", "")
            .with("userAgent", "")
            .with("callCount", self.calls)
    }
}

pub(crate) fn property(inventory: Inventory<'_>, name: &str) -> Option<Value> {
    let sessions = &inventory.sim.sessions;
    match name {
        "sessionList" => Some(Value::list("UserSession", sessions.open.values().map(Session::data))),
        "currentSession" => Some(sessions.open.get(inventory.session?)?.data().into()),
        "messageLocaleList" | "supportedLocaleList" => Some(Value::texts(["en"])),
        "defaultLocale" => Some("en".into()),
        _ => None,
    }
}

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match call.method {
        "Login" => login(sim, call, host.now()),
        "Logout" => call.session().map(str::to_owned).map(|token| {
            sim.end_session(&token, host);
            Reply::Void
        }),
        "SessionIsActive" => session_is_active(sim, call),
        _ => return None,
    })
}

fn login(sim: &mut VSphere, call: &Call<'_>, now: Time) -> Outcome {
    let refuse = || Fault::new("InvalidLogin", "Cannot complete login due to an incorrect user name or password.");
    let (name, password) = (call.args.required("userName")?, call.args.required("password")?);
    // A session has one user: logging in over a live one is refused, as the reference says.
    if call.session.is_some() {
        return Err(refuse());
    }
    let known = sim.sessions.users.iter().any(|user| user.name == name && user.password.reveal() == password);
    if !known {
        return Err(refuse());
    }
    if sim.sessions.open.len() >= MOST_SESSIONS {
        return Err(Fault::system("too many sessions are open"));
    }
    let (token, key) = (sim.uuids.uuid(), sim.uuids.uuid());
    let session = Session { key, user: name.to_owned(), began: now, last_active: now, calls: 1 };
    let value = session.data().into();
    sim.sessions.open.insert(token.clone(), session);
    Ok(Reply::LoggedIn { value, token })
}

fn session_is_active(sim: &VSphere, call: &Call<'_>) -> Outcome {
    let (key, user) = (call.args.required("sessionID")?, call.args.required("userName")?);
    Ok(Reply::One((sim.sessions.user_of_key(key) == Some(user)).into()))
}

/// The session token in a request's cookies. Clients echo attributes and quotes of `Set-Cookie` (pyVmomi).
pub(crate) fn token(headers: &http::HeaderMap) -> Option<String> {
    headers.get_all(http::header::COOKIE).iter().filter_map(|value| value.to_str().ok()).find_map(|cookies| {
        cookies.split(';').find_map(|cookie| {
            let (name, value) = cookie.trim().split_once('=')?;
            (name == COOKIE).then(|| value.trim_matches('"').to_owned())
        })
    })
}
