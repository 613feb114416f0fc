//! Which calls can change something.

/// Calls of the vSphere API that leave the system as it is. Sessions, views and filters are the client's own.
const VSPHERE_READS: [&str; 29] = [
    "CancelWaitForUpdates",
    "ContinueRetrievePropertiesEx",
    "CreateContainerView",
    "CreateFilter",
    "CreateImportSpec",
    "CreatePropertyCollector",
    "CurrentTime",
    "DestroyPropertyCollector",
    "DestroyPropertyFilter",
    "DestroyView",
    "Fetch",
    "FindByInventoryPath",
    "FindByUuid",
    "GET",
    "HEAD",
    "HasPrivilegeOnEntities",
    "HttpNfcLeaseGetManifest",
    "Login",
    "LoginExtensionByCertificate",
    "Logout",
    "RetrieveProperties",
    "RetrievePropertiesEx",
    "RetrieveServiceContent",
    "SearchDatastoreSubFolders_Task",
    "SearchDatastore_Task",
    "SessionIsActive",
    "ValidateHost",
    "WaitForUpdates",
    "WaitForUpdatesEx",
];

/// Programs that only look. `systemctl` and `haproxy` are among them because a template does not show their arguments; what
/// they change shows in the captured state.
const SHELL_READS: [&str; 14] = [
    "cat",
    "curl",
    "grep",
    "haproxy",
    "head",
    "ip",
    "journalctl",
    "ls",
    "ps",
    "sha256sum",
    "stat",
    "systemctl",
    "tail",
    "test",
];

/// Whether the call at `address` (`step/template#k`) can change the system. A call nobody knows can.
///
/// ```
/// use grenadier_checks::changes_something;
/// assert!(changes_something("power-off-old/vsphere.PowerOffVM_Task#1"));
/// assert!(!changes_something("check-prerequisites/vsphere.RetrievePropertiesEx#4"));
/// ```
pub fn changes_something(address: &str) -> bool {
    let call = address.rsplit_once('#').map_or(address, |(call, _)| call);
    // A path may hold slashes; a step holds no dot.
    let template = match call.split_once('/') {
        Some((step, template)) if !step.contains(['.', ' ']) => template,
        _ => call,
    };
    let (protocol, name) = template.split_once('.').unwrap_or((template, ""));
    let first_word = name.split(' ').next().unwrap_or(name);
    match protocol {
        "vsphere" => !VSPHERE_READS.contains(&first_word),
        "dataplane" => first_word != "GET",
        "shell" => !SHELL_READS.contains(&first_word),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("vsphere.Login#1", false)]
    #[case("check-prerequisites/vsphere.GET /folder#1", false)]
    #[case("deploy-new/vsphere.PUT /nfc#1", true)]
    #[case("verify-routes/dataplane.GET /configuration/frontends#1", false)]
    #[case("dataplane.POST /transactions#1", true)]
    #[case("copy-certificates/shell.cat#2", false)]
    #[case("reapply-customisations/shell.tee#1", true)]
    #[case("x/soap.Anything#1", true)]
    fn reads_are_told_from_changes(#[case] address: &str, #[case] want: bool) {
        assert_eq!(changes_something(address), want);
    }

    #[test]
    fn the_list_of_reads_is_in_order() {
        assert!(VSPHERE_READS.is_sorted() && SHELL_READS.is_sorted());
    }
}
