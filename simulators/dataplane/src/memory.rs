//! An environment for those who judge the service alone: mutants, property tests, fuzzers.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::Environment;

/// An environment in memory, in which everything works.
#[derive(Debug, Default)]
pub struct Memory {
    /// The files, by path.
    pub files: BTreeMap<String, Bytes>,
    ids: u32,
}

impl Environment for Memory {
    fn read(&self, path: &str) -> Option<Bytes> {
        self.files.get(path).cloned()
    }

    fn write(&mut self, path: &str, content: Bytes) -> Result<(), String> {
        self.files.insert(path.to_owned(), content);
        Ok(())
    }

    fn remove(&mut self, path: &str) -> bool {
        self.files.remove(path).is_some()
    }

    fn list(&self, directory: &str) -> Vec<String> {
        self.files.keys().filter(|path| path.starts_with(&format!("{directory}/"))).cloned().collect()
    }

    fn validate(&mut self, _config: &str) -> Result<(), String> {
        Ok(())
    }

    fn reload(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn restart(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn timer(&mut self, _after: Duration) {}

    fn uuid(&mut self) -> String {
        self.ids += 1;
        format!("t{}", self.ids)
    }

    fn log(&mut self, _line: String) {}
}
