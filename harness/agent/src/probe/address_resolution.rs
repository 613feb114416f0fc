//! ARP requests, and everybody who answers them.
//!
//! A request asks as a host does that looks whether an address is free (RFC 5227): without an address of its own, so that it
//! changes nobody's table. Its number stands in the sender's hardware address, to which answers are sent, so that each answer
//! belongs to one sample, however late it is. On the wire the frame comes from the card's own address, as a switch expects.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use grenadier_fleet::{FailureClass, Mac};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrAny, SocketFlags, SocketType, eth};
use tokio::sync::mpsc;
use tokio::time::timeout_at;

use super::connection::silent;
use super::finding::{Answered, Failed, Finding, LATE_AFTER, SAMPLE_TIMEOUT, Sample};
use super::findings::Ended;
use crate::protocol::WatchOrder;

/// How long others than the first may take to answer as well.
const LISTEN: Duration = Duration::from_millis(50);

/// How long the kernel may take to send a first packet to the target, from which the card is learned.
const LEARN_WITHIN: Duration = Duration::from_secs(5);

/// How often whoever listens looks whether anybody still wants to know.
const WAKE_EVERY: Duration = Duration::from_millis(250);

/// The size of an ARP packet for IPv4 over Ethernet, with its frame.
const FRAME_BYTES: usize = 42;

/// The first half of the hardware addresses that requests give as theirs; locally administered (RFC 7042).
const ASKER: [u8; 3] = [0x02, 0x67, 0x72];

/// A request for `target`, from the card `card`.
fn request(number: u32, card: Mac, target: Ipv4Addr) -> [u8; FRAME_BYTES] {
    let [_, high, middle, low] = number.to_be_bytes();
    let mut frame = [0; FRAME_BYTES];
    frame[..6].fill(0xff);
    frame[6..12].copy_from_slice(&card.0);
    // ARP; Ethernet and IPv4, addresses of 6 and 4 bytes; a request.
    frame[12..22].copy_from_slice(&[0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1]);
    frame[22..25].copy_from_slice(&ASKER);
    frame[25..28].copy_from_slice(&[high, middle, low]);
    frame[38..42].copy_from_slice(&target.octets());
    frame
}

/// Who answers which request in a frame; none where it holds no answer of ours about `target`.
pub(crate) fn answer(frame: &[u8], target: Ipv4Addr) -> Option<(u32, Mac)> {
    let frame = frame.first_chunk::<FRAME_BYTES>()?;
    let is_answer = frame[12..22] == [0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 2];
    let is_ours = frame[32..35] == ASKER && frame[28..32] == target.octets();
    if !is_answer || !is_ours {
        return None;
    }
    let number = u32::from_be_bytes([0, frame[35], frame[36], frame[37]]);
    Some((number, Mac(*frame[22..28].first_chunk()?)))
}

/// Where answers go, by the number of the request.
type Samples = BTreeMap<u32, mpsc::UnboundedSender<Mac>>;

/// What is needed to ask.
struct Card {
    socket: Arc<OwnedFd>,
    /// Where frames are sent out.
    link: SocketAddrAny,
    address: Mac,
}

/// Asks on the card that leads to the target.
pub(super) struct Asking {
    order: Arc<WatchOrder>,
    target: Ipv4Addr,
    card: Arc<Card>,
    waiting: Arc<Mutex<Samples>>,
    done: mpsc::UnboundedSender<Ended>,
}

impl Asking {
    /// Learns the card, and listens for answers from now on.
    ///
    /// # Errors
    /// Nobody can ask here; the text says why.
    pub(super) fn start(order: &Arc<WatchOrder>, done: mpsc::UnboundedSender<Ended>) -> Result<Asking, String> {
        let IpAddr::V4(target) = order.target.ip() else { return Err("only IPv4 addresses have ARP".to_owned()) };
        let (link, address) = learn(target).map_err(|error| format!("find the card towards {target}: {error}"))?;
        let socket = open().map_err(|error| format!("open a socket for ARP: {error}"))?;
        let card = Arc::new(Card { socket: Arc::new(socket), link, address });
        let waiting = Arc::default();
        let (listening, listener) = (Arc::downgrade(&waiting), Arc::clone(&card.socket));
        std::thread::spawn(move || listen(&listener, target, &listening));
        Ok(Asking { order: Arc::clone(order), target, card, waiting, done })
    }

    pub(super) fn begin(&self, number: u64) {
        let (sender, answers) = mpsc::unbounded_channel();
        // Requests of the same remainder are days apart.
        let id = u32::try_from(number % (1 << 24)).expect("24 bits fit");
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
        let frame = request(id, self.card.address, self.target);
        let (order, card) = (Arc::clone(&self.order), Arc::clone(&self.card));
        let (waiting, done) = (Arc::clone(&self.waiting), self.done.clone());
        tokio::spawn(async move {
            let sample = sample(&order, &card, &frame, answers).await;
            waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            // The watch may have ended meanwhile.
            let _ = done.send((number, sample));
        });
    }
}

async fn sample(order: &WatchOrder, card: &Card, frame: &[u8], mut answers: mpsc::UnboundedReceiver<Mac>) -> Sample {
    let began = Instant::now();
    if let Err(error) = rustix::net::sendto(&*card.socket, frame, SendFlags::empty(), &card.link) {
        return Sample::ending_now(began, Finding::unknown(format!("ask who has the address: {error}")));
    }
    let Ok(Some(first)) = timeout_at((began + SAMPLE_TIMEOUT).into(), answers.recv()).await else {
        return Sample::ending_now(began, silent("nobody answers ARP for", order).into());
    };
    let answered = Instant::now();
    let mut owners = BTreeSet::from([first]);
    while let Ok(Some(other)) = timeout_at((answered + LISTEN).into(), answers.recv()).await {
        owners.insert(other);
    }
    Sample { began, ended: answered, finding: judge(answered - began, owners) }
}

fn judge(took: Duration, owners: BTreeSet<Mac>) -> Finding {
    if owners.len() > 1 {
        let owners: Vec<String> = owners.iter().map(Mac::to_string).collect();
        let text = format!("{} all answer for it", owners.join(" and "));
        return Finding::Failed(Failed::new(FailureClass::DuplicateAddress, text));
    }
    if took > LATE_AFTER {
        return Finding::Failed(Failed::new(FailureClass::Late, format!("answered after {} ms", took.as_millis())));
    }
    Finding::Answered(Answered { owners: owners.into_iter().collect(), ..Answered::default() })
}

/// Hands answers to the samples that wait for them, as long as there may be some.
fn listen(socket: &OwnedFd, target: Ipv4Addr, waiting: &Weak<Mutex<Samples>>) {
    let mut frame = [0; 128];
    loop {
        let came = rustix::net::recv(socket, &mut frame[..], RecvFlags::empty());
        let Some(waiting) = waiting.upgrade() else { return };
        // An error is of the moment: patience ended, or the card went down, which the samples tell.
        if let Ok((_, length)) = came
            && let Some((number, owner)) = answer(&frame[..length.min(frame.len())], target)
            && let Some(sample) = waiting.lock().unwrap_or_else(PoisonError::into_inner).get(&number)
        {
            let _ = sample.send(owner);
        }
    }
}

/// A socket that sees every ARP frame, and waits for none longer than [`WAKE_EVERY`].
fn open() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::PACKET, SocketType::RAW, flags, Some(eth::ARP))?;
    set_socket_timeout(&socket, Timeout::Recv, Some(WAKE_EVERY))?;
    Ok(socket)
}

/// The card that leads to `target`, from the first frame that the kernel itself sends there.
fn learn(target: Ipv4Addr) -> io::Result<(SocketAddrAny, Mac)> {
    let frames =
        rustix::net::socket_with(AddressFamily::PACKET, SocketType::RAW, SocketFlags::CLOEXEC, Some(eth::ALL))?;
    set_socket_timeout(&frames, Timeout::Recv, Some(LEARN_WITHIN))?;
    let trigger = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    // The discard service; whether anybody has it does not matter.
    trigger.connect((target, 9))?;
    trigger.send(&[])?;
    let IpAddr::V4(own) = trigger.local_addr()?.ip() else { return Err(io::ErrorKind::AddrNotAvailable.into()) };
    let until = Instant::now() + LEARN_WITHIN;
    let mut frame = [0; 128];
    while Instant::now() < until {
        let (_, length, link) = rustix::net::recvfrom(&frames, &mut frame[..], RecvFlags::empty())?;
        if let (Some(address), Some(link)) = (sent_by(&frame[..length.min(128)], own), link) {
            return Ok((link, address));
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// The hardware address that a frame comes from, where it is one that the host with address `own` sent.
fn sent_by(frame: &[u8], own: Ipv4Addr) -> Option<Mac> {
    let source = match frame.get(12..14)? {
        [0x08, 0x00] => frame.get(26..30)?,
        [0x08, 0x06] => frame.get(28..32)?,
        _ => return None,
    };
    (source == own.octets()).then(|| Some(Mac(*frame.get(6..12)?.first_chunk()?))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Ipv4Addr = Ipv4Addr::new(198, 18, 2, 20);

    /// What a kernel answers to a request.
    fn answered(request: &[u8; FRAME_BYTES], owner: Mac) -> [u8; FRAME_BYTES] {
        let mut frame = *request;
        frame[..6].copy_from_slice(&request[22..28]);
        frame[6..12].copy_from_slice(&owner.0);
        frame[21] = 2;
        frame[22..28].copy_from_slice(&owner.0);
        frame[28..32].copy_from_slice(&request[38..42]);
        frame[32..38].copy_from_slice(&request[22..28]);
        frame[38..42].copy_from_slice(&request[28..32]);
        frame
    }

    #[test]
    fn an_answer_belongs_to_its_request() {
        let asked = request(0x0102_0304 & 0xff_ffff, Mac::vmware(1), TARGET);
        let frame = answered(&asked, Mac::vmware(2));
        assert_eq!(answer(&frame, TARGET), Some((0x0002_0304, Mac::vmware(2))));
        assert_eq!(answer(&frame, Ipv4Addr::new(198, 18, 2, 21)), None);
        assert_eq!(answer(&frame[..41], TARGET), None);
        assert_eq!(answer(&asked, TARGET), None, "a request is no answer");
        let mut foreign = frame;
        foreign[32] = 0;
        assert_eq!(answer(&foreign, TARGET), None, "somebody else asked");
    }

    #[test]
    fn one_who_answers_owns_the_address_and_several_fight() {
        let soon = Duration::from_millis(1);
        let one = judge(soon, BTreeSet::from([Mac::vmware(1)]));
        assert_eq!(one, Finding::Answered(Answered { owners: vec![Mac::vmware(1)], ..Answered::default() }));
        let class = |finding| match finding {
            Finding::Failed(failed) => Some(failed.class),
            _ => None,
        };
        let two = BTreeSet::from([Mac::vmware(1), Mac::vmware(2)]);
        assert_eq!(class(judge(soon, two)), Some(FailureClass::DuplicateAddress));
        assert_eq!(
            class(judge(Duration::from_millis(501), BTreeSet::from([Mac::vmware(1)]))),
            Some(FailureClass::Late)
        );
    }

    #[test]
    fn the_card_is_learned_from_what_the_kernel_sends_itself() {
        let own = Ipv4Addr::new(198, 18, 2, 9);
        let mut arp = request(1, Mac::vmware(7), TARGET);
        assert_eq!(sent_by(&arp, own), None);
        arp[28..32].copy_from_slice(&own.octets());
        assert_eq!(sent_by(&arp, own), Some(Mac::vmware(7)));
        let mut ip = [0; 40];
        ip[6..12].copy_from_slice(&Mac::vmware(8).0);
        ip[12] = 0x08;
        ip[26..30].copy_from_slice(&own.octets());
        assert_eq!(sent_by(&ip, own), Some(Mac::vmware(8)));
        assert_eq!(sent_by(&ip[..20], own), None);
    }
}
