//! `given`.

use grenadier_catalog::{Privilege, Segment, System};

use super::context::{Context, Fields};
use super::scalar;
use super::topology::Around;
use super::version;
use crate::yaml::{Entry, Kind, Node};
use crate::{ApplianceState, Customisation, Given, VersionChoice};

const KINDS: &[&str] = &[
    "appliance",
    "privilege-missing",
    "file-missing",
    "customisation",
    "service-range",
    "route-rule-duplicated",
    "link-route-left",
    "api-stopped",
    "upgraded-from",
];
const CUSTOMISATION_KEYS: &[&str] = &["file", "line", "section"];

pub(super) fn given(
    cx: &mut Context,
    node: &Node,
    system: Option<&'static System>,
    around: &mut Around,
) -> Option<Given> {
    let entry = cx.single(node, "a deviation", KINDS)?;
    let value = &entry.value;
    match entry.key.as_str() {
        "appliance" => {
            let states = [("powered-off", ApplianceState::PoweredOff), ("absent", ApplianceState::Absent)];
            scalar::choice(cx, value, "state of the appliance", &states).map(Given::Appliance)
        }
        "privilege-missing" => scalar::name::<Privilege>(cx, value).map(Given::PrivilegeMissing),
        "file-missing" => {
            let files = system.map(|system| system.files.iter().map(|file| file.path).collect::<Vec<_>>());
            file(cx, value, files.as_deref()).map(Given::FileMissing)
        }
        "service-range" => {
            let range = around.other_range(cx, value)?;
            around.add(range);
            Some(Given::ServiceRange(range))
        }
        "route-rule-duplicated" => scalar::name::<Segment>(cx, value).map(Given::RouteRuleDuplicated),
        "link-route-left" => scalar::name::<Segment>(cx, value).map(Given::LinkRouteLeft),
        "api-stopped" => scalar::duration(cx, value).map(Given::ApiStopped),
        "upgraded-from" => version::one(cx, entry, system).map(Given::UpgradedFrom),
        _ => customisation(cx, entry, system).map(Given::Customisation),
    }
}

/// A path out of a list; without a system there is no list, and the system is reported already.
fn file(cx: &mut Context, node: &Node, known: Option<&[&'static str]>) -> Option<String> {
    let path = scalar::text(cx, node, "the absolute path of a file on the appliance")?;
    let known = known?;
    if known.contains(&path) {
        return Some(path.to_owned());
    }
    cx.unknown(node, "file", path, known.iter().copied());
    None
}

fn customisation(cx: &mut Context, entry: &Entry, system: Option<&'static System>) -> Option<Customisation> {
    let fields = cx.fields(&entry.value, "a customisation", CUSTOMISATION_KEYS, Some(&entry.key_span))?;
    let files = system.map(|system| system.customisable_files);
    let file = fields.required(cx, "file").and_then(|node| file(cx, node, files));
    let line = fields.required(cx, "line").and_then(|node| filled_line(cx, node, "a line of configuration"));
    let section = fields.optional("section").map(|node| filled_line(cx, node, "the name of a section"));
    Some(Customisation { file: file?, line: line?, section: super::all_or_nothing(section)? })
}

fn filled_line(cx: &mut Context, node: &Node, expected: &str) -> Option<String> {
    let line = scalar::line(cx, node, expected)?;
    if line.is_empty() {
        cx.report(node.span.clone(), format!("expected {expected}; got an empty text"), None);
        return None;
    }
    Some(line)
}

/// What cannot be given together: files and customisations of an appliance that is not there, or two states of it.
pub(super) fn contradictions(cx: &mut Context, fields: &Fields<'_>, given: Option<&[Given]>) {
    let (Some(given), Some(Kind::List(nodes))) = (given, fields.optional("given").map(|node| &node.kind)) else {
        return;
    };
    let states: Vec<usize> =
        given.iter().enumerate().filter(|(_, it)| matches!(it, Given::Appliance(_))).map(|(at, _)| at).collect();
    if let [first, second, ..] = states[..] {
        let also = (nodes[first].span.clone(), "first here");
        cx.report_with(nodes[second].span.clone(), "the appliance is given twice", "keep one".to_owned(), also);
    }
    let Some(absent) = given.iter().position(|it| *it == Given::Appliance(ApplianceState::Absent)) else { return };
    for (it, node) in given.iter().zip(nodes) {
        if !matches!(it, Given::Appliance(_) | Given::PrivilegeMissing(_) | Given::UpgradedFrom(_)) {
            let also = (nodes[absent].span.clone(), "the appliance is absent");
            let help = "leave one of the two out".to_owned();
            cx.report_with(node.span.clone(), "an appliance that is absent has no files", help, also);
        }
    }
}

/// Versions the base was upgraded from that do not come one after the other, up to the base itself.
pub(super) fn history(
    cx: &mut Context,
    fields: &Fields<'_>,
    given: Option<&[Given]>,
    from: Option<&VersionChoice>,
    system: Option<&'static System>,
) {
    let (Some(given), Some(from), Some(system)) = (given, from, system) else { return };
    let Some(Kind::List(nodes)) = fields.optional("given").map(|node| &node.kind) else { return };
    let earlier: Vec<_> = given
        .iter()
        .zip(nodes)
        .filter_map(|(it, node)| match it {
            Given::UpgradedFrom(version) => Some((version.resolve(system), node)),
            _ => None,
        })
        .collect();
    let base = from.resolve(system);
    let nexts = earlier.iter().skip(1).map(|(version, _)| version).chain([&base]);
    for ((version, node), next) in earlier.iter().zip(nexts) {
        if version.number >= next.number {
            let message = format!("{} cannot have been upgraded to {}, which is not newer", version.name, next.name);
            let help = "name the versions the appliance was upgraded from, the oldest first".to_owned();
            cx.report(node.span.clone(), message, help);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::parse;

    fn problems(given: &str) -> Vec<(String, Option<String>, usize)> {
        let source = format!(
            "name: a\nsystem: haproxy-appliance\nfrom: v0.1.10\nto: v0.2.0\ntopology: {{vsphere: 7.0.1, networks: frontend}}\n\
             create:\n  - load-balancer: {{name: shop, vip: frontend+20, port: 443, backends: 3}}\ngiven:\n{given}"
        );
        let found = parse(&source, "a.yaml").err();
        let problems = found.iter().flat_map(|found| found.iter());
        problems.map(|problem| (problem.message.clone(), problem.help.clone(), problem.line - 8)).collect()
    }

    #[test]
    fn an_appliance_was_upgraded_from_ever_newer_versions() {
        assert_eq!(problems("  - upgraded-from: v0.1.8\n  - upgraded-from: v0.1.9\n"), []);
        let help = || Some("name the versions the appliance was upgraded from, the oldest first".to_owned());
        assert_eq!(
            problems("  - upgraded-from: v0.1.9\n  - upgraded-from: v0.1.8\n"),
            [("v0.1.9 cannot have been upgraded to v0.1.8, which is not newer".to_owned(), help(), 1)]
        );
        assert_eq!(
            problems("  - upgraded-from: v0.1.8\n  - upgraded-from: v0.1.10\n"),
            [("v0.1.10 cannot have been upgraded to v0.1.10, which is not newer".to_owned(), help(), 2)]
        );
    }
}
