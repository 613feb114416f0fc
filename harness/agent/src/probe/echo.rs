//! What a backend sends back to the probes that are not HTTP, and how that looks as bytes.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// How a stream begins. No method of HTTP begins so.
pub(crate) const STREAM_PREFACE: &[u8] = b"grenadier-stream/1\n";

/// How every datagram begins, there and back.
pub(crate) const DATAGRAM_PREFIX: &[u8] = b"grenadier-datagram/1 ";

/// The size of a record of a stream: its number and a mark by which a shift of bytes is seen.
pub(crate) const RECORD_BYTES: usize = 16;
const MARK: [u8; 8] = *b"/record\n";

/// A record of a stream.
pub(crate) fn record(number: u64) -> [u8; RECORD_BYTES] {
    let mut bytes = [0; RECORD_BYTES];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[8..].copy_from_slice(&MARK);
    bytes
}

/// The number of a record; none where the bytes are no record.
pub(crate) fn read_record(bytes: &[u8]) -> Option<u64> {
    let (number, mark) = bytes.split_first_chunk::<8>()?;
    (mark == MARK).then(|| u64::from_be_bytes(*number))
}

/// Sends a stream back after the name of whoever does, until it ends.
///
/// # Errors
/// The connection's. The first bytes that are no preface end it as well.
pub(crate) async fn echo_stream(mut stream: TcpStream, name: &str) -> io::Result<()> {
    let mut preface = vec![0; STREAM_PREFACE.len()];
    stream.read_exact(&mut preface).await?;
    if preface != STREAM_PREFACE {
        return Err(io::ErrorKind::InvalidData.into());
    }
    stream.write_all(format!("{name}\n").as_bytes()).await?;
    let mut bytes = vec![0; 16 << 10];
    loop {
        let count = stream.read(&mut bytes).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&bytes[..count]).await?;
    }
}

/// Sends datagrams of probes back, with a name behind them, until its future is dropped.
///
/// # Errors
/// The socket's.
pub(crate) async fn echo_datagrams(socket: UdpSocket, name: impl Fn() -> Option<String>) -> io::Result<()> {
    let mut bytes = vec![0; 2048];
    loop {
        let (count, from) = match socket.recv_from(&mut bytes).await {
            Ok(came) => came,
            // Somebody we answered has gone away.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
            Err(error) => return Err(error),
        };
        if let Some(name) = name().filter(|_| bytes[..count].starts_with(DATAGRAM_PREFIX)) {
            let answer = [&bytes[..count], b" ", name.as_bytes()].concat();
            // What cannot be sent is lost, as datagrams are.
            let _lost = socket.send_to(&answer, from).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_nothing_else_does() {
        assert_eq!(read_record(&record(0x0102_0304)), Some(0x0102_0304));
        let mut shifted = [record(1), record(2)].concat();
        shifted.remove(3);
        assert_eq!(read_record(&shifted[..RECORD_BYTES]), None);
        assert_eq!(read_record(b"short"), None);
    }
}
