"""The fake of Gemini refuses what Google refuses, counts as Google counts, and pages its list."""

import json
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from tests.fakes.gemini.models import ARGON, FLASH, GEMMA, MODELS, OLDER, SMALL
from tests.fakes.gemini.server import KEY, FakeGemini
from tests.fakes.script import Breakage, Broken, Reply, ToolCall

ADD = {"functionDeclarations": [{"name": "add", "parametersJsonSchema": {"type": "object"}}]}
CALL = {"functionCall": {"id": "c1", "name": "add", "args": {}}, "thoughtSignature": "skip_thought_signature_validator"}
ANSWER = {"functionResponse": {"id": "c1", "name": "add", "response": {"output": "4"}}}


def user(*parts: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts or ({"text": "Hi"},))}


def model(*parts: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


def blob(kind: str, data: str = "AAAA") -> dict[str, Any]:
    return {"inlineData": {"mimeType": kind, "data": data}}


async def post(fake: FakeGemini, body: object, *, name: str = FLASH.id, key: str | None = KEY) -> httpx2.Response:
    headers = {} if key is None else {"x-goog-api-key": key}
    async with httpx2.AsyncClient(headers=headers) as client:
        return await client.post(f"{fake.base_url}/models/{name}:streamGenerateContent?alt=sse", json=body)


async def chunks(fake: FakeGemini, body: object, *, name: str = FLASH.id) -> list[Any]:
    response = await post(fake, body, name=name)
    assert response.status_code == 200, response.text
    return [json.loads(event.removeprefix("data: ")) for event in response.text.split("\n\n") if event]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no contents": ({}, "contents is not specified"),
    "an unknown field": ({"contents": [user()], "stream": True}, 'Unknown name "stream"'),
    "a field of other APIs": ({"contents": [{"role": "user", "content": "Hi"}]}, 'Unknown name "content"'),
    "an unknown setting": ({"contents": [user()], "generationConfig": {"max_tokens": 5}}, 'Unknown name "max_tokens"'),
    "an unknown role": ({"contents": [{"role": "assistant", "parts": [{"text": "Hi"}]}]}, "valid role: user, model"),
    "no parts": ({"contents": [{"role": "user", "parts": []}]}, "must not be empty"),
    "an empty text": ({"contents": [user({"text": ""})]}, "required oneof field 'data'"),
    "two kinds in one part": ({"contents": [user({"text": "Hi", **blob("image/png")})]}, "required oneof field 'data'"),
    "a file of a type it cannot read": ({"contents": [user(blob("image/gif"))]}, "Unsupported MIME type: image/gif"),
    "a file that is no base64": ({"contents": [user(blob("image/png", "?"))]}, "Base64 decoding failed"),
    "a call at the beginning": ({"contents": [model(CALL), user(ANSWER)]}, "function call turn comes immediately"),
    "a call after words of the model": (
        {"contents": [user(), model({"text": "Hm"}), model(CALL), user(ANSWER)]},
        "function call turn comes immediately",
    ),
    "a call without its response": ({"contents": [user(), model(CALL), user()]}, "number of function response parts"),
    "a call at the end": ({"contents": [user(), model(CALL)]}, "number of function response parts"),
    "one response for two calls": (
        {"contents": [user(), model(CALL, CALL), user(ANSWER)]},
        "number of function response parts",
    ),
    "words beside a response": (
        {"contents": [user(), model(CALL), user(ANSWER, {"text": "Hi"})]},
        "number of function response parts",
    ),
    "a response without a call": ({"contents": [user(), user(ANSWER)]}, "function response turn comes immediately"),
    "a call without a signature": (
        {"contents": [user(), model({"functionCall": CALL["functionCall"]}), user(ANSWER)]},
        "missing a thought_signature",
    ),
    "a signature of its own making": (
        {"contents": [user(), model({**CALL, "thoughtSignature": "AAAA"}), user(ANSWER)]},
        "Corrupted thought signature",
    ),
    "a function name with a space": (
        {"contents": [user()], "tools": [{"functionDeclarations": [{"name": "add two"}]}]},
        "Must start with a letter",
    ),
    "a level that the model lacks": (
        {"contents": [user()], "generationConfig": {"thinkingConfig": {"thinkingLevel": "NONE"}}},
        "thinking_level",
    ),
    "a schema without its type": (
        {"contents": [user()], "generationConfig": {"responseJsonSchema": {"type": "object"}}},
        "response mime type application/json",
    ),
    "too much warmth": ({"contents": [user()], "generationConfig": {"temperature": 3}}, "temperature must be in"),
    "too long an answer": (
        {"contents": [user()], "generationConfig": {"maxOutputTokens": 70_000}},
        "maxOutputTokens value of 70000",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_google_refuses_is_refused_and_uses_up_no_step(case: str) -> None:
    body, words = REFUSED[case]
    async with FakeGemini() as fake:
        fake.script(Reply(text="still there"))
        response = await post(fake, body)
        after = await chunks(fake, {"contents": [user()]})

    error = response.json()["error"]
    assert (response.status_code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert words in error["message"]
    assert after[0]["candidates"][0]["content"]["parts"] == [{"text": "still "}]


@pytest.mark.parametrize(
    ("name", "config", "tools"),
    [
        (OLDER.id, {"thinkingConfig": {"thinkingLevel": "LOW"}}, []),
        (ARGON.id, {"thinkingConfig": {"thinkingLevel": "MINIMAL"}}, []),
        (GEMMA.id, {"thinkingConfig": {"includeThoughts": True}}, []),
        (OLDER.id, {"responseMimeType": "application/json"}, [ADD]),
    ],
    ids=["no levels", "a level less", "no thinking", "json and tools"],
)
async def test_models_differ_in_what_they_take(name: str, config: dict[str, Any], tools: list[Any]) -> None:
    body = {"contents": [user()], "generationConfig": config, "tools": tools}
    async with FakeGemini() as fake:
        response = await post(fake, body, name=name)

    assert response.status_code == 400


@pytest.mark.parametrize(
    ("key", "status", "word"), [(None, 403, "PERMISSION_DENIED"), ("AIza-other", 400, "INVALID_ARGUMENT")]
)
async def test_a_key_is_wanted(key: str | None, status: int, word: str) -> None:
    async with FakeGemini() as fake:
        response = await post(fake, {"contents": [user()]}, key=key)

    assert (response.status_code, response.json()["error"]["status"]) == (status, word)


@pytest.mark.parametrize("name", ["gemini-1.0-pro", "gemini-embedding-001"])
async def test_only_models_that_generate_are_found(name: str) -> None:
    async with FakeGemini() as fake:
        response = await post(fake, {"contents": [user()]}, name=name)

    assert (response.status_code, response.json()["error"]["status"]) == (404, "NOT_FOUND")


async def test_a_prompt_above_the_limit_is_refused_with_its_count() -> None:
    async with FakeGemini() as fake:
        response = await post(fake, {"contents": [user({"text": "x" * 1_604})]}, name=SMALL.id)

    message = response.json()["error"]["message"]
    assert message == "The input token count (401) exceeds the maximum number of tokens allowed (400)."


async def test_a_body_above_the_limit_is_refused() -> None:
    async with FakeGemini(max_inline_bytes=1_000) as fake:
        response = await post(fake, {"contents": [user(blob("image/png", "A" * 2_000))]})

    assert response.json()["error"]["message"] == "Request payload size exceeds the limit: 1000 bytes."


async def test_its_own_signature_comes_back_and_is_good_for_its_model_alone() -> None:
    async with FakeGemini() as fake:
        fake.script(Reply(tool_calls=(ToolCall(name="add", call_id="c1"),)))
        first = await chunks(fake, {"contents": [user()], "tools": [ADD]})
        content = first[0]["candidates"][0]["content"]
        body = {"contents": [user(), content, user(ANSWER)], "tools": [ADD]}
        same, other = await post(fake, body), await post(fake, body, name=ARGON.id)

    assert (same.status_code, other.status_code) == (200, 400)


async def test_calls_of_earlier_turns_need_no_signature() -> None:
    unsigned = {"functionCall": CALL["functionCall"]}
    async with FakeGemini() as fake:
        response = await post(fake, {"contents": [user(), model(unsigned), user(ANSWER), user()]})

    assert response.status_code == 200


async def test_usage_grows_from_chunk_to_chunk_and_tells_files_apart() -> None:
    async with FakeGemini() as fake:
        fake.script(Reply(text="one two three", reasoning="Let me think."))
        got = await chunks(fake, {"contents": [user({"text": "What is it?"}, blob("image/png"))]})

    usages = [each["usageMetadata"] for each in got]
    details = {each["modality"]: each["tokenCount"] for each in usages[-1]["promptTokensDetails"]}
    assert [usage["candidatesTokenCount"] for usage in usages] == [1, 2, 4, 4]
    assert usages[-1]["thoughtsTokenCount"] == 4
    assert details == {"TEXT": 5, "IMAGE": 258}
    assert usages[-1]["totalTokenCount"] == 5 + 258 + 4 + 4


async def test_thoughts_are_shown_to_those_who_ask() -> None:
    asked = {"contents": [user()], "generationConfig": {"thinkingConfig": {"includeThoughts": True}}}
    async with FakeGemini() as fake:
        fake.script(Reply(text="Hi", reasoning="Hm"), Reply(text="Hi", reasoning="Hm"))
        shown = await chunks(fake, asked)
        hidden = await chunks(fake, {"contents": [user()]})

    assert shown[0]["candidates"][0]["content"]["parts"] == [{"text": "Hm", "thought": True}]
    assert (len(shown), len(hidden)) == (3, 2)


async def test_a_beginning_that_was_sent_before_is_cached() -> None:
    long = user({"text": "x" * 8_192})
    async with FakeGemini(prefix_cache=True) as fake:
        await chunks(fake, {"contents": [long]})
        again = await chunks(fake, {"contents": [long, model({"text": "ok"}), user({"text": "more"})]})
        await chunks(fake, {"contents": [user({"text": "y" * 8_192})]})

    assert again[-1]["usageMetadata"]["cachedContentTokenCount"] == 2_048
    assert [bill.cached_tokens for bill in fake.billed] == [0, 2_048, 0]


async def test_an_answer_that_breaks_is_billed_as_far_as_it_came() -> None:
    async with FakeGemini() as fake:
        fake.script(Broken(how=Breakage.ERROR, after_chunks=2, code="UNAVAILABLE"))
        got = await chunks(fake, {"contents": [user()]})

    assert got[-1]["error"]["code"] == 503
    assert [(bill.completed, bill.output_tokens) for bill in fake.billed] == [(False, 2)]


async def test_the_list_comes_in_pages() -> None:
    names: list[str] = []
    token: str | None = ""
    async with FakeGemini() as fake, httpx2.AsyncClient(headers={"x-goog-api-key": KEY}) as client:
        while token is not None:
            page = (await client.get(f"{fake.base_url}/models", params={"pageToken": token} if token else {})).json()
            names += [each["name"] for each in page["models"]]
            token = page.get("nextPageToken")

    assert names == [f"models/{each.id}" for each in MODELS]
    assert len(fake.requests) == 3
