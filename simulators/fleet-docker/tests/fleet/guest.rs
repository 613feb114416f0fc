//! Guests of these tests.

use grenadier_agent::GuestContext;
use grenadier_agent::protocol::GuestRecord;
use grenadier_fleet_contract::{RESPONDER, Responder};
use grenadier_guest::Guest;

/// The product's own guests, and those of these tests.
pub(crate) fn make_guest(record: &GuestRecord, context: &GuestContext<'_>) -> Result<Box<dyn Guest>, String> {
    match record.product.as_str() {
        RESPONDER => Ok(Box::new(Responder::default())),
        crate::faulty::FAULTY => Ok(Box::new(crate::faulty::Faulty::default())),
        _ => grenadier_agent::make_guest(record, context),
    }
}
