//! A served vCenter.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use grenadier_carriers::{Handler, Limits, TlsError, TlsIdentity, serve_within};
use grenadier_clock::{Seed, TieBreak, Time};
use grenadier_events::EventLog;
use grenadier_fidelity::Ledger;
use grenadier_fleet::{DiskImage, Hardware, Host, ImageHeader, Operation, TimingProfile};
use grenadier_fleet_virtual::{VirtualWorld, WorldConfig};
use grenadier_haproxy_appliance::BootTiming;
use grenadier_vsphere::{NewMachine, Role, User, VSphere, VSphereConfig};
use grenadier_wire::Secret;
use thiserror::Error;
use tokio::net::TcpListener;

use crate::real_time::RealTime;
use crate::{guest, identity, networks};

/// How long operations on machines take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// A tenth of a second each: for test suites.
    #[default]
    Quick,
    /// As long as in a rehearsal under the reference profile: seconds.
    Reference,
}

/// Somebody who may log in.
#[derive(Clone, Debug)]
pub struct Account {
    /// The login name.
    pub name: String,
    /// The password.
    pub password: Secret,
    /// What it may do.
    pub role: Role,
}

/// What a served vCenter is made from.
#[derive(Clone, Debug)]
pub struct VSphereOptions {
    /// Where it listens; port 0 for any that is free.
    pub listen: SocketAddr,
    /// Whether it speaks TLS, with a certificate made at start.
    pub tls: bool,
    /// The release it says it is: `8.0.3`.
    pub version: String,
    /// Who may log in. The URL names the first.
    pub accounts: Vec<Account>,
    /// The names of its networks.
    pub networks: Vec<String>,
    /// How many machines are there at the beginning, each in the first network.
    pub machines: u32,
    /// Whether those machines are on.
    pub powered_on: bool,
    /// What its host has beside what the machines of the beginning take.
    pub spare: Host,
    /// How long a session may be idle.
    pub session_timeout: Duration,
    /// How long things take.
    pub pace: Pace,
    /// How long a client may take for a TLS handshake, and between two parts of a request's body.
    pub patience: Duration,
}

impl Default for VSphereOptions {
    fn default() -> VSphereOptions {
        let account = Account { name: "user".to_owned(), password: Secret::new("pass"), role: Role::Administrator };
        VSphereOptions {
            listen: SocketAddr::from(([127, 0, 0, 1], 8989)),
            tls: true,
            version: "8.0.3".to_owned(),
            accounts: vec![account],
            networks: vec!["VM Network".to_owned()],
            machines: 2,
            powered_on: true,
            spare: Host { cpus: 64, memory_mib: 256 << 10, storage_mib: 4 << 20 },
            session_timeout: Duration::from_secs(30 * 60),
            pace: Pace::Quick,
            patience: Duration::from_secs(30),
        }
    }
}

/// Why a vCenter cannot be served.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("listen on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificate could not be made.
    #[error("make the listener's certificate")]
    Certificate(#[from] TlsError),
}

/// A vCenter that listens; it answers while [`ServedVSphere::run`] runs.
pub struct ServedVSphere {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsIdentity>,
    world: RealTime,
    user: String,
    password: Secret,
    patience: Duration,
}

/// A machine of the beginning.
const MACHINE: Hardware = Hardware { cpus: 1, memory_mib: 1_024 };
const MACHINE_DISK_MIB: u64 = 10_240;

impl ServedVSphere {
    /// Opens the listener, then makes the inventory.
    ///
    /// # Errors
    /// The address is taken or not this machine's.
    ///
    /// # Panics
    /// Where the options name more networks than [`crate::MOST_NETWORKS`], or nobody who may log in.
    pub async fn start(options: &VSphereOptions) -> Result<ServedVSphere, ServeError> {
        let refused = |source| ServeError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let tls = options.tls.then(|| identity::self_signed(address.ip())).transpose()?;
        let first = options.accounts.first().expect("somebody may log in");
        let (user, password) = (first.name.clone(), first.password.clone());
        let world = RealTime::start(world(options), address.to_string());
        Ok(ServedVSphere { listener, address, tls, world, user, password, patience: options.patience })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where clients log in, with name and password: what govc takes as `GOVC_URL`.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let (user, password) = (encoded(&self.user), encoded(self.password.reveal()));
        format!("{scheme}://{user}:{password}@{}/sdk", self.address)
    }

    /// Answers clients until `stop` is ready.
    ///
    /// # Errors
    /// Connections can no longer be accepted.
    pub async fn run(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let driving = tokio::spawn(self.world.clone().drive());
        let handler: Arc<dyn Handler> = Arc::new(self.world);
        let serving = std::pin::pin!(serve_within(self.listener, self.tls, handler, limits(self.patience)));
        let stop = std::pin::pin!(stop);
        let ended = futures_util::future::select(serving, stop).await;
        driving.abort();
        match ended {
            futures_util::future::Either::Left((Err(error), _)) => Err(error),
            futures_util::future::Either::Right(_) => Ok(()),
        }
    }
}

/// The largest SOAP request, in bytes: an OVF descriptor in it is far smaller.
const MOST_SOAP_BYTES: usize = 16 << 20;
/// The largest upload, in bytes.
const MOST_UPLOAD_BYTES: usize = 256 << 20;
/// All uploads that are kept and all that are being read, each, in bytes: they are in memory.
const MOST_STORED_BYTES: usize = 1 << 30;
/// How many clients are served at once.
const MOST_CONNECTIONS: usize = 4_096;
/// How long a connection may be idle: a little longer than pyVmomi keeps one to use again (15 minutes).
const IDLE: Duration = Duration::from_secs(16 * 60);

fn limits(patience: Duration) -> Limits {
    let body_bytes = |path: &str| if path.starts_with("/sdk") { MOST_SOAP_BYTES } else { MOST_UPLOAD_BYTES };
    Limits { body_bytes, all_bodies_bytes: MOST_STORED_BYTES, connections: MOST_CONNECTIONS, patience, idle: IDLE }
}

/// A part of a URL in front of the host: everything but letters, digits and `-._~` is escaped (RFC 3986).
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let each = text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    each.collect()
}

fn timing(pace: Pace) -> (TimingProfile, BootTiming) {
    let reference = TimingProfile::reference();
    // Real connections bring their own time.
    let exchange = Duration::ZERO;
    match pace {
        Pace::Reference => (TimingProfile { exchange, ..reference }, BootTiming::reference()),
        Pace::Quick => {
            let short = Duration::from_millis(100);
            let quick = TimingProfile {
                name: "quick",
                create: short,
                destroy: short,
                power_on: short,
                power_off: short,
                firmware: Duration::from_millis(10),
                reconfigure: short,
                snapshot: short,
                revert: short,
                remove_snapshot: short,
                exchange,
                ..reference
            };
            (quick, BootTiming::immediate())
        }
    }
}

/// The vCenter above its fleet, with the machines of the beginning.
fn world(options: &VSphereOptions) -> VirtualWorld {
    let seed = Seed(u64::from(std::process::id()));
    let segments = networks::segments(&options.networks);
    let (timing, boot) = timing(options.pace);
    let count = options.machines;
    let host = Host {
        cpus: options.spare.cpus.saturating_add(MACHINE.cpus.saturating_mul(count)),
        memory_mib: options.spare.memory_mib + MACHINE.memory_mib * u64::from(count),
        storage_mib: options.spare.storage_mib + MACHINE_DISK_MIB * u64::from(count),
    };
    let world = VirtualWorld::new(WorldConfig {
        host,
        segments: segments.clone(),
        timing,
        seed,
        ties: TieBreak::default(),
        cloud_endpoint: String::new(),
        guests: guest::factory(segments, seed, boot),
        log: EventLog::forgetful(),
        ledger: Ledger::default(),
    });
    let scheme = if options.tls { "https" } else { "http" };
    let mut vcenter = VSphere::new(VSphereConfig {
        users: options.accounts.iter().map(user).collect(),
        networks: options.networks.clone(),
        session_timeout: options.session_timeout,
        stored_bytes: MOST_STORED_BYTES as u64,
        upload_base: format!("{scheme}://*"),
        ..VSphereConfig::new(options.version.clone(), seed)
    });
    let machines: Vec<NewMachine> = (0..count).map(|number| machine(options, number)).collect();
    let ids = world.administer(|host| {
        let specs = vcenter.machine_specs(&machines, host);
        specs.into_iter().map(|spec| host.fleet().submit_create(spec).0).collect::<Vec<_>>()
    });
    world.host_cloud(Box::new(vcenter));
    world.advance_to(Time::ZERO + Duration::from_secs(60));
    if options.powered_on {
        world.administer(|host| {
            for machine in ids {
                host.fleet().submit(Operation::PowerOn { machine });
            }
        });
    }
    world
}

fn user(account: &Account) -> User {
    User {
        name: account.name.clone(),
        password: account.password.clone(),
        role: account.role,
        missing_privileges: Default::default(),
    }
}

/// A machine named as vcsim names those of a pool.
fn machine(options: &VSphereOptions, number: u32) -> NewMachine {
    let header = ImageHeader {
        product: guest::LINUX.to_owned(),
        version: "1".to_owned(),
        container: String::new(),
        facts: Default::default(),
        payload_bytes: 0,
    };
    let bytes: Bytes = header.encode();
    NewMachine {
        name: format!("DC0_C0_RP0_VM{number}"),
        hardware: MACHINE,
        disk_mib: MACHINE_DISK_MIB,
        image: Some(Arc::new(DiskImage { header, bytes })),
        networks: options.networks.first().cloned().into_iter().collect(),
    }
}
