"""
Markdown as it stands in docs/api/, made HTML for the guides that we serve. Pure.

What is in a guide is ours, and still no HTML in it is taken as such.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import BashLexer, HtmlLexer, JavascriptLexer, JsonLexer, PhpLexer, PythonLexer, TextLexer

# Snippets in these that follow one another say the same thing: a reader chooses a language.
SPOKEN: Final = ("sh", "python", "js", "php")
NAMES: Final[Mapping[str, str]] = {
    "sh": "curl",
    "python": "Python",
    "js": "JavaScript",
    "php": "PHP",
    "json": "JSON",
    "html": "HTML",
}
LEXERS: Final[Mapping[str, Lexer]] = {
    "sh": BashLexer(),
    "python": PythonLexer(),
    "js": JavascriptLexer(),
    "php": PhpLexer(startinline=True),
    "json": JsonLexer(),
    "html": HtmlLexer(),
}
FORMAT: Final = HtmlFormatter(nowrap=True)
CODE: Final = re.compile(r"[a-z]+(_[a-z]+)*")
TODO: Final = "[ ] "


@dataclass(frozen=True, slots=True)
class Heading:
    """What leads to a part of a page."""

    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page: `parts` are its headings of the second level."""

    title: str
    html: str
    parts: tuple[Heading, ...]


def render(text: str, *, address_of: Callable[[str], str | None]) -> Rendered:
    """Return a page as HTML. `address_of` says where a relative link leads: None, and it is no link."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("fence", _snippet)
    tokens = parser.parse(text)
    headings = [*_with_anchors(tokens)]
    _name_rows(tokens, taken={heading.anchor for _level, heading in headings})
    for token in tokens:
        _lead(token.children or [], address_of)
    html: str = parser.renderer.render(_in_groups(tokens), parser.options, {})
    parts = tuple(heading for level, heading in headings if level == "h2")
    return Rendered(headings[0][1].text, html.replace(f"<li>{TODO}", '<li class="todo">'), parts)


def anchor_of(heading: str) -> str:
    """Return the name of a heading in addresses, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")


def _with_anchors(tokens: Sequence[Token]) -> Iterator[tuple[str, Heading]]:
    for token, inner in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor_of(inner.content))
            yield token.tag, Heading(anchor_of(inner.content), inner.content.replace("`", ""))


def _name_rows(tokens: Sequence[Token], *, taken: set[str]) -> None:
    """Let one point at a row that is about one name: `error-codes/#unknown_member`."""
    for row, inner in zip(tokens, tokens[2:], strict=False):
        name = inner.content.strip("`")
        if row.type == "tr_open" and inner.content == f"`{name}`" and CODE.fullmatch(name) and name not in taken:
            taken.add(name)
            row.attrSet("id", name)


def _lead(tokens: Sequence[Token], address_of: Callable[[str], str | None]) -> None:
    is_cut = False
    for token in tokens:
        if token.type == "link_open":
            address = address_of(str(token.attrs["href"]))
            is_cut = address is None
            token.attrs = {} if address is None else {"href": address}
        if token.type in {"link_open", "link_close"} and is_cut:
            token.tag = "span"


def _in_groups(tokens: Sequence[Token]) -> list[Token]:
    found: list[Token] = []
    is_open = False
    for token in tokens:
        is_spoken = token.type == "fence" and token.info in SPOKEN
        if is_spoken and not is_open:
            found.append(_raw('<div class="languages">\n'))
        if is_open and not is_spoken:
            found.append(_raw("</div>\n"))
        is_open = is_spoken
        found.append(token)
    return [*found, _raw("</div>\n")] if is_open else found


def _raw(html: str) -> Token:
    return Token("html_block", "", 0, content=html)


def _snippet(_renderer: Any, tokens: Sequence[Token], number: int, _options: Any, _env: Any) -> str:
    token = tokens[number]
    code = highlight(token.content, LEXERS.get(token.info, TextLexer()), FORMAT)
    name = NAMES.get(token.info, "")
    caption = f"<figcaption>{escape(name)}</figcaption>" if name else ""
    language = escape(token.info)
    return f'<figure data-language="{language}">{caption}<pre tabindex="0"><code>{code}</code></pre></figure>\n'
