//! Uploading disks under a lease.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, header};

use crate::retry::{Backoff, Certainty};
use crate::vsphere::client::{Repeat, VSphere, incomplete};
use crate::vsphere::element::{Element, ManagedObject};
use crate::vsphere::error::VSphereError;
use crate::vsphere::import::FileItem;
use crate::vsphere::wait::local_fault;

/// How long one upload may take. Less than a lease lasts without a sign of progress (300 s), because none is given in between.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(240);

/// What an upload is called in messages.
const UPLOAD: &str = "the upload of the disk";

impl VSphere {
    /// Uploads the disk a lease asks for and completes the lease; gives the machine it made.
    pub(super) async fn fill_lease(
        &mut self,
        lease: &ManagedObject,
        files: &[FileItem],
        disk: &Bytes,
        limit: Duration,
    ) -> Result<ManagedObject, VSphereError> {
        let info = self.wait_for_lease(lease, limit).await?;
        let machine = info.reference_at("entity").ok_or_else(|| incomplete("ImportVApp", "entity"))?;
        for item in files {
            let device = info.all("deviceUrl").find(|url| url.text_at("importKey") == Some(&item.device));
            let url = device.and_then(|device| device.text_at("url"));
            let url = url.ok_or_else(|| incomplete("ImportVApp", &format!("URL for {}", item.device)))?;
            self.upload(url, item.create, disk).await?;
        }
        let progress = [Element::text("percent", "100")];
        self.call("HttpNfcLeaseProgress", lease, &progress, Repeat::Freely).await?;
        match self.call("HttpNfcLeaseComplete", lease, &[], Repeat::Freely).await {
            Ok(_) => Ok(machine),
            // An earlier attempt whose answer was lost has completed it.
            Err(error) if error.is_fault("InvalidState") && self.is_complete(lease).await? => Ok(machine),
            Err(error) => Err(error),
        }
    }

    async fn wait_for_lease(&mut self, lease: &ManagedObject, limit: Duration) -> Result<Element, VSphereError> {
        let info = self
            .wait_for(lease, &["error", "info", "state"], "lease ready", limit, |seen| match seen.text("state") {
                Some("ready") => seen.get("info").cloned().map(Ok),
                Some("error") => Some(Err(local_fault(seen.get("error")))),
                _ => None,
            })
            .await?;
        info.map_err(|fault| VSphereError::Faulted { method: "ImportVApp".to_owned(), fault })
    }

    async fn is_complete(&mut self, lease: &ManagedObject) -> Result<bool, VSphereError> {
        Ok(self.properties(lease, &["state"]).await?.text("state") == Some("done"))
    }

    /// Uploads a file. A second time overwrites what a first left.
    async fn upload(&mut self, url: &str, create: bool, disk: &Bytes) -> Result<(), VSphereError> {
        let (endpoint, path) = target_of(url, &self.access.endpoint);
        let mut attempt = 1;
        loop {
            let request = http::Request::builder().uri(path);
            let request = if create {
                let request = request.method(Method::PUT).header("Overwrite", "t");
                request.header(header::CONTENT_TYPE, "application/octet-stream")
            } else {
                request.method(Method::POST).header(header::CONTENT_TYPE, "application/x-vnd.vmware-streamVmdk")
            };
            let request = request.header(header::CONTENT_LENGTH, disk.len());
            let error = match self.transfer(UPLOAD, &endpoint, request, disk.clone(), UPLOAD_TIMEOUT).await {
                Ok(response) if response.status().is_success() => return Ok(()),
                Ok(response) => status_error(response.status()),
                Err(error) => error,
            };
            let pause = Backoff::CALL.pause(attempt).filter(|_| error.certainty() != Certainty::Final);
            let Some(pause) = pause else { return Err(error) };
            self.rest(pause).await;
            attempt += 1;
        }
    }
}

fn status_error(status: StatusCode) -> VSphereError {
    VSphereError::Status { method: UPLOAD.to_owned(), status: status.as_u16() }
}

/// Host with port, and path, of a lease's URL. `*` for the host means the one we already speak to (`ours`), and so does none.
fn target_of<'a>(url: &'a str, ours: &str) -> (String, &'a str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let endpoint = match host {
        "" | "*" => ours.to_owned(),
        _ if host.contains(':') => host.to_owned(),
        _ => format!("{host}:{}", if scheme == "http" { 80 } else { 443 }),
    };
    (endpoint, if path.is_empty() { "/" } else { path })
}

#[cfg(test)]
mod tests {
    use super::target_of;

    #[test]
    fn uploads_go_where_the_lease_says() {
        for (url, endpoint) in [
            ("https://*/nfc/l/disk-0.vmdk", "vcenter.example:443"),
            ("/nfc/l/disk-0.vmdk", "vcenter.example:443"),
            ("https://esx-1.example/nfc/l/disk-0.vmdk", "esx-1.example:443"),
            ("http://esx-1.example/nfc/l/disk-0.vmdk", "esx-1.example:80"),
            ("https://esx-1.example:8443/nfc/l/disk-0.vmdk", "esx-1.example:8443"),
        ] {
            assert_eq!(target_of(url, "vcenter.example:443"), (endpoint.to_owned(), "/nfc/l/disk-0.vmdk"));
        }
    }
}
