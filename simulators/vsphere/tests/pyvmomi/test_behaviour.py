"""What a vCenter does, row by row: one behaviour and one assertion each, judged by pyVmomi.

Rows that need a guest use the machines that are there from the beginning; others make a machine of their own.
"""

import ssl
import urllib.parse
import urllib.request

import pytest
from conftest import Server, find, gone, tools, wait_for
from pyVim.connect import Disconnect
from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl

Query = vmodl.query.PropertyCollector


@pytest.fixture(scope="module")
def server():
    server = Server(vm=3)
    try:
        yield server
    finally:
        assert server.stop() == 0


def new_machine(si, name, folder=None):
    """A machine with a card and an empty disk."""
    card = vim.vm.device.VirtualVmxnet3(
        key=-1, backing=vim.vm.device.VirtualEthernetCard.NetworkBackingInfo(deviceName="management"))
    controller = vim.vm.device.ParaVirtualSCSIController(key=-2, busNumber=0, sharedBus="noSharing")
    disk = vim.vm.device.VirtualDisk(
        key=-3, controllerKey=-2, unitNumber=0, capacityInKB=1 << 20,
        backing=vim.vm.device.VirtualDisk.FlatVer2BackingInfo(fileName="", diskMode="persistent"))
    add = [vim.vm.device.VirtualDeviceSpec(operation="add", device=device) for device in (card, controller, disk)]
    config = vim.vm.ConfigSpec(
        name=name, numCPUs=1, memoryMB=128, guestId="otherLinux64Guest", deviceChange=add,
        files=vim.vm.FileInfo(vmPathName="[LocalDS_0]"),
        extraConfig=[vim.option.OptionValue(key="guestinfo.version", value="1")])
    task = (folder or find(si, "DC0/vm")).CreateVM_Task(config, find(si, "DC0/host/DC0_C0/Resources"))
    WaitForTask(task)
    return task.info.result


@pytest.fixture
def vm(si, request):
    vm = new_machine(si, request.node.name.replace("test_", "")[:60])
    yield vm
    gone(vm)


@pytest.fixture
def guest(si):
    """A machine whose guest runs."""
    vm = find(si, "DC0/vm/DC0_C0_RP0_VM0")
    if vm.runtime.powerState == "poweredOff":
        WaitForTask(vm.PowerOnVM_Task())
    tools(si, vm)
    return vm


@pytest.fixture
def reader(server):
    si = server.connect(user="reader")
    yield si
    Disconnect(si)


def filter_spec(thing, *paths):
    return Query.FilterSpec(objectSet=[Query.ObjectSpec(obj=thing)],
                            propSet=[Query.PropertySpec(type=type(thing), pathSet=list(paths))])


def extra(vm):
    return {option.key: option.value for option in vm.config.extraConfig}


def set_extra(vm, key, value):
    options = [vim.option.OptionValue(key=key, value=value)]
    WaitForTask(vm.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=options)))


# --- sessions and objects ---------------------------------------------------------------------------------------------


def test_after_logout_nothing_is_answered(server):
    si = server.connect()
    root = si.content.rootFolder
    si.content.sessionManager.Logout()
    with pytest.raises(vim.fault.NotAuthenticated):
        root.name


def test_two_clients_have_two_sessions(server, si):
    other = server.connect()
    keys = {session.key for session in si.content.sessionManager.sessionList}
    assert {si.content.sessionManager.currentSession.key, other.content.sessionManager.currentSession.key} <= keys
    Disconnect(other)


def test_an_object_that_never_was(si):
    with pytest.raises(vmodl.fault.ManagedObjectNotFound) as caught:
        vim.VirtualMachine("vm-4711", si._stub).name
    assert caught.value.obj._moId == "vm-4711"


def test_an_object_that_is_gone(si, vm):
    WaitForTask(vm.Destroy_Task())
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        vm.name


# --- properties -------------------------------------------------------------------------------------------------------


def test_an_unknown_property_of_one_object_is_a_fault(si, vm):
    with pytest.raises(vmodl.query.InvalidProperty) as caught:
        si._stub.InvokeAccessor(vm, type("Info", (), {
            "name": "colour", "type": str, "version": si._stub.version, "privId": None, "flags": 0})())
    assert caught.value.name == "colour"


def test_an_unknown_property_of_a_set_is_missing(si, vm):
    result = si.content.propertyCollector.RetrievePropertiesEx([filter_spec(vm, "name", "colour")], Query.RetrieveOptions())
    assert [missing.path for missing in result.objects[0].missingSet] == ["colour"]


def test_a_page_has_a_token_until_the_last(si):
    spec = Query.FilterSpec(
        objectSet=[Query.ObjectSpec(obj=find(si, "DC0/vm"), skip=True, selectSet=[
            Query.TraversalSpec(type=vim.Folder, path="childEntity", skip=False)])],
        propSet=[Query.PropertySpec(type=vim.VirtualMachine, pathSet=["name"])])
    collector, names = si.content.propertyCollector, []
    result = collector.RetrievePropertiesEx([spec], Query.RetrieveOptions(maxObjects=1))
    while True:
        assert len(result.objects) == 1
        names.append(result.objects[0].propSet[0].val)
        if not result.token:
            break
        result = collector.ContinueRetrievePropertiesEx(result.token)
    assert names[:3] == ["DC0_C0_RP0_VM0", "DC0_C0_RP0_VM1", "DC0_C0_RP0_VM2"]


def first_page(si):
    """Asks for the networks, one at a time: the collector, and the token of the second page."""
    spec = Query.FilterSpec(
        objectSet=[Query.ObjectSpec(obj=find(si, "DC0"), skip=True, selectSet=[
            Query.TraversalSpec(type=vim.Datacenter, path="network", skip=False)])],
        propSet=[Query.PropertySpec(type=vim.Network, pathSet=["name"])])
    collector = si.content.propertyCollector
    token = collector.RetrievePropertiesEx([spec], Query.RetrieveOptions(maxObjects=1)).token
    return collector, token


def test_a_token_is_good_once(si):
    collector, token = first_page(si)
    collector.ContinueRetrievePropertiesEx(token)
    with pytest.raises(vmodl.fault.InvalidArgument):
        collector.ContinueRetrievePropertiesEx(token)


def test_an_abandoned_retrieval_is_forgotten(si):
    collector, token = first_page(si)
    collector.CancelRetrievePropertiesEx(token)
    with pytest.raises(vmodl.fault.InvalidArgument):
        collector.ContinueRetrievePropertiesEx(token)


def test_an_old_version_can_be_asked_again(si, vm):
    collector = si.content.propertyCollector.CreatePropertyCollector()
    collector.CreateFilter(filter_spec(vm, "config.annotation"), False)
    now = Query.WaitOptions(maxWaitSeconds=0)
    first = collector.WaitForUpdatesEx("", now).version
    WaitForTask(vm.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="new")))
    values = [collector.WaitForUpdatesEx(first, now).filterSet[0].objectSet[0].changeSet[0].val for _ in range(2)]
    assert values == ["new", "new"]


def test_wait_for_updates_without_options(si, vm):
    collector = si.content.propertyCollector
    made = collector.CreateFilter(filter_spec(vm, "name"), True)
    assert collector.WaitForUpdates("").filterSet[0].objectSet[0].changeSet[0].val == vm.name
    made.DestroyPropertyFilter()


def test_a_wait_tells_that_an_object_left(si, vm):
    collector = si.content.propertyCollector.CreatePropertyCollector()
    collector.CreateFilter(filter_spec(vm, "name"), False)
    version = collector.WaitForUpdatesEx("", Query.WaitOptions(maxWaitSeconds=0)).version
    WaitForTask(vm.Destroy_Task())
    update = collector.WaitForUpdatesEx(version, Query.WaitOptions(maxWaitSeconds=10))
    assert update.filterSet[0].objectSet[0].kind == "leave"


def test_a_wait_tells_so_much_at_once(si):
    """`maxObjectUpdates` cuts the answer; `truncated` says that more is to be asked for."""
    collector = si.content.propertyCollector.CreatePropertyCollector()
    collector.CreateFilter(Query.FilterSpec(
        objectSet=[Query.ObjectSpec(obj=find(si, "DC0/vm"), skip=True, selectSet=[
            Query.TraversalSpec(type=vim.Folder, path="childEntity", skip=False)])],
        propSet=[Query.PropertySpec(type=vim.VirtualMachine, pathSet=["name"])]), False)
    version, names, options = "", [], Query.WaitOptions(maxWaitSeconds=0, maxObjectUpdates=2)
    while True:
        update = collector.WaitForUpdatesEx(version, options)
        objects = update.filterSet[0].objectSet
        assert len(objects) <= 2
        names += [entry.changeSet[0].val for entry in objects]
        version = update.version
        if not update.truncated:
            break
    assert {"DC0_C0_RP0_VM0", "DC0_C0_RP0_VM1", "DC0_C0_RP0_VM2"} <= set(names) and len(set(names)) == len(names)


def test_a_list_view_holds_what_was_put_in(si, vm):
    view = si.content.viewManager.CreateListView([vm])
    other = find(si, "DC0/vm/DC0_C0_RP0_VM1")
    view.ModifyListView([other], [vm])
    assert list(view.view) == [other]


def test_everything_is_found_in_its_ways(si, guest):
    index = si.content.searchIndex
    address = guest.guest.ipAddress
    assert [
        index.FindByIp(None, address, True), index.FindByDnsName(None, guest.guest.hostName, True),
        index.FindByUuid(None, guest.config.uuid, True), index.FindChild(find(si, "DC0/vm"), guest.name),
        index.FindByDatastorePath(find(si, "DC0"), guest.config.files.vmPathName),
        index.FindAllByIp(None, address, True)[0],
    ] == [guest] * 6


# --- tasks ------------------------------------------------------------------------------------------------------------


def test_a_task_is_queued_then_runs_then_succeeds(si, vm):
    collector = si.content.propertyCollector.CreatePropertyCollector()
    task = vm.PowerOnVM_Task()
    collector.CreateFilter(filter_spec(task, "info.state"), False)
    version, states = "", []
    while not states or states[-1] not in ("success", "error"):
        update = collector.WaitForUpdatesEx(version, Query.WaitOptions(maxWaitSeconds=10))
        version = update.version
        states.append(update.filterSet[0].objectSet[0].changeSet[0].val)
    assert states == ["queued", "running", "success"]


def test_a_running_task_tells_its_progress(si, vm):
    task = vm.PowerOnVM_Task()
    assert wait_for(si, task, "info.progress") in range(0, 101)
    WaitForTask(task)


def test_a_failed_task_holds_its_fault(si, vm):
    task = vm.PowerOffVM_Task()
    wait_for(si, task, "info.state", "error")
    assert isinstance(task.info.error, vim.fault.InvalidPowerState)


def test_the_wrong_power_state(vm):
    with pytest.raises(vim.fault.InvalidPowerState) as caught:
        WaitForTask(vm.PowerOffVM_Task())
    assert (caught.value.requestedState, caught.value.existingState) == ("poweredOff", "poweredOff")


def test_two_tasks_on_one_machine(vm):
    first, second = vm.PowerOnVM_Task(), vm.PowerOnVM_Task()
    with pytest.raises(vim.fault.TaskInProgress) as caught:
        WaitForTask(second)
    assert caught.value.task == first
    WaitForTask(first)


def test_a_queued_task_can_be_cancelled(si, vm):
    task = vm.PowerOnVM_Task()
    task.CancelTask()
    with pytest.raises(vmodl.fault.RequestCanceled):
        WaitForTask(task)


def test_a_name_that_is_taken(si, vm):
    with pytest.raises(vim.fault.DuplicateName) as caught:
        new_machine(si, vm.name)
    assert caught.value.object == vm


def test_renaming_to_a_name_that_is_taken(si, vm):
    with pytest.raises(vim.fault.DuplicateName):
        WaitForTask(vm.Rename_Task("DC0_C0_RP0_VM1"))


# --- roles ------------------------------------------------------------------------------------------------------------

CHANGES = {
    "PowerOnVM_Task": lambda si, vm: vm.PowerOnVM_Task(),
    "PowerOffVM_Task": lambda si, vm: vm.PowerOffVM_Task(),
    "ResetVM_Task": lambda si, vm: vm.ResetVM_Task(),
    "ShutdownGuest": lambda si, vm: vm.ShutdownGuest(),
    "RebootGuest": lambda si, vm: vm.RebootGuest(),
    "ReconfigVM_Task": lambda si, vm: vm.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="x")),
    "Rename_Task": lambda si, vm: vm.Rename_Task("x"),
    "Destroy_Task": lambda si, vm: vm.Destroy_Task(),
    "CreateSnapshot_Task": lambda si, vm: vm.CreateSnapshot_Task("x", "", False, False),
    "RemoveAllSnapshots_Task": lambda si, vm: vm.RemoveAllSnapshots_Task(),
    "RevertToCurrentSnapshot_Task": lambda si, vm: vm.RevertToCurrentSnapshot_Task(),
    "CloneVM_Task": lambda si, vm: vm.CloneVM_Task(find(si, "DC0/vm"), "x", vim.vm.CloneSpec(
        location=vim.vm.RelocateSpec(), powerOn=False, template=False)),
    "MarkAsTemplate": lambda si, vm: vm.MarkAsTemplate(),
    "CreateFolder": lambda si, vm: find(si, "DC0/vm").CreateFolder("x"),
    "MoveIntoFolder_Task": lambda si, vm: find(si, "DC0/vm").MoveIntoFolder_Task([vm]),
    "CreateVM_Task": lambda si, vm: new_machine(si, "x"),
    "MakeDirectory": lambda si, vm: si.content.fileManager.MakeDirectory("[LocalDS_0] x", find(si, "DC0")),
    "DeleteDatastoreFile_Task": lambda si, vm: si.content.fileManager.DeleteDatastoreFile_Task(
        "[LocalDS_0] x", find(si, "DC0")),
    "SearchDatastore_Task": lambda si, vm: find(si, "DC0/datastore/LocalDS_0").browser.SearchDatastore_Task("[LocalDS_0]"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_who_may_only_look_changes_nothing(reader, change):
    with pytest.raises(vim.fault.NoPermission):
        CHANGES[change](reader, find(reader, "DC0/vm/DC0_C0_RP0_VM1"))


def test_who_may_only_look_does(reader):
    assert find(reader, "DC0/vm/DC0_C0_RP0_VM1").config.hardware.numCPU == 1


def test_who_may_only_look_uploads_nothing(server, reader):
    status, _ = server.request("PUT", "/folder/x?dcPath=DC0&dsName=LocalDS_0", b"x", reader._stub.cookie)
    assert status == 403


# --- folders, clones and templates ------------------------------------------------------------------------------------


def test_a_machine_in_a_folder_is_found_there(si, vm):
    folder = find(si, "DC0/vm").CreateFolder("team")
    WaitForTask(folder.MoveIntoFolder_Task([vm]))
    assert (find(si, f"DC0/vm/team/{vm.name}"), vm.parent, find(si, f"DC0/vm/{vm.name}")) == (vm, folder, None)


def test_a_folder_does_not_go_into_itself(si):
    outer = find(si, "DC0/vm").CreateFolder("outer")
    inner = outer.CreateFolder("inner")
    with pytest.raises(vmodl.fault.InvalidArgument):
        WaitForTask(inner.MoveIntoFolder_Task([outer]))


def test_a_folder_of_a_name_that_is_taken(si):
    first = find(si, "DC0/vm").CreateFolder("twice")
    with pytest.raises(vim.fault.DuplicateName) as caught:
        find(si, "DC0/vm").CreateFolder("twice")
    assert caught.value.object == first


def clone(si, vm, name, **choices):
    spec = vim.vm.CloneSpec(location=vim.vm.RelocateSpec(pool=find(si, "DC0/host/DC0_C0/Resources")),
                            **{"powerOn": False, "template": False, **choices})
    task = vm.CloneVM_Task(find(si, "DC0/vm"), name, spec)
    WaitForTask(task)
    return task.info.result


def test_a_clone_has_what_its_source_has(si, vm):
    copy = clone(si, vm, "copy-has")
    assert (extra(copy)["guestinfo.version"], copy.config.hardware.memoryMB, len(copy.network)) == ("1", 128, 1)
    gone(copy)


def test_a_clone_is_somebody_else(si, vm):
    copy = clone(si, vm, "copy-is")
    cards = [next(device.macAddress for device in machine.config.hardware.device
                  if isinstance(device, vim.vm.device.VirtualEthernetCard)) for machine in (vm, copy)]
    assert copy.config.uuid != vm.config.uuid and cards[0] != cards[1]
    gone(copy)


def test_a_clone_and_its_source_share_nothing(si, vm):
    copy = clone(si, vm, "copy-shares")
    set_extra(copy, "guestinfo.version", "2")
    WaitForTask(copy.ReconfigVM_Task(vim.vm.ConfigSpec(numCPUs=2)))
    assert (extra(vm)["guestinfo.version"], vm.config.hardware.numCPU, extra(copy)["guestinfo.version"]) == ("1", 1, "2")
    gone(copy)


def test_a_clone_has_the_files_of_its_source(si, guest):
    write(si, guest, "/etc/before", b"cloned")
    copy = clone(si, guest, "copy-files", powerOn=True)
    tools(si, copy)
    write(si, guest, "/etc/before", b"changed")
    assert read(si, copy, "/etc/before") == b"cloned"
    gone(copy)


def test_a_template_does_not_start(si, vm):
    vm.MarkAsTemplate()
    with pytest.raises(vmodl.fault.NotSupported):
        WaitForTask(vm.PowerOnVM_Task())
    vm.MarkAsVirtualMachine(find(si, "DC0/host/DC0_C0/Resources"))


# --- snapshots --------------------------------------------------------------------------------------------------------


def snapshot(vm, name, memory=False):
    task = vm.CreateSnapshot_Task(name, f"state {name}", memory, False)
    WaitForTask(task)
    return task.info.result


def test_the_tree_branches_where_somebody_went_back(vm):
    first = snapshot(vm, "first")
    snapshot(vm, "second")
    WaitForTask(first.RevertToSnapshot_Task())
    snapshot(vm, "other second")
    names = [child.name for child in vm.snapshot.rootSnapshotList[0].childSnapshotList]
    assert names == ["second", "other second"]


def test_going_back_brings_back_configuration(vm):
    first = snapshot(vm, "first")
    set_extra(vm, "guestinfo.version", "2")
    WaitForTask(vm.ReconfigVM_Task(vim.vm.ConfigSpec(numCPUs=4, memoryMB=512)))
    WaitForTask(first.RevertToSnapshot_Task())
    assert (extra(vm)["guestinfo.version"], vm.config.hardware.numCPU, vm.config.hardware.memoryMB) == ("1", 1, 128)


def test_going_back_brings_back_the_disk(si, guest):
    write(si, guest, "/etc/state", b"before")
    first = snapshot(guest, "first")
    write(si, guest, "/etc/state", b"after")
    WaitForTask(first.RevertToSnapshot_Task())
    WaitForTask(guest.PowerOnVM_Task())
    tools(si, guest)
    assert read(si, guest, "/etc/state") == b"before"
    WaitForTask(guest.RemoveAllSnapshots_Task())


def test_a_snapshot_without_memory_comes_back_off(vm):
    WaitForTask(vm.PowerOnVM_Task())
    first = snapshot(vm, "first")
    WaitForTask(first.RevertToSnapshot_Task())
    assert vm.runtime.powerState == "poweredOff"


def test_a_snapshot_with_memory_comes_back_on(vm):
    WaitForTask(vm.PowerOnVM_Task())
    first = snapshot(vm, "first", memory=True)
    WaitForTask(vm.PowerOffVM_Task())
    WaitForTask(first.RevertToSnapshot_Task())
    assert vm.runtime.powerState == "poweredOn"


def test_a_snapshot_can_be_renamed(vm):
    snapshot(vm, "first").RenameSnapshot("renamed", "why")
    root = vm.snapshot.rootSnapshotList[0]
    assert (root.name, root.description) == ("renamed", "why")


def test_a_snapshot_in_the_middle_leaves_its_children(vm):
    first = snapshot(vm, "first")
    snapshot(vm, "second")
    WaitForTask(first.RemoveSnapshot_Task(False))
    assert [root.name for root in vm.snapshot.rootSnapshotList] == ["second"]


def test_going_back_does_not_move_in_the_inventory(si, vm):
    first = snapshot(vm, "first")
    folder = find(si, "DC0/vm").CreateFolder("later")
    WaitForTask(folder.MoveIntoFolder_Task([vm]))
    WaitForTask(first.RevertToSnapshot_Task())
    assert vm.parent == folder


# --- configuration ----------------------------------------------------------------------------------------------------


def test_an_empty_value_deletes_a_key(vm):
    set_extra(vm, "guestinfo.version", "")
    assert "guestinfo.version" not in extra(vm)


def test_one_key_by_its_path(si, vm):
    spec = filter_spec(vm, 'config.extraConfig["guestinfo.version"]')
    assert si.content.propertyCollector.RetrieveContents([spec])[0].propSet[0].val.value == "1"


def test_no_processor_is_added_to_a_running_machine(vm):
    WaitForTask(vm.PowerOnVM_Task())
    with pytest.raises(vim.fault.CpuHotPlugNotSupported):
        WaitForTask(vm.ReconfigVM_Task(vim.vm.ConfigSpec(numCPUs=2)))


def test_more_memory_than_the_host_has(vm):
    WaitForTask(vm.ReconfigVM_Task(vim.vm.ConfigSpec(memoryMB=1 << 20)))
    with pytest.raises(vim.fault.InsufficientMemoryResourcesFault):
        WaitForTask(vm.PowerOnVM_Task())


def insert(vm, image):
    drive = vim.vm.device.VirtualCdrom(
        key=-1, controllerKey=200, unitNumber=0, backing=vim.vm.device.VirtualCdrom.IsoBackingInfo(fileName=image),
        connectable=vim.vm.device.VirtualDevice.ConnectInfo(startConnected=True, allowGuestControl=True, connected=True))
    add = vim.vm.device.VirtualDeviceSpec(operation="add", device=drive)
    WaitForTask(vm.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=[add])))


def drives(vm):
    return [device for device in vm.config.hardware.device if isinstance(device, vim.vm.device.VirtualCdrom)]


def test_a_machine_whose_image_is_missing_does_not_start(vm):
    insert(vm, "[LocalDS_0] iso/none.iso")
    with pytest.raises(vim.fault.FileNotFound) as caught:
        WaitForTask(vm.PowerOnVM_Task())
    assert caught.value.file == "[LocalDS_0] iso/none.iso"


def test_a_machine_whose_image_is_there_starts(server, si, vm):
    put(server, si, "iso/there.iso")
    insert(vm, "[LocalDS_0] iso/there.iso")
    assert WaitForTask(vm.PowerOnVM_Task()) == "success"


def test_an_image_is_changed_and_brought_back(vm):
    insert(vm, "[LocalDS_0] iso/old.iso")
    first = snapshot(vm, "first")
    drive, = drives(vm)
    drive.backing.fileName = "[LocalDS_0] iso/new.iso"
    edit = vim.vm.device.VirtualDeviceSpec(operation="edit", device=drive)
    WaitForTask(vm.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=[edit])))
    seen = [drives(vm)[0].backing.fileName]
    WaitForTask(first.RevertToSnapshot_Task())
    assert [*seen, drives(vm)[0].backing.fileName] == ["[LocalDS_0] iso/new.iso", "[LocalDS_0] iso/old.iso"]


def test_a_chain_of_snapshots_has_an_end(vm):
    for number in range(32):
        snapshot(vm, str(number))
    with pytest.raises(vim.fault.TooManySnapshotLevels):
        snapshot(vm, "32")


# --- datastore --------------------------------------------------------------------------------------------------------


def where(path):
    return f"/folder/{urllib.parse.quote(path)}?" + urllib.parse.urlencode({"dcPath": "DC0", "dsName": "LocalDS_0"})


def put(server, si, path, content=b"content"):
    return server.request("PUT", where(path), content, si._stub.cookie)[0]


def get(server, si, path):
    return server.request("GET", where(path), cookie=si._stub.cookie)


def search(si, path, deep=False, pattern="*"):
    browser = find(si, "DC0/datastore/LocalDS_0").browser
    spec = vim.host.DatastoreBrowser.SearchSpec(matchPattern=[pattern])
    task = (browser.SearchDatastoreSubFolders_Task if deep else browser.SearchDatastore_Task)(path, spec)
    WaitForTask(task)
    return task.info.result


def test_an_upload_comes_down_again(server, si):
    put(server, si, "up/a file", b"\x00\xff")
    assert get(server, si, "up/a file") == (200, b"\x00\xff")


def test_without_a_session_there_are_no_files(server, si):
    put(server, si, "up/b")
    assert server.request("GET", where("up/b"))[0] == 401


def test_a_path_does_not_climb(server, si):
    assert server.request("GET", "/folder/a/..%2f..%2fetc/passwd?dcPath=DC0&dsName=LocalDS_0",
                          cookie=si._stub.cookie)[0] == 400


def test_a_file_is_deleted_over_http(server, si):
    put(server, si, "down/a")
    statuses = [server.request("DELETE", where("down/a"), cookie=si._stub.cookie)[0] for _ in range(2)]
    assert statuses == [204, 404]


def test_an_empty_directory_is_listed(si):
    si.content.fileManager.MakeDirectory("[LocalDS_0] empty/inner", find(si, "DC0"), True)
    assert [entry.path for entry in search(si, "[LocalDS_0] empty").file] == ["inner"]


def test_a_directory_that_is_there(si):
    si.content.fileManager.MakeDirectory("[LocalDS_0] there", find(si, "DC0"))
    with pytest.raises(vim.fault.FileAlreadyExists):
        si.content.fileManager.MakeDirectory("[LocalDS_0] there", find(si, "DC0"))


def test_a_directory_without_its_parent(si):
    with pytest.raises(vim.fault.FileNotFound):
        si.content.fileManager.MakeDirectory("[LocalDS_0] no/parent", find(si, "DC0"), False)


def test_a_moved_file_is_in_one_place(server, si):
    put(server, si, "move/a", b"moved")
    manager, dc = si.content.fileManager, find(si, "DC0")
    WaitForTask(manager.MoveDatastoreFile_Task("[LocalDS_0] move/a", dc, "[LocalDS_0] move/b", dc, False))
    assert (get(server, si, "move/a")[0], get(server, si, "move/b")) == (404, (200, b"moved"))


def test_a_copied_directory_is_in_two(server, si):
    put(server, si, "copy/one/a", b"copied")
    manager, dc = si.content.fileManager, find(si, "DC0")
    WaitForTask(manager.CopyDatastoreFile_Task("[LocalDS_0] copy/one", dc, "[LocalDS_0] copy/two", dc, False))
    assert get(server, si, "copy/one/a") == get(server, si, "copy/two/a") == (200, b"copied")


def test_nothing_is_written_over_without_force(server, si):
    put(server, si, "force/a", b"a")
    put(server, si, "force/b", b"b")
    manager, dc = si.content.fileManager, find(si, "DC0")
    with pytest.raises(vim.fault.FileAlreadyExists):
        WaitForTask(manager.CopyDatastoreFile_Task("[LocalDS_0] force/a", dc, "[LocalDS_0] force/b", dc, False))


@pytest.mark.parametrize("source, destination", [("self/dir/a", "self/dir/a"), ("self/dir/a", "self/dir")])
def test_nothing_is_lost_by_going_onto_itself(server, si, source, destination):
    put(server, si, "self/dir/a", b"kept")
    manager, dc = si.content.fileManager, find(si, "DC0")
    with pytest.raises(vmodl.fault.InvalidArgument):
        WaitForTask(manager.MoveDatastoreFile_Task(f"[LocalDS_0] {source}", dc, f"[LocalDS_0] {destination}", dc, True))
    assert get(server, si, "self/dir/a") == (200, b"kept")


def test_a_machines_file_is_not_written_over(server, si, vm):
    put(server, si, "over/a", b"other")
    manager, dc = si.content.fileManager, find(si, "DC0")
    before = get(server, si, vm.config.files.vmPathName.split("] ")[1])
    with pytest.raises(vim.fault.VimFault):
        WaitForTask(manager.CopyDatastoreFile_Task("[LocalDS_0] over/a", dc, vm.config.files.vmPathName, dc, True))
    assert get(server, si, vm.config.files.vmPathName.split("] ")[1]) == before


def test_a_search_finds_what_is_below(server, si):
    put(server, si, "deep/one/a.iso")
    put(server, si, "deep/b.iso")
    put(server, si, "deep/c.txt")
    results = search(si, "[LocalDS_0] deep", deep=True, pattern="*.iso")
    found = sorted((result.folderPath, entry.path) for result in results for entry in result.file)
    assert found == [("[LocalDS_0] deep", "b.iso"), ("[LocalDS_0] deep/one", "a.iso")]


def test_the_vmx_holds_the_configuration(server, vm, si):
    status, vmx = get(server, si, vm.config.files.vmPathName.split("] ")[1])
    lines = dict(line.split(" = ", 1) for line in vmx.decode().splitlines())
    assert (status, lines["guestinfo.version"], lines["memSize"], lines["displayName"]) == (
        200, '"1"', '"128"', f'"{vm.name}"')


# --- guests -----------------------------------------------------------------------------------------------------------

AUTH = vim.vm.guest.NamePasswordAuthentication(username="root", password="x", interactiveSession=False)


def over_https(method, url, content=None):
    request = urllib.request.Request(url, data=content, method=method)
    with urllib.request.urlopen(request, context=ssl._create_unverified_context()) as response:
        return response.read()


def here(si, url):
    return url.replace("*", si._stub.host)


def write(si, vm, path, content):
    files = si.content.guestOperationsManager.fileManager
    attributes = vim.vm.guest.FileManager.PosixFileAttributes()
    url = files.InitiateFileTransferToGuest(vm, AUTH, path, attributes, len(content), True)
    over_https("PUT", here(si, url), content)


def read(si, vm, path):
    files = si.content.guestOperationsManager.fileManager
    return over_https("GET", here(si, files.InitiateFileTransferFromGuest(vm, AUTH, path).url))


def test_a_program_reaches_the_guest(si, guest):
    processes = si.content.guestOperationsManager.processManager
    program = vim.vm.guest.ProcessManager.ProgramSpec(programPath="/bin/echo", arguments="hello > /tmp/said")
    processes.StartProgramInGuest(guest, AUTH, program)
    assert read(si, guest, "/tmp/said") == b"hello\n"


def test_a_program_has_an_exit_code(si, guest):
    processes = si.content.guestOperationsManager.processManager
    pid = processes.StartProgramInGuest(guest, AUTH, vim.vm.guest.ProcessManager.ProgramSpec(programPath="/bin/false"))
    process, = processes.ListProcessesInGuest(guest, AUTH, [pid])
    assert (process.name, process.owner, process.exitCode) == ("false", "root", 1)


def test_a_file_goes_in_and_is_listed(si, guest):
    write(si, guest, "/opt/in/file", b"12345")
    listed = si.content.guestOperationsManager.fileManager.ListFilesInGuest(guest, AUTH, "/opt/in")
    assert [(entry.path, entry.size) for entry in listed.files] == [("file", 5)]


def test_a_file_that_is_not_there(si, guest):
    with pytest.raises(vim.fault.FileNotFound):
        read(si, guest, "/opt/none")


def test_the_environment_of_a_login(si, guest):
    processes = si.content.guestOperationsManager.processManager
    assert list(processes.ReadEnvironmentVariableInGuest(guest, AUTH, ["HOME"])) == ["HOME=/root"]


def test_a_machine_that_is_off_has_no_guest(si, vm):
    with pytest.raises(vim.fault.InvalidPowerState):
        si.content.guestOperationsManager.processManager.ListProcessesInGuest(vm, AUTH)


def test_a_machine_without_a_system_has_none_either(si, vm):
    WaitForTask(vm.PowerOnVM_Task())
    with pytest.raises(vim.fault.GuestOperationsUnavailable):
        si.content.guestOperationsManager.processManager.ListProcessesInGuest(vm, AUTH)


# --- history ----------------------------------------------------------------------------------------------------------


def test_events_tell_what_happened_to_a_machine(si, vm):
    WaitForTask(vm.PowerOnVM_Task())
    WaitForTask(vm.PowerOffVM_Task())
    by = vim.event.EventFilterSpec.ByEntity(entity=vm, recursion="self")
    events = si.content.eventManager.QueryEvents(vim.event.EventFilterSpec(entity=by))
    assert [type(event) for event in events] == [
        vim.event.VmCreatedEvent, vim.event.VmPoweredOnEvent, vim.event.VmPoweredOffEvent]


def test_events_of_a_kind_only(si, vm):
    WaitForTask(vm.PowerOnVM_Task())
    by = vim.event.EventFilterSpec.ByEntity(entity=vm.parent, recursion="all")
    kinds = vim.event.EventFilterSpec(entity=by, eventTypeId=["VmPoweredOnEvent"])
    assert si.content.eventManager.QueryEvents(kinds)[-1].vm.vm == vm


def test_a_collector_reads_on_where_it_was(si, vm):
    WaitForTask(vm.PowerOnVM_Task())
    by = vim.event.EventFilterSpec.ByEntity(entity=vm, recursion="self")
    collector = si.content.eventManager.CreateCollectorForEvents(vim.event.EventFilterSpec(entity=by))
    pages = [[type(event).__name__.split(".")[-1] for event in collector.ReadNextEvents(1)] for _ in range(3)]
    assert pages == [["VmCreatedEvent"], ["VmPoweredOnEvent"], []]
    collector.DestroyCollector()


def test_task_history_holds_ended_tasks(si, vm):
    WaitForTask(vm.PowerOnVM_Task())
    by = vim.TaskFilterSpec.ByEntity(entity=vm, recursion="self")
    collector = si.content.taskManager.CreateCollectorForTasks(vim.TaskFilterSpec(entity=by, state=["success"]))
    assert [info.descriptionId for info in collector.ReadNextTasks(10)] == ["VirtualMachine.powerOn"]
    collector.DestroyCollector()


def test_the_latest_event_is_the_last(si, vm):
    WaitForTask(vm.Rename_Task("latest"))
    assert isinstance(si.content.eventManager.latestEvent, vim.event.VmRenamedEvent)
