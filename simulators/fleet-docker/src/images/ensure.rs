//! Brings a set of images to their recipes.

use super::apt::{ARCHIVE_VARIABLE, AptSetup};
use super::bootstrap::{StartError, bootstrap};
use super::import::{import, recipe_hash};
use super::install::{BuildContainer, InstallError};
use super::progress::{Origin, Progress, Stage};
use super::pull::{Official, official};
use super::recipe::{ImageRecipe, Parent};
use crate::engine::has_status;
use crate::owner::{Owner, OwnerError};
use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::RemoveImageOptions;
use futures_util::TryStreamExt;
use futures_util::future::try_join_all;
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// An image that is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReport {
    /// Repository and tag.
    pub name: String,
    /// The engine's id of the image.
    pub id: String,
    /// Where it came from.
    pub origin: Origin,
    /// Its size in bytes.
    pub size: u64,
    /// How long making it took; nothing to speak of where it was cached.
    pub took: Duration,
}

/// An image could not be made: the environment is not fit (exit code 3).
#[derive(Debug, thiserror::Error)]
pub enum ImagesError {
    /// This process cannot say who it is, so what it makes could not be swept.
    #[error("label build containers")]
    Owner(#[from] OwnerError),
    /// The engine refused something.
    #[error("{what} for image {image}")]
    Engine {
        /// The image being made.
        image: String,
        /// What was asked of the engine.
        what: &'static str,
        /// What it answered.
        #[source]
        source: Error,
    },
    /// Neither a registry nor a tool to do without one.
    #[error("make image {image}: {reference} cannot be pulled ({pull}) and mmdebstrap is not installed")]
    NoSource {
        /// The image being made.
        image: String,
        /// The official image that was asked for.
        reference: String,
        /// Why it cannot be pulled.
        pull: String,
    },
    /// Nobody says where Debian packages are.
    #[error("find an archive of Debian packages: this machine's apt has none, and {ARCHIVE_VARIABLE} is not set")]
    NoArchive,
    /// mmdebstrap could not be started or did not succeed.
    #[error("bootstrap image {image}: {reason}")]
    Bootstrap {
        /// The image being made.
        image: String,
        /// The tool's own last words.
        reason: String,
    },
    /// Packages or steps of the recipe failed in the build container.
    #[error("install {image}'s packages: {reason}")]
    Install {
        /// The image being made.
        image: String,
        /// The last lines of the command's output, or what the engine refused.
        reason: String,
    },
}

impl ImagesError {
    /// What a person can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            ImagesError::NoSource { .. } => Some("apt-get install mmdebstrap, or let the engine reach a registry"),
            ImagesError::NoArchive => Some("set GRENADIER_DEBIAN_ARCHIVE to the address of a Debian archive"),
            ImagesError::Bootstrap { .. } | ImagesError::Install { .. } => {
                Some("packages come from the archive this machine's apt uses; check that `apt-get update` works here")
            }
            ImagesError::Owner(_) | ImagesError::Engine { .. } => None,
        }
    }
}

/// Makes every image in `want`, and those they start from, unless an image made by the same recipe is there.
///
/// Independent images are made side by side. Reports come in the order of `want`.
pub async fn ensure(
    docker: &Docker,
    want: &[ImageRecipe],
    progress: &mut dyn Progress,
) -> Result<Vec<ImageReport>, ImagesError> {
    let run = format!("images-{}", std::process::id());
    let work = Work { docker, owner: Owner::this_process(&run)?, progress: RefCell::new(progress) };
    let mut missing = Vec::new();
    for recipe in want {
        work.collect_missing(recipe, &mut missing).await?;
    }
    let mut made = Vec::new();
    if !missing.is_empty() {
        let setup = AptSetup::of_host().await.ok_or(ImagesError::NoArchive)?;
        // Parents come in an earlier generation than what starts from them.
        for generation in generations(missing) {
            made.extend(try_join_all(generation.iter().map(|recipe| work.make(recipe, &setup))).await?);
        }
    }
    let mut reports = Vec::new();
    for recipe in want {
        let built = made.iter().find(|(name, ..)| *name == recipe.name);
        let (origin, took) = built.map_or((Origin::Cached, Duration::ZERO), |(_, origin, took)| (*origin, *took));
        let image = docker.inspect_image(&recipe.name).await.map_err(engine(recipe, "look up the finished image"))?;
        work.stage(recipe, &Stage::Ready(origin));
        reports.push(ImageReport {
            name: recipe.name.clone(),
            id: image.id.unwrap_or_default(),
            origin,
            size: image.size.unwrap_or_default().try_into().unwrap_or_default(),
            took,
        });
    }
    Ok(reports)
}

/// Sorts recipes by how many images they stand on.
fn generations(recipes: Vec<ImageRecipe>) -> Vec<Vec<ImageRecipe>> {
    let mut generations: Vec<Vec<ImageRecipe>> = Vec::new();
    for recipe in recipes {
        let depth = depth(&recipe);
        generations.resize(generations.len().max(depth + 1), Vec::new());
        generations[depth].push(recipe);
    }
    generations
}

fn depth(recipe: &ImageRecipe) -> usize {
    match &recipe.parent {
        Parent::Suite => 0,
        Parent::Image(parent) => 1 + depth(parent),
    }
}

fn engine(recipe: &ImageRecipe, what: &'static str) -> impl FnOnce(Error) -> ImagesError {
    let image = recipe.name.clone();
    move |source| ImagesError::Engine { image, what, source }
}

fn install_failed(recipe: &ImageRecipe) -> impl FnOnce(InstallError) -> ImagesError {
    let image = recipe.name.clone();
    move |error| match error {
        InstallError::Engine { what, source } => ImagesError::Engine { image, what, source },
        command @ InstallError::Command { .. } => ImagesError::Install { image, reason: command.to_string() },
    }
}

/// What the images of one call share.
struct Work<'a> {
    docker: &'a Docker,
    owner: Owner,
    /// Images are made side by side on one task, and each tells of itself.
    progress: RefCell<&'a mut dyn Progress>,
}

impl Work<'_> {
    fn stage(&self, recipe: &ImageRecipe, stage: &Stage) {
        self.progress.borrow_mut().stage(&recipe.name, stage);
    }

    /// Adds `recipe` and what it starts from to `missing`, as far as they are not there. A parent is looked at only when
    /// something has to be made from it.
    async fn collect_missing(&self, recipe: &ImageRecipe, missing: &mut Vec<ImageRecipe>) -> Result<(), ImagesError> {
        let mut next = Some(recipe);
        while let Some(recipe) = next {
            if missing.contains(recipe) || self.is_cached(recipe).await? {
                break;
            }
            missing.push(recipe.clone());
            next = match &recipe.parent {
                Parent::Suite => None,
                Parent::Image(parent) => Some(parent),
            };
        }
        Ok(())
    }

    async fn is_cached(&self, recipe: &ImageRecipe) -> Result<bool, ImagesError> {
        match self.docker.inspect_image(&recipe.name).await {
            Ok(image) => Ok(recipe_hash(&image) == Some(&recipe.hash())),
            Err(error) if has_status(&error, 404) => Ok(false),
            Err(error) => Err(engine(recipe, "look for a cached image")(error)),
        }
    }

    async fn make(&self, recipe: &ImageRecipe, setup: &AptSetup) -> Result<(String, Origin, Duration), ImagesError> {
        let begin = Instant::now();
        let origin = match &recipe.parent {
            Parent::Image(parent) => {
                self.derive(recipe, &parent.name, setup).await?;
                Origin::Derived
            }
            Parent::Suite => self.found(recipe, setup).await?,
        };
        Ok((recipe.name.clone(), origin, begin.elapsed()))
    }

    /// Makes an image that starts from nothing of ours: from the official image, else from packages alone.
    async fn found(&self, recipe: &ImageRecipe, setup: &AptSetup) -> Result<Origin, ImagesError> {
        let reference = recipe.suite.official_image();
        self.stage(recipe, &Stage::Pull { reference: reference.clone() });
        let official =
            official(self.docker, &reference).await.map_err(engine(recipe, "look for the official image"))?;
        match official {
            Official::Present => self.derive(recipe, &reference, setup).await?,
            Official::Pulled => {
                let derived = self.derive(recipe, &reference, setup).await;
                // It was pulled for this build only. Somebody may have begun to use it; then it stays.
                let _ = self.docker.remove_image(&reference, None::<RemoveImageOptions>, None).await;
                derived?;
            }
            Official::Unavailable(pull) => {
                self.bootstrap(recipe, setup, reference, pull).await?;
                return Ok(Origin::Bootstrapped);
            }
        }
        Ok(Origin::Official)
    }

    async fn bootstrap(
        &self,
        recipe: &ImageRecipe,
        setup: &AptSetup,
        reference: String,
        pull: String,
    ) -> Result<(), ImagesError> {
        self.stage(recipe, &Stage::Bootstrap);
        let image = recipe.name.clone();
        let (archive, failure) = match bootstrap(recipe.suite, &recipe.packages, setup) {
            Ok(started) => started,
            Err(StartError::NotInstalled) => return Err(ImagesError::NoSource { image, reference, pull }),
            Err(StartError::Start(error)) => {
                return Err(ImagesError::Bootstrap { image, reason: format!("start mmdebstrap: {error}") });
            }
        };
        let imported = import(self.docker, &recipe.name, &recipe.hash(), archive).await;
        match (imported, failure.get()) {
            (_, Some(reason)) => Err(ImagesError::Bootstrap { image, reason: reason.clone() }),
            (Err(source), None) => Err(ImagesError::Engine { image, what: "import the bootstrapped system", source }),
            (Ok(()), None) => Ok(()),
        }
    }

    /// Makes an image from another one, in a container that is gone afterwards in every case.
    async fn derive(&self, recipe: &ImageRecipe, parent: &str, setup: &AptSetup) -> Result<(), ImagesError> {
        self.stage(recipe, &Stage::Install { packages: recipe.packages.clone() });
        let container =
            BuildContainer::start(self.docker, parent, &self.owner).await.map_err(install_failed(recipe))?;
        let built = self.derive_in(&container, recipe, setup).await;
        let removed = container.remove().await.map_err(engine(recipe, "remove the build container"));
        built.and(removed)
    }

    async fn derive_in(
        &self,
        container: &BuildContainer<'_>,
        recipe: &ImageRecipe,
        setup: &AptSetup,
    ) -> Result<(), ImagesError> {
        container.apply(recipe, setup).await.map_err(install_failed(recipe))?;
        self.stage(recipe, &Stage::Pack);
        // The import reads while the export writes: the tree never lies anywhere twice.
        let archive = self.docker.export_container(&container.id).map_err(std::io::Error::other);
        import(self.docker, &recipe.name, &recipe.hash(), archive).await.map_err(engine(recipe, "import the build"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::recipe::{Suite, standard};
    use super::*;

    #[test]
    fn parents_come_in_an_earlier_generation() {
        let mut recipes = standard();
        recipes.reverse();
        let generations = generations(recipes);
        let names =
            |generation: &[ImageRecipe]| generation.iter().map(|recipe| recipe.name.clone()).collect::<Vec<_>>();
        assert_eq!(
            names(&generations[0]),
            ["grenadier/base:trixie", "grenadier/base:bookworm", "grenadier/base:bullseye"]
        );
        assert_eq!(generations[1].len(), 4);
        assert_eq!(generations.len(), 2);
    }

    #[test]
    fn an_environment_without_any_source_gets_a_hint() {
        let error = ImagesError::NoSource {
            image: ImageRecipe::base(Suite::Bullseye).name,
            reference: Suite::Bullseye.official_image(),
            pull: "no answer within 5 s".to_owned(),
        };
        assert_eq!(
            error.to_string(),
            "make image grenadier/base:bullseye: debian:bullseye-slim cannot be pulled (no answer within 5 s) and mmdebstrap is not installed"
        );
        assert!(error.hint().is_some_and(|hint| hint.contains("apt-get install mmdebstrap")));
    }
}
