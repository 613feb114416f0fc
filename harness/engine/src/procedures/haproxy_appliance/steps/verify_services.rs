//! Whether the new appliance works.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::dataplane::DataplaneError;
use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::certificate;
use crate::procedures::haproxy_appliance::steps::act;
use crate::procedures::haproxy_appliance::swap::{SERVICES, Swap};
use crate::shell::Shell;
use crate::step::{Step, StepError, StepFuture};
use crate::vsphere::{ManagedObject, Reconfigure};
use grenadier_wire::Failure;

/// Where an appliance publishes the certificate of its authority as it boots (vmware-haproxy, cloud-init of the appliance).
const PUBLISHED: &str = "guestinfo.dataplaneapi.cacert";

/// Logs in, sees that both services run, and puts the saved certificate in place where another is there.
pub(super) struct VerifyServices;

impl Step<Swap> for VerifyServices {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        act(
            swap,
            "verify-services",
            "see that haproxy and dataplaneapi run; put the saved certificate in place where another is there",
            "nothing of its own: the new machine goes off",
            &[],
            &[
                "shell.systemctl",
                "shell.test",
                "shell.cat",
                "dataplane.GET /info",
                "vsphere.RetrievePropertiesEx",
                "vsphere.ReconfigVM_Task",
                "vsphere.CreateFilter",
                "vsphere.WaitForUpdatesEx",
                "vsphere.DestroyPropertyFilter",
            ],
        )
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            swap.wait_for_services().await?;
            let shell = swap.appliance_shell()?;
            let wanted = swap.old()?.fingerprint.clone();
            // The file may have been written by an engine that ended before it restarted the service.
            let installed = installed_fingerprint(&shell).await? != Some(wanted) || !shows_pinned(swap).await?;
            if installed {
                let new = swap.new_machine()?;
                give_certificates(swap, &new).await?;
            }
            Ok(json!({"certificate-installed": installed}))
        })
    }

    fn verify<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, ()> {
        Box::pin(async move {
            // With the pin of the operators: what they cannot reach does not pass for running.
            swap.dataplane()?.version().await?;
            Ok(())
        })
    }
}

async fn installed_fingerprint(shell: &Shell) -> Result<Option<String>, StepError> {
    let certificate = shell.read("/etc/haproxy/server.crt").await?;
    Ok(certificate.and_then(|text| certificate::fingerprint(&text)))
}

/// Whether the API shows the certificate that the operators pin.
pub(super) async fn shows_pinned(swap: &Swap) -> Result<bool, StepError> {
    match swap.dataplane()?.version().await {
        Ok(_) => Ok(true),
        Err(DataplaneError::NoAnswer { source: Failure::Untrusted { .. }, .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Gives a machine the saved certificates, which the operators trust, and publishes their authority where the machine published
/// the one it made at boot (vmware-haproxy commit 90376d2). The services show them last: an engine that ends before that does all
/// of it again.
pub(super) async fn give_certificates(swap: &mut Swap, machine: &ManagedObject) -> Result<(), StepError> {
    let saved = swap.findings.certificates.clone();
    let saved = saved.ok_or_else(|| StepError::Unfit("no certificates were copied".to_owned()))?;
    let published = swap.vsphere.option(machine, PUBLISHED).await?;
    if let (Some((authority, _)), Some(published)) = (&saved.authority, published) {
        let authority = STANDARD.encode(authority);
        if authority != published {
            let extra_config = vec![(PUBLISHED.to_owned(), authority)];
            let change = Reconfigure { extra_config, ..Reconfigure::default() };
            swap.vsphere.reconfigure(machine, &change, swap.parameters.deadlines.task).await?;
        }
    }
    let shell = swap.appliance_shell()?;
    if let Some((certificate, key)) = &saved.authority {
        shell.write("/etc/haproxy/ca.crt", certificate.clone()).await?;
        shell.write("/etc/haproxy/ca.key", key.reveal().to_owned()).await?;
    }
    shell.write("/etc/haproxy/server.crt", saved.server.clone()).await?;
    shell.write("/etc/haproxy/server.key", saved.server_key.reveal().to_owned()).await?;
    for service in SERVICES {
        shell.systemctl("restart", service).await?;
    }
    swap.wait_for_services().await
}
