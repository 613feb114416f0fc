//! What the appliance needs of HAProxy.

use grenadier_guest::{Host, TimerKey};
use serde_json::Value;

/// HAProxy as its systemd unit controls it. It reads `/etc/haproxy/haproxy.cfg` through the host.
pub trait HaproxyProcess: Clone + Send + 'static {
    /// Checks a configuration (`haproxy -c -f`). `file` is the name to use in messages.
    ///
    /// # Errors
    /// It is not valid; the text is what HAProxy writes to standard error.
    fn validate(&self, config: &str, file: &str, host: &mut dyn Host) -> Result<(), String>;

    /// Starts master and workers with the configuration in its file.
    ///
    /// # Errors
    /// It did not come up; the text is what it wrote. Nothing runs then.
    fn start(&mut self, host: &mut dyn Host) -> Result<(), String>;

    /// What `systemctl reload haproxy` does: check, then tell the master to start new workers. Success means that the check
    /// passed, *not* that the new workers could bind.
    ///
    /// # Errors
    /// The check failed or nothing runs; the old workers go on.
    fn reload(&mut self, host: &mut dyn Host) -> Result<(), String>;

    /// Stops it.
    fn stop(&mut self, host: &mut dyn Host);

    /// SIGKILL for each of its processes. HAProxy is started to end as a whole when one of them dies, and systemd ends what is
    /// left of a service whose main process has ended (`KillMode=mixed`).
    fn kill(&mut self, host: &mut dyn Host);

    /// Whether it runs.
    fn running(&self) -> bool;

    /// One of the guest's timers that is not the appliance's own went off. The appliance asks afterwards whether HAProxy still
    /// runs.
    fn timer(&mut self, key: TimerKey, host: &mut dyn Host);

    /// What `haproxy -vv` prints.
    fn version(&self) -> String;

    /// What the *running* workers have, for captures: `running`, `version`, `paused` (listeners are closed while new workers try to bind),
    /// `config` (the hash of the file they have loaded), `routes` (frontend, address, port, backend, certificate, the servers
    /// that get connections) and `servers` by backend and name, each with `address` and `state`
    /// ([`server_state`](crate::server_state)). No counters: two looks at a HAProxy in which nothing changed are alike.
    fn state(&self) -> Value;
}
