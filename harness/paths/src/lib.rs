//! Which version upgrades to which.
//!
//! A [`Paths`] has every leap between two versions of a system: refused by a rule, rehearsed, failed, or not rehearsed. Where a
//! leap is forbidden or failed, the way round is searched: several hops, each rehearsed from the state the last one left.
//!
//! - [`Rehearsing`] performs leaps; [`Evidence`] finds them in the folders that earlier runs left. Both are a [`Source`].
//! - [`text`], [`markdown`], [`html`] and [`Paths::to_json`] show the same matrix; [`PathsFolder`] keeps all of them.

mod evidence;
mod folder;
mod html;
mod leap;
mod markdown;
mod matrix;
mod question;
mod rehearse;
mod route;
mod template;
#[cfg(test)]
mod testing;
mod text;
mod versions;

pub use evidence::{Evidence, EvidenceError};
pub use folder::{FolderError, PathsFolder};
pub use html::html;
pub use leap::{Leap, LeapLine, Rehearsal, State};
pub use markdown::markdown;
pub use matrix::{Paths, Source, VERSION, VersionLine, paths};
pub use question::{Question, QuestionError};
pub use rehearse::{Rehearsing, WriteError};
pub use route::{RouteLine, Why};
pub use template::{Template, TemplateError};
pub use text::text;
pub use versions::{KnownVersion, Versions};
