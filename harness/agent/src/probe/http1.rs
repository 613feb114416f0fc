//! As much HTTP/1.1 as a probe reads: how far an answer came, and who signed it.
//!
//! A client library would say that a message is incomplete; a probe has to say where it ended.

use grenadier_fleet::FailureClass;

use super::finding::{Answered, Failed};

/// The longest head and the longest body of an answer, in bytes. Whoever sends more is not one of our backends.
const MOST_HEAD_BYTES: usize = 16 << 10;
const MOST_BODY_BYTES: usize = 64 << 10;

/// The longest backend name that is taken from an answer, in bytes.
const NAME_BYTES: usize = 64;

/// How far an answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More has to come, and the head is whole or not.
    Partial {
        /// Whether it is.
        head: bool,
    },
    /// All of it, in so many bytes; the answer, or what is wrong with it.
    Whole {
        /// How many.
        bytes: usize,
        /// The answer.
        answer: Result<Answered, Failed>,
    },
}

/// Reads an answer that begins at the start of `bytes`; `ended` says that nothing more will come.
pub(crate) fn read(bytes: &[u8], ended: bool) -> Progress {
    let wrong =
        |text: &str| Progress::Whole { bytes: bytes.len(), answer: Err(Failed::new(FailureClass::WrongAnswer, text)) };
    let Some(head_ends) = find(bytes, b"\r\n\r\n") else {
        return if bytes.len() > MOST_HEAD_BYTES {
            wrong("a head without an end")
        } else {
            Progress::Partial { head: false }
        };
    };
    let (head, rest) = (&bytes[..head_ends], &bytes[head_ends + 4..]);
    let Some((status, length)) = head_of(head) else { return wrong("no HTTP answer") };
    let body = match length {
        Length::Bytes(length) if length > MOST_BODY_BYTES => return wrong("a body without an end"),
        Length::Bytes(length) => rest.get(..length).map(|body| (body.to_vec(), length)),
        Length::Chunks => match chunks(rest) {
            Ok(body) => body,
            Err(()) => return wrong("a body that is not what it says"),
        },
        Length::ToTheEnd => ended.then(|| (rest.to_vec(), rest.len())),
    };
    match body {
        Some((body, length)) => Progress::Whole { bytes: head_ends + 4 + length, answer: signed(status, &body) },
        None if rest.len() > MOST_BODY_BYTES => wrong("a body without an end"),
        None => Progress::Partial { head: true },
    }
}

enum Length {
    Bytes(usize),
    Chunks,
    ToTheEnd,
}

/// The status and how the body ends.
fn head_of(head: &[u8]) -> Option<(u16, Length)> {
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let version = words.next()?;
    if version != "HTTP/1.1" && version != "HTTP/1.0" {
        return None;
    }
    let status = words.next().filter(|status| status.len() == 3)?.parse().ok()?;
    let mut length = Length::ToTheEnd;
    for line in lines {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") {
            length = Length::Bytes(value.trim().parse().ok()?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") && value.trim().eq_ignore_ascii_case("chunked") {
            return Some((status, Length::Chunks));
        }
    }
    if matches!(status, 204 | 304) {
        length = Length::Bytes(0);
    }
    Some((status, length))
}

/// The body in chunks, and how many bytes it took; none where more has to come.
fn chunks(mut bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, ()> {
    let (all, mut body) = (bytes.len(), Vec::new());
    loop {
        let Some(line_ends) = find(bytes, b"\r\n") else { return Ok(None) };
        let line = std::str::from_utf8(&bytes[..line_ends]).map_err(|_| ())?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| ())?;
        if size > MOST_BODY_BYTES {
            return Err(());
        }
        bytes = &bytes[line_ends + 2..];
        let Some(chunk) = bytes.get(..size + 2) else { return Ok(None) };
        if !chunk.ends_with(b"\r\n") {
            return Err(());
        }
        bytes = &bytes[size + 2..];
        if size == 0 {
            // Trailers are for others; ours have none.
            return Ok(Some((body, all - bytes.len())));
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// The backend's name is the first line of the body of a 200.
fn signed(status: u16, body: &[u8]) -> Result<Answered, Failed> {
    if status != 200 {
        return Err(Failed::new(FailureClass::WrongAnswer, format!("answered {status}")));
    }
    let line = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(Answered::by(String::from_utf8_lossy(&line[..line.len().min(NAME_BYTES)]).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> (usize, Result<Answered, Failed>) {
        match read(text.as_bytes(), true) {
            Progress::Whole { bytes, answer } => (bytes, answer),
            other => panic!("{text:?}: {other:?}"),
        }
    }

    fn wrong(text: &str) -> String {
        let failed = whole(text).1.expect_err(text);
        assert_eq!(failed.class, FailureClass::WrongAnswer);
        failed.text
    }

    #[test]
    fn names_are_the_first_line_of_a_200() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nshop-1\nmoreHTTP/1.1";
        assert_eq!(whole(text), (text.len() - 8, Ok(Answered::by("shop-1"))));
        let long = format!("HTTP/1.0 200 OK\r\n\r\n{}", "x".repeat(500));
        assert_eq!(whole(&long).1.expect("a name").by.map(|name| name.len()), Some(NAME_BYTES));
        assert_eq!(wrong("HTTP/1.1 503 Nobody\r\ncontent-length: 6\r\n\r\nshop-1"), "answered 503");
        assert_eq!(wrong("HTTP/1.1 204 No Content\r\n\r\n"), "answered 204");
    }

    #[test]
    fn every_beginning_of_an_answer_is_partial() {
        for text in [
            "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nshop-1",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nshop\r\n2;x=y\r\n-1\r\n0\r\n\r\n",
        ] {
            let head_ends = text.find("\r\n\r\n").expect("a head") + 4;
            for end in 0..text.len() {
                let head = end >= head_ends;
                assert_eq!(read(&text.as_bytes()[..end], true), Progress::Partial { head }, "{}", &text[..end]);
            }
            assert_eq!(whole(text), (text.len(), Ok(Answered::by("shop-1"))));
        }
    }

    #[test]
    fn without_a_length_the_end_is_the_end() {
        let text = "HTTP/1.1 200 OK\r\n\r\nshop-1";
        assert_eq!(read(text.as_bytes(), false), Progress::Partial { head: true });
        assert_eq!(whole(text), (text.len(), Ok(Answered::by("shop-1"))));
    }

    #[test]
    fn what_is_no_answer_is_a_wrong_one() {
        assert_eq!(wrong("SSH-2.0-OpenSSH\r\n\r\n"), "no HTTP answer");
        assert_eq!(wrong("HTTP/1.1 2000 OK\r\n\r\n"), "no HTTP answer");
        assert_eq!(wrong("HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n"), "no HTTP answer");
        assert_eq!(
            wrong("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
            "a body that is not what it says"
        );
        assert_eq!(wrong("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n"), "a body without an end");
        assert_eq!(wrong(&"x".repeat(MOST_HEAD_BYTES + 1)), "a head without an end");
        let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(MOST_BODY_BYTES + 1));
        assert!(matches!(read(endless.as_bytes(), false), Progress::Whole { answer: Err(_), .. }));
    }
}
