//! One file a command.

pub(crate) mod calibrate;
pub(crate) mod clean;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod engine;
pub(crate) mod explore;
pub(crate) mod fidelity;
pub(crate) mod gate;
mod github;
pub(crate) mod images;
pub(crate) mod internal;
mod leave;
pub(crate) mod list;
mod load;
pub(crate) mod merge;
pub(crate) mod new;
pub(crate) mod paths;
pub(crate) mod plan;
pub(crate) mod prune;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod shrink;
mod signals;
pub(crate) mod suggest;
