#!/usr/bin/env python3
"""skt send and skt receive: what was sent is there under its name, as it was."""
import json
import os
from story import Process, check, check_equal, folder, noise, play, skt
from transfer_stage import Waiting, only, read, receiver, sha256, text, write

DATA = noise(3 << 20)


def a_file_into_a_directory():
    here, there = folder(), folder()
    path = write(here + "/photo.jpg", DATA)
    os.chmod(path, 0o750)
    os.utime(path, ns=(1, 1234567890123456789))
    ours = receiver(there)
    skt("send", path, ours.address).expect(out=b"", err="")
    ours.expect(out=b"")
    check_equal("what the receiver said", text(ours), "")
    only(there, "photo.jpg")
    check(read(there + "/photo.jpg") == DATA, "the file is another")
    st = os.stat(there + "/photo.jpg")
    check_equal("its mode", st.st_mode & 0o777, 0o750)
    check_equal("its time", st.st_mtime_ns, 1234567890123456789)


def into_this_directory_and_under_another_name():
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    ours = receiver(cwd=there)
    skt("send", path, ours.address).expect()
    ours.expect()
    ours = receiver("b", cwd=there)
    skt("send", path, ours.address).expect()
    ours.expect()
    only(there, "a", "b")
    check(read(there + "/a") == DATA and read(there + "/b") == DATA, "the files are others")


def several_files_one_empty():
    here, there = folder(), folder()
    paths = [write("%s/%s" % (here, name), data) for name, data in
             (("one", DATA), ("empty", b""), ("two words ä", b"x" * 300000))]
    ours = receiver(there)
    skt("send", *paths, ours.address).expect(err="")
    ours.expect()
    only(there, "one", "empty", "two words ä")
    for path in paths:
        check(read(path) == read(there + path[len(here):]), path + " is another")


def a_pipe():
    there = folder()
    ours = receiver(there + "/from a pipe")
    skt("send", "-", ours.address).send(DATA).end_input().expect(err="")
    ours.expect()
    check(read(there + "/from a pipe") == DATA, "the file is another")
    ours = receiver("-")
    skt("send", "-", ours.address).send(DATA).end_input().expect(err="")
    ours.expect(out=DATA)


def standard_input_from_a_file():
    """All of it, or what is left of it."""
    here = folder()
    path = write(here + "/a", DATA)
    for offset in (0, 1000):
        ours = receiver(here + "/b")
        with open(path, "rb") as f:
            os.lseek(f.fileno(), offset, os.SEEK_SET)
            skt("send", "-", ours.address, stdin=f).expect()
        ours.expect()
        check(read(here + "/b") == DATA[offset:], "the file is another")


def a_file_that_says_it_is_empty():
    """As those of /proc do."""
    ours = receiver("-")
    skt("send", "/proc/version", ours.address).expect()
    ours.expect(out=read("/proc/version"))


def the_sender_listens():
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    for address in ("tcp://127.0.0.1:0", "unix:%s/socket" % here, "unix-abstract:skt-transfer"):
        ours = Waiting("send", "--listen", path, address)
        skt("receive", "--connect", ours.address, there + "/b").expect(out=b"", err="")
        ours.expect()
        check(read(there + "/b") == DATA, "the file is another")
    check(not os.path.exists(here + "/socket"), "the socket's file was left")


def host_and_port_as_two_words():
    here = folder()
    path = write(here + "/a", DATA)
    ours = Waiting("receive", "localhost", "0", here + "/b")
    host, _, port = ours.address[len("tcp://"):].rpartition(":")
    skt("send", path, host.strip("[]"), port).expect(err="")
    ours.expect()
    check(read(here + "/b") == DATA, "the file is another")


def for_programs():
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    ours = receiver("--json", there)
    theirs = skt("send", "--json", path, ours.address).expect(err="")
    ours.expect()
    for process, name in ((ours, "a"), (theirs, path)):
        said = json.loads(process.out)
        check_equal("name", said["name"], name)
        check_equal("size", said["size"], len(DATA))
        check_equal("resumed_from", said["resumed_from"], 0)
        check_equal("sha256", said["sha256"], sha256(DATA))
        check(abs(said["rate"] * said["seconds"] - len(DATA)) < 1, "rate and time do not go together")


def told_when_asked():
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    ours = receiver("-v", there)
    skt("send", "-v", path, ours.address).expect(err=r"skt: sent \S+/a: 3\.00 MiB in .*, sha256 %s\n" % sha256(DATA))
    ours.expect(err=r"(?s).*skt: received a: 3\.00 MiB in .*, sha256 %s\n" % sha256(DATA))


def what_is_there_is_not_sent_again():
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    write(there + "/a", DATA)
    ours = receiver("--json", there)
    skt("send", path, ours.address).expect(err="")
    ours.expect()
    check_equal("resumed_from", json.loads(ours.out)["resumed_from"], len(DATA))


def what_is_there_is_not_replaced():
    """By what a peer calls its file; by the name that the user gives, it is."""
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    for other in (b"precious", DATA[:-1] + b"x"):
        write(there + "/a", other)
        ours = receiver(there)
        skt("send", path, ours.address).expect(status=1, err="skt: the receiver refuses: a: it exists .*\n")
        ours.expect(status=1, err=r"(?s).*skt: a: it exists and is another; --replace would replace it\n")
        check(read(there + "/a") == other, "the file was replaced")
        only(there, "a")
    for words in (["--replace", there], [there + "/a"]):
        write(there + "/a", b"old")
        ours = receiver(*words)
        skt("send", path, ours.address).expect(err="")
        ours.expect()
        check(read(there + "/a") == DATA, "the file was not replaced")
        only(there, "a")


def a_symbolic_link_stays():
    here = folder()
    path = write(here + "/a", DATA)
    write(here + "/meant", b"old")
    os.symlink("meant", here + "/link")
    ours = receiver(here + "/link")
    skt("send", path, ours.address).expect()
    ours.expect()
    check(os.path.islink(here + "/link") and read(here + "/meant") == DATA, "the link was replaced")


def a_pipe_that_has_a_name_stays():
    here = folder()
    path = write(here + "/a", DATA)
    os.mkfifo(here + "/fifo")
    reader = Process("cat", here + "/fifo")
    ours = receiver(here + "/fifo")
    skt("send", path, ours.address).expect()
    ours.expect()
    reader.expect(out=DATA)
    only(here, "a", "fifo")


def the_users_mask_counts():
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    os.chmod(path, 0o666)
    ours = receiver(there, preexec_fn=lambda: os.umask(0o027))
    skt("send", path, ours.address).expect()
    ours.expect()
    check_equal("its mode", os.stat(there + "/a").st_mode & 0o777, 0o640)


play(
    a_file_into_a_directory,
    into_this_directory_and_under_another_name,
    several_files_one_empty,
    a_pipe,
    standard_input_from_a_file,
    a_file_that_says_it_is_empty,
    the_sender_listens,
    host_and_port_as_two_words,
    for_programs,
    told_when_asked,
    what_is_there_is_not_sent_again,
    what_is_there_is_not_replaced,
    a_symbolic_link_stays,
    a_pipe_that_has_a_name_stays,
    the_users_mask_counts,
)
