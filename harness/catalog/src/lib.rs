//! What exists, as data.
//!
//! A scenario names systems, versions, steps, fault kinds, checks, privileges and so on. All those names are listed here,
//! each with one line of documentation, so that the scenario reader can refuse a misspelt one, the schema can offer them to
//! an editor, and every crate means the same thing by the same word. Nothing here reads a file or talks to anybody.
//!
//! Adding a system is one file in [`systems`] and one line in its table.
//!
//! ```
//! use grenadier_catalog::{System, VersionNumber};
//!
//! let system = System::find("haproxy-appliance").expect("a system of the catalogue");
//! let base = system.version("v0.1.9").expect("a version of the catalogue");
//! let target = system.version("v0.1.10").expect("a version of the catalogue");
//! assert!(base.number < target.number, "v0.1.10 is newer than v0.1.9");
//! assert_eq!(target.number, VersionNumber::new(0, 1, 10));
//! ```

mod call;
mod check;
mod duration;
mod facts;
mod fault;
mod named;
mod outcome;
mod percent;
mod phase;
mod place;
mod probe;
mod procedure;
mod refusal;
mod system;
pub mod systems;
mod timing;
mod topology;
mod version;
mod vsphere;

pub use call::{CallAddress, CallAddressError, CallTemplate, HttpMethod};
pub use check::Check;
pub use duration::{DurationError, duration_serde, format_duration, parse_duration};
pub use facts::{FactError, FactField, FactKind, FactValue, RouteRulesOnStop, VersionFacts};
pub use fault::{FaultKind, FaultLayer};
pub use named::Named;
pub use outcome::{AfterCrash, Machine, Outcome, Residual};
pub use percent::{Percent, PercentError};
pub use phase::{Phase, World};
pub use place::FaultPlace;
pub use probe::ProbeKind;
pub use procedure::{Procedure, Step};
pub use refusal::RefusalRule;
pub use system::{Leap, MachineSize, System, SystemFile, Version};
pub use timing::TimingField;
pub use topology::{Cluster, Networks, Segment};
pub use version::{VersionNumber, VersionNumberError};
pub use vsphere::{Privilege, VSPHERE_RELEASES, vsphere_release};
