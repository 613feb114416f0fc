//! A host whose time is virtual.

use std::future::poll_fn;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::pin::Pin;
use std::process::{ChildStdin, ChildStdout};
use std::task::{Context, Poll};

use grenadier_wire::Wire;

use super::{Asked, Ended, EngineProcess, go_on, heard, line, make, sleep};
use crate::result::ResultLine;
use crate::wire::ToEngine;

/// An answer on its way.
type Answering = Pin<Box<dyn Future<Output = ToEngine>>>;

impl EngineProcess {
    /// As [`EngineProcess::run`], with the wire's time standing still while the process computes: it is waited for until it can do
    /// nothing more without an answer, so the run is the same, call by call and nanosecond by nanosecond, as with an engine in
    /// this process. It blocks its thread meanwhile. Calls end with the process that is killed.
    ///
    /// # Errors
    /// As [`EngineProcess::run`].
    pub async fn run_in_virtual_time(&self, wire: &Wire) -> io::Result<Ended> {
        let (alive, stdin, stdout) = self.start()?;
        let mut talk = Talk { stdin, stdout: BufReader::new(stdout), wire, asked: Vec::new(), result: None };
        // What was declared last goes first: a process whose standard input ends before it is killed could still do something.
        let alive = alive;
        let mut ended = talk.tell(&ToEngine::Begin { now: wire.clock().now() })?;
        while !ended {
            let answer = poll_fn(|context| talk.next(context)).await;
            ended = talk.tell(&answer)?;
        }
        wire.set_step(None);
        alive.ended(talk.result)
    }
}

struct Talk<'a> {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    wire: &'a Wire,
    /// In the order in which it was asked.
    asked: Vec<Answering>,
    result: Option<ResultLine>,
}

impl Talk<'_> {
    /// The first answer that is there.
    fn next(&mut self, context: &mut Context<'_>) -> Poll<ToEngine> {
        let mut place = 0;
        while let Some(answer) = self.asked.get_mut(place) {
            if let Poll::Ready(answer) = answer.as_mut().poll(context) {
                drop(self.asked.remove(place));
                return Poll::Ready(answer);
            }
            place += 1;
        }
        Poll::Pending
    }

    /// Tells the process something and takes what it says until it is idle; true where it has ended.
    fn tell(&mut self, message: &ToEngine) -> io::Result<bool> {
        // A process that has ended shows by what it says last.
        let _gone = self.stdin.write_all(&line(message)).and_then(|()| self.stdin.flush());
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line)? == 0 {
                return Ok(true);
            }
            match heard(&line, self.wire)? {
                Some(Asked::Call { id, step, call }) => {
                    self.asked.push(Box::pin(make(self.wire.clone(), id, step, call)));
                }
                Some(Asked::Sleep { id, length }) => self.asked.push(Box::pin(sleep(self.wire, id, length))),
                Some(Asked::Moment { id, step, moment }) => {
                    self.asked.push(Box::pin(go_on(self.wire.clone(), id, step, moment)));
                }
                Some(Asked::Ended(result)) => self.result = Some(result),
                Some(Asked::Idle) => return Ok(false),
                None => {}
            }
        }
    }
}
