//! The API itself.

mod auth;
mod commit;
mod raw;
mod reloads;
mod reply;
mod request;
mod resources;
mod service;
mod transactions;

pub use reloads::date_of;
pub use service::{DataPlaneApi, StartError};
