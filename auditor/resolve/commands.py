"""Reads shell command lines as far as a linter must: which programs they run, in any part of a pipe.

Nothing is run and nothing is expanded. Quotes, comments, here-documents, command substitution, `sh -c "..."`, assignments
before a command and wrappers such as `sudo` are understood; what follows a program is used to tell its command, never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from auditor.lagfacts import Program

_SHELLS: Final = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash", "cmd", "pwsh", "powershell"})
_INTERPRETERS: Final = frozenset({"python", "python3", "node", "ruby", "perl", "php"})
_WRAPPERS: Final = frozenset(
    {"sudo", "env", "nohup", "time", "timeout", "exec", "command", "xargs", "nice", "then", "do", "else", "if", "while", "until"}
    | {"!", "eval", "retry", "stdbuf", "setsid"}
)
# Options of wrappers that take the next word as their value, where it is not joined to them.
_VALUED: Final = {
    "sudo": "ughpCrtUDRT", "env": "uCS", "timeout": "ks", "nice": "n", "xargs": "InPLdaEs", "time": "fo", "stdbuf": "ioe",
    "exec": "a", "retry": "tdm",
}  # fmt: skip
_ASSIGNMENT: Final = re.compile(r"\$?(?:env:)?[A-Za-z_]\w*=")
_HEREDOC: Final = re.compile(r"<<-?\s*(['\"]?)([A-Za-z_]\w*)\1")
_WORD: Final = re.compile(r"[a-z][a-z0-9_-]{0,40}")
_URL: Final = re.compile(r"https?://([^/\s'\"]+)", re.IGNORECASE)
_WRITING: Final = re.compile(
    r"(?:^|\s)(?:-[A-Za-z]*X\s?|--request[\s=]|--method[\s=]|-m\s)['\"]?(?i:POST|PUT|PATCH|DELETE)\b"
    r"|(?:^|\s)(?:-[A-Za-z]*[dFT]|--(?:data|form|post)\S*|--upload-file|--json|-Body)(?:[\s=@]|$)"
    r"|(?:^|\s)-Method\s+(?i:POST|PUT|PATCH|DELETE)\b"
)
_FLAGS: Final = frozenset({"--debug", "--quiet", "-q", "--verbose", "-v", "--help", "--version"})  # options without a value
_MAX_DEPTH: Final = 8
_CLOUD_URL: Final = re.compile(r"[a-z0-9]+://")
_NO_CHANGE: Final = re.compile(r"--dry-run(=(client|server|true))?|--dryrun|--help")


class Call(NamedTuple):
    """One program run: `shown` is the program and its command words, `script` a file whose content is not seen."""

    shown: str
    script: bool = False


def calls(text: str, programs: Mapping[str, Program], hosts: Sequence[re.Pattern[str]], depth: int = 0) -> list[Call]:
    """The cloud calls of a command line that are not read-only, and the scripts it runs, in order, each once."""
    found: dict[Call, None] = {}
    if depth > _MAX_DEPTH:
        return []
    for words in _commands(text):
        for call in _call(words, programs, hosts, depth):
            found.setdefault(call)
    return list(found)


def _commands(text: str) -> Iterator[list[str]]:
    """The simple commands of a text, each as its words; quotes removed."""
    text = _without_heredocs(text.replace("\\\r\n", " ").replace("\\\n", " "))
    words: list[str] = []
    word: list[str] | None = None
    i, n = 0, len(text)
    while i < n:
        c = text[i]
        if c in "'\"":
            word = word if word is not None else []
            i += 1
            while i < n and text[i] != c:
                if text[i] == "\\" and c == '"' and i + 1 < n:
                    i += 1
                elif c == '"' and text.startswith("$(", i):
                    inner, i = _substitution(text, i + 2)
                    yield from _commands(inner)
                    word.append("$")
                    continue
                word.append(text[i])
                i += 1
            i += 1
            continue
        if text.startswith(("$(", "<(", ">("), i):
            inner, i = _substitution(text, i + 2)
            yield from _commands(inner)
            word = [*(word or []), "$"]
            continue
        if c == "`":
            end = text.find("`", i + 1)
            end = n if end < 0 else end
            yield from _commands(text[i + 1 : end])
            word = [*(word or []), "$"]
            i = end + 1
            continue
        if c == "#" and word is None:
            end = text.find("\n", i)
            i = n if end < 0 else end
            continue
        if c == "\\" and i + 1 < n:
            word = [*(word or []), text[i + 1]]
            i += 2
            continue
        if text.startswith("${", i):
            end = text.find("}", i)
            end = n - 1 if end < 0 else end
            word = [*(word or []), text[i : end + 1]]
            i = end + 1
            continue
        if c in " \t\r":
            if word is not None:
                words.append("".join(word))
                word = None
        elif c in "\n;|&(){}" and not (c in "{}" and word is not None):
            if word is not None:
                words.append("".join(word))
                word = None
            if words:
                yield words
            words = []
        else:
            word = word if word is not None else []
            word.append(c)
        i += 1
    if word is not None:
        words.append("".join(word))
    if words:
        yield words


def _substitution(text: str, start: int) -> tuple[str, int]:
    """The text inside `$( ... )` and the index after it; nested ones are kept inside."""
    depth, i = 1, start
    while i < len(text):
        if text[i] == "(":
            depth += 1
        elif text[i] == ")":
            depth -= 1
            if depth == 0:
                return text[start:i], i + 1
        i += 1
    return text[start:], len(text)


def _without_heredocs(text: str) -> str:
    """Bodies of here-documents removed, unless they are fed to a shell."""
    lines = text.split("\n")
    kept: list[str] = []
    i = 0
    while i < len(lines):
        line = lines[i]
        kept.append(line)
        i += 1
        match = _HEREDOC.search(line)
        if match is None:
            continue
        head = line[: match.start()].split()
        shell = bool(head) and _basename(head[-1]) in _SHELLS
        kept[-1] = line[: match.start()] + line[match.end() :]
        while i < len(lines) and lines[i].strip() != match.group(2):
            if shell:
                kept.append(lines[i])
            i += 1
        i += 1
    return "\n".join(kept)


def _basename(word: str) -> str:
    return re.split(r"[/\\]", word)[-1].lower().removesuffix(".exe").removesuffix(".cmd")


def is_language(program: str) -> bool:
    """Whether a program runs a language of its own, in which nothing is searched for calls."""
    name = _basename(program)
    return name in _INTERPRETERS or re.fullmatch(r"python3\.\d+", name) is not None


def quoted(word: str) -> str:
    """A word as a shell would have it written."""
    return "'" + word.replace("'", "'\\''") + "'" if re.search(r"[\s'\"|;&$`<>(){}#]", word) else word


def interpreted(interpreter: Sequence[str], text: str) -> str:
    """The command line that an interpreter makes of a text: a shell reads it, any other program takes it as its last word."""
    if not interpreter or _basename(interpreter[0]) in _SHELLS:
        return text
    return " ".join(quoted(w) for w in (*interpreter, text))


def _call(
    words: list[str], programs: Mapping[str, Program], hosts: Sequence[re.Pattern[str]], depth: int
) -> Iterator[Call]:
    wrapped = ""
    while words and (_ASSIGNMENT.match(words[0]) or _basename(words[0]) in _WRAPPERS):
        wrapped = wrapper = _basename(words[0])
        words = words[1:]
        if wrapper in _WRAPPERS:
            while words and (words[0].startswith("-") or re.fullmatch(r"\d+(\.\d+)?[smhd]?", words[0])):
                valued = re.fullmatch(rf"-\w*[{_VALUED.get(wrapper, '-')}]", words[0])
                words = words[2:] if valued else words[1:]
    if not words or (words == ["$"] and wrapped == "eval"):  # what a command printed is taken for assignments
        return
    name = _basename(words[0])
    if name in _SHELLS:
        yield from _shell(words[1:], programs, hosts, depth)
        return
    if is_language(words[0]):
        script = next((w for w in words[1:] if not w.startswith("-")), "")
        if script or "-c" in words or "-" in words or len(words) == 1:
            yield Call(name, True)
        return
    families = (p for n, p in programs.items() if n[-1] == "*" and name.startswith(n[:-1]))
    program = programs.get(name) or next(families, None)
    foreign = program is None or "$" in words[0].rpartition("/")[2]
    shell = words[0].startswith((".", "source")) or words[0].endswith((".sh", ".ps1", ".py", ".bat"))
    if foreign and (shell or "${path." in words[0]):
        yield Call("a script", True)
        return
    if words[0].startswith("$"):
        yield Call("a command that is computed", True)
        return
    if program is None:
        if "--" in words:  # `aws-vault exec profile -- aws ...`
            yield from _call(words[words.index("--") + 1 :], programs, hosts, depth)
        return
    if program.cmdlet:
        yield Call(words[0])
        return
    rest = " ".join(words[1:])
    if program.url_only:
        named = [m.group(1).rpartition("@")[2].partition(":")[0].lower() for m in _URL.finditer(rest)]
        if any(p.search(host) for host in named for p in hosts) and _WRITING.search(rest):
            yield Call(name)
        elif not any("$" not in host for host in named) and "$" in rest and _WRITING.search(rest):
            yield Call(f"`{name}` with an address that is computed", True)
        return
    command = _command_words(words[1:], program)
    if not command and any("$" in w for w in words[1:]):
        yield Call(f"`{name}` with a command that is computed", True)
        return
    spelled = " ".join(command)
    if any(re.fullmatch(pattern, spelled) for pattern in program.read_only):
        return
    if any(_NO_CHANGE.fullmatch(w) for w in words) or (spelled in program.methods and not _WRITING.search(rest)):
        return
    if any(re.fullmatch(pattern, spelled) for pattern in program.copies) and _fetches(words[1:], command):
        return
    yield Call(" ".join([name, *command]))


def _fetches(words: Sequence[str], command: Sequence[str]) -> bool:
    """Whether a copy ends on this machine: its second operand names no store of the cloud."""
    at = 0
    for word in command:
        at = words.index(word, at) + 1
    operands = [w for w in words[at:] if not w.startswith("-")]
    return len(operands) > 1 and "$" not in operands[1] and not _CLOUD_URL.match(operands[1])


def _shell(
    words: list[str], programs: Mapping[str, Program], hosts: Sequence[re.Pattern[str]], depth: int
) -> Iterator[Call]:
    for i, word in enumerate(words):
        if re.fullmatch(r"-\w*c|/c|-command", word, re.IGNORECASE):
            rest = words[i + 1 :] if word.startswith("/") else words[i + 1 : i + 2]
            yield from calls(" ".join(rest), programs, hosts, depth + 1)
            return
        if not word.startswith("-"):
            yield Call("a script", True)
            return


def _command_words(words: Sequence[str], program: Program) -> list[str]:
    """The words that name the command: an option before it is taken to have a value, so that no value is ever shown."""
    found: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
            continue
        if word.startswith("-"):
            if len(found) > 1:  # of a service alone its command still has to come
                break
            skip = "=" not in word and not word.startswith("--no-") and word not in _FLAGS and word not in program.flags
            continue
        if not _WORD.fullmatch(word):
            break
        found.append(word)
        if len(found) >= program.words or word in program.verbs:
            break
    return found
