//! `trace.json` is what the trace event format's description says, whoever reads it.
//!
//! <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Map, Value};

use crate::support::{Place, SWAP, UPGRADE};

/// A thread: its process and its own number.
type Thread = (u64, u64);

/// Whole nanoseconds of a time in microseconds, which may have a fraction.
fn ns(event: &Map<String, Value>, field: &str) -> u64 {
    let value = event[field].as_f64().unwrap_or_else(|| panic!("{field} of {event:?}"));
    assert!(value >= 0.0 && value.is_finite(), "{event:?}");
    (value * 1e3).round() as u64
}

/// Fails where a trace is not as the format is described.
fn assert_documented(text: &str) {
    let trace: Value = serde_json::from_str(text).unwrap();
    let trace = trace.as_object().unwrap();
    let known = BTreeSet::from(["displayTimeUnit", "otherData", "traceEvents"]);
    assert!(trace.keys().all(|key| known.contains(key.as_str())), "{:?}", trace.keys());
    assert!(matches!(trace["displayTimeUnit"].as_str(), Some("ms" | "ns")));
    assert!(trace["otherData"].is_object());
    let (mut named, mut used) = (BTreeMap::<(Thread, String), String>::new(), BTreeSet::<Thread>::new());
    let mut slices = BTreeMap::<Thread, Vec<(u64, u64)>>::new();
    let mut counted = BTreeMap::<(u64, String), u64>::new();
    for event in trace["traceEvents"].as_array().unwrap() {
        let event = event.as_object().unwrap();
        let thread = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        let name = event["name"].as_str().filter(|name| !name.is_empty()).unwrap_or_else(|| panic!("{event:?}"));
        let args = event.get("args").map(|args| args.as_object().unwrap());
        let fields = |allowed: &[&str]| {
            let always = ["ph", "pid", "tid", "name", "args"];
            event.keys().all(|key| always.contains(&key.as_str()) || allowed.contains(&key.as_str()))
        };
        match event["ph"].as_str().unwrap() {
            // Complete events: of one thread they lie side by side or within each other.
            "X" => {
                assert!(fields(&["ts", "dur"]), "{event:?}");
                let from = ns(event, "ts");
                slices.entry(thread).or_default().push((from, from + ns(event, "dur")));
                used.insert(thread);
            }
            "i" => {
                assert!(fields(&["ts", "s"]) && matches!(event["s"].as_str(), Some("g" | "p" | "t")), "{event:?}");
                ns(event, "ts");
                used.insert(thread);
            }
            // Counters: one series each, in order of time.
            "C" => {
                assert!(fields(&["ts"]), "{event:?}");
                assert!(args.is_some_and(|args| args.len() == 1 && args.values().all(Value::is_number)), "{event:?}");
                let at = ns(event, "ts");
                let last = counted.insert((thread.0, name.to_owned()), at);
                assert!(last.is_none_or(|last| last < at), "{event:?}");
            }
            "M" => {
                assert!(fields(&[]), "{event:?}");
                let args = args.unwrap();
                let of = match name {
                    "process_name" | "thread_name" => args["name"].as_str().unwrap().to_owned(),
                    "process_sort_index" | "thread_sort_index" => args["sort_index"].as_u64().unwrap().to_string(),
                    other => panic!("no metadata is called {other}"),
                };
                assert_eq!(args.len(), 1, "{event:?}");
                assert_eq!(named.insert((thread, name.to_owned()), of), None, "named twice: {event:?}");
            }
            other => panic!("no event of this program has the phase {other}"),
        }
    }
    for thread in &used {
        assert!(named.contains_key(&(*thread, "thread_name".to_owned())), "{thread:?} has no name");
        assert!(named.contains_key(&((thread.0, 0), "process_name".to_owned())), "{thread:?} has no process");
    }
    for (thread, mut slices) in slices {
        slices.sort_by_key(|(from, to)| (*from, std::cmp::Reverse(*to)));
        let mut open: Vec<u64> = Vec::new();
        for (from, to) in slices {
            open.retain(|end| *end > from);
            assert!(open.last().is_none_or(|end| to <= *end), "{thread:?}: {from} to {to} overlaps one to {open:?}");
            open.push(to);
        }
    }
    assert!(used.len() >= 10 && counted.len() >= 4, "{} threads, {} counters", used.len(), counted.len());
}

#[test]
fn traces_are_as_the_format_is_described() {
    let place = Place::new();
    let jitter = format!("scenario: {SWAP}\nseed: 3\njitter: 7%\nties: 5\n");
    fs::write(place.path().join("jitter.yaml"), jitter).unwrap();
    let fault = "power-on-new/vsphere.PowerOnVM_Task#1=task-fails";
    for arguments in [
        &["run", SWAP][..],
        &["run", UPGRADE, "--procedure", "documented", "--fault", fault],
        &["run", SWAP, "--fault", "power-on-new=partition:new-appliance:60s"],
        &["replay", "jitter.yaml"],
    ] {
        let ended = place.start(&[arguments, &["--quiet", "--out", "run"]].concat());
        assert!(ended.code < 2, "{arguments:?}: {ended:?}");
        assert_documented(&fs::read_to_string(place.path().join("run/trace.json")).unwrap());
    }
}
