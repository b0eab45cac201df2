"""uml - runs one command in user-mode-linux, which has families that the machine's own kernel lacks.

Debian's user-mode-linux boots on the host's own file system, as root.  tests/kernels/run does the same for
the tests of these families in C.
"""
import os
import shlex
import shutil
import subprocess
import tempfile

import stage

MODULES = ("ipv6 tipc sctp rds rds_tcp can can-raw can-bcm can-j1939 vcan vsock vsock_loopback tls dccp dccp_ipv4 af_alg algif_hash "
           "algif_skcipher algif_aead cbc ctr gcm ghash-generic hmac")
# The first RDS datagram after the boot was lost now and then, with CPython's `_socket` and with ours (Linux 6.1); a test that
# waits for it would wait for ever.  So one goes there and back before anything is tested, on either side.
FIRST_RDS = """
import socket
with socket.socket(socket.AF_RDS, socket.SOCK_SEQPACKET) as a, socket.socket(socket.AF_RDS, socket.SOCK_SEQPACKET) as b:
    for s in a, b:
        s.bind(("127.0.0.1", 0))
    a.settimeout(1)
    for _ in range(30):
        b.sendto(b"first", a.getsockname())
        try:
            a.recv(5)
            break
        except TimeoutError:
            pass
"""
INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
ip link set lo up
hostname localhost
modprobe -d {work} -a {modules}
ip link add vcan0 type vcan && ip link set vcan0 up
/usr/bin/python3 -I -c {first_rds}
{command} >{log} 2>&1 </dev/null
echo $? >{work}/status
exec /usr/bin/busybox poweroff -f
"""


def run(side, command):
    """The command's status; None if the kernel did not get that far."""
    kernel = shutil.which("linux.uml")
    if not kernel or os.geteuid() != 0:
        raise SystemExit("user-mode-linux wants root and Debian's user-mode-linux, kmod, busybox-static and iproute2")
    # The kernel's command line knows no quotes: everything that it names is below a folder without spaces.
    with tempfile.TemporaryDirectory(prefix="skt-uml.", dir="/tmp") as work:
        os.mkdir(work + "/lib")
        os.symlink("/usr/lib/uml/modules", work + "/lib/modules") # where modprobe -d looks
        with open(work + "/init", "w") as f:
            f.write(INIT.format(work=work, modules=MODULES, first_rds=shlex.quote(FIRST_RDS), command=shlex.join(command),
                                log=shlex.quote(side.log)))
        os.chmod(work + "/init", 0o755)
        with open(work + "/console", "wb") as console:
            kernel = subprocess.Popen([kernel, "rootfstype=hostfs", "rootflags=/", "rw", "mem=512M", "init=" + work + "/init",
                                       "uml_dir=" + work + "/", "con=null", "con0=fd:0,fd:1", "con1=null", "ssl=null", "quiet"],
                                      stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True)
        stage.finish(kernel)
        if os.path.exists(work + "/status"):
            with open(work + "/status") as f:
                return int(f.read())
        print("# what the kernel said:", *stage.tail(work + "/console"), sep="\n#     ")
        if not os.path.exists(side.log):
            open(side.log, "w").close()
        return None
