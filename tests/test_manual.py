#!/usr/bin/env python3
"""test_manual - the manual says what the header says, and its examples do what it says.

  test_manual.py LIBRARY COMPILER [FLAG ...]

Each page's EXAMPLES hold literal blocks of two kinds: programs, which begin with
#include and have to compile without a warning; and sessions, which begin with "$ ./NAME
ARGUMENTS" and show what the program before them prints on a terminal.  TAP for meson."""
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import termios
from tap import Skip, check, run_cases

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIBRARY, COMPILER = os.path.abspath(sys.argv[1]), sys.argv[2:]
MAN = os.path.join(ROOT, "man")
SECONDS = 60
ESCAPES = {r"\e": "\\", r"\-": "-", r"\(aq": "'", r"\(ga": "`", r"\(ha": "^", r"\(ti": "~", r"\&": ""}


def plain(text):
    """Text without roff's escapes."""
    return re.sub(r"\\(?:\(..|.)", lambda m: ESCAPES[m.group()], text)


def squeeze(code):
    """C without comments, and with the white space that it needs."""
    code = re.sub(r"/\*.*?\*/", " ", code, flags=re.S)
    return re.sub(r"\s*([^\w\s])\s*", r"\1", " ".join(code.split()))


class Page:
    def __init__(self, path):
        self.path = path
        self.stem = os.path.basename(path)[:-2]
        with open(path) as f:
            self.lines = f.read().split("\n")
        self.names = [line.split()[1] for line in self.section("NAME") if line.startswith(".Nm ")]

    def section(self, title):
        """The lines of a section."""
        lines, inside = [], False
        for line in self.lines:
            if line.startswith(".Sh "):
                inside = line == ".Sh " + title
            elif inside:
                lines.append(line)
        return lines

    def literals(self, title=None):
        """The texts of the literal blocks of a section, or of all."""
        text = "\n".join(self.section(title) if title else self.lines)
        return [plain(block) for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", text, re.S | re.M)]

    def prototypes(self):
        """{name: prototype} of the SYNOPSIS."""
        found, result = {}, None
        for line in self.section("SYNOPSIS"):
            words = [quoted or word for quoted, word in re.findall(r'"([^"]*)"|(\S+)', line)]
            if words and words[0] == ".Ft":
                result = words[1]
            elif words and words[0] == ".Fn":
                found[words[1]] = squeeze(f"{result} {words[1]}({', '.join(words[2:])});")
        return found

    def programs(self):
        """[(program, session or None)] of the EXAMPLES."""
        found = []
        for block in self.literals("EXAMPLES"):
            if block.startswith("#include"):
                found.append((block, None))
            else:
                check(found and found[-1][1] is None and block.startswith("$ ./"),
                      f"neither a program nor the session of one:\n{block}")
                found[-1] = (found[-1][0], block)
        return found


def header():
    """skt.h, squeezed, and {name: prototype}."""
    with open(os.path.join(ROOT, "include", "skt.h")) as f:
        code = f.read()
    code = re.sub(r"^#.*(?:\\\n.*)*$", "", re.sub(r"/\*.*?\*/", " ", code, flags=re.S), flags=re.M)
    code = re.sub(r"__attribute__\(\(\w+\)\)", "", code)
    declarations = [squeeze(d) for d in re.findall(r"^SKT_API\s(.*?;)", code, re.S | re.M)]
    return squeeze(code), {re.search(r"(\w+)\(", d).group(1): d for d in declarations}


PAGES = [Page(os.path.join(MAN, name)) for name in sorted(os.listdir(MAN)) if name.endswith(".3")]
HEADER, PROTOTYPES = header()


# ---- The cases ----

def every_function_has_a_page():
    check(len(PROTOTYPES) > 100, f"only {len(PROTOTYPES)} functions found in skt.h")
    pages = {}
    for page in PAGES:
        for name in page.names:
            check(name not in pages, f"{name} is in {page.stem} and in {pages.get(name)}")
            pages[name] = page.stem
    check(not PROTOTYPES.keys() - pages.keys(), f"in no page: {PROTOTYPES.keys() - pages.keys()}")


def prototypes_are_the_headers():
    for page in PAGES:
        synopsis = page.prototypes()
        functions = [name for name in page.names if name in PROTOTYPES]
        check(sorted(synopsis) == sorted(functions),
              f"{page.stem}: SYNOPSIS and NAME differ: {set(synopsis) ^ set(functions)}")
        for name, prototype in synopsis.items():
            check(prototype == PROTOTYPES[name], f"{page.stem} has {prototype}\nskt.h has {PROTOTYPES[name]}")


def structs_are_the_headers():
    count = 0
    for page in PAGES:
        for block in page.literals():
            if block.startswith("typedef"):
                check(squeeze(block) in HEADER, f"{page.stem}: not in skt.h:\n{block}")
                count += 1
    check(count > 0, "no page shows a struct")


def references_lead_somewhere():
    known = {name for page in PAGES for name in [page.stem, *page.names]}
    for page in PAGES:
        for macro, name in re.findall(r"^\.(?:It )?(Xr|Fn) (skt_\w*)", "\n".join(page.lines), re.M):
            check(name in known, f"{page.stem}: .{macro} {name}: there is no such page")


def sections_are_there():
    for page in PAGES:
        for title in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "ERRORS", "SEE ALSO"):
            check(page.section(title), f"{page.stem}: no {title}")
        check(page.programs(), f"{page.stem}: no program in EXAMPLES")
        check(page.stem == "skt" or page.section("RETURN VALUES"), f"{page.stem}: no RETURN VALUES")


def mandoc_has_no_complaints():
    if not shutil.which("mandoc"):
        raise Skip("mandoc is not installed")
    pages = [os.path.join(MAN, name) for name in sorted(os.listdir(MAN)) if re.search(r"\.[1-9]$", name)]
    lint = subprocess.run(["mandoc", "-Tlint", "-Wwarning", *pages], capture_output=True, text=True)
    check(lint.returncode == 0 and not lint.stdout + lint.stderr, lint.stdout + lint.stderr)


def compile_program(source, path):
    with open(path + ".c", "w") as f:
        f.write(source)
    command = [*COMPILER, "-Wall", "-Wextra", "-Werror", "-I" + os.path.join(ROOT, "include"), "-o", path,
               path + ".c", LIBRARY, "-pthread"]
    cc = subprocess.run(command, capture_output=True, text=True, cwd=os.path.dirname(path))
    check(cc.returncode == 0, cc.stdout + cc.stderr)


def run_on_terminal(command, folder):
    """What a command prints on a terminal, so that both its outputs come in order."""
    master, slave = pty.openpty()
    attributes = termios.tcgetattr(slave)
    attributes[1] &= ~termios.OPOST     # no \r
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
                             env={**os.environ, "LC_ALL": "C"})
    os.close(slave)
    try:
        status = child.wait(SECONDS)    # what they print fits the terminal's buffer
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        status = f"no end after {SECONDS} s"
    output = b""
    try:
        while part := os.read(master, 65536):
            output += part
    except OSError:                     # Linux's way to say that the terminal has no other end
        pass
    os.close(master)
    return output.decode(), status


def examples_of(page):
    def run():
        with tempfile.TemporaryDirectory() as folder:
            for number, (source, session) in enumerate(page.programs()):
                first, _, expected = (session or f"$ ./unnamed{number}\n").partition("\n")
                command = first[2:].split()
                path = os.path.join(folder, command[0])
                compile_program(source, os.path.normpath(path))
                if session:
                    output, status = run_on_terminal([path, *command[1:]], folder)
                    check(output == expected and status in (0, 1),
                          f"{first}\nprints:\n{output}\nnot:\n{expected}\nstatus: {status}")
    return run


def behaviours_have_cases():
    """The last column of docs/behaviours.md: "test_NAME: CASE" is in tests/test_NAME.c."""
    with open(os.path.join(ROOT, "docs", "behaviours.md")) as f:
        rows = re.findall(r"^\| (\d+) \|.*\| ?(.*?) ?\|$", f.read(), re.M)
    check([int(number) for number, _ in rows] == list(range(1, 75)), "the behaviours are not numbered 1 to 74")
    for number, shown in rows:
        name, _, case = shown.partition(": ")
        if not shown:
            continue
        with open(os.path.join(ROOT, "tests", name + ".c")) as f:
            check(f'{{ "{case}' in f.read(), f"behaviour {number}: {name} has no case \"{case}\"")


CASES = [
    ("each function of skt.h is in the NAME of one page", every_function_has_a_page),
    ("the prototypes of the pages are those of skt.h", prototypes_are_the_headers),
    ("the structs of the pages are those of skt.h", structs_are_the_headers),
    ("references lead to pages", references_lead_somewhere),
    ("each page has its sections and a program", sections_are_there),
    ("mandoc has no complaints", mandoc_has_no_complaints),
    ("the cases of docs/behaviours.md exist", behaviours_have_cases),
    *[(f"{page.stem}: the examples compile, and print what the page says", examples_of(page)) for page in PAGES],
]


sys.exit(run_cases(CASES))
