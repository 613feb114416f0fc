//! `trace.json`: the run as a trace that Perfetto and `chrome://tracing` open.

use std::collections::BTreeMap;

use grenadier_checks::Verdict;
use grenadier_clock::Time;
use grenadier_events::Event;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::timeline::{Item, Lane, LaneKind, Timeline};
use crate::told::told;
use crate::tone::Tone;

/// An event in the trace event format. Times are microseconds.
/// <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU> describes it.
#[derive(Debug, Serialize)]
struct TraceEvent<'a> {
    ph: &'static str,
    pid: usize,
    tid: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'static str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    args: Map<String, Value>,
}

impl<'a> TraceEvent<'a> {
    fn new(ph: &'static str, (pid, tid): (usize, usize), name: &'a str) -> TraceEvent<'a> {
        TraceEvent { ph, pid, tid, ts: None, dur: None, s: None, name, args: Map::new() }
    }
}

fn us(time: Time) -> f64 {
    time.as_ns() as f64 / 1e3
}

fn args<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The run in the trace event format: a process for each group of lanes, a thread for each lane. What lasts is a slice, what
/// does not is an instant, and the power of machines and the availability of targets are counters too, 1 where all is well.
pub fn trace(events: &[Event], verdict: &Verdict) -> String {
    let timeline = Timeline::of(events, verdict.ended_ns);
    let mut out: Vec<TraceEvent<'_>> = Vec::new();
    for (place, group) in timeline.groups.iter().enumerate() {
        let pid = place + 1;
        named(&mut out, (pid, 0), ["process_name", "process_sort_index"], group.name, place);
        let mut tid = 0;
        for lane in &group.lanes {
            for items in without_overlaps(lane) {
                tid += 1;
                named(&mut out, (pid, tid), ["thread_name", "thread_sort_index"], &lane.name, tid);
                out.extend(items.into_iter().map(|item| slice((pid, tid), item, events)));
            }
            if lane.kind == LaneKind::States {
                counter(&mut out, pid, lane, timeline.end_ns);
            }
        }
    }
    let run = &verdict.run;
    let about = json!({
        "scenario": run.scenario, "seed": run.seed, "replay": run.replay, "verdict": verdict.verdict.name(),
    });
    let out = out.iter().map(|event| serde_json::to_string(event).expect("a trace event has finite numbers"));
    let lines: Vec<String> = out.collect();
    format!("{{\"displayTimeUnit\":\"ms\",\"otherData\":{about},\"traceEvents\":[\n{}\n]}}\n", lines.join(",\n"))
}

fn named<'a>(out: &mut Vec<TraceEvent<'a>>, id: (usize, usize), what: [&'static str; 2], name: &'a str, place: usize) {
    let [name_of, place_of] = what;
    out.push(TraceEvent { args: args([("name", name.into())]), ..TraceEvent::new("M", id, name_of) });
    out.push(TraceEvent { args: args([("sort_index", place.into())]), ..TraceEvent::new("M", id, place_of) });
}

/// Slices of one thread must not overlap: the first free row takes each item.
fn without_overlaps(lane: &Lane) -> Vec<Vec<&Item>> {
    let mut rows: Vec<Vec<&Item>> = Vec::new();
    for item in &lane.items {
        match rows.iter_mut().find(|row| row.last().is_none_or(|last| last.to <= item.from)) {
            Some(row) => row.push(item),
            None => rows.push(vec![item]),
        }
    }
    rows
}

fn slice<'a>(id: (usize, usize), item: &'a Item, events: &[Event]) -> TraceEvent<'a> {
    let mut event = TraceEvent::new("X", id, &item.label);
    event.ts = Some(us(item.from));
    if item.from < item.to {
        event.dur = Some(us(item.to) - us(item.from));
    } else {
        (event.ph, event.s) = ("i", Some("t"));
    }
    if let Some(source) = usize::try_from(item.seq).ok().and_then(|seq| events.get(seq)) {
        let told = told(source);
        event.args = args([("event", told.kind.into()), ("about", told.subject.into()), ("what", told.text.into())]);
    }
    event
}

fn counter<'a>(out: &mut Vec<TraceEvent<'a>>, pid: usize, lane: &'a Lane, end: Time) {
    let mut values: BTreeMap<Time, u8> = BTreeMap::new();
    for item in &lane.items {
        // A gap between two states: nothing holds there.
        values.insert(item.to.min(end), 0);
        values.insert(item.from, u8::from(matches!(item.tone, Tone::Good | Tone::Strong)));
    }
    for (at, value) in values {
        let event = TraceEvent::new("C", (pid, 0), &lane.name);
        out.push(TraceEvent { ts: Some(us(at)), args: args([("value", value.into())]), ..event });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn events(trace: &str) -> Vec<Value> {
        serde_json::from_str::<Value>(trace).unwrap()["traceEvents"].as_array().unwrap().clone()
    }

    fn of<'a>(events: &'a [Value], ph: &str, name: &str) -> Vec<&'a Value> {
        events.iter().filter(|event| event["ph"] == ph && event["name"] == name).collect()
    }

    #[test]
    fn phases_steps_and_states_are_slices_and_counters() {
        let trace = events(&trace(&testing::events(), &testing::passed()));
        let [upgrade] = of(&trace, "X", "upgrade")[..] else { panic!("one slice") };
        assert_eq!((&upgrade["ts"], &upgrade["dur"]), (&json!(66_120_000.0), &json!(75_380_000.0)));
        assert_eq!(of(&trace, "X", "undo power-off-old").len(), 1);
        let shop: Vec<(f64, u64)> = of(&trace, "C", "shop")
            .into_iter()
            .map(|event| (event["ts"].as_f64().unwrap() / 1e6, event["args"]["value"].as_u64().unwrap()))
            .collect();
        let (up, down) = (1, 0);
        let expected =
            [(53.1, down), (55.9, up), (99.56, down), (120.0, down), (139.32, up), (173.5, down), (186.56, up)];
        assert_eq!(shop[..7], expected);
        assert!(trace.iter().any(|event| event["ph"] == "M" && event["args"]["name"] == "Availability"));
    }

    #[test]
    fn a_fault_is_an_instant_and_calls_that_overlap_have_threads_of_their_own() {
        let call = |k: u32, began: u32| {
            format!(
                r#"{{"kind":"call","address":"s/vsphere.A#{k}","endpoint":"vc","began_ns":{began},"result":"200"}}"#
            )
        };
        let log = testing::log(&[
            (1, r#"{"kind":"fault-injected","at":"s/vsphere.A#1","fault":"slow"}"#),
            (20, &call(1, 5_000_000)),
            (30, &call(2, 10_000_000)),
            (40, &call(3, 20_000_000)),
        ]);
        let trace = events(&trace(&log, &testing::bare(&log)));
        let instant = of(&trace, "i", "slow at s/vsphere.A#1");
        assert_eq!((&instant[0]["ts"], &instant[0]["s"]), (&json!(1_000.0), &json!("t")));
        let thread = |k: u32| of(&trace, "X", &format!("vsphere.A#{k}"))[0]["tid"].clone();
        assert_eq!(thread(1), thread(3));
        assert_ne!(thread(1), thread(2));
    }
}
