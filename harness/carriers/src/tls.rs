//! TLS: an identity to show, and trust by fingerprint.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use grenadier_wire::TlsTrust;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// SHA-256 of a certificate's DER form in lowercase hexadecimal: what clients pin.
pub fn fingerprint(certificate_der: &[u8]) -> String {
    hex::encode(Sha256::digest(certificate_der))
}

/// Why an identity cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// No certificate or key in the PEM text, or a torn one.
    #[error("the PEM text holds no usable {what}: {reason}")]
    Pem {
        /// `certificate` or `key`.
        what: &'static str,
        /// What was found instead.
        reason: String,
    },
    /// The key does not belong to the certificate, or is of an unknown kind.
    #[error("certificate and key are of no use together")]
    Mismatch(#[source] rustls::Error),
}

/// A certificate chain and its key, ready to be shown to clients.
#[derive(Clone, Debug)]
pub struct TlsIdentity {
    config: Arc<ServerConfig>,
}

impl TlsIdentity {
    /// Reads a chain (leaf first) and a PKCS #8 key from PEM text.
    pub fn from_pem(chain: &str, key: &str) -> Result<TlsIdentity, TlsError> {
        let pem = |what, reason: &dyn ToString| TlsError::Pem { what, reason: reason.to_string() };
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| pem("certificate", &error))?;
        if certificates.is_empty() {
            return Err(pem("certificate", &"nothing"));
        }
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| pem("key", &error))?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(certificates, key))
            .map_err(TlsError::Mismatch)?;
        Ok(TlsIdentity { config: Arc::new(config) })
    }

    pub(crate) fn acceptor(&self) -> tokio_rustls::TlsAcceptor {
        Arc::clone(&self.config).into()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A client configuration that trusts by fingerprint, or anyone.
pub(crate) fn client_config(trust: &TlsTrust) -> Arc<ClientConfig> {
    let provider = provider();
    let verifier = Arc::new(Fingerprint { trust: trust.clone(), provider: Arc::clone(&provider) });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring offers the default protocol versions")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Arc::new(config)
}

/// Makes a TCP connection a TLS one, and gives the certificates that were shown: DER forms, the server's own first.
///
/// # Errors
/// The connection's, and those of the handshake.
pub async fn connect_tls(
    stream: TcpStream,
    server: IpAddr,
    trust: &TlsTrust,
) -> io::Result<(TlsStream<TcpStream>, Vec<Vec<u8>>)> {
    let connector = tokio_rustls::TlsConnector::from(client_config(trust));
    let stream = connector.connect(ServerName::from(server), stream).await?;
    let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let shown = shown.iter().map(|certificate| certificate.to_vec()).collect();
    Ok((stream, shown))
}

/// Appliances show certificates that no public authority signed: their clients pin them, or trust on first use.
#[derive(Debug)]
struct Fingerprint {
    trust: TlsTrust,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Fingerprint {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.trust {
            TlsTrust::Anyone => Ok(ServerCertVerified::assertion()),
            TlsTrust::Pinned(pin) if *pin == fingerprint(end_entity) => Ok(ServerCertVerified::assertion()),
            TlsTrust::Pinned(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
