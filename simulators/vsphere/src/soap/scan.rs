//! The pieces of XML texts.

use std::borrow::Cow;

/// A place in a text.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// The beginning of a text, behind the mark of its byte order.
    pub(crate) fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text: text.strip_prefix('\u{feff}').unwrap_or(text), at: 0 }
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Whether nothing is left.
    pub(crate) fn is_over(&self) -> bool {
        self.at == self.text.len()
    }

    /// The line it is in, counted from 1.
    pub(crate) fn line(&self) -> usize {
        1 + self.text.as_bytes()[..self.at].iter().filter(|byte| **byte == b'\n').count()
    }

    /// Goes past `token`, where that is what comes.
    pub(crate) fn skip(&mut self, token: &str) -> bool {
        let is = self.text.as_bytes()[self.at..].starts_with(token.as_bytes());
        self.at += if is { token.len() } else { 0 };
        is
    }

    /// Goes past `token`, which must come.
    pub(crate) fn require(&mut self, token: &str) -> Result<(), String> {
        if self.skip(token) { Ok(()) } else { Err(format!("no `{token}` where one belongs")) }
    }

    /// Goes past the next `token`; what is before it.
    pub(crate) fn past(&mut self, token: &str) -> Result<&'a str, String> {
        let rest = self.rest();
        let length = rest.find(token).ok_or_else(|| format!("no `{token}` where one belongs"))?;
        self.at += length + token.len();
        Ok(&rest[..length])
    }

    /// Goes past blanks.
    pub(crate) fn skip_blanks(&mut self) -> bool {
        let blanks = self.rest().bytes().take_while(u8::is_ascii_whitespace).count();
        self.at += blanks;
        blanks > 0
    }

    /// Goes past an XML declaration.
    pub(crate) fn skip_declaration(&mut self) -> Result<(), String> {
        if self.skip("<?xml") { self.past("?>").map(drop) } else { Ok(()) }
    }

    /// What comes before the next markup, or before the end.
    pub(crate) fn until_markup(&mut self) -> &'a str {
        let rest = self.rest();
        let length = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// A qualified name.
    pub(crate) fn name(&mut self) -> Result<&'a str, String> {
        let rest = self.rest();
        // XML's list of letters is long; whatever is no punctuation of ASCII passes for one.
        let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | 0x80..);
        let length = rest.bytes().take_while(|byte| of_name(byte)).count();
        let name = &rest[..length];
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '.' | ':'))
        {
            return Err("no name where one belongs".to_owned());
        }
        self.at += length;
        Ok(name)
    }

    /// The next attribute of a tag: its name and its value as it is written. None where the tag ends.
    pub(crate) fn attribute(&mut self) -> Result<Option<(&'a str, &'a str)>, String> {
        let apart = self.skip_blanks();
        match self.rest().as_bytes().first() {
            None => return Err("a tag that does not end".to_owned()),
            Some(b'>' | b'/') => return Ok(None),
            Some(_) if !apart => return Err("no blank before an attribute".to_owned()),
            Some(_) => {}
        }
        let name = self.name()?;
        self.skip_blanks();
        self.require("=")?;
        self.skip_blanks();
        let quote = self.rest().bytes().next().filter(|byte| matches!(byte, b'"' | b'\''));
        let quote = quote.ok_or_else(|| format!("no quotes around the value of {name}"))?;
        let inside = &self.rest()[1..];
        let length =
            memchr::memchr(quote, inside.as_bytes()).ok_or_else(|| format!("no end of the value of {name}"))?;
        self.at += length + 2;
        Ok(Some((name, &inside[..length])))
    }
}

/// A character that must not stand in XML 1.0 (production 2).
pub(crate) fn forbidden(text: &str) -> Option<char> {
    // Nearly no text has one, and bytes are looked through many at a time.
    let suspicious =
        |byte: &u8| (*byte < b' ') & (*byte != b'\n') & (*byte != b'\r') & (*byte != b'\t') | (*byte == 0xef);
    if !text.as_bytes().iter().fold(false, |any, byte| any | suspicious(byte)) {
        return None;
    }
    text.chars().find(|character| !is_allowed(*character))
}

fn is_allowed(character: char) -> bool {
    !matches!(character, '\0'..'\t' | '\u{b}' | '\u{c}' | '\u{e}'..' ' | '\u{fffe}' | '\u{ffff}')
}

/// Line ends as a reader of XML sees them (section 2.11).
pub(crate) fn line_ends(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\r', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
}

/// The text that is written so.
pub(crate) fn unescape_text(raw: &str) -> Result<Cow<'_, str>, String> {
    if memchr::memchr2(b'&', b'\r', raw.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(raw));
    }
    let mut text = String::with_capacity(raw.len());
    unescape(raw, &mut text, |text, piece| text.push_str(&line_ends(piece)))?;
    Ok(Cow::Owned(text))
}

/// The value of an attribute that is written so: line ends and tabs that are written as such are blanks (section 3.3.3).
pub(crate) fn unescape_attribute(raw: &str) -> Result<Cow<'_, str>, String> {
    if raw.bytes().all(|byte| byte >= b' ' && !matches!(byte, b'&' | b'<')) {
        return Ok(Cow::Borrowed(raw));
    }
    if raw.contains('<') {
        return Err("a `<` in an attribute".to_owned());
    }
    let mut value = String::with_capacity(raw.len());
    unescape(raw, &mut value, |value, piece| {
        value.extend(line_ends(piece).chars().map(|character| if character < ' ' { ' ' } else { character }));
    })?;
    Ok(Cow::Owned(value))
}

/// Adds the pieces between references by `plain`, and what references stand for.
fn unescape(raw: &str, out: &mut String, plain: impl Fn(&mut String, &str)) -> Result<(), String> {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        plain(out, &rest[..at]);
        let from = &rest[at + 1..];
        let length = from.find(';').ok_or("a `&` that begins no reference")?;
        let name = &from[..length];
        out.push(match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => numbered(name)?,
        });
        rest = &from[length + 1..];
    }
    plain(out, rest);
    Ok(())
}

fn numbered(name: &str) -> Result<char, String> {
    let Some(number) = name.strip_prefix('#') else {
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let unknown = || format!("the reference &{name}; to nothing that is known");
        return Err(if is_name { unknown() } else { "a `&` that begins no reference".to_owned() });
    };
    let code = match number.strip_prefix('x') {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    let character = code.ok().and_then(char::from_u32).filter(|character| is_allowed(*character));
    character.ok_or_else(|| format!("the reference &{name}; to no character"))
}
