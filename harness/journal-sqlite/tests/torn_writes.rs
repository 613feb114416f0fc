//! What a crash, a bad disk or a wrong path does to a journal: one suite for every storage.
//!
//! Whatever happened to the bytes, a journal that opens shows the first records as they were written, and goes on behind them.

use std::fs;
use std::path::PathBuf;

use grenadier_engine::{Journal, JournalError, MemoryStorage, Record, Storage as _};
use grenadier_events::StepVerb;
use grenadier_journal_sqlite::SqliteStorage;
use serde_json::json;
use tempfile::TempDir;

/// Where a journal's bytes are, and how to get at them behind its back.
trait Medium {
    fn open(&self) -> Result<Journal, JournalError>;
    /// The bytes on the medium, while nobody works with the journal.
    fn bytes(&self) -> Vec<u8>;
    /// Puts other bytes in their place.
    fn replace(&self, bytes: &[u8]);
}

struct Memory(MemoryStorage);

impl Medium for Memory {
    fn open(&self) -> Result<Journal, JournalError> {
        Journal::open(Box::new(self.0.clone()))
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.read().unwrap()
    }

    fn replace(&self, bytes: &[u8]) {
        self.0.clone().truncate(0).unwrap();
        self.0.clone().append(bytes).unwrap();
    }
}

struct Sqlite(TempDir);

impl Sqlite {
    fn new() -> Sqlite {
        Sqlite(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("upgrade.journal")
    }

    /// Changes the file with SQLite itself.
    fn sql(&self, statements: &str) {
        rusqlite::Connection::open(self.file()).unwrap().execute_batch(statements).unwrap();
    }
}

impl Medium for Sqlite {
    fn open(&self) -> Result<Journal, JournalError> {
        Journal::open(Box::new(SqliteStorage::open(&self.file())?))
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.file()).unwrap()
    }

    fn replace(&self, bytes: &[u8]) {
        fs::write(self.file(), bytes).unwrap();
    }
}

fn media() -> [Box<dyn Medium>; 2] {
    [Box::new(Memory(MemoryStorage::default())), Box::new(Sqlite::new())]
}

/// Writes a few records, and gives them back.
fn written(medium: &dyn Medium) -> Vec<Record> {
    let mut journal = medium.open().unwrap();
    for step in ["look", "deploy", "swap"] {
        journal.intent(step, StepVerb::Apply, "key").unwrap();
        journal.done(step, StepVerb::Apply, json!({"found": "x".repeat(200)})).unwrap();
    }
    journal.records().to_vec()
}

/// The journal opens with the first records and can be gone on with, or does not open. How many records it has then.
fn whole(medium: &dyn Medium, records: &[Record], what: &str) -> Option<usize> {
    let mut journal = match medium.open() {
        Ok(journal) => journal,
        Err(error) => {
            assert!(error.to_string().len() > 40, "{what}: {error}");
            return None;
        }
    };
    let found = journal.records().to_vec();
    assert_eq!(found[..], records[..found.len().min(records.len())], "{what}");
    journal.intent("next", StepVerb::Apply, "key").unwrap();
    let written = journal.records().to_vec();
    drop(journal);
    assert_eq!(medium.open().unwrap().records(), written, "{what}");
    Some(found.len())
}

#[test]
fn what_was_written_is_there_after_the_process() {
    for medium in media() {
        let records = written(medium.as_ref());
        assert_eq!(whole(medium.as_ref(), &records, "untouched"), Some(6));
    }
}

#[test]
fn a_file_cut_anywhere_has_its_first_records_or_does_not_open() {
    for (medium, step) in media().into_iter().zip([1, 11]) {
        let records = written(medium.as_ref());
        let bytes = medium.bytes();
        let mut most = 0;
        for length in (0..bytes.len()).step_by(step) {
            medium.replace(&bytes[..length]);
            most = most.max(whole(medium.as_ref(), &records, &format!("cut at {length}")).unwrap_or_default());
        }
        assert!(most < 6, "a cut file cannot have all");
    }
}

#[test]
fn a_flipped_bit_never_makes_another_record() {
    for (medium, step) in media().into_iter().zip([1, 11]) {
        let records = written(medium.as_ref());
        let bytes = medium.bytes();
        let mut refused = 0;
        for at in (0..bytes.len()).step_by(step) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            medium.replace(&flipped);
            refused += u32::from(whole(medium.as_ref(), &records, &format!("bit of byte {at}")).is_none());
        }
        assert!(refused > 10, "only {refused} flips were noticed");
    }
}

#[test]
fn a_write_that_is_there_in_half_is_cut_off() {
    let memory = Memory(MemoryStorage::default());
    let records = written(&memory);
    let bytes = memory.bytes();
    memory.replace(&bytes[..bytes.len() - 150]);
    assert_eq!(whole(&memory, &records, "memory"), Some(5));

    let sqlite = Sqlite::new();
    let records = written(&sqlite);
    sqlite.sql("UPDATE journal SET bytes = substr(bytes, 1, length(bytes) - 150) WHERE number = 6");
    assert_eq!(whole(&sqlite, &records, "SQLite"), Some(5));
}

#[test]
fn a_write_that_is_missing_among_others_is_noticed() {
    let memory = Memory(MemoryStorage::default());
    written(&memory);
    let bytes = memory.bytes();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    memory.replace(&[lines[0], lines[1], lines[3], lines[4], lines[5]].concat());
    let error = memory.open().err().unwrap().to_string();
    assert!(error.contains("record 3"), "{error}");

    for missing in [1, 3, 5] {
        let sqlite = Sqlite::new();
        written(&sqlite);
        sqlite.sql(&format!("DELETE FROM journal WHERE number = {missing}"));
        let error = sqlite.open().err().unwrap().to_string();
        let (file, what) = (sqlite.file().display().to_string(), format!("row {missing} is missing"));
        assert!(error.contains(&file) && error.contains(&what) && error.contains("keep a copy"), "{error}");
    }
}

#[test]
fn a_cut_in_the_middle_of_a_row_and_between_rows_is_made() {
    for cut in [0, 1, 10, 100, 250, 251, 600] {
        let (mut memory, sqlite) = (MemoryStorage::default(), Sqlite::new());
        let mut storage = SqliteStorage::open(&sqlite.file()).unwrap();
        for row in [vec![1; 10], vec![2; 240], vec![3; 1], vec![4; 100]] {
            storage.append(&row).unwrap();
            memory.append(&row).unwrap();
        }
        storage.truncate(cut).unwrap();
        memory.truncate(cut).unwrap();
        storage.append(b"next").unwrap();
        memory.append(b"next").unwrap();
        drop(storage);
        let storage = SqliteStorage::open(&sqlite.file()).unwrap();
        assert_eq!(storage.read().unwrap(), memory.read().unwrap(), "cut at {cut}");
    }
}

/// What opening says.
fn refusal(sqlite: &Sqlite) -> String {
    let error = sqlite.open().err().unwrap().to_string();
    assert!(error.contains(&sqlite.file().display().to_string()), "it names the file: {error}");
    error
}

#[test]
fn what_is_no_journal_is_left_alone() {
    for (medium, content) in media().into_iter().zip(["dear diary\ntoday\n", &"dear diary\n".repeat(100)]) {
        medium.replace(content.as_bytes());
        let error = medium.open().err().unwrap().to_string();
        assert!(error.contains("checksum") || error.contains("it is no journal"), "{error}");
        assert_eq!(medium.bytes(), content.as_bytes());
    }
    let sqlite = Sqlite::new();
    sqlite.sql("CREATE TABLE diary (day TEXT)");
    let bytes = sqlite.bytes();
    assert!(refusal(&sqlite).contains("another program"));
    assert_eq!(sqlite.bytes(), bytes);

    let sqlite = Sqlite::new();
    fs::create_dir(sqlite.file()).unwrap();
    assert!(refusal(&sqlite).contains("cannot be opened for writing"));
    let nowhere = SqliteStorage::open(&sqlite.0.path().join("no/journal")).unwrap_err().to_string();
    assert!(nowhere.contains("check that its folder exists"), "{nowhere}");
}

#[test]
fn a_newer_format_is_named_and_left_alone() {
    let sqlite = Sqlite::new();
    written(&sqlite);
    sqlite.sql("PRAGMA user_version=2");
    let bytes = sqlite.bytes();
    let error = refusal(&sqlite);
    assert!(error.contains("its format is 2") && error.contains("version of grenadier that began it"), "{error}");
    assert_eq!(sqlite.bytes(), bytes);
}

#[test]
fn one_engine_at_a_time_works_with_a_journal() {
    let sqlite = Sqlite::new();
    let records = written(&sqlite);
    let journal = sqlite.open().unwrap();
    let error = refusal(&sqlite);
    assert!(error.contains("another engine is at work") && error.contains("wait until"), "{error}");
    drop(journal);
    assert_eq!(sqlite.open().unwrap().records(), records);
}

#[test]
fn a_journal_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let sqlite = Sqlite::new();
    written(&sqlite);
    assert_eq!(fs::metadata(sqlite.file()).unwrap().permissions().mode() & 0o777, 0o600);
}
