//! Takes samples of one target, evenly spaced.

use std::sync::Arc;
use std::time::{Duration, Instant};

use grenadier_fleet::{Mac, ProbeKind, ProberState};
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

use super::address_resolution::Asking;
use super::finding::{Failed, Finding, LATE_AFTER, Sample};
use super::findings::{Ended, Findings};
use super::kept::Kept;
use super::schedule::{Due, Schedule};
use super::{datagram, fresh, handshake, neighbours};
use crate::protocol::{FromAgent, WatchOrder};
use crate::{Outbox, TimeBase};

/// How often rows are sent on: what a prober that is killed takes with it.
const ROWS_EVERY: Duration = Duration::from_millis(250);

/// How often the neighbour table is looked at.
const NEIGHBOUR_EVERY: Duration = Duration::from_millis(50);

/// How often lateness is told, where there was some.
const LATENESS_EVERY: Duration = Duration::from_secs(1);

/// A watch that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Sampler {
    _stop: watch::Sender<()>,
}

impl Sampler {
    /// Begins to look.
    pub(crate) fn start(order: WatchOrder, time: TimeBase, outbox: Outbox) -> Sampler {
        let (stop, stopped) = watch::channel(());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(run(order, time, outbox, stopped)),
                Err(error) => {
                    let reason = format!("failed to begin watch {}: {error}", order.watch);
                    outbox.put(FromAgent::Prober { watch: order.watch, now: ProberState::NotCovered { reason } });
                }
            }
        });
        Sampler { _stop: stop }
    }
}

/// How samples of a kind are begun. Each tells its end through the channel it was made with.
enum Way {
    Fresh,
    Kept(Kept),
    Handshake,
    Datagram,
    Asking(Asking),
}

impl Way {
    fn new(order: &Arc<WatchOrder>, done: &mpsc::UnboundedSender<Ended>) -> Result<Way, String> {
        Ok(match order.kind {
            ProbeKind::HttpNew => Way::Fresh,
            ProbeKind::HttpPinned | ProbeKind::TcpStream => Way::Kept(Kept::new(Arc::clone(order), done.clone())),
            ProbeKind::Tls => Way::Handshake,
            ProbeKind::Udp => Way::Datagram,
            ProbeKind::Arp => Way::Asking(Asking::start(order, done.clone())?),
        })
    }

    fn begin(&self, number: u64, order: &Arc<WatchOrder>, done: &mpsc::UnboundedSender<Ended>) {
        let (order, done) = (Arc::clone(order), done.clone());
        // The watch may have ended when a sample does: then nobody listens.
        match self {
            Way::Fresh => {
                tokio::spawn(async move { done.send((number, fresh::sample(number, &order).await)) });
            }
            Way::Handshake => {
                tokio::spawn(async move { done.send((number, handshake::sample(&order).await)) });
            }
            Way::Datagram => {
                tokio::spawn(async move { done.send((number, datagram::sample(number, &order).await)) });
            }
            Way::Kept(kept) => kept.begin(number),
            Way::Asking(asking) => asking.begin(number),
        }
    }
}

async fn run(order: WatchOrder, time: TimeBase, outbox: Outbox, mut stopped: watch::Receiver<()>) {
    let order = Arc::new(order);
    let tell = |now| outbox.put(FromAgent::Prober { watch: order.watch, now });
    let (sender, mut ended) = mpsc::unbounded_channel::<Ended>();
    let way = match Way::new(&order, &sender) {
        Ok(way) => way,
        Err(reason) => return tell(ProberState::NotCovered { reason }),
    };
    let every = Duration::from_millis(order.every_ms.max(1));
    let start = Instant::now();
    let mut schedule = Schedule::new(start, every);
    let mut findings = Findings::new(order.watch, start, time, outbox.clone());
    let mut neighbour: Option<Option<Mac>> = None;
    let interval = |every| {
        let mut interval = tokio::time::interval(every);
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        interval
    };
    let (mut looks, mut deliveries) = (interval(NEIGHBOUR_EVERY), interval(ROWS_EVERY));
    let mut latenesses = interval(LATENESS_EVERY);
    let every_ns = every.as_nanos().try_into().unwrap_or(u64::MAX);
    tell(ProberState::Started { at_ns: time.earliest(start), every_ns });
    let mut number = 0;
    loop {
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(schedule.due().into()) => {
                let now = Instant::now();
                while let Some(due) = schedule.take(now) {
                    match due {
                        Due::Sample => way.begin(number, &order, &sender),
                        Due::Missed(missed) => {
                            let finding = Finding::Unknown { missed, reason: "the prober stood still".to_owned() };
                            findings.take(number, Sample { began: now, ended: now, finding });
                        }
                    }
                    number += 1;
                }
            }
            Some((number, sample)) = ended.recv() => findings.take(number, own_fault(sample, &schedule)),
            _ = looks.tick() => {
                let now = neighbours::current(order.target.ip());
                if neighbour != Some(now) {
                    outbox.put(FromAgent::Neighbour { address: order.target.ip(), mac: now });
                }
                neighbour = Some(now);
            }
            _ = deliveries.tick() => findings.flush(),
            _ = latenesses.tick() => tell_lateness(&mut schedule, &time, &tell),
            _ = stopped.changed() => break,
        }
    }
    findings.finish(number);
    tell_lateness(&mut schedule, &time, &tell);
    let (at_ns, figures) = (time.earliest(findings.looked()), Some(schedule.figures()));
    tell(ProberState::Stopped { at_ns, reason: None, figures });
}

fn tell_lateness(schedule: &mut Schedule, time: &TimeBase, tell: &impl Fn(ProberState)) {
    if let Some(late) = schedule.take_lateness() {
        tell(ProberState::Late {
            from_ns: time.earliest(late.from),
            to_ns: time.latest(late.to),
            samples: late.samples,
            worst_ns: late.worst.as_nanos().try_into().unwrap_or(u64::MAX),
        });
    }
}

/// A sample that saw no answer in time, because the prober stood still for most of that time, has found nothing out.
fn own_fault(sample: Sample, schedule: &Schedule) -> Sample {
    let Finding::Failed(Failed { is_silence: true, .. }) = &sample.finding else { return sample };
    let still = schedule.still_within(sample.began, sample.ended);
    let looked = (sample.ended - sample.began).saturating_sub(still);
    if looked > LATE_AFTER || still.is_zero() {
        return sample;
    }
    let reason = format!("the prober stood still for {} ms of the sample's time", still.as_millis());
    Sample { finding: Finding::unknown(reason), ..sample }
}

#[cfg(test)]
mod tests {
    use grenadier_fleet::FailureClass;

    use super::*;

    #[test]
    fn silence_while_the_prober_stood_still_is_no_finding() {
        let start = Instant::now();
        let ms = |ms| start + Duration::from_millis(ms);
        let mut schedule = Schedule::new(start, Duration::from_millis(10));
        schedule.take(start);
        let silent = |ended| {
            let finding = Finding::Failed(Failed::new(FailureClass::Silent, "nothing"));
            Sample { began: start, ended, finding }
        };
        assert_eq!(own_fault(silent(ms(1000)), &schedule).finding, silent(ms(1000)).finding);
        while schedule.take(ms(990)).is_some() {}
        assert!(matches!(own_fault(silent(ms(1000)), &schedule).finding, Finding::Unknown { missed: 1, .. }));
        // It had half a second in which it looked and saw nothing.
        assert_eq!(own_fault(silent(ms(1600)), &schedule).finding, silent(ms(1600)).finding);
        let refused = Finding::Failed(Failed::new(FailureClass::Refused, "no"));
        let sample = Sample { began: start, ended: ms(1000), finding: refused.clone() };
        assert_eq!(own_fault(sample, &schedule).finding, refused);
    }
}
