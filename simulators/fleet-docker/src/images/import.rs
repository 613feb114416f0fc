//! Makes a tree of files an image of one layer.
//!
//! Both ways to an image end here: the archive that a bootstrap writes and the export of a container in which packages
//! were installed. Compared with committing that container, an import leaves nothing behind that a later layer deletes,
//! and none of the labels the build container carried, which every container started from the image would inherit.

use super::recipe::RECIPE;
use bollard::Docker;
use bollard::errors::Error;
use bollard::models::ImageInspect;
use bollard::query_parameters::{CreateImageOptions, RemoveImageOptions, TagImageOptions};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};

/// Imports a tar archive under `name`, labelled with the hash of its recipe, and forgets the image that had the name before.
///
/// The name is given last. Two processes may make the same image at the same time: the one that comes second finds the name
/// taken by an image of the same recipe and drops its own, so that neither leaves an image without a name.
pub(super) async fn import(
    docker: &Docker,
    name: &str,
    hash: &str,
    archive: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
) -> Result<(), Error> {
    let options = CreateImageOptions {
        from_src: Some("-".to_owned()),
        changes: vec![format!("LABEL {RECIPE}={hash}"), "CMD [\"/bin/sh\"]".to_owned()],
        ..Default::default()
    };
    let archive = bollard::body_try_stream(archive);
    let said = docker.create_image(Some(options), Some(archive), None).try_collect::<Vec<_>>().await?;
    let id = said.into_iter().filter_map(|line| line.status).find(|line| line.starts_with("sha256:"));
    let id =
        id.ok_or_else(|| Error::DockerStreamError { error: "the engine did not name the image it made".to_owned() })?;

    let before = docker.inspect_image(name).await.ok();
    if before.as_ref().is_some_and(|image| recipe_hash(image) == Some(hash)) {
        remove_quietly(docker, &id).await;
        return Ok(());
    }
    let (repository, tag) = name.rsplit_once(':').unwrap_or((name, "latest"));
    let options = TagImageOptions { repo: Some(repository.to_owned()), tag: Some(tag.to_owned()) };
    docker.tag_image(&id, Some(options)).await?;
    if let Some(before) = before.and_then(|image| image.id) {
        remove_quietly(docker, &before).await;
    }
    Ok(())
}

/// The hash of the recipe that an image was made by, if it is one of ours.
pub(super) fn recipe_hash(image: &ImageInspect) -> Option<&str> {
    image.config.as_ref()?.labels.as_ref()?.get(RECIPE).map(String::as_str)
}

/// Removes an image that nobody asks for any more. A container may still use it: then it stays until that container goes,
/// and the engine's own pruning finds it.
async fn remove_quietly(docker: &Docker, id: &str) {
    let _ = docker.remove_image(id, None::<RemoveImageOptions>, None).await;
}
