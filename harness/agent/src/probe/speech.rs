//! What is said on a connection: requests, and how their answers read.

use grenadier_fleet::{FailureClass, ProbeKind};

use super::echo::{RECORD_BYTES, STREAM_PREFACE, read_record, record};
use super::finding::{Answered, Failed};
use super::http1::{self, Progress};
use crate::protocol::WatchOrder;

/// The longest first line of a stream, in bytes.
const MOST_NAME_BYTES: usize = 256;

/// One end of the conversation on one connection.
#[derive(Debug)]
pub(super) enum Speech {
    /// HTTP/1.1 requests, each answered in turn.
    Http {
        /// The `Host` header.
        host: String,
        /// Whether the connection ends with the first answer.
        closes: bool,
    },
    /// Numbered records, each sent back in turn, after a line with the name of whoever sends them.
    Stream {
        /// That name, once it was read.
        name: Option<String>,
        /// Whether the preface was sent.
        opened: bool,
    },
}

impl Speech {
    /// For a connection that is kept, or for one request alone.
    pub(super) fn new(order: &WatchOrder, closes: bool) -> Speech {
        match order.kind {
            ProbeKind::TcpStream => Speech::Stream { name: None, opened: false },
            _ => Speech::Http { host: order.target.to_string(), closes },
        }
    }

    /// What to send for the sample of this number.
    pub(super) fn request(&mut self, number: u64) -> Vec<u8> {
        match self {
            Speech::Http { host, closes } => {
                let connection = if *closes { "connection: close\r\n" } else { "" };
                format!("GET / HTTP/1.1\r\nhost: {host}\r\n{connection}\r\n").into_bytes()
            }
            Speech::Stream { opened, .. } => {
                let mut bytes = if *opened { Vec::new() } else { STREAM_PREFACE.to_vec() };
                *opened = true;
                bytes.extend_from_slice(&record(number));
                bytes
            }
        }
    }

    /// Takes the answer to the sample of this number out of what came; none where more has to come.
    pub(super) fn answer(&mut self, number: u64, bytes: &mut Vec<u8>, ended: bool) -> Option<Result<Answered, Failed>> {
        match self {
            Speech::Http { .. } => match http1::read(bytes, ended) {
                Progress::Partial { .. } => None,
                Progress::Whole { bytes: length, answer } => {
                    bytes.drain(..length);
                    Some(answer)
                }
            },
            Speech::Stream { name, .. } => {
                if name.is_none() {
                    match bytes.iter().position(|byte| *byte == b'\n') {
                        Some(end) => {
                            *name = Some(String::from_utf8_lossy(&bytes[..end]).into_owned());
                            bytes.drain(..=end);
                        }
                        None if bytes.len() > MOST_NAME_BYTES => {
                            return Some(Err(Failed::new(FailureClass::WrongAnswer, "nobody who sends a stream back")));
                        }
                        None => return None,
                    }
                }
                let came = bytes.get(..RECORD_BYTES)?;
                let result = match read_record(came) {
                    Some(came) if came == number => Ok(Answered::by(name.clone().unwrap_or_default())),
                    Some(came) if came < number => Err(Failed::new(
                        FailureClass::BytesRepeated,
                        format!("record {came} came back once more, where {number} was due"),
                    )),
                    Some(came) => Err(Failed::new(
                        FailureClass::BytesLost,
                        format!("record {came} came back, and {} before it did not", came - number),
                    )),
                    None => {
                        Err(Failed::new(FailureClass::WrongAnswer, "what came back is not what was sent".to_owned()))
                    }
                };
                bytes.drain(..RECORD_BYTES);
                Some(result)
            }
        }
    }

    /// What a connection's end means for an answer of which this much came.
    pub(super) fn broken(&self, bytes: &[u8], ending: Failed) -> Failed {
        let cut = match self {
            Speech::Http { .. } => match http1::read(bytes, false) {
                Progress::Partial { head: true } => Some("the answer's body"),
                Progress::Partial { head: false } if !bytes.is_empty() => Some("the answer's head"),
                _ => None,
            },
            Speech::Stream { .. } => (!bytes.is_empty()).then_some("a record"),
        };
        match cut {
            Some(what) => Failed::new(FailureClass::CutShort, format!("{} within {what}", ending.text)),
            None => ending,
        }
    }
}

/// The answer of somebody who does not belong to the target is none.
pub(super) fn belongs(order: &WatchOrder, answered: Answered) -> Result<Answered, Failed> {
    match &answered.by {
        Some(name) if !order.backends.is_empty() && !order.backends.contains(name) => {
            let text = format!("answered by {name}, which does not belong to it");
            Err(Failed::new(FailureClass::WrongBackend, text))
        }
        _ => Ok(answered),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Speech {
        Speech::Stream { name: None, opened: false }
    }

    fn class(answer: Option<Result<Answered, Failed>>) -> Option<FailureClass> {
        answer.map(|answer| answer.expect_err("a failure").class)
    }

    #[test]
    fn a_stream_begins_once_and_names_who_sends_it_back() {
        let mut speech = stream();
        assert_eq!(speech.request(7), [STREAM_PREFACE, &record(7)[..]].concat());
        assert_eq!(speech.request(8), record(8));
        let mut came = b"shop-1".to_vec();
        assert_eq!(speech.answer(7, &mut came, false), None);
        came.extend_from_slice(b"\n");
        came.extend_from_slice(&record(7)[..5]);
        assert_eq!(speech.answer(7, &mut came, false), None);
        came.extend_from_slice(&record(7)[5..]);
        came.extend_from_slice(&record(8));
        assert_eq!(speech.answer(7, &mut came, false), Some(Ok(Answered::by("shop-1"))));
        assert_eq!(speech.answer(8, &mut came, false), Some(Ok(Answered::by("shop-1"))));
        assert_eq!(speech.answer(9, &mut came, false), None);
        assert!(came.is_empty());
    }

    #[test]
    fn bytes_lost_repeated_and_foreign_are_told_apart() {
        let with = |records: &[u8]| {
            let mut came = [b"x\n", records].concat();
            class(stream().answer(7, &mut came, false))
        };
        assert_eq!(with(&record(9)), Some(FailureClass::BytesLost));
        assert_eq!(with(&record(6)), Some(FailureClass::BytesRepeated));
        assert_eq!(with(&[b'?'; RECORD_BYTES]), Some(FailureClass::WrongAnswer));
        assert_eq!(class(stream().answer(7, &mut vec![b'x'; 300], false)), Some(FailureClass::WrongAnswer));
    }

    #[test]
    fn an_end_within_an_answer_cuts_it_short() {
        let closed = || Failed::new(FailureClass::Closed, "the connection was closed");
        let http = Speech::Http { host: "h".into(), closes: true };
        let told = |bytes: &[u8]| http.broken(bytes, closed());
        assert_eq!(told(b"").class, FailureClass::Closed);
        assert_eq!(told(b"HTTP/1.1 2").text, "the connection was closed within the answer's head");
        let body = told(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshop");
        assert_eq!(
            (body.class, body.text.as_str()),
            (FailureClass::CutShort, "the connection was closed within the answer's body")
        );
        assert_eq!(stream().broken(&[1], closed()).class, FailureClass::CutShort);
        assert_eq!(stream().broken(&[], closed()).class, FailureClass::Closed);
    }
}
