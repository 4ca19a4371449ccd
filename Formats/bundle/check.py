"""Judges bundles of format 1 by the text of their specification (v1/README.md) and nothing else. Standard library only;
so bundles in zstd are judged by Python 3.14 and later.

    python3 Formats/bundle/check.py my.adapter folder/

Prints for each a line: the path, and the digest of the bundle or the code of its fault, separated by a tab. Exits with
1 if one has a fault.
"""

import hashlib
import json
import math
import os
import re
import stat
import struct
import sys

import compositions
import ed25519
from archives import ENTRIES, MAXIMUM, check_collisions, check_name, unpack
from fault import Fault, require

JSON_BYTES, JSON_DEPTH, JSON_VALUES = 1 << 20, 64, 100_000
SIGNATURES = 16
MEMBERS = 64


# Files


def packed_files(path):
    require(os.path.getsize(path) <= MAXIMUM, "archive/limit")
    with open(path, "rb") as file:
        entries = unpack(file.read())
    for index, (name, is_folder, _) in enumerate(entries):
        entries[index] = (name.rstrip("/") if is_folder else name, is_folder, entries[index][2])
        check_name(entries[index][0])
    files = [(name, content) for name, is_folder, content in entries if not is_folder]
    check_collisions([name for name, _ in files])
    require(files and files[0][0] == "manifest.json", "bundle/no-manifest")
    require(len(files) > 1 and files[1][0] == "manifest.sha256", "bundle/missing-file")
    checksum = hashlib.sha256(files[0][1]).hexdigest() + "  manifest.json\n"
    require(files[1][1] == checksum.encode(), "bundle/changed-file")
    return dict(files[:1] + files[2:])


def folder_files(path):
    files = {}
    for folder, folders, names in os.walk(path):
        for name in names + folders:
            place = os.path.join(folder, name)
            mode = os.lstat(place).st_mode
            require(stat.S_ISREG(mode) or stat.S_ISDIR(mode), "file/not-regular")
            if stat.S_ISREG(mode):
                with open(place, "rb") as file:
                    files[os.path.relpath(place, path)] = file.read()
    for name in files:
        check_name(name)
    check_collisions(list(files))
    require("manifest.json" in files, "bundle/no-manifest")
    return files


# JSON


def parse(data, limit=JSON_BYTES, values=JSON_VALUES):
    require(len(data) <= limit, "json/limit")

    def members(pairs):
        require(len({key for key, _ in pairs}) == len(pairs), "json/malformed")
        return dict(pairs)

    def refuse(_):
        raise Fault("json/malformed")

    def integer(text):
        require(len(text) <= 64 and -2**63 <= int(text) < 2**63, "json/malformed")
        return int(text) if text != "-0" else -0.0

    def fraction(text):
        require(len(text) <= 64 and math.isfinite(float(text)), "json/malformed")
        return float(text)

    try:
        value = json.loads(
            data.decode(), object_pairs_hook=members, parse_constant=refuse, parse_int=integer, parse_float=fraction)
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise Fault("json/limit") from None
    except ValueError:
        raise Fault("json/malformed") from None
    require(extent(value) <= values, "json/limit")
    return value


def extent(value, depth=0):
    """How many values there are."""
    children = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None
    if children is None:
        return 1
    require(depth < JSON_DEPTH, "json/limit")
    return 1 + sum(extent(child, depth + 1) for child in children)


# The manifest

COMPONENT = r"[A-Za-z0-9]([A-Za-z0-9_+-]|\.(?=[A-Za-z0-9_+-]))*"
NUMBER = r"(0|[1-9]\d*)"
IDENTIFIER = r"(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
VERSION = rf"{NUMBER}\.{NUMBER}\.{NUMBER}(-{IDENTIFIER}(\.{IDENTIFIER})*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
COMPARATOR = rf"(\*|(\^|~|=|<|<=|>|>=)({NUMBER}(\.{NUMBER})?|{VERSION}))"


def field(members, key, kind, required=True):
    value = members.get(key)
    if value is None and not required:
        return None
    require(isinstance(value, kind) and not (kind is int and isinstance(value, bool)), "json/unexpected")
    return value


def matching(members, key, pattern, code, limit, required=True):
    text = field(members, key, str, required)
    require(text is None or (len(text.encode()) <= limit and re.fullmatch(pattern, text, re.ASCII)), code)
    return text


def name(members, key="name"):
    matching(members, key, f"{COMPONENT}(/{COMPONENT}){{0,2}}", "name/malformed", 128)


def word(members, key):
    return matching(members, key, "[!-~]+", "manifest/invalid", 64)


def strings(members, key, code="manifest/invalid", pattern=r"(?s).*", limit=JSON_BYTES):
    values = field(members, key, list, required=False) or []
    require(all(isinstance(value, str) for value in values), "json/unexpected")
    require(all(len(value.encode()) <= limit and re.fullmatch(pattern, value) for value in values), code)
    return values


def check_manifest(manifest):
    require(isinstance(manifest, dict), "json/unexpected")
    version = re.fullmatch(rf"dovetail-bundle/{NUMBER}\.{NUMBER}", field(manifest, "format", str))
    require(version and version[1] != "0", "manifest/unknown-format")
    require(version[1] == "1", "manifest/newer-format")
    name(manifest)
    word(manifest, "kind")
    word(manifest, "method")
    check_base(field(manifest, "base", dict))
    matching(manifest, "version", VERSION, "version/malformed", 256)
    strings(manifest, "languages", pattern="[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", limit=64)
    require(len(strings(manifest, "labels")) <= 10_000, "manifest/invalid")
    strings(manifest, "members", "name/malformed", f"{COMPONENT}(/{COMPONENT}){{0,2}}", 128)
    strings(manifest, "authors")
    for key, kind in ("task", str), ("license", str), ("description", str), ("metrics", dict), ("source", dict):
        field(manifest, key, kind, required=False)
    dependencies = field(manifest, "dependencies", list, required=False) or []
    for dependency in dependencies:
        require(isinstance(dependency, dict), "json/unexpected")
        name(dependency)
        word(dependency, "role")
        spaceless = dict(dependency, range=dependency["range"].replace(" ", "")) if isinstance(dependency.get("range"),
            str) else dependency
        matching(spaceless, "range", f"{COMPARATOR}(,{COMPARATOR}){{0,15}}", "version/malformed", 256, required=False)
        matching(dependency, "digest", "(sha256:)?[0-9a-f]{64}", "digest/malformed", 71, required=False)
    signers = strings(manifest, "signers", "manifest/invalid", "ed25519:[0-9a-f]{64}", 72)
    require(len(signers) <= SIGNATURES and all(a < b for a, b in zip(signers, signers[1:])), "manifest/invalid")
    files = field(manifest, "files", list)
    require(len(files) <= ENTRIES, "manifest/invalid")
    for file in files:
        require(isinstance(file, dict), "json/unexpected")
        field(file, "path", str)
        word(file, "role")
        require(field(file, "size", int) >= 0, "manifest/invalid")
        matching(file, "sha256", "[0-9a-f]{64}", "digest/malformed", 64)


def members_of(manifest):
    """Of a composition: the version and the digest of each member, by what the setup calls it."""
    if manifest["kind"] != "composition":
        return {}
    listed = [dependency for dependency in manifest.get("dependencies") or [] if dependency["role"] == "member"]
    require(1 <= len(listed) <= MEMBERS, "manifest/invalid")
    members = {}
    for member in listed:
        version, digest = (member.get("range") or "")[1:], member.get("digest")
        require(digest and member["range"][:1] == "=" and re.fullmatch(VERSION, version, re.ASCII), "manifest/invalid")
        members[f"{member['name']}@{version}"] = (version, digest.removeprefix("sha256:"))
    own = f"{manifest['name']}@{manifest['version']}"
    require(len(members) == len(listed) and own not in members, "manifest/invalid")
    return members


def check_base(base):
    word(base, "architecture")
    field(base, "name", str, required=False)
    require(1 <= field(base, "hiddenSize", int) <= 65_536, "manifest/invalid")
    require(1 <= (field(base, "layers", int, required=False) or 1) <= 256, "manifest/invalid")
    require(0 <= (field(base, "encoderLayers", int, required=False) or 0) <= 256, "manifest/invalid")
    matching(base, "fingerprint", "(sha256:)?[0-9a-f]{64}", "digest/malformed", 71, required=False)


# The rest


def check_signatures(signatures, digest):
    require(len(signatures) <= SIGNATURES, "bundle/bad-signature")
    message = f"dovetail bundle signature 1\nsha256:{digest.hex()}\n".encode()
    for path, content in signatures.items():
        key = content[32:64]
        named = path == f"signatures/{key.hex()}.ed25519" and len(content) == 128 and content[:32] == digest
        require(named and ed25519.verifies(key, content[64:], message), "bundle/bad-signature")


WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2,
    "U8": 1, "BOOL": 1}
EXPONENTS = {"F64": ("Q", 0x7FF << 52), "F32": ("I", 0x7F800000), "F16": ("H", 0x7C00), "BF16": ("H", 0x7F80)}


def check_weights(data):
    require(len(data) >= 8, "safetensors/truncated")
    length = struct.unpack("<Q", data[:8])[0]
    require(length <= 8 << 20, "safetensors/limit")
    require(8 + length <= len(data), "safetensors/truncated")
    header, data = data[8:8 + length], data[8 + length:]
    require(header[:1] == b"{" and header.rstrip(b" ").endswith(b"}"), "safetensors/malformed")
    listed = parse(header, limit=8 << 20, values=1_000_000)
    tensors = [tensor for name, tensor in listed.items() if name != "__metadata__"]
    require(len(tensors) <= 16_384, "safetensors/limit")
    require(all(is_tensor(tensor) for tensor in tensors), "safetensors/malformed")
    end = 0
    for tensor in sorted(tensors, key=lambda tensor: tensor["data_offsets"]):
        shape, (start, stop) = tensor["shape"], tensor["data_offsets"]
        require(len(shape) <= 8 and all(0 <= size < 2**31 for size in shape) and math.prod(shape) <= 2**40,
            "tensor/malformed")
        require(start == end and stop - start == math.prod(shape) * WIDTHS[tensor["dtype"]], "safetensors/layout")
        require(stop <= len(data), "safetensors/truncated")
        check_finite(data[start:stop], tensor["dtype"])
        end = stop
    require(end == len(data), "safetensors/layout")
    return len(tensors)


def is_tensor(tensor):
    if not isinstance(tensor, dict) or set(tensor) != {"dtype", "shape",
        "data_offsets"} or not isinstance(tensor["dtype"], str):
        return False
    numbers = [tensor["shape"], tensor["data_offsets"]]
    are_integers = all(isinstance(list_, list) and all(type(number) is int for number in list_) for list_ in numbers)
    return are_integers and len(tensor["data_offsets"]) == 2 and tensor["dtype"] in WIDTHS


def check_finite(data, kind):
    if kind in EXPONENTS:
        letter, exponent = EXPONENTS[kind]
        require(all(number & exponent != exponent for number, in struct.iter_unpack("<" + letter, data)),
            "tensor/not-finite")


def check_probe(probe, hidden_size):
    require(isinstance(probe, dict), "json/unexpected")
    matching(probe, "base", "(sha256:)?[0-9a-f]{64}", "digest/malformed", 71)
    for key in "state", "logits":
        require(all(type(number) in (int, float) for number in field(probe, key, list)), "bundle/bad-probe")
    require(1 <= len(field(probe, "text", str).encode()) <= 1024, "bundle/bad-probe")
    require(len(probe["state"]) == hidden_size, "bundle/bad-probe")


def check_composition(manifest, config, own, members):
    """A composition is made of its members, of all of them, and of nothing else."""
    setup, head = field(config, "setup", str), field(config, "head", str, required=False)
    try:
        tree = compositions.parse(setup)
    except ValueError:
        raise Fault("bundle/bad-composition") from None
    leaves, fusions = compositions.leaves(tree), compositions.fusions(tree)
    named = {*leaves, *(name for name, _ in fusions), *([head] if head is not None else [])}
    is_right = own == 0 and named == set(members)
    for reference, member in members.items():
        is_right &= member["version"] == reference.split("@")[1]
        is_right &= all(member["base"][key] == manifest["base"][key] for key in ("architecture", "hiddenSize"))
    require(is_right and not any(members[leaf]["kind"] == "fusion" for leaf in leaves), "bundle/bad-composition")
    for name, fused in fusions:
        same = (members[name].get("members") or []) == [leaf.split("@")[0] for leaf in fused]
        require(same and members[name]["kind"] == "fusion", "bundle/bad-composition")


def check(path):
    """The digest of a bundle in a file or folder."""
    return judge(folder_files(path) if os.path.isdir(path) else packed_files(path))[0]


def judge(files, is_member=False):
    """The digest and the manifest of a bundle of these files."""
    digest = hashlib.sha256(files["manifest.json"]).digest()
    signatures = {name: content for name, content in files.items() if name.startswith("signatures/")}
    check_signatures(signatures, digest)
    manifest = parse(files["manifest.json"])
    check_manifest(manifest)
    for signer in manifest.get("signers") or []:
        require(f"signatures/{signer.removeprefix('ed25519:')}.ed25519" in signatures, "bundle/missing-signature")
    members = members_of(manifest)
    folders = tuple(f"members/{member}/" for _, member in members.values())
    own = {name: content for name, content in files.items() if not name.startswith(folders)}
    roles, listed = {}, []
    for file in manifest["files"]:
        check_name(file["path"])
        check_collisions(listed + [file["path"]])
        listed.append(file["path"])
        content = None if file["path"] == "manifest.json" or file["path"] in signatures else own.get(file["path"])
        require(content is not None, "bundle/missing-file")
        same = len(content) == file["size"] and hashlib.sha256(content).hexdigest() == file["sha256"]
        require(same, "bundle/changed-file")
        roles.setdefault(file["role"], []).append(content)
    require(set(own) == {"manifest.json", *listed, *signatures}, "bundle/unlisted-file")
    known = ("config", "weights", "headConfig", "headWeights", "card", "probe")
    require(all(len(roles.get(role, [])) < 2 for role in known), "bundle/roles")
    require("config" in roles and "weights" in roles and ("headConfig" in roles) == ("headWeights" in roles),
        "bundle/roles")
    for role in "config", "headConfig":
        require(all(isinstance(parse(content), dict) for content in roles.get(role, [])), "json/unexpected")
    tensors = sum(check_weights(content) for role in ("weights", "headWeights") for content in roles.get(role, []))
    for content in roles.get("probe", []):
        check_probe(parse(content), manifest["base"]["hiddenSize"])
    if manifest["kind"] == "composition":
        require(not is_member, "bundle/bad-composition")
        inside = {reference: check_member(files, member) for reference, (_, member) in members.items()}
        extra = tensors + len(roles.get("headConfig", [])) + len(roles.get("probe", []))
        check_composition(manifest, parse(roles["config"][0]), extra, inside)
    return f"sha256:{digest.hex()}", manifest


def check_member(files, expected):
    """The manifest of a member of a composition."""
    folder = f"members/{expected}/"
    inside = {name.removeprefix(folder): content for name, content in files.items() if name.startswith(folder)}
    require("manifest.json" in inside, "bundle/missing-file")
    digest, manifest = judge(inside, is_member=True)
    require(digest == f"sha256:{expected}", "bundle/changed-file")
    return manifest


def main():
    is_good = True
    for path in sys.argv[1:]:
        try:
            verdict = check(path)
        except Fault as fault:
            is_good, verdict = False, str(fault)
        except NotImplementedError as error:
            verdict = f"not judged: {error}"
        print(path, verdict, sep="\t")
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
