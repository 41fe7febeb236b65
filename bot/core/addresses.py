"""What platforms make links of, in which form addresses are compared, and what is shown in place of unknown ones. Pure.

Rather takes too much for an address than too little: what is gated by mistake stays readable. Knows no streams and no
Markdown but the marks that may stand inside of a word.
"""

import html
import re
from collections.abc import Collection
from urllib.parse import quote

LEFT_OUT = "(unknown link left out)"
#: Longer runs of punctuation after an address are not the end of a sentence.
_TAIL_CHARS = 8
_HOST_CHARS = 253

#: What a person's text has in an address. Brackets stand in an IPv6 host only.
_IN_TEXT = re.compile(r"(?i)(?<![a-z0-9+.-])https?://(?:\[[0-9a-f:.]+\])?[\w!#$%&'()*+,\-./:;=?@~]*")
_BARE = (
    r"(?<![\w@.\-])(?P<host>(?:[\w-]{1,63}\.)+(?P<top>xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24}))(?![\w-]|://)"
    r"(?P<rest>(?:\.?:\d{1,5})?\.?[/?#][^\s<>]*|\.?:\d{1,5}(?![\w:]))?"
)
_BARE_ALONE = re.compile(_BARE)
_MAIL = r"mailto:[\w.+%\-]+@[\w\-]+(?:\.[\w\-]+)*"
_ADDRESS = re.compile(
    r"(?P<open><)?(?P<url>[A-Za-z][A-Za-z0-9+.\-]{0,30}://[^\s<>]*)(?P<close>>)?"
    rf"|(?P<mail>{_MAIL})(?:\?[^\s<>]*)?"
    r"|(?P<scheme>(?i:\b(?:javascript|vbscript|tg|ton|steam|intent|magnet|file|tel|sms):[^\s<>]+|\bdata:[\w/+.\-]*[;,][^\s<>]*))"
    r"|(?P<login>[\w.+\-]+@(?:[\w\-]{1,63}\.)+[^\W\d_]{2,24}[/?#:][^\s<>]+)"
    r"|(?P<number>(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?[/?#](?!\d{1,2}(?![\w/?#=&]))[^\s<>]*)"
    rf"|{_BARE}"
)
#: Ends of files' names which are no top-level domains; `.md`, `.py`, `.sh` and `.zip` are.
_SUFFIXES = re.compile(
    r"bat|bmp|cfg|class|conf|cpp|css?|csv|dll|docx|env|epub|exe|gif|gz|hpp|html?|ini|ipynb|jar|java|jpe?g|jsx?|json|kt|lock"
    r"|log|lua|php|pdf|png|pptx|rb|rst|sql|svg|tar|toml|tsx?|txt|vue|wav|webp|xlsx|xml|ya?ml",
    re.IGNORECASE,
)
_CLOSERS = ".,;:!?'\")]}*_~|"
_CUT = re.compile(r"[()\[\]\"'|*{}^]")
_PARTS = re.compile(r"(https?)://([^/?#\\\s]*)((?:[/\\][^?#]*)?)(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE | re.DOTALL)
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!'()*")
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_SLASHED = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
_KEPT = "".join(map(chr, range(0x21, 0x7F)))


def urls_in(text: str) -> tuple[str, ...]:
    """Every http(s) address that stands in a text, in order and each once, normalised as `normalised` does it.

    `example.org/page` and `example.org` count as well: people write addresses so, and platforms make links of them.
    """
    found = [(each.start(), _trimmed(each[0])[0]) for each in _IN_TEXT.finditer(text)] if "://" in text else []
    for each in _BARE_ALONE.finditer(text) if "." in text else ():
        # The host in `https://host/` stands after a slash, and so does a page's name.
        if text[: each.start()][-1:] != "/" and _is_domain(each):
            found.append((each.start(), "https://" + _trimmed(each[0])[0]))
    return tuple(dict.fromkeys(normalised(url) for _, url in sorted(found)))


def normalised(url: str) -> str:
    """An http(s) address as it is compared: two with the same form ask the same server for the same.

    Scheme and host in lower case, the host in ASCII; without default port, fragment, last slash and needless escapes.
    Anything else comes back as it is.
    """
    found = _PARTS.fullmatch(url.strip())
    if found is None:
        return url.strip()
    scheme, authority, path, query = found[1].lower(), found[2], found[3], found[4]
    login, at, host = authority.rpartition("@")
    host = _ascii(host).removesuffix(":443" if scheme == "https" else ":80").removesuffix(":").removesuffix(".")
    asked = f"?{_escaped(query)}" if query else ""
    return f"{scheme}://{login}{at}{host}{_escaped(path).rstrip('/')}{asked}"


def is_known(url: str, known: Collection[str]) -> bool:
    """Whether an address, as a whole, is among normalised ones; http and https are the same here."""
    form = normalised(url)
    scheme, separator, rest = form.partition("://")
    other = {"http": "https", "https": "http"}.get(scheme)
    return form in known or (other is not None and f"{other}{separator}{rest}" in known)


def without_fragment(url: str) -> str:
    """What of an address reaches its server."""
    return url.partition("#")[0]


def in_markdown(url: str) -> str:
    """An address that stands in `(…)` or `<…>` and cannot end it."""
    return quote(without_fragment(url), safe="%/:?#@!&*+,;=~-._", errors="replace")


def notice(url: str, *, code: bool) -> str:
    """What stands in place of an unknown address: its host, where it has a plain one, and that it is no link.

    `code`: the host may be put into backticks; otherwise its dots are put into brackets.
    """
    host = _ascii(re.sub(r"^[A-Za-z][\w+.-]*://", "", url).partition("/")[0].partition("?")[0].rpartition("@")[2])
    host = re.sub(r"[:#\\].*", "", host, flags=re.DOTALL)
    if len(host) > _HOST_CHARS or _HOST.fullmatch(host) is None:
        return LEFT_OUT
    return f"{_dead(host, code=code)} {LEFT_OUT}"


def person_in(url: str) -> str | None:
    """The person to whom a `mailto:` address writes, without what it would have them read; None: it is none."""
    found = re.match(_MAIL, url, re.IGNORECASE)
    return None if found is None else found[0][len("mailto:") :]


def unescaped(text: str) -> str:
    """Markdown's text without backslashes and with its entities replaced."""
    return _SLASHED.sub("", html.unescape(text))


class WordGate:
    """Rewrites single words: known addresses stay, all others lose what makes them links."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = known

    def __call__(self, word: str, *, before_space: bool, code: bool) -> str:
        """The word as it may be shown. `before_space`: nothing follows that could belong to its address."""
        if "." not in word and ":" not in word and "&" not in word:
            return word
        pieces, at = [], 0
        for found in _ADDRESS.finditer(word):
            pieces.append(self._squeezed(word[at : found.start()], code=code))
            pieces.append(self._shown(found, before_space=before_space or found.end() < len(word), code=code))
            at = found.end()
        pieces.append(self._squeezed(word[at:], code=code))
        return "".join(pieces)

    def _squeezed(self, text: str, *, code: bool) -> str:
        """Text without addresses, unless one appears once the marks inside of it are gone."""
        if not any(mark in text for mark in "\\&*~"):
            return text
        plain = unescaped(text).replace("*", "").replace("~", "")
        if plain == text:
            return text
        gated = self(plain, before_space=False, code=code)
        return text if gated == plain else gated

    def _shown(self, found: re.Match[str], *, before_space: bool, code: bool) -> str:
        match found.lastgroup if found["url"] is None else "url":
            case "url":
                return self._url(found, before_space=before_space, code=code)
            case "mail":
                return found["mail"].removeprefix("mailto:")
            case "scheme" | "login" | "number":
                return notice(found[0] if found["scheme"] is None else "", code=code) + _trimmed(found[0])[1]
            case _:
                return self._domain(found, before_space=before_space, code=code)

    def _url(self, found: re.Match[str], *, before_space: bool, code: bool) -> str:
        opening, closing = found["open"] or "", found["close"] or ""
        url, tail = _trimmed(found["url"])
        if len(tail) <= _TAIL_CHARS and is_known(url, self._known):
            gap = "" if (opening if closing else before_space) else " "
            return f"{opening}{without_fragment(url)}{tail}{gap}{closing}"
        cut = _CUT.search(url)
        if cut is not None and is_known(url[: cut.start()], self._known):
            rest = self(url[cut.start() :] + tail, before_space=before_space, code=code)
            return f"{opening}{without_fragment(url[: cut.start()])} {rest}{closing}"
        brackets = ("", "") if opening and closing else (opening, closing)
        return f"{brackets[0]}{notice(url, code=code)}{tail[-_TAIL_CHARS:]}{brackets[1]}"

    def _domain(self, found: re.Match[str], *, before_space: bool, code: bool) -> str:
        if not _is_domain(found):
            return found[0]
        address, tail = _trimmed(found[0])
        if is_known(f"https://{address}", self._known):
            return without_fragment(address) + tail + ("" if before_space else " ")
        if found["rest"]:
            return notice(address, code=code) + tail[-_TAIL_CHARS:]
        return _dead(address, code=code) + tail


def _trimmed(url: str) -> tuple[str, str]:
    """An address and the punctuation after it, as a reader parts them: a closing parenthesis may belong to either."""
    end = len(url)
    open_, close = url.count("("), url.count(")")
    while end and url[end - 1] in _CLOSERS:
        if url[end - 1] == ")":
            if close <= open_:
                break
            close -= 1
        end -= 1
    return url[:end], url[end:]


def _is_domain(found: re.Match[str]) -> bool:
    """Whether platforms may take it for one: `end.Then` is a missing space to them, `main.js` a file to all."""
    top = found["top"]
    if found["host"].lower().startswith("www."):
        return True
    return not (top[0].isupper() and top[1:].islower()) and _SUFFIXES.fullmatch(top) is None


def _dead(host: str, *, code: bool) -> str:
    return f"`{host}`" if code else host.replace(".", "[.]")


def _ascii(host: str) -> str:
    if host.isascii():
        return host.lower()
    name, colon, port = host.partition(":")
    try:
        return name[:_HOST_CHARS].encode("idna").decode().lower() + colon + port
    except UnicodeError:
        return host.lower()


def _escaped(text: str) -> str:
    """Escapes in one spelling, and only where they are needed."""

    def plain(found: re.Match[str]) -> str:
        char = chr(int(found[1], 16))
        return char if char in _UNRESERVED else found[0].upper()

    return quote(_ESCAPED.sub(plain, text), safe=_KEPT, errors="replace")
