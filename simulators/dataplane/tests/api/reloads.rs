//! Reload windows, forced reloads, the last good file.

use std::time::Duration;

use serde_json::json;

use crate::support::{CONFIG, INITIAL, Rig};

fn change(rig: &mut Rig, name: &str, more: &str) -> (u16, Option<String>) {
    let version = rig.api.document().version();
    let body = json!({"name": name}).to_string();
    let answer = rig.post(&format!("/configuration/backends?version={version}{more}"), &body);
    (answer.status, answer.reload)
}

#[test]
fn all_changes_of_a_window_share_one_reload() {
    let mut rig = Rig::new("2.1.0");
    rig.pass(Duration::from_secs(5));
    let id = |number: u32| (202, Some(format!("2026-01-01-{number}")));
    assert_eq!(change(&mut rig, "a", ""), id(0));
    rig.pass(Duration::from_secs(24));
    assert_eq!(change(&mut rig, "b", ""), id(0));
    assert_eq!(rig.world.reloads, 0);
    assert_eq!(rig.get("/reloads").body, json!([{"id": "2026-01-01-0", "status": "in_progress"}]));
    assert_eq!(
        rig.get("/reloads/2026-01-01-0").body,
        json!({"status": "in_progress"}),
        "the real one leaves the id out"
    );
    // The window is counted from the service's start, not from the first change.
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.world.reloads, 1);
    let succeeded = json!({"id": "2026-01-01-0", "status": "succeeded", "reload_timestamp": 1_767_225_630});
    assert_eq!(rig.get("/reloads/2026-01-01-0").body, succeeded);
    assert_eq!(change(&mut rig, "c", ""), id(1));
    rig.pass(Duration::from_secs(300));
    assert_eq!(rig.world.reloads, 2, "a window without a change reloads nothing");
    assert_eq!(rig.get("/reloads/2026-01-01-0").body["status"], "succeeded", "older than the last success");
    assert_eq!(rig.get("/reloads/2026-01-01-7").status, 404);
    assert_eq!(rig.get("/reloads/rubbish").message(), "Reload with ID rubbish does not exist");
}

#[test]
fn without_windows_a_change_reloads_at_once() {
    let mut rig = Rig::new("2.1.0");
    rig.world.overturned = vec!["changes-share-a-reload-window"];
    change(&mut rig, "a", "");
    rig.pass(Duration::from_millis(1));
    assert_eq!(rig.world.reloads, 1);
}

#[test]
fn the_date_of_an_id_follows_virtual_time() {
    let mut rig = Rig::new("2.1.0");
    rig.pass(Duration::from_secs(86_400 * 31));
    assert_eq!(change(&mut rig, "a", "").1.as_deref(), Some("2026-02-01-0"));
}

#[test]
fn a_forced_reload_happens_at_once() {
    let mut rig = Rig::new("2.1.0");
    assert_eq!(change(&mut rig, "a", "&force_reload=true"), (201, None));
    assert_eq!(rig.world.reloads, 1);
    assert_eq!(rig.delete("/configuration/backends/a?version=2&force_reload=true").status, 204);
    let id = rig.begin();
    assert_eq!(rig.put(&format!("/transactions/{id}?force_reload=true"), "").status, 200);
    assert_eq!(rig.world.reloads, 3);
    rig.world.reload_error = Some("no".into());
    let answer = rig.post("/configuration/backends?version=4&force_reload=true", r#"{"name":"b"}"#);
    assert_eq!((answer.status, answer.message()), (400, "Reload failed: no"));
}

#[test]
fn a_failed_reload_restarts_with_the_last_good_file_and_puts_the_bad_one_back() {
    let mut rig = Rig::new("2.1.0");
    change(&mut rig, "good", "");
    rig.pass(Duration::from_secs(30));
    let good = rig.file().to_owned();
    assert_eq!(rig.world.files[&format!("{CONFIG}.lkg")], good);
    change(&mut rig, "bad", "");
    rig.world.reload_error = Some("cannot bind".into());
    rig.pass(Duration::from_secs(30));
    assert_eq!(rig.world.restarted_with, [good.as_str()]);
    assert!(rig.file().contains("backend bad"), "the bad file is back");
    assert_eq!(rig.world.files[&format!("{CONFIG}.lkg")], good);
    assert!(!rig.world.files.contains_key(&format!("{CONFIG}.bck")));
    let reload = rig.get("/reloads/2026-01-01-1").body;
    assert_eq!((&reload["status"], &reload["response"]), (&json!("failed"), &json!("cannot bind")));
}

#[test]
fn a_restart_that_fails_too_is_told() {
    let mut rig = Rig::new("2.1.0");
    change(&mut rig, "bad", "");
    rig.world.reload_error = Some("cannot bind".into());
    rig.world.restart_error = Some("no restart command is set".into());
    rig.pass(Duration::from_secs(30));
    let response = "Reload failed: cannot bind, failed to restart HAProxy, please check and start manually";
    assert_eq!(rig.get("/reloads/2026-01-01-0").body["response"], response);
    assert!(rig.world.log.iter().any(|line| line.starts_with("Restart failed")));
}

#[test]
fn a_start_counts_the_present_file_as_good() {
    let rig = Rig::new("2.1.0");
    assert_eq!(rig.world.files[&format!("{CONFIG}.lkg")], INITIAL);
}
