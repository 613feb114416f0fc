//! Transactions: copies of the configuration, each in a file of its own (client-native `configuration/transaction.go`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{Document, Environment, Settings};

/// How far a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    InProgress,
    /// Its commit was refused.
    Failed,
    /// Another one was committed first.
    Outdated,
}

impl Status {
    const ALL: [Status; 3] = [Status::InProgress, Status::Failed, Status::Outdated];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Status::InProgress => "in_progress",
            Status::Failed => "failed",
            Status::Outdated => "outdated",
        }
    }

    /// Where its file lives below the transaction directory.
    const fn folder(self) -> &'static str {
        match self {
            Status::InProgress => "",
            Status::Failed => "failed/",
            Status::Outdated => "outdated/",
        }
    }
}

/// One transaction.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    pub(super) status: Status,
    pub(super) document: Document,
}

impl Transaction {
    pub(super) fn json(&self, id: &str) -> Value {
        describe(id, self.document.version(), self.status.name())
    }
}

/// A transaction as requests see it.
pub(super) fn describe(id: &str, version: u64, status: &str) -> Value {
    json!({"_version": version, "id": id, "status": status})
}

/// All transactions that were not committed or deleted.
#[derive(Clone, Debug)]
pub(super) struct Transactions {
    directory: String,
    file_prefix: String,
    entries: BTreeMap<String, Transaction>,
}

impl Transactions {
    /// The transactions whose files are there: they survive a restart of the service.
    pub(super) fn load(settings: &Settings, env: &dyn Environment) -> Transactions {
        let name = settings.config_file.rsplit('/').next().unwrap_or_default();
        let directory = settings.transaction_dir.trim_end_matches('/').to_owned();
        let mut transactions = Transactions { directory, file_prefix: format!("{name}."), entries: BTreeMap::new() };
        for path in env.list(&transactions.directory) {
            let below = path.strip_prefix(&transactions.directory).unwrap_or_default().trim_start_matches('/');
            let (folder, file) = below.rsplit_once('/').unwrap_or(("", below));
            let status = Status::ALL.into_iter().find(|status| status.folder().trim_end_matches('/') == folder);
            let (Some(status), Some(id)) = (status, file.strip_prefix(&transactions.file_prefix)) else { continue };
            let content = env.read(&path).unwrap_or_default();
            let document = Document::parse(&String::from_utf8_lossy(&content));
            transactions.entries.insert(id.to_owned(), Transaction { status, document });
        }
        transactions
    }

    fn path(&self, id: &str, status: Status) -> String {
        format!("{}/{}{}{id}", self.directory, status.folder(), self.file_prefix)
    }

    pub(super) fn get(&self, id: &str) -> Option<&Transaction> {
        self.entries.get(id)
    }

    /// The configuration of a transaction in progress.
    pub(super) fn document(&self, id: &str) -> Option<&Document> {
        self.entries.get(id).filter(|entry| entry.status == Status::InProgress).map(|entry| &entry.document)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Transaction)> {
        self.entries.iter().map(|(id, entry)| (id.as_str(), entry))
    }

    pub(super) fn open(&self) -> usize {
        self.entries.values().filter(|entry| entry.status == Status::InProgress).count()
    }

    /// Stores the configuration of a transaction in progress, a new one or a changed one.
    pub(super) fn save(&mut self, id: &str, document: Document, env: &mut dyn Environment) -> Result<(), String> {
        env.write(&self.path(id, Status::InProgress), document.text().into())?;
        self.entries.insert(id.to_owned(), Transaction { status: Status::InProgress, document });
        Ok(())
    }

    /// Moves a transaction aside. A file that cannot be moved is removed.
    pub(super) fn set_aside(&mut self, id: &str, document: Document, status: Status, env: &mut dyn Environment) {
        env.remove(&self.path(id, Status::InProgress));
        if let Err(error) = env.write(&self.path(id, status), document.text().into()) {
            env.log(format!("cannot keep {} transaction {id}: {error}", status.name()));
        }
        self.entries.insert(id.to_owned(), Transaction { status, document });
    }

    /// Removes a transaction; whether there was one.
    pub(super) fn remove(&mut self, id: &str, env: &mut dyn Environment) -> bool {
        let Some(entry) = self.entries.remove(id) else { return false };
        env.remove(&self.path(id, entry.status));
        true
    }

    /// Sets aside the transactions that are based on `version` or an older one.
    pub(super) fn outdate(&mut self, version: u64, env: &mut dyn Environment) {
        let stale = |entry: &Transaction| entry.status == Status::InProgress && entry.document.version() <= version;
        let ids: Vec<String> = self.iter().filter(|(_, entry)| stale(entry)).map(|(id, _)| id.to_owned()).collect();
        for id in ids {
            let document = self.entries[&id].document.clone();
            self.set_aside(&id, document, Status::Outdated, env);
        }
    }
}
