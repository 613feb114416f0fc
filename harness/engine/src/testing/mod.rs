//! Doubles for tests: a clock that jumps, and a small world with one vCenter, appliances and vantage machines.
//!
//! The world answers from the documentation's point of view: its XML is written by hand, not by the client's encoder.

mod appliance;
mod clock;
mod ovf;
mod protocol;
mod soap;
mod vcenter;
mod world;

pub(crate) use clock::TestClock;
pub(crate) use ovf::{CERTIFICATE, KEY, OVF, PASSWORD};
pub(crate) use world::{Crash, FakeWorld, Tally, run, run_or_crash};
