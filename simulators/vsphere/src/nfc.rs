//! `/nfc/<ticket>/<file>`: uploads of an import.

use bytes::Bytes;
use grenadier_fleet::CloudHost;
use grenadier_wire::http_response;
use http::{Method, Response, StatusCode};

use crate::VSphere;
use crate::http_nfc_lease::Phase;

/// Answers an upload. All bytes are kept; whether they are a disk is seen when the lease is completed.
pub(crate) fn answer(sim: &mut VSphere, request: &http::Request<Bytes>, host: &mut dyn CloudHost) -> Response<Bytes> {
    let text = |status, body: &'static str| http_response(status, "text/plain", body);
    if !matches!(*request.method(), Method::POST | Method::PUT) {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only POST and PUT\n");
    }
    let rest = request.uri().path().strip_prefix("/nfc/").unwrap_or_default();
    let (ticket, file) = rest.split_once('/').unwrap_or((rest, ""));
    let full = sim.uploaded_bytes().saturating_add(request.body().len() as u64) > sim.stored_bytes;
    let found = sim.leases.iter_mut().find_map(|(number, lease)| {
        let ready = lease.phase == Phase::Ready;
        lease.device(ticket, file).map(|device| (*number, ready, device))
    });
    let Some((number, ready, device)) = found else { return text(StatusCode::NOT_FOUND, "no such upload\n") };
    if !ready {
        return text(StatusCode::FORBIDDEN, "the lease is not ready\n");
    }
    if full {
        return text(StatusCode::INSUFFICIENT_STORAGE, "the datastore is full\n");
    }
    device.uploaded = Some(request.body().clone());
    sim.lease_lives(number, host);
    text(StatusCode::CREATED, "")
}
