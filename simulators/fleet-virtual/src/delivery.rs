//! Exchanges on their way: from outside or from a guest, to the cloud or to a guest.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::Time;
use grenadier_events::{Actor, EventLog, Kind};
use grenadier_fidelity::Behaviour;
use grenadier_fleet::{CloudHost, Fleet, MachineId};
use grenadier_guest::{Answering, CallKey, Input, Listener};
use grenadier_wire::{Answer, Exchange, Failure, HttpExchange, ReplyTo, ShellExchange, Ticket, TlsTrust};
use http::StatusCode;
use tokio::sync::oneshot;

use crate::fidelity;
use crate::fleet::{Due, GuestCall, VirtualFleet};
use crate::flow::{Arrivals, Hop, Reached};
use crate::impairment::{SYN_AGAIN_AFTER, SYN_RETRIES};
use crate::world::Inner;

/// An exchange on its way to where it was sent.
pub(crate) struct Delivery {
    pub call: u64,
    /// The machine it comes from; none for somebody outside the fleet.
    pub from: Option<MachineId>,
    pub exchange: Exchange,
    pub so_far: SoFar,
}

/// What has become of an exchange on its way so far.
#[derive(Clone, Copy, Default)]
pub(crate) struct SoFar {
    /// How often its connection was asked for already, and nobody answered.
    unanswered: u32,
    /// It has had what bad networks on its way cost.
    is_through: bool,
}

/// Who waits for an answer.
pub(crate) enum Caller {
    Outside(oneshot::Sender<Result<Answer, Failure>>),
    Guest { machine: MachineId, epoch: u64, key: CallKey, ticket: Box<Ticket> },
}

/// How deep proxies may stand behind the address somebody outside calls.
const PROXIES: u8 = 4;

impl Inner {
    /// Sends an exchange for somebody outside.
    pub(crate) fn send(&mut self, exchange: Exchange) -> oneshot::Receiver<Result<Answer, Failure>> {
        let (sender, receiver) = oneshot::channel();
        self.call_count += 1;
        let call = self.call_count;
        self.callers.insert(call, Caller::Outside(sender));
        self.dispatch(Delivery { call, from: None, exchange, so_far: SoFar::default() });
        receiver
    }

    /// Sends the calls that guests made at this event.
    pub(crate) fn send_guest_calls(&mut self) {
        for GuestCall { machine, epoch, key, mut exchange } in std::mem::take(&mut self.fleet.calls) {
            let product = self.fleet.view.machines.get(&machine).and_then(|machine| {
                machine
                    .spec
                    .disks
                    .first()
                    .and_then(|disk| disk.image.as_ref())
                    .map(|image| image.header.product.as_str())
            });
            let actor = match product {
                Some("operator") => Actor::Operator,
                Some("client") => Actor::Probe,
                _ => Actor::World,
            };
            let now = self.fleet.now();
            let Some(wire) = &self.wire else { continue };
            let ticket = Box::new(wire.begin_at(actor, &mut exchange, now));
            self.call_count += 1;
            let call = self.call_count;
            let timed_out = Err(Failure::TimedOut { endpoint: exchange.endpoint().to_owned() });
            self.fleet.push(now + exchange.timeout(), Due::Return { call, result: timed_out });
            self.callers.insert(call, Caller::Guest { machine, epoch, key, ticket });
            self.dispatch(Delivery { call, from: Some(machine), exchange, so_far: SoFar::default() });
        }
    }

    fn dispatch(&mut self, delivery: Delivery) {
        let half = self.fleet.timing.exchange / 2;
        let half = self.fleet.about(half);
        let at = self.fleet.now() + half;
        self.fleet.push(at, Due::Deliver(Box::new(delivery)));
    }

    /// An exchange arrives.
    pub(crate) fn deliver(&mut self, delivery: Delivery) {
        let Delivery { call, from, exchange, so_far } = delivery;
        if !self.callers.contains_key(&call) {
            return;
        }
        match exchange {
            Exchange::Http(http) if http.endpoint == self.cloud_endpoint => self.deliver_to_cloud(call, http),
            Exchange::Http(http) => self.deliver_http(call, from, http, so_far),
            Exchange::Shell(shell) => self.deliver_shell(call, shell, so_far),
        }
    }

    fn deliver_to_cloud(&mut self, call: u64, http: HttpExchange) {
        let Some(mut cloud) = self.cloud.take() else {
            return self.back(call, Err(Failure::Refused { endpoint: http.endpoint }));
        };
        cloud.handle(ReplyTo(call), http.request, &mut CloudContext { fleet: &mut self.fleet, log: &self.log });
        self.cloud = Some(cloud);
    }

    fn deliver_http(&mut self, call: u64, from: Option<MachineId>, http: HttpExchange, so_far: SoFar) {
        let endpoint = http.endpoint.clone();
        let Ok(target) = endpoint.parse::<SocketAddr>() else {
            return self.back(call, Err(Failure::Unreachable { endpoint }));
        };
        let reached = match from {
            Some(machine) => self.fleet.reach(machine, target),
            None => self.reach_from_outside(target),
        };
        let reached = match reached {
            Ok(reached) => reached,
            Err(Hop::Silent(_)) => {
                return self.ask_again(Delivery { call, from, exchange: Exchange::Http(http), so_far });
            }
            Err(Hop::NoRoute(_)) => {
                let at = self.fleet.now() + self.fleet.timing.no_route;
                return self.fleet.push(at, Due::Return { call, result: Err(Failure::Unreachable { endpoint }) });
            }
            Err(Hop::Refused(_)) => return self.back(call, Err(Failure::Refused { endpoint })),
            Err(Hop::NoBackend(_)) => return self.back(call, Err(Failure::ConnectionLost { endpoint })),
        };
        if !so_far.is_through && self.fleet.is_impaired(from, reached.machine) {
            let cost = self.fleet.cost(from, reached.machine, http.tls.is_some());
            return self.held_up(Delivery { call, from, exchange: Exchange::Http(http), so_far }, cost);
        }
        let listener = self.fleet.listener(&reached, target);
        let shaken = handshake(&http, listener);
        #[cfg(feature = "mutants")]
        let shaken = match shaken {
            Err(Failure::Untrusted { .. }) if !self.fleet.ledger.holds(&crate::mutants::PINNED) => Ok(()),
            shaken => shaken,
        };
        if let Err(failure) = shaken {
            return self.back(call, Err(failure));
        }
        match &listener.answering {
            Answering::Guest => {
                let input = Input::Http { reply: ReplyTo(call), port: target.port(), request: http.request };
                self.fleet.tell_guest(reached.machine, input);
            }
            Answering::Backend(name) => {
                let name = name.clone();
                self.back(call, Ok(body(name)));
            }
            Answering::Proxy(_) => {
                // Round robin over the backends that can serve.
                let turn = self.turns.entry(target).or_default();
                let name = reached.backends[*turn % reached.backends.len()].clone();
                *turn += 1;
                self.back(call, Ok(body(name)));
            }
        }
    }

    /// A connection that nobody answered is asked for again, later each time, as long as its caller waits.
    fn ask_again(&mut self, delivery: Delivery) {
        let SoFar { unanswered, .. } = delivery.so_far;
        if unanswered < SYN_RETRIES && self.fleet.ledger.holds(&fidelity::RETRANSMISSION) {
            let at = self.fleet.now() + SYN_AGAIN_AFTER * 2_u32.pow(unanswered);
            let so_far = SoFar { unanswered: unanswered + 1, ..delivery.so_far };
            self.fleet.push(at, Due::Deliver(Box::new(Delivery { so_far, ..delivery })));
        }
    }

    /// An exchange arrives later than it was sent, because of what bad networks cost it; never where TCP gave up.
    fn held_up(&mut self, delivery: Delivery, cost: Option<Duration>) {
        let Some(cost) = cost else { return };
        let so_far = SoFar { is_through: true, ..delivery.so_far };
        let at = self.fleet.now() + cost;
        self.fleet.push(at, Due::Deliver(Box::new(Delivery { so_far, ..delivery })));
    }

    fn deliver_shell(&mut self, call: u64, shell: ShellExchange, so_far: SoFar) {
        let endpoint = shell.host.clone();
        let owners = shell.host.parse::<IpAddr>().map(|address| self.fleet.owners_anywhere(address));
        let Some(machine) = owners.ok().and_then(|owners| owners.first().copied()) else {
            let at = self.fleet.now() + self.fleet.timing.no_route;
            return self.fleet.push(at, Due::Return { call, result: Err(Failure::Unreachable { endpoint }) });
        };
        if !so_far.is_through && self.fleet.is_impaired(None, machine) {
            let cost = self.fleet.cost(None, machine, false);
            return self.held_up(Delivery { call, from: None, exchange: Exchange::Shell(shell), so_far }, cost);
        }
        let input = Input::Shell { reply: ReplyTo(call), command: shell };
        if !self.fleet.tell_guest(machine, input) {
            self.back(call, Err(Failure::Refused { endpoint }));
        }
    }

    /// Somebody outside has no neighbour table of a machine in the fleet: a router asks for each connection.
    fn reach_from_outside(&mut self, target: SocketAddr) -> Result<Reached, Hop> {
        let owners = self.fleet.owners_anywhere(target.ip());
        let owner = owners.first().ok_or_else(|| Hop::NoRoute(format!("nobody answers ARP for {}", target.ip())))?;
        self.fleet.arrive(*owner, target, PROXIES, &mut Arrivals::new())
    }

    /// Sends an answer, or the lack of one, back.
    pub(crate) fn back(&mut self, call: u64, result: Result<Answer, Failure>) {
        let half = self.fleet.timing.exchange / 2;
        let half = self.fleet.about(half);
        let at = self.fleet.now() + half;
        self.fleet.push(at, Due::Return { call, result });
    }

    /// An answer arrives back. Whoever gave up in the meantime is not told.
    pub(crate) fn returned(&mut self, call: u64, result: Result<Answer, Failure>) {
        match self.callers.remove(&call) {
            None => {}
            Some(Caller::Outside(sender)) => {
                // The caller may have stopped waiting; then nobody is there to be told.
                let _unheard = sender.send(result);
            }
            Some(Caller::Guest { machine, epoch, key, ticket }) => {
                if let Some(wire) = &self.wire {
                    wire.end(*ticket, self.fleet.now(), &result);
                }
                if self.fleet.runtimes.get(&machine).is_some_and(|runtime| runtime.epoch == epoch) {
                    self.fleet.tell_guest(machine, Input::Called { key, result });
                }
            }
        }
    }
}

/// Both ends must speak TLS or neither, and a pinned client meets the certificate it knows.
fn handshake(http: &HttpExchange, listener: &Listener) -> Result<(), Failure> {
    let endpoint = || http.endpoint.clone();
    match (&http.tls, &listener.certificate) {
        (None, None) | (Some(TlsTrust::Anyone), Some(_)) => Ok(()),
        (Some(TlsTrust::Pinned(pin)), Some(shown)) if pin == shown => Ok(()),
        (Some(TlsTrust::Pinned(_)), Some(shown)) => Err(Failure::Untrusted {
            endpoint: endpoint(),
            reason: format!("it shows {}, not the pinned one", &shown[..shown.len().min(12)]),
        }),
        (None, Some(_)) | (Some(_), None) => Err(Failure::ConnectionLost { endpoint: endpoint() }),
    }
}

fn body(name: String) -> Answer {
    grenadier_wire::http_response(StatusCode::OK, "text/plain", name).into()
}

/// A cloud simulator's hands on the world.
pub(crate) struct CloudContext<'a> {
    pub fleet: &'a mut VirtualFleet,
    pub log: &'a EventLog,
}

impl CloudHost for CloudContext<'_> {
    fn now(&self) -> Time {
        self.fleet.now()
    }

    fn fleet(&mut self) -> &mut dyn Fleet {
        self.fleet
    }

    fn timer(&mut self, key: u64, after: Duration) {
        let at = self.fleet.now() + after;
        self.fleet.push(at, Due::CloudTimer(key));
    }

    fn reply(&mut self, to: ReplyTo, response: http::Response<Bytes>) {
        self.fleet.replies.push((to, Answer::Http(response)));
    }

    fn emit(&mut self, kind: Kind) {
        self.log.emit(self.fleet.now(), Actor::World, kind);
    }

    fn holds(&self, behaviour: &'static Behaviour) -> bool {
        self.fleet.ledger.holds(behaviour)
    }
}
