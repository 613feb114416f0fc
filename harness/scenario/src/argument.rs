//! Faults on the command line: `power-on-new/vsphere.PowerOnVM_Task#1=lost-reply`.

use grenadier_catalog::{AfterCrash, FaultKind, Named, parse_duration};

use crate::decode::{excludes, one_fault};
use crate::diagnostic::Finding;
use crate::yaml::{Entry, Kind, Node};
use crate::{Diagnostics, Fault, Scenario};

/// Reads a fault as it stands on the command line, for a scenario: `PLACE=KIND`, and behind it, each after a colon, the machine
/// it happens to, by how much a `delay` delays or which share a `loss` costs, how long it lasts, and what a new engine process is
/// asked for.
///
/// ```
/// use grenadier_scenario::{load, parse_fault};
///
/// let scenario = load("haproxy-appliance-swap")?.scenario;
/// for text in ["power-on-new/vsphere.PowerOnVM_Task#1=slow:5s", "verify-services=partition:new-appliance:1m",
///              "verify-services=delay:new-appliance:200ms:1m", "verify-services=loss:new-appliance:20%:1m",
///              "deploy-new=crash-after:rollback"] {
///     let fault = parse_fault(text, &scenario).map_err(|problems| problems.to_string())?;
///     assert_eq!(fault.to_string(), text);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// What is wrong with it, with a hint, as for a fault of the document.
pub fn parse_fault(text: &str, scenario: &Scenario) -> Result<Fault, Diagnostics> {
    let (fault, findings) = one_fault(&node(text), scenario);
    match fault {
        Some(fault) if findings.is_empty() => Ok(fault),
        _ => Err(Diagnostics::new(text, "--fault", findings)),
    }
}

/// Adds faults as they stand on the command line to those of a scenario.
///
/// # Errors
/// What is wrong with the first that is not sound, or that could not act beside the others.
pub fn add_faults(scenario: &mut Scenario, texts: &[String]) -> Result<(), Diagnostics> {
    for text in texts {
        let fault = parse_fault(text, scenario)?;
        if let Some(other) = scenario.faults.iter().find(|other| excludes(other, &fault)) {
            let finding = Finding {
                span: 0..text.len(),
                message: format!("`{fault}` cannot act beside `{other}`"),
                help: Some("a call can suffer one fault, a step each fault once; name another place".to_owned()),
                also: None,
            };
            return Err(Diagnostics::new(text, "--fault", vec![finding]));
        }
        scenario.faults.push(fault);
    }
    Ok(())
}

/// The argument as the mapping it would be in the document, each part with its place in the text.
fn node(text: &str) -> Node {
    let place_end = text.rfind('=').unwrap_or(text.len());
    let mut entries = vec![entry("at", text, 0..place_end)];
    let mut from = place_end + 1;
    for (number, part) in text.get(from..).into_iter().flat_map(|what| what.split(':')).enumerate() {
        let delays = matches!(entries.get(1), Some(Entry { value: Node { kind: Kind::Text(kind), .. }, .. }) if kind == FaultKind::Delay.name());
        let has_by = entries.iter().any(|entry| entry.key == "by");
        let key = match part {
            _ if number == 0 => "do",
            // Of the two lengths of a delay the first says how late packets come.
            _ if parse_duration(part).is_ok() && delays && !has_by => "by",
            _ if parse_duration(part).is_ok() => "for",
            _ if part.ends_with('%') => "rate",
            _ if AfterCrash::parse(part).is_some() => "then",
            _ => "machine",
        };
        entries.push(entry(key, text, from..from + part.len()));
        from += part.len() + 1;
    }
    Node { kind: Kind::Map(entries), span: 0..text.len() }
}

fn entry(key: &str, text: &str, span: std::ops::Range<usize>) -> Entry {
    let value = Node { kind: Kind::Text(text[span.clone()].to_owned()), span: span.clone() };
    Entry { key: key.to_owned(), key_span: span, value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load;

    fn problems(text: &str) -> Vec<(usize, String, String)> {
        let scenario = load("haproxy-appliance-swap").unwrap().scenario;
        let problems = parse_fault(text, &scenario).unwrap_err();
        let problem = |problem: &crate::Problem| {
            (problem.column, problem.message.clone(), problem.help.clone().unwrap_or_default())
        };
        problems.iter().map(problem).collect()
    }

    #[test]
    fn two_faults_at_one_call_are_refused() {
        let mut scenario = load("haproxy-appliance-swap").unwrap().scenario;
        let texts = |second: &str| ["power-on-new/vsphere.PowerOnVM_Task#1=hang".to_owned(), second.to_owned()];
        let error = add_faults(&mut scenario, &texts("power-on-new/vsphere.PowerOnVM_Task#1=refuse")).unwrap_err();
        assert!(error.to_string().contains("cannot act beside"), "{error}");
        scenario.faults.clear();
        add_faults(&mut scenario, &texts("power-on-new/vsphere.PowerOnVM_Task#2=refuse")).unwrap();
        assert_eq!(scenario.faults.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_said_where_it_stands() {
        let [(column, message, help)] =
            problems("power-onn-new/vsphere.PowerOnVM_Task#1=lost-reply").try_into().unwrap();
        assert_eq!((column, message.as_str()), (1, "unknown step `power-onn-new`"));
        assert!(help.contains("did you mean `power-on-new`?"), "{help}");
        let [(column, message, help)] =
            problems("power-on-new/vsphere.PowerOnVM_Task#1=lost-replay").try_into().unwrap();
        assert_eq!((column, message.as_str()), (39, "unknown fault kind `lost-replay`"));
        assert!(help.contains("did you mean `lost-reply`?"), "{help}");
        for (text, want) in [
            ("power-on-new/vsphere.PowerOnVM_Task#1", "missing key `do`"),
            ("vsphere.PowerOnVM_Task#1=refuse", "expected a call such as"),
            ("power-on-new=refuse", "fault `refuse` cannot happen to step power-on-new"),
            ("power-on-new/vsphere.Login#1=task-fails", "fault `task-fails` cannot happen to vsphere.Login"),
            ("power-on-new=boot-fails", "`boot-fails` happens to a machine, and none is named"),
            ("power-on-new=boot-fails:newappliance", "unknown machine `newappliance`"),
            ("power-on-new/vsphere.Login#1=hang:20s", "`for` means nothing to `hang`"),
            ("power-on-new=pause:new-appliance:20%", "`rate` means nothing to `pause`"),
            ("power-on-new=loss:new-appliance:100%", "expected a share from 1% to 99%; got `100%`"),
            ("power-on-new=delay:new-appliance:2h:1m", "expected a duration from 1ms to 1m"),
            ("power-on-new/vsphere.Login#1=hang:resume", "`then` means nothing to `hang`"),
            ("power-on-new=crash-after:old-appliance", "`machine` means nothing to `crash-after`"),
            ("=", "expected a call such as"),
            ("", "missing key `do`"),
        ] {
            let found = problems(text);
            assert!(found.iter().any(|(_, message, _)| message.contains(want)), "{text}: {found:?}");
        }
    }
}
