//! What somebody who has to take over is told.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::journal::JournalError;
use crate::plan::{PlannedStep, Undo};

/// What somebody who has to take over is told: what is there, and what to do next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Advice {
    /// What is left: which machine is on, and where to find what was saved. None where nothing was touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
    /// What to do, in this order.
    pub next: Vec<String>,
}

impl Advice {
    /// One thing to do, where nothing was touched.
    pub(crate) fn only(next: impl Into<String>) -> Advice {
        Advice { left: None, next: vec![next.into()] }
    }

    /// Where `first` says how the step that could not be taken back is taken back by hand, and `behind` are the steps before it,
    /// whose effect is there as well, in the order in which they are to be taken back.
    pub(crate) fn stuck<'a>(left: String, first: String, behind: impl Iterator<Item = &'a PlannedStep>) -> Advice {
        let behind = behind.filter(|step| !step.undo_calls.is_empty()).filter_map(|step| match &step.undo {
            Undo::Does(what) => Some(format!("then take {} back: {what}", step.name)),
            Undo::Nothing | Undo::Impossible => None,
        });
        let next = std::iter::once(first).chain(behind).collect();
        Advice { left: Some(left).filter(|left| !left.is_empty()), next }
    }

    /// What to do about a journal that does not let a verb begin.
    pub(crate) fn journal(error: &JournalError) -> Advice {
        Advice::only(match error {
            JournalError::AnotherPlan { .. } => {
                "give the parameters the upgrade was begun with: names, versions, image, and whether the old machine is removed"
            }
            JournalError::Empty => "name the journal of the upgrade, or begin one with `upgrade`",
            JournalError::Unfinished => {
                "call the engine with `resume`, or with `rollback`, and with the parameters the upgrade was begun with"
            }
            JournalError::Storage(_) => "do what the journal's error says, then call the engine again",
            JournalError::Damaged(_) => {
                "keep a copy of the journal, compare the system with its last whole records by hand, and begin the next upgrade \
                 with another journal"
            }
        })
    }
}

/// In one line: `Left: … Next: …; …`.
impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(left) = &self.left {
            write!(f, "Left: {left}. ")?;
        }
        write!(f, "Next: {}", self.next.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, undo: Undo, calls: &[&str]) -> PlannedStep {
        PlannedStep {
            name: name.to_owned(),
            does: String::new(),
            changes: true,
            undo,
            undo_calls: calls.iter().map(|call| (*call).to_owned()).collect(),
            boundary: None,
            calls: Vec::new(),
            key: String::new(),
        }
    }

    #[test]
    fn the_steps_behind_the_one_that_is_stuck_are_named_where_there_is_something_to_do() {
        let behind = [
            step("verify", Undo::Does("nothing of its own".to_owned()), &[]),
            step("power-off", Undo::Does("power it on".to_owned()), &["vsphere.PowerOnVM_Task"]),
            step("look", Undo::Nothing, &[]),
        ];
        let advice = Advice::stuck("one is off".to_owned(), "power it off".to_owned(), behind.iter());
        assert_eq!(advice.next, ["power it off", "then take power-off back: power it on"]);
        assert_eq!(advice.to_string(), "Left: one is off. Next: power it off; then take power-off back: power it on");
        let advice = Advice::stuck(String::new(), "look".to_owned(), [].iter());
        assert_eq!(advice.to_string(), "Next: look");
    }
}
