//! Kinds of probe.

use crate::named::named;

named! {
    /// How a probe asks a target whether it is there.
    pub enum ProbeKind("probe kind") {
        HttpNew = "http-new", "one HTTP request on a new connection per sample, as a browser that just arrived";
        HttpPinned = "http-pinned", "HTTP requests on one kept connection, reopened only when it breaks";
        TcpStream = "tcp-stream", "numbered bytes on one TCP connection that come back, none lost and none twice";
        Tls = "tls", "one TLS handshake per sample: which certificate and chain the target shows";
        Udp = "udp", "one datagram per sample, which a backend sends back";
        Arp = "arp", "one ARP request per sample: everybody on the client's network who answers for the address";
    }
}
