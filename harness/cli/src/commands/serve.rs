//! `grenadier serve`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{ArgAction, Args, Subcommand, ValueEnum};
use grenadier_checks::ExitCode;
use grenadier_serve::{Account, MOST_NETWORKS, Pace, ServedVSphere, VSphereOptions};
use grenadier_vsphere::Role;
use grenadier_wire::Secret;

use crate::output::{line, report};

#[derive(Debug, Subcommand)]
pub(crate) enum Serve {
    /// A vCenter: SOAP at /sdk, datastore files at /folder, uploads at /nfc
    #[command(after_help = "Examples:
  grenadier serve vsphere
  grenadier serve vsphere -l 127.0.0.1:0 --vm 20 --network management --network workload
  grenadier serve vsphere --account reader:secret:read-only --session-timeout 60

It prints one line, the URL to log in at, when it listens. docs/vsphere-coverage.md lists what it can do.")]
    Vsphere(Box<Vsphere>),
}

#[derive(Debug, Args)]
pub(crate) struct Vsphere {
    /// Where to listen; port 0 for any that is free
    #[arg(short, long, value_name = "ADDRESS", default_value = "127.0.0.1:8989")]
    pub listen: SocketAddr,
    /// Speak TLS, with a certificate made at start
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub tls: bool,
    /// The login name of the administrator
    #[arg(long, value_name = "NAME", default_value = "user")]
    pub username: String,
    /// The administrator's password
    #[arg(long, value_name = "PASSWORD", default_value = "pass")]
    pub password: String,
    /// Somebody else who may log in (more than one may be given); the role is `administrator`,
    /// `read-only` or `no-deploy`
    #[arg(long = "account", value_name = "NAME:PASSWORD:ROLE", value_parser = account)]
    pub accounts: Vec<Account>,
    /// The release it says it is
    #[arg(long = "release", value_name = "VERSION", default_value = "8.0.3", value_parser = release)]
    pub release: String,
    /// A network (more than one may be given); machines of the beginning are in the first
    #[arg(long = "network", value_name = "NAME", default_value = "VM Network")]
    pub networks: Vec<String>,
    /// How many machines there are at the beginning
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub vm: u32,
    /// Turn the machines of the beginning on
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub autostart: bool,
    /// What the host has beside what the machines of the beginning take
    #[arg(long, value_name = "CPUS:MEMORY_GIB:DISK_GIB", default_value = "64:256:4096", value_parser = capacity)]
    pub spare: grenadier_serve::Capacity,
    /// How long a session may be idle, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1_800)]
    pub session_timeout: u64,
    /// How long things take
    #[arg(long, value_enum, default_value_t = Speed::Quick)]
    pub pace: Speed,
    /// How long a client may take between two parts of a request, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 30_000, hide = true)]
    pub patience_ms: u64,
}

/// How long operations on machines take.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Speed {
    /// A tenth of a second each
    Quick,
    /// As long as in a rehearsal under the reference profile
    Reference,
}

fn account(text: &str) -> Result<Account, String> {
    let (name, rest) = text.split_once(':').ok_or("NAME:PASSWORD:ROLE is wanted")?;
    let (password, role) = rest.rsplit_once(':').ok_or("NAME:PASSWORD:ROLE is wanted")?;
    let role = match role {
        "administrator" => Role::Administrator,
        "read-only" => Role::ReadOnly,
        "no-deploy" => Role::NoDeploy,
        other => return Err(format!("`{other}` is no role: `administrator`, `read-only` or `no-deploy`")),
    };
    Ok(Account { name: name.to_owned(), password: Secret::new(password), role })
}

fn release(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('.').collect();
    let numbers = parts.iter().all(|part| part.parse::<u16>().is_ok());
    if (2..=4).contains(&parts.len()) && numbers {
        Ok(text.to_owned())
    } else {
        Err("two to four numbers, as `8.0.3`".to_owned())
    }
}

fn capacity(text: &str) -> Result<grenadier_serve::Capacity, String> {
    let wanted = || "CPUS:MEMORY_GIB:DISK_GIB is wanted, three numbers".to_owned();
    let numbers: Vec<u32> = text.split(':').map(str::parse).collect::<Result<_, _>>().map_err(|_| wanted())?;
    let [cpus, memory_gib, disk_gib] = numbers[..] else { return Err(wanted()) };
    let mib = |gib: u32| u64::from(gib) << 10;
    Ok(grenadier_serve::Capacity { cpus, memory_mib: mib(memory_gib), storage_mib: mib(disk_gib) })
}

pub(crate) fn run(serve: &Serve) -> ExitCode {
    let Serve::Vsphere(vsphere) = serve;
    if vsphere.networks.len() > MOST_NETWORKS {
        crate::output::complain(&format!("error: there can be {MOST_NETWORKS} networks at most\n"));
        return ExitCode::Input;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(ExitCode::Environment, &error, None),
    };
    let options = vsphere.options();
    runtime.block_on(async {
        let served = match ServedVSphere::start(&options).await {
            Ok(served) => served,
            Err(error) => {
                let hint = "`--listen 127.0.0.1:0` takes any port that is free";
                return report(ExitCode::Environment, &error, Some(hint));
            }
        };
        let stop = match interrupted() {
            Ok(stop) => stop,
            Err(error) => return report(ExitCode::Environment, &error, None),
        };
        line(&served.url());
        match served.run(stop).await {
            Ok(()) => ExitCode::Passed,
            Err(error) => report(ExitCode::Environment, &error, None),
        }
    })
}

/// Ready when somebody asks this process to stop, which is how it is meant to end.
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        let (asked, told) = (std::pin::pin!(interrupt.recv()), std::pin::pin!(terminate.recv()));
        futures_util::future::select(asked, told).await;
    })
}

impl Vsphere {
    fn options(&self) -> VSphereOptions {
        let administrator = Account {
            name: self.username.clone(),
            password: Secret::new(self.password.as_str()),
            role: Role::Administrator,
        };
        VSphereOptions {
            listen: self.listen,
            tls: self.tls,
            version: self.release.clone(),
            accounts: std::iter::once(administrator).chain(self.accounts.iter().cloned()).collect(),
            networks: self.networks.clone(),
            machines: self.vm,
            powered_on: self.autostart,
            spare: self.spare,
            session_timeout: Duration::from_secs(self.session_timeout),
            pace: match self.pace {
                Speed::Quick => Pace::Quick,
                Speed::Reference => Pace::Reference,
            },
            patience: Duration::from_millis(self.patience_ms),
        }
    }
}
