//! Who may ask, what is read, and changes outside of transactions.

use serde_json::json;

use super::{BACKEND, BIND, CONFIG, FRONTEND, SERVER};
use crate::case::{Password, request};
use crate::{Case, Request, Step};

pub(super) fn cases() -> Vec<Case> {
    [
        vec![who_may_ask(), reading(), objects(), what_is_there(), what_is_not_there(), unknown_paths()],
        refused_changes(),
    ]
    .concat()
}

fn with(password: Password, status: u16) -> Step {
    Step::Ask(Request { password, ..request("GET", "/v2/info", "") }, status)
}

fn who_may_ask() -> Case {
    Case::new("who has no right password is not let in")
        .step(with(Password::None, 401))
        .step(Step::Header("www-authenticate", "Basic realm=\"HAProxy Data Plane API\""))
        .step(with(Password::Wrong, 401))
        .body("/code", json!(401))
        .step(with(Password::Right, 200))
        .body("/api/version", json!("v2.1.0"))
}

fn reading() -> Case {
    Case::new("every answer about the configuration says its version")
        .get("/configuration/frontends", 200)
        .body("/data", json!([]))
        .body("/_version", json!(1))
        .step(Step::Header("configuration-version", "1"))
        .get("/configuration/global", 200)
        .body("/data/maxconn", json!(60_000))
        .get("/configuration/defaults", 200)
        .body("/data/client_timeout", json!(10_000))
        .get("/configuration/version", 404)
}

fn objects() -> Case {
    Case::new("objects are created, read, replaced and deleted, one version each")
        .post("/configuration/backends?version=1", BACKEND, 202)
        .step(Step::KeepHeader("reload-id", "reload"))
        .post("/configuration/frontends?version=2", FRONTEND, 202)
        .post("/configuration/binds?frontend=shop&version=3", BIND, 202)
        .post("/configuration/servers?backend=shop&version=4", SERVER, 202)
        .step(Step::FileHolds(CONFIG, "# _version=5\n".into()))
        .step(Step::FileHolds(
            CONFIG,
            "\nbackend shop\n  mode tcp\n  balance roundrobin\n  server s1 192.0.2.1:8080\n\
             \nfrontend shop\n  mode tcp\n  default_backend shop\n  bind {vip}:443 name shop\n"
                .into(),
        ))
        .get("/configuration/frontends", 200)
        .step(Step::Header("configuration-version", "5"))
        .body("/data", json!([{"name": "shop", "mode": "tcp", "default_backend": "shop"}]))
        .get("/configuration/servers/s1?backend=shop", 200)
        .body("/data", json!({"name": "s1", "address": "192.0.2.1", "port": 8080}))
        .step(Step::Serves("shop", Some(1)))
        .put(
            "/configuration/servers/s1?backend=shop&version=5",
            r#"{"name":"s1","address":"192.0.2.2","port":8080}"#,
            202,
        )
        .step(Step::FileHolds(CONFIG, "  server s1 192.0.2.2:8080\n".into()))
        .delete("/configuration/servers/s1?backend=shop&version=6", 202)
        .get("/configuration/servers?backend=shop", 200)
        .body("/data", json!([]))
        .delete("/configuration/frontends/shop?version=7", 202)
        .get("/configuration/frontends", 200)
        .body("/_version", json!(8))
        .step(Step::Serves("shop", None))
}

fn what_is_there() -> Case {
    Case::new("what is there is not made again")
        .post("/configuration/frontends?version=1", r#"{"name":"shop"}"#, 202)
        .post("/configuration/frontends?version=2", r#"{"name":"shop"}"#, 409)
        .message("31: frontend shop already exists")
        .post("/configuration/binds?frontend=shop&version=2", BIND, 202)
        .post("/configuration/binds?frontend=shop&version=3", BIND, 409)
        .message("31: Bind shop already exists in frontend shop")
}

fn what_is_not_there() -> Case {
    Case::new("what is not there is not found")
        .get("/configuration/frontends/none", 404)
        .message("30: ")
        .put("/configuration/frontends/none?version=1", r#"{"name":"none"}"#, 404)
        .message("30: ")
        .delete("/configuration/backends/none?version=1", 404)
        .message("30: ")
        .get("/configuration/servers/s1?backend=none", 404)
        .message("30: ")
        .delete("/configuration/servers/s1?backend=none&version=1", 404)
        .message("30: ")
        .post("/configuration/binds?version=1&frontend=x", r#"{"name":"b","address":"{vip}"}"#, 400)
        .message("11: frontend x does not exist")
}

fn unknown_paths() -> Case {
    Case::new("other paths and methods are unknown")
        .get("/configuration/resolvers", 404)
        .get("/v3/services/haproxy/configuration/frontends", 404)
        .ask("PATCH", "/configuration/frontends", "", 405)
}

/// Name, path, body, status, how the message begins.
const REFUSED: &[(&str, &str, &str, u16, &str)] = &[
    (
        "a change with version and transaction is refused",
        "/configuration/frontends?version=1&transaction_id=x",
        FRONTEND,
        400,
        "12: Both version and transaction",
    ),
    (
        "a change with neither version nor transaction is refused",
        "/configuration/frontends",
        FRONTEND,
        400,
        "13: Version or transaction not specified",
    ),
    ("version 0 counts as missing", "/configuration/frontends?version=0", FRONTEND, 400, "13: "),
    (
        "a change in an unknown transaction is refused",
        "/configuration/frontends?transaction_id=x",
        FRONTEND,
        400,
        "20: Transaction x does not exist",
    ),
    (
        "a change of another version is refused",
        "/configuration/frontends?version=7",
        FRONTEND,
        409,
        "15: Version in configuration file is 1, given version is 7",
    ),
    (
        "a version that is no number breaks the schema",
        "/configuration/frontends?version=one",
        FRONTEND,
        422,
        "version in query must be of type int64",
    ),
    ("a change needs a body", "/configuration/frontends?version=1", "", 422, "data in body is required"),
    ("a body must be JSON", "/configuration/frontends?version=1", "[", 400, "parsing data body failed"),
    ("an object needs a name", "/configuration/frontends?version=1", "{}", 422, "name in body is required"),
    (
        "a name has no blanks",
        "/configuration/frontends?version=1",
        r#"{"name":"a b"}"#,
        422,
        "name in body should match",
    ),
    (
        "a field has its type",
        "/configuration/frontends?version=1",
        r#"{"name":"a","maxconn":"x"}"#,
        422,
        "maxconn in body must be",
    ),
    ("a bind needs its frontend", "/configuration/binds?version=1", "{}", 422, "frontend in query is required"),
    (
        "a reload is not forced from within a transaction",
        "/configuration/frontends?transaction_id=x&force_reload=true",
        FRONTEND,
        400,
        "Both force_reload and transaction specified",
    ),
];

fn refused_changes() -> Vec<Case> {
    let case = |(name, path, body, status, message): &(&'static str, &str, &str, u16, &'static str)| {
        Case::new(name)
            .step(Step::KeepFile(CONFIG, "before"))
            .post(path, body, *status)
            .message(message)
            .step(Step::NoHeader("reload-id"))
            .step(Step::FileIs(CONFIG, "before"))
            .get("/configuration/frontends", 200)
            .body("/_version", json!(1))
    };
    REFUSED.iter().map(case).collect()
}
