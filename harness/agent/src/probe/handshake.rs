//! One TLS handshake.

use std::time::Instant;

use grenadier_carriers::fingerprint;

use super::connection::{Stop, open_tcp, shake_hands};
use super::finding::{Answered, Finding, SAMPLE_TIMEOUT, Sample};
use crate::protocol::WatchOrder;

/// Takes one sample: which certificates the target shows.
pub(super) async fn sample(order: &WatchOrder) -> Sample {
    let began = Instant::now();
    let shown = certificates(order, began + SAMPLE_TIMEOUT).await;
    Sample::ending_now(began, shown.map_or_else(Finding::from, Finding::Answered))
}

async fn certificates(order: &WatchOrder, deadline: Instant) -> Result<Answered, Stop> {
    let stream = open_tcp(order, deadline).await?;
    let (_stream, shown) = shake_hands(order, stream, deadline).await?;
    let mut pins = shown.iter().map(|der| fingerprint(der));
    Ok(Answered { certificate: pins.next(), chain: pins.collect(), ..Answered::default() })
}
