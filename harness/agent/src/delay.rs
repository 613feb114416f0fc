//! Packets that come late.
//!
//! A thread sees every frame that a card receives, before the filters of [`crate::impairment`] drop it. It keeps the frame for as
//! long as the delay is and sends it out on the card again, with a source that marks it. The filters turn what is so marked
//! around, and it comes in as if for the first time. With each frame goes what the kernel has yet to do for it (its checksum, its
//! segments), so that it does not matter that containers hand each other unfinished packets.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrAny, SocketFlags, SocketType, eth};

/// The source of a frame that was delayed: a locally administered address (RFC 7042) that no card of ours has.
pub(crate) const MARK: [u8; 6] = [0x02, 0x67, 0x64, 0x6c, 0x61, 0x79];

/// How often the thread looks whether it is still wanted.
const WAKE_EVERY: Duration = Duration::from_millis(100);
/// The size of `struct virtio_net_hdr`, which stands in front of each frame.
const PREFACE: usize = 10;
/// The largest frame: packets of the same connection come as one.
const LARGEST: usize = PREFACE + 14 + 65_536;
/// As many frames as wait at most; one more is lost, as in a queue of a real network.
const QUEUE: usize = 10_000;

/// A frame with its preface, where it came in, and when it is due.
type Waiting = (Instant, Vec<u8>, SocketAddrAny);

/// Delays what every card receives, for as long as it is kept.
#[derive(Debug)]
pub(crate) struct Delay(Arc<AtomicBool>);

impl Delay {
    /// Begins.
    ///
    /// # Errors
    /// The kernel does not show this process frames.
    pub(crate) fn begin(by: Duration) -> io::Result<Delay> {
        let socket = Arc::new(open()?);
        let wanted = Arc::new(AtomicBool::new(true));
        let (sender, waiting) = mpsc::sync_channel(QUEUE);
        let (receiving, still_wanted) = (Arc::clone(&socket), Arc::clone(&wanted));
        std::thread::spawn(move || receive(&receiving, by, &still_wanted, &sender));
        std::thread::spawn(move || send(&socket, &waiting));
        Ok(Delay(wanted))
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// A socket that sees what cards receive, and waits for nothing longer than [`WAKE_EVERY`].
fn open() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::PACKET, SocketType::RAW, flags, Some(eth::ALL))?;
    switch_on(&socket, libc::PACKET_VNET_HDR)?;
    switch_on(&socket, libc::PACKET_IGNORE_OUTGOING)?;
    set_socket_timeout(&socket, Timeout::Recv, Some(WAKE_EVERY))?;
    Ok(socket)
}

/// Switches an option of a packet socket on [packet(7)].
#[expect(unsafe_code, reason = "no safe interface knows these options")]
fn switch_on(socket: &OwnedFd, option: libc::c_int) -> io::Result<()> {
    let on: libc::c_int = 1;
    let length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the kernel reads as many bytes as are said to be there, and keeps none of them.
    let done = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_PACKET, option, std::ptr::from_ref(&on).cast(), length)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn receive(socket: &OwnedFd, by: Duration, wanted: &AtomicBool, queue: &mpsc::SyncSender<Waiting>) {
    let mut buffer = vec![0; LARGEST];
    while wanted.load(Ordering::Relaxed) {
        // An error is of the moment: patience ended, or a card went down.
        let Ok((_, length, Some(card))) = rustix::net::recvfrom(socket, &mut buffer[..], RecvFlags::empty()) else {
            continue;
        };
        let due = Instant::now() + by;
        if let Some(frame) = marked(&buffer[..length.min(LARGEST)]) {
            // Where the queue is full, the frame is lost.
            let _lost = queue.try_send((due, frame, card));
        }
    }
}

/// Sends everything when it is due: all of it waits equally long, so what came first is due first.
fn send(socket: &OwnedFd, queue: &mpsc::Receiver<Waiting>) {
    while let Ok((due, frame, card)) = queue.recv() {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        // A card that has gone takes nothing.
        let _lost = rustix::net::sendto(socket, &frame, SendFlags::empty(), &card);
    }
}

/// The frame with its mark, where it is one to be delayed: no ARP, nothing that was delayed before, nothing of the loopback
/// interface, whose frames come from nowhere.
fn marked(frame: &[u8]) -> Option<Vec<u8>> {
    let source: [u8; 6] = *frame.get(PREFACE + 6..)?.first_chunk()?;
    let kind: [u8; 2] = *frame.get(PREFACE + 12..)?.first_chunk()?;
    if kind == [0x08, 0x06] || source == MARK || source == [0; 6] {
        return None;
    }
    let mut marked = frame.to_vec();
    marked[PREFACE + 6..PREFACE + 12].copy_from_slice(&MARK);
    Some(marked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(source: [u8; 6], kind: [u8; 2]) -> Vec<u8> {
        [&[1; PREFACE][..], &[0xff; 6], &source, &kind, b"content"].concat()
    }

    #[test]
    fn a_frame_is_marked_once_and_otherwise_left_alone() {
        const SOURCE: [u8; 6] = [0, 0x50, 0x56, 0x80, 0, 1];
        assert_eq!(marked(&frame(SOURCE, [8, 0])), Some(frame(MARK, [8, 0])));
        assert_eq!(marked(&frame(MARK, [8, 0])), None, "it would go round for ever");
        assert_eq!(marked(&frame(SOURCE, [8, 6])), None);
        assert_eq!(marked(&frame([0; 6], [8, 0])), None);
        assert_eq!(marked(&[0; 20]), None);
    }
}
