//! What the simulators that a run may stand on declare.

use grenadier_fidelity::Declared;

/// What every simulator of this product declares: the tables of `docs/fidelity.md`.
pub static DECLARED: [Declared; 6] = [
    grenadier_fleet_virtual::fidelity::DECLARED,
    grenadier_fleet_docker::fidelity::DECLARED,
    grenadier_vsphere::fidelity::DECLARED,
    grenadier_haproxy_appliance::fidelity::DECLARED,
    grenadier_dataplane::fidelity::DECLARED,
    grenadier_operator::fidelity::DECLARED,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// `GRENADIER_BLESS=1` writes the page anew.
    #[test]
    fn the_page_is_what_the_simulators_declare() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/fidelity.md");
        let page = grenadier_fidelity::markdown(&DECLARED);
        if std::env::var_os("GRENADIER_BLESS").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), page, "run with GRENADIER_BLESS=1");
    }

    #[test]
    fn an_id_names_one_behaviour() {
        let mut ids: Vec<&str> =
            DECLARED.iter().flat_map(|declared| declared.behaviours).map(|behaviour| behaviour.id).collect();
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }
}
