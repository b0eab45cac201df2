"""stage - two Pythons that differ in `_socket` alone, where CPython's tests run, and the proof of what they ran on.

A side is a virtual environment in a temporary folder.  Both have the same .pth file, which loads the witness in
every process that is started from it, with -I and -E too; that of ours also installs skt.
"""
import os
import re
import signal
import subprocess
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 1800 # seconds for a module: against hanging
RESOURCES = {"test_socketserver": ["-u", "network"], "test_timeout": ["-u", "network"]}
# A network of its own, and no /dev/vsock: a test would connect to this machine's hypervisor and hang.  Who is not root
# becomes it in a user namespace, where the system lets him.
PRIVATE = ["unshare", "-nmu" if os.geteuid() == 0 else "-rnmu", "sh", "-c",
           'ip link set lo up; [ ! -e /dev/vsock ] || mount --bind /dev/null /dev/vsock; exec "$@"', "sh"]
NOT_PRIVATE = "no rights for a network of one's own"


class Side:
    """name; python: its interpreter; package: the folder with skt in it, or None for CPython's own `_socket`."""

    def __init__(self, folder, name, python, package=None):
        self.name, self.folder, self.ours = name, os.path.join(folder, name), package is not None
        subprocess.run([python, "-m", "venv", "--without-pip", self.folder], check=True)
        self.python = os.path.join(self.folder, "bin", "python3")
        site = next(os.path.join(at, "site-packages") for at, names, _ in os.walk(self.folder) if "site-packages" in names)
        lines = ["import witness\n"]
        os.symlink(os.path.join(HERE, "witness.py"), os.path.join(site, "witness.py"))
        if self.ours:
            os.symlink(os.path.join(os.path.abspath(package), "skt"), os.path.join(site, "skt"))
            lines.insert(0, "import skt; skt.install()\n")
        with open(os.path.join(site, "skt_test.pth"), "w") as f:
            f.writelines(lines)
        self.skt = os.path.join(site, "skt") + os.sep
        self.witness = os.path.join(self.folder, "witness")
        os.mkdir(self.witness)
        self.log = self.xml = None

    def command(self, module, *options, results=True):
        """CPython's test runner for a module, in this side's Python; its results go to files of their own (and would look like
        a leak to -R: results=False)."""
        self.log = os.path.join(self.folder, module + ".log")
        self.xml = os.path.join(self.folder, module + ".xml")
        for file in [self.xml] + [os.path.join(self.witness, name) for name in os.listdir(self.witness)]:
            if os.path.exists(file):
                os.remove(file)
        return [self.python, "-m", "test", "-v", *(["--junit-xml", self.xml] if results else []), "--tempdir", self.folder,
                *RESOURCES.get(module, []), *options, module]

    def start(self, command, env=()):
        """Its own session, so that nobody is left behind."""
        with open(self.log, "wb") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                    start_new_session=True, cwd=self.folder, env={**clean_environment(), **dict(env)})

    def results(self, status):
        """What each test came to: {id: [result, ...]}, and the module as a whole."""
        found = {"(exit status)": [str(status)], "(summary)": summary(self.log)}
        if os.path.exists(self.xml):
            for case in ET.parse(self.xml).getroot().iter("testcase"):
                found.setdefault(case.get("name", "(a test with a failed subtest)"), []).append(result_of(case))
        return found

    def proof(self):
        """Sentences on processes that were not what they have to be; and how many there were, by kind."""
        wrong, counts = [], {"processes": 0, "with _socket": 0, "killed": 0}
        for pid in sorted(os.listdir(self.witness), key=int):
            with open(os.path.join(self.witness, pid), errors="replace") as f:
                lines = [line.rstrip("\n").split(" ", 1) for line in f]
            origins = [text for event, text in lines if event in ("import", "end") and text != "-"]
            counts["processes"] += 1
            counts["with _socket"] += bool(origins)
            counts["killed"] += all(event != "end" for event, _ in lines)
            for origin in sorted(set(origins)):
                if origin.startswith(self.skt) != self.ours:
                    wrong.append("process %s had the _socket of %s: %s" % (pid, origin, lines[0][1]))
        if not counts["processes"]:
            wrong.append("no process left a record")
        return wrong, counts


def has_private():
    """Whether there can be a network of one's own."""
    return subprocess.run([*PRIVATE, "true"], capture_output=True).returncode == 0


def clean_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SKT_", "VIRTUAL_ENV"))}


def result_of(case):
    for kind in ("failure", "error"):
        if case.find(kind) is not None:
            return "%s: %s" % (kind, (case.find(kind).get("message") or "").strip().split("\n")[-1])
    if case.find("skipped") is not None:
        return "skipped: " + (case.find("skipped").text or "")
    return "expected failure" if case.find("output") is not None else case.get("outcome", "passed")


def summary(log):
    """The runner's own counts, which know of skipped classes and subtests too."""
    with open(log, errors="replace") as f:
        text = f.read()
    return re.findall(r"^Ran \d+ tests?(?= in )|^(?:OK|FAILED)(?: \(.*\))?$", text, re.M)


def finish(process):
    """The status; None after LIMIT seconds.  Whoever is left of its session ends."""
    try:
        return process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        return None
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def tail(path, lines=40):
    with open(path, errors="replace") as f:
        return f.read().splitlines()[-lines:]
