//! The configuration of HAProxy: sections with every line as it was written, and typed views of the lines we know.

mod document;
mod fields;
mod line;
mod userlist;
mod words;

pub use document::{Document, Section, SectionKind};
pub(crate) use fields::{FieldError, fields_of};
pub use line::{Bind, Server};
pub(crate) use line::{LineKind, Params};
pub use userlist::User;
