//! "Find and copy `server.crt` and `server.key` out of the instance. Optionally copy the CA files."

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::findings::Certificates;
use crate::procedures::haproxy_appliance::steps::copy_certificates::read;
use crate::procedures::haproxy_appliance::steps::look;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::{Restoring, Step, StepFuture};

/// Copies certificates and keys out of the old appliance.
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
            let certificates = read(&swap.appliance_shell()?).await?;
            let output = json!({"sealed": certificates.sealed(swap.seal())});
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
