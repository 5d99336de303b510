#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs that shake hands while probes come and go in them: none of them may notice.

Clients and servers of every TLS stack shake hands without a pause, in a network namespace of their own. Meanwhile
agents attach their TLS probes to them and go away again, one about every second, by SIGTERM and by SIGKILL. Every
handshake has to succeed, no program may end in a way of its own, and every stack has to go on. Needs root and a build
with tests: exit code 77 says that the host cannot run it (see CONNSCOPE_BPF_TESTS in CONTRIBUTING.md)."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
import bench_agent as bench  # noqa: E402
import soak  # noqa: E402

PEERS = bench.ROOT / "tests/support/tls_peers"
# Which stacks' clients meet which server, each one of its own. The servers of GnuTLS and NSS wait for a request before
# they say anything.
PAIRS = [("openssl_server", stack) for stack in ("openssl", "curl", "curl_nss", "gnutls", "nss", "node", "go", "java")]
PAIRS += [("gnutls_server", "curl"), ("gnutls_server", "gnutls"), ("nss_server", "curl"), ("nss_server", "curl_nss")]
TIMES = 200  # handshakes of one client program, where it can do more than one: it lives through several attachments
BATCH_SECONDS = 60
START_SECONDS = 10
# The others have nothing to do with TLS, and would only lengthen each start.
CONFIG = "\n".join(f"[probe.{name}]\nenabled = false" for name in ("tcp", "dns", "libc_lookup"))
AGENTS, ATTACHED_SECONDS = 3, 1
SHOWN_TROUBLES = 3
CLONE_NEWNET = 0x40000000
# The programs take all the CPU there is; the agent has to come and go meanwhile.
POLITELY = ["nice", "-n", "19"]
BAR_LOOKS = 0.25  # attachments a second, and so detachments: a host with two CPUs has twice that, when it is left alone
LIBRARIES = {"openssl", "gnutls", "nss", "go"}


def enter_own_network():
    """Of this process, so of its children too."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        bench.die(f"no network namespace: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class Server:
    def __init__(self, name, command, port=None):
        self.name = name
        self.process = subprocess.Popen([*POLITELY, *map(str, command)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE if port is None else subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, text=True)
        self.port = port or self.told_port()
        self.wait_ready()

    def told_port(self):
        port = int(self.process.stdout.readline().split()[1])
        # It tells of every client; nobody wants to know.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        return port

    def wait_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        bench.die(f"{self.name} does not listen")

    def has_crashed(self):
        return self.process.poll() is not None

    def stop(self):
        self.process.kill()
        self.process.wait()


def start_server(kind, built, folder):
    certificate = folder / "good"
    if kind == "openssl_server":
        return Server(kind, [built / "tls_peer_server", "--certificate", certificate, "--times", "0"])
    port = bench.free_port()
    if kind == "gnutls_server":
        return Server(kind, ["gnutls-serv", "--http", "--quiet", f"--x509certfile={certificate}.pem",
                             f"--x509keyfile={certificate}.key", f"--port={port}"], port)
    return Server(kind, ["selfserv", "-n", "good", "-d", f"sql:{folder}/nss", "-p", port, "-V", "tls1.2:tls1.3"], port)


class Client:
    """Programs of one stack that meet one server, one after the other until they are stopped."""

    def __init__(self, stack, server, built, folder):
        self.name = f"{stack} with {server.name}"
        self.command = [*POLITELY, str(PEERS / "client.sh"), str(built), stack]
        self.place = [str(server.port), str(folder), str(TIMES)]
        self.served = 0  # programs that were content
        self.troubles = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.go_on, daemon=True)
        self.thread.start()

    def go_on(self):
        while not self.stopping.is_set():
            version = ("1.2", "1.3")[self.served % 2]
            self.run([*self.command, version, *self.place])

    def run(self, command):
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  timeout=BATCH_SECONDS, check=False, text=True, errors="replace")
        except subprocess.TimeoutExpired:
            self.troubles.append(f"still not done after {BATCH_SECONDS} s")
            self.stopping.set()
            return
        if done.returncode == 0:
            self.served += 1
        else:
            self.troubles.append(f"ended with {done.returncode}: {done.stderr.strip()[-200:]}")
            self.stopping.wait(1)

    def stop(self):
        self.stopping.set()
        self.thread.join(BATCH_SECONDS + START_SECONDS)


class Holder:
    """A client that waits for ever for a server that is silent: its library is in use between two other programs too."""

    def __init__(self, stack, built, folder):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(START_SECONDS)
        port = self.listener.getsockname()[1]
        self.process = subprocess.Popen([*POLITELY, PEERS / "client.sh", built, stack, "1.3", str(port), folder, "1"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.waiting, _ = self.listener.accept()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.waiting.close()
        self.listener.close()


def libraries_of(agent):
    """Those that it has put probes into."""
    return {labels["library"] for labels, _ in bench.samples(agent.scrape(), "connscope_tls_library_info")}


def look(args, by_signal):
    """One agent's life."""
    with bench.Agent(args.build, CONFIG + "\n" + args.config_extra) as agent:
        time.sleep(ATTACHED_SECONDS)
        libraries = libraries_of(agent)
        agent.process.send_signal(by_signal)
        agent.process.wait(timeout=START_SECONDS)
    return libraries


class Agents:
    """Agents that come and go, several in turn: one takes longer to come and go than it stays."""

    def __init__(self, args):
        self.args = args
        self.deadline = time.monotonic() + args.minutes * 60
        self.looks = []  # the libraries that each of them has put probes into
        self.troubles = []
        self.threads = [threading.Thread(target=self.go_on, args=(number,), daemon=True) for number in range(AGENTS)]
        for thread in self.threads:
            thread.start()

    def go_on(self, number):
        time.sleep(number * ATTACHED_SECONDS)
        by_signal = (signal.SIGTERM, signal.SIGKILL)[number % 2]
        while time.monotonic() < self.deadline:
            try:
                self.looks.append(look(self.args, by_signal))
            except (SystemExit, OSError, subprocess.TimeoutExpired) as trouble:
                self.troubles.append(str(trouble))

    def await_end(self):
        for thread in self.threads:
            thread.join()


def meet(args, folder):
    subprocess.run([PEERS / "make_certificates.sh", folder], check=True)
    subprocess.run([PEERS / "make_nss_database.sh", folder], check=True, stdout=subprocess.DEVNULL)
    built = args.build / "tests/support/tls_peers"
    servers, clients = [], []
    holder = Holder("go", built, folder)  # the servers hold the other libraries
    try:
        for kind, stack in PAIRS:
            if stack == "curl_nss" and not has_curl_nss():
                continue
            servers.append(start_server(kind, built, folder))
            clients.append(Client(stack, servers[-1], built, folder))
        agents = Agents(args)
        agents.await_end()
        for client in clients:
            client.stop()
        return agents, clients, [server.name for server in servers if server.has_crashed()]
    finally:
        for server in servers:
            server.stop()
        holder.stop()


def has_curl_nss():
    """Debian 13 and Ubuntu 24.04 have that library no more."""
    try:
        ctypes.CDLL("libcurl-nss.so.4")
    except OSError:
        return False
    return True


def main():
    soak.skip_where_impossible()
    parser = bench.arguments(__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10, help="how long")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    enter_own_network()
    with tempfile.TemporaryDirectory(prefix="connscope-tls-") as folder:
        agents, clients, crashed = meet(args, Path(folder))

    for client in clients:
        print(f"{client.name}: {client.served} programs were content")
        for trouble in client.troubles[:SHOWN_TROUBLES]:
            print(f"{client.name}: {trouble}")
    for trouble in agents.troubles[:SHOWN_TROUBLES]:
        print(f"agent: {trouble}")
    verdicts = bench.Verdicts()
    verdicts.judge("client programs that failed", sum(len(client.troubles) for client in clients), 0, "")
    verdicts.judge("servers that ended", len(crashed), 0, "")
    verdicts.judge("stacks without a handshake", sum(client.served == 0 for client in clients), 0, "")
    verdicts.judge("agents in trouble", len(agents.troubles), 0, "")
    missed = [sorted(LIBRARIES - seen) for seen in agents.looks if not LIBRARIES <= seen]
    for libraries in missed[:SHOWN_TROUBLES]:
        print(f"agent: missed {', '.join(libraries)}")
    verdicts.judge("attachments that missed a library", len(missed), 0, "")
    verdicts.judge("attachments a second", len(agents.looks) / (args.minutes * 60), BAR_LOOKS, "", at_least=True)
    verdicts.finish(attachments=len(agents.looks), crashed=crashed,
                    served={client.name: client.served for client in clients})


if __name__ == "__main__":
    main()
