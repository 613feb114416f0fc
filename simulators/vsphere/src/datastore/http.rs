//! `/folder/...`: files on the datastore over HTTP.

use bytes::Bytes;
use grenadier_fleet::CloudHost;
use grenadier_wire::http_response;
use http::{HeaderValue, Method, Response, StatusCode, header};

use crate::datastore::{files, free_space, path};
use crate::http_nfc_lease::Lease;
use crate::inventory::{DATACENTER, DATACENTER_NAME, DATASTORE_NAME};
use crate::{VSphere, file_manager};

/// Answers a request below `/folder`. The caller has checked that a session is there.
pub(crate) fn answer(
    sim: &mut VSphere,
    user: &str,
    request: &http::Request<Bytes>,
    host: &mut dyn CloudHost,
) -> Response<Bytes> {
    let path = match target(request.uri()) {
        Ok(path) => path,
        Err(response) => return *response,
    };
    let privilege = if matches!(*request.method(), Method::PUT | Method::DELETE) {
        "Datastore.FileManagement"
    } else {
        "Datastore.Browse"
    };
    if !sim.sessions.user_has(user, privilege) {
        return text(StatusCode::FORBIDDEN, format!("{privilege} is missing\n"));
    }
    match *request.method() {
        Method::GET | Method::HEAD => get(sim, &path, request.method() == Method::HEAD, host),
        Method::PUT => put(sim, &path, request.body(), host),
        Method::DELETE => delete(sim, &path, host),
        _ => {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET, HEAD, PUT and DELETE\n".to_owned());
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, PUT, DELETE"));
            response
        }
    }
}

/// The path below the datastore's root that a URI means. `dcPath` and `dsName` must name what there is.
fn target(uri: &http::Uri) -> Result<String, Box<Response<Bytes>>> {
    let refuse = |status, message: String| Err(Box::new(text(status, message)));
    let query = |name: &str| {
        uri.query().unwrap_or_default().split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key == name).then(|| path::percent_decode(value, true)).flatten()
        })
    };
    let datacenter = query("dcPath").unwrap_or_default();
    if datacenter.trim_start_matches('/') != DATACENTER_NAME && datacenter != DATACENTER.id {
        return refuse(StatusCode::NOT_FOUND, format!("no datacenter `{datacenter}`\n"));
    }
    let datastore = query("dsName").unwrap_or_default();
    if datastore != DATASTORE_NAME {
        return refuse(StatusCode::NOT_FOUND, format!("no datastore `{datastore}`\n"));
    }
    let raw = uri.path().strip_prefix("/folder").unwrap_or_default();
    match path::percent_decode(raw, false).as_deref().and_then(path::normal) {
        Some(path) => Ok(path),
        None => refuse(StatusCode::BAD_REQUEST, "a path must not climb\n".to_owned()),
    }
}

fn get(sim: &VSphere, path: &str, head: bool, host: &mut dyn CloudHost) -> Response<Bytes> {
    let inventory = sim.inventory(host, None);
    let stored = sim.files.get(path).map(|file| file.content.clone());
    let content = stored.or_else(|| {
        let mut own = inventory.machines().flat_map(|(_, machine)| files::of_machine(inventory, machine));
        own.find(|file| file.path == path).map(|file| file.content)
    });
    let Some(content) = content else { return text(StatusCode::NOT_FOUND, format!("no file `{path}`\n")) };
    let length = HeaderValue::from(content.len());
    let body = if head { Bytes::new() } else { content };
    let mut response = http_response(StatusCode::OK, "application/octet-stream", body);
    if head {
        response.headers_mut().insert(header::CONTENT_LENGTH, length);
    }
    response
}

fn put(sim: &mut VSphere, path: &str, content: &Bytes, host: &mut dyn CloudHost) -> Response<Bytes> {
    if path.is_empty() {
        return text(StatusCode::BAD_REQUEST, "a file needs a name\n".to_owned());
    }
    let now = host.now();
    let inventory = sim.inventory(host, None);
    let owned = inventory
        .machines()
        .any(|(_, machine)| files::of_machine(inventory, machine).iter().any(|file| file.path == path));
    if owned {
        return text(StatusCode::FORBIDDEN, format!("`{path}` belongs to a machine\n"));
    }
    let replaced = sim.files.get(path).map_or(0, |file| file.content.len() as u64);
    let kept = inventory.sim.uploaded_bytes() - replaced;
    let fits = kept.saturating_add(content.len() as u64) <= inventory.sim.stored_bytes;
    if !fits || content.len() as u64 > free_space(inventory) + replaced {
        return text(StatusCode::INSUFFICIENT_STORAGE, "the datastore is full\n".to_owned());
    }
    let new = sim.files.put(path, content.clone(), now);
    text(if new { StatusCode::CREATED } else { StatusCode::OK }, String::new())
}

fn delete(sim: &mut VSphere, path: &str, host: &mut dyn CloudHost) -> Response<Bytes> {
    match file_manager::check(sim.inventory(host, None), path) {
        Ok(()) => {
            sim.files.remove(path);
            text(StatusCode::NO_CONTENT, String::new())
        }
        Err(fault) if fault.kind == "FileNotFound" => text(StatusCode::NOT_FOUND, format!("no file `{path}`\n")),
        Err(fault) => text(StatusCode::FORBIDDEN, format!("{}\n", fault.message)),
    }
}

impl VSphere {
    /// How many bytes of uploads are kept: files, and disks of imports that are under way.
    pub(crate) fn uploaded_bytes(&self) -> u64 {
        self.files.total_size() + self.leases.values().map(Lease::uploaded_bytes).sum::<u64>()
    }
}

fn text(status: StatusCode, body: String) -> Response<Bytes> {
    http_response(status, "text/plain; charset=utf-8", body)
}
