//! What the script draws.

use std::collections::BTreeMap;

use grenadier_events::Event;
use serde::Serialize;

use crate::text::{bounded, clean};
use crate::timeline::Timeline;
use crate::told::told;

/// How much of what one event tells is kept, in characters; `events.jsonl` has all of it.
const MOST_CHARS: usize = 2_000;

#[derive(Serialize)]
struct Data<'a> {
    timeline: &'a Timeline,
    /// Names that occur again and again, which events refer to by their place.
    names: Vec<String>,
    /// Of each event: when, who (a name), what kind (a name), about whom, what happened.
    events: Vec<(u64, usize, usize, String, String)>,
}

#[derive(Default)]
struct Names {
    places: BTreeMap<String, usize>,
    names: Vec<String>,
}

impl Names {
    fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        self.names.push(name.to_owned());
        self.places.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }
}

/// The lanes and the events as JSON.
pub(super) fn json(timeline: &Timeline, events: &[Event]) -> String {
    let mut names = Names::default();
    let shown = |text: &str| clean(&bounded(text, MOST_CHARS));
    let events = events
        .iter()
        .map(|event| {
            let told = told(event);
            let (actor, kind) = (names.place(event.actor.name()), names.place(&told.kind));
            (event.t_ns.as_ns(), actor, kind, shown(&told.subject), shown(&told.text))
        })
        .collect();
    let data = Data { timeline, events, names: names.names };
    serde_json::to_string(&data).expect("the data has string keys and finite numbers")
}
