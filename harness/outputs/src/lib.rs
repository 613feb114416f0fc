//! What programs read of Grenadier.
//!
//! Every document that `--format json` prints is a [`Document`] with a name, a version and a JSON Schema, which is made from the
//! type that is serialised; [`reference()`] is the same for people. Documents that only the command line makes are types here:
//! [`Failure`], [`Listing`], [`Suggestions`].

mod closed;
mod diagnosis;
mod document;
mod failure;
mod listing;
mod page;
mod suggestions;

pub use diagnosis::Diagnosis;
pub use document::Document;
pub use failure::{Failure, FailureWord, causes};
pub use listing::{Listed, Listing};
pub use page::reference;
pub use suggestions::{Suggested, Suggestions};

/// A document as it is printed: indented, with a newline at its end.
pub fn pretty(document: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("a document has string keys and finite numbers");
    text.push('\n');
    text
}
