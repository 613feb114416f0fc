//! How a process of the engine ends, in one line.

use grenadier_engine::{Advice, EngineReport, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the shapes of [`ResultLine`] and [`Status`](crate::Status), written as `v`.
pub const RESULT_VERSION: u32 = 1;

/// The last line on standard output, as JSON: `{"v":1,"result":"upgraded","verb":"upgrade","exit-code":0,…}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ResultLine {
    /// The version of this shape. Within a version keys are added, and none changes its meaning.
    pub v: u32,
    /// `upgraded`, `rolled-back`, `refused` or `stuck`.
    pub result: String,
    /// `upgrade`, `resume` or `rollback`.
    pub verb: String,
    /// 0 the verb was done, 10 rolled back instead, 20 refused and untouched, 30 stuck. The process exits with it.
    pub exit_code: i32,
    /// The rule that refused, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What happened.
    pub message: String,
    /// What somebody should do next, where the engine cannot go on alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
    /// The steps that are performed and verified, in order.
    #[serde(default)]
    pub finished: Vec<String>,
    /// The steps that were taken back, in the order in which that happened.
    #[serde(default)]
    pub undone: Vec<String>,
}

impl From<EngineReport> for ResultLine {
    fn from(report: EngineReport) -> ResultLine {
        let rule = match &report.outcome {
            Outcome::Refused { rule, .. } => Some(rule.clone()),
            Outcome::Upgraded | Outcome::RolledBack | Outcome::Stuck => None,
        };
        ResultLine {
            v: RESULT_VERSION,
            result: report.outcome.name().to_owned(),
            verb: report.verb.name().to_owned(),
            exit_code: report.exit_code,
            rule,
            message: report.message,
            advice: report.advice,
            finished: report.finished,
            undone: report.undone,
        }
    }
}

impl ResultLine {
    /// The line, without its end.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a result has string keys")
    }

    /// The same for people, in its first line.
    pub fn first_line(&self) -> String {
        let rule = self.rule.as_ref().map(|rule| format!(" by {rule}")).unwrap_or_default();
        format!("{}{rule} (exit {}): {}\n", self.result, self.exit_code, self.message)
    }

    /// The same for people, in several lines.
    pub fn render(&self) -> String {
        let mut text = self.first_line();
        if let Some(advice) = &self.advice {
            if let Some(left) = &advice.left {
                text.push_str(&format!("  left  {left}\n"));
            }
            for (place, next) in advice.next.iter().enumerate() {
                text.push_str(&format!("  {}  {}. {next}\n", if place == 0 { "next" } else { "    " }, place + 1));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_the_promised_one() {
        let line = ResultLine {
            v: 1,
            result: "stuck".to_owned(),
            verb: "rollback".to_owned(),
            exit_code: 30,
            rule: None,
            message: "no".to_owned(),
            advice: Some(Advice {
                left: Some("one is off".to_owned()),
                next: vec!["power it on".to_owned(), "look".to_owned()],
            }),
            finished: Vec::new(),
            undone: vec!["power-on-new".to_owned()],
        };
        let json = r#"{"v":1,"result":"stuck","verb":"rollback","exit-code":30,"message":"no","advice":{"left":"one is off","next":["power it on","look"]},"finished":[],"undone":["power-on-new"]}"#;
        assert_eq!(line.to_json(), json);
        assert_eq!(serde_json::from_str::<ResultLine>(json).unwrap(), line);
        let text = "stuck (exit 30): no\n  left  one is off\n  next  1. power it on\n        2. look\n";
        assert_eq!(line.render(), text);
    }
}
