//! What people see on a terminal.

mod ending;
mod live;
mod style;

pub use ending::{Ending, ending, verdict_line};
pub use live::Live;
pub use style::Style;
