//! The configuration as one text.

use serde_json::json;

use super::CONFIG;
use crate::{Case, Cell, Step};

pub(super) fn cases() -> Vec<Case> {
    vec![replaced(), refused()]
}

fn replaced() -> Case {
    Case::new("a raw configuration replaces the file, under the next version")
        .step(Step::KeepFile(CONFIG, "original"))
        .get("/configuration/raw", 200)
        .body("/data", json!("{original}"))
        .body("/_version", json!(1))
        .post("/configuration/raw?version=1", "{original}backend raw\n", 202)
        .step(Step::KeepHeader("reload-id", "reload"))
        .step(Step::KeepFile(CONFIG, "now"))
        .step(Step::Write("/tmp/expected", "# _version=2\n{original}backend raw\n".into()))
        .step(Step::FileIs("/tmp/expected", "now"))
        .until("/reloads/{reload}", "/status", json!("succeeded"))
        .step(Step::Loaded)
        .post("/configuration/raw?version=1", "{original}", 409)
        .message("15: Version in configuration file is 2, given version is 1")
        .post("/configuration/raw", "{original}", 400)
        .message("13: ")
        .post("/configuration/raw?skip_version=true&skip_reload=true", "{original}", 201)
        .step(Step::NoHeader("reload-id"))
        .step(Step::FileLacks(CONFIG, "backend raw".into()))
}

fn refused() -> Case {
    Case::new("a raw configuration that haproxy -c refuses is answered with its words, and the file stays")
        .step(Step::KeepFile(CONFIG, "before"))
        .post("/configuration/raw?version=1", "{before}frontend x\n  bnd :1\n", 400)
        .message("14: ERR transactionId=")
        .mentions("unknown keyword 'bnd' in 'frontend' section")
        .step(Step::NoHeader("reload-id"))
        .step(Step::FileIs(CONFIG, "before"))
        .post("/configuration/raw?version=1", "{before}frontend x\n  server s 192.0.2.1:1\n", 400)
        .step(Step::Mentions(Cell::ByWorld {
            model: "'server' not allowed because frontend 'x' has no backend capability",
            real: "'server' ",
            why: "each generation has words of its own for it, and the model those of one",
        }))
        .step(Step::FileIs(CONFIG, "before"))
}
