"""Remove secrets from a cassette's file: by name, by shape, and by the request's own keys.

A name is sensitive if one of its words is: `openai_api_key`, `apiKey`, `client-secret`. The name
`key` alone is not, as it names items of the store. Under a sensitive name every text is replaced;
a number only under a name for a password or secret, as `max_tokens` is no secret. The same goes for
names and values inside of texts: `password: x`, `api_key=x`, `--token x`.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote_plus

import httpx

from langgraph_client.models.fields import JSON

SCRUBBED = "<scrubbed>"

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PASSWORD = re.compile(
    r"^(passw(or)?ds?|passwd|passphrases?|pwd|secrets?|credentials?|pin|passcodes?|otp|jwt)$"
)
#: The part that a sensitive name contains, also without a separator: `APITOKEN`, `clientsecret`.
_CONTAINED = re.compile(
    r"token|secret|passw|pass[\W_]*word|passphrase|passcode|pwd|authorization|credential|cookie"
    r"|(?:api|access|private|signing|encryption|master|account|subscription)key",
    re.IGNORECASE,
)
#: The parts of which every sensitive name contains one. Most texts have none of them, and need no
#: further search.
_HINT = re.compile(
    r"key|token|secret|pass|pwd|pin|otp|jwt|credential|auth|cookie|sig", re.IGNORECASE
)
_PARAMETERS = frozenset({"sig", "signature", "auth"})
"""Further last words of sensitive names before `=`, as they occur in signed URLs."""

#: Where a value of a known form may begin: behind no letter or digit, unless they end an escape, as
#: in a text that quotes another (`\nsk-…`), in a URL (`%20sk-…`) and in JSON (`\u003dsk-…`).
_BEGIN = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4}))"
#: Not `order_pk_123456`: in the names of columns and variables, `sk`, `pk` and `rk` are words.
#: Parts in which a value can begin again have a greatest length, for the reason at `_NAMED`.
_SHAPES = re.compile(
    rf"""(?x)
    {_BEGIN} (?:
        (?: (?<![A-Za-z0-9]_)[spr]k | xai|tvly|gsk|pplx|whsec|glpat|lsv2_(?:pt|sk) ) [-_]
            (?=[a-z_-]{{0,60}}[A-Z0-9])[A-Za-z0-9_-]{{6,}}
        | gh[opsru]_[A-Za-z0-9]{{20,}} | github_pat_\w{{20,}} | hf_[A-Za-z0-9]{{20,}}
        | xox[abeoprs]-[A-Za-z0-9-]{{10,}} | xapp-\d-[A-Za-z0-9-]{{10,}}
        | (?:AKIA|ASIA)[0-9A-Z]{{16}}(?![0-9A-Za-z]) | AIza[0-9A-Za-z_-]{{30,}}
        | npm_[A-Za-z0-9]{{30,}} | pypi-[\w-]{{16,}} | ya29\.[\w-]{{20,}} | nvapi-[\w-]{{20,}}
        | SG\.[\w-]{{16,}}\.[\w-]{{16,}} | hooks\.slack\.com/services/[\w/]+
        | eyJ[\w-]{{5,4000}}+\.eyJ[\w-]{{5,4000}}+\.[\w-]*
    )
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----[\s\S]*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    """
)
#: Prose has these words too: "bearer of news", "basic training".
_SCHEME = re.compile(
    rf"{_BEGIN}((?i:bearer)(?=\s+(?:[a-z-]*[A-Z0-9=._~+/]|[a-z-]{{20}}))"
    r"|(?i:basic)(?=\s+[A-Za-z+/]*[0-9=]))(\s+)[A-Za-z0-9+/=._~-]{6,}"
)
#: The scheme begins where none can go on, for the same reason as below.
_URL_CREDENTIALS = re.compile(r"(?<![a-z0-9+.-])([a-z0-9+.-]++://)([^\s/?#\"'<>]+)@", re.IGNORECASE)
_COOKIES = re.compile(
    r"(?:(?<![\w-])|(?<=\\[nrt]))((?:set-)?cookie)([ \t]*:[ \t]*)[^\s<\"'][^\r\n\"']*",
    re.IGNORECASE,
)
_ELEMENT = re.compile(r"<([\w.:-]+)((?:\s[^<>]*)?>)([^<>]+)(?=</\1>)")
#: The keys that are secrets: no others, such as a primary key, and not "the key: …" in prose.
_PHRASE = (
    r"(?i: (?: api|access|private|secret|signing|encryption|master|account|subscription )"
    r" [ \t]{1,3} keys? )"
)
#: A name and what stands between it and a value: in JSON, code, Markdown, headers, settings and
#: commands. The name begins where no name can go on, and no part is tried twice: else a long text
#: without secrets would take a time that grows with the square of its length.
_NAMED = re.compile(
    rf"""(?x)
    (?<!\\) (?P<quote> \\*+ ["'] ) (?P<quoted> {_PHRASE} | [\w.-]++ ) (?P=quote) \s*+ : \s*+
    | \[ (?P<mark> \\*+ ["']?+ ) (?P<item> [\w.-]++ ) (?P=mark) \] [ \t]*+ =(?!=)>? [ \t]*+
    | (?: (?<! [\w.%-] ) (?: (?<=\*) | (?=_) ) (?P<strong> [\w.%-]++ )
        | (?<! [A-Za-z0-9.%-] ) (?P<strong_phrase> {_PHRASE} ) ) : [*_]{{1,3}}+ [ \t]++
    | (?: (?<! [\w.%-] ) (?P<name> [\w.%-]++ )
        | (?: (?<! [A-Za-z0-9.%-] ) | (?<= \\[nrt] ) ) (?P<phrase> {_PHRASE} ) )
        (?: [*_]{{1,3}}+ (?= [ \t]*+ : ) )?
        [ \t]*+ (?P<sign> := | =(?!=)>? | :(?! : | // ) ) [ \t]*+
    | (?<! [\w.%-] ) (?P<option> --[\w.-]++ ) [ \t]++ (?! - )
    """
)
_NAMES = ("quoted", "item", "strong", "strong_phrase", "name", "phrase", "option")
_SCHEME_WORD = r"(?: bearer | basic | digest | negotiate | token | apikey ) [ \t]++"
_BLOCK_MARK = r"[|>] [+-]? [ \t]*+ \n [ \t]++"
_QUOTE = r"""\\*+ ["'`]"""


def _whole(name: str, part: str) -> str:
    """Return the expression of an optional part that is matched as a whole, or is not there.

    Not `(…)?+`: Python 3.11.2 (not 3.11.7) forgets what such a group has matched.
    """
    return f"(?: (?P<{name}> {part} ) | (?! {part} ) )"


_VALUE = rf"""(?xi)
    {_whole("scheme", _SCHEME_WORD)}
    (?:
        (?P<before> [\w.]++ \( \s*+ )? [bfru]{{0,2}} (?:
            (?P<triple> "{{3}} | '{{3}} )
                (?P<long> (?: \\[\s\S]? | (?! (?P=triple) ) [^\\] )* ) (?: (?P=triple) | \Z )
            | (?P<open> ["'`] ) (?P<body> (?: \\. | (?! (?P=open) ) [^\\\n] )* ) (?P=open)
        )
        | (?P<escaped> (?P<slashed> \\++ ["'] ) (?P=slashed){{2}} | \\++ ["'`] )
            (?P<inner> (?: (?! (?P=escaped) ) . )* ) (?P=escaped)
        | {_whole("block", _BLOCK_MARK)} {_whole("opened", _QUOTE)} (?P<bare> %s )
    )
"""
_AFTER_EQUALS = re.compile(_VALUE % r"""[^&\#\s"'`<>]++""")  # As in a query.
_AFTER_COLON = re.compile(_VALUE % r"""[^\s"'`<>][^\s"'`]*+""")
_NUMBER = re.compile(r"-?\d[\d.eE+-]*")
#: A text that may be the name in a list of two, such as `x-api-key`, `env:API_KEY`, or
#: "my access token (old)". Sentences have more words, or signs that names have not.
_NAME = re.compile(r"""\s*+[^\s,;?!"'<>{}]++(?:\s++[^\s,;?!"'<>{}]++){0,4}\s*+""")
_NO_VALUES = frozenset({"none", "null", "true", "false", "undefined"})
#: The id of a task, as in `token_node:1f3c…`, which names a call of a subgraph.
_TASK_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w-])")
#: A part of the namespace of a subgraph: a node with the id of its task, or a call's number.
_NAMESPACE_PART = re.compile(rf"[^:]++:{_TASK_ID.pattern}|\d{{1,2}}")
_OWN_KEY = "a key of the request"
_SHORTEST = 8
"""The least characters of a request's key for a search in texts."""
_SECRET_HEADERS = re.compile(r"key|token|secret|passw|authorization|cookie|credential")


@lru_cache(1000)
def is_secret_header(name: str) -> bool:
    """Return whether a header holds a secret, by its name."""
    return _SECRET_HEADERS.search(name.lower()) is not None


class Scrubber:
    """Replaces secrets by `<scrubbed>`, and counts what it replaced.

    Args:
        names: Further names whose values are replaced, of any type.
        keep: Names whose values are written unchanged.

    Attributes:
        counts: How often something was replaced, by name or by kind.
    """

    def __init__(self, names: Iterable[str] = (), keep: Iterable[str] = ()) -> None:
        self._names = {name.lower() for name in names}
        self._keep = {name.lower() for name in keep}
        self._known: set[str] = set()
        self._known_forms: re.Pattern[str] | None = None
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()

    def learn(self, headers: httpx.Headers) -> None:
        """Replace the keys of a request wherever they occur from now on.

        Args:
            headers: The request's headers.
        """
        for name, value in headers.items():
            if is_secret_header(name):
                if name.lower() == "cookie":
                    secrets = [pair.partition("=")[2].strip() for pair in value.split(";")]
                else:
                    # A scheme before the key, such as `Bearer`, is no secret: other texts have it.
                    secrets = value.split()[-1:]
                with self._lock:
                    known = self._known.union(s for s in secrets if len(s) >= _SHORTEST)
                    if known != self._known:
                        self._known = known
                        # The longest first: one may begin with another.
                        forms = map(_forms, sorted(known, key=len, reverse=True))
                        self._known_forms = re.compile("|".join(forms))

    def value(self, value: object, name: str = "", *, with_missing: bool = False) -> JSON:
        """Return a JSON value without secrets.

        Args:
            value: The value.
            name: The name under which it stands.
            with_missing: Whether to replace also empty texts and None where a secret would be.
        """
        if name.lower() in self._keep:
            return value
        if value is None or value == "":
            is_missing = with_missing and self._is_sensitive(name)
            if is_missing or (value is not None and name.lower() in self._names):
                return self._replaced(name)
            return value
        if name.lower() in self._names:
            return self._replaced(name)
        if isinstance(value, str):
            if value != SCRUBBED and self._is_sensitive(name):
                return self._replaced(name)
            return self.text(value)
        if isinstance(value, Mapping):
            # Everything below a sensitive name is secret, even under a harmless name.
            above = [name] if self._is_sensitive(name) else []
            beside = self._names_beside(value)
            scrubbed: dict[str, JSON] = {}
            for key, item in value.items():
                names = [*above, *(beside if key.lower() == "value" else ())]
                names += [key] if self._is_sensitive(key) or not names else []
                # The name that hides most: some hide numbers, too.
                strongest = max(names, key=self._strength)
                if key.lower() not in self._keep:
                    item = self.value(item, strongest, with_missing=with_missing)
                scrubbed[key] = item
            return scrubbed
        if isinstance(value, list):
            if self._is_pair(value) and not self._is_sensitive(name):  # A header as a pair.
                return [value[0], self.value(value[1], value[0], with_missing=with_missing)]
            return [self.value(item, name, with_missing=with_missing) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool) and _is_password(name):
            return self._replaced(name)
        return value

    def text(self, text: str) -> str:
        """Return a text without the parts that look like secrets.

        Args:
            text: The text; may hold URLs, headers, JSON.
        """
        # The order: known keys, which may stand anywhere; JSON as a whole, so that it stays JSON;
        # the forms that need a name or a sign; and last the values that show by their own form.
        if self._known_forms is not None:
            text = self._known_forms.sub(lambda _: self._replaced(_OWN_KEY), text)
        if text[:1] in ("{", "[") and (whole := self._json(text)) is not None:
            return whole
        if "://" in text:
            text = _URL_CREDENTIALS.sub(self._url_credentials, text)
        if _HINT.search(text) or any(name in text.lower() for name in self._names):
            text = _COOKIES.sub(self._cookies, text)
            text = self._fields(text)
            text = _ELEMENT.sub(self._element, text)
        text = _SCHEME.sub(self._scheme, text)
        return _SHAPES.sub(lambda _: self._replaced("a value like a key"), text)

    def query(self, query: str, *, with_missing: bool = False) -> str:
        """Return the query of a URL without secrets. What has none keeps its form.

        Args:
            query: The query, in the form of a URL.
            with_missing: As of `value`.
        """
        if self._known_forms is not None:  # Before `+` is read as a blank: a key may have one.
            query = self._known_forms.sub(lambda _: self._replaced(_OWN_KEY), query)
        return "&".join(self._parameter(part, with_missing) for part in query.split("&"))

    def _parameter(self, parameter: str, with_missing: bool) -> str:
        written, sign, written_value = parameter.partition("=")
        name, value = _unquoted(written), _unquoted(written_value)
        clean_name = self.text(name)
        if name.lower() in self._keep:
            clean = value
        elif not (self._is_sensitive(name) or _is_signature(name)):
            clean = self.text(value)
        elif value == SCRUBBED or value.lower() in _NO_VALUES or not (value or with_missing):
            clean = value
        else:
            clean = self._replaced(clean_name)
        if clean_name != name:
            written = _quoted(clean_name, like=written)
        if clean != value:
            return f"{written}={_quoted(clean, like=written_value)}"
        return written + sign + written_value

    def _json(self, text: str) -> str | None:
        """Return a text that is JSON as a whole without its secrets; None for other texts."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return None
        scrubbed = self.value(value)
        # Without a secret the text itself is kept, with its spaces and its way to write numbers.
        return text if scrubbed == value else json.dumps(scrubbed, ensure_ascii=False)

    def _fields(self, text: str) -> str:
        """Return a text in which no value follows a sensitive name."""
        parts: list[str] = []
        done = 0
        for named in _NAMED.finditer(text):
            if named.start() < done:  # Within a value that was replaced.
                continue
            is_assigned = named["sign"] == "=" or named["item"] is not None
            name = self._secret_name(text, named, is_assigned)
            if not name:
                continue
            match = (_AFTER_EQUALS if is_assigned else _AFTER_COLON).match(text, named.end())
            if match is None or not self._is_secret(name, named, match):
                continue
            quote = match["triple"] or match["open"] or match["escaped"] or ""
            if named["quoted"] and not quote:
                quote = named["quote"]  # In place of a number: JSON must stay JSON.
            parts += text[done : named.end()], match["scheme"] or ""
            parts += match["before"] or "", match["block"] or ""
            parts += quote, self._replaced(name), quote
            done = match.end()
            # In JSON, a number ends at its last digit; a comma or brace after it must stay.
            if named["quoted"] and match["bare"] and not match["opened"]:
                number = _NUMBER.match(match["bare"])
                done = match.start("bare") + (number.end() if number else 0)
        return "".join((*parts, text[done:]))

    def _secret_name(self, text: str, named: re.Match[str], is_assigned: bool) -> str:
        """Return the name before a value if it is sensitive, otherwise an empty text."""
        name = next(str(part) for part in named.group(*_NAMES) if part).lstrip("-")
        names = [name]
        # In a text that quotes another, a name may begin behind the letter of an escape: `\npin`.
        if text.endswith("\\", 0, named.start()) and name[0] in "nrt":
            names.insert(0, name[1:])
        for one in names:
            if self._is_sensitive(one) or (is_assigned and _is_signature(one)):
                return one
        return ""

    def _is_secret(self, name: str, named: re.Match[str], match: re.Match[str]) -> bool:
        """Return whether a value behind a sensitive name is to be replaced."""
        if match["bare"] is None:
            return (match["long"] or match["body"] or match["inner"] or SCRUBBED) != SCRUBBED
        value = match["bare"].rstrip(".,;:)]}")
        if match["opened"]:  # A text that was cut off.
            return bool(value)
        if named["quoted"]:  # In JSON, anything else without quotes is no text.
            return bool(_NUMBER.match(value)) and _is_password(name)
        if value.lower() in _NO_VALUES:
            return False
        if named["sign"] != "=" and _NUMBER.fullmatch(value.replace(",", "")):
            return _is_password(name)
        return not (named[0].endswith(":") and _TASK_ID.match(value))

    def _is_sensitive(self, name: str) -> bool:
        if not name or name.lower() in self._keep:
            return False
        words = [word.lower() for word in _WORDS.findall(name)]
        return (
            name.lower() in self._names
            or _is_password(name)
            or (len(words) > 1 and ("key" in words or "keys" in words))
            or _CONTAINED.search(name) is not None
        )

    def _strength(self, name: str) -> tuple[bool, bool]:
        """Return how much a sensitive name hides: values of any type, also numbers, or texts."""
        return name.lower() in self._names, _is_password(name)

    def _names_beside(self, value: Mapping[str, object]) -> list[str]:
        """Return the sensitive names of the member `value`: `{"name": "api_key", "value": "x"}`.

        Such a name may be any text that contains a sensitive word.
        """
        names: list[str] = []
        if not any(key.lower() == "value" for key in value):
            return names
        for key, text in value.items():
            if key.lower() not in ("name", "key") or not isinstance(text, str):
                continue
            if self._is_sensitive(text):
                # The counts show the name, so it must not show a secret that it contains.
                name = self.text(text)
                names.append(name if self._is_sensitive(name) else "a secret")
        return names

    def _is_pair(self, value: list[object]) -> bool:
        """Return whether a list is a sensitive name and its value. Its texts may be sentences."""
        if len(value) != 2:
            return False
        name = value[0]
        return (
            isinstance(name, str)
            and _NAME.fullmatch(name) is not None
            and self._is_sensitive(name)
            and self.text(name) == name
            and not all(isinstance(part, str) and _NAMESPACE_PART.fullmatch(part) for part in value)
        )

    def _replaced(self, name: str) -> str:
        with self._lock:
            self.counts[name] += 1
        return SCRUBBED

    def _url_credentials(self, match: re.Match[str]) -> str:
        if match[2] == SCRUBBED:
            return match[0]
        return f"{match[1]}{self._replaced('credentials in a URL')}@"

    def _cookies(self, match: re.Match[str]) -> str:
        return f"{match[1]}{match[2]}{self._replaced(match[1])}"

    def _element(self, match: re.Match[str]) -> str:
        if not match[3].strip() or not self._is_sensitive(match[1]):
            return match[0]
        return f"<{match[1]}{match[2]}{self._replaced(match[1])}"

    def _scheme(self, match: re.Match[str]) -> str:
        return f"{match[1]}{match[2]}{self._replaced(match[1].lower())}"


def _forms(secret: str) -> str:
    """Return a pattern of a secret as it is, and with any of its signs percent-encoded."""
    return "".join(
        char if char.isascii() and char.isalnum() else f"(?:{re.escape(char)}|{_encoded(char)})"
        for char in secret
    )


def _unquoted(text: str) -> str:
    return unquote_plus(text, errors="surrogateescape")


def _quoted(text: str, like: str) -> str:
    """Return a text in the form of a URL, with the blanks of the original, and readable marks."""
    encode = quote if "%20" in like else quote_plus
    parts = (encode(part, safe="", errors="surrogateescape") for part in text.split(SCRUBBED))
    return SCRUBBED.join(parts)


def _encoded(char: str) -> str:
    return "".join(f"%(?i:{byte:02x})" for byte in char.encode(errors="replace"))


def _is_password(name: str) -> bool:
    return any(_PASSWORD.match(word.lower()) for word in _WORDS.findall(name))


def _is_signature(name: str) -> bool:
    words = _WORDS.findall(name) or [name]
    return words[-1].lower() in _PARAMETERS
