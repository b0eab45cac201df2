#!/usr/bin/env python3
"""Disks, files and directories that are not as they should be: one line on each side, status 1, and nothing under the
final name."""
import os
import re
import resource
import socket
import subprocess
from story import Process, check, check_equal, folder, for_another_user, noise, play, skip, skt
from transfer_stage import Peer, only, receiver, sender_by_hand, sha256, text, wait_for_size, write

DATA = noise(8 << 20)


def one_line(process, pattern):
    process.expect(status=1)
    check(re.fullmatch("skt: [^\n]*%s\n" % pattern, text(process)), "it said %r, not %r" % (text(process), pattern))


def small_disk(directory, *words):
    """skt receive with a disk of 1 MiB at directory, which then prints what is left there."""
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    mount = 'mount -t tmpfs -o size=1m none "$1" || exit 99; '
    if subprocess.run(unshare + ["sh", "-c", mount, "sh", directory], stderr=subprocess.DEVNULL).returncode:
        skip("no file system can be mounted")
    script = mount + 'd=$1; shift; "$@"; status=$?; ls -A "$d"; exit $status'
    process = Process(*unshare, "sh", "-c", script, "sh", directory, os.environ["SKT"], "receive", *words,
                      "tcp://127.0.0.1:0", directory + "/a")
    process.address = process.wait_err(r"listening on (.*)\n")[1]
    return process


def a_disk_that_is_too_small():
    """It is told before anything is sent, where the size is known, and otherwise when it is full."""
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    ours = small_disk(there)
    one_line(skt("send", path, ours.address), "the receiver refuses: a: 8.00 MiB are to come, and the disk has room for .*")
    one_line(ours, "a: 8.00 MiB are to come, and the disk has room for .*")
    check_equal("what is left on the disk", bytes(ours.out), b"")
    for raw in ([], ["--raw"]):
        ours = small_disk(there, *raw)
        theirs = skt("send", *raw, "-", ours.address).send(DATA).end_input()
        one_line(ours, "a.skt-part: No space left on device")
        check_equal("what is left on the disk", bytes(ours.out), b"")
        check_equal("the status of the sender", theirs.wait(), 1)
        if not raw:
            one_line(theirs, "the receiver refuses: a.skt-part: No space left on device")


def a_limit_on_the_size_of_files():
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    ours = receiver(there, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
    one_line(skt("send", path, ours.address), "refuses: a.skt-part: File too large")
    one_line(ours, "a.skt-part: File too large")
    only(there)


def our_output_is_full_or_closed():
    here = folder()
    path = write(here + "/a", DATA)
    reader, writer = os.pipe()
    os.close(reader)
    with open("/dev/full", "wb") as full:
        for stdout, reason in ((writer, "Broken pipe"), (full, "No space left on device")):
            ours = receiver("-", stdout=stdout)
            one_line(skt("send", path, ours.address), "refuses: standard output: " + reason)
            one_line(ours, "standard output: " + reason)
    os.close(writer)


def a_file_that_changes():
    """Before we come to its end: it grows, shrinks, or is written to."""
    here = folder()
    def grow(path):
        with open(path, "ab") as f:
            f.write(b"more")
    def rewrite(path):
        os.utime(path, ns=(0, 12345))
    for change in (grow, rewrite, lambda path: os.truncate(path, 1000), lambda path: os.truncate(path, 0)):
        path = write(here + "/a", DATA[:1 << 20])
        with socket.create_server(("127.0.0.1", 0)) as server:
            theirs = skt("send", path, "tcp://127.0.0.1:%d" % server.getsockname()[1])
            peer = Peer(server.accept()[0], "skt-receive 1").hear("skt-send 1").hear("file 1048576 .*")
            change(path)
            peer.say("have 0 " + sha256(b"")).hear("from 0")
            check_equal("its last line", frames(peer)[1], "abort it was changed while it was being sent")
            one_line(theirs, "/a: it was changed while it was being sent")
            peer.close()


def frames(peer):
    """How much data comes, and the line after it."""
    size = 0
    while True:
        line = peer.file.readline().decode().rstrip("\n")
        if not line.startswith("data "):
            return size, line
        promised = int(line[5:])
        check_equal("the data", len(peer.file.read(promised)), promised)
        size += promised


def a_file_that_shrinks_within_a_piece():
    """What was promised follows, so that the peer can hear why it is all."""
    path = write(folder() + "/a", DATA)
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind(("127.0.0.1", 0))
        server.listen()
        theirs = skt("send", "--send-buffer", "16k", path, "tcp://127.0.0.1:%d" % server.getsockname()[1])
        peer = Peer(server.accept()[0], "skt-receive 1").hear("skt-send 1").hear("file .*")
        peer.say("have 0 " + sha256(b"")).hear("from 0").hear("data 262144")
        os.truncate(path, 0) # the buffers hold less than such a piece
        check_equal("what came", (len(peer.file.read(262144)), frames(peer)),
                    (262144, (0, "abort it was changed while it was being sent")))
        one_line(theirs, "/a: it was changed while it was being sent")
        peer.close()


def a_file_that_vanishes():
    """Once it is open it is there; one that has not had its turn is missed."""
    here, there = folder(), folder()
    first, second = write(here + "/1", DATA), write(here + "/2", DATA)
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = skt("send", first, second, "tcp://127.0.0.1:%d" % server.getsockname()[1])
        peer = Peer(server.accept()[0], "skt-receive 1").hear("skt-send 1").hear("file .* 1")
        os.remove(first)
        os.remove(second)
        peer.say("have 0 " + sha256(b"")).hear("from 0")
        check_equal("what came", frames(peer), (len(DATA), "end " + sha256(DATA)))
        peer.say("ok").hear("abort it cannot be opened")
        one_line(theirs, "/2: No such file or directory")
        peer.close()
    ours = receiver(there)
    peer = sender_by_hand(ours.address).say("abort it cannot be opened")
    one_line(ours, "the sender has given up: it cannot be opened")
    peer.close()


def a_part_that_is_taken_away():
    there = folder()
    ours = receiver(there)
    peer = sender_by_hand(ours.address)
    peer.say("file 5 644 - a").hear("have 0 .*").say("from 0", "data 5", b"hell")
    wait_for_size(there + "/a.skt-part", 5)
    os.remove(there + "/a.skt-part")
    peer.say("end " + sha256(b"hell\n")).hear("refuse a.skt-part: it was moved or removed meanwhile").close()
    one_line(ours, "a.skt-part: it was moved or removed meanwhile")
    only(there)


def files_that_cannot_be_read():
    here = folder()
    for path, reason in ((here + "/none", "No such file or directory"), (here, "is a directory; .*"),
                         (write(here + "/a\nb", b""), "a name with control characters cannot be sent")):
        one_line(skt("send", path, "unix:%s/nobody" % here), reason)
    ours = receiver(here)
    one_line(skt("send", "/proc/self/mem", ours.address), "/proc/self/mem: Input/output error")
    one_line(ours, "the sender has given up: Input/output error")
    one_line(skt("send", "-", "unix:%s/nobody" % here, stdin=os.open("/", os.O_RDONLY)), "is a directory; .*")


def without_permission():
    here = folder()
    os.chmod(here, 0o555)
    write(here + "/a", b"secret")
    os.chmod(here + "/a", 0)
    env = {**os.environ, **for_another_user()}
    def as_nobody():
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
    try:
        theirs = skt("send", here + "/a", "unix-abstract:nobody", env=env, preexec_fn=as_nobody)
    except PermissionError:
        skip("nobody may not run " + os.environ["SKT"])
    one_line(theirs, "/a: Permission denied")
    for target in (here, here + "/b"):
        one_line(skt("receive", "tcp://127.0.0.1:0", target, env=env, preexec_fn=as_nobody), "Permission denied")


def directories_that_are_not_there():
    here = folder()
    one_line(skt("receive", "tcp://127.0.0.1:0", here + "/none/a"), "/none/: No such file or directory")
    one_line(skt("receive", "tcp://127.0.0.1:0", here + "/none/"), "/none/: No such file or directory")
    write(here + "/a", b"")
    one_line(skt("receive", "tcp://127.0.0.1:0", here + "/a/b"), "/a/b: Not a directory")
    one_line(skt("receive", "tcp://127.0.0.1:0", here + "/" + "n" * 256), "File name too long")


play(
    a_disk_that_is_too_small,
    a_limit_on_the_size_of_files,
    our_output_is_full_or_closed,
    a_file_that_changes,
    a_file_that_shrinks_within_a_piece,
    a_file_that_vanishes,
    a_part_that_is_taken_away,
    files_that_cannot_be_read,
    without_permission,
    directories_that_are_not_there,
)
