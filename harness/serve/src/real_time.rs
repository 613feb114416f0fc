//! A virtual world whose time the wall clock moves.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use grenadier_carriers::{Handler, Handling};
use grenadier_clock::Time;
use grenadier_fleet_virtual::VirtualWorld;
use grenadier_wire::Failure;
use tokio::sync::Notify;

/// Seconds from 1970 to the date on which the time of every world begins: 2026-01-01.
const EPOCH_S: u64 = 20_454 * 86_400;

/// How long the driver sleeps where nothing is due: any request wakes it.
const IDLE: Duration = Duration::from_secs(3_600);

/// A world in real time. Its present moment is the date outside.
#[derive(Clone)]
pub(crate) struct RealTime(Arc<Inner>);

struct Inner {
    world: VirtualWorld,
    origin: Time,
    began: Instant,
    arrived: Notify,
    endpoint: String,
}

impl RealTime {
    /// Puts `world` into the present. What is due in it until now happens before this returns.
    pub(crate) fn start(world: VirtualWorld, endpoint: String) -> RealTime {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // A machine whose clock is behind that date lives in the world's first moments.
        let origin = Time::ZERO + since_epoch.saturating_sub(Duration::from_secs(EPOCH_S));
        world.advance_to(origin);
        let (began, arrived) = (Instant::now(), Notify::new());
        RealTime(Arc::new(Inner { world, origin, began, arrived, endpoint }))
    }

    fn now(&self) -> Time {
        self.0.origin + self.0.began.elapsed()
    }

    /// Lets happen what is due, when it is due, until this future is dropped.
    pub(crate) async fn drive(self) {
        loop {
            let now = self.now();
            self.0.world.advance_to(now);
            let wait = self.0.world.next_at().map_or(IDLE, |at| at.since(now));
            // A request may have brought something that is due sooner.
            let _either = tokio::time::timeout(wait, self.0.arrived.notified()).await;
        }
    }
}

impl Handler for RealTime {
    fn handle(&self, request: http::Request<Bytes>) -> Handling {
        let asked = self.0.world.ask_cloud(self.now(), request);
        self.0.arrived.notify_one();
        let endpoint = self.0.endpoint.clone();
        Box::pin(async move { asked.await.ok_or(Failure::ConnectionLost { endpoint }) })
    }
}
