#!/usr/bin/env python3
"""generate - C's rows from the lists beside it, constants.txt and options.txt.

  generate.py constants OUTPUT   { "NAME", value },                            every constant
  generate.py numbers OUTPUT     { "NAME", the headers' value, the list's },   where both are known: for the test
  generate.py options OUTPUT     { "NAME", "LEVEL", ... },                     socket options, as cmd/option_names.c has them
"""
import os
import re
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))


def lines(name):
    """Pairs of the place and the text of each line that says something."""
    with open(os.path.join(FOLDER, name)) as text:
        for number, line in enumerate(text, 1):
            line = line.strip()
            if line and not line.startswith("#"):
                yield f"{name}:{number}", line


def read_constants():
    """Each name's value: None, a number or "= expression"."""
    constants = {}
    for place, line in lines("constants.txt"):
        match = re.fullmatch(r"(\w+)(?: +(-?\d+|0x[0-9a-f]+|= .+))?", line)
        if not match or match[1] in constants:
            sys.exit(f"{place}: '{line}' is " + ("there already" if match else "no constant"))
        constants[match[1]] = match[2]
    return constants


def guarded(name, value, row):
    """A row (with {} for the value) where the headers have the name, or with the list's value."""
    if value and value.startswith("="):
        return row.format(value[2:]) + "\n"
    other = f"#else\n{row.format(value)}\n" if value else ""
    return f"#ifdef {name}\n{row.format(name)}\n{other}#endif\n"


def constants():
    for name, value in read_constants().items():
        yield guarded(name, value, '{{ "%s", {} }},' % name)


def numbers():
    for name, value in read_constants().items():
        if value and not value.startswith("="):
            yield f'#ifdef {name}\n{{ "{name}", {name}, {value} }},\n#endif\n'


def options():
    known, seen = read_constants(), set()
    for place, line in lines("options.txt"):
        section = re.fullmatch(r"\[([a-z0-9 ]+) (\w+)\]", line)
        row = re.fullmatch(r"(\w+) +([a-z0-9_]+)(?::(\w+))? +(rw|r|w|-) +(\S.*)", line)
        name = row[1] if row else section[2] if section else ""
        if name not in known or (row and ((name, sockets) in seen or '"' in line)):
            sys.exit(f"{place}: '{line}' is no option or names what constants.txt lacks, or is there already")
        if section:
            level, sockets = section[2], " | ".join("FOR_" + word.upper() for word in section[1].split())
            continue
        seen.add((name, sockets))
        readable, writable = ("true" if letter in row[4] else "false" for letter in "rw")
        number = known[level] if re.match(r"\d", known[level] or "") else level
        yield guarded(name, known[name], '{{ "%s", "%s", %s, {}, %s, %s, %s, &kind_%s, "%s", "%s" }},' % (
            name, level, number, sockets, readable, writable, row[2], row[3] or "", row[5]))


def main():
    kinds = {"constants": constants, "numbers": numbers, "options": options}
    if len(sys.argv) != 3 or sys.argv[1] not in kinds:
        sys.exit(__doc__)
    text = "/* Made by data/generate.py. */\n" + "".join(kinds[sys.argv[1]]())
    with open(sys.argv[2], "w") as output:
        output.write(text)


main()
