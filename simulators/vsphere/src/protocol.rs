//! What exchanges with a vCenter are called, and how it says that something is wrong.

use crate::datastore::path::percent_decode;
use crate::fault::Fault;
use crate::soap::name;
use crate::vsphere::fault_response;
use bytes::Bytes;
use grenadier_wire::{Answer, CallName, Exchange, HttpExchange, Protocol, ProtocolFault, http_response};
use http::{Method, StatusCode};

/// Methods that change nothing anybody else can see. A session, a filter or a view is the caller's own.
const READS: &[&str] = &[
    "CancelRetrievePropertiesEx",
    "CancelWaitForUpdates",
    "ContinueRetrievePropertiesEx",
    "CreateCollectorForEvents",
    "CreateCollectorForTasks",
    "CreateContainerView",
    "CreateFilter",
    "CreateImportSpec",
    "CreateListView",
    "CreatePropertyCollector",
    "CurrentTime",
    "DestroyCollector",
    "DestroyPropertyCollector",
    "DestroyPropertyFilter",
    "DestroyView",
    "Fetch",
    "FindAllByDnsName",
    "FindAllByIp",
    "FindAllByUuid",
    "FindByDatastorePath",
    "FindByDnsName",
    "FindByInventoryPath",
    "FindByIp",
    "FindByUuid",
    "FindChild",
    "HasPrivilegeOnEntities",
    "HttpNfcLeaseGetManifest",
    "HttpNfcLeaseProgress",
    "InitiateFileTransferFromGuest",
    "ListFilesInGuest",
    "ListProcessesInGuest",
    "Login",
    "Logout",
    "ModifyListView",
    "QueryEvents",
    "ReadEnvironmentVariableInGuest",
    "ReadNextEvents",
    "ReadNextTasks",
    "ReadPreviousEvents",
    "ReadPreviousTasks",
    "ResetCollector",
    "ResetListView",
    "RetrieveProperties",
    "RetrievePropertiesEx",
    "RetrieveServiceContent",
    "RewindCollector",
    "SearchDatastoreSubFolders_Task",
    "SearchDatastore_Task",
    "SessionIsActive",
    "WaitForUpdates",
    "WaitForUpdatesEx",
];

/// Names exchanges with a vCenter: `vsphere.PowerOnVM_Task`, `vsphere.GET /folder`, `vsphere.PUT /nfc`.
#[derive(Clone, Copy, Debug, Default)]
pub struct VSphereProtocol;

impl Protocol for VSphereProtocol {
    fn name(&self, exchange: &Exchange) -> Option<CallName> {
        let Exchange::Http(http) = exchange else { return None };
        let request = &http.request;
        let path = request.uri().path();
        if matches!(path, "/sdk" | "/sdk/" | "/sdk/vimService") && request.method() == Method::POST {
            return Some(soap_name(request.body()));
        }
        let (prefix, target) = if path == "/folder" || path.starts_with("/folder/") {
            ("/folder", percent_decode(path.trim_start_matches("/folder").trim_start_matches('/'), false))
        } else if let Some(rest) = path.strip_prefix("/nfc/") {
            // The first part is the lease's ticket, which names nothing that lasts.
            ("/nfc", rest.split_once('/').map(|(_, file)| file.to_owned()))
        } else if path.starts_with("/sdk") {
            (path, None)
        } else {
            return None;
        };
        let mutating = !matches!(*request.method(), Method::GET | Method::HEAD);
        let template = format!("vsphere.{} {prefix}", request.method());
        Some(CallName { template, target: target.filter(|target| !target.is_empty()), mutating })
    }

    fn render(&self, exchange: &Exchange, fault: ProtocolFault) -> Option<Answer> {
        let Exchange::Http(http) = exchange else { return None };
        Some(match fault {
            ProtocolFault::Unavailable => {
                http_response(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "503 Service Unavailable\n").into()
            }
            ProtocolFault::Throttle => {
                http_response(StatusCode::TOO_MANY_REQUESTS, "text/plain", "429 Too Many Requests\n").into()
            }
            ProtocolFault::ErrorAfter if is_soap(http) => fault_response(&Fault::system("internal error")).into(),
            ProtocolFault::ErrorAfter => {
                http_response(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "500 Internal Server Error\n").into()
            }
        })
    }
}

fn is_soap(http: &HttpExchange) -> bool {
    http.request.method() == Method::POST && http.request.uri().path().starts_with("/sdk")
}

/// The name in a SOAP body. One that cannot be read is still a call on this protocol.
fn soap_name(body: &Bytes) -> CallName {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let Some((method, target)) = name::method_and_target(text) else {
        return CallName { template: "vsphere.POST /sdk".to_owned(), target: None, mutating: true };
    };
    CallName { template: format!("vsphere.{method}"), target, mutating: !READS.contains(&method) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn exchange(method: Method, path: &str, body: &'static str) -> Exchange {
        let request =
            http::Request::builder().method(method).uri(path).body(Bytes::from_static(body.as_bytes())).unwrap();
        let endpoint = "vcenter.example:443".to_owned();
        Exchange::Http(HttpExchange { endpoint, tls: None, request, timeout: Duration::from_secs(1) })
    }

    const POWER_ON: &str = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
        <PowerOnVM_Task xmlns=\"urn:vim25\"><_this type=\"VirtualMachine\">vm-101</_this></PowerOnVM_Task></s:Body></s:Envelope>";

    #[test]
    fn exchanges_have_names() {
        let name = |method, path, body| {
            let name = VSphereProtocol.name(&exchange(method, path, body))?;
            Some((name.template, name.target.unwrap_or_default(), name.mutating))
        };
        let some = |template: &str, target: &str, mutating| Some((template.to_owned(), target.to_owned(), mutating));
        assert_eq!(name(Method::POST, "/sdk", POWER_ON), some("vsphere.PowerOnVM_Task", "vm-101", true));
        assert_eq!(name(Method::POST, "/sdk", "torn"), some("vsphere.POST /sdk", "", true));
        let versions = "/sdk/vimServiceVersions.xml";
        assert_eq!(name(Method::GET, versions, ""), some("vsphere.GET /sdk/vimServiceVersions.xml", "", false));
        assert_eq!(
            name(Method::PUT, "/folder/a%20b/c.iso?dcPath=DC0&dsName=LocalDS_0", ""),
            some("vsphere.PUT /folder", "a b/c.iso", true)
        );
        assert_eq!(name(Method::POST, "/nfc/ticket/disk-0.vmdk", ""), some("vsphere.POST /nfc", "disk-0.vmdk", true));
        assert_eq!(name(Method::GET, "/v2/info", ""), None);
    }

    #[test]
    fn faults_are_said_in_the_protocol() {
        let status = |exchange: &Exchange, fault| match VSphereProtocol.render(exchange, fault) {
            Some(Answer::Http(response)) => (response.status().as_u16(), response.into_body()),
            other => panic!("{other:?}"),
        };
        let soap = exchange(Method::POST, "/sdk", POWER_ON);
        assert_eq!(status(&soap, ProtocolFault::Unavailable).0, 503);
        assert_eq!(status(&soap, ProtocolFault::Throttle).0, 429);
        let (code, body) = status(&soap, ProtocolFault::ErrorAfter);
        assert_eq!(code, 500);
        assert!(std::str::from_utf8(&body).unwrap().contains("<SystemErrorFault xmlns=\"urn:vim25\""));
        assert_eq!(status(&exchange(Method::PUT, "/nfc/t/d", ""), ProtocolFault::ErrorAfter).0, 500);
    }
}
