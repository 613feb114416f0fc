//! Records as bytes and back.
//!
//! One record is one line: sixteen hexadecimal digits, a space, the record as JSON. The digits are the head of a SHA-256 over
//! the line before's digits and this line's JSON, so a record that was lost, repeated or moved is noticed as well as one that
//! was damaged. JSON escapes line breaks, so a line is never cut by its content.

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::journal::record::Record;
use crate::plan::hex;

/// The digits before the first record.
const FIRST: &str = "0000000000000000";

/// A journal's bytes are damaged elsewhere than at the end, where a torn write would leave them, or a newer engine's.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the journal cannot be read at record {record}: {reason}")]
pub struct CodecError {
    /// Which record, from 1.
    pub record: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// A journal's bytes, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    /// The records that are whole.
    pub(super) records: Vec<Record>,
    /// How many bytes they take. What follows is the rest of a torn write.
    pub(super) whole: usize,
    /// The digits the next record is chained to.
    pub(super) chain: String,
}

fn digits(chain: &str, json: &str) -> String {
    let hash = Sha256::new().chain_update(chain).chain_update(json).finalize();
    hex(&hash[..8])
}

/// The line of `record` after a line with the digits `chain`, and its own digits.
pub(super) fn encode(record: &Record, chain: &str) -> (Vec<u8>, String) {
    let json = serde_json::to_string(record).expect("a record has string keys and finite numbers");
    let own = digits(chain, &json);
    (format!("{own} {json}\n").into_bytes(), own)
}

/// Why a line is no record.
enum Unread {
    /// It is not what was written.
    Damaged(String),
    /// It is what was written, and by somebody who knows more kinds of records.
    Unknown(String),
}

fn decode_line(line: &[u8], chain: &str) -> Result<(Record, String), Unread> {
    let damaged = |reason: &str| Unread::Damaged(reason.to_owned());
    let line = std::str::from_utf8(line).map_err(|_| damaged("it is not text"))?;
    let (found, json) = line.split_once(' ').ok_or_else(|| damaged("it has no checksum"))?;
    let own = digits(chain, json);
    if found != own {
        return Err(damaged("its checksum does not match"));
    }
    let newer = |error| Unread::Unknown(format!("{error}; go on with the version of grenadier that wrote it"));
    Ok((serde_json::from_str(json).map_err(newer)?, own))
}

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, CodecError> {
    let mut decoded = Decoded { records: Vec::new(), whole: 0, chain: FIRST.to_owned() };
    while decoded.whole < bytes.len() {
        let rest = &bytes[decoded.whole..];
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break };
        match decode_line(&rest[..end], &decoded.chain) {
            Ok((record, chain)) => {
                decoded.records.push(record);
                decoded.chain = chain;
                decoded.whole += end + 1;
            }
            // Damage with nothing behind it is what a torn write leaves; damage before other records is not.
            Err(Unread::Damaged(_)) if end + 1 == rest.len() => break,
            Err(Unread::Damaged(reason) | Unread::Unknown(reason)) => {
                return Err(CodecError { record: decoded.records.len() + 1, reason });
            }
        }
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use grenadier_events::StepVerb;
    use proptest::prelude::*;

    use super::*;

    fn record() -> impl Strategy<Value = Record> {
        let verb = prop_oneof![Just(StepVerb::Apply), Just(StepVerb::Undo)];
        prop_oneof![
            (any::<u32>(), ".*", ".*").prop_map(|(format, plan, procedure)| Record::Begun {
                format,
                plan,
                procedure,
                from: String::new(),
                to: String::new(),
                steps: Vec::new(),
            }),
            (".*", verb.clone(), ".*").prop_map(|(step, verb, key)| Record::Intent { step, verb, key }),
            (".*", verb.clone(), any::<i64>(), ".*").prop_map(|(step, verb, number, text)| Record::Done {
                step,
                verb,
                output: serde_json::json!({"number": number, "text": text}),
            }),
            (".*", verb, ".*").prop_map(|(step, verb, error)| Record::Failed { step, verb, error }),
        ]
    }

    fn encoded(records: &[Record]) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut chain, mut ends) = (Vec::new(), FIRST.to_owned(), vec![0]);
        for record in records {
            let (line, own) = encode(record, &chain);
            bytes.extend(line);
            ends.push(bytes.len());
            chain = own;
        }
        (bytes, ends)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_written_reads_back(records in prop::collection::vec(record(), 0..6)) {
            let (bytes, _) = encoded(&records);
            let decoded = decode(&bytes).unwrap();
            prop_assert_eq!(decoded.whole, bytes.len());
            prop_assert_eq!(decoded.records, records);
        }

        #[test]
        fn a_write_torn_anywhere_leaves_the_whole_records(
            records in prop::collection::vec(record(), 1..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let (bytes, ends) = encoded(&records);
            let cut = cut.index(bytes.len());
            let decoded = decode(&bytes[..cut]).unwrap();
            let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
            prop_assert_eq!(&decoded.records[..], &records[..whole]);
            prop_assert_eq!(decoded.whole, ends[whole]);
        }

        #[test]
        fn a_changed_byte_never_passes_for_a_record(
            records in prop::collection::vec(record(), 2..6),
            at in any::<prop::sample::Index>(),
            flip in 1_u8..=255,
        ) {
            let (mut bytes, ends) = encoded(&records);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let intact = ends.iter().filter(|end| **end <= at).count() - 1;
            if let Ok(decoded) = decode(&bytes) {
                prop_assert_eq!(&decoded.records[..], &records[..intact]);
            }
        }
    }

    #[test]
    fn a_whole_record_that_is_not_understood_is_not_taken_for_torn() {
        let json = r#"{"record":"of-tomorrow"}"#;
        let line = format!("{} {json}\n", digits(FIRST, json));
        let error = decode(line.as_bytes()).unwrap_err();
        assert!(error.record == 1 && error.reason.contains("the version of grenadier that wrote it"), "{error}");
    }

    #[test]
    fn damage_before_other_records_is_an_error() {
        let records: Vec<Record> = ["a", "b", "c"]
            .map(|step| Record::Intent { step: step.into(), verb: StepVerb::Apply, key: "k".into() })
            .into();
        let (bytes, ends) = encoded(&records);
        let mut damaged = bytes.clone();
        damaged[ends[1] + 20] ^= 1;
        assert_eq!(decode(&damaged).unwrap_err().record, 2);
        // A record that was taken out breaks the chain of the ones behind it.
        let lost = [&bytes[..ends[1]], &bytes[ends[2]..]].concat();
        assert_eq!(decode(&lost).unwrap().records.len(), 1, "the last line alone is taken for torn");
        let lost = &bytes[ends[1]..];
        assert_eq!(decode(lost).unwrap_err().record, 1);
    }
}
