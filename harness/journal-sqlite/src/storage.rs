//! The storage.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use grenadier_engine::{Storage, StorageError};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use crate::errors::{DAMAGED, about, translated};

/// "Gren": by which a file is recognised (`PRAGMA application_id`).
const APPLICATION: i32 = 0x4772_656e;

/// The version of the table's form (`PRAGMA user_version`).
const FORMAT: i32 = 1;

/// A journal's bytes in a SQLite file: one table, one row for each append.
///
/// An append has returned when it is on the disk (`synchronous=EXTRA`, which is `FULL` and the folder's entry too, in rollback
/// mode). The file is locked as long as this lives, so that no two engines work with one journal; a process that was killed
/// holds no lock. The file is readable for its owner alone.
#[derive(Debug)]
pub struct SqliteStorage {
    connection: Connection,
    file: PathBuf,
    /// The number of the row that comes next.
    next: i64,
}

impl SqliteStorage {
    /// Opens the journal in `file`, or begins one where there is no such file or an empty one.
    ///
    /// # Errors
    /// It is locked, no journal, damaged, of a newer format, or cannot be written. The error names the file and says what to do.
    pub fn open(file: &Path) -> Result<SqliteStorage, StorageError> {
        let broken = |error: &std::io::Error| {
            let hint = "check that its folder exists and that both may be written by this user";
            about(file, &format!("it cannot be opened for writing ({error})"), hint)
        };
        create(file).map_err(|error| broken(&error))?;
        let wrong = |error: rusqlite::Error| translated(file, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags).map_err(wrong)?;
        let modes = "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA;
                     PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; BEGIN EXCLUSIVE; COMMIT;";
        connection.execute_batch(modes).map_err(wrong)?;
        let mut storage = SqliteStorage { connection, file: file.to_owned(), next: 1 };
        storage.recognise()?;
        storage.examine()?;
        storage.next = storage.rows()?.len() as i64 + 1;
        Ok(storage)
    }

    /// Sees that this is a journal, or makes one of an empty file.
    fn recognise(&self) -> Result<(), StorageError> {
        let number = |pragma: &str| {
            let row = self.connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i32>(0));
            row.map_err(|error| translated(&self.file, &error))
        };
        let (application, format) = (number("application_id")?, number("user_version")?);
        let tables = "SELECT name FROM sqlite_schema LIMIT 1";
        let table = self.connection.query_row(tables, [], |row| row.get::<_, String>(0)).optional();
        let table = table.map_err(|error| translated(&self.file, &error))?;
        match (application, format, table.as_deref()) {
            (APPLICATION, FORMAT, Some("journal")) => Ok(()),
            (APPLICATION, newer, _) if newer > FORMAT => {
                let what = format!("its format is {newer}, and this engine writes format {FORMAT}");
                Err(about(&self.file, &what, "go on with the version of grenadier that began it"))
            }
            (0, 0, None) => {
                let make = format!(
                    "BEGIN; CREATE TABLE journal (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
                     PRAGMA application_id={APPLICATION}; PRAGMA user_version={FORMAT}; COMMIT;"
                );
                self.connection.execute_batch(&make).map_err(|error| translated(&self.file, &error))
            }
            (APPLICATION, ..) => Err(about(&self.file, "it has no journal's table", DAMAGED)),
            _ => {
                let hint = "name the journal's file, or one that does not exist yet";
                Err(about(&self.file, "it is the database of another program", hint))
            }
        }
    }

    /// Sees that the file's own bookkeeping is whole: one that can be read may still be one that a write would break.
    fn examine(&self) -> Result<(), StorageError> {
        let row = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        match row.map_err(|error| translated(&self.file, &error))?.as_str() {
            "ok" => Ok(()),
            found => Err(about(&self.file, &format!("it is damaged ({found})"), DAMAGED)),
        }
    }

    /// The rows' bytes, in order.
    fn rows(&self) -> Result<Vec<Vec<u8>>, StorageError> {
        let wrong = |error: rusqlite::Error| translated(&self.file, &error);
        let mut query = self.connection.prepare("SELECT number, bytes FROM journal ORDER BY number").map_err(wrong)?;
        let rows = query.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))).map_err(wrong)?;
        let mut all = Vec::new();
        for row in rows {
            let (number, bytes) = row.map_err(wrong)?;
            let expected = all.len() as i64 + 1;
            if number != expected {
                let what = format!("row {expected} is missing: the next one is {number}");
                return Err(about(&self.file, &what, DAMAGED));
            }
            all.push(bytes);
        }
        Ok(all)
    }

    fn cut(&mut self, length: usize) -> rusqlite::Result<i64> {
        let cut = self.connection.transaction()?;
        let mut next = 1;
        let mut before = 0;
        {
            let mut query = cut.prepare("SELECT number, length(bytes) FROM journal ORDER BY number")?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let (number, size) = (row.get::<_, i64>(0)?, row.get::<_, u32>(1)? as usize);
                let keep = length.saturating_sub(before);
                if keep == 0 {
                    break;
                }
                if keep < size {
                    let shorten = "UPDATE journal SET bytes = substr(bytes, 1, ?2) WHERE number = ?1";
                    cut.execute(shorten, params![number, keep as i64])?;
                }
                next = number + 1;
                before += size;
            }
        }
        cut.execute("DELETE FROM journal WHERE number >= ?1", params![next])?;
        cut.commit()?;
        Ok(next)
    }
}

/// Makes the file, for its owner alone, where it is not there, and has its folder remember it.
fn create(file: &Path) -> std::io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(_) => {
            let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

impl Storage for SqliteStorage {
    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let row = "INSERT INTO journal (number, bytes) VALUES (?1, ?2)";
        let done = self.connection.execute(row, params![self.next, bytes]);
        done.map_err(|error| translated(&self.file, &error))?;
        self.next += 1;
        Ok(())
    }

    fn read(&self) -> Result<Vec<u8>, StorageError> {
        Ok(self.rows()?.concat())
    }

    fn truncate(&mut self, length: usize) -> Result<(), StorageError> {
        self.next = self.cut(length).map_err(|error| translated(&self.file, &error))?;
        Ok(())
    }
}
