//! What must hold of the lines between fleet and agent, whatever the bytes: for property tests and fuzzers.

use std::net::Ipv4Addr;

use grenadier_wire::{HttpExchange, ShellExchange};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::probe::{Progress, neighbour_entry, read_http1};
use crate::protocol::{AnswerForm, FromAgent, HttpForm, SampleRow, ShellForm, ToAgent, line};

/// A line reads as a message or not, and a message is written so that it reads as the same; calls and answers in it become
/// what they stand for, or are refused.
pub fn message(bytes: &[u8]) {
    same::<ToAgent>(bytes);
    same::<FromAgent>(bytes);
    same::<SampleRow>(bytes);
    if let Some(form) = same::<HttpForm>(bytes)
        && let Ok(exchange) = HttpExchange::try_from(form)
    {
        let again =
            HttpExchange::try_from(HttpForm::from(exchange.clone())).expect("what was taken apart fits together");
        assert_eq!(format!("{again:?}"), format!("{exchange:?}"));
    }
    if let Some(form) = same::<ShellForm>(bytes) {
        let exchange = ShellExchange::from(form);
        let again = ShellExchange::from(ShellForm::from(exchange.clone()));
        assert_eq!(format!("{again:?}"), format!("{exchange:?}"));
    }
    if let Some(form) = same::<AnswerForm>(bytes) {
        let _ = form.into_result("machine:22");
    }
    answer(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = neighbour_entry(text, Ipv4Addr::new(198, 18, 2, 20).into());
    }
}

/// An answer that a probe reads is whole, partial or wrong, whatever the bytes; what is whole is so without what comes behind it.
fn answer(bytes: &[u8]) {
    for ended in [false, true] {
        let told = read_http1(bytes, ended);
        if let Progress::Whole { bytes: length, .. } = told {
            assert_eq!(read_http1(&bytes[..length], ended), told);
        }
    }
}

fn same<M: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<M> {
    let message: M = serde_json::from_slice(bytes).ok()?;
    let written = line(&message);
    assert!(written.ends_with('\n') && written.matches('\n').count() == 1, "{written}");
    let again: M = serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(line(&again), written);
    Some(message)
}
