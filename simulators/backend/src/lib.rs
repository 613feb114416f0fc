//! A backend behind a load balancer, as a guest: it answers every request with 200 and its name.

mod backend;

pub use backend::{Backend, BackendConfig};
