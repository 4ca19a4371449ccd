"""Ed25519 (RFC 8032), verified as strictly as the specification of bundles asks for. Standard library only, slow, and
independent of the code that it is compared with.

    python3 Formats/bundle/ed25519.py > Formats/bundle/v1/ed25519.json    # makes the vectors again
"""

import hashlib
import json

P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
L = 2**252 + 27742317777372353535851937790883648493


def number(data):
    return int.from_bytes(data, "little")


def recover_x(y, sign):
    """The x of the point with this y, None if there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return x if x & 1 == sign else P - x


def add(p, q):
    k = D * p[0] * q[0] * p[1] * q[1] % P
    x = (p[0] * q[1] + q[0] * p[1]) * pow(1 + k, P - 2, P)
    return x % P, (p[1] * q[1] + p[0] * q[0]) * pow(1 - k, P - 2, P) % P


def times(n, p):
    result = NEUTRAL
    while n:
        if n & 1:
            result = add(result, p)
        p, n = add(p, p), n >> 1
    return result


def encode(p):
    return (p[1] | (p[0] & 1) << 255).to_bytes(32, "little")


def decode(data):
    """The point, None if the encoding is not the canonical one of a point whose order does not divide 8."""
    y, sign = number(data) & (1 << 255) - 1, data[31] >> 7
    x = recover_x(y, sign) if y < P else None
    return None if x is None or times(8, (x, y)) == NEUTRAL else (x, y)


NEUTRAL = (0, 1)
BASE = (recover_x(4 * pow(5, P - 2, P) % P, 0), 4 * pow(5, P - 2, P) % P)


def challenge(r, key, message):
    return number(hashlib.sha512(r + key + message).digest()) % L


def verifies(key, signature, message):
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r, s = decode(key), decode(signature[:32]), number(signature[32:])
    return None not in (a, r) and s < L and times(s, BASE) == add(r, times(challenge(signature[:32], key, message), a))


def secret(seed):
    digest = hashlib.sha512(seed).digest()
    return number(digest[:32]) & ~7 & (1 << 254) - 1 | 1 << 254, digest[32:]


def sign(seed, message):
    a, prefix = secret(seed)
    key = encode(times(a, BASE))
    r = number(hashlib.sha512(prefix + message).digest()) % L
    return key, join(times(r, BASE), r + challenge(encode(times(r, BASE)), key, message) * a)


def join(r, s):
    return encode(r) + (s % L).to_bytes(32, "little")


def vectors():
    """What must verify and what must not, although some implementation says that it does."""
    seeds = [bytes.fromhex(seed) for seed in (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")]
    for index, (seed, message) in enumerate(zip(seeds, (b"", b"\x72", b"\xaf\x82"))):
        yield (f"RFC 8032, test {index + 1}", *sign(seed, message), message)
    seed, message = seeds[0], b"a message"
    a, _ = secret(seed)
    key, good = sign(seed, message)
    s = number(good[32:])
    yield "S + L", key, good[:32] + (s + L).to_bytes(32, "little"), message
    yield "S + 8 L", key, good[:32] + (s + 8 * L).to_bytes(32, "little"), message
    yield "S = L and R = neutral", key, encode(NEUTRAL) + L.to_bytes(32, "little"), message
    yield "nothing but zeros", key, bytes(64), message
    yield "one byte too few", key, good[:63], message
    yield "one byte too many", key, good + b"\0", message
    yield "twice the same", key, good + good, message
    yield "no signature", key, b"", message
    yield "another message", key, good, message + b"."
    yield "another key", sign(seeds[1], message)[0], good, message
    yield "R and S exchanged", key, good[32:] + good[:32], message
    yield "R of small order, S = h a", key, join(NEUTRAL, challenge(encode(NEUTRAL), key, message) * a), message
    loose = (P + 1).to_bytes(32, "little")
    yield "R = neutral in another encoding", key, loose + (challenge(loose, key, message) * a % L).to_bytes(32,
        "little"), message
    torsion = [times(index, order_8()) for index in range(8)]
    for index, point in enumerate(torsion):
        small, count = encode(point), 0
        while times(challenge(encode(times(count + 1, BASE)), small, message), point) != NEUTRAL:
            count += 1
        yield f"key of small order {index}, which verifies everything", small, join(times(count + 1, BASE), count
            + 1), message
    for name, data in ("p + 1", loose), ("1, x negative", (1 | 1 << 255).to_bytes(32, "little")):
        yield f"key with y = {name}: the neutral point in another encoding", data, join(BASE, 1), message
    for wanted in False, True:
        mixed, count = encode(add(times(a, BASE), torsion[1])), 0
        while (challenge(encode(BASE), mixed, b"%d" % count) % 8 == 0) != wanted:
            count += 1
        text = b"%d" % count
        name = "a key with a part of small order" + (", which the challenge takes away" if wanted
            else ": 8 S B = 8 R + 8 h A only")
        yield name, mixed, join(BASE, 1 + challenge(encode(BASE), mixed, text) * a), text
    mixed = add(times(2, BASE), torsion[1])
    yield "R with a part of small order: 8 S B = 8 R + 8 h A only", key, join(mixed, 2
        + challenge(encode(mixed), key, message) * a), message


def order_8():
    y = 2
    while True:
        x = recover_x(y, 0)
        point = x is not None and times(L, (x, y))
        if point and times(4, point) != NEUTRAL:
            return point
        y += 1


if __name__ == "__main__":
    print(json.dumps(
        [{"comment": name, "key": key.hex(), "message": message.hex(), "signature": signature.hex(),
          "valid": verifies(key, signature, message)} for name, key, signature, message in vectors()], indent=2))
