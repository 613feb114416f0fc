//! What a request asks, and of which object, without reading the rest of it.
//!
//! Every call is named before it is delivered, so a request is read once more than answering it needs. This reads no further
//! than to the target, which stands first in all that clients send. It compares local names only: a body that is no SOAP is
//! named by what it looks like, and refused by whoever answers it.

use crate::soap::scan::{self, Scanner};

/// The method in the body of an envelope and the id in its `_this`; none where no method can be made out.
pub(crate) fn method_and_target(text: &str) -> Option<(&str, Option<String>)> {
    let mut scanner = Scanner::new(text);
    scanner.skip_declaration().ok()?;
    let envelope = element(&mut scanner)?;
    if local(envelope) != "Envelope" || !opens(&mut scanner)? {
        return None;
    }
    if !child(&mut scanner, "Body")? {
        return None;
    }
    let method = local(element(&mut scanner)?);
    let inside = opens(&mut scanner)?;
    let found = if inside { child(&mut scanner, "_this") } else { None };
    let target = found.and_then(|_| {
        let text = scan::unescape_text(scanner.until_markup()).ok()?;
        Some(text.trim().to_owned())
    });
    Some((method, target))
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// The name of the next element, past text and comments; none where its parent ends first.
fn element<'a>(scanner: &mut Scanner<'a>) -> Option<&'a str> {
    loop {
        scanner.until_markup();
        if scanner.skip("<!--") {
            scanner.past("-->").ok()?;
        } else if scanner.skip("<![CDATA[") {
            scanner.past("]]>").ok()?;
        } else if scanner.skip("<?") {
            scanner.past("?>").ok()?;
        } else {
            return if scanner.skip("<") { scanner.name().ok() } else { None };
        }
    }
}

/// Goes past the rest of the tag; whether something is inside of the element.
fn opens(scanner: &mut Scanner<'_>) -> Option<bool> {
    while scanner.attribute().ok()?.is_some() {}
    let empty = scanner.skip("/>");
    if !empty {
        scanner.require(">").ok()?;
    }
    Some(!empty)
}

/// Goes into the next element called `name`, past all that come before it; whether something is in it.
fn child(scanner: &mut Scanner<'_>, name: &str) -> Option<bool> {
    loop {
        let found = element(scanner)?;
        let inside = opens(scanner)?;
        if local(found) == name {
            return Some(inside);
        }
        if inside {
            leave(scanner)?;
        }
    }
}

/// Goes past the end of the element it is in.
fn leave(scanner: &mut Scanner<'_>) -> Option<()> {
    let mut depth = 1;
    while depth > 0 {
        if element(scanner).is_some() {
            depth += usize::from(opens(scanner)?);
        } else {
            // What stopped it is an end, or nothing that can be read.
            if !scanner.skip("/") {
                return None;
            }
            scanner.past(">").ok()?;
            depth -= 1;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(String, Option<String>)> {
        method_and_target(text).map(|(method, target)| (method.to_owned(), target))
    }

    #[test]
    fn method_and_target_are_found_whatever_the_prefixes_and_what_is_around_them() {
        let text = "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"x\"><s:Header><a><Body/></a></s:Header> <s:Body><!-- c -->\
                    <v:Login xmlns:v=\"y\"><other><_this>no</_this></other><v:_this type=\"T\"> t-1\n</v:_this></v:Login>";
        assert_eq!(found(text), Some(("Login".to_owned(), Some("t-1".to_owned()))));
        assert_eq!(found("<Envelope><Body><Ping/></Body></Envelope>"), Some(("Ping".to_owned(), None)));
    }

    #[test]
    fn what_holds_no_method_has_no_name() {
        for text in ["", "torn", "<Envelope>", "<Envelope><Body/></Envelope>", "<html><Body><a/></Body></html>"] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
