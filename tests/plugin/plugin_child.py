"""hone's side of the child protocol, for tests of plug-ins: starts one, says hello, asks, closes."""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SDK = os.path.join(ROOT, "src", "plugin", "sdk")
MODULE = os.path.join(SDK, "hone_plugin.py")
SECONDS = 120  # against hangs only


def item(completion="", reference=None, **more):
    """An item as src/plugin/wire.h describes it."""
    return {"prompt": "p", "completion": completion, "completion_ids": [1, 2], "reference": reference,
            "finish": "stop", "seed": 7, "prompt_id": 0, "group": 0, "sample": 0, **more}


class Child:
    """A plug-in process. What it prints is in `printed` once it has been closed."""

    def __init__(self, command, kind="reward", config=None, seed=5, on_stdout=False, environment=None,
                 python=sys.executable):
        command = [python if part == "python3" else part for part in command]
        read, write = os.pipe()
        environment = {**os.environ, "PYTHONPATH": SDK, **(environment or {})}
        environment.update({"HONE_REPLY": "stdout"} if on_stdout else {"HONE_REPLY_FD": str(write)})
        self._printed = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE if on_stdout else self._printed,
            stderr=self._printed, env=environment, pass_fds=() if on_stdout else (write,))
        os.close(write)
        self._replies = self.process.stdout if on_stdout else os.fdopen(read, "rb")
        if on_stdout:
            os.close(read)
        self.aside = []  # logs and metrics
        self._id = 0
        self.send({"hello": {"protocol": 1, "name": "test", "kind": kind, "seed": seed, "config": config or {}}})
        self.hello = self.receive()

    def send(self, message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def receive(self):
        """The next message that is no log and no metric; None at the end."""
        while True:
            line = self._replies.readline()
            if not line:
                return None
            message = json.loads(line)
            if "log" not in message and "metric" not in message:
                return message
            self.aside.append(message)

    def ask(self, key, items):
        self._id += 1
        self.send({"id": self._id, key: items})
        reply = self.receive()
        assert reply and reply.get("id") == self._id, reply
        return reply

    def score(self, *items):
        reply = self.ask("score", list(items))
        assert "scores" in reply, reply
        return reply["scores"]

    def close(self):
        """Ends it as hone does; its exit status."""
        self.process.stdin.close()
        status = self.process.wait(SECONDS)
        self._printed.seek(0)
        self.printed = self._printed.read().decode("utf-8", "replace")
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self._printed, self._replies):
            stream.close()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
