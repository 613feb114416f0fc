//! The certificate of a listener.

use std::net::IpAddr;

use grenadier_carriers::{TlsError, TlsIdentity};

/// A fresh self-signed certificate for this address and for `localhost`. Clients do not verify it, or pin it.
pub(crate) fn self_signed(address: IpAddr) -> Result<TlsIdentity, TlsError> {
    let made = rcgen::generate_simple_self_signed(vec![address.to_string(), "localhost".to_owned()]);
    let made = made.expect("a self-signed certificate needs nothing but randomness");
    TlsIdentity::from_pem(&made.cert.pem(), &made.signing_key.serialize_pem())
}
