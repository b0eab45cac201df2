#!/usr/bin/env python3
"""Help fits on one screen of 24 lines and 80 columns, examples first, and goes to standard output."""
import os
import re
from story import check, check_equal, play, skt

COMMANDS = re.findall(r"^  ([a-z]+) ", skt("help").expect(err="").out.decode().partition("usage:")[2], re.M)
PAGES = [["help"], ["help", "address"]] + [["help", word] for word in COMMANDS]


def text(*words):
    return skt(*words).expect(err="").out.decode()


def one_screen_each():
    for words in PAGES:
        lines = text(*words).splitlines()
        check(3 < len(lines) <= 24, "skt %s has %d lines" % (" ".join(words), len(lines)))
        for line in lines:
            check(len(line) <= 80, "too wide: " + line)
        check(lines[2].startswith("  skt "), "skt %s does not begin with an example" % " ".join(words))
    check("Exit status" in text("help"), "the help does not tell the exit status")


def other_ways_to_ask():
    check_equal("skt --help", text("--help"), text("help"))
    check_equal("skt -h", text("-h"), text("help"))
    check_equal("skt connect --help", text("connect", "--help"), text("help", "connect"))
    check_equal("skt listen -h", text("listen", "-h"), text("help", "listen"))


def the_manual_page_knows_them_all():
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "man", "skt.1")) as page:
        manual = page.read()
    check("connect" in COMMANDS and "help" in COMMANDS, "the commands are not found in the help")
    for word in re.findall(r"--([a-z0-9-]+)", "".join(text("help", word) for word in COMMANDS)):
        check("Fl -" + word in manual, "skt.1 does not mention --" + word)
    for prefix in re.findall(r"^  ([a-z-]+:(?://)?)", text("help", "address").partition("ADDRESS:")[2], re.M):
        check("Cm " + prefix in manual, "skt.1 does not mention " + prefix)


def version():
    check(text("--version").startswith("skt "), "no version")
    check_equal("skt -V", text("-V"), text("--version"))


play(one_screen_each, other_ways_to_ask, the_manual_page_knows_them_all, version)
