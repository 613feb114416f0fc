//! What is told while images are made.

/// Where an image that is ready came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was there already, made by the same recipe.
    Cached,
    /// Made from the official image of its suite, which was there or was pulled.
    Official,
    /// Made from packages alone, without a registry.
    Bootstrapped,
    /// Made from another image of ours.
    Derived,
}

/// What is being done for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Asking a registry for the official image; it has a few seconds to answer.
    Pull {
        /// The image asked for.
        reference: String,
    },
    /// Building the minimal system from packages; half a minute.
    Bootstrap,
    /// Installing packages; some ten seconds.
    Install {
        /// The packages, as the recipe names them.
        packages: Vec<String>,
    },
    /// Packing the file tree into an image of one layer.
    Pack,
    /// Done.
    Ready(Origin),
}

/// Is told of every stage of every image. Images are made side by side, so the stages of several interleave.
pub trait Progress {
    /// `image` enters `stage`.
    fn stage(&mut self, image: &str, stage: &Stage);
}

/// Tells nobody.
#[derive(Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&mut self, _image: &str, _stage: &Stage) {}
}
