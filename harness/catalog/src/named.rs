//! Closed lists of names.

use std::fmt;

/// A closed list whose members have a name in scenario files, code, reports and documentation: the same one everywhere.
pub trait Named: Copy + Eq + fmt::Debug + 'static {
    /// What a member is called in a message: "check", "fault kind".
    const WHAT: &'static str;
    /// Every member, in the order in which they are listed to people.
    const ALL: &'static [Self];

    /// The member's name, in kebab case unless a foreign product coined it.
    fn name(self) -> &'static str;

    /// One line saying what the member is.
    fn doc(self) -> &'static str;

    /// The member with this exact name.
    fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|member| member.name() == name)
    }
}

/// Declares an enum that is [`Named`], prints as its name and is (de)serialised as its name.
///
/// Each member is written once, with its name and its line of documentation, which is also the rustdoc of the variant.
macro_rules! named {
    ($(#[$meta:meta])* $vis:vis enum $type:ident ($what:literal) { $($variant:ident = $name:literal, $doc:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        $vis enum $type {
            $(#[doc = $doc] #[serde(rename = $name)] $variant,)+
        }

        impl $crate::Named for $type {
            const WHAT: &'static str = $what;
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad($crate::Named::name(*self))
            }
        }
    };
}
pub(crate) use named;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::*;

    fn names_are_unique_and_documented<T: Named>() {
        let names: BTreeSet<_> = T::ALL.iter().map(|member| member.name()).collect();
        assert_eq!(names.len(), T::ALL.len(), "two members of one name among the {}s", T::WHAT);
        for member in T::ALL {
            assert_eq!(T::parse(member.name()), Some(*member));
            assert!(member.doc().len() > 10, "{} `{}` has no documentation", T::WHAT, member.name());
            assert!(!member.doc().contains('\n'));
        }
        assert_eq!(T::parse("no-such-name"), None);
    }

    #[test]
    fn every_list_has_unique_documented_names() {
        names_are_unique_and_documented::<Check>();
        names_are_unique_and_documented::<FaultKind>();
        names_are_unique_and_documented::<FaultLayer>();
        names_are_unique_and_documented::<Machine>();
        names_are_unique_and_documented::<Networks>();
        names_are_unique_and_documented::<Outcome>();
        names_are_unique_and_documented::<Phase>();
        names_are_unique_and_documented::<Privilege>();
        names_are_unique_and_documented::<ProbeKind>();
        names_are_unique_and_documented::<RefusalRule>();
        names_are_unique_and_documented::<Residual>();
        names_are_unique_and_documented::<RouteRulesOnStop>();
        names_are_unique_and_documented::<Segment>();
        names_are_unique_and_documented::<Cluster>();
        names_are_unique_and_documented::<World>();
        names_are_unique_and_documented::<TimingField>();
    }
}
