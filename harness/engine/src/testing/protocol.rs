//! Names for calls, so that faults can be addressed.

use bytes::Bytes;
use grenadier_wire::{Answer, CallName, Exchange, Protocol, ProtocolFault};
use http::StatusCode;

use crate::testing::soap;

/// Names SOAP methods, datastore and lease paths, and Data Plane API resources.
pub(super) struct Names;

impl Protocol for Names {
    fn name(&self, exchange: &Exchange) -> Option<CallName> {
        let Exchange::Http(http) = exchange else { return None };
        let (method, path) = (http.request.method(), http.request.uri().path());
        let template = if path == "/sdk" {
            format!("vsphere.{}", soap::method(http.request.body()))
        } else if path.starts_with("/nfc/") {
            format!("vsphere.{method} /nfc")
        } else {
            let path = path.trim_start_matches("/v2").trim_start_matches("/services/haproxy");
            format!("dataplane.{method} {path}")
        };
        Some(CallName { template, target: None, mutating: false })
    }

    fn render(&self, exchange: &Exchange, fault: ProtocolFault) -> Option<Answer> {
        let Exchange::Http(http) = exchange else { return None };
        Some(match fault {
            ProtocolFault::Unavailable => plain(StatusCode::SERVICE_UNAVAILABLE).into(),
            ProtocolFault::Throttle => plain(StatusCode::TOO_MANY_REQUESTS).into(),
            ProtocolFault::ErrorAfter if http.request.uri().path() == "/sdk" => soap::fault("SystemError").into(),
            ProtocolFault::ErrorAfter => plain(StatusCode::INTERNAL_SERVER_ERROR).into(),
        })
    }
}

pub(super) fn plain(status: StatusCode) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
