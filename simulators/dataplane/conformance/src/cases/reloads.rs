//! Reloads: windows, forced ones, and those that fail.

use serde_json::json;

use super::{BIND, CONFIG, FRONTEND, LAST_GOOD};
use crate::{Case, Cell, Step};

pub(super) fn cases() -> Vec<Case> {
    vec![collected(), forced(), cannot_be_checked(), cannot_bind()]
}

/// The windows are counted from the service's start, so two changes right after it are in one.
fn collected() -> Case {
    Case::new("all changes of a window share one reload")
        .step(Step::Systemctl("restart", "dataplaneapi"))
        .post("/configuration/backends?version=1", r#"{"name":"a"}"#, 202)
        .step(Step::KeepHeader("reload-id", "first"))
        .post("/configuration/backends?version=2", r#"{"name":"b"}"#, 202)
        .step(Step::KeepHeader("reload-id", "second"))
        .step(Step::Equal("first", "second"))
        .get("/reloads", 200)
        .body("/0/id", json!("{first}"))
        .body("/0/status", json!("in_progress"))
        .step(Step::NotLoaded)
        .until("/reloads/{first}", "/status", json!("succeeded"))
        .step(Step::Loaded)
        .get("/reloads/{first}", 200)
        .body("/id", json!("{first}"))
        .post("/configuration/backends?version=3", r#"{"name":"c"}"#, 202)
        .step(Step::KeepHeader("reload-id", "third"))
        .until("/reloads/{third}", "/status", json!("succeeded"))
        // Who is older than the last success has succeeded.
        .get("/reloads/{first}", 200)
        .body("/status", json!("succeeded"))
        .get("/reloads/rubbish", 404)
        .message("Reload with ID rubbish does not exist")
}

fn forced() -> Case {
    Case::new("a forced reload happens at once")
        .post("/configuration/backends?version=1&force_reload=true", r#"{"name":"shop"}"#, 201)
        .step(Step::NoHeader("reload-id"))
        .step(Step::Loaded)
        .begin("t")
        .post("/configuration/frontends?transaction_id={t}", FRONTEND, 202)
        .post("/configuration/binds?frontend=shop&transaction_id={t}", BIND, 202)
        .put("/transactions/{t}?force_reload=true", "", 200)
        .step(Step::NoHeader("reload-id"))
        .step(Step::Serves("shop", Some(0)))
        .delete("/configuration/frontends/shop?version={version}&force_reload=true", 204)
        .step(Step::Serves("shop", None))
}

/// The appliance has no `--restart-cmd`, so nothing restarts HAProxy with the last good file; the bad one is put back.
fn cannot_be_checked() -> Case {
    Case::new("a reload of a file that somebody broke fails, and HAProxy goes on")
        .programs()
        .until("/reloads/{reload}", "/status", json!("succeeded"))
        .step(Step::Serves("shop", Some(1)))
        .step(Step::KeepFile(CONFIG, "good"))
        .step(Step::FileIs(LAST_GOOD, "good"))
        .post("/configuration/backends?version=2", r#"{"name":"late"}"#, 202)
        .step(Step::KeepHeader("reload-id", "reload"))
        .step(Step::Write(CONFIG, "{good}frontend x\n  bnd :1\n".into()))
        .until("/reloads/{reload}", "/status", json!("failed"))
        .get("/reloads/{reload}", 200)
        .step(Step::KeepFile(CONFIG, "bad"))
        .step(Step::FileHolds(CONFIG, "  bnd :1\n".into()))
        .step(Step::FileIs(LAST_GOOD, "good"))
        .step(Step::FileExists(format!("{CONFIG}.bck"), false))
        .step(Step::Serves("shop", Some(1)))
        .step(Step::NotLoaded)
        .post("/configuration/backends?version=3&force_reload=true", r#"{"name":"mended"}"#, 201)
        .step(Step::Loaded)
}

/// The reload command tells that the check has passed, not that the new workers could bind: so the reload "succeeded", and the
/// file that does not work is kept as the last good one.
fn cannot_bind() -> Case {
    Case::new("a reload that cannot bind is reported as a success while the old workers go on")
        .programs()
        .until("/reloads/{reload}", "/status", json!("succeeded"))
        .step(Step::Serves("shop", Some(1)))
        .step(Step::Loaded)
        .begin("t")
        .post("/configuration/frontends?transaction_id={t}", r#"{"name":"far"}"#, 202)
        .post(
            "/configuration/binds?frontend=far&transaction_id={t}",
            r#"{"name":"far","address":"{far}","port":443}"#,
            202,
        )
        .put("/transactions/{t}", "", 202)
        .step(Step::KeepHeader("reload-id", "reload"))
        .until("/reloads/{reload}", "/status", json!("succeeded"))
        .step(Step::KeepFile(CONFIG, "bad"))
        .step(Step::FileIs(LAST_GOOD, "bad"))
        .step(Step::Serves("shop", Some(1)))
        .step(Step::NotLoaded)
        .step(Step::Serves("far", None))
        // The next start fails on that bind [vmware-haproxy #36].
        .begin("t")
        .delete("/configuration/frontends/far?transaction_id={t}", 202)
        .put("/transactions/{t}?force_reload=true", "", 200)
        .step(Step::Loaded)
        .get("/configuration/frontends/far", 404)
        .step(Step::Message(Cell::Same("30: ")))
}
