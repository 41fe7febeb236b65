"""Discord's error answers: {"code", "message", "errors"} with an HTTP status.

https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
"""

from tests.fakes.discord.records import Json


class ApiError(Exception):
    """A request that Discord refuses."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.body: Json = {"message": message, "code": code}
        if errors is not None:
            self.body["errors"] = errors


def unauthorized() -> ApiError:
    return ApiError(401, 0, "401: Unauthorized")


def not_found() -> ApiError:
    return ApiError(404, 0, "404: Not Found")


def invalid_json() -> ApiError:
    return ApiError(400, 50109, "The request body contains invalid JSON.")


def unknown(what: str) -> ApiError:
    codes = {
        "Channel": 10003,
        "Guild": 10004,
        "Member": 10007,
        "Message": 10008,
        "User": 10013,
        "Emoji": 10014,
        "Webhook": 10015,
        "interaction": 10062,
        "application command": 10063,
    }
    return ApiError(404, codes[what], f"Unknown {what}")


def missing_access() -> ApiError:
    return ApiError(403, 50001, "Missing Access")


def missing_permissions() -> ApiError:
    return ApiError(403, 50013, "Missing Permissions")


def cannot_dm() -> ApiError:
    return ApiError(403, 50007, "Cannot send messages to this user")


def not_the_author() -> ApiError:
    return ApiError(403, 50005, "Cannot edit a message authored by another user")


def empty_message() -> ApiError:
    return ApiError(400, 50006, "Cannot send an empty message")


def system_message() -> ApiError:
    return ApiError(403, 50021, "Cannot execute action on a system message")


def too_large() -> ApiError:
    return ApiError(413, 40005, "Request entity too large")


def already_acknowledged() -> ApiError:
    return ApiError(400, 40060, "Interaction has already been acknowledged.")


def invalid_webhook_token() -> ApiError:
    return ApiError(401, 50027, "Invalid Webhook Token")


def thread_exists() -> ApiError:
    return ApiError(400, 160004, "A thread has already been created for this message")


def archived_thread() -> ApiError:
    return ApiError(400, 50083, "Thread is archived")


def no_history_for_reply() -> ApiError:
    return ApiError(403, 160002, "Cannot reply without permission to read message history")


def voice_with_more() -> ApiError:
    return ApiError(400, 50159, "Voice messages do not support additional content.")


def voice_without_recording() -> ApiError:
    return ApiError(400, 50160, "Voice messages must have a single audio attachment.")


def voice_without_metadata() -> ApiError:
    return ApiError(400, 50161, "Voice messages must have supporting metadata.")


def voice_is_final() -> ApiError:
    return ApiError(400, 50162, "Voice messages cannot be edited.")


def no_voice_here() -> ApiError:
    return ApiError(403, 50173, "You cannot send voice messages in this channel.")


def wrong_channel_type() -> ApiError:
    return ApiError(400, 50024, "Cannot execute action on this channel type")


class Problems:
    """Collects what is wrong with a form and raises it as one 50035, nested as Discord nests it."""

    def __init__(self) -> None:
        self._errors: Json = {}

    def add(self, path: tuple[str | int, ...], code: str, message: str) -> None:
        node = self._errors
        for step in path:
            node = node.setdefault(str(step), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def required(self, path: tuple[str | int, ...]) -> None:
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def choice(self, path: tuple[str | int, ...], value: object) -> None:
        self.add(path, "BASE_TYPE_CHOICES", f"Value {value!r} is not one of the allowed values.")

    def length(self, path: tuple[str | int, ...], value: object, low: int, high: int) -> None:
        """Report a string that is not one, or is not `low` to `high` characters long."""
        if not isinstance(value, str):
            self.add(path, "BASE_TYPE_REQUIRED" if value is None else "STRING_TYPE_CONVERT", "Must be a string.")
        elif len(value) > high and low == 0:
            self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer in length.")
        elif not low <= len(value) <= high:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")

    def size(self, path: tuple[str | int, ...], count: int, low: int, high: int) -> None:
        """Report a list that has not `low` to `high` entries."""
        if not low <= count <= high:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")

    def error(self) -> ApiError:
        return ApiError(400, 50035, "Invalid Form Body", self._errors)

    def check(self) -> None:
        if self._errors:
            raise self.error()
