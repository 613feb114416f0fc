//! What a procedure is going to do, before it does it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The version of the plan's form. A journal of another one is not continued.
pub const PLAN_FORMAT: u32 = 1;

/// How a step is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undo {
    /// It changed nothing that would have to be taken back.
    Nothing,
    /// This is done.
    Does(String),
    /// It cannot be taken back: the point of no return.
    Impossible,
}

/// One step as the plan describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedStep {
    /// Its name, as in call addresses and events.
    pub name: String,
    /// What it does, in one line.
    pub does: String,
    /// Whether it changes the world; those that do not only look.
    pub changes: bool,
    /// How it is taken back.
    pub undo: Undo,
    /// The templates of the calls that takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undo_calls: Vec<String>,
    /// What becomes true with it that people must know beforehand: the outage begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// The templates of the calls it makes, in order of first use; waiting and retries repeat them.
    pub calls: Vec<String>,
    /// By which the step recognises its own effect: the same for every attempt at the same upgrade.
    pub key: String,
}

/// The ordered steps of one upgrade. It can be printed before anything runs ([`Plan::render`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// The version of this form, see [`PLAN_FORMAT`].
    pub format: u32,
    /// `haproxy-appliance/hardened`.
    pub procedure: String,
    /// What is upgraded: `haproxy v0.1.10`.
    pub from: String,
    /// What it becomes: `haproxy-v0.2.0 v0.2.0`.
    pub to: String,
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
    /// What people should know besides.
    pub notes: Vec<String>,
}

impl Plan {
    /// SHA-256 of the plan in lowercase hexadecimal: a journal is only continued with the plan it was begun with.
    pub fn hash(&self) -> String {
        let json = serde_json::to_vec(self).expect("a plan has string keys only");
        hex(&Sha256::digest(json))
    }

    /// The plan as people read it.
    pub fn render(&self) -> String {
        let mut text = format!("{}\n  from  {}\n  to    {}\n", self.procedure, self.from, self.to);
        let _ = writeln!(text, "  plan  {} (format {})", &self.hash()[..16], self.format);
        for note in &self.notes {
            let _ = writeln!(text, "  note  {note}");
        }
        for (number, step) in self.steps.iter().enumerate() {
            text.push('\n');
            if let Some(boundary) = &step.boundary {
                let _ = writeln!(text, " ─── {boundary} ───\n");
            }
            let kind = if step.changes { "changes" } else { "looks" };
            let _ = writeln!(text, "{:>3}  {:<24}{kind}", number + 1, step.name);
            let _ = writeln!(text, "     {}", step.does);
            calls(&mut text, &step.calls);
            let undo = match &step.undo {
                Undo::Nothing => "nothing to take back",
                Undo::Does(what) => what,
                Undo::Impossible => "impossible",
            };
            let _ = writeln!(text, "     undo   {undo}");
            calls(&mut text, &step.undo_calls);
        }
        text
    }
}

/// Writes the lines that name calls.
fn calls(text: &mut String, templates: &[String]) {
    for (index, line) in wrapped(templates, 96).iter().enumerate() {
        let head = if index == 0 { "calls" } else { "" };
        let _ = writeln!(text, "     {head:<6} {line}");
    }
}

/// The words joined by commas, in lines of at most `width` columns where the words allow it.
fn wrapped(words: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let word = if index + 1 < words.len() { format!("{word},") } else { word.clone() };
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// Lowercase hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let step = |name: &str, undo| PlannedStep {
            name: name.to_owned(),
            does: format!("does {name}"),
            changes: undo != Undo::Nothing,
            boundary: (undo == Undo::Impossible).then(|| "no way back from here".to_owned()),
            undo,
            undo_calls: Vec::new(),
            calls: vec!["vsphere.Login".to_owned(), "shell.cat".to_owned()],
            key: "k".to_owned(),
        };
        Plan {
            format: PLAN_FORMAT,
            procedure: "system/procedure".to_owned(),
            from: "old v1".to_owned(),
            to: "new v2".to_owned(),
            steps: vec![
                step("look", Undo::Nothing),
                step("swap", Undo::Does("swap back".to_owned())),
                step("remove", Undo::Impossible),
            ],
            notes: vec!["mind the gap".to_owned()],
        }
    }

    #[test]
    fn a_plan_reads_as_a_list_of_steps() {
        insta::assert_snapshot!(plan().render(), @r"
        system/procedure
          from  old v1
          to    new v2
          plan  23fd4fb00bc0f6e2 (format 1)
          note  mind the gap

          1  look                    looks
             does look
             calls  vsphere.Login, shell.cat
             undo   nothing to take back

          2  swap                    changes
             does swap
             calls  vsphere.Login, shell.cat
             undo   swap back

         ─── no way back from here ───

          3  remove                  changes
             does remove
             calls  vsphere.Login, shell.cat
             undo   impossible
        ");
    }

    #[test]
    fn any_change_changes_the_hash() {
        let (one, mut other) = (plan(), plan());
        assert_eq!(one.hash(), other.hash());
        other.steps[1].key = "another".to_owned();
        assert_ne!(one.hash(), other.hash());
    }

    #[test]
    fn long_lists_are_wrapped() {
        let words: Vec<String> = ["aaaa", "bbbb", "cccc"].map(str::to_owned).into();
        assert_eq!(wrapped(&words, 11), ["aaaa, bbbb,", "cccc"]);
        assert!(wrapped(&[], 11).is_empty());
    }
}
