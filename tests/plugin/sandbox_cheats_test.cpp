#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "plugin/sandbox/sandbox.h"
#include "rewards/code_tests.h"
#include "tests/support/episodes.h"

namespace hone {

namespace {

struct Cheat {
  const char* name;
  const char* program;
};

/// Programs that know what the tests look like and try to pass without solving them.
const std::vector<Cheat> cheats = {
    {"exits with 0 while it is loaded", "import sys\nsys.exit(0)"},
    {"exits with 0 when called", "import sys\ndef f(x):\n    sys.exit(0)"},
    {"leaves without a word", "import os\nos._exit(0)"},
    {"leaves without a word when called", "import os\ndef f(x):\n    os._exit(0)"},
    {"raises SystemExit of its own kind", "class E(SystemExit, AssertionError): pass\ndef f(x):\n    raise E(0)"},
    {"equals everything",
     "class Yes:\n    def __eq__(self, o): return True\n    def __ne__(self, o): return False\n"
     "    def __bool__(self): return True\n    def __hash__(self): return 0\n"
     "def f(x): return Yes()"},
    {"a number that equals everything",
     "class Yes(int):\n    def __eq__(self, o): return True\n"
     "    def __hash__(self): return 0\ndef f(x): return Yes(5)"},
    {"a text that equals everything",
     "class Yes(str):\n    def __eq__(self, o): return True\n"
     "    def __hash__(self): return 0\ndef f(x): return Yes('x')"},
    {"a list that hides one that equals everything",
     "class Yes:\n    def __eq__(self, o): return True\ndef f(x): return [Yes()]"},
    {"a class that equals everything",
     "class M(type):\n    def __eq__(c, o): return True\n    def __hash__(c): return 0\n"
     "class f(metaclass=M):\n    def __init__(self, x): pass"},
    {"not a number", "def f(x): return float('nan')"},
    {"patched built-ins",
     "import builtins\nfor n in ('abs', 'all', 'any', 'len', 'isinstance', 'type', 'sum'):\n"
     "    setattr(builtins, n, lambda *a, **k: True)\ndef f(x): return 5"},
    {"no more assertion errors", "import builtins\nbuiltins.AssertionError = Warning\ndef f(x): return 5"},
    {"patched modules",
     "import math, operator, json, socket, struct\njson.dumps = lambda *a, **k: '{}'\n"
     "math.isclose = operator.eq = lambda *a, **k: True\ndef f(x): return 5"},
    {"defines the tests' names",
     "def check(*a): return True\ncandidate = check\nassert_equal = check\n"
     "def f(x): return 5"},
    {"a tracer that swallows",
     "import sys\nsys.settrace(lambda *a: None)\nsys.excepthook = lambda *a: None\n"
     "def f(x): return 5"},
    {"conftest and sitecustomize",
     "import os\nfor n in ('conftest.py', 'sitecustomize.py', 'usercustomize.py', 'plain.py',"
     " 'judge.py', 'random.py', 'ast.py'):\n    open(n, 'w').write('import os; os._exit(0)')\n"
     "def f(x): return 5"},
    {"looks for the tests' file",
     "import glob, re\nfound = ''\nfor p in glob.glob('/**/*', recursive=True):\n"
     "    if p.startswith('/usr') or p.startswith('/lib'): continue\n    try:\n"
     "        found += open(p, errors='ignore').read()\n    except OSError: pass\n"
     "m = re.search(r'hidden(\\d+)', found)\ndef f(x): return int(m[1]) if m else 5"},
    {"reads its own memory for the answer",
     "import gc\ndef f(x):\n    for o in gc.get_objects():\n"
     "        if isinstance(o, dict) and 'expected' in o: return o['expected']\n"
     "    return 5"},
    {"forges a verdict on stdout",
     "print('{\"nonce\": \"0123456789abcdef\", \"passed\": 4, \"total\": 4, \"why\": \"\", "
     "\"unusable\": \"\"}', flush=True)\nimport os\nos._exit(0)"},
    {"forges answers on the stream",
     "import socket, json, struct\ns = socket.socket(fileno=3)\n"
     "for m in ({'ready': True}, {'passed': 4, 'total': 4, 'nonce': ''}, {'id': 1, 'value': "
     "True}):\n    d = json.dumps(m).encode()\n    s.sendall(struct.pack('>I', len(d)) + d)\n"
     "while True: pass"},
    {"floods the stream", "import socket\ns = socket.socket(fileno=3)\nwhile True: s.sendall(b'\\xff' * 65536)"},
    {"asks the tests back",
     "import socket, json, struct\ns = socket.socket(fileno=3)\ndef send(m):\n"
     "    d = json.dumps(m).encode()\n    s.sendall(struct.pack('>I', len(d)) + d)\n"
     "def f(x):\n    send({'callback': 0, 'args': [], 'named': {'dict': []}})\n    return 5"},
    {"nests an answer without end", "def f(x):\n    a = []\n    for _ in range(100000): a = [a]\n    return a"},
    {"a range as long as the world", "def f(x): return range(10**15)"},
    {"closes its descriptors", "import os\nos.closerange(0, 100)\ndef f(x): return 5"},
    {"stops itself", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\ndef f(x): return 5"},
    {"kills its parent",
     "import os\nfor p in (os.getppid(), 1, -1):\n    try: os.kill(p, 9)\n    except OSError: pass\n"
     "def f(x): return 5"},
    {"a fork bomb", "import os\ntry:\n    while True: os.fork()\nexcept OSError: pass\ndef f(x): return 5"},
    {"a memory bomb",
     "b = []\ntry:\n    while len(b) < 40: b.append(b'x' * (64 << 20))\nexcept MemoryError: pass\n"
     "def f(x): return 5"},
    {"endless output", "import os\nwhile True: os.write(1, b'x' * 65536)"},
    {"endless recursion", "import sys\nsys.setrecursionlimit(10**8)\ndef f(x): return f(x + 1)"},
    {"a huge number", "def f(x): return 10 ** (10 ** 9)"},
    {"traces its judge",
     "import ctypes, os\nl = ctypes.CDLL(None)\nfor p in range(1, 64): l.ptrace(16, p, 0, 0)\n"
     "def f(x): return 5"},
    {"empties what it is compared with", "def f(x):\n    if type(x) is list: x.clear()\n    return x"},
    {"raises what the tests might expect", "def f(x): raise AssertionError"},
    {"not the function", "def g(x): return x"},
    {"nothing at all", ""},
};

/// The comparisons that tests use; each has something hidden that the program would like to know.
const char* const task =
    R"x({"task_id": "cheat", "prompt": "", "entry_point": "f", "test": "import math\n\ndef check(candidate):\n    hidden86420 = 86420\n    assert candidate(1) == hidden86420\n    assert candidate(2) in (86421, 86422)\n    assert abs(candidate(3) - 86423) < 1e-6\n    assert math.isclose(candidate(4), 86424)\n    values = [86425]\n    assert candidate(values) == [v + 1 for v in values]\n"})x";

}  // namespace

TEST_CASE("plugin: no program passes tests that it does not solve") {
  const char* host = std::getenv("HONE_PLUGIN_HOST");
  if (host == nullptr || ::access("/usr/bin/python3", X_OK) != 0) {
    MESSAGE("skipped: no HONE_PLUGIN_HOST or no /usr/bin/python3");
    return;
  }
  std::shared_ptr<Executor> executor;
  try {
    executor = make_sandbox({}, host);
  } catch (const Error& error) {
    MESSAGE("skipped: ", error.what());
    return;
  }
  Services services;
  services.executor = [&] { return executor; };
  CodeTestsSpec spec;
  spec.seconds.count = 2;
  for (const auto value : {CodeTestsSpec::Value::all, CodeTestsSpec::Value::share}) {
    spec.value = value;
    const auto reward = spec.make(services);
    std::vector<Score> scores(cheats.size());
    std::vector<std::thread> threads;
    for (std::size_t first = 0; first < 4; ++first) {
      threads.emplace_back([&, first] {
        for (std::size_t i = first; i < cheats.size(); i += 4) {
          const Episode episode = test::episode(cheats[i].program, Json::parse(task, "task"));
          scores[i] = reward->score(std::span(&episode, 1)).at(0);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < cheats.size(); ++i) {
      CHECK_MESSAGE(scores[i].value == 0.0, cheats[i].name, ": ", scores[i].note);
      CHECK_MESSAGE(scores[i].status == ScoreStatus::ok, cheats[i].name, ": ", scores[i].note);
    }
    const Episode honest = test::episode("def f(x): return [86426] if x == [86425] else 86420 + (x if x > 1 else 0)",
                                         Json::parse(task, "task"));
    const Score solved = reward->score(std::span(&honest, 1)).at(0);
    CHECK_MESSAGE(solved.value == 1.0, solved.note);
  }
}

}  // namespace hone
