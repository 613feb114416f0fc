//! A backend that serves badly on request.
//!
//! At port 80, and 443 with TLS, it listens as every guest does: what happens there is the network's doing, but for the mood
//! `refuse`, in which nothing listens. At port 81 it serves the bytes itself, in one of its moods.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use grenadier_fleet::GuestReport;
use grenadier_guest::{Answering, Guest, Host, Input, Listener, shell};
use grenadier_wire::Answer;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The product that is [`Faulty`].
pub(crate) const FAULTY: &str = "faulty";
/// The key that says its mood, and the one in which it says that it has come to it.
pub(crate) const MOOD: &str = "mood";
pub(crate) const IN_MOOD: &str = "in-mood";

/// How long an answer takes in the mood `slow`: longer than an answer may, shorter than a sample waits.
const SLOW: Duration = Duration::from_millis(700);

/// A certificate to be shown, with its key and its fingerprint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) chain: String,
    pub(crate) key: String,
    pub(crate) pin: String,
}

/// What it is, as its key `faulty` says it in JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Wish {
    pub(crate) name: String,
    pub(crate) address: IpNet,
    /// AnyIP range.
    pub(crate) range: Option<IpNet>,
    /// The certificate it shows, and the one it shows in the mood `other-certificate`.
    pub(crate) certificates: Option<(Shown, Shown)>,
}

/// A mood, and how often it has changed.
#[derive(Clone, Debug, Default)]
struct Mood(Arc<(Mutex<(String, u64)>, Condvar)>);

impl Mood {
    fn set(&self, mood: String) {
        let mut now = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = (mood, now.1 + 1);
        self.0.1.notify_all();
    }

    fn now(&self) -> (String, u64) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn wait_for_another(&self, than: u64) {
        let now = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _now = self.0.1.wait_while(now, |now| now.1 == than).unwrap_or_else(PoisonError::into_inner);
    }
}

#[derive(Clone, Default)]
pub(crate) struct Faulty {
    mood: Mood,
    is_listening: bool,
}

impl Faulty {
    fn boot(&mut self, host: &mut dyn Host) -> Result<(), String> {
        let wish = wish(host)?;
        let nic = host.nics().first().ok_or("there is no card")?.0;
        host.add_address(nic, wish.address);
        if let Some(range) = wish.range {
            host.add_local_route(range);
        }
        let listener = TcpListener::bind(("0.0.0.0", 81)).map_err(|error| error.to_string())?;
        let mood = self.mood.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (mood, name) = (mood.clone(), wish.name.clone());
                // An error is the client's end of the story.
                std::thread::spawn(move || drop(serve(stream, &name, &mood)));
            }
        });
        self.settle(host)
    }

    fn settle(&mut self, host: &mut dyn Host) -> Result<(), String> {
        let wish = wish(host)?;
        let mood = host.config(MOOD).unwrap_or_default();
        if mood == "refuse" && self.is_listening {
            host.close(None, 80);
            host.close(None, 443);
        } else {
            let answering = Answering::Backend(wish.name.clone());
            host.listen(Listener { address: None, port: 80, certificate: None, answering: answering.clone() });
            if let Some((usual, other)) = wish.certificates {
                let shown = if mood == "other-certificate" { other } else { usual };
                host.write("/etc/haproxy/server.crt", shown.chain.into()).map_err(|error| error.to_string())?;
                host.write("/etc/haproxy/server.key", shown.key.into()).map_err(|error| error.to_string())?;
                host.listen(Listener { address: None, port: 443, certificate: Some(shown.pin), answering });
            }
        }
        self.is_listening = mood != "refuse";
        self.mood.set(mood.clone());
        host.set_config(IN_MOOD, if mood.is_empty() { "well" } else { &mood });
        Ok(())
    }
}

fn wish(host: &dyn Host) -> Result<Wish, String> {
    let text = host.config(FAULTY).ok_or("the key faulty is missing")?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

impl Guest for Faulty {
    fn handle(&mut self, input: Input, host: &mut dyn Host) {
        match input {
            Input::Boot => {
                let report = self.boot(host).map_or_else(GuestReport::BootFailed, |()| GuestReport::Up);
                host.report(report);
            }
            Input::Reconfigured => self.settle(host).expect("it was settled before"),
            Input::Shell { reply, command } => {
                let output = shell::run(&command, host, |_, _, _| None);
                host.reply(reply, Answer::Shell(output));
            }
            Input::Shutdown => host.power_off(),
            Input::Timer(_) | Input::Http { .. } | Input::Called { .. } => {}
        }
    }

    fn state(&self) -> Value {
        json!({"mood": self.mood.now().0})
    }

    fn boxed_clone(&self) -> Box<dyn Guest> {
        Box::new(self.clone())
    }
}

/// Serves one connection: HTTP, or a stream of records, whichever it begins with.
fn serve(mut stream: TcpStream, name: &str, mood: &Mood) -> std::io::Result<()> {
    let (_, accepted) = mood.now();
    stream.set_nodelay(true)?;
    let mut first = [0; 1];
    if stream.peek(&mut first)? == 1 && first[0] == b'g' {
        return echo(stream, name, mood, accepted);
    }
    loop {
        if stream.peek(&mut first)? == 0 {
            return Ok(());
        }
        let (now, _) = mood.now();
        // Closing what has bytes unread is a reset.
        if now == "reset" || hangs(mood, accepted) {
            return Ok(());
        }
        let closes = request(&mut stream)?;
        match now.as_str() {
            "slow" => std::thread::sleep(SLOW),
            "cut" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")?;
                stream.write_all(name.as_bytes())?;
                return Ok(());
            }
            _ => {}
        }
        let name = if now == "impostor" { "impostor" } else { name };
        let length = name.len();
        stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{name}").as_bytes())?;
        if closes {
            return Ok(());
        }
    }
}

/// In the mood `hang`, connections from before are left alone until the mood changes, and then closed.
fn hangs(mood: &Mood, accepted: u64) -> bool {
    let (now, number) = mood.now();
    let hangs = now == "hang" && accepted < number;
    if hangs {
        mood.wait_for_another(number);
    }
    hangs
}

/// Reads one request; whether the connection ends with its answer.
fn request(stream: &mut TcpStream) -> std::io::Result<bool> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0; 1];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).contains("connection: close"))
}

/// Sends records back.
fn echo(mut stream: TcpStream, name: &str, mood: &Mood, accepted: u64) -> std::io::Result<()> {
    let mut preface = [0; 19];
    stream.read_exact(&mut preface)?;
    stream.write_all(format!("{name}\n").as_bytes())?;
    // One record is lost or repeated each time the mood comes, and on each connection that is opened in it.
    let mut struck = 0;
    loop {
        let mut record = [0; 16];
        if stream.peek(&mut record[..1])? == 0 {
            return Ok(());
        }
        let (now, number) = mood.now();
        if now == "reset" || hangs(mood, accepted) {
            return Ok(());
        }
        stream.read_exact(&mut record)?;
        let strikes = struck != number;
        match now.as_str() {
            "slow" => std::thread::sleep(SLOW),
            "lose" if strikes => {
                struck = number;
                continue;
            }
            "repeat" if strikes => {
                struck = number;
                stream.write_all(&record)?;
            }
            "cut" => {
                stream.write_all(&record[..5])?;
                return Ok(());
            }
            _ => {}
        }
        stream.write_all(&record)?;
    }
}
