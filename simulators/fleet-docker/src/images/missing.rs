//! Which images are not there.

use bollard::Docker;

pub use bollard::errors::Error as ImageLookupError;

use crate::engine::has_status;

/// Of `names`, those that the engine does not have.
///
/// # Errors
/// What the engine answers instead of yes or no.
pub async fn missing(docker: &Docker, names: &[&str]) -> Result<Vec<String>, ImageLookupError> {
    let mut missing = Vec::new();
    for name in names {
        match docker.inspect_image(name).await {
            Ok(_) => {}
            Err(error) if has_status(&error, 404) => missing.push((*name).to_owned()),
            Err(error) => return Err(error),
        }
    }
    Ok(missing)
}
