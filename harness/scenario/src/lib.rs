//! The scenario document.
//!
//! One YAML file says which system is upgraded from what to what, in which topology, under which load, with which faults,
//! and what is expected of it. This crate turns such a file into a [`Scenario`], or into [`Diagnostics`] that name *every*
//! problem with its line, its column, the offending text and a hint. It knows no system: names resolve against
//! [`grenadier_catalog`]. The scenarios of the product are embedded ([`embedded()`]), and [`schema()`] describes the
//! document to editors.
//!
//! ```
//! let source = "
//! name: one-swap
//! system: haproxy-appliance
//! from: v0.1.10
//! to: v0.2.0
//! topology: {vsphere: 7.0.1, networks: frontend}
//! create:
//!   - load-balancer: {name: shop, vip: frontend+20, port: 443, backends: 3}
//! ";
//! let scenario = grenadier_scenario::parse(source, "one-swap.yaml").expect("a scenario without problems");
//! assert_eq!(scenario.load_balancers().count(), 1);
//! assert_eq!(scenario.probes().count(), 1, "without a workload, every load balancer is probed");
//!
//! let problems = grenadier_scenario::parse(&source.replace("from", "fromm"), "one-swap.yaml").unwrap_err();
//! assert_eq!(problems.iter().next().and_then(|problem| problem.help.as_deref()), Some("did you mean `from`?"));
//! ```

mod address;
#[cfg(test)]
mod agreement;
mod argument;
mod case;
#[cfg(feature = "codecs")]
pub mod codecs;
mod decode;
mod diagnostic;
mod document;
mod embedded;
mod load;
mod place;
mod profile;
mod reference;
mod render;
mod schema;
mod size;
mod suggest;
mod toml_tree;
mod yaml;

pub use address::{AddressError, Blocks, ResolveError, SERVICE_ADDRESSES, SymbolicAddress, SymbolicRange};
pub use argument::{add_faults, parse_fault};
pub use case::{Case, JudgedBy, Origin, load_case, parse_case};
pub use decode::parse;
pub use diagnostic::{Diagnostics, Problem};
pub use document::{
    ApplianceState, BindRange, Customisation, End, Engine, Expect, Fault, Field, ForeignEvent, Given, HostCapacity,
    Jitter, JitterError, KnownFailure, LoadBalancer, OutageBudget, OwnVersion, PowerOn, Probe, ProcedureError,
    ProductVersion, Require, Resource, Rollback, Scenario, SecondEngine, SignatureError, SignaturePattern, Source,
    TargetInputs, Timing, TimingProfile, Topology, Transaction, UpgradeVcenter, VersionChoice, Workload,
};
pub use embedded::{Embedded, embedded};
pub use load::{LoadError, Loaded, load, load_calibration};
pub use place::line_of;
pub use profile::{Choice, ExploreRule, Profile, RunRule, ScenarioSource, parse_profile};
pub use reference::reference;
pub use render::Style;
pub use schema::schema;
pub use size::{ByteSize, SizeError};
pub use suggest::hint as suggestion;
