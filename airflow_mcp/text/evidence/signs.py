"""What a line says of a failure, by words and shapes that tools of all kinds use."""

from __future__ import annotations

import re
from enum import Enum

LITTLE = 1  # what a line tells whatever is around it: a runner's routine, a frame of a library


class Sign(Enum):
    """What a line is, and how much it tells: 100 is the most."""

    EXCEPTION = 100
    VERDICT = 94  # what the runner says at the end
    STATUS = 92
    SUMMARY = 88
    ERROR = 84
    TEST = 82
    ASSERTION = 62
    FINDING = 60  # file:line:column and a text, as linters and compilers write
    FAILURE = 56
    CHAIN = 42  # what begins a traceback, or joins two
    PLACE = 34
    WARNING = 22
    COMMAND = 12
    HEADING = 11
    NONE = 0


# Parts of the words of failure. A line with none of the stems says nothing: most lines of a log.
_WORDS = (
    *(
        "err",
        "fail",
        "excep",
        "exceed",
        "fatal",
        "panic",
        "abort",
        "kill",
        "denied",
        "refus",
        "cannot",
        "can't",
        "could",
    ),
    *("unable", "not ", "no such", "invalid", "missing", "expect", "assert", "undefined", "unresolved", "timed out"),
    *("timeout", "time-out", "traceback", "caused by", "exit", "violat", "conflict", "forbidden", "unauthor"),
    *(
        "segmentation",
        "dumped",
        "memory",
        "oom",
        "mismatch",
        "bad ",
        "lost",
        "reject",
        "unknown",
        "unsupported",
        "crash",
    ),
    *("corrupt", "broken", "reset by", "unreachable", "warn", "critical", "severe", "interrupt", "actual", "crash"),
    *(
        "received",
        "return",
        "unavailable",
        "unsatisf",
        "overflow",
        "space left",
        "problem",
        "left:",
        "right:",
        "signal",
    ),
    *("sigkill", "sigsegv", "http", "status", "got:", "want:", "offen", "vulnerab", "no module", "terminated", "ora-"),
)
STEMS = (*_WORDS, "+ ", "$ ", "##[", "[command]", "running", "executing", "step ", "> ")
_BAD = "✗✕\u00d7●✖❌✘"  # marks before a test that failed
MARKS = re.compile(rf"\.\w{{1,8}}:\d{{1,6}}:\d|[{_BAD}]|^#\d")


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


# At the beginning of a message, after its blanks.
AT_START = (
    (
        Sign.COMMAND,
        _any(
            r"\+{1,4} (?!Exception Group)\S|\$ \S|> \[?[a-z@./][\w@./-]{0,80}[ \]]",
            r"##\[group\]Run |(?:##)?\[command\]|#\d+ \[[^\]]{1,60}\] |Step \d+/\d+ ?:",
            r"Running command\b|(?:Running|Executing|Run)[: ].{0,20}[/\[]",
        ),
    ),
    (
        Sign.VERDICT,
        _any(
            r"##\[error\]",
            r"Task exited with return code [1-9]|Process exited.{0,40}exit_code=-?[1-9]",
            r"ERROR: Job failed",
        ),
    ),
    (
        Sign.EXCEPTION,
        _any(
            r"(?:E {2,11}|\| {1,4})?(?:\[\w{1,20}\] )?"
            r"(?:(?:Caused by:?|Exception in thread \S{1,80}|Unhandled \w{1,20}|Uncaught) )?"
            r"(?:[A-Za-z_][\w$]{0,80}[.:]{1,2}){0,12}"
            r"[A-Za-z_]\w{0,80}(?:Error|Exception|Exit|Interrupt|Fault|Timeout|Failure)(?:$|:(?!\w)| \(|\[)",
            r"(?:\w{1,20} )?Caused by:",
            r"(?:\[\w{1,20}\] )?E {3,11}\w[\w.]{0,80}(?:Warning|Failed)?:",
            r"panic: |fatal error: |thread '.{1,100}panicked at ",
        ),
    ),
    (
        Sign.CHAIN,
        _any(
            r"(?:Exception Group )?Traceback \(most recent call last\)",
            r"The above exception was the direct|During handling of the above",
        ),
    ),
    (
        Sign.STATUS,
        _any(
            r"Task failed with exception",
            r"\S{0,40}make(?:\[\d+\])?: \*\*\* |BUILD FAIL|Build failed|\W{0,4}Killed\b",
        ),
    ),
    (
        Sign.TEST,
        _any(
            r"(?:\[\w{1,8}\] ?(?:\[ {0,3}\d{1,3}%\] ?)?)?(?:-{3} )?(?:FAIL|FAILED|FAILURE|ERROR)\b:?\s",
            rf"[{_BAD}]\s{{0,4}}\S|not ok \d|\d{{1,4}}\) \w",
        ),
    ),
    (Sign.ERROR, _any(r"(?:[a-z]{2,12} )?error |\w{0,20} ?[Ee]rror in\b|[A-Z]{2,8}-\d{4,6}: ")),
    (
        Sign.ASSERTION,
        _any(
            r"\W{0,6}(?i:expected|received|actual|left|right|got|want|wanted)(?: \w{1,20})?\s{0,8}[:=]",
            r">? {0,8}assert\b",
        ),
    ),
    (Sign.FINDING, _any(r"\S{1,200}\.\w{1,8}(?::\d{1,6}:\d{1,5}|\(\d{1,6}[,:]\d{1,5}\))(?::| -) {1,3}\S")),
    (Sign.PLACE, _any(r"--> |at \S|File \"|\S{1,200}\.[A-Za-z]\w{0,7}:\d")),
    (Sign.HEADING, _any(r"##\[group\]|_{3,} .{1,200} _{2,}$|={3,} .{1,200}={2,}$|={3} RUN|#\d+ ")),
)
# Anywhere in a message, with the stems of which one must be there.
_WORD_BEFORE = r"(?<![\w./$-])(?i:"  # a word by itself: not thiserror, error_handler.py, --fail-fast
_WORD_AFTER = r")(?![\w/-]|\.\w)"
ANYWHERE = (
    (Sign.EXCEPTION, ("panicked at ",), _any(r"panicked at ")),
    (
        Sign.SUMMARY,
        ("fail", "error", "problem", "offen", "violation", "vulnerab", "broken", "unreachable"),
        _any(
            r"(?<![\w.])[1-9]\d{0,8}(?: of \d{1,8})? (?:[a-z]{1,20} ){0,2}"
            r"(?:failed|failing|failures?|errors?|errored|problems?|broken|offen[sc]es?|violations?|vulnerabilities)\b",
            r"\b(?i:fail(?:ed|ures?)?|errors?|unreachable)[ =:]{1,3}[1-9]\d{0,8}\b",
        ),
    ),
    (
        Sign.STATUS,
        (
            "exit",
            "return",
            "zero",
            "rc=",
            "command failed",
            "job ",
            "oomk",
            "segm",
            "dumped",
            "sig",
            "kill",
            "complete s",
        ),
        _any(
            r"\bexit(?:ed)?(?: with)?(?: an?)?(?: non-?zero)?(?: \w{1,12})? ?(?:code|status|value)?"
            r"[ :=(]{1,3}-?[1-9]\d{0,9}\b",
            r"\bnon-?zero\b.{0,20}\b(?:exit|code|status)|\bexit.{0,10}non-?zero",
            r"\breturn(?:ed)?(?: exit)?[ _-]?(?:code|status)[ :=]{1,3}-?[1-9]|\brc[ =:]{1,3}[1-9]",
            r"\bCommand failed|\bJob (?:failed|aborted)|did not complete successfully",
            r"OOMKilled|\b[Ss]egmentation fault|core dumped|SIGKILL|SIGSEGV|SIGABRT|\bsignal: \w|killed by signal",
        ),
    ),
    (
        Sign.TEST,
        ("fail", "... error", "mismatch", "<<<"),
        _any(r"\bFAILED\b|<<< (?:FAILURE|ERROR)|\.{3} ?(?:FAIL|ERROR|mismatch)"),
    ),
    (
        Sign.ERROR,
        ("err", "fatal", "critical", "severe", "panic", "exception"),
        _any(
            r"(?<![\w./-])(?i:error|fatal|critical|severe)"
            r"(?:\[[\w-]{1,40}\]|\([\w-]{1,40}\)| [A-Z]{1,8}-?\d{1,6})?[\"\])]?[:!\]]",
            r"(?<![\w./-])(?:ERROR|FATAL|CRITICAL|SEVERE|ERR!)(?![\w/-])",
            r"level=(?:error|fatal|panic)|\"level\": ?\"(?:error|fatal|critical)\"",
            r"\d:\d{1,5}:? {1,4}error\b|\b[A-Z]\w{1,60}(?:Error|Exception): ",
        ),
    ),
    (
        Sign.ASSERTION,
        ("expect", "assert"),
        _any(
            r"\bexpect(?:ed)?\b.{1,100}?\b(?:but|got|found|to (?:be|equal|have|match|contain))\b",
            r"\bassert(?:ion)?\b",
        ),
    ),
    (
        Sign.FAILURE,
        _WORDS,
        _any(
            _WORD_BEFORE + r"errors?|failed|fails|failure|exception|cannot|can't|could not|couldn't|unable to|denied"
            r"|refused|timed out|time-?out|no such|not (?:found|permitted|allowed|defined|supported|available)"
            r"|does(?: not|n't) exist|did not|undefined|unresolved|unexpected|invalid|missing|abort(?:ed|ing)"
            r"|violates?|violation|conflicts?|unauthori[sz]ed|forbidden|out of memory|oom"
            r"|no (?:space left|module named)|rejected|unreachable|crash(?:ed)?|corrupt(?:ed)?|mismatch(?:ed)?"
            r"|exceed(?:ed|s)|bad gateway|service unavailable|unsupported|unknown|broken pipe|reset by peer|overflow"
            r"|unsatisf\w{1,12}|lost|killed|interrupted|terminated" + _WORD_AFTER,
            r"HTTP[ /][\d.]{0,3} ?[45]\d\d\b|\bstatus(?:[ _]code)?[ :=]{1,3}[45]\d\d\b",
        ),
    ),
    (Sign.PLACE, (":",), _any(r"\.[A-Za-z]\w{0,7}:\d{1,6}\b")),
    (Sign.WARNING, ("warn",), _any(r"\b(?i:warn(?:ing)?s?)\b")),
)
NOTHING_WRONG = re.compile(
    r"\b(?:0|no|zero|without(?: any)?) (?:\w{1,20} )?(?:errors?|failed|failures?|warnings?|exceptions?|issues)\b"
    r"|\b(?:errors?|err|fail\w{0,8}|warnings?|exceptions?|exit[ _-]?(?:code|status)|return[ _-]?code|unreachable)[\"']?"
    r" ?[=:] ?[\"']?(?:0|none|null|false|\[\]|nil|<nil>|never)(?![\w.])"
    r"|\b(?:exit(?:ed)?|returned?)(?: with)? (?:return )?(?:code|status|value) 0\b|on[- ]error\b|if (?:it )?fails?\b"
    r"|fail[- ]?fast|\b(?:error|failure|exception)[- ](?:handl|report|messag|log|page|track)\w{0,8}",
    re.IGNORECASE,
)
# Where none of these is, nothing is that tells of no failure.
WELL = (
    *("0", "no ", "zero", "without", "none", "null", "false", "nil", "[]", "never"),
    *("on error", "on-error", "if ", "fast", "handl", "report", "messag", "log", "page", "track"),
)
# What Airflow says of each task, and runners of each group of lines.
ROUTINE = _any(
    r"Dependencies all met|Starting attempt \d|Executing <|Started process \d|Running: \['airflow|Job \d+: Subtask",
    r"Running <TaskInstance|Exporting env vars|Marking task as |\d+ downstream tasks|DAG bundles loaded",
    r"Worker startup parse complete|Pushing xcom ti=",
    r"Filling up the DagBag|Pre task exec|Post task exec|\(the traceback above|::(?:end)?group::|##\[endgroup\]",
    r"[\w./-]{1,200}\.py(?:::\w{1,100}){1,3}(?:\[.{0,300}\])?$",  # a test begins
)
PASSED = _any(
    r"(?:\[gw\d{1,3}\] )?(?:\[ {0,3}\d{1,3}%\] )?(?:PASSED|SKIPPED|XFAIL|XPASS)\b|\W{0,3}(?:PASS|PASSED|OK|ok)\b|[✓✔√]"
)
PASSED_AT_THE_END = _any(
    r"(?:\.\.|…|:|\s)\s{0,8}(?:ok|OK|PASSED|passed|success(?:ful)?)"
    r"(?: \([^)]{0,40}\))?(?:\s{1,8}\[ {0,3}\d{1,3}%\])?$"
)
QUIET = _any(
    r"(?i:\bretry(?:ing)?\b|\bignor(?:ed|ing)\b|\bskipp(?:ed|ing)\b|\bdeprecat|\bsuppress|\bwill be (?:re)?tried)"
)
DEBUG = _any(r"(?i:level=(?:debug|trace|info)\b|\"level\": ?\"(?:debug|trace|info)\"|^\W{0,2}(?:debug|trace)\b)")
DIGITS = str.maketrans("236789", "111111")  # 0 of an exit code, and 4 and 5 of HTTP's status, mean something
LEVELS = {
    **dict.fromkeys(("ERROR", "CRITICAL", "FATAL", "SEVERE"), Sign.ERROR),
    **dict.fromkeys(("WARN", "WARNING"), Sign.WARNING),
}
