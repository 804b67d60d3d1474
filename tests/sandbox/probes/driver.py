"""Runs inside the sandbox: tries each probe in a child of its own and prints the names of those that got through."""

import ctypes, fcntl, json, os, resource, signal, socket, sys, time  # noqa: E401, F401, I001 (probes use them)

job = json.load(sys.stdin)
host, numbers = job["host"], job["numbers"]
libc = ctypes.CDLL(None, use_errno=True)


def call(name, *args):
    ctypes.set_errno(0)
    if name not in numbers:
        raise OSError("no such call here")
    return libc.syscall(numbers[name], *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])


def connect(kind, address):
    with socket.socket(kind, socket.SOCK_STREAM) as s:
        s.settimeout(0.3)
        s.connect(address)
        return True


def writes(path):
    with open(path, "a") as f:
        return f.write("") == 0


def reads(path):
    with open(path, "rb") as f:
        return bool(f.read(1))


through, strange = [], []
for name, code in job["probes"]:
    pid = os.fork()
    if pid == 0:
        signal.alarm(3)
        try:
            os._exit(10 if eval(code) else 11)
        except (OSError, ValueError):
            # setrlimit says a refusal by a ValueError.
            os._exit(11)
        except BaseException as e:
            sys.stderr.write(f"{name}: {e!r}\n")
            os._exit(12)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status == 10:
        through.append(name)
    elif status != 11:
        strange.append([name, status])
print(json.dumps({"through": through, "strange": strange}))
