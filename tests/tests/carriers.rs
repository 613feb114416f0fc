//! A swap whose calls are HTTP/1.1 bytes in a pipe ends as one whose calls are handed over in process.
//!
//! What a simulator reads of a request and what the engine reads of an answer must survive being written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use grenadier_carriers::{DuplexClient, Handler, Handling};
use grenadier_clock::Seed;
use grenadier_events::{Actor, EventLog};
use grenadier_runner::run_virtual_carried;
use grenadier_tests::{run, scenario, summary};
use grenadier_wire::{Answer, Answerer, Answering, Exchange, Failure, HttpExchange, TlsTrust};

/// Carries HTTP exchanges as bytes; shells go straight through.
struct Piped {
    world: Arc<dyn Answerer>,
    carried: Arc<AtomicUsize>,
}

/// The far end of one exchange's pipe: hands the request that arrived to the world.
struct FarEnd {
    world: Arc<dyn Answerer>,
    actor: Actor,
    endpoint: String,
    tls: Option<TlsTrust>,
    timeout: Duration,
}

impl Answerer for Piped {
    fn answer(&self, actor: Actor, exchange: Exchange) -> Answering {
        let Exchange::Http(http) = &exchange else { return self.world.answer(actor, exchange) };
        self.carried.fetch_add(1, Ordering::Relaxed);
        let far_end = FarEnd {
            world: Arc::clone(&self.world),
            actor,
            endpoint: http.endpoint.clone(),
            tls: http.tls.clone(),
            timeout: http.timeout,
        };
        DuplexClient::new(Arc::new(far_end)).answer(actor, exchange)
    }
}

impl Handler for FarEnd {
    fn handle(&self, request: http::Request<Bytes>) -> Handling {
        let endpoint = self.endpoint.clone();
        let exchange =
            HttpExchange { endpoint: endpoint.clone(), tls: self.tls.clone(), request, timeout: self.timeout };
        let answer = self.world.answer(self.actor, Exchange::Http(exchange));
        Box::pin(async move {
            match answer.await? {
                Answer::Http(response) => Ok(response),
                Answer::Shell(_) => Err(Failure::ConnectionLost { endpoint }),
            }
        })
    }
}

#[test]
fn calls_as_bytes_end_in_the_same_verdict() {
    for name in ["haproxy-appliance-swap", "haproxy-appliance-refuse-no-deploy-privilege"] {
        let scenario = scenario(name);
        let carried = Arc::new(AtomicUsize::new(0));
        let pipe = |world| -> Arc<dyn Answerer> { Arc::new(Piped { world, carried: Arc::clone(&carried) }) };
        let piped = run_virtual_carried(&scenario, Seed(scenario.seed), "", EventLog::default(), &pipe);
        let in_process = run(&scenario);
        assert!(carried.load(Ordering::Relaxed) > 10, "{name}: nothing went through the pipe");
        assert_eq!(summary(&piped.verdict), summary(&in_process.verdict), "{name}");
        // A pipe takes no time, so not even the log differs.
        assert_eq!(piped.log.to_jsonl(), in_process.log.to_jsonl(), "{name}");
    }
}
