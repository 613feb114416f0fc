//! `routes-equal`: the routes afterwards equal the routes before, per cluster, in file and in process.

use std::collections::BTreeSet;

use grenadier_catalog::Check as Name;

use crate::{Check, CheckResult, Facts, Route, Routes, RoutesByCluster};

/// Compares the set of routes of each cluster after the upgrade, and at the end, with the base; and, at each of these
/// moments, the file with what the running process serves.
pub(super) struct RoutesEqual;

impl Check for RoutesEqual {
    fn name(&self) -> Name {
        Name::RoutesEqual
    }

    fn make(&self, facts: &Facts<'_>) -> CheckResult {
        let (mut problems, mut gaps) = (Vec::new(), Vec::new());
        let Some(base) = &facts.routes.base else {
            return CheckResult::not_covered(Name::RoutesEqual, "the routes before the upgrade are not known");
        };
        running(base, "before the upgrade", &mut problems, &mut gaps);
        let mut compared = false;
        for (when, now) in facts.routes.after() {
            compared = true;
            problems.extend(differences(&base.file, &now.file).into_iter().map(|text| format!("{text} {when}")));
            running(now, when, &mut problems, &mut gaps);
        }
        if !compared {
            gaps.push("the routes after the upgrade are not known".to_owned());
        }
        if base.file.values().all(BTreeSet::is_empty) {
            gaps.push("there was no route to compare".to_owned());
        }
        let routes = |count| if count == 1 { "1 route".to_owned() } else { format!("{count} routes") };
        let clusters: Vec<String> =
            base.file.iter().map(|(name, set)| format!("{} of {name}", routes(set.len()))).collect();
        CheckResult::from_lists(Name::RoutesEqual, problems, gaps, format!("{}, before and after", clusters.join(", ")))
    }
}

fn running(routes: &Routes, when: &str, problems: &mut Vec<String>, gaps: &mut Vec<String>) {
    match &routes.process {
        None => gaps.push(format!("what the running process serves {when} is not known")),
        Some(process) => {
            let unlike = differences(&routes.file, process).into_iter();
            problems.extend(
                unlike.map(|text| format!("the running process serves other routes than its file: {text} {when}")),
            );
        }
    }
}

fn differences(before: &RoutesByCluster, after: &RoutesByCluster) -> Vec<String> {
    let none = BTreeSet::new();
    let clusters: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut found = Vec::new();
    for cluster in clusters {
        let (was, is): (&BTreeSet<Route>, &BTreeSet<Route>) =
            (before.get(cluster).unwrap_or(&none), after.get(cluster).unwrap_or(&none));
        found.extend(was.difference(is).map(|route| format!("{cluster} has lost {route}")));
        found.extend(is.difference(was).map(|route| format!("{cluster} has gained {route}")));
    }
    found
}

#[cfg(test)]
mod tests {
    use grenadier_events::CheckStatus;

    use super::*;
    use crate::Stages;
    use crate::testing::{Run, bare, swap};

    fn made(run: &Run) -> (CheckStatus, String) {
        let result = RoutesEqual.make(&run.facts());
        (result.status, result.message)
    }

    #[test]
    fn a_lost_route_is_noticed() {
        let mut run = swap();
        assert_eq!(made(&run).1, "1 route of supervisor, 1 route of tenant-1, before and after");
        run.routes.upgraded.as_mut().unwrap().file.remove("tenant-1");
        let (status, message) = made(&run);
        assert_eq!(status, CheckStatus::Fail);
        let want = "tenant-1 has lost 198.18.2.21:6443 to 198.18.1.43:8080, 198.18.1.44:8080 after the upgrade";
        assert!(message.starts_with(want), "{message}");
    }

    #[test]
    fn a_lost_backend_is_noticed() {
        let mut run = swap();
        let routes = &mut run.routes.end.as_mut().unwrap();
        for side in [&mut routes.file, routes.process.as_mut().unwrap()] {
            let mut route = side["tenant-1"].first().unwrap().clone();
            route.backends.pop_first();
            side.insert("tenant-1".into(), [route].into());
        }
        assert!(made(&run).1.contains("(and 1 more)"), "{}", made(&run).1);
    }

    #[test]
    fn a_process_that_serves_something_else_than_its_file_is_noticed() {
        let mut run = swap();
        run.routes.upgraded.as_mut().unwrap().process.as_mut().unwrap().remove("supervisor");
        let (status, message) = made(&run);
        assert_eq!(status, CheckStatus::Fail);
        assert!(message.starts_with("the running process serves other routes than its file: supervisor has lost"));
    }

    #[test]
    fn what_is_not_known_is_not_covered() {
        let mut run = swap();
        run.routes.end.as_mut().unwrap().process = None;
        assert_eq!(made(&run).0, CheckStatus::NotCovered);
        assert_eq!(made(&bare()).0, CheckStatus::NotCovered);
        let mut run = swap();
        let none = Routes { file: RoutesByCluster::new(), process: Some(RoutesByCluster::new()) };
        run.routes = Stages { base: Some(none.clone()), upgraded: Some(none.clone()), end: Some(none) };
        assert_eq!(made(&run), (CheckStatus::NotCovered, "there was no route to compare".to_owned()));
    }
}
