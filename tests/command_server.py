"""Test server that forks a process for each `roost` command, so that imports happen once.

Each command has its own process, environment, working folder and standard streams, as with
`python -m roost`. A request is one line of JSON, sent with the file descriptors of the command's
standard input, output and error. The response has two lines: the process id at once, and the exit
code when the command has ended. The server ends when its standard input is closed, which also
happens when the test process is killed.

    python command_server.py SOCKET
"""

import json
import os
import runpy
import select
import signal
import socket
import sys
from importlib import import_module


def main() -> None:
    """Serve requests; return only in a forked child, which then runs the command."""
    import_module("roost.cli.output")
    for _, place, _ in import_module("roost.cli")._COMMANDS:
        import_module(f"roost.cli.{place.partition(':')[0]}")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            readable, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in readable:
                sys.exit()
            connection, _ = listener.accept()
            if os.fork():
                connection.close()
                continue
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            request, files = _receive(connection)
            if command := os.fork():
                connection.sendall(b"%d\n" % command)
                _, status = os.waitpid(command, 0)
                connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
                os._exit(0)
            connection.close()
            _become(request, files)
            return


def _receive(connection: socket.socket) -> tuple[dict[str, object], list[int]]:
    data, files, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    while not data.endswith(b"\n"):
        data += connection.recv(1 << 20)
    request: dict[str, object] = json.loads(data)
    return request, files


def _become(request: dict[str, object], files: list[int]) -> None:
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    environment, arguments = request["environment"], request["arguments"]
    assert isinstance(environment, dict)
    assert isinstance(arguments, list)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(str(request["folder"]))
    sys.argv = ["roost", *arguments]


if __name__ == "__main__":
    main()
    runpy.run_module("roost", run_name="__main__", alter_sys=True)
