#include "rewards/code_tests_python.h"

namespace hone {

// In both sandboxes.
const std::string_view code_tests_plain = R"python("""Values that cross between tests and program: plain data as JSON, and requests over descriptor 3, both ways."""
import json
import os

MOST_BYTES = 8 << 20


class NotPlain(Exception):
    pass


class Broken(Exception):
    """The other side is gone or sends what is no message."""


def encode(value, other, depth=0):
    """JSON of a plain value; `other` encodes everything else or raises."""
    kind = type(value)
    if value is None or kind is bool or kind is str or kind is float:
        return value
    if kind is int:
        return value if -(1 << 53) < value < 1 << 53 else {"int": hex(value)}
    if depth > 100:
        raise NotPlain("nested too deeply")
    many = lambda items: [encode(item, other, depth + 1) for item in items]
    pairs = lambda items: [[encode(k, other, depth + 1), encode(v, other, depth + 1)] for k, v in items]
    if kind is list:
        return many(value)
    if kind is tuple:
        return {"tuple": many(value)}
    if kind is dict:
        return {"dict": pairs(value.items())}
    if kind is set or kind is frozenset:
        return {kind.__name__: many(value)}
    if kind is complex:
        return {"complex": [value.real, value.imag]}
    if kind is bytes or kind is bytearray:
        return {kind.__name__: value.hex()}
    if kind is range:
        return {"range": [encode(n, other) for n in (value.start, value.stop, value.step)]}
    if kind is type(Ellipsis) or kind is type(NotImplemented):
        return {"constant": repr(value)}
    if kind in (type({}.keys()), type({}.values()), type({}.items())):
        return many(value)
    if isinstance(value, type) or kind is type(len):
        import builtins
        name = getattr(value, "__name__", "")
        if getattr(builtins, name, None) is value:
            return {"builtin": name}
        return other(value)
    special = encode_special(value, kind, many, pairs)
    return other(value) if special is None else special


def encode_special(value, kind, many, pairs):
    """Types of the standard library that are data, and subclasses of plain types as what they are made of."""
    name = f"{kind.__module__}.{kind.__qualname__}"
    if name == "collections.Counter":
        return {"Counter": pairs(dict.items(value))}
    if name == "collections.OrderedDict":
        return {"OrderedDict": pairs(value.items())}
    if name == "collections.deque":
        return {"deque": [many(value), value.maxlen]}
    if name == "decimal.Decimal":
        return {"Decimal": str(value)}
    if name == "fractions.Fraction":
        return {"Fraction": many([value.numerator, value.denominator])}
    if name in ("datetime.date", "datetime.time", "datetime.datetime") and getattr(value, "tzinfo", None) is None:
        return {name: value.isoformat()}
    if name == "datetime.timedelta":
        return {name: [value.days, value.seconds, value.microseconds]}
    if isinstance(value, int):
        return many([int.__add__(value, 0)])[0]
    if isinstance(value, float):
        return float.__pos__(value)
    if isinstance(value, str):
        return "".join(str.__iter__(value))
    if isinstance(value, list):
        return many(list.__iter__(value))
    if isinstance(value, tuple):
        return {"tuple": many(tuple.__iter__(value))}
    if isinstance(value, dict):
        return {"dict": pairs(dict.items(value))}
    if isinstance(value, (set, frozenset)):
        return {"set": many(set(value))}
    return None


def decode(data, other):
    """The value; `other(tag, content)` makes what is not plain. Raises Broken for what encode does not make."""
    try:
        return decode_one(data, other)
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError, ArithmeticError) as error:
        raise Broken(f"a value that is none: {error}")


def decode_one(data, other):
    if data is None or type(data) in (bool, str, int, float):
        return data
    many = lambda items: [decode_one(item, other) for item in items]
    if type(data) is list:
        return many(data)
    (tag, content), = data.items()
    if tag == "tuple":
        return tuple(many(content))
    if tag in ("dict", "Counter", "OrderedDict"):
        made = {decode_one(k, other): decode_one(v, other) for k, v in content}
        if tag == "dict":
            return made
        import collections
        return getattr(collections, tag)(made)
    if tag in ("set", "frozenset"):
        return {"set": set, "frozenset": frozenset}[tag](many(content))
    if tag == "int":
        return int(content, 16)
    if tag == "complex":
        return complex(float(content[0]), float(content[1]))
    if tag in ("bytes", "bytearray"):
        return {"bytes": bytes, "bytearray": bytearray}[tag].fromhex(content)
    if tag == "range":
        return range(*many(content))
    if tag == "constant":
        return {"Ellipsis": Ellipsis, "NotImplemented": NotImplemented}[content]
    if tag == "deque":
        import collections
        return collections.deque(many(content[0]), content[1])
    if tag == "Decimal":
        import decimal
        return decimal.Decimal(content)
    if tag == "Fraction":
        import fractions
        return fractions.Fraction(*many(content))
    if tag.startswith("datetime."):
        import datetime
        kind = {"date": datetime.date, "time": datetime.time, "datetime": datetime.datetime,
                "timedelta": datetime.timedelta}[tag[9:]]
        return kind(*content) if kind is datetime.timedelta else kind.fromisoformat(content)
    return other(tag, content)


def send(message):
    data = json.dumps(message).encode()
    if len(data) > MOST_BYTES:
        raise NotPlain("larger than 8 MiB")
    rest = memoryview(len(data).to_bytes(4, "big") + data)
    while rest:
        rest = rest[os.write(3, rest):]


def receive():
    message = read(int.from_bytes(read(4), "big"))
    try:
        message = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise Broken(f"a message that is none: {error}")
    if type(message) is not dict:
        raise Broken("a message that is none")
    return message


def read(count):
    if count > MOST_BYTES:
        raise Broken("a message that is too long")
    parts = []
    while count > 0:
        part = os.read(3, min(count, 1 << 20))
        if not part:
            raise Broken("the program ended")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
)python";

}  // namespace hone
