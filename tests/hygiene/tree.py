"""The files of a checkout as the checks see them."""
import json
import os
import re
import shlex
from pathlib import Path

FOLDERS = ('reference', 'emulation', 'gpu', 'validation', 'tests')
HEADERS = ('.hpp', '.cuh', '.h')
CODE = HEADERS + ('.cpp', '.cu')


class Skip(Exception):
    """A check cannot look here; the text says why."""


class Tree:
    def __init__(self, top, build=None):
        self.top = Path(top).resolve()
        self.build = Path(build).resolve() if build else None
        self.files = sorted(self._walk())  # relative to the top, with forward slashes

    def _walk(self):
        for folder, below, names in os.walk(self.top):
            at_top = Path(folder) == self.top
            below[:] = [name for name in below if name != '__pycache__' and not (at_top and self._foreign(name))]
            for name in names:
                if at_top and name == '.git':  # a file in a worktree
                    continue
                yield (Path(folder) / name).relative_to(self.top).as_posix()

    @staticmethod
    def _foreign(name):  # build folders, and what tools keep in dot-folders
        return re.fullmatch(r'build(-.*)?|\.(?!ci$).*', name) is not None

    def path(self, name):
        return self.top / name

    def text(self, name):
        """The text of a file; None if it is not text or is test data, which may hold anything."""
        if name.startswith('tests/data/') or '/corpus/' in name:
            return None
        try:
            return self.path(name).read_bytes().decode()  # not read_text: that would hide CR
        except (UnicodeDecodeError, OSError):
            return None

    def named(self, *suffixes, below=FOLDERS):
        """Files with one of the suffixes in these top folders."""
        return [f for f in self.files if f.endswith(suffixes) and f.split('/')[0] in below]

    def commands(self):
        """{source: (arguments, object)} of the build folder, for sources of this tree, those of batches included."""
        if not self.build:
            raise Skip('no build folder was named')
        found = {}
        for entry in json.loads((self.build / 'compile_commands.json').read_text()):
            sources = [Path(entry['file'])]
            if sources[0].parent.name == 'Unity' and sources[0].exists():   # a batch of CMake's
                sources = [Path(name) for name in re.findall('^#include "(.*)"$', sources[0].read_text(), re.M)]
            arguments = shlex.split(entry['command'])
            for source in sources:
                if source.is_relative_to(self.top):
                    found[source.relative_to(self.top).as_posix()] = (
                        arguments, Path(entry['directory']) / arguments[arguments.index('-o') + 1])
        return found
