//! The agent's main loop.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::Bytes;
use grenadier_carriers::TcpClient;
use grenadier_fleet::GuestReport;
use grenadier_guest::{CallKey, Guest, Input};
use grenadier_wire::{Answer, Exchange, Failure, HttpExchange, ReplyTo, ShellExchange, ShellOutput};
use tokio::sync::{mpsc, oneshot};

use crate::listeners::Incoming;
use crate::probe::Sampler;
use crate::protocol::{AnswerForm, Boot, FromAgent, GuestRecord, ToAgent};
use crate::{
    Disk, GuestContext, HostParts, NeighbourTimers, Network, NetworkError, Outbox, RealHost, TimeBase, command,
};

/// Makes the guest that a machine's image asks for, or says in a sentence why there is none: [`crate::make_guest`].
pub type MakeGuest = fn(&GuestRecord, &GuestContext<'_>) -> Result<Box<dyn Guest>, String>;

/// Plays a machine until it goes off: the guest turned it off, or nobody is left at the other end of standard input.
///
/// This is the whole of process 1 of a container. Standard output belongs to the protocol.
pub fn run(make_guest: MakeGuest) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("failed to start the agent: {error}");
            return ExitCode::FAILURE;
        }
    };
    let (outbox, writer) = Outbox::new(std::io::stdout());
    runtime.block_on(play(make_guest, outbox, lines_of_stdin()));
    // Tasks hold outboxes: they end with the runtime, and only then everything has been put.
    drop(runtime);
    writer.finish();
    ExitCode::SUCCESS
}

/// Messages from the fleet. The channel closes when standard input does.
fn lines_of_stdin() -> mpsc::UnboundedReceiver<ToAgent> {
    let (sender, orders) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            let message = serde_json::from_str(&line)
                .unwrap_or_else(|error| panic!("fleet and agent are one binary, yet this is no message: {error}"));
            if sender.send(message).is_err() {
                break;
            }
        }
    });
    orders
}

async fn play(make_guest: MakeGuest, outbox: Outbox, mut orders: mpsc::UnboundedReceiver<ToAgent>) {
    outbox.put(FromAgent::Hello);
    let Some(ToAgent::Boot(boot)) = orders.recv().await else { return };
    let Some((time, mut early)) = learn_time(&outbox, &mut orders).await else { return };
    if !start_slowly(Duration::from_millis(boot.mishaps.slow_start_ms), &mut orders, &mut early).await {
        return;
    }
    let (inside, mut from_inside) = mpsc::unbounded_channel();
    let (mut agent, mut incoming) = Agent::new(*boot, time, outbox, inside, make_guest);
    for order in early {
        agent.order(order);
    }
    while !agent.host.off {
        let alarm = agent.host.next_timer().map(|(at, _)| at);
        let sleep = async {
            match alarm {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            order = orders.recv() => match order {
                Some(order) => agent.order(order),
                None => return,
            },
            Some(request) = incoming.recv() => agent.http(request),
            Some(news) = from_inside.recv() => agent.news(news),
            () = sleep => agent.timers(),
        }
    }
}

/// Waits until the machine comes to its first instruction, and keeps the orders that come meanwhile; false where nobody is left to
/// give any.
async fn start_slowly(by: Duration, orders: &mut mpsc::UnboundedReceiver<ToAgent>, early: &mut Vec<ToAgent>) -> bool {
    let waited = tokio::time::sleep(by);
    tokio::pin!(waited);
    loop {
        tokio::select! {
            biased;
            () = &mut waited => return true,
            order = orders.recv() => match order {
                Some(order) => early.push(order),
                None => return false,
            },
        }
    }
}

/// How often the agent asks for the run's time at most.
const CLOCK_QUESTIONS: usize = 20;
/// A round trip that is short enough to stop asking.
const CLOCK_PRECISION: Duration = Duration::from_micros(500);

/// Learns the run's time from the shortest of a few round trips: the first ones may wait for a busy engine. Also gives the
/// orders that came meanwhile; none where nobody is left to ask.
async fn learn_time(
    outbox: &Outbox,
    orders: &mut mpsc::UnboundedReceiver<ToAgent>,
) -> Option<(TimeBase, Vec<ToAgent>)> {
    let mut early = Vec::new();
    let mut best: Option<TimeBase> = None;
    for _ in 0..CLOCK_QUESTIONS {
        let asked = Instant::now();
        outbox.put(FromAgent::Clock);
        let said = loop {
            match orders.recv().await? {
                ToAgent::Clock { now } => break now,
                order => early.push(order),
            }
        };
        let time = TimeBase::new(said, asked, Instant::now());
        if best.is_none_or(|best| time.uncertainty() < best.uncertainty()) {
            best = Some(time);
        }
        if time.uncertainty() < CLOCK_PRECISION {
            break;
        }
    }
    best.map(|time| (time, early))
}

/// Why a boot fails that was told to, in the words of the virtual world.
const NO_BOOT: &str = "the disk does not answer";

/// What ends inside the agent and concerns the guest.
enum News {
    /// One of the guest's own calls.
    Called { key: CallKey, result: Result<Answer, Failure> },
}

/// Whom a guest's reply goes to.
enum Waiting {
    /// A client of one of its listeners.
    Http(oneshot::Sender<http::Response<Bytes>>),
    /// Somebody who asked through the fleet; the command, in case that the guest does not know it.
    Shell { request: u64, command: ShellExchange },
}

struct Agent {
    host: RealHost,
    guest: Option<Box<dyn Guest>>,
    waiting: BTreeMap<ReplyTo, Waiting>,
    replies: u64,
    samplers: BTreeMap<u32, Sampler>,
    time: TimeBase,
    outbox: Outbox,
    disk: Disk,
    inside: mpsc::UnboundedSender<News>,
}

impl Agent {
    fn new(
        boot: Boot,
        time: TimeBase,
        outbox: Outbox,
        inside: mpsc::UnboundedSender<News>,
        make_guest: MakeGuest,
    ) -> (Agent, mpsc::UnboundedReceiver<Incoming>) {
        for path in &boot.remove {
            // It may never have been there.
            let _ = std::fs::remove_file(path);
        }
        let neighbour = NeighbourTimers::from_config(&boot.config).unwrap_or_else(|error| {
            outbox.complain(error);
            None
        });
        let mut network = Network::new(neighbour);
        if let Err(error) = network.impair(boot.mishaps.impairment) {
            outbox.complain(format!("failed to {error}"));
        }
        // A machine without a guest keeps the addresses the engine gave it: it only makes calls.
        if boot.guest.is_some()
            && let Err(error) = network.plug(boot.nics)
        {
            outbox.complain(format!("failed to {error}"));
        }
        let disk = Disk::default();
        if boot.mishaps.disk_full {
            disk.fill();
        }
        let parts = HostParts {
            random: boot.seed.stream("machine", &boot.machine),
            root: "/".into(),
            time,
            config: boot.config,
            network,
            outbox: outbox.clone(),
            machine: boot.machine.clone(),
            disk: disk.clone(),
            no_address: boot.mishaps.no_address,
        };
        let (host, incoming) = RealHost::new(parts);
        let context = GuestContext { machine: &boot.machine, seed: boot.seed, outbox: &outbox, disk: &disk };
        let made = |record: GuestRecord| {
            if boot.mishaps.boot_fails { Err(NO_BOOT.to_owned()) } else { make_guest(&record, &context) }
        };
        let guest = match boot.guest.map(made) {
            None => None,
            Some(Ok(guest)) => Some(guest),
            Some(Err(reason)) => {
                outbox.report(GuestReport::BootFailed(reason));
                None
            }
        };
        let (waiting, samplers) = (BTreeMap::new(), BTreeMap::new());
        let mut agent = Agent { host, guest, waiting, replies: 0, samplers, time, outbox, disk, inside };
        agent.tell(Input::Boot);
        (agent, incoming)
    }

    /// Gives the guest an input and carries out what it does not do by itself.
    fn tell(&mut self, input: Input) {
        let Some(guest) = &mut self.guest else { return };
        guest.handle(input, &mut self.host);
        for (to, answer) in std::mem::take(&mut self.host.replies) {
            self.replied(to, answer);
        }
        for (key, exchange) in std::mem::take(&mut self.host.calls) {
            let inside = self.inside.clone();
            tokio::spawn(async move {
                let result = match exchange {
                    Exchange::Http(http) => call(http).await,
                    Exchange::Shell(shell) => Err(Failure::Refused { endpoint: shell.host }),
                };
                // The machine may have gone off meanwhile.
                let _ = inside.send(News::Called { key, result });
            });
        }
    }

    fn order(&mut self, order: ToAgent) {
        match order {
            ToAgent::Boot(_) => panic!("a machine boots once in the life of its agent"),
            ToAgent::Clock { .. } => panic!("every question for the time was answered before the guest began"),
            ToAgent::Nics { nics } => self.host.plug(nics),
            ToAgent::Configure { change } => {
                self.host.configured(change);
                self.tell(Input::Reconfigured);
            }
            ToAgent::Shutdown => self.tell(Input::Shutdown),
            ToAgent::ReadState { request } => {
                let state = self.guest.as_ref().map(|guest| guest.state());
                self.outbox.put(FromAgent::State { request, state });
            }
            ToAgent::Remove { request, path } => {
                self.answer(request, std::fs::remove_file(path));
            }
            ToAgent::Impair { request, impairment } => {
                let done = self.host.impair(impairment);
                self.answer(request, done);
            }
            ToAgent::TryImpairment { request, impairment } => {
                self.answer(request, Network::try_impairment(impairment));
            }
            ToAgent::FillDisk { request } => {
                self.disk.fill();
                self.answer(request, Ok::<(), NetworkError>(()));
            }
            ToAgent::Shell { request, command } => {
                let command = ShellExchange::from(command);
                if self.guest.is_some() {
                    let reply = self.wait(Waiting::Shell { request, command: command.clone() });
                    self.tell(Input::Shell { reply, command });
                } else {
                    // Nothing has booted that a shell could belong to.
                    let answer = Err(Failure::Refused { endpoint: command.host });
                    self.outbox.put(FromAgent::Answer { request, answer: answer.into() });
                }
            }
            ToAgent::Http { request, call } => self.call_for_outside(request, call),
            ToAgent::Watch(order) => {
                let sampler = Sampler::start(order.clone(), self.time, self.outbox.clone());
                self.samplers.insert(order.watch, sampler);
            }
            ToAgent::Unwatch { watch } => {
                self.samplers.remove(&watch);
            }
        }
    }

    /// Answers an order to the machine itself: an exit code, and why not.
    fn answer<E: std::fmt::Display>(&self, request: u64, done: Result<(), E>) {
        let output = match done {
            Ok(()) => ShellOutput::default(),
            Err(error) => ShellOutput { exit_code: 1, stderr: error.to_string().into(), ..ShellOutput::default() },
        };
        self.outbox.put(FromAgent::Answer { request, answer: Ok(Answer::Shell(output)).into() });
    }

    fn http(&mut self, incoming: Incoming) {
        let reply = self.wait(Waiting::Http(incoming.answer));
        self.tell(Input::Http { reply, port: incoming.port, request: incoming.request });
    }

    fn news(&mut self, news: News) {
        match news {
            News::Called { key, result } => self.tell(Input::Called { key, result }),
        }
    }

    fn timers(&mut self) {
        let now = Instant::now();
        while let Some(key) = self.host.take_timer(now) {
            self.tell(Input::Timer(key));
        }
    }

    fn wait(&mut self, who: Waiting) -> ReplyTo {
        self.replies += 1;
        let reply = ReplyTo(self.replies);
        self.waiting.insert(reply, who);
        reply
    }

    fn replied(&mut self, to: ReplyTo, answer: Answer) {
        match (self.waiting.remove(&to), answer) {
            (Some(Waiting::Http(client)), Answer::Http(response)) => {
                // A client that has gone does not want it any more.
                let _ = client.send(response);
            }
            (Some(Waiting::Shell { request, command }), Answer::Shell(output)) => {
                if is_unknown(&output) {
                    self.run(request, command);
                } else {
                    self.outbox.put(FromAgent::Answer { request, answer: Ok(Answer::Shell(output)).into() });
                }
            }
            (None, _) => self.outbox.complain("the guest replied to nobody, or twice"),
            (Some(_), _) => self.outbox.complain("the guest replied to a request with an answer to something else"),
        }
    }

    /// Runs a command in the machine's real shell.
    fn run(&self, request: u64, shell: ShellExchange) {
        let (outbox, disk) = (self.outbox.clone(), self.disk.clone());
        tokio::spawn(async move {
            let answer = AnswerForm::from(command::run(shell, &disk).await);
            outbox.put(FromAgent::Answer { request, answer });
        });
    }

    /// Makes a call for somebody outside, who asks the network anew each time who owns the address: an outsider's entry must
    /// not outlive the machine it was made for.
    fn call_for_outside(&self, request: u64, form: crate::protocol::HttpForm) {
        let outbox = self.outbox.clone();
        tokio::spawn(async move {
            let exchange = HttpExchange::try_from(form)
                .unwrap_or_else(|error| panic!("fleet and agent are one binary, yet this is no request: {error}"));
            if let Ok(address) = exchange.endpoint.parse::<std::net::SocketAddr>()
                && let Err(error) = Network::forget_neighbour(address.ip())
            {
                outbox.complain(format!("failed to {error}"));
            }
            let answer = AnswerForm::from(call(exchange).await);
            outbox.put(FromAgent::Answer { request, answer });
        });
    }
}

/// Whether the guest's little shell does not know a program (127) or a piece of syntax (2) that a real shell may know.
fn is_unknown(output: &ShellOutput) -> bool {
    matches!(output.exit_code, 2 | 127) && output.stderr.starts_with(b"sh: ")
}

/// Makes an HTTP call and watches its time.
async fn call(http: HttpExchange) -> Result<Answer, Failure> {
    let endpoint = http.endpoint.clone();
    match tokio::time::timeout(http.timeout, TcpClient::default().send(http)).await {
        Ok(answer) => answer.map(Into::into),
        Err(_) => Err(Failure::TimedOut { endpoint }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_little_shell_does_not_know_goes_to_the_real_one() {
        let output =
            |exit_code, stderr: &'static str| ShellOutput { exit_code, stderr: stderr.into(), ..Default::default() };
        assert!(is_unknown(&output(127, "sh: wc: not found\n")));
        assert!(is_unknown(&output(2, "sh: `|` is not supported\n")));
        assert!(!is_unknown(&output(1, "cat: /x: No such file or directory\n")));
        assert!(!is_unknown(&output(2, "test: only -f FILE and -e FILE are supported\n")));
    }
}
