#!/usr/bin/env python3
"""--end says whose end is enough, --idle that silence is."""
import signal
import socket
import threading
import time
from story import Listener, check, check_equal, play, skt


def accepted(*options):
    """skt connect and the socket that it is connected to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = skt("connect", *options, "127.0.0.1", server.getsockname()[1])
        return ours, server.accept()[0]


def the_peer_s_end():
    """What had been read by then goes over; the rest of the input is not waited for."""
    ours, conn = accepted("--end", "peer")
    ours.send(b"one line\n")
    check_equal("the line", conn.recv(9, socket.MSG_WAITALL), b"one line\n")
    conn.sendall(b"good bye\n")
    conn.shutdown(socket.SHUT_WR)
    ours.expect(out=b"good bye\n", err="")
    check_equal("what follows the line", conn.recv(100), b"")
    conn.close()


def the_input_s_end():
    """The peer never ends."""
    ours, conn = accepted("--end", "input")
    ours.send(b"all that there is").end_input()
    ours.expect(err="")
    check_equal("what came", conn.recv(100, socket.MSG_WAITALL), b"all that there is")
    conn.close()


def the_input_s_end_after_the_peer_s():
    ours, conn = accepted("--end", "input")
    conn.sendall(b"good bye")
    conn.close()
    ours.wait_out(b"good bye").end_input().expect(err="")


def what_has_come_by_the_input_s_end():
    """It is printed, though the input ended long ago."""
    with open("/dev/null") as nothing:
        listener = Listener("--end", "input", "udp://127.0.0.1:0", stdin=nothing)
    listener.stop(signal.SIGSTOP)
    texts = [b"datagram %d\n" % i for i in range(100)]
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        for text in texts:
            s.sendto(text, ("127.0.0.1", listener.port))
        listener.stop(signal.SIGCONT)
        listener.expect(out=b"".join(texts))


def silence_of_a_stream():
    """A failure: who knows what was still to come."""
    ours, conn = accepted("--idle", "200ms")
    ours.expect(status=1, err=r"skt: nothing has come or gone for 0\.2 seconds\n")
    conn.close()


def silence_of_datagrams():
    """Their only end: success, and never sooner than that after the last one."""
    listener = Listener("--idle", "0.3s", "udp://127.0.0.1:0")
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        for text in (b"one", b"two", b"three"):
            s.sendto(text, ("127.0.0.1", listener.port))
            listener.wait_out(text)
        last = time.monotonic()
        listener.expect(out=b"onetwothree")
        check(time.monotonic() - last > 0.25, "silence was called too early")


def a_slow_reader_is_not_silence():
    """Whoever reads our output may take longer than --idle."""
    much = b"x" * (1 << 22)
    reader, writer = socket.socketpair() # as our standard output: it fills up
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = skt("connect", "--idle", "100ms", "127.0.0.1", server.getsockname()[1], stdout=writer)
        conn = server.accept()[0]
    writer.close()
    # Taken a little at a time, with longer pauses than --idle; all of it has to come.
    sender = threading.Thread(target=lambda: (conn.sendall(much), conn.shutdown(socket.SHUT_WR)))
    sender.start()
    got = 0
    for _ in range(3):
        got += len(reader.recv(65536))
        end = time.monotonic() + 0.3 # three times what is called silence
        while time.monotonic() < end:
            check(ours.running(), "it ended while its output was full")
            time.sleep(0.01)
    ours.end_input()
    while data := reader.recv(65536):
        got += len(data)
    sender.join()
    ours.expect(err="")
    check_equal("bytes that came", got, len(much))
    conn.close()
    reader.close()


play(the_peer_s_end, the_input_s_end, the_input_s_end_after_the_peer_s, what_has_come_by_the_input_s_end, silence_of_a_stream, silence_of_datagrams, a_slow_reader_is_not_silence)
