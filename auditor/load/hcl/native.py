"""Native syntax (`.tf`, `.tofu`, `.tfvars`, lock files) to records.

tree-sitter reads the structure. Where it finds an error (it does not know `4e+6`, for one), the exact scanner below
reads the file again: it either reads it after all, or says with file, line and column what Terraform expects there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from auditor.errors import InputError
from auditor.load.hcl.expressions import Parser, parse_attribute
from auditor.syntax import Attribute, Block, Body, Comment, File, Literal, Source

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.load.hcl.expressions import Parser as _Parser

MAX_BYTES: Final = 16_000_000  # of one file
MAX_BLOCKS_DEEP: Final = 64


def read_native(source: Source) -> File:
    """Raises InputError with file, line and column for what Terraform would refuse."""
    if len(source.data) > MAX_BYTES:
        raise InputError(f"{source.path}: {len(source.data)} bytes are too many for one Terraform file")
    root = _parser().parse(source.data).root_node
    if root.has_error:
        return read_exact(source)
    body = Body()
    comments: list[Comment] = []
    for child in root.children:
        if child.type == "body":
            _body(child, source, body, comments, 0)
        elif child.type == "comment":
            comments.append(_comment(child, source))
        elif child.type == "object":  # a lone `{...}`: Terraform has no such file
            return read_exact(source)
    comments.sort(key=lambda c: c.start)
    return File(source, body, tuple(comments))


@lru_cache(maxsize=1)
def _parser() -> Any:
    import tree_sitter
    import tree_sitter_hcl

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))


def _comment(node: Node, source: Source) -> Comment:
    start, end = node.byte_range
    return Comment(start, end, source.data[start:end].decode("utf-8", "replace"))


def _body(node: Node, source: Source, body: Body, comments: list[Comment], depth: int) -> None:
    if depth > MAX_BLOCKS_DEEP:
        raise InputError(f"{source.where(node.start_byte)}: blocks are nested too deeply")
    for child in node.named_children:
        kind = child.type
        if kind == "attribute":
            parts = child.named_children
            first = parts[0]
            value = parts[-1]
            if len(parts) > 2:  # comments between the name, the sign and the value
                comments.extend(_comment(c, source) for c in parts if c.type == "comment")
                value = next(c for c in parts if c.type == "expression")
            start, stop = first.byte_range
            value_start, end = value.byte_range
            name = source.data[start:stop].decode("utf-8", "replace")
            if value.descendant_count > 12:
                _inner_comments(value, source, comments)
            body.add(Attribute(name, source, start, value_start, end, parse_attribute))
        elif kind == "block":
            body.blocks.append(_block(child, source, comments, depth))
        elif kind == "comment":
            comments.append(_comment(child, source))


def _inner_comments(value: Node, source: Source, comments: list[Comment]) -> None:
    """Comments inside a list or object: a waiver may stand there."""
    start, end = value.byte_range
    text = source.data[start:end]
    if b"#" not in text and b"//" not in text and b"/*" not in text:
        return
    queue = list(value.children)
    while queue:
        node = queue.pop()
        if node.type == "comment":
            comments.append(_comment(node, source))
        elif node.child_count:
            queue.extend(node.children)


def _block(node: Node, source: Source, comments: list[Comment], depth: int) -> Block:
    labels: list[str] = []
    type_ = ""
    header_end = node.end_byte
    body = Body()
    for child in node.named_children:
        kind = child.type
        if kind == "identifier":
            text = source.data[child.start_byte : child.end_byte].decode("utf-8", "replace")
            if type_:
                labels.append(text)
            else:
                type_ = text
        elif kind == "string_lit":
            labels.append(_label(source.data[child.start_byte : child.end_byte].decode("utf-8", "replace")))
        elif kind == "block_start":
            header_end = child.end_byte
        elif kind == "body":
            _body(child, source, body, comments, depth + 1)
        elif kind == "comment":
            comments.append(_comment(child, source))
    return Block(type_, tuple(labels), source, node.start_byte, header_end, node.end_byte, body)


def _label(text: str) -> str:
    if "\\" not in text:
        return text[1:-1]
    made = Parser(text, Source("", b""), 0, fixed=True).whole()
    return str(made.value) if isinstance(made, Literal) else text[1:-1]


# --- the exact scanner -----------------------------------------------------------------------------


def read_exact(source: Source) -> File:
    """Reads a file without tree-sitter, refusing what Terraform refuses. Slower; used where tree-sitter is not sure."""
    data = source.data
    skip = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    try:
        text = data[skip:].decode("utf-8")
    except UnicodeDecodeError as e:
        raise InputError(f"{source.where(skip + e.start)}: not UTF-8", "Save the file as UTF-8.") from e
    scanner = Parser(text, source, skip)
    body = Body()
    _exact_body(scanner, source, body, 0)
    return File(source, body, tuple(_scan_comments(scanner, body)))


def _exact_body(p: _Parser, source: Source, body: Body, depth: int) -> None:
    if depth > MAX_BLOCKS_DEEP:
        raise InputError(f"{source.where(p.offset(p.pos))}: blocks are nested too deeply")
    while True:
        p.lines = True
        p.blank()
        if p.pos >= len(p.text):
            if depth:
                raise p.fail("`}` that ends the block")
            return
        if p.text.startswith("}", p.pos) and depth:
            return
        start = p.pos
        name = p.ident("an attribute or a block")
        p.lines = False
        if p.peek("=") and not p.peek("=="):
            p.pos += 1
            p.blank()
            value_start = p.pos
            made = p.expression()
            at = p.offset(p.end())
            body.add(Attribute(name, source, p.offset(start), p.offset(value_start), at, made))
            _line_end(p, depth)
            continue
        labels: list[str] = []
        while not p.peek("{"):
            if p.peek('"'):
                label = p._term()
                if not (isinstance(label, Literal) and isinstance(label.value, str)):
                    raise p.fail("a plain string as block label")
                labels.append(label.value)
            else:
                labels.append(p.ident("`=`, a block label or `{`"))
        p.pos += 1
        header_end = p.offset(p.pos)
        inner = Body()
        _exact_body(p, source, inner, depth + 1)
        p.pos += 1
        body.blocks.append(
            Block(name, tuple(labels), source, p.offset(start), header_end, p.offset(p.pos), inner)
        )
        _line_end(p, depth)


def _line_end(p: _Parser, depth: int) -> None:
    p.lines = False
    p.blank()
    rest = p.text[p.pos : p.pos + 1]
    if rest in ("", "\n") or (rest == "}" and depth):
        return
    if p.text.startswith("\n", p.pos - 1):  # a heredoc or line comment took the break
        return
    raise p.fail("a new line")


def _scan_comments(p: _Parser, body: Body) -> list[Comment]:
    """Comments between the tokens: whatever begins a comment outside strings and heredocs.

    Found by walking the gaps that attributes leave, so that a `#` in a string is never one.
    """
    import re

    spans: list[tuple[int, int]] = []

    def visit(b: Body) -> None:
        for a in (*b.attributes.values(), *b.repeated):
            spans.append((a.value_start, a.end))
        for block in b.blocks:
            visit(block.body)

    visit(body)
    data = p.source.data
    found: list[Comment] = []
    at = 0
    for start, end in [*sorted(spans), (len(data), len(data))]:
        for m in re.finditer(rb"#[^\n]*|//[^\n]*|/\*.*?\*/", data[at:start], re.DOTALL):
            found.append(Comment(at + m.start(), at + m.end(), m.group().decode("utf-8", "replace").rstrip("\r")))
        at = max(at, end)
    return found
