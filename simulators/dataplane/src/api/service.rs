//! Requests to answers.

use std::collections::BTreeMap;

use bytes::Bytes;
use grenadier_clock::Time;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use thiserror::Error;

use super::auth::Users;
use super::raw;
use super::reloads::Reloads;
use super::reply::{ApiError, Code, Reply, json_text, render};
use super::request::Request;
use super::resources::{Resource, describe as describe_section};
use super::transactions::{Status, Transactions};
use crate::{Document, Environment, SectionKind, Settings, User};

/// The service did not start.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StartError {
    /// The configuration is not there.
    #[error("cannot read {0}")]
    NoConfiguration(String),
    /// Nobody could ever log in.
    #[error("no users configured in {file}, userlist {userlist}")]
    NoUsers {
        /// The configuration.
        file: String,
        /// The list that has none.
        userlist: String,
    },
    /// The last good configuration cannot be kept.
    #[error("cannot keep the last known good configuration: {0}")]
    LastGood(String),
}

/// The Data Plane API.
///
/// It holds the configuration in memory from its start, as the real one does: what others write into `haproxy.cfg`
/// meanwhile is lost with the next commit unless the service is restarted.
#[derive(Clone, Debug)]
pub struct DataPlaneApi {
    pub(super) settings: Settings,
    pub(super) document: Document,
    /// The bodies with which reading requests about that configuration were answered: clients ask for the same again and
    /// again, and the answer stays the same as long as the configuration does.
    pub(super) answers: BTreeMap<Resource, Bytes>,
    users: Users,
    pub(super) transactions: Transactions,
    pub(super) reloads: Reloads,
}

/// What a change is answered with when HAProxy was reloaded at once (`force_reload`).
#[derive(Clone, Copy, Debug)]
enum Change {
    Created,
    Replaced,
    Deleted,
}

impl Change {
    const fn forced_status(self) -> StatusCode {
        match self {
            Change::Created => StatusCode::CREATED,
            Change::Replaced => StatusCode::OK,
            Change::Deleted => StatusCode::NO_CONTENT,
        }
    }
}

impl DataPlaneApi {
    /// Starts the service: reads configuration, users and open transactions.
    ///
    /// # Errors
    /// Something it cannot do without is missing.
    pub fn start(settings: Settings, now: Time, env: &mut dyn Environment) -> Result<DataPlaneApi, StartError> {
        let file = &settings.config_file;
        let content = env.read(file).ok_or_else(|| StartError::NoConfiguration(file.clone()))?;
        let document = Document::parse(&String::from_utf8_lossy(&content));
        let users = User::of(&document, &settings.userlist);
        if users.is_empty() {
            return Err(StartError::NoUsers { file: file.clone(), userlist: settings.userlist.clone() });
        }
        Ok(DataPlaneApi {
            transactions: Transactions::load(&settings, env),
            reloads: Reloads::start(&settings, now, env).map_err(StartError::LastGood)?,
            users: Users::new(users),
            document,
            answers: BTreeMap::new(),
            settings,
        })
    }

    /// Answers a request.
    pub fn handle(
        &mut self,
        now: Time,
        request: &http::Request<Bytes>,
        env: &mut dyn Environment,
    ) -> http::Response<Bytes> {
        let reply = self.answer(now, request, env).unwrap_or_else(|error| {
            let (method, path) = (request.method(), request.uri().path());
            env.log(format!("{method} {path} {}: {}", error.status.as_u16(), error.message));
            error.reply()
        });
        render(reply)
    }

    /// The timer that [`Environment::timer`] asked for: the end of a reload window.
    pub fn timer(&mut self, now: Time, env: &mut dyn Environment) {
        self.reloads.window_ends(now, env);
    }

    /// What it was started with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The configuration it holds.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Open transactions with the version they are based on.
    pub fn open_transactions(&self) -> Vec<(String, u64)> {
        let open = self.transactions.iter().filter(|(_, entry)| entry.status == Status::InProgress);
        open.map(|(id, entry)| (id.to_owned(), entry.document.version())).collect()
    }

    /// Its volatile state.
    pub fn state(&self) -> Value {
        let transactions: Vec<Value> = self.transactions.iter().map(|(id, entry)| entry.json(id)).collect();
        json!({
            "generation": self.settings.generation,
            "version": self.document.version(),
            "transactions": transactions,
            "pending_reload": self.reloads.pending(),
        })
    }

    fn answer(
        &mut self,
        now: Time,
        request: &http::Request<Bytes>,
        env: &mut dyn Environment,
    ) -> Result<Reply, ApiError> {
        let parsed = Request::read(request);
        let unknown = || {
            let message = format!("path {} was not found", request.uri().path());
            ApiError::plain(StatusCode::NOT_FOUND, message)
        };
        let path: Vec<&str> = parsed.path.iter().map(AsRef::as_ref).collect();
        let Some((_, below)) = path.split_first().filter(|(first, _)| **first == self.settings.generation.prefix())
        else {
            return Err(unknown());
        };
        self.users.check(request, env)?;
        match below {
            ["info"] => {
                only(&parsed, &[Method::GET])?;
                let version = format!("v{}", self.settings.generation);
                Ok(Reply::ok(json!({"api": {"version": version}, "system": {}})))
            }
            ["services", "haproxy", "configuration", ..] => {
                self.configuration(now, &parsed, &path[4..], env).unwrap_or_else(|| Err(unknown()))
            }
            ["services", "haproxy", "transactions"] => self.transactions(&parsed, env),
            ["services", "haproxy", "transactions", id] => self.transaction(now, &parsed, id, env),
            ["services", "haproxy", "reloads"] => {
                only(&parsed, &[Method::GET])?;
                Ok(Reply::ok(self.reloads.list()))
            }
            ["services", "haproxy", "reloads", id] => {
                only(&parsed, &[Method::GET])?;
                let message = || format!("Reload with ID {id} does not exist");
                let reload = self.reloads.get(id, self.settings.generation);
                reload.map(Reply::ok).ok_or_else(|| ApiError::plain(StatusCode::NOT_FOUND, message()))
            }
            _ => Err(unknown()),
        }
    }

    fn configuration(
        &mut self,
        now: Time,
        request: &Request<'_>,
        path: &[&str],
        env: &mut dyn Environment,
    ) -> Option<Result<Reply, ApiError>> {
        let generation = self.settings.generation;
        Some(match *path.first()? {
            "version" if generation.has_version_resource() && path.len() == 1 => {
                only(request, &[Method::GET]).map(|()| Reply::ok(json!(self.document.version())))
            }
            "raw" if path.len() == 1 => match *request.method {
                Method::GET => self.get_raw(request, env),
                Method::POST => self.post_raw(now, request, env),
                _ => Err(not_allowed(request)),
            },
            "global" if path.len() == 1 => self.get_single(request, SectionKind::Global),
            "defaults" if path.len() == 1 => self.get_single(request, SectionKind::Defaults),
            _ => match Resource::of(path, request, generation)? {
                Ok(resource) => self.resource(now, request, resource, env),
                Err(error) => Err(error),
            },
        })
    }

    fn resource(
        &mut self,
        now: Time,
        request: &Request<'_>,
        resource: Resource,
        env: &mut dyn Environment,
    ) -> Result<Reply, ApiError> {
        if *request.method == Method::GET {
            return self.get(request, resource);
        }
        let collection = &resource.collection;
        match (request.method, &resource.name) {
            (&Method::POST, None) => {
                let body = request.object()?;
                self.change(now, request, env, Change::Created, |document| {
                    collection.create(document, &body)?;
                    Ok(Some(Value::Object(body)))
                })
            }
            (&Method::PUT, Some(name)) => {
                let body = request.object()?;
                self.change(now, request, env, Change::Replaced, |document| {
                    collection.replace(document, name, &body)?;
                    Ok(Some(Value::Object(body)))
                })
            }
            (&Method::DELETE, Some(name)) => self.change(now, request, env, Change::Deleted, |document| {
                collection.delete(document, name)?;
                Ok(None)
            }),
            _ => Err(not_allowed(request)),
        }
    }

    fn get(&mut self, request: &Request<'_>, resource: Resource) -> Result<Reply, ApiError> {
        let present = request.parameter("transaction_id").is_none();
        if let Some(body) = self.answers.get(&resource).filter(|_| present) {
            return Ok(Reply::text(body.clone(), self.document.version()));
        }
        let document = self.document_for(request)?;
        let data = match &resource.name {
            None => resource.collection.list(document)?,
            Some(name) => resource.collection.get(document, name)?,
        };
        let reply = self.versioned(document, data);
        if present {
            self.answers.insert(resource, reply.body.clone());
        }
        Ok(reply)
    }

    /// The configuration a reading request means: the transaction's, or the present one.
    fn document_for(&self, request: &Request<'_>) -> Result<&Document, ApiError> {
        match request.parameter("transaction_id") {
            None => Ok(&self.document),
            Some(id) => self.transactions.document(id).ok_or_else(|| no_transaction(id)),
        }
    }

    /// An answer to a reading request, with the configuration's version in header and (up to generation 2) body.
    fn versioned(&self, document: &Document, data: Value) -> Reply {
        let version = document.version();
        let nested = self.settings.generation.nested();
        let body = if nested { data } else { json!({"_version": version, "data": data}) };
        Reply::text(json_text(&body), version)
    }

    fn get_single(&self, request: &Request<'_>, kind: SectionKind) -> Result<Reply, ApiError> {
        only(request, &[Method::GET])?;
        let document = self.document_for(request)?;
        let missing = || ApiError::client(Code::ObjectDoesNotExist, format!("{} does not exist", kind.keyword()));
        let section = document.of(kind).next().ok_or_else(missing)?;
        Ok(self.versioned(document, describe_section(kind, section)))
    }

    /// A change of the configuration: in a transaction, or at once with a version.
    fn change(
        &mut self,
        now: Time,
        request: &Request<'_>,
        env: &mut dyn Environment,
        change: Change,
        operation: impl FnOnce(&mut Document) -> Result<Option<Value>, ApiError>,
    ) -> Result<Reply, ApiError> {
        let force = request.flag("force_reload")?;
        let transaction = request.parameter("transaction_id");
        if transaction.is_some() && force {
            let message = "Both force_reload and transaction specified, specify only one";
            return Err(ApiError::plain(StatusCode::BAD_REQUEST, message));
        }
        match (transaction, request.version()?) {
            (Some(_), Some(_)) => Err(ApiError::client(
                Code::BothVersionTransaction,
                "Both version and transaction specified, specify only one",
            )),
            (None, None) => Err(ApiError::client(
                Code::NoVersionTransaction,
                "Version or transaction not specified, specify only one",
            )),
            (Some(id), None) => {
                let mut document = self.transactions.document(id).cloned().ok_or_else(|| no_transaction(id))?;
                let body = operation(&mut document)?;
                self.transactions.save(id, document, env).map_err(changing_failed)?;
                Ok(Reply::new(StatusCode::ACCEPTED, body))
            }
            (None, Some(version)) => {
                self.expect_version(version)?;
                let mut document = self.document.clone();
                let body = operation(&mut document)?;
                let implicit = env.uuid();
                self.commit(&implicit, document, env)?;
                self.reloaded(now, env, force, change.forced_status(), body)
            }
        }
    }

    fn get_raw(&self, request: &Request<'_>, env: &dyn Environment) -> Result<Reply, ApiError> {
        let text = match request.parameter("transaction_id") {
            Some(id) => self.transactions.document(id).ok_or_else(|| no_transaction(id))?.to_string(),
            // The file as it is, not the copy in memory.
            None => {
                let file = &self.settings.config_file;
                let content = env.read(file).ok_or_else(|| ApiError::client(Code::CannotReadFile, file))?;
                String::from_utf8_lossy(&content).into_owned()
            }
        };
        Ok(self.versioned(&Document::parse(&text), json!(raw::without_version(&text))))
    }

    fn post_raw(&mut self, now: Time, request: &Request<'_>, env: &mut dyn Environment) -> Result<Reply, ApiError> {
        let text = request.text()?;
        let version = match (request.version()?, request.flag("skip_version")?) {
            (_, true) => self.document.version(),
            (Some(version), false) => {
                self.expect_version(version)?;
                version
            }
            (None, false) => {
                let message = "Version or transaction not specified, specify only one";
                return Err(ApiError::client(Code::NoVersionTransaction, message));
            }
        };
        let (force, skip) = (request.flag("force_reload")?, request.flag("skip_reload")?);
        let implicit = env.uuid();
        self.commit(&implicit, raw::document_of(text, version), env)?;
        let body = Some(json!(text));
        if skip {
            return Ok(Reply::new(StatusCode::CREATED, body));
        }
        self.reloaded(now, env, force, StatusCode::CREATED, body)
    }
}

pub(super) fn no_transaction(id: &str) -> ApiError {
    ApiError::client(Code::TransactionDoesNotExist, format!("Transaction {id} does not exist"))
}

pub(super) fn changing_failed(error: String) -> ApiError {
    ApiError::client(Code::ChangingConfig, error)
}

fn only(request: &Request<'_>, methods: &[Method]) -> Result<(), ApiError> {
    if methods.contains(request.method) { Ok(()) } else { Err(not_allowed(request)) }
}

pub(super) fn not_allowed(request: &Request<'_>) -> ApiError {
    let message = format!("method {} is not allowed", request.method);
    ApiError::plain(StatusCode::METHOD_NOT_ALLOWED, message)
}
