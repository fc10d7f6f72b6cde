"""Why a serial port cannot be opened, and the remedy: the rule to paste, the program to close."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Collection
from pathlib import Path

from tinyml_cli import processes
from tinyml_cli.errors import TinymlError

UDEV_RULES_FILE = "/etc/udev/rules.d/60-tinyml.rules"
MODEM_MANAGER = "ModemManager"

# Windows says "Access is denied" for a port that another program has open; POSIX says EBUSY or "lock".
_BUSY_WORDS = ("busy", "lock", "access is denied", "accessdenied")
# Groups that distributions give serial ports to: Debian, Ubuntu, Fedora; Arch, openSUSE of old.
_SERIAL_GROUPS = ("dialout", "uucp", "plugdev", "tty")
_LSOF_TIMEOUT_S = 5.0
_FORBIDDEN = "No permission to open the port"


def open_error(url: str, error: Exception) -> TinymlError:
    """The error for a port that cannot be opened: absent, taken by another program, or forbidden."""
    text = str(error).lower()
    code = getattr(error, "errno", None)
    if code == errno.EBUSY or any(word in text for word in _BUSY_WORDS):
        return busy_error(url, port_users(url))
    if code == errno.EACCES or "permission" in text:
        return permission_error(url)
    if code == errno.ENOENT or "no such file" in text or "filenotfound" in text:
        return TinymlError(
            "The port does not exist", url, "Plug the board in, or choose another port with --port."
        )
    return TinymlError(f"Cannot open the port: {error}", url, "Check the name given with --port.")


def busy_error(url: str, users: Collection[str]) -> TinymlError:
    """The error for a port that other programs use; `users` are their names, where they are known."""
    if any(user.startswith(MODEM_MANAGER) for user in users):
        return TinymlError(
            f"The port is in use by another program: {', '.join(users)}, which probes new ports for modems",
            url,
            f"Wait half a minute, or run `sudo systemctl stop {MODEM_MANAGER}`, and try again.",
        )
    named = f": {', '.join(users)}" if users else ""
    return TinymlError(
        f"The port is in use by another program{named}",
        url,
        "Close it (a serial monitor: Arduino IDE, screen, another tinyml monitor) and try again.",
    )


def permission_error(url: str) -> TinymlError:
    """The error for a port that this user may not open, with the line to paste."""
    if not sys.platform.startswith("linux"):
        return TinymlError(_FORBIDDEN, url, "Run the command as administrator.")
    group = _group_of(url)
    if group in _SERIAL_GROUPS and group not in _own_groups():
        advice = f"Run `sudo usermod -a -G {group} $USER`, log out and in again."
    else:
        advice = (
            f"Add this line to {UDEV_RULES_FILE}, then unplug the board and plug it in again: {udev_rule()}"
        )
    return TinymlError(_FORBIDDEN, url, advice)


def udev_rule(vendor: str = "2341") -> str:
    """A udev rule that lets whoever sits at the computer use the boards of a vendor (2341: Arduino), and
    keeps ModemManager away. See udev(7), "Rules files", and ModemManager's port filter rules."""
    return f'ATTRS{{idVendor}}=="{vendor}", MODE="0660", TAG+="uaccess", ENV{{ID_MM_DEVICE_IGNORE}}="1"'


def serial_access(rules_folders: Collection[str] = ("/etc/udev/rules.d", "/usr/lib/udev/rules.d")) -> str:
    """Why this user may open an Arduino board's port, "" where nothing says so. Linux alone restricts it."""
    if not sys.platform.startswith("linux"):
        return "open to all users"
    if os.geteuid() == 0:
        return "root"
    if groups := sorted(_own_groups() & set(_SERIAL_GROUPS) - {"tty"}):
        return f"group {groups[0]}"
    rules = (path for folder in rules_folders for path in sorted(Path(folder).glob("*.rules")))
    return next((f"rule {path}" for path in rules if _grants(_read(path))), "")


def _grants(rules: str) -> bool:
    lines = (line for line in rules.splitlines() if not line.lstrip().startswith("#"))
    return any('"2341"' in line and ("uaccess" in line or "MODE" in line) for line in lines)


def port_users(port: str) -> list[str]:
    """The programs that have a port open, as "name (pid N)", ours left out; empty where none can be seen.

    Linux shows the programs of this user alone to anyone but root.
    """
    has_proc = Path("/proc/self/fd").is_dir()
    pids = _users_in_proc(port) if has_proc else _users_by_lsof(port)
    return [f"{_program_name(pid)} (pid {pid})" for pid in sorted(pids - {os.getpid()})]


def modem_manager_runs() -> bool:
    """Whether ModemManager, which probes new ports for a modem, runs on this computer."""
    return any(_read(path) == MODEM_MANAGER for path in Path("/proc").glob("[0-9]*/comm"))


def _users_in_proc(port: str) -> set[int]:
    target = Path(port).resolve()
    found = set()
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(handle.readlink() == target for handle in folder.iterdir()):
                found.add(int(folder.parent.name))
        except OSError:
            continue  # another user's program, or one that has just ended
    return found


def _users_by_lsof(port: str) -> set[int]:
    if not shutil.which("lsof"):
        return set()
    try:
        outcome = processes.run(["lsof", "-t", "--", port], timeout_s=_LSOF_TIMEOUT_S)
    except processes.TimeoutExpired:
        return set()
    return {int(line) for line in outcome.stdout.split() if line.isdigit()}


def _program_name(pid: int) -> str:
    if name := _read(Path(f"/proc/{pid}/comm")):
        return name
    if shutil.which("ps"):
        command = ["ps", "-o", "comm=", "-p", str(pid)]
        listing = processes.run(command).stdout.strip()
        return Path(listing).name or "a program"
    return "a program"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _group_of(port: str) -> str:
    assert sys.platform != "win32"
    import grp

    try:
        return grp.getgrgid(Path(port).stat().st_gid).gr_name
    except (OSError, KeyError):
        return ""


def _own_groups() -> set[str]:
    assert sys.platform != "win32"
    import grp

    own = {os.getegid(), *os.getgroups()}
    return {entry.gr_name for entry in grp.getgrall() if entry.gr_gid in own}
