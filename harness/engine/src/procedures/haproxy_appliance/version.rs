//! Version numbers in names.

/// The three numbers of `v0.1.10`, `7.0.1` or `v0.2.0-custom`, which order as versions do.
///
/// Missing numbers are zero (vSphere's `8.0` is 8.0.0); what follows the numbers does not count.
pub(super) fn numbers(text: &str) -> Option<(u64, u64, u64)> {
    let text = text.trim().trim_start_matches('v');
    let end = text.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(text.len());
    let mut parts = text[..end].trim_end_matches('.').split('.');
    let mut next = || parts.next().map_or(Some(0), |part| part.parse().ok());
    let first = next()?;
    Some((first, next()?, next()?))
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_order_by_number() {
        assert!(numbers("v0.1.9") < numbers("v0.1.10"));
        assert!(numbers("7.0.1") > numbers("7.0.0"));
        assert_eq!(numbers("8.0"), Some((8, 0, 0)));
        assert_eq!(numbers("v0.2.0-custom"), Some((0, 2, 0)));
        assert_eq!(numbers("7.0.3.01400"), Some((7, 0, 3)));
        for text in ["", "v", "latest", "1..2"] {
            assert_eq!(numbers(text), None, "{text}");
        }
    }
}
