//! Texts that were once found right, and are kept in files.

use std::fs;
use std::io;
use std::path::PathBuf;

/// The variable that makes a comparison write the file instead.
const BLESS: &str = "GRENADIER_BLESS";

/// A text kept in `tests/golden/`.
#[derive(Clone, Debug)]
pub struct Golden {
    path: PathBuf,
}

/// Why a text is not the golden one. It reads as a report.
#[derive(Debug)]
pub struct GoldenError(String);

impl std::fmt::Display for GoldenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for GoldenError {}

impl Golden {
    /// The text kept under this file name.
    pub fn named(name: &str) -> Golden {
        Golden { path: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name) }
    }

    /// Compares `text` with what is kept. With `GRENADIER_BLESS=1` in the environment it is kept instead.
    ///
    /// # Errors
    /// The lines around the first difference, and how to accept it.
    pub fn check(&self, text: &str) -> Result<(), GoldenError> {
        if std::env::var_os(BLESS).is_some() {
            return fs::write(&self.path, text).map_err(|error| self.broken("write", &error));
        }
        let kept = match fs::read_to_string(&self.path) {
            Ok(kept) => kept,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(self.broken("read", &error)),
        };
        if kept == text { Ok(()) } else { Err(self.differs(&kept, text)) }
    }

    fn broken(&self, what: &str, error: &io::Error) -> GoldenError {
        GoldenError(format!("failed to {what} {}: {error}", self.path.display()))
    }

    fn differs(&self, kept: &str, text: &str) -> GoldenError {
        let (kept, now): (Vec<&str>, Vec<&str>) = (kept.lines().collect(), text.lines().collect());
        let first = kept.iter().zip(&now).take_while(|(kept, now)| kept == now).count();
        let show = |mark: &str, lines: &[&str]| -> String {
            lines.iter().skip(first).take(8).map(|line| format!("{mark} {line}\n")).collect()
        };
        let before: String = kept[first.saturating_sub(2)..first].iter().map(|line| format!("  {line}\n")).collect();
        GoldenError(format!(
            "{} differs from line {}:\n{before}{}{}({} lines are kept, {} came; `{BLESS}=1 cargo test -p grenadier-tests` \
             keeps what came)",
            self.path.display(),
            first + 1,
            show("-", &kept),
            show("+", &now),
            kept.len(),
            now.len(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_shown_where_it_begins() {
        let golden = Golden::named("nothing.txt");
        let report = golden.differs("a\nb\nc\nd\n", "a\nb\nc\nx\n").to_string();
        assert!(report.contains("differs from line 4:\n  b\n  c\n- d\n+ x\n(4 lines are kept, 4 came"), "{report}");
    }
}
