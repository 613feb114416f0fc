//! One difference between two captured trees, as people read it.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much of a value a difference quotes, in lines.
const QUOTED_LINES: usize = 8;
/// How much of a line it quotes, in characters.
const QUOTED_CHARS: usize = 160;

/// One difference between two captured trees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// Where.
    pub path: String,
    /// What stood there before; none where nothing did. Of a long text only the lines that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What stands there now; none where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What is wrong about it, where the values alone do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Difference {
    /// A value that changed. Of texts with several lines only those that differ are kept.
    pub(crate) fn changed(path: &str, before: Option<&str>, after: Option<&str>) -> Difference {
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) if before.contains('\n') || after.contains('\n') => {
                let (lost, gained) = changed_lines(before, after);
                if lost.is_empty() && gained.is_empty() {
                    // The same lines: only their order or the last line's end differs.
                    (Some(quoted(before.lines())), Some(quoted(after.lines())))
                } else {
                    (Some(quoted(lost)).filter(|text| !text.is_empty()), Some(quoted(gained)).filter(|t| !t.is_empty()))
                }
            }
            (before, after) => (before.map(|text| quoted(text.lines())), after.map(|text| quoted(text.lines()))),
        };
        Difference { path: path.to_owned(), before, after, why: None }
    }

    pub(crate) fn because(mut self, why: impl Into<String>) -> Difference {
        self.why = Some(why.into());
        self
    }
}

impl fmt::Display for Difference {
    /// `machines/haproxy/power: on, now off`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one_line = |text: &str| text.split('\n').map(str::trim).collect::<Vec<_>>().join(" | ");
        write!(f, "{}: ", self.path)?;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{}, now {}", one_line(before), one_line(after))?,
            (Some(before), None) => write!(f, "{}, now gone", one_line(before))?,
            (None, Some(after)) => write!(f, "new: {}", one_line(after))?,
            (None, None) => f.write_str("differs")?,
        }
        self.why.as_ref().map_or(Ok(()), |why| write!(f, " ({why})"))
    }
}

/// The lines only `before` has and those only `after` has, each as often as it has more of them, in order.
fn changed_lines<'a>(before: &'a str, after: &'a str) -> (Vec<&'a str>, Vec<&'a str>) {
    let only = |here: &'a str, there: &'a str| {
        let mut spare: BTreeMap<&str, usize> = BTreeMap::new();
        for line in there.lines() {
            *spare.entry(line).or_default() += 1;
        }
        let known = |line: &&str| match spare.get_mut(*line) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        };
        here.lines().filter(known).collect::<Vec<_>>()
    };
    (only(before, after), only(after, before))
}

fn quoted<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut lines = lines.into_iter();
    let mut text: Vec<String> = lines.by_ref().take(QUOTED_LINES).map(shortened).collect();
    match lines.count() {
        0 => {}
        more => text.push(format!("… and {more} more lines")),
    }
    text.join("\n")
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(QUOTED_CHARS) {
        None => line.to_owned(),
        Some((cut, _)) => format!("{}…", &line[..cut]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file_only_the_lines_that_differ_are_told() {
        let before = "# _version=4\nglobal\n    maxconn 50000\nfrontend a\n";
        let after = "# _version=4\nglobal\nfrontend a\nfrontend b\n";
        let difference = Difference::changed("haproxy.cfg", Some(before), Some(after));
        assert_eq!(difference.to_string(), "haproxy.cfg: maxconn 50000, now frontend b");
        let grown = Difference::changed("rules", Some("a\n"), Some("a\na\n"));
        assert_eq!(grown.to_string(), "rules: new: a");
    }

    #[test]
    fn long_values_are_cut() {
        let long = "x".repeat(1000) + &"\ny".repeat(100);
        let text = Difference::changed("p", Some("a"), Some(&long)).after.unwrap();
        assert!(text.chars().count() < 300, "{text}");
        assert!(text.contains("… and 93 more lines"), "{text}");
    }

    #[test]
    fn order_and_line_ends_are_differences_too() {
        assert_eq!(Difference::changed("p", Some("a\nb"), Some("b\na")).to_string(), "p: a | b, now b | a");
        assert_eq!(Difference::changed("p", Some("a"), None).to_string(), "p: a, now gone");
    }
}
