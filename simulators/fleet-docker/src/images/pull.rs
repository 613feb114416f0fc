//! The official image of a suite, where it is at hand or a registry has it.

use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::CreateImageOptions;
use futures_util::StreamExt;
use std::time::Duration;

/// How long a registry has to begin to answer. Machines without a way out often drop packets instead of refusing them, and
/// the engine itself would wait for a minute.
const FIRST_ANSWER: Duration = Duration::from_secs(5);
/// How long it may then fall silent.
const NEXT_ANSWER: Duration = Duration::from_secs(60);

/// How the official image came to be at hand.
#[derive(Debug)]
pub(super) enum Official {
    /// It was there already: somebody else's, to be left as it is.
    Present,
    /// It was pulled for us, to be removed when we are done.
    Pulled,
    /// No registry gave it, for this reason.
    Unavailable(String),
}

/// Looks for an official image here, then at its registry.
///
/// # Errors
/// Only what makes the engine unusable; a registry that does not answer is [`Official::Unavailable`].
pub(super) async fn official(docker: &Docker, reference: &str) -> Result<Official, Error> {
    match docker.inspect_image(reference).await {
        Ok(_) => return Ok(Official::Present),
        Err(error) if crate::engine::has_status(&error, 404) => {}
        Err(error) => return Err(error),
    }
    let (repository, tag) = reference.rsplit_once(':').unwrap_or((reference, "latest"));
    let options =
        CreateImageOptions { from_image: Some(repository.to_owned()), tag: Some(tag.to_owned()), ..Default::default() };
    let mut answers = docker.create_image(Some(options), None, None);
    let mut patience = FIRST_ANSWER;
    loop {
        match tokio::time::timeout(patience, answers.next()).await {
            Ok(Some(Ok(_))) => patience = NEXT_ANSWER,
            Ok(Some(Err(error))) => return Ok(Official::Unavailable(error.to_string())),
            Ok(None) => return Ok(Official::Pulled),
            Err(_) => return Ok(Official::Unavailable(format!("no answer within {} s", patience.as_secs()))),
        }
    }
}
