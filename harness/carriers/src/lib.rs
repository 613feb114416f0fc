//! What carries an exchange as bytes.
//!
//! In the virtual world an exchange is handed over in process. Foreign engines and the docker world speak HTTP/1.1 over TCP,
//! with TLS where the real endpoint has it: [`serve`] is the listening end, [`TcpClient`] the calling one. [`DuplexClient`]
//! runs the same bytes through an in-memory pipe, which needs no socket and no clock: wire-format tests use it.

mod client;
#[cfg(feature = "codecs")]
pub mod codecs;
mod duplex;
#[allow(clippy::disallowed_methods, reason = "clients outside are waited for in real time")]
mod limits;
#[allow(clippy::disallowed_methods, reason = "clients outside are waited for in real time")]
mod server;
mod tls;

pub use client::TcpClient;
pub use duplex::DuplexClient;
pub use limits::Limits;
pub use server::{Handler, Handling, connection, serve, serve_within};
pub use tls::{TlsError, TlsIdentity, connect_tls, fingerprint};
