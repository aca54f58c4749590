"""Configurations of any size."""

# Rules of one list in turn: a failover policy, a link, a balanced policy, a link.
_TARGETS = ("web", "L1", "balanced", "L2")


def configuration(links, rules=(), options=(), sets=()):
    """So many links, a failover and a balanced policy, these rules and sets. `options` are lines for each link."""
    lines = ["config globals 'globals'", "\toption enabled '1'"]
    for n in range(1, links + 1):
        lines += [f"config link 'L{n}'", f"\toption device 'wan{n}'", f"\toption gateway '10.0.{n}.1'"]
        lines += [f"\toption gateway6 'fd00:a:{n}::1'", *(f"\t{option}" for option in options)]
    lines += ["config policy 'web'", "\tlist use 'L1'", "\tlist use 'L2'"]
    lines += ["config policy 'balanced'", "\toption mode 'balance'", "\tlist use 'L1 2'", "\tlist use 'L2'"]
    for name, file in sets:
        lines += [f"config set '{name}'", f"\tlist file '{file}'"]
    for n, rule in enumerate(rules):
        lines += [f"config rule 'rule{n}'", f"\toption use '{_TARGETS[n * 7 // 3 % 4]}'", *(f"\t{option}" for option in rule)]
    return "\n".join(lines) + "\n"


def ports(n):
    return "option proto 'tcp'", f"option dest_port '{1000 + n}'"


def hosts(n):
    return (f"option src_ip '10.{128 + n // 65536}.{n // 256 % 256}.{n % 256}'",)


def services(n):
    """A network and a range of ports."""
    network = f"option dest_ip '100.{n // 256 % 256}.{n % 256}.0/24'"
    return network, "option proto 'udp'", f"option dest_port '{1000 + n}-{1010 + n}'"


def ranges(n):
    return (f"option src_ip '172.{n // 256 % 256}.{n % 256}.10-172.{n // 256 % 256}.{n % 256}.90'",)


def nets(n):
    return (f"option dest_ip '101.{n // 256 % 256}.{n % 256}.0/24'",)


_FIVE = (ports, hosts, services, ranges, nets)

# Rule n of a list of so many. `mixed`: a fifth of the list each. `in turns`: the worst list there is, for each rule meets
# others of other kinds that lead elsewhere, so their order must be kept.
SHAPES = {
    "ports": lambda n, count: ports(n),
    "hosts": lambda n, count: hosts(n),
    "mixed": lambda n, count: _FIVE[5 * n // count](n),
    "in turns": lambda n, count: _FIVE[n % 5](n),
}


def rules(shape, count):
    """So many rules of a shape."""
    return [SHAPES[shape](n, count) for n in range(count)]


def networks(count):
    """So many networks that do not touch each other."""
    return [f"{11 + n // 32768}.{n // 128 % 256}.{n % 128 * 2}.0/24" for n in range(count)]
