"""Notes in Markdown as safe HTML: HTML in the note is shown as text, and links cannot run scripts."""

from __future__ import annotations

from markdown_it import MarkdownIt

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def as_html(text: str) -> str:
    """Return the note's HTML; empty for an empty note."""
    return _markdown.render(text) if text.strip() else ""
