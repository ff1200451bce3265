#include "rewards/code_tests_python.h"

namespace hone {

// In the second sandbox, with the program.
const std::string_view code_tests_candidate = R"python("""Runs the program and calls what it defines. Descriptor 3 leads to the tests, which are in another sandbox."""
import sys

import plain


def main():
    sys.setrecursionlimit(5000)
    scope = {"__name__": "program", "__builtins__": __builtins__}
    objects = []
    try:
        run_file("prelude.py", scope, True)
        run_file("program.py", scope, False)
    except BaseException as error:
        plain.send({"failed": describe(error)})
        return
    plain.send({"ready": True})
    while True:
        try:
            message = plain.receive()
        except plain.Broken:
            return
        plain.send(answer(message, scope, objects))


def run_file(name, scope, may_fail):
    with open(name, encoding="utf-8") as file:
        text = file.read()
    try:
        exec(compile(text, name, "exec"), scope)
    except Exception:  # a prompt may be no program by itself
        if not may_fail:
            raise


def describe(error):
    return f"{type(error).__name__}: {error}"[:500]


def answer(message, scope, objects):
    """Does what one request asks for. A result that is not plain stays here and is named by a number."""
    def keep(value):
        objects.append(value)
        return {"object": [len(objects) - 1, type(value).__name__]}

    def find(tag, content):
        if tag == "object":
            return objects[content[0]]
        if tag == "global":
            return scope[content]
        if tag == "builtin":
            import builtins
            return getattr(builtins, content)
        if tag == "iterator":
            return iter([plain.decode_one(item, find) for item in content])
        if tag == "callback":
            return lambda *args, **named: call_back(content, args, named)
        raise ValueError(tag)

    def call_back(number, args, named):
        plain.send({"callback": number, "args": plain.encode(list(args), keep),
                            "named": plain.encode(named, keep)})
        reply = plain.receive()
        while "do" in reply:  # the tests' function calls the program
            plain.send(answer(reply, scope, objects))
            reply = plain.receive()
        if "value" not in reply:
            raise RuntimeError(reply.get("error", "the tests' function failed"))
        return plain.decode(reply["value"], find)

    identity = message["id"]
    try:
        args = plain.decode(message["args"], find)
        named = plain.decode(message.get("named", {"dict": []}), find)
        sent = message["args"]
        value = operate(message["do"], plain.decode(message["on"], find), args, named)
        reply = {"id": identity, "value": plain.encode(value, keep)}
        after = plain.encode(args, keep)
        if after != sent:
            reply["after"] = after
        return reply
    except BaseException as error:
        return {"id": identity, "error": describe(error), "kinds": kinds(error),
                "args": message_of(error, keep)}


def operate(do, target, args, named):
    if do == "call":
        return target(*args, **named)
    if do == "get":
        return getattr(target, *args)
    if do == "set":
        return setattr(target, *args)
    if do == "item":
        return target[args[0]]
    if do == "set_item":
        target[args[0]] = args[1]
        return None
    return {"len": len, "iter": iter, "next": next, "str": str, "repr": repr, "int": int, "float": float}[do](target)


def kinds(error):
    return [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"]


def message_of(error, keep):
    try:
        return plain.encode(list(error.args), keep)
    except BaseException:
        return []


main()
)python";

}  // namespace hone
