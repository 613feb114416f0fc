//! "Did you mean …?"

/// The candidate that somebody who wrote `given` most likely meant, if one is near enough.
pub(crate) fn nearest<'c>(given: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // Hand-typed names have a slip or two; a third of the letters wrong is another word. Very long input cannot be near
    // anything, and the distance costs its length times that of the candidate.
    if given.is_empty() || given.len() > 100 {
        return None;
    }
    let lowered = given.to_lowercase().replace('_', "-");
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&lowered, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            let allowed = (candidate.chars().count().max(lowered.chars().count()) / 3).max(1);
            *distance <= allowed && *distance < lowered.chars().count()
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A hint for a name that is not in a list: the nearest one, or else the whole list.
pub fn hint<'c>(what: &str, given: &str, candidates: impl IntoIterator<Item = &'c str> + Clone) -> String {
    match nearest(given, candidates.clone()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => {
            let names: Vec<_> = candidates.into_iter().collect();
            match names.as_slice() {
                [] => format!("there is no {what}"),
                [only] => format!("the only {what} is {only}"),
                _ => format!("use one of: {}", names.join(", ")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_another_word_does_not() {
        let keys = ["name", "from", "to", "topology", "rollback"];
        assert_eq!(nearest("fromm", keys), Some("from"));
        assert_eq!(nearest("TOPOLOGY", keys), Some("topology"));
        assert_eq!(nearest("toplogoy", keys), Some("topology"));
        assert_eq!(nearest("roll_back", keys), Some("rollback"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("", keys), None);
        assert_eq!(nearest("x", keys), None);
    }

    #[test]
    fn a_hint_lists_what_there_is_when_nothing_is_near() {
        assert_eq!(hint("probe kind", "icmp", ["http-new", "http-pinned"]), "use one of: http-new, http-pinned");
        assert_eq!(hint("load balancer", "web", ["shop"]), "the only load balancer is shop");
        assert_eq!(hint("load balancer", "web", []), "there is no load balancer");
    }
}
