//! Reports as one self-contained HTML file: no request leaves the page, and the text in it is readable without scripts.

mod checks;
mod data;
mod first_screen;
mod ladder;
mod page;
mod parts;
mod run;
mod uncovered;

pub use page::{Page, Section};
pub use parts::{badge, command, scroller};
pub use run::report;
