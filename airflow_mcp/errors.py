"""What can go wrong, one class a cause. Each message says what failed and what to do next."""

from __future__ import annotations

from typing import Self

NOTHING_CHANGED = "Nothing was changed."
OUTCOME_UNKNOWN = "The change may or may not have happened."


class AirflowMcpError(Exception):
    """Base of all errors that a caller is meant to read: what failed, which effects it had, and what to do next."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(what, advice)
        self.what = what
        self.effects = ""
        """Of a change, what it did before it failed; empty for what changes nothing anyway."""
        self.advice = advice

    def with_effects(self, effects: str) -> Self:
        """The same error, which had these effects."""
        self.effects = effects
        return self

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.effects, self.advice) if part)


def problem_of(message: str) -> str:
    """What pydantic says of a value, ours or Airflow's, without what it puts before a validator's own words."""
    return message.removeprefix("Value error, ")


class SettingsError(AirflowMcpError):
    """A setting is missing, unknown or wrong; the message names it."""


class InvalidArgumentError(AirflowMcpError):
    """An argument cannot be used; the message names it. Nothing was sent."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class WrongArgumentsError(AirflowMcpError):
    """Arguments that a tool or a prompt does not take; the message names each. Nothing was done."""


class UnknownNameError(AirflowMcpError):
    """There is no tool, or no prompt, of this name."""


class NeedsVersionError(AirflowMcpError):
    """The Airflow at hand does not have what was asked for. Nothing was changed."""

    def __init__(self, what: str, needs: str, instead: str = "") -> None:
        super().__init__(f"{what} needs {needs}.", instead)


class UnreachableError(AirflowMcpError):
    """No connection to Airflow."""


class TimedOutError(AirflowMcpError):
    """Airflow did not answer a read in time."""


class NotAirflowError(AirflowMcpError):
    """Something answered, and it was not Airflow's API: a web page, a redirect, half an answer."""


class OtherApiError(NotAirflowError):
    """The settings name one of Airflow's APIs, and the other one answers."""


class TooLargeError(AirflowMcpError):
    """The answer is over the size cap."""


class NotSignedInError(AirflowMcpError):
    """401, or no usable credentials."""


class NoLoginError(NotSignedInError):
    """What gives out tokens for a password is not there: another Airflow version may answer at this address."""


class ForbiddenError(AirflowMcpError):
    """403: the user may not do this, but may with what it `needs`, where that is known."""

    def __init__(self, what: str, advice: str = "", *, needs: str = "") -> None:
        super().__init__(what, advice)
        self.needs = needs


class NotFoundError(AirflowMcpError):
    """404: no such DAG, run, task or task instance."""


class DagNotFoundError(NotFoundError):
    """404: no such DAG; its file may not import."""


class NotAcceptableError(AirflowMcpError):
    """406: the server cannot give the asked-for form."""


class ConflictError(AirflowMcpError):
    """409: the present state does not allow it."""


class RejectedError(AirflowMcpError):
    """400 or 422: Airflow refused the request as it was put."""


class BusyError(AirflowMcpError):
    """429 after all retries."""


class ServerFaultError(AirflowMcpError):
    """5xx of a read after all retries."""


class UnfitAnswerError(ServerFaultError):
    """500: Airflow 2 refuses its own answer, for something that stands in the code of a DAG. It stays so."""


class MayHaveHappenedError(AirflowMcpError):
    """A change was sent and its outcome is unknown. It was sent once and is not sent again."""


class ReadOnlyError(AirflowMcpError):
    """A change was asked for in read-only mode. Nothing was sent."""


class PlanError(AirflowMcpError):
    """The plan does not fit what would be changed now, or one is required and absent. Nothing was sent."""


class RouteMissingError(AirflowMcpError):
    """The server knows no such API route: another Airflow version may answer at this address."""


class VersionChangedError(AirflowMcpError):
    """The server answers as another Airflow version than at the first call. The call may be made again."""
