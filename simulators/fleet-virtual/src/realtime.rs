//! The same world with somebody else's clock: whoever serves it to clients outside moves its time.
//!
//! Nothing here reads a clock or waits. A server tells what time it is, sends the cloud what arrived, and asks when to look again.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use grenadier_clock::Time;
use grenadier_wire::{Answer, Failure, ReplyTo};
use tokio::sync::oneshot;

use crate::delivery::{Caller, CloudContext};
use crate::world::{Inner, VirtualWorld};

/// An answer of the cloud in the making. Dropping it gives up: whatever waits for this answer is told.
pub struct Asked {
    world: VirtualWorld,
    call: u64,
    answer: oneshot::Receiver<Result<Answer, Failure>>,
}

impl VirtualWorld {
    /// Takes everything that is due until `now`, in order, and moves the time there.
    pub fn advance_to(&self, now: Time) {
        self.lock().advance_to(now);
    }

    /// When something is due next; none where nothing ever is.
    pub fn next_at(&self) -> Option<Time> {
        self.lock().fleet.queue.next_at()
    }

    /// Hands a request that arrived at `now` to the cloud, without the time that a wire of this world takes.
    pub fn ask_cloud(&self, now: Time, request: http::Request<Bytes>) -> Asked {
        let (sender, answer) = oneshot::channel();
        let inner = &mut *self.lock();
        inner.advance_to(now);
        inner.call_count += 1;
        let call = inner.call_count;
        inner.callers.insert(call, Caller::Outside(sender));
        if let Some(mut cloud) = inner.cloud.take() {
            cloud.handle(ReplyTo(call), request, &mut CloudContext { fleet: &mut inner.fleet, log: &inner.log });
            inner.cloud = Some(cloud);
        } else {
            inner.callers.remove(&call);
        }
        inner.after();
        inner.advance_to(now);
        Asked { world: self.clone(), call, answer }
    }
}

impl Inner {
    fn advance_to(&mut self, now: Time) {
        while self.fleet.queue.next_at().is_some_and(|at| at <= now) {
            self.step();
        }
        self.fleet.queue.advance(now);
    }
}

impl Future for Asked {
    /// None where nobody will ever answer.
    type Output = Option<http::Response<Bytes>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(context).map(|answer| match answer {
            Ok(Ok(Answer::Http(response))) => Some(response),
            _ => None,
        })
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let inner = &mut *self.world.lock();
        if inner.callers.remove(&self.call).is_none() {
            return;
        }
        if let Some(mut cloud) = inner.cloud.take() {
            cloud.gave_up(ReplyTo(self.call), &mut CloudContext { fleet: &mut inner.fleet, log: &inner.log });
            inner.cloud = Some(cloud);
        }
        inner.after();
    }
}
