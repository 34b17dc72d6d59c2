"""Whether a task that failed can succeed by running again alone."""

from __future__ import annotations

import re

# What passes by itself: somebody else was slow, full or away.
_PASSING = re.compile(
    r"time[ds]?[ -]?out|timeout|temporar|try again|too many (?:requests|connections|clients)|deadlock|lock wait|"
    r"connection (?:was )?(?:refused|reset|aborted|closed|lost)|connectionerror|connectionreset|broken pipe|"
    r"remote end closed|unreachable|name resolution|name or service not known|service unavailable|bad gateway|"
    r"\b(?:429|502|503|504)\b|heartbeat|zombie|throttl|rate limit|quota|no space left",
    re.IGNORECASE,
)
_KILLED = re.compile(r"sigkill|signal 9|code -9|\b137\b|negsignal|out of memory|memoryerror|oom", re.IGNORECASE)
_MODULE = re.compile(r"No module named '([^']{1,200})'")
_CONNECTION = re.compile(r"conn_id `([^`]{1,200})` isn't defined")
_VARIABLE = re.compile(r"Variable (\S{1,200}) (?:does not exist|not found)")
_TABLE = re.compile(r"(?:no such table: |relation )\"?([\w.]{1,200})", re.IGNORECASE)
_FILE = re.compile(r"No such file or directory: ['\"]([^'\"]{1,300})['\"]")
_COMMAND = re.compile(r"command not found")
_ACCESS = re.compile(r"permission ?denied|permissionerror|access ?denied|forbidden|\b403\b", re.IGNORECASE)
_CREDENTIALS = re.compile(r"authenticat|unauthorized|\b401\b", re.IGNORECASE)
_CODE = re.compile(r"SyntaxError|IndentationError|NameError|ImportError|UndefinedError")


def run_again(error: str | None, *, as_before: bool) -> str:
    """In a sentence, whether running again alone can help, by the error and by whether the run before failed so.

    None stands for no error: the log has nothing to tell.
    """
    if error is None:
        return "may help: no error is logged."
    if until := _stays_until(error):
        return f"fails again until {until}."
    if _KILLED.search(error):
        return "may fail again: it was killed, as happens where memory is short. Look at what it needs first."
    if as_before:
        return "is not likely to help: the run before failed with the same error."
    if _PASSING.search(error):
        return "may help: such an error can pass by itself."
    return "helps only if the data or the code have changed since."


def _stays_until(error: str) -> str | None:
    """What has to be so before a task can succeed whose error does not pass by itself."""
    known = (
        (_MODULE.search(error), "the module {} is installed where tasks run"),
        (_CONNECTION.search(error), "the connection {} is there"),
        (_VARIABLE.search(error), "the variable {} is there"),
        (_TABLE.search(error), "the table {} is there"),
        (_FILE.search(error), "the file {} is there"),
        (_COMMAND.search(error), "the command is installed where tasks run"),
        (_ACCESS.search(error), "access is granted"),
        (_CREDENTIALS.search(error), "the credentials are right"),
        (_CODE.search(error), "the code is mended"),
    )
    return next((until.format(*found.groups()) for found, until in known if found), None)
