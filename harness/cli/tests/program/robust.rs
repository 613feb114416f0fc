//! What a served vCenter does about clients that do not keep to anything: a fault or a status each, and it lives on.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Child;

use crate::serve::{interrupt, serve};
use crate::support::Place;

/// More than a server needs that holds one request of each kind, in KiB.
const MOST_RESIDENT_KIB: u64 = 128 << 10;

struct Server {
    child: Child,
    address: String,
    _out: std::io::BufReader<std::process::ChildStdout>,
    _place: Place,
}

impl Server {
    fn start() -> Server {
        let place = Place::new();
        let (child, url, out) = serve(&place, &["--tls=false", "--patience-ms", "300", "--network", "management"]);
        let address = url.split('@').nth(1).and_then(|rest| rest.strip_suffix("/sdk")).unwrap().to_owned();
        Server { child, address, _out: out, _place: place }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    /// Sends bytes as they are; gives everything that comes back until the connection ends.
    fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        text(&mut stream)
    }

    /// A request and its answer: status and everything.
    fn ask(&self, method: &str, path: &str, cookie: &str, body: &str) -> (u16, String) {
        let answer = self.raw(request(method, path, cookie, body).as_bytes());
        (status(&answer), answer)
    }

    fn call(&self, cookie: &str, method: &str, this: &str, args: &str) -> (u16, String) {
        self.ask("POST", "/sdk", cookie, &soap(method, this, args))
    }

    fn login(&self) -> String {
        cookie(&self.call("", "Login", "SessionManager", LOGIN).1)
    }

    /// It still answers, has not grown without bounds, and ends as it should.
    fn lives(mut self) {
        let (code, answer) = self.call("", "CurrentTime", "ServiceInstance", "");
        assert_eq!(code, 200, "{answer}");
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(peak < MOST_RESIDENT_KIB, "it took {peak} KiB");
        interrupt(&self.child);
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed leaves no server behind.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

const LOGIN: &str = "<userName>user</userName><password>pass</password>";

fn soap(method: &str, this: &str, args: &str) -> String {
    format!(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><{method} xmlns=\"urn:vim25\">\
         <_this type=\"X\">{this}</_this>{args}</{method}></e:Body></e:Envelope>"
    )
}

fn request(method: &str, path: &str, cookie: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncookie: {cookie}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn text(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that breaks has said what it had to say.
    let _broken = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

fn cookie(answer: &str) -> String {
    let set = answer.split("set-cookie: ").nth(1).unwrap_or_else(|| panic!("{answer}"));
    set.split(';').next().unwrap().to_owned()
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split(from).nth(1).and_then(|rest| rest.split(to).next()).unwrap_or_else(|| panic!("no {from} in {text}"))
}

#[test]
fn what_is_no_envelope_is_an_invalid_request() {
    let server = Server::start();
    let bomb = "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><a>&b;</a>".to_owned();
    let deep = "<a>".repeat(200_000) + &"</a>".repeat(200_000);
    for body in ["", "torn", "<a", "\u{0}", "{\"json\": true}", "<a/>", &bomb, &deep] {
        let (code, answer) = server.ask("POST", "/sdk", "", body);
        assert_eq!(code, 500, "{answer}");
        assert!(answer.contains("<InvalidRequestFault xmlns=\"urn:vim25\""), "{answer}");
    }
    let mut latin = request("POST", "/sdk", "", "12").into_bytes();
    let end = latin.len() - 2;
    latin.splice(end.., [0xff, 0xfe]);
    assert_eq!(status(&server.raw(&latin)), 500);
    server.lives();
}

#[test]
fn a_request_of_100_mb_is_refused_and_not_kept() {
    let server = Server::start();
    let mut stream = server.connect();
    let size = 100 << 20;
    stream.write_all(format!("POST /sdk HTTP/1.1\r\nhost: x\r\ncontent-length: {size}\r\n\r\n").as_bytes()).unwrap();
    let part = vec![b'a'; 1 << 20];
    for _ in 0..100 {
        stream.write_all(&part).unwrap();
    }
    assert_eq!(status(&text(&mut stream)), 413);
    // Without an announced length it is the same.
    let mut stream = server.connect();
    stream.write_all(b"POST /sdk HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
    for _ in 0..100 {
        stream.write_all(b"100000\r\n").unwrap();
        stream.write_all(&part).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(status(&text(&mut stream)), 413);
    server.lives();
}

#[test]
fn half_a_request_holds_nobody_else_up() {
    let server = Server::start();
    let mut half_head = server.connect();
    half_head.write_all(b"POST /sdk HTT").unwrap();
    let mut half_body = server.connect();
    half_body.write_all(b"POST /sdk HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n<a>").unwrap();
    let mut slow = server.connect();
    let whole = request("POST", "/sdk", "", &soap("CurrentTime", "ServiceInstance", ""));
    for byte in whole.as_bytes() {
        slow.write_all(&[*byte]).unwrap();
    }
    assert_eq!(server.call("", "CurrentTime", "ServiceInstance", "").0, 200);
    assert_eq!(status(&text(&mut slow)), 200);
    assert_eq!(status(&text(&mut half_body)), 408);
    drop(half_head);
    server.lives();
}

#[test]
fn five_hundred_clients_have_five_hundred_sessions() {
    let server = Server::start();
    let login = request("POST", "/sdk", "", &soap("Login", "SessionManager", LOGIN));
    let mut streams: Vec<TcpStream> = (0..500).map(|_| server.connect()).collect();
    for stream in &mut streams {
        stream.write_all(login.as_bytes()).unwrap();
    }
    let cookies: std::collections::BTreeSet<String> = streams.iter_mut().map(|stream| cookie(&text(stream))).collect();
    assert_eq!(cookies.len(), 500);
    drop(streams);
    let mut streams: Vec<TcpStream> = (0..500).map(|_| server.connect()).collect();
    for (stream, cookie) in streams.iter_mut().zip(&cookies) {
        let fetch = soap("Fetch", "group-d1", "<prop>name</prop>");
        stream.write_all(request("POST", "/sdk", cookie, &fetch).as_bytes()).unwrap();
    }
    assert!(streams.iter_mut().all(|stream| text(stream).contains(">Datacenters<")));
    server.lives();
}

#[test]
fn clients_that_give_up_a_long_poll_leave_nothing_behind() {
    let server = Server::start();
    let cookie = server.login();
    for _ in 0..200 {
        let mut stream = server.connect();
        let wait = soap("WaitForUpdatesEx", "propertyCollector", "");
        stream.write_all(request("POST", "/sdk", &cookie, &wait).as_bytes()).unwrap();
    }
    assert_eq!(server.call(&cookie, "CancelWaitForUpdates", "propertyCollector", "").0, 200);
    server.lives();
}

#[test]
fn unknown_objects_and_arguments_of_the_wrong_shape_are_faults() {
    let server = Server::start();
    let cookie = server.login();
    for (method, this, args, fault) in [
        ("PowerOnVM_Task", "vm-4711", "", "ManagedObjectNotFound"),
        ("PowerOnVM_Task", "", "", "ManagedObjectNotFound"),
        ("PowerOnVM_Task", "group-v3", "", "MethodNotFound"),
        ("ExplodeVM_Task", "vm-101", "", "MethodNotFound"),
        ("Fetch", "vm-101", "<prop>config.colour</prop>", "InvalidProperty"),
        ("ReconfigVM_Task", "vm-101", "", "InvalidRequest"),
        ("ReconfigVM_Task", "vm-101", "<spec><numCPUs>many</numCPUs></spec>", "InvalidArgument"),
        ("CreateVM_Task", "group-v3", "<pool>resgroup-8</pool><config><name>a/b</name></config>", "InvalidName"),
        ("MoveIntoFolder_Task", "group-v3", "<list>vm-4711</list>", "ManagedObjectNotFound"),
        ("WaitForUpdatesEx", "propertyCollector", "<version>1.2.3</version>", "InvalidCollectorVersion"),
        ("ReadNextEvents", "history-1", "<maxCount>1</maxCount>", "ManagedObjectNotFound"),
    ] {
        let (code, answer) = server.call(&cookie, method, this, args);
        let ends = code == 500 && answer.contains(&format!("<{fault}Fault "));
        assert!(ends, "{method} on {this}: {answer}");
    }
    server.lives();
}

const IMPORT: &str = "<resourcePool>resgroup-8</resourcePool><datastore>datastore-10</datastore><cisp><locale/>\
                      <deploymentOption/><entityName>x</entityName></cisp>";

#[test]
fn a_malformed_descriptor_is_an_error_of_the_result() {
    let server = Server::start();
    let cookie = server.login();
    for descriptor in ["", "torn", "&lt;Envelope", "&lt;a/&gt;", "&lt;!DOCTYPE a&gt;&lt;a/&gt;"] {
        let args = format!("<ovfDescriptor>{descriptor}</ovfDescriptor>{IMPORT}");
        let (code, answer) = server.call(&cookie, "CreateImportSpec", "OvfManager", &args);
        assert!(
            code == 200 && answer.contains("<error>") && answer.contains("xsi:type=\"Ovf"),
            "{descriptor}: {answer}"
        );
    }
    server.lives();
}

/// An import without OVF: a lease for a machine with one disk.
fn lease(server: &Server, cookie: &str, name: &str) -> (String, String) {
    let spec = format!(
        "<spec xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"VirtualMachineImportSpec\"><configSpec>\
         <name>{name}</name><numCPUs>1</numCPUs><memoryMB>64</memoryMB><deviceChange><operation>add</operation>\
         <device xsi:type=\"VirtualDisk\"><key>-1</key><capacityInKB>1024</capacityInKB></device></deviceChange>\
         </configSpec></spec>"
    );
    let lease = server.call(cookie, "ImportVApp", "resgroup-8", &spec).1;
    let lease = between(&lease, "<returnval type=\"HttpNfcLease\">", "<").to_owned();
    let filter = format!(
        "<spec><propSet><type>HttpNfcLease</type><pathSet>state</pathSet></propSet><objectSet>\
         <obj type=\"HttpNfcLease\">{lease}</obj></objectSet></spec><partialUpdates>false</partialUpdates>"
    );
    let collector = server.call(cookie, "CreatePropertyCollector", "propertyCollector", "").1;
    let collector = between(&collector, "<returnval type=\"PropertyCollector\">", "<").to_owned();
    assert_eq!(server.call(cookie, "CreateFilter", &collector, &filter).0, 200);
    let mut version = String::new();
    loop {
        let args = format!("<version>{version}</version>");
        let update = server.call(cookie, "WaitForUpdatesEx", &collector, &args).1;
        if update.contains(">ready<") {
            break;
        }
        version = between(&update, "<version>", "<").to_owned();
    }
    let info = server.call(cookie, "Fetch", &lease, "<prop>info</prop>").1;
    (lease, between(&info, "<url>http://*", "<").to_owned())
}

#[test]
fn leases_in_the_wrong_order_are_invalid_states() {
    let server = Server::start();
    let cookie = server.login();
    let invalid = |method: &str, lease: &str| {
        let (code, answer) = server.call(&cookie, method, lease, "<percent>1</percent>");
        assert!(code == 500 && answer.contains("<InvalidStateFault "), "{method}: {answer}");
    };
    let (aborted, url) = lease(&server, &cookie, "aborted");
    assert_eq!(server.call(&cookie, "HttpNfcLeaseAbort", &aborted, "").0, 200);
    for method in ["HttpNfcLeaseAbort", "HttpNfcLeaseComplete", "HttpNfcLeaseProgress", "HttpNfcLeaseGetManifest"] {
        invalid(method, &aborted);
    }
    assert_eq!(server.ask("POST", &url, "", "late").0, 403);
    let (done, url) = lease(&server, &cookie, "done");
    assert_eq!(server.call(&cookie, "HttpNfcLeaseComplete", &done, "").0, 200);
    for method in ["HttpNfcLeaseAbort", "HttpNfcLeaseComplete", "HttpNfcLeaseProgress", "HttpNfcLeaseGetManifest"] {
        invalid(method, &done);
    }
    assert_eq!(server.ask("POST", &url, "", "late").0, 403);
    assert_eq!(server.ask("POST", "/nfc/no-such-ticket/disk-0.vmdk", "", "x").0, 404);
    server.lives();
}

#[test]
fn no_path_leads_out_of_the_datastore() {
    let server = Server::start();
    let cookie = server.login();
    for path in
        ["/folder/../etc/passwd", "/folder/a/%2e%2e/%2e%2e/etc", "/folder/..%2f..%2fetc", "/folder/a/..", "/folder/%ff"]
    {
        for method in ["GET", "PUT", "DELETE"] {
            let (code, answer) = server.ask(method, &format!("{path}?dcPath=DC0&dsName=LocalDS_0"), &cookie, "x");
            assert_eq!(code, 400, "{method} {path}: {answer}");
        }
    }
    let name = "<name>[LocalDS_0] a/../../b</name><createParentDirectories>true</createParentDirectories>";
    let (code, answer) = server.call(&cookie, "MakeDirectory", "FileManager", name);
    assert!(code == 500 && answer.contains("<InvalidDatastorePathFault "), "{answer}");
    server.lives();
}
