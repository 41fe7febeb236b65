"""What an MCP tool returned, as text for a model."""

from mcp.types import CallToolResult

from bot.mcp.result import RESULT_CHARS, output_of

PICTURE = {"type": "image", "data": "aGk=", "mimeType": "image/png"}


def text(words: str) -> dict[str, object]:
    return {"type": "text", "text": words}


def result(*content: object, **more: object) -> CallToolResult:
    return CallToolResult.model_validate({"content": list(content), **more}, by_name=False)


def test_texts_are_joined_and_what_is_not_text_is_named() -> None:
    output = output_of(
        result(
            text("one"),
            PICTURE,
            {"type": "audio", "data": "aGk=", "mimeType": "audio/wav"},
            {"type": "resource", "resource": {"uri": "file:///a.txt", "text": "inside"}},
            {"type": "resource", "resource": {"uri": "file:///a.bin", "blob": "aGk="}},
            {"type": "resource_link", "name": "more", "uri": "https://example.org/more"},
        )
    )

    assert output.text.split("\n\n") == [
        "one",
        "(A part of kind image/png is left out: only text can be passed on.)",
        "(A part of kind audio/wav is left out: only text can be passed on.)",
        "file:///a.txt:\ninside",
        "(file:///a.bin is left out: it is not text.)",
        "more: https://example.org/more",
    ]
    assert output.untrusted
    assert not output.is_error
    assert output.bill is None


def test_structured_content_stands_in_where_there_is_no_text() -> None:
    assert output_of(result(structuredContent={"a": "é"})).text == '{"a": "é"}'
    assert output_of(result(text("one"), structuredContent={"a": 1})).text == "one"
    assert output_of(result(PICTURE, structuredContent={"a": 1})).text.startswith('{"a": 1}\n\n(A part')


def test_an_error_and_nothing_at_all_are_told_as_such() -> None:
    assert output_of(result(text("no"), isError=True)).is_error
    assert output_of(result()).text == "(The tool returned nothing.)"


def test_a_huge_result_is_cut_and_says_so() -> None:
    output = output_of(result(text("x" * (RESULT_CHARS + 5))))

    assert output.text == "x" * RESULT_CHARS + "\n\n(Cut here: the result has 100,005 characters.)"
