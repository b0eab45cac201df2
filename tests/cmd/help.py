#!/usr/bin/env python3
"""Help fits on one screen of 24 lines and 80 columns, examples first, and goes to standard output."""
from story import check, check_equal, skt

PAGES = [["help"], ["help", "connect"], ["help", "listen"], ["help", "help"]]


def text(*words):
    return skt(*words).expect(err="").out.decode()


for words in PAGES:
    lines = text(*words).splitlines()
    check(3 < len(lines) <= 24, "skt %s has %d lines" % (" ".join(words), len(lines)))
    for line in lines:
        check(len(line) <= 80, "too wide: " + line)
    check(lines[2].startswith("  skt "), "skt %s does not begin with an example" % " ".join(words))

check_equal("skt --help", text("--help"), text("help"))
check_equal("skt -h", text("-h"), text("help"))
check_equal("skt connect --help", text("connect", "--help"), text("help", "connect"))
check_equal("skt listen -h", text("listen", "-h"), text("help", "listen"))
check("exit status" in text("help"), "the help does not tell the exit status")
check(text("--version").startswith("skt "), "no version")
check_equal("skt -V", text("-V"), text("--version"))
