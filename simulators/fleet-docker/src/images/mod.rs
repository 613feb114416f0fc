//! The images that machines start from.
//!
//! - [`ImageRecipe`]: what is in an image, and the hash that decides whether a cached one will do.
//! - [`ensure()`]: brings a set of images to their recipes, the slow parts side by side.
//! - [`Progress`]: who is told meanwhile.
//! - Files `apt`, `pull`, `bootstrap`, `install`, `import`: the steps, one each.

mod apt;
mod bootstrap;
mod ensure;
mod import;
mod install;
mod missing;
mod progress;
mod pull;
mod recipe;

pub use ensure::{ImageReport, ImagesError, ensure};
pub use missing::{ImageLookupError, missing};
pub use progress::{Origin, Progress, Silent, Stage};
pub use recipe::{ImageRecipe, Parent, RECIPE, Suite, standard};
