"""The two generation endpoints behind one face: check, stream, whole object, errors."""

from collections.abc import Mapping
from typing import Any, Protocol

from tests.fakes.openai.answer import Answer
from tests.fakes.openai.check_chat import check_chat, token_limit
from tests.fakes.openai.check_responses import check_responses
from tests.fakes.openai.dialect import Dialect, FakeModel
from tests.fakes.openai.script import Breakage, Broken
from tests.fakes.openai.wire_chat import chat_frames, chat_object
from tests.fakes.openai.wire_responses import ResponsesFrames
from tests.fakes.sse import Frame


class Endpoint(Protocol):
    """One way of asking for an answer."""

    prompt_param: str

    def check(self, body: Mapping[str, Any], model: FakeModel, dialect: Dialect) -> None:
        """Raises `Refused`."""

    def limit(self, body: Mapping[str, Any], dialect: Dialect) -> int | None:
        """The answer's limit in tokens; None means none."""

    def frames(self, answer: Answer) -> list[Frame]:
        """The stream."""

    def whole(self, answer: Answer) -> dict[str, Any]:
        """The answer without `stream`."""

    def error(self, answer: Answer, broken: Broken, number: int) -> Frame:
        """The frame of a scripted error in mid-stream."""


class Responses:
    """POST /v1/responses."""

    prompt_param = "input"

    def check(self, body: Mapping[str, Any], model: FakeModel, dialect: Dialect) -> None:
        check_responses(body, model)

    def limit(self, body: Mapping[str, Any], dialect: Dialect) -> int | None:
        limit = body.get("max_output_tokens")
        return limit if isinstance(limit, int) else None

    def frames(self, answer: Answer) -> list[Frame]:
        return ResponsesFrames(answer).build()

    def whole(self, answer: Answer) -> dict[str, Any]:
        data = self.frames(answer)[-1].data
        assert isinstance(data, dict)
        response: dict[str, Any] = data["response"]
        return response

    def error(self, answer: Answer, broken: Broken, number: int) -> Frame:
        if broken.how is Breakage.FAILED:
            return ResponsesFrames(answer).failed(number, broken.code, broken.message)
        head = {"type": "error", "sequence_number": number}
        error: dict[str, Any] = {"code": broken.code, "message": broken.message, "param": None}
        if broken.how is Breakage.NESTED_ERROR:
            error = {"error": {"type": "server_error", **error}}
        return Frame(event="error", data=head | error, final=True)


class Chat:
    """POST /v1/chat/completions."""

    prompt_param = "messages"

    def check(self, body: Mapping[str, Any], model: FakeModel, dialect: Dialect) -> None:
        check_chat(body, model, dialect)

    def limit(self, body: Mapping[str, Any], dialect: Dialect) -> int | None:
        return token_limit(body, dialect)

    def frames(self, answer: Answer) -> list[Frame]:
        return chat_frames(answer)

    def whole(self, answer: Answer) -> dict[str, Any]:
        return chat_object(answer)

    def error(self, answer: Answer, broken: Broken, number: int) -> Frame:
        error = {"message": broken.message, "type": "server_error", "param": None, "code": broken.code}
        return Frame(data={"error": error}, final=True)
