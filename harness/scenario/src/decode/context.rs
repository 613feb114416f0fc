//! Problems found so far, and the fields of a mapping.

use crate::diagnostic::{Finding, Span};
use crate::suggest;
use crate::yaml::{Entry, Kind, Node};

/// Collects the problems.
pub(super) struct Context {
    findings: Vec<Finding>,
    /// How many of them the reader found.
    from_reader: usize,
}

impl Context {
    pub(super) fn new(findings: Vec<Finding>) -> Self {
        Self { from_reader: findings.len(), findings }
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// Reports a problem with its hint.
    pub(super) fn report(&mut self, span: Span, message: impl Into<String>, help: impl Into<Option<String>>) {
        // An alias or a tag in the place of a value is one problem, not two.
        if !self.findings[..self.from_reader].iter().any(|finding| finding.span == span) {
            self.findings.push(Finding { span, message: message.into(), help: help.into(), also: None });
        }
    }

    /// Reports a problem that another place explains.
    pub(super) fn report_with(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
        also: (Span, &'static str),
    ) {
        self.findings.push(Finding { span, message: message.into(), help: help.into(), also: Some(also) });
    }

    /// Reports a name that is not in a list, with the nearest one or the list as hint.
    pub(super) fn unknown<'c>(
        &mut self,
        node: &Node,
        what: &str,
        name: &str,
        candidates: impl IntoIterator<Item = &'c str> + Clone,
    ) {
        let message = format!("unknown {what} {}", Self::quoted(name));
        self.report(node.span.clone(), message, suggest::hint(what, name, candidates));
    }

    /// A name as it is shown in a message.
    pub(super) fn quoted(name: &str) -> String {
        Node { kind: Kind::Text(name.to_owned()), span: 0..0 }.describe()
    }

    /// The fields of a mapping. Reports a value that is none, and every key that is not known.
    ///
    /// `holder` is the key that holds the mapping: a missing key is reported there, or at the mapping's first key.
    pub(super) fn fields<'t>(
        &mut self,
        node: &'t Node,
        what: &'static str,
        known: &'static [&'static str],
        holder: Option<&Span>,
    ) -> Option<Fields<'t>> {
        let Kind::Map(entries) = &node.kind else {
            let message = format!("expected {what}; got {}", node.describe());
            self.report(node.span.clone(), message, format!("its keys are {}", known.join(", ")));
            return None;
        };
        let mut misspelt: Vec<(&'static str, &Entry)> = Vec::new();
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            // A key that is there anyway is not what the misspelt one meant.
            let free = known.iter().copied().filter(|key| !entries.iter().any(|other| other.key == *key));
            let meant = suggest::nearest(&entry.key, free);
            let help = match meant {
                Some(key) => format!("did you mean `{key}`?"),
                None => format!("the keys of {what} are {}", known.join(", ")),
            };
            misspelt.extend(meant.map(|key| (key, entry)));
            let shown = crate::yaml::shorten(&entry.key);
            self.report(entry.key_span.clone(), format!("unknown key `{shown}`"), help);
        }
        let anchor = holder.or_else(|| entries.first().map(|entry| &entry.key_span)).unwrap_or(&node.span).clone();
        Some(Fields { entries, what, anchor, misspelt })
    }

    /// The single key of an item such as `load-balancer: {…}`, and what it holds.
    pub(super) fn single<'t>(
        &mut self,
        node: &'t Node,
        what: &'static str,
        known: &'static [&'static str],
    ) -> Option<&'t Entry> {
        let Kind::Map(entries) = &node.kind else {
            let help = format!("write one of {}, each with a colon", known.join(", "));
            self.report(node.span.clone(), format!("expected {what}; got {}", node.describe()), help);
            return None;
        };
        let [entry] = entries.as_slice() else {
            let help = if entries.is_empty() {
                format!("write one of {}", known.join(", "))
            } else {
                "begin each with `- `, and indent what belongs to it".to_owned()
            };
            let place = entries.get(1).map_or(&node.span, |entry| &entry.key_span).clone();
            self.report(place, format!("expected {what} with one key; it has {}", entries.len()), help);
            return None;
        };
        if !known.contains(&entry.key.as_str()) {
            let shown = crate::yaml::shorten(&entry.key);
            let help = suggest::hint("kind", &entry.key, known.iter().copied());
            let what = what.trim_start_matches("a ").trim_start_matches("an ");
            self.report(entry.key_span.clone(), format!("unknown kind of {what} `{shown}`"), help);
            return None;
        }
        Some(entry)
    }
}

/// The fields of one mapping.
///
/// A misspelt key counts as the one that was meant: it is reported once, its value is judged all the same, and what depends
/// on it does not go unsaid.
pub(super) struct Fields<'t> {
    entries: &'t [Entry],
    what: &'static str,
    anchor: Span,
    misspelt: Vec<(&'static str, &'t Entry)>,
}

impl<'t> Fields<'t> {
    /// The value of a key, if the key is there.
    pub(super) fn optional(&self, key: &str) -> Option<&'t Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Key and value, if the key is there.
    pub(super) fn entry(&self, key: &str) -> Option<&'t Entry> {
        let meant = || self.misspelt.iter().find(|(meant, _)| *meant == key).map(|(_, entry)| *entry);
        self.entries.iter().find(|entry| entry.key == key).or_else(meant)
    }

    /// The value of a key that must be there; reports its absence.
    pub(super) fn required(&self, cx: &mut Context, key: &'static str) -> Option<&'t Node> {
        let found = self.optional(key);
        if found.is_none() {
            let help = format!("{} needs `{key}`", self.what);
            cx.report(self.anchor.clone(), format!("missing key `{key}`"), help);
        }
        found
    }
}
