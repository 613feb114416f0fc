//! Which status answers what, by generation. What generation 2.1 does in front of HAProxy is in the conformance table
//! (`grenadier-dataplane-conformance`).

use http::Method;
use rstest::rstest;
use serde_json::json;

use crate::support::{INITIAL, Rig, World};

const SHOP: &str = r#"{"name":"shop","mode":"tcp","default_backend":"shop"}"#;

#[rstest]
#[case::both("/configuration/frontends?version=1&transaction_id=x", SHOP, 400, "12: Both version and transaction")]
#[case::neither("/configuration/frontends", SHOP, 400, "13: Version or transaction not specified")]
#[case::zero_counts_as_missing("/configuration/frontends?version=0", SHOP, 400, "13: ")]
#[case::unknown_transaction("/configuration/frontends?transaction_id=x", SHOP, 400, "20: Transaction x does not exist")]
#[case::wrong_version(
    "/configuration/frontends?version=7",
    SHOP,
    409,
    "15: Version in configuration file is 1, given version is 7"
)]
#[case::no_number("/configuration/frontends?version=one", SHOP, 422, "version in query must be of type int64")]
#[case::no_body("/configuration/frontends?version=1", "", 422, "data in body is required")]
#[case::no_json("/configuration/frontends?version=1", "{", 400, "parsing data body failed")]
#[case::no_name("/configuration/frontends?version=1", "{}", 422, "name in body is required")]
#[case::bad_name("/configuration/frontends?version=1", r#"{"name":"a b"}"#, 422, "name in body should match")]
#[case::bad_field(
    "/configuration/frontends?version=1",
    r#"{"name":"a","maxconn":"x"}"#,
    422,
    "maxconn in body must be"
)]
#[case::refused_by_haproxy("/configuration/frontends?version=1", r#"{"name":"broken"}"#, 400, "14: ERR transactionId=")]
#[case::no_parent(
    "/configuration/binds?version=1&frontend=x",
    r#"{"name":"b","address":"1.2.3.4"}"#,
    400,
    "11: frontend x does not exist"
)]
#[case::no_parent_named("/configuration/binds?version=1", "{}", 422, "frontend in query is required")]
#[case::force_in_transaction(
    "/configuration/frontends?transaction_id=x&force_reload=true",
    SHOP,
    400,
    "Both force_reload and transaction specified"
)]
fn a_change_that_cannot_be_made(
    #[case] path: &str,
    #[case] body: &str,
    #[case] status: u16,
    #[case] message: &str,
    #[values("2.3.0")] generation: &str,
) {
    let mut rig = Rig::new(generation);
    let answer = rig.post(path, body);
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.message().starts_with(message), "{}", answer.message());
    assert_eq!(rig.file(), INITIAL, "nothing was written");
    assert_eq!(rig.api.document().version(), 1);
    assert_eq!(rig.world.due, None, "nothing is reloaded");
}

#[rstest]
#[case("2.1.0", 404)]
#[case("2.2.0", 200)]
#[case("3.0.0", 200)]
fn the_version_resource_came_with_2_2(#[case] generation: &str, #[case] status: u16) {
    assert_eq!(Rig::new(generation).get("/configuration/version").status, status);
}

#[test]
fn generation_3_has_another_prefix_nests_and_does_not_wrap() {
    let mut rig = Rig::new("3.0.0");
    let gone = rig.ask_as(Some("admin:secret"), Method::GET, "/v2/services/haproxy/configuration/frontends", "");
    assert_eq!((gone.status, gone.message()), (404, "path /v2/services/haproxy/configuration/frontends was not found"));
    assert_eq!(rig.post("/configuration/frontends?version=1", SHOP).status, 202);
    let bind = r#"{"name":"shop","address":"198.18.2.20","port":443}"#;
    assert_eq!(rig.post("/configuration/frontends/shop/binds?version=2", bind).status, 202);
    assert_eq!(
        rig.get("/configuration/frontends/shop/binds").body,
        json!([{"name": "shop", "address": "198.18.2.20", "port": 443}])
    );
    assert_eq!(rig.get("/configuration/frontends/shop/servers").status, 404);
    assert_eq!(rig.get("/configuration/binds?frontend=shop").status, 404);
}

#[test]
fn single_sections_raw_text_and_information() {
    let mut rig = Rig::new("2.1.0");
    assert_eq!(rig.get("/configuration/global").body["data"], json!({"maxconn": 100}));
    assert_eq!(rig.get("/configuration/defaults").body["data"], json!({"mode": "tcp", "client_timeout": 10_000}));
    assert_eq!(rig.get("/configuration/raw").body, json!({"_version": 1, "data": INITIAL}));
    let answer = rig.post("/configuration/raw?version=1", &format!("{INITIAL}backend raw\n"));
    assert_eq!((answer.status, answer.reload.is_some()), (202, true));
    assert_eq!(rig.file(), format!("# _version=2\n{INITIAL}backend raw\n"));
    assert_eq!(rig.post("/configuration/raw?version=1", "x").status, 409);
    assert_eq!(rig.post("/configuration/raw", "x").status, 400);
    assert_eq!(rig.post("/configuration/raw?skip_version=true&skip_reload=true", INITIAL).status, 201);
    assert_eq!(rig.post("/configuration/raw?version=3", "broken").status, 400);
    let info = rig.ask_as(Some("admin:secret"), Method::GET, "/v2/info", "");
    assert_eq!((info.status, &info.body["api"]["version"]), (200, &json!("v2.1.0")));
    assert_eq!(rig.ask(Method::PATCH, "/configuration/frontends", "").status, 405);
    assert_eq!(rig.get("/configuration/resolvers").status, 404);
}

#[rstest]
#[case(None, 401)]
#[case(Some("admin:wrong"), 401)]
#[case(Some("nobody:secret"), 401)]
#[case(Some("admin"), 401)]
#[case(Some("crypt:secret"), 200)]
#[case(Some("crypt:wrong"), 401)]
#[case(Some("modern:secret"), 401)]
fn who_may_ask(#[case] credentials: Option<&str>, #[case] status: u16) {
    let users = "  user crypt password $1$SaltSalt$YhgRYajLPrYevs14poKBQ0\n  user modern password $6$salt$hash\n";
    let mut world = World::default();
    world.files.insert(crate::support::CONFIG.into(), format!("{INITIAL}{users}"));
    let mut rig = Rig::with("2.1.0", world).unwrap();
    for _ in 0..2 {
        assert_eq!(rig.ask_as(credentials, Method::GET, "/v2/info", "").status, status);
    }
    let told = rig.world.log.join("\n");
    assert!(!told.contains("wrong") && !told.contains("secret"), "no password in the log: {told}");
    let explains = told.contains("user modern cannot log in: password format $6$ is not supported");
    assert_eq!(explains, credentials.is_some_and(|name| name.starts_with("modern")));
}

#[test]
fn without_configuration_or_users_it_does_not_start() {
    let mut world = World::default();
    world.files.insert(crate::support::CONFIG.into(), "global\n".into());
    let error = Rig::with("2.1.0", world).err().unwrap();
    assert_eq!(error.to_string(), "no users configured in /etc/haproxy/haproxy.cfg, userlist controller");
}

#[test]
fn a_disk_that_is_full_fails_the_change_alone() {
    let mut rig = Rig::new("2.1.0");
    rig.world.write_error = Some("no space left on device".into());
    let answer = rig.post("/configuration/frontends?version=1", SHOP);
    assert_eq!((answer.status, answer.message()), (500, "40: no space left on device"));
    rig.world.write_error = None;
    assert_eq!(rig.post("/configuration/frontends?version=1", SHOP).status, 202);
}
