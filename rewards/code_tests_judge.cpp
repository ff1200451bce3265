#include "rewards/code_tests_python.h"

namespace hone {

// In the first sandbox, with the tests.
const std::string_view code_tests_judge = R"python("""Runs tests against a program that is in another sandbox, behind descriptor 3, and prints one verdict."""
import ast
import builtins
import json
import os
import signal
import sys

import plain


class TimeUp(BaseException):
    pass


class Failed(AssertionError):
    """The program did what no test can pass; remembered, whoever catches this."""


class Program:
    """The other side. Everything that comes back is plain data or an opaque Object."""

    def __init__(self):
        self.asked = 0
        self.broken = self.unusable = ""
        self.callbacks = []
        try:
            hello = plain.receive()
            if "failed" in hello:
                self.broken = str(hello["failed"])[:500]
        except (plain.Broken, OSError) as error:
            self.broken = f"{error} while it was loaded"

    def fail(self, why):
        self.broken = self.broken or why
        raise Failed(why)

    def ask(self, do, on, args=(), named=None):
        if self.broken:
            raise Failed(self.broken)
        self.asked += 1
        args, identity = list(args), self.asked
        try:
            plain.send({"id": identity, "do": do, "on": on, "args": plain.encode(args, self.keep),
                        "named": plain.encode(named or {}, self.keep)})
            reply = plain.receive()
            while "callback" in reply:
                plain.send(self.called_back(reply))
                reply = plain.receive()
            if reply.get("id") != identity:
                self.fail("an answer to another question")
            if "error" in reply:
                self.raise_error(reply)
            value = plain.decode(reply.get("value"), self.find)
            # A function that returns something has no say over what the test compares it with.
            if value is None and "after" in reply:
                update(args, plain.decode(reply["after"], self.find))
            return value
        except (plain.Broken, OSError) as error:
            self.fail(str(error))
        except plain.NotPlain as error:  # what the tests give, never what the program gives
            self.unusable = str(error)
            raise

    def raise_error(self, reply):
        words = str(reply["error"])[:500]
        kinds = reply.get("kinds")
        for name in kinds if type(kinds) is list else []:
            kind = getattr(builtins, name, None) if type(name) is str else None
            if not isinstance(kind, type) or not issubclass(kind, Exception):
                continue
            if issubclass(kind, AssertionError):
                raise Failed(words)
            try:
                error = kind(*plain.decode(reply.get("args", []), self.find))
            except (TypeError, ValueError):
                error = kind()
            raise error
        self.fail(words)  # an exit or an interrupt: no test expects it

    def keep(self, value):
        if type(value) in (Object, Name):
            return object.__getattribute__(value, "_reference")
        if hasattr(value, "__next__"):
            return {"iterator": [plain.encode(item, self.keep) for item in value]}
        if callable(value):
            self.callbacks.append(value)
            return {"callback": len(self.callbacks) - 1}
        raise plain.NotPlain(f"a test gives the program a {type(value).__name__}, which is no plain data")

    def find(self, tag, content):
        if tag == "object":
            return Object(self, {"object": [int(content[0]), str(content[1])]})
        if tag == "builtin" and isinstance(getattr(builtins, content, None), type):
            return getattr(builtins, content)
        if tag == "callback":
            return self.callbacks[content]
        raise ValueError(tag)

    def called_back(self, request):
        try:
            function = self.callbacks[request["callback"]]
            value = function(*plain.decode(request["args"], self.find),
                             **plain.decode(request["named"], self.find))
            return {"value": plain.encode(value, self.keep)}
        except plain.Broken:
            raise
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"[:500]}


class Object:
    """Something of the program's that is no plain data. It can be used, never compared: no test passes by its own word."""

    def __init__(self, program, reference):
        object.__setattr__(self, "_program", program)
        object.__setattr__(self, "_reference", reference)

    def _do(self, do, *args, **named):
        own = object.__getattribute__
        return own(self, "_program").ask(do, own(self, "_reference"), args, named)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._do("get", name)

    def _refuse(self, *_):
        object.__getattribute__(self, "_program").fail("an object that is no plain data was compared")

    __setattr__ = lambda self, name, value: self._do("set", name, value)
    __call__ = lambda self, *args, **named: self._do("call", *args, **named)
    __getitem__ = lambda self, key: self._do("item", key)
    __setitem__ = lambda self, key, value: self._do("set_item", key, value)
    __len__ = lambda self: self._do("len")
    __iter__ = lambda self: self._do("iter")
    __str__ = lambda self: self._do("str")
    __repr__ = lambda self: self._do("repr")
    __int__ = lambda self: self._do("int")
    __float__ = lambda self: self._do("float")
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __hash__ = __contains__ = _refuse

    def __next__(self):
        return self._do("next")


class Name(Object):
    """A global of the program, by its name."""


def update(old, new):
    """Makes `old` equal to `new` in place, so that what the program did to its arguments is seen by the test."""
    if type(old) is list and type(new) is list:
        merged = [merge(old[i], new[i]) if i < len(old) else new[i] for i in range(len(new))]
        old[:] = merged
    elif type(old) is dict and type(new) is dict:
        merged = {key: merge(old[key], value) if key in old else value for key, value in new.items()}
        old.clear()
        old.update(merged)
    elif isinstance(old, (set, dict)) and type(old) is type(new):
        old.clear()
        old.update(new)
    elif type(old) is bytearray and type(new) is bytearray:
        old[:] = new
    elif type(old).__name__ == "deque" and type(old) is type(new):
        old.clear()
        old.extend(new)


def merge(old, new):
    if type(old) is not type(new) or type(old) in (int, str, float, bool, tuple):
        return new
    if isinstance(old, (list, dict, set, bytearray)) or type(old).__name__ == "deque":
        update(old, new)
        return old
    return new


class Counted(ast.NodeTransformer):
    """Every assert on its own: passed when it ran and never failed. Asserts of a constant do not count."""

    def __init__(self, keep_going):
        self.keep_going, self.count = keep_going, 0

    def visit_Assert(self, node):
        if isinstance(node.test, ast.Constant):
            return node
        note = lambda word: ast.Expr(ast.Call(ast.Name("__note__", ast.Load()),
                                              [ast.Constant(self.count), ast.Constant(word)], []))
        caught = [note("failed")] if self.keep_going else [note("failed"), ast.Raise()]
        handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, caught)
        counted = ast.copy_location(ast.Try([node, note("ran")], [handler], [], []), node)
        self.count += 1
        return counted


class Tests:
    def __init__(self, task, program):
        self.task, self.program = task, program
        self.scope = {"__name__": "tests", "__builtins__": builtins, "__note__": self.note}
        self.state, self.first = {}, ""

    def note(self, number, word):
        if word == "failed" and not self.first:
            error = sys.exc_info()[1]
            self.first = f"{type(error).__name__}: {error}"[:500]
        self.state[number] = "failed" if "failed" in (word, self.state.get(number)) else "ran"

    def run(self):
        """Passed and all tests."""
        task = self.task
        counted = Counted(task["share"])
        tree = ast.fix_missing_locations(counted.visit(ast.parse(task["tests"])))
        setup = compile(task["setup"], "setup", "exec")
        self.trusted_names(task)
        self.remote_names(ast.parse(task["setup"] + "\n" + task["tests"]))
        ended = False
        try:
            if not self.program.broken:
                exec(setup, self.scope)
                exec(compile(tree, "tests", "exec"), self.scope)
                if task["entry_point"] and callable(self.scope.get("check")):
                    self.scope["check"](self.scope[task["entry_point"]])
                ended = True
        except Exception as error:
            self.first = self.first or f"{type(error).__name__}: {error}"[:500]
        if self.program.unusable:
            raise ValueError(self.program.unusable)
        passed = sum(word == "ran" for word in self.state.values())
        if ended and not self.program.broken:
            if self.program.asked == 0 or counted.count > 0 and not self.state:
                raise ValueError("the tests ask nothing of the program")
            return (passed, len(self.state)) if self.state else (1, 1)
        total = max(counted.count, 1)
        return min(passed, total - 1), total

    def trusted_names(self, task):
        """Imports and helper functions that tests use come from the task, not from the program."""
        for text in (task["prompt"], task["prompt"] + "\n    pass\n"):
            try:
                exec(compile(text, "prompt", "exec"), self.scope)
                break
            except Exception:
                continue
        self.given = set(self.scope)
        for node in top_level(task["reference"]):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                try:
                    exec(compile(ast.Module([node], []), "imports", "exec"), self.scope)
                except Exception:
                    continue

    def remote_names(self, tree):
        """What the tests use and nobody has defined is the program's; so is what the reference solution defines."""
        bound, used, called = set(), set(), set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                bound.add(node.name)
            elif isinstance(node, ast.arg):
                bound.add(node.arg)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                called.add(node.func.id)
            elif isinstance(node, ast.alias):
                bound.add((node.asname or node.name).split(".")[0])
        solution = {node.name for node in top_level(self.task["reference"])
                    if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        entry = self.task["entry_point"]
        for name in (used | {entry}) - {""}:
            if name == entry or name in solution - bound - self.given:
                self.scope[name] = Name(self.program, {"global": name})
            elif name in bound or name in self.scope or hasattr(builtins, name):
                continue
            elif name in sys.stdlib_module_names and name not in called:
                self.scope[name] = __import__(name)
            else:
                self.scope[name] = Name(self.program, {"global": name})


def top_level(text):
    try:
        return ast.parse(text).body
    except (SyntaxError, ValueError):
        return []


def main():
    verdict = os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    task = json.load(sys.stdin)
    if "random" in task["setup"] + task["tests"] + task["prompt"] + task["reference"]:
        import random
        random.seed(task["seed"])
    sys.setrecursionlimit(5000)

    late = []

    def time_up(*_):
        late.append(True)
        raise TimeUp

    passed, total, why, unusable = 0, 1, "", ""
    signal.signal(signal.SIGALRM, time_up)
    try:
        signal.setitimer(signal.ITIMER_REAL, task["seconds"], 0.2)
        program = Program()
        tests = Tests(task, program)
        passed, total = tests.run()
        why = program.broken or tests.first
        signal.setitimer(signal.ITIMER_REAL, 0)
    except TimeUp:
        passed = 0
    except (SyntaxError, ValueError, KeyError, RecursionError) as error:
        unusable = f"{type(error).__name__}: {error}"[:500]
    signal.setitimer(signal.ITIMER_REAL, 0)
    if late:
        passed, why = min(passed, total - 1), "the time was over"
    json.dump({"nonce": task["nonce"], "passed": passed, "total": total, "why": why, "unusable": unusable}, verdict)
    verdict.flush()
    os._exit(0)


main()
)python";

}  // namespace hone
