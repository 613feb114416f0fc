//! The words of a line of the configuration.

/// The words of a line up to a comment. Quotes and backslashes keep blanks and `#` inside a word; they stay part of it.
pub(super) fn words(line: &str) -> Vec<&str> {
    let special = |byte| matches!(byte, b'#' | b'"' | b'\'' | b'\\');
    if line.bytes().any(special) { words_with_quotes(line) } else { line.split_whitespace().collect() }
}

fn words_with_quotes(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut escaped = false;
    for (index, char) in line.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match (quote, char) {
            (None | Some('"'), '\\') => {
                start.get_or_insert(index);
                escaped = true;
            }
            (Some(open), _) => {
                if char == open {
                    quote = None;
                }
            }
            (None, '"' | '\'') => {
                start.get_or_insert(index);
                quote = Some(char);
            }
            (None, '#') => {
                words.extend(start.take().map(|start| &line[start..index]));
                return words;
            }
            (None, _) if char.is_whitespace() => words.extend(start.take().map(|start| &line[start..index])),
            _ => {
                start.get_or_insert(index);
            }
        }
    }
    words.extend(start.map(|start| &line[start..]));
    words
}

/// Whether the first word of `line` may be `word`: cheap, and right when it says no.
pub(super) fn begins_like(line: &str, word: &str) -> bool {
    line.trim_start().starts_with(word)
}

/// What follows `keyword` (one word or several) where `line` begins with it.
pub(super) fn line_after(line: &str, keyword: &str) -> Option<String> {
    let first = keyword.split(' ').next().unwrap_or_default();
    if begins_like(line, first) { rest_after(&words(line), keyword) } else { None }
}

/// What follows `keyword` where `words` begin with it.
fn rest_after(words: &[&str], keyword: &str) -> Option<String> {
    let mut rest = words.iter();
    for part in keyword.split(' ') {
        if rest.next() != Some(&part) {
            return None;
        }
    }
    Some(rest.copied().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_escapes_keep_words_together() {
        assert_eq!(words(r#"  a "b # c" d\ e 'f g'# h"#), ["a", r#""b # c""#, r"d\ e", "'f g'"]);
        assert_eq!(words("   # only a comment"), Vec::<&str>::new());
    }
}
