#!/usr/bin/env python3
"""Whatever is wrong with how skt is called is said in one line that names it, with status 2."""
import re
from story import play, skt

MISTAKES = [
    ([], "a command is missing, such as connect or listen; skt help lists them"),
    (["conect", "x"], "no command 'conect'; did you mean 'connect'?"),
    (["lsiten"], "no command 'lsiten'; did you mean 'listen'?"),
    (["--hlep"], "no command '--hlep'; did you mean 'help'?"),
    (["frobnicate"], "no command 'frobnicate'; skt help lists them"),
    (["x" * 100], "no command '%s'; skt help lists them" % ("x" * 100)),
    (["help", "connnect"], "no command 'connnect'; did you mean 'connect'?"),
    (["help", "connect", "listen"], "help takes one word, as in skt help connect"),
    (["connect"], "an ADDRESS is missing, such as tcp://localhost:8080; see skt help address"),
    (["connect", "a", "1", "2"], "too many arguments: one ADDRESS, or a host and a port; see skt help address"),
    (["connect", "tcp://a:1", "2"], "'tcp://a:1' and '2': either one ADDRESS, or a host and a port"),
    (["connect", "tcp://localhost"], "'tcp://localhost' has no port; write host:port, or [address]:port"),
    (["connect", "tcp://[::1]"], "'tcp://[::1]' has no port; write host:port, or [address]:port"),
    (["connect", "tcp://[::1"], "'tcp://[::1': an IPv6 address in brackets, then the port: [::1]:80"),
    (["connect", "tcp://::1:80"], "'tcp://::1:80': an IPv6 address stands in brackets: [::1]:80"),
    (["connect", "tcp://localhost:"], "'tcp://localhost:' has no port; write host:port"),
    (["connect", "tcp://localhost:65536"], "'tcp://localhost:65536': a port is 0 to 65535, not 65536"),
    (["connect", "localhost", "99999999999999999999"],
     "'99999999999999999999': a port is 0 to 65535, not 99999999999999999999"),
    (["connect", "tcp://localhost:-1"], "'tcp://localhost:-1': '-1' is neither a port nor a tcp service"),
    (["connect", "udp://localhost:80x"], "'udp://localhost:80x': '80x' is neither a port nor a udp service"),
    (["connect", "tcp://:80"], "'tcp://:80': a host and a port above 0 are needed to connect"),
    (["connect", "localhost:0"], "'localhost:0': a host and a port above 0 are needed to connect"),
    (["connect", "tcp://" + "h" * 300 + ":1"], "the host in 'tcp://%s...' is too long" % ("h" * 34)),
    (["connect", "tpc://localhost:80"], "no address begins with 'tpc://'; did you mean 'tcp://'?"),
    (["connect", "gopher://localhost:70"], "no address begins with 'gopher://'; skt help address lists what there is"),
    (["listen", "unixdgram:/x"], "no address begins with 'unixdgram:/'; did you mean 'unix-dgram:'?"),
    (["listen", "/run/x"], "'/run/x': a path is written unix:/run/x"),
    (["listen", "unix:"], "'unix:': something has to follow the colon"),
    (["listen", "unix-abstract:"], "'unix-abstract:': something has to follow the colon"),
    (["listen", "unix:/" + "x" * 600], "'unix:/%s...' is too long" % ("x" * 34)),
    (["listen", "vsock://1"], "'vsock://1': write vsock://cid:port"),
    (["listen", "-4", "unix:/x"], "'unix:/x': -4 and -6 are for hosts"),
    (["listen", "-4", "-6", ":80"], "-4 and -6 exclude each other"),
    (["listen", "--timout=3", ":80"], "listen has no option '--timout'; did you mean '--timeout'?"),
    (["listen", "--frobnicate", ":80"], "listen has no option '--frobnicate'; see skt help listen"),
    (["help", "--timeout", "1"], "help has no option '--timeout'; see skt help help"),
    (["listen", "-x", ":80"], "listen has no option '-x'; see skt help listen"),
    (["listen", ":80", "-t"], "listen: --timeout needs a value: TIME"),
    (["listen", "--verbose=1", ":80"], "listen: --verbose takes no value"),
    (["listen", "-t", "soon", ":80"], "--timeout: 'soon' is no time; write 2, 1.5s, 500ms or 3m"),
    (["listen", "-t", "-1", ":80"], "--timeout: '-1' is no time; write 2, 1.5s, 500ms or 3m"),
    (["listen", "-i", "nan", ":80"], "--idle: 'nan' is no time; write 2, 1.5s, 500ms or 3m"),
    (["listen", "-i", "2 h", ":80"], "--idle: '2 h' is no time; write 2, 1.5s, 500ms or 3m"),
    (["listen", "-e", "", ":80"], "--end: '' is none of both, peer, input"),
    (["connect", "-"], "'-': standard input and output are nobody's address here"),
    (["connect", "-x"], "connect has no option '-x'; see skt help connect"),
    (["connect", "fd:x"], "'fd:x': write fd: and the number of a descriptor"),
    (["connect", "fd:99"], "'fd:99': there is no descriptor 99"),
    (["connect", "fd:1"], "'fd:1': descriptor 1 is no socket"),
    (["listen", ":80", "--exec"], "--exec needs a value: PROGRAM..."),
    (["listen", ":80", "--shell", "x", "--exec", "y"], "--exec and --shell exclude each other"),
    (["listen", ":80", "--record", "x", "--exec", "y"],
     "a program has the connection to itself: no --record, --send-fd, --idle, --broadcast"),
    (["connect", "--ttl", "0", ":80"], "--ttl: '0' is no number from 1 to 255"),
    (["connect", "--ttl", "ten", ":80"], "--ttl: 'ten' is no number from 1 to 255"),
    (["connect", "--dscp", "AF44", ":80"],
     "--dscp: 'AF44' is neither a class such as EF, AF41 and CS1 nor a number from 0 to 63"),
    (["connect", "--send-buffer", "big", ":80"], "--send-buffer: 'big' is no size; write 1500, 64k, 1.5M or 2G"),
    (["connect", "--source", "here", "a", "80"],
     "--source: 'here' is no address; write 192.0.2.1, 192.0.2.1:80, [::1]:80 or :80"),
    (["connect", "-4", "--source", "::1", "a", "80"], "--source: '::1' is of another family than -4"),
    (["connect", "--ttl", "3", "unix:/x"], "'unix:/x': --source, --interface, --ttl and --dscp are for hosts"),
    (["connect", "--send-fd", "1", "a", "80"], "--send-fd is for one peer of a Unix socket"),
    (["connect", "--send-fd", "99", "unix:/x"], "--send-fd: there is no descriptor 99"),
    (["connect", "--send-fd", "x", "unix:/x"], "--send-fd: 'x' is no descriptor's number"),
    (["connect", "-O", "TCP_NODELEY=1", "a", "80"], "no socket option 'TCP_NODELEY'; did you mean 'TCP_NODELAY'?"),
    (["send"], "a FILE and an ADDRESS are needed, as in skt send notes.txt tcp://host:9000"),
    (["send", "file"], "a FILE and an ADDRESS are needed, as in skt send notes.txt tcp://host:9000"),
    (["send", "localhost", "9000"], "a FILE is missing before 'localhost'; - is standard input"),
    (["send", "file", "udp://localhost:9000"], "'udp://localhost:9000': a file goes over a stream: tcp://, unix:, vsock://"),
    (["send", "--raw", "a", "b", "h:1"], "--raw sends one FILE: nothing would tell where the next begins"),
    (["send", "file", "-"], "'-': standard input and output are nobody's address here"),
    (["receive"], "an ADDRESS is missing, such as tcp://localhost:8080; see skt help address"),
    (["receive", ":0", "a", "b"], "'b': after ADDRESS comes one FILE or DIRECTORY"),
    (["receive", "--raw", ":0", "/"], "--raw needs a FILE or -: the bytes alone have no name"),
    (["receive", "--json", ":0", "-"], "--json would print between the data; give a FILE instead of -"),
    (["help", "--completion", "fish"], "--completion: 'fish' is none of bash, zsh"),
    (["trace"], "trace: a command or --port N is missing, as in skt trace -- connect localhost:8080"),
    (["trace", "--port", "80", "connect", "a:1"],
     "trace: either --port or a command, as in skt trace -- connect localhost:8080"),
    (["trace", "--port", "0"], "--port: '0' is no number from 1 to 65535"),
    (["trace", "--port", "80", "--calls"], "trace: --calls is for a command, and --port sees no calls"),
    (["trace", "--idle", "1", "--", "connect", "a:1"], "trace: --idle is for --port; a command has its own, behind --"),
    (["trace", "--", "conect", "a:1"], "no command 'conect'; did you mean 'connect'?"),
    (["trace", "--", "trace", "--port", "1"], "trace: it cannot trace itself"),
    (["listen", "-e", "never", ":80"], "--end: 'never' is none of both, peer, input"),
]
# What the library itself refuses when it is told to use the address.
REFUSED = [
    ["listen", "unix:/" + "x" * 120],
    ["listen", "unix-abstract:" + "x" * 120],
    ["connect", "unix:/%zz"],
    ["connect", "vsock://here:1"],
]

def mistakes():
    for words, sentence in MISTAKES:
        skt(*words).expect(status=2, out=b"", err=re.escape("skt: %s\n" % sentence))


def refused_by_the_library():
    for words in REFUSED:
        skt(*words).expect(status=2, out=b"", err="skt: [^\n]{20,}\n")


play(mistakes, refused_by_the_library)
