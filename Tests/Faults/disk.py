"""A disk that forgets: which files a power cut may leave, told from the calls that a program made."""

import os
import random
import shutil

SECTOR = 512


class File:
    def __init__(self, data=b"", mode=0o644, modified=None):
        self.now, self.safe, self.mode, self.modified = bytearray(data), bytes(data), mode, modified

    def after_a_cut(self, how, chance):
        """What was synced is there. What was not is gone, or zeros, or there in part."""
        if how == "forgets":
            return self.safe
        if how == "zeros":
            return self.safe + bytes(max(0, len(self.now) - len(self.safe)))
        data = bytearray(self.safe.ljust(len(self.now), b"\0"))
        for start in range(0, len(self.now), SECTOR):
            if chance.random() < 0.5:
                data[start:start + SECTOR] = self.now[start:start + SECTOR]
        return bytes(data)


class Folder:
    def __init__(self, mode=0o700):
        self.now, self.safe, self.mode = {}, {}, mode
        # What the names were after each change since they were synced.
        self.states = []

    def set(self, name, node):
        if node is None:
            del self.now[name]
        else:
            self.now[name] = node
        self.states.append(dict(self.now))

    def after_a_cut(self, how, chance):
        if how == "forgets":
            return self.safe
        return self.now if how == "zeros" else chance.choice([self.safe, *self.states])


class Disk:
    """A folder and what is below it, all of it synced at first."""

    def __init__(self, root):
        self.root, self.top = root, self.load(root)

    def load(self, path):
        status = os.lstat(path)
        mode = status.st_mode & 0o7777
        if not os.path.isdir(path):
            with open(path, "rb") as file:
                return File(file.read(), mode, status.st_mtime_ns)
        folder = Folder(mode)
        folder.now = {name: self.load(os.path.join(path, name)) for name in os.listdir(path)}
        folder.safe = dict(folder.now)
        return folder

    def node(self, path):
        node = self.top
        for part in os.path.relpath(path, self.root).split("/"):
            if part != ".":
                node = node.now[part]
        return node

    def place(self, path):
        return self.node(os.path.dirname(path)), os.path.basename(path)

    def apply(self, what, path, other, number, data):
        if path.endswith(" (deleted)"):
            return
        if what == "write":
            file = self.node(path)
            file.now.extend(bytes(max(0, number - len(file.now))))
            file.now[number:number + len(data)] = data
        elif what == "truncate":
            file = self.node(path)
            file.now = file.now[:number].ljust(number, b"\0")
        elif what == "chmod":
            self.node(path).mode = number
        elif what == "fsync":
            node = self.node(path)
            if isinstance(node, File):
                node.safe, node.modified = bytes(node.now), number
            else:
                node.safe, node.states = dict(node.now), []
        else:
            folder, name = self.place(path)
            if what in ("rename", "link"):
                target, new = self.place(other)
                target.set(new, folder.now[name])
            if what != "link":
                # Of `rename`, `unlink` and `rmdir` nothing stays under the old name.
                folder.set(name, {"create": File(mode=number), "mkdir": Folder(number)}.get(what))

    def cut(self, target, how, seed):
        """Writes what a power cut leaves now."""
        chance = random.Random(seed)
        shutil.rmtree(target, ignore_errors=True)

        def write(node, path):
            if isinstance(node, File):
                with open(path, "wb") as file:
                    file.write(node.after_a_cut(how, chance))
                if node.modified is not None:
                    os.utime(path, ns=(node.modified, node.modified))
            else:
                os.mkdir(path)
                for name, child in sorted(node.after_a_cut(how, chance).items()):
                    write(child, os.path.join(path, name))
            os.chmod(path, node.mode)

        write(self.top, target)


def records(log):
    """The calls of a log: what was called, and what was done."""
    with open(log, "rb") as file:
        while line := file.readline():
            what, *fields = line.decode().rstrip("\n").split("\t")
            if what == "call":
                yield what, fields[0], int(fields[1]), fields[2]
            else:
                path, other, number, count = fields
                yield what, path, other, int(number), file.read(int(count)) if what == "write" else b""
