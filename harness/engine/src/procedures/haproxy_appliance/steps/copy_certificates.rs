//! The certificates of the old appliance.

use grenadier_wire::Secret;
use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::certificate;
use crate::procedures::haproxy_appliance::findings::Certificates;
use crate::procedures::haproxy_appliance::steps::look;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::shell::Shell;
use crate::step::{Restoring, Step, StepError, StepFuture};

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
            let certificates = read(&shell).await?;
            let fingerprint = certificate::fingerprint(&certificates.server).unwrap_or_default();
            if fingerprint != swap.old()?.fingerprint {
                return Err(StepError::Unfit("server.crt changed meanwhile".to_owned()));
            }
            let output = json!({"fingerprint": fingerprint, "sealed": certificates.sealed(swap.seal())});
            swap.findings.certificates = Some(certificates);
            Ok(output)
        })
    }

    fn restore(&self, swap: &mut Swap, output: &Value) -> Result<(), Restoring> {
        if swap.findings.certificates.is_none() {
            swap.findings.certificates = Some(Certificates::open(swap.seal(), &output["sealed"])?);
        }
        Ok(())
    }
}

/// The certificates and keys that are there now.
pub(in super::super) async fn read(shell: &Shell) -> Result<Certificates, StepError> {
    let mut texts = Vec::new();
    for name in ["server.crt", "server.key", "ca.crt", "ca.key"] {
        texts.push(shell.read(&format!("/etc/haproxy/{name}")).await?);
    }
    let [server, server_key, ca, ca_key]: [Option<String>; 4] = texts.try_into().expect("four files were read");
    let (Some(server), Some(server_key)) = (server, server_key) else {
        return Err(StepError::Unfit("there is no server.crt or no server.key".to_owned()));
    };
    let authority = ca.zip(ca_key.map(Secret::new));
    Ok(Certificates { server, server_key: Secret::new(server_key), authority })
}
