//! `leftovers`: nothing remains that the scenario did not declare as a residual.

use grenadier_catalog::{Check as Name, Outcome};

use crate::{Check, CheckResult, Facts, Residual};

/// Compares what is there at the end with what was there at the base: machines, snapshots, files, open transactions. What
/// belongs to the target version is no leftover where the run ends upgraded; a declared residual is none if it is as declared.
pub(super) struct Leftovers;

impl Check for Leftovers {
    fn name(&self) -> Name {
        Name::Leftovers
    }

    fn make(&self, facts: &Facts<'_>) -> CheckResult {
        let found = find(facts);
        let message = match found.residuals.as_slice() {
            [] => "nothing is left over".to_owned(),
            names => format!("nothing but what was declared: {}", names.join(", ")),
        };
        CheckResult::from_lists(Name::Leftovers, found.problems, found.gaps, message)
    }
}

/// What remains.
#[derive(Debug, Default)]
pub(crate) struct Remains {
    pub(crate) problems: Vec<String>,
    pub(crate) gaps: Vec<String>,
    /// The declared residuals that are really there.
    pub(crate) residuals: Vec<String>,
}

/// Looks for what remains.
pub(crate) fn find(facts: &Facts<'_>) -> Remains {
    let mut found = Remains::default();
    let (Some(base), Some(end)) = (&facts.inventory.base, &facts.inventory.end) else {
        found.gaps.push("what there is was not listed before and after".to_owned());
        return found;
    };
    let upgraded = facts.claimed() == Some(Outcome::Upgraded);
    for item in end.0.difference(&base.0) {
        if upgraded && facts.product.0.contains(item) {
            continue;
        }
        match facts.expect.residuals.iter().find(|residual| residual.items.0.contains(item)) {
            None => found.problems.push(format!("{} {} is left over", item.0, item.1)),
            Some(residual) if !found.residuals.contains(&residual.name) => {
                found.residuals.push(residual.name.clone());
            }
            Some(_) => {}
        }
    }
    // One that the base had too (the old machine after an upgrade) is held to its declaration as well.
    for residual in &facts.expect.residuals {
        if residual.items.0.iter().any(|item| end.0.contains(item)) {
            let (problems, gaps) = unlike_declared(facts, residual);
            found.problems.extend(problems);
            found.gaps.extend(gaps);
        }
    }
    found
}

fn unlike_declared(facts: &Facts<'_>, residual: &Residual) -> (Vec<String>, Vec<String>) {
    let Some(end) = &facts.captures.end else {
        let gap = (!residual.holds.is_empty()).then(|| format!("whether {} is so was not captured", residual.name));
        return (Vec::new(), gap.into_iter().collect());
    };
    let problems = residual
        .holds
        .iter()
        .filter_map(|(path, want)| {
            let is = end.root.value_at(path).unwrap_or("not there");
            (is != want).then(|| format!("{} is declared, but {path} is {is}", residual.name))
        })
        .collect();
    (problems, Vec::new())
}

#[cfg(test)]
mod tests {
    use grenadier_events::CheckStatus;

    use super::*;
    use crate::testing::{bare, swap};
    use crate::{ItemKind, Node, Verb};

    #[test]
    fn each_kind_of_leftover_is_noticed() {
        for (kind, name) in [
            (ItemKind::Machine, "spare"),
            (ItemKind::Snapshot, "haproxy/before-upgrade"),
            (ItemKind::File, "[LocalDS_0] haproxy/upload.iso"),
            (ItemKind::Transaction, "haproxy/42"),
        ] {
            let mut run = swap();
            run.inventory.end.as_mut().unwrap().add(kind, name);
            let result = Leftovers.make(&run.facts());
            assert_eq!(result.status, CheckStatus::Fail);
            assert_eq!(result.message, format!("{kind} {name} is left over"));
        }
    }

    #[test]
    fn a_residual_must_be_as_declared() {
        let mut run = swap();
        assert_eq!(Leftovers.make(&run.facts()).message, "nothing but what was declared: new-appliance-powered-off");
        run.set_at_end("machines/haproxy-v0.2.0/power", Node::runtime("on"));
        let result = Leftovers.make(&run.facts());
        assert_eq!(result.status, CheckStatus::Fail);
        assert_eq!(result.message, "new-appliance-powered-off is declared, but machines/haproxy-v0.2.0/power is on");
        let mut run = swap();
        run.expect.residuals.clear();
        assert_eq!(Leftovers.make(&run.facts()).message, "machine haproxy-v0.2.0 is left over");
    }

    #[test]
    fn the_new_version_is_no_leftover_of_an_upgrade() {
        let mut run = swap();
        run.expect.residuals.clear();
        run.product.add(ItemKind::Machine, "haproxy-v0.2.0");
        assert_eq!(Leftovers.make(&run.facts()).status, CheckStatus::Fail);
        run.engine.retain(|fact| fact.verb == Verb::Upgrade);
        assert_eq!(Leftovers.make(&run.facts()).status, CheckStatus::Pass);
    }

    #[test]
    fn without_lists_it_is_not_covered() {
        assert_eq!(Leftovers.make(&bare().facts()).status, CheckStatus::NotCovered);
        let mut run = swap();
        run.captures.end = None;
        assert_eq!(Leftovers.make(&run.facts()).status, CheckStatus::NotCovered);
    }
}
