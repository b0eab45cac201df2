"""tap - cases, checks and a line of TAP for each: check.h's brother for tests in Python."""
import traceback


class Skip(Exception):
    pass


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def run_cases(cases):
    """Runs pairs of what is checked and a function that raises; returns main's status."""
    failed = 0
    print(f"1..{len(cases)}", flush=True)
    for number, (what, case) in enumerate(cases, 1):
        try:
            case()
            print(f"ok {number} - {what}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {what} # SKIP {reason}", flush=True)
        except Exception as error:
            failed += 1
            text = str(error) if isinstance(error, AssertionError) else traceback.format_exc()
            print("".join(f"# {line}\n" for line in text.splitlines()), end="")
            print(f"not ok {number} - {what}", flush=True)
    return 1 if failed else 0
