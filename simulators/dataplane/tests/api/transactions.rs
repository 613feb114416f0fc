//! Transactions, by generation.

use rstest::rstest;
use serde_json::json;

use crate::support::Rig;

fn add(rig: &mut Rig, id: &str, name: &str) -> u16 {
    let body = json!({"name": name}).to_string();
    rig.post(&format!("/configuration/backends?transaction_id={id}"), &body).status
}

#[rstest]
fn a_transaction_shows_its_changes_to_itself_until_its_commit(#[values("2.3.0", "3.0.0")] generation: &str) {
    let mut rig = Rig::new(generation);
    let id = rig.begin();
    assert_eq!(add(&mut rig, &id, "shop"), 202);
    assert_eq!(rig.get("/configuration/backends/shop").status, 404);
    assert_eq!(rig.get(&format!("/configuration/backends/shop?transaction_id={id}")).status, 200);
    assert!(rig.world.files.keys().any(|path| path == &format!("/tmp/haproxy/haproxy.cfg.{id}")));
    let committed = rig.put(&format!("/transactions/{id}"), "");
    assert_eq!(committed.status, 202);
    assert_eq!(committed.body, json!({"_version": 1, "id": id, "status": "success"}));
    assert_eq!(committed.reload.as_deref(), Some("2026-01-01-0"));
    assert_eq!(rig.get("/configuration/backends/shop").version.as_deref(), Some("2"));
    assert!(!rig.world.files.keys().any(|path| path.starts_with("/tmp/")), "its file is gone");
}

#[rstest]
#[case("2.2.0", 409, "failed", "15: Version mismatch, transaction version: 1, configured version: 2")]
#[case("2.3.0", 406, "outdated", "is outdated and cannot be committed")]
#[case("3.0.0", 406, "outdated", "is outdated and cannot be committed")]
fn a_stale_commit(#[case] generation: &str, #[case] status: u16, #[case] becomes: &str, #[case] message: &str) {
    let mut rig = Rig::new(generation);
    let (first, second) = (rig.begin(), rig.begin());
    assert_eq!((add(&mut rig, &first, "a"), add(&mut rig, &second, "b")), (202, 202));
    assert_eq!(rig.put(&format!("/transactions/{first}"), "").status, 202);
    let meanwhile = rig.get(&format!("/transactions/{second}")).body["status"].clone();
    assert_eq!(
        meanwhile,
        if status == 406 { "outdated" } else { "in_progress" },
        "the first commit outdates the others"
    );
    let refused = rig.put(&format!("/transactions/{second}"), "");
    assert_eq!(refused.status, status, "{refused:?}");
    assert!(refused.message().contains(message), "{}", refused.message());
    assert_eq!(rig.get(&format!("/transactions/{second}")).body["status"], becomes);
    assert_eq!(rig.get(&format!("/transactions?status={becomes}")).body.as_array().unwrap().len(), 1);
    assert_eq!(rig.get("/transactions?status=in_progress").body, json!([]));
    // Once more changes nothing.
    let again = rig.put(&format!("/transactions/{second}"), "").status;
    assert_eq!(again, if status == 409 { 400 } else { 406 });
    assert!(!rig.file().contains("backend b"));
}

#[rstest]
#[case("2.1.0", 21, 201)]
#[case("2.2.0", 20, 429)]
fn open_transactions_are_limited_from_2_2_on(#[case] generation: &str, #[case] open: usize, #[case] next: u16) {
    let mut rig = Rig::new(generation);
    let ids: Vec<String> = (0..open).map(|_| rig.begin()).collect();
    let answer = rig.post("/transactions?version=1", "");
    assert_eq!(answer.status, next);
    if next == 429 {
        let expected = "cannot start a new transaction, reached the maximum amount of 20 active transactions available";
        assert_eq!(answer.message(), expected);
        assert_eq!(rig.delete(&format!("/transactions/{}", ids[0])).status, 204);
        assert_eq!(rig.post("/transactions?version=1", "").status, 201);
    }
}

#[rstest]
#[case("2.3.0", 400)]
#[case("3.0.0", 404)]
fn an_unknown_transaction(#[case] generation: &str, #[case] status: u16) {
    let mut rig = Rig::new(generation);
    for answer in [rig.get("/transactions/x"), rig.delete("/transactions/x"), rig.put("/transactions/x", "")] {
        assert_eq!((answer.status, answer.message()), (status, "20: Transaction x does not exist"));
    }
}

#[test]
fn a_commit_that_haproxy_refuses_fails_the_transaction() {
    let mut rig = Rig::new("2.1.0");
    let id = rig.begin();
    assert_eq!(add(&mut rig, &id, "broken"), 202);
    let refused = rig.put(&format!("/transactions/{id}"), "");
    let expected = format!("14: ERR transactionId={id} \nline=3 msg=\"unknown keyword 'broken'\"");
    assert_eq!((refused.status, refused.message()), (400, expected.as_str()));
    assert_eq!(rig.get(&format!("/transactions/{id}")).body["status"], "failed");
    assert_eq!(rig.delete(&format!("/transactions/{id}")).status, 204);
    assert_eq!(rig.get("/transactions").body, json!([]));
}
