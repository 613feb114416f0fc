//! Comparing two captured trees, with masks and without.

use std::collections::BTreeMap;

use crate::difference::Difference;
use crate::{Class, Mask, MaskClass, Masks, Node, Pattern, Residual};

/// Something a workload wrote between the two captures and had acknowledged: it is added to the base before comparing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcknowledgedWrite {
    /// Where in the tree.
    pub path: String,
    /// What stands there since; none where it was deleted.
    pub node: Option<Node>,
}

/// What is allowed to differ.
#[derive(Clone, Copy)]
pub struct Comparison<'a> {
    /// The reviewed masks.
    pub masks: &'a Masks,
    /// Whether the trees come from two runs, so that the masks between runs are taken as well.
    pub between_runs: bool,
    /// Objects that a step declares to recreate: their identity may change.
    pub recreated: &'a [Pattern],
    /// What the scenario declares to remain: nodes there may be new.
    pub residuals: &'a [Residual],
    /// What was written meanwhile.
    pub acknowledged: &'a [AcknowledgedWrite],
}

/// The differences of two trees on the first two levels of the ladder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeComparison {
    /// In identity and configuration, byte for byte.
    pub bytes: Vec<Difference>,
    /// In the whole tree, under the masks.
    pub structure: Vec<Difference>,
    /// How many nodes were compared.
    pub nodes: usize,
}

/// Compares `now` with `base`. The world is closed: a node that one side lacks is a difference.
pub fn compare_trees(base: &Node, now: &Node, allowed: &Comparison<'_>) -> TreeComparison {
    let written;
    let base = if allowed.acknowledged.is_empty() {
        base
    } else {
        written = with_acknowledged(base, allowed.acknowledged);
        &written
    };
    if base == now {
        return TreeComparison { nodes: base.count(), ..TreeComparison::default() };
    }
    let level = |masked| {
        let walk = Walk { roots: (base, now), allowed, masked };
        let mut found = Vec::new();
        walk.both("", base, now, &mut found);
        found
    };
    TreeComparison { bytes: level(false), structure: level(true), nodes: base.count().max(now.count()) }
}

fn with_acknowledged(base: &Node, writes: &[AcknowledgedWrite]) -> Node {
    let mut base = base.clone();
    for write in writes {
        let (parent, name) = write.path.rsplit_once('/').unwrap_or(("", &write.path));
        let mut place = &mut base;
        for level in parent.split('/').filter(|level| !level.is_empty()) {
            place = place.children.entry(level.to_owned()).or_default();
        }
        match &write.node {
            Some(node) => place.children.insert(name.to_owned(), node.clone()),
            None => place.children.remove(name),
        };
    }
    base
}

/// On which side a node is alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Base,
    Now,
}

/// One walk through both trees: for the level of bytes (without masks, identity and configuration only) or of structure.
struct Walk<'a> {
    roots: (&'a Node, &'a Node),
    allowed: &'a Comparison<'a>,
    masked: bool,
}

impl Walk<'_> {
    fn both(&self, path: &str, base: &Node, now: &Node, found: &mut Vec<Difference>) {
        found.extend(self.value(path, base, now));
        for (name, before) in &base.children {
            match now.children.get(name) {
                Some(after) if before == after => {}
                Some(after) => self.both(&joined(path, name), before, after, found),
                None => {
                    self.alone(&joined(path, name), before, Side::Base, found);
                }
            }
        }
        for (name, after) in now.children.iter().filter(|(name, _)| !base.children.contains_key(*name)) {
            self.alone(&joined(path, name), after, Side::Now, found);
        }
    }

    /// A subtree that only one side has: one difference for all of it. Gives whether it was allowed.
    fn alone(&self, path: &str, node: &Node, side: Side, found: &mut Vec<Difference>) -> bool {
        if self.may_be_alone(path, node, side) {
            return true;
        }
        // A group is there because of what it groups: it may be alone where all of that may.
        let only_groups = node.value.is_none() && node.class != Class::Identity && !node.children.is_empty();
        let mut below = node.children.iter();
        if only_groups && below.all(|(name, child)| self.alone(&joined(path, name), child, side, &mut Vec::new())) {
            return true;
        }
        let text = match (&node.value, node.count() - 1) {
            (Some(value), 0) => value.clone(),
            (Some(value), below) => format!("{value} (and {below} nodes below it)"),
            (None, 0) => "an empty group".to_owned(),
            (None, 1) => "1 node".to_owned(),
            (None, below) => format!("{below} nodes"),
        };
        found.push(match side {
            Side::Base => Difference::changed(path, Some(&text), None),
            Side::Now => Difference::changed(path, None, Some(&text)),
        });
        false
    }

    fn may_be_alone(&self, path: &str, node: &Node, side: Side) -> bool {
        let residual = || self.allowed.residuals.iter().flat_map(|residual| &residual.paths).any(|p| p.matches(path));
        if side == Side::Now && residual() {
            return true;
        }
        if node.class == Class::Identity {
            return self.recreated(path);
        }
        if self.masked {
            let may_vary = |mask: &Mask| mask.presence_may_vary() && !holds_identity(node);
            return self.masks(path).any(may_vary);
        }
        // The level of bytes does not look at what runs and at logs; a group counts by what it groups.
        node.value.is_some() && node.class != Class::Config && node.children.is_empty()
    }

    fn masks(&self, path: &str) -> impl Iterator<Item = &Mask> {
        let Comparison { masks, between_runs, .. } = self.allowed;
        let more = masks.between_runs.iter().filter(|_| *between_runs);
        masks.masks.iter().chain(more).filter(move |mask| mask.path.matches(path))
    }

    fn recreated(&self, path: &str) -> bool {
        self.allowed.recreated.iter().any(|pattern| pattern.matches(path))
    }

    fn value(&self, path: &str, base: &Node, now: &Node) -> Option<Difference> {
        let differs = || Difference::changed(path, base.value.as_deref(), now.value.as_deref());
        if base.class != now.class {
            return Some(differs().because(format!("was {}, now {}", base.class, now.class)));
        }
        if base.value == now.value {
            return None;
        }
        if base.class == Class::Identity {
            return (!self.recreated(path)).then(|| differs().because("identity"));
        }
        if !self.masked {
            return (base.class == Class::Config).then(differs);
        }
        let masks: Vec<&Mask> = self.masks(path).collect();
        let (Some(before), Some(after)) = (&base.value, &now.value) else {
            return (!masks.iter().any(|mask| mask.presence_may_vary())).then(differs);
        };
        if base.class == Class::Log && after.starts_with(before.as_str()) {
            return None;
        }
        let difference = self.masked_difference(path, before, after, &masks)?;
        Some(match base.class {
            Class::Log => difference.because("a log keeps its old content"),
            Class::Identity | Class::Config | Class::Runtime => difference,
        })
    }

    /// What is left of a difference under the masks of its path.
    fn masked_difference(&self, path: &str, before: &str, after: &str, masks: &[&Mask]) -> Option<Difference> {
        let differs = || Difference::changed(path, Some(before), Some(after));
        let (mut before_rest, mut after_rest) = (before.to_owned(), after.to_owned());
        for mask in masks {
            let Some(prefix) = &mask.line_prefix else { continue };
            let (before_part, after_part) = (take_lines(&mut before_rest, prefix), take_lines(&mut after_rest, prefix));
            if before_part != after_part && !self.allows(mask, path, &before_part, &after_part) {
                return Some(self.complaint(mask, differs()));
            }
        }
        if before_rest == after_rest {
            return None;
        }
        let whole: Vec<&&Mask> = masks.iter().filter(|mask| mask.line_prefix.is_none()).collect();
        let lines = |text: &'_ str| text.split('\n').map(str::to_owned).collect::<Vec<_>>();
        if whole.iter().any(|mask| self.allows(mask, path, &lines(&before_rest), &lines(&after_rest))) {
            return None;
        }
        Some(whole.first().map_or_else(differs, |mask| self.complaint(mask, differs())))
    }

    fn allows(&self, mask: &Mask, path: &str, before: &[String], after: &[String]) -> bool {
        match mask.class {
            MaskClass::Volatile => true,
            MaskClass::Unordered => counted(before.iter().cloned()) == counted(after.iter().cloned()),
            MaskClass::Sections => counted(sections(before)) == counted(sections(after)),
            MaskClass::Derived => mask.from.as_ref().is_some_and(|from| {
                let source = from.filled(&mask.path, path);
                let value = |root: &Node| source.as_deref().and_then(|path| root.value_at(path)).map(str::to_owned);
                value(self.roots.0) != value(self.roots.1)
            }),
        }
    }

    fn complaint(&self, mask: &Mask, difference: Difference) -> Difference {
        match (mask.class, &mask.from) {
            (MaskClass::Derived, Some(from)) => {
                difference.because(format!("it changed, but its source {from} did not"))
            }
            (MaskClass::Unordered | MaskClass::Sections, _) => difference.because("not only its order changed"),
            _ => difference,
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

fn holds_identity(node: &Node) -> bool {
    node.class == Class::Identity || node.children.values().any(holds_identity)
}

fn counted(parts: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for part in parts {
        *counts.entry(part).or_default() += 1;
    }
    counts
}

/// The text in sections: a line that is not indented, with the indented and empty lines below it.
fn sections(lines: &[String]) -> impl Iterator<Item = String> {
    let below = |line: &String| line.is_empty() || line.starts_with(char::is_whitespace);
    // What is empty between two sections belongs to neither.
    let text = |part: &[String]| part.iter().filter(|line| !line.is_empty()).cloned().collect::<Vec<_>>().join("\n");
    lines.chunk_by(move |_, next| below(next)).map(text)
}

/// Takes the lines that begin with `prefix` out of `text`. What stays has a mark in the place of each, so that a masked line
/// cannot wander.
fn take_lines(text: &mut String, prefix: &str) -> Vec<String> {
    let mut taken = Vec::new();
    let rest: Vec<String> = text
        .split('\n')
        .map(|line| {
            if line.starts_with(prefix) {
                taken.push(line.to_owned());
                format!("\0{prefix}")
            } else {
                line.to_owned()
            }
        })
        .collect();
    *text = rest.join("\n");
    taken
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masks() -> Masks {
        Masks::load(
            r##"
identity: [machines/*/mac]
masks:
  - {path: machines/*/pid, class: volatile, presence: may-vary, reason: r}
  - {path: machines/*/clock, class: volatile, reason: r}
  - {path: machines/*/cfg, class: volatile, line-prefix: "# _version=", reason: r}
  - {path: machines/*/hash, class: derived, from: machines/*/cfg, reason: r}
  - {path: machines/*/rules, class: unordered, reason: r}
  - {path: cloud/sessions/**, class: volatile, presence: may-vary, reason: r}
"##,
        )
        .unwrap()
    }

    fn base() -> Node {
        let mut root = Node::default();
        for machine in ["old", "other"] {
            let mut put = |name: &str, node| root.insert(&format!("machines/{machine}/{name}"), node);
            put("mac", Node::identity("00:50:56:00:00:01"));
            put("pid", Node::runtime("17"));
            put("clock", Node::runtime("5"));
            put("cfg", Node::config("# _version=3\nglobal\n    maxconn 5\n"));
            put("hash", Node::runtime("h3"));
            put("rules", Node::runtime("b\na\na"));
            put("log", Node::log("started\n"));
            put("power", Node::runtime("on"));
        }
        root.insert("cloud/sessions/52", Node::runtime("runner"));
        root
    }

    fn allowed(masks: &Masks) -> Comparison<'_> {
        Comparison { masks, between_runs: false, recreated: &[], residuals: &[], acknowledged: &[] }
    }

    /// The differences after `change`, as (bytes, structure).
    fn after(change: impl FnOnce(&mut Node)) -> (Vec<String>, Vec<String>) {
        let (masks, base) = (masks(), base());
        let mut now = base.clone();
        change(&mut now);
        let found = compare_trees(&base, &now, &allowed(&masks));
        let texts = |list: Vec<Difference>| list.iter().map(Difference::to_string).collect();
        (texts(found.bytes), texts(found.structure))
    }

    fn node<'a>(root: &'a mut Node, path: &str) -> &'a mut Node {
        path.split('/').fold(root, |place, level| place.children.get_mut(level).expect(path))
    }

    fn set(path: &'static str, value: &'static str) -> impl FnOnce(&mut Node) {
        move |root| node(root, path).value = Some(value.to_owned())
    }

    #[test]
    fn equal_trees_have_no_difference() {
        assert_eq!(after(|_| ()), (vec![], vec![]));
    }

    #[test]
    fn volatile_values_may_change_and_only_some_may_go() {
        assert_eq!(after(set("machines/old/pid", "99")).1, [""; 0]);
        assert_eq!(after(set("machines/old/clock", "6")).1, [""; 0]);
        let remove = |name: &'static str| {
            move |root: &mut Node| {
                node(root, "machines/old").children.remove(name);
            }
        };
        assert_eq!(after(remove("pid")).1, [""; 0]);
        assert_eq!(after(remove("clock")).1, ["machines/old/clock: 5, now gone"]);
        let unset =
            |name: &'static str| move |root: &mut Node| node(root, &format!("machines/old/{name}")).value = None;
        assert_eq!(after(unset("pid")).1, [""; 0]);
        assert_eq!(after(unset("clock")).1, ["machines/old/clock: 5, now gone"]);
        let no_sessions = |root: &mut Node| {
            root.children.remove("cloud");
        };
        assert_eq!(after(no_sessions).1, [""; 0], "a group is there because of what it groups");
    }

    #[test]
    fn a_mask_of_a_whole_group_does_not_cover_identity_in_it() {
        let masks = masks();
        let mut base = base();
        base.insert("cloud/sessions/52/key", Node::identity("52-aa"));
        let mut now = base.clone();
        now.children.remove("cloud");
        let found = compare_trees(&base, &now, &allowed(&masks)).structure;
        assert_eq!(found[0].to_string(), "cloud: 3 nodes, now gone");
    }

    #[test]
    fn only_the_masked_lines_of_a_file_may_change() {
        let (bytes, structure) = after(set("machines/old/cfg", "# _version=4\nglobal\n    maxconn 5\n"));
        assert_eq!(bytes, ["machines/old/cfg: # _version=3, now # _version=4"]);
        assert_eq!(structure, [""; 0]);
        for text in [
            "# _version=4\nglobal\n    maxconn 6\n",
            "global\n    maxconn 5\n",
            "global\n# _version=3\n    maxconn 5\n",
            "# _version=3\n# _version=4\nglobal\n    maxconn 5\n",
            "# _version=3\nglobal\n    maxconn 5",
            "\nglobal\n    maxconn 5\n",
        ] {
            assert_eq!(after(set("machines/old/cfg", text)).1.len(), 1, "{text:?}");
        }
    }

    #[test]
    fn derived_values_change_only_with_their_own_source() {
        let unfounded = after(set("machines/old/hash", "h4")).1;
        assert_eq!(unfounded, ["machines/old/hash: h3, now h4 (it changed, but its source machines/*/cfg did not)"]);
        let founded = |machine: &'static str| {
            after(move |root| {
                set("machines/old/hash", "h4")(root);
                node(root, &format!("machines/{machine}/cfg")).value =
                    Some("# _version=4\nglobal\n    maxconn 5\n".into());
            })
        };
        assert_eq!(founded("old").1, [""; 0]);
        assert_eq!(founded("other").1.len(), 1);
    }

    #[test]
    fn unordered_lines_may_only_change_places() {
        assert_eq!(after(set("machines/old/rules", "a\nb\na")).1, [""; 0]);
        assert_eq!(after(set("machines/old/rules", "a\nb\nb")).1.len(), 1);
        assert_eq!(after(set("machines/old/rules", "a\nb")).1.len(), 1);
    }

    #[test]
    fn a_log_keeps_its_old_content() {
        assert_eq!(after(set("machines/old/log", "started\nstopped\n")), (vec![], vec![]));
        let (bytes, structure) = after(set("machines/old/log", "stopped\n"));
        assert_eq!(bytes, [""; 0]);
        assert_eq!(structure, ["machines/old/log: started, now stopped (a log keeps its old content)"]);
    }

    #[test]
    fn identity_changes_only_where_something_is_recreated() {
        let masks = masks();
        let (base, mut now) = (base(), base());
        set("machines/old/mac", "00:50:56:00:00:02")(&mut now);
        let mut how = allowed(&masks);
        let found = compare_trees(&base, &now, &how);
        assert_eq!((found.bytes.len(), found.structure.len()), (1, 1));
        let recreated = ["machines/old/**".parse().unwrap()];
        how.recreated = &recreated;
        assert_eq!(compare_trees(&base, &now, &how).structure, []);
        set("machines/old/power", "off")(&mut now);
        assert_eq!(compare_trees(&base, &now, &how).structure.len(), 1, "what is no identity must be the same");
    }

    #[test]
    fn a_residual_may_be_new_but_excuses_nothing_the_base_had() {
        let masks = masks();
        let (base, mut now) = (base(), base());
        now.insert("machines/new/power", Node::runtime("off"));
        now.insert("machines/new/mac", Node::identity("x"));
        let mut how = allowed(&masks);
        let unknown = compare_trees(&base, &now, &how);
        assert_eq!(unknown.structure[0].to_string(), "machines/new: new: 2 nodes");
        assert_eq!(unknown.bytes.len(), 1);
        let residuals = [Residual { paths: vec!["machines/**".parse().unwrap()], ..Residual::default() }];
        how.residuals = &residuals;
        assert_eq!(compare_trees(&base, &now, &how).structure, []);
        now.children.get_mut("machines").unwrap().children.remove("old");
        assert_eq!(compare_trees(&base, &now, &how).structure.len(), 1);
    }

    #[test]
    fn what_was_written_meanwhile_belongs_to_the_base() {
        let masks = masks();
        let (base, mut now) = (base(), base());
        now.insert("db/entry", Node::config("1"));
        now.children.get_mut("cloud").unwrap().children.clear();
        let mut how = allowed(&masks);
        assert_eq!(compare_trees(&base, &now, &how).structure.len(), 1);
        let writes = [AcknowledgedWrite { path: "db/entry".into(), node: Some(Node::config("1")) }];
        how.acknowledged = &writes;
        assert_eq!(compare_trees(&base, &now, &how).structure, []);
        let lost = compare_trees(&base, &base, &how).structure;
        assert_eq!(lost[0].to_string(), "db: 1 node, now gone");
    }

    #[test]
    fn a_class_is_part_of_the_state() {
        let found = after(|root| node(root, "machines/old/pid").class = Class::Config).1;
        assert_eq!(found, ["machines/old/pid: 17, now 17 (was runtime, now config)"]);
    }

    fn class() -> impl Strategy<Value = Class> {
        prop::sample::select(vec![Class::Identity, Class::Config, Class::Runtime, Class::Log])
    }

    /// Any tree over names that the masks know and names that they do not.
    fn tree() -> impl Strategy<Value = Node> {
        let name = prop::sample::select(vec!["machines", "old", "mac", "pid", "cfg", "hash", "rules", "z"]);
        let value = prop::option::of("(# _version=[0-9]|a|b|\n){0,6}");
        let leaf = (class(), value.clone()).prop_map(|(class, value)| Node { class, value, children: BTreeMap::new() });
        leaf.prop_recursive(4, 40, 5, move |inner| {
            let children = prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..5);
            (class(), value.clone(), children).prop_map(|(class, value, children)| Node { class, value, children })
        })
    }

    fn paths(node: &Node, at: &str, found: &mut Vec<String>) {
        for (name, child) in &node.children {
            let path = joined(at, name);
            paths(child, &path, found);
            found.push(path);
        }
    }

    /// What may be done to a node, always so that it is another node afterwards.
    #[derive(Clone, Copy, Debug)]
    enum Mutation {
        Value,
        Unset,
        Class,
        Remove,
        Add,
    }

    fn mutate(root: &mut Node, path: &str, mutation: Mutation) {
        match mutation {
            Mutation::Remove => {
                let (parent, name) = path.rsplit_once('/').map_or((None, path), |(p, n)| (Some(p), n));
                let parent = match parent {
                    Some(parent) => node(root, parent),
                    None => root,
                };
                parent.children.remove(name);
            }
            Mutation::Value => {
                // In front, so that it is no mere growth of a log.
                let node = node(root, path);
                node.value = Some(format!("mutated\n{}", node.value.as_deref().unwrap_or("")));
            }
            Mutation::Unset => {
                let node = node(root, path);
                node.value = if node.value.is_some() { None } else { Some("mutated".into()) };
            }
            Mutation::Class => {
                let node = node(root, path);
                node.class = if node.class == Class::Config { Class::Runtime } else { Class::Config };
            }
            Mutation::Add => {
                node(root, path).children.insert("never seen".into(), Node::runtime(""));
            }
        }
    }

    const MUTATIONS: [Mutation; 5] =
        [Mutation::Value, Mutation::Unset, Mutation::Class, Mutation::Remove, Mutation::Add];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever is done to any node that no mask covers is noticed.
        #[test]
        fn every_mutation_of_an_unmasked_node_is_noticed(base in tree()) {
            let masks = masks();
            let masked = |path: &String| masks.matching(path).next().is_some();
            let mut all = Vec::new();
            paths(&base, "", &mut all);
            for path in all.iter().filter(|path| !masked(path)) {
                let node = base.get(path).unwrap();
                let mut below = Vec::new();
                paths(node, path, &mut below);
                for mutation in MUTATIONS {
                    let allowed_to_go = node.value.is_none() && below.iter().any(masked);
                    let empty_log = node.class == Class::Log && node.value.as_deref() == Some("");
                    match mutation {
                        // A group of nothing but what may go may go with it.
                        Mutation::Remove if allowed_to_go => continue,
                        // A log that was empty has nothing to keep.
                        Mutation::Value if empty_log => continue,
                        _ => {}
                    }
                    let mut now = base.clone();
                    mutate(&mut now, path, mutation);
                    let found = compare_trees(&base, &now, &allowed(&masks));
                    prop_assert!(!found.structure.is_empty(), "{path} {mutation:?}");
                }
            }
        }

        /// Whatever is done to identity is noticed, on the level of bytes too, masks or not.
        #[test]
        fn every_mutation_of_identity_is_noticed(base in tree()) {
            let masks = masks();
            let mut all = Vec::new();
            paths(&base, "", &mut all);
            for path in all.iter().filter(|path| base.get(path).unwrap().class == Class::Identity) {
                for mutation in [Mutation::Value, Mutation::Unset, Mutation::Class, Mutation::Remove] {
                    let mut now = base.clone();
                    mutate(&mut now, path, mutation);
                    let found = compare_trees(&base, &now, &allowed(&masks));
                    prop_assert!(!found.structure.is_empty() && !found.bytes.is_empty(), "{path} {mutation:?}");
                }
            }
        }

        /// A tree equals itself.
        #[test]
        fn nothing_is_noticed_where_nothing_changed(base in tree()) {
            let masks = masks();
            let found = compare_trees(&base, &base.clone(), &allowed(&masks));
            prop_assert_eq!((found.bytes, found.structure), (vec![], vec![]));
        }
    }
}
