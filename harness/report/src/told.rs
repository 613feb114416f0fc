//! An event as people read it.

use std::borrow::Cow;
use std::time::Duration;

use grenadier_clock::format_duration;
use grenadier_events::{Availability, Bounds, Event, Kind, Power, ProberFigures, ProberState, StepVerb};

use crate::words::{joined, phase_status, seen_by};

/// An event in three parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told<'a> {
    /// What kind of event it is, as the log names it.
    pub kind: Cow<'a, str>,
    /// Whom or what it is about.
    pub subject: Cow<'a, str>,
    /// What happened.
    pub text: Cow<'a, str>,
}

/// Tells `event` to people.
pub(crate) fn told(event: &Event) -> Told<'_> {
    let (kind, subject, text): (&str, Cow<'_, str>, Cow<'_, str>) = match &event.kind {
        Kind::RunStarted { scenario, system, world, seed, base, target, profile } => {
            let text =
                format!("{system} {base} → {target}, {} world, seed {seed}, timing profile {profile}", world.name());
            ("run-started", scenario.into(), text.into())
        }
        Kind::PhaseStarted { phase } => ("phase-started", phase.into(), "began".into()),
        Kind::PhaseFinished { phase, status, message } => {
            ("phase-finished", phase.into(), with(phase_status(*status), message.as_deref()).into())
        }
        Kind::StepStarted { step, verb } => ("step-started", step.into(), verb_word(*verb).into()),
        Kind::StepFinished { step, verb, error } => {
            let ended = if error.is_some() { "failed" } else { "done" };
            let text = with(&format!("{} {ended}", verb_word(*verb)), error.as_deref());
            ("step-finished", step.into(), text.into())
        }
        Kind::Call { address, endpoint, began_ns, result, fault } => {
            let took = format_duration(event.t_ns.since(*began_ns));
            let fault = fault.as_ref().map(|fault| format!(", fault {fault}")).unwrap_or_default();
            ("call", address.into(), format!("{result} from {endpoint} after {took}{fault}").into())
        }
        Kind::Task { task, method, target, state, error } => {
            ("task", task.into(), with(&format!("{method} of {target} {state}"), error.as_deref()).into())
        }
        Kind::FaultInjected { at, fault } => ("fault-injected", at.into(), fault.into()),
        Kind::FaultNotInjectable { at, fault, reason } => {
            ("fault-not-injectable", at.into(), format!("{fault} found no place to act: {reason}").into())
        }
        Kind::MachineCreated { machine } => ("machine-created", machine.into(), "created".into()),
        Kind::MachineDestroyed { machine } => ("machine-destroyed", machine.into(), "destroyed".into()),
        Kind::PowerChanged { machine, power } => ("power-changed", machine.into(), power_word(*power).into()),
        Kind::Snapshot { machine, snapshot, action } => {
            ("snapshot", machine.into(), format!("snapshot {snapshot} {action}").into())
        }
        Kind::AddressOwners { segment, address, owners } => {
            let answer = match owners.as_slice() {
                [] => "nobody answers for it".to_owned(),
                [only] => format!("{only} answers for it"),
                several => format!("{} all answer for it: a fight", joined(several)),
            };
            ("address-owners", address.into(), format!("{answer} on {segment}").into())
        }
        Kind::Neighbour { client, address, owner } => {
            let text = match owner {
                Some(owner) => format!("takes {owner} for {address}"),
                None => format!("knows nobody who answers for {address}"),
            };
            ("neighbour", client.into(), text.into())
        }
        Kind::Availability { target, client, probe, at, now } => {
            let text = format!("{}, seen by {client}{}", seen(now), somewhere(*at));
            ("availability", seen_by(target, probe.name()).into(), text.into())
        }
        Kind::Prober { target, client, probe, now } => {
            ("prober", seen_by(target, probe.name()).into(), format!("{client}: {}", prober(now)).into())
        }
        Kind::Outage { target, client, probe, from, to, step } => {
            let end = to.map_or("the end of the run".to_owned(), |to| to.latest_ns.to_string());
            let step = step.as_ref().map(|step| format!(", caused by {step}")).unwrap_or_default();
            let text = format!("not answered from {} to {end}, seen by {client}{step}", from.earliest_ns);
            ("outage", seen_by(target, probe.name()).into(), text.into())
        }
        Kind::Service { machine, service, state, detail } => {
            let detail = Some(detail.as_str()).filter(|detail| !detail.is_empty());
            ("service", machine.into(), with(&format!("{service} {state}"), detail).into())
        }
        Kind::GuestLog { machine, service, line } => ("guest-log", machine.into(), format!("{service}: {line}").into()),
        Kind::Operator { cluster, state, attempt, detail } => {
            let attempts = if *attempt > 0 { format!(", attempt {attempt}") } else { String::new() };
            let detail = Some(detail.as_str()).filter(|detail| !detail.is_empty());
            ("operator", cluster.into(), with(&format!("{state}{attempts}"), detail).into())
        }
        Kind::EngineFinished { verb, exit_code, outcome, message } => {
            let outcome = outcome.as_ref().map(|outcome| format!(", {outcome}")).unwrap_or_default();
            ("engine-finished", verb.into(), with(&format!("exit {exit_code}{outcome}"), Some(message)).into())
        }
        Kind::Captured { name, hash } => ("captured", name.into(), format!("states/{hash}.json").into()),
        Kind::CheckFinished { check, status, message } => {
            ("check-finished", check.into(), with(status.name(), Some(message)).into())
        }
        Kind::RunFinished { verdict } => ("run-finished", "".into(), verdict.into()),
        Kind::Unknown(fields) => {
            let kind = fields.get("kind").and_then(|kind| kind.as_str()).unwrap_or("unknown");
            let rest = serde_json::to_string(fields).expect("a map of JSON values has string keys");
            (kind, "".into(), rest.into())
        }
    };
    Told { kind: kind.into(), subject, text }
}

/// What a client sees.
pub(crate) fn seen(now: &Availability) -> String {
    match now {
        // A probe in the docker world sees who signed the answer, and not through which machine it came.
        Availability::Up(served) => match (served.machine.as_str(), served.backends.is_empty()) {
            ("", true) => "up".to_owned(),
            ("", false) => format!("up: answered from {}", joined(&served.backends)),
            (machine, true) => format!("up: {machine} answers"),
            (machine, false) => format!("up: {machine} answers, from {}", joined(&served.backends)),
        },
        Availability::Down { reason, class: None } => format!("down: {reason}"),
        Availability::Down { reason, class: Some(class) } => format!("down: {reason} [{}]", class.name()),
    }
}

/// What a prober tells of itself.
fn prober(now: &ProberState) -> String {
    let ns = |ns: u64| format_duration(Duration::from_nanos(ns));
    match now {
        ProberState::Started { at_ns, every_ns } => format!("looks every {} from {at_ns} on", ns(*every_ns)),
        ProberState::Stopped { at_ns, reason, figures } => {
            let figures = figures.as_ref().map(|told| {
                let ProberFigures { scheduled, sent, late, p99_late_ns, worst_late_ns } = told;
                let (p99, worst) = (ns(*p99_late_ns), ns(*worst_late_ns));
                format!("; {sent} of {scheduled} samples sent, {late} late, p99 {p99}, worst {worst}")
            });
            let text = with(&format!("looked up to {at_ns}"), reason.as_deref());
            text + &figures.unwrap_or_default()
        }
        ProberState::Gap { from_ns, to_ns, missed, reason } => {
            format!("did not look from {from_ns} to {to_ns}, {missed} samples: {reason}")
        }
        ProberState::Late { from_ns, to_ns, samples, worst_ns } => {
            format!("{samples} samples late from {from_ns} to {to_ns}, by {} at most", ns(*worst_ns))
        }
        ProberState::NotCovered { reason } => format!("not covered: {reason}"),
    }
}

pub(crate) const fn power_word(power: Power) -> &'static str {
    match power {
        Power::Off => "off",
        Power::On => "on",
    }
}

const fn verb_word(verb: StepVerb) -> &'static str {
    match verb {
        StepVerb::Apply => "apply",
        StepVerb::Undo => "undo",
        StepVerb::Verify => "verify",
    }
}

/// How far apart the bounds of a moment are, where that is not known exactly.
fn somewhere(at: Bounds) -> String {
    let apart = at.latest_ns.since(at.earliest_ns);
    if apart == Duration::ZERO { String::new() } else { format!(", at some moment within {}", format_duration(apart)) }
}

fn with(text: &str, more: Option<&str>) -> String {
    more.map_or_else(|| text.to_owned(), |more| format!("{text}: {more}"))
}

#[cfg(test)]
mod tests {
    use grenadier_clock::Time;
    use grenadier_events::{Actor, VERSION};

    use super::*;

    fn line(json: &str) -> String {
        let kind: Kind = serde_json::from_str(json).unwrap();
        let event = Event { v: VERSION, t_ns: Time::from_ns(5_000_000), seq: 0, actor: Actor::World, kind };
        let told = told(&event);
        format!("{} | {} | {}", told.kind, told.subject, told.text)
    }

    #[test]
    fn each_says_whom_it_is_about_and_what_happened() {
        let lines = [
            r#"{"kind":"call","address":"a/vsphere.B#1","endpoint":"vc:443","began_ns":3000000,"result":"200","fault":"slow"}"#,
            r#"{"kind":"address-owners","segment":"frontend","address":"198.18.2.16/28","owners":["a","b","c"]}"#,
            r#"{"kind":"step-finished","step":"power-off-old","verb":"undo","error":"no answer"}"#,
            r#"{"kind":"availability","target":"shop","client":"c","probe":"http-pinned","at":{"earliest_ns":1,"latest_ns":3},"state":"down","reason":"off"}"#,
            r#"{"kind":"availability","target":"shop","client":"c","probe":"http-new","at":{"earliest_ns":1,"latest_ns":1},"state":"up","machine":"m","backends":["b","d"]}"#,
            r#"{"kind":"availability","target":"shop","client":"c","probe":"http-new","at":{"earliest_ns":1,"latest_ns":1},"state":"up","machine":"","backends":["b"]}"#,
            r#"{"kind":"operator","cluster":"tenant","state":"retrying","attempt":3,"detail":"503"}"#,
            r#"{"kind":"outage","target":"shop","client":"c","probe":"http-new","from":{"earliest_ns":1000,"latest_ns":1000},"to":null,"step":"x"}"#,
            r#"{"kind":"availability","target":"shop","client":"c","probe":"arp","at":{"earliest_ns":1,"latest_ns":1},"state":"down","reason":"a and b","class":"duplicate-address"}"#,
            r#"{"kind":"prober","target":"shop","client":"c","probe":"udp","state":"not-covered","reason":"no datagrams"}"#,
            r#"{"kind":"prober","target":"shop","client":"c","probe":"http-new","state":"started","at_ns":1000,"every_ns":10000000}"#,
            r#"{"kind":"prober","target":"shop","client":"c","probe":"http-new","state":"gap","from_ns":1000,"to_ns":3000,"missed":2,"reason":"it stood still"}"#,
            r#"{"kind":"prober","target":"shop","client":"c","probe":"http-new","state":"late","from_ns":1000,"to_ns":3000,"samples":2,"worst_ns":5000}"#,
            r#"{"kind":"prober","target":"shop","client":"c","probe":"http-new","state":"stopped","at_ns":1000,"figures":{"scheduled":9,"sent":8,"late":1,"p99_late_ns":1000,"worst_late_ns":2000}}"#,
            r#"{"kind":"from-the-future","x":1}"#,
        ];
        let told: Vec<String> = lines.into_iter().map(line).collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        call | a/vsphere.B#1 | 200 from vc:443 after 2ms, fault slow
        address-owners | 198.18.2.16/28 | a, b and c all answer for it: a fight on frontend
        step-finished | power-off-old | undo failed: no answer
        availability | shop (http-pinned) | down: off, seen by c, at some moment within 2ns
        availability | shop | up: m answers, from b and d, seen by c
        availability | shop | up: answered from b, seen by c
        operator | tenant | retrying, attempt 3: 503
        outage | shop | not answered from 1µs to the end of the run, seen by c, caused by x
        availability | shop (arp) | down: a and b [duplicate-address], seen by c
        prober | shop (udp) | c: not covered: no datagrams
        prober | shop | c: looks every 10ms from 1µs on
        prober | shop | c: did not look from 1µs to 3µs, 2 samples: it stood still
        prober | shop | c: 2 samples late from 1µs to 3µs, by 5µs at most
        prober | shop | c: looked up to 1µs; 8 of 9 samples sent, 1 late, p99 1µs, worst 2µs
        from-the-future |  | {"kind":"from-the-future","x":1}
        "#);
    }

    #[test]
    fn the_kind_is_the_one_the_log_names() {
        for event in crate::testing::events() {
            let json = serde_json::to_value(&event).unwrap();
            assert_eq!(json["kind"].as_str().unwrap(), told(&event).kind);
        }
    }
}
