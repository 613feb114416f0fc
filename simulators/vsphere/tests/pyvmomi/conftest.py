"""The served vCenter that pyVmomi judges.

Needs pyvmomi 9.1.1.0 and pytest. The program is the one in GRENADIER_PROGRAM, else `cargo run -p grenadier`.
"""

import http.client
import os
import pathlib
import signal
import ssl
import subprocess
import urllib.parse

import pytest
from pyVim.connect import Disconnect, SmartConnect
from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl

HERE = pathlib.Path(__file__).resolve().parent
WORKSPACE = HERE.parents[3]
APPLIANCE = (HERE.parent / "appliance.ovf").read_text()
ADMINISTRATOR = "administrator@vsphere.local"


class Server:
    """`grenadier serve vsphere` over TLS, as a process."""

    def __init__(self, *arguments, tls=True, vm=0):
        program = os.environ.get("GRENADIER_PROGRAM")
        command = [program] if program else ["cargo", "run", "--quiet", "-p", "grenadier", "--"]
        command += ["serve", "vsphere", "-l", "127.0.0.1:0", "--release", "7.0.3", "--vm", str(vm), "--spare", "8:16:100"]
        command += ["--username", ADMINISTRATOR, "--password", "secret", "--account", "reader:secret:read-only"]
        command += ["--account", "keeper:secret:no-deploy"]
        for network in ["management", "workload", "frontend"]:
            command += ["--network", network]
        if not tls:
            command += ["--tls=false"]
        self.process = subprocess.Popen([*command, *arguments], cwd=WORKSPACE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        where = urllib.parse.urlsplit(self.url)
        assert where.path == "/sdk" and where.port, f"the first line is no URL: {self.url!r}"
        self.tls, self.host, self.port = where.scheme == "https", where.hostname, where.port

    def connect(self, user=ADMINISTRATOR, password="secret"):
        protocol = "https" if self.tls else "http"
        return SmartConnect(protocol=protocol, host=self.host, port=self.port, user=user, pwd=password,
                            disableSslCertValidation=True)

    def request(self, method, path, body=None, cookie=None, headers=None):
        if self.tls:
            trust = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection(self.host, self.port, context=trust)
        else:
            connection = http.client.HTTPConnection(self.host, self.port)
        headers = dict(headers or {}, **({"Cookie": cookie} if cookie else {}))
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, content

    def stop(self):
        """Ends it as Ctrl-C does; gives its exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(timeout=20)
        finally:
            self.process.kill()


@pytest.fixture(scope="module")
def server():
    server = Server()
    try:
        yield server
    finally:
        assert server.stop() == 0


@pytest.fixture
def si(server):
    si = server.connect()
    yield si
    Disconnect(si)


def find(si, path):
    return si.content.searchIndex.FindByInventoryPath(path)


def wait_for(si, thing, path, *wanted):
    """Waits as clients do until the property is one of these, or, with none given, until it is set."""
    query = vmodl.query.PropertyCollector
    collector = si.content.propertyCollector.CreatePropertyCollector()
    collector.CreateFilter(query.FilterSpec(
        objectSet=[query.ObjectSpec(obj=thing)],
        propSet=[query.PropertySpec(type=type(thing), pathSet=[path])]), False)
    version, value = "", None
    try:
        while True:
            update = collector.WaitForUpdatesEx(version, query.WaitOptions(maxWaitSeconds=30))
            assert update is not None, f"{path} stays {value!r}"
            version = update.version
            for change in update.filterSet[0].objectSet[0].changeSet:
                value = change.val
            if value in wanted or (not wanted and value is not None):
                return value
    finally:
        collector.DestroyPropertyCollector()


def tools(si, vm):
    """Waits for the guest's tools; gives the machine's address."""
    return wait_for(si, vm, "guest.ipAddress")


def gone(vm):
    """Turns a machine off and destroys it, where it is still there."""
    try:
        if vm.runtime.powerState == "poweredOn":
            WaitForTask(vm.PowerOffVM_Task())
        WaitForTask(vm.Destroy_Task())
    except vmodl.fault.ManagedObjectNotFound:
        pass
