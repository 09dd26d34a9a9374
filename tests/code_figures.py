"""Print what the shape of the code comes to, as a Markdown table: `python -m tests.code_figures [ROOT]`.

Read from the syntax of `pipeline/` and `detectors/` under ROOT; nothing is imported or run. How each is counted:

- Import circles: groups of modules that reach one another by imports, those inside functions too. `from package import
  name` leads to the submodule of that name, else to the package's own file. To import a submodule is not to import its
  package: a package that hands on what its submodules define is no circle, unless one of them takes a name back from
  it. Imports under `if TYPE_CHECKING` never run: they count in the second figure only.
- `Any`: the name as a token, outside import statements, comments and strings; then with import statements.
- What functions return: the annotation and all inside it, a `Callable` apart, quoted types read, and names that stand
  for a type at the top of any module replaced by that type. `tuple[str, ...]` has no fields.
- Parameters: of every kind, `*args` and `**kwargs` as one each; a first `self` or `cls` is not counted.
- Names of more than one type: annotated with different types anywhere in both packages, compared as written, without
  `| None` and quotes. Fields of classes and what has no annotation are left out: it is the least there are.
- Records around a dict: data classes, named tuples, typed dicts and pydantic models whose body has one field, a dict.
- Loggers: modules that keep one under a name. To silence another library's is not to have one.
- SQL: strings, f-strings too, that begin like a statement in capitals; no docstrings.
- Code lines: no blanks, no comments, no docstrings.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WIDTH, LONG_FILE, MANY_PARAMETERS, MANY_FIELDS, WORST = 120, 250, 8, 3, 5
DICTS = {"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict", "Counter", "ChainMap"}
RECORDS = {"dataclass", "NamedTuple", "TypedDict", "BaseModel"}
FORMATTER_OFF = re.compile(r"#\s*fmt:\s*(skip|off)\b")
SQL = re.compile(
    r"\s*(SELECT\s(.*\bFROM\b|\s*$)|INSERT\s(OR\s[A-Z]+\s)?INTO\b|UPDATE\s.*\bSET\b|DELETE\sFROM\b|WITH\s.*\bAS\b.*\()",
    re.S,
)
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name, its place under the root, and its text."""

    name: str
    path: Path
    source: str

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the syntax, the module itself first."""
        return list(ast.walk(ast.parse(self.source)))

    @cached_property
    def functions(self) -> list[Function]:
        """Every function and method, nested ones too."""
        return [node for node in self.nodes if isinstance(node, Function)]

    @cached_property
    def tokens(self) -> list[tokenize.TokenInfo]:
        """The tokens, comments among them."""
        return list(tokenize.generate_tokens(io.StringIO(self.source).readline))

    def code_lines(self) -> int:
        """Count the lines that hold code."""
        alone = {(node.lineno, node.col_offset) for node in self.nodes if isinstance(node, ast.Expr)}
        code = [t for t in self.tokens if t.type not in NO_CODE]
        code = [t for t in code if t.type != tokenize.STRING or t.start not in alone]
        return len({line for token in code for line in range(token.start[0], token.end[0] + 1)})

    def any_tokens(self, *, imports: bool) -> int:
        """Count the uses of `Any`."""
        nodes = [n for n in self.nodes if isinstance(n, ast.Import | ast.ImportFrom) and not imports]
        apart = {line for n in nodes for line in range(n.lineno, (n.end_lineno or n.lineno) + 1)}
        return sum(t.type == tokenize.NAME and t.string == "Any" and t.start[0] not in apart for t in self.tokens)

    def sql(self) -> int:
        """Count the strings that begin like an SQL statement."""
        joined = [node.values for node in self.nodes if isinstance(node, ast.JoinedStr)]
        apart = {id(part) for parts in joined for part in parts}
        apart |= {id(node.value) for node in self.nodes if isinstance(node, ast.Expr)}
        texts = [n.value for n in self.nodes if isinstance(n, ast.Constant) and id(n) not in apart]
        texts += ["".join(str(p.value) if isinstance(p, ast.Constant) else "?" for p in parts) for parts in joined]
        return sum(isinstance(text, str) and SQL.match(text) is not None for text in texts)

    def has_logger(self) -> bool:
        """Whether the module keeps a logger under a name."""
        kept = [n.value for n in self.nodes if isinstance(n, ast.Assign | ast.AnnAssign | ast.NamedExpr)]
        return any(isinstance(value, ast.Call) and last(value) == "getLogger" for value in kept)


class Types:
    """What the names in annotations stand for, followed through the modules that import them."""

    def __init__(self, modules: Sequence[Module]) -> None:
        self._aliases: dict[tuple[str, str], ast.expr] = {}
        self._imports: dict[tuple[str, str], tuple[str, str]] = {}
        for module in modules:
            for node in [node for node in module.nodes if isinstance(node, ast.ImportFrom)]:
                here = {(module.name, alias.asname or alias.name): alias.name for alias in node.names}
                self._imports |= {place: (node.module or "", name) for place, name in here.items()}
            for top in ast.iter_child_nodes(module.nodes[0]):
                if isinstance(top, ast.Assign | ast.AnnAssign) and top.value is not None:
                    names = top.targets if isinstance(top, ast.Assign) else [top.target]
                    self._aliases |= {(module.name, n.id): top.value for n in names if isinstance(n, ast.Name)}

    def inside(self, module: str, node: ast.expr, seen: frozenset[tuple[str, str]] = frozenset()) -> Iterator[ast.expr]:
        """Yield a type and all the types inside it, names replaced by what they stand for."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node = ast.parse(node.value.strip(), mode="eval").body
        place = self._place(module, ast.unparse(node))
        if place in self._aliases and place not in seen:
            yield from self.inside(place[0], self._aliases[place], seen | {place})
            return
        yield node
        if isinstance(node, ast.Subscript) and last(node) in {"Annotated", "Callable", "Literal"}:
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from self.inside(module, child, seen)

    def _place(self, module: str, name: str) -> tuple[str, str]:
        """Return the module that defines a name, bare or behind its module's, and the name there."""
        seen: set[tuple[str, str]] = set()
        while (module, name) not in seen and (module, name.partition(".")[0]) in self._imports:
            seen.add((module, name))
            first, _, rest = name.partition(".")
            source, original = self._imports[module, first]
            module, name = (f"{source}.{original}", rest) if rest else (source, original)
        return module, name


def last(node: ast.AST) -> str:
    """Return the last part of a dotted name, whether called, subscripted or bare."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def read(root: Path) -> list[Module]:
    """Return every module of the packages under a root."""
    paths = [path for package in ("pipeline", "detectors") for path in sorted((root / package).rglob("*.py"))]
    places = [(path.relative_to(root), path.read_text(encoding="utf-8")) for path in paths]
    return [Module(".".join(p.with_suffix("").parts).removesuffix(".__init__"), p, text) for p, text in places]


def circles(modules: Sequence[Module], *, typing: bool) -> list[list[str]]:
    """Return the groups of modules that import one another, directly or through others."""
    known = {module.name for module in modules}
    leads = {module.name: set(_imported(module, known, typing)) for module in modules}
    reached: dict[str, set[str]] = {}
    for start in leads:
        reached[start], waiting = set(), [start]
        while waiting:
            new = leads[waiting.pop()] - reached[start]
            reached[start] |= new
            waiting += new
    groups = {frozenset(b for b in reached[a] if a in reached[b]) for a in leads}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def _imported(module: Module, known: set[str], typing: bool) -> Iterator[str]:
    waiting = module.nodes[:1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and last(node.test) == "TYPE_CHECKING" and not typing:
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            if node.level:
                raise SystemExit(f"{module.path}:{node.lineno}: a relative import, which is not followed")
            names = [full if (full := f"{node.module}.{name}") in known else f"{node.module}" for name in names]
        yield from known & set(names)


def returning(types: Types, modules: Sequence[Module], wanted: Callable[[ast.expr], bool]) -> int:
    """Count the functions whose return annotation has a wanted type in it."""
    returns = [(module.name, function.returns) for module in modules for function in module.functions]
    return sum(node is not None and any(wanted(part) for part in types.inside(name, node)) for name, node in returns)


def is_open_dict(node: ast.expr) -> bool:
    """Whether a type is `dict[str, Any]` or `Mapping[str, Any]`."""
    return last(node) in {"dict", "Mapping"} and [last(one) for one in arguments(node)] == ["str", "Any"]


def arguments(node: ast.expr) -> list[ast.expr]:
    """Return what stands in a type's brackets, if it is more than one thing."""
    return node.slice.elts if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) else []


def parameters(function: Function) -> list[ast.arg]:
    """Return a function's parameters, without a first `self` or `cls`."""
    given = function.args
    plain = [*given.posonlyargs, *given.args]
    rest = [*given.kwonlyargs, *(one for one in (given.vararg, given.kwarg) if one)]
    return [*(plain[1:] if plain and plain[0].arg in {"self", "cls"} else plain), *rest]


def types_of_names(modules: Sequence[Module]) -> dict[str, set[str]]:
    """Return the different types of each parameter and variable that has several."""
    found = defaultdict(set)
    for module in modules:
        fields = {id(field) for node in module.nodes if isinstance(node, ast.ClassDef) for field in node.body}
        given = [(one.arg, one.annotation) for function in module.functions for one in parameters(function)]
        assigned = [n for n in module.nodes if isinstance(n, ast.AnnAssign) and id(n) not in fields]
        given += [(one.target.id, one.annotation) for one in assigned if isinstance(one.target, ast.Name)]
        for name, annotation in given:
            if annotation is not None:
                found[name].add(ast.unparse(annotation).strip("'").removesuffix(" | None"))
    return {name: types for name, types in found.items() if len(types) > 1}


def dict_records(types: Types, modules: Sequence[Module]) -> list[str]:
    """Return the names of the records whose only field is a dict."""
    found = []
    for module, node in [(m, n) for m in modules for n in m.nodes if isinstance(n, ast.ClassDef)]:
        marked = RECORDS & {last(one) for one in (*node.decorator_list, *node.bases)}
        fields = [one.annotation for one in node.body if isinstance(one, ast.AnnAssign)]
        fields = [one for one in fields if last(one) != "ClassVar"]
        if marked and len(fields) == 1 and last(next(types.inside(module.name, fields[0]))) in DICTS:
            found.append(f"{module.name}.{node.name}")
    return found


def figures(modules: Sequence[Module]) -> dict[str, int | str]:
    """Return the value of every figure by its name."""
    types, several = Types(modules), types_of_names(modules)
    texts = {module.path.as_posix(): module.source.splitlines() for module in modules}
    widths = [len(line) for lines in texts.values() for line in lines]
    longest = max(texts, key=lambda path: len(texts[path]))
    loose = [m for m in modules if m.path.parent == Path("pipeline") and not m.path.stem.startswith("__")]
    worst = sorted(several, key=lambda name: (-len(several[name]), name))[:WORST]
    comments = [t.string for m in modules for t in m.tokens if t.type == tokenize.COMMENT]
    many = [f for m in modules for f in m.functions if len(parameters(f)) >= MANY_PARAMETERS]
    tuples = returning(types, modules, lambda t: last(t) in {"tuple", "Tuple"} and len(arguments(t)) >= MANY_FIELDS)
    return {
        "loose modules in `pipeline/`": len(loose),
        "import circles": listed([" / ".join(group) for group in circles(modules, typing=False)]),
        "import circles, imports for types too": listed([" / ".join(group) for group in circles(modules, typing=True)]),
        "uses of `Any`": sum(m.any_tokens(imports=False) for m in modules),
        "uses of `Any`, import statements too": sum(m.any_tokens(imports=True) for m in modules),
        "functions that return `dict[str, Any]` or `Mapping[str, Any]`": returning(types, modules, is_open_dict),
        f"functions that return a tuple of {MANY_FIELDS} fields or more": tuples,
        "comments that switch the formatter off": sum(FORMATTER_OFF.search(text) is not None for text in comments),
        f"lines over {WIDTH} characters": sum(width > WIDTH for width in widths),
        "longest line, in characters": max(widths),
        f"functions with {MANY_PARAMETERS} parameters or more": len(many),
        "names of more than one type": listed([f"`{n}` {len(several[n])}" for n in worst], len(several)),
        "records that only wrap a dict": listed(dict_records(types, modules)),
        "modules with a logger": sum(m.has_logger() for m in modules),
        "SQL statements outside `pipeline/store`": sum(m.sql() for m in modules if "store" not in m.path.parts[:2]),
        "code lines": sum(m.code_lines() for m in modules),
        "files": len(modules),
        "longest file, in lines": f"{len(texts[longest])}: {longest}",
        f"files over {LONG_FILE} lines": sum(len(lines) > LONG_FILE for lines in texts.values()),
    }


def listed(names: Sequence[str], count: int | None = None) -> int | str:
    """Return how many names there are, and which; or the first of a greater count."""
    return f"{count or len(names)}: {', '.join(names)}" if names else 0


def main(root: Path) -> None:
    """Print the table."""
    modules = read(root)
    if not modules:
        raise SystemExit(f"{root}: no pipeline/ and no detectors/ with Python in them")
    print("| figure | value |\n| --- | --- |")
    for name, value in figures(modules).items():
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
