//! The appliance's certificates: its authority and the one its Data Plane API shows.
//!
//! Keys are Ed25519 and follow from the run's seed, serial numbers and dates are fixed, so that a run makes the same
//! certificates every time.

use std::cell::RefCell;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use grenadier_clock::Seed;
use grenadier_dataplane::Remembered;
use grenadier_fleet::sha256_hex;
use grenadier_guest::Host;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ED25519, PublicKeyData as _, SanType, SerialNumber, date_time_ymd,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use thiserror::Error;

use crate::metadata::Metadata;
use crate::{Facts, fidelity, journal, paths};

/// The service whose log tells about certificates.
const SERVICE: &str = "cloud-init";

/// How many certificates of a kind a thread remembers.
const MOST_KNOWN: usize = 64;

/// A certificate cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CertificateError {
    /// The text holds no certificate.
    #[error("no certificate in PEM form")]
    NoCertificate,
    /// The text holds no private key.
    #[error("no private key in PKCS #8 PEM form")]
    NoKey,
    /// The certificate cannot be read.
    #[error("the certificate is damaged")]
    Damaged,
    /// Key and certificate are not a pair.
    #[error("the key does not belong to the certificate")]
    NotAPair,
}

/// A certificate and its key, both in PEM form.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
    /// Whether it may sign others.
    pub(crate) is_authority: bool,
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pair").field("is_authority", &self.is_authority).finish_non_exhaustive()
    }
}

impl Pair {
    /// A pair as OVF properties hold it: in PEM form, its line breaks possibly turned into blanks, or that in Base64.
    pub(crate) fn read(certificate: &str, key: &str) -> Result<Pair, CertificateError> {
        let certificate = normalise(certificate).ok_or(CertificateError::NoCertificate)?;
        let key = normalise(key).ok_or(CertificateError::NoKey)?;
        let der = leaf(&certificate)?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).map_err(|_| CertificateError::Damaged)?;
        let pair = KeyPair::from_pem(&key).map_err(|_| CertificateError::NoKey)?;
        if parsed.public_key().raw != pair.subject_public_key_info() {
            return Err(CertificateError::NotAPair);
        }
        Ok(Pair { is_authority: parsed.is_ca(), certificate, key })
    }
}

/// SHA-256 of a PEM text's first certificate, in lowercase hexadecimal: what a client that pins it compares.
///
/// # Errors
/// There is no certificate in the text.
pub fn fingerprint_of_pem(pem: &str) -> Result<String, CertificateError> {
    thread_local! {
        static KNOWN: RefCell<Remembered<String, String>> = const { RefCell::new(Remembered::new(MOST_KNOWN)) };
    }
    if let Some(fingerprint) = KNOWN.with_borrow(|known| known.find(pem)) {
        return Ok(fingerprint);
    }
    let fingerprint = sha256_hex(&leaf(pem)?);
    KNOWN.with_borrow_mut(|known| known.keep(pem.to_owned(), fingerprint.clone()));
    Ok(fingerprint)
}

fn leaf(pem: &str) -> Result<CertificateDer<'static>, CertificateError> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| CertificateError::NoCertificate)
}

/// A PEM text with its line breaks where they belong; none where it is none.
fn normalise(text: &str) -> Option<String> {
    let text = text.trim();
    let decoded;
    let text = if text.contains("-----BEGIN ") {
        text
    } else {
        let compact: String = text.chars().filter(|char| !char.is_whitespace()).collect();
        decoded = String::from_utf8(STANDARD.decode(compact).ok()?).ok()?;
        &decoded
    };
    let mut normal = String::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----")?;
        let end = format!("-----END {label}-----");
        let (body, after) = after.split_once(&end)?;
        let body: String = body.chars().filter(|char| !char.is_whitespace()).collect();
        normal.push_str(&format!("-----BEGIN {label}-----\n"));
        for line in body.as_bytes().chunks(64) {
            normal.push_str(std::str::from_utf8(line).ok()?);
            normal.push('\n');
        }
        normal.push_str(&end);
        normal.push('\n');
        rest = after;
    }
    (!normal.is_empty()).then_some(normal)
}

/// Puts a pair that was handed in where it belongs. An authority signs the server's certificate; anything else *is* the
/// server's: the upgrade document hands in `server.crt` and `server.key` of the old appliance. As the real script does, it
/// goes into the authority's files in both cases.
pub(crate) fn install(pair: &Pair, host: &mut dyn Host) -> Result<(), String> {
    write_pair(host, paths::CA_CRT, paths::CA_KEY, pair)?;
    if !pair.is_authority {
        journal::log(host, SERVICE, "ca_cert is no authority's certificate: it becomes the server's");
        write_pair(host, paths::SERVER_CRT, paths::SERVER_KEY, pair)?;
    }
    Ok(())
}

/// Makes the certificates that are missing (all of them where this version regenerates them at each boot) and publishes the
/// authority's.
pub(crate) fn ensure(seed: Seed, facts: &Facts, metadata: &Metadata, host: &mut dyn Host) -> Result<(), String> {
    let missing = |host: &dyn Host, certificate, key| host.read(certificate).is_none() && host.read(key).is_none();
    let regenerates = facts.regenerates_certificates && host.holds(&fidelity::REGENERATES);
    if regenerates || missing(host, paths::CA_CRT, paths::CA_KEY) {
        let pair = authority(seed, metadata, host);
        write_pair(host, paths::CA_CRT, paths::CA_KEY, &pair)?;
        journal::log(host, SERVICE, "made a new certificate authority");
    } else {
        journal::log(host, SERVICE, "Existing ca.crt or ca.key exists in /etc/haproxy. Skipping cert generation.");
    }
    if regenerates || missing(host, paths::SERVER_CRT, paths::SERVER_KEY) {
        let pair = server(seed, metadata, host)?;
        write_pair(host, paths::SERVER_CRT, paths::SERVER_KEY, &pair)?;
        journal::log(host, SERVICE, "made a new server certificate");
    } else {
        journal::log(
            host,
            SERVICE,
            "Existing server.crt or server.key exists in /etc/haproxy. Skipping cert generation.",
        );
    }
    let authority = host.read(paths::CA_CRT).ok_or_else(|| format!("{} is missing", paths::CA_CRT))?;
    host.set_config(paths::PUBLISHED_CA, &STANDARD.encode(authority));
    Ok(())
}

fn write_pair(host: &mut dyn Host, certificate: &str, key: &str, pair: &Pair) -> Result<(), String> {
    host.write(certificate, Bytes::from(pair.certificate.clone()))?;
    host.write(key, Bytes::from(pair.key.clone()))
}

/// The secret of a key: it follows from the seed, the machine and the key that was there before, so that a later one differs.
fn secret(seed: Seed, host: &dyn Host, path: &str) -> [u8; 32] {
    let before = host.read(path).map(|content| sha256_hex(&content)).unwrap_or_default();
    seed.bytes(host.machine(), &format!("{path} after {before}"))
}

fn make_key(secret: &[u8; 32]) -> KeyPair {
    // PKCS #8 of an Ed25519 key (RFC 8410): this prefix and the 32 bytes.
    let mut der = vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    der.extend_from_slice(secret);
    KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(der), &PKCS_ED25519)
        .expect("any 32 bytes are an Ed25519 key")
}

fn parameters(common_name: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "VMware");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2036, 1, 1);
    params
}

/// A new authority. Making it takes longer than the rest of a boot, and runs of one seed make the same again.
fn authority(seed: Seed, metadata: &Metadata, host: &dyn Host) -> Pair {
    thread_local! {
        static KNOWN: RefCell<Remembered<([u8; 32], String), Pair>> =
            const { RefCell::new(Remembered::new(MOST_KNOWN)) };
    }
    let management = metadata.interfaces.get("management").map(|interface| interface.address.addr().to_string());
    let inputs = (secret(seed, host, paths::CA_KEY), management.unwrap_or_else(|| "haproxy.local".to_owned()));
    KNOWN.with_borrow_mut(|known| {
        known.find(&inputs).unwrap_or_else(|| {
            let pair = make_authority(&inputs.0, &inputs.1);
            known.keep(inputs, pair.clone());
            pair
        })
    })
}

fn make_authority(secret: &[u8; 32], common_name: &str) -> Pair {
    let key = make_key(secret);
    let mut params = parameters(common_name, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    let certificate = params.self_signed(&key).expect("our own parameters can be signed");
    Pair { certificate: certificate.pem(), key: key.serialize_pem(), is_authority: true }
}

/// All that a server's certificate hangs on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ServerInputs {
    authority: String,
    authority_key: String,
    secret: [u8; 32],
    hostname: String,
    addresses: Vec<IpAddr>,
}

/// A new certificate of the server, signed by the authority in its files.
fn server(seed: Seed, metadata: &Metadata, host: &dyn Host) -> Result<Pair, String> {
    thread_local! {
        static KNOWN: RefCell<Remembered<ServerInputs, Pair>> = const { RefCell::new(Remembered::new(MOST_KNOWN)) };
    }
    let text = |path: &str| {
        let content = host.read(path).ok_or_else(|| format!("{path} is missing"))?;
        String::from_utf8(content.into()).map_err(|_| format!("{path} is damaged"))
    };
    let addresses = metadata.interfaces.values().map(|interface| interface.address.addr());
    let inputs = ServerInputs {
        authority_key: text(paths::CA_KEY)?,
        authority: text(paths::CA_CRT)?,
        secret: secret(seed, host, paths::SERVER_KEY),
        hostname: metadata.hostname.clone(),
        addresses: std::iter::once([127, 0, 0, 1].into()).chain(addresses).collect(),
    };
    if let Some(pair) = KNOWN.with_borrow(|known| known.find(&inputs)) {
        return Ok(pair);
    }
    let pair = make_server(&inputs)?;
    KNOWN.with_borrow_mut(|known| known.keep(inputs, pair.clone()));
    Ok(pair)
}

fn make_server(inputs: &ServerInputs) -> Result<Pair, String> {
    let authority_key =
        KeyPair::from_pem(&inputs.authority_key).map_err(|error| format!("{}: {error}", paths::CA_KEY))?;
    let issuer = Issuer::from_ca_cert_pem(&inputs.authority, authority_key)
        .map_err(|error| format!("{}: {error}", paths::CA_CRT))?;
    let key = make_key(&inputs.secret);
    let mut params = parameters(&inputs.hostname, 2);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
    params.subject_alt_names = inputs.addresses.iter().copied().map(SanType::IpAddress).collect();
    for name in ["localhost", &inputs.hostname] {
        let name = name.try_into().map_err(|_| format!("host name {name} does not fit into a certificate"))?;
        params.subject_alt_names.push(SanType::DnsName(name));
    }
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer).map_err(|error| format!("cannot sign: {error}"))?;
    Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem(), is_authority: false })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use grenadier_guest::testing::TestHost;
    use rstest::rstest;

    use super::*;
    use crate::facts::samples::facts;
    use crate::metadata::Interface;

    fn metadata() -> Metadata {
        let interface = Interface { address: "198.18.0.10/24".parse().unwrap(), gateway: None };
        Metadata {
            hostname: "haproxy.local".to_owned(),
            nameservers: Vec::new(),
            interfaces: BTreeMap::from([("management".to_owned(), interface)]),
        }
    }

    fn text(host: &TestHost, path: &str) -> String {
        String::from_utf8(host.files[path].to_vec()).unwrap()
    }

    #[rstest]
    #[case("v0.1.9", true)]
    #[case("v0.1.10", false)]
    fn a_second_boot_makes_new_ones_up_to_v0_1_9(#[case] version: &str, #[case] changes: bool) {
        let host = &mut TestHost::default();
        ensure(Seed(7), &facts(version), &metadata(), host).unwrap();
        let first = fingerprint_of_pem(&text(host, paths::SERVER_CRT)).unwrap();
        ensure(Seed(7), &facts(version), &metadata(), host).unwrap();
        let second = fingerprint_of_pem(&text(host, paths::SERVER_CRT)).unwrap();
        assert_eq!(first != second, changes);
        let published = STANDARD.decode(&host.config[paths::PUBLISHED_CA]).unwrap();
        assert_eq!(String::from_utf8(published).unwrap(), text(host, paths::CA_CRT));
    }

    #[test]
    fn the_same_seed_makes_the_same_and_the_authority_signs() {
        let make = |seed| {
            let mut host = TestHost::default();
            ensure(Seed(seed), &facts("v0.1.10"), &metadata(), &mut host).unwrap();
            host
        };
        let host = make(7);
        assert_eq!(host.files, make(7).files);
        assert_ne!(text(&host, paths::SERVER_CRT), text(&make(8), paths::SERVER_CRT));
        let (authority, server) =
            (leaf(&text(&host, paths::CA_CRT)).unwrap(), leaf(&text(&host, paths::SERVER_CRT)).unwrap());
        let (_, authority) = x509_parser::parse_x509_certificate(&authority).unwrap();
        let (_, server) = x509_parser::parse_x509_certificate(&server).unwrap();
        assert!(authority.is_ca() && !server.is_ca());
        assert_eq!(server.issuer(), authority.subject());
        assert_eq!(server.raw_serial(), [0, 0, 0, 0, 0, 0, 0, 2].as_slice().split_at(7).1);
    }

    #[test]
    fn pairs_are_read_in_every_form_properties_bring_them_in() {
        let mut host = TestHost::default();
        ensure(Seed(7), &facts("v0.1.10"), &metadata(), &mut host).unwrap();
        let (certificate, key) = (text(&host, paths::SERVER_CRT), text(&host, paths::SERVER_KEY));
        let pair = Pair::read(&certificate, &key).unwrap();
        assert!(!pair.is_authority);
        let flat = |text: &str| text.replace('\n', " ");
        assert_eq!(Pair::read(&flat(&certificate), &flat(&key)).unwrap(), pair);
        assert_eq!(Pair::read(&STANDARD.encode(&certificate), &STANDARD.encode(&key)).unwrap(), pair);
        let (authority, authority_key) = (text(&host, paths::CA_CRT), text(&host, paths::CA_KEY));
        assert!(Pair::read(&authority, &authority_key).unwrap().is_authority);
        assert_eq!(Pair::read(&authority, &key), Err(CertificateError::NotAPair));
        assert_eq!(Pair::read("rubbish", &key), Err(CertificateError::NoCertificate));
        assert_eq!(Pair::read(&certificate, ""), Err(CertificateError::NoKey));
    }

    #[test]
    fn a_handed_in_server_certificate_becomes_the_servers_and_an_authority_signs_one() {
        let mut old = TestHost::default();
        ensure(Seed(7), &facts("v0.1.10"), &metadata(), &mut old).unwrap();
        let server = Pair::read(&text(&old, paths::SERVER_CRT), &text(&old, paths::SERVER_KEY)).unwrap();
        let authority = Pair::read(&text(&old, paths::CA_CRT), &text(&old, paths::CA_KEY)).unwrap();

        let mut new = TestHost::default();
        install(&server, &mut new).unwrap();
        ensure(Seed(8), &facts("v0.2.0"), &metadata(), &mut new).unwrap();
        assert_eq!(new.files[paths::SERVER_CRT], old.files[paths::SERVER_CRT]);

        let mut new = TestHost::default();
        install(&authority, &mut new).unwrap();
        ensure(Seed(8), &facts("v0.2.0"), &metadata(), &mut new).unwrap();
        assert_eq!(new.files[paths::CA_CRT], old.files[paths::CA_CRT]);
        assert_ne!(new.files[paths::SERVER_CRT], old.files[paths::SERVER_CRT]);
    }
}
