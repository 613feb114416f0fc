//! Transactions.

use serde_json::json;

use super::CONFIG;
use crate::{Case, Step};

pub(super) fn cases() -> Vec<Case> {
    vec![life(), operator(), stale(), refused_by_haproxy(), unknown(), left_open(), edited_meanwhile()]
}

fn life() -> Case {
    Case::new("a transaction shows its changes to itself until it is committed or deleted")
        .begin("t")
        .body("/status", json!("in_progress"))
        .body("/_version", json!(1))
        .step(Step::KeepFile(CONFIG, "before"))
        .post("/configuration/backends?transaction_id={t}", r#"{"name":"shop"}"#, 202)
        .step(Step::NoHeader("reload-id"))
        .get("/configuration/backends/shop", 404)
        .get("/configuration/backends/shop?transaction_id={t}", 200)
        .step(Step::FileExists("/tmp/haproxy/haproxy.cfg.{t}".into(), true))
        .step(Step::FileIs(CONFIG, "before"))
        .delete("/transactions/{t}", 204)
        .step(Step::FileExists("/tmp/haproxy/haproxy.cfg.{t}".into(), false))
        .get("/transactions/{t}", 400)
        .message("20: Transaction {t} does not exist")
        .get("/transactions", 200)
        .body("", json!([]))
        .step(Step::FileIs(CONFIG, "before"))
}

fn operator() -> Case {
    Case::new("an operator's load balancer is served after its commit, and gone after the next")
        .programs()
        .body("/status", json!("success"))
        .body("/_version", json!(1))
        .step(Step::FileExists("/tmp/haproxy/haproxy.cfg.{t}".into(), false))
        .get("/configuration/frontends/shop", 200)
        .body("/_version", json!(2))
        .until("/reloads/{reload}", "/status", json!("succeeded"))
        .step(Step::Serves("shop", Some(1)))
        .step(Step::Loaded)
        .begin("t")
        .delete("/configuration/frontends/shop?transaction_id={t}", 202)
        .delete("/configuration/backends/shop?transaction_id={t}", 202)
        .put("/transactions/{t}", "", 202)
        .step(Step::FileLacks(CONFIG, "shop".into()))
        .step(Step::Serves("shop", None))
}

fn stale() -> Case {
    Case::new("a stale commit answers 409 and fails its transaction")
        .begin("first")
        .begin("second")
        .post("/configuration/backends?transaction_id={first}", r#"{"name":"a"}"#, 202)
        .post("/configuration/backends?transaction_id={second}", r#"{"name":"b"}"#, 202)
        .put("/transactions/{first}", "", 202)
        .get("/transactions/{second}", 200)
        .body("/status", json!("in_progress"))
        .put("/transactions/{second}", "", 409)
        .message("15: Version mismatch, transaction version: 1, configured version: 2")
        .get("/transactions/{second}", 200)
        .body("/status", json!("failed"))
        .get("/transactions?status=in_progress", 200)
        .body("", json!([]))
        .put("/transactions/{second}", "", 400)
        .step(Step::FileLacks(CONFIG, "backend b".into()))
        .post("/transactions?version=1", "", 409)
        .message("15: Version in configuration file is 2, given version is 1")
        .post("/transactions", "", 422)
}

fn refused_by_haproxy() -> Case {
    Case::new("a commit that haproxy -c refuses fails with its words, and the file stays")
        .step(Step::KeepFile(CONFIG, "before"))
        .begin("t")
        .post("/configuration/frontends?transaction_id={t}", r#"{"name":"shop","default_backend":"nope"}"#, 202)
        .put("/transactions/{t}", "", 400)
        .message("14: ERR transactionId={t} ")
        .mentions("unable to find required default_backend: 'nope'")
        .step(Step::FileIs(CONFIG, "before"))
        .get("/transactions/{t}", 200)
        .body("/status", json!("failed"))
        .delete("/transactions/{t}", 204)
        .get("/transactions", 200)
        .body("", json!([]))
}

fn unknown() -> Case {
    let message = "20: Transaction x does not exist";
    Case::new("an unknown transaction answers 400")
        .get("/transactions/x", 400)
        .message(message)
        .put("/transactions/x", "", 400)
        .message(message)
        .delete("/transactions/x", 400)
        .message(message)
}

fn left_open() -> Case {
    Case::new("a transaction that is left open survives a restart of the service")
        .begin("t")
        .post("/configuration/backends?transaction_id={t}", r#"{"name":"a"}"#, 202)
        .step(Step::Systemctl("restart", "dataplaneapi"))
        .get("/transactions/{t}", 200)
        .body("/status", json!("in_progress"))
        .put("/transactions/{t}", "", 202)
        .step(Step::FileHolds(CONFIG, "\nbackend a\n".into()))
        .step(Step::Systemctl("restart", "dataplaneapi"))
        .get("/configuration/backends", 200)
        .body("/_version", json!(2))
}

fn edited_meanwhile() -> Case {
    Case::new("what others write into the file is lost unless the service is restarted")
        .step(Step::KeepFile(CONFIG, "original"))
        .step(Step::Write(CONFIG, "{original}# by hand\n".into()))
        .post("/configuration/backends?version=1", r#"{"name":"a"}"#, 202)
        .step(Step::FileLacks(CONFIG, "# by hand".into()))
        .step(Step::Write(CONFIG, "# _version=41\n{original}# by hand\n".into()))
        .step(Step::Systemctl("restart", "dataplaneapi"))
        .get("/configuration/backends", 200)
        .body("/_version", json!(41))
        .post("/configuration/backends?version=41", r#"{"name":"b"}"#, 202)
        .step(Step::FileHolds(CONFIG, "# by hand".into()))
}
