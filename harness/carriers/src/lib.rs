//! What carries an exchange as bytes.
//!
//! In the virtual world an exchange is handed over in process. Foreign engines and the docker world speak HTTP/1.1 over TCP,
//! with TLS where the real endpoint has it: [`serve`] is the listening end, [`TcpClient`] the calling one. [`DuplexClient`]
//! runs the same bytes through an in-memory pipe, which needs no socket and no clock: wire-format tests use it.

mod client;
#[cfg(feature = "codecs")]
pub mod codecs;
mod duplex;
mod server;
mod tls;

pub use client::TcpClient;
pub use duplex::DuplexClient;
pub use server::{Handler, Handling, connection, serve};
pub use tls::{TlsError, TlsIdentity, connect_tls, fingerprint};
