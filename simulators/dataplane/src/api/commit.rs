//! Transactions as requests see them, and how a configuration becomes the present one.

use grenadier_clock::Time;
use http::{Method, StatusCode};
use serde_json::Value;

use super::raw;
use super::reply::{ApiError, Code, Reply};
use super::request::Request;
use super::service::{DataPlaneApi, changing_failed, no_transaction, not_allowed};
use super::transactions::{Status, describe};
use crate::{Document, Environment, fidelity};

impl DataPlaneApi {
    pub(super) fn expect_version(&self, given: u64) -> Result<(), ApiError> {
        let present = self.document.version();
        if present == given { Ok(()) } else { Err(ApiError::version_mismatch(present, given)) }
    }

    /// Makes a transaction's configuration the present one: check, new version, file.
    pub(super) fn commit(
        &mut self,
        id: &str,
        mut document: Document,
        env: &mut dyn Environment,
    ) -> Result<(), ApiError> {
        if let Err(output) = env.validate(&document.text()) {
            self.transactions.set_aside(id, document, Status::Failed, env);
            return Err(raw::validation_error(&output, id));
        }
        let based_on = document.clone();
        document.set_version(document.version() + 1);
        if let Err(error) = env.write(&self.settings.config_file, document.text().into()) {
            self.transactions.set_aside(id, based_on, Status::Failed, env);
            return Err(changing_failed(error));
        }
        self.document = document;
        self.answers.clear();
        self.transactions.remove(id, env);
        if self.settings.generation.outdates_transactions() {
            self.transactions.outdate(based_on.version(), env);
        }
        Ok(())
    }

    /// Reloads at once or at the end of the window, and answers accordingly.
    pub(super) fn reloaded(
        &mut self,
        now: Time,
        env: &mut dyn Environment,
        force: bool,
        forced_status: StatusCode,
        body: Option<Value>,
    ) -> Result<Reply, ApiError> {
        if force {
            let failed = |error| ApiError::plain(StatusCode::BAD_REQUEST, format!("Reload failed: {error}"));
            self.reloads.reload(env).map_err(failed)?;
            return Ok(Reply::new(forced_status, body));
        }
        let id = self.reloads.request(now, env);
        Ok(Reply { reload: Some(id), ..Reply::new(StatusCode::ACCEPTED, body) })
    }

    pub(super) fn transactions(&mut self, request: &Request<'_>, env: &mut dyn Environment) -> Result<Reply, ApiError> {
        match *request.method {
            Method::GET => {
                let wanted = request.parameter("status");
                let entries = self.transactions.iter();
                let entries = entries.filter(|(_, entry)| wanted.is_none_or(|status| status == entry.status.name()));
                Ok(Reply::ok(Value::Array(entries.map(|(id, entry)| entry.json(id)).collect())))
            }
            Method::POST => {
                let version = request.required("version").and_then(|_| request.version())?.unwrap_or_default();
                let limit = self.settings.max_open_transactions;
                if self.settings.generation.limits_transactions() && self.transactions.open() >= limit {
                    let message = format!(
                        "cannot start a new transaction, reached the maximum amount of {limit} active transactions available"
                    );
                    return Err(ApiError::plain(StatusCode::TOO_MANY_REQUESTS, message));
                }
                self.expect_version(version)?;
                let id = env.uuid();
                self.transactions.save(&id, self.document.clone(), env).map_err(changing_failed)?;
                let body = describe(&id, version, Status::InProgress.name());
                Ok(Reply::new(StatusCode::CREATED, Some(body)))
            }
            _ => Err(not_allowed(request)),
        }
    }

    pub(super) fn transaction(
        &mut self,
        now: Time,
        request: &Request<'_>,
        id: &str,
        env: &mut dyn Environment,
    ) -> Result<Reply, ApiError> {
        let unknown = || match self.settings.generation.unknown_transaction_is_not_found() {
            true => ApiError::plain(StatusCode::NOT_FOUND, no_transaction(id).message),
            false => no_transaction(id),
        };
        match *request.method {
            Method::GET => {
                let entry = self.transactions.get(id).ok_or_else(unknown)?;
                Ok(Reply::ok(entry.json(id)))
            }
            Method::DELETE => {
                let unknown = unknown();
                if self.transactions.remove(id, env) {
                    Ok(Reply::new(StatusCode::NO_CONTENT, None))
                } else {
                    Err(unknown)
                }
            }
            Method::PUT => {
                let entry = self.transactions.get(id).cloned().ok_or_else(unknown)?;
                self.commit_transaction(now, request, id, entry.status, entry.document, env)
            }
            _ => Err(not_allowed(request)),
        }
    }

    fn commit_transaction(
        &mut self,
        now: Time,
        request: &Request<'_>,
        id: &str,
        status: Status,
        document: Document,
        env: &mut dyn Environment,
    ) -> Result<Reply, ApiError> {
        let force = request.flag("force_reload")?;
        let outdates = self.settings.generation.outdates_transactions();
        let not_acceptable = |status: Status| {
            let message = format!("transaction {id} is {} and cannot be committed", status.name());
            ApiError::plain(StatusCode::NOT_ACCEPTABLE, message)
        };
        match status {
            Status::InProgress => {}
            Status::Failed | Status::Outdated if outdates => return Err(not_acceptable(status)),
            // Its parser is gone, so the old ones do not know it any more.
            Status::Failed | Status::Outdated => return Err(no_transaction(id)),
        }
        let (version, present) = (document.version(), self.document.version());
        let stale = version != present;
        #[cfg(feature = "mutants")]
        let stale = stale && !self.settings.ignores_versions;
        if stale {
            env.holds(if outdates { &fidelity::STALE_OUTDATES } else { &fidelity::STALE_FAILS });
            if outdates {
                self.transactions.set_aside(id, document, Status::Outdated, env);
                return Err(not_acceptable(Status::Outdated));
            }
            self.transactions.set_aside(id, document, Status::Failed, env);
            let message = format!("Version mismatch, transaction version: {version}, configured version: {present}");
            return Err(ApiError::client(Code::VersionMismatch, message));
        }
        self.commit(id, document, env)?;
        self.reloaded(now, env, force, StatusCode::OK, Some(describe(id, version, "success")))
    }
}
