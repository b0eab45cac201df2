#!/usr/bin/env python3
"""skt resolve lists a name's addresses in the order in which skt connect tries them, from an /etc/hosts of its own."""
import json
import os
import re
import socket
import subprocess
from story import Process, check, check_equal, folder, need, need_private_network, play, skip, skt

HOSTS = """127.0.0.1 localhost
::1 localhost
127.0.0.1 many.test first.test
127.0.0.2 many.test
127.0.0.3 many.test
::1 many.test
fd00::1 many.test
fd00::2 many.test
127.0.0.1 four.test
fd00::6 six.test
127.0.0.9 canon.test alias.test
203.0.113.5 away.test
"""
FILES = {"hosts": HOSTS, "nsswitch.conf": "hosts: files\n", "host.conf": "multi on\n", "gai.conf": "",
         "services": "http 80/tcp\ndomain 53/udp\n"}


def make_etc():
    path = folder()
    for name, content in FILES.items():
        with open(os.path.join(path, name), "w") as file:
            file.write(content)
    return path


ETC = make_etc()
SCRIPT = "mount --make-rprivate / && mount -t tmpfs none /etc && cp %s/* /etc && exec \"$@\"" % ETC


def with_own_names(*words, **options):
    return Process("unshare", "-m", "sh", "-c", SCRIPT, "sh", os.environ["SKT"], *words, **options)


def names_can_be_had():
    need("unshare", "mount")
    if subprocess.run(["unshare", "-m", "sh", "-c", SCRIPT, "sh", "true"], stderr=subprocess.DEVNULL).returncode:
        skip("no mount namespace can be had")


def resolve(*words, status=0, err=""):
    names_can_be_had()
    return json.loads(with_own_names("resolve", "--json", *words).expect(status=status, err=err).out)


def addresses(found):
    return [row["address"] for row in found["addresses"]]


def the_order_of_connecting():
    """A port where nobody listens: connect tries all, and says in which order."""
    need("ip")
    need_private_network()
    for address in "fd00::1", "fd00::2":
        subprocess.run(["ip", "address", "add", address + "/128", "dev", "lo", "nodad"], check=True)
    found = resolve("many.test", "1")
    check_equal("the addresses", sorted(addresses(found)), ["127.0.0.1", "127.0.0.2", "127.0.0.3", "::1", "fd00::1", "fd00::2"])
    ours = with_own_names("connect", "many.test", "1").expect(status=1)
    tried = re.findall(r"[(;] ?\[?([0-9a-f.:]+?)\]?:1: Connection refused", ours.err.decode())
    check_equal("the order", addresses(found), tried)
    families = [row["family"] for row in found["addresses"]]
    check(all(one != other for one, other in zip(families, families[1:])), "they do not take turns: %r" % families)


def what_is_known_of_each():
    found = resolve("alias.test", "http")
    check_equal("names", (found["name"], found["canonical_name"], found["error"]), ("alias.test", "canon.test", None))
    check(0 < found["time"] < 30, "it took %r" % found["time"])
    check_equal("the address", found["addresses"], [{"family": "IPv4", "address": "127.0.0.9", "port": 80,
                                                     "source": "127.0.0.1", "source_error": None}])
    check_equal("without a port", "port" in resolve("alias.test")["addresses"][0], False)
    check_equal("udp", resolve("udp://alias.test:domain")["addresses"][0]["port"], 53)
    check_equal("host:port", resolve("alias.test:81")["addresses"][0]["port"], 81)


def a_family_that_is_missing():
    for name, family, other in ("four.test", "IPv4", "IPv6"), ("six.test", "IPv6", "IPv4"):
        found = resolve(name)
        check_equal("families", [row["family"] for row in found["addresses"]], [family])
        check_equal("missing", list(found["no_address"]), [other])
        check(found["no_address"][other], "there is no reason")
        check_equal("asked for only", resolve("-" + family[-1], name)["no_address"], {})
        resolve("-" + other[-1], name, status=1, err="skt: getaddrinfo %s: .*\n" % name)
    check_equal("none is missing", resolve("many.test")["no_address"], {})


def no_way_there():
    found = resolve("away.test")["addresses"][0]
    check_equal("source", (found["source"], found["source_error"]), (None, "Network is unreachable"))


def names_of_addresses():
    found = resolve("--reverse", "many.test")
    names = {row["address"]: row["reverse"] for row in found["addresses"]}
    check_equal("names", (names["127.0.0.1"], names["127.0.0.2"], names["::1"]), ("localhost", "many.test", "localhost"))
    check_equal("digits", resolve("127.0.0.9")["addresses"][0]["reverse"], "canon.test")
    nobody = resolve("127.0.0.77")["addresses"][0]
    check(nobody["reverse"] is None and nobody["reverse_error"], "it says %r" % nobody)
    check("reverse" not in resolve("four.test")["addresses"][0], "nobody asked for it")


def each_is_tried():
    names_can_be_had()
    with socket.create_server(("127.0.0.2", 0)) as server:
        found = resolve("--connect", "many.test", str(server.getsockname()[1]))
        port = server.getsockname()[1]
    results = {row["address"]: row["connect_error"] for row in found["addresses"]}
    expected = dict.fromkeys(results, "Connection refused")
    check_equal("results", results, {**expected, "127.0.0.2": None})
    check(all(0 < row["connect_time"] < 30 for row in found["addresses"]), "the times are %r" % found)
    resolve("--connect", "many.test", str(port), status=1)


def one_that_is_silent():
    need("nft")
    names_can_be_had()
    subprocess.run(["nft", "add table inet t; add chain inet t c { type filter hook input priority 0; }; "
                    "add rule inet t c ip daddr 127.0.0.1 tcp dport 9 drop"], check=True)
    row = resolve("--connect", "--timeout", "300ms", "four.test", "9", status=1)["addresses"][0]
    check_equal("why", row["connect_error"], "timed out")
    check(0.3 <= row["connect_time"] < 10, "it took %r" % row["connect_time"])


def for_people():
    names_can_be_had()
    ours = with_own_names("resolve", "--reverse", "alias.test", "80").expect(err="")
    check(re.fullmatch(r"alias\.test is canon\.test: 1 address, looked up in [0-9.]+ [mu]?s\n"
                       r" 1  IPv4  127\.0\.0\.9  port 80  from 127\.0\.0\.1  name canon\.test\n"
                       r"no IPv6: .+\n", ours.out.decode()), "it printed %r" % bytes(ours.out))
    ours = with_own_names("resolve", "--connect", "-6", "many.test", "1").expect(status=1, err="")
    check(re.search(r"\n [123]  IPv6  ::1 +port 1  from ::1  Connection refused after [0-9.]+ [mu]?s\n", ours.out.decode()),
          "it printed %r" % bytes(ours.out))


def nothing_found():
    found = resolve("nosuch.test", status=1, err="skt: getaddrinfo nosuch.test: .*\n")
    check(found["addresses"] == [] and found["error"] and found["canonical_name"] is None, "it says %r" % found)
    with_own_names("resolve", "nosuch.test").expect(status=1, out=b"", err="skt: getaddrinfo nosuch.test: .*\n")


def mistakes():
    for words, sentence in [
        ([], "a HOST is missing, such as example.org or tcp://example.org:80"),
        (["--connect", "localhost"], "resolve: --connect needs a TCP port: skt resolve --connect localhost 80"),
        (["--connect", "udp://localhost:7"], "resolve: --connect needs a TCP port: skt resolve --connect localhost 80"),
        (["localhost", "nosuchservice"], "'nosuchservice': 'nosuchservice' is neither a port nor a tcp service"),
        (["unix:/x"], "'unix:/x' is no host; write example.org, tcp://example.org:80 or udp://example.org:7"),
        (["-4", "-6", "localhost"], "-4 and -6 exclude each other"),
    ]:
        skt("resolve", *words).expect(status=2, out=b"", err=re.escape("skt: %s\n" % sentence))


play(the_order_of_connecting, what_is_known_of_each, a_family_that_is_missing, no_way_there, names_of_addresses,
     each_is_tried, one_that_is_silent, for_people, nothing_found, mistakes)
