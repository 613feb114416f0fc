//! What the names in a run stand for.

use std::collections::BTreeMap;

/// What the names in a run stand for: the machine `haproxy` is the `old-appliance`. Failures of many runs are told apart by
/// the role of what they are about, not by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles(BTreeMap<String, String>);

impl Roles {
    /// Says what a name stands for.
    pub fn name(&mut self, name: &str, role: &str) {
        self.0.insert(name.to_owned(), role.to_owned());
    }

    /// The role of whatever `text` names first; of two names that begin there, the longer one counts.
    ///
    /// ```
    /// let mut roles = grenadier_checks::Roles::default();
    /// roles.name("haproxy", "old-appliance");
    /// roles.name("haproxy-v0.2.0", "new-appliance");
    /// assert_eq!(roles.first_in("machine haproxy-v0.2.0 is left over"), Some("new-appliance"));
    /// assert_eq!(roles.first_in("snapshot haproxy/before"), Some("old-appliance"));
    /// assert_eq!(roles.first_in("the haproxyish rest"), None);
    /// ```
    pub fn first_in(&self, text: &str) -> Option<&str> {
        let part_of_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        let found = self.0.iter().filter_map(|(name, role)| {
            let whole = |at: &usize| {
                let before = text[..*at].chars().next_back().is_some_and(part_of_word);
                let after = text[at + name.len()..].chars().next().is_some_and(part_of_word);
                !before && !after
            };
            let at = text.match_indices(name.as_str()).map(|(at, _)| at).find(whole)?;
            Some((at, std::cmp::Reverse(name.len()), role.as_str()))
        });
        found.min().map(|(_, _, role)| role)
    }
}
