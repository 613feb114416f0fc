//! What the Data Plane API of the appliance must answer and do: one table, written once.
//!
//! [`cases()`] is the table. [`Case::run`] runs one of them against a [`Subject`]: the virtual appliance, with the model of HAProxy
//! behind the API, or a container with the real one. A cell that must differ between the two is a [`Cell::ByWorld`]; every
//! other cell is the same for both and for each generation of HAProxy.
//!
//! What is expected is dataplaneapi v2.1.0 with client-native v2.1.0, the versions in the appliance (`haproxy/reload_agent.go`,
//! `handlers/`, `e2e/tests` at these tags).

mod case;
mod cases;
mod run;
mod subject;

pub use case::{Case, Cell, Password, Request, Step};
pub use cases::cases;
pub use subject::{Answer, Subject, World};
