//! The appliance from outside: what it does from power-on to power-off, on a host that keeps everything it does.

mod boot;
mod conformance;
mod programs;
mod real_haproxy;
mod routes;
mod support;
