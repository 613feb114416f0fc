//! Commands on machines.

use grenadier_wire::Failure;

use crate::bench::Bench;
use crate::world::{ContractWorld, FRONTEND};

pub(super) async fn commands_run_where_the_address_is<W: ContractWorld>(bench: &mut Bench<W>) {
    let range = bench.net(FRONTEND, 64, 28);
    bench.started("one", 10, Some(range)).await;
    bench.started("two", 11, None).await;
    let (one, two) = (bench.address(FRONTEND, 10), bench.address(FRONTEND, 11));
    assert_eq!((bench.sh(one, "hostname").await, bench.sh(two, "hostname").await), ("one\n".into(), "two\n".into()));
    let output = bench.shell_with(one, "cat", "what it was given").await.expect("a shell answers");
    assert_eq!(&output.stdout[..], b"what it was given");
    let output = bench.shell(one, "cat /nothing/here").await.expect("a shell answers");
    assert_eq!((output.exit_code, output.stdout.is_empty(), output.stderr.is_empty()), (1, true, false), "{output:?}");
    assert_eq!(bench.shell(one, "nonsense --now").await.map(|output| output.exit_code), Ok(127));
    let nobody = bench.address(FRONTEND, 90);
    assert_eq!(bench.shell(nobody, "true").await, Err(Failure::Unreachable { endpoint: nobody.to_string() }));
    let closed = format!("{one}:81");
    let request = http::Request::get("/").body(bytes::Bytes::new()).expect("a well-formed request");
    let timeout = std::time::Duration::from_secs(6);
    let exchange = grenadier_wire::HttpExchange { endpoint: closed.clone(), tls: None, request, timeout };
    let refused = bench.world.http(exchange).await.map(|answer| answer.summary());
    assert_eq!(refused, Err(Failure::Refused { endpoint: closed }));
}
