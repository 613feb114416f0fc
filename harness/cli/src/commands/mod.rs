//! One file a command.

pub(crate) mod clean;
pub(crate) mod completions;
mod docker;
pub(crate) mod images;
pub(crate) mod internal;
pub(crate) mod list;
mod load;
pub(crate) mod plan;
pub(crate) mod run;
pub(crate) mod schema;
