//! The Data Plane API from outside: requests in, answers, files and reloads out.

mod reloads;
mod statuses;
mod support;
mod transactions;
