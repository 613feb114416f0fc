//! The table.

mod changes;
mod crashes;
mod raw;
mod reloads;
mod transactions;

use crate::Case;

/// Every case, in an order that does not matter.
pub fn cases() -> Vec<Case> {
    [changes::cases(), transactions::cases(), raw::cases(), reloads::cases(), crashes::cases()].concat()
}

const CONFIG: &str = crate::run::CONFIG;
const LAST_GOOD: &str = "/etc/haproxy/haproxy.cfg.lkg";

impl Case {
    /// Programs a load balancer in one transaction, as an operator does, and keeps the reload's id as `reload`.
    fn programs(self) -> Case {
        self.begin("t")
            .post("/configuration/backends?transaction_id={t}", BACKEND, 202)
            .post("/configuration/servers?backend=shop&transaction_id={t}", SERVER, 202)
            .post("/configuration/frontends?transaction_id={t}", FRONTEND, 202)
            .post("/configuration/binds?frontend=shop&transaction_id={t}", BIND, 202)
            .put("/transactions/{t}", "", 202)
            .step(crate::Step::KeepHeader("reload-id", "reload"))
    }
}

const BACKEND: &str = r#"{"name":"shop","mode":"tcp","balance":{"algorithm":"roundrobin"}}"#;
const SERVER: &str = r#"{"name":"s1","address":"192.0.2.1","port":8080}"#;
const FRONTEND: &str = r#"{"name":"shop","mode":"tcp","default_backend":"shop"}"#;
const BIND: &str = r#"{"name":"shop","address":"{vip}","port":443}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_a_name_of_its_own_and_looks_at_something() {
        let cases = cases();
        let names: std::collections::BTreeSet<_> = cases.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), cases.len());
        assert!(cases.iter().all(|case| !case.steps.is_empty()));
    }
}
