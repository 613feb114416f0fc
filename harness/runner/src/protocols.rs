//! Reading calls of the Data Plane API.

use grenadier_wire::{Answer, CallName, Exchange, Protocol, ProtocolFault, http_response};
use http::{Method, StatusCode};

/// Names calls of the Data Plane API: `dataplane.PUT /transactions/{id}`.
pub(crate) struct DataplaneProtocol;

/// Collections whose members are addressed by name or id in the path.
const COLLECTIONS: [&str; 8] =
    ["transactions", "reloads", "frontends", "backends", "binds", "servers", "defaults", "users"];

impl Protocol for DataplaneProtocol {
    fn name(&self, exchange: &Exchange) -> Option<CallName> {
        let Exchange::Http(http) = exchange else { return None };
        let path = http.request.uri().path();
        // `/v2/services/haproxy/transactions/3` and `/v2/info`: the generation is not part of a template.
        let (generation, rest) = path.strip_prefix('/')?.split_once('/')?;
        if !matches!(generation, "v1" | "v2" | "v3") {
            return None;
        }
        let rest = rest.strip_prefix("services/haproxy/").unwrap_or(rest);
        let mut target = None;
        let mut template = String::new();
        let mut collection = false;
        for part in rest.split('/') {
            if collection {
                target = Some(part.to_owned());
            }
            let part = if collection { "{id}" } else { part };
            collection = !collection && COLLECTIONS.contains(&part);
            template = format!("{template}/{part}");
        }
        let method = http.request.method();
        Some(CallName { template: format!("dataplane.{method} {template}"), target, mutating: method != Method::GET })
    }

    fn render(&self, _exchange: &Exchange, fault: ProtocolFault) -> Option<Answer> {
        let (status, message) = match fault {
            ProtocolFault::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "service unavailable"),
            ProtocolFault::Throttle => (StatusCode::TOO_MANY_REQUESTS, "too many requests"),
            ProtocolFault::ErrorAfter => (StatusCode::INTERNAL_SERVER_ERROR, "internal server error"),
        };
        let body = serde_json::json!({"code": status.as_u16(), "message": message}).to_string();
        Some(http_response(status, "application/json", body).into())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use grenadier_wire::HttpExchange;

    use super::*;

    fn name(method: Method, path: &str) -> Option<CallName> {
        let request = http::Request::builder().method(method).uri(path).body(Bytes::new()).unwrap();
        let endpoint = "198.18.0.10:5556".to_owned();
        DataplaneProtocol.name(&Exchange::Http(HttpExchange {
            endpoint,
            tls: None,
            request,
            timeout: Duration::from_secs(1),
        }))
    }

    #[test]
    fn templates_hold_no_ids_and_no_generation() {
        for (method, path, template, target) in [
            (Method::PUT, "/v2/services/haproxy/transactions/7?force_reload=true", "PUT /transactions/{id}", Some("7")),
            (Method::POST, "/v2/services/haproxy/transactions?version=3", "POST /transactions", None),
            (Method::GET, "/v2/info", "GET /info", None),
            (Method::POST, "/v2/services/haproxy/configuration/frontends", "POST /configuration/frontends", None),
            (
                Method::DELETE,
                "/v3/services/haproxy/configuration/servers/s1",
                "DELETE /configuration/servers/{id}",
                Some("s1"),
            ),
        ] {
            let found = name(method.clone(), path).unwrap();
            assert_eq!(found.template, format!("dataplane.{template}"));
            assert_eq!(found.target.as_deref(), target);
            assert_eq!(found.mutating, method != Method::GET);
        }
        assert_eq!(name(Method::POST, "/sdk"), None);
    }
}
