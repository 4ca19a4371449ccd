"""What is wrong with a bundle."""


class Fault(Exception):
    """A code as in bad/*.expected."""


def require(condition, code):
    if not condition:
        raise Fault(code)
