"""Which program runs on which routers. A package names exactly one architecture of OpenWrt, so one program goes into many.

All programs are static: a router's own C library, and how its programs pass floating point numbers, do not matter.
A router says which it is: `opkg print-architecture`, `apk --print-arch`.
"""

from dataclasses import dataclass

# e_machine of the ELF header.
X86_64, AARCH64, ARM, MIPS, RISCV = 62, 183, 40, 8, 243


@dataclass(frozen=True)
class Target:
    """How its programs look, and the architectures they serve."""

    machine: int
    little_endian: bool
    serves: tuple[str, ...]


TARGETS = {
    "x86_64-unknown-linux-musl": Target(X86_64, True, ("x86_64",)),
    "aarch64-unknown-linux-musl": Target(
        AARCH64, True, ("aarch64_cortex-a53", "aarch64_cortex-a72", "aarch64_cortex-a76", "aarch64_generic")
    ),
    # With a floating point unit.
    "armv7-unknown-linux-musleabihf": Target(
        ARM,
        True,
        (
            "arm_cortex-a15_neon-vfpv4",
            "arm_cortex-a5_vfpv4",
            "arm_cortex-a7_neon-vfpv4",
            "arm_cortex-a7_vfpv4",
            "arm_cortex-a8_vfpv3",
            "arm_cortex-a9_neon",
            "arm_cortex-a9_vfpv3-d16",
        ),
    ),
    # ARMv6 and, without a floating point unit, ARMv7.
    "arm-unknown-linux-musleabi": Target(
        ARM, True, ("arm_arm1176jzf-s_vfp", "arm_cortex-a7", "arm_cortex-a9", "arm_mpcore")
    ),
    "armv5te-unknown-linux-musleabi": Target(ARM, True, ("arm_arm926ej-s", "arm_fa526", "arm_xscale")),
    # MIPS32 release 2: not mips_mips32, mips_4kec, mipsel_mips32.
    "mips-unknown-linux-musl": Target(MIPS, False, ("mips_24kc",)),
    "mipsel-unknown-linux-musl": Target(MIPS, True, ("mipsel_24kc", "mipsel_24kc_24kf", "mipsel_74kc")),
    # The first name is of OpenWrt 24.10, the second of later ones.
    "riscv64gc-unknown-linux-musl": Target(RISCV, True, ("riscv64_riscv64", "riscv64_generic")),
}
