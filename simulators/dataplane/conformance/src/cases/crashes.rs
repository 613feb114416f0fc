//! HAProxy dies, and systemd starts it again (`Restart=always` in the unit of each generation).

use serde_json::json;

use super::CONFIG;
use crate::{Case, Step};

pub(super) fn cases() -> Vec<Case> {
    vec![
        killed("a worker that is killed takes HAProxy down, and it comes back with the file", false),
        killed("a master that is killed comes back with the file", true),
    ]
}

fn killed(name: &'static str, master: bool) -> Case {
    Case::new(name)
        .programs()
        .until("/reloads/{reload}", "/status", json!("succeeded"))
        .step(Step::Serves("shop", Some(1)))
        .step(Step::KeepFile(CONFIG, "before"))
        .step(Step::Kill { master })
        .step(Step::Serves("shop", Some(1)))
        .step(Step::Loaded)
        .step(Step::FileIs(CONFIG, "before"))
        .get("/configuration/frontends/shop", 200)
        .body("/_version", json!(2))
        .post("/configuration/backends?version=2&force_reload=true", r#"{"name":"next"}"#, 201)
        .step(Step::Loaded)
}
