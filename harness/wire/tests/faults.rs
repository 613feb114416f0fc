//! Each fault of a call, on the wire alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use grenadier_clock::{Clock, Sleep, Time};
use grenadier_events::{Actor, EventLog, Kind};
use grenadier_wire::{
    Answer, Answerer, Answering, CallName, Crash, Exchange, Failure, FaultKind, FaultPlace, FaultRule, HttpExchange,
    Protocol, ProtocolFault, StepMoment, Wire, asked_of_simulator, http_response,
};
use http::{StatusCode, header};

/// A clock whose sleeps are over at once.
struct Jumping;

impl Clock for Jumping {
    fn now(&self) -> Time {
        Time::ZERO
    }

    fn sleep(&self, _: Duration) -> Sleep {
        Box::pin(std::future::ready(()))
    }
}

/// Answers with the number of calls that arrived: every call changes something.
#[derive(Default)]
struct Counting {
    arrived: AtomicUsize,
    asked: std::sync::Mutex<Option<FaultKind>>,
}

impl Answerer for Counting {
    fn answer(&self, _: Actor, exchange: Exchange) -> Answering {
        let Exchange::Http(http) = exchange else { panic!("nobody runs commands here") };
        *self.asked.lock().unwrap() = asked_of_simulator(&http.request);
        let number = self.arrived.fetch_add(1, Ordering::Relaxed) + 1;
        Box::pin(std::future::ready(Ok(http_response(StatusCode::OK, "text/plain", format!("call {number}")).into())))
    }
}

struct Names;

impl Protocol for Names {
    fn name(&self, _: &Exchange) -> Option<CallName> {
        Some(CallName { template: "dataplane.GET /info".to_owned(), target: None, mutating: false })
    }

    fn render(&self, _: &Exchange, fault: ProtocolFault) -> Option<Answer> {
        let status = match fault {
            ProtocolFault::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ProtocolFault::Throttle => StatusCode::TOO_MANY_REQUESTS,
            ProtocolFault::ErrorAfter => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Some(http_response(status, "text/plain", "").into())
    }
}

/// A wire whose engine is in step `s`, with a rule at the call of this number.
fn disturbed(fault: FaultKind, occurrence: u32) -> (Wire, Arc<Counting>) {
    let world = Arc::new(Counting::default());
    let wire = Wire::new(vec![Box::new(Names)], Arc::new(Jumping), EventLog::default());
    let at: FaultPlace = format!("s/dataplane.GET /info#{occurrence}").parse().unwrap();
    wire.add_rule(FaultRule::new(at, fault));
    let wire = wire.connected(Arc::clone(&world) as Arc<dyn Answerer>);
    wire.set_step(Some("s"));
    (wire, world)
}

/// What a call gives; none where it never ends.
fn called(wire: &Wire) -> Option<Result<http::Response<Bytes>, Failure>> {
    let request = http::Request::get("/v2/info").body(Bytes::new()).unwrap();
    let (endpoint, timeout) = ("198.18.0.10:5556".to_owned(), Duration::from_secs(15));
    let exchange = Exchange::Http(HttpExchange { endpoint, tls: None, request, timeout });
    let result = wire.call(Actor::Engine, exchange).now_or_never()?;
    Some(result.map(|answer| match answer {
        Answer::Http(response) => response,
        Answer::Shell(_) => panic!("nobody runs commands here"),
    }))
}

#[test]
fn each_fault_happens_before_or_after_the_effect() {
    let endpoint = || "198.18.0.10:5556".to_owned();
    for (fault, arrived, want) in [
        (FaultKind::Refuse, 0, Err(Failure::Refused { endpoint: endpoint() })),
        (FaultKind::Unavailable, 0, Ok(503)),
        (FaultKind::Throttle, 0, Ok(429)),
        (FaultKind::Hang, 0, Err(Failure::TimedOut { endpoint: endpoint() })),
        (FaultKind::ErrorAfter, 1, Ok(500)),
        (FaultKind::LostReply, 1, Err(Failure::ConnectionLost { endpoint: endpoint() })),
        (FaultKind::HangAfter, 1, Err(Failure::TimedOut { endpoint: endpoint() })),
        (FaultKind::Truncate, 1, Ok(200)),
        (FaultKind::Slow, 1, Ok(200)),
    ] {
        let (wire, world) = disturbed(fault, 1);
        let result = called(&wire).unwrap().map(|response| response.status().as_u16());
        assert_eq!((world.arrived.load(Ordering::Relaxed), result), (arrived, want), "{fault}");
        assert_eq!(called(&wire).unwrap().unwrap().status(), 200, "{fault} acts once");
        assert!(wire.idle_rules().is_empty(), "{fault}");
    }
}

#[test]
fn a_throttled_call_is_told_when_to_come_back() {
    let (wire, _) = disturbed(FaultKind::Throttle, 1);
    assert_eq!(called(&wire).unwrap().unwrap().headers()[header::RETRY_AFTER], "5");
}

#[test]
fn a_cut_answer_has_half_its_body_and_says_how_long_it_was() {
    let (wire, _) = disturbed(FaultKind::Truncate, 1);
    let response = called(&wire).unwrap().unwrap();
    assert_eq!(response.headers()[header::CONTENT_LENGTH].to_str().unwrap(), "6");
    assert_eq!(response.body()[..], b"cal"[..]);
}

#[test]
fn what_only_the_simulator_can_do_it_is_asked_for() {
    for fault in [FaultKind::Unauthorised, FaultKind::TaskFails, FaultKind::TaskStuck] {
        let (wire, world) = disturbed(fault, 1);
        called(&wire).unwrap().unwrap();
        assert_eq!(*world.asked.lock().unwrap(), Some(fault));
        called(&wire).unwrap().unwrap();
        assert_eq!(*world.asked.lock().unwrap(), None);
    }
}

#[test]
fn a_stale_read_answers_as_before_the_last_change_or_finds_no_place() {
    let (wire, _) = disturbed(FaultKind::StaleRead, 3);
    let bodies: Vec<Bytes> = (0..4).map(|_| called(&wire).unwrap().unwrap().into_body()).collect();
    assert_eq!(bodies, ["call 1", "call 2", "call 2", "call 4"]);
    let (wire, _) = disturbed(FaultKind::StaleRead, 1);
    assert_eq!(called(&wire).unwrap().unwrap().into_body(), "call 1");
    assert_eq!(wire.idle_rules()[0].reason, "the same was never answered otherwise before");
    assert!(wire.log().events().iter().all(|event| !matches!(event.kind, Kind::FaultInjected { .. })));
}

#[test]
fn a_crash_ends_the_process_and_the_next_one_lives() {
    for (fault, arrived) in [(FaultKind::CrashBefore, 0), (FaultKind::CrashAfter, 1)] {
        let (wire, world) = disturbed(fault, 1);
        assert!(called(&wire).is_none(), "{fault}");
        assert!(called(&wire).is_none(), "a dead process makes no calls");
        assert_eq!(world.arrived.load(Ordering::Relaxed), arrived, "{fault}");
        let at = "s/dataplane.GET /info#1".parse().unwrap();
        assert_eq!(wire.crashed().now_or_never(), Some(Crash { at, fault }));
        wire.begin_process();
        assert_eq!(called(&wire).unwrap().unwrap().status(), 200);
    }
}

#[test]
fn a_step_is_left_at_the_moment_the_rule_names() {
    for (fault, moment) in [
        (FaultKind::CrashBefore, StepMoment::Begins),
        (FaultKind::CrashAfter, StepMoment::Performed),
        (FaultKind::CrashJournaled, StepMoment::Journaled),
    ] {
        let wire = Wire::new(Vec::new(), Arc::new(Jumping), EventLog::default());
        wire.add_rule(FaultRule::new(FaultPlace::Step("s".to_owned()), fault));
        let moments = [StepMoment::Begins, StepMoment::Performed, StepMoment::Journaled];
        for at in moments.into_iter().take_while(|at| *at != moment) {
            assert!(wire.at_moment("s", at).now_or_never().is_some(), "{fault}");
        }
        assert!(wire.at_moment("other", moment).now_or_never().is_some());
        assert!(wire.at_moment("s", moment).now_or_never().is_none(), "{fault}");
        assert_eq!(wire.crashed().now_or_never().map(|crash| crash.fault), Some(fault));
    }
}
