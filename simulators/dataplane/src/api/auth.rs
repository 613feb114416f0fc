//! Who may ask.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};

use super::reply::ApiError;
use crate::{Environment, User};

/// The users, as they were when the service started: the real one does not read the list again for a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Users {
    users: Vec<User>,
    /// The last credentials that were right: clients send the same ones with every request.
    accepted: Option<HeaderValue>,
}

impl Users {
    pub(super) fn new(users: Vec<User>) -> Users {
        Users { users, accepted: None }
    }

    /// Checks the basic authentication of a request.
    pub(super) fn check(&mut self, request: &http::Request<Bytes>, env: &mut dyn Environment) -> Result<(), ApiError> {
        let denied = |message: &str| Err(ApiError::plain(StatusCode::UNAUTHORIZED, message));
        let header = request.headers().get(header::AUTHORIZATION);
        if header.is_some() && header == self.accepted.as_ref() {
            return Ok(());
        }
        let text = header.and_then(|value| value.to_str().ok());
        let Some(encoded) = text.and_then(|value| value.strip_prefix("Basic ")) else {
            return denied("unauthenticated for invalid credentials");
        };
        let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((name, password)) = decoded.as_deref().and_then(|text| text.split_once(':')) else {
            return denied("unauthenticated for invalid credentials");
        };
        let Some(user) = self.users.iter().find(|user| user.name == name) else {
            return denied("no configured users");
        };
        match user.accepts(password) {
            Ok(true) => {
                self.accepted = header.cloned().map(|mut value| {
                    value.set_sensitive(true);
                    value
                });
                Ok(())
            }
            // The real one puts the password into its answer; we keep secrets out of answers and logs.
            Ok(false) => denied("invalid password"),
            Err(reason) => {
                env.log(format!("user {name} cannot log in: {reason}"));
                denied("invalid password")
            }
        }
    }
}
