//! The verdict for machines.

use grenadier_checks::Verdict;

/// The verdict as JSON, indented, with a newline at its end: `verdict.json`, and what `--format json` prints.
pub fn json(verdict: &Verdict) -> String {
    let mut text = serde_json::to_string_pretty(verdict).expect("a verdict has string keys and finite numbers");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn it_reads_back_as_the_verdict() {
        for verdict in [testing::passed(), testing::failed()] {
            let text = json(&verdict);
            assert!(text.starts_with("{\n  \"v\": 1,\n  \"verdict\": "), "{text}");
            assert!(text.ends_with("}\n"));
            assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict);
        }
    }
}
