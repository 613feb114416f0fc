//! The client: session and calls.

use std::time::Duration;

use bytes::Bytes;
use grenadier_events::Actor;
use grenadier_wire::{Answer, Exchange, HttpExchange, Wire};
use http::{Method, StatusCode, header};

use crate::retry::{Backoff, Certainty, retry_after, whole};
use crate::vsphere::access::VSphereAccess;
use crate::vsphere::element::{Element, ManagedObject};
use crate::vsphere::envelope;
use crate::vsphere::error::VSphereError;

/// How long an ordinary call may take.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Whether a call may be made again where its effect may already have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It may: it reads, or a second time changes nothing more.
    Freely,
    /// Only where the first certainly did not arrive.
    IfUndelivered,
    /// As [`Repeat::Freely`], but only within one session: what it works on ends with the session.
    WithinSession,
}

/// The managed objects a session starts from.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) property_collector: ManagedObject,
    pub(super) search_index: ManagedObject,
    pub(super) ovf_manager: ManagedObject,
    pub(super) authorization_manager: ManagedObject,
    session_manager: ManagedObject,
}

/// A session.
#[derive(Clone, Debug)]
struct Session {
    content: Content,
    /// Its key, by which privileges are asked for.
    key: String,
}

/// A client for one vCenter, for one actor. It logs in by itself.
pub struct VSphere {
    pub(super) wire: Wire,
    actor: Actor,
    pub(super) access: VSphereAccess,
    cookie: Option<String>,
    session: Option<Session>,
    /// How long the last answer asked to be left alone.
    retry_after: Option<Duration>,
}

impl VSphere {
    /// A client that has not spoken to vCenter yet.
    pub fn new(wire: Wire, actor: Actor, access: VSphereAccess) -> VSphere {
        VSphere { wire, actor, access, cookie: None, session: None, retry_after: None }
    }

    /// Logs in where that has not happened.
    ///
    /// # Errors
    /// vCenter does not answer, or does not know the user.
    pub async fn log_in(&mut self) -> Result<(), VSphereError> {
        self.session().await.map(|_| ())
    }

    /// Ends the session, if there is one. One that cannot be ended expires.
    pub async fn log_out(&mut self) {
        if let Some(session) = self.session.take() {
            let _ = self.send("Logout", &session.content.session_manager, &[], CALL_TIMEOUT).await;
        }
        self.cookie = None;
    }

    /// vCenter's version as it is now: `7.0.1`.
    ///
    /// # Errors
    /// vCenter does not answer.
    pub async fn version(&mut self) -> Result<String, VSphereError> {
        let content = self.service_content().await?;
        let missing = || incomplete("RetrieveServiceContent", "about.version");
        content.text_at("about/version").map(str::to_owned).ok_or_else(missing)
    }

    /// The session's key, by which privileges are asked for.
    pub(super) async fn session_key(&mut self) -> Result<String, VSphereError> {
        Ok(self.session().await?.key.clone())
    }

    /// The managed objects to start from.
    pub(super) async fn content(&mut self) -> Result<Content, VSphereError> {
        Ok(self.session().await?.content.clone())
    }

    /// Makes a call in a session, with the repetitions `repeat` allows.
    pub(super) async fn call(
        &mut self,
        method: &'static str,
        this: &ManagedObject,
        arguments: &[Element],
        repeat: Repeat,
    ) -> Result<Element, VSphereError> {
        self.call_for(method, this, arguments, repeat, CALL_TIMEOUT).await
    }

    /// [`VSphere::call`] with a time of its own.
    pub(super) async fn call_for(
        &mut self,
        method: &'static str,
        this: &ManagedObject,
        arguments: &[Element],
        repeat: Repeat,
        timeout: Duration,
    ) -> Result<Element, VSphereError> {
        let mut attempt = 1;
        loop {
            self.session().await?;
            let error = match self.send(method, this, arguments, timeout).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if error.is_fault("NotAuthenticated") {
                self.forget_session();
                if repeat == Repeat::WithinSession {
                    return Err(error);
                }
            } else {
                match (error.certainty(), repeat) {
                    (Certainty::NotDelivered, _) => {}
                    (Certainty::Unknown, Repeat::Freely | Repeat::WithinSession) => {}
                    _ => return Err(error),
                }
            }
            let Some(pause) = Backoff::CALL.pause(attempt) else { return Err(error) };
            self.rest(pause).await;
            attempt += 1;
        }
    }

    /// Pauses before another attempt, for at least as long as the server asked.
    pub(super) async fn rest(&mut self, pause: Duration) {
        let pause = self.retry_after.take().map_or(pause, |asked| asked.max(pause));
        self.wire.clock().sleep(pause).await;
    }

    fn forget_session(&mut self) {
        self.session = None;
        self.cookie = None;
    }

    async fn session(&mut self) -> Result<&Session, VSphereError> {
        if self.session.is_none() {
            let content = self.service_content().await?;
            let object =
                |name: &str| content.reference_at(name).ok_or_else(|| incomplete("RetrieveServiceContent", name));
            let content = Content {
                property_collector: object("propertyCollector")?,
                search_index: object("searchIndex")?,
                ovf_manager: object("ovfManager")?,
                authorization_manager: object("authorizationManager")?,
                session_manager: object("sessionManager")?,
            };
            let arguments = [
                Element::text("userName", &self.access.user),
                Element::text("password", self.access.password.reveal()),
            ];
            let answer = self.persist("Login", &content.session_manager, &arguments).await?;
            let key = answer.text_at("returnval/key").ok_or_else(|| incomplete("Login", "session key"))?.to_owned();
            self.session = Some(Session { content, key });
        }
        Ok(self.session.as_ref().expect("it was just opened"))
    }

    async fn service_content(&mut self) -> Result<Element, VSphereError> {
        let instance = ManagedObject::new("ServiceInstance", "ServiceInstance");
        let answer = self.persist("RetrieveServiceContent", &instance, &[]).await?;
        let content = answer.children.into_iter().find(|child| child.name == "returnval");
        content.ok_or_else(|| incomplete("RetrieveServiceContent", "content"))
    }

    /// Makes a call that needs no session, again and again where that may help.
    async fn persist(
        &mut self,
        method: &'static str,
        this: &ManagedObject,
        arguments: &[Element],
    ) -> Result<Element, VSphereError> {
        let mut attempt = 1;
        loop {
            let error = match self.send(method, this, arguments, CALL_TIMEOUT).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let pause = Backoff::CALL.pause(attempt).filter(|_| error.certainty() != Certainty::Final);
            let Some(pause) = pause else { return Err(error) };
            // A session that a lost answer may have opened is not ours: a second login in it would be refused.
            self.cookie = None;
            self.rest(pause).await;
            attempt += 1;
        }
    }

    /// Makes a call once.
    async fn send(
        &mut self,
        method: &str,
        this: &ManagedObject,
        arguments: &[Element],
        timeout: Duration,
    ) -> Result<Element, VSphereError> {
        let garbled = |source| VSphereError::Garbled { method: method.to_owned(), source };
        let body = envelope::request(method, this, arguments).map_err(garbled)?;
        let request = http::Request::builder()
            .method(Method::POST)
            .uri("/sdk")
            .header(header::CONTENT_TYPE, "text/xml; charset=\"utf-8\"")
            .header("SOAPAction", "\"urn:vim25/7.0\"");
        let endpoint = self.access.endpoint.clone();
        let response = self.transfer(method, &endpoint, request, body.into(), timeout).await?;
        let status = response.status();
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            return Err(VSphereError::Status { method: method.to_owned(), status: status.as_u16() });
        }
        match envelope::answer(response.body()) {
            Ok(Ok(answer)) if status.is_success() => Ok(answer),
            Ok(Err(fault)) => Err(VSphereError::Faulted { method: method.to_owned(), fault }),
            Err(source) if status.is_success() => Err(garbled(source)),
            Ok(Ok(_)) | Err(_) => Err(VSphereError::Status { method: method.to_owned(), status: status.as_u16() }),
        }
    }

    /// Makes an HTTP exchange with vCenter or one of its hosts, with the session's cookie.
    pub(super) async fn transfer(
        &mut self,
        what: &str,
        endpoint: &str,
        request: http::request::Builder,
        body: Bytes,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, VSphereError> {
        let request = match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        };
        // A server can send a URL that is none; our own parts are valid.
        let request = request.header(header::HOST, endpoint).body(body).map_err(|_| incomplete(what, "valid URL"))?;
        let exchange = Exchange::Http(HttpExchange {
            endpoint: endpoint.to_owned(),
            tls: self.access.tls.clone(),
            request,
            timeout,
        });
        match self.wire.call(self.actor, exchange).await {
            Ok(Answer::Http(response)) => {
                self.retry_after = retry_after(&response);
                self.keep_cookie(&response);
                whole(response, endpoint).map_err(|source| VSphereError::NoAnswer { method: what.to_owned(), source })
            }
            Ok(Answer::Shell(_)) => {
                Err(VSphereError::Status { method: what.to_owned(), status: StatusCode::BAD_GATEWAY.as_u16() })
            }
            Err(source) => Err(VSphereError::NoAnswer { method: what.to_owned(), source }),
        }
    }

    fn keep_cookie(&mut self, response: &http::Response<Bytes>) {
        for value in response.headers().get_all(header::SET_COOKIE) {
            let cookie = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
            if cookie.starts_with("vmware_soap_session=") {
                self.cookie = Some(cookie.to_owned());
            }
        }
    }
}

pub(super) fn incomplete(method: &str, what: &str) -> VSphereError {
    VSphereError::Incomplete { method: method.to_owned(), what: what.to_owned() }
}
