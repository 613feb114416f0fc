//! One datagram and its answer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use grenadier_fleet::FailureClass;
use tokio::net::UdpSocket;
use tokio::time::timeout_at;

use super::connection::{Stop, refusal, silent};
use super::echo::DATAGRAM_PREFIX;
use super::finding::{Answered, Finding, SAMPLE_TIMEOUT, Sample};
use super::speech::belongs;
use crate::protocol::WatchOrder;

/// Takes one sample. Each has a socket of its own, so that what the network says of one datagram is not laid to another.
pub(super) async fn sample(number: u64, order: &WatchOrder) -> Sample {
    let began = Instant::now();
    let answered = ask(number, order, began + SAMPLE_TIMEOUT).await;
    let finding = match answered {
        Ok(answered) => belongs(order, answered).map_or_else(Finding::Failed, Finding::Answered),
        Err(stop) => stop.into(),
    };
    Sample::ending_now(began, finding)
}

async fn ask(number: u64, order: &WatchOrder, deadline: Instant) -> Result<Answered, Stop> {
    let any: IpAddr = if order.target.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let own = |error: std::io::Error| Stop::Own(format!("open a socket: {error}"));
    let socket = UdpSocket::bind((any, 0)).await.map_err(own)?;
    socket.connect(order.target).await.map_err(|error| refusal(&error))?;
    let request = [DATAGRAM_PREFIX, number.to_string().as_bytes()].concat();
    socket.send(&request).await.map_err(|error| refusal(&error))?;
    let mut bytes = [0; 2048];
    let received = timeout_at(deadline.into(), socket.recv(&mut bytes)).await;
    let count = received.map_err(|_| silent("no datagram from", order))?.map_err(|error| refusal(&error))?;
    // The name stands behind what was sent.
    let name = bytes[..count].strip_prefix(request.as_slice()).and_then(|rest| rest.strip_prefix(b" "));
    let name = name.ok_or_else(|| Stop::failed(FailureClass::WrongAnswer, "another datagram than the one sent"))?;
    Ok(Answered::by(String::from_utf8_lossy(name)))
}
