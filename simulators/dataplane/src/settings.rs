//! What the Data Plane API is started with.

use std::time::Duration;

use crate::Generation;

/// What the Data Plane API is started with: its command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which generation it is.
    pub generation: Generation,
    /// `--config-file`.
    pub config_file: String,
    /// `--transaction-dir`. Open transactions live here as files and survive a restart of the service.
    pub transaction_dir: String,
    /// `--userlist`: the section of the configuration that holds its users.
    pub userlist: String,
    /// `--reload-delay`: all changes within one such window share one reload.
    pub reload_delay: Duration,
    /// `--max-open-transactions`, for generations that limit them.
    pub max_open_transactions: usize,
    /// Days between 1970-01-01 and the day the run begins, for the dates in reload ids.
    pub epoch_days: u64,
    /// Whether it commits what was based on another version: a fault, by which tests prove that they notice.
    #[cfg(feature = "mutants")]
    pub ignores_versions: bool,
}

impl Default for Settings {
    /// The appliance's values; a run begins on 2026-01-01.
    fn default() -> Settings {
        Settings {
            generation: Generation::APPLIANCE,
            config_file: "/etc/haproxy/haproxy.cfg".to_owned(),
            transaction_dir: "/tmp/haproxy".to_owned(),
            userlist: "controller".to_owned(),
            reload_delay: Duration::from_secs(30),
            max_open_transactions: 20,
            epoch_days: 20_454,
            #[cfg(feature = "mutants")]
            ignores_versions: false,
        }
    }
}
