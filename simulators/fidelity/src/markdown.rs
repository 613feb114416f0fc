//! The declarations as the page `docs/fidelity.md`.

use std::fmt::Write as _;

use crate::{Basis, Declared};

const HEAD: &str = "# What the simulators assume

Generated from the simulators' own declarations by `grenadier fidelity`; do not edit.

Every simulated behaviour that an outcome can hang on is a row. *recorded*: seen at the real thing. *documented*: in a manual, an
issue or a specification. *assumed*: nobody looked yet. A verdict lists the assumed ones it relied on;
`grenadier explore SCENARIO --assumptions` turns each one over that has something under *otherwise*, and says which verdicts
change.
";

/// The page, with one table for each simulator.
pub fn markdown(declared: &[Declared]) -> String {
    let mut page = HEAD.to_owned();
    let all = || declared.iter().flat_map(|declared| declared.behaviours);
    let count = |wanted: &str| all().filter(|behaviour| behaviour.basis.name() == wanted).count();
    let _ = writeln!(
        page,
        "\n{} behaviours: {} recorded, {} documented, {} assumed.",
        all().count(),
        count(Basis::Recorded("").name()),
        count(Basis::Documented("").name()),
        count(Basis::Assumed("").name()),
    );
    for Declared { simulator, behaviours } in declared {
        let _ = writeln!(page, "\n## {simulator}\n\n| id | behaviour | basis | source or reason | otherwise |");
        page.push_str("| --- | --- | --- | --- | --- |\n");
        for behaviour in *behaviours {
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} | {} |",
                behaviour.id,
                cell(behaviour.says),
                behaviour.basis,
                cell(behaviour.basis.source()),
                cell(behaviour.otherwise.unwrap_or("")),
            );
        }
    }
    page
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Behaviour;

    #[test]
    fn each_behaviour_is_a_row_and_a_bar_stays_in_its_cell() {
        static ONE: Behaviour =
            Behaviour { id: "one", says: "a | b.", basis: Basis::Assumed("likely"), otherwise: Some("c.") };
        static ALL: &[&Behaviour] = &[&ONE];
        let page = markdown(&[Declared { simulator: "Thing", behaviours: ALL }]);
        assert!(page.contains("1 behaviours: 0 recorded, 0 documented, 1 assumed."));
        assert!(page.ends_with("\n## Thing\n\n| id | behaviour | basis | source or reason | otherwise |\n| --- | --- | --- | --- | --- |\n| `one` | a \\| b. | assumed | likely | c. |\n"));
    }
}
