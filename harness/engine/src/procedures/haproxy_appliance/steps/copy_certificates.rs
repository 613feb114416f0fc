//! The certificates of the old appliance.

use grenadier_wire::Secret;
use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::certificate;
use crate::procedures::haproxy_appliance::findings::Certificates;
use crate::procedures::haproxy_appliance::steps::look;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::{Step, StepError, StepFuture};

/// Copies the server's certificate and key, and the authority's, out of the appliance.
pub(super) struct CopyCertificates;

impl Step<Swap> for CopyCertificates {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        look(
            swap,
            "copy-certificates",
            "copy the server's certificate and key, and the authority's, out of the appliance",
            &["shell.test", "shell.cat"],
        )
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let shell = swap.appliance_shell()?;
            let mut texts = Vec::new();
            for name in ["server.crt", "server.key", "ca.crt", "ca.key"] {
                texts.push(shell.read(&format!("/etc/haproxy/{name}")).await?);
            }
            let [server, server_key, ca, ca_key]: [Option<String>; 4] = texts.try_into().expect("four files were read");
            let (Some(server), Some(server_key)) = (server, server_key) else {
                return Err(StepError::Unfit("server.crt or server.key went away meanwhile".to_owned()));
            };
            let fingerprint = certificate::fingerprint(&server).unwrap_or_default();
            if fingerprint != swap.old()?.fingerprint {
                return Err(StepError::Unfit("server.crt changed meanwhile".to_owned()));
            }
            let authority = ca.zip(ca_key.map(Secret::new));
            let output = json!({"fingerprint": fingerprint, "authority": authority.is_some()});
            let server_key = Secret::new(server_key);
            swap.findings.certificates = Some(Certificates { server, server_key, authority });
            Ok(output)
        })
    }
}
