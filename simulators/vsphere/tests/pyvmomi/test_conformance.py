"""pyVmomi against the simulated vCenter: what an upgrade of an appliance does, end to end."""

import datetime
import json
import ssl
import urllib.parse
import urllib.request

import pytest
from conftest import APPLIANCE, Server, find, gone, tools, wait_for
from pyVim.connect import Disconnect
from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl
from pyVmomi.VmomiSupport import IsChildVersion

HEADER = {
    "product": "haproxy-appliance",
    "version": "v0.2.0",
    "container": "example/haproxy-appliance:bookworm",
    "facts": {},
    "payload_bytes": 512,
}
DISK = b"grenadier-image " + json.dumps(HEADER).encode() + b"\n" + b"\x5a" * 512


def import_spec(si, name, option="default", properties=None, networks=None):
    pool = find(si, "DC0/host/DC0_C0/Resources")
    datastore = find(si, "DC0/datastore/LocalDS_0")
    names = networks if networks is not None else {"Management": "management", "Workload": "workload"}
    parameters = vim.OvfManager.CreateImportSpecParams(
        entityName=name,
        deploymentOption=option,
        networkMapping=[
            vim.OvfManager.NetworkMapping(name=key, network=find(si, f"DC0/network/{value}"))
            for key, value in names.items()
        ],
        propertyMapping=[vim.KeyValue(key=key, value=value) for key, value in (properties or {}).items()],
        diskProvisioning="thin",
    )
    return si.content.ovfManager.CreateImportSpec(APPLIANCE, pool, datastore, parameters)


def start_import(si, name, **choices):
    result = import_spec(si, name, **choices)
    assert not result.error, result.error
    pool = find(si, "DC0/host/DC0_C0/Resources")
    lease = pool.ImportVApp(result.importSpec, find(si, "DC0/vm"))
    wait_for_lease(si, lease)
    assert lease.state == vim.HttpNfcLease.State.ready, lease.error
    return result, lease


def wait_for_lease(si, lease):
    """As clients do: a filter on the state, and long polls."""
    collector = si.content.propertyCollector.CreatePropertyCollector()
    spec = vmodl.query.PropertyCollector.FilterSpec(
        objectSet=[vmodl.query.PropertyCollector.ObjectSpec(obj=lease)],
        propSet=[vmodl.query.PropertyCollector.PropertySpec(type=vim.HttpNfcLease, pathSet=["state", "error"])],
    )
    collector.CreateFilter(spec, False)
    version, state = "", None
    while state not in ("ready", "error", "done"):
        options = vmodl.query.PropertyCollector.WaitOptions(maxWaitSeconds=20)
        update = collector.WaitForUpdatesEx(version, options)
        assert update is not None
        version = update.version
        for change in update.filterSet[0].objectSet[0].changeSet:
            if change.name == "state":
                state = change.val
    collector.DestroyPropertyCollector()


def upload(server, url, content=DISK):
    url = url.replace("*", f"{server.host}:{server.port}")
    request = urllib.request.Request(url, data=content, method="POST")
    request.add_header("Content-Type", "application/x-vnd.vmware-streamVmdk")
    trust = ssl._create_unverified_context()
    with urllib.request.urlopen(request, context=trust) as response:
        return response.status


def deploy(server, si, name, **choices):
    result, lease = start_import(si, name, **choices)
    urls = {device.importKey: device.url for device in lease.info.deviceUrl}
    for item in result.fileItem:
        assert upload(server, urls[item.deviceId]) in (200, 201)
    lease.HttpNfcLeaseProgress(100)
    lease.HttpNfcLeaseComplete()
    assert lease.state == "done"
    return find(si, f"DC0/vm/{name}")


@pytest.fixture
def vm(server, si, request):
    vm = deploy(server, si, request.node.name.replace("test_", "")[:60], properties={"network.hostname": "lb.example"})
    yield vm
    gone(vm)


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_about_and_session(si):
    about = si.content.about
    assert (about.version, about.apiVersion, about.apiType) == ("7.0.3", "7.0.3.0", "VirtualCenter")
    session = si.content.sessionManager.currentSession
    assert session.userName == "administrator@vsphere.local"
    assert si.content.sessionManager.SessionIsActive(session.key, session.userName)
    assert abs(si.CurrentTime() - datetime.datetime.now(datetime.timezone.utc)).total_seconds() < 60


def test_wrong_password(server):
    with pytest.raises(vim.fault.InvalidLogin):
        server.connect(password="wrong")


def test_logout_ends_the_session(server):
    si = server.connect()
    root = si.content.rootFolder
    assert root.name == "Datacenters"
    si.content.sessionManager.Logout()
    with pytest.raises(vim.fault.NotAuthenticated):
        root.name


def test_idle_session_ends():
    server = Server("--session-timeout", "1")
    try:
        si = server.connect()
        root = si.content.rootFolder
        assert root.name == "Datacenters"
        # A long poll keeps it alive, and its end does too.
        collector = si.content.propertyCollector.CreatePropertyCollector()
        options = vmodl.query.PropertyCollector.WaitOptions(maxWaitSeconds=2)
        assert collector.WaitForUpdatesEx("", options) is None
        assert root.name == "Datacenters"
        # Whoever is silent for longer is out. Another client's long poll is the clock here.
        other = server.connect()
        options.maxWaitSeconds = 2
        assert other.content.propertyCollector.WaitForUpdatesEx("", options) is None
        with pytest.raises(vim.fault.NotAuthenticated):
            root.name
    finally:
        server.stop()


def test_unknown_method_is_named(si):
    with pytest.raises(vmodl.fault.MethodNotFound) as caught:
        find(si, "DC0/vm").CreateDatacenter("x")
    assert caught.value.method == "CreateDatacenter"
    assert caught.value.receiver == find(si, "DC0/vm")


def test_unknown_object(si):
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        vim.VirtualMachine("vm-9999", si._stub).name


# --- inventory --------------------------------------------------------------------------------------------------------


def test_inventory_by_path(si):
    for path, kind in [
        ("DC0", vim.Datacenter),
        ("/DC0/vm", vim.Folder),
        ("DC0/host/DC0_C0", vim.ClusterComputeResource),
        ("DC0/host/DC0_C0/DC0_C0_H0", vim.HostSystem),
        ("DC0/host/DC0_C0/Resources", vim.ResourcePool),
        ("DC0/datastore/LocalDS_0", vim.Datastore),
        ("DC0/network/workload", vim.Network),
    ]:
        found = find(si, path)
        assert isinstance(found, kind), path
        assert found.name == path.rsplit("/", 1)[-1]
    assert find(si, "DC0/vm/nobody") is None


def test_every_property_of_every_object_reads(si, vm):
    """pyVmomi parses whatever is there; empty enumerations and wrong types would raise."""
    content = si.content
    objects = [find(si, path) for path in [
        "DC0", "DC0/vm", "DC0/host/DC0_C0", "DC0/host/DC0_C0/DC0_C0_H0", "DC0/host/DC0_C0/Resources",
        "DC0/datastore/LocalDS_0", "DC0/network/workload",
    ]]
    objects += [vm, content.sessionManager, content.rootFolder, vm.recentTask[0] if vm.recentTask else vm]
    read = 0
    for thing in objects:
        for info in thing._GetPropertyList():
            # What came after the version both sides agreed on is refused by pyVmomi itself.
            if IsChildVersion(si._stub.version, info.version):
                getattr(thing, info.name)
                read += 1
    assert read > 200


def test_host_and_datastore_figures(si, vm):
    host = find(si, "DC0/host/DC0_C0/DC0_C0_H0")
    assert host.summary.hardware.numCpuCores == 8
    assert host.summary.hardware.memorySize == 16384 << 20
    before = host.summary.quickStats.overallMemoryUsage
    WaitForTask(vm.PowerOnVM_Task())
    assert host.summary.quickStats.overallMemoryUsage == before + 4096
    datastore = find(si, "DC0/datastore/LocalDS_0").summary
    assert datastore.capacity == 102400 << 20
    assert datastore.freeSpace <= datastore.capacity - (20 << 30)


def test_container_view(si, vm):
    view = si.content.viewManager.CreateContainerView(si.content.rootFolder, [vim.VirtualMachine], True)
    assert vm in view.view
    spec = vmodl.query.PropertyCollector.FilterSpec(
        objectSet=[vmodl.query.PropertyCollector.ObjectSpec(
            obj=view, skip=True,
            selectSet=[vmodl.query.PropertyCollector.TraversalSpec(
                name="members", type=vim.view.ContainerView, path="view", skip=False)],
        )],
        propSet=[vmodl.query.PropertyCollector.PropertySpec(
            type=vim.VirtualMachine, pathSet=["name", "summary.runtime.powerState", "snapshot"])],
    )
    objects = si.content.propertyCollector.RetrieveContents([spec])
    found = {entry.obj: {item.name: item.val for item in entry.propSet} for entry in objects}
    assert found[vm] == {"name": vm.name, "summary.runtime.powerState": "poweredOff"}
    entire = si.content.viewManager.CreateContainerView(si.content.rootFolder, [vim.ManagedEntity], True)
    assert find(si, "DC0/host/DC0_C0/Resources") in entire.view
    view.DestroyView()
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        view.view


def test_recursive_traversal_as_govmomi_does(si, vm):
    """From the machine up to the root: a traversal that names itself."""
    query = vmodl.query.PropertyCollector
    parent = query.TraversalSpec(
        name="traverseParent", type=vim.ManagedEntity, path="parent", skip=False,
        selectSet=[query.SelectionSpec(name="traverseParent")])
    spec = query.FilterSpec(
        objectSet=[query.ObjectSpec(obj=vm, skip=False, selectSet=[parent])],
        propSet=[query.PropertySpec(type=vim.ManagedEntity, pathSet=["name", "parent"]),
                 query.PropertySpec(type=vim.VirtualMachine, pathSet=["parentVApp"])])
    names = [entry.propSet[0].val for entry in si.content.propertyCollector.RetrieveContents([spec])]
    assert names == [vm.name, "vm", "DC0", "Datacenters"]


def test_unknown_property_is_in_the_missing_set(si):
    query = vmodl.query.PropertyCollector
    spec = query.FilterSpec(
        objectSet=[query.ObjectSpec(obj=si.content.rootFolder)],
        propSet=[query.PropertySpec(type=vim.Folder, pathSet=["name", "colour"])])
    result = si.content.propertyCollector.RetrievePropertiesEx([spec], query.RetrieveOptions())
    entry = result.objects[0]
    assert [item.name for item in entry.propSet] == ["name"]
    assert isinstance(entry.missingSet[0].fault, vmodl.query.InvalidProperty)


def test_paging(si):
    query = vmodl.query.PropertyCollector
    spec = query.FilterSpec(
        objectSet=[query.ObjectSpec(obj=find(si, "DC0"), skip=True, selectSet=[
            query.TraversalSpec(type=vim.Datacenter, path="network", skip=False)])],
        propSet=[query.PropertySpec(type=vim.Network, pathSet=["name"])])
    collector = si.content.propertyCollector
    result = collector.RetrievePropertiesEx([spec], query.RetrieveOptions(maxObjects=2))
    names = [entry.propSet[0].val for entry in result.objects]
    assert len(names) == 2 and result.token
    rest = collector.ContinueRetrievePropertiesEx(result.token)
    names += [entry.propSet[0].val for entry in rest.objects]
    assert names == ["management", "workload", "frontend"] and not rest.token


# --- import -----------------------------------------------------------------------------------------------------------


def test_import_makes_the_machine_that_was_described(server, si):
    properties = {"network.hostname": "a&b<c>", "appliance.root_pwd": "geheim", "appliance.ca_cert": "line 1\nline 2\n"}
    vm = deploy(server, si, "described", option="frontend", properties=properties, networks={
        "Management": "management", "Workload": "workload", "Frontend": "frontend"})
    hardware = vm.config.hardware
    assert (hardware.numCPU, hardware.memoryMB) == (2, 4096)
    disks = [device for device in hardware.device if isinstance(device, vim.vm.device.VirtualDisk)]
    cards = [device for device in hardware.device if isinstance(device, vim.vm.device.VirtualVmxnet3)]
    assert [disk.capacityInBytes for disk in disks] == [20 << 30]
    assert disks[0].backing.fileName == "[LocalDS_0] described/described.vmdk"
    assert [card.backing.deviceName for card in cards] == ["management", "workload", "frontend"]
    assert len({card.macAddress for card in cards}) == 3 and cards[0].macAddress.startswith("00:50:56:")
    assert [network.name for network in vm.network] == ["management", "workload", "frontend"]
    values = {item.classId + "." + item.id: item.value for item in vm.config.vAppConfig.property}
    assert values["appliance.ca_cert"] == "line 1\nline 2\n"
    assert list(vm.config.vAppConfig.ovfEnvironmentTransport) == ["com.vmware.guestInfo"]
    assert si.content.searchIndex.FindByUuid(None, vm.config.uuid, True) == vm
    assert si.content.searchIndex.FindByUuid(None, vm.config.instanceUuid, True, True) == vm
    assert not any(option.key == "guestinfo.ovfEnv" for option in vm.config.extraConfig)
    WaitForTask(vm.PowerOnVM_Task())
    environment = next(option.value for option in vm.config.extraConfig if option.key == "guestinfo.ovfEnv")
    assert 'oe:key="network.hostname" oe:value="a&amp;b&lt;c&gt;"' in environment
    assert 'oe:value="line 1&#10;line 2&#10;"' in environment
    assert 'oe:key="loadbalance.dataplane_port" oe:value="5556"' in environment
    assert cards[2].macAddress in environment
    WaitForTask(vm.PowerOffVM_Task())
    WaitForTask(vm.Destroy_Task())
    assert find(si, "DC0/vm/described") is None


def test_import_choices_that_do_not_fit_are_errors_of_the_result(si):
    result = import_spec(si, "x", properties={"network.colour": "red"})
    assert result.importSpec is None and "network.colour" in result.error[0].msg
    result = import_spec(si, "x", networks={"Management": "management", "Workload": "workload", "Storage": "workload"})
    assert "Storage" in result.error[0].msg
    result = import_spec(si, "x", networks={"Management": "management"})
    assert isinstance(result.error[0], vim.fault.OvfNetworkMappingNotSupported)
    result = import_spec(si, "x", properties={"network.frontend_ip": "198.18.2.10/24"})
    assert "network.frontend_ip" in result.error[0].msg
    result = import_spec(si, "x", properties={"appliance.build": "2"})
    assert "appliance.build" in result.error[0].msg
    result = import_spec(si, "x", option="giant")
    assert isinstance(result.error[0], vim.fault.OvfInvalidValue)
    result = import_spec(si, "x", properties={"loadbalance.dataplane_port": "many"})
    assert isinstance(result.error[0], vim.fault.OvfPropertyValue)


def test_import_of_a_taken_name(si, vm):
    result = import_spec(si, vm.name)
    with pytest.raises(vim.fault.DuplicateName) as caught:
        find(si, "DC0/host/DC0_C0/Resources").ImportVApp(result.importSpec, find(si, "DC0/vm"))
    assert caught.value.name == vm.name and caught.value.object == vm


def test_aborted_import_leaves_nothing(si):
    _, lease = start_import(si, "aborted")
    assert find(si, "DC0/vm/aborted") is not None
    lease.HttpNfcLeaseAbort()
    assert find(si, "DC0/vm/aborted") is None
    assert lease.state == "error"
    with pytest.raises(vim.fault.InvalidState):
        lease.HttpNfcLeaseComplete()


def test_torn_upload_fails_the_import(server, si):
    _, lease = start_import(si, "torn")
    upload(server, lease.info.deviceUrl[0].url, DISK[:-1])
    with pytest.raises(vmodl.fault.SystemError) as caught:
        lease.HttpNfcLeaseComplete()
    assert "torn" in caught.value.msg
    assert lease.state == "error" and "torn" in lease.error.msg


def test_manifest_tells_what_arrived(server, si):
    import hashlib

    _, lease = start_import(si, "manifest")
    upload(server, lease.info.deviceUrl[0].url)
    entry = lease.HttpNfcLeaseGetManifest()[0]
    assert (entry.sha1, entry.size) == (hashlib.sha1(DISK).hexdigest(), len(DISK))
    assert entry.checksum == hashlib.sha256(DISK).hexdigest()
    lease.HttpNfcLeaseAbort()


def test_missing_privilege(server, si, vm):
    keeper = server.connect(user="keeper")
    manager = keeper.content.authorizationManager
    key = keeper.content.sessionManager.currentSession.key
    answer = manager.HasPrivilegeOnEntities(
        [find(keeper, "DC0/vm")], key, ["VApp.Import", "VirtualMachine.Interact.PowerOn"])
    assert [(item.privId, item.isGranted) for item in answer[0].privAvailability] == [
        ("VApp.Import", False), ("VirtualMachine.Interact.PowerOn", True)]
    with pytest.raises(vim.fault.NoPermission) as caught:
        import_spec(keeper, "forbidden")
    assert caught.value.privilegeId == "VApp.Import"
    Disconnect(keeper)


# --- power, configuration, snapshots ----------------------------------------------------------------------------------


def test_power(si, vm):
    assert vm.runtime.powerState == "poweredOff"
    task = vm.PowerOnVM_Task()
    assert WaitForTask(task) == "success"
    info = task.info
    assert (info.state, info.entityName, info.name.info.name) == ("success", vm.name, "PowerOn")
    assert info.queueTime <= info.startTime <= info.completeTime
    assert vm.runtime.powerState == "poweredOn" and vm.runtime.bootTime is not None
    address = tools(si, vm)
    assert vm.guest.toolsRunningStatus == "guestToolsRunning" and vm.guest.ipAddress == address
    assert [card.network for card in vm.guest.net] == ["management", "workload"]
    assert vm.guest.net[0].ipAddress[0] == address
    WaitForTask(vm.ResetVM_Task())
    assert vm.runtime.powerState == "poweredOn"
    with pytest.raises(vim.fault.InvalidPowerState) as caught:
        WaitForTask(vm.PowerOnVM_Task())
    assert (caught.value.requestedState, caught.value.existingState) == ("poweredOn", "poweredOn")
    with pytest.raises(vim.fault.InvalidPowerState):
        WaitForTask(vm.Destroy_Task())
    tools(si, vm)
    vm.ShutdownGuest()
    wait_for(si, vm, "runtime.powerState", "poweredOff")
    assert vm.guest.ipAddress is None
    with pytest.raises(vim.fault.InvalidPowerState):
        vm.ShutdownGuest()


def test_a_busy_machine_refuses_a_second_task(vm):
    first, second = vm.PowerOnVM_Task(), vm.Rename_Task("other")
    with pytest.raises(vim.fault.TaskInProgress) as caught:
        WaitForTask(second)
    assert caught.value.task == first
    assert WaitForTask(first) == "success"


def test_too_much_memory(vm):
    WaitForTask(vm.ReconfigVM_Task(vim.vm.ConfigSpec(memoryMB=20000)))
    with pytest.raises(vim.fault.InsufficientMemoryResourcesFault):
        WaitForTask(vm.PowerOnVM_Task())
    assert vm.runtime.powerState == "poweredOff"


def extra(vm):
    return {option.key: option.value for option in vm.config.extraConfig}


def set_extra(vm, **values):
    options = [vim.option.OptionValue(key="guestinfo." + key, value=value) for key, value in values.items()]
    WaitForTask(vm.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=options)))


def test_extra_config(vm):
    set_extra(vm, a="1", b="x y")
    assert (extra(vm)["guestinfo.a"], extra(vm)["guestinfo.b"]) == ("1", "x y")
    set_extra(vm, a="")
    assert "guestinfo.a" not in extra(vm) and extra(vm)["guestinfo.b"] == "x y"


def test_reconfigure(vm):
    card = next(device for device in vm.config.hardware.device if isinstance(device, vim.vm.device.VirtualVmxnet3))
    card.backing.deviceName = "frontend"
    card.backing.network = None
    card.connectable.connected = False
    change = vim.vm.device.VirtualDeviceSpec(operation="edit", device=card)
    prop = next(item for item in vm.config.vAppConfig.property if item.id == "hostname")
    prop.value = "renamed.example"
    vapp = vim.vApp.VmConfigSpec(property=[vim.vApp.PropertySpec(operation="edit", info=prop)])
    spec = vim.vm.ConfigSpec(numCPUs=4, annotation="notes", deviceChange=[change], vAppConfig=vapp)
    WaitForTask(vm.ReconfigVM_Task(spec))
    after = next(device for device in vm.config.hardware.device if device.key == card.key)
    assert (after.backing.deviceName, after.connectable.connected) == ("frontend", False)
    assert after.macAddress == card.macAddress
    assert (vm.config.hardware.numCPU, vm.config.annotation) == (4, "notes")
    assert next(item.value for item in vm.config.vAppConfig.property if item.id == "hostname") == "renamed.example"
    WaitForTask(vm.PowerOnVM_Task())
    with pytest.raises(vim.fault.CpuHotPlugNotSupported):
        WaitForTask(vm.ReconfigVM_Task(vim.vm.ConfigSpec(numCPUs=8)))
    with pytest.raises(vmodl.fault.NotSupported) as caught:
        vm.ReconfigVM_Task(vim.vm.ConfigSpec(firmware="efi"))
    assert "firmware" in caught.value.msg


def test_rename(si, vm):
    WaitForTask(vm.Rename_Task("renamed"))
    assert find(si, "DC0/vm/renamed") == vm
    assert vm.config.files.vmPathName.startswith("[LocalDS_0] rename/")
    with pytest.raises(vim.fault.InvalidName):
        vm.Rename_Task("a/b")


def test_revert_takes_changes_back(vm):
    assert vm.snapshot is None
    set_extra(vm, version="1")
    WaitForTask(vm.PowerOnVM_Task())
    task = vm.CreateSnapshot_Task("before", "the state to go back to", False, False)
    WaitForTask(task)
    snapshot = task.info.result
    assert vm.snapshot.currentSnapshot == snapshot
    root = vm.snapshot.rootSnapshotList[0]
    assert (root.name, root.description, root.state) == ("before", "the state to go back to", "poweredOff")
    set_extra(vm, version="2", new="yes")
    WaitForTask(vm.PowerOffVM_Task())
    WaitForTask(vm.ReconfigVM_Task(vim.vm.ConfigSpec(numCPUs=4, annotation="changed")))
    uuid, name = vm.config.uuid, vm.name
    WaitForTask(snapshot.RevertToSnapshot_Task())
    assert (extra(vm)["guestinfo.version"], "guestinfo.new" in extra(vm)) == ("1", False)
    assert (vm.config.hardware.numCPU, vm.config.annotation) == (2, "")
    assert (vm.config.uuid, vm.name) == (uuid, name)
    assert vm.runtime.powerState == "poweredOff"
    set_extra(vm, version="3")
    WaitForTask(vm.RevertToCurrentSnapshot_Task())
    assert extra(vm)["guestinfo.version"] == "1"
    WaitForTask(vm.CreateSnapshot_Task("on top", "", False, False))
    tree = vm.snapshot.rootSnapshotList
    assert [child.name for child in tree[0].childSnapshotList] == ["on top"]
    WaitForTask(snapshot.RemoveSnapshot_Task(False))
    assert [root.name for root in vm.snapshot.rootSnapshotList] == ["on top"]
    WaitForTask(vm.RemoveAllSnapshots_Task())
    assert vm.snapshot is None
    with pytest.raises(vim.fault.NotFound):
        WaitForTask(vm.RevertToCurrentSnapshot_Task())
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        snapshot.RevertToSnapshot_Task()


def test_snapshot_with_memory_comes_back_on(vm):
    WaitForTask(vm.PowerOnVM_Task())
    task = vm.CreateSnapshot_Task("memory", "", True, False)
    WaitForTask(task)
    WaitForTask(vm.PowerOffVM_Task())
    WaitForTask(task.info.result.RevertToSnapshot_Task())
    assert vm.runtime.powerState == "poweredOn"
    WaitForTask(task.info.result.RevertToSnapshot_Task(None, True))
    assert vm.runtime.powerState == "poweredOff"


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_old_versions_replay_after_a_lost_answer(si, vm):
    query = vmodl.query.PropertyCollector
    collector = si.content.propertyCollector.CreatePropertyCollector()
    collector.CreateFilter(query.FilterSpec(
        objectSet=[query.ObjectSpec(obj=vm)],
        propSet=[query.PropertySpec(type=vim.VirtualMachine, pathSet=["runtime.powerState", "name"])]), False)
    options = query.WaitOptions(maxWaitSeconds=0)
    first = collector.WaitForUpdatesEx("", options)
    entered = first.filterSet[0].objectSet[0]
    assert entered.kind == "enter" and len(entered.changeSet) == 2
    assert collector.WaitForUpdatesEx(first.version, options) is None
    WaitForTask(vm.PowerOnVM_Task())

    def changes(version):
        update = collector.WaitForUpdatesEx(version, options)
        entry = update.filterSet[0].objectSet[0]
        return update.version, entry.kind, [(change.name, change.val) for change in entry.changeSet]

    second = changes(first.version)
    assert second[1:] == ("modify", [("runtime.powerState", "poweredOn")])
    assert changes(first.version) == second
    assert collector.WaitForUpdatesEx(second[0], options) is None
    with pytest.raises(vmodl.query.InvalidCollectorVersion):
        collector.WaitForUpdatesEx("99", options)
    collector.DestroyPropertyCollector()


def test_wait_ends_when_something_happens(si, vm):
    query = vmodl.query.PropertyCollector
    collector = si.content.propertyCollector.CreatePropertyCollector()
    collector.CreateFilter(query.FilterSpec(
        objectSet=[query.ObjectSpec(obj=vm)],
        propSet=[query.PropertySpec(type=vim.VirtualMachine, pathSet=["guest.ipAddress"])]), False)
    version = collector.WaitForUpdatesEx("", query.WaitOptions(maxWaitSeconds=10)).version
    vm.PowerOnVM_Task()
    update = collector.WaitForUpdatesEx(version, query.WaitOptions(maxWaitSeconds=30))
    assert update.filterSet[0].objectSet[0].changeSet[0].val == vm.guest.ipAddress
    collector.DestroyPropertyCollector()


# --- datastore --------------------------------------------------------------------------------------------------------


def listing(si, path, pattern="*"):
    browser = find(si, "DC0/datastore/LocalDS_0").browser
    spec = vim.host.DatastoreBrowser.SearchSpec(matchPattern=[pattern])
    task = browser.SearchDatastore_Task(path, spec)
    WaitForTask(task)
    return {item.path: item for item in task.info.result.file}


def test_datastore_files(server, si):
    cookie = si._stub.cookie
    where = "/folder/iso/new%20one.iso?" + urllib.parse.urlencode({"dcPath": "/DC0", "dsName": "LocalDS_0"})
    assert server.request("PUT", where, b"content")[0] == 401
    assert server.request("PUT", where, b"content", cookie)[0] == 201
    assert server.request("PUT", where, b"content 2", cookie)[0] == 200
    assert server.request("GET", where, cookie=cookie) == (200, b"content 2")
    assert server.request("HEAD", where, cookie=cookie)[0] == 200
    assert server.request("GET", where)[0] == 401
    climbing = "/folder/iso/..%2f..%2fsecret?dcPath=DC0&dsName=LocalDS_0"
    assert server.request("GET", climbing, cookie=cookie)[0] == 400
    assert server.request("GET", "/folder/iso/none?dcPath=DC0&dsName=LocalDS_0", cookie=cookie)[0] == 404
    assert server.request("GET", "/folder/iso/none?dcPath=DC9&dsName=LocalDS_0", cookie=cookie)[0] == 404
    files = listing(si, "[LocalDS_0] iso")
    assert files["new one.iso"].fileSize == 9
    delete = si.content.fileManager.DeleteDatastoreFile_Task("[LocalDS_0] iso/new one.iso", find(si, "DC0"))
    assert WaitForTask(delete) == "success"
    assert server.request("GET", where, cookie=cookie)[0] == 404
    with pytest.raises(vim.fault.FileNotFound):
        listing(si, "[LocalDS_0] iso")


def test_files_of_a_machine(server, si, vm):
    directory = vm.config.files.vmPathName.rsplit("/", 1)[0]
    WaitForTask(vm.CreateSnapshot_Task("s", "", False, False))
    kinds = {name: type(item) for name, item in listing(si, directory).items()}
    browser = vim.host.DatastoreBrowser
    assert set(kinds.values()) == {
        browser.VmConfigInfo, browser.VmDiskInfo, browser.VmLogInfo, browser.VmSnapshotInfo}, kinds
    path = directory.split("] ")[1]
    vmx = server.request("GET", f"/folder/{path}/{path}.vmx?dcPath=DC0&dsName=LocalDS_0", cookie=si._stub.cookie)[1]
    assert f'displayName = "{vm.name}"' in vmx.decode()
    with pytest.raises(vim.fault.FileLocked):
        WaitForTask(si.content.fileManager.DeleteDatastoreFile_Task(directory, find(si, "DC0")))
    WaitForTask(vm.RemoveAllSnapshots_Task())
