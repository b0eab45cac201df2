#!/usr/bin/env python3
"""bash and zsh complete the words of skt, by what skt help --completion prints."""
import os
import shutil
import subprocess
from story import check, check_equal, folder, play, skip, skt

here = folder()
os.mkdir(here + "/directory")
open(here + "/a file", "w").close()


def bash(*words):
    """What bash offers for the last word; = and : are words of their own there."""
    script = skt("help", "--completion", "bash").expect(err="").out.decode()
    asked = subprocess.run(
        ["bash", "-uc", script + '\nCOMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _skt; printf "%s\\n" "${COMPREPLY[@]}"',
         "bash", *words], cwd=here, capture_output=True, text=True)
    check_equal("what bash said", asked.stderr, "")
    return asked.stdout.split("\n")[:-1]


def commands():
    check_equal("com", bash("skt", "con"), ["connect"])
    check("listen" in bash("skt", "") and "help" in bash("skt", ""), "not all commands are offered")
    check_equal("help c", bash("skt", "help", "con"), ["connect"])


def options():
    check_equal("--ti", bash("skt", "connect", "--ti"), ["--timeout"])
    check_equal("--end", bash("skt", "listen", "--end", ""), ["both", "peer", "input"])
    check_equal("--end=p", bash("skt", "listen", "--end", "=", "p"), ["peer"])
    check_equal("-e", bash("skt", "listen", "-e", "b"), ["both"])
    check_equal("a time", bash("skt", "listen", "-t", ""), [""])


def addresses():
    check_equal("tc", bash("skt", "connect", "tc"), ["tcp://"])
    check_equal("after an option", bash("skt", "connect", "-v", "ud"), ["udp://"])
    check_equal("unix:dir", bash("skt", "connect", "unix", ":", "dir"), ["directory"])
    check_equal("unix:a", bash("skt", "connect", "unix", ":", "a"), ["a file"])


def zsh_takes_it():
    """Without a terminal zsh completes nothing: we see that it loads, and ask it for the options of a command."""
    if not shutil.which("zsh"):
        skip("there is no zsh here")
    with open(here + "/_skt", "w") as file:
        file.write(skt("help", "--completion", "zsh").expect(err="").out.decode())
    asked = subprocess.run(
        ["zsh", "-fc", "fpath=(%s $fpath); autoload -Uz compinit; compinit -u -d %s/dump; "
         "_arguments() { print -l -- \"$@\" }; autoload +X _skt && _skt >/dev/null; "
         "words=(skt connect ''); CURRENT=3; _skt; print $_comps[skt]" % (here, here)],
        capture_output=True, text=True)
    check_equal("what zsh said", asked.stderr, "")
    check("--timeout=" in asked.stdout and asked.stdout.endswith("\n_skt\n"), "zsh has: " + asked.stdout)


play(commands, options, addresses, zsh_takes_it)
